//! One connection's bytes, whatever carries them.

use std::io::{self, IoSlice};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};

#[cfg(target_os = "linux")]
const SEND_FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
#[cfg(not(target_os = "linux"))]
const SEND_FLAGS: libc::c_int = 0;

/// A socket that does not block.
#[derive(Debug)]
pub enum Stream {
    /// TCP over IPv4 or IPv6.
    Tcp(TcpStream),
    /// A Unix domain socket.
    Unix(UnixStream),
}

impl Stream {
    /// When it is closed, what the system has taken and not sent yet is thrown away, and the peer sees a reset.
    pub(crate) fn forget_unsent(&self) {
        if let Stream::Tcp(stream) = self {
            // A socket that cannot be told so is one that has nothing to send any more.
            let _ = socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO));
        }
    }

    /// Reads once, at most `room` bytes, appending them to `buf`. `Ok(0)`: the peer has closed its side.
    pub(crate) fn receive(&mut self, buf: &mut Vec<u8>, room: usize) -> io::Result<usize> {
        let fd = self.as_raw_fd();
        let spare = buf.spare_capacity_mut();
        let room = room.min(spare.len());
        debug_assert!(room > 0, "a read into nothing would look like a closed connection");
        loop {
            // SAFETY: `spare` is writable memory of at least `room` bytes, and the kernel reads nothing from it.
            let n = unsafe { libc::recv(fd, spare.as_mut_ptr().cast(), room, 0) };
            if n >= 0 {
                let len = buf.len() + n as usize;
                // SAFETY: the kernel has initialized the `n` bytes behind the old length, and `n <= room`.
                unsafe { buf.set_len(len) };
                return Ok(n as usize);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// Writes once. Fewer bytes than given, or `WouldBlock`: the socket is full.
    pub(crate) fn send(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let fd = self.as_raw_fd();
        loop {
            let n = match slices {
                // SAFETY: the slice is readable for its length.
                [one] => unsafe { libc::send(fd, one.as_ptr().cast(), one.len(), SEND_FLAGS) },
                many => {
                    // SAFETY: a message header of zeroes is a valid, empty one.
                    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
                    message.msg_iov = many.as_ptr().cast_mut().cast();
                    message.msg_iovlen = many.len().min(MAX_SLICES) as _;
                    // SAFETY: `IoSlice` has the layout of `iovec`, and each describes readable memory; sending does not
                    // write to them.
                    unsafe { libc::sendmsg(fd, &message, SEND_FLAGS) }
                }
            };
            if n >= 0 {
                return Ok(n as usize);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
    }

    /// The error that ended a connection attempt, if one did.
    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        match self {
            Stream::Tcp(s) => s.take_error(),
            Stream::Unix(s) => s.take_error(),
        }
    }

    /// Whether the kernel reports writability only after a write was short. A Unix socket reports it whenever the peer
    /// has read something, so there the interest must not stand all the time.
    pub(crate) fn is_quiet_when_writable(&self) -> bool {
        matches!(self, Stream::Tcp(_))
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Stream::Tcp(s) => s,
            Stream::Unix(s) => s,
        }
    }

    pub(crate) fn register(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.source().register(registry, token, interest)
    }

    pub(crate) fn reregister(&mut self, registry: &Registry, token: Token, interest: Interest) -> io::Result<()> {
        self.source().reregister(registry, token, interest)
    }
}

/// The most slices that one call takes (`IOV_MAX` on every platform we know).
pub const MAX_SLICES: usize = 1024;

impl AsRawFd for Stream {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Stream::Tcp(s) => s.as_raw_fd(),
            Stream::Unix(s) => s.as_raw_fd(),
        }
    }
}
