//! Where a server listens.

use std::fmt;
use std::path::PathBuf;

/// A TCP host and port, or the path of a Unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    Tcp { host: String, port: u16 },
    Unix(PathBuf),
}

impl Address {
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        Address::Tcp { host: host.into(), port }
    }

    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Address::Unix(path.into())
    }
}

/// `host:port`, with an IPv6 host in brackets, or the path.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Tcp { host, port } if host.contains(':') => write!(f, "[{host}]:{port}"),
            Address::Tcp { host, port } => write!(f, "{host}:{port}"),
            Address::Unix(path) => write!(f, "{}", path.display()),
        }
    }
}

/// Which kind of address a host name shall be resolved to first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_print_as_people_type_them() {
        assert_eq!(Address::tcp("localhost", 6379).to_string(), "localhost:6379");
        assert_eq!(Address::tcp("::1", 7000).to_string(), "[::1]:7000");
        assert_eq!(Address::unix("/run/x.sock").to_string(), "/run/x.sock");
    }
}
