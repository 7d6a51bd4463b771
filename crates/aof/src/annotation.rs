//! Lines between commands that say something about them, and that are no part of the replication stream.
//!
//! | line | says |
//! |---|---|
//! | `#TS:1700000000` | what follows happened at this Unix time or later, in seconds |
//! | `#off:8192` | the next byte that is not an annotation has this offset in the stream |
//!
//! Others are passed over, here and by the peers. A line ends with CR LF and stays below 1024 bytes, else the peers would take its
//! rest for a command.

/// The longest line, its end included.
pub const MAX_LINE: usize = 1023;

/// A line that was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Annotation<'a> {
    /// Seconds of Unix time.
    Timestamp(i64),
    /// An offset in the replication stream.
    Offset(u64),
    /// Any other, without its `#`.
    Other(&'a [u8]),
}

impl<'a> Annotation<'a> {
    /// Reads a line without its `#` and its end.
    pub fn parse(line: &'a [u8]) -> Self {
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<i64>().ok();
        if let Some(seconds) = line.strip_prefix(b"TS:").and_then(number) {
            return Self::Timestamp(seconds);
        }
        let offset = line.strip_prefix(b"off:").and_then(number);
        match offset.and_then(|offset| u64::try_from(offset).ok()) {
            Some(offset) => Self::Offset(offset),
            None => Self::Other(line),
        }
    }

    /// Appends the line.
    pub fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Timestamp(seconds) => out.extend_from_slice(format!("#TS:{seconds}\r\n").as_bytes()),
            Self::Offset(offset) => out.extend_from_slice(format!("#off:{offset}\r\n").as_bytes()),
            Self::Other(text) => {
                out.push(b'#');
                out.extend(text.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).take(MAX_LINE - 3));
                out.extend_from_slice(b"\r\n");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive() {
        for (annotation, line) in [
            (Annotation::Timestamp(1_628_217_470), &b"#TS:1628217470\r\n"[..]),
            (Annotation::Offset(12), b"#off:12\r\n"),
            (Annotation::Other(b"anything"), b"#anything\r\n"),
        ] {
            let mut out = Vec::new();
            annotation.write(&mut out);
            assert_eq!(out, line);
            assert_eq!(Annotation::parse(&line[1..line.len() - 2]), annotation);
        }
        assert_eq!(Annotation::parse(b"TS:x"), Annotation::Other(b"TS:x"));
        assert_eq!(Annotation::parse(b"off:-1"), Annotation::Other(b"off:-1"));
    }

    #[test]
    fn a_line_ends_where_it_must() {
        let mut out = Vec::new();
        Annotation::Other(&[b'\n'; 3000]).write(&mut out);
        assert_eq!(out, b"#\r\n");
        out.clear();
        Annotation::Other(&[b'x'; 3000]).write(&mut out);
        assert_eq!(out.len(), MAX_LINE);
    }
}
