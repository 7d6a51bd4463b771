//! The facade: events and commands come in here and are routed to the machines.

use crate::action::{Direction, Event, FailoverMode, Keys, Outbox, SetSlot};
use crate::config::{Config, Endpoint};
use crate::describe::{Asker, Link, Shard};
use crate::id::{Epoch, NodeId, Slot};
use crate::random::Random;
use crate::slot_set::SlotSet;
use crate::view::{NOBODY, View, ViewNode};
use bytes::Bytes;
use keyspace::UnixMillis;
use resp::error::Error;
use std::sync::Arc;

/// The saved configuration as found on disk.
#[derive(Clone, Copy, Default, Debug)]
pub struct Saved<'a> {
    /// `nodes.conf`; `None` when there is none, or it is empty.
    pub newest: Option<&'a [u8]>,
    /// The copy before it; used when the newest is damaged.
    pub previous: Option<&'a [u8]>,
}

/// One node of a cluster.
pub struct Cluster {
    config: Config,
    random: Random,
    view: Arc<View>,
}

impl Cluster {
    /// A node that knows what was saved, or a new one with a name of its own.
    ///
    /// # Errors
    /// A text for the log, when a file is there but neither copy can be understood: the process should not start.
    pub fn new(
        config: Config,
        saved: Saved<'_>,
        seed: u64,
        now: UnixMillis,
        out: &mut Outbox,
    ) -> Result<Cluster, String> {
        let _ = (saved, now, &out);
        let mut random = Random::new(seed);
        let id = NodeId::random(&mut random);
        let me = ViewNode {
            id,
            shard: NodeId::random(&mut random),
            ip: Vec::new(),
            port: config.announced_port(),
            tls_port: config.announced_tls_port(),
            bus_port: config.announced_bus_port(),
            client_ipv4: Vec::new(),
            client_ipv6: Vec::new(),
            client_port: 0,
            client_tls_port: 0,
            hostname: Vec::new(),
            availability_zone: Vec::new(),
            is_primary: true,
            failed: false,
            available: true,
            config_epoch: Epoch(0),
            primary: None,
            replicas: Vec::new(),
        };
        let view = Arc::new(View {
            myself: 0,
            nodes: vec![me],
            owners: vec![NOBODY; Slot::COUNT].into(),
            migrating: Default::default(),
            importing: Default::default(),
            ok: false,
            preferred: Endpoint::Ip,
        });
        Ok(Cluster { config, random, view })
    }

    /// Takes in what happened.
    pub fn handle(&mut self, now: UnixMillis, event: Event<'_>, out: &mut Outbox) {
        let _ = (now, event, out, self.random.next());
    }

    /// When [`Event::Timer`] is due next.
    pub fn deadline(&self) -> Option<UnixMillis> {
        None
    }

    /// The picture that the data plane decides by; the one last told by [`Action::ViewChanged`].
    pub fn view(&self) -> &Arc<View> {
        &self.view
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Takes over changed directives.
    pub fn configure(&mut self, now: UnixMillis, config: Config, out: &mut Outbox) {
        let _ = (now, out);
        self.config = config;
    }

    // --- commands: an error changes nothing

    /// `CLUSTER MEET`.
    pub fn meet(
        &mut self,
        now: UnixMillis,
        ip: &[u8],
        port: u16,
        bus_port: u16,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let _ = (now, ip, port, bus_port, out);
        Ok(())
    }

    /// `CLUSTER FORGET`. `name` is what the user typed.
    pub fn forget(&mut self, now: UnixMillis, name: &[u8], out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, name, out);
        Ok(())
    }

