//! Commands and annotations, found in chunks of any size, and where the last complete unit ends.
//!
//! ```text
//!   #TS:17… | SET a 1 | MULTI | SET b 2 | SET c 3 | EXEC | MULTI | SET d 4 | SET e ‡ cut off
//!                     ▲                                  ▲ good up to here
//!                     units: one command, or MULTI … EXEC
//! ```
//!
//! A file that ends inside a command or inside MULTI was cut off by a crash: it is good up to the end of the last complete
//! unit, and what stands behind is to be cut away. Anything else that is wrong is damage, told with its place, and is nobody's to
//! repair without being asked.
//!
//! Costs: one copy of the input; every byte of a command is looked at once, however it arrives.

use std::fmt;

use memchr::memchr;
use resp::args::{ArgRange, Args};

use crate::Annotation;
use crate::annotation::MAX_LINE;

/// The longest line of a count.
const MAX_COUNT_LINE: usize = 64;

/// The next thing in a file.
#[derive(Debug)]
pub enum Item<'a> {
    /// A line between commands.
    Annotation(Annotation<'a>),
    /// A command, with where it stands in its unit.
    Command(Args<'a>, Place),
}

/// Where a command stands in its unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It is one.
    Alone,
    /// The MULTI.
    Opens,
    /// Between MULTI and EXEC.
    Inside,
    /// The EXEC.
    Closes,
}

/// Damage at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Error {
    /// Bytes before what is wrong, from the beginning of the file.
    pub offset: u64,
    pub fault: Fault,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Neither a command nor an annotation begins with this byte.
    Beginning(u8),
    /// A line begins with another byte than it must.
    Prefix { expected: u8, got: u8 },
    /// A line or an argument does not end with CR LF but with these.
    LineEnd([u8; 2]),
    /// A count of arguments below one.
    Count(i64),
    /// A length that no argument has.
    Length(i64),
    /// A line without an end, where one must be short.
    LongLine,
    /// MULTI inside MULTI.
    Multi,
    /// EXEC without MULTI.
    Exec,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beginning(byte) => write!(f, "format error: '{}'", byte.escape_ascii()),
            Self::Prefix { expected, got } => {
                write!(f, "Expected prefix '{}', got: '{}'", char::from(*expected), got.escape_ascii())
            }
            Self::LineEnd([a, b]) => write!(f, "Expected \\r\\n, got: {a:02x}{b:02x}"),
            Self::Count(count) => write!(f, "Expected a count of arguments, got: {count}"),
            Self::Length(len) => {
                write!(f, "Expected to read string of {len} bytes, which is not in the suitable range")
            }
            Self::LongLine => write!(f, "Expected the end of the line"),
            Self::Multi => write!(f, "Unexpected MULTI"),
            Self::Exec => write!(f, "Unexpected EXEC"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at offset {}", self.fault, self.offset)
    }
}

impl std::error::Error for Error {}

/// How the input ends, when no more will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Behind a unit.
    Clean,
    /// Inside one.
    CutOff {
        /// The bytes that are good.
        good_up_to: u64,
        /// Whether a MULTI was open; then even complete commands are to be cut away.
        in_multi: bool,
    },
}

/// What the input lacks at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nothing that was begun: the EXEC at most.
    Nothing,
    /// The end of a line that begins at this offset.
    LineEnd { offset: u64 },
    /// Bytes of an argument and its end, which begin at this offset.
    Bytes { offset: u64, expected: u64, got: u64 },
}

/// The command that is being read.
#[derive(Debug, Default)]
struct Partial {
    /// What was understood of it, in bytes.
    at: usize,
    /// Arguments still to come, once the count is known.
    missing: Option<usize>,
    /// The length of the argument whose bytes are to come.
    len: Option<usize>,
}

/// Finds commands in chunks; see the module's page.
#[derive(Debug)]
pub struct Scanner {
    buffer: Vec<u8>,
    /// Where in the buffer the next item begins.
    at: usize,
    /// Bytes let go before the buffer.
    base: u64,
    partial: Partial,
    ranges: Vec<ArgRange>,
    in_multi: bool,
    good_up_to: u64,
    /// The offset in the stream of the next byte that is no annotation.
    stream_offset: Option<u64>,
    lines: u64,
}

impl Scanner {
    /// A scanner whose input begins at this offset of the file: 0, or the end of the snapshot that the file begins with.
    pub fn new(offset: u64) -> Self {
        Self {
            buffer: Vec::new(),
            at: 0,
            base: offset,
            partial: Partial::default(),
            ranges: Vec::new(),
            in_multi: false,
            good_up_to: offset,
            stream_offset: None,
            lines: 0,
        }
    }

