//! A cluster as the load generator sees it: its nodes, their slots, and keys that belong to a node.
//!
//! Each connection talks to one node for ever. So that its keys belong there, `{tag}` in a request is replaced by a hash
//! tag of three characters whose slot the node has; one such tag for each of the 16384 slots is found by trying.
//!
//! ```text
//!   key:{tag}:000000000042 ──► key:{3x9}:000000000042      crc16("3x9") mod 16384 is a slot of the node
//! ```
//!
//! When a node answers that a slot has moved, the thread that hears it first asks for the new distribution; nodes that
//! join later are not used, as connections to them would change what is measured.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use client::{Address, Client, Value};
use structures::crc16::{SLOTS, crc16};

use crate::options::{Options, ReadFrom};
use crate::screen::complain;
use crate::target::{Settings, Target, settings};
use crate::{Failure, failure};

/// What stands in requests for a hash tag.
pub const PLACEHOLDER: &[u8] = b"{tag}";

/// Characters of a tag; 62³ of them reach every slot.
const LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// One node.
#[derive(Debug)]
pub struct Node {
    id: Vec<u8>,
    pub target: Target,
    pub is_replica: bool,
    pub settings: Option<Settings>,
}

/// The nodes that are asked, and which slots they have at the moment.
#[derive(Debug)]
pub struct Cluster {
    pub nodes: Vec<Node>,
    read_from: ReadFrom,
    slots: RwLock<Vec<Arc<[u16]>>>,
    /// Grows with each new distribution.
    version: AtomicU64,
    refreshing: Mutex<()>,
    /// By slot.
    tags: Vec<[u8; 3]>,
}

/// A node in the answer to `CLUSTER SLOTS`.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    id: Vec<u8>,
    /// Empty when the node does not know it.
    host: String,
    port: u16,
    is_replica: bool,
    slots: Vec<u16>,
}

impl Node {
    pub fn id(&self) -> String {
        String::from_utf8_lossy(&self.id).into_owned()
    }
}

