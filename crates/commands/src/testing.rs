//! A keyspace and the handlers over it, without a server: for tests of commands.
//!
//! ```ignore
//! let mut s = Keyspace::new();
//! assert_eq!(s.run("SET k 10"), "OK");
//! assert_eq!(s.run("INCR k"), "11");              // integers are bare, bulks are quoted
//! assert_eq!(s.run("GET k"), "\"11\"");
//! assert_eq!(s.effects(), ["INCR k"]);            // what the last command put into the journal …
//! assert_eq!(s.events(), ["incrby k"]);           // … and its keyspace events
//! s.now += 1000;                                  // time passes only so
//! ```
//!
//! The pages beside the commands are run here as well, as far as they need no server: `pages.rs`.
//!
//! A command gets exactly the shards that its key specification names, so one that touches another key panics, as it
//! would in the server; one that answers an error must have changed nothing. All events are on.
//!
//! | reply | text |
//! |---|---|
//! | status, error | `OK`, `-ERR syntax error` |
//! | integer | `12` |
//! | bulk | `"v\x00"` |
//! | null, null array | `nil`, `nil-array` |
//! | array, set, push | `["a" 1 nil]` |
//! | map | `{"a": 1}` |
//! | double, bool, verbatim … of RESP3 | `,1.5`, `#t`, `=txt:…` |
//! | a wait for keys | `(blocked)` |

use command::binding::Class;
use command::context::{Block, Context, Env, Random, Stop};
use command::effects::{Effects, Propagate};
use command::registry::{Lookup, Mode, Registry};
use command::row::Row;
use e2e::words;
use keyspace::{DbIndex, Shard, ShardId, ShardMap, Space, UnixMillis};
use resp::args::{Args, OwnedArgs};
use resp::reply::{Proto, Reply};
use resp::value::{Decoder, Value};
use smallvec::SmallVec;

mod pages;

/// Shards of the keyspace under test; enough for the keys of most tests to be in different ones.
const SHARDS: usize = 4;

/// A keyspace under test.
pub(crate) struct Keyspace {
    pub(crate) shards: Vec<Shard>,
    pub(crate) map: ShardMap,
    /// The time at which the next command runs.
    pub(crate) now: i64,
    /// The surroundings of the next command.
    pub(crate) env: Env,
    /// The selected database.
    pub(crate) db: DbIndex,
    /// Which form replies have.
    pub(crate) proto: Proto,
    /// Whether expired keys are deleted, hidden or obeyed.
    pub(crate) on_expired: keyspace::OnExpired,
    /// The wait of the last command, if it waits.
    pub(crate) blocked: Option<Block>,
    /// How many changes the last command has counted.
    pub(crate) dirty: u64,
    registry: Registry,
    random: Random,
    effects: Vec<String>,
    events: Vec<String>,
}

impl Keyspace {
    /// An empty keyspace of four shards and sixteen databases, at one fixed moment.
    pub(crate) fn new() -> Self {
        Self::with_shards(SHARDS)
    }

    /// The same with another number of shards, a power of two.
    pub(crate) fn with_shards(shards: usize) -> Self {
        let env = Env { notify: u32::MAX, ..Env::default() };
        let map = ShardMap::new(shards);
        Keyspace {
            shards: (0..shards).map(|_| Shard::new(usize::from(env.databases), map)).collect(),
            map,
            now: 1_700_000_000_000,
            env,
            db: DbIndex(0),
            proto: Proto::Resp2,
            on_expired: keyspace::OnExpired::Delete,
            blocked: None,
            dirty: 0,
            registry: Registry::new(Mode::Server),
            random: Random::new(1),
            effects: Vec::new(),
            events: Vec::new(),
        }
    }

    /// Runs a command, written as in `valkey-cli` (words, or quoted with escapes), and answers its reply as text.
    pub(crate) fn run(&mut self, line: &str) -> String {
        let words = resp::inline::split_owned(line.as_bytes()).expect("quotes are balanced");
        self.call(&words)
    }

    /// Runs a command given word by word.
    pub(crate) fn call<S: AsRef<[u8]>>(&mut self, words: &[S]) -> String {
        let reply = self.raw(words);
        if self.blocked.is_some() { "(blocked)".into() } else { text(&reply) }
    }

    /// Whether a handler serves this command.
    pub(crate) fn knows<S: AsRef<[u8]>>(&self, words: &[S]) -> bool {
        let owned = OwnedArgs::from_slices(words);
        match self.registry.lookup(&owned.as_args()) {
            Lookup::Found(id) => crate::find(self.registry.row(id).fullname).is_some(),
            _ => false,
        }
    }

