//! The filters of CLIENT LIST and CLIENT KILL: what they say, and which clients they are about.
//!
//! A client is meant when it agrees with every filter given and with none of the negated ones. A filter given twice counts
//! as given last, except ID, whose numbers add up.

use std::sync::atomic::Ordering;

use resp::args::Args;
use resp::error::{self, Error};
use session::{ClientCard, ClientKind, Flag};
use structures::number;

use super::line;
use crate::execute::Core;

/// One half of a filter: what a client must be, or must not be.
#[derive(Default, Debug)]
struct Side {
    ids: Option<Vec<i64>>,
    kind: Option<ClientKind>,
    addr: Option<Vec<u8>>,
    laddr: Option<Vec<u8>>,
    user: Option<Vec<u8>>,
    flags: Option<Vec<u8>>,
    name: Option<Vec<u8>>,
    lib_name: Option<Vec<u8>>,
    lib_ver: Option<Vec<u8>>,
    db: Option<u32>,
    capa: Option<Vec<u8>>,
    ip: Option<Vec<u8>>,
}

/// Which clients are meant.
#[derive(Default, Debug)]
pub struct Filter {
    is: Side,
    not: Side,
    max_age: i64,
    idle: i64,
    /// Whether the caller itself is left out.
    pub skip_me: bool,
}

/// All letters that CLIENT LIST may show as flags.
const FLAG_LETTERS: &[u8] = b"OSMPxbtRBdcuAUreTIiEN";

impl Filter {
    /// The clients with this address (CLIENT KILL's old form), the caller among them.
    pub fn address(addr: &[u8]) -> Self {
        Filter { is: Side { addr: Some(addr.to_vec()), ..Side::default() }, ..Filter::default() }
    }

    /// Reads the filters from the third argument on.
    pub fn parse(core: &mut Core<'_>, args: Args<'_>, skip_me: bool) -> Result<Self, Error> {
        let mut filter = Filter { skip_me, ..Filter::default() };
        let mut next = 2;
        while let Some(word) = args.get(next) {
            let word = word.to_ascii_lowercase();
            let (negated, what) = match word.strip_prefix(b"not-") {
                Some(rest) => (true, rest),
                None => (false, &word[..]),
            };
            if what == b"id" {
                next += 1;
                let ids = if negated { &mut filter.not.ids } else { &mut filter.is.ids }.get_or_insert_default();
                while let Some(id) = args.get(next).and_then(number::parse_i64) {
                    if id < 1 {
                        return Err(error::client::CLIENT_ID);
                    }
                    ids.push(id);
                    next += 1;
                }
                continue;
            }
            let value = args.get(next + 1).ok_or(error::common::SYNTAX)?;
            match (negated, what) {
                (false, b"maxage") => {
                    filter.max_age = positive(value, error::client::MAXAGE_NOT_INTEGER, error::client::MAXAGE)?;
                }
                (false, b"idle") => {
                    filter.idle = positive(value, error::client::IDLE_NOT_INTEGER, error::client::IDLE)?;
                }
                (false, b"skipme") => {
                    filter.skip_me = match value.to_ascii_lowercase().as_slice() {
                        b"yes" => true,
                        b"no" => false,
                        _ => return Err(error::common::SYNTAX),
                    }
                }
                _ => {
                    let side = if negated { &mut filter.not } else { &mut filter.is };
                    side.read(core, what, value, negated)?;
                }
            }
            next += 2;
        }
        Ok(filter)
    }

    /// Whether a client is meant. `me` is the caller's id, `now` the time in ms.
    pub fn matches(&self, card: &ClientCard, me: u64, now: i64) -> bool {
        let seconds = |since: i64| (now - since) / 1000;
        !(self.skip_me && card.id == me)
            && (self.max_age == 0 || seconds(card.created) >= self.max_age)
            && (self.idle == 0 || seconds(card.last_seen.load(Ordering::Relaxed)) >= self.idle)
            && self.is.all(card)
            && !self.not.any(card)
    }
}

fn positive(value: &[u8], not_a_number: Error, too_small: Error) -> Result<i64, Error> {
    match number::parse_i64(value) {
        None => Err(not_a_number),
        Some(n) if n <= 0 => Err(too_small),
        Some(n) => Ok(n),
    }
}

