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

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aof::Names;
use aof::annotation::preamble;
use aof::manifest::{Manifest, Start};
use config::Config;
use config::directives::aof::AppendFsync;
use journal::{Hold, Journal, ReplId, ReplOffset};
use parking_lot::Mutex;
use resp::log_text;
use runtime::files::{self, AppendFile};
use runtime::{clock, errno, log};

/// How much is read from the journal at a time.
const PIECE: usize = 1 << 20;

/// The files, and how far they are.
pub struct Aof {
    journal: Arc<Journal>,
    state: Mutex<Option<Open>>,
    /// Bytes in the newest base and in all increments, for INFO and automatic rewrites.
    pub base_size: AtomicU64,
    /// See `base_size`.
    pub current_size: AtomicU64,
}

struct Open {
    dir: PathBuf,
    names: Names,
    manifest: Manifest,
    file: AppendFile,
    /// What has been written ends here.
    at: ReplOffset,
    /// Keeps the journal from forgetting what has not been written.
    hold: Option<Hold>,
    /// A rewrite's cut: what comes behind it goes into the next increment.
    cut: Option<ReplOffset>,
    /// The increment that follows the cut of the rewrite under way.
    rewriting: Option<u64>,
    /// Bytes written and not synced.
    dirty: bool,
    /// The manifest names nothing yet that can be loaded without the base that is being written.
    first_base: bool,
}

impl Aof {
    /// Off.
    pub fn new(journal: Arc<Journal>) -> Self {
        Aof { journal, state: Mutex::new(None), base_size: AtomicU64::new(0), current_size: AtomicU64::new(0) }
    }

    /// Begins to write a new increment behind what `manifest` names. `first_base`: nothing is promised before the base
    /// of the rewrite that follows is there.
    pub fn open(&self, config: &Config, mut manifest: Manifest, first_base: bool) -> Result<(), String> {
        let dir = PathBuf::from(OsStr::from_bytes(&config.aof.appenddirname));
        std::fs::create_dir_all(&dir)
            .map_err(|e| format!("Can't create directory {}: {}", dir.display(), errno::text(&e)))?;
        let names = Names::new(&config.aof.appendfilename);
        let at = self.journal.end();
        let file = increment(&self.journal, &dir, &names, &mut manifest, at, config)?;
        let open = Open {
            dir,
            names,
            manifest,
            file,
            at,
            hold: self.journal.hold(at),
            cut: None,
            rewriting: None,
            dirty: true,
            first_base,
        };
        if !first_base {
            open.write_manifest()?;
        }
        *self.state.lock() = Some(open);
        Ok(())
    }

    /// Begins while the server runs, behind whatever an earlier append-only file has left: its files are in force until the
    /// base of the rewrite that must follow replaces them. The world is held. `id` names the history if there is none yet.
    pub fn begin(&self, config: &Config, id: ReplId) -> Result<(), String> {
        let dir = PathBuf::from(OsStr::from_bytes(&config.aof.appenddirname));
        let path = dir.join(OsStr::from_bytes(&Names::new(&config.aof.appendfilename).manifest()));
        let manifest = match std::fs::read(&path) {
            Ok(text) => Manifest::parse(&text).map_err(|e| format!("Invalid AOF manifest file format: {e}"))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Manifest::default(),
            Err(e) => return Err(format!("Can't open the AOF manifest {}: {}", path.display(), errno::text(&e))),
        };
        self.journal.wake(id);
        self.open(config, manifest, true)
    }

