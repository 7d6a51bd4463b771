//! The full header: who speaks, and what it claims.

use super::Flags;
use super::cursor::{Cursor, is_address, put_text, text};
use crate::id::{Epoch, NodeId};
use crate::slot_set::{BYTES, SlotSet};

/// How long the header is, and with it the shortest full packet.
pub(crate) const LENGTH: usize = 2256;
/// How long the light header is.
pub(crate) const LIGHT_LENGTH: usize = 16;
/// The bit of the type that says that the header is light.
pub(crate) const LIGHT: u16 = 0x8000;
pub(crate) const SIGNATURE: &[u8; 4] = b"RCmb";
pub(crate) const VERSION: u16 = 1;
/// How many bytes an address field has.
pub(crate) const IP_LENGTH: usize = 46;
const RESERVED: usize = 30;

/// The sender is a primary that has paused its writes for a failover.
pub(crate) const PAUSED: u8 = 1;
/// Vote even though the primary is up.
pub(crate) const FORCE_ACK: u8 = 1 << 1;
/// Extensions follow the gossip, or at least would be understood.
pub(crate) const HAS_EXTENSIONS: u8 = 1 << 2;

/// Everything in the header that is not about the packet itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// The port named first: plain, or TLS when the bus speaks TLS.
    pub port: u16,
    /// The other one.
    pub second_port: u16,
    pub bus_port: u16,
    pub current_epoch: Epoch,
    /// The sender's claim to its slots is of this epoch; a replica tells its primary's.
    pub config_epoch: Epoch,
    pub offset: u64,
    pub sender: NodeId,
    pub slots: SlotSet,
    pub replica_of: Option<NodeId>,
    /// Announced address; empty: the receiver finds out.
    pub ip: Vec<u8>,
    pub flags: Flags,
    /// 0: ok, 1: fail.
    pub state: u8,
    /// [`PAUSED`], [`FORCE_ACK`], [`HAS_EXTENSIONS`].
    pub message_flags: u8,
}

impl Header {
    /// Reads a header, and the numbers of gossip entries and extensions that it announces; the signature, length,
    /// version and type are the caller's matter. `None`: too short, or a name or address is none.
    pub fn read(cursor: &mut Cursor<'_>) -> Option<(Header, usize, usize)> {
        cursor.take(SIGNATURE.len() + 4 + 2)?;
        let port = cursor.u16()?;
        cursor.u16()?;
        let count = cursor.u16()?;
        let current_epoch = Epoch(cursor.u64()?);
        let config_epoch = Epoch(cursor.u64()?);
        let offset = cursor.u64()?;
        let sender = cursor.name()?;
        let slots = SlotSet::from_bytes(cursor.array::<BYTES>()?);
        let replica_of = match cursor.array::<40>()? {
            name if name.iter().all(|byte| *byte == 0) => None,
            name => Some(NodeId::parse(name)?),
        };
        let ip = text(cursor.take(IP_LENGTH)?);
        let extensions = cursor.u16()?;
        cursor.take(RESERVED)?;
        let second_port = cursor.u16()?;
        let bus_port = cursor.u16()?;
        let flags = Flags(cursor.u16()?);
        let state = cursor.u8()?;
        let [message_flags, _, _] = *cursor.array()?;
        let header = Header {
            port,
            second_port,
            bus_port,
            current_epoch,
            config_epoch,
            offset,
            sender,
            slots,
            replica_of,
            ip: is_address(ip).then(|| ip.to_vec())?,
            flags,
            state,
            message_flags,
        };
        Some((header, usize::from(count), usize::from(extensions)))
    }

    /// Writes the header of a packet of this type; [`finish`] puts its length in.
    pub fn write(&self, kind: u16, count: usize, extensions: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(LENGTH + 512);
        out.extend_from_slice(SIGNATURE);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&VERSION.to_be_bytes());
        out.extend_from_slice(&self.port.to_be_bytes());
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&small(count).to_be_bytes());
        out.extend_from_slice(&self.current_epoch.0.to_be_bytes());
        out.extend_from_slice(&self.config_epoch.0.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
        out.extend_from_slice(self.sender.as_bytes());
        out.extend_from_slice(self.slots.as_bytes());
        out.extend_from_slice(self.replica_of.as_ref().map_or(&[0; 40], |name| name.as_bytes()));
        put_text(&mut out, &self.ip, IP_LENGTH);
        out.extend_from_slice(&small(extensions).to_be_bytes());
        out.extend_from_slice(&[0; RESERVED]);
        out.extend_from_slice(&self.second_port.to_be_bytes());
        out.extend_from_slice(&self.bus_port.to_be_bytes());
        out.extend_from_slice(&self.flags.0.to_be_bytes());
        out.push(self.state);
        out.extend_from_slice(&[self.message_flags, 0, 0]);
        debug_assert_eq!(out.len(), LENGTH);
        out
    }
}

/// The light header.
pub(crate) fn write_light(kind: u16) -> Vec<u8> {
    let mut out = Vec::with_capacity(LIGHT_LENGTH + 64);
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&VERSION.to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out.extend_from_slice(&(kind | LIGHT).to_be_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

/// Puts the length of a finished packet into its header.
pub(crate) fn finish(mut packet: Vec<u8>) -> bytes::Bytes {
    let length = u32::try_from(packet.len()).expect("a packet is made of parts that were bounded");
    packet[4..8].copy_from_slice(&length.to_be_bytes());
    packet.into()
}

fn small(count: usize) -> u16 {
    u16::try_from(count).expect("entries were counted against the field")
}
