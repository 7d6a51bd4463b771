//! INFO, TIME, DBSIZE, LOLWUT.

use super::{Call, ControlBinding, Done, free};
use crate::info;

pub(super) const TABLE: &[ControlBinding] =
    &[free("info", information), free("time", time), free("dbsize", dbsize), free("lolwut", lolwut)];

fn information(call: &mut Call<'_, '_>) -> Done {
    let text = info::page(call.core, call.args.from(1));
    if call.core.server.is_sentinel() {
        // The peers' Sentinels answer like this in either protocol.
        call.client.out.bulk(text.as_bytes());
    } else {
        call.client.out.verbatim(b"txt", text.as_bytes());
    }
    Ok(())
}

/// Seconds and microseconds. Of the latter only milliseconds are known: all commands of a unit see one time.
fn time(call: &mut Call<'_, '_>) -> Done {
    let now = call.core.server.engine.now().0;
    call.client.out.array(2);
    call.client.out.bulk_int(now / 1000);
    call.client.out.bulk_int(now % 1000 * 1000);
    Ok(())
}

/// The sum of what the shards last told. Within a transaction nothing else runs, and it is exact.
fn dbsize(call: &mut Call<'_, '_>) -> Done {
    call.core.lease.publish_counts();
    let (keys, _) = call.core.server.engine.count(call.client.db);
    call.client.out.integer(keys as i64);
    Ok(())
}

fn lolwut(call: &mut Call<'_, '_>) -> Done {
    let text = format!("Rubellite ver. {}\n", call.core.server.host.process().version);
    call.client.out.verbatim(b"txt", text.as_bytes());
    Ok(())
}
