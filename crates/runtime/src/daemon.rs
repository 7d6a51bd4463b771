//! Leaving the terminal, and the file that says who we are.

use std::fs;
use std::io;
use std::path::Path;

use crate::errno;

/// Goes on in the background: the calling process ends with status 0, its child becomes the leader of a session of its
/// own, and standard input, output and error are `/dev/null`. To be called before any thread is started.
pub fn daemonize() -> io::Result<()> {
    // SAFETY: there is one thread, so the child's memory is consistent.
    let pid = errno::check(unsafe { libc::fork() })?;
    if pid != 0 {
        // SAFETY: ends the process without running what belongs to the child now.
        unsafe { libc::_exit(0) };
    }
    // SAFETY: takes no pointers. A child is no process group's leader, so it does not fail.
    unsafe { libc::setsid() };
    // SAFETY: the path is a C string.
    let null = errno::check(unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) })?;
    for standard in 0..=2 {
        // SAFETY: both are descriptors; the target is closed by the call.
        errno::check(unsafe { libc::dup2(null, standard) })?;
    }
    if null > 2 {
        // SAFETY: opened above, and its copies stay.
        unsafe { libc::close(null) };
    }
    Ok(())
}

/// Writes our process id, and a line end, into a file.
pub fn write_pid_file(path: &Path) -> io::Result<()> {
    fs::write(path, format!("{}\n", std::process::id()))
}

/// Removes the file, if it is still ours.
pub fn remove_pid_file(path: &Path) {
    if fs::read_to_string(path).is_ok_and(|text| text.trim() == std::process::id().to_string()) {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_removed_by_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pid");
        write_pid_file(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        remove_pid_file(&path);
        assert!(!path.exists());
        fs::write(&path, "1\n").unwrap();
        remove_pid_file(&path);
        assert!(path.exists());
    }
}
