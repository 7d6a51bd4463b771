//! Failovers that a person asks for: the primary hands over, and what happens when it does not.

mod universe;

use universe::server::{FailsOver, Server, host};
use universe::{Universe, sentinel_at, server_at};

const FILE: &str = "port 26379\nsentinel monitor mymaster 10.0.0.1 6379 2\n\
                    sentinel down-after-milliseconds mymaster 5000\nsentinel failover-timeout mymaster 60000\n";

/// Three Sentinels that watch a primary with two replicas, and know each other.
fn settled(seed: u64) -> Universe {
    Universe::settled(FILE, seed)
}

/// The same, with servers that know FAILOVER; the primary's ends like this.
fn willing(seed: u64, ends: FailsOver) -> Universe {
    let mut it = settled(seed);
    (1..=3).for_each(|number| it.server(number).knows_failover = true);
    it.server(1).fails_over = ends;
    it.run(11_000);
    it
}

/// The primary takes writes, has no FAILOVER under way, and was told nothing else.
fn goes_on(it: &mut Universe) -> bool {
    let server = it.server(1);
    !server.paused && !server.failing_over && server.primary.is_none() && server.orders.is_empty()
}

#[test]
fn a_forced_failover_hands_over_when_the_primary_can() {
    let mut it = settled(46);
    (1..=3).for_each(|number| it.server(number).knows_failover = true);
    it.run(11_000);
    it.server(1).offset = 5_000;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    assert!(it.sentinel(0, "failover mymaster").as_error().is_some_and(|error| error.starts_with(b"INPROG")));
    it.run_until(20_000, |it| it.any_heard("+switch-master", 0));
    assert_eq!(it.server(1).orders, ["failover"]);
    let new = it.server(1).primary.expect("it is a replica now");
    assert_eq!(it.servers[&new].offset, 5_000);
    it.run(15_000);
    assert_eq!(it.server(1).orders, ["failover"]);
}

#[test]
fn a_forced_failover_does_not_stumble_over_infos_of_ten_seconds_ago() {
    for wait in 0..10 {
        let mut it = settled(300 + wait);
        it.run(10_000 + wait * 1_000);
        assert!(it.sentinel(0, "failover mymaster").is_ok());
        it.run_until(20_000, |it| it.any_heard("+switch-master", 0));
        assert!(!it.any_heard("-failover-abort-no-good-slave", 0), "{}", it.story());
    }
}

#[test]
fn who_has_no_right_to_make_it_hand_over_cuts_off() {
    let mut it = settled(47);
    (1..=3).for_each(|number| it.server(number).knows_failover = true);
    it.server(1).fails_over = FailsOver::NotPermitted;
    it.run(11_000);
    let begin = it.now;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run_until(20_000, |it| it.any_heard("+switch-master", begin));
    assert!(it.now - begin < 3_000, "{}", it.story());
    it.run_until(30_000, |it| it.server(1).primary.is_some());
}

#[test]
fn a_coordinated_failover_is_elected_and_needs_the_command() {
    let mut it = settled(48);
    let error = it.sentinel(1, "failover mymaster coordinated");
    assert!(error.as_error().is_some_and(|error| error.starts_with(b"NOGOODPRIMARY")));
    (1..=3).for_each(|number| it.server(number).knows_failover = true);
    it.run(11_000);
    assert!(it.sentinel(1, "failover mymaster coordinated").is_ok());
    it.run_until(20_000, |it| (0..3).all(|node| it.heard(node, "+switch-master", 0).is_some()));
    assert_eq!(it.server(1).orders, ["failover"]);
    assert!(it.heard(0, "+vote-for-leader", 0).is_some());
}

#[test]
fn a_primary_that_refuses_for_now_is_told_again() {
    let mut it = willing(60, FailsOver::NotNow);
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run(2_500);
    assert!(goes_on(&mut it), "between two attempts writes go on\n{}", it.story());
    it.server(1).fails_over = FailsOver::AtOnce;
    it.run_until(5_000, |it| it.any_heard("+switch-master", 0));
    assert_eq!(it.server(1).orders, ["failover"]);
}

#[test]
fn a_hand_over_that_does_not_end_is_aborted_and_writes_go_on() {
    for (words, within) in [("failover mymaster", 35_000), ("failover mymaster coordinated", 65_000)] {
        let mut it = willing(61, FailsOver::Never);
        let begin = it.now;
        assert!(it.sentinel(0, words).is_ok());
        it.run(5_000);
        assert!(it.server(1).paused && it.server(1).failing_over, "{words}\n{}", it.story());
        it.run_until(within, |it| it.any_heard("-failover-abort-slave-timeout", begin));
        it.run(1_000);
        assert!(goes_on(&mut it), "{words}\n{}", it.story());
        it.run(30_000);
        assert!(!it.any_heard("+switch-master", begin) && it.primary_of(0, "mymaster") == Some(host(1)));
        // And when it dies, nobody waits because of that.
        it.kill(1);
        it.run_until(10_000, |it| it.heard(0, "+switch-master", begin).is_some());
    }
}

