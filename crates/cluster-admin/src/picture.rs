//! What a cluster looked like when its nodes were asked, and what steps would make of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::node::{Node, NodeId};
use crate::slots::{Slot, SlotSet};
use crate::step::Step;

/// The nodes, the one that was asked first at the front, and how many keys they hold in the slots that were counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    pub nodes: Vec<Node>,
    /// Primaries that others know and that did not answer. Their slots may be in nobody's picture.
    pub unreachable_primaries: usize,
    keys: BTreeMap<(Slot, NodeId), u64>,
    /// Who knows whom, as far as somebody looked.
    acquaintances: BTreeSet<(NodeId, NodeId)>,
}

impl Picture {
    pub fn new(nodes: Vec<Node>) -> Self {
        Picture { nodes, ..Picture::default() }
    }

    /// O(nodes). Letters of an id may be large or small.
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == *id)
    }

    /// The first node whose id begins so.
    pub fn node_by_prefix(&self, prefix: &str) -> Option<&Node> {
        let prefix = prefix.to_ascii_lowercase();
        self.nodes.iter().find(|node| node.id.as_str().starts_with(&prefix))
    }

    pub fn node_mut(&mut self, id: &NodeId) -> Option<&mut Node> {
        self.nodes.iter_mut().find(|node| node.id == *id)
    }

    pub fn primaries(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| !node.is_replica())
    }

    /// Primaries that can be told something.
    pub fn reachable_primaries(&self) -> impl Iterator<Item = &Node> {
        self.primaries().filter(|node| node.reachable)
    }

    pub fn replicas_of(&self, primary: &NodeId) -> usize {
        self.nodes.iter().filter(|node| node.primary.as_ref() == Some(primary)).count()
    }

    /// The reachable primary with the fewest replicas, other than one.
    pub fn least_replicated(&self, except: Option<&NodeId>) -> Option<&Node> {
        let candidates = self.reachable_primaries().filter(|node| Some(&node.id) != except);
        candidates.min_by_key(|node| self.replicas_of(&node.id))
    }

    /// Slots that somebody claims.
    pub fn covered(&self) -> SlotSet {
        let mut covered = SlotSet::default();
        self.nodes.iter().for_each(|node| covered.union(&node.slots));
        covered
    }

    /// Primaries that claim the slot.
    pub fn claimants(&self, slot: Slot) -> Vec<&Node> {
        self.primaries().filter(|node| node.slots.contains(slot)).collect()
    }

    /// How many keys of the slot a node was seen to hold; none where nobody counted.
    pub fn keys(&self, slot: Slot, node: &NodeId) -> u64 {
        self.keys.get(&(slot, node.clone())).copied().unwrap_or(0)
    }

    pub fn set_keys(&mut self, slot: Slot, node: &NodeId, count: u64) {
        match count {
            0 => self.keys.remove(&(slot, node.clone())),
            count => self.keys.insert((slot, node.clone()), count),
        };
    }

    /// Whether a node was seen to know another.
    pub fn knows(&self, node: &NodeId, other: &NodeId) -> bool {
        self.acquaintances.contains(&(node.clone(), other.clone()))
    }

    pub fn set_known(&mut self, node: &NodeId, other: &NodeId) {
        self.acquaintances.insert((node.clone(), other.clone()));
    }

    /// What the step makes of the picture when it succeeds. Gossip is left out: nobody learns what he was not told.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Move { slot, from, to } => {
                self.move_keys(*slot, from, to);
                self.assign(*slot, to, to);
                self.assign(*slot, from, to);
                if let Some(node) = self.node_mut(from) {
                    node.migrating.retain(|(open, _)| open != slot);
                }
                let others: Vec<NodeId> = self.primaries().map(|node| node.id.clone()).collect();
                others.iter().for_each(|node| self.assign(*slot, node, to));
            }
            Step::MoveKeys { slot, from, to } => self.move_keys(*slot, from, to),
            Step::Assign { slot, at, owner } => self.assign(*slot, at, owner),
            Step::Import { slot, at, from } => {
                if let Some(node) = self.node_mut(at) {
                    node.importing.retain(|(open, _)| open != slot);
                    node.importing.push((*slot, from.clone()));
                }
            }
            Step::Close { slot, at } => {
                if let Some(node) = self.node_mut(at) {
                    node.importing.retain(|(open, _)| open != slot);
                    node.migrating.retain(|(open, _)| open != slot);
                }
            }
            Step::Drop { slot, at } => {
                if let Some(node) = self.node_mut(at) {
                    node.slots.remove(*slot);
                }
            }
            Step::Claim { slot, at, close } => {
                if let Some(node) = self.node_mut(at) {
                    node.slots.insert(*slot);
                    node.importing.retain(|(open, _)| open != slot);
                    if *close {
                        node.migrating.retain(|(open, _)| open != slot);
                    }
                }
            }
            Step::Take { first, last, at } => {
                if let Some(node) = self.node_mut(at) {
                    (first.number()..=last.number()).filter_map(Slot::new).for_each(|slot| {
                        node.slots.insert(slot);
                    });
                }
            }
            Step::Epoch { at, epoch } => {
                if let Some(node) = self.node_mut(at) {
                    node.config_epoch = *epoch;
                }
            }
            Step::Meet { at, with } => self.set_known(at, with),
            Step::Forget { .. } | Step::Reset { .. } => (),
            Step::Replicate { at, primary } => {
                if let Some(node) = self.node_mut(at) {
                    node.primary = Some(primary.clone());
                }
            }
        }
    }

    fn move_keys(&mut self, slot: Slot, from: &NodeId, to: &NodeId) {
        if from != to {
            let sum = self.keys(slot, from) + self.keys(slot, to);
            self.set_keys(slot, from, 0);
            self.set_keys(slot, to, sum);
        }
    }

    fn assign(&mut self, slot: Slot, at: &NodeId, owner: &NodeId) {
        let is_empty = self.keys(slot, at) == 0;
        let Some(node) = self.node_mut(at) else { return };
        if at == owner {
            node.slots.insert(slot);
            node.importing.retain(|(open, _)| *open != slot);
        } else {
            node.slots.remove(slot);
            if is_empty {
                node.migrating.retain(|(open, _)| *open != slot);
            }
        }
    }
}
