//! Values made of several words, each with a grammar of its own.

use super::number::{parse_bytes, with_unit};
use super::{Given, Kind, RewriteLine, joined, lenient, only};
use crate::notify::Notify;
use crate::reason::{self, Reason};
use crate::words::quote;

/// Save when, after `seconds`, at least `changes` were made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SavePoint {
    /// At least 1.
    pub seconds: u64,
    pub changes: u64,
}

/// `save 900 1 300 10`. The first line of a load replaces the defaults, each further one adds; `save ""` clears.
pub(crate) struct SavePoints;

pub(crate) const fn save_points() -> SavePoints {
    SavePoints
}

impl Kind for SavePoints {
    type Value = Vec<SavePoint>;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], given: Given<'_, Self::Value>) -> Result<Self::Value, Reason> {
        if let [word] = words
            && word.is_empty()
        {
            return Ok(Vec::new());
        }
        let mut points = if given.again { given.current.clone() } else { Vec::new() };
        for pair in words.chunks(2) {
            let [seconds, changes] = pair else { return Err(reason::SAVE) };
            let number = |word: &Vec<u8>| lenient(word).and_then(|number| u64::try_from(number).ok());
            match (number(seconds), number(changes)) {
                (Some(seconds @ 1..), Some(changes)) => points.push(SavePoint { seconds, changes }),
                _ => return Err(reason::SAVE),
            }
        }
        Ok(points)
    }

    fn show(&self, value: &Self::Value) -> Vec<u8> {
        joined(value, |point| format!("{} {}", point.seconds, point.changes).into_bytes())
    }

    /// Always written, and all points in one line: without a line the next start would take the defaults.
    fn lines(&self, name: &str, value: &Self::Value, _: &Self::Value) -> Vec<RewriteLine> {
        let text = if value.is_empty() { b"\"\"".to_vec() } else { self.show(value) };
        vec![RewriteLine::new(name, &text, true)]
    }
}

/// How much of its replies a client may leave unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputBufferLimit {
    /// Disconnect at once beyond so many bytes; 0 is no limit.
    pub hard_bytes: u64,
    /// Disconnect after `soft_seconds` beyond so many bytes; 0 is no limit.
    pub soft_bytes: u64,
    pub soft_seconds: u64,
}

/// The limits of each class of clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutputBufferLimits {
    pub normal: OutputBufferLimit,
    pub replica: OutputBufferLimit,
    pub pubsub: OutputBufferLimit,
    /// The limit of replicas was given by an administrator. Only then does it disconnect a replica, which
    /// otherwise costs no buffer of its own.
    pub replica_given: bool,
}

impl Default for OutputBufferLimits {
    fn default() -> Self {
        let limit = |hard: u64, soft: u64, soft_seconds| OutputBufferLimit {
            hard_bytes: hard << 20,
            soft_bytes: soft << 20,
            soft_seconds,
        };
        OutputBufferLimits {
            normal: limit(0, 0, 0),
            replica: limit(256, 64, 60),
            pubsub: limit(32, 8, 60),
            replica_given: false,
        }
    }
}

/// `client-output-buffer-limit <class> <hard> <soft> <soft seconds>`, any number of classes; the others keep theirs.
pub(crate) struct BufferLimits;

pub(crate) const fn buffer_limits() -> BufferLimits {
    BufferLimits
}

impl BufferLimits {
    fn classes(limits: &OutputBufferLimits) -> [OutputBufferLimit; 3] {
        [limits.normal, limits.replica, limits.pubsub]
    }
}

