//! DUMP: a value as bytes for RESTORE, here or on another server.
//!
//! The payload is the value as snapshots have it, its RDB version and a checksum. The version is the oldest that can hold the
//! value (11 in all cases but hashes with expiring fields), where the peer writes its own newest: so what is dumped here is
//! restored by older servers and by Redis. Neither the expiry nor the accesses are part of it.

use command::context::{Context, Done};
use rdb::encode::Form;
use rdb::{Version, dump};

pub(super) fn dump(ctx: &mut Context<'_, '_>) -> Done {
    let key = ctx.key(1);
    let form = Form { version: Version(ctx.env.rdb_version as u16), compress: true };
    let mut payload = Vec::new();
    match ctx.space.find(&key) {
        None => ctx.reply.null(),
        Some(view) => match dump::write(form, &mut payload, view.payload()) {
            Ok(()) => ctx.reply.bulk(&payload),
            // No server is told to write versions that cannot hold what it holds.
            Err(rdb::encode::TooNew) => ctx.reply.null(),
        },
    }
    Ok(())
}
