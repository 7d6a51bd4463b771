//! The log as units, replicas, the AOF writer and snapshots see it.
//!
//! ```text
//!   append ─► lock · MULTI SELECT … EXEC into the open block · unlock ─► applied level rises ─► sleepers on it are called
//!   read   ─► lock · references to blocks · unlock
//!   trim   ─► when a block fills: whole blocks that are older than the backlog and than every hold; freed after unlocking
//! ```
//!
//! Invariants:
//!
//! 1. The end of the log is the number of bytes of the stream so far; it never moves but by the bytes appended, except by
//!    [`Journal::restart`].
//! 2. What a [`Hold`] is set to, and everything after it, is in memory.
//! 3. At least the last `backlog size` bytes are in memory, and rarely more than a block beyond that if nothing is held
//!    (Valkey trims by the same rule, so `repl_backlog_histlen` moves alike).
//! 4. While the journal sleeps nothing is kept and offsets stand still, though data changes. So a wake gives it a new
//!    name: nobody can continue from a position inside such a gap. (Valkey: a new replication id when the backlog is made.)
//!
//! A reader is only a position. It costs the log nothing; memory that has passed it is gone, and it is told so. Who must
//! not be passed (the AOF writer, a snapshot under way, replicas within their limit) holds.

use crate::history::{History, ReplId};
use crate::offset::{DbIndex, ReplOffset};
use crate::tail::{Boundary, Chunk, ReadError, Tail, Trimmed};
use crate::unit::{LINK_MIN, Out, Unit};
use crate::watermark::Watermark;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The one log.
pub struct Journal {
    state: Mutex<State>,
    awake: AtomicBool,
    /// Offsets that are in the log. Also the end of the log, and what a reader that has read everything waits for.
    pub applied: Watermark,
    /// Offsets that the AOF's file has been given; moved by its writer.
    pub written: Watermark,
    /// Offsets that are on disk; moved by the AOF's writer.
    pub fsynced: Watermark,
}

struct State {
    tail: Tail,
    history: History,
    awake: bool,
    /// The next record that names a database is preceded by a SELECT, whatever the stream's database is.
    select: bool,
    backlog_size: u64,
    holds: BTreeMap<u64, ReplOffset>,
    next_hold: u64,
}

/// What INFO tells of the backlog.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Backlog {
    /// The first position in memory; `repl_backlog_first_byte_offset` is its [`ReplOffset::next_byte`].
    pub start: ReplOffset,
    /// The end of the log.
    pub end: ReplOffset,
    /// The size that was asked for.
    pub size: u64,
    /// Bytes of memory in use for it.
    pub memory: u64,
}

impl Backlog {
    /// Bytes that can be read.
    pub fn histlen(&self) -> u64 {
        self.end.0 - self.start.0
    }
}

impl Journal {
    /// A sleeping journal at position `at` of `history`, which will keep `backlog_size` bytes.
    pub fn new(history: History, at: ReplOffset, backlog_size: u64) -> Self {
        let state = State {
            tail: Tail::new(at, None, block_size(backlog_size)),
            history,
            awake: false,
            select: true,
            backlog_size,
            holds: BTreeMap::new(),
            next_hold: 0,
        };
        Journal {
            state: Mutex::new(state),
            awake: AtomicBool::new(false),
            applied: Watermark::new(at),
            written: Watermark::new(at),
            fsynced: Watermark::new(at),
        }
    }

    /// Whether anything is kept; if not, a unit need not even be encoded. Changes only inside a world unit.
    pub fn is_awake(&self) -> bool {
        self.awake.load(Ordering::Acquire)
    }

    /// The end of the log.
    pub fn end(&self) -> ReplOffset {
        self.applied.get()
    }

    /// Appends one unit and returns where it begins and ends. While the journal sleeps, nothing happens.
    pub fn append(&self, unit: &Unit<'_>) -> (ReplOffset, ReplOffset) {
        self.write(|state| {
            let before = state.tail.db();
            let mut db = if state.select { None } else { before };
            unit.write(&mut db, &mut InDb { tail: &mut state.tail, before });
            state.select &= db.is_none();
        })
    }

