//! Requests from clients, found in a growing buffer without copying anything.
//!
//! ```text
//!   buf   *2\r\n $3\r\n GET\r\n $1\r\n k\r\n *1\r\n $4\r\n PI      ◄── the network appends here
//!         └──────── Complete, consumed 22 ──┘└─ Incomplete ──┘
//!                                            ▲ at: where the next call goes on
//! ```
//!
//! The caller shows the buffer from the first byte of the request on, again and again as it grows;
//! the parser remembers how far it got (`at`, how many arguments are missing, the length of the one
//! under way, how far it has looked for a line end), so each byte is looked at once and a bulk of half
//! a gigabyte is skipped, not searched. Argument ranges are *appended* to a vector: a caller may parse
//! a whole pipeline into one vector and take the last `argc` ranges of each `Complete`; the
//! ranges of an incomplete request stay at its end until a later call completes them.
//!
//! Invariants
//! 1. Ranges are relative to the first byte of their request and lie within `consumed`.
//! 2. A request is below 4 GiB, so 32-bit offsets do.
//! 3. Memory grows with bytes received, never with a count that was only announced.
//! 4. After `Error` the connection is beyond repair: the caller answers and closes.
//!
//! Where Redis differs: nothing on the wire; the order of checks is Valkey 9.1's, so that a malformed
//! request earns the same text at the same byte. Only a single request of 4 GiB or more is refused
//! here (as an invalid bulk length) whatever `proto-max-bulk-len` says.

use crate::args::ArgRange;
use crate::error::{Error, common};
use crate::{inline, integer};

/// The longest line (inline request, or a count) in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// How many arguments, and of what length, a client may send before it has authenticated.
const UNAUTHENTICATED_ARGS: i64 = 10;
const UNAUTHENTICATED_BULK: i64 = 16 * 1024;

/// What a client may send at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestLimits {
    /// `proto-max-bulk-len`, in bytes. Bulks below 100 bytes are always allowed.
    pub max_bulk_len: u64,
    /// The client must authenticate first: few and short arguments only.
    pub unauthenticated: bool,
    /// The stream of a primary: no limit on bulks. (That it may hold no inline request but an empty
    /// line is the reader's to check: it sees the kind.)
    pub replicated: bool,
}

impl Default for RequestLimits {
    fn default() -> Self {
        RequestLimits { max_bulk_len: 512 << 20, unauthenticated: false, replicated: false }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestKind {
    Multibulk,
    Inline,
}

/// What [`Parser::next`] found.
#[derive(Clone, Debug, PartialEq)]
pub enum Parsed {
    /// More bytes are needed: the buffer must hold at least `need_len` bytes, counted from the
    /// request's first, before another call can get further. A hint for reserving memory; it is never
    /// more than the limits allow.
    Incomplete { need_len: usize },
    /// A request of `argc` arguments and `consumed` bytes; `argc` is zero for an empty line or a
    /// count of zero or less, which is not answered.
    Complete { consumed: usize, argc: usize, kind: RequestKind },
    /// What to answer before closing the connection.
    Error(Error),
}

/// The state of one connection's request stream. Cheap to make; reset by itself after each request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parser {
    /// Everything before this offset has been understood.
    at: usize,
    /// Up to here no line end has been found; never before `at` while it matters.
    searched: usize,
    /// Arguments still missing. Zero: the count has not been read.
    missing: u32,
    /// Arguments already appended for the request under way.
    found: u32,
    /// The length of the argument whose bytes are being waited for.
    bulk_len: Option<u32>,
}

impl Parser {
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether a request has begun and not ended. An inline line counts only once it was looked at.
    pub fn is_mid_request(&self) -> bool {
        *self != Self::default()
    }

    /// The arguments still to come and the length of the one under way, as `CLIENT LIST` shows them
    /// (`multi-mem` aside): `(0, None)` between requests.
    pub fn pending(&self) -> (u32, Option<u32>) {
        (self.missing, self.bulk_len)
    }

