//! Counting replies without looking at them.
//!
//! The load generator asks one question of what comes back: how many replies are complete, and was one of them an
//! error? So nothing is decoded: a line is looked at for its first byte and, where a length follows, for that; the
//! bytes of a bulk string are skipped by count.
//!
//! ```text
//!   *2\r\n $3\r\n abc\r\n :5\r\n  -ERR no\r\n
//!   └ lacks 2 ──► lacks 1 ──► 0: one reply    └ one reply, an error
//! ```
//!
//! Invariants
//! 1. `lacking` is how many values the reply under way still needs; between replies it is zero.
//! 2. What is kept between two reads is a counter and at most [`KEPT`] bytes of a line, whatever the server sends.
//! 3. Pushes of RESP3 are skipped and not counted; attributes belong to the value behind them.
//!
//! Cost: one search for a line end per line, nothing per byte of a bulk string.

use memchr::memchr;

/// The bytes of an unfinished line that are kept: enough for every header, and for what is shown of an error.
const KEPT: usize = 1024;

/// An aggregate or a bulk string longer than this is no reply of a server.
const LONGEST: u64 = 1 << 40;

/// The state between two reads of one connection.
#[derive(Debug, Default)]
pub struct Skipper {
    lacking: u64,
    /// Bytes of a bulk string that are still to come, with its line end.
    bulk: u64,
    /// The reply under way is a push.
    push: bool,
    line: Vec<u8>,
    /// The text of a bulk error under way.
    error: Option<Vec<u8>>,
}

/// What a piece of the stream completed.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Seen {
    pub replies: u32,
    /// The first of them that was an error, without its type byte.
    pub error: Option<Vec<u8>>,
}

/// The stream is not the protocol; the line says where.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed(pub String);

impl Skipper {
    /// Goes over the next bytes of the stream.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Seen, Malformed> {
        let mut seen = Seen::default();
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.bulk > 0 {
                rest = self.skip_bulk(rest, &mut seen);
                continue;
            }
            let Some(end) = memchr(b'\n', rest) else {
                self.keep(rest);
                break;
            };
            let (line, behind) = (&rest[..end], &rest[end + 1..]);
            if self.line.is_empty() {
                self.header(line, &mut seen)?;
            } else {
                self.keep(line);
                let line = std::mem::take(&mut self.line);
                self.header(&line, &mut seen)?;
            }
            rest = behind;
        }
        Ok(seen)
    }

    fn keep(&mut self, part: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len());
        self.line.extend_from_slice(&part[..part.len().min(room)]);
    }

    fn skip_bulk<'a>(&mut self, bytes: &'a [u8], seen: &mut Seen) -> &'a [u8] {
        let take = usize::try_from(self.bulk).map_or(bytes.len(), |bulk| bulk.min(bytes.len()));
        let (part, rest) = bytes.split_at(take);
        if let Some(error) = &mut self.error {
            error.extend_from_slice(&part[..part.len().min(KEPT.saturating_sub(error.len()))]);
        }
        self.bulk -= take as u64;
        if self.bulk == 0 {
            if let Some(error) = self.error.take() {
                seen.error.get_or_insert_with(|| error.trim_ascii_end().to_vec());
            }
            self.value(seen);
        }
        rest
    }

    #[inline]
    fn header(&mut self, line: &[u8], seen: &mut Seen) -> Result<(), Malformed> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some((&kind, text)) = line.split_first() else { return Err(Malformed(unknown(b'\r'))) };
        let outermost = self.lacking == 0;
        if outermost {
            self.lacking = 1;
        }
        match kind {
            b'+' | b':' | b',' | b'#' | b'_' | b'(' => self.value(seen),
            b'-' => {
                if outermost && seen.error.is_none() {
                    seen.error = Some(text.to_vec());
                }
                self.value(seen);
            }
            b'$' | b'=' | b'!' => match length(text)? {
                None => self.value(seen),
                Some(length) => {
                    self.bulk = length + 2;
                    self.error = (kind == b'!' && outermost).then(Vec::new);
                }
            },
            b'*' | b'~' => self.values(length(text)?.unwrap_or(0), seen)?,
            b'>' => {
                self.push |= outermost;
                self.values(length(text)?.unwrap_or(0), seen)?;
            }
            b'%' => self.values(length(text)?.unwrap_or(0) * 2, seen)?,
            // The values of an attribute come before the one that it belongs to.
            b'|' => self.more(length(text)?.unwrap_or(0) * 2)?,
            other => return Err(Malformed(unknown(other))),
        }
        Ok(())
    }

    /// An aggregate began: it needs its elements instead of itself.
    fn values(&mut self, count: u64, seen: &mut Seen) -> Result<(), Malformed> {
        self.more(count)?;
        self.value(seen);
        Ok(())
    }

    fn more(&mut self, count: u64) -> Result<(), Malformed> {
        self.lacking = self.lacking.checked_add(count).ok_or_else(|| Malformed(too_long()))?;
        Ok(())
    }

    /// A value is complete.
    #[inline]
    fn value(&mut self, seen: &mut Seen) {
        self.lacking -= 1;
        if self.lacking == 0 && !std::mem::take(&mut self.push) {
            seen.replies += 1;
        }
    }
}

