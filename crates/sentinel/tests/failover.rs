//! Whole failovers: several machines, make-believe servers, a virtual clock.

mod universe;

use sentinel::{Event, Level};
use universe::server::host;
use universe::{Universe, sentinel_at, server_at};

const FILE: &str = "port 26379\nsentinel monitor mymaster 10.0.0.1 6379 2\n\
                    sentinel down-after-milliseconds mymaster 5000\nsentinel failover-timeout mymaster 60000\n";

/// Three Sentinels that watch a primary with two replicas, and know each other.
fn settled(seed: u64) -> Universe {
    Universe::settled(FILE, seed)
}

fn with_grace_off(file: &str) -> String {
    format!("{file}sentinel dead-grace-ms 0\n")
}

#[test]
fn sentinels_find_each_other_and_the_replicas() {
    let mut it = settled(1);
    assert_eq!(it.field(0, "mymaster", "flags").as_deref(), Some("master"));
    assert_eq!(it.replica_field(1, "mymaster", "10.0.0.2:6379", "flags").as_deref(), Some("slave"));
    assert!(it.any_heard("+sentinel", 0) && it.any_heard("+slave", 0));
    let file = String::from_utf8(it.nodes[0].file.clone()).expect("text");
    assert!(file.contains("sentinel known-replica mymaster 10.0.0.3 6379"), "{file}");
    assert!(file.contains("sentinel known-sentinel mymaster 10.0.1.2 26379 "), "{file}");
}

#[test]
fn a_dead_process_is_replaced_within_seconds_and_comes_back_as_a_replica() {
    let mut it = settled(2);
    it.server(2).offset = 200;
    it.run(2_000);
    let begin = it.now;
    it.kill(1);
    let took = it.await_switch("mymaster", 2, 20_000);
    assert!((1_000..3_000).contains(&took), "{took} ms\n{}", it.story());
    assert!(it.any_heard("+sdown", begin) && it.any_heard("+odown", begin) && it.any_heard("+elected-leader", begin));
    it.run_until(20_000, |it| it.server(3).primary == Some(server_at(2)));
    it.run_until(20_000, |it| (0..3).all(|node| it.heard(node, "+switch-master", begin).is_some()));
    it.restart(1);
    it.run_until(60_000, |it| it.server(1).primary == Some(server_at(2)));
    assert_eq!(it.server(1).orders, [host(2)]);
    assert_eq!(it.server(3).orders, [host(2)]);
}

#[test]
fn a_death_that_all_see_at_once_splits_no_vote_for_long() {
    let mut longest = 0;
    for seed in 100..125 {
        let mut it = Universe::new(5, FILE, seed).with_servers(1);
        it.start_all();
        it.settle("mymaster");
        it.kill(1);
        longest = longest.max(it.await_switch("mymaster", 2, 60_000));
    }
    assert!(longest < 4_000, "{longest} ms");
}

#[test]
fn a_split_vote_is_held_again_at_once() {
    let file = with_grace_off(FILE).replace("5000", "1000");
    let mut it = Universe::new(4, &file, 58).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    let begin = it.now;
    it.server(1).hung = true;
    it.run_until(10_000, |it| it.any_heard("+sdown", begin));
    // Two of four votes of the epoch to come are given to somebody who is not there.
    let nobody = "e".repeat(40);
    let voters: Vec<usize> = (0..4).filter(|node| it.heard(*node, "+sdown", begin).is_none()).take(2).collect();
    for voter in voters {
        it.sentinel(voter, &format!("is-master-down-by-addr 10.0.0.1 6379 1 {nobody}"));
    }
    let took = it.await_switch("mymaster", 2, 200_000);
    assert!(it.any_heard("-failover-abort-not-elected", begin), "{}", it.story());
    assert!(took < 8_000, "{took} ms\n{}", it.story());
}

#[test]
fn a_leader_that_was_overtaken_gives_way() {
    let mut it = settled(59);
    it.sentinel(0, "debug ask-period 50");
    (2..=3).for_each(|number| it.server(number).hung = true);
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run_until(2_000, |it| it.any_heard("+elected-leader", 0));
    let later = "e".repeat(40);
    it.sentinel(1, &format!("is-master-down-by-addr 10.0.0.1 6379 50 {later}"));
    it.run(500);
    assert!(it.heard(0, "-failover-abort-not-elected", 0).is_some(), "{}", it.story());
}

