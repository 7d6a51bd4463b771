//! Being a primary or a replica, and changing it.
//!
//! Whom this node follows is decided here and carried out elsewhere: at the end of each call, what replication was last
//! told is compared with what is so now ([`Cluster::tell_replication`]). A new primary, a primary's new address, and the
//! end of being a replica are then one and the same case.

use crate::action::{Action, Keys};
use crate::cluster::Cluster;
use crate::codec::Flags;
use crate::id::{Epoch, NodeId, Slot};
use crate::node::Key;
use crate::slot_set::SlotSet;
use crate::turn::Turn;
use resp::error::{Error, cluster as error};

/// What replication was last told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub(crate) struct Followed {
    pub target: Option<(Vec<u8>, u16)>,
    /// The next one is another history.
    pub resync: bool,
    /// A new primary was chosen, even if its address is the same.
    pub renewed: bool,
    /// This node has been in sync with the primary that it follows.
    pub synced: bool,
}

impl Cluster {
    /// Makes this node a replica. It must have no slots left. `close_slots`: what it was giving and taking is over;
    /// `resync`: the new primary's history is not this node's.
    pub(crate) fn become_replica(&mut self, t: &mut Turn<'_>, primary: Key, close_slots: bool, resync: bool) {
        let me = self.nodes.me;
        debug_assert!(primary != me && self.nodes[me].slot_count == 0);
        let node = &mut self.nodes[me];
        node.flags.clear(Flags::PRIMARY | Flags::MIGRATE_TO | Flags::MY_PRIMARY_FAILED);
        node.flags.set(Flags::REPLICA);
        if close_slots {
            self.slots.close_all();
        }
        self.nodes.set_primary(me, Some(primary));
        let failed = self.nodes[primary].has_failed();
        self.nodes[me].flags.put(Flags::MY_PRIMARY_FAILED, failed);
        let shard = self.nodes[primary].shard;
        self.update_shard(t, me, shard);
        self.followed.resync |= resync;
        self.followed.renewed = true;
        self.followed.synced = false;
        let foreign = Slot::all().filter(|slot| self.slots.owner(*slot) != Some(primary)).collect::<SlotSet>();
        for slot in foreign.iter() {
            self.slots.moved.insert(slot);
        }
        self.reset_manual(t);
        self.election.reset();
        self.todo.view = true;
    }

    /// A node that was a replica is a primary now.
    pub(crate) fn become_primary(&mut self, t: &mut Turn<'_>, key: Key) {
        if self.nodes[key].is_primary() {
            return;
        }
        t.notice(|| format!("Reconfiguring node {} as primary for shard {}", self.called(key), self.nodes[key].shard));
        let had_primary = self.nodes[key].replica_of.is_some();
        self.nodes.set_primary(key, None);
        let myself = key == self.nodes.me;
        let node = &mut self.nodes[key];
        if had_primary && !myself {
            node.flags.set(Flags::MIGRATE_TO);
        }
        node.flags.clear(Flags::REPLICA);
        node.flags.set(Flags::PRIMARY);
        if myself {
            node.flags.clear(Flags::MY_PRIMARY_FAILED);
        }
        self.todo.save_and_judge();
    }

    /// The end of every failover: this replica takes its primary's place. Its epoch is new already.
    pub(crate) fn replace_primary(&mut self, t: &mut Turn<'_>) {
        let me = self.nodes.me;
        let Some(old) = self.nodes[me].replica_of.filter(|_| self.nodes[me].is_replica()) else { return };
        t.notice(|| {
            let shard = self.nodes[me].shard;
            format!("Setting myself to primary in shard {shard} after failover; my old primary is {}", self.called(old))
        });
        self.become_primary(t, me);
        let slots = self.nodes[old].slots.clone();
        slots.iter().for_each(|slot| self.slots.give(&mut self.nodes, slot, me));
        self.judge(t);
        self.todo.save_surely();
        self.todo.broadcast = true;
        self.reset_manual(t);
        self.election.reset();
    }

