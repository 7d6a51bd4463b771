//! Files become keys: the snapshot file, and the files of an append-only log.
//!
//! ```text
//!   alone      DEBUG RELOAD, DEBUG LOADAOF     the caller's world is held from the first byte to the last
//!   in turns   at start                        the world is given back after every piece: INFO and PING are answered
//! ```
//!
//! Between two pieces nobody can change data, because `Control::loading` is set.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ::aof::{Item, Manifest, Place, Role, Scanner, Tail, begins_with_snapshot};
use config::Config;
use engine::background::Sleeper;
use engine::lease::{Attempt, Taken};
use resp::args::{Args, OwnedArgs};
use resp::log_text;

use super::Ground;
use crate::execute::Core;
use crate::loading::{How, Loader, Told};
use crate::replay::{Refused, Replay};

const READ: usize = 1 << 20;
/// How often a delay looks whether it is still wanted.
const STEP: Duration = Duration::from_millis(10);

/// Why a load has ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The server is to end.
    Over,
    /// For the log.
    Fatal(String),
}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Failure::Fatal(reason)
    }
}

impl Failure {
    /// The reason, for the log.
    pub fn text(self) -> String {
        match self {
            Failure::Over => "The load was given up because the server ends".to_owned(),
            Failure::Fatal(reason) => reason,
        }
    }
}

/// An executor that loads, and how it holds the world.
pub struct Reader<'c, 's> {
    /// The executor; between two calls it has the world.
    pub core: &'c mut Core<'s>,
    /// Where the files are.
    pub ground: &'c Ground,
    turns: Option<Turns>,
    piece: usize,
}

struct Turns {
    sleeper: Arc<Sleeper>,
    attempt: Attempt,
}

impl<'c, 's> Reader<'c, 's> {
    /// Loads under the world that the executor has.
    pub fn alone(core: &'c mut Core<'s>, ground: &'c Ground) -> Self {
        Reader { core, ground, turns: None, piece: READ }
    }

    /// Loads in turns. The executor's wakes go to `sleeper`; `attempt` is its own.
    pub fn in_turns(core: &'c mut Core<'s>, ground: &'c Ground, sleeper: Arc<Sleeper>, attempt: Attempt) -> Self {
        let interval = core.control().config.snapshot.loading_process_events_interval_bytes as usize;
        let mut reader = Reader { core, ground, turns: Some(Turns { sleeper, attempt }), piece: interval.min(READ) };
        reader.take_world();
        reader
    }

    /// Lets the others in between two pieces, the last of which held so many keys or commands.
    fn pause(&mut self, bytes: usize, keys: u64) -> Result<(), Failure> {
        let server = self.core.server;
        server.loading.advance(bytes as u64);
        if self.turns.is_none() {
            return Ok(());
        }
        self.core.lease.release();
        // Tests slow loading down. A delay that is taken back ends at once.
        let began = self.ground.micros();
        loop {
            if server.is_over() {
                return Err(Failure::Over);
            }
            let micros = delay_micros(server.control.load().config.snapshot.key_load_delay, keys);
            let passed = u128::from(self.ground.micros() - began);
            if passed >= micros {
                break;
            }
            self.ground.disk.pause(STEP.min(Duration::from_micros((micros - passed).min(1 << 30) as u64)));
        }
        self.take_world();
        Ok(())
    }

    fn take_world(&mut self) {
        if let Some(turns) = &mut self.turns {
            while self.core.lease.take_world(&mut turns.attempt) != Taken::Yes {
                turns.sleeper.sleep();
            }
            turns.attempt.succeed();
        }
    }

    /// Loads one snapshot file; `None` when there is none.
    pub fn snapshot(&mut self, path: &Path, how: How) -> Result<Option<Told>, Failure> {
        let opened = self.ground.disk.open(path);
        let opened = opened.map_err(|e| log_text::snapshot::cannot_open(&path.display().to_string(), &e))?;
        let Some(mut file) = opened else { return Ok(None) };
        let mut loader = Loader::new(self.core, how);
        let mut buffer = vec![0; self.piece];
        let mut keys = 0;
        loop {
            let n = file.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            loader.feed(self.core, &buffer[..n])?;
            self.pause(n, loader.keys() - std::mem::replace(&mut keys, loader.keys()))?;
        }
        Ok(Some(loader.finish(self.core)?))
    }

    /// Loads the files that a manifest names, in order. Answers whether there was anything.
    pub fn log(&mut self, dir: &Path, manifest: &Manifest, config: &Config) -> Result<bool, Failure> {
        let files: Vec<_> = manifest.base().into_iter().chain(manifest.increments()).collect();
        let mut total = 0;
        for file in &files {
            let path = dir.join(OsStr::from_bytes(&file.name));
            total += self.ground.disk.len(&path).unwrap_or(0);
        }
        self.core.server.loading.begin(self.ground.clock.unix_millis() / 1000, total);
        for (index, file) in files.iter().enumerate() {
            let began = self.ground.micros();
            let is_base = file.role == Role::Base;
            let is_last = index + 1 == files.len();
            self.log_file(&dir.join(OsStr::from_bytes(&file.name)), config, is_last)?;
            let name = String::from_utf8_lossy(&file.name);
            let seconds = (self.ground.micros() - began) as f64 / 1e6;
            self.ground.notice(match is_base {
                true => log_text::aof::base_loaded(&name, seconds),
                false => log_text::aof::increment_loaded(&name, seconds),
            });
        }
        Ok(total > 0)
    }