#[test]
fn without_the_grace_death_is_silence() {
    let mut it = Universe::new(3, &with_grace_off(FILE), 3).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    it.kill(1);
    let took = it.await_switch("mymaster", 2, 30_000);
    assert!((5_000..8_000).contains(&took), "{took} ms\n{}", it.story());
}

#[test]
fn a_quick_restart_is_no_failover() {
    let mut it = settled(4);
    let begin = it.now;
    it.kill(1);
    it.run(700);
    it.restart(1);
    it.run(20_000);
    assert!(!it.any_heard("+sdown", begin) && !it.any_heard("+try-failover", begin), "{}", it.story());
    assert!(it.any_heard("+reboot", begin));
}

#[test]
fn a_refusal_seen_by_one_is_no_death() {
    let mut it = settled(5);
    let begin = it.now;
    it.refuse(0, 1);
    it.run(4_000);
    assert!(!it.any_heard("+sdown", begin), "{}", it.story());
    // From then on it is down in the ordinary way, in the opinion of one.
    it.run(10_000);
    assert!(it.heard(0, "+sdown", begin).is_some() && !it.any_heard("+odown", begin));
}

#[test]
fn a_quorum_of_one_is_no_majority_for_a_death() {
    let file = FILE.replace("6379 2", "6379 1");
    let mut it = Universe::new(3, &file, 56).with_servers(1);
    it.start_all();
    it.settle("mymaster");
    let begin = it.now;
    it.refuse(0, 1);
    it.run(4_000);
    assert!(!it.any_heard("+sdown", begin), "{}", it.story());
}

#[test]
fn a_hung_primary_is_down_after_the_configured_time() {
    let mut it = settled(6);
    let begin = it.now;
    it.server(1).hung = true;
    let took = it.run_until(30_000, |it| it.any_heard("+sdown", begin));
    assert!((4_000..6_500).contains(&took), "{took} ms");
    it.run_until(30_000, |it| it.any_heard("+switch-master", begin));
    it.wake(1);
    it.run_until(60_000, |it| it.server(1).primary.is_some());
    let new = it.server(1).primary;
    assert!(it.servers[&new.expect("a primary")].primary.is_none());
}

#[test]
fn never_two_leaders_in_one_epoch_and_one_primary_in_the_end() {
    for seed in 10..30 {
        let mut it = Universe::new(5, &with_grace_off(FILE).replace("5000", "1000"), seed).with_servers(3);
        it.start_all();
        it.settle("mymaster");
        let begin = it.now;
        it.kill(1);
        it.run(300 + seed * 17 % 900);
        it.isolate(sentinel_at(seed as usize % 5));
        it.run(2_000);
        it.crash((seed as usize + 1) % 5);
        it.run(300);
        it.start((seed as usize + 1) % 5);
        it.run(5_000);
        it.heal();
        it.restart(1);
        it.run(200_000);
        let mut leaders: Vec<(String, usize)> = Vec::new();
        for (node, sentinel) in it.nodes.iter().enumerate() {
            let mut epoch = String::new();
            for (at, channel, text) in &sentinel.events {
                match channel.as_str() {
                    "+new-epoch" => epoch = text.clone(),
                    "+elected-leader" if *at >= begin => leaders.push((epoch.clone(), node)),
                    _ => {}
                }
            }
        }
        leaders.sort();
        assert!(!leaders.is_empty(), "seed {seed}\n{}", it.story());
        assert!(leaders.windows(2).all(|pair| pair[0].0 != pair[1].0), "seed {seed}: {leaders:?}\n{}", it.story());
        let primaries: Vec<u8> = it.servers.values().filter(|s| s.primary.is_none()).map(|s| s.number).collect();
        assert_eq!(primaries.len(), 1, "seed {seed}: {primaries:?}\n{}", it.story());
        let wanted = host(primaries[0]);
        for node in 0..5 {
            assert_eq!(it.primary_of(node, "mymaster"), Some(wanted.clone()), "seed {seed}, Sentinel {node}");
        }
    }
}

#[test]
fn a_minority_elects_nobody() {
    let mut it = settled(41);
    let begin = it.now;
    it.crash(1);
    it.crash(2);
    it.kill(1);
    it.run(60_000);
    assert!(it.heard(0, "+sdown", begin).is_some());
    assert!(!it.any_heard("+elected-leader", begin), "{}", it.story());
    assert_eq!(it.primary_of(0, "mymaster"), Some(host(1)));
}

