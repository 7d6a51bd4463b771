//! Ctrl-C as something that can be waited for.
//!
//! A session must not die of Ctrl-C while it shows messages or MONITOR output: it then leaves that
//! mode. The handler writes a byte into a socket pair, so that a wait for the server's bytes and for
//! the signal is one `poll` without a race between looking and sleeping.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use rustix::event::{PollFd, PollFlags, poll};

/// Delivered SIGINTs.
#[derive(Debug)]
pub struct Interrupts {
    receiver: UnixStream,
}

/// What became ready first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ready {
    Interrupt,
    /// The first of the things waited for.
    First,
    /// The second.
    Second,
}

impl Interrupts {
    /// From now on SIGINT does not end the process.
    pub fn install() -> io::Result<Self> {
        let (receiver, sender) = UnixStream::pair()?;
        receiver.set_nonblocking(true)?;
        sender.set_nonblocking(true)?;
        signal_hook::low_level::pipe::register(signal_hook::consts::SIGINT, sender)?;
        Ok(Interrupts { receiver })
    }

    /// Forgets the interrupts so far; whether there were any.
    pub fn take(&self) -> bool {
        let mut buf = [0; 64];
        let mut any = false;
        while matches!((&self.receiver).read(&mut buf), Ok(n) if n > 0) {
            any = true;
        }
        any
    }

    /// Waits until `first` or `second` can be read or an interrupt comes, which is forgotten then.
    /// When several are ready, an interrupt goes before `first`, and that before `second`.
    pub fn wait(&self, first: &impl AsFd, second: Option<&dyn AsFd>) -> io::Result<Ready> {
        loop {
            let mut fds = vec![
                PollFd::new(&self.receiver, PollFlags::IN),
                PollFd::from_borrowed_fd(first.as_fd(), PollFlags::IN),
            ];
            fds.extend(second.map(|fd| PollFd::from_borrowed_fd(fd.as_fd(), PollFlags::IN)));
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
                Ok(_) => (),
            }
            let ready: Vec<bool> = fds.iter().map(|fd| !fd.revents().is_empty()).collect();
            drop(fds);
            if ready[0] {
                self.take();
                return Ok(Ready::Interrupt);
            }
            if ready[1] {
                return Ok(Ready::First);
            }
            if ready.get(2) == Some(&true) {
                return Ok(Ready::Second);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn an_interrupt_is_seen_before_bytes() {
        let interrupts = Interrupts::install().unwrap();
        let (a, mut b) = UnixStream::pair().unwrap();
        let (c, mut d) = UnixStream::pair().unwrap();
        d.write_all(b"x").unwrap();
        assert_eq!(interrupts.wait(&a, Some(&c)).unwrap(), Ready::Second);
        b.write_all(b"x").unwrap();
        assert_eq!(interrupts.wait(&a, Some(&c)).unwrap(), Ready::First);
        signal_hook::low_level::raise(signal_hook::consts::SIGINT).unwrap();
        assert_eq!(interrupts.wait(&a, Some(&c)).unwrap(), Ready::Interrupt);
        assert_eq!(interrupts.wait(&a, Some(&c)).unwrap(), Ready::First);
        assert!(!interrupts.take());
    }
}