impl Kind for BufferLimits {
    type Value = OutputBufferLimits;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], given: Given<'_, OutputBufferLimits>) -> Result<OutputBufferLimits, Reason> {
        let mut limits = *given.current;
        if !words.len().is_multiple_of(4) {
            return Err(reason::LIMIT_COUNT);
        }
        for words in words.chunks(4) {
            let [class, hard, soft, seconds] = words else { return Err(reason::LIMIT_COUNT) };
            let place = match class.to_ascii_lowercase().as_slice() {
                b"normal" => &mut limits.normal,
                b"replica" | b"slave" => {
                    limits.replica_given = true;
                    &mut limits.replica
                }
                b"pubsub" => &mut limits.pubsub,
                _ => return Err(reason::LIMIT_CLASS),
            };
            let seconds = lenient(seconds).and_then(|seconds| u64::try_from(seconds).ok());
            match (parse_bytes(hard), parse_bytes(soft), seconds) {
                (Some(hard_bytes), Some(soft_bytes), Some(soft_seconds)) => {
                    *place = OutputBufferLimit { hard_bytes, soft_bytes, soft_seconds };
                }
                _ => return Err(reason::LIMIT_VALUE),
            }
        }
        Ok(limits)
    }

    /// Under the class's historical name, which clients look for.
    fn show(&self, value: &OutputBufferLimits) -> Vec<u8> {
        joined(["normal", "slave", "pubsub"].into_iter().zip(Self::classes(value)), |(class, limit)| {
            format!("{class} {} {} {}", limit.hard_bytes, limit.soft_bytes, limit.soft_seconds).into_bytes()
        })
    }

    fn lines(&self, name: &str, value: &OutputBufferLimits, default: &OutputBufferLimits) -> Vec<RewriteLine> {
        let classes = ["normal", "replica", "pubsub"].into_iter();
        classes
            .zip(Self::classes(value).into_iter().zip(Self::classes(default)))
            .map(|(class, (limit, default))| {
                let (hard, soft) = (with_unit(limit.hard_bytes), with_unit(limit.soft_bytes));
                let forced = limit != default || (class == "replica" && value.replica_given);
                RewriteLine::new(name, format!("{class} {hard} {soft} {}", limit.soft_seconds).as_bytes(), forced)
            })
            .collect()
    }
}

/// Three scores for the kernel's out-of-memory killer: primary, replica, background child.
pub(crate) struct OomScores;

pub(crate) const fn oom_scores() -> OomScores {
    OomScores
}

impl Kind for OomScores {
    type Value = [i32; 3];
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, [i32; 3]>) -> Result<[i32; 3], Reason> {
        let words: &[Vec<u8>; 3] = words.try_into().map_err(|_| reason::WRONG_NUMBER)?;
        let mut scores = [0; 3];
        for (score, word) in scores.iter_mut().zip(words) {
            let value = lenient(word).filter(|value| (-2000..=2000).contains(value));
            *score = value.and_then(|value| i32::try_from(value).ok()).ok_or(reason::OOM_SCORES)?;
        }
        Ok(scores)
    }

    fn show(&self, value: &[i32; 3]) -> Vec<u8> {
        joined(value, |score| score.to_string().into_bytes())
    }
}

/// The letters of keyspace events.
pub(crate) struct Events;

pub(crate) const fn events() -> Events {
    Events
}

impl Kind for Events {
    type Value = Notify;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Notify>) -> Result<Notify, Reason> {
        Notify::parse(only(words)).ok_or(reason::EVENT_CLASS)
    }

    fn show(&self, value: &Notify) -> Vec<u8> {
        value.letters().into_bytes()
    }

    fn lines(&self, name: &str, value: &Notify, default: &Notify) -> Vec<RewriteLine> {
        let mut text = Vec::new();
        quote(&mut text, &self.show(value));
        vec![RewriteLine::new(name, &text, value != default)]
    }
}

/// Addresses to listen on; `-` before one says that it may be missing on this host, `*` stands for all.
pub(crate) struct Addresses;

pub(crate) const fn addresses() -> Addresses {
    Addresses
}

impl Kind for Addresses {
    type Value = Vec<Vec<u8>>;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Self::Value>) -> Result<Self::Value, Reason> {
        match words {
            [word] if word.is_empty() => Ok(Vec::new()),
            _ if words.len() > 16 => Err(reason::TOO_MANY_ADDRESSES),
            _ => Ok(words.to_vec()),
        }
    }

    fn show(&self, value: &Self::Value) -> Vec<u8> {
        joined(value, Vec::clone)
    }

    fn lines(&self, name: &str, value: &Self::Value, default: &Self::Value) -> Vec<RewriteLine> {
        if value == default {
            return Vec::new();
        }
        let text = if value.is_empty() { b"\"\"".to_vec() } else { self.show(value) };
        vec![RewriteLine::new(name, &text, true)]
    }
}

