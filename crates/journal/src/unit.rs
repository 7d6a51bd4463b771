//! What one unit of execution appends, and how that becomes bytes of the stream.
//!
//! ```text
//!   records      SET a 1 (db 0) · SET b 2 (db 5) · PUBLISH (db 5)
//!   stream's db  9
//!   bytes        MULTI · SELECT 0 · SET a 1 · SELECT 5 · SET b 2 · PUBLISH · EXEC          stream's db is now 5
//! ```
//!
//! A unit of more than one record is framed by MULTI and EXEC, so that whoever reads the stream applies it at once or not
//! at all; units on keys that nobody chose together (active expiry, eviction) say that they are `unframed`. A SELECT
//! stands before a record whose database is not the stream's, inside the frame. This is what Valkey feeds to its replicas,
//! byte for byte: there, too, a PUBLISH beside one write is counted and framed.
//!
//! Which database the stream is in is known only where the order of units is known, so SELECT is written while the journal
//! is locked, and so is the rest, from borrowed pieces: nothing is put together beforehand. A value of more than
//! [`LINK_MIN`] bytes that is reference-counted already is linked into the log instead of copied.

use crate::offset::DbIndex;
use bytes::Bytes;
use smallvec::SmallVec;

/// Linked pieces up to this size are copied all the same: a block of its own costs more than the copy.
pub const LINK_MIN: usize = 16 * 1024;

/// What readers do with a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It changes data: replicas and the AOF's loader execute it.
    Command,
    /// It is for replicas of this moment (PUBLISH, PING, REPLCONF GETACK); a loader skips it.
    StreamOnly,
}

