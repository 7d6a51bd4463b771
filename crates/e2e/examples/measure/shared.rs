//! What all parts have in common: whose servers, clusters with data in them, and clients that notice when they wait.

use crate::sample::Sample;
use e2e::cluster::{self, Client};
use e2e::{Cluster, Connection, Program, Server};
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How often a client tries what cannot be done yet.
pub const STEP: Duration = Duration::from_millis(5);

/// How long a probing client rests between two requests: it is to see every stall and to take no processor from the servers.
const REST: Duration = Duration::from_micros(500);

const SLOTS: usize = 16384;
/// Keys are filled in pipelines of so many.
const BATCH: usize = 5000;
const PATIENCE: Duration = Duration::from_secs(60);

/// Ours, and the peer if it is at hand.
pub fn programs() -> Vec<Program> {
    [Some(Program::ours()), Program::valkey()].into_iter().flatten().collect()
}

pub fn title(program: &Program) -> &'static str {
    if program.is_rubellite() { "Rubellite" } else { program.name }
}

/// A cluster of three primaries on this machine, each with so many replicas, with default settings but for the timeout.
pub fn cluster(program: &Program, replicas: usize) -> Cluster {
    let node = |_| cluster::node(program, None, Duration::from_secs(5));
    Cluster::create((0..3 * (1 + replicas)).map(node).collect(), replicas)
}

/// For each slot, whose of these it is.
pub fn owners(nodes: &[Server]) -> Vec<usize> {
    let mut owners = vec![usize::MAX; SLOTS];
    for (at, node) in nodes.iter().enumerate() {
        let text = node.run("CLUSTER NODES").text();
        let own = text.lines().find(|line| line.contains("myself")).expect("a node knows itself");
        for range in own.split(' ').skip(8).filter(|word| !word.starts_with('[')) {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            let [first, last] = [first, last].map(|slot| slot.parse::<usize>().expect("a slot"));
            owners[first..=last].fill(at);
        }
    }
    owners
}

/// The name of a key that a probe asks for, too.
pub fn key(n: usize) -> String {
    format!("key:{n}")
}

/// Writes so many keys of so many bytes each.
pub fn fill(nodes: &[Server], keys: usize, bytes: usize) {
    let owners = owners(nodes);
    let mut connections: Vec<Connection> = nodes.iter().map(Server::connect).collect();
    let value = "v".repeat(bytes);
    let mut batches: Vec<Vec<Vec<String>>> = vec![Vec::new(); nodes.len()];
    let mut send = |at: usize, batch: &mut Vec<Vec<String>>| {
        let replies = connections[at].pipeline(batch).expect("a node that answers");
        assert!(replies.iter().all(|reply| !reply.is_error()), "a key is not where it should be");
        batch.clear();
    };
    for n in 0..keys {
        let key = key(n);
        let at = owners[usize::from(cluster::slot(key.as_bytes()))];
        batches[at].push(vec!["SET".to_owned(), key, value.clone()]);
        if batches[at].len() == BATCH {
            send(at, &mut batches[at]);
        }
    }
    batches.iter_mut().enumerate().for_each(|(at, batch)| send(at, batch));
}

/// A client that does one thing after the other and keeps how long each took.
pub struct Probe {
    over: Arc<AtomicBool>,
    thread: JoinHandle<Vec<Duration>>,
}

impl Probe {
    fn of(mut request: impl FnMut(&mut SmallRng) + Send + 'static) -> Probe {
        let over = Arc::new(AtomicBool::new(false));
        let ended = over.clone();
        let thread = std::thread::spawn(move || {
            let mut random = SmallRng::seed_from_u64(1);
            let mut times = Vec::new();
            while !ended.load(Ordering::Relaxed) || times.is_empty() {
                let begin = Instant::now();
                request(&mut random);
                times.push(begin.elapsed());
                std::thread::sleep(REST);
            }
            times
        });
        Probe { over, thread }
    }

    /// Reads and writes any of the keys, wherever they are by then; the time is that until the answer, with every redirection.
    pub fn anywhere(nodes: &[Server], keys: usize, bytes: usize) -> Probe {
        let mut client = Client::of(nodes);
        let value = "w".repeat(bytes);
        Probe::of(move |random| {
            let key = key(random.random_range(0..keys));
            if random.random() {
                client.set(&key, &value, PATIENCE);
            } else {
                client.call(&key, &["GET", &key], PATIENCE).expect("a reply in time");
            }
        })
    }

    /// Reads and writes one key of a node.
    pub fn at(node: &Server, key: &str) -> Probe {
        let (mut connection, key) = (node.connect(), key.to_owned());
        Probe::of(move |random| {
            let reply = if random.random() {
                connection.call(&["SET", &key, "value"])
            } else {
                connection.call(&["GET", &key])
            };
            assert!(!reply.expect("a node that answers").is_error(), "{key} is not where it was");
        })
    }

    /// How long all of them took.
    pub fn end(probes: Vec<Probe>) -> Sample {
        probes.iter().for_each(|probe| probe.over.store(true, Ordering::Relaxed));
        let times = probes.into_iter().flat_map(|probe| probe.thread.join().expect("every request was served"));
        Sample::of(times.collect())
    }
}
