//! RESTORE: a key from what DUMP made; RESTORE-ASKING, the same for slots that are being imported.
//!
//! The payload is read to its last byte before anything is changed, or was read before the command had a lock; what is damaged, of a version or a type that is not
//! known, or empty, is refused. A TTL that has passed already leaves no key, and one that is relative is journalled as
//! an absolute one.

use command::context::{Context, Done};
use command::effects::class;
use command::unpacked::Unpacked;
use keyspace::{Expiry, Key, UnixMillis};
use rdb::dump::{self, Refused};
use rdb::{Acceptance, Content};
use resp::args::Args;
use resp::error::{self, Error};
use resp::log_text;
use smallvec::SmallVec;
use structures::number;
use value::Value;

use crate::options::{integer, is};

/// What stands behind the payload.
#[derive(Clone, Copy, Default)]
struct Options {
    replace: bool,
    absolute: bool,
    accesses: Option<Accesses>,
}

/// What is known of the key's accesses; the kind that the policy does not use is dropped.
#[derive(Clone, Copy)]
enum Accesses {
    /// Seconds since the last one.
    Idle(u64),
    /// The logarithmic counter.
    Counted(u8),
}

impl Options {
    fn parse(args: &Args<'_>) -> Result<Self, Error> {
        let mut options = Options::default();
        let mut at = 4;
        while let Some(word) = args.get(at) {
            at += 1;
            let counted = matches!(options.accesses, Some(Accesses::Counted(_)));
            let idle = matches!(options.accesses, Some(Accesses::Idle(_)));
            match (word, args.get(at)) {
                (word, _) if is(word, "REPLACE") => options.replace = true,
                (word, _) if is(word, "ABSTTL") => options.absolute = true,
                (word, Some(seconds)) if is(word, "IDLETIME") && !counted => {
                    let seconds = u64::try_from(integer(seconds)?).map_err(|_| error::keys::RESTORE_IDLETIME)?;
                    options.accesses = Some(Accesses::Idle(seconds));
                    at += 1;
                }
                (word, Some(count)) if is(word, "FREQ") && !idle => {
                    let count = u8::try_from(integer(count)?).map_err(|_| error::keys::RESTORE_FREQ)?;
                    options.accesses = Some(Accesses::Counted(count));
                    at += 1;
                }
                _ => return Err(error::common::SYNTAX),
            }
        }
        Ok(options)
    }
}

pub(super) fn restore(ctx: &mut Context<'_, '_>) -> Done {
    let options = Options::parse(&ctx.args)?;
    let key = ctx.key(1);
    if !options.replace && ctx.space.exists(&key) {
        return Err(error::common::BUSYKEY.into());
    }
    let ttl = integer(ctx.args.at(2))?;
    if ttl < 0 {
        return Err(error::keys::RESTORE_TTL.into());
    }
    let content = match ctx.env.unpacked.as_ref().and_then(Unpacked::take) {
        Some(value) => Content::Value(value),
        None => read(ctx, ctx.args.at(3))?,
    };
    let expire = match (ttl, options.absolute) {
        (0, _) => None,
        (ttl, true) => Some(UnixMillis(ttl)),
        // A time beyond all times is as good as none, but it is one.
        (ttl, false) => Some(UnixMillis(ctx.now().0.saturating_add(ttl))),
    };
    ctx.reply.ok();
    // A replica and a loader never decide that a key has expired.
    if expire.is_some_and(|at| at <= ctx.now()) && !ctx.env.obey {
        if options.replace && ctx.delete(&key) {
            let verb: &[u8] = if ctx.env.lazy_server_del { b"UNLINK" } else { b"DEL" };
            ctx.effects.rewrite(ctx.space.db, &[verb, key.bytes]);
        }
        return Ok(());
    }
    if options.replace {
        let deletion = ctx.deletion();
        ctx.space.remove(&key, deletion);
    }
    store(ctx, &key, content, expire);
    if let Some(accesses) = options.accesses {
        note(ctx, &key, accesses);
    }
    ctx.changed(&key, class::GENERIC, "restore", 1);
    if let Some(at) = expire.filter(|_| !options.absolute) {
        let text = number::int(at.0);
        let mut words: SmallVec<[&[u8]; 8]> = ctx.args.iter().collect();
        words[2] = &text;
        words.push(b"ABSTTL");
        ctx.effects.rewrite(ctx.space.db, &words);
    }
    Ok(())
}

