//! CLIENT PAUSE and the guard of a server that has just started, and how they end.
//!
//! A pause is part of the control value, so when its OK leaves no write is under way. It ends by CLIENT UNPAUSE or by the
//! clock; then everybody who waits tries again.

use keyspace::UnixMillis;
use resp::log_text;

use crate::control::{Change, Pause};
use crate::execute::Core;
use crate::server::LogLevel;

/// Ends the guard of a server that nobody has told its role in time.
pub fn end_guard_if_due(core: &mut Core<'_>, now: UnixMillis) {
    if core.control().guard.is_some_and(|until| until <= now) {
        core.later(Change::new(|control| control.guard = None));
        core.make_changes();
        if core.control().guard.is_none() {
            core.server.host.log(LogLevel::Notice, log_text::start::UNGUARDED);
        }
    }
}

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

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    #[test]
    fn a_guarded_server_refuses_writes_until_it_is_told_its_role() {
        let mut node = Node::start("sentinel-guard-ms 5000");
        let a = node.connect();
        assert!(node.say(a, "SET k v").starts_with("-READONLY This server has just started"));
        node.send(a, b"MULTI\r\nSET k v\r\n");
        assert!(node.heard(a).contains("-READONLY"));
        node.say(a, "DISCARD");
        assert_eq!(node.say(a, "GET k"), "$-1\r\n");
        assert_eq!(node.say(a, "REPLICAOF NO ONE"), "+OK\r\n");
        assert_eq!(node.say(a, "SET k v"), "+OK\r\n");
    }

    #[test]
    fn the_guard_ends_by_the_clock() {
        let mut node = Node::start("sentinel-guard-ms 5000");
        let a = node.connect();
        node.pass(4900);
        assert!(node.say(a, "SET k v").starts_with("-READONLY"));
        node.pass(200);
        assert_eq!(node.say(a, "SET k v"), "+OK\r\n");
    }
}
