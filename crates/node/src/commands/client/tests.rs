use crate::testing::Node;

fn field(line: &str, name: &str) -> String {
    let mut words = line.split([' ', '\r', '\n']);
    let prefix = format!("{name}=");
    words.find_map(|word| word.strip_prefix(&prefix).map(str::to_owned)).unwrap_or_else(|| panic!("{name} in {line}"))
}

#[test]
fn names_and_numbers() {
    let mut node = Node::start("");
    let (a, b) = (node.connect(), node.connect());
    assert_eq!(node.say(a, "CLIENT ID"), ":1\r\n");
    assert_eq!(node.say(b, "CLIENT ID"), ":2\r\n");
    assert_eq!(node.say(a, "CLIENT GETNAME"), "$-1\r\n");
    assert_eq!(node.say(a, "CLIENT SETNAME bob"), "+OK\r\n");
    assert_eq!(node.say(a, "CLIENT GETNAME"), "$3\r\nbob\r\n");
    assert!(node.say(a, "CLIENT SETNAME \"a b\"").starts_with("-ERR Client names cannot"));
    assert_eq!(node.say(a, "CLIENT SETINFO lib-ver 1.2"), "+OK\r\n");
    assert_eq!(node.say(a, "CLIENT SETINFO redis-version 1"), "-ERR Unrecognized option 'redis-version'\r\n");
    let line = node.say(a, "CLIENT INFO");
    assert_eq!(field(&line, "name"), "bob");
    assert_eq!(field(&line, "lib-ver"), "1.2");
    assert_eq!(field(&line, "cmd"), "client|info");
    assert_eq!(field(&line, "flags"), "N");
    assert_eq!(field(&line, "multi"), "-1");
}

#[test]
fn a_bare_container_and_an_unknown_subcommand() {
    let mut node = Node::start("");
    let a = node.connect();
    assert_eq!(node.say(a, "CLIENT"), "-ERR wrong number of arguments for 'client' command\r\n");
    assert_eq!(node.say(a, "CLIENT zip"), "-ERR unknown subcommand 'zip'. Try CLIENT HELP.\r\n");
    assert_eq!(node.say(a, "CLIENT CACHING yes"), "-ERR unknown subcommand 'CACHING'. Try CLIENT HELP.\r\n");
    assert_eq!(node.say(a, "SENTINEL zip"), "-ERR unknown command 'SENTINEL', with args beginning with: 'zip' \r\n");
}

#[test]
fn lists_are_filtered() {
    let mut node = Node::with_threads("protected-mode no", 2, 4);
    let a = node.connect();
    let b = node.connect_to(1, "10.0.0.7:6000");
    node.say(b, "CLIENT SETNAME far");
    node.say(b, "SUBSCRIBE news");
    let ids = |text: &str| {
        let ids = text.split(['\n', '\r']).filter(|line| line.starts_with("id="));
        ids.map(|line| field(line, "id")).collect::<Vec<_>>()
    };
    for (filter, expect) in [
        ("", &["1", "2"][..]),
        ("ID 2 7", &["2"]),
        ("TYPE pubsub", &["2"]),
        ("NOT-TYPE pubsub", &["1"]),
        ("NAME far", &["2"]),
        ("NOT-NAME far", &["1"]),
        ("FLAGS P", &["2"]),
        ("FLAGS N", &["1"]),
        ("IP 10.0.0.7", &["2"]),
        ("SKIPME yes", &["2"]),
        ("MAXAGE 1", &[]),
        ("NOT-ID 1 2", &[]),
        ("DB 0", &["1", "2"]),
        ("USER default ID 1", &["1"]),
    ] {
        assert_eq!(ids(&node.say(a, &format!("CLIENT LIST {filter}"))), expect, "{filter}");
    }
    for (filter, error) in [
        ("ID", "ERR syntax error"),
        ("ID 0", "ERR client-id should be greater than 0"),
        ("TYPE odd", "ERR Unknown client type 'odd'"),
        ("USER bob", "ERR No such user 'bob'"),
        ("DB 16", "ERR DB number should be between 0 and 15"),
        ("NOT-FLAGS Q", "ERR Unknown flags found in the NOT-FLAGS filter: Q"),
        ("MAXAGE 0", "ERR maxage should be greater than 0"),
    ] {
        assert_eq!(node.say(a, &format!("CLIENT LIST {filter}")), format!("-{error}\r\n"), "{filter}");
    }
}

