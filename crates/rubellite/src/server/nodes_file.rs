//! The file in which a node keeps what it knows of its cluster.
//!
//! Two copies: the newest, and the one before it under the same name with `.previous` behind. The machine reads the second
//! when the first is damaged. The newest is written aside and renamed, so that there is always one that is whole; and it is
//! guarded by a lock in a file beside it, so that two processes that were given the same file do not become one node.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use config::Config;
use resp::log_text;
use runtime::{errno, files, source};

/// The newest copy and the one before it, as far as there are any.
pub struct Copies {
    pub newest: Option<Vec<u8>>,
    pub previous: Option<Vec<u8>>,
}

/// The file of a node.
pub struct NodesFile {
    path: PathBuf,
}

/// Nobody else uses the file while this is there.
pub struct NodesLock {
    _file: File,
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(extension);
    PathBuf::from(name)
}

impl NodesFile {
    /// Locks the file that the configuration names. The error is for the log.
    pub fn open(config: &Config) -> Result<(NodesFile, NodesLock), String> {
        let path = PathBuf::from(OsStr::from_bytes(&config.cluster.config_file));
        let shown = path.display().to_string();
        match files::lock(&beside(&path, ".lock")) {
            Ok(Some(lock)) => Ok((NodesFile { path }, NodesLock { _file: lock })),
            Ok(None) => Err(log_text::cluster_node::locked(&shown)),
            Err(e) => Err(log_text::cluster_node::cannot_lock(&shown, &errno::text(&e))),
        }
    }

    /// Both copies, as far as there are any.
    pub fn read(&self) -> Result<Copies, String> {
        let read = |path: &Path| match source::read(path) {
            Ok(bytes) if bytes.is_empty() => Ok(None),
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(log_text::cluster_node::cannot_read(&path.display().to_string(), &errno::text(&e))),
        };
        Ok(Copies { newest: read(&self.path)?, previous: read(&beside(&self.path, ".previous"))? })
    }

    /// Replaces the newest copy; with `keep`, what was the newest is the previous one afterwards.
    pub fn save(&self, bytes: &[u8], fsync: bool, keep: bool) -> Result<(), String> {
        let previous = beside(&self.path, ".previous");
        files::replace_keeping(&self.path, keep.then_some(&*previous), bytes, fsync)
            .map_err(|e| log_text::cluster_node::cannot_write(&self.path.display().to_string(), &errno::text(&e)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_before_the_newest_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::default();
        config.cluster.config_file = dir.path().join("nodes.conf").as_os_str().as_bytes().to_vec();
        let (file, lock) = NodesFile::open(&config).unwrap();
        assert!(file.read().unwrap().newest.is_none());
        for (text, fsync, keep) in
            [("one", true, true), ("two", false, true), ("2.5", false, false), ("three", true, true)]
        {
            file.save(text.as_bytes(), fsync, keep).unwrap();
        }
        let copies = file.read().unwrap();
        assert_eq!(copies.newest.as_deref(), Some(&b"three"[..]));
        assert_eq!(copies.previous.as_deref(), Some(&b"2.5"[..]));
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
        assert_eq!(names.len(), 3, "nothing is left over: {names:?}");
        assert!(NodesFile::open(&config).is_err(), "one node a file");
        drop(lock);
        assert!(NodesFile::open(&config).is_ok());
    }
}
