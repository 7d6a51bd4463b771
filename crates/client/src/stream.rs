//! The two kinds of sockets behind one face.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

#[cfg(target_os = "linux")]
use socket2::{Domain, Protocol, Socket, Type};
use socket2::{SockRef, TcpKeepalive};

use crate::address::{Address, Family};
use crate::connection::Options;

/// A connected socket.
#[derive(Debug)]
pub enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// Connects, trying each address of a host name in turn; the error is the last one met.
    pub(crate) fn connect(address: &Address, options: &Options) -> io::Result<Stream> {
        let stream = match address {
            Address::Unix(path) => Stream::Unix(UnixStream::connect(path)?),
            Address::Tcp { host, port } => {
                let stream = connect_any(&resolve(host, *port, options.family)?, options)?;
                stream.set_nodelay(true)?;
                if let Some(interval) = options.keepalive {
                    let keepalive = TcpKeepalive::new().with_time(interval).with_interval(interval / 3);
                    SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
                }
                Stream::Tcp(stream)
            }
        };
        stream.set_timeouts(options.read_timeout, options.write_timeout)?;
        Ok(stream)
    }

    /// How long reads and writes may wait; `None` is for ever.
    pub fn set_timeouts(&self, read: Option<Duration>, write: Option<Duration>) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.set_read_timeout(read).and(stream.set_write_timeout(write)),
            Stream::Unix(stream) => stream.set_read_timeout(read).and(stream.set_write_timeout(write)),
        }
    }

    /// A second handle on the same socket, for a thread that writes while this one reads.
    pub fn try_clone(&self) -> io::Result<Stream> {
        Ok(match self {
            Stream::Tcp(stream) => Stream::Tcp(stream.try_clone()?),
            Stream::Unix(stream) => Stream::Unix(stream.try_clone()?),
        })
    }

    /// Ends both directions: a thread blocked in a read returns.
    pub fn shutdown(&self) -> io::Result<()> {
        match self {
            Stream::Tcp(stream) => stream.shutdown(std::net::Shutdown::Both),
            Stream::Unix(stream) => stream.shutdown(std::net::Shutdown::Both),
        }
    }
}

fn resolve(host: &str, port: u16, family: Option<Family>) -> io::Result<Vec<SocketAddr>> {
    let mut addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    if let Some(family) = family {
        addresses.sort_by_key(|address| address.is_ipv4() != (family == Family::V4));
    }
    Ok(addresses)
}

fn connect_any(addresses: &[SocketAddr], options: &Options) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "Name or service not known");
    for address in addresses {
        let result = match options.connect_timeout {
            timeout if options.multipath => connect_multipath(*address, timeout),
            Some(timeout) => TcpStream::connect_timeout(address, timeout),
            None => TcpStream::connect(address),
        };
        match result {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(match last.kind() {
        // The standard library's own words for it differ from those of the operating system.
        io::ErrorKind::TimedOut => io::Error::new(io::ErrorKind::TimedOut, "Connection timed out"),
        _ => last,
    })
}

#[cfg(target_os = "linux")]
fn connect_multipath(address: SocketAddr, timeout: Option<Duration>) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::MPTCP))?;
    match timeout {
        Some(timeout) => socket.connect_timeout(&address.into(), timeout)?,
        None => socket.connect(&address.into())?,
    }
    Ok(socket.into())
}

#[cfg(not(target_os = "linux"))]
fn connect_multipath(_: SocketAddr, _: Option<Duration>) -> io::Result<TcpStream> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "Multipath TCP is not supported on this system"))
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.read(buf),
            Stream::Unix(stream) => stream.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Stream::Tcp(stream) => stream.write(buf),
            Stream::Unix(stream) => stream.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Tcp(stream) => stream.as_fd(),
            Stream::Unix(stream) => stream.as_fd(),
        }
    }
}
