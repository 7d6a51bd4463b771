//! What the server finds when it starts: an append-only file, a snapshot file, or nothing.
//!
//! ```text
//!   appendonly yes:  manifest ─► base, increments        (a tail that a crash has cut off is cut away)
//!                    no manifest, but a dump.rdb ─► it is loaded and becomes the first base; the peers would lose it
//!   appendonly no:   dump.rdb
//! ```
//!
//! Clients are let in before: until everything is there, `Control::loading` is set, and they are told so.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use ::aof::{Manifest, Names};
use config::Config;
use engine::background::Sleeper;
use rdb::Version;
use rdb::encode::{Checksum, Form};
use resp::log_text;

use super::load::{Failure, Reader};
use super::{Aof, Ground, write_manifest};
use crate::execute::{Core, Errand};
use crate::loading::{How, Told};
use crate::server::{Server, replication_id};

/// Loads what the working directory holds, begins to write the append-only file if there is to be one, and lets the
/// clients at the data. The error is for the log; the server must not go on with less than its data. `executor` is this
/// thread's alone.
pub fn recover(server: &Server, executor: usize, aof: &Aof) -> Result<(), Failure> {
    let sleeper = Sleeper::new();
    let mut core = Core::with_wake(server, executor, sleeper.clone());
    let attempt = core.new_attempt(Errand::Load);
    let ground = &aof.ground;
    let mut reader = Reader::in_turns(&mut core, ground, sleeper, attempt);
    let config = reader.core.control().config.clone();
    let began = ground.micros();
    match config.aof.appendonly {
        true => recover_log(&mut reader, aof, &config, began)?,
        false => {
            let dump = Path::new(OsStr::from_bytes(&config.snapshot.dbfilename));
            if let Some(told) = recover_snapshot(&mut reader, dump, true)? {
                ground.notice(log_text::snapshot::loaded(told.keys, told.expired, told.empty));
                ground.notice(log_text::snapshot::loaded_in((ground.micros() - began) as f64 / 1e6));
            }
        }
    }
    let now = server.engine.now();
    reader.core.publish_control(|control| {
        control.loading = false;
        control.start_guard(now);
    });
    if reader.core.control().guard.is_some() {
        ground.notice(log_text::start::guarded(config.replication.sentinel_guard_ms));
    }
    reader.core.lease.release();
    Ok(())
}

/// `goes_on`: replicas may go on from the position that the file names.
fn recover_snapshot(reader: &mut Reader<'_, '_>, dump: &Path, goes_on: bool) -> Result<Option<Told>, Failure> {
    let ground = reader.ground;
    let size = ground.disk.len(dump).unwrap_or(0);
    let server = reader.core.server;
    server.loading.begin(ground.clock.unix_millis() / 1000, size);
    // A replica is told of what expires.
    let keep_expired = reader.core.control().is_replica();
    match reader.snapshot(dump, How { keep_expired, goes_on, ..How::default() }) {
        Err(Failure::Fatal(reason)) => {
            let damaged = reason.starts_with(log_text::snapshot::DAMAGED);
            let last = if damaged { log_text::snapshot::TERMINATING } else { log_text::snapshot::FATAL };
            ground.warning(reason);
            Err(Failure::Fatal(last.to_owned()))
        }
        other => other,
    }
}

fn recover_log(reader: &mut Reader<'_, '_>, aof: &Aof, config: &Config, began: u64) -> Result<(), Failure> {
    let (server, ground) = (reader.core.server, reader.ground);
    let dir = PathBuf::from(OsStr::from_bytes(&config.aof.appenddirname));
    let names = Names::new(&config.aof.appendfilename);
    let old = Path::new(OsStr::from_bytes(&config.aof.appendfilename));
    let manifest = match read_manifest(ground, &dir, &names)? {
        Some(manifest) => {
            // An upgrade that a crash has interrupted between its two steps.
            let adopted = dir.join(OsStr::from_bytes(names.stem()));
            let unmoved =
                manifest.base().is_some_and(|base| base.name == names.stem()) && ground.disk.len(&adopted).is_none();
            if unmoved && manifest.increments().is_empty() && ground.disk.len(old).is_some() {
                adopt_file(ground, old, &adopted)?;
            }
            if reader.log(&dir, &manifest, config)? {
                ground.notice(log_text::aof::loaded_in((ground.micros() - began) as f64 / 1e6));
            }
            manifest
        }
        None => first_base(reader, &dir, &names, config)?,
    };
    if !server.journal.is_awake() {
        server.journal.wake(replication_id(&*server.host));
    }
    aof.open(config, manifest, false)?;
    server.aof_on.store(true, Ordering::Release);
    Ok(())
}