fn read<'a>(ctx: &mut Context<'a, '_>, payload: &'a [u8]) -> Result<Content<'a>, Error> {
    let acceptance = if ctx.env.rdb_relaxed { Acceptance::Relaxed } else { Acceptance::Strict };
    match dump::read(payload, &ctx.env.limits, acceptance, !ctx.env.skip_checksum) {
        Ok(Content::Empty | Content::Skipped(_)) => Err(error::keys::BAD_DATA),
        Err(Refused::Value(e)) => {
            ctx.effects.log.push(log_text::snapshot::damaged(e.offset, &e.damage.to_string()));
            Err(error::keys::BAD_DATA)
        }
        Ok(content) => Ok(content),
        Err(Refused::Seal) => Err(error::keys::DUMP_VERSION),
        Err(Refused::Foreign(kind)) => Err(error::keys::foreign_type(kind)),
    }
}

fn store(ctx: &mut Context<'_, '_>, key: &Key<'_>, content: Content<'_>, expire: Option<UnixMillis>) {
    let expiry = expire.map_or(Expiry::None, Expiry::At);
    match content {
        Content::Int(value) => ctx.space.set_int(key, value, expiry),
        Content::Bytes(bytes) => ctx.space.set_string(key, bytes, expiry),
        Content::Value(Value::Raw(raw)) => ctx.space.set_string(key, raw.as_bytes(), expiry),
        Content::Value(value) => ctx.space.insert_value(key, value, expiry),
        Content::Empty | Content::Skipped(_) => {}
    }
}

fn note(ctx: &mut Context<'_, '_>, key: &Key<'_>, accesses: Accesses) {
    let clock = ctx.space.clock;
    let word = match accesses {
        Accesses::Idle(seconds) if !clock.lfu => clock.idle_since(seconds),
        Accesses::Counted(count) if clock.lfu => clock.counted(count),
        _ => return,
    };
    ctx.space.set_access(key, word);
}

#[cfg(test)]
mod tests {
    use command::unpacked::Unpacked;
    use value::{Limits, Set};

    use crate::testing::Keyspace;

    fn dumped(s: &mut Keyspace, key: &str) -> Vec<u8> {
        let reply = s.raw(&["DUMP", key]);
        let head = reply.iter().position(|byte| *byte == b'\n').unwrap();
        reply[head + 1..reply.len() - 2].to_vec()
    }

    #[test]
    fn every_type_comes_back() {
        let mut s = Keyspace::new();
        s.run("SET k 10");
        let payload = dumped(&mut s, "k");
        assert_eq!(s.call(&[b"RESTORE", &b"copy"[..], b"0", &payload]), "OK");
        assert_eq!(s.run("GET copy"), "\"10\"");
        assert_eq!(s.effects().len(), 0);
        assert_eq!(s.call(&[b"RESTORE", &b"copy"[..], b"0", &payload]), "-BUSYKEY Target key name already exists.");
        assert_eq!(s.call(&[b"RESTORE", &b"copy"[..], b"0", &payload, b"REPLACE"]), "OK");
        assert_eq!(s.events(), ["new copy", "restore copy"]);
    }