#[test]
fn a_primary_that_gives_up_is_not_waited_for() {
    let mut it = willing(62, FailsOver::GivesUp);
    let begin = it.now;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run_until(3_000, |it| it.any_heard("-failover-abort-slave-timeout", begin));
    it.run(1_000);
    assert!(goes_on(&mut it), "{}", it.story());
}

#[test]
fn who_insists_gets_another_primary() {
    for ends in [FailsOver::Never, FailsOver::GivesUp, FailsOver::NotNow] {
        let mut it = willing(63, ends);
        assert!(it.sentinel(0, "failover mymaster FORCE").is_ok());
        it.run_until(40_000, |it| it.any_heard("+switch-master", 0));
        let new = it.primary_of(0, "mymaster").expect("a primary");
        assert_eq!(it.server(1).orders, [new], "it is told at once whom it follows");
        assert!(!it.server(1).failing_over);
    }
}

#[test]
fn a_hand_over_to_somebody_who_dies_is_over_soon() {
    let mut it = willing(64, FailsOver::Never);
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run(1_000);
    let chosen: Vec<u8> = [2, 3]
        .into_iter()
        .filter(|number| {
            let name = format!("10.0.0.{number}:6379");
            it.replica_field(0, "mymaster", &name, "flags").is_some_and(|flags| flags.contains("promoted"))
        })
        .collect();
    it.kill(chosen[0]);
    it.run_until(10_000, |it| it.any_heard("-failover-abort-slave-timeout", 0));
    it.run(1_000);
    assert!(goes_on(&mut it), "{}", it.story());
}

#[test]
fn a_primary_that_dies_in_the_middle_is_replaced() {
    for words in ["failover mymaster", "failover mymaster coordinated", "failover mymaster force"] {
        let mut it = willing(65, FailsOver::Never);
        assert!(it.sentinel(0, words).is_ok());
        it.run(5_000);
        // Meanwhile one replica has got what the other has not.
        it.server(3).offset = 9_000;
        let begin = it.now;
        it.kill(1);
        it.await_switch("mymaster", 3, 10_000);
        assert!(!it.any_heard("-failover-abort-slave-timeout", begin), "{words}\n{}", it.story());
    }
}

#[test]
fn a_primary_that_has_handed_over_before_it_died_has_an_heir() {
    let mut it = willing(66, FailsOver::Never);
    assert!(it.sentinel(0, "failover mymaster coordinated").is_ok());
    it.run(1_000);
    let flags = it.replica_field(0, "mymaster", "10.0.0.2:6379", "flags").expect("a replica");
    let (heir, other) = if flags.contains("promoted") { (2, 3) } else { (3, 2) };
    // The Sentinel does not hear of it, because the heir hangs for a moment; and the other one looks better.
    it.server(heir).hung = true;
    let history = vec!["d".repeat(40), it.server(1).history[0].clone()];
    it.server(heir).primary = None;
    it.server(heir).history = history;
    it.server(other).offset = 9_000;
    it.kill(1);
    it.run(1_500);
    it.wake(heir);
    it.await_switch("mymaster", heir, 20_000);
    assert!(!it.server(other).orders.contains(&"no one".to_owned()), "{}", it.story());
}

#[test]
fn a_hand_over_that_nobody_has_seen_counts() {
    let mut it = willing(67, FailsOver::AtOnce);
    // As by an administrator, or by a Sentinel that has crashed: the primary follows, the replica serves.
    let history = vec!["d".repeat(40), it.server(1).history[0].clone()];
    it.server(2).primary = None;
    it.server(2).history = history;
    it.server(1).primary = Some(server_at(2));
    it.server(3).offset = 9_000;
    it.await_switch("mymaster", 2, 60_000);
    assert!(it.server(3).orders.iter().all(|order| *order == host(2)), "{:?}", it.server(3).orders);
}

/// Found by a simulated universe: the last INFO was of the moment in which the primary followed the replica that it asked to
/// take over, and was refused.
#[test]
fn what_the_primary_said_while_it_asked_is_not_its_last_word() {
    let mut it = willing(78, FailsOver::Never);
    it.server(1).primary = Some(server_at(2));
    it.run(10_500);
    it.server(1).primary = None;
    let begin = it.now;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run(3_000);
    assert!(!it.any_heard("+promoted-slave", begin), "{}", it.story());
    assert!(it.server(2).orders.is_empty() && it.server(3).orders.is_empty());
}

#[test]
fn a_primary_that_dies_while_it_asks_has_not_handed_over() {
    let mut it = willing(79, FailsOver::Never);
    let begin = it.now;
    assert!(it.sentinel(0, "failover mymaster coordinated").is_ok());
    it.run(2_000);
    let flags = it.replica_field(0, "mymaster", "10.0.0.2:6379", "flags").expect("a replica");
    let chosen = if flags.contains("promoted") { 2 } else { 3 };
    it.server(1).primary = Some(server_at(chosen));
    it.run(2_000);
    it.kill(1);
    it.run_until(10_000, |it| it.heard(0, "+switch-master", begin).is_some());
}

