//! MULTI and WATCH.

use std::sync::Arc;

use command::registry::RowId;
use command::row::Flags;
use keyspace::{DbIndex, WatchFlag};
use resp::args::OwnedArgs;

/// A command queued between MULTI and EXEC.
#[derive(Debug)]
pub struct Queued {
    /// Its row in the registry.
    pub row: RowId,
    /// Its arguments.
    pub args: OwnedArgs,
    /// The hash slot of its keys; `None` outside of a cluster, and without keys.
    pub slot: Option<u16>,
}

/// An open transaction.
#[derive(Debug)]
pub struct Multi {
    /// The flags of all commands so far.
    pub flags: Flags,
    /// The flags that every one of them has.
    pub common: Flags,
    /// The commands so far.
    pub queue: Vec<Queued>,
    /// Whether a command could not be queued: EXEC will answer EXECABORT.
    pub aborted: bool,
    /// The database that will be selected when the next command runs.
    pub db: DbIndex,
    /// Bytes of the queued arguments, for CLIENT LIST and the limit of client memory.
    pub bytes: usize,
}

impl Multi {
    /// A transaction that is opened while `db` is selected.
    pub fn begin(db: DbIndex) -> Self {
        let all = Flags::ALL.iter().fold(Flags::NONE, |all, (flag, _)| all.union(*flag));
        Multi { flags: Flags::NONE, common: all, queue: Vec::new(), aborted: false, db, bytes: 0 }
    }
}

/// The keys that a client watches.
#[derive(Debug)]
pub struct WatchSet {
    /// Raised by whoever touches one of them.
    pub flag: Arc<WatchFlag>,
    /// The keys.
    pub keys: Vec<(DbIndex, Box<[u8]>)>,
}
