//! Failover because somebody asked for it.
//!
//! ```text
//!   replica                              primary
//!   CLUSTER FAILOVER
//!      MFSTART ─────────────────────────► stops writes ··· the pause holds, at offset x
//!      ◄───────────────────────── pings that say "paused, at x"
//!   x is applied
//!   election, in which the primary may be up
//!   primary ─────────────────────────────► becomes its replica, writes go on (there)
//! ```
//!
//! The primary says "paused" only when the data plane has confirmed that nothing is written any more: an offset told too
//! early would be reached while writes still come, and they would be lost. Redis pauses in the same thread and need not
//! wait.
//!
//! MFSTART is asked again until the primary says that it has paused: one that has just come back may not know yet that the
//! replica is its own, and does not answer. Redis asks once, and such an attempt times out.
//!
//! FORCE leaves out the primary, TAKEOVER also the election. An attempt ends after `cluster-manual-failover-timeout`; the
//! primary's pause lasts twice as long, so that it outlives the attempt.

use crate::action::{Action, FailoverMode};
use crate::cluster::Cluster;
use crate::codec::{Kind, packet};
use crate::id::LinkId;
use crate::node::Key;
use crate::turn::Turn;
use keyspace::UnixMillis;
use resp::error::{Error, cluster as error};
use resp::log_text::cluster as text;

/// How long a replica waits for an answer before it asks again, in ms.
const ASK_AGAIN_MS: i64 = 300;
/// The pause lasts so many times the attempt.
const PAUSE_TIMES: i64 = 2;

/// A manual failover, on either side.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Manual {
    /// Until when; 0: none.
    end: i64,
    /// On the primary: who asked.
    replica: Option<Key>,
    /// On the primary: the pause holds.
    paused: bool,
    /// On the replica: the offset at which the primary has paused.
    offset: Option<u64>,
    /// On the replica: when the primary was last asked to pause, if it is to.
    asked: Option<i64>,
    /// On the replica: nothing stands before the election.
    can_start: bool,
}

impl Manual {
    pub fn is_running(&self) -> bool {
        self.end != 0
    }

    pub fn is_paused(&self) -> bool {
        self.end != 0 && self.paused
    }

    pub fn can_start(&self) -> bool {
        self.end != 0 && self.can_start
    }

    /// Whom a pausing primary pings without pause.
    pub fn replica(&self) -> Option<Key> {
        self.replica.filter(|_| self.end != 0)
    }
}

impl Cluster {
    /// `CLUSTER FAILOVER`.
    pub(crate) fn begin_failover(
        &mut self,
        t: &mut Turn<'_>,
        mode: FailoverMode,
        replica: Option<&[u8]>,
    ) -> Result<(), Error> {
        let me = self.nodes.myself();
        if replica.is_some_and(|name| name != me.id.as_bytes().as_slice()) {
            return Ok(());
        }
        if me.is_primary() {
            return Err(error::FAILOVER_ON_PRIMARY);
        }
        let primary = me.replica_of.ok_or(error::FAILOVER_UNKNOWN_PRIMARY)?;
        if mode == FailoverMode::Plain && (self.nodes[primary].has_failed() || !self.is_linked(primary)) {
            return Err(error::FAILOVER_PRIMARY_DOWN);
        }
        self.reset_manual(t);
        self.manual.end = t.now + self.manual_timeout();
        match mode {
            FailoverMode::Takeover => {
                self.bump(t);
                self.replace_primary(t);
            }
            FailoverMode::Force => self.start_manual(t),
            FailoverMode::Plain => self.ask_to_pause(t, primary),
        }
        Ok(())
    }

    fn ask_to_pause(&mut self, t: &mut Turn<'_>, primary: Key) {
        self.manual.asked = Some(t.now);
        let bytes = packet::bare(Kind::MfStart, &self.header());
        self.send_to(t, primary, Kind::MfStart, bytes);
    }

    fn manual_timeout(&self) -> i64 {
        i64::try_from(self.config.manual_failover_timeout_ms).unwrap_or(i64::MAX / 1024)
    }

    /// Nothing stands before the election any more.
    fn start_manual(&mut self, t: &mut Turn<'_>) {
        // An earlier attempt may wait for its retry: the user does not.
        if self.election.start != 0 && self.election.asked {
            t.warning(|| text::election_reset(self.election.epoch.0));
        }
        self.election.reset();
        self.manual.can_start = true;
        self.todo.failover = true;
    }

    /// One of this primary's replicas asks for the pause.
    pub(crate) fn hear_mfstart(&mut self, t: &mut Turn<'_>, sender: Key, _link: LinkId) {
        if self.nodes[sender].replica_of != Some(self.nodes.me) {
            return;
        }
        let timeout = self.manual_timeout();
        if self.manual.replica() != Some(sender) {
            self.reset_manual(t);
            self.manual.replica = Some(sender);
            t.notice(|| format!("Manual failover requested by replica {}.", self.called(sender)));
        }
        // Asked again: the pause goes on without a gap.
        self.manual.end = t.now + timeout;
        t.out.push(Action::PauseWrites { until: UnixMillis(t.now + timeout * PAUSE_TIMES) });
    }

    /// The data plane has stopped writing.
    pub(crate) fn writes_paused(&mut self, t: &mut Turn<'_>, offset: u64) {
        self.replication.offset = offset;
        let Some(replica) = self.manual.replica() else { return };
        self.manual.paused = true;
        if let Some(link) = self.nodes[replica].link {
            self.send_ping(t, link, Kind::Ping);
        }
    }

    /// The primary has paused at this offset.
    pub(crate) fn hear_pause(&mut self, t: &mut Turn<'_>, offset: u64) {
        if !self.manual.is_running() || self.manual.offset.is_some() {
            return;
        }
        self.manual.offset = Some(offset);
        self.todo.manual = true;
        t.notice(|| format!("Received replication offset for paused primary manual failover: {offset}"));
    }

    /// Sees whether the primary's last offset is reached.
    pub(crate) fn try_manual(&mut self, t: &mut Turn<'_>) {
        let unanswered = self.manual.asked.filter(|_| self.manual.is_running() && self.manual.offset.is_none());
        if let Some(primary) = self.nodes.myself().replica_of
            && unanswered.is_some_and(|asked| t.now - asked >= ASK_AGAIN_MS)
        {
            self.ask_to_pause(t, primary);
        }
        if self.manual.is_running() && !self.manual.can_start && self.manual.offset == Some(self.replication.offset) {
            t.notice(|| "All primary replication stream processed, manual failover can start.".to_owned());
            self.start_manual(t);
        }
    }

    pub(crate) fn check_manual_timeout(&mut self, t: &mut Turn<'_>) {
        if self.manual.is_running() && self.manual.end < t.now {
            t.warning(|| text::MANUAL_TIMED_OUT.to_owned());
            self.reset_manual(t);
        }
    }

    /// Ends a manual failover, whatever became of it.
    pub(crate) fn reset_manual(&mut self, t: &mut Turn<'_>) {
        if self.manual.replica.is_some() {
            t.out.push(Action::Unpause);
        }
        self.manual = Manual::default();
    }

    /// A node goes away that may be part of one.
    pub(crate) fn manual_forgets(&mut self, t: &mut Turn<'_>, key: Key) {
        if self.manual.replica == Some(key) {
            self.reset_manual(t);
        }
    }
}