#[test]
fn a_killed_client_executes_nothing_more() {
    let mut node = Node::with_threads("", 2, 1);
    let a = node.connect();
    let b = node.connect_to(1, "127.0.0.1:7000");
    assert_eq!(node.say(a, "CLIENT KILL ID 2"), ":1\r\n");
    assert!(node.is_closing(b));
    node.feed(b, b"SET k v\r\n");
    assert_eq!(node.say(a, "GET k"), "$-1\r\n");
    assert_eq!(node.say(a, "CLIENT KILL ID 2"), ":0\r\n", "it was killed before");
    assert!(!node.say(a, "CLIENT LIST").contains("id=2"));
    assert_eq!(node.say(a, "CLIENT KILL 1.2.3.4:5"), "-ERR No such client\r\n");
    assert_eq!(node.say(a, "CLIENT KILL 127.0.0.1:5000"), "+OK\r\n", "the old form may kill oneself");
    assert!(node.is_closing(a));
}

#[test]
fn a_killed_client_takes_nothing() {
    let mut node = Node::with_threads("", 2, 1);
    let a = node.connect();
    let b = node.connect_to(1, "127.0.0.1:7000");
    assert_eq!(node.say(b, "BLPOP k 0"), "");
    // The letter to its thread is not read before the push.
    node.feed(a, b"CLIENT KILL ID 2\r\nLPUSH k v\r\n");
    node.settle();
    node.close(b);
    node.heard(a);
    assert_eq!(node.say(a, "BLPOP k 0"), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
}

#[test]
fn waits_are_ended_once() {
    let mut node = Node::with_threads("", 2, 1);
    let a = node.connect();
    let b = node.connect_to(1, "127.0.0.1:7000");
    assert_eq!(node.say(a, "CLIENT UNBLOCK 2"), ":0\r\n");
    assert_eq!(node.say(b, "BLPOP k 0"), "");
    assert!(node.say(a, "CLIENT LIST ID 2").contains("flags=b"));
    node.feed(a, b"CLIENT UNBLOCK 2\r\nCLIENT UNBLOCK 2\r\nLPUSH k v\r\n");
    node.settle();
    assert_eq!(node.heard(a), ":1\r\n:0\r\n+OK\r\n".replace("+OK", &node.pushed()));
    assert_eq!(node.heard(b), "*-1\r\n");
    node.say(a, "DEL k");
    assert_eq!(node.say(b, "BLPOP k 0"), "");
    assert_eq!(node.say(a, "CLIENT UNBLOCK 2 ERROR"), ":1\r\n");
    assert_eq!(node.heard(b), "-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n");
    assert_eq!(node.say(b, "WAIT 1 0"), "");
    assert_eq!(node.say(a, "CLIENT UNBLOCK 2 TIMEOUT"), ":1\r\n");
    assert_eq!(node.heard(b), ":0\r\n");
}

#[test]
fn replies_can_be_turned_off() {
    let mut node = Node::start("");
    let a = node.connect();
    assert_eq!(node.say(a, "CLIENT REPLY SKIP"), "");
    assert_eq!(node.say(a, "PING"), "");
    assert_eq!(node.say(a, "PING"), "+PONG\r\n");
    assert_eq!(node.say(a, "CLIENT REPLY OFF"), "");
    assert_eq!(node.say(a, "PING"), "");
    assert_eq!(node.say(a, "CLIENT REPLY SKIP"), "");
    assert_eq!(node.say(a, "PING"), "");
    let confirmation = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n";
    assert_eq!(node.say(a, "SUBSCRIBE c"), confirmation, "what is no reply is sent all the same");
    assert_eq!(node.say(a, "UNSUBSCRIBE"), confirmation.replace("$9\r\n", "$11\r\nun").replace(":1", ":0"));
    assert_eq!(node.say(a, "CLIENT REPLY ON"), "+OK\r\n");
    assert_eq!(node.say(a, "PING"), "+PONG\r\n");
}

#[test]
fn writes_wait_for_the_end_of_a_pause() {
    let mut node = Node::with_threads("", 2, 4);
    let a = node.connect();
    let b = node.connect_to(1, "127.0.0.1:7000");
    assert_eq!(node.say(a, "CLIENT PAUSE 1000 WRITE"), "+OK\r\n");
    assert_eq!(node.say(b, "GET k"), "$-1\r\n");
    assert_eq!(node.say(b, "SET k v"), "");
    assert_eq!(node.say(b, "PING"), "", "what comes behind a paused command waits for it");
    assert!(node.say(a, "CLIENT LIST ID 2").contains("flags=b"));
    assert_eq!(node.say(a, "CLIENT UNBLOCK 2"), ":0\r\n");
    node.pass(999);
    assert_eq!(node.heard(b), "");
    node.pass(1);
    assert_eq!(node.heard(b), "+OK\r\n+PONG\r\n");
    assert!(node.say(a, "CLIENT LIST ID 2").contains("flags=N"));
    node.say(a, "CLIENT PAUSE 1000 WRITE");
    assert_eq!(node.say(a, "CLIENT PAUSE 1 WRITE"), "+OK\r\n", "a shorter pause changes nothing");
    node.pass(10);
    assert_eq!(node.say(b, "SET k v"), "");
    assert_eq!(node.say(a, "CLIENT UNPAUSE"), "+OK\r\n");
    assert_eq!(node.heard(b), "+OK\r\n");
    assert_eq!(node.say(a, "CLIENT PAUSE 1000"), "+OK\r\n");
    assert_eq!(node.say(a, "CLIENT UNPAUSE"), "", "a pause of all ends with its time alone");
    assert_eq!(node.say(b, "PING"), "");
    node.pass(1000);
    assert_eq!((node.heard(a), node.heard(b)), ("+OK\r\n".to_owned(), "+PONG\r\n".to_owned()));
    for (args, error) in [("x", "timeout is not an integer or out of range"), ("-1", "timeout is negative")] {
        assert_eq!(node.say(a, &format!("CLIENT PAUSE {args}")), format!("-ERR {error}\r\n"));
    }
    assert_eq!(node.say(a, "CLIENT PAUSE 1 some"), "-ERR CLIENT PAUSE mode must be WRITE or ALL\r\n");
}

#[test]
fn who_could_be_served_during_a_pause_is_served_after_it() {
    let mut node = Node::start("");
    let (a, b) = (node.connect(), node.connect());
    assert_eq!(node.say(b, "BLPOP k 0"), "");
    node.send(a, b"MULTI\r\nCLIENT PAUSE 1000\r\nLPUSH k v\r\nEXEC\r\n");
    assert_eq!(node.heard(b), "");
    node.pass(1000);
    assert_eq!(node.heard(b), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n");
}

#[test]
fn a_client_that_waits_goes_on_being_read() {
    let mut node = Node::start("client-query-buffer-limit 1mb");
    let (a, b) = (node.connect(), node.connect());
    assert_eq!(node.say(a, "BLPOP k 0"), "");
    assert!(node.client(a).is_some_and(|client| client.waits_long()));
    node.send(a, b"PING\r\n");
    assert_eq!(node.heard(a), "");
    node.say(b, "LPUSH k v");
    assert_eq!(node.heard(a), "*2\r\n$1\r\nk\r\n$1\r\nv\r\n+PONG\r\n");
    node.say(a, "BLPOP k 0");
    node.send(a, &vec![b'x'; 2 << 20]);
    assert!(node.is_closing(a), "it may not send without end");
}

#[test]
fn only_the_import_source_sees_what_has_expired() {
    let mut node = Node::start("import-mode yes");
    let (a, b) = (node.connect(), node.connect());
    assert_eq!(node.say(a, "CLIENT IMPORT-SOURCE ON"), "+OK\r\n");
    assert!(node.say(b, "CLIENT LIST ID 1").contains(" flags=I "));
    node.say(a, "SET k v PXAT 1");
    assert_eq!(node.say(a, "GET k"), "$1\r\nv\r\n");
    assert_eq!(node.say(b, "GET k"), "$-1\r\n");
    assert_eq!(node.say(b, "DBSIZE"), ":1\r\n", "it is hidden, not deleted");
    assert_eq!(node.say(a, "RESET"), "+RESET\r\n");
    assert_eq!(node.say(a, "GET k"), "$-1\r\n");
}

#[test]
fn who_has_not_authenticated_learns_nothing() {
    let mut node = Node::start("requirepass secret\nenable-debug-command no");
    let a = node.connect();
    for line in ["NOPE", "SET k", "CLIENT NOPE", "DEBUG HELP", "GET k"] {
        assert_eq!(node.say(a, line), "-NOAUTH Authentication required.\r\n", "{line}");
    }
    assert_eq!(node.say(a, "AUTH secret"), "+OK\r\n");
    assert!(node.say(a, "NOPE").starts_with("-ERR unknown command"));
}
