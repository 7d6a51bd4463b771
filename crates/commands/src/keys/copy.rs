//! COPY: a second key with the same value and expiry, here or in another database.
//!
//! `COPY source destination [DB number] [REPLACE]`. Without REPLACE a destination that is there stays, and the answer
//! is 0. Encodings are copied as they are.

use command::context::{Context, Done};
use command::effects::class;
use keyspace::DbIndex;
use resp::error::{self, Error};

use super::database;
use crate::options::is;

struct Options {
    db: DbIndex,
    replace: bool,
}

impl Options {
    fn parse(ctx: &Context<'_, '_>) -> Result<Self, Error> {
        let mut options = Options { db: ctx.space.db, replace: false };
        let mut words = ctx.args.from(3).iter();
        while let Some(word) = words.next() {
            if is(word, "REPLACE") {
                options.replace = true;
            } else if is(word, "DB") {
                options.db = database(ctx, words.next().ok_or(error::common::SYNTAX)?)?;
            } else {
                return Err(error::common::SYNTAX);
            }
        }
        Ok(options)
    }
}

pub(super) fn copy(ctx: &mut Context<'_, '_>) -> Done {
    let Options { db, replace } = Options::parse(ctx)?;
    let (from, to) = (ctx.key(1), ctx.key(2));
    if db == ctx.space.db && from.bytes == to.bytes {
        return Err(error::common::SAME_OBJECT.into());
    }
    let found = ctx.space.find(&from).is_some();
    let copies = found && (!ctx.in_db(db, |ctx| ctx.space.exists(&to)) || replace);
    if copies && let Some(value) = ctx.space.duplicate(&from) {
        ctx.in_db(db, |ctx| {
            ctx.space.put(&to, value);
            ctx.changed(&to, class::GENERIC, "copy_to", 1);
        });
    }
    ctx.reply.integer(i64::from(copies));
    Ok(())
}
