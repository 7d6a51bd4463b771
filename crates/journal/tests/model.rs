//! The journal against a flat log: one `Vec` of all bytes ever appended, and a list of where units ended.

use bytes::Bytes;
use journal::{DbIndex, History, Hold, Journal, Kind, Piece, ReadError, ReplId, ReplOffset, Unit};
use proptest::prelude::*;
use std::sync::Arc;

/// What happens to a journal. Numbers that point somewhere are taken modulo what is there.
#[derive(Clone, Debug)]
enum Op {
    Append { records: Vec<(Option<u16>, bool, Vec<Part>)>, unframed: bool },
    Verbatim { lengths: Vec<usize>, db: u16 },
    Read { from: usize, max: usize },
    Boundary { at: usize },
    Hold { at: usize },
    Move { hold: usize, by: u64 },
    Drop { hold: usize },
    Resize { size: u64 },
    ResetDb,
    SleepAndWake,
}

#[derive(Clone, Debug)]
enum Part {
    Raw(usize),
    Link(usize),
    Command(Vec<usize>),
    BulkLink(usize),
}

fn parts() -> impl Strategy<Value = Vec<Part>> {
    let part = prop_oneof![
        6 => (0..3000usize).prop_map(Part::Raw),
        1 => (16_000..40_000usize).prop_map(Part::Link),
        3 => prop::collection::vec(0..200usize, 1..4).prop_map(Part::Command),
        1 => (0..20_000usize).prop_map(Part::BulkLink),
    ];
    prop::collection::vec(part, 0..3)
}

fn op() -> impl Strategy<Value = Op> {
    let record = (prop::option::weighted(0.9, 0..12u16), any::<bool>(), parts());
    prop_oneof![
        30 => (prop::collection::vec(record, 1..4), any::<bool>())
            .prop_map(|(records, unframed)| Op::Append { records, unframed }),
        5 => (prop::collection::vec(0..20_000usize, 1..5), 0..3u16).prop_map(|(lengths, db)| Op::Verbatim { lengths, db }),
        20 => (any::<usize>(), prop_oneof![0..100usize, 0..100_000usize]).prop_map(|(from, max)| Op::Read { from, max }),
        20 => any::<usize>().prop_map(|at| Op::Boundary { at }),
        2 => any::<usize>().prop_map(|at| Op::Hold { at }),
        3 => (any::<usize>(), 0..50_000u64).prop_map(|(hold, by)| Op::Move { hold, by }),
        2 => any::<usize>().prop_map(|hold| Op::Drop { hold }),
        1 => (0..200_000u64).prop_map(|size| Op::Resize { size }),
        2 => Just(Op::ResetDb),
        1 => Just(Op::SleepAndWake),
    ]
}

/// The flat log. Position 0 of `bytes` is offset `ORIGIN`.
struct Model {
    bytes: Vec<u8>,
    /// Where units ended, and the database of the stream there.
    ends: Vec<(usize, Option<u16>)>,
    select: bool,
    filler: u8,
    ids: u8,
}

const ORIGIN: usize = 1000;

impl Model {
    fn payload(&mut self, length: usize) -> Vec<u8> {
        self.filler = self.filler.wrapping_add(1);
        (0..length).map(|at| self.filler.wrapping_mul(31).wrapping_add((at % 251) as u8)).collect()
    }

    fn db(&self) -> Option<u16> {
        self.ends.last().and_then(|&(_, db)| db)
    }

    fn command(&mut self, args: &[&[u8]]) {
        self.bytes.extend(format!("*{}\r\n", args.len()).bytes());
        for arg in args {
            self.bytes.extend(format!("${}\r\n", arg.len()).bytes());
            self.bytes.extend_from_slice(arg);
            self.bytes.extend(b"\r\n");
        }
    }

