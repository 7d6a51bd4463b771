//! RESTORE of a big payload: another thread makes the value before the command has any lock.
//!
//! ```text
//!   RESTORE key 0 payload ─► payload copied, client parked ─► Host::elsewhere: the value is made
//!                                       woken ◄───────────────────────────┘
//!   the command from the start, with the value at hand: one entry is inserted
//! ```
//!
//! In Redis, and for small payloads here, the command makes the value itself while everybody waits. The price of not waiting
//! are two copies of the payload. In a transaction, and on a replica, the command does it all.

use command::context::Env;
use command::row::Row;
use command::traits::Traits;
use command::unpacked::Unpacked;
use rdb::{Acceptance, Content, Kind, dump};
use resp::args::Args;
use session::{Client, Letter};

use crate::execute::Core;

/// Payloads up to this many bytes are unpacked where the command runs.
const SMALL: usize = 256 * 1024;

impl Core<'_> {
    /// Whether a command can run now: what it is to unpack is small, or has been unpacked. Otherwise that has begun, and the
    /// client will be woken.
    pub(crate) fn is_unpacked(&self, client: &mut Client, row: &Row, args: &Args<'_>, env: &Env) -> bool {
        if !row.is(Traits::UNPACKS) {
            return true;
        }
        if let Some(unpacked) = &client.unpacked {
            return unpacked.is_ready();
        }
        let payload = args.get(3).unwrap_or_default();
        if payload.len() <= SMALL || payload[0] == Kind::STRING.0 {
            return true;
        }
        let unpacked = client.unpacked.insert(Unpacked::default()).clone();
        let done = unpacked.clone();
        let acceptance = if env.rdb_relaxed { Acceptance::Relaxed } else { Acceptance::Strict };
        let (payload, limits, check_sum) = (payload.to_vec(), env.limits, !env.skip_checksum);
        let (mailbox, client) = (self.server.mailboxes[self.me].clone(), client.id());
        self.server.host.elsewhere(Box::new(move || {
            let value = match dump::read(&payload, &limits, acceptance, check_sum) {
                Ok(Content::Value(value)) => Some(value),
                // What is wrong with it, the command finds out itself.
                _ => None,
            };
            done.finish(value);
            mailbox.post(Letter::Wake { client });
        }));
        unpacked.is_ready()
    }
}
