//! Replication, as a server sees it: who follows us, and whom we follow.
//!
//! ```text
//!   PSYNC ─► Replica ─► Feed (in its thread's Core) ─► the client's chunks: a snapshot's file, then the journal
//!   REPLICAOF ─► Control::role + generation ─► the link thread: Applier ─► keyspace and journal, under the same locks
//! ```
//!
//! | to see | look in |
//! |---|---|
//! | what a replica is sent, and when | `primary.rs` |
//! | how a primary's stream is applied | `replica.rs` |
//! | a link to a primary, without its socket | `follower.rs` |
//! | PSYNC, REPLCONF, REPLICAOF, ROLE, WAIT | `commands/replication.rs` |
//!
//! Invariants
//!
//! 1. The journal of a replica holds its primary's bytes and nothing else: its offset is the primary's. Local writes of a
//!    writable replica go nowhere ([`Quiet`]).
//! 2. Role, id and generation change only inside a world unit. Whoever applies or appends asks behind the gate whether it
//!    is still meant to.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use ::cluster::NodeId;
use engine::background::Sleeper;
use engine::unit::{Sink, UnitLog};
use journal::Journal;
use keyspace::DbIndex;
use parking_lot::Mutex;
use session::{ClientCard, Flag, Letter};

use crate::control::{Control, Role};
use crate::server::Server;

pub mod apart;
pub mod follower;
pub mod primary;
pub mod replica;

pub use primary::{Feed, Sync, SyncFile};

/// What a replica has said about itself before it asked for the stream.
#[derive(Clone, Debug, Default)]
pub struct Announced {
    /// The port that its clients use.
    pub port: u16,
    /// The address that its clients use, if it is not the connection's.
    pub ip: Option<String>,
    /// It reads a payload up to a mark.
    pub eof: bool,
    /// It understands an id behind `+CONTINUE`.
    pub psync2: bool,
    /// It wants the snapshot and no stream.
    pub rdb_only: bool,
    /// It has sent SYNC, and expects the snapshot's length first.
    pub old_sync: bool,
    /// Its name in the cluster.
    pub node_id: Option<NodeId>,
    /// It is new enough to obey a primary that is shut down and names it.
    pub takes_over: bool,
}

/// How far the sync of a replica is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// Its snapshot has not begun or is not complete.
    Waits,
    /// Its snapshot is on the way.
    Sends,
    /// It is sent the stream.
    Online,
}

/// One replica of ours.
pub struct Replica {
    /// Its client.
    pub card: Arc<ClientCard>,
    /// What it has said about itself.
    pub announced: Announced,
    /// How far it is.
    pub stage: Mutex<Stage>,
    /// The snapshot that it is to get.
    pub sync: Mutex<Option<Arc<Sync>>>,
    /// The offset that it has acknowledged.
    pub acked: AtomicU64,
    /// The offset that it has on its disk, as far as it says so.
    pub fsynced: AtomicU64,
    /// When it has acknowledged, in ms; when it had a sign of life from us, before the first.
    pub acked_at: AtomicI64,
    /// The offset up to which it has been sent the stream.
    pub sent: AtomicU64,
    /// It is sent nothing of the stream behind this offset.
    pub until: AtomicU64,
    /// Since when it has been further behind than the soft limit allows, in ms; 0 while it is not.
    pub behind_since: AtomicI64,
    /// When it asked for a sync, in ms.
    pub since: i64,
    /// It has acknowledged since it got its snapshot.
    pub has_acked: AtomicBool,
    /// It has been sent all that there is of its snapshot so far.
    pub has_all_so_far: AtomicBool,
}

impl Replica {
    /// Its address for clients.
    pub fn ip(&self) -> String {
        match &self.announced.ip {
            Some(ip) => ip.clone(),
            None => self.card.addr.map_or_else(String::new, |addr| addr.ip().to_canonical().to_string()),
        }
    }

    /// Address and port as log lines show them.
    pub fn name(&self) -> String {
        format!("{}:{}", self.ip(), self.announced.port)
    }

    /// How far it is.
    pub fn stage(&self) -> Stage {
        *self.stage.lock()
    }

    /// The stage as INFO names it.
    pub fn stage_name(&self) -> &'static str {
        match self.stage() {
            Stage::Waits => "wait_bgsave",
            // What is sent while it is made is, by the peers' names, waited for.
            Stage::Sends if self.sync.lock().as_ref().is_some_and(|sync| sync.streamed) => "wait_bgsave",
            Stage::Sends => "send_bulk",
            Stage::Online => "online",
        }
    }
}

/// How far the link to our primary is, as ROLE names it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum LinkStage {
    /// It is to be made.
    #[default]
    Connect,
    /// It is being made.
    Connecting,
    /// The first words.
    Handshake,
    /// A snapshot is on the way.
    Sync,
    /// The stream.
    Connected,
}

