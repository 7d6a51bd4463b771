//! What a client has sent ahead: how can the keys of a pipeline be in the cache when their commands run?
//!
//! A lookup in a large table waits twice for memory, for the bucket and for the entry. One command alone cannot help that;
//! a pipeline can: its requests are understood before the first of them runs, the buckets of all their keys are asked for,
//! then their entries, and by the time a command looks, its key has arrived.
//!
//! ```text
//!   input   *3 SET a 1 │ *2 GET b │ *2 INCR c │ *2 GE…
//!           └ look: ends, ranges, rows ───────┘ Stop::Incomplete
//!             fetch: buckets of a, b, c; then their entries; then long strings beside them
//!             run:   SET ─ GET ─ INCR
//! ```
//!
//! Invariants
//! 1. Looking ahead changes nothing that a client could see. An error in a later request is answered after all before it
//!    have run; a request whose predecessor has made the client wait is forgotten and understood again when it is due.
//! 2. An inline request is unquoted in place and could not be understood twice: it is looked at only when it is next.
//! 3. Before authentication there is no looking ahead, because what a request may hold depends on the one before.
//!
//! Fetching needs the shard that holds the table. With one shard the thread has it from the first command of a turn to its
//! end, and fetches only then. With several it takes each for a glance, and goes without the hint when another thread has
//! it: the two short locks cost less than the two waits for memory (with two threads, GET 0.70 instead of 1.0 us of CPU).

use std::ops::Range;

use command::registry::{Lookup, RowId};
use command::row::Row;
use keyspace::{DbIndex, ShardMap};
use resp::args::{ArgRange, Args};
use resp::error::Error;
use resp::request::{Parsed, Parser, RequestKind, RequestLimits};
use session::Client;

use engine::id::ShardId;

use crate::control::Control;
use crate::execute::Core;

/// The requests of one look, in order.
#[derive(Default)]
pub struct Ahead {
    requests: Vec<Request>,
    hashes: Vec<u64>,
}

/// One of them.
pub struct Request {
    /// Its bytes in the input.
    bytes: Range<usize>,
    /// Its arguments among the ranges.
    args: Range<usize>,
    kind: RequestKind,
    row: Option<RowId>,
}

impl Request {
    /// Its arguments; `None` for an empty line, which is not answered.
    pub fn args<'i>(&self, input: &'i [u8], ranges: &'i [ArgRange]) -> Option<Args<'i>> {
        let bytes = &input[self.bytes.clone()];
        let raw = (self.kind == RequestKind::Multibulk).then_some(bytes);
        (!self.args.is_empty()).then(|| Args::new(bytes, &ranges[self.args.clone()], raw))
    }

    /// Where the next one begins.
    pub fn end(&self) -> usize {
        self.bytes.end
    }

    /// The command that it names, where that was looked up already.
    pub fn row(&self) -> Option<RowId> {
        self.row
    }
}

/// Why a look ended.
pub enum Stop {
    /// There is nothing more, or enough for this time.
    Full,
    /// A request has begun and not ended.
    Incomplete {
        /// Bytes from its first that must be there before another look can get further.
        need_len: usize,
    },
    /// What comes next is malformed.
    Error(Error),
}

impl Ahead {
    /// Understands at most `most` requests of `input`, from `at` on. `ranges` holds what an earlier look has found of the
    /// first.
    pub fn look(
        &mut self,
        parser: &mut Parser,
        input: &mut [u8],
        mut at: usize,
        limits: &RequestLimits,
        ranges: &mut Vec<ArgRange>,
        most: usize,
    ) -> Stop {
        self.requests.clear();
        let mut first = 0;
        while at < input.len() && self.requests.len() < most {
            if !self.requests.is_empty() && input[at] != b'*' {
                break;
            }
            match parser.next(&mut input[at..], limits, ranges) {
                Parsed::Incomplete { need_len } => return Stop::Incomplete { need_len },
                Parsed::Error(e) => return Stop::Error(e),
                Parsed::Complete { consumed, kind, .. } => {
                    self.requests.push(Request {
                        bytes: at..at + consumed,
                        args: first..ranges.len(),
                        kind,
                        row: None,
                    });
                    at += consumed;
                    first = ranges.len();
                    if kind == RequestKind::Inline {
                        break;
                    }
                }
            }
        }
        Stop::Full
    }

    /// Gives memory back that was needed for more than `keys` keys.
    pub fn shrink_to(&mut self, keys: usize) {
        self.hashes.clear();
        self.hashes.shrink_to(keys);
    }

    /// The requests found.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// How many of the ranges belong to requests that are complete.
    pub fn ranges(&self) -> usize {
        self.requests.last().map_or(0, |request| request.args.end)
    }
}

