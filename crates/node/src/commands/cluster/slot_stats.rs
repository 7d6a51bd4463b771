//! CLUSTER SLOT-STATS: what the slots of this shard hold and cost.

use std::cmp::Reverse;

use ::cluster::{Keys, Slot};
use resp::error::{self, Error};
use structures::number;

use super::{Call, Done, node, slot_at, syntax};
use crate::cluster::HeldKeys;

/// What slots can be ordered by.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Metric {
    Keys,
    Cpu,
    BytesIn,
    BytesOut,
}

/// The figures of one slot.
struct Figures {
    slot: Slot,
    keys: u64,
    cpu: u64,
    bytes_in: u64,
    bytes_out: u64,
}

impl Figures {
    fn of(&self, metric: Metric) -> u64 {
        match metric {
            Metric::Keys => self.keys,
            Metric::Cpu => self.cpu,
            Metric::BytesIn => self.bytes_in,
            Metric::BytesOut => self.bytes_out,
        }
    }
}

pub(super) fn slot_stats(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let word = call.args.at(2);
    if call.args.len() == 5 && word.eq_ignore_ascii_case(b"slotsrange") {
        let (first, last) = (slot_at(call, 3)?, slot_at(call, 4)?);
        if first > last {
            return Err(error::cluster::stats_range_reversed(first.number(), last.number()));
        }
        let all = figures(call, |slot| (first..=last).contains(&slot))?;
        return answer(call, &all);
    }
    if word.eq_ignore_ascii_case(b"orderby") {
        let (metric, descending, limit) = order(call)?;
        let mut all = figures(call, |_| true)?;
        match descending {
            true => all.sort_by_key(|one| (Reverse(one.of(metric)), one.slot)),
            false => all.sort_by_key(|one| (one.of(metric), one.slot)),
        }
        all.truncate(limit);
        return answer(call, &all);
    }
    syntax(call)
}

fn order(call: &Call<'_, '_>) -> Result<(Metric, bool, usize), Error> {
    let counted = call.core.server.control.load().config.cluster.slot_stats_enabled;
    let metric = match call.args.at(3).to_ascii_lowercase().as_slice() {
        b"key-count" => Metric::Keys,
        b"cpu-usec" if counted => Metric::Cpu,
        b"network-bytes-in" if counted => Metric::BytesIn,
        b"network-bytes-out" if counted => Metric::BytesOut,
        _ => return Err(error::cluster::STATS_ORDERBY),
    };
    let (mut limit, mut descending) = (None, None);
    let mut at = 4;
    while let Some(word) = call.args.get(at) {
        let twice = match (word.to_ascii_lowercase().as_slice(), call.args.get(at + 1)) {
            (b"limit", Some(text)) => {
                let n = number::parse_i64(text).and_then(|n| usize::try_from(n).ok());
                let n = n.filter(|n| (1..=Slot::COUNT).contains(n)).ok_or(error::cluster::STATS_LIMIT)?;
                at += 1;
                limit.replace(n).is_some()
            }
            (b"asc", _) => descending.replace(false).is_some(),
            (b"desc", _) => descending.replace(true).is_some(),
            _ => return Err(error::common::SYNTAX),
        };
        if twice {
            return Err(error::cluster::STATS_FILTERS);
        }
        at += 1;
    }
    Ok((metric, descending.unwrap_or(true), limit.unwrap_or(Slot::COUNT)))
}

/// The figures of this shard's slots, ascending.
fn figures(call: &mut Call<'_, '_>, wanted: impl Fn(Slot) -> bool) -> Result<Vec<Figures>, Error> {
    let node = node(call)?;
    let view = node.view();
    let keys = HeldKeys::of(call.core);
    let slots = Slot::all().filter(|slot| view.is_my_shards(*slot) && wanted(*slot));
    Ok(slots
        .map(|slot| {
            let cost = node.stats.of(slot);
            Figures {
                slot,
                keys: keys.count(slot),
                cpu: cost.cpu_usec(),
                bytes_in: cost.bytes_in(),
                bytes_out: cost.bytes_out(),
            }
        })
        .collect())
}

fn answer(call: &mut Call<'_, '_>, all: &[Figures]) -> Done {
    let counted = call.core.control().config.cluster.slot_stats_enabled;
    let out = &mut call.client.out;
    out.array(all.len());
    for one in all {
        out.array(2);
        out.integer(i64::from(one.slot.number()));
        let fields = [
            (&b"key-count"[..], one.keys),
            (b"cpu-usec", one.cpu),
            (b"network-bytes-in", one.bytes_in),
            (b"network-bytes-out", one.bytes_out),
        ];
        let fields = &fields[..if counted { 4 } else { 1 }];
        out.map(fields.len());
        for (name, value) in fields {
            out.bulk(name);
            out.integer(*value as i64);
        }
    }
    Ok(())
}
