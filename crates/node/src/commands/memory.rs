//! MEMORY: what memory is used for, and what may be wrong with it. (MEMORY USAGE, which looks at a key, is a data command.)
//!
//! STATS gives names and numbers. DOCTOR looks at the same numbers and says in words what is out of proportion:
//!
//! | remark | when |
//! |---|---|
//! | nothing to judge | less than 5 MB in use |
//! | peak | it was more than one and a half times what is in use now |
//! | fragmentation | the process has 1.4 times what is in use, and 10 MB more |
//! | allocator | 1.1 times, and 10 MB more, in pages that are partly used, or free but not returned |
//! | process | the same beside the allocator |
//! | clients, replicas | 200 kB each on average; 10 MB in all |

use keyspace::DbIndex;

use super::{Call, ControlBinding, Done, free, world};
use crate::memory::{Figures, percent};

pub(super) const TABLE: &[ControlBinding] = &[
    free("memory|doctor", doctor),
    free("memory|help", super::help::help),
    free("memory|malloc-stats", malloc_stats),
    free("memory|purge", purge),
    world("memory|stats", stats),
];

/// One line of STATS.
enum Value {
    Count(u64),
    Difference(u64, u64),
    Ratio(f64),
}

fn stats(call: &mut Call<'_, '_>) -> Done {
    use Value::{Count, Difference, Ratio};
    let databases = call.core.control().env.databases;
    let mut tables: Vec<(u16, u64)> = Vec::new();
    let mut keys = 0;
    for db in 0..databases {
        let (mut bytes, mut here) = (0, 0);
        for shard in call.core.lease.all_shards() {
            bytes += shard.db(DbIndex(db)).overhead() as u64;
            here += shard.db(DbIndex(db)).len() as u64;
        }
        if here > 0 {
            tables.push((db, bytes));
        }
        keys += here;
    }
    let mut figures = Figures::of(call.core.server);
    figures.tables = tables.iter().map(|(_, bytes)| bytes).sum();
    let facts = figures.facts;
    let before = [
        ("peak.allocated", facts.peak),
        ("total.allocated", facts.used),
        ("startup.allocated", figures.startup),
        ("replication.backlog", figures.backlog),
        ("replicas.repl.buffer", 0),
        ("clients.slaves", figures.replicas),
        ("clients.normal", figures.clients),
        ("cluster.links", 0),
        ("cluster.slot_import", 0),
        ("cluster.slot_export", 0),
        ("aof.buffer", 0),
        ("lua.caches", 0),
        ("functions.caches", 0),
    ];
    let after = [
        ("overhead.db.hashtable.lut", Count(figures.tables)),
        ("overhead.db.hashtable.rehashing", Count(0)),
        ("overhead.total", Count(figures.overhead())),
        ("db.dict.rehashing.count", Count(0)),
        ("keys.count", Count(keys)),
        ("keys.bytes-per-key", Count(figures.beyond_startup().checked_div(keys).unwrap_or(0))),
        ("dataset.bytes", Count(figures.dataset())),
        ("dataset.percentage", Ratio(percent(figures.dataset(), figures.beyond_startup()))),
        ("peak.percentage", Ratio(percent(facts.used, facts.peak))),
        ("allocator.allocated", Count(facts.allocated)),
        ("allocator.active", Count(facts.active)),
        ("allocator.resident", Count(facts.resident)),
        ("allocator.muzzy", Count(0)),
        ("allocator-fragmentation.ratio", Ratio(figures.fragmentation())),
        ("allocator-fragmentation.bytes", Difference(facts.active, facts.allocated)),
        ("allocator-rss.ratio", Ratio(figures.allocator_rss())),
        ("allocator-rss.bytes", Difference(facts.resident, facts.active)),
        ("rss-overhead.ratio", Ratio(figures.rss_overhead())),
        ("rss-overhead.bytes", Difference(facts.rss, facts.resident)),
        ("fragmentation", Ratio(figures.whole())),
        ("fragmentation.bytes", Difference(facts.rss, facts.used)),
    ];
    let out = &mut call.client.out;
    out.map(before.len() + tables.len() + after.len());
    for (name, count) in before {
        out.bulk(name.as_bytes());
        out.integer(count as i64);
    }
    for (db, bytes) in tables {
        out.bulk(format!("db.{db}").as_bytes());
        out.map(2);
        out.bulk(b"overhead.hashtable.main");
        out.integer(bytes as i64);
        // Expiries stand in the entries: there is no second table.
        out.bulk(b"overhead.hashtable.expires");
        out.integer(0);
    }
    for (name, value) in after {
        out.bulk(name.as_bytes());
        match value {
            Count(n) => out.integer(n as i64),
            Difference(a, b) => out.integer(a as i64 - b as i64),
            Ratio(ratio) => out.double(ratio),
        }
    }
    Ok(())
}