impl Core<'_> {
    /// How many requests of this client may be looked at before the first of them runs.
    pub(crate) fn look_ahead(&self, control: &Control, client: &Client) -> usize {
        match client.authenticated {
            true => (control.config.threads.prefetch_batch_max_size as usize).max(1),
            false => 1,
        }
    }

    /// Begins a run of commands: looks them up and fetches their keys, if there are several.
    pub(crate) fn fetch(&mut self, db: DbIndex, ahead: &mut Ahead, input: &[u8], ranges: &[ArgRange]) {
        self.begin_run();
        if ahead.requests.len() < 2 {
            return;
        }
        ahead.hashes.clear();
        for request in &mut ahead.requests {
            let Some(args) = request.args(input, ranges) else { continue };
            if let Lookup::Found(id) = self.server.registry.lookup(&args)
                && self.server.has(id)
            {
                request.row = Some(id);
                add_keys(self.server.engine.map, self.server.registry.row(id), args, &mut ahead.hashes);
            }
        }
        // A pipeline often works on one key.
        ahead.hashes.dedup();
        let map = self.server.engine.map;
        if map.shards() > 1 {
            let shards = &self.server.engine.shards;
            ahead.hashes.iter().for_each(|&hash| shards.glance(map.of(hash), |shard| shard.db(db).fetch_bucket(hash)));
            ahead.hashes.iter().for_each(|&hash| shards.glance(map.of(hash), |shard| shard.db(db).fetch_entry(hash)));
            return;
        }
        let Some(shard) = self.lease.shard_mut(ShardId(0)) else { return };
        let part = shard.db(db);
        ahead.hashes.iter().for_each(|&hash| part.fetch_bucket(hash));
        ahead.hashes.iter().for_each(|&hash| part.fetch_entry(hash));
        ahead.hashes.iter().for_each(|&hash| part.fetch_value(hash));
    }
}

/// Adds the hashes of a command's keys.
fn add_keys(map: ShardMap, row: &Row, args: Args<'_>, hashes: &mut Vec<u64>) {
    match row.only_key() {
        Some((index, _)) if index < args.len() => hashes.push(map.key(args.at(index)).hash),
        Some(_) => {}
        None => {
            let keys = row.keys_of(&args).into_iter().flatten();
            hashes.extend(keys.map(|at| map.key(args.at(at.index as usize)).hash));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    /// Sends `bytes` in every pair of pieces to a server; the replies must not depend on where they are cut.
    fn replies(bytes: &[u8]) -> String {
        let mut whole = None;
        for cut in 0..bytes.len() {
            let mut node = Node::start("");
            let who = node.connect();
            node.send(who, &bytes[..cut]);
            node.send(who, &bytes[cut..]);
            let heard = node.heard(who);
            let expected = whole.get_or_insert_with(|| heard.clone());
            assert_eq!(&heard, expected, "cut at {cut}");
        }
        whole.unwrap_or_default()
    }

    #[test]
    fn requests_run_in_order_whatever_their_form() {
        let bytes = b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*2\r\n$4\r\nECHO\r\n$1\r\nb\r\nECHO \"c d\"\r\n\
            *0\r\n*2\r\n$4\r\nNONE\r\n$1\r\nd\r\n*2\r\n$3\r\nDEL\r\n$1\r\na\r\n";
        let unknown = "-ERR unknown command 'NONE', with args beginning with: 'd' \r\n";
        assert_eq!(replies(bytes), format!("+OK\r\n$1\r\nb\r\n$3\r\nc d\r\n{unknown}:1\r\n"));
    }

    #[test]
    fn an_error_in_a_later_request_does_not_come_before_its_turn() {
        let heard = replies(b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n*1\r\n!oops\r\n");
        assert_eq!(heard, "+PONG\r\n+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n");
    }

    #[test]
    fn nothing_behind_a_quit_is_looked_at() {
        assert_eq!(replies(b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nQUIT\r\n*1\r\n!oops\r\n"), "+PONG\r\n+OK\r\n");
    }

    #[test]
    fn limits_before_authentication_end_with_it() {
        let value = "v".repeat(20_000);
        let set = format!("*3\r\n$3\r\nSET\r\n$1\r\na\r\n${}\r\n{value}\r\n", value.len());
        let mut node = Node::start("requirepass secret\n");
        let who = node.connect();
        node.send(who, format!("*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n{set}{set}").as_bytes());
        assert_eq!(node.heard(who), "+OK\r\n+OK\r\n+OK\r\n");
        let who = node.connect();
        node.send(who, set.as_bytes());
        assert_eq!(node.heard(who), "-ERR Protocol error: unauthenticated bulk length\r\n");
    }

    #[test]
    fn what_stands_behind_a_blocking_command_runs_when_that_is_over() {
        let mut node = Node::start("");
        let (who, other) = (node.connect(), node.connect());
        let blpop = "*3\r\n$5\r\nBLPOP\r\n$1\r\nl\r\n$1\r\n0\r\n";
        node.send(who, format!("{blpop}*2\r\n$3\r\nDEL\r\n$1\r\nl\r\n*2\r\n$4\r\nEC").as_bytes());
        assert_eq!(node.heard(who), "");
        let pushed = node.pushed();
        assert_eq!(node.say(other, "LPUSH l a"), format!("{pushed}\r\n"));
        assert_eq!(node.heard(who), "*2\r\n$1\r\nl\r\n$1\r\na\r\n:0\r\n");
        node.send(who, b"HO\r\n$1\r\nl\r\n");
        assert_eq!(node.heard(who), "$1\r\nl\r\n");
    }
}
