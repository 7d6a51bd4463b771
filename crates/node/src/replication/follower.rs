//! One link to a primary after the other, without its socket.
//!
//! ```text
//!   wish ─► connecting ─► connected ─► received, look … ─► over ─► (a pause) ─► wish …
//!                            └── PING, AUTH, REPLCONF, PSYNC (`replication::link`), a snapshot, the stream (`Applier`)
//! ```
//!
//! Whoever drives it owns the connection: the link's thread with a blocking socket, or a simulation with its network. What
//! the link wants done meanwhile goes through [`Line`]. Every error ends the link and is for the log.
//!
//! Durations are measured with the clock that never goes back: a jump of the wall clock ends no link.

use std::sync::atomic::Ordering;

use config::directives::replication::DisklessLoad;
use journal::{ReplId, ReplOffset};
use replication::link::{Action, Link, Settings};
use replication::stream::Cutter;
use resp::{encode, log_text};
use session::ClientCard;

use super::LinkStage;
use super::replica::{Applier, Target, resume_point, target};
use crate::failover;
use crate::server::{LogLevel, Server};

/// How often [`Follower::look`] is to be called while a link stands, in ms.
pub const PATIENCE_MS: u64 = 50;
/// How long after a failure the next attempt is made, in ms.
pub const PAUSE_MS: u64 = 500;
/// How much of a file is read at a time.
const READ: usize = 256 * 1024;
const ACK_MS: u64 = 1000;
/// Newest data that we can read, as the version of the peer that writes it.
const READS_VERSION: &str = "9.1.0";

