//! What a node says about another node: 104 bytes at the end of every ping.
//!
//! ```text
//!   name 40 │ ping sent 4 │ pong received 4 │ ip 46 │ port 2 │ bus port 2 │ flags 2 │ second port 2 │ unused 2
//! ```
//!
//! Times are whole seconds of Unix time. An entry whose name is none condemns the whole list (the sender's memory is
//! broken); an address that is none only makes the entry one without an address.

use super::Flags;
use super::cursor::{Cursor, is_address, put_text, text};
use super::header::IP_LENGTH;
use crate::id::NodeId;

pub(crate) const LENGTH: usize = 104;

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Gossip {
    pub name: NodeId,
    pub ping_sent: u32,
    pub pong_received: u32,
    pub ip: Vec<u8>,
    pub port: u16,
    pub second_port: u16,
    pub bus_port: u16,
    pub flags: Flags,
}

/// A list of entries, or how many names in it were none.
pub(crate) type List = Result<Vec<Gossip>, usize>;

/// Reads `count` entries; `None` when they are not all there.
pub(crate) fn read(cursor: &mut Cursor<'_>, count: usize) -> Option<List> {
    let bytes = cursor.take(count.checked_mul(LENGTH)?)?;
    let entries: Vec<Option<Gossip>> = bytes.chunks_exact(LENGTH).map(|entry| read_one(&mut Cursor(entry))).collect();
    let bad = entries.iter().filter(|entry| entry.is_none()).count();
    Some(if bad == 0 { Ok(entries.into_iter().flatten().collect()) } else { Err(bad) })
}

fn read_one(cursor: &mut Cursor<'_>) -> Option<Gossip> {
    let name = cursor.name()?;
    let ping_sent = cursor.u32()?;
    let pong_received = cursor.u32()?;
    let ip = text(cursor.take(IP_LENGTH)?);
    let port = cursor.u16()?;
    let bus_port = cursor.u16()?;
    let mut flags = Flags(cursor.u16()?);
    let second_port = cursor.u16()?;
    let ip = if is_address(ip) { ip.to_vec() } else { Vec::new() };
    if ip.is_empty() {
        flags.set(Flags::NOADDR);
    }
    Some(Gossip { name, ping_sent, pong_received, ip, port, second_port, bus_port, flags })
}

pub(crate) fn write(out: &mut Vec<u8>, entries: &[Gossip]) {
    for entry in entries {
        out.extend_from_slice(entry.name.as_bytes());
        out.extend_from_slice(&entry.ping_sent.to_be_bytes());
        out.extend_from_slice(&entry.pong_received.to_be_bytes());
        put_text(out, &entry.ip, IP_LENGTH);
        out.extend_from_slice(&entry.port.to_be_bytes());
        out.extend_from_slice(&entry.bus_port.to_be_bytes());
        out.extend_from_slice(&entry.flags.0.to_be_bytes());
        out.extend_from_slice(&entry.second_port.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
    }
}