impl Side {
    fn read(&mut self, core: &mut Core<'_>, what: &[u8], value: &[u8], negated: bool) -> Result<(), Error> {
        let text = Some(value.to_vec());
        match what {
            b"type" => self.kind = Some(kind(value)?),
            b"addr" => self.addr = text,
            b"laddr" => self.laddr = text,
            b"user" if core.control().users.knows(value) => self.user = text,
            b"user" => return Err(error::client::no_such_user(value)),
            b"flags" if value.iter().all(|letter| FLAG_LETTERS.contains(letter)) => self.flags = text,
            b"flags" if negated => return Err(error::client::unknown_not_flags(value)),
            b"flags" => return Err(error::client::unknown_flags(value)),
            b"name" => self.name = text,
            b"lib-name" => self.lib_name = text,
            b"lib-ver" => self.lib_ver = text,
            b"db" => self.db = Some(db(core, value, negated)?),
            b"capa" if value.iter().all(|letter| *letter == b'r') => self.capa = text,
            b"capa" if negated => return Err(error::client::unknown_not_capa(value)),
            b"capa" => return Err(error::client::unknown_capa(value)),
            b"ip" => self.ip = text,
            _ => return Err(error::common::SYNTAX),
        }
        Ok(())
    }

    /// What each filter that was given says of a client.
    fn verdicts(&self, card: &ClientCard) -> impl Iterator<Item = bool> {
        let texts = card.texts.lock();
        let same = |wanted: &Option<Vec<u8>>, text: &[u8]| wanted.as_ref().map(|w| w == text);
        // A name that was never given is not even equal to the empty one.
        let named = |wanted: &Option<Vec<u8>>, text: &[u8]| wanted.as_ref().map(|w| !text.is_empty() && w == text);
        [
            self.ids.as_ref().map(|ids| ids.contains(&(card.id as i64))),
            self.kind.map(|kind| kind == card.kind()),
            same(&self.addr, card.address().as_bytes()),
            same(&self.laddr, card.local_address().as_bytes()),
            same(&self.user, &texts.user),
            self.flags.as_ref().map(|flags| has_flags(card, flags)),
            named(&self.name, &texts.name),
            named(&self.lib_name, &texts.lib_name),
            named(&self.lib_ver, &texts.lib_ver),
            self.db.map(|db| db == card.db.load(Ordering::Relaxed)),
            self.capa.as_ref().map(|capa| capa.is_empty() || card.is(Flag::CapaRedirect)),
            self.ip.as_ref().map(|ip| has_ip(card, ip)),
        ]
        .into_iter()
        .flatten()
    }

    fn all(&self, card: &ClientCard) -> bool {
        self.verdicts(card).all(|verdict| verdict)
    }

    fn any(&self, card: &ClientCard) -> bool {
        self.verdicts(card).any(|verdict| verdict)
    }
}

fn has_flags(card: &ClientCard, wanted: &[u8]) -> bool {
    let shown = line::flags(card);
    wanted.iter().all(|letter| match letter {
        // A monitor counts as a replica here, though its line does not show it.
        b'S' => card.is(Flag::Replica) || card.is(Flag::Monitor),
        letter => shown.as_bytes().contains(letter),
    })
}

fn has_ip(card: &ClientCard, ip: &[u8]) -> bool {
    card.addr.is_some_and(|addr| addr.port() != 0 && addr.ip().to_canonical().to_string().as_bytes() == ip)
}

fn kind(name: &[u8]) -> Result<ClientKind, Error> {
    match name.to_ascii_lowercase().as_slice() {
        b"normal" => Ok(ClientKind::Normal),
        b"slave" | b"replica" => Ok(ClientKind::Replica),
        b"pubsub" => Ok(ClientKind::PubSub),
        b"master" | b"primary" => Ok(ClientKind::Primary),
        _ => Err(error::client::unknown_client_type(name)),
    }
}

fn db(core: &mut Core<'_>, value: &[u8], negated: bool) -> Result<u32, Error> {
    let databases = i64::from(core.control().env.databases);
    let last = (databases - 1) as u32;
    match (number::parse_i64(value), negated) {
        (Some(n), _) if (0..databases).contains(&n) => Ok(n as u32),
        (Some(_), true) => Err(error::client::not_db_range(last)),
        (Some(_), false) => Err(error::client::db_range(last)),
        (None, true) => Err(error::client::NOT_DB_NOT_INTEGER),
        (None, false) => Err(error::client::DB_NOT_INTEGER),
    }
}
