//! What goes wrong around a group: passwords, reused addresses, lies, moves, the file.

mod universe;

use sentinel::{Now, is_cut, seal};
use universe::server::{Server, host};
use universe::{Universe, get, load, sentinel_at, server_at};

const FILE: &str = "port 26379\nsentinel monitor mymaster 10.0.0.1 6379 2\n\
                    sentinel down-after-milliseconds mymaster 2000\nsentinel failover-timeout mymaster 10000\n";

fn settled(seed: u64) -> Universe {
    Universe::settled(FILE, seed)
}

#[test]
fn a_wrong_password_is_reported_and_never_a_death() {
    let mut it = settled(1);
    let begin = it.now;
    (1..=3).for_each(|number| it.server(number).password = Some(b"secret".to_vec()));
    it.run(60_000);
    assert!((0..3).all(|node| it.heard(node, "+auth-error", begin).is_some()), "{}", it.story());
    assert!(!it.any_heard("+sdown", begin), "{}", it.story());
    let flags = it.field(0, "mymaster", "flags").expect("flags");
    assert!(flags.contains("auth_error"), "{flags}");
    for node in 0..3 {
        assert!(it.sentinel(node, "set mymaster auth-pass secret").is_ok());
    }
    it.run(15_000);
    assert!((0..3).all(|node| it.heard(node, "-auth-error", begin).is_some()));
    assert_eq!(it.field(0, "mymaster", "flags").as_deref(), Some("master"));
    // And death is still death.
    it.server(1).hung = true;
    it.run_until(20_000, |it| it.any_heard("+switch-master", begin));
}

#[test]
fn while_passwords_rotate_both_open() {
    let file = format!("{FILE}sentinel auth-pass mymaster old\n");
    let mut it = Universe::new(1, &file.replace("6379 2", "6379 1"), 2).with_servers(1);
    (1..=2).for_each(|number| it.server(number).password = Some(b"old".to_vec()));
    it.start_all();
    it.settle("mymaster");
    let begin = it.now;
    // The Sentinel is told first; one server follows, the other does not yet.
    assert!(it.sentinel(0, "set mymaster auth-pass new").is_ok());
    it.server(2).password = Some(b"new".to_vec());
    it.run(20_000);
    assert!(!it.any_heard("+auth-error", begin) && !it.any_heard("+sdown", begin), "{}", it.story());
    assert_eq!(it.field(0, "mymaster", "flags").as_deref(), Some("master"));
    // Both passwords survive a restart; a real Sentinel takes the last one.
    let text = String::from_utf8(it.nodes[0].file.clone()).expect("text");
    let at = |line: &str| text.find(line).unwrap_or_else(|| panic!("{line} in {text}"));
    assert!(at("sentinel auth-pass mymaster \"old\"") < at("sentinel auth-pass mymaster \"new\""));
    it.crash(0);
    it.start(0);
    it.run(20_000);
    assert!(!it.any_heard("+auth-error", begin) && !it.any_heard("+sdown", begin), "{}", it.story());
}

/// Group a (1, 2, 3) and group b (11, 12), each with Sentinels that may know both.
fn two_groups(file_of_b: &str) -> Universe {
    let mut it = Universe::new(2, FILE, 3).with_servers(2);
    it.servers.insert(server_at(11), Server::primary(11));
    it.servers.insert(server_at(12), Server::replica(12, server_at(11)));
    it.add_sentinel(file_of_b);
    it.add_sentinel(file_of_b);
    it.start_all();
    it.run(20_000);
    it
}

/// Replica 3 of group a goes, and its address is given to a replica of group b.
fn reuse_address(it: &mut Universe) {
    it.kill(3);
    it.run(5_000);
    let mut reused = Server::replica(3, server_at(11));
    reused.history = it.server(11).history.clone();
    it.servers.insert(server_at(3), reused);
}

#[test]
fn an_address_that_now_serves_another_group_is_left_alone() {
    let b = FILE.replace("mymaster", "other").replace("10.0.0.1", "10.0.0.11");
    let mut it = two_groups(&b);
    reuse_address(&mut it);
    it.run(60_000);
    let orders = it.server(3).orders.clone();
    assert!(orders.is_empty(), "{orders:?}\n{}", it.story());
    assert_eq!(it.server(3).primary, Some(server_at(11)));
    let flags = it.replica_field(0, "mymaster", "10.0.0.3:6379", "flags").expect("still listed");
    assert!(flags.contains("foreign"), "{flags}\n{}", it.story());
    assert!(it.heard(0, "+foreign", 0).is_some());
    assert!(it.replica_field(2, "other", "10.0.0.3:6379", "flags").is_some(), "b has it");
}

