//! Foreign servers: what happens when an address of one group is given to a server of another.
//!
//! ```text
//!   known-replica "a" 10.0.0.3          10.0.0.3 is now a replica of group "b":
//!                                         its history is none that a primary of "a" ever had,
//!                                         and "b" claims it
//!                                       ──► foreign to "a": not added, not obeyed, not promoted, not told anything
//! ```
//!
//! The original sees a replica of "a" that follows the wrong primary, and puts it right: it takes the server out of "b",
//! and its data are replaced by those of "a".
//!
//! A server is foreign to a group when both are true:
//!
//! 1. *History*: the replication IDs that it shows are none of the group's chain, which are those that the group's
//!    primaries have shown.
//! 2. *Claim*: another monitored name has it, with that history in its own chain; or the hellos heard on it, within the
//!    last minute, speak for another name, or, from strangers, of a primary that is unknown here.
//!
//! Each alone is innocent: a replica that restarted has a history of its own until it has synced again, and one server
//! may be monitored under two names. The configured primary is never foreign, whatever it shows.

use crate::address::Addr;
use crate::event::{Level, Outbox};
use crate::instance::{Group, GroupId, InstanceId, Ms};
use crate::machine::Sentinel;
use crate::text::text;

/// How long a claim by a hello holds.
const CLAIM: Ms = 60_000;

impl Sentinel {
    /// Whether a replica is foreign now; logged when that changes.
    pub(crate) fn check_foreign(&mut self, id: InstanceId, out: &mut Outbox) -> bool {
        let foreign = self.is_foreign(id);
        let instance = self.instance_mut(id);
        if instance.foreign != foreign {
            instance.foreign = foreign;
            let (name, what) = match foreign {
                true => ("+foreign", " #its replication history is another group's"),
                false => ("-foreign", ""),
            };
            self.notify(Level::Warning, name, id, what, out);
        }
        foreign
    }

    fn is_foreign(&self, id: InstanceId) -> bool {
        let instance = self.instance(id);
        let group = self.group(instance.group);
        if !instance.is_replica() || !group.is_outside(&instance.history) {
            return false;
        }
        instance.claimed_at.is_some_and(|at| self.now - at < CLAIM)
            || self.claimed_by_another(group.id, &instance.addr, &instance.history).is_some()
    }

    /// Whether an address that this group is offered belongs to another group; logged if so.
    pub(crate) fn is_taken_by_another(&mut self, group: GroupId, addr: &Addr, out: &mut Outbox) -> bool {
        let servers = self.instances.values().filter(|i| i.group != group && !i.is_sentinel() && i.addr.same(addr));
        let histories: Vec<_> = servers.map(|server| server.history.clone()).collect();
        let owner = histories
            .iter()
            .filter(|history| self.group(group).is_outside(history))
            .find_map(|history| self.claimed_by_another(group, addr, history));
        let Some(owner) = owner.map(|owner| owner.name.clone()) else { return false };
        let what = text!(
            "Not obeyed by ",
            self.group(group).name,
            ": ",
            self.names.joined(addr),
            " belongs to ",
            owner,
            ", by its replication history"
        );
        self.log(Level::Warning, what, out);
        true
    }

    /// Another group that has the address, and has had the history.
    fn claimed_by_another(&self, group: GroupId, addr: &Addr, history: &[Vec<u8>]) -> Option<&Group> {
        self.groups.values().find(|other| {
            other.id != group && other.place_in_chain(history).is_some() && self.knows_server(other.id, addr)
        })
    }
}
