//! How fast do slots move, and what does a client notice?
//!
//! Three primaries and a million keys of 64 bytes. The manager moves 1000 slots from the first to the second, with its default of
//! ten keys in each MIGRATE, and then 1000 from the second to the third by the other manager. Meanwhile a client reads and
//! writes any of the keys; a request takes until its answer, with every redirection.

use crate::sample::millis;
use crate::shared::{self, Probe};
use e2e::cluster::manage_with;
use e2e::{Cluster, Program, Server};
use std::time::{Duration, Instant};

const KEYS: usize = 1_000_000;
const BYTES: usize = 64;
const MOVED: usize = 1000;

/// For how long the client is watched when nothing moves.
const QUIET: Duration = Duration::from_secs(5);

fn line(servers: &Program, what: &str, speed: &str, probe: &crate::sample::Sample) {
    let figures = [0.5, 0.99, 0.999, 1.0].map(|share| millis(probe.share(share)));
    println!("| {} | {what} | {speed} | {} |", shared::title(servers), figures.join(" | "));
}

/// Moves slots and returns how long that took, and how many keys have moved.
fn reshard(nodes: &[Server], manager: &Program, from: usize, to: usize, slots: usize) -> (Duration, i64) {
    let [from_id, to_id] = [from, to].map(|at| nodes[at].run("CLUSTER MYID").text());
    let before = nodes[to].run("DBSIZE").integer();
    let (place, slots) = (nodes[0].address().to_string(), slots.to_string());
    let begin = Instant::now();
    let ended = manage_with(
        manager,
        &[
            "reshard",
            &place,
            "--cluster-from",
            &from_id,
            "--cluster-to",
            &to_id,
            "--cluster-slots",
            &slots,
            "--cluster-yes",
        ],
    );
    let took = begin.elapsed();
    assert!(ended.status.success(), "{}{}", ended.stdout, ended.stderr);
    (took, nodes[to].run("DBSIZE").integer() - before)
}

/// Prints the table.
pub fn measure(scale: f64) {
    let keys = (KEYS as f64 * scale) as usize;
    let slots = ((MOVED as f64 * scale) as usize).clamp(1, 5000);
    println!(
        "\n| servers | manager | keys/s | slots/s | client: median | 99 % | 99.9 % | worst |\n|---|---|---|---|---|---|---|---|"
    );
    for servers in shared::programs() {
        let Cluster { nodes } = shared::cluster(&servers, 0);
        shared::fill(&nodes, keys, BYTES);
        let probe = Probe::anywhere(&nodes, keys, BYTES);
        std::thread::sleep(QUIET.mul_f64(scale.min(1.0)));
        line(&servers, "none", "- | -", &Probe::end(vec![probe]));
        for (from, manager) in shared::programs().iter().enumerate() {
            let probe = Probe::anywhere(&nodes, keys, BYTES);
            let (took, moved) = reshard(&nodes, manager, from, from + 1, slots);
            let probe = Probe::end(vec![probe]);
            let speed = |count: f64| format!("{:.0}", count / took.as_secs_f64());
            line(
                &servers,
                shared::title(manager),
                &format!("{} | {}", speed(moved as f64), speed(slots as f64)),
                &probe,
            );
        }
    }
}
