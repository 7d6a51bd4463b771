//! Replaying: commands of an AOF, or of a primary's stream, are executed as they are.
//!
//! They are obeyed, not judged: no admission, no memory limit, no blocking, and a key's expiry counts only when its DEL comes.

use std::sync::Arc;

use command::context::Env;
use command::registry::{Lookup, RowId};
use command::row::Flags;
use engine::unit::{Call as UnitCall, Sink, Unit, UnitLog};
use keyspace::{DbIndex, OnExpired};
use resp::args::{Args, OwnedArgs};
use resp::error;
use resp::reply::{Proto, Reply};
use structures::number;

use crate::execute::Core;
use crate::hooks::NodeHooks;
use crate::server::Bound;

/// A log that nobody keeps: what is replayed stands in one already.
struct Kept;

impl Sink for Kept {
    fn is_awake(&self) -> bool {
        false
    }

    fn append(&self, _: &UnitLog) -> u64 {
        0
    }

    fn end(&self) -> u64 {
        0
    }
}

/// Why a command was not executed, or to no avail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// This server has no such command: what it would have changed is missing.
    Unknown(Vec<u8>),
    /// The command answered this error.
    Failed(Vec<u8>),
}

/// Where a replay is in its stream.
pub struct Replay {
    /// The database that the stream has selected.
    pub db: DbIndex,
    env: Arc<Env>,
    reply: Reply,
    /// Commands executed.
    pub commands: u64,
}

impl Replay {
    /// A replay at the beginning of a stream.
    pub fn new(core: &mut Core<'_>) -> Self {
        let env = Env { obey: true, deny_blocking: true, ..(*core.control().env).clone() };
        Replay { db: DbIndex(0), env: Arc::new(env), reply: Reply::new(Proto::Resp2), commands: 0 }
    }

    /// Executes one command. The lease holds what the command needs.
    pub fn execute(&mut self, core: &mut Core<'_>, args: Args<'_>) -> Result<(), Refused> {
        let name = args.at(0);
        if name.eq_ignore_ascii_case(b"select") {
            let databases = i64::from(self.env.databases);
            let db = args.get(1).and_then(number::parse_i64).filter(|db| (0..databases).contains(db));
            let Some(db) = db else { return Err(Refused::Failed(error::common::DB_OUT_OF_RANGE.text().to_vec())) };
            self.db = DbIndex(db as u16);
            return Ok(());
        }
        if is_for_the_moment(name) {
            return Ok(());
        }
        let other = in_other_words(&args);
        let args = other.as_ref().map_or(args, OwnedArgs::as_args);
        let unknown = |e: error::Error| Err(Refused::Unknown(e.text().to_vec()));
        match core.server.registry.lookup(&args) {
            Lookup::Found(id) => self.run(core, id, args),
            Lookup::UnknownSubcommand(container) => {
                let name = core.server.registry.row(container).fullname;
                unknown(error::common::unknown_subcommand(name.as_bytes(), args.at(1)))
            }
            Lookup::UnknownCommand => {
                unknown(error::common::unknown_command(name, (1..args.len()).map(|at| args.at(at))))
            }
        }
    }

    fn run(&mut self, core: &mut Core<'_>, id: RowId, args: Args<'_>) -> Result<(), Refused> {
        let row = core.server.registry.row(id);
        if !row.accepts(args.len()) {
            return Err(Refused::Unknown(error::common::wrong_arity(row.fullname).text().to_vec()));
        }
        let handler = match core.server.bound[id.index()] {
            Bound::Data(handler, _) => handler,
            // It can have changed nothing that was loaded.
            Bound::Control(..) => return Ok(()),
            Bound::Absent if !row.has(Flags::WRITE) && !row.has(Flags::MAY_REPLICATE) => {
                return Ok(());
            }
            Bound::Absent => {
                return Err(Refused::Unknown(error::persistence::cannot_replay(row.fullname).text().to_vec()));
            }
        };
        let control = core.control();
        self.reply.buf.clear();
        let mut space = core.lease.space(self.db);
        space.on_expired = OnExpired::Obey;
        let mut unit = Unit::begin(space, &Kept, &mut core.scratch, &mut core.random);
        let waits = unit.call(&UnitCall { row, handler, args, env: &self.env }, &mut self.reply);
        debug_assert!(waits.is_ok(), "a replayed command does not block");
        unit.commit(&mut NodeHooks { server: core.server, control: &control, counters: core.counters });
        self.commands += 1;
        match self.reply.buf.strip_prefix(b"-") {
            Some(error) => Err(Refused::Failed(error.strip_suffix(b"\r\n").unwrap_or(error).to_vec())),
            None => Ok(()),
        }
    }
}

/// Commands of the stream that change nothing here: frames, and what was for the replicas of that moment.
fn is_for_the_moment(name: &[u8]) -> bool {
    const NAMES: [&[u8]; 6] = [b"multi", b"exec", b"ping", b"replconf", b"publish", b"spublish"];
    NAMES.iter().any(|n| name.eq_ignore_ascii_case(n))
}

/// A command that this server does not have, as one that it has and that does the same. Redis 8 tells of HINCRBYFLOAT by
/// `HSETEX key KEEPTTL FIELDS n field value …`, and here fields have no times.
pub(crate) fn in_other_words(args: &Args<'_>) -> Option<OwnedArgs> {
    if !args.at(0).eq_ignore_ascii_case(b"hsetex") || args.len() < 3 {
        return None;
    }
    let mut at = 2;
    if args.at(at).eq_ignore_ascii_case(b"keepttl") {
        at += 1;
    }
    let fields = args.get(at)?.eq_ignore_ascii_case(b"fields") && args.len() > at + 3;
    fields.then(|| {
        let words: Vec<&[u8]> = [&b"HSET"[..], args.at(1)].into_iter().chain(args.from(at + 2).iter()).collect();
        OwnedArgs::from_slices(&words)
    })
}

#[cfg(test)]
mod tests {
    use super::in_other_words;
    use crate::testing::args;

    #[test]
    fn what_redis_8_says_of_a_float_is_understood() {
        let words = |line: &str| {
            let other = in_other_words(&args(line).as_args())?;
            let words: Vec<_> = other.as_args().iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
            Some(words.join(" "))
        };
        assert_eq!(words("HSETEX h KEEPTTL FIELDS 1 f 3.5").as_deref(), Some("HSET h f 3.5"));
        assert_eq!(words("hsetex h fields 2 f 1 g 2").as_deref(), Some("HSET h f 1 g 2"));
        assert_eq!(words("HSETEX h PXAT 7 FIELDS 1 f 3.5"), None, "a time is not forgotten in silence");
        assert_eq!(words("HSETEX h KEEPTTL FIELDS"), None);
        assert_eq!(words("HSETEX h"), None);
    }
}
