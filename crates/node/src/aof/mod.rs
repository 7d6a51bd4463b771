//! The append-only file: the journal's bytes on disk.
//!
//! ```text
//!   journal ──read──► increment n ── at a rewrite's cut ──► increment n+1 …
//!                     manifest: base, increments            base: the snapshot of that cut
//! ```
//!
//! Whoever ends a turn with replies that depend on unwritten changes calls [`Aof::flush`]: the first writes for all, and the
//! others find it done. With `appendfsync always` it syncs as well. So no reply leaves before what it tells is as durable
//! as the configuration promises.
//!
//! | to see | look in |
//! |---|---|
//! | what is written, and when | here |
//! | how files become keys again | `load.rs` |
//! | what a start finds | `recover.rs` |
//! | what a disk promises | `../disk.rs` |

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ::aof::annotation::Annotation;
use ::aof::manifest::Manifest;
use ::aof::{File, Names};
use config::Config;
use config::directives::aof::AppendFsync;
use engine::Clock;
use journal::{Hold, Journal, ReplId, ReplOffset};
use parking_lot::Mutex;
use resp::log_text;

use crate::disk::{AppendFile, Disk};
use crate::server::LogLevel;

pub mod load;
pub mod recover;

use recover::read_manifest;

/// How much is read from the journal at a time.
const PIECE: usize = 1 << 20;

/// Writes a log line.
pub type Logger = Box<dyn Fn(LogLevel, &str) + Send + Sync>;

/// What the append-only file has of the world.
pub struct Ground {
    /// The files.
    pub disk: Box<dyn Disk>,
    /// The time, for annotations.
    pub clock: Arc<dyn Clock>,
    /// The log.
    pub log: Logger,
    /// The name of the base that a rewrite writes, until it is complete.
    pub temporary: String,
}

impl Ground {
    /// Writes a log line.
    pub fn notice(&self, text: impl AsRef<str>) {
        (self.log)(LogLevel::Notice, text.as_ref());
    }

    /// Writes a log line.
    pub fn warning(&self, text: impl AsRef<str>) {
        (self.log)(LogLevel::Warning, text.as_ref());
    }

    /// Microseconds since some moment.
    pub fn micros(&self) -> u64 {
        self.clock.nanos() / 1000
    }
}

/// The files, and how far they are.
pub struct Aof {
    /// What it has of the world.
    pub ground: Ground,
    journal: Arc<Journal>,
    state: Mutex<Option<Open>>,
    /// A rewrite while it is off: the manifest that gets the new base.
    offline: Mutex<Option<Offline>>,
    /// Nothing is written for so many microseconds after something was written (DEBUG AOF-FLUSH-SLEEP).
    pub flush_sleep: AtomicU64,
    /// Bytes in the newest base and in all increments, for INFO and automatic rewrites.
    pub base_size: AtomicU64,
    /// See `base_size`.
    pub current_size: AtomicU64,
}

struct Offline {
    dir: PathBuf,
    names: Names,
    manifest: Manifest,
}

struct Open {
    dir: PathBuf,
    names: Names,
    manifest: Manifest,
    file: Box<dyn AppendFile>,
    /// What has been written ends here.
    at: ReplOffset,
    /// The present increment begins here.
    start: ReplOffset,
    /// Keeps the journal from forgetting what has not been written.
    hold: Option<Hold>,
    /// A rewrite's cut: what comes behind it goes into the next increment.
    cut: Option<ReplOffset>,
    /// The increment that follows the cut of the rewrite under way.
    rewriting: Option<u64>,
    /// Nothing was written to it since it was opened.
    begins: bool,
    /// The last second that was noted in it.
    stamped: i64,
    /// Bytes written and not synced.
    dirty: bool,
    /// The manifest names nothing yet that can be loaded without the base that is being written.
    first_base: bool,
}

impl Aof {
    /// Off.
    pub fn new(journal: Arc<Journal>, ground: Ground) -> Self {
        Aof {
            ground,
            journal,
            state: Mutex::new(None),
            offline: Mutex::new(None),
            flush_sleep: AtomicU64::new(0),
            base_size: AtomicU64::new(0),
            current_size: AtomicU64::new(0),
        }
    }

