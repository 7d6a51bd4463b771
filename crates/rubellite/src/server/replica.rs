//! The link to our primary: a thread with a blocking socket around the machines of crate `replication`.
//!
//! It sleeps while there is nobody to follow. A short time limit on reads lets it look at the clock (acknowledgements,
//! time-outs) and at whether it is still wanted; what must not happen after a change of role is prevented behind the gate,
//! not here.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use config::directives::replication::DisklessLoad;
use journal::{ReplId, ReplOffset};
use node::failover;
use node::replication::LinkStage;
use node::replication::replica::{Applier, Target, resume_point, target};
use node::server::Server;
use replication::link::{Action, Link, Settings};
use replication::stream::Cutter;
use resp::{encode, log_text};
use runtime::files::Replacement;
use runtime::{clock, errno, files, log};
use session::ClientCard;

/// How long a read waits before the clock is looked at.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long after a failure the next attempt is made.
const PAUSE: Duration = Duration::from_millis(500);
const ACK_MS: i64 = 1000;
const READ: usize = 256 * 1024;
/// Newest data that we can read, as the version of the peer that writes it.
const READS_VERSION: &str = "9.1.0";

/// A connection to a primary.
struct Connection<'a, 's> {
    server: &'s Server,
    applier: &'a mut Applier<'s>,
    stream: TcpStream,
    link: Link,
    cutter: Cutter,
    /// The position of the snapshot that was announced.
    announced: Option<(ReplId, ReplOffset)>,
    /// The snapshot on its way to the disk.
    file: Option<Replacement>,
    /// The history that the primary was asked to continue.
    asked: Option<ReplId>,
    last_ack: i64,
}

/// Runs until the server is over, as executor `me`.
pub fn run(server: &Server, me: usize) {
    let mut applier = Applier::new(server, me);
    while !server.is_over() {
        server.still.wait();
        // What the disk holds comes first: it may be what the primary can continue.
        let target = target(server).filter(|_| !server.control.load().loading);
        let Some(target) = target else {
            server.replication.idle.sleep();
            continue;
        };
        log::notice(log_text::replica::connecting(&format!("{}:{}", target.host, target.port)));
        let failed = follow(server, &mut applier, &target);
        *server.replication.hang_up.lock() = None;
        applier.rest();
        applier.detach();
        if let Err(reason) = failed {
            log::warning(reason);
        }
        let since = clock::unix_ms();
        while wanted(server, &target) && clock::unix_ms() - since < PAUSE.as_millis() as i64 {
            std::thread::sleep(PATIENCE);
            server.still.wait();
        }
    }
}

fn wanted(server: &Server, target: &Target) -> bool {
    !server.is_over() && server.replication.generation.load(Ordering::Acquire) == target.generation
}

fn follow<'s>(server: &'s Server, applier: &mut Applier<'s>, target: &Target) -> Result<(), String> {
    let socket_error = |e: std::io::Error| log_text::replica::socket_error(&errno::text(&e));
    let config = server.control.load().config.clone();
    applier.note_stage(LinkStage::Connecting);
    let address = (target.host.as_str(), target.port).to_socket_addrs().map_err(socket_error)?.next();
    let address = address.ok_or_else(|| log_text::replica::socket_error("no such host"))?;
    let limit = Duration::from_secs(u64::from(config.replication.repl_timeout));
    log::notice(log_text::replica::STARTED);
    let stream = TcpStream::connect_timeout(&address, limit).map_err(socket_error)?;
    stream.set_nodelay(true).map_err(socket_error)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(socket_error)?;
    stream.set_write_timeout(Some(limit)).map_err(socket_error)?;
    log::notice(log_text::replica::CONNECTED);
    let other_end = stream.try_clone().map_err(socket_error)?;
    *server.replication.hang_up.lock() = Some(Box::new(move || {
        // It fails when the primary was faster, which is as good.
        let _ = other_end.shutdown(Shutdown::Both);
    }));
    let id = server.last_client.fetch_add(1, Ordering::Relaxed) + 1;
    let mut card = ClientCard::new(id, 0, stream.as_raw_fd(), server.engine.now().0);
    card.addr = Some(address);
    card.laddr = stream.local_addr().ok();
    applier.attach(target.generation, card);
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
        take_over: failover::asks_to_take_over(server),
        resume: resume_point(server),
    };
    let asked = settings.resume.map(|(id, _)| id);
    let mut actions = Vec::new();
    let link = Link::connected(settings, &mut actions);
    let mut connection = Connection {
        server,
        applier,
        stream,
        link,
        cutter: Cutter::default(),
        announced: None,
        file: None,
        asked,
        last_ack: 0,
    };
    connection.act(actions)?;
    connection.talk()
}

