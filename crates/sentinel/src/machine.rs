//! The machine: its state, the events, and the round of a tick.
//!
//! ```text
//!   tick, every 50 to 100 ms, or at once when a reply moves a failover on
//!     ├─ did too much time pass?  ──► TILT: watch, do not act
//!     ├─ for each group: primary, replicas, Sentinels
//!     │     connect · ping, INFO, hello  │  SDOWN · ODOWN · failover · ask others     (the right half not in TILT)
//!     ├─ scripts
//!     └─ what became worth keeping: one Save
//! ```
//!
//! The length of a tick is drawn anew each time, so that Sentinels that started together do not ask for votes together
//! for ever.
//!
//! TILT: when a tick comes more than `tilt-trigger` late, or the wall clock has run ahead of the monotonic one by that
//! much (which is how a suspended machine finds out), everything looks timed out that is not. For `tilt-period` the
//! machine only watches. The original also tilts when the clock is set back; here no timer reads that clock.

use crate::address::Names;
use crate::event::{Action, Event, Level, Now, Outbox, Own, World};
use crate::instance::{Credentials, Group, GroupId, Instance, InstanceId, Ms};
use crate::link::Links;
use crate::scripts::Scripts;
use crate::text::text;
use config::{Line, LineError};
use resp::{Args, Reply, error};
use std::collections::BTreeMap;

/// A Sentinel. See the crate's page for the contract with its driver.
#[derive(Debug)]
pub struct Sentinel {
    pub(crate) own: Own,
    pub(crate) log_level: Level,
    pub(crate) myid: Vec<u8>,
    pub(crate) current_epoch: u64,
    pub(crate) names: Names,
    /// Towards other Sentinels.
    pub(crate) auth: Credentials,
    pub(crate) announce_ip: Option<Vec<u8>>,
    pub(crate) announce_port: u16,
    pub(crate) deny_scripts_reconfig: bool,
    /// How long a process must be seen dead; 0 is never.
    pub(crate) dead_grace: Ms,
    pub(crate) periods: Periods,
    pub(crate) simulate: Simulate,

    pub(crate) groups: BTreeMap<GroupId, Group>,
    pub(crate) by_name: BTreeMap<Vec<u8>, GroupId>,
    pub(crate) instances: BTreeMap<InstanceId, Instance>,
    pub(crate) links: Links,
    pub(crate) scripts: Scripts,
    pub(crate) tilt: Tilt,
    pub(crate) saving: Saving,
    /// When a hostile hello was last logged.
    pub(crate) hostile_logged_at: Option<Ms>,

    pub(crate) next_id: u64,
    random: u64,
    next_tick: Ms,
    /// The time of the event under way.
    pub(crate) now: Ms,
    pub(crate) unix_ms: i64,
    /// Nothing is done before [`Event::Started`].
    started: bool,
}

/// The timings of `SENTINEL DEBUG`, in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Periods {
    pub info: Ms,
    pub ping: Ms,
    pub ask: Ms,
    pub publish: Ms,
    pub default_down_after: Ms,
    pub default_failover_timeout: Ms,
    pub tilt_trigger: Ms,
    pub tilt: Ms,
    pub replica_reconf: Ms,
    pub min_link_reconnect: Ms,
    pub election: Ms,
    pub script_max_runtime: Ms,
    pub script_retry_delay: Ms,
}

impl Default for Periods {
    fn default() -> Self {
        Periods {
            info: 10_000,
            ping: 1_000,
            ask: 1_000,
            publish: 2_000,
            default_down_after: 30_000,
            default_failover_timeout: 180_000,
            tilt_trigger: 2_000,
            tilt: 30_000,
            replica_reconf: 10_000,
            min_link_reconnect: 15_000,
            election: 10_000,
            script_max_runtime: 60_000,
            script_retry_delay: 30_000,
        }
    }
}

