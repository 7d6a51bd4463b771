//! CLIENT PAUSE, and how it ends.
//!
//! A pause is part of the control value, so when its OK leaves no write is under way. It ends by CLIENT UNPAUSE or by the
//! clock; then everybody who waits tries again.

use keyspace::UnixMillis;

use crate::control::{Change, Pause};
use crate::execute::Core;

/// Ends the pauses whose time is over. True while one is still on.
pub fn end_if_due(core: &mut Core<'_>, now: UnixMillis) -> bool {
    let control = core.control();
    match control.first_pause_end() {
        None => return false,
        Some(until) if now < until => return true,
        Some(_) => {}
    }
    core.later(Change::new(move |control| control.end_pauses(now)));
    core.make_changes();
    core.control().pause != Pause::None
}
