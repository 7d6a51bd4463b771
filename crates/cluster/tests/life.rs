//! A cluster's life: it is formed, its nodes fail, are replaced, come back, move, are forgotten.

mod net;

use cluster::{Action, Config, FailoverMode, Outbox, Saved, SetSlot, Slot};
use net::{Data, Net, TIMEOUT};
use std::net::{IpAddr, Ipv4Addr};

#[test]
fn nodes_that_meet_one_all_meet_and_their_epochs_differ() {
    let net = Net::form(6, 3, 1);
    for node in &net.nodes {
        assert_eq!(node.text().lines().count(), 6);
        assert!(!node.text().contains("disconnected"), "{}", node.text());
        assert!(node.text().contains(&format!("{}:6379@16379,{}", node.ip, node.hostname)));
    }
    assert!(net.nodes.iter().any(|node| node.has_logged("configEpoch collision")));
    let shards = net.nodes[0].cluster.shards(Default::default());
    assert_eq!((shards.len(), shards.iter().map(|shard| shard.nodes.len()).sum::<usize>()), (3, 6));
    assert!(
        shards.iter().all(|shard| shard.slots.len() == 1 && shard.nodes.iter().all(|node| node.health == "online"))
    );
    let info = String::from_utf8(net.nodes[0].cluster.info_text()).unwrap();
    assert!(info.starts_with("cluster_state:ok\r\ncluster_slots_assigned:16384\r\n"), "{info}");
    assert!(info.contains("cluster_known_nodes:6\r\ncluster_size:3\r\n"), "{info}");
    assert_eq!(net.nodes[0].cluster.links().len(), 10);
}

#[test]
fn a_failed_primary_is_replaced_and_comes_back_as_a_replica() {
    let mut net = Net::form(6, 3, 2);
    net.nodes[0].offset = 500;
    net.run(500);
    net.kill(0);
    let took = net.until(6000, "its replica is a primary", |net| net.is_primary(3));
    assert!(took < 3 * TIMEOUT, "{took}");
    net.until(3000, "all know it", |net| net.is_settled());
    assert_eq!(net.owner(1, 0), Some(3));
    assert!(net.nodes[3].has_logged("Failover election won"));
    assert!(net.nodes[3].has_logged("best ranked replica"));
    net.restart(0, None);
    net.until(10_000, "the old one follows", |net| net.is_settled() && !net.is_primary(0));
    assert_eq!(net.nodes[0].follows, Some(net.nodes[3].ip));
    assert_eq!(net.nodes[0].resyncs, vec![false]);
    assert!(net.nodes[0].set_aside.is_empty());
}

#[test]
fn the_replica_with_the_newest_data_wins() {
    let mut net = Net::form(9, 3, 3);
    // Node 3 cannot hear its primary any more, and is behind node 6.
    net.nodes[0].offset = 100;
    net.run(300);
    net.cut.insert((0, 3));
    net.nodes[0].offset = 900;
    net.run(300);
    net.kill(0);
    net.heal();
    net.until(8000, "one of them is a primary", |net| net.is_primary(3) || net.is_primary(6));
    assert!(net.is_primary(6), "{}", net.picture());
    net.until(8000, "the other follows it", |net| net.is_settled());
    assert_eq!(net.nodes[3].follows, Some(net.nodes[6].ip));
}

#[test]
fn data_that_are_too_old_are_not_promoted() {
    let config = Config {
        node_timeout_ms: TIMEOUT as u64,
        replica_validity_factor: 2,
        repl_ping_period_ms: 1000,
        require_full_coverage: false,
        ..Config::default()
    };
    let mut net = Net::form_with(6, 3, 4, config);
    net.cut.insert((0, 3));
    net.run(6000);
    net.kill(0);
    net.heal();
    net.run(10_000);
    assert!(!net.is_primary(3));
    assert!(net.nodes[3].has_logged("Disconnected from primary for longer than allowed"));
}