/// A host, by name or address, and its port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub host: Vec<u8>,
    pub port: u16,
}

/// Where a node of a cluster can be found: `host:port`, `host:port@busport`, `[address]:port`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    pub host: Vec<u8>,
    /// The port of its clients.
    pub port: u16,
    /// The port of its bus, where it is not 10000 above.
    pub bus_port: Option<u16>,
}

impl Seed {
    fn parse(word: &[u8]) -> Option<Seed> {
        let port = |text: &[u8]| lenient(text).and_then(|port| u16::try_from(port).ok()).filter(|port| *port > 0);
        let (word, bus_port) = match word.iter().rposition(|byte| *byte == b'@') {
            Some(at) => (&word[..at], Some(port(&word[at + 1..])?)),
            None => (word, None),
        };
        let colon = word.iter().rposition(|byte| *byte == b':')?;
        let host = &word[..colon];
        let host = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
        let port = port(&word[colon + 1..])?;
        let fits = bus_port.is_some() || port <= u16::MAX - 10_000;
        (fits && (1..256).contains(&host.len())).then(|| Seed { host: host.to_vec(), port, bus_port })
    }

    fn show(&self) -> Vec<u8> {
        let host = String::from_utf8_lossy(&self.host);
        let host = if self.host.contains(&b':') { format!("[{host}]") } else { host.into_owned() };
        let bus = self.bus_port.map_or_else(String::new, |port| format!("@{port}"));
        format!("{host}:{}{bus}", self.port).into_bytes()
    }
}

/// Nodes that are asked when the known ones are lost.
pub(crate) struct Seeds;

pub(crate) const fn seeds() -> Seeds {
    Seeds
}

impl Kind for Seeds {
    type Value = Vec<Seed>;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Self::Value>) -> Result<Self::Value, Reason> {
        match words {
            [word] if word.is_empty() => Ok(Vec::new()),
            _ if words.len() > MOST_SEEDS => Err(reason::TOO_MANY_SEEDS),
            _ => words.iter().map(|word| Seed::parse(word).ok_or(reason::SEED)).collect(),
        }
    }

    fn show(&self, value: &Self::Value) -> Vec<u8> {
        joined(value, Seed::show)
    }

    fn lines(&self, name: &str, value: &Self::Value, default: &Self::Value) -> Vec<RewriteLine> {
        let text = if value.is_empty() { b"\"\"".to_vec() } else { self.show(value) };
        vec![RewriteLine::new(name, &text, value != default)]
    }
}

/// More would only take longer to go through.
const MOST_SEEDS: usize = 64;

/// `replicaof <host> <port>`, or `replicaof no one`.
pub(crate) struct Primary;

pub(crate) const fn primary() -> Primary {
    Primary
}

impl Kind for Primary {
    type Value = Option<Endpoint>;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Self::Value>) -> Result<Self::Value, Reason> {
        let [host, port] = words else { return Err(reason::WRONG_NUMBER) };
        if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
            return Ok(None);
        }
        let port = lenient(port).and_then(|port| u16::try_from(port).ok()).ok_or(reason::PRIMARY_PORT)?;
        Ok(Some(Endpoint { host: host.clone(), port }))
    }

    fn show(&self, value: &Self::Value) -> Vec<u8> {
        value.as_ref().map_or_else(Vec::new, |at| [&at.host, b" ".as_slice(), at.port.to_string().as_bytes()].concat())
    }

    fn lines(&self, name: &str, value: &Self::Value, _: &Self::Value) -> Vec<RewriteLine> {
        value.iter().map(|_| RewriteLine::new(name, &self.show(value), true)).collect()
    }
}

/// Percentiles, each from 0 to 100.
pub(crate) struct Percentiles;

pub(crate) const fn percentiles() -> Percentiles {
    Percentiles
}

impl Kind for Percentiles {
    type Value = Vec<f64>;
    const TAKES_WORDS: bool = true;

