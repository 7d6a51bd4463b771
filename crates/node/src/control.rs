//! Everything that may forbid a command, as one immutable value.
//!
//! Role, pause, loading, users, the write gate and the configuration are read by every command on every thread and changed
//! by few. They are one [`Control`], published whole while its publisher has the world (no unit runs), and read behind the
//! gate. So when the reply to REPLICAOF or CLIENT PAUSE leaves, no command that was decided under the old value can still
//! run.

use std::sync::Arc;

use acl::Users;
use command::context::Env;
use config::Config;
use config::directives::snapshot::RdbVersionCheck;
use keyspace::UnixMillis;
use value::Limits;

/// Whom this server follows.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Role {
    /// Nobody: it takes writes.
    #[default]
    Primary,
    /// A primary; writes come from there.
    Replica {
        /// The primary's host as it was named.
        host: String,
        /// The primary's port.
        port: u16,
        /// Whether the link is up and the initial sync is done.
        online: bool,
    },
}

/// CLIENT PAUSE.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Pause {
    /// Everything runs.
    #[default]
    None,
    /// Whatever may write waits, expiry and eviction too.
    Writes,
    /// Every command of a client waits.
    All,
}

/// Why clients are paused. Each reason has its own pause; the strongest counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PauseReason {
    /// CLIENT PAUSE.
    Client,
    /// SHUTDOWN waits for replicas.
    Shutdown,
    /// FAILOVER waits for its target.
    Failover,
}

impl PauseReason {
    /// All of them, in the order in which INFO prefers to name one.
    pub const ALL: [PauseReason; 3] = [PauseReason::Client, PauseReason::Shutdown, PauseReason::Failover];

    /// As `INFO` names it.
    pub fn name(self) -> &'static str {
        match self {
            PauseReason::Client => "client_pause",
            PauseReason::Shutdown => "shutdown_in_progress",
            PauseReason::Failover => "failover_in_progress",
        }
    }
}

/// The pause of one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Paused {
    /// What waits.
    pub what: Pause,
    /// Until when.
    pub until: UnixMillis,
}

/// A change of the control value that is to be made as soon as somebody has the world.
pub struct Change(Box<dyn FnOnce(&mut Control) + Send>);

impl Change {
    /// A change; it is made once.
    pub fn new(f: impl FnOnce(&mut Control) + Send + 'static) -> Self {
        Change(Box::new(f))
    }

    /// Makes it.
    pub fn apply(self, control: &mut Control) {
        (self.0)(control);
    }
}

/// See the head of this file.
#[derive(Clone)]
pub struct Control {
    /// The configuration.
    pub config: Arc<Config>,
    /// What commands may depend on, taken from the configuration.
    pub env: Arc<Env>,
    /// The same inside MULTI, where nothing blocks.
    pub env_no_block: Arc<Env>,
    /// The users.
    pub users: Arc<Users>,
    /// Primary or replica.
    pub role: Role,
    /// Who owns which slot; `None` outside of a cluster.
    pub cluster: Option<Arc<::cluster::View>>,
    /// Whether a data set is being loaded, so that there are none to be served.
    pub loading: bool,
    /// Whether one is being loaded beside the present one, which is served meanwhile.
    pub async_loading: bool,
    /// The strongest of the pauses.
    pub pause: Pause,
    /// The pause of each reason, in the order of [`PauseReason::ALL`].
    pub pauses: [Paused; 3],
    /// Until when a server that has just started refuses writes, unless it is told its role (`sentinel-guard-ms`).
    pub guard: Option<UnixMillis>,
    /// The last save failed, and writes are refused (`stop-writes-on-bgsave-error`).
    pub snapshot_failed: bool,
    /// The AOF cannot be written; the error's text.
    pub aof_failed: Option<Arc<str>>,
    /// MONITOR clients: id and thread.
    pub monitors: Arc<[(u64, usize)]>,
}

impl Control {
    /// The value of a server that has just started with this configuration.
    pub fn new(config: Arc<Config>, users: Arc<Users>) -> Self {
        let env = Arc::new(env_of(&config));
        let env_no_block = Arc::new(Env { deny_blocking: true, ..(*env).clone() });
        let guard_ms = config.replication.sentinel_guard_ms;
        Control {
            config,
            env,
            env_no_block,
            users,
            role: Role::Primary,
            cluster: None,
            loading: false,
            async_loading: false,
            pause: Pause::None,
            pauses: Default::default(),
            guard: (guard_ms > 0).then_some(UnixMillis(i64::MAX)),
            snapshot_failed: false,
            aof_failed: None,
            monitors: Arc::new([]),
        }
    }

