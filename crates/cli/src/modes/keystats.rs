//! `--keystats`: every key's memory and length in one walk: the largest keys, their distribution, a table of types.
//!
//! ```text
//!   SCAN ─► TYPE, MEMORY USAGE, STRLEN|LLEN|… of each key ─► Report ─┬─ a live view while it goes on (terminals)
//!                                                                    └─ printed once at the end
//! ```
//!
//! Sizes are kept in buckets of one ten-thousandth, so memory is bounded by the logarithm of the largest key. Lines of
//! the distribution halve what is left: 50 %, 75 %, 87.5 % …

use std::collections::BTreeMap;

use super::keysizes::{Type, key_sizes, key_types, known_types};
use super::{Walk, allow_reads_from_replica, average, db_size, quoted};
use crate::failure::Failure;
use crate::live::{self, Live};
use crate::options::{KeySize, KeyStats};
use crate::screen;
use crate::session::Session;

/// Lengths of names are counted up to each of these.
const NAME_LENGTHS: [u64; 5] = [1 << 5, 1 << 8, 1 << 16, 1 << 20, u64::MAX];

/// A key that is the largest of something.
#[derive(Clone, Debug)]
struct Place {
    size: u64,
    kind: usize,
    key: Vec<u8>,
}

/// What was found of one type.
#[derive(Debug, Default)]
struct Figures {
    keys: u64,
    bytes: u64,
    length: u64,
    largest: Option<Place>,
    longest: Option<Place>,
}

/// What was found so far.
struct Report {
    /// How many keys the server said there are.
    expected: u64,
    sampled: u64,
    bytes: u64,
    /// The largest first; of equals the one that was found first.
    top: Vec<Place>,
    top_count: usize,
    kinds: Vec<Figures>,
    sizes: Sizes,
    name_bytes: u64,
    longest_name: u64,
    names: [u64; NAME_LENGTHS.len()],
}

pub fn run(session: &mut Session, request: KeyStats) -> Result<(), Failure> {
    let expected = db_size(session)?.max(0) as u64;
    screen::print(
        b"\n# Scanning the entire keyspace to find the biggest keys and distribution information.\n\
          # Use -i 0.1 to sleep 0.1 sec per 100 SCAN commands (not usually needed).\n\
          # Use --cursor <n> to start the scan at the cursor <n> (usually after a Ctrl-C).\n\
          # Use --top <n> to display <n> top key sizes (default is 10).\n\
          # Ctrl-C to stop the scan.\n\n",
    )?;
    allow_reads_from_replica(session)?;
    let mut types = known_types();
    let mut report = Report::new(expected, session.options.top);
    let mut live = Live::open();
    let mut walk = Walk::starting_at(session.options.cursor)?;
    while let Some(keys) = walk.next(session)? {
        let found = key_types(session, &keys, &mut types)?;
        let bytes = key_sizes(session, &keys, &found, &types, KeySize::Memory(request.samples))?;
        let lengths = key_sizes(session, &keys, &found, &types, KeySize::Elements)?;
        for (((key, kind), bytes), length) in keys.into_iter().zip(found).zip(bytes).zip(lengths) {
            // A key that vanished between SCAN and TYPE has no type.
            if let Some(kind) = kind {
                report.add(key, kind, bytes, length);
            }
        }
        live.draw(|| {
            let bar = live::bar(report.sampled, report.expected);
            [vec![bar], report.keys(), report.largest(&types)].concat()
        })?;
        walk.rest(session);
    }
    live.close()?;
    let scanned = 100.0 * average(report.sampled, report.expected).min(1.0);
    screen::print_line(&format!("{scanned:6.2}% keys scanned"))?;
    for block in [report.keys(), report.largest(&types), report.distribution(), report.table(&types)] {
        screen::print_line(&block.join("\n"))?;
    }
    if walk.is_interrupted() && !walk.is_over() {
        let tool = session.vocabulary.tool;
        screen::print_line(&format!(
            "\nStopped. To go on from here: {tool} --keystats --cursor {}",
            String::from_utf8_lossy(&walk.cursor)
        ))?;
    }
    Ok(())
}

