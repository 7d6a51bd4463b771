//! Addresses of host names.
//!
//! The system's resolver answers when it pleases: at once from a file, after half a minute when a name server is gone. So a
//! loop asks with [`later`], on a thread of the question's own: one name that takes long holds up no other.

use std::net::{IpAddr, ToSocketAddrs};

/// The first address of a name, or of an address as text. As long as the resolver takes.
pub fn now(name: &[u8]) -> Option<IpAddr> {
    let name = std::str::from_utf8(name).ok()?;
    if let Ok(ip) = name.parse() {
        return Some(ip);
    }
    (name, 0).to_socket_addrs().ok()?.next().map(|address| address.ip())
}

/// The same on another thread, which calls `done` there. Without a thread to be had, the answer is that there is none.
pub fn later(name: Vec<u8>, done: impl FnOnce(Vec<u8>, Option<IpAddr>) + Send + Sync + 'static) {
    let question = std::sync::Arc::new(parking_lot::Mutex::new(Some((name, done))));
    let there = question.clone();
    let answer = move || {
        if let Some((name, done)) = there.lock().take() {
            let ip = now(&name);
            done(name, ip);
        }
    };
    let spawned = std::thread::Builder::new().name("resolve".to_owned()).stack_size(1024 * 1024).spawn(answer);
    if spawned.is_err()
        && let Some((name, done)) = question.lock().take()
    {
        done(name, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn addresses_and_names_have_addresses() {
        assert_eq!(now(b"192.0.2.7"), Some(IpAddr::from([192, 0, 2, 7])));
        assert_eq!(now(b"::1"), "::1".parse().ok());
        assert!(now(b"localhost").is_some_and(|ip| ip.is_loopback()));
        assert_eq!(now(b"no such name"), None);
        assert_eq!(now(b"\xff"), None);
    }

    #[test]
    fn an_answer_comes_later() {
        let (tx, rx) = mpsc::channel();
        let tx = parking_lot::Mutex::new(tx);
        later(b"127.0.0.1".to_vec(), move |name, ip| tx.lock().send((name, ip)).unwrap());
        assert_eq!(rx.recv().unwrap(), (b"127.0.0.1".to_vec(), Some(IpAddr::from([127, 0, 0, 1]))));
    }
}
