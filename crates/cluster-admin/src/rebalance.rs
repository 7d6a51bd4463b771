//! As many slots for each primary as its weight says.

use crate::node::NodeId;
use crate::picture::Picture;
use crate::slots::{SLOTS, Slot, SlotSet};

/// What each primary shall have, and when it is near enough.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
    /// Of the nodes named; every other primary weighs 1.
    pub named: Vec<(NodeId, f32)>,
    /// Whether primaries without slots get some.
    pub use_empty: bool,
    /// Percent by which a node may be off.
    pub threshold: f32,
}

/// A node and how many slots it has too many, or too few when negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    pub node: NodeId,
    pub slots: i64,
}

/// Slots from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from: NodeId,
    pub to: NodeId,
    pub slots: Vec<Slot>,
}

/// What there is to do.
#[derive(Clone, Debug, PartialEq)]
pub struct Rebalance {
    pub total_weight: f32,
    /// The nodes that take part, those that lack most first.
    pub balances: Vec<Balance>,
    pub transfers: Vec<Transfer>,
}

impl Rebalance {
    /// `None` when every node is within the threshold, or no node has any weight. A threshold of zero is never exceeded, as
    /// with the peers. O(primaries × slots).
    pub fn of(picture: &Picture, weights: &Weights) -> Option<Rebalance> {
        let weight = |id: &NodeId| weights.named.iter().rev().find(|(named, _)| named == id).map_or(1.0, |(_, w)| *w);
        let involved: Vec<_> = picture.primaries().filter(|node| weights.use_empty || !node.slots.is_empty()).collect();
        let total_weight: f32 = involved.iter().map(|node| weight(&node.id)).sum();
        if total_weight <= 0.0 {
            return None;
        }
        let mut is_off = false;
        let mut balances = Vec::new();
        for node in &involved {
            let has = node.slots.len() as i64;
            let expected = ((SLOTS as f32 / total_weight) * weight(&node.id)) as i64;
            balances.push(Balance { node: node.id.clone(), slots: has - expected });
            is_off |= weights.threshold > 0.0
                && match has {
                    0 => expected > 1,
                    has => (100.0 - 100.0 * expected as f64 / has as f64).abs() > f64::from(weights.threshold),
                };
        }
        if !is_off {
            return None;
        }
        // Rounding leaves slots that nobody expects: those that lack some get them, else they would stay where they are.
        // A node without weight, which is to be emptied, gets none.
        let mut unexpected: i64 = balances.iter().map(|balance| balance.slots).sum();
        let lacks = |balance: &Balance| balance.slots <= 0 && weight(&balance.node) > 0.0;
        while unexpected > 0 && balances.iter().any(lacks) {
            for balance in balances.iter_mut().filter(|balance| lacks(balance)) {
                if unexpected > 0 {
                    balance.slots -= 1;
                    unexpected -= 1;
                }
            }
        }
        balances.sort_by_key(|balance| balance.slots);
        let transfers = transfers(picture, balances.clone());
        Some(Rebalance { total_weight, balances, transfers })
    }
}

/// Pairs who lacks most with who has most, until one side is served.
fn transfers(picture: &Picture, mut balances: Vec<Balance>) -> Vec<Transfer> {
    let mut transfers = Vec::new();
    let mut given = SlotSet::default();
    let (mut low, mut high) = (0, balances.len().saturating_sub(1));
    while low < high {
        let count = (-balances[low].slots).max(0).min(balances[high].slots.max(0));
        if count > 0 {
            let source = picture.node(&balances[high].node);
            let free = source.into_iter().flat_map(|node| node.slots.iter()).filter(|slot| !given.contains(*slot));
            let slots: Vec<Slot> = free.take(count as usize).collect();
            slots.iter().for_each(|slot| {
                given.insert(*slot);
            });
            transfers.push(Transfer { from: balances[high].node.clone(), to: balances[low].node.clone(), slots });
            balances[low].slots += count;
            balances[high].slots -= count;
        }
        let (served, empty) = (balances[low].slots >= 0, balances[high].slots <= 0);
        low += usize::from(served);
        high -= usize::from(empty);
    }
    transfers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Step;
    use crate::testing::{cluster, id, nodes};
    use proptest::prelude::*;

    fn weights(use_empty: bool) -> Weights {
        Weights { named: Vec::new(), use_empty, threshold: 2.0 }
    }

    fn apply(picture: &mut Picture, transfers: &[Transfer]) {
        for Transfer { from, to, slots } in transfers {
            for slot in slots {
                assert!(picture.node(from).unwrap().slots.contains(*slot));
                picture.apply(&Step::Move { slot: *slot, from: from.clone(), to: to.clone() });
            }
        }
    }

    #[test]
    fn an_even_cluster_is_left_alone() {
        let mut picture = cluster(3);
        assert_eq!(Rebalance::of(&picture, &weights(false)), None);
        picture.nodes.push(nodes(4).pop().unwrap());
        assert_eq!(Rebalance::of(&picture, &weights(false)), None);
        let rebalance = Rebalance::of(&picture, &weights(true)).unwrap();
        assert_eq!(rebalance.balances[0], Balance { node: id(3), slots: -4096 });
        assert_eq!(rebalance.transfers.iter().map(|t| t.slots.len()).collect::<Vec<_>>(), [1366, 1365, 1365]);
        let nothing = Weights { named: (0..4).map(|n| (id(n), 0.0)).collect(), ..weights(true) };
        assert_eq!(Rebalance::of(&picture, &nothing), None);
    }

    #[test]
    fn a_node_without_weight_is_drained() {
        let mut picture = cluster(3);
        let drain = Weights { named: vec![(id(1), 0.0)], ..weights(false) };
        let rebalance = Rebalance::of(&picture, &drain).unwrap();
        apply(&mut picture, &rebalance.transfers);
        assert_eq!(picture.nodes.iter().map(|node| node.slots.len()).collect::<Vec<_>>(), [8192, 0, 8192]);
    }

    proptest! {
        #[test]
        fn every_node_ends_with_its_share(
            owners in prop::collection::vec(0usize..5, 64),
            shares in prop::collection::vec(0u8..4, 5),
            use_empty in any::<bool>(),
        ) {
            let mut picture = Picture::new(nodes(5));
            for slot in Slot::all() {
                picture.nodes[owners[slot.number() / 256]].slots.insert(slot);
            }
            let named: Vec<_> = shares.iter().enumerate().map(|(n, share)| (id(n), f32::from(*share))).collect();
            let weights = Weights { named, ..weights(use_empty) };
            let before = picture.clone();
            let takes_part = |n: usize| use_empty || !before.nodes[n].slots.is_empty();
            let total: f32 = (0..5).filter(|n| takes_part(*n)).map(|n| f32::from(shares[n])).sum();
            if let Some(rebalance) = Rebalance::of(&picture, &weights) {
                apply(&mut picture, &rebalance.transfers);
                for n in (0..5).filter(|n| takes_part(*n)) {
                    let expected = SLOTS as f32 / total * f32::from(shares[n]);
                    let has = picture.nodes[n].slots.len() as f32;
                    prop_assert!((has - expected).abs() <= 5.0, "node {n} has {has}, not {expected}");
                }
                prop_assert_eq!(Rebalance::of(&picture, &weights), None);
            }
            prop_assert_eq!(picture.nodes.iter().map(|node| node.slots.len()).sum::<usize>(), SLOTS);
        }
    }
}