    /// `CLUSTER REPLICATE`.
    pub(crate) fn replicate_node(&mut self, t: &mut Turn<'_>, name: &[u8], keys: &dyn Keys) -> Result<(), Error> {
        let key = NodeId::parse(name).and_then(|id| self.nodes.find(&id)).ok_or_else(|| error::unknown_node(name))?;
        let me = self.nodes.myself();
        if key == self.nodes.me {
            return Err(error::REPLICATE_MYSELF);
        }
        if self.nodes[key].is_replica() {
            return Err(error::REPLICATE_REPLICA);
        }
        if me.is_primary() && (me.slot_count != 0 || !keys.is_empty()) {
            return Err(error::REPLICATE_NOT_EMPTY);
        }
        if me.replica_of != Some(key) {
            self.become_replica(t, key, true, true);
            self.todo.save_and_judge();
            self.todo.broadcast = true;
        }
        Ok(())
    }

    /// `CLUSTER REPLICATE NO ONE`.
    pub(crate) fn replicate_nobody(&mut self, t: &mut Turn<'_>) {
        let me = self.nodes.me;
        if self.nodes[me].is_primary() {
            return;
        }
        self.become_primary(t, me);
        self.flush_all = true;
        self.slots.close_all();
        self.reset_manual(t);
        self.new_shard(t);
        self.todo.save_and_judge();
        self.todo.broadcast = true;
    }

    fn new_shard(&mut self, t: &mut Turn<'_>) {
        let shard = NodeId::random(&mut self.random);
        self.nodes.myself_mut().shard = shard;
        t.notice(|| format!("Moving myself to a new shard {shard}."));
    }

    /// `CLUSTER RESET`: everything about the cluster is forgotten; a hard reset also forgets who this node is.
    pub(crate) fn reset_node(&mut self, t: &mut Turn<'_>, hard: bool, keys: &dyn Keys) -> Result<(), Error> {
        let me = self.nodes.me;
        if self.nodes[me].is_primary() && !keys.is_empty() {
            return Err(error::RESET_NOT_EMPTY);
        }
        self.slots.close_all();
        self.reset_manual(t);
        self.election.reset();
        for slot in Slot::all() {
            self.slots.release(&mut self.nodes, slot);
        }
        let was_replica = self.nodes[me].is_replica();
        self.become_primary(t, me);
        self.flush_all |= was_replica;
        for key in self.nodes.keys() {
            if key != me {
                self.remove_node(t, key);
            }
        }
        self.blacklist.clear();
        if hard {
            self.epochs = Default::default();
            self.nodes[me].config_epoch = Epoch(0);
            t.notice(|| "configEpoch set to 0 via CLUSTER RESET HARD".to_owned());
            let id = NodeId::random(&mut self.random);
            self.nodes.rename(me, id);
            t.notice(|| format!("Node hard reset, now I'm {id}"));
        }
        self.new_shard(t);
        self.todo.save_and_judge();
        self.todo.fsync = true;
        Ok(())
    }

    /// Tells replication what has become of this node, if it was last told otherwise.
    ///
    /// Data of another's are gone before it leads: keys that a new primary finds make it the owner of their slots.
    pub(crate) fn tell_replication(&mut self, t: &mut Turn<'_>) {
        if std::mem::take(&mut self.flush_all) {
            t.out.push(Action::FlushAll);
        }
        let me = self.nodes.myself();
        let target = me.replica_of.map(|primary| {
            let address = &self.nodes[primary].address;
            let port = if self.config.tls_replication { address.tls_port } else { address.port };
            (address.ip.clone(), port)
        });
        match target {
            Some((ip, port)) if !ip.is_empty() && port != 0 => {
                let target = Some((ip.clone(), port));
                if self.followed.renewed || self.followed.target != target {
                    t.out.push(Action::Follow { ip, port, resync: self.followed.resync });
                    self.followed = Followed { target, resync: false, renewed: false, synced: self.followed.synced };
                }
            }
            // Its address will be heard of.
            Some(_) => {}
            None if me.is_primary() && self.followed != Followed::default() => {
                self.followed = Followed::default();
                t.out.push(Action::Lead);
            }
            None => {}
        }
    }
}