/// What the driver of a link does for it. Errors are texts for the log; the link is over then.
pub trait Line {
    /// Sends bytes to the primary.
    fn send(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// Begins a file for the snapshot that comes, which is to take the place of the snapshot file of this name.
    fn create_file(&mut self, name: &[u8]) -> Result<(), String>;
    /// Appends to it.
    fn write_file(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// It is complete, and gets its name.
    fn finish_file(&mut self) -> Result<(), String>;
    /// Reads from the finished file; 0 at its end.
    fn read_file(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, String>;
    /// Removes the finished file. It was of use for this load only, so nobody asks how that went.
    fn remove_file(&mut self);
    /// Stands still for so long, for tests that slow loading down.
    fn pause(&mut self, ms: u64);
}

/// See the head of this file.
pub struct Follower<'s> {
    server: &'s Server,
    applier: Applier<'s>,
    talk: Option<Talk>,
}

/// What is known of the connection under way.
struct Talk {
    link: Link,
    cutter: Cutter,
    /// The position of the snapshot that was announced.
    announced: Option<(ReplId, ReplOffset)>,
    /// The snapshot is gathered in a file first.
    stores: bool,
    /// The history that the primary was asked to continue.
    asked: Option<ReplId>,
    heard_ms: u64,
    last_ack_ms: u64,
}

impl<'s> Follower<'s> {
    /// The link of a server, as executor `me`, which nobody else uses.
    pub fn new(server: &'s Server, me: usize) -> Self {
        Follower { server, applier: Applier::new(server, me), talk: None }
    }

    /// Whom to follow, if anybody. What the disk holds comes first: it may be what the primary can continue.
    pub fn wish(&self) -> Option<Target> {
        target(self.server).filter(|_| !self.server.control.load().loading)
    }

    /// Whether this is still whom to follow.
    pub fn wants(&self, target: &Target) -> bool {
        !self.server.is_over() && self.server.replication.generation.load(Ordering::Acquire) == target.generation
    }

    /// A connection is about to be made.
    pub fn connecting(&mut self, target: &Target) {
        self.note(log_text::replica::connecting(&format!("{}:{}", target.host, target.port)));
        self.applier.note_stage(LinkStage::Connecting);
    }

    /// It stands; clients see it under this card.
    pub fn connected(&mut self, target: &Target, card: ClientCard, line: &mut dyn Line) -> Result<(), String> {
        let config = self.server.control.load().config.clone();
        self.applier.attach(target.generation, card);
        let replication = &config.replication;
        let settings = Settings {
            user: replication.primaryuser.clone(),
            password: replication.primaryauth.clone(),
            port: if replication.replica_announce_port > 0 {
                replication.replica_announce_port
            } else {
                config.network.port
            },
            ip: replication.replica_announce_ip.clone(),
            version: READS_VERSION.to_owned(),
            node_id: self.server.cluster.as_ref().map(|node| node.view().me().id.as_bytes().to_vec()),
            take_over: failover::asks_to_take_over(self.server),
            resume: resume_point(self.server),
        };
        let asked = settings.resume.map(|(id, _)| id);
        let mut actions = Vec::new();
        let link = Link::connected(settings, &mut actions);
        self.talk = Some(Talk {
            link,
            cutter: Cutter::default(),
            announced: None,
            stores: false,
            asked,
            heard_ms: self.now_ms(),
            last_ack_ms: 0,
        });
        self.act(actions, line)
    }

    /// Bytes of the primary have come.
    pub fn received(&mut self, bytes: &[u8], line: &mut dyn Line) -> Result<(), String> {
        let now = self.now_ms();
        self.applier.heard(bytes.len());
        let mut actions = Vec::new();
        if let Some(talk) = &mut self.talk {
            talk.heard_ms = now;
            talk.link.handle(bytes, &mut actions);
        }
        self.act(actions, line)?;
        self.look(line)
    }

    /// What only the clock tells, and whether the link is still wanted.
    pub fn look(&mut self, line: &mut dyn Line) -> Result<(), String> {
        if !self.applier.is_current() {
            return Err(lost());
        }
        let now = self.now_ms();
        let limit = u64::from(self.server.control.load().config.replication.repl_timeout) * 1000;
        let Some(talk) = &self.talk else { return Err(lost()) };
        if now.saturating_sub(talk.heard_ms) > limit {
            let text = match self.server.replication.link.lock().stage {
                LinkStage::Connected => log_text::replica::TIMEOUT,
                LinkStage::Sync => log_text::replica::SYNC_TIMEOUT,
                _ => log_text::replica::SHAKE_TIMEOUT,
            };
            return Err(text.to_owned());
        }
        if talk.link.is_streaming() && now.saturating_sub(talk.last_ack_ms) >= ACK_MS {
            self.acknowledge(line)?;
        }
        Ok(())
    }

    /// The connection is gone, or was never made.
    pub fn over(&mut self, why: Option<&str>) {
        *self.server.replication.hang_up.lock() = None;
        self.talk = None;
        self.applier.rest();
        self.applier.detach();
        if let Some(why) = why {
            self.server.host.log(LogLevel::Warning, why);
        }
    }

    fn now_ms(&self) -> u64 {
        self.server.engine.clock().nanos() / 1_000_000
    }

    fn note(&self, text: impl AsRef<str>) {
        self.server.host.log(LogLevel::Notice, text.as_ref());
    }

    fn talk(&mut self) -> Result<&mut Talk, String> {
        self.talk.as_mut().ok_or_else(lost)
    }

    fn act(&mut self, actions: Vec<Action>, line: &mut dyn Line) -> Result<(), String> {
        for action in actions {
            match action {
                Action::Send(bytes) => line.send(&bytes)?,
                Action::Log(text) => self.note(text),
                Action::Full(id, offset) => {
                    self.applier.note_stage(LinkStage::Sync);
                    self.talk()?.announced = Some((id, offset));
                    self.applier.end_failover(true);
                }
                Action::Head(length) => self.begin_payload(length, line)?,
                Action::Payload(bytes) => {
                    self.server.replication.link.lock().sync_read += bytes.len() as u64;
                    if self.talk()?.stores {
                        line.write_file(&bytes)?;
                    } else {
                        self.load(&bytes, line)?;
                    }
                    self.sign_of_life(line)?;
                }
                Action::Loaded => self.end_payload(line)?,
                Action::Continue(id) => {
                    let asked = self.talk()?.asked.ok_or_else(lost)?;
                    self.applier.resume(asked, id).map_err(|_| lost())?;
                    self.applier.end_failover(true);
                    self.acknowledge(line)?;
                }
                Action::NotTaken => self.applier.end_failover(false),
                Action::Stream(bytes) => self.apply(&bytes, line)?,
                Action::Fail(reason) => return Err(reason),
            }
        }
        Ok(())
    }

    /// The snapshot comes now: it is loaded as it comes, or gathered in a file first.
    fn begin_payload(&mut self, length: Option<u64>, line: &mut dyn Line) -> Result<(), String> {
        {
            let mut link = self.server.replication.link.lock();
            (link.sync_read, link.sync_total) = (0, length.unwrap_or(0));
        }
        let config = self.server.control.load().config.clone();
        let (at_once, keep) = match config.replication.repl_diskless_load {
            DisklessLoad::Disabled => (false, false),
            DisklessLoad::OnEmptyDb => (self.applier.is_empty(), false),
            DisklessLoad::Swapdb => (true, true),
            DisklessLoad::FlushBeforeLoad => (true, false),
        };
        let target = if at_once { "parser" } else { "disk" };
        self.note(match length {
            Some(length) => log_text::replica::receiving(length, target),
            None => log_text::replica::streamed(target),
        });
        if at_once {
            return self.begin_load(keep);
        }
        line.create_file(&config.snapshot.dbfilename)?;
        self.talk()?.stores = true;
        Ok(())
    }

    fn begin_load(&mut self, keep: bool) -> Result<(), String> {
        let (id, offset) = self.talk()?.announced.take().ok_or_else(lost)?;
        let total = self.server.replication.link.lock().sync_total;
        self.server.loading.begin(self.server.engine.now().0 / 1000, total);
        self.applier.begin_load(id, offset, keep).map_err(|_| lost())
    }

    /// Loads a piece. `key-load-delay` makes it take longer, for tests.
    fn load(&mut self, bytes: &[u8], line: &mut dyn Line) -> Result<(), String> {
        let keys = self.applier.load(bytes)?;
        self.server.loading.advance(bytes.len() as u64);
        let began = self.now_ms();
        loop {
            let micros = i64::from(self.server.control.load().config.snapshot.key_load_delay);
            let whole = u64::try_from(micros.saturating_mul(keys as i64) / 1000).unwrap_or(0);
            let left = (began + whole).saturating_sub(self.now_ms());
            if left == 0 || !self.applier.is_current() {
                return Ok(());
            }
            line.pause(PATIENCE_MS.min(left));
            self.sign_of_life(line)?;
        }
    }

    fn end_payload(&mut self, line: &mut dyn Line) -> Result<(), String> {
        if std::mem::take(&mut self.talk()?.stores) {
            self.load_file(line)?;
        }
        self.applier.end_load()?;
        self.server.replication.link.lock().sync_read = 0;
        self.acknowledge(line)
    }

    /// The file is complete: it becomes our own snapshot file, and is loaded.
    fn load_file(&mut self, line: &mut dyn Line) -> Result<(), String> {
        let config = self.server.control.load().config.clone();
        line.finish_file()?;
        self.begin_load(false)?;
        let mut buffer = vec![0; READ];
        let mut at = 0;
        loop {
            let n = line.read_file(at, &mut buffer)?;
            if n == 0 {
                break;
            }
            at += n as u64;
            self.load(&buffer[..n], line)?;
            self.sign_of_life(line)?;
        }
        if config.snapshot.rdb_del_sync_files && config.snapshot.save.is_empty() && !config.aof.appendonly {
            self.note(log_text::replica::FILE_REMOVED);
            line.remove_file();
        }
        Ok(())
    }

    fn apply(&mut self, bytes: &[u8], line: &mut dyn Line) -> Result<(), String> {
        self.talk()?.cutter.feed(bytes);
        let mut asked = false;
        loop {
            match self.talk()?.cutter.next_unit() {
                Ok(Some(unit)) => asked |= self.applier.apply(&unit).map_err(|_| lost())?,
                Ok(None) => break,
                Err(e) => return Err(String::from_utf8_lossy(e.text()).into_owned()),
            }
        }
        self.applier.rest();
        if asked { self.acknowledge(line) } else { Ok(()) }
    }

    /// Tells the primary how far we are.
    fn acknowledge(&mut self, line: &mut dyn Line) -> Result<(), String> {
        self.talk()?.last_ack_ms = self.now_ms();
        let mut bytes = Vec::new();
        let end = self.server.journal.end().to_string();
        match self.server.host.durable_offset() {
            Some(durable) => {
                let durable = durable.to_string();
                let args = [&b"REPLCONF"[..], b"ACK", end.as_bytes(), b"FACK", durable.as_bytes()];
                encode::command(&mut bytes, &args);
            }
            None => encode::command(&mut bytes, &[&b"REPLCONF"[..], b"ACK", end.as_bytes()]),
        }
        line.send(&bytes)
    }

    /// Tells the primary that we are alive.
    fn sign_of_life(&mut self, line: &mut dyn Line) -> Result<(), String> {
        let now = self.now_ms();
        if now.saturating_sub(self.talk()?.last_ack_ms) < ACK_MS {
            return Ok(());
        }
        self.talk()?.last_ack_ms = now;
        line.send(b"\n")
    }
}

fn lost() -> String {
    log_text::replica::LOST.to_owned()
}
