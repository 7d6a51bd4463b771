//! SCAN: all keys, a few at a time, while everybody else goes on.
//!
//! ```text
//!   cursor = position in the shard's table << bits | shard
//!
//!   shard 0 ──────────► shard 1 ──────────► …  last shard ──────────► 0
//!   position 0 … 2^48   position 0 … 2^48      position 0 … 2^48
//! ```
//!
//! The shards are visited one after the other; a [`Walk`] goes from one to the next, so that only one is locked at a time
//! (in EXEC and in scripts, which hold them all, the handler itself goes through them). Positions are places in hash order, so they stay valid whatever the
//! table does in between, and every number is a valid cursor. The guarantee is Redis': a key that is there during the
//! whole scan is answered at least once.
//!
//! Filters act on what was visited, so a call may well answer nothing and still not be the last. A call ends when it
//! has visited COUNT keys or ten times as many buckets. A key whose time has come is not answered; it is deleted, unless
//! a filter hid it.

use command::context::{Context, Done};
use keyspace::{OnExpired, ShardId, ShardMap, Space};
use resp::args::Args;
use resp::encode;
use resp::error::{self, Error};
use resp::reply::Reply;
use structures::{glob, number};

use super::sort::pattern;
use crate::options::{integer, is};

/// What is scanned; some options belong to one kind only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scanned {
    Keyspace,
    Hash,
    Set,
    Zset,
}

/// The options of SCAN, HSCAN, SSCAN and ZSCAN.
#[derive(Clone, Copy)]
pub(crate) struct ScanOptions<'a> {
    /// How many elements are to be visited, at least 1.
    pub(crate) count: usize,
    /// The pattern of the elements that are wanted; `None` for all.
    pub(crate) pattern: Option<&'a [u8]>,
    /// The only type that is wanted.
    pub(crate) kind: Option<&'static str>,
    /// NOVALUES or NOSCORES: the elements without what belongs to them.
    pub(crate) bare: bool,
}

const TYPES: [&str; 6] = ["string", "list", "set", "zset", "hash", "stream"];

impl<'a> ScanOptions<'a> {
    /// Reads the arguments from `first` on.
    pub(crate) fn parse(args: &Args<'a>, first: usize, of: Scanned) -> Result<Self, Error> {
        let mut options = ScanOptions { count: 10, pattern: None, kind: None, bare: false };
        let mut at = first;
        while let Some(word) = args.get(at) {
            let next = args.get(at + 1);
            match next {
                Some(next) if is(word, "COUNT") => {
                    let count = integer(next)?;
                    options.count = usize::try_from(count).ok().filter(|&n| n > 0).ok_or(error::common::SYNTAX)?;
                }
                Some(next) if is(word, "MATCH") => options.pattern = Some(next).filter(|&p| p != b"*"),
                Some(next) if is(word, "TYPE") && of == Scanned::Keyspace => {
                    let kind = TYPES.into_iter().find(|name| is(next, name));
                    options.kind = Some(kind.ok_or_else(|| error::keys::unknown_type(next))?);
                }
                _ if is(word, "NOVALUES") => {
                    if of != Scanned::Hash {
                        return Err(error::keys::NOVALUES_ONLY_HSCAN);
                    }
                    options.bare = true;
                    at += 1;
                    continue;
                }
                _ if is(word, "NOSCORES") => {
                    if of != Scanned::Zset {
                        return Err(error::keys::NOSCORES_ONLY_ZSCAN);
                    }
                    options.bare = true;
                    at += 1;
                    continue;
                }
                _ => return Err(error::common::SYNTAX),
            }
            at += 2;
        }
        Ok(options)
    }

    /// Whether an element is wanted by its name.
    pub(crate) fn matches(&self, name: &[u8]) -> bool {
        self.pattern.is_none_or(|pattern| glob::matches(pattern, name))
    }
}

/// A cursor as it is written on the wire.
pub(crate) fn cursor(arg: &[u8]) -> Result<u64, Error> {
    number::parse_u64(arg).ok_or(error::keys::INVALID_CURSOR)
}

/// Where a scan is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Place {
    shard: ShardId,
    position: u64,
}

impl Place {
    fn of(cursor: u64, map: ShardMap) -> Place {
        let shard = (cursor & ((1 << map.bits()) - 1)) as u16;
        Place { shard: ShardId(shard), position: (cursor >> map.bits()) & ((1 << map.position_bits()) - 1) }
    }

    fn cursor(self, map: ShardMap) -> u64 {
        self.position << map.bits() | u64::from(self.shard.0)
    }
}