    /// Looks for one request at the start of `buf` and appends the ranges of its arguments to `args`.
    ///
    /// `buf` is mutable because inline requests are unquoted in place; a multibulk is never changed.
    /// Until the answer is `Complete`, the next call must show the same bytes again, with more behind
    /// them, and `args` as this call left it.
    #[inline]
    pub fn next(&mut self, buf: &mut [u8], limits: &RequestLimits, args: &mut Vec<ArgRange>) -> Parsed {
        if self.missing == 0 {
            match buf.first() {
                None => return Parsed::Incomplete { need_len: 1 },
                Some(b'*') => match self.count(buf, limits) {
                    Step::Done => {}
                    Step::Stop(parsed) => return parsed,
                },
                Some(_) => return self.inline(buf, args),
            }
        }
        self.bulks(buf, limits, args)
    }

    /// Reads `*<count>\r\n`.
    #[inline]
    fn count(&mut self, buf: &[u8], limits: &RequestLimits) -> Step {
        let count = match buf {
            [_, d @ b'1'..=b'9', b'\r', b'\n', ..] => {
                self.at = 4;
                i64::from(d - b'0')
            }
            _ => match self.line(buf, common::TOO_BIG_MBULK_COUNT, None) {
                Ok((text, next)) => {
                    let Some(count) = integer::parse(&buf[text..next - 2]).filter(|&n| n <= i64::from(i32::MAX)) else {
                        return Step::Stop(Parsed::Error(common::INVALID_MULTIBULK_LEN));
                    };
                    if count > UNAUTHENTICATED_ARGS && limits.unauthenticated {
                        return Step::Stop(Parsed::Error(common::UNAUTHENTICATED_MULTIBULK_LEN));
                    }
                    self.at = next;
                    count
                }
                Err(stop) => return Step::Stop(stop),
            },
        };
        self.searched = self.at;
        if count <= 0 {
            let consumed = self.at;
            *self = Self::default();
            return Step::Stop(Parsed::Complete { consumed, argc: 0, kind: RequestKind::Multibulk });
        }
        self.missing = count as u32;
        Step::Done
    }

    #[inline]
    fn bulks(&mut self, buf: &[u8], limits: &RequestLimits, args: &mut Vec<ArgRange>) -> Parsed {
        loop {
            let len = match self.bulk_len {
                Some(len) => len as usize,
                None => {
                    let len = match buf.get(self.at..).unwrap_or(&[]) {
                        [b'$', d @ b'0'..=b'9', b'\r', b'\n', ..] => {
                            self.at += 4;
                            u32::from(d - b'0')
                        }
                        [b'$', t @ b'1'..=b'9', d @ b'0'..=b'9', b'\r', b'\n', ..] => {
                            self.at += 5;
                            u32::from(t - b'0') * 10 + u32::from(d - b'0')
                        }
                        _ => match self.bulk_len(buf, limits) {
                            Ok(len) => len,
                            Err(stop) => return self.stop(stop, args),
                        },
                    };
                    self.bulk_len = Some(len);
                    len as usize
                }
            };
            let end = self.at + len;
            match buf.get(end..end + 2) {
                Some(b"\r\n") => {}
                Some(_) => return self.stop(Parsed::Error(common::INVALID_CRLF), args),
                None => return Parsed::Incomplete { need_len: end + 2 },
            }
            args.push(ArgRange { start: self.at as u32, len: len as u32 });
            self.bulk_len = None;
            self.at = end + 2;
            self.searched = self.at;
            self.found += 1;
            self.missing -= 1;
            if self.missing == 0 {
                let parsed =
                    Parsed::Complete { consumed: self.at, argc: self.found as usize, kind: RequestKind::Multibulk };
                *self = Self::default();
                return parsed;
            }
        }
    }