    fn append(&mut self, records: &[EncodedRecord], unframed: bool) {
        let framed = records.len() > 1 && !unframed;
        let mut db = self.db();
        if framed {
            self.command(&[b"MULTI"]);
        }
        for (wanted, _, parts) in records {
            if let Some(wanted) = wanted
                && (self.select || db != Some(*wanted))
            {
                self.command(&[b"SELECT", wanted.to_string().as_bytes()]);
                (db, self.select) = (Some(*wanted), false);
            }
            for encoded in parts.iter().flatten() {
                match encoded {
                    Encoded::Raw(bytes) => self.bytes.extend_from_slice(bytes),
                    Encoded::Bulk(bytes) => {
                        self.bytes.extend(format!("${}\r\n", bytes.len()).bytes());
                        self.bytes.extend_from_slice(bytes);
                        self.bytes.extend(b"\r\n");
                    }
                    Encoded::Array(count) => self.bytes.extend(format!("*{count}\r\n").bytes()),
                }
            }
            if unframed {
                self.ends.push((self.bytes.len(), db));
            }
        }
        if framed {
            self.command(&[b"EXEC"]);
        }
        if !unframed {
            self.ends.push((self.bytes.len(), db));
        }
    }
}

/// A record's database, whether it is stream-only, and its parts.
type EncodedRecord = (Option<u16>, bool, Vec<Vec<Encoded>>);

/// A part with its bytes; what the unit is built from, and what the model writes down.
#[derive(Clone, Debug)]
enum Encoded {
    Raw(Vec<u8>),
    Bulk(Vec<u8>),
    Array(usize),
}

fn offset(at: usize) -> ReplOffset {
    ReplOffset((ORIGIN + at) as u64)
}

