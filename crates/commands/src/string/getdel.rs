//! GETDEL: a string and its end. DELIFEQ: the end of a string, if it is the one that is meant.
//!
//! Both are journalled as the DEL that they amount to.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::{Deletion, Key};
use value::StringRef;

use super::answer;

pub(super) fn getdel(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let value = ctx.space.read_string(&key)?;
    let found = value.is_some();
    answer(ctx.reply, value);
    if found {
        delete(ctx, &key);
    }
    Ok(())
}

pub(super) fn delifeq(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let wanted = ctx.args.at(2);
    let equal = ctx.space.peek_string(&key)?.is_some_and(|value| value == StringRef::Bytes(wanted));
    if equal {
        delete(ctx, &key);
    }
    ctx.reply.integer(i64::from(equal));
    Ok(())
}

fn delete(ctx: &mut Context<'_, '_>, key: &Key<'_>) {
    ctx.space.remove(key, Deletion::Sync);
    ctx.changed(key, class::GENERIC, "del", 1);
    let db = ctx.space.db;
    ctx.effects.rewrite(db, &[b"DEL", key.bytes]);
}
