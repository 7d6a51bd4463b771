//! Who owns which slot, and what happens when somebody claims one.
//!
//! ```text
//!   owner:      slot ──► node            the table that redirections come from
//!   unclaimed:  slots whose owner no longer says that it has them (they are on their way to another)
//!   migrating:  slot ──► to whom         set by CLUSTER SETSLOT on the giving side
//!   importing:  slot ──► from whom       and on the taking side
//! ```
//!
//! A primary tells all its slots in every packet, under its configuration epoch. A claim wins a slot that is free, that
//! its owner no longer claims, or that is owned under a smaller epoch; so after a failover or a migration the newest claim
//! spreads, and everybody ends with the same table.
//!
//! **Where the peers delete, we set aside.** A primary that hears that its slot went to another node may still hold keys
//! of it: the move was cut short, or an old claim came back. Redis deletes them on this hearsay alone. Here the slots are
//! handed out by [`Action::SetAside`], and the keys are kept, unserved, until somebody decides.

use crate::action::Action;
use crate::cluster::Cluster;
use crate::config::Level;
use crate::id::{Epoch, NodeId, Slot};
use crate::node::{Key, Nodes};
use crate::slot_set::SlotSet;
use crate::turn::Turn;
use std::collections::BTreeMap;

/// The tables of slots.
pub(crate) struct Slots {
    owner: Vec<Option<Key>>,
    pub unclaimed: SlotSet,
    pub migrating: BTreeMap<Slot, Key>,
    pub importing: BTreeMap<Slot, Key>,
    /// Slots that changed hands in this call: their shard channels lose their subscribers.
    pub moved: SlotSet,
}

impl Slots {
    pub fn new() -> Slots {
        Slots {
            owner: vec![None; Slot::COUNT],
            unclaimed: SlotSet::new(),
            migrating: BTreeMap::new(),
            importing: BTreeMap::new(),
            moved: SlotSet::new(),
        }
    }

    pub fn owner(&self, slot: Slot) -> Option<Key> {
        self.owner[slot.index()]
    }

    /// Nobody owns it, or its owner has stopped saying so.
    pub fn is_free(&self, slot: Slot) -> bool {
        self.owner(slot).is_none() || self.unclaimed.contains(slot)
    }

    /// Gives a slot to a node, taking it from who had it.
    pub fn give(&mut self, nodes: &mut Nodes, slot: Slot, to: Key) {
        self.release(nodes, slot);
        let others_have_replicas =
            nodes[to].slot_count == 0 && nodes.iter().any(|(_, node)| !node.is_replica() && !node.replicas.is_empty());
        let node = &mut nodes[to];
        if node.slots.insert(slot) {
            node.slot_count += 1;
            if node.slot_count == 1 && others_have_replicas {
                node.flags.set(crate::codec::Flags::MIGRATE_TO);
            }
        }
        self.owner[slot.index()] = Some(to);
    }

    /// Makes a slot nobody's; tells whether it was somebody's.
    pub fn release(&mut self, nodes: &mut Nodes, slot: Slot) -> bool {
        self.unclaimed.remove(slot);
        let Some(owner) = self.owner[slot.index()].take() else { return false };
        let node = &mut nodes[owner];
        if node.slots.remove(slot) {
            node.slot_count -= 1;
        }
        self.moved.insert(slot);
        true
    }

    /// Makes all slots of a node nobody's; tells how many.
    pub fn release_all(&mut self, nodes: &mut Nodes, of: Key) -> usize {
        let slots = nodes[of].slots.clone();
        slots.iter().filter(|slot| self.release(nodes, *slot)).count()
    }

    /// Forgets every slot that is being given or taken.
    pub fn close_all(&mut self) {
        self.migrating.clear();
        self.importing.clear();
    }

    /// A failover within a shard: what was one node's is the other's, also where others are giving or taking.
    pub fn inherit(&mut self, nodes: &mut Nodes, from: Key, to: Key) -> Inherited {
        let slots = nodes[from].slots.clone();
        slots.iter().for_each(|slot| self.give(nodes, slot, to));
        let redirect = |table: &mut BTreeMap<Slot, Key>| {
            let redirected = table.iter_mut().filter(|(_, key)| **key == from).map(|(slot, key)| {
                *key = to;
                *slot
            });
            redirected.collect()
        };
        let (importing, migrating) = (redirect(&mut self.importing), redirect(&mut self.migrating));
        Inherited { slots: slots.len(), importing, migrating }
    }

