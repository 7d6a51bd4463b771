//! SWAPDB: two databases change places, for all clients at one moment.
//!
//! A client that waits for a key in one of them may find it there now, and one that watches a key in either sees it as
//! changed.

use command::context::{Context, Done};
use resp::error;

use super::existing;
use crate::options::int32;

pub(super) fn swapdb(ctx: &mut Context<'_, '_>) -> Done {
    if ctx.env.cluster {
        return Err(error::common::SWAPDB_IN_CLUSTER.into());
    }
    let first = int32(ctx.args.at(1)).map_err(|_| error::common::INVALID_FIRST_DB)?;
    let second = int32(ctx.args.at(2)).map_err(|_| error::common::INVALID_SECOND_DB)?;
    let (a, b) = (existing(ctx, first)?, existing(ctx, second)?);
    if a != b {
        ctx.space.swap_dbs(a, b);
        for db in [a, b] {
            let ready = ctx.space.awaited_keys(db);
            ctx.effects.ready.extend(ready.into_iter().map(|key| (db, key)));
        }
    }
    ctx.effects.dirty += 1;
    ctx.reply.ok();
    Ok(())
}