    /// Appends the primary's bytes as they came. `ends` tells where each unit in them ends, ascending up to the length of
    /// `bytes`, and in which database the stream is there.
    pub fn append_verbatim(&self, bytes: &Bytes, ends: &[(usize, Option<DbIndex>)]) -> (ReplOffset, ReplOffset) {
        debug_assert_eq!(ends.last().map_or(0, |&(end, _)| end), bytes.len(), "whole units only");
        self.write(|state| {
            let mut start = 0;
            for &(end, db) in ends {
                if end - start > LINK_MIN {
                    state.tail.link(&bytes.slice(start..end));
                } else {
                    state.tail.copy(&bytes[start..end]);
                }
                state.tail.boundary(db);
                start = end;
            }
        })
    }

    fn write(&self, append: impl FnOnce(&mut State)) -> (ReplOffset, ReplOffset) {
        let mut state = self.state.lock();
        let start = state.tail.end();
        if !state.awake {
            return (start, start);
        }
        append(&mut state);
        let end = state.tail.end();
        let trimmed = state.trim();
        drop(state);
        drop(trimmed);
        self.applied.advance(end);
        (start, end)
    }

    /// Up to `max` bytes from `from` on; none at the end of the log.
    pub fn read(&self, from: ReplOffset, max: usize) -> Result<Chunk, ReadError> {
        let mut state = self.state.lock();
        if !state.awake {
            return Err(ReadError::Behind { start: state.tail.end() });
        }
        state.tail.read(from, max)
    }

    /// Keeps everything from `offset` on in memory, until the hold is moved or dropped; `None` if it is not there.
    pub fn hold(self: &Arc<Self>, offset: ReplOffset) -> Option<Hold> {
        let mut state = self.state.lock();
        if !state.awake || offset < state.tail.start() || offset > state.tail.end() {
            return None;
        }
        let id = state.next_hold;
        state.next_hold += 1;
        state.holds.insert(id, offset);
        Some(Hold { journal: self.clone(), id })
    }

    /// Begins to keep what is appended, under a new name. Inside a world unit.
    pub fn wake(&self, id: ReplId) {
        let mut state = self.state.lock();
        if !state.awake {
            state.history = History::new(id);
            let at = state.tail.end();
            drop(state.begin(at, None));
            self.awake.store(true, Ordering::Release);
        }
    }

    /// Stops keeping anything; `false`, and without effect, while something is held. Inside a world unit.
    pub fn sleep(&self) -> bool {
        let mut state = self.state.lock();
        if !state.holds.is_empty() {
            return false;
        }
        let at = state.tail.end();
        let fresh = Tail::new(at, None, block_size(state.backlog_size));
        let old = std::mem::replace(&mut state.tail, fresh);
        state.awake = false;
        self.awake.store(false, Ordering::Release);
        drop(state);
        drop(old);
        true
    }

    /// Begins anew and awake at `at` of `history`: after a full sync (with the database that the primary's stream is in
    /// there) or a recovery. Holds are void, and whoever waits for a level is called. Inside a world unit.
    pub fn restart(&self, history: History, at: ReplOffset, db: Option<DbIndex>) {
        let old = {
            let mut state = self.state.lock();
            state.history = history;
            state.holds.clear();
            self.awake.store(true, Ordering::Release);
            state.begin(at, db)
        };
        drop(old);
        for level in [&self.applied, &self.written, &self.fsynced] {
            level.reset(at);
        }
    }

    /// The names of the log.
    pub fn history(&self) -> History {
        self.state.lock().history
    }

    /// Gives the log other names, its bytes being the same: a primary that told its replica of a new id, a recovered past.
    pub fn set_history(&self, history: History) {
        self.state.lock().history = history;
    }

