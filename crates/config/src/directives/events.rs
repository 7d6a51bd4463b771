//! Keyspace notifications.

use crate::kind::events;
use crate::notify::Notify;

section! {
    /// Keyspace notifications.
    Events in events;

    /// Which events are published, by letters.
    notify_keyspace_events: Notify = Notify::NONE => "notify-keyspace-events", events();
}