    /// Takes a node that goes away out of all tables.
    pub fn forget(&mut self, nodes: &mut Nodes, key: Key) {
        self.release_all(nodes, key);
        self.migrating.retain(|_, to| *to != key);
        self.importing.retain(|_, from| *from != key);
    }

    /// The slots that a node may be said to have: not those that it has stopped claiming.
    pub fn claimed_by(&self, nodes: &Nodes, key: Key) -> SlotSet {
        let mut slots = nodes[key].slots.clone();
        slots.subtract(&self.unclaimed);
        slots
    }
}

/// What a node has taken over from another of its shard.
pub(crate) struct Inherited {
    pub slots: usize,
    /// Slots that this node takes from it.
    pub importing: Vec<Slot>,
    /// Slots that this node gives to it.
    pub migrating: Vec<Slot>,
}

/// What a claim changed, as far as this node is concerned.
#[derive(Default)]
struct Claim {
    /// Slots that were this node's own.
    lost: SlotSet,
    /// Slots of this node's shard that moved.
    from_my_shard: usize,
    /// Slots that came from other shards, for the log.
    moved: Vec<(Slot, Key)>,
}

impl Cluster {
    /// Takes in a node's claim to slots, made in its own packet or reported by another's.
    pub(crate) fn claim(&mut self, t: &mut Turn<'_>, claimant: Key, epoch: Epoch, claimed: &SlotSet) {
        let me = self.nodes.me;
        if claimant == me {
            t.notice(|| "Discarding UPDATE message about myself.".to_owned());
            return;
        }
        let mine = if self.nodes.myself().is_primary() { Some(me) } else { self.nodes.myself().replica_of };
        let mut claim = Claim::default();
        for slot in Slot::all() {
            if claimed.contains(slot) {
                self.claim_slot(t, claimant, epoch, slot, mine, &mut claim);
            } else {
                self.unclaim_slot(t, claimant, epoch, slot);
            }
        }
        self.log_moves(t, claimant, &claim.moved);
        self.follow_the_slots(t, claimant, epoch, claimed, mine, claim);
    }

    /// The claimant says that it has the slot.
    fn claim_slot(
        &mut self,
        t: &mut Turn<'_>,
        claimant: Key,
        epoch: Epoch,
        slot: Slot,
        mine: Option<Key>,
        claim: &mut Claim,
    ) {
        let owner = self.slots.owner(slot);
        if owner == Some(claimant) {
            self.slots.unclaimed.remove(slot);
            return;
        }
        let free = self.slots.is_free(slot);
        if !free && owner.is_some_and(|owner| self.nodes[owner].config_epoch >= epoch) {
            return;
        }
        let me = self.nodes.me;
        if let Some(owner) = owner {
            if !free && !self.nodes.same_shard(owner, claimant) {
                claim.moved.push((slot, owner));
            }
            if owner == me {
                claim.lost.insert(slot);
            }
            if Some(owner) == mine {
                claim.from_my_shard += 1;
            }
        }
        // Another shard has it: whoever moved it has decided, and our own giving of it is over. Within the shard it is a
        // failover, and the giving goes on.
        if let Some(to) = self.slots.migrating.get(&slot).copied()
            && !self.nodes.same_shard(claimant, me)
        {
            t.notice(|| format!("Slot {slot} is no longer being migrated to node {}.", self.called(to)));
            self.slots.migrating.remove(&slot);
        }
        if let Some(from) = self.slots.importing.get(&slot).copied()
            && from != claimant
        {
            if self.nodes.same_shard(claimant, from) {
                t.verbose(|| format!("Slot {slot} is now being imported from node {}.", self.called(claimant)));
                self.slots.importing.insert(slot, claimant);
            } else {
                t.notice(|| format!("Slot {slot} is no longer being imported from node {}.", self.called(from)));
                self.slots.importing.remove(&slot);
            }
        }
        self.slots.give(&mut self.nodes, slot, claimant);
        self.todo.save_and_judge();
        self.todo.fsync = true;
    }