impl Connection<'_, '_> {
    fn talk(&mut self) -> Result<(), String> {
        let mut buffer = vec![0; READ];
        let mut heard = clock::unix_ms();
        while self.applier.is_current() {
            self.server.still.wait();
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(log_text::replica::LOST.to_owned()),
                Ok(n) => {
                    heard = clock::unix_ms();
                    self.applier.heard(n);
                    let mut actions = Vec::new();
                    self.link.handle(&buffer[..n], &mut actions);
                    self.act(actions)?;
                }
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {}
                Err(e) => return Err(log_text::replica::socket_error(&errno::text(&e))),
            }
            let now = clock::unix_ms();
            let limit = i64::from(self.server.control.load().config.replication.repl_timeout) * 1000;
            if now - heard > limit {
                let text = match self.server.replication.link.lock().stage {
                    LinkStage::Connected => log_text::replica::TIMEOUT,
                    LinkStage::Sync => log_text::replica::SYNC_TIMEOUT,
                    _ => log_text::replica::SHAKE_TIMEOUT,
                };
                return Err(text.to_owned());
            }
            if self.link.is_streaming() && now - self.last_ack >= ACK_MS {
                self.acknowledge()?;
            }
        }
        Err(log_text::replica::LOST.to_owned())
    }

    fn act(&mut self, actions: Vec<Action>) -> Result<(), String> {
        for action in actions {
            match action {
                Action::Send(bytes) => self.send(&bytes)?,
                Action::Log(text) => log::notice(text),
                Action::Full(id, offset) => {
                    self.applier.note_stage(LinkStage::Sync);
                    self.announced = Some((id, offset));
                    self.applier.end_failover(true);
                }
                Action::Head(length) => self.begin_payload(length)?,
                Action::Payload(bytes) => {
                    self.server.replication.link.lock().sync_read += bytes.len() as u64;
                    match &mut self.file {
                        Some(file) => file.write_all(&bytes).map_err(|e| errno::text(&e))?,
                        None => self.load(&bytes)?,
                    }
                    self.sign_of_life()?;
                }
                Action::Loaded => self.end_payload()?,
                Action::Continue(id) => {
                    let asked = self.asked.ok_or_else(|| log_text::replica::LOST.to_owned())?;
                    self.applier.resume(asked, id).map_err(|_| log_text::replica::LOST.to_owned())?;
                    self.applier.end_failover(true);
                    self.acknowledge()?;
                }
                Action::NotTaken => self.applier.end_failover(false),
                Action::Stream(bytes) => self.apply(&bytes)?,
                Action::Fail(reason) => return Err(reason),
            }
        }
        Ok(())
    }

    /// The snapshot comes now: it is loaded as it comes, or gathered in a file first.
    fn begin_payload(&mut self, length: Option<u64>) -> Result<(), String> {
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
        log::notice(match length {
            Some(length) => log_text::replica::receiving(length, target),
            None => log_text::replica::streamed(target),
        });
        if at_once {
            return self.begin_load(keep);
        }
        let name = Path::new(OsStr::from_bytes(&config.snapshot.dbfilename));
        let temporary = PathBuf::from(format!("temp-{}.{}.rdb", clock::unix_ms() / 1000, std::process::id()));
        self.file = Some(Replacement::create_as(&temporary, name, true).map_err(|e| errno::text(&e))?);
        Ok(())
    }

    fn begin_load(&mut self, keep: bool) -> Result<(), String> {
        let (id, offset) = self.announced.take().ok_or_else(|| log_text::replica::LOST.to_owned())?;
        let total = self.server.replication.link.lock().sync_total;
        self.server.loading.begin(clock::unix_ms() / 1000, total);
        self.applier.begin_load(id, offset, keep).map_err(|_| log_text::replica::LOST.to_owned())
    }

    /// Loads a piece. `key-load-delay` makes it take longer, for tests.
    fn load(&mut self, bytes: &[u8]) -> Result<(), String> {
        let keys = self.applier.load(bytes)?;
        self.server.loading.advance(bytes.len() as u64);
        let began = clock::unix_ms();
        loop {
            let micros = i64::from(self.server.control.load().config.snapshot.key_load_delay);
            let left = began + micros.saturating_mul(keys as i64) / 1000 - clock::unix_ms();
            if left <= 0 || !self.applier.is_current() {
                return Ok(());
            }
            std::thread::sleep(PATIENCE.min(Duration::from_millis(left as u64)));
            self.sign_of_life()?;
        }
    }

    fn end_payload(&mut self) -> Result<(), String> {
        if let Some(file) = self.file.take() {
            self.load_file(file)?;
        }
        self.applier.end_load()?;
        self.server.replication.link.lock().sync_read = 0;
        self.acknowledge()
    }

    /// The file is complete: it becomes our own snapshot file, and is loaded.
    fn load_file(&mut self, file: Replacement) -> Result<(), String> {
        let config = self.server.control.load().config.clone();
        let name = PathBuf::from(OsStr::from_bytes(&config.snapshot.dbfilename));
        let dir = std::env::current_dir().unwrap_or_default();
        file.commit().map_err(|e| {
            let why = errno::text(&io::Error::from(e));
            log_text::replica::cannot_rename(&name.display().to_string(), &dir.display().to_string(), &why)
        })?;
        self.begin_load(false)?;
        let file = File::open(&name).map_err(|e| errno::text(&e))?;
        let mut buffer = vec![0; READ];
        let mut at = 0;
        loop {
            let n = files::read_full_at(&file, &mut buffer, at).map_err(|e| errno::text(&e))?;
            if n == 0 {
                break;
            }
            at += n as u64;
            self.load(&buffer[..n])?;
            self.sign_of_life()?;
        }
        if config.snapshot.rdb_del_sync_files && config.snapshot.save.is_empty() && !config.aof.appendonly {
            log::notice(log_text::replica::FILE_REMOVED);
            // It was of use for this load only.
            let _ = std::fs::remove_file(&name);
        }
        Ok(())
    }

    fn apply(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.cutter.feed(bytes);
        let mut asked = false;
        loop {
            match self.cutter.next_unit() {
                Ok(Some(unit)) => {
                    asked |= self.applier.apply(&unit).map_err(|_| log_text::replica::LOST.to_owned())?;
                }
                Ok(None) => break,
                Err(e) => return Err(String::from_utf8_lossy(e.text()).into_owned()),
            }
        }
        self.applier.rest();
        if asked { self.acknowledge() } else { Ok(()) }
    }

    /// Tells the primary how far we are.
    fn acknowledge(&mut self) -> Result<(), String> {
        self.last_ack = clock::unix_ms();
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
        self.send(&bytes)
    }

    /// Tells the primary that we are alive.
    fn sign_of_life(&mut self) -> Result<(), String> {
        let now = clock::unix_ms();
        if now - self.last_ack < ACK_MS {
            return Ok(());
        }
        self.last_ack = now;
        self.send(b"\n")
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|e| log_text::replica::socket_error(&errno::text(&e)))
    }
}
