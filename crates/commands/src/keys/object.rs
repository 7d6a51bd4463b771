//! OBJECT: what stands behind a key: its encoding, and how it was used.
//!
//! Looking is no access. IDLETIME and FREQ read the same word of the entry, which counts seconds under an LRU policy and
//! accesses under an LFU one; each is refused under the other's. Values are never shared, so REFCOUNT is always 1.

use command::context::{Context, Done};
use keyspace::View;
use resp::error;
use structures::entry::Payload;
use value::{StringRef, string_encoding};

pub(super) fn encoding(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(2);
    match ctx.space.peek(&key) {
        Some(view) => ctx.reply.bulk(encoding_of(&view).as_bytes()),
        None => ctx.reply.null(),
    }
    Ok(())
}

fn encoding_of(view: &View<'_>) -> &'static str {
    let string = |string, changed| string_encoding(view.key().len(), view.expire().is_some(), string, changed);
    match view.payload() {
        Payload::Int(n) => string(StringRef::Int(n), false),
        Payload::Bytes { bytes, raw } => string(StringRef::Bytes(bytes), raw),
        Payload::Value(value) => value.encoding(),
    }
}

pub(super) fn freq(ctx: &mut Context<'_, '_>) -> Done {
    let (key, clock) = (ctx.key(2), ctx.space.clock);
    let Some(word) = ctx.space.peek(&key).map(|view| view.access()) else {
        ctx.reply.null();
        return Ok(());
    };
    if !ctx.env.lfu {
        return Err(error::keys::NO_LFU_NO_FREQ.into());
    }
    ctx.reply.integer(i64::from(clock.frequency(word)));
    Ok(())
}

pub(super) fn idletime(ctx: &mut Context<'_, '_>) -> Done {
    let (key, clock) = (ctx.key(2), ctx.space.clock);
    let Some(word) = ctx.space.peek(&key).map(|view| view.access()) else {
        ctx.reply.null();
        return Ok(());
    };
    if ctx.env.lfu {
        return Err(error::keys::LFU_NO_IDLETIME.into());
    }
    ctx.reply.integer(i64::from(clock.idle_seconds(word)));
    Ok(())
}

pub(super) fn refcount(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(2);
    match ctx.space.exists(&key) {
        true => ctx.reply.integer(1),
        false => ctx.reply.null(),
    }
    Ok(())
}

pub(super) fn help(ctx: &mut Context<'_, '_>) -> Done {
    ctx.reply.help(&[
        "OBJECT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
        "ENCODING <key>",
        "    Tell how the value is stored.",
        "FREQ <key>",
        "    Tell the access frequency counter, which grows with the logarithm of the accesses.",
        "IDLETIME <key>",
        "    Tell for how many seconds the key was not used.",
        "REFCOUNT <key>",
        "    Tell how many references the value has.",
        "HELP",
        "    Print this help.",
    ]);
    Ok(())
}