    /// The claimant does not say that it has the slot.
    fn unclaim_slot(&mut self, t: &mut Turn<'_>, claimant: Key, epoch: Epoch, slot: Slot) {
        if self.slots.owner(slot) == Some(claimant) {
            // It stays bound, so that clients are still sent there and further; but nobody is told any more that it is
            // the claimant's.
            self.slots.unclaimed.insert(slot);
        }
        if let Some(to) = self.slots.migrating.get(&slot).copied()
            && to != claimant
            && (self.nodes[to].config_epoch < epoch || self.nodes[to].is_replica())
            && self.nodes.same_shard(to, claimant)
        {
            t.verbose(|| format!("Slot {slot} is now being migrated to node {}.", self.called(claimant)));
            self.slots.migrating.insert(slot, claimant);
            self.todo.save_and_judge();
            self.todo.fsync = true;
        }
        if self.slots.importing.get(&slot) == Some(&claimant) && self.nodes.myself().is_primary() {
            // The giver has let go and this node missed the last step, or took over from a primary that did.
            t.notice(|| format!("Slot {slot} was let go by node {}: its import is complete.", self.called(claimant)));
            self.slots.importing.remove(&slot);
            let me = self.nodes.me;
            if self.slots.owner(slot) != Some(me) {
                self.slots.give(&mut self.nodes, slot, me);
                self.bump(t);
                self.todo.save_and_judge();
                self.todo.fsync = true;
            }
        }
    }

    /// Decides what a claim makes of this node: a replica of the claimant, an empty primary, or what it was.
    fn follow_the_slots(
        &mut self,
        t: &mut Turn<'_>,
        claimant: Key,
        epoch: Epoch,
        claimed: &SlotSet,
        mine: Option<Key>,
        claim: Claim,
    ) {
        let me = self.nodes.me;
        let same_shard = self.nodes.same_shard(claimant, me);
        let mut lost_to_claimant = claim.from_my_shard > 0;
        if !lost_to_claimant
            && self.nodes.myself().replica_of != Some(claimant)
            && claimed.is_empty()
            && self.nodes.myself().slot_count == 0
            && self.nodes.epoch_of(me) < epoch
            && same_shard
        {
            // A failover in a shard without slots.
            lost_to_claimant = true;
        }
        let none_left = mine.is_none_or(|mine| self.nodes[mine].slot_count == 0);
        if lost_to_claimant && none_left {
            if self.config.allow_replica_migration || same_shard {
                t.notice(|| {
                    format!(
                        "Configuration change detected. Reconfiguring myself as a replica of node {}",
                        self.called(claimant)
                    )
                });
                if !same_shard {
                    self.set_aside(t, claim.lost, claimant);
                }
                self.become_replica(t, claimant, !same_shard, !same_shard);
                self.todo.save_and_judge();
                self.todo.fsync = true;
                self.todo.broadcast = true;
                return;
            }
            if self.nodes.myself().is_primary() && claimed.len() >= claim.from_my_shard {
                t.notice(|| resp::log_text::cluster::empty_primary(&self.called(claimant)));
            }
        }
        if self.nodes.myself().is_primary() {
            self.set_aside(t, claim.lost, claimant);
        }
    }

    fn set_aside(&mut self, t: &mut Turn<'_>, slots: SlotSet, owner: Key) {
        if !slots.is_empty() {
            t.out.push(Action::SetAside { slots, owner: Some(self.nodes[owner].id) });
        }
    }

    fn log_moves(&mut self, t: &mut Turn<'_>, to: Key, moved: &[(Slot, Key)]) {
        if t.verbosity > Level::Notice {
            return;
        }
        let mut rest = moved;
        while let Some(&(first, from)) = rest.first() {
            let follows = |(i, (slot, owner)): (usize, &(Slot, Key))| {
                *owner == from && usize::from(slot.number()) == first.index() + i
            };
            let run = rest.iter().enumerate().take_while(|&entry| follows(entry)).count();
            let last = rest[run - 1].0;
            rest = &rest[run..];
            t.notice(|| {
                format!(
                    "Slot range [{first}, {last}] is migrated from node {} to node {}.",
                    self.called(from),
                    self.called(to)
                )
            });
        }
    }