#[test]
fn a_manual_failover_loses_nothing() {
    let mut net = Net::form(6, 3, 5);
    net.nodes[0].offset = 1000;
    net.ask(3, |cluster, now, out| cluster.failover(now, FailoverMode::Plain, None, false, out)).unwrap();
    net.until(3000, "roles are exchanged", |net| net.is_settled() && net.is_primary(3) && !net.is_primary(0));
    assert_eq!((net.nodes[3].offset, net.nodes[0].pauses, net.nodes[0].paused), (1000, 1, false));
    assert_eq!(net.nodes[0].resyncs, vec![false]);
    assert!(net.nodes[3].has_logged("manual failover can start"));
    let error =
        net.ask(3, |cluster, now, out| cluster.failover(now, FailoverMode::Plain, None, false, out)).unwrap_err();
    assert_eq!(error.text(), b"ERR You should send CLUSTER FAILOVER to a replica");
}

#[test]
fn a_primary_that_did_not_hear_the_request_is_asked_again() {
    const MFSTART: i32 = 8;
    let mut net = Net::form(6, 3, 22);
    net.nodes[0].cluster.debug_mut().drop_packets = Some(MFSTART);
    net.ask(3, |cluster, now, out| cluster.failover(now, FailoverMode::Plain, None, false, out)).unwrap();
    net.run(1000);
    assert!(!net.nodes[0].paused);
    net.nodes[0].cluster.debug_mut().drop_packets = None;
    net.until(3000, "roles are exchanged", |net| net.is_settled() && net.is_primary(3));
    assert_eq!(net.nodes[0].log.iter().filter(|line| line.contains("Manual failover requested")).count(), 1);
}

#[test]
fn a_manual_failover_whose_offset_is_not_reached_ends() {
    let mut net = Net::form(6, 3, 6);
    // The bus works, replication does not.
    net.nodes[3].follows = None;
    net.nodes[0].offset = 777;
    net.ask(3, |cluster, now, out| cluster.failover(now, FailoverMode::Plain, None, false, out)).unwrap();
    net.run(1000);
    assert!(net.nodes[0].paused && !net.is_primary(3));
    net.run(5000);
    assert!(!net.nodes[0].paused && !net.is_primary(3));
    assert!(net.nodes[3].has_logged("Manual failover timed out."));
}

#[test]
fn force_needs_no_primary_and_takeover_no_majority() {
    let mut net = Net::form(6, 3, 7);
    net.kill(0);
    net.run(100);
    net.ask(3, |cluster, now, out| cluster.failover(now, FailoverMode::Force, None, false, out)).unwrap();
    assert!(net.until(1000, "elected at once", |net| net.is_primary(3)) < TIMEOUT / 2);
    net.until(5000, "all know it", |net| net.is_settled());
    net.kill(1);
    net.kill(2);
    net.run(100);
    net.ask(4, |cluster, now, out| cluster.failover(now, FailoverMode::Takeover, None, false, out)).unwrap();
    net.run(100);
    assert!(net.is_primary(4));
    net.ask(5, |cluster, now, out| cluster.failover(now, FailoverMode::Takeover, None, false, out)).unwrap();
    net.until(20_000, "the rest is whole again", |net| net.is_settled());
}

#[test]
fn only_the_named_replica_obeys_a_primary_that_is_shut_down() {
    let mut net = Net::form(9, 3, 8);
    let (chosen, other) = (net.id(6), net.id(3));
    for at in [3, 6] {
        let name = chosen.as_bytes().to_vec();
        net.ask(at, |cluster, now, out| cluster.failover(now, FailoverMode::Force, Some(&name), true, out)).unwrap();
    }
    net.kill(0);
    net.until(1000, "the named one leads", |net| net.is_primary(6));
    assert!(!net.is_primary(3) && other != chosen);
}