/// A part of a record's bytes.
#[derive(Clone, Debug)]
pub enum Piece<'a> {
    /// Bytes of the stream as they are.
    Raw(&'a [u8]),
    /// Bytes of the stream as they are, shared.
    Link(Bytes),
    /// The head of a command of this many arguments: `*n\r\n`.
    Array(usize),
    /// An argument: `$n\r\n…\r\n`.
    Bulk(&'a [u8]),
    /// An argument, shared.
    BulkLink(Bytes),
}

/// The records of one unit, borrowed from wherever they are.
#[derive(Clone, Debug, Default)]
pub struct Unit<'a> {
    records: SmallVec<[Record; 2]>,
    pieces: SmallVec<[Piece<'a>; 8]>,
    unframed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Record {
    db: Option<DbIndex>,
    kind: Kind,
    /// Where its pieces begin; they end where those of the next begin.
    start: usize,
}

impl<'a> Unit<'a> {
    /// A unit without records.
    pub fn new() -> Self {
        Unit::default()
    }

    /// Never framed, however many records there are: each is a unit of its own to whoever reads them.
    pub fn unframed() -> Self {
        Unit { unframed: true, ..Unit::default() }
    }

    /// Begins a record; `db` is `None` for what no database is meant by (PING, REPLCONF GETACK).
    pub fn begin(&mut self, db: Option<DbIndex>, kind: Kind) -> &mut Self {
        self.records.push(Record { db, kind, start: self.pieces.len() });
        self
    }

    /// Adds to the record that was begun last.
    pub fn piece(&mut self, piece: Piece<'a>) -> &mut Self {
        debug_assert!(!self.records.is_empty(), "a piece belongs to a record");
        self.pieces.push(piece);
        self
    }

    /// A whole record from its arguments.
    pub fn command(&mut self, db: DbIndex, args: &[&'a [u8]]) -> &mut Self {
        self.begin(Some(db), Kind::Command).piece(Piece::Array(args.len()));
        self.pieces.extend(args.iter().map(|arg| Piece::Bulk(arg)));
        self
    }

    /// A whole record whose bytes are encoded already.
    pub fn raw(&mut self, db: DbIndex, kind: Kind, bytes: &'a [u8]) -> &mut Self {
        self.begin(Some(db), kind).piece(Piece::Raw(bytes))
    }

    /// Whether there is nothing to append.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Whether MULTI and EXEC are put around it.
    pub fn is_framed(&self) -> bool {
        self.records.len() > 1 && !self.unframed
    }

    /// Whether one of its records changes data.
    pub fn has_commands(&self) -> bool {
        self.records.iter().any(|record| record.kind == Kind::Command)
    }

    /// Writes the unit; `db` is the stream's database, if it is known, and is left as the unit leaves it.
    /// An unframed unit calls [`Out::boundary`] after each record, any other once, at its end.
    pub(crate) fn write(&self, db: &mut Option<DbIndex>, out: &mut impl Out) {
        if self.is_framed() {
            out.copy(b"*1\r\n$5\r\nMULTI\r\n");
        }
        let ends = self.records.iter().skip(1).map(|record| record.start).chain([self.pieces.len()]);
        for (record, end) in self.records.iter().zip(ends) {
            if record.db.is_some() && record.db != *db {
                *db = record.db;
                write_select(record.db.unwrap_or_default(), out);
            }
            self.pieces[record.start..end].iter().for_each(|piece| piece.write(out));
            if self.unframed {
                out.boundary(*db);
            }
        }
        if self.is_framed() {
            out.copy(b"*1\r\n$4\r\nEXEC\r\n");
        }
        if !self.unframed {
            out.boundary(*db);
        }
    }
}

/// Where a unit's bytes go.
pub(crate) trait Out {
    fn copy(&mut self, bytes: &[u8]);
    fn link(&mut self, bytes: &Bytes);
    /// A unit ends here, and leaves the stream in this database.
    fn boundary(&mut self, db: Option<DbIndex>);
}

impl Piece<'_> {
    fn write(&self, out: &mut impl Out) {
        match self {
            Piece::Raw(bytes) => out.copy(bytes),
            Piece::Link(bytes) => link(bytes, out),
            Piece::Array(count) => write_head(b'*', *count, out),
            Piece::Bulk(bytes) => {
                write_head(b'$', bytes.len(), out);
                out.copy(bytes);
                out.copy(b"\r\n");
            }
            Piece::BulkLink(bytes) => {
                write_head(b'$', bytes.len(), out);
                link(bytes, out);
                out.copy(b"\r\n");
            }
        }
    }
}

fn link(bytes: &Bytes, out: &mut impl Out) {
    if bytes.len() > LINK_MIN { out.link(bytes) } else { out.copy(bytes) }
}

/// `SELECT db` as Valkey writes it.
fn write_select(db: DbIndex, out: &mut impl Out) {
    let mut text = itoa::Buffer::new();
    let number = text.format(db.0).as_bytes();
    out.copy(b"*2\r\n$6\r\nSELECT\r\n");
    write_head(b'$', number.len(), out);
    out.copy(number);
    out.copy(b"\r\n");
}

/// `*n\r\n` or `$n\r\n`.
fn write_head(kind: u8, count: usize, out: &mut impl Out) {
    let mut text = itoa::Buffer::new();
    let number = text.format(count).as_bytes();
    let mut head = [0; 32];
    head[0] = kind;
    head[1..=number.len()].copy_from_slice(number);
    head[number.len() + 1..number.len() + 3].copy_from_slice(b"\r\n");
    out.copy(&head[..number.len() + 3]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Flat(Vec<u8>, Vec<usize>);

    impl Out for Flat {
        fn copy(&mut self, bytes: &[u8]) {
            self.0.extend_from_slice(bytes);
        }
        fn link(&mut self, bytes: &Bytes) {
            self.0.extend_from_slice(bytes);
        }
        fn boundary(&mut self, _: Option<DbIndex>) {
            self.1.push(self.0.len());
        }
    }

    fn write(unit: &Unit<'_>, mut db: Option<DbIndex>) -> (String, Option<DbIndex>, Vec<usize>) {
        let mut out = Flat::default();
        unit.write(&mut db, &mut out);
        (String::from_utf8(out.0).unwrap(), db, out.1)
    }

    #[test]
    fn one_record_is_not_framed() {
        let mut unit = Unit::new();
        unit.command(DbIndex(0), &[b"DEL", b"a"]);
        let (text, db, ends) = write(&unit, Some(DbIndex(0)));
        assert_eq!(text, "*2\r\n$3\r\nDEL\r\n$1\r\na\r\n");
        assert_eq!((db, ends), (Some(DbIndex(0)), vec![text.len()]));
    }

    #[test]
    fn the_first_record_after_a_reset_selects() {
        let mut unit = Unit::new();
        unit.raw(DbIndex(0), Kind::Command, b"X");
        assert_eq!(write(&unit, None).0, "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\nX");
        let mut unit = Unit::new();
        unit.raw(DbIndex(10), Kind::Command, b"X");
        assert_eq!(write(&unit, Some(DbIndex(0))).0, "*2\r\n$6\r\nSELECT\r\n$2\r\n10\r\nX");
    }

    #[test]
    fn select_stands_inside_the_frame() {
        let mut unit = Unit::new();
        unit.raw(DbIndex(0), Kind::Command, b"A").raw(DbIndex(5), Kind::Command, b"B").raw(
            DbIndex(5),
            Kind::StreamOnly,
            b"P",
        );
        let (text, db, ends) = write(&unit, Some(DbIndex(9)));
        let select = |db| format!("*2\r\n$6\r\nSELECT\r\n$1\r\n{db}\r\n");
        assert_eq!(text, format!("*1\r\n$5\r\nMULTI\r\n{}A{}BP*1\r\n$4\r\nEXEC\r\n", select(0), select(5)));
        assert_eq!((db, ends), (Some(DbIndex(5)), vec![text.len()]));
    }

    #[test]
    fn unframed_records_are_units_of_their_own() {
        let mut unit = Unit::unframed();
        unit.raw(DbIndex(0), Kind::Command, b"A").raw(DbIndex(0), Kind::Command, b"BB");
        let (text, _, ends) = write(&unit, Some(DbIndex(0)));
        assert_eq!((text.as_str(), ends), ("ABB", vec![1, 3]));
    }

    /// What Valkey 9.1 fed to a replica: EXEC of SET and PUBLISH, of two PUBLISH, and of two SET with a SELECT between.
    #[test]
    fn frames_are_those_of_valkey() {
        let fed = "*1\r\n$5\r\nMULTI\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n\
            *3\r\n$7\r\nPUBLISH\r\n$2\r\nch\r\n$1\r\nm\r\n*1\r\n$4\r\nEXEC\r\n\
            *1\r\n$5\r\nMULTI\r\n*3\r\n$7\r\nPUBLISH\r\n$2\r\nch\r\n$1\r\nx\r\n\
            *3\r\n$7\r\nPUBLISH\r\n$2\r\nch\r\n$1\r\ny\r\n*1\r\n$4\r\nEXEC\r\n\
            *1\r\n$5\r\nMULTI\r\n*3\r\n$3\r\nSET\r\n$1\r\nb\r\n$1\r\n1\r\n*2\r\n$6\r\nSELECT\r\n$1\r\n5\r\n\
            *3\r\n$3\r\nSET\r\n$1\r\nc\r\n$1\r\n1\r\n*1\r\n$4\r\nEXEC\r\n";
        let publish = |unit: &mut Unit<'static>, text: &'static [u8]| {
            unit.begin(Some(DbIndex(0)), Kind::StreamOnly).piece(Piece::Array(3));
            for arg in [b"PUBLISH", &b"ch"[..], text] {
                unit.piece(Piece::Bulk(arg));
            }
        };
        let mut units = [Unit::new(), Unit::new(), Unit::new()];
        units[0].command(DbIndex(0), &[b"SET", b"a", b"1"]);
        publish(&mut units[0], b"m");
        publish(&mut units[1], b"x");
        publish(&mut units[1], b"y");
        units[2].command(DbIndex(0), &[b"SET", b"b", b"1"]).command(DbIndex(5), &[b"SET", b"c", b"1"]);
        let (mut out, mut db) = (Flat::default(), None);
        units.iter().for_each(|unit| unit.write(&mut db, &mut out));
        assert_eq!(String::from_utf8(out.0).unwrap(), fed);
    }

    #[test]
    fn a_ping_selects_nothing() {
        let mut unit = Unit::new();
        unit.begin(None, Kind::StreamOnly).piece(Piece::Array(1)).piece(Piece::Bulk(b"PING"));
        assert_eq!(write(&unit, None), ("*1\r\n$4\r\nPING\r\n".to_owned(), None, vec![14]));
        assert!(!unit.has_commands());
    }
}
