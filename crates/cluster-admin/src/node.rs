//! One node, as it tells of itself, and the lines of `CLUSTER NODES`.
//!
//! ```text
//!   <id> <host>:<port>@<bus>[,hostname[,aux…]] <flags> <primary or -> <ping> <pong> <epoch> <link> <slot> <a-b> [<s>->-<id>]
//! ```

use std::fmt;

use crate::slots::{Slot, SlotSet};

/// The name of a node: 40 hexadecimal digits in small letters, though anything that a node calls itself is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(String);

impl NodeId {
    pub fn new(text: &str) -> Self {
        NodeId(text.to_ascii_lowercase())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A node with what it claims: its slots are those that it says are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub id: NodeId,
    pub host: String,
    pub port: u16,
    /// The port of the cluster bus; 0 when not known.
    pub bus_port: u16,
    /// In the order of the wire, with `myself`.
    pub flags: Vec<String>,
    /// Whom it replicates. A primary has none.
    pub primary: Option<NodeId>,
    pub config_epoch: u64,
    pub slots: SlotSet,
    /// Slots that it is about to give away, and to whom.
    pub migrating: Vec<(Slot, NodeId)>,
    /// Slots that it is about to receive, and from whom.
    pub importing: Vec<(Slot, NodeId)>,
    /// Whether it was asked itself; otherwise all of this is what another node told.
    pub reachable: bool,
}

impl Node {
    pub fn new(id: NodeId, host: &str, port: u16) -> Self {
        Node {
            id,
            host: host.to_owned(),
            port,
            bus_port: 0,
            flags: Vec::new(),
            primary: None,
            config_epoch: 0,
            slots: SlotSet::default(),
            migrating: Vec::new(),
            importing: Vec::new(),
            reachable: true,
        }
    }

    /// `host:port`.
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    pub fn has_flag(&self, flag: &str) -> bool {
        self.flags.iter().any(|own| own == flag)
    }

    pub fn is_replica(&self) -> bool {
        self.primary.is_some() || self.has_flag("slave") || self.has_flag("replica")
    }

    /// Where the slot is on its way to, if it is.
    pub fn migrating_to(&self, slot: Slot) -> Option<&NodeId> {
        self.migrating.iter().find(|(open, _)| *open == slot).map(|(_, to)| to)
    }

    /// Where the slot is on its way from, if it is.
    pub fn importing_from(&self, slot: Slot) -> Option<&NodeId> {
        self.importing.iter().find(|(open, _)| *open == slot).map(|(_, from)| from)
    }

    /// A line of `CLUSTER NODES`. Fields that are missing at the end are taken as empty; `None` when there are no flags or
    /// the address is none.
    pub fn parse(line: &str) -> Option<Node> {
        let mut words = line.split(' ');
        let id = NodeId::new(words.next()?);
        let (host, port, bus_port) = address(words.next()?)?;
        let flags: Vec<String> = words.next()?.split(',').map(str::to_owned).collect();
        let mut node = Node { bus_port, flags, ..Node::new(id, host, port) };
        let primary = words.next().unwrap_or("-");
        if node.is_replica() {
            node.primary = Some(NodeId::new(primary));
        }
        let (_ping, _pong) = (words.next(), words.next());
        node.config_epoch = words.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        let _link = words.next();
        words.for_each(|word| node.parse_slots(word));
        Some(node)
    }

    fn parse_slots(&mut self, word: &str) {
        if let Some(open) = word.strip_prefix('[') {
            let open = open.strip_suffix(']').unwrap_or(open);
            if let Some((slot, to)) = open.split_once("->-") {
                self.migrating.extend(Slot::parse(slot).map(|slot| (slot, NodeId::new(to))));
            } else if let Some((slot, from)) = open.split_once("-<-") {
                self.importing.extend(Slot::parse(slot).map(|slot| (slot, NodeId::new(from))));
            }
            return;
        }
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        if let (Some(first), Some(last)) = (Slot::parse(first), Slot::parse(last)) {
            (first.number()..=last.number()).filter_map(Slot::new).for_each(|slot| {
                self.slots.insert(slot);
            });
        }
    }
}

/// `host:port@bus,hostname`: what stands behind a comma names the node in other ways.
fn address(text: &str) -> Option<(&str, u16, u16)> {
    let text = text.split(',').next()?;
    let (place, bus) = text.rsplit_once('@').unwrap_or((text, "0"));
    let (host, port) = place.rsplit_once(':')?;
    Some((host, port.parse().ok()?, bus.parse().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_node() {
        let line = "07C37dfeb2 127.0.0.1:30004@31004,host.example,shard-id=x myself,master - 0 1426238317239 4 connected \
                    0-5 7 [9->-aa] [10-<-bb]";
        let node = Node::parse(line).unwrap();
        assert_eq!(
            (node.id.as_str(), node.address().as_str(), node.bus_port),
            ("07c37dfeb2", "127.0.0.1:30004", 31004)
        );
        assert_eq!((node.slots.to_string(), node.config_epoch), ("[0-5],[7]".to_owned(), 4));
        assert_eq!(node.migrating_to(Slot::new(9).unwrap()), Some(&NodeId::new("aa")));
        assert_eq!(node.importing_from(Slot::new(10).unwrap()), Some(&NodeId::new("bb")));
        assert!(!node.is_replica());
    }

    #[test]
    fn lines_that_say_less_are_taken_as_far_as_they_go() {
        let replica = Node::parse("b ::1:7001@17001 slave,fail a 0 0 1 connected").unwrap();
        assert_eq!((replica.host.as_str(), replica.primary), ("::1", Some(NodeId::new("a"))));
        assert_eq!(Node::parse("a :0@0 master,noaddr - 0 0 0 disconnected").unwrap().host, "");
        for line in ["", "a", "a b", "a 127.0.0.1:1", "a nonsense master", "a host:99999 master"] {
            assert_eq!(Node::parse(line), None, "{line}");
        }
        assert!(Node::parse("a h:1@2 master - 0 0 0 connected 99999 5-3 x-y [7 [8->-").unwrap().slots.is_empty());
    }
}