/// One SCAN at work. It can be taken from shard to shard, so that whoever runs it locks one at a time.
pub struct Walk<'a> {
    options: ScanOptions<'a>,
    map: ShardMap,
    /// Where to go on; `None` behind the last key.
    place: Option<Place>,
    /// The only place in which the pattern's keys can be: the end of its slot. In a cluster, for a pattern with a hash tag.
    limit: Option<Place>,
    visited: usize,
    buckets_left: usize,
    found: usize,
    /// The names that were found, as bulks.
    names: Vec<u8>,
    expired: Vec<Box<[u8]>>,
}

impl<'a> Walk<'a> {
    /// Reads the arguments of SCAN.
    pub fn begin(args: &Args<'a>, map: ShardMap) -> Result<Self, Error> {
        let cursor = cursor(args.at(1))?;
        let options = ScanOptions::parse(args, 2, Scanned::Keyspace)?;
        let mut place = Place::of(cursor, map);
        let mut limit = None;
        if let (true, Some(slot)) = (map.is_by_slot(), options.pattern.and_then(pattern::slot)) {
            let shard = map.of_slot(slot);
            if cursor == 0 {
                place = Place { shard, position: map.position_of_slot(slot) };
            }
            limit = Some(Place { shard, position: map.position_behind_slot(slot) });
        }
        Ok(Walk {
            options,
            map,
            place: Some(place),
            limit,
            visited: 0,
            buckets_left: options.count.saturating_mul(10),
            found: 0,
            names: Vec::new(),
            expired: Vec::new(),
        })
    }

    /// The shard in which the walk goes on; `None` when this call has done its work.
    pub fn shard(&self) -> Option<ShardId> {
        let tired = self.visited >= self.options.count || self.buckets_left == 0;
        self.place.filter(|_| !tired).map(|place| place.shard)
    }

    /// Goes on in the present shard, to its end or until the work of this call is done. Nothing is done in a shard that
    /// `space` does not hold.
    pub fn step(&mut self, space: &Space<'_>) {
        let (db, now, obey) = (space.db, space.now, space.on_expired == OnExpired::Obey);
        let Some(id) = self.shard() else { return };
        let Some(shard) = space.shard_ref(id) else { return };
        while let (Some(Place { position, .. }), true) = (self.place, self.shard() == Some(id)) {
            let next = shard.db(db).scan(position, |view| {
                self.visited += 1;
                let of_kind = self.options.kind.is_none_or(|kind| view.type_name() == kind);
                if of_kind && self.options.matches(view.key()) {
                    if !obey && view.is_expired(now) {
                        self.expired.push(view.key().into());
                    } else {
                        encode::arg(&mut self.names, view.key());
                        self.found += 1;
                    }
                }
            });
            // Shards without keys are no work: an empty database is walked in one call, however many there are.
            self.buckets_left = self.buckets_left.saturating_sub(usize::from(!shard.db(db).is_empty()));
            self.place = match next {
                0 if usize::from(id.0) + 1 == self.map.shards() => None,
                0 => Some(Place { shard: ShardId(id.0 + 1), position: 0 }),
                position => Some(Place { shard: id, position }),
            };
            if let (Some(limit), Some(place)) = (self.limit, self.place)
                && (place.shard != limit.shard || place.position >= limit.position)
            {
                self.place = None;
            }
        }
    }

    /// Gives away the names of keys that were met after their time; whoever holds their shard deletes them by looking.
    pub fn expired(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.expired)
    }

    /// Answers the cursor and what was found.
    pub fn answer(&self, reply: &mut Reply) {
        reply.array(2);
        reply.bulk(&number::unsigned(self.place.map_or(0, |place| place.cursor(self.map))));
        reply.array(self.found);
        reply.raw(&self.names);
    }
}

