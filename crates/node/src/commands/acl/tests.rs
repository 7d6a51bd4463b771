use crate::testing::Node;

#[test]
fn who_may_not_is_told_so_and_noted() {
    let mut node = Node::start("");
    let a = node.connect();
    assert_eq!(node.say(a, "ACL SETUSER bob on >secret +get +acl|whoami ~own:* resetchannels"), "+OK\r\n");
    let b = node.connect();
    assert_eq!(node.say(b, "AUTH bob guess"), "-WRONGPASS invalid username-password pair or user is disabled.\r\n");
    assert_eq!(node.say(b, "AUTH bob secret"), "+OK\r\n");
    assert_eq!(node.say(b, "ACL WHOAMI"), "$3\r\nbob\r\n");
    assert_eq!(node.say(b, "GET own:1"), "$-1\r\n");
    assert_eq!(node.say(b, "GET other"), "-NOPERM No permissions to access a key\r\n");
    assert_eq!(node.say(b, "SET own:1 v"), "-NOPERM User bob has no permissions to run the 'set' command\r\n");
    let log = node.say(a, "ACL LOG");
    assert!(log.starts_with("*3\r\n"), "{log}");
    for part in ["command", "key", "auth", "toplevel", "$5\r\nother\r\n", "$3\r\nset\r\n", "$4\r\nAUTH\r\n", "user=bob"]
    {
        assert!(log.contains(part), "{part} in {log}");
    }
    assert_eq!(node.say(a, "ACL LOG RESET"), "+OK\r\n");
    assert_eq!(node.say(a, "ACL LOG"), "*0\r\n");
    let totals = node.server.totals();
    assert_eq!((totals.acl_denied_auth, totals.acl_denied_key, totals.acl_denied_cmd), (1, 1, 1));
}

#[test]
fn a_change_counts_at_once_for_who_is_in() {
    let mut node = Node::with_threads("", 2, 8);
    let a = node.connect();
    let b = node.connect_to(1, "127.0.0.1:7000");
    node.say(a, "ACL SETUSER bob on nopass +@all ~*");
    node.send(b, b"AUTH bob x\r\nMULTI\r\nSET k v\r\nGET k\r\nSELECT 1\r\n");
    assert_eq!(node.heard(b), "+OK\r\n+OK\r\n+QUEUED\r\n+QUEUED\r\n+QUEUED\r\n");
    node.say(a, "ACL SETUSER bob -set -exec");
    assert_eq!(
        node.say(b, "EXEC"),
        "-EXECABORT Transaction discarded because of: NOPERM User bob has no permissions to run the 'exec' command\r\n"
    );
    node.say(a, "ACL SETUSER bob +@all");
    node.send(b, b"MULTI\r\nSET k v\r\nGET k\r\n");
    node.heard(b);
    node.say(a, "ACL SETUSER bob -set");
    assert_eq!(
        node.say(b, "EXEC"),
        "*2\r\n-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This \
         command is no longer allowed for the following reason: no permission to execute the command or subcommand\r\n\
         $-1\r\n"
    );
    node.send(b, b"MULTI\r\nSET k v\r\nEXEC\r\n");
    assert_eq!(
        node.heard(b),
        "+OK\r\n-NOPERM User bob has no permissions to run the 'set' command\r\n-EXECABORT Transaction discarded because of \
         previous errors.\r\n"
    );
}

#[test]
fn databases_inside_a_transaction_are_those_it_has_selected() {
    let mut node = Node::start("");
    let a = node.connect();
    node.say(a, "ACL SETUSER bob on nopass +@all ~* db=0,1");
    let b = node.connect();
    node.send(b, b"AUTH bob x\r\nMULTI\r\nSELECT 1\r\nSET k v\r\nSELECT 2\r\n");
    assert!(node.heard(b).ends_with("+QUEUED\r\n+QUEUED\r\n-NOPERM No permissions to access database\r\n"));
}

#[test]
fn who_is_removed_is_closed() {
    let mut node = Node::with_threads("", 2, 8);
    let a = node.connect();
    let b = node.connect_to(1, "127.0.0.1:7000");
    node.say(a, "ACL SETUSER bob on nopass +@all ~*");
    node.say(b, "AUTH bob x");
    assert_eq!(node.say(a, "ACL DELUSER bob nobody"), ":1\r\n");
    assert!(node.is_closing(b));
    assert!(!node.is_closing(a));
    assert_eq!(node.say(a, "ACL DELUSER default"), "-ERR The 'default' user cannot be removed\r\n");
    node.say(a, "ACL SETUSER alice on nopass +@all");
    node.say(a, "AUTH alice x");
    assert_eq!(node.say(a, "ACL DELUSER alice"), ":1\r\n", "who removes itself hears of it");
    assert!(node.is_closing(a));
}

#[test]
fn subscribers_are_closed_when_they_lose_a_channel() {
    let mut node = Node::start("");
    let a = node.connect();
    node.say(a, "ACL SETUSER bob on nopass +@all &a &b");
    let (b, c, d) = (node.connect(), node.connect(), node.connect());
    for who in [b, c, d] {
        node.say(who, "AUTH bob x");
    }
    node.say(b, "SUBSCRIBE a b");
    node.say(c, "SUBSCRIBE a");
    node.say(a, "ACL SETUSER bob &c");
    assert!(!node.is_closing(b));
    node.say(a, "ACL SETUSER bob resetchannels &a");
    assert!(node.is_closing(b) && !node.is_closing(c) && !node.is_closing(d));
    assert_eq!(node.say(d, "PUBLISH b m"), "-NOPERM No permissions to access a channel\r\n");
}

#[test]
fn users_are_written_into_the_configuration_file() {
    let mut node = Node::start("");
    let a = node.connect();
    *node.notes.file.lock() = Some(b"hz 10\nuser bob on\n".to_vec());
    node.say(a, "ACL SETUSER carol on nopass ~x");
    assert_eq!(node.say(a, "CONFIG REWRITE"), "+OK\r\n");
    let text = String::from_utf8(node.notes.file.lock().clone().unwrap()).unwrap();
    assert!(text.starts_with("hz 10\nuser carol on nopass ~x resetchannels -@all\n"), "{text}");
    assert!(text.contains("\nuser default on nopass ~* &* +@all\n"), "{text}");
}

#[test]
fn the_password_of_the_configuration_is_the_default_users() {
    let mut node = Node::start("requirepass secret");
    let a = node.connect();
    assert_eq!(node.say(a, "ACL WHOAMI"), "-NOAUTH Authentication required.\r\n");
    assert_eq!(node.say(a, "AUTH secret"), "+OK\r\n");
    node.say(a, "ACL SETUSER default >other");
    let b = node.connect();
    assert_eq!(node.say(b, "AUTH other"), "+OK\r\n");
    node.say(a, "CONFIG SET requirepass third");
    let c = node.connect();
    assert!(node.say(c, "AUTH other").starts_with("-WRONGPASS"));
    node.say(a, "ACL SETUSER default nopass");
    assert_eq!(node.say(c, "PING"), "+PONG\r\n", "who waits at an open door is in");
}
