//! The commands by which people and tools move slots.

use crate::action::{Keys, SetSlot};
use crate::cluster::Cluster;
use crate::id::{NodeId, Slot};
use crate::node::Key;
use crate::slot_set::SlotSet;
use crate::turn::Turn;
use resp::error::{Error, cluster as error};

impl Cluster {
    /// `ADDSLOTS` (`add`) and `DELSLOTS`, and their siblings with ranges.
    pub(crate) fn assign(&mut self, slots: &[Slot], add: bool) -> Result<(), Error> {
        let mut seen = SlotSet::new();
        for slot in slots {
            match (self.slots.owner(*slot), add) {
                (None, false) => return Err(error::slot_unassigned(slot.number())),
                (Some(_), true) => return Err(error::slot_busy(slot.number())),
                _ if !seen.insert(*slot) => return Err(error::slot_twice(slot.number())),
                _ => {}
            }
        }
        let me = self.nodes.me;
        for slot in slots {
            self.slots.importing.remove(slot);
            if add {
                self.slots.give(&mut self.nodes, *slot, me);
            } else {
                self.slots.release(&mut self.nodes, *slot);
            }
        }
        self.todo.save_and_judge();
        Ok(())
    }

    pub(crate) fn flush_my_slots(&mut self, keys: &dyn Keys) -> Result<(), Error> {
        if !keys.is_empty() {
            return Err(error::FLUSHSLOTS);
        }
        let me = self.nodes.me;
        self.slots.release_all(&mut self.nodes, me);
        self.todo.save_and_judge();
        Ok(())
    }

    /// Whether `SETSLOT` may be done; the other node, if it names one.
    pub(crate) fn may_set_slot(
        &self,
        slot: Slot,
        what: SetSlot,
        keys: &dyn Keys,
        from_primary: bool,
    ) -> Result<Option<Key>, Error> {
        let me = self.nodes.me;
        if !from_primary && self.nodes[me].is_replica() {
            return Err(error::SETSLOT_ON_REPLICA);
        }
        let mine = self.slots.owner(slot) == Some(me);
        let other = |id: NodeId| {
            let key = self.nodes.find(&id).ok_or_else(|| error::setslot_unknown(id.as_bytes()))?;
            if key == me {
                return Err(error::SETSLOT_MYSELF);
            }
            if self.nodes[key].is_replica() { Err(error::SETSLOT_NOT_PRIMARY) } else { Ok(key) }
        };
        match what {
            SetSlot::Migrating(_) if self.nodes[me].is_primary() && !mine => {
                Err(error::setslot_not_owner(slot.number()))
            }
            SetSlot::Importing(_) if mine => Err(error::setslot_owner(slot.number())),
            SetSlot::Migrating(id) | SetSlot::Importing(id) => other(id).map(Some),
            SetSlot::Stable => Ok(None),
            SetSlot::Node(id) => {
                let key = self.nodes.find(&id).ok_or_else(|| error::unknown_node(id.as_bytes()))?;
                if self.nodes[key].is_replica() {
                    return Err(error::SETSLOT_NOT_PRIMARY);
                }
                if mine && key != me && keys.count(slot) != 0 {
                    return Err(error::setslot_keys(slot.number()));
                }
                Ok(Some(key))
            }
        }
    }

    pub(crate) fn do_set_slot(
        &mut self,
        t: &mut Turn<'_>,
        slot: Slot,
        what: SetSlot,
        keys: &dyn Keys,
        from_primary: bool,
    ) -> Result<(), Error> {
        let node = self.may_set_slot(slot, what, keys, from_primary)?;
        match (what, node) {
            (SetSlot::Migrating(_), Some(to)) => {
                t.notice(|| format!("Migrating slot {slot} to node {}", self.called(to)));
                self.slots.migrating.insert(slot, to);
            }
            (SetSlot::Importing(_), Some(from)) => {
                t.notice(|| format!("Importing slot {slot} from node {}", self.called(from)));
                self.slots.importing.insert(slot, from);
            }
            (SetSlot::Node(_), Some(to)) => self.settle_slot(t, slot, to, keys),
            (_, _) => {
                t.notice(|| format!("Marking slot {slot} stable"));
                self.slots.migrating.remove(&slot);
                self.slots.importing.remove(&slot);
            }
        }
        // Whoever is told that a slot is open sends keys at once, which are synced on their own: a node that wakes from a
        // power failure with the keys and without the word would not serve them.
        self.todo.save_and_judge();
        self.todo.fsync = true;
        Ok(())
    }

    /// The end of a migration, said on each side: the slot is this node's now.
    fn settle_slot(&mut self, t: &mut Turn<'_>, slot: Slot, to: Key, keys: &dyn Keys) {
        t.notice(|| format!("Assigning slot {slot} to node {}", self.called(to)));
        let me = self.nodes.me;
        if keys.count(slot) == 0 {
            self.slots.migrating.remove(&slot);
        }
        let primary = self.nodes.primary_of(me);
        let was_ours = self.slots.owner(slot) == Some(primary);
        self.slots.give(&mut self.nodes, slot, to);
        if was_ours && to != primary && self.nodes[primary].slot_count == 0 {
            if self.config.allow_replica_migration {
                t.notice(|| {
                    let who = self.called(to);
                    format!("Lost my last slot during slot migration. Reconfiguring myself as a replica of {who}")
                });
                self.become_replica(t, to, true, true);
                self.todo.save_surely();
                self.todo.broadcast = true;
            } else if self.nodes[me].is_primary() {
                t.notice(|| resp::log_text::cluster::empty_primary(&self.called(to)));
            }
        }
        let ours = to == me || self.nodes[me].replica_of == Some(to);
        let imported = ours && self.slots.importing.remove(&slot).is_some();
        if imported && to == me {
            // The claim needs a new epoch to win over the giver's.
            if self.bump(t) {
                t.notice(|| format!("ConfigEpoch updated after importing slot {slot}"));
            }
            self.todo.broadcast = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Action, Outbox};
    use crate::cluster::Saved;
    use crate::codec::Flags;
    use crate::config::Config;
    use crate::node::Node;
    use crate::random::Random;
    use keyspace::UnixMillis;

    struct NoKeys;

    impl Keys for NoKeys {
        fn count(&self, _: Slot) -> u64 {
            0
        }

        fn is_empty(&self) -> bool {
            true
        }
    }

    #[test]
    fn that_a_slot_is_open_is_on_the_disk_before_keys_can_come() {
        let mut out = Outbox::new();
        let mut cluster = Cluster::new(Config::default(), Saved::default(), 5, UnixMillis(1), &mut out).unwrap();
        let random = &mut Random::new(3);
        let other = Node::new(NodeId::random(random), NodeId::random(random), Flags::PRIMARY, 0);
        let id = other.id;
        cluster.nodes.add(other).unwrap();
        let slot = Slot::new(7).unwrap();
        out.drain().for_each(drop);
        cluster.set_slot(UnixMillis(2), slot, SetSlot::Importing(id), &NoKeys, false, &mut out).unwrap();
        assert!(out.actions().iter().any(|action| matches!(action, Action::SaveConfig { fsync: true, .. })));
    }
}