    /// `CLUSTER ADDSLOTS` and `ADDSLOTSRANGE`, with the slots in the order in which they were named.
    pub fn add_slots(&mut self, now: UnixMillis, slots: &[Slot], out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, slots, out);
        Ok(())
    }

    /// `CLUSTER DELSLOTS` and `DELSLOTSRANGE`.
    pub fn del_slots(&mut self, now: UnixMillis, slots: &[Slot], out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, slots, out);
        Ok(())
    }

    /// `CLUSTER FLUSHSLOTS`.
    pub fn flush_slots(&mut self, now: UnixMillis, keys: &dyn Keys, out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, keys, out);
        Ok(())
    }

    /// The node that `CLUSTER SETSLOT … <name>` names, for [`SetSlot`]; `None` when there is no such node.
    pub fn node_named(&self, name: &[u8]) -> Option<NodeId> {
        NodeId::parse(name).filter(|id| self.view.find(id).is_some())
    }

    /// Whether `CLUSTER SETSLOT` may be done: to be asked before it is sent to the replicas. `from_primary`: it came
    /// over the replication link.
    pub fn check_set_slot(&self, slot: Slot, what: SetSlot, keys: &dyn Keys, from_primary: bool) -> Result<(), Error> {
        let _ = (slot, what, keys, from_primary);
        Ok(())
    }

    /// `CLUSTER SETSLOT`, carried out; checked again first.
    pub fn set_slot(
        &mut self,
        now: UnixMillis,
        slot: Slot,
        what: SetSlot,
        keys: &dyn Keys,
        from_primary: bool,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let _ = (now, out);
        self.check_set_slot(slot, what, keys, from_primary)
    }

    /// `CLUSTER REPLICATE`.
    pub fn replicate(&mut self, now: UnixMillis, name: &[u8], keys: &dyn Keys, out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, name, keys, out);
        Ok(())
    }

    /// `CLUSTER REPLICATE NO ONE`.
    pub fn replicate_no_one(&mut self, now: UnixMillis, out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, out);
        Ok(())
    }

    /// `CLUSTER FAILOVER`. `replica` is the name after `REPLICAID`, which only a primary may send (`from_primary`).
    pub fn failover(
        &mut self,
        now: UnixMillis,
        mode: FailoverMode,
        replica: Option<&[u8]>,
        from_primary: bool,
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let _ = (now, mode, replica, from_primary, out);
        Ok(())
    }

    /// `CLUSTER RESET`.
    pub fn reset(&mut self, now: UnixMillis, hard: bool, keys: &dyn Keys, out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, hard, keys, out);
        Ok(())
    }

    /// `CLUSTER BUMPEPOCH`: the epoch, and whether it is new.
    pub fn bump_epoch(&mut self, now: UnixMillis, out: &mut Outbox) -> (Epoch, bool) {
        let _ = (now, out);
        (Epoch(0), false)
    }

    /// `CLUSTER SET-CONFIG-EPOCH`.
    pub fn set_config_epoch(&mut self, now: UnixMillis, epoch: i64, out: &mut Outbox) -> Result<(), Error> {
        let _ = (now, epoch, out);
        Ok(())
    }

    /// The bytes that `CLUSTER SAVECONFIG` (and a shutdown) writes.
    pub fn saved_config(&self) -> Vec<u8> {
        Vec::new()
    }

    /// `CLUSTER COUNT-FAILURE-REPORTS`.
    pub fn count_failure_reports(&self, now: UnixMillis, name: &[u8]) -> Result<u64, Error> {
        let _ = (now, name);
        Ok(0)
    }

    /// `DEBUG CLUSTERLINK KILL`.
    pub fn kill_links(
        &mut self,
        now: UnixMillis,
        direction: Direction,
        name: &[u8],
        out: &mut Outbox,
    ) -> Result<(), Error> {
        let _ = (now, direction, name, out);
        Ok(())
    }

    // --- the data plane tells

    /// The slots in which keys were found after loading, or after becoming a primary ([`Action::Lead`]). Those that
    /// nobody owns become ours; those of other nodes are set aside.
    pub fn adopt(&mut self, now: UnixMillis, held: &SlotSet, out: &mut Outbox) {
        let _ = (now, held, out);
    }

    /// Open slots that a primary's snapshot told of (`cluster-slot-states`): slot, migrating (or importing), node.
    pub fn open_slots(&mut self, now: UnixMillis, slots: &[(Slot, bool, NodeId)], out: &mut Outbox) {
        let _ = (now, slots, out);
    }

    /// Sends a message to the subscribers of other nodes: of all, or (sharded) of this shard.
    pub fn publish(&mut self, now: UnixMillis, channel: &[u8], message: &[u8], sharded: bool, out: &mut Outbox) {
        let _ = (now, channel, message, sharded, out);
    }

    /// The command that a primary puts into its journal when it is shut down, so that this replica takes over.
    pub fn shutdown_failover(&self, replica: NodeId) -> [Bytes; 5] {
        let name = Bytes::copy_from_slice(replica.as_bytes());
        let word = |text: &'static str| Bytes::from_static(text.as_bytes());
        [word("CLUSTER"), word("FAILOVER"), word("FORCE"), word("REPLICAID"), name]
    }

    // --- what it tells

    pub fn my_id(&self) -> NodeId {
        self.view.me().id
    }

    /// `CLUSTER NODES`.
    pub fn nodes_text(&self, asker: Asker) -> Vec<u8> {
        let _ = asker;
        Vec::new()
    }

    /// `CLUSTER REPLICAS`: a line of `CLUSTER NODES` per replica.
    pub fn replicas_text(&self, name: &[u8], asker: Asker) -> Result<Vec<Vec<u8>>, Error> {
        let _ = (name, asker);
        Ok(Vec::new())
    }

    /// `CLUSTER INFO`, lines ended by CRLF.
    pub fn info_text(&self) -> Vec<u8> {
        Vec::new()
    }

    /// `CLUSTER SHARDS`.
    pub fn shards(&self, asker: Asker) -> Vec<Shard> {
        let _ = asker;
        Vec::new()
    }

    /// `CLUSTER LINKS`.
    pub fn links(&self) -> Vec<Link> {
        Vec::new()
    }

    /// How much memory the links' buffers take (`mem_cluster_links` of INFO).
    pub fn link_memory(&self) -> u64 {
        0
    }

    /// Sets the counters of `CLUSTER INFO` to zero (`CONFIG RESETSTAT`).
    pub fn reset_stats(&mut self) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_node_has_a_name_and_no_slot() {
        let node = Cluster::new(Config::default(), Saved::default(), 1, UnixMillis(0), &mut Outbox::new()).unwrap();
        assert_eq!(NodeId::parse(node.my_id().as_bytes()), Some(node.my_id()));
        assert!(Slot::all().all(|slot| node.view().owner(slot).is_none()));
    }
}