impl LinkStage {
    /// As ROLE names it.
    pub fn name(self) -> &'static str {
        match self {
            LinkStage::Connect => "connect",
            LinkStage::Connecting => "connecting",
            LinkStage::Handshake => "handshake",
            LinkStage::Sync => "sync",
            LinkStage::Connected => "connected",
        }
    }
}

/// What is known of the link to our primary.
#[derive(Clone, Copy, Debug, Default)]
pub struct LinkFacts {
    /// How far it is.
    pub stage: LinkStage,
    /// It has brought the stream of the primary that is followed now.
    pub has_stood: bool,
    /// When it last brought something, in ms.
    pub last_io: i64,
    /// Since when it is down, in ms.
    pub down_since: i64,
    /// Bytes of the snapshot under way that have come.
    pub sync_read: u64,
    /// How many bytes it has; 0 when the primary does not say.
    pub sync_total: u64,
}

/// Everything of replication that is not in the control value.
#[derive(Default)]
pub struct Replication {
    /// Our replicas.
    pub replicas: Mutex<Vec<Arc<Replica>>>,
    /// What clients that may become replicas have said.
    pub announced: Mutex<HashMap<u64, Announced>>,
    /// Changes with every REPLICAOF: a link of an older one is over.
    pub generation: AtomicU64,
    /// Where the link's thread sleeps while there is nobody to follow.
    pub idle: Sleeper,
    /// The data of this replica are no version of anything: they were flushed for a sync that has not ended.
    pub hollow: AtomicBool,
    /// The link to our primary.
    pub link: Mutex<LinkFacts>,
    /// Keys that clients of this replica have given an expiry: no DEL of the primary will end them.
    pub own_expiring: Mutex<BTreeSet<(DbIndex, Box<[u8]>)>>,
    /// Somebody has waited for replicas since the start, so acknowledgements are news.
    pub waited: AtomicBool,
    /// Ends the connection of the link under way, as soon as it is of no use.
    pub hang_up: Mutex<Option<HangUp>>,
    /// The snapshot that is being sent while it is made, until the last of its replicas has it.
    pub transfer: Mutex<Option<Arc<Sync>>>,
    /// The present id came from a primary, so others know it. Else it was made here, and maybe nobody does.
    pub id_is_given: AtomicBool,
    /// When the last replica left, in ms; 0 while there is one, or was none.
    pub alone_since: AtomicI64,
}

/// What ends the connection to our primary.
pub type HangUp = Box<dyn Fn() + Send>;

/// The journal of a replica, to whoever is not its primary.
pub struct Quiet<'j>(pub &'j Journal);

impl Sink for Quiet<'_> {
    fn is_awake(&self) -> bool {
        false
    }

    fn append(&self, _: &UnitLog) -> u64 {
        self.0.end().0
    }

    fn end(&self) -> u64 {
        self.0.end().0
    }
}

impl Server {
    /// How many replicas have acknowledged this offset.
    pub fn replicas_at(&self, offset: u64) -> i64 {
        let replicas = self.replication.replicas.lock();
        let has = |replica: &&Arc<Replica>| {
            replica.stage() == Stage::Online && replica.acked.load(Ordering::Relaxed) >= offset
        };
        replicas.iter().filter(has).count() as i64
    }

    /// How many replicas have this offset on their disks.
    pub fn replicas_durable_at(&self, offset: u64) -> i64 {
        let replicas = self.replication.replicas.lock();
        let has = |replica: &&Arc<Replica>| {
            replica.stage() == Stage::Online && replica.fsynced.load(Ordering::Relaxed) >= offset
        };
        replicas.iter().filter(has).count() as i64
    }

    /// How many online replicas have acknowledged something within so many seconds.
    pub fn replicas_within(&self, seconds: u32) -> u32 {
        let now = self.engine.now().0;
        let replicas = self.replication.replicas.lock();
        let good = |replica: &&Arc<Replica>| {
            let lag = (now - replica.acked_at.load(Ordering::Relaxed)) / 1000;
            replica.stage() == Stage::Online && lag <= i64::from(seconds)
        };
        replicas.iter().filter(good).count() as u32
    }

    /// Whether `min-replicas-to-write` forbids writes at this moment.
    pub fn too_few_replicas(&self, control: &Control) -> bool {
        let config = &control.config.replication;
        config.min_replicas_to_write > 0
            && config.min_replicas_max_lag > 0
            && self.replicas_within(config.min_replicas_max_lag) < config.min_replicas_to_write
    }

    /// Closes the connections of all replicas, behind what the journal has now; they may come back and continue. The caller
    /// has the world.
    pub fn disconnect_replicas(&self) {
        let end = self.journal.end().0;
        let replicas = self.replication.replicas.lock().clone();
        for replica in replicas {
            if replica.stage() != Stage::Online {
                self.kill(&replica.card);
                continue;
            }
            replica.until.fetch_min(end, Ordering::Relaxed);
            self.mailboxes[replica.card.thread].post(Letter::Kill { client: replica.card.id, after_reply: true });
        }
    }

