//! Files by their use: replaced whole, appended to, or without a name.
//!
//! ```text
//!   Replacement   temp-4711-1.rdb ──write──► fsync ──rename──► dump.rdb ──fsync of the directory──► done
//!   AppendFile    ──write──► ──fdatasync──►      at a crash: what was synced, and some prefix of the rest
//!   unnamed       spools: gone with the process, whatever ends it
//! ```
//!
//! A replacement is never half there: a reader, a crash or a power cut finds the old file or the new one. Temporary files are
//! removed when a replacement is dropped, and by [`remove_temporaries`] when a signal handler ends the process.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicPtr, AtomicU64, Ordering};

/// With incremental syncing, the disk is given what was written after so many bytes, so that it is not given everything
/// at the end.
const SYNC_STEP: u64 = 4 * 1024 * 1024;

/// A file that takes another's place when it is complete.
#[derive(Debug)]
pub struct Replacement {
    file: Option<File>,
    temporary: PathBuf,
    target: PathBuf,
    registered: Option<usize>,
    written: u64,
    synced: u64,
    incremental: bool,
}

impl Replacement {
    /// Begins a file that will become `target`, beside it. With `incremental`, what is written goes to the disk in steps
    /// (`rdb-save-incremental-fsync`).
    pub fn create(target: &Path, incremental: bool) -> io::Result<Self> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let extension = target.extension().map_or(String::new(), |e| format!(".{}", e.to_string_lossy()));
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("temp-{}-{count}{extension}", std::process::id());
        Self::create_as(&directory(target).join(name), target, incremental)
    }

    /// The same under a temporary name of the caller's choice, in the same file system.
    pub fn create_as(temporary: &Path, target: &Path, incremental: bool) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).read(true).create(true).truncate(true).open(temporary)?;
        Ok(Replacement {
            file: Some(file),
            temporary: temporary.to_owned(),
            target: target.to_owned(),
            registered: temporaries::register(temporary),
            written: 0,
            synced: 0,
            incremental,
        })
    }

    /// How many bytes were written.
    pub fn len(&self) -> u64 {
        self.written
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.written == 0
    }

    /// Where the bytes are until they are complete.
    pub fn temporary(&self) -> &Path {
        &self.temporary
    }

    /// Puts the file in its place: when this returns, it is there for good. Takes as long as the disk takes.
    pub fn commit(mut self) -> Result<(), CommitError> {
        let file = self.file.take().expect("a replacement holds its file until it ends");
        file.sync_all().map_err(|error| CommitError { step: Step::Sync, error })?;
        drop(file);
        std::fs::rename(&self.temporary, &self.target).map_err(|error| CommitError { step: Step::Rename, error })?;
        if let Some(slot) = self.registered.take() {
            temporaries::unregister(slot);
        }
        self.temporary.clear();
        sync_directory(directory(&self.target)).map_err(|error| CommitError { step: Step::SyncDirectory, error })
    }
}

impl Replacement {
    /// Puts the file in its place without waiting for the disk.
    fn rename(mut self) -> io::Result<()> {
        std::fs::rename(&self.temporary, &self.target)?;
        if let Some(slot) = self.registered.take() {
            temporaries::unregister(slot);
        }
        self.temporary.clear();
        Ok(())
    }
}

impl Write for Replacement {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let file = self.file.as_mut().expect("a replacement holds its file until it ends");
        let n = file.write(buf)?;
        self.written += n as u64;
        if self.incremental && self.written - self.synced >= SYNC_STEP {
            start_writing_back(file, self.synced, self.written - self.synced)?;
            self.synced = self.written;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(slot) = self.registered.take() {
            temporaries::unregister(slot);
        }
        if !self.temporary.as_os_str().is_empty() {
            let _ = std::fs::remove_file(&self.temporary);
        }
    }
}

/// What a commit was doing when it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Writing the file to the disk. The old file stands.
    Sync,
    /// Giving it its name. The old file stands.
    Rename,
    /// Making the name last. The new file stands, but after a power cut it may be the old one.
    SyncDirectory,
}

/// Why a file was not put in its place.
#[derive(Debug)]
pub struct CommitError {
    /// What failed.
    pub step: Step,
    /// Why.
    pub error: io::Error,
}

impl From<CommitError> for io::Error {
    fn from(e: CommitError) -> io::Error {
        e.error
    }
}

/// Whether this process may execute a file.
pub fn is_executable(path: &Path) -> bool {
    allows(path, libc::X_OK).is_ok()
}

/// Whether this process may write a file that is there; if not, why.
pub fn check_writable(path: &Path) -> io::Result<()> {
    allows(path, libc::W_OK)
}

fn allows(path: &Path, mode: libc::c_int) -> io::Result<()> {
    let path = CString::new(path.as_os_str().as_bytes())?;
    // SAFETY: the path is a C string.
    crate::errno::check(unsafe { libc::access(path.as_ptr(), mode) })?;
    Ok(())
}

