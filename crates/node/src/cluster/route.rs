//! Where a command belongs: here, on another node, or nowhere for now.
//!
//! ```text
//!   slot of the keys ─► owner? ─► slot on its way? ─► cluster up? ─┬─ not on its way: owner is us ─► run, else MOVED
//!      │ several           │ none                       │ no       │
//!      ▼                   ▼                            ▼          └─ on its way: are all its keys here? (under the locks)
//!   CROSSSLOT        CLUSTERDOWN                  CLUSTERDOWN            all ─► run   some ─► TRYAGAIN   none ─► ASK
//! ```
//!
//! The order of the questions is Redis', so that a command with two faults gets the error that clients expect. It is asked
//! behind the gate: what the view says holds until the command has run. Only for a slot that is on its way the keys have to
//! be looked for, and that is done when their shard is held; so no key can leave between the look and the command.

use ::cluster::{NodeIndex, Slot, View};
use command::row::{Flags, Row};
use engine::lease::Lease;
use keyspace::{DbIndex, OnExpired};
use resp::args::Args;
use resp::error::{self, Error};
use session::{Client, Flag};
use structures::{crc16, number};

use crate::control::Control;

/// Whether a command is routed at all: whatever names keys or shard channels, and transactions.
pub fn concerns(row: &Row) -> bool {
    row.has_keys() || !row.key_specs.is_empty() || row.name() == "exec"
}

/// The slot of a command's keys; `None` without keys.
pub fn slot_of(row: &Row, args: &Args<'_>) -> Result<Option<u16>, Error> {
    let mut slot = None;
    for at in row.routed_by(args).into_iter().flatten() {
        let here = crc16::slot(args.at(at.index as usize));
        if *slot.get_or_insert(here) != here {
            return Err(error::cluster::CROSSSLOT);
        }
    }
    Ok(slot)
}

/// How a slot is on its way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Open {
    No,
    Leaves(NodeIndex),
    Comes,
}

fn open(view: &View, client: &Client, slot: Slot) -> Open {
    if !view.has_open_slots() || !view.me().is_primary && !client.card.is(Flag::ReadOnly) {
        return Open::No;
    }
    match view.migrating_to(slot) {
        Some(target) if view.is_my_shards(slot) => Open::Leaves(target),
        _ if view.importing_from(slot).is_some() => Open::Comes,
        _ => Open::No,
    }
}

/// What is asked of a command and of EXEC alike.
struct Asked {
    slot: Slot,
    flags: Flags,
}

/// Judges a command; an error redirects its client. What depends on the keys of a slot that is on its way is left to
/// [`open_slot`].
///
/// A primary whose bus is deaf takes no writes, because somebody else may take them by now.
pub fn route(
    control: &Control,
    view: &View,
    client: &Client,
    row: &Row,
    args: Args<'_>,
    bus_is_deaf: bool,
) -> Result<(), Error> {
    let Some(asked) = asked(client, row, &args)? else { return Ok(()) };
    let slot = asked.slot;
    let Some(owner) = view.owner(slot) else { return Err(error::cluster::NOT_SERVED) };
    let open = open(view, client, slot);
    let shard_message = asked.flags.contains(Flags::PUBSUB);
    let writes = asked.flags.contains(Flags::WRITE);
    if open != Open::No && moves_between_databases(client, row, &args) {
        return Err(error::cluster::TRYAGAIN);
    }
    if !view.is_ok() {
        let cluster = &control.config.cluster;
        if shard_message {
            if !cluster.allow_pubsubshard_when_down {
                return Err(error::cluster::DOWN);
            }
        } else if !cluster.allow_reads_when_down {
            return Err(error::cluster::DOWN);
        } else if row.has(Flags::WRITE) {
            return Err(error::cluster::DOWN_READONLY);
        }
    }
    if bus_is_deaf && writes && view.me().is_primary && view.nodes().len() > 1 {
        return Err(error::cluster::DOWN);
    }
    if open != Open::No && row.name() == "migrate" && view.me().is_primary {
        return Ok(());
    }
    if open == Open::Comes && (client.asking || row.has(Flags::ASKING)) {
        return Ok(());
    }
    let reads_here = (client.card.is(Flag::ReadOnly) || shard_message) && !writes && !view.me().is_primary;
    if reads_here && view.is_my_shards(slot) || owner == view.my_index() {
        return Ok(());
    }
    Err(moved(view, client, slot, owner))
}

/// `None`: it has no keys.
fn asked(client: &Client, row: &Row, args: &Args<'_>) -> Result<Option<Asked>, Error> {
    let mut flags = row.flags;
    let slot = match (&client.multi, row.name()) {
        (Some(multi), "exec") => {
            flags = flags.union(multi.flags);
            let mut slots = multi.queue.iter().filter_map(|queued| queued.slot);
            let first = slots.next();
            if slots.any(|slot| Some(slot) != first) {
                return Err(error::cluster::CROSSSLOT);
            }
            first
        }
        _ => slot_of(row, args)?,
    };
    Ok(slot.and_then(Slot::new).map(|slot| Asked { slot, flags }))
}

