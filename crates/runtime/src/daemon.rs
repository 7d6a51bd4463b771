//! Leaving the terminal, the file that says who we are, and whoever supervises us.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;
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

/// Who started us and wants to be told how we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Supervisor {
    /// systemd, which listens on the socket named by `NOTIFY_SOCKET`.
    Systemd,
    /// upstart, which waits until we stop ourselves.
    Upstart,
}

/// Who supervises us, by the environment (`supervised auto`).
pub fn detect_supervisor() -> Option<Supervisor> {
    if std::env::var_os("UPSTART_JOB").is_some() {
        Some(Supervisor::Upstart)
    } else if std::env::var_os("NOTIFY_SOCKET").is_some() {
        Some(Supervisor::Systemd)
    } else {
        None
    }
}

/// Tells systemd something: `READY=1`, `STATUS=…`, `STOPPING=1`. False: nobody listens.
pub fn notify_systemd(state: &str) -> bool {
    std::env::var_os("NOTIFY_SOCKET").is_some_and(|socket| send_state(socket.as_bytes(), state).is_ok())
}

/// Stops this process until upstart lets it go on.
pub fn stop_for_upstart() {
    // SAFETY: takes no pointers.
    unsafe { libc::raise(libc::SIGSTOP) };
}

fn send_state(socket: &[u8], state: &str) -> io::Result<()> {
    let sender = UnixDatagram::unbound()?;
    #[cfg(target_os = "linux")]
    if let Some(name) = socket.strip_prefix(b"@") {
        use std::os::linux::net::SocketAddrExt;
        let address = std::os::unix::net::SocketAddr::from_abstract_name(name)?;
        sender.send_to_addr(state.as_bytes(), &address)?;
        return Ok(());
    }
    sender.send_to(state.as_bytes(), Path::new(std::ffi::OsStr::from_bytes(socket)))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_supervisor_hears_of_us() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let supervisor = UnixDatagram::bind(&path).unwrap();
        send_state(path.as_os_str().as_bytes(), "READY=1\n").unwrap();
        let mut heard = [0; 32];
        let n = supervisor.recv(&mut heard).unwrap();
        assert_eq!(&heard[..n], b"READY=1\n");
        assert!(send_state(b"/nonexistent/socket", "READY=1\n").is_err());
    }

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