#[test]
fn groups_of_the_same_name_do_not_mix_either() {
    let b = FILE.replace("10.0.0.1", "10.0.0.11");
    let mut it = two_groups(&b);
    // Group b is ahead: in the original its epoch wins.
    for node in 2..4 {
        it.crash(node);
        it.nodes[node].file = format!("{b}sentinel config-epoch mymaster 100\n").into_bytes();
        it.start(node);
    }
    it.run(20_000);
    reuse_address(&mut it);
    it.run(60_000);
    for node in 0..2 {
        assert_eq!(it.primary_of(node, "mymaster"), Some(host(1)), "{}", it.story());
        assert_eq!(it.field(node, "mymaster", "num-other-sentinels").as_deref(), Some("1"), "{}", it.story());
    }
    for node in 2..4 {
        assert_eq!(it.primary_of(node, "mymaster"), Some(host(11)));
    }
    assert!(it.server(3).orders.is_empty() && it.server(2).orders.is_empty() && it.server(12).orders.is_empty());
    assert!(it.nodes[0].logs.iter().any(|line| line.contains("A hello is ignored")), "it is logged");
}

#[test]
fn a_restarted_replica_with_a_history_of_its_own_is_obeyed_and_put_right() {
    let mut it = settled(4);
    it.kill(2);
    it.run(3_000);
    // It comes back as a primary, with nothing of the group's history.
    it.servers.insert(server_at(2), Server::primary(2));
    it.run_until(60_000, |it| it.server(2).primary == Some(server_at(1)));
    assert!(it.any_heard("+convert-to-slave", 0));
}

#[test]
fn a_replica_that_was_led_astray_is_put_right() {
    let mut it = settled(5);
    it.server(2).primary = Some(server_at(99));
    it.run_until(60_000, |it| it.server(2).primary == Some(server_at(1)));
    assert!(it.any_heard("+fix-slave-config", 0));
}

#[test]
fn hostile_hellos_change_nothing_and_are_logged() {
    let mut it = settled(6);
    let id = "f".repeat(40);
    let known = String::from_utf8(it.nodes[1].machine.as_ref().expect("it runs").myid().to_vec()).expect("text");
    for hello in [
        "".to_owned(),
        "a,b,c".to_owned(),
        format!("10.0.1.9,26379,{id},1,mymaster,10.0.0.66,6379,99"),
        format!("10.0.1.9,26379,{id},18446744073709551615,mymaster,10.0.0.1,6379,1"),
        format!("10.0.1.9,26379,{id},1,mymaster,10.0.0.1,6379,18446744073709551615"),
        format!("10.0.1.2,26379,{known},1,mymaster,10.0.0.1,6379,1,9"),
        format!("nowhere,26379,{id},1,mymaster,10.0.0.1,6379,1"),
        format!("10.0.1.2,26379,{known},1,mymaster,evil\nsentinel monitor x 1.2.3.4 1 1,6379,99"),
    ] {
        it.nodes[0].logs.clear();
        it.run(1_100);
        let now = Now { mono_ms: it.now, unix_ms: 0 };
        let (mut reply, mut out) = (resp::Reply::new(resp::Proto::Resp2), sentinel::Outbox::new());
        let machine = it.nodes[0].machine.as_mut().expect("it runs");
        machine.publish(now, b"__sentinel__:hello", hello.as_bytes(), &mut reply, &mut out);
        assert_eq!(reply.buf, b":1\r\n");
        let logged = out.drain().any(
            |action| matches!(action, sentinel::Action::Log { text, .. } if text.starts_with(b"A hello is ignored")),
        );
        assert!(logged, "{hello}");
    }
    assert_eq!(it.primary_of(0, "mymaster"), Some(host(1)));
    assert_eq!(it.field(0, "mymaster", "num-other-sentinels").as_deref(), Some("2"));
    assert_eq!(it.field(0, "mymaster", "config-epoch").as_deref(), Some("0"));
}

