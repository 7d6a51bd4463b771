//! COMMANDLOG and SLOWLOG: the commands that took longest, the largest requests and the largest replies.
//!
//! ```text
//!   after every command:  microseconds ─► slow            each with a threshold of its own (-1: none is noted) and a
//!                         bytes in     ─► large-request   greatest length; SLOWLOG is the older name of the first
//!                         bytes out    ─► large-reply
//! ```

use std::collections::VecDeque;

use command::registry::RowId;
use command::row::{Flags, Row};
use config::directives::commandlog::Commandlog;
use parking_lot::Mutex;
use resp::args::Args;
use resp::error::{self, Error};
use session::Client;
use structures::number;

use super::{Call, ControlBinding, Done, free};
use crate::cluster::stats::request_bytes;
use crate::execute::Core;

pub(super) const TABLE: &[ControlBinding] = &[
    free("commandlog|get", |call| get(call, Some(3))),
    free("commandlog|len", |call| len(call, Some(2))),
    free("commandlog|reset", |call| reset(call, Some(2))),
    free("commandlog|help", super::help::help),
    free("slowlog|get", |call| get(call, None)),
    free("slowlog|len", |call| len(call, None)),
    free("slowlog|reset", |call| reset(call, None)),
    free("slowlog|help", super::help::help),
];

/// Longest list of arguments and longest argument that an entry keeps.
const MAX_ARGS: usize = 32;
const MAX_ARG_BYTES: usize = 128;

/// What an entry was noted for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Slow,
    LargeRequest,
    LargeReply,
}

impl Kind {
    const ALL: [Kind; 3] = [Kind::Slow, Kind::LargeRequest, Kind::LargeReply];

    fn parse(word: &[u8]) -> Result<Self, Error> {
        match word.to_ascii_lowercase().as_slice() {
            b"slow" => Ok(Kind::Slow),
            b"large-request" => Ok(Kind::LargeRequest),
            b"large-reply" => Ok(Kind::LargeReply),
            _ => Err(error::server::COMMANDLOG_TYPE),
        }
    }

    /// From which value on a command is noted, and how many are kept.
    fn limits(self, config: &Commandlog) -> (i64, u64) {
        match self {
            Kind::Slow => (config.execution_slower_than, config.slow_execution_max_len),
            Kind::LargeRequest => (config.request_larger_than, config.large_request_max_len),
            Kind::LargeReply => (config.reply_larger_than, config.large_reply_max_len),
        }
    }
}

/// One command that was noted.
#[derive(Debug)]
struct Entry {
    id: u64,
    unix_seconds: i64,
    /// Microseconds or bytes.
    value: u64,
    args: Vec<Vec<u8>>,
    peer: String,
    name: Vec<u8>,
}

/// The newest entries of one kind.
#[derive(Default, Debug)]
struct Log {
    entries: VecDeque<Entry>,
    next_id: u64,
}

/// The logs of a server, one of each kind.
#[derive(Default, Debug)]
pub struct CommandLogs([Mutex<Log>; 3]);

impl CommandLogs {
    fn of(&self, kind: Kind) -> &Mutex<Log> {
        &self.0[kind as usize]
    }
}

/// Notes a command that took so long, and answered so many bytes, wherever it exceeds a threshold.
pub(crate) fn consider(core: &mut Core<'_>, id: RowId, nanos: u64, reply: usize, client: &Client, args: Args<'_>) {
    let control = core.control();
    let config = &control.config.commandlog;
    for kind in Kind::ALL {
        let (threshold, max) = kind.limits(config);
        if threshold < 0 || max == 0 {
            continue;
        }
        let value = match kind {
            Kind::Slow => nanos / 1000,
            Kind::LargeRequest => request_bytes(&args),
            Kind::LargeReply => reply as u64,
        };
        let row = core.server.registry.row(id);
        if value < threshold as u64 || row.has(Flags::SKIP_COMMANDLOG) {
            continue;
        }
        let mut log = core.server.command_logs.of(kind).lock();
        let entry = Entry {
            id: log.next_id,
            unix_seconds: core.server.engine.now().0 / 1000,
            value,
            args: trimmed(row, args),
            peer: client.card.address(),
            name: client.card.texts.lock().name.clone(),
        };
        log.next_id += 1;
        log.entries.push_front(entry);
        log.entries.truncate(max as usize);
    }
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

/// The kind that the argument at `index` names; without one, that of SLOWLOG.
fn kind(call: &Call<'_, '_>, index: Option<usize>) -> Result<Kind, Error> {
    index.map_or(Ok(Kind::Slow), |index| Kind::parse(call.args.at(index)))
}

fn get(call: &mut Call<'_, '_>, index: Option<usize>) -> Done {
    let count = match call.args.get(2) {
        None => 10,
        Some(arg) => match number::parse_i64(arg) {
            Some(-1) => usize::MAX,
            Some(n) if n >= 0 => n as usize,
            _ => return Err(error::server::COMMANDLOG_COUNT),
        },
    };
    let log = call.core.server.command_logs.of(kind(call, index)?).lock();
    let count = count.min(log.entries.len());
    let out = &mut call.client.out;
    out.array(count);
    for entry in log.entries.iter().take(count) {
        out.array(6);
        out.integer(entry.id as i64);
        out.integer(entry.unix_seconds);
        out.integer(entry.value as i64);
        out.array(entry.args.len());
        entry.args.iter().for_each(|arg| out.bulk(arg));
        out.bulk(entry.peer.as_bytes());
        out.bulk(&entry.name);
    }
    Ok(())
}

fn len(call: &mut Call<'_, '_>, index: Option<usize>) -> Done {
    let n = call.core.server.command_logs.of(kind(call, index)?).lock().entries.len();
    call.client.out.integer(n as i64);
    Ok(())
}

fn reset(call: &mut Call<'_, '_>, index: Option<usize>) -> Done {
    call.core.server.command_logs.of(kind(call, index)?).lock().entries.clear();
    call.client.out.ok();
    Ok(())
}
