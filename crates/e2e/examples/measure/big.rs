//! Does a big key that moves stall the others?
//!
//! One list, one hash and one sorted set, each with a slot of its own, of 64 MB of elements each; our manager moves the slot.
//! Meanwhile eight clients, four of the node that the key leaves and four of the one that it goes to, read and write small keys.
//! Eight, because the clients of other I/O threads than the one that has the big key in its hands would notice nothing.

use crate::sample::{millis, seconds};
use crate::shared::{self, Probe};
use e2e::cluster::{self, manage};
use e2e::{Cluster, Server};
use std::time::Instant;

const ELEMENTS: usize = 640_000;
const WIDTH: usize = 100;
const CLIENTS: usize = 4;
const BATCH: usize = 1000;

/// A key of each kind, written by commands of a thousand elements.
fn write(node: &Server, kind: &str, key: &str, elements: usize) {
    let mut connection = node.connect();
    for first in (0..elements).step_by(BATCH) {
        let verb = match kind {
            "list" => "RPUSH",
            "hash" => "HSET",
            _ => "ZADD",
        };
        let mut words = vec![verb.to_owned(), key.to_owned()];
        for n in first..(first + BATCH).min(elements) {
            let element = format!("{n:0>WIDTH$}");
            match kind {
                "list" => words.push(element),
                "hash" => words.extend([n.to_string(), element]),
                _ => words.extend([n.to_string(), element]),
            }
        }
        assert!(!connection.call(&words).expect("a node that answers").is_error(), "{key} is not where it should be");
    }
}

/// Prints the table.
pub fn measure(scale: f64) {
    let elements = (ELEMENTS as f64 * scale) as usize;
    println!(
        "\n| servers | key of {} MB | moved in | others at the source: worst | at the target: worst |",
        elements * WIDTH / 1_000_000
    );
    println!("|---|---|---|---|---|");
    for servers in shared::programs() {
        let Cluster { nodes } = shared::cluster(&servers, 0);
        let [from, to] = [0, 1].map(|at| nodes[at].run("CLUSTER MYID").text());
        for kind in ["list", "hash", "sorted set"] {
            // The manager takes the first slots of a node.
            let owners = shared::owners(&nodes);
            let first = owners.iter().position(|owner| *owner == 0).expect("a node with slots");
            let named = |slot: &dyn Fn(usize) -> bool| {
                let fits = |key: &String| slot(usize::from(cluster::slot(key.as_bytes())));
                (0..).map(|n| format!("big:{n}")).find(fits).expect("a key of every slot")
            };
            let key = named(&|slot| slot == first);
            write(&nodes[0], kind, &key, elements);
            let probes = |at: usize| -> Vec<Probe> {
                let other = named(&|slot| slot != first && owners[slot] == at);
                (0..CLIENTS).map(|_| Probe::at(&nodes[at], &other)).collect()
            };
            let (source, target) = (probes(0), probes(1));
            let begin = Instant::now();
            let place = nodes[0].address().to_string();
            let moved = manage(&[
                "reshard",
                &place,
                "--cluster-from",
                &from,
                "--cluster-to",
                &to,
                "--cluster-slots",
                "1",
                "--cluster-yes",
            ]);
            let took = begin.elapsed();
            let [source, target] = [source, target].map(Probe::end);
            assert!(moved.status.success(), "{}{}", moved.stdout, moved.stderr);
            assert_eq!(nodes[1].connect().call(&["EXISTS", &key]).expect("a node that answers").integer(), 1);
            println!(
                "| {} | {kind} | {} | {} | {} |",
                shared::title(&servers),
                seconds(took),
                millis(source.most()),
                millis(target.most())
            );
        }
    }
}
