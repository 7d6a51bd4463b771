//! CLIENT PAUSE, and how it ends.
//!
//! A pause is part of the control value, so when its OK leaves no write is under way. It ends by CLIENT UNPAUSE or by the
//! clock; then everybody who waits tries again.

use keyspace::UnixMillis;

use crate::control::Pause;
use crate::execute::Core;

/// Ends a pause whose time is over. True while one is still on.
pub fn end_if_due(core: &mut Core<'_>, now: UnixMillis) -> bool {
    let control = core.control();
    if control.pause == Pause::None {
        return false;
    }
    if now < control.pause_until {
        return true;
    }
    core.later(crate::control::Change::new(move |control| {
        if control.pause_until <= now {
            control.pause = Pause::None;
        }
    }));
    core.make_changes();
    core.server.recheck();
    false
}