#[test]
fn a_minority_stops_and_the_majority_goes_on() {
    // Wherever between two pings the network is cut, the minority has stopped before anybody may suspect it.
    for seed in 20..28 {
        let mut net = Net::form(6, 3, seed);
        net.run(seed as i64 * 37);
        net.partition(&[0, 4]);
        let took = net.until(5000, "the minority stops", |net| !net.nodes[0].cluster.view().is_ok());
        assert!(took <= TIMEOUT + TIMEOUT / 10, "{took} ms after the cut, seed {seed}");
        assert!(net.nodes[1].cluster.view().is_ok() && net.nodes[2].cluster.view().is_ok());
    }
    let mut net = Net::form(6, 3, 9);
    net.partition(&[0, 4]);
    net.until(5000, "the minority stops", |net| !net.nodes[0].cluster.view().is_ok());
    net.until(5000, "the majority elects", |net| net.is_primary(3) && net.nodes[1].cluster.view().is_ok());
    assert_eq!((net.owner(1, 0), net.owner(0, 0)), (Some(3), Some(0)));
    // What was written on the lost side is behind the new primary's claim.
    net.heal();
    net.until(15_000, "all agree again", |net| net.is_settled());
    assert_eq!((net.owner(0, 0), net.is_primary(0)), (Some(3), false));
}

#[test]
fn a_primary_that_stood_still_serves_nothing_before_it_has_heard_the_others() {
    let mut net = Net::form(6, 3, 24);
    net.nodes[0].frozen = true;
    net.until(8000, "its replica leads", |net| net.is_primary(3));
    net.run(3000);
    net.nodes[0].frozen = false;
    net.until(100, "it notices", |net| !net.is_primary(0) || !net.nodes[0].cluster.view().is_ok());
    net.until(10_000, "it follows its successor", |net| !net.is_primary(0));
    net.until(20_000, "all agree", Net::is_settled);
}

#[test]
fn an_old_primary_hears_of_its_successor_from_others() {
    let mut net = Net::form(10, 5, 21);
    net.partition(&[0]);
    net.until(8000, "its replica leads", |net| net.is_primary(5));
    net.run(2000);
    net.heal();
    net.partition(&[5]);
    net.until(10_000, "the old one follows whom it cannot reach", |net| !net.is_primary(0));
    assert_eq!(net.nodes[0].follows, Some(net.nodes[5].ip));
    // It has never been in sync with its successor, so it does not take its place.
    net.run(8000);
    assert!(!net.is_primary(0) && net.nodes[0].has_logged("Disconnected from primary for longer than allowed"));
    net.heal();
    net.until(20_000, "all agree", Net::is_settled);
}

#[test]
fn a_slot_is_migrated_by_the_classic_protocol() {
    let mut net = Net::form(6, 3, 10);
    let slot = Slot::new(42).unwrap();
    let (giver, taker) = (net.id(0), net.id(1));
    let mut keys = Data::default();
    keys.0.insert(42, 3);
    let set = |net: &mut Net, at: usize, what: SetSlot, keys: &Data| {
        net.ask(at, |cluster, now, out| cluster.set_slot(now, slot, what, keys, false, out))
    };
    assert!(set(&mut net, 2, SetSlot::Migrating(taker), &keys).is_err());
    assert!(set(&mut net, 0, SetSlot::Importing(taker), &keys).is_err());
    assert!(set(&mut net, 3, SetSlot::Stable, &keys).is_err());
    set(&mut net, 1, SetSlot::Importing(giver), &Data::default()).unwrap();
    set(&mut net, 0, SetSlot::Migrating(taker), &keys).unwrap();
    let view = net.nodes[0].cluster.view().clone();
    assert_eq!(view.migrating_to(slot).map(|to| view.node(to).id), Some(taker));
    assert!(net.nodes[0].text().contains(&format!("[42->-{taker}]")));
    let refused = set(&mut net, 0, SetSlot::Node(taker), &keys).unwrap_err();
    assert!(refused.text().starts_with(b"ERR Can't assign hashslot 42"));
    set(&mut net, 1, SetSlot::Node(taker), &Data::default()).unwrap();
    set(&mut net, 0, SetSlot::Node(taker), &Data::default()).unwrap();
    net.until(3000, "all know the new owner", |net| (0..6).all(|at| net.owner(at, 42) == Some(1)) && net.is_settled());
    assert!(!net.nodes[0].text().contains('['));
    assert!(net.nodes[0].set_aside.is_empty());
}

