//! The part of the stream that is in memory.
//!
//! ```text
//!   position   start                                                      open_start          end
//!              │ block: Bytes    │ block: Bytes     │ block: linked value │ open: BytesMut    │
//!   ends       │ 31 60 31 …      │ 44 44 44 …       │ (a unit's middle)   │ 44 …              │
//!   dbs        (start, db 0)            (p, db 3)                                   (q, db 0)
//! ```
//!
//! Invariants:
//!
//! 1. Blocks are adjacent: each begins where the one before ends, and `open` begins where the last one ends. None is empty.
//! 2. A position p in `start..=end` is a *unit boundary* iff a unit ended there, or the log began there. A boundary is
//!    noted in the block that ends at or contains it, as the distance from the boundary before in the same block: one
//!    byte for nearly every unit. Of a boundary at `start`, whose block is gone, `floor` is what remains.
//! 3. `dbs` says in which database the stream is, at every unit boundary that is kept: from each position on, until the next.
//! 4. Frozen blocks never change. Readers take references to them and are done with the lock; of the open block they
//!    get a copy while it is small, otherwise what is written of it is frozen and the rest of its memory goes on being the
//!    open block.
//!
//! Costs: appending copies once and allocates once per block; reading is O(log blocks) and a reference per block;
//! finding a boundary decodes the distances of one block.

use crate::offset::{DbIndex, ReplOffset};
use crate::unit::Out;
use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use std::collections::VecDeque;

/// A reader's share of the open block up to this size is copied instead of splitting the block.
const SPLIT_MIN: usize = 4096;

/// Bytes of the stream, shared with the log.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Chunk {
    /// Where they begin.
    pub start: ReplOffset,
    /// Where they end: the next read begins here.
    pub end: ReplOffset,
    /// The bytes, in order.
    pub pieces: SmallVec<[Bytes; 4]>,
}

/// The stream cannot be read at the position asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReadError {
    /// Memory begins only at `start`; what stands before it is on disk, if anywhere.
    Behind {
        /// The first position in memory.
        start: ReplOffset,
    },
    /// The stream ends at `end` already.
    Ahead {
        /// The last position.
        end: ReplOffset,
    },
}

/// A place between two units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Boundary {
    /// Where it is.
    pub at: ReplOffset,
    /// The database in which the stream is there, if any was selected.
    pub db: Option<DbIndex>,
}

/// The blocks in memory.
pub(crate) struct Tail {
    blocks: VecDeque<Block>,
    open: BytesMut,
    open_start: u64,
    open_ends: Ends,
    start: u64,
    floor: bool,
    dbs: VecDeque<(u64, Option<DbIndex>)>,
    block_size: usize,
}

struct Block {
    start: u64,
    bytes: Bytes,
    ends: Ends,
}

impl Block {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }
}