    fn parse(&self, words: &[Vec<u8>], _: Given<'_, Vec<f64>>) -> Result<Vec<f64>, Reason> {
        if let [word] = words
            && word.is_empty()
        {
            return Ok(Vec::new());
        }
        let percentile = |word: &Vec<u8>| {
            let value: f64 =
                std::str::from_utf8(word).ok().and_then(|text| text.parse().ok()).ok_or(reason::PERCENTILES)?;
            match value {
                _ if value.is_nan() => Err(reason::PERCENTILES),
                _ if (0.0..=100.0).contains(&value) => Ok(value),
                _ => Err(reason::PERCENTILE_RANGE),
            }
        };
        words.iter().map(percentile).collect()
    }

    /// Six decimals at most, without zeros at the end.
    fn show(&self, value: &Vec<f64>) -> Vec<u8> {
        joined(value, |value| format!("{value:.6}").trim_end_matches('0').trim_end_matches('.').as_bytes().to_vec())
    }

    fn lines(&self, name: &str, value: &Vec<f64>, _: &Vec<f64>) -> Vec<RewriteLine> {
        let text = if value.is_empty() { b"\"\"".to_vec() } else { self.show(value) };
        vec![RewriteLine::new(name, &text, true)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<Vec<u8>> {
        crate::words::split(line.as_bytes()).expect("balanced")
    }

    #[test]
    fn seeds_are_hosts_and_ports() {
        let parse = |line: &str| Seeds.parse(&words(line), Given { current: &Vec::new(), again: false });
        let all = "10.0.0.1:7000 node-2.example:7001@17005 [::1]:7002";
        let seeds = parse(all).unwrap();
        assert_eq!(seeds[1], Seed { host: b"node-2.example".to_vec(), port: 7001, bus_port: Some(17005) });
        assert_eq!(seeds[2].host, b"::1");
        assert_eq!(Seeds.show(&seeds), all.as_bytes());
        assert!(parse("''").unwrap().is_empty());
        for wrong in ["host", "host:", ":7000", "host:0", "host:65536", "host:60000", "host:7000@x", "a:1 b"] {
            assert_eq!(parse(wrong), Err(reason::SEED), "{wrong}");
        }
        assert!(parse("host:60000@7").is_ok());
    }

    #[test]
    fn save_lines_of_one_load_add_up() {
        let default = vec![SavePoint { seconds: 3600, changes: 1 }];
        let first = SAVE.parse(&words("900 1"), Given { current: &default, again: false }).unwrap();
        let second = SAVE.parse(&words("300 10"), Given { current: &first, again: true }).unwrap();
        assert_eq!(SAVE.show(&second), b"900 1 300 10");
        let cleared = SAVE.parse(&words("\"\""), Given { current: &second, again: true }).unwrap();
        assert_eq!(cleared, vec![]);
        for wrong in ["x", "1", "0 1", "1 -1", "1 2 3", "1 \"\""] {
            let given = Given { current: &default, again: false };
            assert_eq!(SAVE.parse(&words(wrong), given), Err(reason::SAVE), "{wrong}");
        }
    }

    const SAVE: SavePoints = save_points();

    #[test]
    fn classes_that_are_not_named_keep_their_limits() {
        let current = OutputBufferLimits::default();
        let parse = |line| buffer_limits().parse(&words(line), Given { current: &current, again: false });
        let limits = parse("normal 1mb 0 0 SLAVE 2mb 1mb 5").unwrap();
        assert_eq!(
            buffer_limits().show(&limits),
            b"normal 1048576 0 0 slave 2097152 1048576 5 pubsub 33554432 8388608 60"
        );
        assert!(limits.replica_given);
        assert_eq!(parse("master 1 1 1"), Err(reason::LIMIT_CLASS));
        assert_eq!(parse("normal 1 1"), Err(reason::LIMIT_COUNT));
        assert_eq!(parse("normal 1 1 -1"), Err(reason::LIMIT_VALUE));
        assert_eq!(parse(""), Ok(current));
    }

    #[test]
    fn percentiles_are_shown_with_six_decimals_at_most() {
        let given = Given { current: &vec![], again: false };
        let value = percentiles().parse(&words("1e1 0.123456789 99.10 0"), given).unwrap();
        assert_eq!(percentiles().show(&value), b"10 0.123457 99.1 0");
        for wrong in ["x", "nan", "101", "-1"] {
            assert!(percentiles().parse(&words(wrong), Given { current: &vec![], again: false }).is_err(), "{wrong}");
        }
    }
}