    /// Goes on under a new id; the old one becomes the second, good up to the present end. The next record selects its
    /// database again. At promotion.
    pub fn change_id(&self, id: ReplId) {
        let mut state = self.state.lock();
        let at = state.tail.end();
        state.history.shift(id, at);
        state.select = true;
    }

    /// Whether somebody who has history `id` up to `from` can be sent the rest from memory.
    pub fn can_continue(&self, id: &ReplId, from: ReplOffset) -> bool {
        let state = self.state.lock();
        state.awake && state.history.covers(id, from) && (state.tail.start()..=state.tail.end()).contains(&from)
    }

    /// The backlog, unless the journal sleeps.
    pub fn backlog(&self) -> Option<Backlog> {
        let state = self.state.lock();
        let (start, end) = (state.tail.start(), state.tail.end());
        state.awake.then(|| Backlog { start, end, size: state.backlog_size, memory: state.tail.memory() })
    }

    /// Changes how many bytes are kept at least.
    pub fn set_backlog_size(&self, size: u64) {
        let mut state = self.state.lock();
        state.backlog_size = size;
        state.tail.set_block_size(block_size(size));
        let trimmed = state.trim();
        drop(state);
        drop(trimmed);
    }

    /// The next record that names a database is preceded by a SELECT: a new replica, or a new increment, begins in db 0.
    pub fn reset_db(&self) {
        self.state.lock().select = true;
    }

    /// The database in which the stream is at its end, if any was selected.
    pub fn stream_db(&self) -> Option<DbIndex> {
        self.state.lock().tail.db()
    }

    /// The last place between two units at or before `offset` that memory knows; where an AOF increment may end.
    pub fn boundary_at_or_before(&self, offset: ReplOffset) -> Option<Boundary> {
        self.state.lock().tail.boundary_at_or_before(offset)
    }
}

/// Blocks: large enough to be few, small enough that the backlog is trimmed in fine steps.
fn block_size(backlog_size: u64) -> usize {
    (backlog_size / 16).clamp(16 * 1024, 256 * 1024) as usize
}

impl State {
    /// Starts over at `at`; returns what was kept, to be freed.
    fn begin(&mut self, at: ReplOffset, db: Option<DbIndex>) -> Tail {
        self.awake = true;
        self.select = true;
        std::mem::replace(&mut self.tail, Tail::new(at, db, block_size(self.backlog_size)))
    }

    fn trim(&mut self) -> Trimmed {
        let limit = self.holds.values().copied().min().unwrap_or(ReplOffset(u64::MAX));
        self.tail.trim(limit, self.backlog_size)
    }
}

/// A unit that named no database leaves the stream in the one before.
struct InDb<'a> {
    tail: &'a mut Tail,
    before: Option<DbIndex>,
}

impl Out for InDb<'_> {
    fn copy(&mut self, bytes: &[u8]) {
        self.tail.copy(bytes);
    }

    fn link(&mut self, bytes: &Bytes) {
        self.tail.link(bytes);
    }

    fn boundary(&mut self, db: Option<DbIndex>) {
        self.tail.boundary(db.or(self.before));
    }
}

/// Keeps a part of the log in memory for as long as it lives.
pub struct Hold {
    journal: Arc<Journal>,
    id: u64,
}

impl Hold {
    /// Lets go of what is before `offset`; a hold moves only forwards.
    pub fn advance(&self, offset: ReplOffset) {
        let mut state = self.journal.state.lock();
        if let Some(held) = state.holds.get_mut(&self.id) {
            *held = offset.max(*held);
        }
        let trimmed = state.trim();
        drop(state);
        drop(trimmed);
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.journal.state.lock();
        state.holds.remove(&self.id);
        let trimmed = state.trim();
        drop(state);
        drop(trimmed);
    }
}

/// A position that goes through the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader {
    /// The next byte to read.
    pub at: ReplOffset,
}

