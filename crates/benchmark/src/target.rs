//! Where requests go, and what was asked there beforehand.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use client::{Address, Client, Stream, Value};
use mio::net::{TcpStream, UnixStream};
use socket2::{Domain, Protocol, Socket as RawSocket, Type};

use crate::Failure;
use crate::options::Options;
use crate::socket::Socket;

/// A server by the address at which it answered.
#[derive(Clone, Debug)]
pub struct Target {
    /// As the user or the cluster names it.
    pub name: Address,
    place: Place,
}

#[derive(Clone, Debug)]
enum Place {
    Tcp { address: SocketAddr, multipath: bool },
    Unix(PathBuf),
}

/// What reports tell about a server's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub save: String,
    pub appendonly: String,
}

impl Target {
    /// Finds out which of a name's addresses answers, and leaves a connection there, authenticated.
    pub fn reach(name: &Address, options: &Options) -> Result<(Target, Client), Failure> {
        let unreachable =
            |error: &dyn std::fmt::Display| Failure::Line(format!("Could not connect to server at {name}: {error}"));
        let link = client::Options { multipath: options.server.multipath, ..client::Options::default() };
        let mut client = Client::connect(name, &link).map_err(|error| unreachable(&error))?;
        let place = match (name, client.stream()) {
            (Address::Unix(path), _) => Place::Unix(path.clone()),
            (_, Stream::Tcp(stream)) => {
                let address = stream.peer_addr().map_err(|error| unreachable(&client::os_text(&error)))?;
                Place::Tcp { address, multipath: options.server.multipath }
            }
            (_, Stream::Unix(_)) => unreachable!("a TCP address gives a TCP connection"),
        };
        if let Some(words) = options.server.authentication() {
            let reply = client.call(&words).map_err(|error| unreachable(&error))?;
            refuse_error(name, &reply)?;
        }
        Ok((Target { name: name.clone(), place }, client))
    }

    /// Begins a connection; it becomes writable when it is made.
    pub fn connect(&self) -> io::Result<Socket> {
        Ok(match &self.place {
            // A full backlog of a Unix socket is waited for, as it is no error of the server.
            Place::Unix(path) => {
                let stream = std::os::unix::net::UnixStream::connect(path)?;
                stream.set_nonblocking(true)?;
                Socket::Unix(UnixStream::from_std(stream))
            }
            Place::Tcp { address, multipath: false } => {
                let stream = TcpStream::connect(*address)?;
                stream.set_nodelay(true)?;
                Socket::Tcp(stream)
            }
            Place::Tcp { address, multipath: true } => Socket::Tcp(connect_multipath(*address)?),
        })
    }
}

#[cfg(target_os = "linux")]
fn connect_multipath(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::MPTCP))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(rustix::io::Errno::INPROGRESS.raw_os_error()) => return Err(error),
        _ => (),
    }
    Ok(TcpStream::from_std(socket.into()))
}

#[cfg(not(target_os = "linux"))]
fn connect_multipath(_: SocketAddr) -> io::Result<TcpStream> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "multipath TCP is not available on this system"))
}

/// What `CONFIG GET` tells; `None` when the server does not tell. To be asked for a password is an error.
pub fn settings(name: &Address, client: &mut Client) -> Result<Option<Settings>, Failure> {
    let mut get = |parameter: &str| -> Result<Option<String>, Failure> {
        match client.call(&["CONFIG", "GET", parameter]) {
            Ok(error @ Value::Error(_)) if is_no_auth(&error) => refuse_error(name, &error).map(|()| None),
            Ok(Value::Array(words)) => Ok(words.get(1).and_then(text)),
            Ok(Value::Map(pairs)) => Ok(pairs.first().and_then(|(_, value)| text(value))),
            Ok(_) | Err(_) => Ok(None),
        }
    };
    let (save, appendonly) = (get("save")?, get("appendonly")?);
    Ok(save.zip(appendonly).map(|(save, appendonly)| Settings { save, appendonly }))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Bulk(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

fn is_no_auth(value: &Value) -> bool {
    matches!(value, Value::Error(text) if text.starts_with(b"NOAUTH"))
}

/// Turns an error reply of a node into our failure.
pub fn refuse_error(name: &Address, reply: &Value) -> Result<(), Failure> {
    match reply {
        Value::Error(text) => {
            let text = String::from_utf8_lossy(text);
            Err(Failure::Line(format!("Node {name} replied with error:\n{text}")))
        }
        _ => Ok(()),
    }
}