/// Replaces a file by these bytes and keeps what it was as `previous`, if it is to be kept. Without `fsync` the system may take its time, but
/// whoever reads either name finds one of the versions whole.
pub fn replace_keeping(target: &Path, previous: Option<&Path>, bytes: &[u8], fsync: bool) -> io::Result<()> {
    let mut file = Replacement::create(target, false)?;
    file.write_all(bytes)?;
    if let Some(previous) = previous {
        match std::fs::remove_file(previous) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        match std::fs::hard_link(target, previous) {
            // The first time there is nothing to keep; and a file system without links has no second copy.
            Err(e) if e.kind() != io::ErrorKind::NotFound && e.kind() != io::ErrorKind::Unsupported => return Err(e),
            _ => {}
        }
    }
    if fsync { Ok(file.commit()?) } else { file.rename() }
}

/// Replaces a file by these bytes.
pub fn replace(target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = Replacement::create(target, false)?;
    file.write_all(bytes)?;
    Ok(file.commit()?)
}

/// A file that only grows, or is cut.
#[derive(Debug)]
pub struct AppendFile {
    file: File,
    path: PathBuf,
    len: u64,
}

/// A write that the disk did not take whole.
#[derive(Debug)]
pub struct ShortWrite {
    /// How many bytes it took.
    pub written: u64,
    /// Why it took no more.
    pub error: io::Error,
}

impl AppendFile {
    /// Opens a file for appending, and makes it when it is not there. A new file's name is not on the disk before
    /// [`sync_directory`].
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).read(true).create(true).open(path)?;
        let len = file.metadata()?.len();
        Ok(AppendFile { file, path: path.to_owned(), len })
    }

    /// Its length.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends. After a failure the file holds `written` bytes of it, which the caller may cut off again.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), ShortWrite> {
        let mut written = 0;
        while written < bytes.len() {
            match self.file.write(&bytes[written..]) {
                Ok(0) => return Err(ShortWrite { written: written as u64, error: io::ErrorKind::WriteZero.into() }),
                Ok(n) => {
                    written += n;
                    self.len += n as u64;
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(ShortWrite { written: written as u64, error }),
            }
        }
        Ok(())
    }

    /// Cuts the file.
    pub fn truncate(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)?;
        self.len = len;
        Ok(())
    }

    /// A second descriptor of the same file, for a thread that syncs while this one goes on writing.
    pub fn syncer(&self) -> io::Result<Syncer> {
        Ok(Syncer(self.file.try_clone()?))
    }

    /// Returns when everything appended so far is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Reads at an offset, as much as is there up to the buffer's length.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        read_full_at(&self.file, buf, offset)
    }
}

/// Syncs a file that another thread appends to.
#[derive(Debug)]
pub struct Syncer(File);

impl Syncer {
    /// Returns when everything that was written before the call is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }
}

/// Reads at an offset until the buffer is full or the file ends.
pub fn read_full_at(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < buf.len() {
        match file.read_at(&mut buf[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}

/// A file in `dir` that has no name: it is gone with its last descriptor. Read and written at offsets.
pub fn unnamed(dir: &Path) -> io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::fs::OpenOptionsExt;
        let opened = OpenOptions::new().read(true).write(true).custom_flags(libc::O_TMPFILE).mode(0o600).open(dir);
        if let Ok(file) = opened {
            return Ok(file);
        }
    }
    // File systems without nameless files: a name that lives for a moment.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = format!("temp-{}-spool-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let path = dir.join(name);
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
    std::fs::remove_file(&path)?;
    Ok(file)
}

/// Makes the names in a directory last.
pub fn sync_directory(dir: &Path) -> io::Result<()> {
    match File::open(dir)?.sync_all() {
        // Some file systems cannot sync a directory, and there is nothing to be done about it.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EINVAL | libc::EBADF)) => Ok(()),
        other => other,
    }
}

/// Locks a file against other processes for as long as the result lives. `Ok(None)`: another process has it.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(e)) => Err(e),
    }
}