    /// The slots in which keys were found. What nobody owns becomes ours; what another owns is set aside.
    pub(crate) fn adopt_slots(&mut self, t: &mut Turn<'_>, held: &SlotSet) {
        if self.nodes.myself().is_replica() {
            return;
        }
        let me = self.nodes.me;
        let mut foreign: BTreeMap<Key, SlotSet> = BTreeMap::new();
        for slot in held.iter() {
            match self.slots.owner(slot) {
                Some(owner) if owner == me => {}
                _ if self.slots.importing.contains_key(&slot) => {}
                None => {
                    t.notice(|| format!("I have keys for unassigned slot {slot}. Taking responsibility for it."));
                    self.slots.give(&mut self.nodes, slot, me);
                    self.todo.save_and_judge();
                    self.todo.fsync = true;
                }
                Some(owner) => {
                    foreign.entry(owner).or_default().insert(slot);
                }
            }
        }
        for (owner, slots) in foreign {
            self.set_aside(t, slots, owner);
        }
    }

    /// What a primary's snapshot told of slots that are being given or taken. Nodes that are not known yet are made
    /// known by name.
    pub(crate) fn take_open_slots(&mut self, t: &mut Turn<'_>, open: &[(Slot, bool, NodeId)]) {
        for (slot, migrating, id) in open {
            let Some(key) = self.node_by_name(t, *id) else { continue };
            let table = if *migrating { &mut self.slots.migrating } else { &mut self.slots.importing };
            table.insert(*slot, key);
        }
        if !open.is_empty() {
            self.todo.save();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Flags;
    use crate::id::NodeId;
    use crate::node::Node;
    use crate::random::Random;

    fn two() -> (Nodes, Key, Key) {
        let random = &mut Random::new(3);
        let mut node = || Node::new(NodeId::random(random), NodeId::random(random), Flags::PRIMARY, 0);
        let mut nodes = Nodes::new(node());
        let other = nodes.add(node()).unwrap();
        let me = nodes.me;
        (nodes, me, other)
    }

    #[test]
    fn a_slot_has_one_owner_and_counts_agree() {
        let (mut nodes, me, other) = two();
        let mut slots = Slots::new();
        for slot in Slot::all().take(10) {
            slots.give(&mut nodes, slot, me);
        }
        let third = Slot::new(3).unwrap();
        slots.give(&mut nodes, third, other);
        slots.give(&mut nodes, third, other);
        assert_eq!((nodes[me].slot_count, nodes[other].slot_count), (9, 1));
        assert_eq!((nodes[me].slots.len(), slots.owner(third)), (9, Some(other)));
        assert!(slots.moved.contains(third));
        assert!(slots.release(&mut nodes, third) && !slots.release(&mut nodes, third));
        assert_eq!(slots.release_all(&mut nodes, me), 9);
        assert_eq!(nodes[me].slot_count, 0);
    }

    #[test]
    fn an_heir_takes_open_slots_too() {
        let (mut nodes, me, other) = two();
        let mut slots = Slots::new();
        let slot = |n| Slot::new(n).unwrap();
        slots.give(&mut nodes, slot(1), other);
        slots.migrating.insert(slot(5), other);
        slots.importing.insert(slot(6), other);
        assert_eq!(slots.inherit(&mut nodes, other, me).slots, 1);
        assert_eq!((slots.owner(slot(1)), slots.migrating[&slot(5)], slots.importing[&slot(6)]), (Some(me), me, me));
        slots.forget(&mut nodes, me);
        assert!(slots.owner(slot(1)).is_none() && slots.migrating.is_empty() && slots.importing.is_empty());
    }

    #[test]
    fn what_its_owner_does_not_claim_is_free() {
        let (mut nodes, _, other) = two();
        let mut slots = Slots::new();
        let slot = Slot::new(9).unwrap();
        slots.give(&mut nodes, slot, other);
        assert!(!slots.is_free(slot));
        slots.unclaimed.insert(slot);
        assert!(slots.is_free(slot) && slots.claimed_by(&nodes, other).is_empty());
        slots.give(&mut nodes, slot, other);
        assert!(!slots.is_free(slot));
    }
}