/// The manifest of a log; `None` when there is none. Faults are logged line by line.
pub fn read_manifest(ground: &Ground, dir: &Path, names: &Names) -> Result<Option<Manifest>, String> {
    let path = dir.join(OsStr::from_bytes(&names.manifest()));
    let fail = |e: String| log_text::aof::cannot_open_manifest(&path.display().to_string(), &e);
    let Some(mut file) = ground.disk.open(&path).map_err(fail)? else { return Ok(None) };
    let (mut text, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        match file.read(&mut buffer).map_err(fail)? {
            0 => break,
            n => text.extend_from_slice(&buffer[..n]),
        }
    }
    Manifest::parse(&text).map(Some).map_err(|e| {
        ground.warning(log_text::aof::MANIFEST_FAULT);
        let text = e.to_string();
        let mut lines: Vec<&str> = text.lines().collect();
        let last = lines.pop().unwrap_or_default().to_owned();
        lines.into_iter().for_each(|line| ground.warning(line));
        last
    })
}

/// No append-only file yet: its first base is the file of a version before 7, the snapshot file, or an empty one.
fn first_base(reader: &mut Reader<'_, '_>, dir: &Path, names: &Names, config: &Config) -> Result<Manifest, Failure> {
    let ground = reader.ground;
    let made = |e: String| log_text::aof::cannot_make(&dir.display().to_string(), &e);
    ground.disk.make_folder(dir).map_err(made)?;
    let mut manifest = Manifest::default();
    let old = Path::new(OsStr::from_bytes(&config.aof.appendfilename));
    if ground.disk.len(old).is_some() {
        // A file of before Redis 7: it becomes the base as it is.
        let target = dir.join(OsStr::from_bytes(&manifest.adopt_base(names.stem()).name));
        write_manifest(&*ground.disk, dir, names, &manifest)?;
        adopt_file(ground, old, &target)?;
        reader.log(dir, &manifest, config)?;
        return Ok(manifest);
    }
    let dump = Path::new(OsStr::from_bytes(&config.snapshot.dbfilename));
    let target = dir.join(OsStr::from_bytes(&manifest.add_base(names, config.aof.aof_use_rdb_preamble).name));
    match recover_snapshot(reader, dump, false)? {
        Some(told) => {
            // The file is a snapshot, whatever a new base would be.
            manifest = Manifest::default();
            let target = dir.join(OsStr::from_bytes(&manifest.add_base(names, true).name));
            ground.warning(log_text::aof::base_of_snapshot(told.keys, &dump.display().to_string()));
            ground.disk.copy(dump, &target)?;
        }
        None => {
            let bytes = if config.aof.aof_use_rdb_preamble { empty_snapshot(config) } else { Vec::new() };
            ground.disk.replace(&target, &bytes)?;
            let name = target.file_name().unwrap_or_default().to_string_lossy();
            ground.notice(log_text::aof::creating_base(&name, "on server start"));
        }
    }
    ground.disk.sync_folder(dir)?;
    Ok(manifest)
}

/// Moves a file of before Redis 7 to where its manifest names it.
fn adopt_file(ground: &Ground, old: &Path, target: &Path) -> Result<(), String> {
    ground.disk.rename(old, target)?;
    let dir = target.parent().unwrap_or(Path::new("."));
    ground.disk.sync_folder(dir)?;
    ground.notice(log_text::aof::upgraded(&old.display().to_string(), &dir.display().to_string()));
    Ok(())
}

fn empty_snapshot(config: &Config) -> Vec<u8> {
    let form = Form { version: Version::COMMON, compress: false };
    let mut bytes = Vec::new();
    form.header(&mut bytes);
    form.aux_int(&mut bytes, b"aof-base", 1);
    Form::eof(&mut bytes);
    let mut sum = Checksum::new(config.snapshot.rdbchecksum);
    sum.update(&bytes);
    bytes.extend_from_slice(&sum.finish());
    bytes
}
