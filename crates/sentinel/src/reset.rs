//! Instances come and go: monitoring begins and ends, a group is reset, a group's primary moves to another address.

use crate::address::{Addr, AddrError};
use crate::event::{Level, Outbox};
use crate::failover::Failover;
use crate::instance::{Credentials, Group, GroupId, Instance, InstanceId, Kind, Ms, Role};
use crate::machine::Sentinel;
use std::collections::BTreeMap;

/// How many replicas a group may have.
const MOST_REPLICAS: usize = 1024;

/// Why an instance cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CreateError {
    Duplicate,
    Addr(AddrError),
}

impl Sentinel {
    /// Begins to monitor.
    pub(crate) fn add_group(
        &mut self,
        name: &[u8],
        host: &[u8],
        port: i64,
        quorum: u32,
    ) -> Result<GroupId, CreateError> {
        let addr = self.names.addr(host, port).map_err(CreateError::Addr)?;
        if self.by_name.contains_key(name) {
            return Err(CreateError::Duplicate);
        }
        let id = GroupId(self.fresh_id());
        let primary = self.add_instance(id, Kind::Primary, name.to_vec(), addr);
        let group = Group {
            id,
            name: name.to_vec(),
            primary,
            replicas: BTreeMap::new(),
            sentinels: BTreeMap::new(),
            quorum,
            down_after: self.periods.default_down_after,
            failover_timeout: self.periods.default_failover_timeout,
            parallel_syncs: 1,
            reboot_down_after: 0,
            auth: Credentials::default(),
            renamed: BTreeMap::new(),
            notification_script: None,
            reconfig_script: None,
            config_epoch: 0,
            leader: None,
            leader_epoch: 0,
            vote_generation: 0,
            failover: Failover::default(),
            dead_agreed: false,
            chain: Vec::new(),
            written: None,
        };
        self.groups.insert(id, group);
        self.by_name.insert(name.to_vec(), id);
        Ok(id)
    }

    /// Ends to monitor.
    pub(crate) fn remove_group(&mut self, id: GroupId, out: &mut Outbox) {
        self.remove_others(id, true, out);
        let primary = self.group(id).primary;
        self.release_link(primary, out);
        self.instances.remove(&primary);
        if let Some(group) = self.groups.remove(&id) {
            self.by_name.remove(&group.name);
        }
    }

    /// A replica of the group; `None` when it is there already, or there are too many.
    pub(crate) fn add_replica(&mut self, group: GroupId, addr: Addr) -> Option<InstanceId> {
        let name = self.names.joined(&addr);
        let replicas = &self.group(group).replicas;
        if replicas.contains_key(&name) || replicas.len() >= MOST_REPLICAS {
            return None;
        }
        let id = self.add_instance(group, Kind::Replica, name.clone(), addr);
        self.group_mut(group).replicas.insert(name, id);
        Some(id)
    }

    /// Another Sentinel of the group; `None` when it is there already.
    pub(crate) fn add_sentinel(
        &mut self,
        group: GroupId,
        runid: &[u8],
        addr: Addr,
        out: &mut Outbox,
    ) -> Option<InstanceId> {
        if self.group(group).sentinels.contains_key(runid) {
            return None;
        }
        let id = self.add_instance(group, Kind::Sentinel, runid.to_vec(), addr);
        self.instance_mut(id).runid = Some(runid.to_vec());
        self.group_mut(group).sentinels.insert(runid.to_vec(), id);
        if let Some(same) = self.same_sentinel_elsewhere(id) {
            self.share_link(id, same, out);
        }
        Some(id)
    }

    fn add_instance(&mut self, group: GroupId, kind: Kind, name: Vec<u8>, addr: Addr) -> InstanceId {
        let id = InstanceId(self.fresh_id());
        let link = self.new_link(kind);
        self.instances.insert(id, Instance::new(id, group, kind, name, addr, link, self.now));
        id
    }

    /// A replica or Sentinel goes.
    pub(crate) fn remove_instance(&mut self, id: InstanceId, out: &mut Outbox) {
        self.release_link(id, out);
        let Some(instance) = self.instances.remove(&id) else { return };
        let group = self.group_mut(instance.group);
        match instance.kind {
            Kind::Replica => group.replicas.remove(&instance.name),
            Kind::Sentinel => group.sentinels.remove(&instance.name),
            Kind::Primary => None,
        };
    }

    fn remove_others(&mut self, id: GroupId, sentinels: bool, out: &mut Outbox) {
        let group = self.group_mut(id);
        let mut gone: Vec<InstanceId> = group.replicas.values().copied().collect();
        if sentinels {
            gone.extend(group.sentinels.values());
        }
        for id in gone {
            self.remove_instance(id, out);
        }
    }

    /// Forgets replicas, Sentinels if told to, and everything that has been seen of the primary.
    pub(crate) fn reset_group(&mut self, id: GroupId, sentinels: bool, out: &mut Outbox) {
        self.group_mut(id).failover.clear();
        self.group_mut(id).leader = None;
        self.group_mut(id).dead_agreed = false;
        self.remove_others(id, sentinels, out);
        // What the others have said is about the primary of before.
        for other in self.group(id).sentinels.values().copied().collect::<Vec<_>>() {
            self.instance_mut(other).says_down = false;
        }
        let primary = self.group(id).primary;
        self.release_link(primary, out);
        let link = self.new_link(Kind::Primary);
        let now = self.now;
        let old = self.instance(primary);
        let (name, addr, priority) = (old.name.clone(), old.addr.clone(), old.priority);
        let mut fresh = Instance::new(primary, id, Kind::Primary, name, addr, link, now);
        fresh.role_reported = Role::Primary;
        fresh.priority = priority;
        self.instances.insert(primary, fresh);
    }

    /// The group's primary is at `addr` from now on. The former one stays as a replica, so that it is put right when it
    /// comes back.
    pub(crate) fn switch_address(&mut self, id: GroupId, addr: Addr, out: &mut Outbox) {
        let former = self.primary_of(id).addr.clone();
        let replicas = self.group(id).replicas.values().map(|id| &self.instance(*id).addr);
        let mut replicas: Vec<Addr> = replicas.filter(|replica| !replica.same(&addr)).cloned().collect();
        if !former.same(&addr) {
            replicas.push(former);
        }
        self.reset_group(id, false, out);
        let primary = self.group(id).primary;
        self.instance_mut(primary).addr = addr;
        for replica in replicas {
            if let Some(replica) = self.add_replica(id, replica) {
                self.notify(Level::Notice, "+slave", replica, "", out);
            }
        }
        self.saving.dirty = true;
    }

    /// `RESET`: how many groups matched.
    pub(crate) fn reset_matching(&mut self, pattern: &[u8], out: &mut Outbox) -> i64 {
        let mut count = 0;
        for id in self.group_ids() {
            if structures::glob::matches(pattern, &self.group(id).name) {
                self.reset_group(id, true, out);
                let primary = self.group(id).primary;
                self.notify(Level::Warning, "+reset-master", primary, "", out);
                count += 1;
            }
        }
        count
    }

    /// A new `down-after` shortens a wait that is under way, which is measured against it; nothing has to be told.
    pub(crate) fn set_down_after(&mut self, id: GroupId, span: Ms) {
        self.group_mut(id).down_after = span;
    }
}
