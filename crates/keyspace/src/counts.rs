//! How many keys there are, for those who do not hold the shards: DBSIZE, INFO, the choice of a shard at random.
//!
//! Each shard keeps, per database, two numbers that anybody may read. They are brought up to date when a unit lets go of
//! its view of the shard, before its reply can leave; so whoever has seen the reply to a write sees it counted. A sum over
//! shards read while other units run is not one moment's number, as no such sum could be without stopping them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::{Db, DbIndex};

/// The numbers of one database in one shard.
#[derive(Default, Debug)]
pub struct Count {
    keys: AtomicUsize,
    expires: AtomicUsize,
}

impl Count {
    /// Keys, those whose time has come but that are still there included.
    pub fn keys(&self) -> usize {
        self.keys.load(Ordering::Acquire)
    }

    /// Keys that have an expiry.
    pub fn expires(&self) -> usize {
        self.expires.load(Ordering::Acquire)
    }

    fn publish(&self, db: &Db) {
        self.keys.store(db.len(), Ordering::Release);
        self.expires.store(db.expires(), Ordering::Release);
    }
}

/// The numbers of one shard, and which of them are out of date.
pub(crate) struct Counts {
    shared: Arc<[Count]>,
    /// One bit for each database; those from 63 on share the last.
    changed: u64,
}

impl Counts {
    pub(crate) fn new(databases: usize) -> Self {
        Counts { shared: (0..databases).map(|_| Count::default()).collect(), changed: 0 }
    }

    pub(crate) fn share(&self) -> Arc<[Count]> {
        self.shared.clone()
    }

    #[inline]
    pub(crate) fn note(&mut self, db: DbIndex) {
        self.changed |= 1 << db.index().min(63);
    }

    #[inline]
    pub(crate) fn publish(&mut self, dbs: &mut [Db]) {
        if self.changed != 0 {
            self.publish_changed(dbs);
        }
    }

    fn publish_changed(&mut self, dbs: &mut [Db]) {
        for (index, (db, count)) in dbs.iter_mut().zip(self.shared.iter()).enumerate() {
            if self.changed >> index.min(63) & 1 != 0 {
                db.tables.settle();
                count.publish(db);
            }
        }
        self.changed = 0;
    }
}
