//! Whatever happens, it ends with one owner per slot, known to all.

mod net;

use bytes::Bytes;
use cluster::{Cluster, Config, Event, LinkId, Outbox, Saved, Slot};
use keyspace::UnixMillis;
use net::{Data, Net, TIMEOUT};
use proptest::prelude::*;
use std::net::{IpAddr, Ipv4Addr};

const SEEDS: u64 = 25;

/// Crashes, partitions, restarts and failovers by hand for half a minute, then peace: all agree within a bounded time,
/// and whoever was replaced follows.
#[test]
fn after_healing_every_slot_has_one_owner() {
    for seed in 0..SEEDS {
        let count = 6 + usize::try_from(seed % 4).unwrap();
        let mut net = Net::form(count, 3, 1000 + seed);
        for _ in 0..15 {
            let at = usize::try_from(net.roll()).unwrap() % count;
            match net.roll() % 7 {
                0 if net.living().count() * 2 > count + 2 => net.kill(at),
                1 | 2 if !net.nodes[at].up => net.restart(at, None),
                3 => {
                    let other = (at + 1) % count;
                    net.partition(&[at, other]);
                }
                4 => net.heal(),
                5 if net.nodes[at].up => {
                    let mode = cluster::FailoverMode::Plain;
                    net.ask(at, |node, now, out| node.failover(now, mode, None, false, out)).ok();
                }
                _ => {}
            }
            let pause = i64::try_from(net.roll() % 4000).unwrap();
            net.run(pause);
        }
        net.heal();
        for at in 0..count {
            if !net.nodes[at].up {
                net.restart(at, None);
            }
        }
        net.until(90_000, &format!("all agree again, seed {seed}"), Net::is_settled);
        net.until(15_000, "nobody stays paused", |net| net.nodes.iter().all(|node| !node.paused));
    }
}

/// While anything may happen, no two nodes that serve both own a slot for longer than the node timeout allows.
#[test]
fn two_owners_do_not_serve_side_by_side() {
    for seed in 0..8 {
        let mut net = Net::form(6, 3, 2000 + seed);
        net.partition(&[0, usize::try_from(1 + seed % 5).unwrap()]);
        let mut both = 0;
        for _ in 0..1500 {
            net.run(10);
            let serves = |at: usize| {
                let view = net.nodes[at].cluster.view();
                view.is_ok() && view.me().is_primary && view.is_mine(Slot::new(0).unwrap())
            };
            both += 10 * i64::from((0..6).filter(|at| serves(*at)).count() > 1);
        }
        assert!(both <= TIMEOUT, "seed {seed}: {both} ms");
    }
}

fn alone() -> (Cluster, LinkId) {
    let (mut out, now) = (Outbox::new(), UnixMillis(net::START));
    let mut node = Cluster::new(Config::default(), Saved::default(), 9, now, &mut out).unwrap();
    let slots: Vec<Slot> = Slot::all().take(100).collect();
    node.add_slots(now, &slots, &mut out).unwrap();
    let link = LinkId::inbound(1);
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    node.handle(now, Event::Accepted { link, peer: ip, local: ip }, &mut out);
    (node, link)
}

const PACKETS: [&[u8]; 11] = [
    include_bytes!("../fixtures/meet.bin"),
    include_bytes!("../fixtures/ping.bin"),
    include_bytes!("../fixtures/pong-announced.bin"),
    include_bytes!("../fixtures/ping-forgotten.bin"),
    include_bytes!("../fixtures/fail.bin"),
    include_bytes!("../fixtures/auth-request.bin"),
    include_bytes!("../fixtures/auth-ack.bin"),
    include_bytes!("../fixtures/update.bin"),
    include_bytes!("../fixtures/mfstart.bin"),
    include_bytes!("../fixtures/publish-light.bin"),
    include_bytes!("../fixtures/publishshard-light.bin"),
];

const FILES: [&[u8]; 3] = [
    include_bytes!("../fixtures/nodes-0.conf"),
    include_bytes!("../fixtures/nodes-1.conf"),
    include_bytes!("../fixtures/nodes-3.conf"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Packets of real nodes in any order, with bytes changed: the node may believe them or not, it stays a node.
    #[test]
    fn hostile_packets(
        packets in proptest::collection::vec((0..PACKETS.len(), proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..4)), 1..12),
    ) {
        let (mut node, link) = alone();
        let (mut out, mut now) = (Outbox::new(), net::START);
        for (which, changes) in packets {
            let mut bytes = PACKETS[which].to_vec();
            for (at, value) in changes {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            now += 150;
            node.handle(UnixMillis(now), Event::Received { link, bytes: &bytes }, &mut out);
            node.handle(UnixMillis(now), Event::Timer, &mut out);
        }
        let text = String::from_utf8(node.nodes_text(Default::default())).unwrap();
        prop_assert!(text.lines().all(|line| line.split(' ').count() >= 8), "{text}");
        let again = Cluster::new(Config::default(), Saved { newest: Some(&node.saved_config()), previous: None }, 1, UnixMillis(now), &mut out);
        prop_assert_eq!(again.unwrap().my_id(), node.my_id());
    }

    /// Files with bytes changed: refused, or taken over and written so that they are read again.
    #[test]
    fn hostile_files(
        which in 0..FILES.len(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut file = FILES[which].to_vec();
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        let mut out = Outbox::new();
        let mut new = |file: &[u8]| {
            let saved = Saved { newest: Some(file), previous: None };
            Cluster::new(Config::default(), saved, 1, UnixMillis(net::START), &mut out)
        };
        if let Ok(node) = new(&file) {
            let again = new(&node.saved_config());
            prop_assert_eq!(again.map(|node| node.my_id()), Ok(node.my_id()));
        }
    }

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..3000)) {
        let (mut node, link) = alone();
        let mut out = Outbox::new();
        node.handle(UnixMillis(net::START), Event::Received { link, bytes: &bytes }, &mut out);
        prop_assert_eq!(node.nodes_text(Default::default()).split(|b| *b == b'\n').count(), 2);
    }
}

/// A stranger is answered, but neither believed nor taken in without a MEET.
#[test]
fn a_stranger_is_not_believed() {
    let (mut node, link) = alone();
    let mut out = Outbox::new();
    let before = node.saved_config();
    for bytes in [PACKETS[1], PACKETS[4], PACKETS[5], PACKETS[7], PACKETS[8]] {
        node.handle(UnixMillis(net::START), Event::Received { link, bytes }, &mut out);
    }
    assert_eq!(node.view().nodes().len(), 1);
    let _ = Bytes::from(before);
    assert!(Slot::all().take(100).all(|slot| node.view().is_mine(slot)));
    node.forget(UnixMillis(net::START), b"x", &mut out).unwrap_err();
    node.reset(UnixMillis(net::START), false, &Data::default(), &mut out).unwrap();
}