    /// Appends a chunk to the input.
    pub fn feed(&mut self, chunk: &[u8]) {
        if self.at * 2 >= self.buffer.len() {
            self.buffer.copy_within(self.at.., 0);
            self.buffer.truncate(self.buffer.len() - self.at);
            self.base += self.at as u64;
            self.at = 0;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// The bytes of the file that were read.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Where the last complete unit ends, annotations behind it included.
    pub fn good_up_to(&self) -> u64 {
        self.good_up_to
    }

    /// The offset in the replication stream of the next byte that is no annotation, once a line has told one.
    pub fn stream_offset(&self) -> Option<u64> {
        self.stream_offset
    }

    /// Sets the offset in the replication stream of the next byte that is no annotation.
    pub fn set_stream_offset(&mut self, offset: u64) {
        self.stream_offset = Some(offset);
    }

    /// The lines of commands that were read, damaged ones up to the damage: what the checking program calls a line.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// How the input ends, if what was fed was all.
    pub fn tail(&self) -> Tail {
        if self.in_multi || self.at < self.buffer.len() {
            Tail::CutOff { good_up_to: self.good_up_to, in_multi: self.in_multi }
        } else {
            Tail::Clean
        }
    }

    /// What the input lacks, if what was fed was all.
    pub fn lack(&self) -> Lack {
        let at = self.at + self.partial.at;
        let (offset, got) = (self.base + at as u64, (self.buffer.len() - at) as u64);
        match self.partial.len {
            Some(len) => Lack::Bytes { offset, expected: len as u64 + 2, got },
            None if got > 0 => Lack::LineEnd { offset },
            None => Lack::Nothing,
        }
    }

    /// The next item; `None` when more input is needed.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Item<'_>>, Error> {
        match self.buffer.get(self.at) {
            None => Ok(None),
            Some(b'#') => self.annotation(),
            Some(b'*') => self.command(),
            Some(&byte) => Err(self.error(0, Fault::Beginning(byte))),
        }
    }

    fn error(&self, at: usize, fault: Fault) -> Error {
        Error { offset: self.base + (self.at + at) as u64, fault }
    }

    fn annotation(&mut self) -> Result<Option<Item<'_>>, Error> {
        let rest = &self.buffer[self.at..];
        let line = &rest[..rest.len().min(MAX_LINE)];
        let Some(end) = memchr(b'\n', line) else {
            return if rest.len() < MAX_LINE { Ok(None) } else { Err(self.error(0, Fault::LongLine)) };
        };
        let start = self.at;
        self.at += end + 1;
        if !self.in_multi {
            self.good_up_to = self.base + self.at as u64;
        }
        let text = &self.buffer[start + 1..start + end];
        let annotation = Annotation::parse(text.strip_suffix(b"\r").unwrap_or(text));
        if let Annotation::Offset(offset) = annotation {
            self.stream_offset = Some(offset);
        }
        Ok(Some(Item::Annotation(annotation)))
    }