/// Blocks that are not needed any more; dropped where no lock is held.
#[derive(Default)]
#[must_use]
pub(crate) struct Trimmed(#[allow(dead_code)] Vec<Block>);

impl Tail {
    /// A log that begins at `at`, with the stream in `db`.
    pub(crate) fn new(at: ReplOffset, db: Option<DbIndex>, block_size: usize) -> Self {
        Tail {
            blocks: VecDeque::new(),
            open: BytesMut::new(),
            open_start: at.0,
            open_ends: Ends::default(),
            start: at.0,
            floor: true,
            dbs: VecDeque::from([(at.0, db)]),
            block_size,
        }
    }

    pub(crate) fn start(&self) -> ReplOffset {
        ReplOffset(self.start)
    }

    pub(crate) fn end(&self) -> ReplOffset {
        ReplOffset(self.open_start + self.open.len() as u64)
    }

    /// The size of blocks to come. What the open block has left beyond that is given back.
    pub(crate) fn set_block_size(&mut self, block_size: usize) {
        self.block_size = block_size;
        if self.open.capacity() - self.open.len() > block_size {
            if !self.open.is_empty() {
                self.freeze();
            }
            self.open = BytesMut::new();
        }
    }

    /// The database in which the stream is at its end.
    pub(crate) fn db(&self) -> Option<DbIndex> {
        self.dbs.back().and_then(|&(_, db)| db)
    }

    /// Bytes of memory: contents, boundaries, and what the open block has in reserve.
    pub(crate) fn memory(&self) -> u64 {
        let blocks: usize = self.blocks.iter().map(|block| size_of::<Block>() + block.ends.steps.capacity()).sum();
        (self.end().0 - self.start) + (blocks + self.open.capacity() - self.open.len()) as u64
    }

    /// Up to `max` bytes from `from` on.
    pub(crate) fn read(&mut self, from: ReplOffset, max: usize) -> Result<Chunk, ReadError> {
        let end = self.end();
        if from.0 < self.start {
            return Err(ReadError::Behind { start: self.start() });
        }
        if from > end {
            return Err(ReadError::Ahead { end });
        }
        let until = end.0.min(from.0.saturating_add(max as u64));
        if until > self.open_start && self.open.len() >= SPLIT_MIN {
            self.freeze();
        }
        let mut chunk = Chunk { start: from, end: ReplOffset(until), pieces: SmallVec::new() };
        let mut at = from.0;
        let first = self.blocks.partition_point(|block| block.end() <= at);
        for block in self.blocks.range(first..) {
            if at >= until {
                break;
            }
            let to = until.min(block.end());
            chunk.pieces.push(block.bytes.slice((at - block.start) as usize..(to - block.start) as usize));
            at = to;
        }
        if at < until {
            let open = &self.open[(at - self.open_start) as usize..(until - self.open_start) as usize];
            chunk.pieces.push(Bytes::copy_from_slice(open));
        }
        Ok(chunk)
    }

    /// Lets go of whole blocks that end at or before `limit`, as long as more than `keep` bytes remain.
    pub(crate) fn trim(&mut self, limit: ReplOffset, keep: u64) -> Trimmed {
        let end = self.end().0;
        let mut trimmed = Trimmed::default();
        while let Some(first) = self.blocks.front()
            && first.end() <= limit.0
            && end - first.end() > keep
        {
            self.start = first.end();
            self.floor = first.ends.last == first.bytes.len() as u64;
            trimmed.0.extend(self.blocks.pop_front());
        }
        while self.dbs.get(1).is_some_and(|&(at, _)| at <= self.start) {
            self.dbs.pop_front();
        }
        trimmed
    }

    /// The last unit boundary at or before `offset` that is still known.
    pub(crate) fn boundary_at_or_before(&self, offset: ReplOffset) -> Option<Boundary> {
        let at = self.boundary(offset.0)?;
        let entry = self.dbs.partition_point(|&(from, _)| from <= at).checked_sub(1)?;
        Some(Boundary { at: ReplOffset(at), db: self.dbs[entry].1 })
    }

    fn boundary(&self, offset: u64) -> Option<u64> {
        if offset < self.start {
            return None;
        }
        if offset > self.open_start
            && let Some(end) = self.open_ends.at_or_before(offset - self.open_start)
        {
            return Some(self.open_start + end);
        }
        let beyond = self.blocks.partition_point(|block| block.start < offset);
        let found = self.blocks.range(..beyond).rev().find_map(|block| {
            let end = block.ends.at_or_before(offset - block.start)?;
            Some(block.start + end)
        });
        found.or(self.floor.then_some(self.start))
    }

    /// What is written of the open block becomes a block of its own.
    fn freeze(&mut self) {
        let bytes = self.open.split().freeze();
        let start = self.open_start;
        self.open_start += bytes.len() as u64;
        self.blocks.push_back(Block { start, bytes, ends: std::mem::take(&mut self.open_ends) });
    }
}

impl Out for Tail {
    fn copy(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.open.capacity() - self.open.len();
            if room == 0 {
                if !self.open.is_empty() {
                    self.freeze();
                }
                self.open = BytesMut::with_capacity(self.block_size);
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.open.extend_from_slice(now);
            bytes = later;
        }
    }

    fn link(&mut self, bytes: &Bytes) {
        if !self.open.is_empty() {
            self.freeze();
        }
        self.blocks.push_back(Block { start: self.open_start, bytes: bytes.clone(), ends: Ends::default() });
        self.open_start += bytes.len() as u64;
    }

    fn boundary(&mut self, db: Option<DbIndex>) {
        let end = self.end().0;
        match self.blocks.back_mut() {
            Some(last) if self.open.is_empty() => last.ends.push(last.bytes.len() as u64),
            _ => self.open_ends.push(self.open.len() as u64),
        }
        if db != self.db() {
            self.dbs.push_back((end, db));
        }
    }
}

/// Ascending positions in a block, as distances in seven bits a byte.
#[derive(Default)]
struct Ends {
    steps: Vec<u8>,
    last: u64,
}

impl Ends {
    fn push(&mut self, end: u64) {
        let mut step = end - self.last;
        if step == 0 {
            return;
        }
        while step > 0x7f {
            self.steps.push(step as u8 | 0x80);
            step >>= 7;
        }
        self.steps.push(step as u8);
        self.last = end;
    }

    fn at_or_before(&self, limit: u64) -> Option<u64> {
        if self.steps.is_empty() || self.last <= limit {
            return (!self.steps.is_empty()).then_some(self.last);
        }
        let (mut found, mut at, mut step, mut shift) = (None, 0, 0, 0);
        for byte in &self.steps {
            step |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                at += step;
                if at > limit {
                    break;
                }
                found = Some(at);
                (step, shift) = (0, 0);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_found_again() {
        let mut ends = Ends::default();
        let all = [1, 128, 129, 300, 20_000, 3_000_000];
        all.iter().for_each(|&end| ends.push(end));
        ends.push(3_000_000);
        for limit in [0, 1, 2, 127, 128, 299, 300, 19_999, 20_000, 2_999_999, 3_000_000, u64::MAX] {
            assert_eq!(ends.at_or_before(limit), all.iter().copied().rfind(|&end| end <= limit), "{limit}");
        }
        assert_eq!(ends.steps.len(), 12, "one byte for a step below 128, two below 16384, …");
    }

    #[test]
    fn readers_share_frozen_blocks_and_copy_small_open_ones() {
        let mut tail = Tail::new(ReplOffset(0), None, 16 * 1024);
        tail.copy(&[7; 100]);
        let copied = tail.read(ReplOffset(0), usize::MAX).unwrap();
        assert_eq!((copied.pieces.len(), tail.blocks.len()), (1, 0));
        tail.copy(&[8; 5000]);
        let shared = tail.read(ReplOffset(0), usize::MAX).unwrap();
        assert_eq!((shared.pieces.len(), tail.blocks.len(), tail.open.len()), (1, 1, 0));
        let value = Bytes::from(vec![9; 20_000]);
        tail.copy(&[1]);
        tail.link(&value);
        let all = tail.read(ReplOffset(100), usize::MAX).unwrap();
        assert_eq!(all.pieces.iter().map(Bytes::len).collect::<Vec<_>>(), [5000, 1, 20_000]);
        assert_eq!(all.pieces[2].as_ptr(), value.as_ptr(), "a linked value is not copied");
    }
}
