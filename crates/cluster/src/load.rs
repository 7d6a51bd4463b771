//! Becoming again who one was: what `nodes.conf` tells, put into the tables.

use crate::cluster::{Cluster, Saved};
use crate::codec::Flags;
use crate::id::{Epoch, NodeId};
use crate::node::Node;
use crate::nodes_conf::{self, NodesConf, SavedNode};
use crate::turn::Turn;
use resp::log_text::cluster as text;

impl Cluster {
    /// Takes in the newest file, or the one before it when the newest is damaged; without either this node is new.
    ///
    /// # Errors
    /// A text for the log: there are files, and none is good.
    pub(crate) fn load(&mut self, t: &mut Turn<'_>, saved: Saved<'_>) -> Result<(), String> {
        let files = [saved.newest, saved.previous].map(|file| file.filter(|file| !file.is_empty()));
        let mut damage = None;
        for (file, which) in files.into_iter().zip(["newest", "previous"]) {
            let Some(file) = file else { continue };
            match nodes_conf::read(file, self.config.tls_cluster) {
                Ok(conf) => {
                    if damage.is_some() {
                        t.warning(|| "The previous copy of the cluster configuration is used".to_owned());
                        self.todo.save_surely();
                    }
                    self.take_over(t, &conf);
                    t.notice(|| text::loaded(self.nodes.myself().id.as_str()));
                    return Ok(());
                }
                Err(error) => {
                    t.warning(|| format!("The {which} copy of the cluster configuration is damaged: {error}"));
                    damage = Some(error);
                }
            }
        }
        match damage {
            Some(error) => Err(format!("Unrecoverable error: corrupted cluster config file: {error}")),
            None => {
                t.notice(|| text::no_configuration(self.nodes.myself().id.as_str()));
                self.todo.save_surely();
                Ok(())
            }
        }
    }

    fn take_over(&mut self, t: &mut Turn<'_>, conf: &NodesConf) {
        for saved in &conf.nodes {
            let node = self.restore(saved, t.now);
            if saved.flags.any(Flags::MYSELF) {
                let me = self.nodes.me;
                self.nodes.rename(me, saved.id);
                self.nodes[me] = node;
            } else {
                self.nodes.add(node);
            }
        }
        for saved in &conf.nodes {
            let Some(key) = self.nodes.find(&saved.id) else { continue };
            if let Some(primary) =
                saved.primary.and_then(|id| self.node_by_name(t, id)).filter(|primary| *primary != key)
            {
                self.nodes.set_primary(key, Some(primary));
                // A file may have been written between two packets that told of the shard.
                self.nodes[key].shard = self.nodes[primary].shard;
                self.nodes[key].config_epoch = Epoch(0);
            }
            for slot in saved.slots.iter() {
                self.slots.give(&mut self.nodes, slot, key);
            }
        }
        for (table, migrating) in [(&conf.migrating, true), (&conf.importing, false)] {
            for (slot, id) in table {
                let Some(key) = self.node_by_name(t, *id) else { continue };
                let open = if migrating { &mut self.slots.migrating } else { &mut self.slots.importing };
                open.insert(*slot, key);
            }
        }
        self.slots.moved = Default::default();
        self.epochs.last_vote = conf.last_vote_epoch;
        self.epochs.current = conf.current_epoch;
        self.epochs.current = self.largest_epoch();
    }

    fn restore(&mut self, saved: &SavedNode, now: i64) -> Node {
        let shard = saved.shard.unwrap_or_else(|| NodeId::random(&mut self.random));
        let mut node = Node::new(saved.id, shard, saved.flags, now);
        if node.is(Flags::MYSELF) {
            // Others may have seen this node fail, or not know where it is; it knows itself.
            node.flags.clear(Flags::HANDSHAKE | Flags::NOADDR | Flags::FAIL | Flags::PFAIL);
            node.flags.put(Flags::PRIMARY, !node.is_replica());
        }
        if node.is_replica() {
            node.flags.clear(Flags::PRIMARY);
        }
        node.address = saved.address.clone();
        node.announced = saved.announced.clone();
        node.config_epoch = saved.config_epoch;
        node.failed_at = if node.has_failed() { now } else { 0 };
        node.ping_sent = if saved.pinged { now } else { 0 };
        node.pong_received = if saved.ponged { now } else { 0 };
        node
    }
}