#[test]
fn who_alone_does_not_reach_the_primary_loses_no_writes() {
    let mut it = willing(68, FailsOver::AtOnce);
    it.cut(sentinel_at(0), server_at(1));
    it.run(8_000);
    assert!(it.heard(0, "+sdown", 0).is_some());
    let begin = it.now;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run_until(35_000, |it| it.heard(0, "-failover-abort-master-timeout", begin).is_some());
    assert!(goes_on(&mut it) && !it.any_heard("+switch-master", begin), "{}", it.story());
    assert!(it.sentinel(0, "failover mymaster force").is_ok());
    it.run_until(40_000, |it| it.any_heard("+switch-master", begin));
}

#[test]
fn the_last_sentinel_can_replace_a_dead_primary_by_hand() {
    let mut it = willing(69, FailsOver::AtOnce);
    it.crash(1);
    it.crash(2);
    it.kill(1);
    it.run(8_000);
    assert!(!it.any_heard("+odown", 0));
    let begin = it.now;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run_until(4_000, |it| it.heard(0, "+switch-master", begin).is_some());
}

#[test]
fn an_order_that_went_down_with_its_connection_is_given_again() {
    let mut it = Universe::new(1, &FILE.replace("6379 2", "6379 1"), 70).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    it.server(2).loses_orders = 2;
    it.kill(1);
    it.run_until(15_000, |it| it.any_heard("+switch-master", 0));
    assert_eq!(it.server(2).orders, ["no one"]);
    // A hand-over, too.
    let mut it = willing(71, FailsOver::AtOnce);
    it.server(1).loses_orders = 2;
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run_until(10_000, |it| it.any_heard("+switch-master", 0));
    assert_eq!(it.server(1).orders, ["failover"]);
}

/// A primary and one replica, which dies first and comes back with nothing; then the primary dies.
fn only_an_empty_replica(seed: u64) -> Universe {
    let mut it = Universe::new(3, FILE, seed).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    it.kill(2);
    it.run(3_000);
    it.kill(1);
    let mut fresh = Server::replica(2, server_at(1));
    fresh.history = vec!["e".repeat(40)];
    fresh.offset = 1;
    it.servers.insert(server_at(2), fresh);
    it
}

#[test]
fn a_server_that_came_back_with_nothing_is_not_promoted_while_the_primary_may_return() {
    let mut it = only_an_empty_replica(72);
    it.run(60_000);
    assert!(it.any_heard("-failover-abort-no-good-slave", 0), "{}", it.story());
    assert!(it.nodes.iter().any(|node| node.logs.iter().any(|line| line.contains("without any data of this group"))));
    it.restart(1);
    it.run(200_000);
    assert!(!it.any_heard("+switch-master", 0), "{}", it.story());
    assert_eq!(it.primary_of(0, "mymaster"), Some(host(1)));
}

#[test]
fn a_group_that_has_lost_everything_is_served_again() {
    let mut it = only_an_empty_replica(73);
    it.run(100_000);
    assert!(!it.any_heard("+switch-master", 0), "{}", it.story());
    it.await_switch("mymaster", 2, 200_000);
    // Or as soon as somebody wants it.
    let mut it = only_an_empty_replica(74);
    it.run(20_000);
    assert!(it.sentinel(0, "failover mymaster").as_error().is_some_and(|error| error.starts_with(b"NOGOODSLAVE")));
    assert!(it.sentinel(0, "failover mymaster force").is_ok());
    it.run_until(5_000, |it| it.any_heard("+switch-master", 0));
}

#[test]
fn a_replica_in_the_middle_of_a_sync_is_none_to_promote() {
    let mut it = settled(75);
    it.server(2).offset = 5_000;
    it.server(3).offset = 400;
    it.run(12_000);
    // It has lost its stream, and says so by the offset of nobody.
    it.server(2).offset = 0;
    it.server(2).primary = Some(server_at(77));
    it.run(12_000);
    it.kill(1);
    it.await_switch("mymaster", 3, 20_000);
}

#[test]
fn what_began_after_the_primarys_last_info_is_known_by_its_replicas() {
    // Two of them share it.
    let mut it = settled(76);
    (1..=3).for_each(|number| it.server(number).history = vec!["b".repeat(40)]);
    it.kill(1);
    it.run_until(10_000, |it| it.any_heard("+switch-master", 0));
    // One alone was seen with its link up.
    let mut it = Universe::new(1, &FILE.replace("6379 2", "6379 1"), 77).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    let fresh = |it: &mut Universe| {
        let age =
            it.replica_field(0, "mymaster", "10.0.0.2:6379", "info-refresh").and_then(|age| age.parse::<u64>().ok());
        age.is_some_and(|age| age < 50)
    };
    it.run_until(20_000, fresh);
    it.run(5_000);
    (1..=2).for_each(|number| it.server(number).history = vec!["b".repeat(40)]);
    it.run_until(20_000, fresh);
    it.kill(1);
    it.run_until(10_000, |it| it.any_heard("+switch-master", 0));
}
