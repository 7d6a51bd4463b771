//! ACL LOG: what was denied of late, newest first.

use resp::error;
use structures::number;

use crate::commands::{Call, Done};

/// How many entries are shown when nothing is said.
const SHOWN: usize = 10;

pub(super) fn log(call: &mut Call<'_, '_>) -> Done {
    let mut shown = SHOWN;
    match call.args.get(2) {
        None => {}
        Some(_) if call.args.len() > 3 => return Err(error::common::subcommand_syntax(b"ACL", call.args.at(1))),
        Some(word) if word.eq_ignore_ascii_case(b"reset") => {
            call.core.server.acl_log.lock().clear();
            call.client.out.ok();
            return Ok(());
        }
        Some(count) => {
            let count = number::parse_i64(count).ok_or(error::common::NOT_INTEGER)?;
            shown = usize::try_from(count).unwrap_or(0);
        }
    }
    let now = call.core.server.engine.now().0;
    let log = call.core.server.acl_log.lock();
    let out = &mut call.client.out;
    out.array(log.entries().len().min(shown));
    for entry in log.entries().take(shown) {
        out.map(10);
        out.bulk(b"count");
        out.integer(entry.count as i64);
        out.bulk(b"reason");
        out.bulk(entry.reason.as_bytes());
        out.bulk(b"context");
        out.bulk(entry.place.name().as_bytes());
        out.bulk(b"object");
        out.bulk(&entry.object);
        out.bulk(b"username");
        out.bulk(&entry.user);
        out.bulk(b"age-seconds");
        out.double((now - entry.updated) as f64 / 1000.0);
        out.bulk(b"client-info");
        out.bulk(&entry.client);
        out.bulk(b"entry-id");
        out.integer(entry.id as i64);
        out.bulk(b"timestamp-created");
        out.integer(entry.created);
        out.bulk(b"timestamp-last-updated");
        out.integer(entry.updated);
    }
    Ok(())
}
