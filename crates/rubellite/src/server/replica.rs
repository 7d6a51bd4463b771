//! The link to our primary: a thread with a blocking socket around the machines of crate `replication`.
//!
//! It sleeps while there is nobody to follow. A short time limit on reads lets it look at the clock (acknowledgements,
//! time-outs) and at whether it is still wanted; what must not happen after a change of role is prevented behind the gate,
//! not here.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use journal::{ReplId, ReplOffset};
use node::replication::LinkStage;
use node::replication::replica::{Applier, Target, resume_point, target};
use node::server::Server;
use replication::link::{Action, Link, Settings};
use replication::stream::Cutter;
use resp::{encode, log_text};
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
    /// The snapshot on its way to disk, and its position.
    incoming: Option<(File, ReplId, ReplOffset)>,
    /// The history that the primary was asked to continue.
    asked: Option<ReplId>,
    last_ack: i64,
}

/// Runs until the server is over, as executor `me`.
pub fn run(server: &Server, me: usize) {
    let mut applier = Applier::new(server, me);
    while !server.is_over() {
        // What the disk holds comes first: it may be what the primary can continue.
        let target = target(server).filter(|_| !server.control.load().loading);
        let Some(target) = target else {
            std::thread::sleep(PATIENCE);
            continue;
        };
        log::notice(log_text::replica::connecting(&format!("{}:{}", target.host, target.port)));
        let failed = follow(server, &mut applier, &target);
        applier.rest();
        applier.detach();
        if let Err(reason) = failed {
            log::warning(reason);
        }
        let since = clock::unix_ms();
        while wanted(server, &target) && clock::unix_ms() - since < PAUSE.as_millis() as i64 {
            std::thread::sleep(PATIENCE);
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
        resume: resume_point(server),
    };
    let asked = settings.resume.map(|(id, _)| id);
    let mut actions = Vec::new();
    let link = Link::connected(settings, &mut actions);
    let mut connection =
        Connection { server, applier, stream, link, cutter: Cutter::default(), incoming: None, asked, last_ack: 0 };
    connection.act(actions)?;
    connection.talk()
}

impl Connection<'_, '_> {
    fn talk(&mut self) -> Result<(), String> {
        let mut buffer = vec![0; READ];
        let mut heard = clock::unix_ms();
        while self.applier.is_current() {
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
                return Err(log_text::replica::TIMEOUT.to_owned());
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
                    let file = files::unnamed(Path::new(".")).map_err(|e| errno::text(&e))?;
                    self.applier.note_stage(LinkStage::Sync);
                    self.incoming = Some((file, id, offset));
                }
                Action::Payload(bytes) => {
                    if let Some((file, ..)) = &mut self.incoming {
                        file.write_all(&bytes).map_err(|e| errno::text(&e))?;
                        self.server.replication.link.lock().sync_read += bytes.len() as u64;
                    }
                    self.sign_of_life()?;
                }
                Action::Loaded => self.load()?,
                Action::Continue(id) => {
                    let asked = self.asked.ok_or_else(|| log_text::replica::LOST.to_owned())?;
                    self.applier.resume(asked, id).map_err(|_| log_text::replica::LOST.to_owned())?;
                    self.acknowledge()?;
                }
                Action::Stream(bytes) => self.apply(&bytes)?,
                Action::Fail(reason) => return Err(reason),
            }
        }
        Ok(())
    }

    fn load(&mut self) -> Result<(), String> {
        let Some((file, id, offset)) = self.incoming.take() else { return Ok(()) };
        let gone = || log_text::replica::LOST.to_owned();
        self.applier.begin_load(id, offset).map_err(|_| gone())?;
        let total = file.metadata().map_or(0, |meta| meta.len());
        self.server.loading.begin(clock::unix_ms() / 1000, total);
        let mut buffer = vec![0; READ];
        let mut at = 0;
        loop {
            let n = files::read_full_at(&file, &mut buffer, at).map_err(|e| errno::text(&e))?;
            if n == 0 {
                break;
            }
            at += n as u64;
            self.applier.load(&buffer[..n])?;
            self.server.loading.advance(n as u64);
            self.sign_of_life()?;
        }
        self.applier.end_load()?;
        self.server.replication.link.lock().sync_read = 0;
        self.acknowledge()
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
        encode::command(&mut bytes, &[&b"REPLCONF"[..], b"ACK", end.as_bytes()]);
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