    /// The section of INFO, field by field.
    pub fn replication_info(&self, control: &Control) -> Vec<(String, String)> {
        let mut fields: Vec<(String, String)> = Vec::new();
        let mut put = |name: &str, value: String| fields.push((name.to_owned(), value));
        let now = self.engine.now().0;
        let config = &control.config.replication;
        let end = self.journal.end().0;
        match &control.role {
            Role::Primary => put("role", "master".to_owned()),
            Role::Replica { host, port, online } => {
                let link = *self.replication.link.lock();
                put("role", "slave".to_owned());
                put("master_host", host.clone());
                put("master_port", port.to_string());
                put("master_link_status", if *online { "up" } else { "down" }.to_owned());
                let last = if *online { (now - link.last_io) / 1000 } else { -1 };
                put("master_last_io_seconds_ago", last.to_string());
                put("master_sync_in_progress", u8::from(link.stage == LinkStage::Sync).to_string());
                put("slave_read_repl_offset", end.to_string());
                put("slave_repl_offset", end.to_string());
                if link.stage == LinkStage::Sync {
                    let left = link.sync_total.saturating_sub(link.sync_read);
                    let percent = link.sync_read as f64 * 100.0 / link.sync_total.max(1) as f64;
                    put("master_sync_total_bytes", link.sync_total.to_string());
                    put("master_sync_read_bytes", link.sync_read.to_string());
                    put("master_sync_left_bytes", left.to_string());
                    put("master_sync_perc", format!("{:.2}", if link.sync_total > 0 { percent } else { 0.0 }));
                    put("master_sync_last_io_seconds_ago", ((now - link.last_io) / 1000).to_string());
                }
                if !*online {
                    // A link that has never stood is down since no moment.
                    let down = if link.down_since == 0 { -1 } else { (now - link.down_since) / 1000 };
                    put("master_link_down_since_seconds", down.to_string());
                }
                put("slave_priority", config.replica_priority.to_string());
                put("slave_read_only", u8::from(config.replica_read_only).to_string());
                put("replica_announced", u8::from(config.replica_announced).to_string());
            }
        }
        let mut replicas = self.replication.replicas.lock().clone();
        // Whose connection is being closed does not follow any more, whether its thread has come to it or not.
        replicas.retain(|replica| !replica.card.is(Flag::CloseAsap));
        put("connected_slaves", replicas.len().to_string());
        let waiting = replicas.iter().filter(|replica| replica.stage() == Stage::Waits).count();
        put("replicas_waiting_psync", waiting.to_string());
        if config.min_replicas_to_write > 0 && config.min_replicas_max_lag > 0 {
            put("min_slaves_good_slaves", self.replicas_within(config.min_replicas_max_lag).to_string());
        }
        for (i, replica) in replicas.iter().enumerate() {
            let online = replica.stage() == Stage::Online;
            let lag = if online { (now - replica.acked_at.load(Ordering::Relaxed)).max(0) / 1000 } else { 0 };
            let text = format!(
                "ip={},port={},state={},offset={},lag={lag},type=replica",
                replica.ip(),
                replica.announced.port,
                replica.stage_name(),
                replica.acked.load(Ordering::Relaxed)
            );
            put(&format!("slave{i}"), text);
        }
        let history = self.journal.history();
        let (second, limit) = match history.second {
            Some((id, limit)) => (id, limit.next_byte() as i64),
            None => (journal::ReplId::NONE, -1),
        };
        put("master_failover_state", crate::failover::state_name(self).to_owned());
        put("master_replid", history.id.to_string());
        put("master_replid2", second.to_string());
        put("master_repl_offset", end.to_string());
        put("second_repl_offset", limit.to_string());
        let backlog = self.journal.backlog();
        put("repl_backlog_active", u8::from(backlog.is_some()).to_string());
        put("repl_backlog_size", config.repl_backlog_size.to_string());
        put("repl_backlog_first_byte_offset", backlog.map_or(0, |b| b.start.next_byte()).to_string());
        put("repl_backlog_histlen", backlog.map_or(0, |b| b.histlen()).to_string());
        fields
    }
}

/// A client that may be a replica is gone.
pub(crate) fn gone(server: &Server, card: &ClientCard) {
    server.replication.announced.lock().remove(&card.id);
    if !card.is(Flag::Replica) {
        return;
    }
    let left = {
        let mut replicas = server.replication.replicas.lock();
        let at = replicas.iter().position(|replica| replica.card.id == card.id);
        let left = at.map(|at| replicas.remove(at));
        if left.is_some() && replicas.is_empty() {
            server.replication.alone_since.store(server.engine.now().0, Ordering::Relaxed);
        }
        left
    };
    if let Some(replica) = left {
        primary::leave(server, &replica, false);
        let text = resp::log_text::primary::lost(&replica.name());
        server.host.log(crate::server::LogLevel::Notice, &text);
        server.host.wake_control();
    }
}
