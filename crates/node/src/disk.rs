//! What the append-only file needs of a disk.
//!
//! ```text
//!   Aof, Reader, recover ─► Disk ─┬─ the system's files (the program)
//!                                 └─ files that forget what was not synced (the simulation)
//! ```
//!
//! The contract is that of POSIX: appended bytes may be lost until [`AppendFile::sync`] returns, in part or whole; a new or
//! changed name may be lost until [`Disk::sync_folder`] returns; [`Disk::replace`] does all of that. Errors are the
//! system's texts.

use std::path::Path;
use std::time::Duration;

/// See the head of this file. Paths are relative to the working directory.
pub trait Disk: Send + Sync {
    /// Makes a folder, if it is not there.
    fn make_folder(&self, path: &Path) -> Result<(), String>;
    /// Opens a file for appending, and makes it when it is not there.
    fn append(&self, path: &Path) -> Result<Box<dyn AppendFile>, String>;
    /// Opens a file for reading; `None` when it is not there.
    fn open(&self, path: &Path) -> Result<Option<Box<dyn ReadFile>>, String>;
    /// The length of a file; `None` when there is no such file.
    fn len(&self, path: &Path) -> Option<u64>;
    /// Puts a file with these bytes in place of another, for good.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), String>;
    /// Gives a file another name, in place of whatever had it.
    fn rename(&self, from: &Path, to: &Path) -> Result<(), String>;
    /// Copies a file.
    fn copy(&self, from: &Path, to: &Path) -> Result<(), String>;
    /// Removes a file. Whether it was there nobody asks.
    fn remove(&self, path: &Path);
    /// Cuts a file.
    fn cut(&self, path: &Path, len: u64) -> Result<(), String>;
    /// Makes the names in a folder last.
    fn sync_folder(&self, path: &Path) -> Result<(), String>;
    /// Stands still, for tests that slow the disk down.
    fn pause(&self, time: Duration);
}

/// A file that only grows, or is cut.
pub trait AppendFile: Send {
    /// Its length.
    fn len(&self) -> u64;
    /// Whether it is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Appends. After a failure some of it may stand there, which the caller cuts off again.
    fn append(&mut self, bytes: &[u8]) -> Result<(), String>;
    /// Cuts it.
    fn truncate(&mut self, len: u64) -> Result<(), String>;
    /// Returns when everything appended so far is on the disk.
    fn sync(&self) -> Result<(), String>;
    /// Syncs what was appended so far, while others append more.
    fn syncer(&self) -> Result<Box<dyn Syncer>, String>;
}

/// Syncs a file that another thread appends to.
pub trait Syncer: Send {
    /// Returns when everything that was written before the call is on the disk.
    fn sync(&self) -> Result<(), String>;
}

/// A file that is read from its beginning to its end.
pub trait ReadFile {
    /// The next bytes; 0 at the end.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, String>;
}