    /// Begins to write behind what `manifest` names: to its last increment, or to a new one. `first_base`: nothing is promised
    /// before the base of the rewrite that follows is there, so what was there before stays as it is.
    pub fn open(&self, config: &Config, mut manifest: Manifest, first_base: bool) -> Result<(), String> {
        let disk = &*self.ground.disk;
        let (dir, names) = place(disk, config)?;
        let at = self.journal.end();
        let file = match manifest.increments().last() {
            Some(last) if !first_base => {
                let name = String::from_utf8_lossy(&last.name).into_owned();
                self.ground.notice(log_text::aof::opening_increment(&name));
                disk.append(&dir.join(OsStr::from_bytes(&last.name)))
                    .map_err(|e| log_text::aof::cannot_append(&name, &e))?
            }
            _ => increment(disk, &dir, &names, &mut manifest)?,
        };
        let open = Open {
            dir,
            names,
            manifest,
            file,
            at,
            start: at,
            hold: self.journal.hold(at),
            cut: None,
            rewriting: None,
            stamped: 0,
            begins: true,
            dirty: true,
            first_base,
        };
        if !first_base {
            open.write_manifest(disk)?;
            let total = size_of(disk, &open.dir, &open.manifest);
            self.base_size.store(total, Ordering::Relaxed);
            self.current_size.store(total, Ordering::Relaxed);
        }
        *self.state.lock() = Some(open);
        Ok(())
    }

    /// Begins while the server runs, behind whatever an earlier append-only file has left: its files are in force until the
    /// base of the rewrite that must follow replaces them. The world is held. `id` names the history if there is none yet.
    pub fn begin(&self, config: &Config, id: ReplId) -> Result<(), String> {
        let disk = &*self.ground.disk;
        let (dir, names) = place(disk, config)?;
        let manifest = read_manifest(&self.ground, &dir, &names)?.unwrap_or_default();
        self.journal.wake(id);
        self.open(config, manifest, true)
    }

    /// The journal has begun anew at another position. Until the base of the rewrite that follows is there, the manifest
    /// names what was before.
    pub fn restart(&self) -> Result<(), String> {
        let mut state = self.state.lock();
        let Some(open) = &mut *state else { return Ok(()) };
        let at = self.journal.end();
        open.file = increment(&*self.ground.disk, &open.dir, &open.names, &mut open.manifest)?;
        open.begins = true;
        open.at = at;
        open.start = at;
        open.hold = self.journal.hold(at);
        open.cut = None;
        open.rewriting = None;
        open.first_base = true;
        Ok(())
    }

    /// Stops writing. What is there stays.
    pub fn close(&self) {
        *self.state.lock() = None;
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.state.lock().is_some()
    }

    /// Whether nothing can be loaded from it yet: its first base is being written.
    pub fn is_incomplete(&self) -> bool {
        self.state.lock().as_ref().is_some_and(|open| open.first_base)
    }

    /// The offset up to which a crash of the machine would lose nothing; `None` when it is off or incomplete.
    pub fn durable_offset(&self) -> Option<u64> {
        let state = self.state.lock();
        state.as_ref().filter(|open| !open.first_base).map(|_| self.journal.fsynced.get().0)
    }

    /// Writes what the journal has up to now, at least to `to`; and syncs, if the configuration says always.
    pub fn flush(&self, to: u64, config: &Config) -> Result<(), String> {
        let always = config.aof.appendfsync == AppendFsync::Always;
        let level = if always { &self.journal.fsynced } else { &self.journal.written };
        if level.get().0 >= to {
            return Ok(());
        }
        let mut state = self.state.lock();
        let Some(open) = &mut *state else { return Ok(()) };
        if level.get().0 >= to {
            return Ok(());
        }
        self.write(open, config)?;
        if always && open.dirty {
            open.file.sync()?;
            open.dirty = false;
            self.journal.fsynced.advance(open.at);
        }
        Ok(())
    }

    fn write(&self, open: &mut Open, config: &Config) -> Result<(), String> {
        // Every call that succeeds ends between two units, so the first chunk of the next begins there.
        let mut between = true;
        loop {
            let max = match open.cut {
                Some(cut) => ((cut.0 - open.at.0) as usize).min(PIECE),
                None => PIECE,
            };
            if max > 0 {
                let chunk = self.journal.read(open.at, max).map_err(|_| log_text::aof::TRIMMED.to_owned())?;
                self.sleep_before(&chunk);
                let whole = open.file.len();
                let mut head = Vec::new();
                if between && chunk.end > chunk.start {
                    self.head(open, config, &mut head);
                }
                between = false;
                let written = open.file.append(&head);
                let written = written.and_then(|()| chunk.pieces.iter().try_for_each(|piece| open.file.append(piece)));
                if let Err(short) = written {
                    // The next attempt writes the chunk again, and behind half a chunk it could not be read.
                    open.begins |= !head.is_empty();
                    open.file.truncate(whole)?;
                    return Err(short);
                }
                self.current_size.fetch_add(chunk.end.0 - chunk.start.0, Ordering::Relaxed);
                open.dirty |= chunk.end > open.at;
                let moved = chunk.end > open.at;
                open.at = chunk.end;
                if let Some(hold) = &open.hold {
                    hold.advance(open.at);
                }
                if moved {
                    continue;
                }
            }
            if open.cut == Some(open.at) {
                open.cut = None;
                open.file.sync()?;
                self.journal.fsynced.advance(open.at);
                let next = increment(&*self.ground.disk, &open.dir, &open.names, &mut open.manifest)?;
                open.file = next;
                open.begins = true;
                open.start = open.at;
                between = true;
                open.rewriting = open.manifest.increments().last().map(|file| file.seq);
                if !open.first_base {
                    open.write_manifest(&*self.ground.disk)?;
                }
                continue;
            }
            self.journal.written.advance(open.at);
            return Ok(());
        }
    }

