//! What becomes of a command that its user may not run: it is counted, and told to who asks by `ACL LOG`.

use std::sync::atomic::AtomicU64;

use acl::{Denied, Entry, Place, Reason};
use command::row::Row;
use resp::args::Args;
use resp::error::Error;
use session::{Client, Flag};

use crate::commands::client::line;
use crate::execute::Core;
use crate::stats::{Counters, add};

/// Takes note that a command was denied; the error is that of a command which is not executed.
pub(crate) fn note(core: &mut Core<'_>, client: &Client, row: &Row, args: &Args<'_>, denied: Denied) -> Error {
    let control = core.control();
    let name = control.users.get(client.user).map_or(Vec::new(), |user| user.name.clone());
    let error = denied.error(&name, row);
    enter(core, client, denied.reason.name(), counter(denied.reason), denied.object(row, args), name);
    error
}

/// Takes note that somebody did not come in. `verb` is how it was tried.
pub(crate) fn note_failed_login(core: &mut Core<'_>, client: &Client, user: &[u8], verb: &[u8]) {
    enter(core, client, "auth", |counters| &counters.acl_denied_auth, verb.to_vec(), user.to_vec());
}

fn counter(reason: Reason) -> fn(&Counters) -> &AtomicU64 {
    match reason {
        Reason::Command => |counters| &counters.acl_denied_cmd,
        Reason::Key => |counters| &counters.acl_denied_key,
        Reason::Channel => |counters| &counters.acl_denied_channel,
        Reason::Database => |counters| &counters.acl_denied_db,
    }
}

fn enter(
    core: &mut Core<'_>,
    client: &Client,
    reason: &'static str,
    counter: fn(&Counters) -> &AtomicU64,
    object: Vec<u8>,
    user: Vec<u8>,
) {
    add(counter(core.counters), 1);
    let max = core.control().config.security.acllog_max_len as usize;
    let now = core.server.engine.now().0;
    let in_multi = core.in_exec || client.card.is(Flag::Multi);
    let entry = Entry {
        count: 0,
        reason,
        place: if in_multi { Place::Multi } else { Place::TopLevel },
        object,
        user,
        client: line::line(core, &client.card, false).into_bytes(),
        id: 0,
        created: now,
        updated: now,
    };
    core.server.acl_log.lock().note(entry, max);
}