/// `SENTINEL SIMULATE-FAILURE`
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Simulate {
    pub crash_after_election: bool,
    pub crash_after_promotion: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Tilt {
    pub since: Option<Ms>,
    pub total: u64,
    previous: Option<(Ms, i64)>,
}

/// What is on disk and what is not.
#[derive(Debug, Default)]
pub(crate) struct Saving {
    /// Something changed that has to be kept.
    pub dirty: bool,
    /// The number of the last save that was asked for.
    pub asked: u64,
    /// The number of the last one that is durable.
    pub durable: u64,
    /// When to try again after a failure.
    retry_at: Option<Ms>,
}

/// How soon a save that failed is tried again.
const SAVE_RETRY: Ms = 1_000;

/// The default of `dead-grace-ms`.
pub(crate) const DEAD_GRACE: Ms = 1_000;

impl Sentinel {
    /// A Sentinel as `lines` say, which are the `sentinel` lines of its file ([`config::Loaded::sentinel`]). Lines may
    /// stand in any order. The error names the first wrong one.
    ///
    /// `seed` must differ from one start to the next and from one Sentinel to another.
    pub fn new(lines: &[Line], own: Own, seed: u64, now: Now, world: &mut dyn World) -> Result<Sentinel, LineError> {
        let log_level = own.log_level.unwrap_or(Level::Notice);
        let mono = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        let mut sentinel = Sentinel {
            own,
            log_level,
            myid: Vec::new(),
            current_epoch: 0,
            names: Names::default(),
            auth: Credentials::default(),
            announce_ip: None,
            announce_port: 0,
            deny_scripts_reconfig: true,
            dead_grace: DEAD_GRACE,
            periods: Periods::default(),
            simulate: Simulate::default(),
            groups: BTreeMap::new(),
            by_name: BTreeMap::new(),
            instances: BTreeMap::new(),
            links: Links::default(),
            scripts: Scripts::default(),
            tilt: Tilt::default(),
            saving: Saving::default(),
            hostile_logged_at: None,
            next_id: 1,
            random: seed,
            next_tick: mono,
            now: mono,
            unix_ms: now.unix_ms,
            started: false,
        };
        crate::settings::read(&mut sentinel, lines, world)?;
        if sentinel.myid.is_empty() {
            sentinel.myid = (0..5).flat_map(|_| format!("{:08x}", sentinel.chance(1 << 32)).into_bytes()).collect();
            sentinel.saving.dirty = true;
        }
        Ok(sentinel)
    }

    /// The machine's answer to `event`.
    pub fn handle(&mut self, now: Now, event: Event, out: &mut Outbox) {
        self.set_time(now);
        if self.started && self.was_away() {
            // Before anything is done about what has queued up meanwhile.
            self.check_tilt(out);
        }
        match event {
            Event::Started => self.start(out),
            Event::Connected { conn, local } => self.connected(conn, local, out),
            Event::Broken { conn, why } => self.broken(conn, why, out),
            Event::Reply { conn, value } => self.replied(conn, value, out),
            Event::Resolved { name, ip } => self.resolved(&name, ip, out),
            Event::ScriptStarted { id, pid } => self.script_started(id, pid, out),
            Event::ScriptEnded { id, end } => self.script_ended(id, end, out),
            Event::Saved { generation, result } => self.saved(generation, result, out),
            Event::Timer => self.tick(out),
        }
        self.save_if_dirty(out);
    }

    /// When the next [`Event::Timer`] is due, in `mono_ms`.
    pub fn deadline(&self) -> u64 {
        u64::try_from(self.next_tick).unwrap_or(0)
    }

    /// The ID by which other Sentinels know this one: 40 hexadecimal digits.
    pub fn myid(&self) -> &[u8] {
        &self.myid
    }

    /// From how grave on lines are logged.
    pub fn log_level(&self) -> Level {
        self.log_level
    }

    /// `SENTINEL …`; `args` begins with `SENTINEL`. Writes exactly one reply.
    pub fn command(&mut self, now: Now, args: Args<'_>, reply: &mut Reply, world: &mut dyn World, out: &mut Outbox) {
        self.set_time(now);
        crate::commands::run(self, args, reply, world, out);
        self.save_if_dirty(out);
    }

    /// `PUBLISH channel payload` from a client, by which other Sentinels say hello.
    pub fn publish(&mut self, now: Now, channel: &[u8], payload: &[u8], reply: &mut Reply, out: &mut Outbox) {
        self.set_time(now);
        if channel != crate::HELLO_CHANNEL {
            return reply.error(&error::sentinel::ONLY_HELLO);
        }
        self.hear_hello(payload, None, out);
        reply.integer(1);
        self.save_if_dirty(out);
    }

    /// `ROLE`.
    pub fn role(&self, reply: &mut Reply) {
        reply.array(2);
        reply.bulk(b"sentinel");
        reply.array(self.by_name.len());
        for name in self.by_name.keys() {
            reply.bulk(name);
        }
    }

    fn start(&mut self, out: &mut Outbox) {
        self.started = true;
        self.tilt.previous = None;
        self.log(Level::Notice, text!("Sentinel ID is ", self.myid), out);
        for id in self.group_ids() {
            let group = self.group(id);
            let (primary, quorum) = (group.primary, group.quorum);
            self.notify(Level::Warning, "+monitor", primary, text!(" quorum ", quorum), out);
        }
        self.next_tick = self.now;
    }

    fn tick(&mut self, out: &mut Outbox) {
        if !self.started || self.now < self.next_tick {
            return;
        }
        self.next_tick = self.now + 50 + self.chance(50) as Ms;
        self.check_tilt(out);
        for id in self.group_ids() {
            self.tick_group(id, out);
        }
        self.tick_scripts(out);
        if self.saving.retry_at.is_some_and(|at| self.now >= at) {
            self.saving.dirty = true;
        }
    }

    fn tick_group(&mut self, id: GroupId, out: &mut Outbox) {
        let group = self.group(id);
        let primary = group.primary;
        let others: Vec<InstanceId> = group.replicas.values().chain(group.sentinels.values()).copied().collect();
        self.tick_instance(primary, out);
        if self.acts(out) {
            self.check_dead(id, out);
            self.check_objectively_down(id, out);
            if self.start_failover_if_needed(id, out) {
                self.ask_others(id, true, out);
            }
            self.step_failover(id, out);
            self.ask_others(id, false, out);
        }
        for other in others {
            // Another Sentinel's, or a replica's, end may have come with an earlier one's turn.
            if self.instances.contains_key(&other) {
                self.tick_instance(other, out);
            }
        }
        self.switch_if_done(id, out);
    }

    fn tick_instance(&mut self, id: InstanceId, out: &mut Outbox) {
        self.reconnect(id, out);
        self.send_periodic(id, out);
        if self.acts(out) {
            self.check_subjectively_down(id, out);
        }
    }

    /// Whether more time has passed since the last tick than a machine that runs lets pass.
    fn was_away(&self) -> bool {
        self.tilt.previous.is_some_and(|(mono, unix)| {
            let passed = self.now - mono;
            let asleep = self.unix_ms.saturating_sub(unix).saturating_sub(passed);
            passed > self.periods.tilt_trigger || asleep > self.periods.tilt_trigger
        })
    }

    fn check_tilt(&mut self, out: &mut Outbox) {
        if self.was_away() {
            self.tilt.since = Some(self.now);
            self.tilt.total += 1;
            self.announce(Level::Warning, "+tilt", b"#tilt mode entered".to_vec(), out);
        }
        self.tilt.previous = Some((self.now, self.unix_ms));
    }

    /// Whether more may be done than to watch. Ends TILT when its time is over.
    fn acts(&mut self, out: &mut Outbox) -> bool {
        match self.tilt.since {
            Some(since) if self.now - since < self.periods.tilt => false,
            Some(_) => {
                self.tilt.since = None;
                self.announce(Level::Warning, "-tilt", b"#tilt mode exited".to_vec(), out);
                true
            }
            None => true,
        }
    }

    fn save_if_dirty(&mut self, out: &mut Outbox) {
        if self.saving.dirty {
            self.saving.dirty = false;
            self.saving.retry_at = None;
            self.saving.asked += 1;
            out.push(Action::Save { generation: self.saving.asked, lines: crate::settings::lines(self) });
        }
    }

    fn saved(&mut self, generation: u64, result: Result<(), String>, out: &mut Outbox) {
        match result {
            Ok(()) => {
                self.saving.durable = self.saving.durable.max(generation.min(self.saving.asked));
                self.log(Level::Notice, b"Sentinel new configuration saved on disk".to_vec(), out);
            }
            Err(why) => {
                self.saving.retry_at = Some(self.now + SAVE_RETRY);
                let warning = "WARNING: Sentinel was not able to save the new configuration on disk!!!: ";
                self.log(Level::Warning, text!(warning, why.as_str()), out);
            }
        }
    }

    /// The number of the save that will make durable what changes now.
    pub(crate) fn next_save(&mut self) -> u64 {
        self.saving.dirty = true;
        self.saving.asked + 1
    }

    fn set_time(&mut self, now: Now) {
        let mono = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        self.now = self.now.max(mono);
        self.unix_ms = now.unix_ms;
    }

    /// Asks for a tick at once, because something that a failover waits for has happened.
    pub(crate) fn hurry(&mut self) {
        self.next_tick = self.next_tick.min(self.now);
    }

    /// A number below `bound`, which is at most 2³². The multiplier is Knuth's; the low bits are the weak ones.
    pub(crate) fn chance(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.random >> 32) * bound) >> 32
    }

    pub(crate) fn fresh_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    // --- look-ups

    /// In the order of their names.
    pub(crate) fn group_ids(&self) -> Vec<GroupId> {
        self.by_name.values().copied().collect()
    }

    pub(crate) fn group_named(&self, name: &[u8]) -> Option<GroupId> {
        self.by_name.get(name).copied()
    }

    pub(crate) fn group(&self, id: GroupId) -> &Group {
        &self.groups[&id]
    }

    pub(crate) fn group_mut(&mut self, id: GroupId) -> &mut Group {
        self.groups.get_mut(&id).expect("groups are removed with everything that names them")
    }

    pub(crate) fn instance(&self, id: InstanceId) -> &Instance {
        &self.instances[&id]
    }

    pub(crate) fn instance_mut(&mut self, id: InstanceId) -> &mut Instance {
        self.instances.get_mut(&id).expect("instances are removed with everything that names them")
    }

    /// The group of an instance.
    pub(crate) fn group_of(&self, id: InstanceId) -> &Group {
        self.group(self.instance(id).group)
    }

    pub(crate) fn primary_of(&self, group: GroupId) -> &Instance {
        self.instance(self.group(group).primary)
    }
}
