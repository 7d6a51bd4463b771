//! What a snapshot holds, by database and type: counts and sizes, with percentiles.
//!
//! Percentiles are those of a histogram with three significant digits, as the peers print them: exact up to 2047, then by
//! steps of a thousandth. A bucket stands for its greatest value.

use std::collections::BTreeMap;

use rdb::Content;
use structures::number;
use value::{Item, Value};

/// The types in the order of the table.
pub const TYPES: [&str; 7] = ["string", "list", "set", "zset", "hash", "module", "stream"];
const STRING: usize = 0;
const MODULE: usize = 5;
const STREAM: usize = 6;

/// Greater counts of elements, and greater sizes, are not part of percentiles.
const MAX_COUNT: u64 = 200 * 1024;
const MAX_SIZE: u64 = 1024 * 1024;

/// Counts of values.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    buckets: BTreeMap<u64, u64>,
    total: u64,
}

impl Histogram {
    fn record(&mut self, value: u64, most: u64) {
        if value <= most {
            // Below 2048 each value has a bucket; above, 1024 buckets for each power of two.
            let width = value.checked_ilog2().map_or(1, |bits| 1u64 << bits.saturating_sub(10));
            let greatest = value - value % width + width - 1;
            *self.buckets.entry(greatest).or_default() += 1;
            self.total += 1;
        }
    }

    /// The value that this many percent of the values do not exceed.
    pub fn percentile(&self, percent: u64) -> u64 {
        let wanted = ((self.total * percent + 50) / 100).max(1);
        let mut seen = 0;
        for (value, count) in &self.buckets {
            seen += count;
            if seen >= wanted {
                return *value;
            }
        }
        0
    }
}

/// What one database holds of one type.
#[derive(Clone, Debug, Default)]
pub struct Profile {
    pub keys: u64,
    pub expires: u64,
    pub expired: u64,
    pub key_bytes: u64,
    pub elements: u64,
    pub element_bytes: u64,
    pub most_elements: u64,
    pub greatest_element: u64,
    pub counts: Histogram,
    pub sizes: Histogram,
}

impl Profile {
    fn element(&mut self, size: usize) {
        let size = size as u64;
        self.element_bytes += size;
        self.greatest_element = self.greatest_element.max(size);
        self.sizes.record(size, MAX_SIZE);
    }

    fn count(&mut self, elements: u64) {
        self.elements += elements;
        self.most_elements = self.most_elements.max(elements);
        self.counts.record(elements, MAX_COUNT);
    }

    fn add(&mut self, content: &Content<'_>) {
        match content {
            Content::Int(value) => self.one(number::int_len(*value)),
            Content::Bytes(bytes) => self.one(bytes.len()),
            Content::Empty => {}
            Content::Skipped(count) => self.count(*count),
            Content::Value(value) => self.value(value),
        }
    }

    fn one(&mut self, size: usize) {
        self.element(size);
        self.count(1);
    }

    fn value(&mut self, value: &Value) {
        let len = |item: Item<'_>| item.len();
        match value {
            Value::Raw(raw) => self.one(raw.len()),
            Value::List(list) => {
                list.iter().for_each(usize::MAX, |item| self.element(len(item)));
                self.count(list.len() as u64);
            }
            Value::Set(set) => {
                set.iter().for_each(|item| self.element(len(item)));
                self.count(set.len() as u64);
            }
            Value::Zset(zset) => {
                zset.iter().for_each(|(item, score)| self.element(len(item) + number::shortest(score).len()));
                self.count(zset.len() as u64);
            }
            Value::Hash(hash) => {
                hash.iter().for_each(|view| self.element(len(view.field) + len(view.value)));
                self.count(hash.len() as u64);
            }
        }
    }
}

/// What a file holds.
#[derive(Debug, Default)]
pub struct Profiles {
    databases: BTreeMap<u64, [Profile; TYPES.len()]>,
}

impl Profiles {
    /// Counts a key.
    pub fn add(&mut self, db: u64, record: &rdb::Record<'_>, now: i64) {
        let index = match &record.content {
            Content::Value(value) => TYPES.iter().position(|name| *name == value.type_name()).unwrap_or(STRING),
            Content::Skipped(_) if record.kind.is_stream() => STREAM,
            Content::Skipped(_) => MODULE,
            _ => STRING,
        };
        let profile = &mut self.databases.entry(db).or_default()[index];
        profile.keys += 1;
        profile.key_bytes += record.key.len() as u64;
        profile.expires += u64::from(record.expire.is_some());
        profile.expired += u64::from(record.expire.is_some_and(|at| at < now));
        profile.add(&record.content);
    }

    /// The databases from 0 on; where one beyond a thousand was named, those with keys only.
    pub fn databases(&self, greatest: u64) -> Vec<(u64, [Profile; TYPES.len()])> {
        let mut databases = self.databases.clone();
        for db in 0..=greatest.min(1000) {
            databases.entry(db).or_default();
        }
        databases.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_have_three_digits() {
        let mut histogram = Histogram::default();
        assert_eq!(histogram.percentile(99), 0);
        (1..=100).for_each(|value| histogram.record(value, MAX_COUNT));
        assert_eq!([50, 90, 99].map(|percent| histogram.percentile(percent)), [50, 90, 99]);
        let mut histogram = Histogram::default();
        histogram.record(100_000, MAX_COUNT);
        histogram.record(MAX_COUNT + 1, MAX_COUNT);
        assert_eq!((histogram.total, histogram.percentile(50)), (1, 100_031));
    }
}
