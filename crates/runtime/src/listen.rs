//! Sockets that listen, by the rules of the `bind`, `port`, `unixsocket` and `tcp-backlog` directives.
//!
//! ```text
//!   *            0.0.0.0, every IPv4 address        127.0.0.1, a name      that address
//!   ::*          [::], every IPv6 address (no IPv4) -ADDRESS               the same, and not an error where it does not exist
//! ```
//!
//! An address family that the system does not have is passed over, as the default `* -::*` needs it. Any other failure closes
//! what was opened and is told in the words that users search for; whether that ends the process is the caller's affair.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use resp::log_text::process;
use socket2::{Domain, Protocol, Socket, Type};

use crate::errno;

/// A socket that listens.
#[derive(Debug)]
pub enum Listener {
    /// TCP.
    Tcp(mio::net::TcpListener),
    /// A Unix socket and its path. The file is removed when the listener is dropped.
    Unix(mio::net::UnixListener, PathBuf),
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Listener::Unix(_, path) = self {
            // Whoever has replaced or removed the file meanwhile has had a reason.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// What TCP listeners have in common.
#[derive(Clone, Debug)]
pub struct TcpOptions {
    /// `tcp-backlog`: connections that may wait to be accepted.
    pub backlog: i32,
    /// `socket-mark-id`: the packets' mark for routing and filtering; 0 for none. Needs a privilege; without it nothing
    /// is marked, as in the peer.
    pub mark: u32,
}

/// Why nothing listens: the lines for the log, in order.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// What went wrong, one line per address that was tried.
    pub warnings: Vec<String>,
}

/// Listens on every address of `bind`. On success the warnings are of addresses that were passed over.
pub fn tcp(bind: &[String], port: u16, options: &TcpOptions) -> Result<(Vec<Listener>, Vec<String>), Refused> {
    let mut listeners = Vec::new();
    let mut warnings = Vec::new();
    for address in bind {
        let (name, optional) = match address.strip_prefix('-') {
            Some(rest) => (rest, true),
            None => (address.as_str(), false),
        };
        match tcp_one(name, port, options) {
            Ok(listener) => listeners.push(Listener::Tcp(listener)),
            Err(error) => {
                warnings.push(process::could_not_listen(name, port, &error.text));
                let passed_over = match error.code {
                    Some(libc::EADDRNOTAVAIL) => optional,
                    Some(
                        libc::ENOPROTOOPT
                        | libc::EPROTONOSUPPORT
                        | libc::ESOCKTNOSUPPORT
                        | libc::EPFNOSUPPORT
                        | libc::EAFNOSUPPORT,
                    ) => true,
                    _ => false,
                };
                if !passed_over {
                    return Err(Refused { warnings });
                }
            }
        }
    }
    Ok((listeners, warnings))
}

/// Listens on a Unix socket. A file left over at the path is removed first. `permissions` are those of `unixsocketperm`;
/// `None` leaves what the umask gives. `group` is the id that the file is given to.
pub fn unix(path: &Path, permissions: Option<u32>, group: Option<u32>, backlog: i32) -> io::Result<Listener> {
    let _ = std::fs::remove_file(path);
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&socket2::SockAddr::unix(path)?)?;
    if let Some(mode) = permissions {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))?;
    }
    if let Some(group) = group {
        std::os::unix::fs::chown(path, None, Some(group))?;
    }
    socket.listen(backlog)?;
    Ok(Listener::Unix(mio::net::UnixListener::from_std(socket.into()), path.to_owned()))
}

/// The id of a group (`unixsocketgroup`); `None` when there is no such group.
pub fn group_id(name: &str) -> Option<u32> {
    let name = std::ffi::CString::new(name).ok()?;
    let mut buffer = vec![0 as libc::c_char; 16 * 1024];
    // SAFETY: an entry of zeroes is a valid one, and is filled in below.
    let mut entry: libc::group = unsafe { std::mem::zeroed() };
    let mut found = std::ptr::null_mut();
    // SAFETY: the name is a C string, and the others are writable, the buffer for the length given.
    let code =
        unsafe { libc::getgrnam_r(name.as_ptr(), &raw mut entry, buffer.as_mut_ptr(), buffer.len(), &raw mut found) };
    (code == 0 && !found.is_null()).then_some(entry.gr_gid)
}

/// The warning that a backlog of this size cannot be had, where that is so.
pub fn backlog_warning(backlog: i32) -> Option<String> {
    let most: i32 = std::fs::read_to_string("/proc/sys/net/core/somaxconn").ok()?.trim().parse().ok()?;
    (most > 0 && most < backlog).then(|| process::backlog_too_large(backlog, most))
}

struct Failure {
    text: String,
    code: Option<i32>,
}

impl Failure {
    fn of(step: &str, error: &io::Error) -> Self {
        Failure { text: format!("{step}: {}", errno::text(error)), code: error.raw_os_error() }
    }
}

