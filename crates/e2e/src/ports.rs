//! Ports for servers under test.
//!
//! A server's port must stay its own over a restart, so it cannot be any free one: the system would lend it to the
//! next outgoing connection. Ports here lie below the range that the system lends from, each is given once in a
//! process, and where counting starts depends on the process, so that test programs that run at the same time
//! rarely look at the same port.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below 32768, where Linux starts to lend; room above for a cluster bus at +10000.
const RANGE: std::ops::Range<u32> = 11_000..32_000;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port that no one listens on.
pub fn claim() -> u16 {
    let start = std::process::id().wrapping_mul(127);
    for _ in RANGE {
        let count = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = RANGE.start + start.wrapping_add(count) % (RANGE.end - RANGE.start);
        let port = u16::try_from(port).expect("the range ends below 65536");
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port of {RANGE:?} is free");
}

/// The first of `count` ports in a row that no one listens on.
pub fn claim_row(count: u16) -> u16 {
    let is_row = |first: u16| (1..count).all(|more| first + more == claim());
    (0..100).map(|_| claim()).find(|&first| is_row(first)).expect("some ports are free in a row")
}