    /// The journal has begun anew at another position. Until the base of the rewrite that follows is there, the manifest
    /// names what was before.
    pub fn restart(&self, config: &Config) -> Result<(), String> {
        let mut state = self.state.lock();
        let Some(open) = &mut *state else { return Ok(()) };
        let at = self.journal.end();
        open.file = increment(&self.journal, &open.dir, &open.names, &mut open.manifest, at, config)?;
        open.at = at;
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
            open.file.sync().map_err(|e| errno::text(&e))?;
            open.dirty = false;
            self.journal.fsynced.advance(open.at);
        }
        Ok(())
    }

    fn write(&self, open: &mut Open, config: &Config) -> Result<(), String> {
        loop {
            let max = match open.cut {
                Some(cut) => ((cut.0 - open.at.0) as usize).min(PIECE),
                None => PIECE,
            };
            if max > 0 {
                let chunk =
                    self.journal.read(open.at, max).map_err(|_| "the journal was trimmed too early".to_owned())?;
                let whole = open.file.len();
                let written = chunk.pieces.iter().try_for_each(|piece| open.file.append(piece));
                if let Err(short) = written {
                    // The next attempt writes the chunk again, and behind half a chunk it could not be read.
                    open.file.truncate(whole).map_err(|e| errno::text(&e))?;
                    return Err(errno::text(&short.error));
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
                open.file.sync().map_err(|e| errno::text(&e))?;
                self.journal.fsynced.advance(open.at);
                let next = increment(&self.journal, &open.dir, &open.names, &mut open.manifest, open.at, config)?;
                open.file = next;
                open.rewriting = open.manifest.increments().last().map(|file| file.seq);
                if !open.first_base {
                    open.write_manifest()?;
                }
                continue;
            }
            self.journal.written.advance(open.at);
            return Ok(());
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
                Err(e) => log::warning(format!("Error syncing the append only file: {}", errno::text(&e))),
            }
        }
    }

    /// A rewrite has been cut at `offset`: a new increment begins there. Answers the name of the new base.
    pub fn begin_rewrite(&self, offset: u64) -> Option<PathBuf> {
        let mut state = self.state.lock();
        let open = state.as_mut()?;
        open.cut = Some(ReplOffset(offset));
        // The next increment is read without what stands before it, so its first record selects its database.
        self.journal.reset_db();
        Some(open.dir.join(format!("temp-rewriteaof-bg-{}.aof", std::process::id())))
    }

    /// The base of the rewrite is complete at `path`: the manifest is switched, and what it replaces goes.
    pub fn finish_rewrite(&self, path: &Path, config: &Config) -> Result<(), String> {
        let mut state = self.state.lock();
        let Some(open) = &mut *state else { return Ok(()) };
        self.write(open, config)?;
        let Some(seq) = open.rewriting.take() else { return Err("the rewrite's increment is missing".to_owned()) };
        let base = OsStr::from_bytes(&open.manifest.add_base(&open.names, true).name).to_owned();
        std::fs::rename(path, open.dir.join(base)).map_err(|e| errno::text(&e))?;
        open.manifest.retire_increments_before(seq);
        let history = open.manifest.take_history();
        open.first_base = false;
        open.write_manifest()?;
        for file in history {
            let _ = std::fs::remove_file(open.dir.join(OsStr::from_bytes(&file.name)));
        }
        let size = open
            .manifest
            .base()
            .and_then(|base| std::fs::metadata(open.dir.join(OsStr::from_bytes(&base.name))).ok().map(|m| m.len()));
        let total = size.unwrap_or(0) + open.file.len();
        self.base_size.store(total, Ordering::Relaxed);
        self.current_size.store(total, Ordering::Relaxed);
        log::notice(log_text::aof::REWRITE_DONE);
        Ok(())
    }

    /// The rewrite under way has failed; its increment stays in use.
    pub fn fail_rewrite(&self) {
        if let Some(open) = &mut *self.state.lock() {
            open.cut = None;
            open.rewriting = None;
        }
        log::warning(log_text::aof::REWRITE_FAILED);
    }
}

impl Open {
    fn write_manifest(&self) -> Result<(), String> {
        let path = self.dir.join(OsStr::from_bytes(&self.names.manifest()));
        files::replace(&path, &self.manifest.to_bytes()).map_err(|e| errno::text(&e))
    }
}

/// Opens the next increment, with its preamble.
fn increment(
    journal: &Journal,
    dir: &Path,
    names: &Names,
    manifest: &mut Manifest,
    at: ReplOffset,
    config: &Config,
) -> Result<AppendFile, String> {
    let start = Start { offset: at.0, replid: journal.history().id.as_bytes().to_vec() };
    let name = OsStr::from_bytes(&manifest.add_increment(names, Some(start)).name).to_owned();
    let path = dir.join(name);
    let fail =
        |e: &std::io::Error| format!("Can't open or create append-only file {}: {}", path.display(), errno::text(e));
    let mut file = AppendFile::open(&path).map_err(|e| fail(&e))?;
    let mut head = Vec::new();
    let timestamp = config.aof.aof_timestamp_enabled.then(|| clock::unix_ms() / 1000);
    preamble(&mut head, timestamp, u32::from(journal.stream_db().map_or(0, |db| db.0)), at.0);
    file.append(&head).map_err(|e| fail(&e.error))?;
    files::sync_directory(dir).map_err(|e| fail(&e))?;
    Ok(file)
}
