//! A new cluster from empty nodes: who gets which slots, who replicates whom.
//!
//! ```text
//!   hosts  a: 0 1 2   b: 3 4 5   ──interleaved──►  0 3 1 │ 4 2 5
//!                                                  primaries, and the rest for replicas: of another host, if there is one
//! ```
//!
//! Then replicas are exchanged at random as long as that lowers the score: 10000 for each replica on its primary's host, one for
//! each that shares a host with another replica of the same primary. The best layout may be several exchanges away, so one
//! that does not make it worse is kept for the time being; where none has helped, replicas stay where they were placed.

use std::collections::BTreeMap;

use crate::node::Node;
use crate::picture::Picture;
use crate::plan::Plan;
use crate::slots::{SLOTS, Slot};
use crate::step::Step;

/// Exchanges that are tried for each node.
const EFFORT: usize = 500;

/// What a replica on the host of its primary costs, so that everything else is worth less.
const SAME_HOST_AS_PRIMARY: u64 = 10_000;

/// Who is what. Nodes are named by their place in the list that the layout was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Each primary with its first and its last slot.
    pub primaries: Vec<(usize, Slot, Slot)>,
    /// Each replica with its primary, in the order in which they were found, before they were exchanged.
    pub placements: Vec<(usize, usize)>,
    /// How many of the placements give each primary as many replicas as were asked for; the rest are nodes that were left.
    pub regular: usize,
    /// Whether nodes were left when each primary had its replicas.
    pub has_extra: bool,
    /// Each replica with its primary, as it shall be.
    pub replicas: BTreeMap<usize, usize>,
    /// The score before replicas were exchanged, and after.
    pub score: (u64, u64),
}

/// How near a layout is to having no host that a shard depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Every node of a shard is on a host of its own.
    None,
    /// Replicas of the same primary share a host.
    Replicas,
    /// A replica is on its primary's host.
    Primary,
}

impl Layout {
    /// How many primaries there will be.
    pub fn primaries(nodes: usize, replicas: usize) -> usize {
        nodes / (replicas + 1)
    }

    /// Lays out the nodes; at least `replicas + 1` of them, or there is nobody to own a slot. `seed` is the chance by which replicas
    /// are exchanged. O(nodes²) for each exchange that is tried.
    pub fn of(nodes: &[Node], replicas: usize, seed: u64) -> Layout {
        let count = Layout::primaries(nodes.len(), replicas);
        let interleaved = interleave(nodes);
        let owners = &interleaved[..count];
        let primaries: Vec<_> =
            owners.iter().zip(shares(count)).map(|(node, (first, last))| (*node, first, last)).collect();
        let mut free = interleaved[count..].to_vec();
        if !free.is_empty() {
            free.rotate_left(1);
        }
        let mut layout = Layout {
            primaries,
            placements: Vec::new(),
            regular: 0,
            has_extra: false,
            replicas: BTreeMap::new(),
            score: (0, 0),
        };
        for owner in owners {
            for _ in 0..replicas {
                layout.place(nodes, *owner, &mut free);
            }
        }
        layout.regular = layout.placements.len();
        layout.has_extra = !free.is_empty();
        if replicas > 0 {
            owners.iter().for_each(|owner| layout.place(nodes, *owner, &mut free));
        }
        layout.replicas = layout.placements.iter().copied().collect();
        layout.score.0 = layout.count_score(nodes);
        layout.exchange(nodes, seed);
        layout.score.1 = layout.count_score(nodes);
        layout
    }

    /// Gives a primary the first free node of another host, or else the first.
    fn place(&mut self, nodes: &[Node], primary: usize, free: &mut Vec<usize>) {
        let elsewhere = free.iter().position(|node| nodes[*node].host != nodes[primary].host);
        if !free.is_empty() {
            self.placements.push((free.remove(elsewhere.unwrap_or(0)), primary));
        }
    }