/// The length in a header; `None` for −1, which is null.
fn length(text: &[u8]) -> Result<Option<u64>, Malformed> {
    if text == b"-1" {
        return Ok(None);
    }
    if text.is_empty() || text.len() > 18 || !text.iter().all(u8::is_ascii_digit) {
        return Err(Malformed(format!("Protocol error, bad length \"{}\"", text.escape_ascii())));
    }
    let length = text.iter().fold(0u64, |n, digit| n * 10 + u64::from(digit - b'0'));
    if length > LONGEST { Err(Malformed(too_long())) } else { Ok(Some(length)) }
}

fn unknown(kind: u8) -> String {
    format!("Protocol error, got \"{}\" as reply type byte", kind.escape_ascii())
}

fn too_long() -> String {
    "Protocol error, a reply has no end".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use resp::Decoder;
    use resp::value::{Limits, Value};

    fn feed_all(bytes: &[u8], pieces: usize) -> (u32, Option<Vec<u8>>) {
        let (mut skipper, mut replies, mut error) = (Skipper::default(), 0, None);
        for piece in bytes.chunks(pieces) {
            let seen = skipper.feed(piece).unwrap();
            replies += seen.replies;
            error = error.or(seen.error);
        }
        assert_eq!(skipper.lacking, 0, "ends between replies");
        (replies, error)
    }

    #[test]
    fn replies_are_counted_however_they_are_cut() {
        for (stream, replies, error) in [
            (&b"+OK\r\n"[..], 1, None),
            (b"+OK\r\n:1\r\n$-1\r\n*-1\r\n_\r\n#t\r\n,1.5\r\n(12\r\n", 8, None),
            (b"$5\r\nab\r\ne\r\n$0\r\n\r\n", 2, None),
            (b"*3\r\n:1\r\n*2\r\n$1\r\na\r\n*0\r\n-ERR inside\r\n+after\r\n", 2, None),
            (b"%2\r\n+a\r\n:1\r\n+b\r\n~1\r\n:2\r\n:3\r\n", 2, None),
            (b">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n$1\r\nv\r\n", 1, None),
            (b"|1\r\n+ttl\r\n:5\r\n$1\r\nv\r\n", 1, None),
            (b"=7\r\ntxt:abc\r\n+OK\r\n-ERR one\r\n-ERR two\r\n", 4, Some("ERR one")),
            (b"!6\r\nERR no\r\n", 1, Some("ERR no")),
        ] {
            for pieces in 1..=stream.len() {
                let expect = (replies, error.map(|text: &str| text.as_bytes().to_vec()));
                assert_eq!(feed_all(stream, pieces), expect, "{} in pieces of {pieces}", stream.escape_ascii());
            }
        }
    }

    #[test]
    fn nonsense_is_refused_and_never_kept() {
        for stream in [&b"HTTP/1.1 400\r\n"[..], b"$x\r\n", b"*-2\r\n", b"\r\n", b"*99999999999999999999\r\n"] {
            assert!(Skipper::default().feed(stream).is_err(), "{}", stream.escape_ascii());
        }
        let mut skipper = Skipper::default();
        for _ in 0..100 {
            assert_eq!(skipper.feed(&[b'+'; 4096]), Ok(Seen::default()));
        }
        assert!(skipper.line.len() <= KEPT);
    }

    /// Streams of replies of any shape.
    fn reply() -> impl Strategy<Value = Vec<u8>> {
        let leaf = prop_oneof![
            "[a-z ]{0,12}".prop_map(|text| format!("+{text}\r\n").into_bytes()),
            any::<i64>().prop_map(|n| format!(":{n}\r\n").into_bytes()),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| {
                let mut out = format!("${}\r\n", bytes.len()).into_bytes();
                out.extend_from_slice(&bytes);
                out.extend_from_slice(b"\r\n");
                out
            }),
            Just(b"$-1\r\n".to_vec()),
            Just(b"_\r\n".to_vec()),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            (prop::sample::select(vec!['*', '~', '%', '>']), prop::collection::vec(inner, 0..5)).prop_map(
                |(kind, all)| {
                    let pairs = if kind == '%' { all.len() / 2 } else { all.len() };
                    let elements = if kind == '%' { pairs * 2 } else { all.len() };
                    let mut out = format!("{kind}{pairs}\r\n").into_bytes();
                    out.extend(all[..elements].concat());
                    out
                },
            )
        })
    }

    proptest! {
        #[test]
        fn counts_what_the_decoder_decodes(stream in prop::collection::vec(reply(), 0..8), pieces in 1usize..50) {
            let bytes = stream.concat();
            let (mut decoder, mut rest, mut expect) = (Decoder::new(Limits::default()), &bytes[..], 0);
            while let (used, Some(value)) = decoder.decode(rest).unwrap() {
                rest = &rest[used..];
                expect += u32::from(!matches!(value, Value::Push(_)));
            }
            prop_assert_eq!(feed_all(&bytes, pieces).0, expect);
        }

        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut skipper = Skipper::default();
            for piece in bytes.chunks(7) {
                if skipper.feed(piece).is_err() {
                    break;
                }
            }
        }
    }
}