    /// What is written before the next unit: the time, if it is wanted and has changed; behind what is of another moment the
    /// database that the stream is in.
    fn head(&self, open: &mut Open, config: &Config, out: &mut Vec<u8>) {
        let now = self.ground.clock.unix_millis() / 1000;
        let begins = std::mem::take(&mut open.begins);
        if config.aof.aof_timestamp_enabled && (begins || now != open.stamped) {
            open.stamped = now;
            Annotation::Timestamp(now).write(out);
        }
        if begins {
            let boundary = self.journal.boundary_at_or_before(open.at).filter(|boundary| boundary.at == open.at);
            // A file is read with database 0 selected.
            let assumed = if open.file.is_empty() { 0 } else { u16::MAX };
            if let Some(db) = boundary.and_then(|boundary| boundary.db).filter(|db| db.0 != assumed) {
                resp::encode::command(out, &[&b"SELECT"[..], db.0.to_string().as_bytes()]);
            }
        }
    }

    /// Syncs what has been written, once a second.
    pub fn sync(&self) {
        let syncer = {
            let mut state = self.state.lock();
            match &mut *state {
                Some(open) if open.dirty => {
                    open.dirty = false;
                    open.file.syncer().ok().map(|syncer| (syncer, open.at))
                }
                _ => None,
            }
        };
        if let Some((syncer, at)) = syncer {
            match syncer.sync() {
                Ok(()) => self.journal.fsynced.advance(at),
                Err(e) => self.ground.warning(log_text::aof::sync_failed(&e)),
            }
        }
    }

    /// A rewrite has been cut at `offset`: a new increment begins there, if anything is appended at all. Answers where the
    /// new base is to be written.
    pub fn begin_rewrite(&self, offset: u64, config: &Config) -> Result<PathBuf, String> {
        let mut state = self.state.lock();
        let temporary = &self.ground.temporary;
        let Some(open) = state.as_mut() else {
            let (dir, names) = place(&*self.ground.disk, config)?;
            let manifest = read_manifest(&self.ground, &dir, &names)?.unwrap_or_default();
            let path = dir.join(temporary);
            *self.offline.lock() = Some(Offline { dir, names, manifest });
            return Ok(path);
        };
        // The first increment of all begins where its base is cut.
        if open.first_base && open.start.0 == offset {
            open.rewriting = open.manifest.increments().last().map(|file| file.seq);
        } else {
            open.cut = Some(ReplOffset(offset));
        }
        // The next increment is read without what stands before it, so its first record selects its database.
        self.journal.reset_db();
        Ok(open.dir.join(temporary))
    }

    /// The base of the rewrite is complete at `path`, as a `snapshot` or as commands: the manifest is switched, and what it
    /// replaces goes.
    pub fn finish_rewrite(&self, path: &Path, snapshot: bool, config: &Config) -> Result<(), String> {
        let mut state = self.state.lock();
        let offline = self.offline.lock().take();
        let (dir, names, manifest, new) = match (&mut *state, offline) {
            (Some(open), _) => {
                self.write(open, config)?;
                let Some(seq) = open.rewriting.take() else { return Err(log_text::aof::NO_INCREMENT.to_owned()) };
                open.first_base = false;
                let new = NewBase { path, snapshot, seq };
                (&open.dir, &open.names, &mut open.manifest, new)
            }
            (None, Some(Offline { dir, names, mut manifest })) => {
                return finish(
                    &self.ground,
                    &dir,
                    &names,
                    &mut manifest,
                    &NewBase { path, snapshot, seq: u64::MAX },
                    config,
                );
            }
            // It was turned off, and who did that has given the rewrite up.
            (None, None) => return Err(log_text::aof::TURNED_OFF.to_owned()),
        };
        finish(&self.ground, dir, names, manifest, &new, config)?;
        let total = size_of(&*self.ground.disk, dir, manifest);
        self.base_size.store(total, Ordering::Relaxed);
        self.current_size.store(total, Ordering::Relaxed);
        Ok(())
    }

