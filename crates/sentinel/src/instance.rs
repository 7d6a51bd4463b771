//! What is known of one server or Sentinel, and of one group of them.
//!
//! ```text
//!   Group "mymaster" ─┬─ primary   ── Instance ── link
//!                     ├─ replicas  ── Instance … by host:port
//!                     └─ sentinels ── Instance … by run ID; those of several groups share one link
//! ```
//!
//! All instances stand in one table and know each other by [`InstanceId`], which is never reused: a reply that comes
//! back for an instance that is gone finds nobody.

use crate::address::Addr;
use crate::failover::Failover;
use crate::link::LinkId;
use std::collections::BTreeMap;

/// Milliseconds of the monotonic clock, or a span of them.
pub(crate) type Ms = i64;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InstanceId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupId(pub u64);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Primary,
    Replica,
    Sentinel,
}

impl Kind {
    /// As events and flags name it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Primary => "master",
            Kind::Replica => "slave",
            Kind::Sentinel => "sentinel",
        }
    }
}

/// Which role a server's INFO tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Primary,
    Replica,
    /// An INFO without a role.
    Unknown,
}

/// Whether a server knows the FAILOVER command, and is running one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HandOver {
    Unsupported,
    Idle,
    Running,
}

/// How far a replica is on its way to the new primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reconf {
    No,
    Sent,
    InProgress,
    Done,
}

#[derive(Debug)]
pub(crate) struct Instance {
    pub id: InstanceId,
    pub group: GroupId,
    pub kind: Kind,
    /// The group's name, `host:port` of a replica, the run ID of a Sentinel.
    pub name: Vec<u8>,
    pub runid: Option<Vec<u8>>,
    pub addr: Addr,
    pub link: LinkId,

    pub s_down: bool,
    pub s_down_since: Option<Ms>,
    pub o_down: bool,
    pub o_down_since: Option<Ms>,
    pub last_pub: Ms,

    // --- servers
    pub info: Option<Vec<u8>>,
    pub info_refresh: Option<Ms>,
    /// When an INFO, or a Sentinel's opinion, was last asked for and has not come yet.
    pub info_asked: Option<Ms>,
    pub role_reported: Role,
    pub role_reported_since: Ms,
    pub hand_over: HandOver,
    pub hand_over_since: Ms,
    /// Its replication history and the one before it, newest first.
    pub history: Vec<Vec<u8>>,
    pub script_kill_sent: bool,
    /// Since when it is known to have restarted without having answered `PONG`.
    pub rebooted_since: Option<Ms>,
    /// When a hello heard on it last spoke for another group.
    pub claimed_at: Option<Ms>,
    /// Logged as foreign, so that it is logged once.
    pub foreign: bool,

    // --- replicas
    pub promoted: bool,
    pub reconf: Reconf,
    pub reconf_sent_at: Ms,
    pub conf_changed_at: Ms,
    pub primary_host: Option<Vec<u8>>,
    pub primary_port: i64,
    pub primary_link_up: bool,
    pub primary_link_down_ms: Ms,
    pub priority: i64,
    pub announced: bool,
    pub offset: u64,
    /// Where its own stream ends, which counts when it says that it is a primary.
    pub end: u64,

    // --- Sentinels
    pub last_hello: Ms,
    /// It answered that it sees the primary down.
    pub says_down: bool,
    pub last_answer: Ms,
    pub vote: Option<Vec<u8>>,
    pub vote_epoch: u64,
}

impl Instance {
    pub fn new(id: InstanceId, group: GroupId, kind: Kind, name: Vec<u8>, addr: Addr, link: LinkId, now: Ms) -> Self {
        Instance {
            id,
            group,
            kind,
            name,
            runid: None,
            addr,
            link,
            s_down: false,
            s_down_since: None,
            o_down: false,
            o_down_since: None,
            last_pub: now,
            info: None,
            info_refresh: None,
            info_asked: None,
            role_reported: if kind == Kind::Replica { Role::Replica } else { Role::Primary },
            role_reported_since: now,
            hand_over: HandOver::Unsupported,
            hand_over_since: now,
            history: Vec::new(),
            script_kill_sent: false,
            rebooted_since: None,
            claimed_at: None,
            foreign: false,
            promoted: false,
            reconf: Reconf::No,
            reconf_sent_at: 0,
            conf_changed_at: now,
            primary_host: None,
            primary_port: 0,
            primary_link_up: false,
            primary_link_down_ms: 0,
            priority: 100,
            announced: true,
            offset: 0,
            end: 0,
            last_hello: now,
            says_down: false,
            last_answer: now,
            vote: None,
            vote_epoch: 0,
        }
    }

    pub fn is_primary(&self) -> bool {
        self.kind == Kind::Primary
    }

    pub fn is_replica(&self) -> bool {
        self.kind == Kind::Replica
    }

