//! Where a server is: a host as it was written, the address that it means now, and a port.
//!
//! ```text
//!   host "10.0.0.7"        ip 10.0.0.7 for ever
//!   host "db-1.internal"   ip looked up at every reconnect; none until the first answer
//! ```
//!
//! Two addresses are the same when their ports are and either the resolved addresses or the written hosts are. A host
//! name means something only while `resolve-hostnames` is on; which of the two spellings others are told is decided by
//! `announce-hostnames`.
//!
//! The original looks names up where they occur and stands still meanwhile. Here a name is looked up in the background;
//! until then the host alone is compared.

use crate::text::text;
use std::collections::BTreeMap;
use std::net::IpAddr;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addr {
    pub host: Vec<u8>,
    pub ip: Option<IpAddr>,
    pub port: u16,
}

impl Addr {
    pub fn same(&self, other: &Addr) -> bool {
        self.port == other.port
            && (self.ip.is_some() && self.ip == other.ip || self.host.eq_ignore_ascii_case(&other.host))
    }

    /// Whether the host is a name that has to be looked up.
    pub fn is_named(&self) -> bool {
        literal(&self.host).is_none()
    }
}

/// Why there is no such address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddrError {
    Port,
    Host,
}

/// How host names are treated, and what is known of them.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// `resolve-hostnames`
    pub resolve: bool,
    /// `announce-hostnames`
    pub announce: bool,
    known: BTreeMap<Vec<u8>, IpAddr>,
}

/// The longest name that DNS knows.
const LONGEST_HOST: usize = 255;

/// How many looked up names are remembered.
const MOST_NAMES: usize = 4096;

impl Names {
    /// The address of `host` and `port`; its `ip` is empty when it is a name that was not looked up yet.
    pub fn addr(&self, host: &[u8], port: i64) -> Result<Addr, AddrError> {
        let port = u16::try_from(port).map_err(|_| AddrError::Port)?;
        let ip = match literal(host) {
            Some(ip) => Some(ip),
            None if self.resolve && is_name(host) => self.known.get(&host.to_ascii_lowercase()).copied(),
            None => return Err(AddrError::Host),
        };
        Ok(Addr { host: host.to_vec(), ip, port })
    }

    pub fn learn(&mut self, name: &[u8], ip: IpAddr) {
        let name = name.to_ascii_lowercase();
        if self.known.len() < MOST_NAMES || self.known.contains_key(&name) {
            self.known.insert(name, ip);
        }
    }

    /// Whether `host`, as another program spelled it, is where `addr` is.
    pub fn is_at(&self, addr: &Addr, host: &[u8]) -> bool {
        let ip = literal(host).or_else(|| self.known.get(&host.to_ascii_lowercase()).copied().filter(|_| self.resolve));
        ip.is_some() && ip == addr.ip || addr.host.eq_ignore_ascii_case(host)
    }

    /// The host as others are told it.
    pub fn shown(&self, addr: &Addr) -> Vec<u8> {
        match addr.ip {
            Some(ip) if !self.announce => ip.to_string().into_bytes(),
            _ => addr.host.clone(),
        }
    }

    /// `host:port`, with brackets around an IPv6 address: the name of a replica.
    pub fn joined(&self, addr: &Addr) -> Vec<u8> {
        let host = self.shown(addr);
        if host.contains(&b':') { text!("[", host, "]:", addr.port) } else { text!(host, ":", addr.port) }
    }
}

/// The address that a host spells out itself.
pub(crate) fn literal(host: &[u8]) -> Option<IpAddr> {
    std::str::from_utf8(host).ok()?.parse().ok()
}

fn is_name(host: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !host.is_empty() && host.len() <= LONGEST_HOST && host.iter().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_to_be_allowed_and_compare_by_what_they_mean() {
        let mut names = Names::default();
        assert_eq!(names.addr(b"db", 6379), Err(AddrError::Host));
        assert_eq!(names.addr(b"127.0.0.1", 65536), Err(AddrError::Port));
        names.resolve = true;
        let unknown = names.addr(b"db", 6379).expect("a name");
        assert_eq!(unknown.ip, None);
        assert_eq!(names.shown(&unknown), b"db");
        names.learn(b"DB", "10.0.0.7".parse().expect("address"));
        let db = names.addr(b"Db", 6379).expect("a name");
        assert!(db.same(&names.addr(b"10.0.0.7", 6379).expect("address")));
        assert!(db.same(&unknown) && names.is_at(&db, b"10.0.0.7") && !names.is_at(&db, b"10.0.0.8"));
        assert_eq!(names.joined(&db), b"10.0.0.7:6379");
        names.announce = true;
        assert_eq!(names.joined(&db), b"Db:6379");
        assert_eq!(names.joined(&names.addr(b"::1", 7).expect("address")), b"[::1]:7");
        assert_eq!(names.addr(b"a b", 1), Err(AddrError::Host));
    }
}
