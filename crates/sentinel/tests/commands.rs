//! Subcommands, their replies and errors, as a real Sentinel gives them.

mod universe;

use resp::Value;
use universe::Universe;

const FILE: &str = "port 26379\nsentinel monitor mymaster 10.0.0.1 6379 2\n";

fn one() -> Universe {
    let mut it = Universe::new(1, FILE, 1).with_servers(1);
    it.start_all();
    it.run(5_000);
    it
}

#[test]
fn errors_are_the_peers() {
    let mut it = one();
    for (words, error) in [
        ("foo", "ERR unknown subcommand 'foo'. Try SENTINEL HELP."),
        ("masters x", "ERR wrong number of arguments for 'sentinel|masters' command"),
        ("primary x", "ERR No such master with that name"),
        ("failover mymaster x", "ERR Unknown failover option specified"),
        ("failover mymaster COORDINATED", "NOGOODPRIMARY Primary does not support FAILOVER command"),
        ("monitor a 10.0.0.1 99999 1", "ERR Invalid port number."),
        ("monitor a 10.0.0.1 9 x", "ERR Invalid quorum"),
        ("monitor a 10.0.0.1 x 1", "ERR Invalid port"),
        ("monitor a 10.0.0.1 9 0", "ERR Quorum must be 1 or greater."),
        ("monitor a foo 9 1", "ERR Invalid IP address or hostname specified"),
        ("monitor mymaster 10.0.0.1 9 1", "ERR Duplicate master name."),
        ("set mymaster foo bar", "ERR Unknown option or number of arguments for SENTINEL SET 'foo'"),
        ("set mymaster quorum x", "ERR Invalid argument 'x' for SENTINEL SET 'quorum'"),
        ("set mymaster quorum 2 quorum", "ERR Unknown option or number of arguments for SENTINEL SET 'quorum'"),
        ("set mymaster quorum", "ERR wrong number of arguments for 'sentinel|set' command"),
        ("debug foo", "ERR Unknown option or number of arguments for SENTINEL DEBUG 'foo'"),
        ("debug info-period 0", "ERR Invalid argument '0' for SENTINEL DEBUG 'info-period'"),
        ("config get", "ERR wrong number of arguments for 'sentinel|config' command"),
        ("config set announce-port x", "ERR Invalid value 'x' to SENTINEL CONFIG SET 'announce-port'"),
        ("config set nothing x", "ERR Invalid argument 'nothing' to SENTINEL CONFIG SET"),
        ("config set loglevel notice loglevel debug", "ERR Duplicate argument 'loglevel' to SENTINEL CONFIG SET"),
        ("config set loglevel notice announce-ip", "ERR Missing argument 'announce-ip' value"),
        ("simulate-failure x", "ERR Unknown failure simulation specified"),
        ("simulate-failure", "ERR wrong number of arguments for 'sentinel|simulate-failure' command"),
        ("is-master-down-by-addr 10.0.0.1 6379 x *", "ERR value is not an integer or out of range"),
    ] {
        let value = it.sentinel(0, words);
        let text = value.as_error().map(String::from_utf8_lossy);
        assert_eq!(text.as_deref(), Some(error), "{words}");
    }
    let value = it.command(0, &["SENTINEL", "SET", "mymaster", "auth-pass", "a\nsentinel monitor x 1.2.3.4 1 1"]);
    let error = "ERR Invalid argument at index 4 for SENTINEL SET: control characters are not allowed";
    assert_eq!(value.as_error(), Some(error.as_bytes()));
    let value = it.sentinel(0, "set mymaster notification-script /bin/x");
    assert!(value.as_error().is_some_and(|text| text.starts_with(b"ERR Reconfiguration of scripts path is denied")));
}

#[test]
fn an_error_in_set_changes_nothing() {
    let mut it = one();
    assert!(it.sentinel(0, "set mymaster quorum 5 down-after-milliseconds x").as_error().is_some());
    assert_eq!(it.field(0, "mymaster", "quorum").as_deref(), Some("2"));
    assert!(it.sentinel(0, "set mymaster quorum 5 down-after-milliseconds 700").is_ok());
    assert_eq!(it.field(0, "mymaster", "quorum").as_deref(), Some("5"));
    assert_eq!(it.field(0, "mymaster", "down-after-milliseconds").as_deref(), Some("700"));
    assert!(it.sentinel(0, "set mymaster auth-pass secret").is_ok());
    let shown: Vec<&str> =
        it.nodes[0].events.iter().filter(|(_, name, _)| name == "+set").map(|(_, _, text)| text.as_str()).collect();
    assert_eq!(shown[0], "master mymaster 10.0.0.1 6379 quorum 5");
    assert_eq!(shown[2], "master mymaster 10.0.0.1 6379 auth-pass ******");
}