/// Under which nothing can be told from proportions.
const TOO_LITTLE: u64 = 5 << 20;

/// Differences below this are nobody's problem.
const NOTABLE: u64 = 10 << 20;

fn doctor(call: &mut Call<'_, '_>) -> Done {
    let server = call.core.server;
    let figures = Figures::of(server);
    let text = diagnosis(&figures, server.cards.len() as u64);
    call.client.out.verbatim(b"txt", text.as_bytes());
    Ok(())
}

/// What is out of proportion, in words.
fn diagnosis(figures: &Figures, clients: u64) -> String {
    let facts = figures.facts;
    if facts.used < TOO_LITTLE {
        return "There is too little data to judge how memory is used.\n".to_owned();
    }
    let beyond = |more: u64, less: u64| more.saturating_sub(less) > NOTABLE;
    let remarks = [
        (
            2 * facts.peak > 3 * facts.used,
            "Peak: there was a time when much more memory was in use than now. What the process has beyond its present \
             needs is used again when data grow; MEMORY PURGE returns it.",
        ),
        (
            figures.whole() > 1.4 && beyond(facts.rss, facts.used),
            "Fragmentation: the process has much more memory than is in use. The remarks below say where it is.",
        ),
        (
            figures.fragmentation() > 1.1 && beyond(facts.active, facts.allocated),
            "Allocator: many pages are used in part only, as after many deletions of small values. A restart, or a replica \
             that takes over, packs them densely.",
        ),
        (
            figures.allocator_rss() > 1.1 && beyond(facts.resident, facts.active),
            "Free pages: the allocator holds pages that it does not need at present. MEMORY PURGE returns them.",
        ),
        (
            figures.rss_overhead() > 1.1 && beyond(facts.rss, facts.resident),
            "Process: much memory of the process is not the allocator's.",
        ),
        (
            figures.clients / clients.max(1) > 200 * 1024,
            "Clients: their buffers are large on average. Some may send or receive large values, or read too slowly: see \
             tot-mem in CLIENT LIST, and client-output-buffer-limit.",
        ),
        (
            figures.replicas > NOTABLE,
            "Replicas: much output waits for them. They may be too slow, or their link may be.",
        ),
    ];
    let found: Vec<&str> = remarks.iter().filter(|(holds, _)| *holds).map(|(_, text)| *text).collect();
    if found.is_empty() {
        return "Nothing is out of proportion in how memory is used.\n".to_owned();
    }
    found.iter().map(|text| format!(" * {text}\n")).collect()
}

fn malloc_stats(call: &mut Call<'_, '_>) -> Done {
    let report = call.core.server.host.allocator_report();
    call.client.out.verbatim(b"txt", &report);
    Ok(())
}

fn purge(call: &mut Call<'_, '_>) -> Done {
    call.core.server.host.purge_memory();
    call.client.out.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::MemoryFacts;
    use crate::testing::Node;

    fn figures(used: u64, peak: u64, rss: u64) -> Figures {
        let facts = MemoryFacts { used, peak, rss, allocated: used, active: used, resident: used };
        Figures { facts, startup: 1 << 20, clients: 0, replicas: 0, backlog: 0, tables: 0 }
    }

    #[test]
    fn what_is_out_of_proportion_is_said() {
        let mb = 1 << 20;
        assert!(diagnosis(&figures(mb, 90 * mb, 90 * mb), 1).contains("too little"));
        assert!(diagnosis(&figures(50 * mb, 50 * mb, 51 * mb), 1).contains("Nothing"));
        let text = diagnosis(&figures(50 * mb, 90 * mb, 80 * mb), 1);
        for word in ["Peak", "Fragmentation", "Process"] {
            assert!(text.contains(word), "{word}: {text}");
        }
        assert!(!text.contains("Allocator:") && !text.contains("Clients"), "{text}");
        let busy = Figures { clients: mb, ..figures(50 * mb, 50 * mb, 51 * mb) };
        assert!(diagnosis(&busy, 2).contains("Clients"));
        assert!(diagnosis(&busy, 100).contains("Nothing"));
    }

    #[test]
    fn stats_count_the_tables_of_databases_in_use() {
        let mut node = Node::start("");
        let a = node.connect();
        node.say(a, "SELECT 3");
        node.say(a, "SET k v");
        let text = node.say(a, "MEMORY STATS");
        assert!(text.contains("\r\ndb.3\r\n") && !text.contains("db.0"), "{text}");
        assert!(text.contains("$10\r\nkeys.count\r\n:1\r\n"), "{text}");
    }
}
