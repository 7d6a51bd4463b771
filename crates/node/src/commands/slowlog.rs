//! SLOWLOG: the commands that took longest.

use std::collections::VecDeque;

use command::registry::RowId;
use command::row::{Flags, Row};
use resp::args::Args;
use resp::error;
use session::Client;
use structures::number;

use super::{Call, ControlBinding, Done, free};
use crate::execute::Core;

pub(super) const TABLE: &[ControlBinding] = &[
    free("slowlog|get", get),
    free("slowlog|len", len),
    free("slowlog|reset", reset),
    free("slowlog|help", super::help::help),
];

/// Longest list of arguments and longest argument that an entry keeps.
const MAX_ARGS: usize = 32;
const MAX_ARG_BYTES: usize = 128;

/// One slow command.
#[derive(Debug)]
pub struct Entry {
    id: u64,
    unix_seconds: i64,
    micros: u64,
    args: Vec<Vec<u8>>,
    peer: String,
    name: Vec<u8>,
}

/// The newest slow commands.
#[derive(Default, Debug)]
pub struct SlowLog {
    entries: VecDeque<Entry>,
    next_id: u64,
}

/// Notes a command if it took too long.
pub(crate) fn consider(core: &mut Core<'_>, id: RowId, nanos: u64, client: &Client, args: Args<'_>) {
    let control = core.control();
    let threshold = control.config.commandlog.execution_slower_than;
    let max = control.config.commandlog.slow_execution_max_len as usize;
    if threshold < 0 || nanos / 1000 < threshold as u64 || max == 0 {
        return;
    }
    if core.server.registry.row(id).has(Flags::SKIP_COMMANDLOG) {
        return;
    }
    let mut log = core.server.slowlog.lock();
    let entry = Entry {
        id: log.next_id,
        unix_seconds: core.server.engine.now().0 / 1000,
        micros: nanos / 1000,
        args: trimmed(core.server.registry.row(id), args),
        peer: client.card.address(),
        name: client.card.texts.lock().name.clone(),
    };
    log.next_id += 1;
    log.entries.push_front(entry);
    log.entries.truncate(max);
}

fn trimmed(row: &Row, args: Args<'_>) -> Vec<Vec<u8>> {
    let kept = if args.len() > MAX_ARGS { MAX_ARGS - 1 } else { args.len() };
    let mut list: Vec<Vec<u8>> = crate::redact::shown(row, &args)
        .take(kept)
        .map(|arg| {
            if arg.len() <= MAX_ARG_BYTES {
                return arg.to_vec();
            }
            let mut cut = arg[..MAX_ARG_BYTES].to_vec();
            cut.extend_from_slice(format!("... ({} more bytes)", arg.len() - MAX_ARG_BYTES).as_bytes());
            cut
        })
        .collect();
    if kept < args.len() {
        list.push(format!("... ({} more arguments)", args.len() - kept).into_bytes());
    }
    list
}

fn get(call: &mut Call<'_, '_>) -> Done {
    let count = match call.args.get(2) {
        None => 10,
        Some(arg) => match number::parse_i64(arg) {
            Some(-1) => usize::MAX,
            Some(n) if n >= 0 => n as usize,
            _ => return Err(error::server::COMMANDLOG_COUNT),
        },
    };
    let log = call.core.server.slowlog.lock();
    let count = count.min(log.entries.len());
    let out = &mut call.client.out;
    out.array(count);
    for entry in log.entries.iter().take(count) {
        out.array(6);
        out.integer(entry.id as i64);
        out.integer(entry.unix_seconds);
        out.integer(entry.micros as i64);
        out.array(entry.args.len());
        entry.args.iter().for_each(|arg| out.bulk(arg));
        out.bulk(entry.peer.as_bytes());
        out.bulk(&entry.name);
    }
    Ok(())
}

fn len(call: &mut Call<'_, '_>) -> Done {
    let n = call.core.server.slowlog.lock().entries.len();
    call.client.out.integer(n as i64);
    Ok(())
}

fn reset(call: &mut Call<'_, '_>) -> Done {
    call.core.server.slowlog.lock().entries.clear();
    call.client.out.ok();
    Ok(())
}