#[test]
fn fields_come_in_the_peers_order() {
    let mut it = one();
    let names = |value: &Value| match value {
        Value::Map(pairs) => pairs.iter().filter_map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    let common = "name ip port runid flags link-pending-commands link-refcount last-ping-sent last-ok-ping-reply \
                  last-ping-reply down-after-milliseconds";
    let servers = "info-refresh role-reported role-reported-time";
    assert_eq!(
        names(&it.sentinel(0, "master mymaster")),
        format!(
            "{common} {servers} config-epoch num-slaves num-other-sentinels quorum failover-timeout parallel-syncs"
        )
    );
    let replicas = it.sentinel(0, "replicas mymaster");
    assert_eq!(
        names(&replicas.as_array().expect("an array")[0]),
        format!(
            "{common} {servers} master-link-down-time master-link-status master-host master-port slave-priority \
             slave-repl-offset replica-announced"
        )
    );
}

#[test]
fn settings_are_got_and_set() {
    let mut it = one();
    assert!(it.sentinel(0, "config set resolve-hostnames yes announce-port 1234").is_ok());
    let value = it.sentinel(0, "config get announce-p* resolve-hostnames ann*");
    let Value::Map(pairs) = &value else { panic!("{value:?}") };
    let pairs: Vec<(&str, &str)> = pairs.iter().filter_map(|(a, b)| Some((a.as_str()?, b.as_str()?))).collect();
    assert_eq!(
        pairs,
        [("announce-port", "1234"), ("resolve-hostnames", "yes"), ("announce-hostnames", "no"), ("announce-ip", "")]
    );
    assert!(it.sentinel(0, "debug ping-period 500 ask-period 100").is_ok());
    let Value::Map(pairs) = it.sentinel(0, "debug") else { panic!("a map") };
    assert_eq!(pairs.len(), 13);
    assert_eq!(pairs[1].0.as_str().zip(pairs[1].1.as_str()), Some(("PING-PERIOD", "500")));
}

#[test]
fn info_cache_and_info_and_role() {
    let mut it = one();
    let value = it.sentinel(0, "info-cache mymaster nobody mymaster");
    let items = value.as_array().expect("an array");
    assert_eq!(items.len(), 2);
    assert_eq!(items[0].as_str(), Some("mymaster"));
    assert_eq!(items[1].as_array().map(<[Value]>::len), Some(2));
    let machine = it.nodes[0].machine.as_ref().expect("it runs");
    let info = machine.info(sentinel::Now { mono_ms: it.now, unix_ms: 0 });
    let text = String::from_utf8(info).expect("text");
    assert!(
        text.starts_with("# Sentinel\r\nsentinel_masters:1\r\nsentinel_tilt:0\r\nsentinel_tilt_since_seconds:-1\r\n")
    );
    assert!(text.ends_with("master0:name=mymaster,status=ok,address=10.0.0.1:6379,slaves=1,sentinels=1\r\n"), "{text}");
    let mut reply = resp::Reply::new(resp::Proto::Resp2);
    machine.role(&mut reply);
    assert_eq!(reply.buf, b"*2\r\n$8\r\nsentinel\r\n*1\r\n$8\r\nmymaster\r\n");
}

#[test]
fn monitoring_begins_ends_and_is_reset() {
    let mut it = one();
    assert!(it.sentinel(0, "monitor second 10.0.0.2 6379 1").is_ok());
    assert_eq!(it.sentinel(0, "masters").as_array().map(<[Value]>::len), Some(2));
    assert_eq!(it.sentinel(0, "reset my*").as_int(), Some(1));
    assert_eq!(it.field(0, "mymaster", "num-slaves").as_deref(), Some("0"));
    assert!(it.any_heard("+reset-master", 0));
    it.run(5_000);
    assert_eq!(it.field(0, "mymaster", "num-slaves").as_deref(), Some("1"), "and found again");
    assert!(it.sentinel(0, "remove second").is_ok());
    assert!(it.any_heard("-monitor", 0));
    assert_eq!(it.sentinel(0, "get-primary-addr-by-name second"), Value::Null);
    assert_eq!(it.sentinel(0, "myid").as_str().map(str::len), Some(40));
}

#[test]
fn a_script_that_is_to_run_again_is_shown() {
    let file = format!("{FILE}sentinel notification-script mymaster /bin/notify\n");
    let mut it = Universe::new(1, &file, 2).with_servers(0);
    it.nodes[0].script_ends = [sentinel::ScriptEnd::Exit(1)].into();
    it.start_all();
    it.run(1_000);
    let value = it.sentinel(0, "pending-scripts");
    let [job] = value.as_array().expect("an array") else { panic!("{value:?}") };
    let Value::Map(pairs) = job else { panic!("{job:?}") };
    let names: Vec<&str> = pairs.iter().filter_map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["argv", "flags", "pid", "run-delay", "retry-num"]);
    let argv: Vec<&str> = pairs[0].1.as_array().expect("words").iter().filter_map(Value::as_str).collect();
    assert_eq!(argv, ["/bin/notify", "+monitor", "master mymaster 10.0.0.1 6379 quorum 2"]);
    assert_eq!((pairs[1].1.as_str(), pairs[4].1.as_str()), (Some("scheduled"), Some("1")));
    it.run(40_000);
    assert_eq!(it.sentinel(0, "pending-scripts").as_array().map(<[Value]>::len), Some(0));
}