impl Report {
    fn new(expected: u64, top_count: usize) -> Self {
        Report {
            expected,
            sampled: 0,
            bytes: 0,
            top: Vec::new(),
            top_count,
            kinds: Vec::new(),
            sizes: Sizes::default(),
            name_bytes: 0,
            longest_name: 0,
            names: [0; NAME_LENGTHS.len()],
        }
    }

    fn add(&mut self, key: Vec<u8>, kind: usize, bytes: u64, length: u64) {
        self.sampled += 1;
        self.bytes += bytes;
        self.sizes.add(bytes);
        let name = key.len() as u64;
        self.name_bytes += name;
        self.longest_name = self.longest_name.max(name);
        self.names[NAME_LENGTHS.partition_point(|most| *most < name)] += 1;
        if self.kinds.len() <= kind {
            self.kinds.resize_with(kind + 1, Figures::default);
        }
        let figures = &mut self.kinds[kind];
        figures.keys += 1;
        figures.bytes += bytes;
        figures.length += length;
        for (place, size) in [(&mut figures.largest, bytes), (&mut figures.longest, length)] {
            if place.as_ref().is_none_or(|place| place.size < size) {
                *place = Some(Place { size, kind, key: key.clone() });
            }
        }
        let rank = self.top.partition_point(|place| place.size >= bytes);
        if rank < self.top_count {
            self.top.insert(rank, Place { size: bytes, kind, key });
            self.top.truncate(self.top_count);
        }
    }

    fn keys(&self) -> Vec<String> {
        vec![format!("Keys sampled: {}", self.sampled), format!("Keys size:    {}", human(self.bytes)), String::new()]
    }

    fn largest(&self, types: &[Type]) -> Vec<String> {
        let mut lines = vec![format!("--- Top {} key sizes ---", self.top_count)];
        lines.extend(self.top.iter().enumerate().map(|(i, place)| {
            let kind = &types[place.kind].name;
            format!("{:3} {:>8} {kind:<10} {}", i + 1, human(place.size), quoted(&place.key))
        }));
        lines.extend([String::new(), "--- Top size per type ---".to_owned()]);
        let bare = |place: &Place| {
            let key = quoted(&place.key);
            key[1..key.len() - 1].to_owned()
        };
        for place in self.kinds.iter().filter_map(|figures| figures.largest.as_ref()) {
            lines.push(format!("{:<10} {} is {}", types[place.kind].name, bare(place), human(place.size)));
        }
        lines.extend([String::new(), "--- Top length and cardinality per type ---".to_owned()]);
        for place in self.kinds.iter().filter_map(|figures| figures.longest.as_ref()) {
            let kind = &types[place.kind];
            lines.push(format!("{:<10} {} has {}", kind.name, bare(place), length(kind, place.size)));
        }
        lines.push(String::new());
        lines
    }

    fn distribution(&self) -> Vec<String> {
        let mut lines = vec!["Key size Percentile Total keys".to_owned(), "-------- ---------- -----------".to_owned()];
        for line in self.sizes.lines() {
            lines.push(format!("{:>8} {:9.4}% {:11}", human(line.size), line.percent, line.keys));
        }
        let (mean, deviation) = self.sizes.mean_and_deviation();
        lines.push(format!(
            "Note: 0.01% size precision, Mean: {}, StdDeviation: {}",
            human(mean as u64),
            human(deviation as u64)
        ));
        lines.push(String::new());
        lines.push("Key name length Percentile Total keys".to_owned());
        lines.push("--------------- ---------- -----------".to_owned());
        let mut seen = 0;
        for (count, most) in self.names.iter().zip(NAME_LENGTHS).filter(|(count, _)| **count > 0) {
            seen += count;
            let percent = 100.0 * average(seen, self.sampled);
            lines.push(format!("{:>15} {percent:9.4}% {seen:11}", human(most.min(self.longest_name))));
        }
        let mean = average(self.name_bytes, self.sampled) as u64;
        lines.push(format!("Total key length is {} ({} avg)", human(self.name_bytes), human(mean)));
        lines.push(String::new());
        lines
    }