    /// Reads a line of a count at `self.partial.at`: its prefix, a number, its end. `None` if its end has not come.
    fn count_line(&mut self, prefix: u8) -> Result<Option<i64>, Error> {
        let at = self.partial.at;
        let rest = &self.buffer[self.at + at..];
        let Some(&got) = rest.first() else { return Ok(None) };
        if got != prefix {
            return Err(self.error(at, Fault::Prefix { expected: prefix, got }));
        }
        let line = &rest[1..rest.len().min(MAX_COUNT_LINE)];
        let sign = usize::from(line.first() == Some(&b'-'));
        let digits = sign + line[sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        match line.get(digits..digits + 2) {
            Some(b"\r\n") => {}
            Some(&[a, b]) => return Err(self.error(at, Fault::LineEnd([a, b]))),
            _ if rest.len() >= MAX_COUNT_LINE => return Err(self.error(at, Fault::LongLine)),
            _ => return Ok(None),
        }
        let number = std::str::from_utf8(&line[..digits]).ok().and_then(|text| text.parse().ok());
        self.partial.at += 1 + digits + 2;
        self.lines += 1;
        Ok(Some(number.unwrap_or(0)))
    }

    fn command(&mut self) -> Result<Option<Item<'_>>, Error> {
        if self.partial.missing.is_none() {
            let Some(count) = self.count_line(b'*')? else { return Ok(None) };
            let missing = usize::try_from(count).ok().filter(|count| *count > 0);
            if missing.is_none() || i32::try_from(count).is_err() {
                return Err(self.error(0, Fault::Count(count)));
            }
            self.ranges.clear();
            self.partial.missing = missing;
        }
        while let Some(missing @ 1..) = self.partial.missing {
            let start = self.partial.at;
            let len = match self.partial.len {
                Some(len) => len,
                None => {
                    let Some(len) = self.count_line(b'$')? else { return Ok(None) };
                    // Places in a command are of 32 bits.
                    let end =
                        usize::try_from(len).ok().and_then(|len| self.partial.at.checked_add(len)?.checked_add(2));
                    if end.is_none_or(|end| u32::try_from(end).is_err()) {
                        return Err(self.error(start, Fault::Length(len)));
                    }
                    *self.partial.len.insert(len as usize)
                }
            };
            let (at, end) = (self.partial.at, self.partial.at + len);
            let Some(&[a, b]) = self.buffer.get(self.at + end..self.at + end + 2) else { return Ok(None) };
            if [a, b] != *b"\r\n" {
                return Err(self.error(at, Fault::LineEnd([a, b])));
            }
            self.lines += 1;
            self.ranges.push(ArgRange { start: at as u32, len: len as u32 });
            self.partial = Partial { at: end + 2, missing: Some(missing - 1), len: None };
        }
        let start = self.at;
        let place = self.place()?;
        let len = std::mem::take(&mut self.partial).at;
        self.at += len;
        self.stream_offset = self.stream_offset.map(|offset| offset + len as u64);
        self.in_multi = matches!(place, Place::Opens | Place::Inside);
        if !self.in_multi {
            self.good_up_to = self.base + self.at as u64;
        }
        let bytes = &self.buffer[start..self.at];
        Ok(Some(Item::Command(Args::new(bytes, &self.ranges, Some(bytes)), place)))
    }

