//! `nodes.conf`: the cluster as this node knew it when it last told the disk.
//!
//! ```text
//!   <id> <ip>:<port>@<bus port>,<hostname>,<name>=<value>,… <flags> <primary or -> <ping> <pong> <epoch> <link> <slots> …
//!   vars checksum <16 hex digits> currentEpoch <n> lastVoteEpoch <n>
//! ```
//!
//! Slots are `n`, `n-m`, and on this node's own line `[n->-id]` (being given) and `[n-<-id]` (being taken). The form is
//! the published one: a file of Redis or Valkey is read, and ours is read by them, because they skip variables that they
//! do not know.
//!
//! The checksum is CRC64 of everything but itself and **the addresses**: people and start-up scripts replace addresses in
//! this file when a machine has moved, and that must not look like damage. A file that is cut short has lost its `vars`
//! line, which comes last, or does not have its checksum any more. A damaged file is not guessed at: the copy before it is used, and only when there is
//! none does the node refuse to start.
//!
//! Reading never reserves more than the file holds; lines that are not understood are damage.

use crate::codec::Flags;
use crate::codec::cursor::{is_address, is_auxiliary};
use crate::id::{Epoch, NodeId, ShardId, Slot};
use crate::node::{Address, Announced};
use crate::slot_set::SlotSet;
use std::collections::BTreeMap;
use structures::crc64::crc64;

/// A file, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct NodesConf {
    pub nodes: Vec<SavedNode>,
    pub current_epoch: Epoch,
    pub last_vote_epoch: Epoch,
    pub migrating: BTreeMap<Slot, NodeId>,
    pub importing: BTreeMap<Slot, NodeId>,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct SavedNode {
    pub id: NodeId,
    pub address: Address,
    pub announced: Announced,
    pub shard: Option<ShardId>,
    pub flags: Flags,
    pub primary: Option<NodeId>,
    /// Whether a ping was under way.
    pub pinged: bool,
    /// Whether it had ever answered.
    pub ponged: bool,
    pub config_epoch: Epoch,
    pub slots: SlotSet,
}

/// What is wrong with a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Damage {
    /// It has no `vars` line, or that line does not tell the epochs.
    Cut,
    Checksum,
    /// A line that is not understood, by its number.
    Line(usize),
    /// No line, or more than one, is this node's own.
    Myself,
    Twice(NodeId),
}

impl std::fmt::Display for Damage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Damage::Cut => f.write_str("it was cut short"),
            Damage::Checksum => f.write_str("its checksum does not hold"),
            Damage::Line(number) => write!(f, "line {number} is not understood"),
            Damage::Myself => f.write_str("it does not say which node this is"),
            Damage::Twice(id) => write!(f, "node {id} stands in it twice"),
        }
    }
}

/// Reads a file. `tls` says which port the first one is in files that name only one.
pub(crate) fn read(file: &[u8], tls: bool) -> Result<NodesConf, Damage> {
    let mut conf = NodesConf {
        nodes: Vec::new(),
        current_epoch: Epoch(0),
        last_vote_epoch: Epoch(0),
        migrating: BTreeMap::new(),
        importing: BTreeMap::new(),
    };
    let (mut vars, mut at) = (false, 0);
    for (number, line) in file.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let start = at;
        at += line.len();
        let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        match words.first() {
            None => continue,
            Some(word) if word.eq_ignore_ascii_case(b"vars") => {
                // Files made by hand may end without a line end; ours would not hold their checksum then.
                vars = words.iter().any(|word| word.eq_ignore_ascii_case(b"lastVoteEpoch"));
                conf.read_vars(&words, file, start, line)
                    .map_err(|damage| damage.unwrap_or(Damage::Line(number + 1)))?;
            }
            Some(_) => {
                let node = conf.read_node(&words, tls).ok_or(Damage::Line(number + 1))?;
                if conf.nodes.iter().any(|known| known.id == node.id) {
                    return Err(Damage::Twice(node.id));
                }
                conf.nodes.push(node);
            }
        }
    }
    if !vars {
        return Err(Damage::Cut);
    }
    if conf.nodes.iter().filter(|node| node.flags.any(Flags::MYSELF)).count() != 1 {
        return Err(Damage::Myself);
    }
    Ok(conf)
}