    pub fn affinity(&self) -> Affinity {
        match self.score.1 {
            0 => Affinity::None,
            score if score < SAME_HOST_AS_PRIMARY => Affinity::Replicas,
            _ => Affinity::Primary,
        }
    }

    /// Nodes of the same shard on the same host: the shard's primary, if it is among them, and its replicas.
    fn shared_hosts(&self, nodes: &[Node]) -> Vec<(bool, Vec<usize>)> {
        let mut groups: BTreeMap<(&str, usize), (bool, Vec<usize>)> = BTreeMap::new();
        for (primary, ..) in &self.primaries {
            groups.entry((&nodes[*primary].host, *primary)).or_default().0 = true;
        }
        for (replica, primary) in &self.replicas {
            groups.entry((&nodes[*replica].host, *primary)).or_default().1.push(*replica);
        }
        let crowded = |group: &(bool, Vec<usize>)| group.1.len() + usize::from(group.0) > 1;
        groups.into_values().filter(crowded).collect()
    }

    fn count_score(&self, nodes: &[Node]) -> u64 {
        let score = |(has_primary, replicas): &(bool, Vec<usize>)| match has_primary {
            true => SAME_HOST_AS_PRIMARY * replicas.len() as u64,
            false => replicas.len() as u64,
        };
        self.shared_hosts(nodes).iter().map(score).sum()
    }

    fn exchange(&mut self, nodes: &[Node], seed: u64) {
        let mut chance = Chance(seed);
        let mut score = self.count_score(nodes);
        let mut best = (score, self.replicas.clone());
        for _ in 0..EFFORT * nodes.len() {
            let offenders: Vec<usize> =
                self.shared_hosts(nodes).iter().filter_map(|(_, all)| all.first().copied()).collect();
            if score == 0 || offenders.is_empty() {
                break;
            }
            let one = offenders[chance.below(offenders.len())];
            let others: Vec<usize> = self.replicas.keys().copied().filter(|other| *other != one).collect();
            if others.is_empty() {
                break;
            }
            let other = others[chance.below(others.len())];
            self.swap(one, other);
            let new_score = self.count_score(nodes);
            match new_score > score {
                true => self.swap(one, other),
                false => score = new_score,
            }
            if score < best.0 {
                best = (score, self.replicas.clone());
            }
        }
        self.replicas = best.1;
    }

    fn swap(&mut self, one: usize, other: usize) {
        let (a, b) = (self.replicas[&one], self.replicas[&other]);
        self.replicas.insert(one, b);
        self.replicas.insert(other, a);
    }

    /// The steps that make a cluster of it: slots, epochs, who meets whom, and, once all know each other, replicas.
    pub fn plan(&self, nodes: &[Node]) -> Plan {
        let mut steps = Vec::new();
        for (primary, first, last) in &self.primaries {
            steps.push(Step::Take { first: *first, last: *last, at: nodes[*primary].id.clone() });
        }
        for (n, node) in nodes.iter().enumerate() {
            steps.push(Step::Epoch { at: node.id.clone(), epoch: n as u64 + 1 });
        }
        for node in nodes.iter().skip(1) {
            steps.push(Step::Meet { at: node.id.clone(), with: nodes[0].id.clone() });
        }
        for (replica, primary) in &self.replicas {
            steps.push(Step::Replicate { at: nodes[*replica].id.clone(), primary: nodes[*primary].id.clone() });
        }
        Plan::new("create", &Picture::new(nodes.to_vec()), steps)
    }
}

/// The nodes in turn from each host, hosts in the order in which they were named.
fn interleave(nodes: &[Node]) -> Vec<usize> {
    let mut hosts: Vec<(&str, Vec<usize>)> = Vec::new();
    for (n, node) in nodes.iter().enumerate() {
        match hosts.iter_mut().find(|(host, _)| *host == node.host) {
            Some((_, own)) => own.push(n),
            None => hosts.push((&node.host, vec![n])),
        }
    }
    let turns = hosts.iter().map(|(_, own)| own.len()).max().unwrap_or(0);
    (0..turns).flat_map(|turn| hosts.iter().filter_map(move |(_, own)| own.get(turn).copied())).collect()
}