    /// The rewrite under way has failed; its increment stays in use. True if there is no base without another rewrite.
    pub fn fail_rewrite(&self) -> bool {
        *self.offline.lock() = None;
        self.ground.warning(log_text::aof::REWRITE_FAILED);
        match &mut *self.state.lock() {
            Some(open) => {
                open.cut = None;
                open.rewriting = None;
                open.first_base
            }
            None => false,
        }
    }

    /// Removes what is not needed any more (`aof-disable-auto-gc` was turned off).
    pub fn collect(&self) -> Result<(), String> {
        match &mut *self.state.lock() {
            Some(open) => collect(&self.ground, &open.dir, &open.names, &mut open.manifest),
            None => Ok(()),
        }
    }

    fn sleep_before(&self, chunk: &journal::Chunk) {
        let micros = self.flush_sleep.load(Ordering::Relaxed);
        if micros > 0 && chunk.end > chunk.start {
            self.ground.disk.pause(Duration::from_micros(micros));
        }
    }
}

/// Where the files are, and what they are called. The folder is made.
fn place(disk: &dyn Disk, config: &Config) -> Result<(PathBuf, Names), String> {
    let dir = PathBuf::from(OsStr::from_bytes(&config.aof.appenddirname));
    disk.make_folder(&dir).map_err(|e| log_text::aof::cannot_make(&dir.display().to_string(), &e))?;
    Ok((dir, Names::new(&config.aof.appendfilename)))
}

/// A base that a rewrite has written.
struct NewBase<'p> {
    /// Where it is.
    path: &'p Path,
    /// Whether it is a snapshot; else it is commands.
    snapshot: bool,
    /// The increment that goes on from it.
    seq: u64,
}

/// Replaces the manifest.
pub fn write_manifest(disk: &dyn Disk, dir: &Path, names: &Names, manifest: &Manifest) -> Result<(), String> {
    disk.replace(&dir.join(OsStr::from_bytes(&names.manifest())), &manifest.to_bytes())
}

/// Bytes of all files that are in force.
fn size_of(disk: &dyn Disk, dir: &Path, manifest: &Manifest) -> u64 {
    let size = |file: &File| disk.len(&dir.join(OsStr::from_bytes(&file.name))).unwrap_or(0);
    manifest.base().into_iter().chain(manifest.increments()).map(size).sum()
}

/// Puts a new base in force, and removes what it replaces.
fn finish(
    ground: &Ground,
    dir: &Path,
    names: &Names,
    manifest: &mut Manifest,
    new: &NewBase<'_>,
    config: &Config,
) -> Result<(), String> {
    let base = manifest.add_base(names, new.snapshot).name.clone();
    manifest.retire_increments_before(new.seq);
    ground.disk.rename(new.path, &dir.join(OsStr::from_bytes(&base)))?;
    write_manifest(&*ground.disk, dir, names, manifest)?;
    if !config.aof.aof_disable_auto_gc {
        collect(ground, dir, names, manifest)?;
    }
    ground.notice(log_text::aof::REWRITE_DONE);
    Ok(())
}

fn collect(ground: &Ground, dir: &Path, names: &Names, manifest: &mut Manifest) -> Result<(), String> {
    let history = manifest.take_history();
    if history.is_empty() {
        return Ok(());
    }
    for file in history {
        ground.notice(log_text::aof::removing_history(&String::from_utf8_lossy(&file.name)));
        ground.disk.remove(&dir.join(OsStr::from_bytes(&file.name)));
    }
    write_manifest(&*ground.disk, dir, names, manifest)
}

impl Open {
    fn write_manifest(&self, disk: &dyn Disk) -> Result<(), String> {
        write_manifest(disk, &self.dir, &self.names, &self.manifest)
    }
}

/// Opens the next increment. It is empty until something is to be written.
fn increment(
    disk: &dyn Disk,
    dir: &Path,
    names: &Names,
    manifest: &mut Manifest,
) -> Result<Box<dyn AppendFile>, String> {
    let name = OsStr::from_bytes(&manifest.add_increment(names, None).name).to_owned();
    let path = dir.join(name);
    let fail = |e: String| log_text::aof::cannot_append(&path.display().to_string(), &e);
    let mut file = disk.append(&path).map_err(fail)?;
    if !file.is_empty() {
        // A former life has begun an increment of this number and ended before the manifest named it. What it has left is
        // no part of this one, and must not come back when the power fails.
        file.truncate(0).map_err(fail)?;
        file.sync().map_err(fail)?;
    }
    disk.sync_folder(dir).map_err(fail)?;
    Ok(file)
}