    pub fn is_sentinel(&self) -> bool {
        self.kind == Kind::Sentinel
    }

    /// Neither SDOWN nor ODOWN began within the last `span`.
    pub fn no_down_for(&self, span: Ms, now: Ms) -> bool {
        self.s_down_since.max(self.o_down_since).is_none_or(|since| now - since > span)
    }
}

/// A name and a password, and the password before it: while passwords rotate, both may be valid.
#[derive(Clone, Debug, Default)]
pub(crate) struct Credentials {
    pub user: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    pub former: Option<Vec<u8>>,
}

impl Credentials {
    /// A new password; an empty one forgets both.
    pub fn set_password(&mut self, password: &[u8]) {
        if password.is_empty() {
            self.password = None;
            self.former = None;
        } else if self.password.as_deref() != Some(password) {
            self.former = self.password.replace(password.to_vec());
        }
    }

    pub fn set_user(&mut self, user: &[u8]) {
        self.user = (!user.is_empty()).then(|| user.to_vec());
    }

    /// How many passwords there are to try.
    pub fn len(&self) -> usize {
        usize::from(self.password.is_some()) + usize::from(self.former.is_some())
    }
}

/// A primary's name and everything that belongs to it.
#[derive(Debug)]
pub(crate) struct Group {
    pub id: GroupId,
    pub name: Vec<u8>,
    pub primary: InstanceId,
    pub replicas: BTreeMap<Vec<u8>, InstanceId>,
    pub sentinels: BTreeMap<Vec<u8>, InstanceId>,

    pub quorum: u32,
    pub down_after: Ms,
    pub failover_timeout: Ms,
    pub parallel_syncs: i64,
    /// 0: a restart is no reason.
    pub reboot_down_after: Ms,
    pub auth: Credentials,
    /// By the command's name in upper case.
    pub renamed: BTreeMap<Vec<u8>, Vec<u8>>,
    pub notification_script: Option<Vec<u8>>,
    pub reconfig_script: Option<Vec<u8>>,

    pub config_epoch: u64,
    /// For whom we voted last, and in which epoch. The name is forgotten by a restart, the epoch is not.
    pub leader: Option<Vec<u8>>,
    pub leader_epoch: u64,
    /// The [`crate::Action::Save`] that made our vote durable.
    pub vote_generation: u64,
    pub failover: Failover,
    /// A majority has seen the primary's process dead, and we still do.
    pub dead_agreed: bool,
    /// Replication histories that the primaries of this group have had, newest last.
    pub chain: Vec<Vec<u8>>,
    /// The newest history in which a primary was seen to have written something.
    pub written: Option<Vec<u8>>,
}

/// The offset of a replica that has no stream, as all servers tell it.
const NOTHING: u64 = 1;

/// How many histories a group remembers.
const LONGEST_CHAIN: usize = 16;

impl Group {
    /// Remembers what the primary's INFO tells of its history, oldest first.
    pub fn extend_chain(&mut self, history: &[Vec<u8>]) {
        for id in history.iter().rev() {
            if self.chain.last() != Some(id) {
                self.chain.retain(|known| known != id);
                self.chain.push(id.clone());
            }
        }
        let excess = self.chain.len().saturating_sub(LONGEST_CHAIN);
        self.chain.drain(..excess);
    }

    /// Remembers that a primary of this history has written, if its stream shows it.
    pub fn note_written(&mut self, history: &[Vec<u8>], end: Option<u64>) {
        if end.is_some_and(|end| end > NOTHING) {
            self.written = history.first().cloned();
        }
    }

    /// Whether a history is known, and none that a primary of the group has had.
    pub fn is_outside(&self, history: &[Vec<u8>]) -> bool {
        !self.chain.is_empty() && !history.is_empty() && self.place_in_chain(history).is_none()
    }

    /// Whether a server has nothing of a history in which something was written: a sync has emptied it and has not ended.
    pub fn has_emptied(&self, newest: Option<&Vec<u8>>, end: u64) -> bool {
        newest.is_some() && newest == self.written.as_ref() && end <= NOTHING
    }

    /// How new the newest of these histories is in this group; `None` when none of them is known.
    pub fn place_in_chain(&self, history: &[Vec<u8>]) -> Option<usize> {
        history.iter().filter_map(|id| self.chain.iter().position(|known| known == id)).max()
    }

    pub fn renamed(&self, command: &str) -> Vec<u8> {
        self.renamed.get(command.as_bytes()).cloned().unwrap_or_else(|| command.as_bytes().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_former_password_is_kept_for_rotation() {
        let mut auth = Credentials::default();
        auth.set_password(b"old");
        auth.set_password(b"new");
        auth.set_password(b"new");
        assert_eq!((auth.password.as_deref(), auth.former.as_deref()), (Some(&b"new"[..]), Some(&b"old"[..])));
        auth.set_password(b"");
        assert_eq!(auth.len(), 0);
    }
}
