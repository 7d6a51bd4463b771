//! `SENTINEL` and its subcommands. HELP is made from the command table, by whoever has it.
//!
//! Each subcommand is known by its old and its new name (`MASTERS`, `PRIMARIES`). Errors are checked in the original's
//! order.

mod debug;
mod group;
mod options;
mod set;
mod show;

use crate::event::{Outbox, World};
use crate::instance::GroupId;
use crate::machine::Sentinel;
use resp::{Args, Error, Reply, error};

/// What a subcommand may use.
struct Call<'a> {
    args: Args<'a>,
    reply: &'a mut Reply,
    world: &'a mut dyn World,
    out: &'a mut Outbox,
}

pub(crate) fn run(sentinel: &mut Sentinel, args: Args<'_>, reply: &mut Reply, world: &mut dyn World, out: &mut Outbox) {
    let mark = reply.mark();
    let mut call = Call { args, reply, world, out };
    if let Err(error) = dispatch(sentinel, &mut call) {
        reply.truncate(mark);
        reply.error(&error);
    }
}

fn dispatch(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let Some(name) = call.args.get(1) else { return Err(error::common::wrong_arity("sentinel")) };
    let lower = String::from_utf8_lossy(name).to_ascii_lowercase();
    let count = call.args.len();
    let exactly = |wanted: usize| arity(&lower, count == wanted);
    match lower.as_str() {
        "myid" => exactly(2).map(|()| call.reply.bulk(sentinel.myid())),
        "masters" | "primaries" => exactly(2).map(|()| show::primaries(sentinel, call)),
        "master" | "primary" => exactly(3).and_then(|()| show::primary(sentinel, call)),
        "slaves" | "replicas" => exactly(3).and_then(|()| show::replicas(sentinel, call)),
        "sentinels" => exactly(3).and_then(|()| show::sentinels(sentinel, call)),
        "get-master-addr-by-name" | "get-primary-addr-by-name" => exactly(3).map(|()| show::address(sentinel, call)),
        "info-cache" => arity(&lower, count >= 3).map(|()| show::info_cache(sentinel, call)),
        "pending-scripts" => exactly(2).map(|()| show::pending_scripts(sentinel, call)),
        "is-master-down-by-addr" | "is-primary-down-by-addr" => {
            exactly(6).and_then(|()| group::is_down_by_addr(sentinel, call))
        }
        "ckquorum" => exactly(3).and_then(|()| group::check_quorum(sentinel, call)),
        "failover" => arity(&lower, count == 3 || count == 4).and_then(|()| group::failover(sentinel, call)),
        "monitor" => exactly(6).and_then(|()| group::monitor(sentinel, call)),
        "remove" => exactly(3).and_then(|()| group::remove(sentinel, call)),
        "reset" => exactly(3).map(|()| {
            let pattern = call.args.at(2).to_vec();
            let count = sentinel.reset_matching(&pattern, call.out);
            call.reply.integer(count);
        }),
        "flushconfig" => exactly(2).map(|()| {
            sentinel.saving.dirty = true;
            call.reply.ok();
        }),
        "set" => arity(&lower, count >= 5).and_then(|()| set::set(sentinel, call)),
        "config" => arity(&lower, count >= 4).and_then(|()| options::config(sentinel, call)),
        "debug" => debug::debug(sentinel, call),
        "simulate-failure" => arity(&lower, count >= 3).and_then(|()| debug::simulate_failure(sentinel, call)),
        _ => Err(error::common::unknown_subcommand(b"sentinel", name)),
    }
}

fn arity(subcommand: &str, fits: bool) -> Result<(), Error> {
    match fits {
        true => Ok(()),
        false => Err(error::common::wrong_arity(&format!("sentinel|{subcommand}"))),
    }
}

/// The group that the third word names.
fn named_group(sentinel: &Sentinel, call: &Call<'_>) -> Result<GroupId, Error> {
    sentinel.group_named(call.args.at(2)).ok_or(error::sentinel::NO_PRIMARY)
}

/// A span of time that leaves room for sums.
fn span(text: &[u8], least: i64) -> Option<i64> {
    resp::integer::parse(text).filter(|n| (least..1 << 50).contains(n))
}

/// Values that end up in a file must not end its lines.
fn refuse_control_characters(call: &Call<'_>, first: usize, command: &str) -> Result<(), Error> {
    let found = (first..call.args.len()).find(|i| crate::text::has_control_characters(call.args.at(*i)));
    found.map_or(Ok(()), |index| Err(error::sentinel::control_characters(index, command)))
}
