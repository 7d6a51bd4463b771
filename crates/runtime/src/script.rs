//! Programs that are run beside the server: the scripts of a Sentinel.
//!
//! Each has a thread that waits for its end. The wait leaves the dead process in the system's table until the lock is held
//! behind which [`Running::kill`] stands, so that a kill never meets another process that has got the same number.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::errno;

/// How a program ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// By itself, with this code.
    Exit(i32),
    /// By this signal.
    Signal(i32),
}

/// A program that may still be running.
#[derive(Debug)]
pub struct Running {
    child: Arc<Mutex<Child>>,
    pid: u32,
}

impl Running {
    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Kills it, unless it has ended.
    pub fn kill(&self) {
        // It fails when the process is over, which is what was wanted.
        let _ = self.child.lock().kill();
    }
}

/// Starts `argv[0]` with its arguments in our environment; `ended` is called on another thread when it is over.
pub fn start(argv: &[Vec<u8>], ended: impl FnOnce(End) + Send + 'static) -> io::Result<Running> {
    let (program, arguments) = argv.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    let mut command = Command::new(OsStr::from_bytes(program));
    command.args(arguments.iter().map(|argument| OsStr::from_bytes(argument))).stdin(Stdio::null());
    let child = command.spawn()?;
    let pid = child.id();
    let child = Arc::new(Mutex::new(child));
    let waited = child.clone();
    let wait = move || {
        let end = match await_end(pid).and_then(|()| waited.lock().wait()) {
            Ok(status) => status.code().map(End::Exit).or(status.signal().map(End::Signal)),
            Err(_) => None,
        };
        ended(end.unwrap_or(End::Exit(1)));
    };
    let spawned = std::thread::Builder::new().name("script".to_owned()).stack_size(256 * 1024).spawn(wait);
    if let Err(e) = spawned {
        // A program whose end nobody would see must not run.
        let mut child = child.lock();
        let _ = child.kill();
        let _ = child.wait();
        return Err(e);
    }
    Ok(Running { child, pid })
}

/// Returns when the process has ended, and leaves it to be waited for.
fn await_end(pid: u32) -> io::Result<()> {
    loop {
        // SAFETY: a record of zeroes is a valid value of the type, which is plain data.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: the record is writable for the call.
        let code = unsafe { libc::waitid(libc::P_PID, pid, &raw mut info, libc::WEXITED | libc::WNOWAIT) };
        match errno::check(code) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    fn words(words: &[&str]) -> Vec<Vec<u8>> {
        words.iter().map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn the_end_is_told() {
        let (tx, rx) = mpsc::channel();
        let running = start(&words(&["/bin/sh", "-c", "exit $1", "x", "7"]), move |end| tx.send(end).unwrap()).unwrap();
        assert!(running.pid() > 0);
        assert_eq!(rx.recv().unwrap(), End::Exit(7));
        running.kill();
    }

    #[test]
    fn a_program_that_does_not_end_is_killed() {
        let (tx, rx) = mpsc::channel();
        let running = start(&words(&["/bin/sleep", "600"]), move |end| tx.send(end).unwrap()).unwrap();
        running.kill();
        assert_eq!(rx.recv().unwrap(), End::Signal(libc::SIGKILL));
    }

    #[test]
    fn what_is_not_there_is_not_started() {
        assert!(start(&words(&["/no/such/program"]), |_| ()).is_err());
        assert!(start(&[], |_| ()).is_err());
    }
}