/// The slots of each of `count` primaries, rounded as the peers round: in single precision, to the nearest.
fn shares(count: usize) -> Vec<(Slot, Slot)> {
    let each = SLOTS as f32 / count as f32;
    let mut shares = Vec::new();
    let (mut first, mut cursor) = (0, 0.0f32);
    for n in 0..count {
        let mut last = f64::from(cursor + each - 1.0).round() as usize;
        if last >= SLOTS || n + 1 == count {
            last = SLOTS - 1;
        }
        let last = last.max(first);
        shares.extend(Slot::new(first).zip(Slot::new(last)));
        first = last + 1;
        cursor += each;
    }
    shares
}

/// Numbers that look random (xorshift*).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        let mut x = self.0 | 1;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0 = x;
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % bound
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, nodes};
    use proptest::prelude::*;

    #[test]
    fn six_nodes_of_one_host_are_the_tutorials_cluster() {
        let mut nodes = nodes(6);
        nodes.iter_mut().for_each(|node| node.host = "127.0.0.1".to_owned());
        let layout = Layout::of(&nodes, 1, 7);
        let slots: Vec<_> = layout.primaries.iter().map(|(n, a, b)| (*n, a.number(), b.number())).collect();
        assert_eq!(slots, [(0, 0, 5460), (1, 5461, 10922), (2, 10923, 16383)]);
        assert_eq!(layout.placements, [(4, 0), (5, 1), (3, 2)]);
        assert_eq!((layout.has_extra, layout.affinity()), (false, Affinity::Primary));
        let steps = layout.plan(&nodes).steps;
        assert_eq!(steps[0], Step::Take { first: Slot::new(0).unwrap(), last: Slot::new(5460).unwrap(), at: id(0) });
        assert_eq!(steps.len(), 3 + 6 + 5 + 3);
    }

    #[test]
    fn nodes_that_are_left_become_extra_replicas() {
        let layout = Layout::of(&nodes(8), 1, 7);
        assert_eq!((layout.primaries.len(), layout.regular, layout.placements.len()), (4, 4, 4));
        let layout = Layout::of(&nodes(7), 1, 7);
        assert_eq!((layout.primaries.len(), layout.regular, layout.placements.len()), (3, 3, 4));
        assert!(layout.has_extra);
        assert_eq!(Layout::of(&nodes(1), 0, 7).primaries.len(), 1);
    }

    proptest! {
        #[test]
        fn every_slot_has_one_owner_and_every_replica_one_primary(count in 1usize..40, replicas in 0usize..4, seed: u64) {
            prop_assume!(Layout::primaries(count, replicas) > 0);
            let nodes = nodes(count);
            let layout = Layout::of(&nodes, replicas, seed);
            let mut picture = Picture::new(nodes.clone());
            let mut taken = 0;
            for step in layout.plan(&nodes).steps {
                if let Step::Take { first, last, .. } = &step {
                    taken += last.number() + 1 - first.number();
                }
                picture.apply(&step);
            }
            prop_assert_eq!(taken, SLOTS);
            prop_assert_eq!(picture.covered().len(), SLOTS);
            for (primary, ..) in &layout.primaries {
                prop_assert!(!layout.replicas.contains_key(primary));
                prop_assert!(layout.replicas.values().filter(|own| *own == primary).count() >= replicas);
            }
            prop_assert!(layout.score.1 <= layout.score.0);
        }

        #[test]
        fn shards_are_spread_where_hosts_allow_it(hosts in 3usize..7, each in 1usize..4, seed: u64) {
            let mut nodes = nodes(hosts * each * 2);
            // The nodes of a host are named one after the other, which is the worst order.
            nodes.iter_mut().enumerate().for_each(|(n, node)| node.host = format!("host-{}", n / (each * 2)));
            let layout = Layout::of(&nodes, 1, seed);
            prop_assert_eq!(layout.affinity(), Affinity::None);
        }
    }
}