    fn place(&self) -> Result<Place, Error> {
        let name = self.ranges.first().map_or(&b""[..], |range| range.of(&self.buffer[self.at..]));
        match (self.in_multi, name.len()) {
            (false, 5) if name.eq_ignore_ascii_case(b"multi") => Ok(Place::Opens),
            (true, 5) if name.eq_ignore_ascii_case(b"multi") => Err(self.error(0, Fault::Multi)),
            (true, 4) if name.eq_ignore_ascii_case(b"exec") => Ok(Place::Closes),
            (false, 4) if name.eq_ignore_ascii_case(b"exec") => Err(self.error(0, Fault::Exec)),
            (true, _) => Ok(Place::Inside),
            (false, _) => Ok(Place::Alone),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn command(words: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        resp::encode::command(&mut out, words);
        out
    }

    type Found = (Vec<String>, Result<Tail, Error>);

    fn scan(bytes: &[u8], chunk: usize) -> Found {
        let mut scanner = Scanner::new(0);
        let mut out = Vec::new();
        for chunk in bytes.chunks(chunk.max(1)) {
            scanner.feed(chunk);
            loop {
                match scanner.next() {
                    Ok(Some(Item::Annotation(annotation))) => out.push(format!("{annotation:?}")),
                    Ok(Some(Item::Command(args, place))) => {
                        let words: Vec<_> = args.iter().map(|arg| String::from_utf8_lossy(arg).into_owned()).collect();
                        out.push(format!("{place:?} {}", words.join(" ")));
                    }
                    Ok(None) => break,
                    Err(error) => return (out, Err(error)),
                }
            }
        }
        (out, Ok(scanner.tail()))
    }

    #[test]
    fn units_have_ends() {
        let parts = [
            b"#TS:5\r\n".to_vec(),
            command(&["set", "a", "1"]),
            command(&["MULTI"]),
            command(&["set", "b", ""]),
            b"#x\r\n".to_vec(),
            command(&["exec"]),
        ];
        let bytes = parts.concat();
        let wanted = ["Timestamp(5)", "Alone set a 1", "Opens MULTI", "Inside set b ", "Other([120])", "Closes exec"];
        for chunk in [1, 3, 7, 1000] {
            assert_eq!(scan(&bytes, chunk), (wanted.map(String::from).to_vec(), Ok(Tail::Clean)));
        }
        let before_multi = (parts[0].len() + parts[1].len()) as u64;
        for cut in before_multi + 1..bytes.len() as u64 {
            let in_multi = cut >= before_multi + parts[2].len() as u64;
            let tail = Tail::CutOff { good_up_to: before_multi, in_multi };
            assert_eq!(scan(&bytes[..cut as usize], 5).1, Ok(tail), "cut at {cut}");
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        for (bytes, lack) in [
            (&b"*1\r\n$4\r\nping\r\n"[..], Lack::Nothing),
            (b"*2\r\n$4\r\nping\r\n", Lack::Nothing),
            (b"*2\r", Lack::LineEnd { offset: 0 }),
            (b"*1\r\n$4", Lack::LineEnd { offset: 4 }),
            (b"*1\r\n$4\r\npin", Lack::Bytes { offset: 8, expected: 6, got: 3 }),
            (b"*1\r\n$0\r\n", Lack::Bytes { offset: 8, expected: 2, got: 0 }),
        ] {
            let mut scanner = Scanner::new(0);
            scanner.feed(bytes);
            while scanner.next().unwrap().is_some() {}
            assert_eq!(scanner.lack(), lack, "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn damage_has_a_place() {
        let good = command(&["set", "foo", "hello"]);
        let at = good.len() as u64;
        for (bad, offset, fault) in [
            (&b"!!!"[..], 0, Fault::Beginning(b'!')),
            (b"\0", 0, Fault::Beginning(0)),
            (b"*0\r\n", 0, Fault::Count(0)),
            (b"*-1\r\n", 0, Fault::Count(-1)),
            (b"*x\r\n", 0, Fault::LineEnd(*b"x\r")),
            (b"*1\r\n:3\r\n", 4, Fault::Prefix { expected: b'$', got: b':' }),
            (b"*1\r\n$-3\r\n", 4, Fault::Length(-3)),
            (b"*1\r\n$9999999999\r\n", 4, Fault::Length(9_999_999_999)),
            (b"*1\r\n$3\r\nabcde", 8, Fault::LineEnd(*b"de")),
            (b"*1\r\n$4\r\nexec\r\n", 0, Fault::Exec),
            (&[b'#'; 2000], 0, Fault::LongLine),
            (&[&b"*"[..], &[b'1'; 200]].concat(), 0, Fault::LongLine),
        ] {
            let bytes = [&good[..], bad].concat();
            for chunk in [1, 1000] {
                let (items, end) = scan(&bytes, chunk);
                assert_eq!(items.len(), 1);
                assert_eq!(end, Err(Error { offset: at + offset, fault }), "{}", bad.escape_ascii());
            }
        }
        let nested = [command(&["multi"]), command(&["multi"])].concat();
        assert_eq!(scan(&nested, 9).1, Err(Error { offset: 15, fault: Fault::Multi }));
    }

    #[test]
    fn offsets_follow_the_stream() {
        let mut bytes = Vec::new();
        Annotation::Timestamp(1).write(&mut bytes);
        bytes.extend(command(&["select", "0"]));
        Annotation::Offset(100).write(&mut bytes);
        let set = command(&["set", "a", "1"]);
        bytes.extend([&set[..], b"#TS:2\r\n", &set].concat());
        let mut scanner = Scanner::new(7);
        scanner.feed(&bytes);
        let mut offsets = Vec::new();
        while scanner.next().unwrap().is_some() {
            offsets.push(scanner.stream_offset());
        }
        let len = set.len() as u64;
        let at = |n| Some(100 + n * len);
        assert_eq!(offsets, [None, None, at(0), at(1), at(1), at(2)]);
        assert_eq!(scanner.good_up_to(), 7 + bytes.len() as u64);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn chunks_do_not_matter(text in "(\\*[12]\r\n|\\$[0-3]\r\n|[a-c]{0,3}\r\n|#x\r\n|!){0,30}", chunk in 1usize..20) {
            let (mut items, end) = scan(text.as_bytes(), chunk);
            let (whole, whole_end) = scan(text.as_bytes(), usize::MAX);
            prop_assert_eq!(&end, &whole_end);
            items.truncate(whole.len());
            prop_assert_eq!(items, whole);
        }

        #[test]
        fn commands_survive(commands in proptest::collection::vec(proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..20), 1..5), 0..10), chunk in 1usize..50) {
            let mut bytes = Vec::new();
            commands.iter().for_each(|words| resp::encode::command(&mut bytes, words));
            let mut scanner = Scanner::new(0);
            let mut got = Vec::new();
            for chunk in bytes.chunks(chunk) {
                scanner.feed(chunk);
                while let Some(item) = scanner.next().unwrap() {
                    if let Item::Command(args, Place::Alone) = item {
                        got.push(args.iter().map(<[u8]>::to_vec).collect::<Vec<_>>());
                    }
                }
            }
            prop_assert_eq!(got, commands);
            prop_assert_eq!(scanner.good_up_to(), bytes.len() as u64);
        }
    }
}