pub(super) fn scan(ctx: &mut Context<'_, '_>) -> Done {
    let mut walk = Walk::begin(&ctx.args, ctx.space.map())?;
    while walk.shard().is_some_and(|id| ctx.space.shard_ref(id).is_some()) {
        walk.step(ctx.space);
    }
    walk.answer(ctx.reply);
    for name in walk.expired() {
        ctx.space.exists(&ctx.space.key(&name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keyspace::Expiry;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Keyspace;

    /// Scans to the end with these options, doing `meanwhile` between the calls; what was answered.
    fn scan_all(s: &mut Keyspace, options: &str, mut meanwhile: impl FnMut(&mut Keyspace)) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut cursor = "0".to_string();
        loop {
            let reply = s.run(&format!("SCAN {cursor} {options}"));
            let inner = reply.strip_prefix('[').and_then(|r| r.strip_suffix(']')).expect("an array of two");
            let (next, names) = inner.split_once(' ').expect("a cursor and keys");
            cursor = next.trim_matches('"').to_string();
            found.extend(
                names.trim_matches(['[', ']']).split_whitespace().map(|name| name.trim_matches('"').to_string()),
            );
            if cursor == "0" {
                return found;
            }
            meanwhile(s);
        }
    }

    fn fill(s: &mut Keyspace, prefix: &str, n: usize) -> BTreeSet<String> {
        let names: BTreeSet<String> = (0..n).map(|i| format!("{prefix}{i}")).collect();
        s.look(|space| {
            for name in &names {
                space.set_string(&space.key(name.as_bytes()), b"v", Expiry::None);
            }
        });
        names
    }

    #[test]
    fn cursors_are_places() {
        let map = ShardMap::new(64);
        for place in [(0, 0), (63, 0), (5, 1 << 47), (63, (1 << 48) - 1)] {
            let place = Place { shard: ShardId(place.0), position: place.1 };
            assert_eq!(Place::of(place.cursor(map), map), place);
        }
        assert_eq!(Place::of(u64::MAX, map).shard, ShardId(63));
    }

    #[test]
    fn every_key_is_found() {
        for shards in [1, 4] {
            let mut s = Keyspace::with_shards(shards);
            let names = fill(&mut s, "key:", 1000);
            assert_eq!(scan_all(&mut s, "", |_| {}), names);
            assert_eq!(scan_all(&mut s, "COUNT 1", |_| {}), names);
            assert_eq!(scan_all(&mut s, "COUNT 100000", |_| {}), names);
            let hundred = names.iter().filter(|n| n.len() == 7 && n.starts_with("key:1")).cloned().collect();
            assert_eq!(scan_all(&mut s, "MATCH key:1??", |_| {}), hundred);
            assert_eq!(scan_all(&mut s, "TYPE string", |_| {}), names);
            assert_eq!(scan_all(&mut s, "TYPE list", |_| {}), BTreeSet::new());
        }
    }

    #[test]
    fn expired_keys_are_not_answered_and_go_unless_a_filter_hid_them() {
        let mut s = Keyspace::new();
        let names = fill(&mut s, "key:", 100);
        for name in ["x1", "x2", "y1"] {
            s.run(&format!("SET {name} v PX 10"));
        }
        s.now += 11;
        assert_eq!(s.run("DBSIZE"), "103");
        assert!(scan_all(&mut s, "MATCH x*", |_| {}).is_empty());
        assert_eq!(s.run("DBSIZE"), "101");
        assert_eq!(scan_all(&mut s, "", |_| {}), names);
        assert_eq!(s.run("DBSIZE"), "100");
    }

    #[test]
    fn a_walk_goes_from_shard_to_shard() {
        let mut s = Keyspace::with_shards(4);
        let names = fill(&mut s, "key:", 50);
        let args = resp::args::OwnedArgs::from_slices(&["SCAN", "0", "COUNT", "1000"]);
        let mut walk = Walk::begin(&args.as_args(), s.map).expect("the arguments are right");
        for shard in 0..4 {
            assert_eq!(walk.shard(), Some(ShardId(shard)));
            s.look(|space| walk.step(space));
        }
        assert_eq!((walk.shard(), walk.found), (None, names.len()));
    }

    #[test]
    fn a_replica_hides_expired_keys() {
        let mut s = Keyspace::new();
        s.run("SET k v PX 10");
        s.now += 11;
        s.on_expired = OnExpired::Hide;
        assert!(scan_all(&mut s, "", |_| {}).is_empty());
        assert_eq!(s.run("DBSIZE"), "1");
        s.on_expired = OnExpired::Obey;
        assert_eq!(scan_all(&mut s, "", |_| {}).len(), 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// The guarantee: whatever grows or shrinks the tables meanwhile, keys that are there all the time are answered.
        #[test]
        fn keys_that_stay_are_found(stay in 0..400usize, churn in 0..3000usize, count in 1..50usize, grow: bool) {
            let mut s = Keyspace::with_shards(2);
            let names = fill(&mut s, "stay:", stay);
            let churned = fill(&mut s, "churn:", if grow { 0 } else { churn });
            let mut step = 0;
            let found = scan_all(&mut s, &format!("COUNT {count}"), |s| {
                // Whoever adds keys faster than a scan visits them keeps it going for ever, so this stops at some time.
                if grow && step < 20 {
                    fill(s, &format!("new:{step}:"), churn / 10);
                } else if !grow {
                    for name in churned.iter().skip(step * 100).take(100) {
                        s.run(&format!("DEL {name}"));
                    }
                }
                step += 1;
                assert!(step < 100_000, "a scan ends");
            });
            prop_assert!(names.is_subset(&found));
        }

        #[test]
        fn any_cursor_and_options_are_answered(cursor: u64, words in prop::collection::vec("[a-zA-Z0-9*]{0,9}", 0..4)) {
            let mut s = Keyspace::new();
            fill(&mut s, "k", 50);
            let mut command = vec!["SCAN".to_string(), cursor.to_string()];
            command.extend(words);
            s.call(&command);
        }
    }
}