    #[test]
    fn a_value_that_was_made_before_is_taken_once() {
        let mut s = Keyspace::new();
        s.run("RPUSH l a b");
        let payload = dumped(&mut s, "l");
        let unpacked = Unpacked::default();
        s.env.unpacked = Some(unpacked.clone());
        let mut set = Set::new();
        set.add(b"other", &Limits::default());
        unpacked.finish(Some(set.into()));
        assert_eq!(s.call(&[b"RESTORE", &b"first"[..], b"0", &payload]), "OK");
        s.run("SADD wanted other");
        assert_eq!(s.run("SMEMBERS first"), s.run("SMEMBERS wanted"));
        assert_eq!(s.call(&[b"RESTORE", &b"second"[..], b"0", &payload]), "OK");
        assert_eq!(s.run("LRANGE second 0 -1"), s.run("LRANGE l 0 -1"));
        // What could not be made says what is wrong with it.
        s.env.unpacked = Some(Unpacked::default());
        assert!(s.call(&[b"RESTORE", &b"third"[..], b"0", &payload[1..]]).starts_with("-ERR DUMP payload version"));
    }

    #[test]
    fn times_are_journalled_as_absolute() {
        let mut s = Keyspace::new();
        s.run("SET k v");
        let payload = dumped(&mut s, "k");
        s.call(&[b"RESTORE", &b"a"[..], b"5000", &payload, b"IDLETIME", b"9"]);
        let effect = s.effects().join(" ");
        assert!(effect.starts_with("RESTORE a 1700000005000 "), "{effect}");
        assert!(effect.ends_with(" IDLETIME 9 ABSTTL"), "{effect}");
        s.call(&[b"RESTORE", &b"b"[..], b"1700000005000", &payload, b"ABSTTL"]);
        assert!(s.effects().join(" ").starts_with("RESTORE b 1700000005000 "));
        s.now += 5001;
        assert_eq!(s.run("GET a"), "nil");
        assert_eq!(s.run("GET b"), "nil");
    }

    #[test]
    fn what_has_expired_is_not_stored() {
        let mut s = Keyspace::new();
        s.run("SET k v");
        let payload = dumped(&mut s, "k");
        assert_eq!(s.call(&[b"RESTORE", &b"a"[..], b"5", &payload, b"ABSTTL"]), "OK");
        assert_eq!((s.run("GET a").as_str(), s.effects().len()), ("nil", 0));
        assert_eq!(s.call(&[b"RESTORE", &b"k"[..], b"5", &payload, b"ABSTTL", b"REPLACE"]), "OK");
        assert_eq!(s.effects(), ["UNLINK k"]);
        assert_eq!(s.events(), ["del k"]);
        s.run("SET k v");
        s.env.lazy_server_del = false;
        s.call(&[b"RESTORE", &b"k"[..], b"5", &payload, b"ABSTTL", b"REPLACE"]);
        assert_eq!(s.effects(), ["DEL k"]);
    }

    #[test]
    fn accesses_are_kept_under_their_policy() {
        let mut s = Keyspace::new();
        s.run("SET k v");
        let payload = dumped(&mut s, "k");
        s.call(&[b"RESTORE", &b"a"[..], b"0", &payload, b"IDLETIME", b"1000"]);
        s.call(&[b"RESTORE", &b"b"[..], b"0", &payload, b"FREQ", b"100"]);
        let word = |s: &mut Keyspace, key: &[u8]| {
            let key = s.map.key(key);
            let shard = s.map.of(key.hash);
            let mut space = keyspace::Space::new(
                s.map,
                [(shard, &mut s.shards[shard.index()])].into_iter().collect(),
                s.db,
                keyspace::UnixMillis(s.now),
            );
            space.peek(&key).map(|view| view.access())
        };
        let now = (s.now / 1000) as u32 & 0xff_ffff;
        assert_eq!(word(&mut s, b"a"), Some(now - 1000));
        assert_ne!(word(&mut s, b"b").map(|word| word & 0xff), Some(100));
        s.env.lfu = true;
        s.call(&[b"RESTORE", &b"c"[..], b"0", &payload, b"FREQ", b"100"]);
        assert_eq!(word(&mut s, b"c").map(|word| word & 0xff), Some(100));
    }
}