fn tcp_one(name: &str, port: u16, options: &TcpOptions) -> Result<mio::net::TcpListener, Failure> {
    let target = resolve(name, port)?;
    let socket = match Socket::new(Domain::for_address(target), Type::STREAM, Some(Protocol::TCP)) {
        Ok(socket) => socket,
        Err(e) => {
            let code = e.raw_os_error();
            let number = code.unwrap_or(0);
            return Err(Failure { text: format!("unable to bind socket, errno: {number}"), code });
        }
    };
    if target.is_ipv6() {
        socket.set_only_v6(true).map_err(|e| Failure::of("setsockopt", &e))?;
    }
    socket.set_reuse_address(true).map_err(|e| Failure::of("setsockopt SO_REUSEADDR", &e))?;
    socket.bind(&target.into()).map_err(|e| Failure::of("bind", &e))?;
    socket.listen(options.backlog).map_err(|e| Failure::of("listen", &e))?;
    socket.set_nonblocking(true).map_err(|e| Failure::of("fcntl", &e))?;
    mark(&socket, options.mark);
    Ok(mio::net::TcpListener::from_std(socket.into()))
}

fn resolve(name: &str, port: u16) -> Result<SocketAddr, Failure> {
    match name {
        "*" => return Ok(([0, 0, 0, 0], port).into()),
        "::*" | "::" => return Ok(([0u16; 8], port).into()),
        _ => {}
    }
    let wants_v6 = name.contains(':');
    let found = (name, port).to_socket_addrs().map_err(|e| {
        // The resolver's own words stand behind the library's prefix.
        let text = e.to_string();
        let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned();
        Failure { text, code: e.raw_os_error() }
    })?;
    found
        .into_iter()
        .find(|a| a.is_ipv6() == wants_v6)
        .ok_or_else(|| Failure { text: "Name or service not known".to_owned(), code: None })
}

/// Marks the packets of a socket; connections that it accepts inherit the mark.
fn mark(socket: &Socket, mark: u32) {
    if mark == 0 {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the option's value is a 32-bit number, and that is what the pointer and the length describe.
        let _ = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_MARK,
                (&raw const mark).cast(),
                size_of::<u32>() as libc::socklen_t,
            )
        };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = socket.as_raw_fd();
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: TcpOptions = TcpOptions { backlog: 16, mark: 0 };

    fn port_of(listener: &Listener) -> u16 {
        match listener {
            Listener::Tcp(l) => l.local_addr().unwrap().port(),
            Listener::Unix(..) => unreachable!("a TCP listener was asked for"),
        }
    }

    #[test]
    fn a_taken_port_is_told_in_the_known_words() {
        let (first, _) = tcp(&["127.0.0.1".to_owned()], 0, &OPTIONS).unwrap();
        let port = port_of(&first[0]);
        let refused = tcp(&["127.0.0.1".to_owned()], port, &OPTIONS).unwrap_err();
        let expected = format!(
            "Warning: Could not create server TCP listening socket 127.0.0.1:{port}: bind: Address already in use"
        );
        assert_eq!(refused.warnings, [expected]);
        drop(first);
        assert!(tcp(&["127.0.0.1".to_owned()], port, &OPTIONS).is_ok());
    }

    #[test]
    fn an_optional_address_may_be_missing() {
        // TEST-NET addresses are on no machine.
        let bind = ["127.0.0.1".to_owned(), "-192.0.2.1".to_owned()];
        let (listeners, warnings) = tcp(&bind, 0, &OPTIONS).unwrap();
        assert_eq!(listeners.len(), 1);
        assert_eq!(
            warnings,
            [
                "Warning: Could not create server TCP listening socket 192.0.2.1:0: bind: Cannot assign requested address"
            ]
        );
        let refused = tcp(&["192.0.2.1".to_owned()], 0, &OPTIONS).unwrap_err();
        assert_eq!(refused.warnings.len(), 1);
    }

    #[test]
    fn both_families_share_a_port() {
        let (v4, _) = tcp(&["*".to_owned()], 0, &OPTIONS).unwrap();
        // Without IPv6 on the machine this is passed over; with it, it must not collide with IPv4.
        let (v6, warnings) = tcp(&["-::*".to_owned()], port_of(&v4[0]), &OPTIONS).unwrap();
        assert_eq!(v6.len() + warnings.len(), 1);
    }

    #[test]
    fn groups_have_ids() {
        assert_eq!(group_id("root"), Some(0));
        assert_eq!(group_id("no such group"), None);
    }

    #[test]
    fn a_unix_socket_has_its_permissions_and_leaves_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        std::fs::write(&path, b"left over").unwrap();
        let listener = unix(&path, Some(0o700), None, 16).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        drop(listener);
        assert!(!path.exists());
    }
}