impl Cluster {
    /// Asks the server of the options for the cluster that it belongs to, and each node for its settings.
    pub fn fetch(options: &Options, entry: &Address, client: &mut Client) -> Result<Cluster, Failure> {
        let whole = |error: Failure| match error {
            Failure::Line(line) => Failure::Line(format!("{line}\nFailed to fetch cluster configuration from {entry}")),
            other => other,
        };
        let places = ask(client, options.read_from).map_err(whole)?;
        if places.is_empty() {
            return Err(failure("Invalid cluster: 0 node(s)."));
        }
        let (mut nodes, mut slots) = (Vec::new(), Vec::new());
        for place in places {
            let host = if place.host.is_empty() { options.server.host.clone() } else { place.host };
            let name = Address::tcp(host, place.port);
            let (target, mut client) = Target::reach(&name, options)?;
            let settings = settings(&name, &mut client)?;
            if settings.is_none() {
                complain!("WARNING: Could not fetch node CONFIG {name}");
            }
            nodes.push(Node { id: place.id, target, is_replica: place.is_replica, settings });
            slots.push(Arc::from(place.slots));
        }
        Ok(Cluster {
            nodes,
            read_from: options.read_from,
            slots: RwLock::new(slots),
            version: AtomicU64::new(0),
            refreshing: Mutex::new(()),
            tags: tags(),
        })
    }

    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Relaxed)
    }

    /// The slots of each node, in the order of the nodes.
    pub fn slots(&self) -> Vec<Arc<[u16]>> {
        self.slots.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A hash tag of that slot.
    pub fn tag(&self, slot: u16) -> [u8; 3] {
        self.tags[usize::from(slot)]
    }

    /// Asks for the new distribution, unless someone did since `version`.
    pub fn refresh(&self, version: u64, options: &Options) -> Result<(), Failure> {
        let _one_at_a_time = self.refreshing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.version() != version {
            return Ok(());
        }
        complain!("WARNING: Cluster slots configuration changed, fetching new one...");
        let (_, mut client) = Target::reach(&self.nodes[0].target.name, options)?;
        let mut slots = vec![Vec::new(); self.nodes.len()];
        for place in ask(&mut client, self.read_from)? {
            let Some(at) = self.nodes.iter().position(|node| node.id == place.id) else {
                let id = String::from_utf8_lossy(&place.id);
                return Err(failure(format!(
                    "Failed to update cluster slots configuration: could not find node with ID {id} in current \
                     configuration."
                )));
            };
            slots[at] = place.slots;
        }
        *self.slots.write().unwrap_or_else(PoisonError::into_inner) = slots.into_iter().map(Arc::from).collect();
        self.version.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

fn ask(client: &mut Client, read_from: ReadFrom) -> Result<Vec<Place>, Failure> {
    match client.call(&["CLUSTER", "SLOTS"]) {
        Ok(Value::Error(text)) => Err(failure(format!("CLUSTER SLOTS ERROR: {}", String::from_utf8_lossy(&text)))),
        Ok(reply) => places(&reply, read_from).ok_or_else(|| failure("CLUSTER SLOTS has an answer of unknown shape.")),
        Err(error) => Err(failure(format!("CLUSTER SLOTS ERROR: {error}"))),
    }
}

/// Understands `[[first, last, [host, port, id, …] of the primary, …of its replicas] …]`.
fn places(reply: &Value, read_from: ReadFrom) -> Option<Vec<Place>> {
    let Value::Array(ranges) = reply else { return None };
    let mut places: Vec<Place> = Vec::new();
    for range in ranges {
        let Value::Array(parts) = range else { return None };
        let [Value::Integer(first), Value::Integer(last), nodes @ ..] = parts.as_slice() else { return None };
        let slots = u16::try_from(*first).ok()?..=u16::try_from(*last).ok().filter(|last| *last < SLOTS)?;
        for (at, node) in nodes.iter().enumerate() {
            let is_replica = at > 0;
            let is_asked = match read_from {
                ReadFrom::Primaries => !is_replica,
                ReadFrom::Replicas => is_replica,
                ReadFrom::All => true,
            };
            if !is_asked {
                continue;
            }
            let Value::Array(facts) = node else { return None };
            let [host, Value::Integer(port), id, ..] = facts.as_slice() else { return None };
            let id = id.as_bytes()?.to_vec();
            let at = match places.iter().position(|place| place.id == id) {
                Some(at) => at,
                None => {
                    let host = String::from_utf8_lossy(host.as_bytes().unwrap_or_default()).into_owned();
                    let host = if host == "?" { String::new() } else { host };
                    places.push(Place { id, host, port: u16::try_from(*port).ok()?, is_replica, slots: Vec::new() });
                    places.len() - 1
                }
            };
            places[at].slots.extend(slots.clone());
        }
    }
    Some(places)
}

/// A tag for each slot.
fn tags() -> Vec<[u8; 3]> {
    let mut tags = vec![[0; 3]; usize::from(SLOTS)];
    let mut missing = tags.len();
    for &a in LETTERS {
        for &b in LETTERS {
            for &c in LETTERS {
                let tag = &mut tags[usize::from(crc16(&[a, b, c]) % SLOTS)];
                if *tag == [0; 3] {
                    *tag = [a, b, c];
                    missing -= 1;
                }
                if missing == 0 {
                    return tags;
                }
            }
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_tag_of_its_own() {
        for (slot, tag) in tags().iter().enumerate() {
            assert!(tag.iter().all(u8::is_ascii_alphanumeric), "{slot}");
            assert_eq!(usize::from(crc16(tag) % SLOTS), slot);
        }
    }

    fn node(host: &str, port: i64, id: &str) -> Value {
        Value::Array(vec![Value::Bulk(host.into()), Value::Integer(port), Value::Bulk(id.into()), Value::Array(vec![])])
    }

    fn range(first: i64, last: i64, nodes: Vec<Value>) -> Value {
        Value::Array([Value::Integer(first), Value::Integer(last)].into_iter().chain(nodes).collect())
    }

    #[test]
    fn ranges_are_gathered_by_node() {
        let reply = Value::Array(vec![
            range(0, 1, vec![node("h", 1, "a"), node("h", 4, "d")]),
            range(2, 2, vec![node("h", 2, "b")]),
            range(5, 6, vec![node("h", 1, "a"), node("?", 4, "d")]),
        ]);
        let seen = |read_from| -> Vec<(String, bool, Vec<u16>)> {
            let places = places(&reply, read_from).unwrap().into_iter();
            places.map(|p| (format!("{}:{}", p.host, p.port), p.is_replica, p.slots)).collect()
        };
        let a = ("h:1".to_owned(), false, vec![0, 1, 5, 6]);
        let b = ("h:2".to_owned(), false, vec![2]);
        let d = ("h:4".to_owned(), true, vec![0, 1, 5, 6]);
        assert_eq!(seen(ReadFrom::Primaries), [a.clone(), b.clone()]);
        assert_eq!(seen(ReadFrom::Replicas), std::slice::from_ref(&d));
        assert_eq!(seen(ReadFrom::All), [a, d, b]);
    }

    #[test]
    fn an_answer_of_another_shape_is_no_cluster() {
        for reply in [
            Value::Null,
            Value::Array(vec![Value::Integer(1)]),
            Value::Array(vec![range(0, 99_999, vec![node("h", 1, "a")])]),
            Value::Array(vec![range(0, 1, vec![node("h", 70_000, "a")])]),
            Value::Array(vec![range(0, 1, vec![Value::Null])]),
        ] {
            assert_eq!(places(&reply, ReadFrom::All), None, "{reply:?}");
        }
    }
}
