//! HGETDEL: fields answered and removed; the key goes with the last one.
//!
//! A field that is named twice is there the first time only. In the journal stands HDEL, which every server knows.

use command::context::{Context, Done};
use command::effects::class;
use resp::error;
use smallvec::SmallVec;
use value::Hash;

use super::answer_or_null;
use crate::options::{integer, is};

pub(super) fn hgetdel(ctx: &mut Context<'_, '_>) -> Done {
    if !is(ctx.args.at(2), "FIELDS") {
        return Err(error::common::SYNTAX.into());
    }
    let fields = ctx.args.from(4);
    if integer(ctx.args.at(3))? != fields.len() as i64 {
        return Err(error::hash::NUMFIELDS.into());
    }
    let key = ctx.key(1);
    let Some(hash) = ctx.space.edit::<Hash>(&key)? else {
        ctx.reply.array(fields.len());
        fields.iter().for_each(|_| ctx.reply.null());
        return Ok(());
    };
    let mut removed = 0;
    ctx.reply.array(fields.len());
    for field in fields {
        answer_or_null(ctx.reply, hash.get(field));
        removed += u64::from(hash.remove(field));
    }
    let emptied = hash.is_empty();
    if removed > 0 {
        ctx.changed(&key, class::HASH, "hdel", removed);
        let words: SmallVec<[&[u8]; 8]> = [&b"HDEL"[..], key.bytes].into_iter().chain(fields.iter()).collect();
        let db = ctx.space.db;
        ctx.effects.rewrite(db, &words);
    }
    if emptied {
        ctx.delete_if_empty::<Hash>(&key);
    }
    Ok(())
}
