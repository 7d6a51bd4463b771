//! Clusters for tests.

use crate::node::{Node, NodeId};
use crate::picture::Picture;
use crate::slots::{SLOTS, Slot};

pub fn id(n: usize) -> NodeId {
    NodeId::new(&format!("{n:040x}"))
}

pub fn slot(n: usize) -> Slot {
    Slot::new(n).expect("a slot below 16384")
}

/// Nodes without slots, three to a host.
pub fn nodes(count: usize) -> Vec<Node> {
    (0..count).map(|n| Node::new(id(n), &format!("10.0.0.{}", n / 3), 7000 + n as u16)).collect()
}

/// Primaries that share the slots evenly.
pub fn cluster(primaries: usize) -> Picture {
    let mut picture = Picture::new(nodes(primaries));
    for (n, slot) in Slot::all().enumerate() {
        picture.nodes[n * primaries / SLOTS].slots.insert(slot);
    }
    picture
}
