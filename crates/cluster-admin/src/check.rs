//! What is wrong with a cluster.

use std::collections::BTreeMap;

use crate::node::NodeId;
use crate::picture::Picture;
use crate::slots::{Slot, SlotSet};

/// What a node believes about everybody's slots, from its `CLUSTER NODES`, in a form in which two nodes can be compared. `None`
/// when it knows of no slots at all.
pub fn signature(nodes: &str) -> Option<String> {
    let mut beliefs: Vec<String> = Vec::new();
    for line in nodes.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let Some((id, slots)) = words.first().zip(words.get(8..)) else { continue };
        let mut slots: Vec<&str> =
            slots.iter().copied().filter(|word| !word.is_empty() && !word.starts_with('[')).collect();
        if !slots.is_empty() {
            slots.sort_unstable();
            beliefs.push(format!("{id}:{}", slots.join(",")));
        }
    }
    beliefs.sort_unstable();
    (!beliefs.is_empty()).then(|| beliefs.join("|"))
}

/// Nodes that another node cannot reach, from its `CLUSTER NODES`: their addresses, as they stand there.
pub fn disconnected(nodes: &str) -> Vec<String> {
    let mut addresses = Vec::new();
    for line in nodes.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let (Some(address), Some(flags), Some(link)) = (words.get(1), words.get(2), words.get(7)) else { continue };
        let is_away = flags.contains("disconnected") || flags.contains("handshake") || link.contains("disconnected");
        if is_away && !flags.contains("myself") {
            addresses.push((*address).to_owned());
        }
    }
    addresses
}

/// Slots that some node is about to give or to receive, each with the other side that was named last.
pub fn open_slots(picture: &Picture) -> BTreeMap<Slot, NodeId> {
    let opened = picture.nodes.iter().flat_map(|node| node.migrating.iter().chain(&node.importing));
    opened.cloned().collect()
}

/// Slots that nobody claims.
pub fn uncovered(picture: &Picture) -> SlotSet {
    let covered = picture.covered();
    Slot::all().filter(|slot| !covered.contains(*slot)).collect()
}

/// The primaries that claim the slot or hold keys of it, when there is more than one.
pub fn contested(picture: &Picture, slot: Slot) -> Option<Vec<NodeId>> {
    let owners: Vec<NodeId> = picture
        .primaries()
        .filter(|node| node.slots.contains(slot) || picture.keys(slot, &node.id) > 0)
        .map(|node| node.id.clone())
        .collect();
    (owners.len() > 1).then_some(owners)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cluster, id, slot};

    const NODES: &str = "bb 127.0.0.1:7001@17001 master - 0 0 2 connected 8192-16383 5\n\
                         aa 127.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-4 [7->-bb]\n\
                         cc 127.0.0.1:7002@17002 slave bb 0 0 2 disconnected\n";

    #[test]
    fn beliefs_are_compared_whatever_their_order() {
        assert_eq!(signature(NODES).unwrap(), "aa:0-4|bb:5,8192-16383");
        let other: Vec<&str> = NODES.lines().rev().collect();
        assert_eq!(signature(&other.join("\n")), signature(NODES));
        assert_eq!(signature("aa 127.0.0.1:7000@17000 myself,master - 0 0 0 connected\n"), None);
        assert_eq!(disconnected(NODES), ["127.0.0.1:7002@17002"]);
    }

    #[test]
    fn what_is_wrong_is_found() {
        let mut picture = cluster(3);
        assert!(open_slots(&picture).is_empty() && uncovered(&picture).is_empty());
        picture.nodes[0].slots.remove(slot(3));
        picture.nodes[1].importing.push((slot(9), id(0)));
        assert_eq!(uncovered(&picture).to_string(), "[3]");
        assert_eq!(open_slots(&picture), BTreeMap::from([(slot(9), id(0))]));
        assert_eq!(contested(&picture, slot(9)), None);
        picture.set_keys(slot(9), &id(2), 4);
        assert_eq!(contested(&picture, slot(9)), Some(vec![id(0), id(2)]));
    }
}
