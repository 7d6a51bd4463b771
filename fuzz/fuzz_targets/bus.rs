//! A node that is sent any bytes on its bus. It stays a node, and what it saves it can read.

#![no_main]

use cluster::{Cluster, Config, Event, LinkId, Outbox, Saved};
use keyspace::UnixMillis;
use libfuzzer_sys::fuzz_target;
use std::net::{IpAddr, Ipv4Addr};

fuzz_target!(|bytes: &[u8]| {
    let (mut out, now, link) = (Outbox::new(), UnixMillis(1_700_000_000_000), LinkId::inbound(1));
    let Ok(mut node) = Cluster::new(Config::default(), Saved::default(), 1, now, &mut out) else { return };
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    node.handle(now, Event::Accepted { link, peer: ip, local: ip }, &mut out);
    for (piece, bytes) in (1..).zip(bytes.chunks(2500)) {
        node.handle(now, Event::Received { link, bytes }, &mut out);
        node.handle(UnixMillis(now.0 + piece * 100), Event::Timer, &mut out);
    }
    let saved = Saved { newest: Some(&node.saved_config()), previous: None };
    let again = Cluster::new(Config::default(), saved, 2, now, &mut out).expect("what was written can be read");
    assert_eq!(again.my_id(), node.my_id());
});
