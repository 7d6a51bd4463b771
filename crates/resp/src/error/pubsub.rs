//! Errors of publish and subscribe.

use super::Error;

pub const SUBSCRIBE_DENY_BLOCKING: Error = Error::fixed("ERR SUBSCRIBE isn't allowed for a DENY BLOCKING client");
pub const PSUBSCRIBE_DENY_BLOCKING: Error = Error::fixed("ERR PSUBSCRIBE isn't allowed for a DENY BLOCKING client");
pub const SSUBSCRIBE_DENY_BLOCKING: Error = Error::fixed("ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