#[test]
fn a_slot_lost_by_hearsay_is_set_aside() {
    let mut net = Net::form(3, 3, 11);
    let slot = Slot::new(7).unwrap();
    let (giver, taker) = (net.id(0), net.id(1));
    net.ask(1, |c, now, out| c.set_slot(now, slot, SetSlot::Importing(giver), &Data::default(), false, out)).unwrap();
    // The taker closes the slot, and nobody tells the giver.
    net.ask(1, |c, now, out| c.set_slot(now, slot, SetSlot::Node(taker), &Data::default(), false, out)).unwrap();
    net.until(3000, "the giver has heard", |net| net.owner(0, 7) == Some(1));
    assert_eq!(net.nodes[0].set_aside, [slot].into_iter().collect());
}

#[test]
fn keys_found_after_loading_decide_about_slots() {
    let mut net = Net::form(3, 3, 12);
    let slots: Vec<Slot> = [5, 6000].into_iter().filter_map(Slot::new).collect();
    net.ask(0, |cluster, now, out| cluster.del_slots(now, &slots[..1], out)).unwrap();
    net.ask(0, |cluster, now, out| cluster.adopt(now, &slots.iter().copied().collect(), out));
    assert_eq!(net.owner(0, 5), Some(0));
    assert_eq!(net.nodes[0].set_aside, [slots[1]].into_iter().collect());
}

#[test]
fn an_orphaned_primary_gets_a_replica() {
    let mut net = Net::form(7, 3, 13);
    // Primary 0 has two replicas (3 and 6), the others have one.
    net.kill(4);
    let moved = |net: &Net| [3, 6].iter().any(|at| net.nodes[*at].follows == Some(net.nodes[1].ip));
    let took = net.until(30_000, "one of the two has moved", moved);
    assert!(took > 5000, "not before the primary was orphaned for a while: {took}");
    assert!([3, 6].iter().any(|at| net.nodes[*at].resyncs.last() == Some(&true)));
}

#[test]
fn a_forgotten_node_stays_away() {
    let mut net = Net::form(4, 3, 14);
    let gone = net.id(3);
    net.kill(3);
    net.run(3000);
    net.ask(0, |cluster, now, out| cluster.forget(now, gone.as_bytes(), out)).unwrap();
    net.until(3000, "the others hear of it", |net| {
        (0..3).all(|at| net.nodes[at].cluster.node_named(gone.as_bytes()).is_none())
    });
    net.run(10_000);
    assert!((0..3).all(|at| net.nodes[at].cluster.node_named(gone.as_bytes()).is_none()));
    // A second time is no error, a stranger is one.
    net.ask(0, |cluster, now, out| cluster.forget(now, gone.as_bytes(), out)).unwrap();
    let unknown = net.ask(0, |cluster, now, out| cluster.forget(now, b"nobody", out)).unwrap_err();
    assert_eq!(unknown.text(), b"ERR Unknown node nobody");
}

#[test]
fn all_come_back_from_their_files() {
    let mut net = Net::form(6, 3, 15);
    let owners: Vec<_> = (0..16384).step_by(1000).map(|slot| net.owner(0, slot)).collect();
    (0..6).for_each(|at| net.kill(at));
    net.run(1000);
    (0..6).for_each(|at| net.restart(at, None));
    net.until(10_000, "the cluster serves again", |net| net.is_settled());
    assert_eq!((0..16384).step_by(1000).map(|slot| net.owner(5, slot)).collect::<Vec<_>>(), owners);
}

#[test]
fn all_come_back_on_other_addresses() {
    let mut net = Net::form(6, 3, 16);
    (0..6).for_each(|at| net.kill(at));
    net.run(500);
    for at in 0..6u8 {
        net.restart(usize::from(at), Some(IpAddr::V4(Ipv4Addr::new(192, 168, 7, at + 1))));
    }
    net.until(60_000, "they found each other by name", |net| net.is_settled());
    assert!(net.nodes.iter().all(|node| !node.text().contains("10.0.0.")), "{}", net.picture());
}