#[test]
fn a_sentinel_that_moves_is_found_at_its_new_address() {
    let mut it = settled(7);
    let begin = it.now;
    assert!(it.sentinel(1, "config set announce-ip 10.0.1.77").is_ok());
    it.run(5_000);
    assert!(it.heard(0, "+sentinel-address-switch", begin).is_some(), "{}", it.story());
    assert_eq!(it.field(0, "mymaster", "num-other-sentinels").as_deref(), Some("2"));
}

#[test]
fn sentinels_of_two_groups_share_a_link() {
    let file = format!("{FILE}sentinel monitor again 10.0.0.1 6379 2\n");
    let mut it = Universe::new(2, &file, 8).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    let others = it.sentinel(0, "sentinels again");
    let other = others.as_array().and_then(|all| all.first()).cloned().expect("one");
    assert_eq!(get(&other, "link-refcount").as_deref(), Some("2"));
    assert!(it.sentinel(0, "remove again").is_ok());
    it.run(10_000);
    let others = it.sentinel(0, "sentinels mymaster");
    let other = others.as_array().and_then(|all| all.first()).cloned().expect("one");
    assert_eq!(get(&other, "link-refcount").as_deref(), Some("1"));
    assert_eq!(get(&other, "flags").as_deref(), Some("sentinel"));
}

#[test]
fn what_is_written_is_read_again() {
    let text = "# a comment\nport 26400\nsentinel resolve-hostnames yes\nsentinel monitor mymaster 10.0.0.1 6379 2\n\
        sentinel known-slave mymaster 10.0.0.9 6379\nsentinel rename-command mymaster SLAVEOF x\\ y\n\
        sentinel auth-pass mymaster \"a \\\"b\\\"\"\nsentinel master-reboot-down-after-period mymaster 7000\n\
        sentinel DEAD-grace-ms 300\nsentinel sentinel-pass p\nsentinel announce-port 7\n\
        sentinel Monitor second db.internal 6380 1\n\
        sentinel known-sentinel mymaster 10.0.1.9 26379 0123456789012345678901234567890123456789\n\
        sentinel config-epoch mymaster 5\nsentinel leader-epoch mymaster 6\nsentinel current-epoch 7\n\
        sentinel down-after-milliseconds second 30000\n"
        .replace("x\\ y", "\"x y\"");
    let mut it = Universe::new(1, &text, 9);
    it.start_all();
    it.run(200);
    assert!(it.sentinel(0, "flushconfig").is_ok());
    let first = String::from_utf8(it.nodes[0].file.clone()).expect("text");
    for line in [
        "# a comment",
        "sentinel monitor mymaster 10.0.0.1 6379 2",
        "sentinel monitor second db.internal 6380 1",
        "sentinel known-replica mymaster 10.0.0.9 6379",
        "sentinel rename-command mymaster \"SLAVEOF\" \"x y\"",
        "sentinel auth-pass mymaster \"a \\\"b\\\"\"",
        "sentinel primary-reboot-down-after-period mymaster 7000",
        "sentinel dead-grace-ms 300",
        "sentinel leader-epoch mymaster 6",
        "sentinel current-epoch 7",
    ] {
        assert!(first.lines().any(|l| l == line), "{line} in\n{first}");
    }
    assert_eq!(first.matches("monitor second").count(), 1, "{first}");
    it.crash(0);
    it.start(0);
    it.run(200);
    assert!(it.sentinel(0, "flushconfig").is_ok());
    assert_eq!(String::from_utf8(it.nodes[0].file.clone()).expect("text"), first);
    let sealed = seal(first.as_bytes());
    assert!(load(&sealed, 1, Now { mono_ms: 0, unix_ms: 0 }).is_ok());
    assert!(is_cut(&sealed[..sealed.len() / 2], &sealed));
}