fn run(ops: &[Op], mut backlog: u64) -> Result<(), TestCaseError> {
    let id = |byte| ReplId::from_entropy([byte; 20]);
    let journal = Arc::new(Journal::new(History::new(id(0)), offset(0), backlog));
    journal.wake(id(1));
    let mut model = Model { bytes: Vec::new(), ends: vec![(0, None)], select: true, filler: 0, ids: 1 };
    let mut holds: Vec<(Hold, usize)> = Vec::new();
    let mut start = offset(0);
    for op in ops {
        let end = model.bytes.len();
        match op {
            Op::Append { records, unframed } => {
                let mut links = Vec::new();
                let encoded: Vec<EncodedRecord> = records
                    .iter()
                    .map(|(db, stream_only, parts)| {
                        let parts: Vec<Vec<Encoded>> = parts
                            .iter()
                            .map(|part| match part {
                                Part::Raw(length) | Part::Link(length) => vec![Encoded::Raw(model.payload(*length))],
                                Part::BulkLink(length) => vec![Encoded::Bulk(model.payload(*length))],
                                Part::Command(args) => [Encoded::Array(args.len())]
                                    .into_iter()
                                    .chain(args.iter().map(|length| Encoded::Bulk(model.payload(*length))))
                                    .collect(),
                            })
                            .collect();
                        (*db, *stream_only, parts)
                    })
                    .collect();
                let mut unit = if *unframed { Unit::unframed() } else { Unit::new() };
                for ((db, stream_only, parts), (_, _, shapes)) in encoded.iter().zip(records) {
                    let kind = if *stream_only { Kind::StreamOnly } else { Kind::Command };
                    unit.begin(db.map(DbIndex), kind);
                    for (part, shape) in parts.iter().zip(shapes) {
                        for encoded in part {
                            unit.piece(match (encoded, shape) {
                                (Encoded::Raw(bytes), Part::Link(_)) => {
                                    links.push(Bytes::copy_from_slice(bytes));
                                    Piece::Link(links[links.len() - 1].clone())
                                }
                                (Encoded::Bulk(bytes), Part::BulkLink(_)) => {
                                    Piece::BulkLink(Bytes::copy_from_slice(bytes))
                                }
                                (Encoded::Raw(bytes), _) => Piece::Raw(bytes),
                                (Encoded::Bulk(bytes), _) => Piece::Bulk(bytes),
                                (Encoded::Array(count), _) => Piece::Array(*count),
                            });
                        }
                    }
                }
                let range = journal.append(&unit);
                model.append(&encoded, *unframed);
                prop_assert_eq!(range, (offset(end), offset(model.bytes.len())));
            }
            Op::Verbatim { lengths, db } => {
                let bytes = model.payload(lengths.iter().sum());
                let mut at = 0;
                let ends: Vec<_> = lengths
                    .iter()
                    .map(|length| {
                        at += length;
                        (at, Some(DbIndex(*db)))
                    })
                    .collect();
                journal.append_verbatim(&Bytes::from(bytes.clone()), &ends);
                model.ends.extend(ends.iter().map(|(at, db)| (end + at, db.map(|db| db.0))));
                model.bytes.extend(bytes);
            }
            Op::Read { from, max } => {
                let from = from % (end + 2);
                let backlog = journal.backlog().expect("awake");
                match journal.read(offset(from), *max) {
                    Ok(chunk) => {
                        let until = end.min(from + max);
                        prop_assert_eq!((chunk.start, chunk.end), (offset(from), offset(until)));
                        prop_assert!(chunk.pieces.iter().all(|piece| !piece.is_empty()));
                        prop_assert_eq!(chunk.pieces.concat(), &model.bytes[from..until]);
                    }
                    Err(ReadError::Ahead { end: at }) => prop_assert_eq!((from, at), (end + 1, offset(end))),
                    Err(ReadError::Behind { start }) => {
                        prop_assert_eq!(start, backlog.start);
                        prop_assert!(offset(from) < start);
                    }
                }
            }
            Op::Boundary { at } => {
                let at = at % (end + 1);
                let start = journal.backlog().expect("awake").start;
                let known = model.ends.iter().rev().find(|(end, _)| *end <= at && offset(*end) >= start);
                let found = journal.boundary_at_or_before(offset(at));
                prop_assert_eq!(found.map(|found| found.at), known.map(|(at, _)| offset(*at)));
                prop_assert_eq!(found.map(|found| found.db), known.map(|(_, db)| db.map(DbIndex)));
            }
            Op::Hold { at } => {
                let at = at % (end + 1);
                let there = offset(at) >= journal.backlog().expect("awake").start;
                let hold = journal.hold(offset(at));
                prop_assert_eq!(hold.is_some(), there);
                holds.extend(hold.map(|hold| (hold, at)));
            }
            Op::Move { hold, by } if !holds.is_empty() => {
                let at = hold % holds.len();
                let (hold, held) = &mut holds[at];
                *held = end.min(*held + *by as usize);
                hold.advance(offset(*held));
            }
            Op::Drop { hold } if !holds.is_empty() => drop(holds.swap_remove(hold % holds.len())),
            Op::Move { .. } | Op::Drop { .. } => {}
            Op::Resize { size } => {
                backlog = *size;
                journal.set_backlog_size(backlog);
            }
            Op::ResetDb => {
                journal.reset_db();
                model.select = true;
            }
            Op::SleepAndWake => {
                prop_assert_eq!(journal.sleep(), holds.is_empty());
                if holds.is_empty() {
                    let mut unit = Unit::new();
                    unit.raw(DbIndex(0), Kind::Command, b"not kept");
                    prop_assert_eq!(journal.append(&unit), (offset(end), offset(end)));
                    model.ids += 1;
                    journal.wake(id(model.ids));
                    model.ends = vec![(end, None)];
                    model.select = true;
                }
            }
        }
        let kept = journal.backlog().expect("awake");
        prop_assert_eq!(kept.end, offset(model.bytes.len()));
        prop_assert_eq!(journal.end(), kept.end);
        prop_assert_eq!(journal.stream_db(), model.db().map(DbIndex));
        let oldest = holds.iter().map(|(_, at)| offset(*at)).min();
        prop_assert!(oldest.is_none_or(|at| at >= kept.start), "what is held is kept");
        if kept.start > start {
            prop_assert!(kept.histlen() > backlog || kept.histlen() == 0, "no more is trimmed than has to be");
        }
        start = kept.start;
        // A block of 16 to 256 KiB, or a linked value, may stand beyond what is asked for.
        let wanted = oldest.map_or(0, |at| kept.end.0 - at.0).max(backlog);
        prop_assert!(kept.histlen() <= wanted + 40_000, "{:?} of {}", kept, wanted);
        prop_assert!(journal.can_continue(&id(model.ids), kept.start));
        prop_assert!(!journal.can_continue(&id(model.ids - 1), kept.end));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

    #[test]
    fn the_journal_is_a_flat_log(ops in prop::collection::vec(op(), 1..120), backlog in 0..100_000u64) {
        run(&ops, backlog)?;
    }
}
