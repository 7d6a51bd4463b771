//! The journal as the sink of units.

use journal::unit::{Kind, Unit as JournalUnit};
use journal::{DbIndex, Journal};

use crate::unit::{Sink, UnitLog};

impl Sink for Journal {
    fn is_awake(&self) -> bool {
        Journal::is_awake(self)
    }

    fn append(&self, log: &UnitLog) -> u64 {
        let mut unit = if log.unframed { JournalUnit::unframed() } else { JournalUnit::new() };
        for (db, bytes, stream_only) in log.iter() {
            let kind = if stream_only { Kind::StreamOnly } else { Kind::Command };
            unit.raw(DbIndex(db.0), kind, bytes);
        }
        Journal::append(self, &unit).1.0
    }

    fn end(&self) -> u64 {
        Journal::end(self).0
    }
}