    /// Runs a command and answers the bytes of its reply.
    pub(crate) fn raw<S: AsRef<[u8]>>(&mut self, words: &[S]) -> Vec<u8> {
        self.blocked = None;
        self.dirty = 0;
        self.effects.clear();
        self.events.clear();
        let owned = OwnedArgs::from_slices(words);
        let args = owned.as_args();
        let Lookup::Found(id) = self.registry.lookup(&args) else { panic!("no such command: {args:?}") };
        let row = self.registry.row(id);
        let mut reply = Reply::new(self.proto);
        if !row.accepts(args.len()) {
            reply.error(&resp::error::common::wrong_arity(row.fullname));
            return reply.buf;
        }
        let binding = crate::find(row.fullname).unwrap_or_else(|| panic!("{} has no handler", row.fullname));
        let wanted = plan(crate::class_of(binding.class, &args), row, self.map, &args);
        let held: SmallVec<[(ShardId, &mut Shard); 4]> =
            (0u16..).map(ShardId).zip(self.shards.iter_mut()).filter(|(id, _)| wanted.contains(id)).collect();
        let mut space = Space::new(self.map, held, self.db, UnixMillis(self.now));
        space.clock.lfu = self.env.lfu;
        space.on_expired = self.on_expired;
        space.wanted = self.env.wanted();
        let mut effects = Effects::default();
        let mut ctx = Context {
            row,
            args,
            space: &mut space,
            reply: &mut reply,
            effects: &mut effects,
            env: &self.env,
            random: &mut self.random,
        };
        let done = (binding.handler)(&mut ctx);
        ctx.gather_notes();
        assert_eq!(space.db, self.db, "{} left another database selected", row.fullname);
        match done {
            Ok(()) => {}
            Err(Stop::Error(e)) => {
                assert_eq!(effects.dirty, 0, "{} answered an error after a change", row.fullname);
                reply.buf.clear();
                reply.error(&e);
            }
            Err(Stop::Block(block)) => {
                assert_eq!(effects.dirty, 0, "{} blocked after a change", row.fullname);
                self.blocked = Some(block);
            }
        }
        for (db, key) in &space.expired {
            self.effects.push(words::join(&[&b"UNLINK"[..], key]));
            self.events.push(event("expired", *db, key));
        }
        self.dirty = effects.dirty;
        match effects.propagate {
            Propagate::Nothing => {}
            Propagate::Verbatim if effects.dirty == 0 && !effects.forced => {}
            Propagate::Verbatim => self.effects.push(words::join(&args.iter().collect::<Vec<_>>())),
            Propagate::Rewritten => {
                for (_, bytes, _) in effects.records() {
                    let Value::Array(command) = decode(bytes) else { panic!("a record is a request") };
                    let command: Vec<&[u8]> = command.iter().filter_map(Value::as_bytes).collect();
                    self.effects.push(words::join(&command));
                }
            }
        }
        self.events.extend(effects.events.iter().map(|e| event(e.name, e.db, &e.key)));
        reply.buf
    }

    /// The commands that the last command put into the journal.
    pub(crate) fn effects(&self) -> &[String] {
        &self.effects
    }

    /// The keyspace events of the last command with their keys, in order; `(db n)` at the end if not of database 0.
    pub(crate) fn events(&self) -> &[String] {
        &self.events
    }

    /// Shows the whole keyspace to `f`, for looking at what no command tells.
    pub(crate) fn look<R>(&mut self, f: impl FnOnce(&mut Space<'_>) -> R) -> R {
        let held = (0u16..).map(ShardId).zip(self.shards.iter_mut()).collect();
        let mut space = Space::new(self.map, held, self.db, UnixMillis(self.now));
        space.lookup = keyspace::Lookup::Peek;
        f(&mut space)
    }
}

/// The shards that a command gets; all of them where its keys cannot be told from its arguments.
fn plan(class: Class, row: &Row, map: ShardMap, args: &Args<'_>) -> Vec<ShardId> {
    let all = || (0..map.shards() as u16).map(ShardId).collect();
    match class {
        Class::World | Class::Cursor | Class::Slot => all(),
        Class::Free => Vec::new(),
        Class::Keys | Class::Patterns => match row.keys_of(args) {
            Ok(keys) => keys.iter().map(|at| map.of_key(args.at(at.index as usize))).collect(),
            Err(_) => all(),
        },
    }
}

/// A keyspace event as the pages write it.
fn event(name: &str, db: DbIndex, key: &[u8]) -> String {
    let key = words::join(&[key]);
    if db.0 == 0 { format!("{name} {key}") } else { format!("{name} {key} (db {})", db.0) }
}

fn decode(bytes: &[u8]) -> Value {
    let (used, value) = Decoder::new(resp::value::Limits::default()).decode(bytes).expect("correct protocol");
    assert_eq!(used, bytes.len(), "a handler gives one reply, this is more: {}", bytes.escape_ascii());
    value.unwrap_or_else(|| panic!("a handler gives one reply, this is less: {}", bytes.escape_ascii()))
}

fn text(reply: &[u8]) -> String {
    show(&decode(reply))
}

fn show(value: &Value) -> String {
    let list = |items: &[Value]| format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(" "));
    let plain = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
    match value {
        Value::Simple(text) => plain(text),
        Value::Error(text) | Value::BulkError(text) => format!("-{}", plain(text)),
        Value::Integer(n) => n.to_string(),
        Value::Bulk(text) => {
            let mut out = Vec::new();
            resp::inline::quote(&mut out, text);
            plain(&out)
        }
        Value::Null => "nil".into(),
        Value::NullArray => "nil-array".into(),
        Value::Array(items) | Value::Set(items) | Value::Push(items) => list(items),
        Value::Map(pairs) => {
            let pairs: Vec<String> = pairs.iter().map(|(k, v)| format!("{}: {}", show(k), show(v))).collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Double(text) => format!(",{}", plain(text)),
        Value::Bool(b) => if *b { "#t" } else { "#f" }.into(),
        Value::BigNumber(text) => format!("({}", plain(text)),
        Value::Verbatim { format, text } => format!("={}:{}", plain(format), plain(text)),
        Value::Attributed(_, value) => show(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_run_and_answered_as_text() {
        let mut s = Keyspace::new();
        assert_eq!(s.run("GET missing"), "nil");
        let key = s.map.key(b"k");
        s.look(|space| space.set_string(&key, b"a\r\n", keyspace::Expiry::None));
        assert_eq!(s.run("get k"), "\"a\\r\\n\"");
        assert_eq!(s.run("GET"), "-ERR wrong number of arguments for 'get' command");
        assert!(s.effects().is_empty() && s.events().is_empty());
        s.run("GET missing");
        assert_eq!(s.events(), ["keymiss missing"]);
    }
}
