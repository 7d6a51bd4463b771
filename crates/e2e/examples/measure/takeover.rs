//! How long are a third of the slots without a primary that takes writes, after the one that they have is killed?
//!
//! Three primaries with a replica each and `cluster-node-timeout 5000`. A client writes to a key of the one that is killed, again
//! and again, and goes where it is sent. Then the node that was killed comes back, and the next round kills another.

use crate::sample::{Sample, seconds};
use crate::shared::{self, STEP};
use e2e::cluster::Client;
use e2e::{Cluster, Program, wait};
use std::time::{Duration, Instant};

/// One fault.
fn round(cluster: &mut Cluster, round: usize) -> Duration {
    cluster.wait_until_whole();
    let primaries: Vec<u16> = wait::until_some("three primaries", || {
        let ports: Vec<u16> = cluster.primaries().iter().map(|node| node.port()).collect();
        (ports.len() == 3).then_some(ports)
    });
    let port = primaries[round % 3];
    let at = cluster.nodes.iter().position(|node| node.port() == port).expect("one of them");
    let replica = cluster.replica_of(&cluster.nodes[at]);
    cluster.wait_until_replicated(&cluster.nodes[at], &cluster.nodes[replica]);
    let mut client = Client::of(cluster.nodes.iter().filter(|node| node.port() != port));
    let mut set = |key: &str| client.call(key, &["SET", key, "v"], STEP).is_some_and(|reply| reply.to_string() == "OK");
    let owners = shared::owners(&cluster.nodes);
    let mine = |key: &String| owners[usize::from(e2e::cluster::slot(key.as_bytes()))] == at;
    let key = (0..).map(shared::key).find(mine).expect("a third of all slots");
    wait::until("a write before the fault", || set(&key));
    let begin = Instant::now();
    cluster.nodes[at].kill();
    while !set(&key) {
        assert!(begin.elapsed() < Duration::from_secs(120), "nobody takes writes");
        std::thread::sleep(STEP);
    }
    let took = begin.elapsed();
    cluster.nodes[at].boot();
    took
}

/// Prints the table.
pub fn measure(rounds: usize) {
    let mut clusters: Vec<(Program, Cluster, Vec<Duration>)> = shared::programs()
        .into_iter()
        .map(|program| (program.clone(), shared::cluster(&program, 1), Vec::new()))
        .collect();
    for at in 0..rounds {
        for (_, cluster, times) in &mut clusters {
            times.push(round(cluster, at));
        }
    }
    println!("\n| from the kill to the first write | least | quarter | median | three quarters | most | rounds |");
    println!("|---|---|---|---|---|---|---|");
    for (program, _, times) in clusters {
        let times = Sample::of(times);
        let figures = [0.0, 0.25, 0.5, 0.75, 1.0].map(|share| seconds(times.share(share)));
        println!("| {} | {} | {} |", shared::title(&program), figures.join(" | "), times.count());
    }
}
