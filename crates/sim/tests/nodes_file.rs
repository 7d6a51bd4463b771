//! What simulated universes have found about the file of a cluster's node, as small tests.

use std::path::Path;

use cluster::{Cluster, Config, Outbox, Saved};
use keyspace::UnixMillis;
use node::cluster::ClusterNode;
use sim::disk::SimDisk;
use sim::process::Paper;
use sim::process::host::{Desk, SimHost};
use sim::random::Random;

/// Neither copy may be torn by a power failure, however often the file was written without waiting for the disk.
#[test]
fn one_copy_is_whole_whenever_the_power_fails() {
    let mut random = Random::new(7);
    for seed in 0..200 {
        let disk = SimDisk::default();
        let host = SimHost::new(Desk::new(random.fork(), false), Paper::default(), disk.clone());
        let machine = |seed| Cluster::new(Config::default(), Saved::default(), seed, UnixMillis(1), &mut Outbox::new());
        let node = ClusterNode::new(machine(seed).expect("a new node"), Outbox::new());
        let mut promised = 0;
        for n in 1..=random.between(1, 6) {
            let fsync = random.chance(300);
            node.save(&host, format!("{n} {}", "x".repeat(50)).as_bytes(), fsync).expect("it fits");
            promised = if fsync || n == 1 { n } else { promised };
        }
        disk.lose(&mut random);
        let whole = |name: &str| {
            let bytes = disk.read(Path::new(name))?;
            let text = String::from_utf8(bytes).expect("text");
            let (n, rest) = text.split_once(' ')?;
            n.parse::<u64>().ok().filter(|_| rest.len() == 50)
        };
        let left = whole("nodes.conf").or_else(|| whole("nodes.conf.previous"));
        assert!(left.is_some_and(|left| left >= promised), "{left:?} is left of what was promised up to {promised}");
    }
}