impl Reader {
    /// Up to `max` bytes, and steps behind them.
    pub fn next(&mut self, journal: &Journal, max: usize) -> Result<Chunk, ReadError> {
        let chunk = journal.read(self.at, max)?;
        self.at = chunk.end;
        Ok(chunk)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Kind;
    use crate::watermark::Reached;

    fn id(byte: u8) -> ReplId {
        ReplId::from_entropy([byte; 20])
    }

    fn awake(backlog_size: u64) -> Arc<Journal> {
        let journal = Journal::new(History::new(id(0)), ReplOffset(100), backlog_size);
        journal.wake(id(1));
        Arc::new(journal)
    }

    fn raw(journal: &Journal, bytes: &[u8]) -> (ReplOffset, ReplOffset) {
        let mut unit = Unit::new();
        unit.begin(None, Kind::Command).piece(crate::unit::Piece::Raw(bytes));
        journal.append(&unit)
    }

    fn fill(journal: &Journal) {
        for _ in 0..1000 {
            raw(journal, &[7; 1000]);
        }
    }

    #[test]
    fn a_sleeping_journal_keeps_nothing_and_wakes_under_a_new_name() {
        let journal = Journal::new(History::new(id(0)), ReplOffset(100), 1 << 20);
        assert_eq!(raw(&journal, b"lost"), (ReplOffset(100), ReplOffset(100)));
        assert!(!journal.can_continue(&id(0), ReplOffset(100)));
        assert_eq!(journal.backlog(), None);
        journal.wake(id(1));
        assert_eq!(journal.history(), History::new(id(1)));
        assert_eq!(raw(&journal, b"kept"), (ReplOffset(100), ReplOffset(104)));
        assert!(!journal.can_continue(&id(0), ReplOffset(100)));
        assert!(journal.can_continue(&id(1), ReplOffset(100)));
        let journal = Arc::new(journal);
        let hold = journal.hold(ReplOffset(100)).unwrap();
        assert!(!journal.sleep(), "somebody needs the bytes");
        drop(hold);
        assert!(journal.sleep());
        assert!(journal.read(ReplOffset(104), 9).is_err());
        assert_eq!(journal.end(), ReplOffset(104));
    }

    #[test]
    fn a_promoted_replica_continues_its_old_history() {
        let journal = awake(1 << 20);
        raw(&journal, b"shared");
        journal.change_id(id(2));
        raw(&journal, b"own");
        assert!(journal.can_continue(&id(1), ReplOffset(106)));
        assert!(!journal.can_continue(&id(1), ReplOffset(107)), "the old primary may have written something else");
        assert!(journal.can_continue(&id(2), ReplOffset(109)));
        assert!(!journal.can_continue(&id(2), ReplOffset(110)), "nobody can be ahead");
        assert!(!journal.can_continue(&id(2), ReplOffset(99)), "memory begins later");
    }

    #[test]
    fn a_promotion_selects_the_database_again() {
        let journal = awake(1 << 20);
        let bytes = Bytes::from_static(b"PINGSETGET");
        journal.append_verbatim(&bytes, &[(4, None), (7, Some(DbIndex(3))), (10, Some(DbIndex(3)))]);
        assert_eq!(journal.stream_db(), Some(DbIndex(3)));
        assert_eq!(journal.boundary_at_or_before(ReplOffset(106)), Some(Boundary { at: ReplOffset(104), db: None }));
        journal.change_id(id(2));
        let mut unit = Unit::new();
        unit.raw(DbIndex(3), Kind::Command, b"DEL");
        let (start, end) = journal.append(&unit);
        assert_eq!(end.0 - start.0, 23 + 3);
    }

    #[test]
    fn memory_is_bounded_and_holds_are_kept() {
        let journal = awake(64 * 1024);
        fill(&journal);
        let backlog = journal.backlog().unwrap();
        assert!((64 * 1024..=64 * 1024 + 16 * 1024).contains(&backlog.histlen()), "{backlog:?}");
        assert!(backlog.memory < 3 * 64 * 1024, "{backlog:?}");
        assert_eq!(journal.read(ReplOffset(100), 10), Err(ReadError::Behind { start: backlog.start }));
        assert!(journal.hold(ReplOffset(100)).is_none());

        let hold = journal.hold(backlog.end).unwrap();
        fill(&journal);
        assert_eq!(journal.read(backlog.end, usize::MAX).unwrap().end, journal.end());
        hold.advance(ReplOffset(backlog.end.0 + 500_000));
        assert!(journal.backlog().unwrap().histlen() < 520_000, "the first half is free");
        drop(hold);
        assert!(journal.backlog().unwrap().histlen() <= 80 * 1024);
        journal.set_backlog_size(20_000);
        assert!(journal.backlog().unwrap().histlen() <= 40_000);
    }

    #[test]
    fn a_restart_takes_the_place_of_everything() {
        struct Count(std::sync::atomic::AtomicU64);
        impl Reached for Count {
            fn reached(&self, _: u64) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let journal = awake(1 << 20);
        raw(&journal, b"old");
        let count = Arc::new(Count(Default::default()));
        journal.applied.wait(ReplOffset(200), count.clone(), 0).unwrap();
        let hold = journal.hold(ReplOffset(100)).unwrap();
        journal.restart(History::new(id(9)), ReplOffset(50), Some(DbIndex(2)));
        assert_eq!((journal.end(), journal.stream_db()), (ReplOffset(50), Some(DbIndex(2))));
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        hold.advance(ReplOffset(70));
        drop(hold);
        assert!(journal.can_continue(&id(9), ReplOffset(50)));
        assert_eq!(
            journal.boundary_at_or_before(ReplOffset(60)),
            Some(Boundary { at: ReplOffset(50), db: Some(DbIndex(2)) })
        );
    }

    /// Several threads append, one reads on as it is told of new bytes: units stay whole and are in one order for all.
    #[test]
    fn a_reader_follows_many_appenders() {
        struct Unpark(std::thread::Thread);
        impl Reached for Unpark {
            fn reached(&self, _: u64) {
                self.0.unpark();
            }
        }
        const UNITS: u16 = 3000;
        let journal = awake(64 * 1024);
        let hold = journal.hold(ReplOffset(100)).unwrap();
        let read = std::thread::scope(|scope| {
            for thread in 0..3u16 {
                let journal = &journal;
                scope.spawn(move || {
                    for round in 0..UNITS {
                        let text = format!("{thread}:{round};").repeat(1 + usize::from(round % 40));
                        let mut unit = Unit::new();
                        unit.begin(None, Kind::Command).piece(crate::unit::Piece::Raw(text.as_bytes()));
                        let (start, end) = journal.append(&unit);
                        assert_eq!(end.0 - start.0, text.len() as u64);
                        assert!(journal.end() >= end);
                    }
                });
            }
            let (mut reader, mut bytes) = (Reader { at: ReplOffset(100) }, Vec::new());
            let me = Arc::new(Unpark(std::thread::current()));
            let total: usize = (0..3).map(|thread| length_of(thread, UNITS)).sum();
            while bytes.len() < total {
                let chunk = reader.next(&journal, 10_000).unwrap();
                chunk.pieces.iter().for_each(|piece| bytes.extend_from_slice(piece));
                hold.advance(reader.at);
                if chunk.pieces.is_empty() && journal.applied.wait(ReplOffset(reader.at.0 + 1), me.clone(), 0).is_some()
                {
                    std::thread::park();
                }
            }
            bytes
        });
        let mut next = [0; 3];
        let mut rest = &read[..];
        while !rest.is_empty() {
            let thread = usize::from(rest[0] - b'0');
            let round = next[thread];
            let text = format!("{thread}:{round};").repeat(1 + round % 40);
            assert!(rest.starts_with(text.as_bytes()), "unit {round} of thread {thread} is whole and in order");
            rest = &rest[text.len()..];
            next[thread] += 1;
        }
        assert_eq!(next, [usize::from(UNITS); 3]);
    }

    fn length_of(thread: u16, units: u16) -> usize {
        (0..units).map(|round| format!("{thread}:{round};").len() * (1 + usize::from(round % 40))).sum()
    }
}
