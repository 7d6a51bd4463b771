//! `SENTINEL` and its subcommands.

use crate::event::{Now, Outbox, World};
use crate::machine::Sentinel;
use resp::{Args, Reply, error};

pub fn run(
    sentinel: &mut Sentinel,
    now: Now,
    args: Args<'_>,
    reply: &mut Reply,
    world: &mut dyn World,
    out: &mut Outbox,
) {
    let _ = (now, world, out);
    match args.get(1) {
        Some(name) if name.eq_ignore_ascii_case(b"myid") => reply.bulk(&sentinel.myid),
        Some(name) => reply.error(&error::common::unknown_subcommand(b"sentinel", name)),
        None => reply.error(&error::common::wrong_arity("sentinel")),
    }
}
