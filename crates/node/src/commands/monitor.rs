//! MONITOR.
//!
//! Every unit sends its lines before it runs, while it holds its locks, so the order in which monitors see commands is one
//! in which they took effect.

use std::sync::Arc;

use command::row::Row;
use keyspace::{DbIndex, UnixMillis};
use resp::args::Args;
use session::{Client, Flag, Letter};

use super::{Call, ControlBinding, Done, world};
use crate::control::{Change, Control};
use crate::execute::Core;
use crate::server::Server;

pub(super) const TABLE: &[ControlBinding] = &[world("monitor", monitor)];

fn monitor(call: &mut Call<'_, '_>) -> Done {
    if !call.client.card.is(Flag::Monitor) {
        call.client.card.set(Flag::Monitor, true);
        let me = (call.client.id(), call.core.me);
        call.core.publish_control(|control| {
            control.monitors = control.monitors.iter().copied().chain([me]).collect();
        });
    }
    call.client.out.ok();
    Ok(())
}

/// Ends MONITOR for a client (RESET, a closed connection). The lines under way still come and are dropped with it.
pub(crate) fn leave(core: &mut Core<'_>, client: &mut Client) {
    if client.card.is(Flag::Monitor) {
        client.card.set(Flag::Monitor, false);
        let id = client.id();
        core.later(Change::new(move |control| {
            control.monitors = control.monitors.iter().copied().filter(|(monitor, _)| *monitor != id).collect();
        }));
    }
}

/// Sends one command to all monitors.
pub fn feed(server: &Server, control: &Control, now: UnixMillis, db: DbIndex, from: &str, row: &Row, args: Args<'_>) {
    let mut line = format!("+{}.{:03}000 [{} {}]", now.0 / 1000, now.0 % 1000, db.0, from).into_bytes();
    for arg in crate::redact::shown(row, &args) {
        line.push(b' ');
        quote(&mut line, arg);
    }
    line.extend_from_slice(b"\r\n");
    let line: Arc<[u8]> = line.into();
    for (client, thread) in control.monitors.iter() {
        server.mailboxes[*thread].post(Letter::Monitor { client: *client, line: line.clone() });
    }
}

/// Appends a string as Redis quotes it in MONITOR lines and slow log listings.
pub fn quote(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    for &b in bytes {
        match b {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', b]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            0x20..=0x7e => out.push(b),
            _ => out.extend_from_slice(format!("\\x{b:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    #[test]
    fn unprintable_bytes_are_escaped() {
        let mut out = Vec::new();
        super::quote(&mut out, b"a\"\\\n\x00\xff~");
        assert_eq!(out, b"\"a\\\"\\\\\\n\\x00\\xff~\"");
    }
}
