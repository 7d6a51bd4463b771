//! Ports for servers under test.
//!
//! A server's port must stay its own over a restart, so it cannot be any free one: the system would lend it to the
//! next outgoing connection. Ports here lie below the range that the system lends from, each is given once in a
//! process, and where counting starts depends on the process, so that test programs that run at the same time
//! rarely look at the same port.

use std::net::TcpListener;
use std::sync::{Mutex, MutexGuard};

/// Each with the port of its cluster bus, 10000 higher, below 32768, where Linux starts to lend; and no bus among the ports.
const RANGE: std::ops::Range<u32> = 14_000..22_000;

/// How much higher the port of the cluster bus is.
const BUS: u16 = 10_000;

/// How many ports were looked at. Whoever claims several in a row keeps it until it has them.
static NEXT: Mutex<u32> = Mutex::new(0);

/// A port that no one listens on, nor on the one of its cluster bus.
pub fn claim() -> u16 {
    next(&mut count())
}

/// The first of `length` ports in a row that no one listens on.
pub fn claim_row(length: u16) -> u16 {
    let mut count = count();
    let mut first = next(&mut count);
    let mut last = first;
    while last - first + 1 < length {
        let port = next(&mut count);
        if port != last + 1 {
            first = port;
        }
        last = port;
    }
    first
}

fn count() -> MutexGuard<'static, u32> {
    NEXT.lock().expect("whoever counts does not panic before the range is empty")
}

fn next(count: &mut u32) -> u16 {
    let start = std::process::id().wrapping_mul(127);
    for _ in RANGE {
        let port = RANGE.start + start.wrapping_add(*count) % (RANGE.end - RANGE.start);
        *count = count.wrapping_add(1);
        let port = u16::try_from(port).expect("the range ends below 65536");
        if [port, port + BUS].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()) {
            return port;
        }
    }
    panic!("no port of {RANGE:?} is free");
}