    /// The same under another configuration.
    pub fn with_config(&self, config: Arc<Config>) -> Self {
        let env = Arc::new(env_of(&config));
        let env_no_block = Arc::new(Env { deny_blocking: true, ..(*env).clone() });
        let mut control = Control { config, env, env_no_block, ..self.clone() };
        control.skip_checksums(self.env.skip_checksum);
        control
    }

    /// DEBUG SET-SKIP-CHECKSUM-VALIDATION.
    pub fn skip_checksums(&mut self, on: bool) {
        Arc::make_mut(&mut self.env).skip_checksum = on;
        Arc::make_mut(&mut self.env_no_block).skip_checksum = on;
    }

    /// Begins or lengthens a pause. A pause under way is neither weakened nor shortened by another of the same reason.
    pub fn begin_pause(&mut self, reason: PauseReason, what: Pause, until: UnixMillis) {
        let paused = &mut self.pauses[reason as usize];
        paused.what = paused.what.max(what);
        paused.until = paused.until.max(until);
        self.strongest_pause();
    }

    /// Ends the pause of a reason.
    pub fn end_pause(&mut self, reason: PauseReason) {
        self.pauses[reason as usize] = Paused::default();
        self.strongest_pause();
    }

    /// Ends the pauses whose time is over.
    pub fn end_pauses(&mut self, now: UnixMillis) {
        for paused in &mut self.pauses {
            if paused.until <= now {
                *paused = Paused::default();
            }
        }
        self.strongest_pause();
    }

    /// When the first of the pauses is over.
    pub fn first_pause_end(&self) -> Option<UnixMillis> {
        self.pauses.iter().filter(|paused| paused.what != Pause::None).map(|paused| paused.until).min()
    }

    fn strongest_pause(&mut self) {
        self.pause = self.pauses.iter().map(|paused| paused.what).max().unwrap_or_default();
    }

    /// The data are here: the time of the guard begins, unless this server has been told its role already.
    pub fn start_guard(&mut self, now: UnixMillis) {
        let ms = i64::try_from(self.config.replication.sentinel_guard_ms).unwrap_or(i64::MAX);
        let until = UnixMillis(now.0.saturating_add(ms));
        self.guard = self.guard.filter(|_| !self.is_replica()).map(|_| until);
    }

    /// Whether nothing may change data by the clock or for want of memory: writes are paused, or refused by the guard.
    pub fn keeps_still(&self) -> bool {
        self.pause != Pause::None || self.guard.is_some()
    }

    /// Whether this server follows another.
    pub fn is_replica(&self) -> bool {
        matches!(self.role, Role::Replica { .. })
    }
}

/// What commands may depend on, taken out of the configuration.
fn env_of(config: &Config) -> Env {
    let e = &config.encodings;
    let limits = Limits {
        hash_listpack_entries: e.hash_max_listpack_entries as usize,
        hash_listpack_value: e.hash_max_listpack_value as usize,
        list_listpack_size: e.list_max_listpack_size,
        list_compress_depth: e.list_compress_depth,
        set_intset_entries: e.set_max_intset_entries as usize,
        set_listpack_entries: e.set_max_listpack_entries as usize,
        set_listpack_value: e.set_max_listpack_value as usize,
        zset_listpack_entries: e.zset_max_listpack_entries as usize,
        zset_listpack_value: e.zset_max_listpack_value as usize,
        stream_node_bytes: e.stream_node_max_bytes as usize,
        stream_node_entries: e.stream_node_max_entries as usize,
    };
    Env {
        limits,
        max_string: config.clients.proto_max_bulk_len as usize,
        notify: config.events.notify_keyspace_events.bits(),
        databases: match config.cluster.enabled {
            true => config.cluster.databases.min(1 << 14) as u16,
            false => config.general.databases as u16,
        },
        cluster: config.cluster.enabled,
        lfu: config.memory.maxmemory_policy.is_lfu(),
        lazy_user_del: config.lazyfree.lazy_user_del,
        lazy_server_del: config.lazyfree.lazy_server_del,
        lazy_expire: config.lazyfree.lazy_expire,
        lazy_user_flush: config.lazyfree.lazy_user_flush,
        rdb_relaxed: config.snapshot.rdb_version_check == RdbVersionCheck::Relaxed,
        ..Env::default()
    }
}
