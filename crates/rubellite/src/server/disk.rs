//! The system's files, as the append-only file needs them.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use node::aof::Ground;
use node::disk::{AppendFile, Disk, ReadFile, Syncer};
use node::server::LogLevel;
use runtime::{errno, files, log};

use super::host::SystemClock;

struct SystemDisk;

/// What the append-only file has of the world here.
pub fn ground() -> Ground {
    Ground {
        disk: Box::new(SystemDisk),
        clock: Arc::new(SystemClock),
        log: Box::new(|level, text| match level {
            LogLevel::Warning => log::warning(text),
            _ => log::notice(text),
        }),
        temporary: format!("temp-rewriteaof-bg-{}.aof", std::process::id()),
    }
}

fn text(e: std::io::Error) -> String {
    errno::text(&e)
}

impl Disk for SystemDisk {
    fn make_folder(&self, path: &Path) -> Result<(), String> {
        fs::create_dir_all(path).map_err(text)
    }

    fn append(&self, path: &Path) -> Result<Box<dyn AppendFile>, String> {
        Ok(Box::new(Appended(files::AppendFile::open(path).map_err(text)?)))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn ReadFile>>, String> {
        match File::open(path) {
            Ok(file) => Ok(Some(Box::new(Opened(file)))),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(text(e)),
        }
    }

    fn len(&self, path: &Path) -> Option<u64> {
        fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|meta| meta.len())
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), String> {
        files::replace(path, bytes).map_err(text)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), String> {
        fs::rename(from, to).map_err(text)
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<(), String> {
        fs::copy(from, to).map(|_| ()).map_err(text)
    }

    fn remove(&self, path: &Path) {
        let _ = fs::remove_file(path);
    }

    fn cut(&self, path: &Path, len: u64) -> Result<(), String> {
        let file = OpenOptions::new().write(true).open(path).map_err(text)?;
        file.set_len(len).map_err(text)
    }

    fn sync_folder(&self, path: &Path) -> Result<(), String> {
        files::sync_directory(path).map_err(text)
    }

    fn pause(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

struct Appended(files::AppendFile);

impl AppendFile for Appended {
    fn len(&self) -> u64 {
        self.0.len()
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.0.append(bytes).map_err(|short| text(short.error))
    }

    fn truncate(&mut self, len: u64) -> Result<(), String> {
        self.0.truncate(len).map_err(text)
    }

    fn sync(&self) -> Result<(), String> {
        self.0.sync().map_err(text)
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, String> {
        Ok(Box::new(Synced(self.0.syncer().map_err(text)?)))
    }
}

struct Synced(files::Syncer);

impl Syncer for Synced {
    fn sync(&self) -> Result<(), String> {
        self.0.sync().map_err(text)
    }
}

struct Opened(File);

impl ReadFile for Opened {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, String> {
        loop {
            match self.0.read(into) {
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                other => return other.map_err(text),
            }
        }
    }
}
