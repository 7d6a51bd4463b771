//! BITFIELD and BITFIELD_RO: integers of 1 to 64 bits anywhere in a string.
//!
//! ```text
//!   BITFIELD key GET u4 0  SET i8 #2 -5  OVERFLOW SAT INCRBY u2 100 1
//!                          │      └ #2: counted in fields of this width, so bit 16
//!                          └ signed, 8 bits (unsigned ones go to 63: the reply has no more)
//! ```
//!
//! OVERFLOW says what the SETs and INCRBYs behind it do with a result that does not fit: WRAP (the default) keeps its low
//! bits, SAT takes the nearest limit, FAIL writes nothing and answers null. The string is first made long enough for all
//! writes, so each of them is a change when it grew.
//!
//! A SET that saturates does so by the peers' arithmetic ([`Field::nearest_to_set`]), since it travels to replicas as it was
//! typed, and those may be of another kind.
//!
//! Where we differ: when every write fails, a string that is absent or too short is left alone; Redis makes or pads it
//! without telling its replicas.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;
use resp::args::Args;
use resp::error::{self, Error};
use resp::reply::Reply;
use smallvec::SmallVec;
use structures::{bits, number};
use value::{RawString, StringRef};

use super::offset;
use crate::options::{integer, is};

/// The type of a field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Field {
    signed: bool,
    width: u32,
}

impl Field {
    fn parse(text: &[u8]) -> Result<Self, Error> {
        let (signed, most) = match text.first() {
            Some(b'i') => (true, 64),
            Some(b'u') => (false, 63),
            _ => return Err(error::bitmap::BITFIELD_TYPE),
        };
        match number::parse_i64(&text[1..]) {
            Some(width) if (1..=most).contains(&width) => Ok(Field { signed, width: width as u32 }),
            _ => Err(error::bitmap::BITFIELD_TYPE),
        }
    }

    fn read(self, bytes: &[u8], at: u64) -> i64 {
        if self.signed { bits::signed(bytes, at, self.width) } else { bits::unsigned(bytes, at, self.width) as i64 }
    }

    /// The least and the greatest value.
    fn limits(self) -> (i128, i128) {
        if self.signed {
            let half = 1i128 << (self.width - 1);
            (-half, half - 1)
        } else {
            (0, (1i128 << self.width) - 1)
        }
    }

    /// The value that the low bits of `wide` are in this field.
    fn wrap(self, wide: i128) -> i64 {
        let shift = 128 - self.width;
        let bits = (wide as u128) << shift;
        if self.signed { ((bits as i128) >> shift) as i64 } else { (bits >> shift) as i64 }
    }

    /// What is to be written for `wide`; `None` to write nothing.
    fn fit(self, wide: i128, overflow: Overflow) -> Option<i64> {
        let (least, greatest) = self.limits();
        if (least..=greatest).contains(&wide) {
            return Some(wide as i64);
        }
        match overflow {
            Overflow::Wrap => Some(self.wrap(wide)),
            Overflow::Saturate => Some(wide.clamp(least, greatest) as i64),
            Overflow::Fail => None,
        }
    }

    /// What a SET that saturates writes for a value of any size. To find the nearer limit the peers subtract in 64 bits, so
    /// what lies 2^63 or more below the greatest value of a signed field counts as above it.
    fn nearest_to_set(self, wide: i128) -> i64 {
        let (_, greatest) = self.limits();
        let wraps = self.signed && self.width < 64 && greatest - wide > i128::from(i64::MAX);
        let limit = if wraps { Some(greatest as i64) } else { self.fit(wide, Overflow::Saturate) };
        limit.expect("saturating always gives a value")
    }

