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
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Pause {
    /// Everything runs.
    #[default]
    None,
    /// Whatever may write waits, expiry and eviction too.
    Writes,
    /// Every command of a client waits.
    All,
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
    /// Whether a data set is being loaded.
    pub loading: bool,
    /// CLIENT PAUSE, FAILOVER and SHUTDOWN.
    pub pause: Pause,
    /// Until when clients are paused.
    pub pause_until: UnixMillis,
    /// Enough replicas with a small lag (`min-replicas-to-write`).
    pub replicas_suffice: bool,
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
        Control {
            config,
            env,
            env_no_block,
            users,
            role: Role::Primary,
            loading: false,
            pause: Pause::None,
            pause_until: UnixMillis(0),
            replicas_suffice: true,
            snapshot_failed: false,
            aof_failed: None,
            monitors: Arc::new([]),
        }
    }

    /// The same under another configuration.
    pub fn with_config(&self, config: Arc<Config>) -> Self {
        let env = Arc::new(env_of(&config));
        let env_no_block = Arc::new(Env { deny_blocking: true, ..(*env).clone() });
        Control { config, env, env_no_block, ..self.clone() }
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
        databases: config.general.databases as u16,
        lfu: config.memory.maxmemory_policy.is_lfu(),
        lazy_user_del: config.lazyfree.lazy_user_del,
        lazy_server_del: config.lazyfree.lazy_server_del,
        lazy_expire: config.lazyfree.lazy_expire,
        lazy_user_flush: config.lazyfree.lazy_user_flush,
        ..Env::default()
    }
}