#[test]
fn all_come_back_on_other_addresses_without_names_and_ask_the_seeds() {
    let seeds = [1, 4].map(|at| (format!("node-{at}.example").into_bytes(), 16379));
    let config = Config { node_timeout_ms: TIMEOUT as u64, seeds: seeds.to_vec(), ..Config::default() };
    let mut net = Net::nameless(6, 3, 23, config);
    // Another cluster's node that knows the seeds is a stranger to them.
    let stranger = net.add();
    (0..6).for_each(|at| net.kill(at));
    net.run(500);
    for at in 0..6u8 {
        net.restart(usize::from(at), Some(IpAddr::V4(Ipv4Addr::new(192, 168, 7, at + 1))));
    }
    net.until(60_000, "they found each other through the seeds", |net| {
        net.nodes[..6].iter().all(|node| !node.text().contains("10.0.0.") && node.cluster.view().is_ok())
    });
    assert!(net.nodes[..6].iter().all(|node| node.cluster.view().nodes().len() == 6), "{}", net.picture());
    assert_eq!(net.nodes[stranger].cluster.view().nodes().len(), 1);
}

#[test]
fn a_damaged_file_gives_way_to_the_copy_before_it() {
    let net = Net::form(3, 3, 17);
    let good = net.nodes[0].file.clone();
    let bad = &good[..good.len() / 2];
    let new = |saved: Saved<'_>, out: &mut Outbox| {
        cluster::Cluster::new(Config::default(), saved, 1, keyspace::UnixMillis(net.now), out)
    };
    let mut out = Outbox::new();
    let node = new(Saved { newest: Some(bad), previous: Some(&good) }, &mut out).unwrap();
    assert_eq!(node.my_id(), net.id(0));
    assert!(out.actions().iter().any(|action| matches!(action, Action::SaveConfig { fsync: true, .. })));
    let mut out = Outbox::new();
    assert!(new(Saved { newest: Some(bad), previous: None }, &mut out).is_err());
    assert!(out.actions().iter().all(|action| matches!(action, Action::Log { .. })), "nothing is overwritten");
}

#[test]
fn a_reset_node_is_alone_and_may_come_back() {
    let mut net = Net::form(4, 3, 18);
    let old = net.id(3);
    net.ask(3, |cluster, now, out| {
        let reset = cluster.reset(now, true, &Data::default(), out);
        // Keys of its former primary must be gone when it leads, or it would take their slots for its own.
        let place = |wanted: fn(&Action) -> bool| out.actions().iter().position(wanted).expect("it is asked for");
        assert!(place(|action| matches!(action, Action::FlushAll)) < place(|action| matches!(action, Action::Lead)));
        reset
    })
    .unwrap();
    assert_ne!(net.id(3), old);
    assert_eq!((net.nodes[3].text().lines().count(), net.nodes[3].flushed, net.nodes[3].follows), (1, 1, None));
    net.until(10_000, "its old name has lost its address", |net| net.nodes[0].text().contains("noaddr"));
    net.meet(3, 1);
    net.until(10_000, "it is known under its new name", |net| {
        net.nodes[0].cluster.node_named(net.id(3).as_bytes()).is_some()
    });
    let keys = Data([(1, 1)].into());
    let refused = net.ask(0, |cluster, now, out| cluster.reset(now, false, &keys, out)).unwrap_err();
    assert_eq!(refused.text(), b"ERR CLUSTER RESET can't be called with master nodes containing keys");
}

#[test]
fn messages_reach_everybody_and_shard_messages_the_shard() {
    let mut net = Net::form(6, 3, 19);
    net.run(2000);
    net.ask(0, |cluster, now, out| cluster.publish(now, b"news", b"all", false, out));
    net.ask(0, |cluster, now, out| cluster.publish(now, b"news", b"mine", true, out));
    net.run(100);
    for (at, node) in net.nodes.iter().enumerate().skip(1) {
        let mut wanted = vec![(false, b"all".to_vec())];
        if at == 3 {
            wanted.push((true, b"mine".to_vec()));
        }
        assert_eq!(node.messages, wanted, "{at}");
    }
}

#[test]
fn a_stalled_node_is_replaced() {
    let mut net = Net::form(6, 3, 20);
    net.tell(0, cluster::Event::Stalled(true));
    net.until(6000, "its replica leads", |net| net.is_primary(3));
    net.tell(0, cluster::Event::Stalled(false));
    net.until(10_000, "it follows", |net| net.is_settled() && !net.is_primary(0));
}