    /// Reads `$<length>\r\n` with every check, in the peer's order.
    #[inline(never)]
    fn bulk_len(&mut self, buf: &[u8], limits: &RequestLimits) -> Result<u32, Parsed> {
        let (text, next) = self.line(buf, common::TOO_BIG_BULK_COUNT, Some(b'$'))?;
        let invalid = || Parsed::Error(common::INVALID_BULK_LEN);
        let len = integer::parse(&buf[text..next - 2]).filter(|&n| n >= 0).ok_or_else(invalid)?;
        if !limits.replicated && len as u64 > limits.max_bulk_len {
            return Err(invalid());
        }
        if len > UNAUTHENTICATED_BULK && limits.unauthenticated {
            return Err(Parsed::Error(common::UNAUTHENTICATED_BULK_LEN));
        }
        if next as u64 + len as u64 + 2 > u64::from(u32::MAX) {
            return Err(invalid());
        }
        self.at = next;
        Ok(len as u32)
    }

    /// Finds the line that begins at `self.at` with one type byte: the offset of its text, and the
    /// offset behind its CRLF.
    fn line(&mut self, buf: &[u8], too_big: Error, expected: Option<u8>) -> Result<(usize, usize), Parsed> {
        let from = self.searched.max(self.at);
        let Some(found) = memchr::memchr(b'\r', buf.get(from..).unwrap_or(&[])) else {
            if buf.len().saturating_sub(self.at) > MAX_LINE {
                return Err(Parsed::Error(too_big));
            }
            self.searched = buf.len().max(self.at);
            return Err(Parsed::Incomplete { need_len: self.searched + 1 });
        };
        let newline = from + found;
        self.searched = newline;
        let Some(&after) = buf.get(newline + 1) else {
            return Err(Parsed::Incomplete { need_len: newline + 2 });
        };
        let first = buf[self.at];
        if expected.is_some_and(|byte| byte != first) {
            return Err(Parsed::Error(common::expected_dollar(first)));
        }
        if after != b'\n' {
            return Err(Parsed::Error(common::INVALID_CRLF));
        }
        // A line of nothing but CRLF cannot come here: its first byte is the type byte.
        Ok((self.at + 1, newline + 2))
    }

    #[inline(never)]
    fn inline(&mut self, buf: &mut [u8], args: &mut Vec<ArgRange>) -> Parsed {
        // A zero byte hides the rest of the line from the peer, so such a line never ends.
        let from = self.searched;
        let newline = memchr::memchr2(b'\n', 0, buf.get(from..).unwrap_or(&[])).map(|n| from + n);
        let Some(newline) = newline.filter(|&at| buf[at] == b'\n') else {
            if buf.len() > MAX_LINE {
                return Parsed::Error(common::TOO_BIG_INLINE);
            }
            self.searched = newline.unwrap_or(buf.len());
            return Parsed::Incomplete { need_len: buf.len() + 1 };
        };
        let end = if newline > 0 && buf[newline - 1] == b'\r' { newline - 1 } else { newline };
        *self = Self::default();
        match inline::split(&mut buf[..end], args) {
            Ok(argc) => Parsed::Complete { consumed: newline + 1, argc, kind: RequestKind::Inline },
            Err(inline::Unbalanced) => Parsed::Error(common::UNBALANCED_QUOTES),
        }
    }

    fn stop(&mut self, parsed: Parsed, args: &mut Vec<ArgRange>) -> Parsed {
        if matches!(parsed, Parsed::Error(_)) {
            args.truncate(args.len().saturating_sub(self.found as usize));
        }
        parsed
    }
}

enum Step {
    Done,
    Stop(Parsed),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encode;
    use proptest::prelude::*;

