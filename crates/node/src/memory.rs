//! What memory is used for: the figures that INFO and MEMORY STATS share.
//!
//! ```text
//!   used ─┬─ overhead: what the empty server needed, clients' buffers, the backlog, tables of keys
//!         └─ dataset:  the rest
//! ```
//!
//! `used` is what the allocator has given out. The parts of the overhead are estimates, from what clients' cards and the
//! journal tell; what tables take only their shards know, so it is asked by a unit that has all of them.

use std::sync::atomic::{AtomicU64, Ordering};

use session::Flag;

use crate::facts::MemoryFacts;
use crate::server::Server;

/// See the head of this file.
#[derive(Clone, Copy, Debug)]
pub struct Figures {
    /// The process and the allocator.
    pub facts: MemoryFacts,
    /// In use before there was any data.
    pub startup: u64,
    /// Buffers of ordinary clients.
    pub clients: u64,
    /// Buffers of replicas.
    pub replicas: u64,
    /// The replication backlog.
    pub backlog: u64,
    /// Tables of keys, where they were looked at.
    pub tables: u64,
}

impl Figures {
    /// The figures of this moment.
    pub fn of(server: &Server) -> Figures {
        let (mut clients, mut replicas) = (0, 0);
        for card in server.cards.all() {
            let n = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
            let sum = n(&card.output) + n(&card.query_used) + n(&card.query_free) + n(&card.multi_bytes);
            *(if card.is(Flag::Replica) { &mut replicas } else { &mut clients }) += sum;
        }
        Figures {
            facts: server.host.memory(),
            startup: server.startup_memory as u64,
            clients,
            replicas,
            backlog: server.journal.backlog().map_or(0, |backlog| backlog.memory),
            tables: 0,
        }
    }

    /// What is not data.
    pub fn overhead(&self) -> u64 {
        (self.startup + self.clients + self.replicas + self.backlog + self.tables).min(self.facts.used)
    }

    /// What is data.
    pub fn dataset(&self) -> u64 {
        self.facts.used - self.overhead()
    }

    /// What has been added since the start.
    pub fn beyond_startup(&self) -> u64 {
        self.facts.used.saturating_sub(self.startup)
    }

    /// Pages with blocks in use, by what is in use: the allocator's fragmentation.
    pub fn fragmentation(&self) -> f64 {
        ratio(self.facts.active, self.facts.allocated)
    }

    /// Pages that the allocator has, by pages with blocks in use.
    pub fn allocator_rss(&self) -> f64 {
        ratio(self.facts.resident, self.facts.active)
    }

    /// What the process has, by what the allocator has.
    pub fn rss_overhead(&self) -> f64 {
        ratio(self.facts.rss, self.facts.resident)
    }

    /// What the process has, by what is in use.
    pub fn whole(&self) -> f64 {
        ratio(self.facts.rss, self.facts.used)
    }
}

/// A part of a whole, in percent.
pub fn percent(part: u64, whole: u64) -> f64 {
    100.0 * ratio(part, whole)
}

fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
/// Memory of the stream that is kept for readers which are behind, beyond the size of the backlog.
pub(crate) fn stream_beyond_backlog(server: &Server) -> u64 {
    server.journal.backlog().map_or(0, |backlog| backlog.memory.saturating_sub(backlog.size))
}
