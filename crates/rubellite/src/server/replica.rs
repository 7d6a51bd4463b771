//! The link to our primary: a thread with a blocking socket around `node::replication::follower`.
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
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use node::replication::follower::{Follower, Line, PATIENCE_MS, PAUSE_MS};
use node::replication::replica::Target;
use node::server::Server;
use resp::log_text;
use runtime::files::Replacement;
use runtime::{clock, errno, files, log, reactor, resolve};
use session::ClientCard;

/// How long a read waits before the clock is looked at.
const PATIENCE: Duration = Duration::from_millis(PATIENCE_MS);
/// How long after an attempt the next one is made: at once, when a link that has stood for longer is lost.
const PAUSE: Duration = Duration::from_millis(PAUSE_MS);
const READ: usize = 256 * 1024;

/// A connection to a primary, and the file of the snapshot that it sends.
struct Wire {
    stream: TcpStream,
    /// The name that the file gets.
    name: PathBuf,
    /// On its way to the disk.
    file: Option<Replacement>,
    /// Complete.
    opened: Option<File>,
}

/// Runs until the server is over, as executor `me`.
pub fn run(server: &Server, me: usize) {
    let mut follower = Follower::new(server, me);
    while !server.is_over() {
        server.still.wait();
        let Some(target) = follower.wish() else {
            server.replication.idle.sleep();
            continue;
        };
        let since = Instant::now();
        let ended = follow(server, &mut follower, &target);
        follower.over(ended.err().as_deref());
        while follower.wants(&target) && since.elapsed() < PAUSE {
            std::thread::sleep(PATIENCE);
            server.still.wait();
        }
    }
}

fn follow<'s>(server: &'s Server, follower: &mut Follower<'s>, target: &Target) -> Result<(), String> {
    let socket_error = |e: std::io::Error| log_text::replica::socket_error(&errno::text(&e));
    let config = server.control.load().config.clone();
    follower.connecting(target);
    let address = (target.host.as_str(), target.port).to_socket_addrs().map_err(socket_error)?.next();
    let address = address.ok_or_else(|| log_text::replica::socket_error("no such host"))?;
    let limit = Duration::from_secs(u64::from(config.replication.repl_timeout));
    log::notice(log_text::replica::STARTED);
    let source = config.network.bind_source_addr.as_deref().and_then(resolve::now);
    let stream = reactor::connect_and_wait(address, source, limit).map_err(socket_error)?;
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
    let mut wire = Wire { stream, name: PathBuf::new(), file: None, opened: None };
    follower.connected(target, card, &mut wire)?;
    let mut buffer = vec![0; READ];
    loop {
        server.still.wait();
        match wire.stream.read(&mut buffer) {
            Ok(0) => return Err(log_text::replica::LOST.to_owned()),
            Ok(n) => follower.received(&buffer[..n], &mut wire)?,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                follower.look(&mut wire)?;
            }
            Err(e) => return Err(socket_error(e)),
        }
    }
}

impl Line for Wire {
    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.write_all(bytes).map_err(|e| log_text::replica::socket_error(&errno::text(&e)))
    }

    fn create_file(&mut self, name: &[u8]) -> Result<(), String> {
        self.name = PathBuf::from(OsStr::from_bytes(name));
        let temporary = PathBuf::from(format!("temp-{}.{}.rdb", clock::unix_ms() / 1000, std::process::id()));
        self.file = Some(Replacement::create_as(&temporary, &self.name, true).map_err(|e| errno::text(&e))?);
        Ok(())
    }

    fn write_file(&mut self, bytes: &[u8]) -> Result<(), String> {
        match &mut self.file {
            Some(file) => file.write_all(bytes).map_err(|e| errno::text(&e)),
            None => Ok(()),
        }
    }

    fn finish_file(&mut self) -> Result<(), String> {
        let path = &self.name;
        if let Some(file) = self.file.take() {
            let dir = std::env::current_dir().unwrap_or_default();
            file.commit().map_err(|e| {
                let why = errno::text(&io::Error::from(e));
                log_text::replica::cannot_rename(&path.display().to_string(), &dir.display().to_string(), &why)
            })?;
        }
        self.opened = Some(File::open(path).map_err(|e| errno::text(&e))?);
        Ok(())
    }

    fn read_file(&mut self, offset: u64, into: &mut [u8]) -> Result<usize, String> {
        match &self.opened {
            Some(file) => files::read_full_at(file, into, offset).map_err(|e| errno::text(&e)),
            None => Ok(0),
        }
    }

    fn remove_file(&mut self) {
        let _ = std::fs::remove_file(&self.name);
    }

    fn pause(&mut self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }
}