#[test]
fn a_vote_survives_a_crash() {
    let mut it = settled(42);
    let [one, other] = ["a", "b"].map(|letter| letter.repeat(40));
    let ask = |it: &mut Universe, who: &str| {
        let value = it.sentinel(0, &format!("is-master-down-by-addr 10.0.0.1 6379 50 {who}"));
        let items = value.as_array().expect("an array").to_vec();
        (items[1].as_str().map(str::to_owned), items[2].as_int())
    };
    assert_eq!(ask(&mut it, &one), (Some(one.clone()), Some(50)));
    assert_eq!(ask(&mut it, &other), (Some(one), Some(50)));
    it.crash(0);
    it.start(0);
    // For whom is forgotten; that it is given is not.
    assert_eq!(ask(&mut it, &other), (Some("*".to_owned()), Some(50)));
}

#[test]
fn a_vote_that_cannot_be_saved_is_not_told() {
    let mut it = settled(43);
    it.nodes[0].disk_is_full = true;
    let value = it.sentinel(0, &format!("is-master-down-by-addr 10.0.0.1 6379 50 {}", "a".repeat(40)));
    assert!(value.as_error().is_some());
}

#[test]
fn the_best_replica_is_the_one_with_the_most_data_of_this_history() {
    let mut it = settled(44);
    it.server(3).offset = 900;
    // It has never synced, and counts from another life.
    let mut stranger = universe::server::Server::replica(4, server_at(1));
    stranger.offset = 1_000_000;
    it.servers.insert(server_at(4), stranger);
    it.run(11_000);
    it.server(4).primary = Some(server_at(77));
    it.server(4).history = vec!["f".repeat(40)];
    it.run(11_000);
    it.kill(1);
    it.await_switch("mymaster", 3, 30_000);
}

#[test]
fn priority_decides_before_the_offset_and_zero_never() {
    let mut it = settled(45);
    it.server(2).priority = 0;
    it.server(2).offset = 900;
    it.servers.insert(server_at(4), universe::server::Server::replica(4, server_at(1)));
    it.server(4).priority = 10;
    it.server(3).offset = 500;
    it.run(12_000);
    it.kill(1);
    it.await_switch("mymaster", 4, 30_000);
}

#[test]
fn one_replica_after_another_with_parallel_syncs_1() {
    let mut it = Universe::new(1, &FILE.replace("6379 2", "6379 1"), 49).with_servers(4);
    it.start_all();
    it.settle("mymaster");
    it.kill(1);
    it.run_until(60_000, |it| it.any_heard("+failover-end", 0));
    let mut moving = 0;
    for (_, channel, _) in &it.nodes[0].events {
        match channel.as_str() {
            "+slave-reconf-sent" => moving += 1,
            "+slave-reconf-done" => moving -= 1,
            _ => {}
        }
        assert!(moving <= 1, "{}", it.story());
    }
    assert_eq!(it.nodes[0].events.iter().filter(|(_, channel, _)| channel == "+slave-reconf-done").count(), 3);
}

#[test]
fn scripts_are_run_and_tried_again() {
    let file = format!(
        "{}sentinel notification-script mymaster /bin/notify\nsentinel client-reconfig-script mymaster /bin/reconf\n",
        FILE.replace("6379 2", "6379 1")
    );
    let mut it = Universe::new(1, &file, 50).with_servers(1);
    it.nodes[0].script_ends = [sentinel::ScriptEnd::Exit(1), sentinel::ScriptEnd::Exit(3)].into();
    it.start_all();
    it.settle("mymaster");
    it.run(40_000);
    let notes = |it: &Universe, word: &str| it.nodes[0].scripts.iter().filter(|argv| argv[1] == word).count();
    assert_eq!(notes(&it, "+monitor"), 2, "once more after exit code 1");
    assert!(it.any_heard("-script-error", 0), "exit code 3 is reported");
    it.kill(1);
    it.run_until(60_000, |it| it.any_heard("+failover-end", 0));
    it.run(1_000);
    let wanted = ["/bin/reconf", "mymaster", "leader", "start", "10.0.0.1", "6379", "10.0.0.2", "6379"];
    assert!(it.nodes[0].scripts.iter().any(|argv| argv == &wanted), "{:?}", it.nodes[0].scripts);
}

