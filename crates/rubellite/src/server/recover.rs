//! What the server finds when it starts: an append-only file, a snapshot file, or nothing.
//!
//! ```text
//!   appendonly yes:  manifest ─► base, increments        (a tail that a crash has cut off is cut away)
//!                    no manifest, but a dump.rdb ─► it is loaded and becomes the first base; the peers would lose it
//!   appendonly no:   dump.rdb
//! ```

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use aof::{Item, Manifest, Names, Place, Scanner, Tail, begins_with_snapshot};
use config::Config;
use engine::lease::{Attempt, Taken};
use journal::{History, ReplId, ReplOffset};
use node::execute::Core;
use node::loading::{Loader, Told};
use node::replay::Replay;
use node::server::{Server, replication_id};
use rdb::Version;
use rdb::encode::{Checksum, Form};
use resp::args::{Args, OwnedArgs};
use resp::log_text;
use runtime::{clock, errno, files, log};
use std::sync::atomic::Ordering;

use super::aof::Aof;

const READ: usize = 1 << 20;

/// Loads what the working directory holds, and begins to write the append-only file if there is to be one. The error is
/// for the log; the server must not start with less than its data.
pub fn recover(server: &Server, executor: usize, aof: &Aof) -> Result<(), String> {
    let mut core = Core::new(server, executor);
    let config = core.control().config.clone();
    let began = clock::monotonic_us();
    let mut attempt = Attempt::new(u64::MAX);
    if core.lease.take_world(&mut attempt) != Taken::Yes {
        return Err("Fatal error: somebody else runs while the data is loaded".to_owned());
    }
    attempt.succeed();
    let dump = Path::new(OsStr::from_bytes(&config.snapshot.dbfilename));
    if !config.aof.appendonly {
        if let Some(told) = load_snapshot(&mut core, dump)? {
            adopt_history(server, &told);
            log::notice(log_text::snapshot::loaded(told.keys, told.expired));
            log::notice(log_text::snapshot::loaded_in((clock::monotonic_us() - began) as f64 / 1e6));
        }
        core.lease.release();
        return Ok(());
    }
    let dir = PathBuf::from(OsStr::from_bytes(&config.aof.appenddirname));
    let names = Names::new(&config.aof.appendfilename);
    let path = dir.join(OsStr::from_bytes(&names.manifest()));
    let manifest = match std::fs::read(&path) {
        Ok(text) => {
            let manifest = Manifest::parse(&text).map_err(|e| format!("Invalid AOF manifest file format: {e}"))?;
            load_aof(&mut core, &dir, &manifest, &config)?;
            log::notice(log_text::aof::loaded_in((clock::monotonic_us() - began) as f64 / 1e6));
            manifest
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => first_base(&mut core, &dir, &names, dump, &config)?,
        Err(e) => {
            return Err(format!("Fatal error: can't open the AOF manifest {}: {}", path.display(), errno::text(&e)));
        }
    };
    start_aof(server, aof, &config, manifest)?;
    core.lease.release();
    Ok(())
}

/// Wakes the journal under a new id and opens the next increment. The world is held.
fn start_aof(server: &Server, aof: &Aof, config: &Config, manifest: Manifest) -> Result<(), String> {
    if !server.journal.is_awake() {
        server.journal.wake(replication_id(&*server.host));
    }
    aof.open(config, manifest, false)?;
    server.aof_on.store(true, Ordering::Release);
    Ok(())
}

/// A restarted server has a new id; the one it finds becomes the second, so that replicas may go on from there.
fn adopt_history(server: &Server, told: &Told) {
    let (Some(id), Some(offset)) = (&told.repl_id, told.repl_offset) else { return };
    let Some(id) = ReplId::parse(id) else { return };
    if offset == 0 {
        return;
    }
    let mut history = History::new(id);
    history.shift(replication_id(&*server.host), ReplOffset(offset));
    server.journal.restart(history, ReplOffset(offset), told.stream_db.map(journal::DbIndex));
}

/// No append-only file yet: its first base is the snapshot file if there is one, or an empty one.
fn first_base(
    core: &mut Core<'_>,
    dir: &Path,
    names: &Names,
    dump: &Path,
    config: &Config,
) -> Result<Manifest, String> {
    std::fs::create_dir_all(dir)
        .map_err(|e| format!("Can't create directory {}: {}", dir.display(), errno::text(&e)))?;
    let mut manifest = Manifest::default();
    let old = Path::new(OsStr::from_bytes(&config.aof.appendfilename));
    if old.is_file() {
        // A file of before Redis 7: it becomes the base as it is.
        let name = manifest.adopt_base(names.stem()).name.clone();
        let target = dir.join(OsStr::from_bytes(&name));
        std::fs::rename(old, &target).map_err(|e| errno::text(&e))?;
        load_file(core, &target, config, true)?;
        return Ok(manifest);
    }
    let target = dir.join(OsStr::from_bytes(&manifest.add_base(names, true).name));
    match load_snapshot(core, dump)? {
        Some(told) => {
            log::warning(format!(
                "appendonly is on and there is no append only file: {} keys were loaded from {}, which becomes its first base",
                told.keys,
                dump.display()
            ));
            std::fs::copy(dump, &target).map_err(|e| errno::text(&e))?;
        }
        None => {
            let form = Form { version: Version::COMMON, compress: false };
            let mut bytes = Vec::new();
            form.header(&mut bytes);
            form.aux_int(&mut bytes, b"aof-base", 1);
            Form::eof(&mut bytes);
            let mut sum = Checksum::new(config.snapshot.rdbchecksum);
            sum.update(&bytes);
            bytes.extend_from_slice(&sum.finish());
            files::replace(&target, &bytes).map_err(|e| errno::text(&e))?;
            log::notice(log_text::aof::creating_base(
                &target.file_name().unwrap_or_default().to_string_lossy(),
                "server start",
            ));
        }
    }
    files::sync_directory(dir).map_err(|e| errno::text(&e))?;
    Ok(manifest)
}

fn load_aof(core: &mut Core<'_>, dir: &Path, manifest: &Manifest, config: &Config) -> Result<(), String> {
    let last = manifest.increments().last().or(manifest.base()).map(|file| file.name.clone());
    for file in manifest.base().into_iter().chain(manifest.increments()) {
        let is_last = Some(&file.name) == last.as_ref();
        load_file(core, &dir.join(OsStr::from_bytes(&file.name)), config, is_last)?;
    }
    Ok(())
}

/// Loads one file of an append-only log: a snapshot, commands, or both.
fn load_file(core: &mut Core<'_>, path: &Path, config: &Config, may_be_cut: bool) -> Result<(), String> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let fail = |e: std::io::Error| {
        format!("Fatal error: can't open the append log file {name} for reading: {}", errno::text(&e))
    };
    let began = clock::monotonic_us();
    let mut file = File::open(path).map_err(fail)?;
    let mut buffer = vec![0; READ];
    let mut n = file.read(&mut buffer).map_err(fail)?;
    let mut scanner = Scanner::new(0);
    let mut rest: Option<Vec<u8>> = None;
    if begins_with_snapshot(&buffer[..n]) {
        log::notice(log_text::aof::BASE);
        let mut loader = Loader::new(core, false);
        let mut read = 0u64;
        while !loader.is_done() {
            if n == 0 {
                return Err(log_text::aof::bad_format(&name));
            }
            read += n as u64;
            loader.feed(core, &buffer[..n])?;
            if !loader.is_done() {
                n = file.read(&mut buffer).map_err(fail)?;
            }
        }
        let behind = loader.rest().to_vec();
        scanner = Scanner::new(read - behind.len() as u64);
        rest = Some(behind);
    }
    let mut replay = Replay::new(core);
    let mut unit: Vec<OwnedArgs> = Vec::new();
    loop {
        match rest.take() {
            Some(bytes) => scanner.feed(&bytes),
            None if n == 0 => break,
            None => scanner.feed(&buffer[..n]),
        }
        loop {
            match scanner.next() {
                Ok(Some(Item::Command(args, Place::Alone))) => execute(core, &mut replay, args, &name),
                // A unit whose EXEC a crash has cut off must not be half executed.
                Ok(Some(Item::Command(_, Place::Opens))) => unit.clear(),
                Ok(Some(Item::Command(args, Place::Inside))) => unit.push(args.to_owned_args()),
                Ok(Some(Item::Command(_, Place::Closes))) => {
                    unit.drain(..).for_each(|args| execute(core, &mut replay, args.as_args(), &name));
                }
                Ok(Some(Item::Annotation(_))) => {}
                Ok(None) => break,
                Err(e) => {
                    log::warning(e);
                    return Err(log_text::aof::bad_format(&name));
                }
            }
        }
        n = file.read(&mut buffer).map_err(fail)?;
    }
    if let Tail::CutOff { good_up_to, .. } = scanner.tail() {
        if !(may_be_cut && config.aof.aof_load_truncated) {
            return Err(log_text::aof::unexpected_end(&name));
        }
        log::warning(log_text::aof::truncating(&name, good_up_to));
        let file = std::fs::OpenOptions::new().write(true).open(path).map_err(fail)?;
        file.set_len(good_up_to).map_err(fail)?;
        log::warning(log_text::aof::truncated(&name));
    }
    log::notice(log_text::aof::increment_loaded(&name, (clock::monotonic_us() - began) as f64 / 1e6));
    Ok(())
}

fn execute(core: &mut Core<'_>, replay: &mut Replay, args: Args<'_>, name: &str) {
    if let Err(error) = replay.execute(core, args) {
        log::warning(format!("A command of {name} was refused: {}", error.escape_ascii()));
    }
}

/// Loads one snapshot file; `None` when there is none. The lease has the world.
fn load_snapshot(core: &mut Core<'_>, path: &Path) -> Result<Option<Told>, String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => {
            let why = errno::text(&e);
            return Err(format!("Fatal error: can't open the RDB file {} for reading: {why}", path.display()));
        }
    };
    let mut loader = Loader::new(core, false);
    let mut buffer = vec![0; READ];
    loop {
        let n = file.read(&mut buffer).map_err(|e| errno::text(&e))?;
        if n == 0 {
            break;
        }
        loader.feed(core, &buffer[..n])?;
    }
    loader.finish(core).map(Some)
}
