//! What the keyspace owes a snapshot under way.
//!
//! A snapshot is the state at one cut. A walk hands entries over bucket by bucket; whatever is about to change before the
//! walk has reached it is handed over first, in its old state. Every bucket of every table carries one *handed over* bit
//! per snapshot; the bit is the truth, the walk only finds work (see `docs/snapshot.md`).

use structures::entry::Entry;
use structures::table::Watch;
use value::Value;

use crate::{Db, DbIndex};

/// One of the two snapshots that can be under way at once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SnapshotId(pub u8);

/// Where a shard's entries go while a snapshot is under way. Lives in the shard, under its lock.
pub trait HandOver: Send {
    /// Takes the state of one entry. `db` is the number that the database had at the cut.
    fn hand_over(&mut self, db: DbIndex, entry: &Entry<Value>);

    /// Takes a whole database that was emptied (FLUSHALL, a full sync) before the walk had finished with it.
    fn take(&mut self, db: DbIndex, table: Db);
}

/// The sinks of the snapshots under way in one shard.
pub(crate) type Sinks = [Option<Box<dyn HandOver>>; 2];

/// What a table's changes show to the snapshots: the sinks of its shard and the numbers it had at their cuts.
pub(crate) struct Observers<'a> {
    pub(crate) sinks: &'a mut Sinks,
    pub(crate) at_cut: [DbIndex; 2],
    pub(crate) walking: u8,
}

impl Watch<Entry<Value>> for Observers<'_> {
    const ACTIVE_POSSIBLE: bool = true;

    fn active(&self) -> u8 {
        self.walking
    }

    fn hand_over(&mut self, snapshot: u8, entry: &Entry<Value>, _access: u16) {
        if let Some(sink) = &mut self.sinks[usize::from(snapshot)] {
            sink.hand_over(self.at_cut[usize::from(snapshot)], entry);
        }
    }
}