    fn table(&self, types: &[Type]) -> Vec<String> {
        let mut lines = vec![
            "Type        Total keys  Keys % Tot size Avg size  Total length/card Avg ln/card".to_owned(),
            "--------- ------------ ------- -------- -------- ------------------ -----------".to_owned(),
        ];
        for (kind, figures) in types.iter().zip(&self.kinds).filter(|(_, figures)| figures.keys > 0) {
            let mean = average(figures.length, figures.keys);
            lines.push(format!(
                "{:<9} {:12} {:6.2}% {:>8} {:>8} {:>18} {:>11}",
                kind.name,
                figures.keys,
                100.0 * average(figures.keys, self.sampled),
                human(figures.bytes),
                human(average(figures.bytes, figures.keys) as u64),
                length(kind, figures.length),
                if kind.counts_bytes() { human(mean.round() as u64) } else { format!("{mean:.2}") }
            ));
        }
        lines
    }
}

fn length(kind: &Type, n: u64) -> String {
    if kind.counts_bytes() { human(n) } else { format!("{n} {}", kind.unit) }
}

/// Sizes by bucket: exact below 2^15, by steps of 2^-14 of a power of two above.
#[derive(Debug, Default)]
struct Sizes {
    buckets: BTreeMap<u64, u64>,
    total: u64,
}

/// `keys` keys, which are at least `percent` per cent of all, are not larger than `size`.
#[derive(Debug, PartialEq)]
struct SizeLine {
    size: u64,
    percent: f64,
    keys: u64,
}

impl Sizes {
    fn add(&mut self, size: u64) {
        *self.buckets.entry(size | (step(size) - 1)).or_default() += 1;
        self.total += 1;
    }

    fn lines(&self) -> Vec<SizeLine> {
        let mut lines = Vec::new();
        let (mut seen, mut wanted) = (0, 0.0);
        for (&size, &count) in &self.buckets {
            seen += count;
            let share = 100.0 * average(seen, self.total);
            if seen == self.total {
                lines.push(SizeLine { size, percent: 100.0, keys: seen });
            } else if wanted <= share {
                lines.push(SizeLine { size, percent: wanted, keys: seen });
                while wanted <= share {
                    wanted += (100.0 - wanted) / 2.0;
                }
            }
        }
        lines
    }

    fn mean_and_deviation(&self) -> (f64, f64) {
        let total = self.total.max(1) as f64;
        let middles = || self.buckets.iter().map(|(&most, &count)| ((most - step(most) / 2) as f64, count as f64));
        let mean = middles().map(|(size, count)| size * count).sum::<f64>() / total;
        let square = middles().map(|(size, count)| (size - mean).powi(2) * count).sum::<f64>() / total;
        (mean, square.sqrt())
    }
}

/// The width of the bucket that holds a size; a power of two.
fn step(size: u64) -> u64 {
    1 << size.checked_ilog2().unwrap_or(0).saturating_sub(14)
}

fn human(n: u64) -> String {
    super::human_bytes(i64::try_from(n).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_halve_what_is_left() {
        let mut sizes = Sizes::default();
        for (size, count) in [(32, 2), (48, 3), (64, 3), (4290, 1), (102_430, 1)] {
            (0..count).for_each(|_| sizes.add(size));
        }
        let line = |size, percent, keys| SizeLine { size, percent, keys };
        let expect =
            [line(32, 0.0, 2), line(48, 50.0, 5), line(64, 75.0, 8), line(4290, 87.5, 9), line(102_431, 100.0, 10)];
        assert_eq!(sizes.lines(), expect);
        assert!(Sizes::default().lines().is_empty());
    }

    #[test]
    fn names_and_places_are_counted() {
        let mut report = Report::new(3, 2);
        report.add(b"a".to_vec(), 3, 10, 1);
        report.add(b"b".to_vec(), 3, 10, 5);
        report.add(vec![b'x'; 300], 0, 20, 2);
        assert_eq!(report.names, [2, 0, 1, 0, 0]);
        let types = known_types();
        let text = report.largest(&types).join("\n");
        assert!(
            text.contains("  1      20B list       \"xxx") && text.contains("  2      10B string     \"a\""),
            "{text}"
        );
        assert!(text.contains("string     a is 10B") && text.contains("string     b has 5B"), "{text}");
        assert!(report.distribution().contains(&"           300B  100.0000%           3".to_owned()));
        assert_eq!(
            report.table(&types)[2],
            "list                 1  33.33%      20B      20B            2 items        2.00"
        );
    }
}
