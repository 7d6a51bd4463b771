//! What one client may use, and what becomes of one that uses more.
//!
//! | limit | looked at | consequence |
//! |---|---|---|
//! | `maxclients`, `protected-mode` | when it connects | an error, then the connection is closed |
//! | `client-query-buffer-limit` | when its request is not complete yet | closed at once |
//! | `client-output-buffer-limit` | after each command, each message, and by the clock (soft limit) | closed at once |
//! | `timeout` | by the clock | closed at once |
//!
//! Output counts as soon as it is more than [`STATIC_OUTPUT`], as in every Redis: what fits the buffer that a client has
//! anyway is free. Memory of an input buffer that was needed once is given back when the client has not needed it for a while.

use std::sync::atomic::Ordering;

use config::OutputBufferLimit;
use keyspace::UnixMillis;
use resp::error::{self, Error};
use resp::log_text;
use session::{Client, ClientCard, ClientKind, Flag};

use crate::commands::client::line;
use crate::control::Control;
use crate::execute::Core;
use crate::server::LogLevel;
use crate::stats::add;

/// Output up to this counts for no limit.
pub const STATIC_OUTPUT: usize = 16 * 1024;

/// How much input, and how much unread output, a client may cause before it has authenticated.
const UNAUTHENTICATED_INPUT: u64 = 1 << 20;
const UNAUTHENTICATED_OUTPUT: usize = 1024;

/// An input buffer that is larger than this is cut when its client has come to send less.
const LARGE_INPUT: usize = 32 * 1024;

/// After so long without a request a client's input buffer is given back.
const IDLE_INPUT_MS: i64 = 2000;

/// Why a connection is refused as soon as it is made.
pub fn refusal(core: &Core<'_>, control: &Control, card: &ClientCard) -> Option<Error> {
    if core.server.cards.len() >= control.config.clients.maxclients as usize {
        return Some(error::client::MAX_CLIENTS);
    }
    let open = control.users.default_user().nopass;
    if control.config.network.protected_mode && open && !card.is_local() {
        return Some(error::client::PROTECTED_MODE);
    }
    None
}

/// Bytes of output that count for limits.
pub fn counted_output(client: &Client) -> usize {
    let chunks: usize = client.chunks.iter().map(|chunk| chunk.len()).sum();
    let own = client.out.len();
    if own > STATIC_OUTPUT { own + chunks } else { chunks }
}

/// Closes a client whose output has grown beyond its limit.
pub fn check_output(core: &mut Core<'_>, client: &mut Client) {
    let large = core.server.switches.large_replies.load(Ordering::Relaxed);
    if client.out.len() <= STATIC_OUTPUT && client.chunks.is_empty() && client.soft_limit_since.is_none() && !large {
        return;
    }
    if client.close_asap {
        return;
    }
    let used = counted_output(client) + if large && !client.out.is_empty() { STATIC_OUTPUT } else { 0 };
    let control = core.control();
    let now = core.server.engine.now();
    if !client.authenticated && !client.known && used > UNAUTHENTICATED_OUTPUT
        || exceeds(&control, client, used as u64, now)
    {
        client.close_asap = true;
        client.card.set(Flag::CloseAsap, true);
        add(&core.counters.output_limit_disconnections, 1);
        let who = line::describe(core, &client.card);
        core.server.host.log(LogLevel::Warning, &log_text::client::output_limit(&who));
    }
}

fn exceeds(control: &Control, client: &mut Client, used: u64, now: UnixMillis) -> bool {
    let limits = &control.config.clients.client_output_buffer_limit;
    let limit: &OutputBufferLimit = match client.card.kind() {
        ClientKind::Normal | ClientKind::Primary => &limits.normal,
        ClientKind::PubSub => &limits.pubsub,
        ClientKind::Replica if limits.replica_given => &limits.replica,
        ClientKind::Replica => return false,
    };
    if limit.hard_bytes > 0 && used >= limit.hard_bytes {
        return true;
    }
    if limit.soft_bytes == 0 || used < limit.soft_bytes {
        client.soft_limit_since = None;
        return false;
    }
    let since = *client.soft_limit_since.get_or_insert(now);
    now.0 - since.0 > limit.soft_seconds as i64 * 1000
}

/// Closes a client whose unfinished request has grown beyond the limit.
pub fn check_input(core: &mut Core<'_>, control: &Control, client: &mut Client) {
    let queued = client.multi.as_ref().map_or(0, |multi| multi.bytes);
    let used = (client.input.len() + queued) as u64;
    if used <= control.config.clients.client_query_buffer_limit
        && (client.authenticated || used <= UNAUTHENTICATED_INPUT)
    {
        return;
    }
    client.close_asap = true;
    client.card.set(Flag::CloseAsap, true);
    add(&core.counters.query_limit_disconnections, 1);
    let who = line::describe(core, &client.card);
    core.server.host.log(LogLevel::Warning, &log_text::client::query_limit(&who));
}

/// Closes a client that has been idle for too long.
pub fn check_idle(core: &Core<'_>, control: &Control, client: &mut Client, now: UnixMillis) {
    let timeout = i64::from(control.config.network.timeout);
    let exempt = [Flag::Replica, Flag::Monitor, Flag::Primary, Flag::Blocked, Flag::PubSub];
    if timeout == 0 || exempt.iter().any(|flag| client.card.is(*flag)) {
        return;
    }
    if now.0 - client.card.last_seen.load(Ordering::Relaxed) > timeout * 1000 {
        client.close_asap = true;
        client.card.set(Flag::CloseAsap, true);
        core.server.host.log(LogLevel::Verbose, log_text::client::IDLE);
    }
}

/// Gives back memory of an input buffer that its client has not needed lately.
pub fn shrink_input(client: &mut Client, now: UnixMillis) {
    let idle = now.0 - client.card.last_seen.load(Ordering::Relaxed);
    if idle > IDLE_INPUT_MS {
        client.input.shrink_to(client.input.len());
        client.want = 0;
    } else if client.input.capacity() > LARGE_INPUT && client.input_peak < client.input.capacity() / 2 {
        client.input.shrink_to(client.input_peak.max(client.input.len()).max(STATIC_OUTPUT));
    }
    client.input_peak = client.input.len();
    client.owns_input = client.input.capacity() > 0;
}