    /// Parses everything in `input`, shown in pieces that end at `cuts`; the requests, then the error.
    fn parse_in_pieces(input: &[u8], cuts: &[usize], limits: &RequestLimits) -> (Vec<Vec<Vec<u8>>>, Option<Error>) {
        let mut parser = Parser::new();
        let mut requests = Vec::new();
        let mut args = Vec::new();
        let mut buf = Vec::new();
        let mut shown = 0;
        let mut cuts: Vec<usize> = cuts.iter().map(|&cut| cut.min(input.len())).collect();
        cuts.push(input.len());
        cuts.sort_unstable();
        for cut in cuts {
            buf.extend_from_slice(&input[shown..cut]);
            shown = cut;
            loop {
                match parser.next(&mut buf, limits, &mut args) {
                    Parsed::Incomplete { need_len } => {
                        assert!(need_len > buf.len(), "a hint of {need_len} with {} bytes at hand", buf.len());
                        break;
                    }
                    Parsed::Complete { consumed, argc, .. } => {
                        assert_eq!(args.len(), argc);
                        requests.push(args.iter().map(|range| range.of(&buf[..consumed]).to_vec()).collect());
                        args.clear();
                        buf.drain(..consumed);
                        assert!(!parser.is_mid_request());
                    }
                    Parsed::Error(error) => {
                        assert!(args.is_empty());
                        return (requests, Some(error));
                    }
                }
            }
        }
        (requests, None)
    }

    fn whole(input: &[u8]) -> (Vec<Vec<Vec<u8>>>, Option<Error>) {
        parse_in_pieces(input, &[], &RequestLimits::default())
    }

    fn check_error(input: &[u8], limits: &RequestLimits, text: &str) {
        let one_by_one: Vec<usize> = (0..input.len().min(300)).collect();
        for cuts in [&[][..], &one_by_one[..]] {
            let (_, error) = parse_in_pieces(input, cuts, limits);
            let error = error.unwrap_or_else(|| panic!("{} was accepted", input.escape_ascii()));
            assert_eq!(error.text(), text.as_bytes(), "{}", input.escape_ascii());
        }
    }

    #[test]
    fn a_pipeline_of_both_kinds() {
        let (requests, error) = whole(b"\r\nping\n*0\r\n*-10\r\n*2\r\n$3\r\nGET\r\n$0\r\n\r\n  set \"a b\" 'c'\r\n");
        assert_eq!(error, None);
        let texts: Vec<Vec<&[u8]>> = requests.iter().map(|r| r.iter().map(Vec::as_slice).collect()).collect();
        let expected: [&[&[u8]]; 6] = [&[], &[b"ping"], &[], &[], &[b"GET", b""], &[b"set", b"a b", b"c"]];
        assert_eq!(texts, expected);
    }