/// MOVE, and COPY to another database: not while the slot is on its way, because what is missing in the other database may
/// have been missing before.
fn moves_between_databases(client: &Client, row: &Row, args: &Args<'_>) -> bool {
    let other = |db: &[u8]| number::parse_i64(db) != Some(i64::from(client.db.0));
    let moves = |args: &Args<'_>| {
        let is = |at: usize, word: &[u8]| args.at(at).eq_ignore_ascii_case(word);
        let elsewhere = |at: usize| is(at, b"db") && other(args.at(at + 1));
        is(0, b"move") || is(0, b"copy") && (3..args.len().saturating_sub(1)).any(elsewhere)
    };
    match (&client.multi, row.name()) {
        (Some(multi), "exec") => multi.queue.iter().any(|queued| moves(&queued.args.as_args())),
        _ => moves(args),
    }
}

/// The last question to a command whose slot is on its way: are its keys here? The lease holds their shards.
pub fn open_slot(
    lease: &mut Lease<'_>,
    control: &Control,
    client: &Client,
    commands: &[(&Row, Args<'_>)],
) -> Result<(), Error> {
    let Some(view) = control.cluster.as_ref().filter(|view| view.has_open_slots()) else { return Ok(()) };
    let slots = commands.iter().filter_map(|(row, args)| slot_of(row, args).ok().flatten());
    let Some(slot) = slots.into_iter().next().and_then(Slot::new) else { return Ok(()) };
    let open = open(view, client, slot);
    let any = |flag: Flags| commands.iter().any(|(row, _)| row.has(flag));
    if open == Open::No || any(Flags::PUBSUB) || commands.iter().any(|(row, _)| row.name() == "migrate") {
        return Ok(());
    }
    let (mut missing, mut present, mut several) = (false, false, false);
    let mut first: Option<&[u8]> = None;
    let mut db = client.db;
    for (row, args) in commands {
        if row.name() == "select"
            && let Some(n) = number::parse_i64(args.at(1)).and_then(|n| u16::try_from(n).ok())
            && n < control.env.databases
        {
            db = DbIndex(n);
        }
        for at in row.keys_of(args).into_iter().flatten() {
            let name = args.at(at.index as usize);
            several |= *first.get_or_insert(name) != name;
            let mut space = lease.space(db);
            space.on_expired = OnExpired::Hide;
            match space.glance(&space.key(name)) {
                Some(_) => present = true,
                None => missing = true,
            }
        }
    }
    match open {
        Open::Leaves(_) if missing && present => Err(error::cluster::TRYAGAIN),
        Open::Leaves(target) if missing => {
            let node = view.node(target);
            let (host, port) = endpoint(view, client, node);
            Err(error::cluster::ask(slot.number(), host, port))
        }
        Open::Comes if missing && several && (client.asking || any(Flags::ASKING)) => Err(error::cluster::TRYAGAIN),
        _ => Ok(()),
    }
}

/// What a client that waits for keys is told when its slot is not served here any more; `None` while it may wait.
pub fn blocked(view: &View, waits: &Blocked<'_>) -> Option<Error> {
    if !view.is_ok() {
        return Some(error::cluster::DOWN);
    }
    let slot = Slot::of(waits.key);
    let Some(owner) = view.owner(slot) else { return Some(error::cluster::NOT_SERVED) };
    let reads_here = waits.read_only && !waits.writes && !view.me().is_primary && view.is_my_shards(slot);
    if owner == view.my_index() || reads_here || view.importing_from(slot).is_some() {
        return None;
    }
    let node = view.node(owner);
    Some(error::cluster::moved(slot.number(), view.endpoint(node, waits.ipv6), node.port_for(false)))
}

/// A client that waits for keys.
pub struct Blocked<'k> {
    /// The first of them.
    pub key: &'k [u8],
    /// It has said READONLY.
    pub read_only: bool,
    /// Its command may write.
    pub writes: bool,
    /// It came over IPv6.
    pub ipv6: bool,
}

fn moved(view: &View, client: &Client, slot: Slot, owner: NodeIndex) -> Error {
    let (host, port) = endpoint(view, client, view.node(owner));
    error::cluster::moved(slot.number(), host, port)
}

fn endpoint<'v>(view: &'v View, client: &Client, node: &'v ::cluster::ViewNode) -> (&'v [u8], u16) {
    let asker = super::asker(client);
    (view.endpoint(node, asker.ipv6), node.port_for(asker.tls))
}