/// Tells the system that a file's pages will not be needed again soon.
pub fn forget_pages(file: &File) {
    #[cfg(target_os = "linux")]
    // SAFETY: takes no pointers; the descriptor is open.
    unsafe {
        libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file.as_raw_fd();
}

/// Removes the temporary files of replacements in progress; callable from a signal handler that is about to end the process.
pub fn remove_temporaries() {
    temporaries::remove_all();
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

#[cfg(target_os = "linux")]
fn start_writing_back(file: &File, offset: u64, len: u64) -> io::Result<()> {
    let flags = libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WRITE;
    // SAFETY: takes no pointers; the descriptor is open.
    let done = unsafe { libc::sync_file_range(file.as_raw_fd(), offset as i64, len as i64, flags) };
    match crate::errno::check(done) {
        Ok(_) => Ok(()),
        // Not every file system can; the sync at the end does it all then.
        Err(e) if matches!(e.raw_os_error(), Some(libc::ESPIPE | libc::EINVAL | libc::ENOSYS)) => Ok(()),
        Err(e) => Err(e),
    }
}

#[cfg(not(target_os = "linux"))]
fn start_writing_back(file: &File, _offset: u64, _len: u64) -> io::Result<()> {
    file.sync_data()
}

mod temporaries {
    //! The paths of temporary files, where a signal handler can read them.

    use super::*;

    static PATHS: [AtomicPtr<libc::c_char>; 16] = [const { AtomicPtr::new(std::ptr::null_mut()) }; 16];

    /// Notes a path; `None` when there are too many, whose files then stay after an unclean end.
    pub(super) fn register(path: &Path) -> Option<usize> {
        let text = CString::new(path.as_os_str().as_bytes()).ok()?.into_raw();
        for (slot, entry) in PATHS.iter().enumerate() {
            let null = std::ptr::null_mut();
            if entry.compare_exchange(null, text, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                return Some(slot);
            }
        }
        // SAFETY: made by `into_raw` above, and stored nowhere.
        drop(unsafe { CString::from_raw(text) });
        None
    }

    pub(super) fn unregister(slot: usize) {
        // The string is not freed: a signal handler may be reading it. It is short, and files are few.
        PATHS[slot].store(std::ptr::null_mut(), Ordering::Release);
    }

    pub(super) fn remove_all() {
        for entry in &PATHS {
            let path = entry.swap(std::ptr::null_mut(), Ordering::AcqRel);
            if !path.is_null() {
                // SAFETY: entries are C strings that are never freed.
                unsafe { libc::unlink(path) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_replacement_is_all_or_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("dump.rdb");
        replace(&target, b"old").unwrap();
        let mut file = Replacement::create(&target, true).unwrap();
        // More than one step of incremental syncing.
        let block = vec![7u8; 1 << 20];
        (0..9).for_each(|_| file.write_all(&block).unwrap());
        assert_eq!(file.len(), 9 << 20);
        assert_eq!(std::fs::read(&target).unwrap(), b"old");
        assert!(file.temporary().extension().is_some_and(|e| e == "rdb"));
        file.commit().unwrap();
        assert_eq!(std::fs::metadata(&target).unwrap().len(), 9 << 20);
        assert_eq!(names(dir.path()), ["dump.rdb"]);
    }

    #[test]
    fn an_abandoned_replacement_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("x");
        let mut file = Replacement::create(&target, false).unwrap();
        file.write_all(b"half").unwrap();
        assert_eq!(names(dir.path()).len(), 1);
        drop(file);
        assert!(names(dir.path()).is_empty());
    }

    #[test]
    fn a_failed_rename_says_so_and_cleans_up() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("taken");
        std::fs::create_dir(&target).unwrap();
        std::fs::write(target.join("inside"), b"").unwrap();
        let file = Replacement::create(&target, false).unwrap();
        assert_eq!(file.commit().unwrap_err().step, Step::Rename);
        assert_eq!(names(dir.path()), ["taken"]);
    }

    #[test]
    fn appending_goes_on_where_it_ended() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("incr");
        let mut file = AppendFile::open(&path).unwrap();
        file.append(b"one").unwrap();
        file.sync().unwrap();
        drop(file);
        let mut file = AppendFile::open(&path).unwrap();
        assert_eq!(file.len(), 3);
        file.append(b"two").unwrap();
        file.syncer().unwrap().sync().unwrap();
        file.truncate(4).unwrap();
        file.append(b"x").unwrap();
        let mut buf = [0; 8];
        assert_eq!(file.read_at(&mut buf, 1).unwrap(), 4);
        assert_eq!(&buf[..4], b"netx");
        assert_eq!(std::fs::read(&path).unwrap(), b"onetx");
    }

    #[test]
    fn a_full_disk_is_a_short_write() {
        let mut file = AppendFile::open(Path::new("/dev/full")).unwrap();
        let failed = file.append(b"bytes").unwrap_err();
        assert_eq!((failed.written, failed.error.raw_os_error()), (0, Some(libc::ENOSPC)));
    }

    #[test]
    fn a_spool_has_no_name() {
        let dir = tempfile::tempdir().unwrap();
        let file = unnamed(dir.path()).unwrap();
        assert!(names(dir.path()).is_empty());
        file.write_all_at(b"spooled", 5).unwrap();
        let mut buf = [0; 20];
        assert_eq!(read_full_at(&file, &mut buf, 5).unwrap(), 7);
        assert_eq!(&buf[..7], b"spooled");
        forget_pages(&file);
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("nodes.conf");
        let held = lock(&path).unwrap();
        assert!(held.is_some());
        assert!(lock(&path).unwrap().is_none());
        drop(held);
        assert!(lock(&path).unwrap().is_some());
    }
}