    #[test]
    fn malformed_requests_earn_the_peers_texts() {
        let limits = RequestLimits::default();
        let cases: [(&[u8], &str); 16] = [
            (b"*3000000000\r\n", "invalid multibulk length"),
            (b"*x\r\n", "invalid multibulk length"),
            (b"*\r\n", "invalid multibulk length"),
            (b"*3x\n$3\r\nSET\r\n", "invalid multibulk length"),
            (b"*3\rx$3\r\n", "invalid CRLF in request"),
            (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\nfooz\r\n", "expected '$', got 'f'"),
            (b"*1\r\nfoo\r\n", "expected '$', got 'f'"),
            (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$-10\r\n", "invalid bulk length"),
            (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$2000000000\r\n", "invalid bulk length"),
            (b"*3\r\n$3\r\nSET\r\n$1\r\nx\r\n$blabla\r\n", "invalid bulk length"),
            (b"*3\r\n$03\r\nSET\r\n", "invalid bulk length"),
            (b"*3\r\n$3\rxSET\r\n", "invalid CRLF in request"),
            (b"*3\r\n$3\r\nSETxx$3\r\n", "invalid CRLF in request"),
            (b"*3\r\n$3\r\nSET\rx$3\r\n", "invalid CRLF in request"),
            (b"set foo 'b'a'r\r\n", "unbalanced quotes in request"),
            (b"set foo \"b\"a\"r\r\n", "unbalanced quotes in request"),
        ];
        for (input, text) in cases {
            check_error(input, &limits, &format!("ERR Protocol error: {text}"));
        }
    }

    #[test]
    fn endless_lines_are_refused() {
        let long = vec![b'A'; MAX_LINE];
        for (start, text) in [
            (&b"\0"[..], "too big inline request"),
            (b"A", "too big inline request"),
            (b"*\0", "too big mbulk count string"),
            (b"$\0", "too big inline request"),
            (b"*1\r\n$\0", "too big bulk count string"),
        ] {
            check_error(&[start, &long].concat(), &RequestLimits::default(), &format!("ERR Protocol error: {text}"));
        }
        // A zero byte hides the line end behind it.
        let (requests, error) = whole(b"\0PING\r\nPING\r\n");
        assert_eq!((requests.len(), error), (0, None));
    }

    #[test]
    fn strangers_may_say_little() {
        let limits = RequestLimits { unauthenticated: true, ..RequestLimits::default() };
        check_error(b"*11\r\n", &limits, "ERR Protocol error: unauthenticated multibulk length");
        check_error(b"*1\r\n$16385\r\n", &limits, "ERR Protocol error: unauthenticated bulk length");
        let (_, error) = parse_in_pieces(b"*10\r\n$16384\r\n", &[], &limits);
        assert_eq!(error, None);
    }

    #[test]
    fn a_primary_may_send_any_bulk() {
        let small = RequestLimits { max_bulk_len: 200, ..RequestLimits::default() };
        let mut input = Vec::new();
        encode::command(&mut input, &[[b'x'; 201]]);
        check_error(&input, &small, "ERR Protocol error: invalid bulk length");
        let (requests, _) = parse_in_pieces(&input, &[], &RequestLimits { replicated: true, ..small });
        assert_eq!(requests, [[vec![b'x'; 201]]]);
    }

    #[test]
    fn a_large_bulk_is_not_searched_again() {
        let mut parser = Parser::new();
        let mut args = Vec::new();
        let mut buf = b"*2\r\n$3\r\nSET\r\n$1000000\r\n".to_vec();
        let header = buf.len();
        for _ in 0..2 {
            let parsed = parser.next(&mut buf, &RequestLimits::default(), &mut args);
            assert_eq!(parsed, Parsed::Incomplete { need_len: header + 1_000_002 });
            assert_eq!(parser.pending(), (1, Some(1_000_000)));
            // What lies in the middle of the bulk is nobody's business.
            buf.extend_from_slice(b"*9\r\n$garbage\r\n");
        }
    }

    fn arguments() -> impl Strategy<Value = Vec<Vec<u8>>> {
        let argument = prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 0..12),
            1 => proptest::collection::vec(any::<u8>(), 90..130),
        ];
        proptest::collection::vec(argument, 1..14)
    }

    proptest! {
        #[test]
        fn requests_survive_any_cut(
            requests in proptest::collection::vec(arguments(), 1..5),
            cuts in proptest::collection::vec(0usize..600, 0..12),
        ) {
            let mut input = Vec::new();
            requests.iter().for_each(|request| encode::command(&mut input, request));
            let (parsed, error) = parse_in_pieces(&input, &cuts, &RequestLimits::default());
            prop_assert_eq!(error, None);
            prop_assert_eq!(parsed, requests);
        }

        #[test]
        fn hostile_bytes_mean_the_same_however_they_are_cut(
            input in "[*$0-9\r\n\"' a-c\\-\\x00]{0,60}",
            cuts in proptest::collection::vec(0usize..60, 0..8),
        ) {
            let limits = RequestLimits::default();
            prop_assert_eq!(
                parse_in_pieces(input.as_bytes(), &cuts, &limits),
                parse_in_pieces(input.as_bytes(), &[], &limits)
            );
        }

        #[test]
        fn nothing_is_allocated_for_a_promise(count in 1u32..2_000_000_000) {
            let mut args = Vec::new();
            let mut buf = format!("*{count}\r\n").into_bytes();
            let parsed = Parser::new().next(&mut buf, &RequestLimits::default(), &mut args);
            prop_assert!(matches!(parsed, Parsed::Incomplete { .. }), "{:?}", parsed);
            prop_assert_eq!(args.capacity(), 0);
        }
    }
}