    /// A value to be set, as the peer takes it: a field of its own sign, so a negative one is huge when unsigned.
    fn wide(self, value: i64) -> i128 {
        if self.signed { i128::from(value) } else { i128::from(value as u64) }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Overflow {
    Wrap,
    Saturate,
    Fail,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Action {
    Get,
    Set(i64),
    Add(i64),
}

#[derive(Clone, Copy, Debug)]
struct Operation {
    field: Field,
    at: u64,
    action: Action,
    overflow: Overflow,
}

impl Operation {
    /// The bytes that the string must have for it.
    fn reach(&self) -> usize {
        ((self.at + u64::from(self.field.width) - 1) / 8 + 1) as usize
    }

    fn writes(&self) -> bool {
        self.action != Action::Get
    }

    /// Does it and answers; true when it wrote another value than there was. Only a write looks beyond the end.
    fn run(&self, bytes: &mut [u8], reply: &mut Reply) -> Outcome {
        let before = self.field.read(bytes, self.at);
        let (wide, answers_before) = match self.action {
            Action::Get => {
                reply.integer(before);
                return Outcome::Read;
            }
            Action::Set(value) => (self.field.wide(value), true),
            Action::Add(by) => (i128::from(before) + i128::from(by), false),
        };
        let after = match (self.action, self.overflow) {
            (Action::Set(_), Overflow::Saturate) => Some(self.field.nearest_to_set(wide)),
            _ => self.field.fit(wide, self.overflow),
        };
        let Some(after) = after else {
            reply.null();
            return Outcome::Failed;
        };
        bits::write(bytes, self.at, self.field.width, after as u64);
        reply.integer(if answers_before { before } else { after });
        if before == after { Outcome::WroteSame } else { Outcome::WroteOther }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Read,
    Failed,
    WroteSame,
    WroteOther,
}

type Operations = SmallVec<[Operation; 4]>;

fn parse(ctx: &Context<'_, '_>, args: &Args<'_>) -> Result<Operations, Error> {
    let mut operations = Operations::new();
    let mut overflow = Overflow::Wrap;
    let mut at = 2;
    while let Some(word) = args.get(at) {
        let left = args.len() - at - 1;
        if is(word, "OVERFLOW") && left >= 1 {
            overflow = match args.at(at + 1) {
                name if is(name, "WRAP") => Overflow::Wrap,
                name if is(name, "SAT") => Overflow::Saturate,
                name if is(name, "FAIL") => Overflow::Fail,
                _ => return Err(error::bitmap::BITFIELD_OVERFLOW),
            };
            at += 2;
            continue;
        }
        let (make, len): (fn(i64) -> Action, usize) = match word {
            _ if is(word, "GET") && left >= 2 => (|_| Action::Get, 3),
            _ if is(word, "SET") && left >= 3 => (Action::Set, 4),
            _ if is(word, "INCRBY") && left >= 3 => (Action::Add, 4),
            _ => return Err(error::common::SYNTAX),
        };
        let field = Field::parse(args.at(at + 1))?;
        let bit = match args.at(at + 2) {
            [b'#', fields @ ..] => offset(ctx, fields, field.width)?,
            text => offset(ctx, text, 1)?,
        };
        let operand = if len == 4 { integer(args.at(at + 3))? } else { 0 };
        operations.push(Operation { field, at: bit, action: make(operand), overflow });
        at += len;
    }
    Ok(operations)
}

pub(super) fn bitfield(ctx: &mut Context<'_, '_>) -> Done {
    let operations = parse(ctx, &ctx.args)?;
    if operations.iter().any(Operation::writes) { write(ctx, &operations) } else { read(ctx, &operations) }
}

pub(super) fn bitfield_ro(ctx: &mut Context<'_, '_>) -> Done {
    let operations = parse(ctx, &ctx.args)?;
    if operations.iter().any(Operation::writes) {
        return Err(error::bitmap::BITFIELD_RO.into());
    }
    read(ctx, &operations)
}

fn read(ctx: &mut Context<'_, '_>, operations: &Operations) -> Done {
    let key = ctx.key(1);
    let value = ctx.space.read_string(&key)?.unwrap_or(StringRef::Bytes(b""));
    value.with_bytes(|bytes| {
        ctx.reply.array(operations.len());
        for operation in operations {
            ctx.reply.integer(operation.field.read(bytes, operation.at));
        }
    });
    Ok(())
}

fn write(ctx: &mut Context<'_, '_>, operations: &Operations) -> Done {
    let key = ctx.key(1);
    let present = ctx.space.peek_string(&key)?;
    let len = present.map_or(0, |value| value.len());
    let reach = operations.iter().filter(|operation| operation.writes()).map(Operation::reach).max().unwrap_or(0);
    let grows = reach > len;
    let reply = &mut *ctx.reply;
    let mut run = |string: &mut RawString| {
        if grows {
            string.resize(reach);
        }
        reply.array(operations.len());
        let outcomes = operations.iter().map(|operation| operation.run(string.as_bytes_mut(), reply));
        outcomes.filter(|o| *o == Outcome::WroteOther || grows && *o == Outcome::WroteSame).count()
    };
    let changes = if grows && operations.iter().any(|operation| operation.overflow == Overflow::Fail) {
        // All may fail; so they are tried on a copy.
        let mut copy = present.map_or(RawString::new(), |value| value.with_bytes(RawString::from_bytes));
        let changes = run(&mut copy);
        if changes > 0 {
            ctx.space.set_raw(&key, copy, Expiry::Keep);
        }
        changes
    } else {
        ctx.space.edit_string(&key, run)?
    };
    if changes > 0 {
        ctx.changed(&key, class::STRING, "setbit", changes as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::testing::Keyspace;

    #[test]
    fn results_are_made_to_fit() {
        let i8 = Field { signed: true, width: 8 };
        let u8 = Field { signed: false, width: 8 };
        let i64 = Field { signed: true, width: 64 };
        for (field, wide, wrapped, saturated) in [
            (i8, 127, 127, 127),
            (i8, 128, -128, 127),
            (i8, -129, 127, -128),
            (u8, 256, 0, 255),
            (u8, -1, 255, 0),
            (i64, i128::from(i64::MAX) + 1, i64::MIN, i64::MAX),
            (i64, i128::from(i64::MIN) - 1, i64::MAX, i64::MIN),
        ] {
            assert_eq!(field.fit(wide, Overflow::Wrap), Some(wrapped), "{field:?} {wide}");
            assert_eq!(field.fit(wide, Overflow::Saturate), Some(saturated), "{field:?} {wide}");
            let (least, greatest) = field.limits();
            assert_eq!(field.fit(wide, Overflow::Fail).is_some(), (least..=greatest).contains(&wide));
        }
    }

    #[test]
    fn a_set_saturates_as_the_peers_do() {
        let field = |width| Field { signed: true, width };
        for (width, value, written) in [
            (8, -129, -128),
            (8, -i64::MAX + 127, -128),
            (8, -i64::MAX + 126, 127),
            (8, i64::MIN, 127),
            (8, i64::MAX, 127),
            (62, -(1 << 62), -(1 << 61)),
            (62, i64::MIN, (1 << 61) - 1),
            (64, i64::MIN, i64::MIN),
        ] {
            assert_eq!(field(width).nearest_to_set(i128::from(value)), written, "i{width} {value}");
        }
        let mut s = Keyspace::new();
        assert_eq!(s.run("BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775808 GET i8 0"), "[0 127]");
    }

    #[test]
    fn failed_writes_leave_no_trace() {
        let mut s = Keyspace::new();
        assert_eq!(s.run("BITFIELD k OVERFLOW FAIL SET u8 0 256"), "[nil]");
        assert!(s.effects().is_empty());
        assert_eq!(s.run("EXISTS k"), "0");
        s.run("SET k a");
        assert_eq!(s.run("BITFIELD k OVERFLOW FAIL INCRBY u8 100 256 GET u8 0"), "[nil 97]");
        assert_eq!(s.run("STRLEN k"), "1");
        assert_eq!(s.run("BITFIELD k OVERFLOW FAIL INCRBY u8 100 256 INCRBY u8 100 5"), "[nil 5]");
        assert_eq!((s.dirty, s.effects().len(), s.run("STRLEN k").as_str()), (1, 1, "14"));
    }

    proptest! {
        /// Against a model with one bool per bit.
        #[test]
        fn fields_are_what_their_bits_say(
            steps in prop::collection::vec((any::<bool>(), 1..=64u32, 0..200u64, any::<i64>(), 0..3), 1..30),
        ) {
            let mut s = Keyspace::new();
            let mut model = vec![false; 300];
            for (signed, width, at, value, what) in steps {
                let width = if signed { width } else { width.min(63) };
                let field = Field { signed, width };
                let slice = at as usize..at as usize + width as usize;
                let raw = model[slice.clone()].iter().fold(0u64, |n, bit| n << 1 | u64::from(*bit));
                let before = field.wrap(i128::from(raw));
                let name = format!("{}{width}", if signed { 'i' } else { 'u' });
                let (line, wide, answer) = match what {
                    0 => (format!("BITFIELD k GET {name} {at}"), None, before),
                    1 => (format!("BITFIELD k SET {name} {at} {value}"), Some(field.wide(value)), before),
                    _ => {
                        let sum = i128::from(before) + i128::from(value);
                        (format!("BITFIELD k INCRBY {name} {at} {value}"), Some(sum), field.wrap(sum))
                    }
                };
                prop_assert_eq!(s.run(&line), format!("[{answer}]"));
                if let Some(wide) = wide {
                    for (i, bit) in model[slice].iter_mut().enumerate() {
                        *bit = wide >> (width as usize - 1 - i) & 1 == 1;
                    }
                }
            }
            let set = model.iter().filter(|bit| **bit).count();
            prop_assert_eq!(s.run("BITCOUNT k"), set.to_string());
        }
    }
}