#[test]
fn a_wrong_line_is_named_with_its_reason() {
    for (line, why) in [
        ("sentinel monitor", "Unrecognized sentinel configuration statement."),
        ("sentinel monitor b 10.0.0.1 6379 0", "Quorum must be 1 or greater."),
        ("sentinel monitor b 10.0.0.1 66666 1", "Invalid port number."),
        ("sentinel monitor b nowhere 6379 1", "Can't resolve instance hostname."),
        ("sentinel monitor mymaster 10.0.0.1 6379 1", "Duplicate master name."),
        ("sentinel down-after-milliseconds b 100", "No such master with specified name."),
        ("sentinel down-after-milliseconds mymaster 0", "negative or zero time parameter."),
        ("sentinel notification-script mymaster /nowhere", "Notification script seems non existing or non executable."),
        ("sentinel myid abc", "Malformed Sentinel id in myid option."),
        ("sentinel current-epoch -1", "Malformed or unbelievable epoch."),
        ("sentinel resolve-hostnames perhaps", "Please specify yes or no for the resolve-hostnames option."),
        ("sentinel auth-pass mymaster \"a\\nb\"", "Control characters are not allowed."),
        ("sentinel nonsense mymaster 1", "Unrecognized sentinel configuration statement."),
        ("sentinel dead-grace-ms -1", "negative time parameter."),
    ] {
        let text = format!("sentinel monitor mymaster 10.0.0.1 6379 2\n\n{line}\n");
        let error = load(text.as_bytes(), 1, Now { mono_ms: 0, unix_ms: 0 }).expect_err(line);
        assert_eq!(error, format!("line 3: {why}"), "{line}");
    }
}

#[test]
fn a_renamed_command_is_sent_by_its_new_name() {
    let mut it = settled(10);
    let begin = it.now;
    // The server knows no PONG, and an error is no answer.
    assert!(it.sentinel(0, "set mymaster rename-command PING PONG").is_ok());
    it.run(10_000);
    assert!(it.heard(0, "+sdown", begin).is_some());
    assert!(it.sentinel(0, "set mymaster rename-command PING PING").is_ok());
    it.run(3_000);
    assert!(it.heard(0, "-sdown", begin).is_some());
}

#[test]
fn a_reboot_that_loads_for_too_long_is_down() {
    let file = format!("{FILE}sentinel master-reboot-down-after-period mymaster 3000\n");
    let mut it = Universe::new(3, &file, 11).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    let begin = it.now;
    it.kill(1);
    it.run(100);
    it.restart(1);
    it.server(1).loading = true;
    it.run(2_500);
    assert!(!it.any_heard("+sdown", begin), "{}", it.story());
    it.run_until(20_000, |it| it.any_heard("+switch-master", begin));
}

#[test]
fn a_name_is_looked_up_again_with_every_connection() {
    let file = "port 26379\nsentinel resolve-hostnames yes\nsentinel announce-hostnames yes\n\
                sentinel monitor mymaster db.internal 6379 1\nsentinel down-after-milliseconds mymaster 5000\n";
    let mut it = Universe::new(1, file, 14).with_servers(0);
    it.start_all();
    it.run(3_000);
    assert!(it.field(0, "mymaster", "flags").is_some_and(|flags| flags.contains("disconnected")));
    it.hosts.insert(b"db.internal".to_vec(), server_at(1).0);
    it.run(2_000);
    assert_eq!(it.field(0, "mymaster", "flags").as_deref(), Some("master"));
    // The server moves to another machine, under the same name.
    let begin = it.now;
    it.servers.insert(server_at(8), Server::primary(8));
    it.hosts.insert(b"db.internal".to_vec(), server_at(8).0);
    it.kill(1);
    it.run(10_000);
    assert!(!it.any_heard("+sdown", begin) && it.any_heard("+reboot", begin), "{}", it.story());
    assert_eq!(it.primary_of(0, "mymaster").as_deref(), Some("db.internal"));
}

#[test]
fn a_sentinel_that_is_gone_does_not_count_for_ckquorum() {
    let mut it = settled(12);
    assert_eq!(
        it.sentinel(0, "ckquorum mymaster").as_str(),
        Some("OK 3 usable Sentinels. Quorum and failover authorization can be reached")
    );
    it.isolate(sentinel_at(0));
    it.run(10_000);
    let value = it.sentinel(0, "ckquorum mymaster");
    let error = String::from_utf8_lossy(value.as_error().expect("an error")).into_owned();
    assert_eq!(
        error,
        "NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach the specified quorum for this master. \
         Not enough available Sentinels to reach the majority and authorize a failover"
    );
}

#[test]
fn a_full_disk_is_reported_and_tried_again() {
    let mut it = settled(13);
    it.nodes[0].disk_is_full = true;
    assert!(it.sentinel(0, "set mymaster quorum 3").as_error().is_some());
    it.nodes[0].disk_is_full = false;
    it.run(1_500);
    let text = String::from_utf8(it.nodes[0].file.clone()).expect("text");
    assert!(text.contains("sentinel monitor mymaster 10.0.0.1 6379 3"), "{text}");
}
