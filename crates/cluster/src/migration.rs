//! Replicas that move to where they are needed.
//!
//! A primary is *orphaned* when it has slots and no working replica, though it had one (or took over from one that had,
//! or got its first slots in a cluster with replicas). When that lasts, one replica of a primary with the most working
//! replicas moves to it: the one with the smallest name, so that they need not talk about it. It does not move when its
//! primary would keep fewer than `cluster-migration-barrier` replicas.

use crate::cluster::Cluster;
use crate::codec::Flags;
use crate::node::Key;
use crate::turn::Turn;

/// How long a primary must have been orphaned. A failover looks like it for a moment.
const PATIENCE_MS: i64 = 5000;

impl Cluster {
    /// Whether a primary with slots is in need of replicas.
    fn is_orphaned(&self, key: Key) -> bool {
        let node = &self.nodes[key];
        !node.is_replica() && !node.has_failed() && node.is(Flags::MIGRATE_TO) && self.nodes.working_replicas(key) == 0
    }

    /// Moves this replica to an orphaned primary, if it is the one that should.
    pub(crate) fn migrate_if_needed(&mut self, t: &mut Turn<'_>) {
        let me = self.nodes.me;
        let Some(mine) = self.nodes.myself().replica_of.filter(|_| self.nodes.myself().is_replica()) else { return };
        if !self.config.allow_replica_migration {
            return;
        }
        let listens = |key: &Key| !self.nodes[*key].is(Flags::MYSELF | Flags::NOADDR | Flags::HANDSHAKE);
        let primaries: Vec<Key> = self.nodes.keys().into_iter().filter(|key| !self.nodes[*key].is_replica()).collect();
        let working = |key: &Key| if self.nodes[*key].is_primary() { self.nodes.working_replicas(*key) } else { 0 };
        let most =
            primaries.iter().filter(|k| listens(k) && !self.nodes[**k].has_failed()).map(working).max().unwrap_or(0);
        let orphans = primaries.iter().any(|k| listens(k) && self.is_orphaned(*k) && self.nodes[*k].slot_count > 0);
        if !orphans || most < 2 || working(&mine) != most {
            return;
        }
        if !self.health.ok {
            return;
        }
        let healthy = |key: &&Key| !self.nodes[**key].is(Flags::FAIL | Flags::PFAIL);
        let left = self.nodes[mine].replicas.iter().filter(healthy).count() as u64;
        if left <= self.config.migration_barrier {
            return;
        }
        let full = primaries.iter().filter(|key| working(key) == most);
        let candidate =
            full.flat_map(|key| self.nodes[*key].replicas.iter().copied()).min_by_key(|key| self.nodes[*key].id);
        let mut target = None;
        for key in primaries {
            let orphaned = self.is_orphaned(key);
            let node = &mut self.nodes[key];
            if !orphaned {
                node.orphaned_since = 0;
            } else {
                if node.orphaned_since == 0 {
                    node.orphaned_since = t.now;
                }
                if target.is_none() && node.slot_count > 0 {
                    target = Some(key);
                }
            }
        }
        if let Some(target) = target
            && candidate == Some(me)
            && t.now - self.nodes[target].orphaned_since > PATIENCE_MS
        {
            t.notice(|| resp::log_text::cluster::migrating_to_orphan(&self.called(target)));
            self.become_replica(t, target, true, true);
            self.todo.save_surely();
            self.todo.broadcast = true;
        }
    }
}
