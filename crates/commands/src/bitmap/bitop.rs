//! BITOP: strings combined bit by bit, and the result kept under a key.
//!
//! Shorter strings go on with zeros up to the length of the longest, which is the length of the result and the answer;
//! when all are empty the destination is deleted. Absent keys are empty strings.
//!
//! DIFF, DIFF1, ANDOR and ONE are those of Redis 8.2, which Valkey does not know; so that every replica and every reader of
//! the AOF understands what is journalled for them, it is the result (SET, DEL), not the command.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::Expiry;
use resp::error::{self, Error};
use smallvec::SmallVec;
use structures::bits::{self, Op};
use value::{ItemText, RawString};

use crate::options::is;

const OPERATIONS: [(&str, Op); 8] = [
    ("AND", Op::And),
    ("OR", Op::Or),
    ("XOR", Op::Xor),
    ("NOT", Op::Not),
    ("DIFF", Op::Diff),
    ("DIFF1", Op::Diff1),
    ("ANDOR", Op::AndOr),
    ("ONE", Op::One),
];

fn operation(ctx: &Context<'_, '_>) -> Result<Op, Error> {
    let found = OPERATIONS.into_iter().find(|(name, _)| is(ctx.args.at(1), name));
    let (name, op) = found.ok_or(error::common::SYNTAX)?;
    match (op, ctx.args.len() - 3) {
        (Op::Not, sources) if sources != 1 => Err(error::bitmap::BITOP_NOT),
        (Op::Diff | Op::Diff1 | Op::AndOr, 1) => Err(error::bitmap::bitop_two_sources(name)),
        _ => Ok(op),
    }
}

pub(super) fn bitop(ctx: &mut Context<'_, '_>) -> Done {
    let op = operation(ctx)?;
    // A first look counts the accesses and deletes what has expired; the second one then borrows all sources at once.
    for name in ctx.args.from(3) {
        ctx.space.read_string(&ctx.space.key(name))?;
    }
    let result = {
        let texts: SmallVec<[ItemText<'_>; 8]> = ctx
            .args
            .from(3)
            .iter()
            .map(|name| match ctx.space.glance(&ctx.space.key(name)).and_then(|view| view.string().ok()) {
                Some(value) => value.text(),
                None => ItemText::Stored(b""),
            })
            .collect();
        let sources: SmallVec<[&[u8]; 8]> = texts.iter().map(|text| &**text).collect();
        bits::combine(op, &sources)
    };
    let (db, key) = (ctx.space.db, ctx.key(2));
    let known_to_all = matches!(op, Op::And | Op::Or | Op::Xor | Op::Not);
    if result.is_empty() {
        if ctx.delete(&key) && !known_to_all {
            ctx.effects.rewrite(db, &[b"DEL", key.bytes]);
        }
    } else {
        ctx.space.set_raw(&key, RawString::from_bytes(&result), Expiry::None);
        ctx.changed(&key, class::STRING, "set", 1);
        if !known_to_all {
            ctx.effects.rewrite(db, &[b"SET", key.bytes, &result]);
        }
    }
    ctx.reply.length(result.len());
    Ok(())
}
