//! The stream of a primary, cut into units.
//!
//! ```text
//!   SELECT 0 │ SET a 1 │ MULTI · SET b 2 · SET c 3 · EXEC │ PING │ SET d …
//!   unit       unit      one unit                            unit   waits for the rest
//! ```
//!
//! Offsets count bytes, so a unit is a range of bytes first; what is in it comes second. A connection that ends inside a
//! unit leaves nothing of it behind.

use bytes::{Bytes, BytesMut};
use resp::args::{ArgRange, Args};
use resp::error::Error;
use resp::request::{Parsed, Parser, RequestLimits};

/// One command of a unit: where its request lies in the unit's bytes, and its arguments relative to that.
#[derive(Debug)]
struct Request {
    start: usize,
    end: usize,
    args: Vec<ArgRange>,
}

/// What is applied at once or not at all.
#[derive(Debug)]
pub struct Unit {
    /// The bytes as they came.
    pub bytes: Bytes,
    requests: Vec<Request>,
}

impl Unit {
    /// Its commands in order, MULTI and EXEC among them. None for a line without words.
    pub fn commands(&self) -> impl Iterator<Item = Args<'_>> {
        self.requests.iter().map(|request| {
            let bytes = &self.bytes[request.start..request.end];
            let raw = (bytes.first() == Some(&b'*')).then_some(bytes);
            Args::new(bytes, &request.args, raw)
        })
    }
}

/// See the head of this file.
#[derive(Debug, Default)]
pub struct Cutter {
    buffer: BytesMut,
    /// Where the request begins that has not been read to its end.
    at: usize,
    parser: Parser,
    ranges: Vec<ArgRange>,
    requests: Vec<Request>,
    in_transaction: bool,
}

impl Cutter {
    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole unit. After an error the stream is beyond repair.
    pub fn next_unit(&mut self) -> Result<Option<Unit>, Error> {
        let limits = RequestLimits { replicated: true, ..RequestLimits::default() };
        loop {
            if self.at == self.buffer.len() {
                return Ok(None);
            }
            match self.parser.next(&mut self.buffer[self.at..], &limits, &mut self.ranges) {
                Parsed::Incomplete { .. } => return Ok(None),
                Parsed::Error(e) => return Err(e),
                Parsed::Complete { consumed, argc, .. } => {
                    let (start, end) = (self.at, self.at + consumed);
                    self.at = end;
                    let args = std::mem::take(&mut self.ranges);
                    if argc > 0 {
                        let name = args[0].of(&self.buffer[start..end]);
                        if name.eq_ignore_ascii_case(b"multi") {
                            self.in_transaction = true;
                        } else if name.eq_ignore_ascii_case(b"exec") {
                            self.in_transaction = false;
                        }
                        self.requests.push(Request { start, end, args });
                    }
                    if !self.in_transaction {
                        return Ok(Some(self.cut()));
                    }
                }
            }
        }
    }

    fn cut(&mut self) -> Unit {
        let bytes = self.buffer.split_to(self.at).freeze();
        self.at = 0;
        Unit { bytes, requests: std::mem::take(&mut self.requests) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &[u8] =
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n\n*1\r\n$5\r\nmulti\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n\
        *1\r\n$4\r\nEXEC\r\n*1\r\n$4\r\nPING\r\n";

    fn shown(units: &[Unit]) -> Vec<String> {
        let words = |args: Args<'_>| args.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect::<Vec<_>>();
        units
            .iter()
            .map(|unit| unit.commands().map(|args| words(args).join(" ")).collect::<Vec<_>>().join(" | "))
            .collect()
    }

    #[test]
    fn units_are_the_same_however_the_bytes_come() {
        for step in [1, 2, 7, STREAM.len()] {
            let mut cutter = Cutter::default();
            let mut units = Vec::new();
            for chunk in STREAM.chunks(step) {
                cutter.feed(chunk);
                while let Some(unit) = cutter.next_unit().expect("a good stream") {
                    units.push(unit);
                }
            }
            assert_eq!(shown(&units), ["SELECT 0", "", "multi | SET a 1 | EXEC", "PING"], "{step}");
            let all: Vec<u8> = units.iter().flat_map(|unit| unit.bytes.to_vec()).collect();
            assert_eq!(all, STREAM);
        }
    }

    #[test]
    fn a_broken_stream_is_an_error() {
        let mut cutter = Cutter::default();
        cutter.feed(b"*1\r\n#4\r\n");
        assert!(cutter.next_unit().is_err());
    }
}
