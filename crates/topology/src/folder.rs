//! The folder of a topology, and the file in it that tells what it is.
//!
//! ```text
//!   shape primary-replica
//!   base-port 7000
//!   primaries 1
//!   replicas 2
//! ```
//!
//! While `up` or `down` works on a folder it holds a lock on that file, so that two of them do not meet.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use client::os_text;

use crate::shape::{Shape, Sizes};

const FILE: &str = "topology";

const HEAD: &str = "# Made by `rubellite up`; `rubellite down` and the next `rubellite up` read it.\n";

/// A topology on disk, locked until dropped.
#[derive(Debug)]
pub struct Folder {
    /// Absolute.
    pub path: PathBuf,
    pub shape: Shape,
    pub sizes: Sizes,
    /// Nobody else works on it while this is open.
    _lock: File,
}

impl Folder {
    /// The topology in a folder; `None` if there is none. The error is a line for people.
    pub fn open(path: &Path) -> Result<Option<Folder>, String> {
        let file = path.join(FILE);
        let mut lock = match File::open(&file) {
            Ok(lock) => lock,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(format!("{}: {}", file.display(), os_text(&error))),
        };
        take(&lock, path)?;
        let mut text = String::new();
        lock.read_to_string(&mut text).map_err(|error| format!("{}: {}", file.display(), os_text(&error)))?;
        let (shape, sizes) = understand(&text).map_err(|reason| format!("{}: {reason}", file.display()))?;
        let path = fs::canonicalize(path).map_err(|error| format!("{}: {}", path.display(), os_text(&error)))?;
        Ok(Some(Folder { path, shape, sizes, _lock: lock }))
    }

    /// Makes a new one. The error is a line for people.
    pub fn create(path: &Path, shape: Shape, sizes: Sizes) -> Result<Folder, String> {
        let failed = |error: io::Error| format!("{}: {}", path.display(), os_text(&error));
        fs::create_dir_all(path).map_err(failed)?;
        let mut lock = OpenOptions::new().write(true).create_new(true).open(path.join(FILE)).map_err(failed)?;
        take(&lock, path)?;
        lock.write_all(describe(shape, &sizes).as_bytes()).map_err(failed)?;
        let path = fs::canonicalize(path).map_err(failed)?;
        Ok(Folder { path, shape, sizes, _lock: lock })
    }
}

fn take(lock: &File, path: &Path) -> Result<(), String> {
    lock.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => format!("another `up` or `down` works on {} at the moment", path.display()),
        TryLockError::Error(error) => format!("{}: {}", path.display(), os_text(&error)),
    })
}

fn describe(shape: Shape, sizes: &Sizes) -> String {
    let Sizes { base_port, primaries, replicas } = sizes;
    format!("{HEAD}shape {}\nbase-port {base_port}\nprimaries {primaries}\nreplicas {replicas}\n", shape.name())
}

fn understand(text: &str) -> Result<(Shape, Sizes), String> {
    let (mut shape, mut base_port, mut primaries, mut replicas) = (None, None, None, None);
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let not_understood = || format!("{line:?} is not understood");
        let (name, value) = line.split_once(' ').ok_or_else(not_understood)?;
        let size = || value.parse::<u16>().map(Some).map_err(|_| not_understood());
        match name {
            "shape" => shape = Some(Shape::named(value)?),
            "base-port" => base_port = size()?,
            "primaries" => primaries = size()?,
            "replicas" => replicas = size()?,
            _ => return Err(not_understood()),
        }
    }
    let sizes = base_port.zip(primaries).zip(replicas);
    let sizes = sizes.map(|((base_port, primaries), replicas)| Sizes { base_port, primaries, replicas });
    shape.zip(sizes).ok_or_else(|| "it does not tell shape and sizes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new/t");
        assert!(Folder::open(&path).unwrap().is_none());
        let sizes = Sizes { base_port: 7000, primaries: 1, replicas: 2 };
        let folder = Folder::create(&path, Shape::PrimaryReplica, sizes).unwrap();
        assert!(folder.path.is_absolute());
        assert!(Folder::open(&path).unwrap_err().contains("another `up` or `down`"));
        drop(folder);
        let folder = Folder::open(&path).unwrap().unwrap();
        assert_eq!((folder.shape, folder.sizes), (Shape::PrimaryReplica, sizes));
        assert!(Folder::create(&path, Shape::Cluster, sizes).is_err());
    }

    #[test]
    fn nonsense_is_refused() {
        for text in
            ["", "shape ring", "shape cluster", "shape cluster\nnode a", "shape cluster\nreplicas many", "shape"]
        {
            assert!(understand(text).is_err(), "{text:?}");
        }
    }
}
