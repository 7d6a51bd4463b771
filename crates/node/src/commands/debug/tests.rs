use std::time::Duration;

use crate::testing::Node;

const OPEN: &str = "enable-debug-command yes";

#[test]
fn a_plain_server_allows_what_is_harmless_from_this_host() {
    let mut node = Node::start("protected-mode no");
    let near = node.connect();
    let far = node.connect_to(0, "10.1.1.1:4000");
    assert_eq!(node.say(near, "DEBUG SLEEP 0.5"), "+OK\r\n");
    assert_eq!(*node.notes.slept.lock(), [Duration::from_millis(500)]);
    for (who, line) in [(near, "DEBUG POPULATE 5"), (far, "DEBUG SLEEP 0"), (far, "DEBUG nope")] {
        assert!(node.say(who, line).starts_with("-ERR DEBUG command not allowed."), "{line}");
    }
    assert_eq!(node.say(near, "MULTI"), "+OK\r\n");
    assert!(node.say(near, "DEBUG POPULATE 5").starts_with("-ERR DEBUG"));
    assert!(node.say(near, "EXEC").starts_with("-EXECABORT"));
}

#[test]
fn other_settings_open_or_close_it() {
    let mut node = Node::start("enable-debug-command no");
    let a = node.connect();
    assert!(node.say(a, "DEBUG SLEEP 0").starts_with("-ERR DEBUG command not allowed."));
    let mut node = Node::start(OPEN);
    let a = node.connect();
    assert_eq!(node.say(a, "DEBUG POPULATE 5"), "+OK\r\n");
    assert_eq!(node.say(a, "DBSIZE"), ":5\r\n");
    assert_eq!(
        node.say(a, "DEBUG nope"),
        "-ERR unknown subcommand or wrong number of arguments for 'nope'. Try DEBUG HELP.\r\n"
    );
    assert!(node.say(a, "DEBUG HELP").contains("+POPULATE <count> [<prefix>] [<size>]\r\n"));
}

#[test]
fn data_have_the_digests_of_the_peers() {
    let mut node = Node::with_threads(OPEN, 1, 4);
    let a = node.connect();
    assert_eq!(node.say(a, "DEBUG DIGEST"), format!("+{}\r\n", "0".repeat(40)));
    node.say(a, "DEBUG POPULATE 10 p 20");
    // What valkey-server 9.1 answers after the same command.
    assert_eq!(node.say(a, "DEBUG DIGEST"), "+15fe4da82eda779c3810c834f83f731e2d840975\r\n");
    assert_eq!(
        node.say(a, "DEBUG DIGEST-VALUE p:3 absent"),
        "*2\r\n+d723e6363f34b1f4e722d96c9711ed6237f24308\r\n+0000000000000000000000000000000000000000\r\n"
    );
}

#[test]
fn objects_are_described() {
    let mut node = Node::start(OPEN);
    let a = node.connect();
    assert_eq!(node.say(a, "DEBUG OBJECT k"), "-ERR no such key\r\n");
    node.say(a, "SET k 12345");
    let text = node.say(a, "DEBUG OBJECT k");
    assert!(text.starts_with("+Value at:0x"), "{text}");
    assert!(text.contains(" refcount:1 encoding:"), "{text}");
    assert!(text.contains(" serializedlength:"), "{text}");
    assert!(text.contains(" lru_seconds_idle:0\r\n"), "{text}");
    assert_eq!(node.say(a, "DEBUG LISTPACK k"), "-ERR Not a listpack encoded object.\r\n");
    assert!(node.say(a, "DEBUG HTSTATS 0").contains(" number of elements: 1\n"));
}

#[test]
fn every_type_of_reply_can_be_had() {
    let mut node = Node::start(OPEN);
    let a = node.connect();
    assert_eq!(node.say(a, "DEBUG PROTOCOL true"), ":1\r\n");
    node.say(a, "HELLO 3");
    assert_eq!(node.say(a, "DEBUG PROTOCOL true"), "#t\r\n");
    assert!(node.say(a, "DEBUG PROTOCOL attrib").starts_with("|1\r\n$14\r\nkey-popularity\r\n"));
    assert_eq!(node.say(a, "DEBUG ERROR \"MY text\""), "-MY text\r\n");
    assert!(node.say(a, "DEBUG PROTOCOL zip").starts_with("-ERR Wrong protocol type name."));
}

#[test]
fn the_history_can_be_given_up() {
    let mut node = Node::start(OPEN);
    let a = node.connect();
    let before = node.server.journal.history();
    assert_eq!(node.say(a, "DEBUG CHANGE-REPL-ID"), "+OK\r\n");
    let after = node.server.journal.history();
    assert!(before.id != after.id && after.second.is_none());
}

#[test]
fn unauthenticated_clients_get_little() {
    let mut node = Node::start("requirepass sesame\nenable-debug-command yes");
    let (a, b) = (node.connect(), node.connect());
    node.say(a, "AUTH sesame");
    assert_eq!(node.say(b, "SET x 5"), "-NOAUTH Authentication required.\r\n");
    node.say(a, "DEBUG CLIENT-ENFORCE-REPLY-LIST 1");
    node.say(b, "SET x 5");
    assert!(node.is_closing(b));
    assert!(!node.is_closing(a));
}