impl NodesConf {
    fn read_vars(&mut self, words: &[&[u8]], file: &[u8], start: usize, line: &[u8]) -> Result<(), Option<Damage>> {
        if words.len().is_multiple_of(2) {
            return Err(None);
        }
        for pair in words[1..].chunks_exact(2) {
            let (name, value) = (pair[0], pair[1]);
            if name.eq_ignore_ascii_case(b"currentEpoch") {
                self.current_epoch = Epoch(number(value).ok_or(None)?);
            } else if name.eq_ignore_ascii_case(b"lastVoteEpoch") {
                self.last_vote_epoch = Epoch(number(value).ok_or(None)?);
            } else if name == CHECKSUM {
                let told = std::str::from_utf8(value).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
                let field = [b" ", CHECKSUM, b" ", value].concat();
                let at = start + line.windows(field.len()).position(|window| window == field).ok_or(None)?;
                if told != Some(checksum(&[&file[..at], &file[at + field.len()..]].concat())) {
                    return Err(Some(Damage::Checksum));
                }
            }
        }
        Ok(())
    }

    fn read_node(&mut self, words: &[&[u8]], tls: bool) -> Option<SavedNode> {
        let [id, place, flags, primary, pinged, ponged, epoch, _, slots @ ..] = words else { return None };
        let mut node = SavedNode {
            id: NodeId::parse(id)?,
            address: Address::default(),
            announced: Announced::default(),
            shard: None,
            flags: read_flags(flags)?,
            primary: if primary.starts_with(b"-") { None } else { Some(NodeId::parse(primary)?) },
            pinged: number(pinged)? != 0,
            ponged: number(ponged)? != 0,
            config_epoch: Epoch(number(epoch)?),
            slots: SlotSet::new(),
        };
        node.read_place(place, tls)?;
        for word in slots {
            self.read_slots(&mut node, word)?;
        }
        Some(node)
    }

    fn read_slots(&mut self, node: &mut SavedNode, word: &[u8]) -> Option<()> {
        if let Some(open) = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]")) {
            let dash = open.iter().position(|byte| *byte == b'-')?;
            let (slot, rest) = open.split_at(dash);
            let slot = Slot::new(u16::try_from(number(slot)?).ok()?)?;
            if let Some(to) = rest.strip_prefix(b"->-") {
                self.migrating.insert(slot, NodeId::parse(to)?);
            } else {
                self.importing.insert(slot, NodeId::parse(rest.strip_prefix(b"-<-")?)?);
            }
            return Some(());
        }
        let mut ends = word.splitn(2, |byte| *byte == b'-');
        let first = number(ends.next()?)?;
        let last = ends.next().map_or(Some(first), number)?;
        for slot in first..=last.min(Slot::COUNT as u64) {
            node.slots.insert(Slot::new(u16::try_from(slot).ok()?)?);
        }
        Some(())
    }
}

impl SavedNode {
    /// `ip:port@bus,hostname,name=value,…`
    fn read_place(&mut self, place: &[u8], tls: bool) -> Option<()> {
        let mut fields = place.split(|byte| *byte == b',');
        let address = fields.next()?;
        if let Some(hostname) = fields.next() {
            self.announced.hostname = is_address(hostname).then(|| hostname.to_vec())?;
        }
        let (mut plain, mut secure) = (None, None);
        for field in fields {
            let (name, value) = halves(field, b'=')?;
            if !is_auxiliary(name) || !is_auxiliary(value) {
                return None;
            }
            match name {
                b"shard-id" => self.shard = Some(NodeId::parse(value)?),
                b"nodename" => self.announced.human_name = value.to_vec(),
                b"tcp-port" => plain = Some(port(value)?),
                b"tls-port" => secure = Some(port(value)?),
                b"client-ipv4" => self.announced.client_ipv4 = is_address(value).then(|| value.to_vec())?,
                b"client-ipv6" => self.announced.client_ipv6 = is_address(value).then(|| value.to_vec())?,
                b"client-tcp-port" => self.announced.client_port = port(value)?,
                b"client-tls-port" => self.announced.client_tls_port = port(value)?,
                b"availability-zone" => self.announced.availability_zone = value.to_vec(),
                _ => return None,
            }
        }
        let colon = address.iter().rposition(|byte| *byte == b':')?;
        let (ip, ports) = (&address[..colon], &address[colon + 1..]);
        self.address.ip = is_address(ip).then(|| ip.to_vec())?;
        let (first, bus) = halves(ports, b'@').map_or((ports, None), |(first, bus)| (first, Some(bus)));
        let first = port(first)?;
        (self.address.port, self.address.tls_port) = match (plain, secure) {
            (None, None) if tls => (0, first),
            (None, secure) => (first, secure.unwrap_or(0)),
            (Some(plain), None) => (plain, first),
            (Some(plain), Some(secure)) => (plain, secure),
        };
        self.address.bus_port = match bus {
            Some(bus) => port(bus)?,
            None => first.saturating_add(crate::config::BUS_PORT_STEP),
        };
        Some(())
    }
}