#[test]
fn tilt_watches_and_does_not_act() {
    let mut it = settled(51);
    it.asleep.insert(0);
    it.run(10_000);
    it.asleep.remove(&0);
    it.run(200);
    assert!(it.heard(0, "+tilt", 0).is_some());
    let begin = it.now;
    let down = it.sentinel(0, "is-master-down-by-addr 10.0.0.1 6379 0 *");
    assert_eq!(down.as_array().and_then(|items| items[0].as_int()), Some(0));
    it.run(29_000);
    assert!(it.heard(0, "+sdown", begin).is_none() && it.heard(0, "-tilt", 0).is_none());
    it.run(2_000);
    assert!(it.heard(0, "-tilt", 0).is_some());
}

#[test]
fn who_was_away_does_not_act_on_what_has_queued_up() {
    let mut it = settled(57);
    (1..=3).for_each(|number| it.server(number).hung = true);
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run(50);
    it.asleep.insert(0);
    it.run(10_000);
    (1..=3).for_each(|number| it.wake(number));
    it.run(10);
    assert!(it.heard(0, "+tilt", 0).is_some(), "a reply comes before the tick");
    assert!(it.heard(0, "+selected-slave", 0).is_none());
}

#[test]
fn a_clock_that_is_set_back_is_no_reason_and_a_leap_forward_may_be_a_sleep() {
    let mut it = settled(52);
    it.clock_skew = -3_600_000;
    it.run(1_000);
    assert!(!it.any_heard("+tilt", 0));
    it.clock_skew += 10_000;
    it.run(1_000);
    assert!((0..3).all(|node| it.heard(node, "+tilt", 0).is_some()));
}

#[test]
fn a_simulated_crash_ends_the_process() {
    let mut it = settled(53);
    assert!(it.sentinel(0, "simulate-failure crash-after-election").is_ok());
    assert!(it.sentinel(0, "failover mymaster").is_ok());
    it.run(2_000);
    assert!(it.nodes[0].machine.is_none());
}

#[test]
fn a_primary_that_says_it_is_a_replica_is_down_in_time() {
    let mut it = settled(54);
    let begin = it.now;
    it.server(1).primary = Some(server_at(99));
    it.run(20_000);
    assert!(!it.any_heard("+sdown", begin));
    it.run(20_000);
    assert!(it.any_heard("+sdown", begin));
}

#[test]
fn events_before_the_start_and_about_unknown_connections_do_nothing() {
    let mut it = Universe::new(1, FILE, 55);
    it.nodes[0].machine = Some(universe::load(FILE.as_bytes(), 1, now()).expect("a good file"));
    it.tell(0, Event::Timer);
    it.tell(0, Event::Broken { conn: sentinel::ConnId(12345), why: sentinel::Broken::Reset });
    it.tell(0, Event::Reply { conn: sentinel::ConnId(12345), value: resp::Value::Null });
    assert!(it.nodes[0].events.is_empty());
    assert_eq!(it.nodes[0].machine.as_ref().map(|it| it.log_level()), Some(Level::Verbose));
}

fn now() -> sentinel::Now {
    sentinel::Now { mono_ms: 0, unix_ms: 0 }
}

/// Found by a simulated universe: the leader of epoch 1 was cut off while it moved the replicas, epoch 2 gave the group back
/// to the primary that it was about to replace, and then it switched all the same.
#[test]
fn a_failover_that_was_overtaken_does_not_switch() {
    let mut it = Universe::new(1, &FILE.replace("6379 2", "6379 1"), 60).with_servers(2);
    it.start_all();
    it.settle("mymaster");
    it.kill(1);
    it.run_until(60_000, |it| it.any_heard("+failover-state-reconf-slaves", 0));
    let other = "0123456789012345678901234567890123456789";
    let hello = format!("10.0.1.9,26379,{other},2,mymaster,10.0.0.1,6379,2");
    it.hello(0, &hello);
    let begin = it.now;
    it.restart(1);
    it.run(120_000);
    assert_eq!(it.heard(0, "+switch-master", begin), None, "{}", it.story());
    assert_eq!(it.primary_of(0, "mymaster").as_deref(), Some("10.0.0.1"));
    assert_eq!(it.server(2).primary, Some(server_at(1)));
}