    /// Loads one file of an append-only log: a snapshot, commands, or both. A file that `may_be_cut` is cut back to where its
    /// last complete unit ends, if the configuration allows it.
    pub fn log_file(&mut self, path: &Path, config: &Config, may_be_cut: bool) -> Result<(), Failure> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let fail = |e: String| Failure::Fatal(log_text::aof::cannot_open(&name, &e));
        let Some(mut file) = self.ground.disk.open(path).map_err(fail)? else {
            return Err(Failure::Fatal(log_text::aof::missing(&name, "No such file or directory")));
        };
        let mut buffer = vec![0; self.piece];
        let mut n = file.read(&mut buffer).map_err(fail)?;
        let mut scanner = Scanner::new(0);
        let mut rest: Option<Vec<u8>> = None;
        if begins_with_snapshot(&buffer[..n]) {
            self.ground.notice(log_text::aof::BASE);
            let mut loader = Loader::new(self.core, How { keep_expired: true, ..How::default() });
            let (mut read, mut keys) = (0u64, 0);
            while !loader.is_done() {
                if n == 0 {
                    return Err(Failure::Fatal(log_text::aof::base_aborted(&name)));
                }
                read += n as u64;
                if let Err(reason) = loader.feed(self.core, &buffer[..n]) {
                    self.ground.warning(reason);
                    return Err(Failure::Fatal(log_text::aof::base_aborted(&name)));
                }
                if !loader.is_done() {
                    self.pause(n, loader.keys() - std::mem::replace(&mut keys, loader.keys()))?;
                    n = file.read(&mut buffer).map_err(fail)?;
                }
            }
            let behind = loader.rest().to_vec();
            scanner = Scanner::new(read - behind.len() as u64);
            rest = Some(behind);
        }
        let mut replay = Replay::new(self.core);
        let mut unit: Vec<OwnedArgs> = Vec::new();
        let mut commands = 0;
        loop {
            match rest.take() {
                Some(bytes) => scanner.feed(&bytes),
                None if n == 0 => break,
                None => scanner.feed(&buffer[..n]),
            }
            loop {
                match scanner.next() {
                    Ok(Some(Item::Command(args, Place::Alone))) => self.execute(&mut replay, args, &name)?,
                    // A unit whose EXEC a crash has cut off must not be half executed.
                    Ok(Some(Item::Command(_, Place::Opens))) => unit.clear(),
                    Ok(Some(Item::Command(args, Place::Inside))) => unit.push(args.to_owned_args()),
                    Ok(Some(Item::Command(_, Place::Closes))) => {
                        for args in unit.drain(..) {
                            self.execute(&mut replay, args.as_args(), &name)?;
                        }
                    }
                    Ok(Some(Item::Annotation(_))) => {}
                    Ok(None) => break,
                    Err(e) => {
                        self.ground.warning(e.to_string());
                        return Err(Failure::Fatal(log_text::aof::bad_format(&name)));
                    }
                }
            }
            self.pause(n, replay.commands - std::mem::replace(&mut commands, replay.commands))?;
            n = file.read(&mut buffer).map_err(fail)?;
        }
        if let Tail::CutOff { good_up_to, in_multi } = scanner.tail() {
            if in_multi {
                self.ground.warning(log_text::aof::reverted(&name));
            }
            if !(may_be_cut && config.aof.aof_load_truncated) {
                return Err(Failure::Fatal(log_text::aof::unexpected_end(&name)));
            }
            self.ground.warning(log_text::aof::short_read(&name));
            self.ground.warning(log_text::aof::truncating(&name, good_up_to));
            self.ground.disk.cut(path, good_up_to).map_err(fail)?;
            self.ground.warning(log_text::aof::truncated(&name));
        }
        Ok(())
    }

    /// A command that this server does not have is as bad as a damaged file: what it changed would be missing.
    fn execute(&mut self, replay: &mut Replay, args: Args<'_>, name: &str) -> Result<(), Failure> {
        match replay.execute(self.core, args) {
            Ok(()) => Ok(()),
            Err(Refused::Unknown(error)) => {
                Err(Failure::Fatal(log_text::aof::unreadable(name, &String::from_utf8_lossy(&error))))
            }
            Err(Refused::Failed(error)) => {
                self.ground.warning(log_text::aof::refused(name, &error.escape_ascii().to_string()));
                Ok(())
            }
        }
    }
}

/// The microseconds that so many keys take under `key-load-delay`: a negative one says how many keys share one.
pub fn delay_micros(delay: i32, keys: u64) -> u128 {
    match delay {
        0.. => u128::from(keys) * delay.unsigned_abs() as u128,
        _ => u128::from(keys / u64::from(delay.unsigned_abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_per_key_or_shared_by_several() {
        assert_eq!(delay_micros(50, 3), 150);
        assert_eq!(delay_micros(-10, 35), 3);
        assert_eq!(delay_micros(0, 35), 0);
    }
}