fn read_flags(words: &[u8]) -> Option<Flags> {
    let mut flags = Flags::NONE;
    for word in words.split(|byte| *byte == b',') {
        flags |= match word.to_ascii_lowercase().as_slice() {
            b"myself" => Flags::MYSELF,
            b"master" | b"primary" => Flags::PRIMARY,
            b"slave" | b"replica" => Flags::REPLICA,
            b"fail?" => Flags::PFAIL,
            b"fail" => Flags::FAIL,
            b"handshake" => Flags::HANDSHAKE,
            b"noaddr" => Flags::NOADDR | Flags::FAIL,
            b"nofailover" => Flags::NOFAILOVER,
            b"noflags" => Flags::NONE,
            _ => return None,
        };
    }
    Some(flags)
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn port(text: &[u8]) -> Option<u16> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn halves(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let at = text.iter().position(|byte| *byte == at)?;
    Some((&text[..at], &text[at + 1..]))
}

const CHECKSUM: &[u8] = b"checksum";

/// The checksum of the lines before it: each without its address, which is the second word up to its first comma.
fn checksum(text: &[u8]) -> u64 {
    text.split_inclusive(|byte| *byte == b'\n').fold(0, |crc, line| match halves(line, b' ') {
        Some((first, rest)) if !first.eq_ignore_ascii_case(b"vars") => {
            let end = rest.iter().position(|byte| matches!(byte, b',' | b' ')).unwrap_or(rest.len());
            crc64(crc64(crc, first), &rest[end..])
        }
        _ => crc64(crc, line),
    })
}

/// Ends a file whose node lines are `text`.
pub(crate) fn finish(mut text: Vec<u8>, current_epoch: Epoch, last_vote_epoch: Epoch) -> Vec<u8> {
    let epochs = format!(" currentEpoch {current_epoch} lastVoteEpoch {last_vote_epoch}\n");
    text.extend_from_slice(b"vars");
    let sum = checksum(&[text.as_slice(), epochs.as_bytes()].concat());
    text.extend_from_slice(format!(" checksum {sum:016x}{epochs}").as_bytes());
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VALKEYS: [&[u8]; 3] = [
        include_bytes!("../fixtures/nodes-0.conf"),
        include_bytes!("../fixtures/nodes-1.conf"),
        include_bytes!("../fixtures/nodes-3.conf"),
    ];
    const ID: &str = "07c37dfeb235213a872192d90877d0cd55635b91";
    const OTHER: &str = "67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1";

    fn lines(text: &str) -> Vec<u8> {
        finish(text.as_bytes().to_vec(), Epoch(3), Epoch(2))
    }

    #[test]
    fn files_of_valkey_nodes() {
        for file in VALKEYS {
            let conf = read(file, false).unwrap();
            let slots: usize = conf.nodes.iter().map(|node| node.slots.len()).sum();
            assert_eq!(slots, Slot::COUNT);
            assert!(conf.nodes.iter().all(|node| node.shard.is_some() && node.address.bus_port != 0));
        }
        let conf = read(VALKEYS[0], false).unwrap();
        let me = conf.nodes.iter().find(|node| node.flags.any(Flags::MYSELF)).unwrap();
        assert_eq!(me.announced.hostname, b"node0.example.org");
        assert_eq!(me.announced.human_name, b"zero");
        assert_eq!(me.announced.availability_zone, b"us-east-1a");
        assert_eq!((me.announced.client_port, me.announced.client_tls_port), (7777, 7778));
        assert_eq!((me.address.port, me.address.bus_port), (27100, 38100));
        assert_eq!((conf.current_epoch, conf.last_vote_epoch), (Epoch(4), Epoch(0)));
    }

    #[test]
    fn old_files_name_one_port_and_no_bus() {
        let text =
            format!("{ID} 127.0.0.1:6379 myself,master - 0 0 1 connected 0-5 7\nvars currentEpoch 1 lastVoteEpoch 0\n");
        let conf = read(text.as_bytes(), false).unwrap();
        assert_eq!(conf.nodes[0].address.bus_port, 16379);
        assert_eq!(conf.nodes[0].slots.ranges().len(), 2);
        let secure = read(text.as_bytes(), true).unwrap();
        assert_eq!((secure.nodes[0].address.port, secure.nodes[0].address.tls_port), (0, 6379));
    }

    #[test]
    fn a_file_made_by_hand_may_lack_its_last_line_end() {
        let text =
            format!("{ID} 127.0.0.1:6379@16379 myself,master - 0 0 1 connected\nvars currentEpoch 13 lastVoteEpoch 9");
        assert_eq!(read(text.as_bytes(), false).map(|conf| conf.last_vote_epoch), Ok(Epoch(9)));
        assert_eq!(read(&text.as_bytes()[..text.len() - 16], false), Err(Damage::Cut));
    }

    #[test]
    fn open_slots() {
        let file = lines(&format!(
            "{ID} :1@2 myself,master - 0 0 1 connected 0-9 [5->-{OTHER}] [77-<-{OTHER}]\n{OTHER} ::1:1@2 master - 0 0 2 connected\n"
        ));
        let conf = read(&file, false).unwrap();
        let (other, slot) = (NodeId::parse(OTHER.as_bytes()).unwrap(), |n| Slot::new(n).unwrap());
        assert_eq!(conf.migrating, BTreeMap::from([(slot(5), other)]));
        assert_eq!(conf.importing, BTreeMap::from([(slot(77), other)]));
        assert_eq!(conf.nodes[1].address.ip, b"::1");
    }

    #[test]
    fn damage_is_noticed_and_addresses_may_be_replaced() {
        let file = lines(&format!("{ID} 10.0.0.1:6379@16379 myself,master - 0 0 1 connected 0-16383\n"));
        assert!(read(&file, false).is_ok());
        for end in 0..file.len() {
            assert!(read(&file[..end], false).is_err(), "cut at {end}");
        }
        let text = String::from_utf8(file).unwrap();
        assert!(read(text.replace("10.0.0.1", "192.168.77.5").as_bytes(), false).is_ok());
        assert_eq!(read(text.replace("0-16383", "0-16382").as_bytes(), false), Err(Damage::Checksum));
        assert_eq!(read(text.replace("currentEpoch 3", "currentEpoch 4").as_bytes(), false), Err(Damage::Checksum));
    }

    #[test]
    fn what_is_no_configuration() {
        let twice = format!("{ID} :1@2 myself,master - 0 0 1 connected\n{ID} :1@2 master - 0 0 1 connected\n");
        assert_eq!(read(&lines(&twice), false), Err(Damage::Twice(NodeId::parse(ID.as_bytes()).unwrap())));
        assert_eq!(read(&lines(""), false), Err(Damage::Myself));
        assert_eq!(read(b"", false), Err(Damage::Cut));
        for bad in ["", ",h,availability-zone=a b", ",h,colour=red", ",h,shard-id=5", ",h\x01"] {
            let line = format!("{ID} 1.2.3.4:x@1{bad} myself,master - 0 0 1 connected\n");
            assert!(read(&lines(&line), false).is_err(), "{bad}");
        }
        let far = format!("{ID} :1@2 myself,master - 0 0 1 connected 5-16384\n");
        assert_eq!(read(&lines(&far), false), Err(Damage::Line(1)));
    }

    proptest! {
        #[test]
        fn hostile_files_are_refused_or_understood(
            which in 0..VALKEYS.len(),
            changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        ) {
            let mut file = VALKEYS[which].to_vec();
            for (at, value) in changes {
                let at = at.index(file.len());
                file[at] = value;
            }
            let _ = read(&file, false);
        }
    }
}
