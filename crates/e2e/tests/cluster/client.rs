//! A client that goes where it is sent, and a consistency checker that uses it.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use e2e::{Connection, Reply, wait};

/// A client that goes where it is sent, as cluster clients do.
pub struct Client {
    connections: HashMap<u16, Connection>,
    /// Whom it asks about a slot of which it knows nothing.
    any: u16,
    /// Everybody it has heard of.
    known: BTreeSet<u16>,
    owners: HashMap<u16, u16>,
    /// Who answered last.
    last: u16,
}

impl Client {
    /// One that knows this node only.
    pub fn of(port: u16) -> Client {
        Client { connections: HashMap::new(), any: port, known: [port].into(), owners: HashMap::new(), last: port }
    }

    fn at(&mut self, port: u16) -> Option<&mut Connection> {
        match self.connections.entry(port) {
            Entry::Occupied(there) => Some(there.into_mut()),
            Entry::Vacant(free) => {
                let mut connection = Connection::open(port).ok()?;
                connection.set_patience(Duration::from_secs(2)).ok()?;
                Some(free.insert(connection))
            }
        }
    }

    /// How many replicas have what was written last.
    fn replicas(&mut self) -> i64 {
        let port = self.last;
        let reply = self.at(port).and_then(|connection| connection.call(&["WAIT", "1", "200"]).ok());
        match reply {
            Some(Reply::Integer(count)) => count,
            // The next command will find out what has become of the node.
            _ => 0,
        }
    }

    /// A node does not serve: the others that were heard of are asked in turn.
    fn turn_from(&mut self, port: u16) {
        self.owners.retain(|_, owner| *owner != port);
        self.any = *self.known.range(port + 1..).next().or(self.known.first()).unwrap_or(&port);
        thread::sleep(Duration::from_millis(5));
    }

    /// Runs a command on a key, however often it is sent elsewhere; `None` when that takes more than `patience`.
    pub fn call(&mut self, key: &str, words: &[&str], patience: Duration) -> Option<Reply> {
        let slot = structures::crc16::slot(key.as_bytes());
        let begin = Instant::now();
        let mut ask: Option<u16> = None;
        while begin.elapsed() < patience {
            let port = ask.unwrap_or_else(|| self.owners.get(&slot).copied().unwrap_or(self.any));
            let asking = ask.take().is_some();
            let reply = self.at(port).and_then(|connection| {
                if asking {
                    connection.call(&["ASKING"]).ok()?;
                }
                connection.call(words).ok()
            });
            let Some(reply) = reply else {
                self.connections.remove(&port);
                self.turn_from(port);
                continue;
            };
            self.last = port;
            let Reply::Error(text) = &reply else { return Some(reply) };
            let text = String::from_utf8_lossy(text).into_owned();
            let target = || text.rsplit(':').next().and_then(|port| port.trim().parse().ok());
            match text.split(' ').next() {
                Some("MOVED") => {
                    let owner = target()?;
                    self.owners.insert(slot, owner);
                    self.known.insert(owner);
                }
                Some("ASK") => ask = target(),
                Some("TRYAGAIN" | "LOADING" | "READONLY") => thread::sleep(Duration::from_millis(5)),
                // It may have left the cluster.
                Some("CLUSTERDOWN") => self.turn_from(port),
                _ => return Some(reply),
            }
        }
        None
    }
}

/// Writes numbers over all slots, each greater than all before it, and looks whether they are still there.
///
/// What was acknowledged and is on a replica too must never be lost. What was only acknowledged may be, when a primary dies;
/// this is counted.
pub struct Checker {
    over: Arc<AtomicBool>,
    writes: Arc<AtomicUsize>,
    thread: JoinHandle<Checked>,
}

/// What a checker has seen.
#[derive(Debug, Default)]
pub struct Checked {
    pub writes: usize,
    /// Of these, how many were known to be on a replica when they were acknowledged.
    pub replicated: usize,
    /// Acknowledged, not known to be on a replica, and gone.
    pub lost: usize,
    /// The longest time that a command took, with everything that was tried again for it.
    pub longest: Duration,
}

/// What is known of a key.
#[derive(Default)]
struct Known {
    written: usize,
    replicated: usize,
}

const KEYS: usize = 500;
/// A checker gives up when a command has not been served for so long.
const PATIENCE: Duration = Duration::from_secs(30);

impl Checker {
    /// A checker that knows one node. With `replicated`, it asks after each write whether a replica has it.
    pub fn start(port: u16, replicated: bool) -> Checker {
        let (over, writes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let thread = {
            let (over, writes) = (over.clone(), writes.clone());
            thread::spawn(move || check(Client::of(port), replicated, &over, &writes))
        };
        let checker = Checker { over, writes, thread };
        wait::until("every key to be written", || checker.writes.load(Ordering::Relaxed) > KEYS);
        checker
    }

    /// Reads everything once more, and tells.
    pub fn stop(self) -> Checked {
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().expect("nothing that was replicated is lost")
    }
}

fn check(mut client: Client, replicated: bool, over: &AtomicBool, writes: &AtomicUsize) -> Checked {
    let mut checked = Checked::default();
    let mut known: HashMap<String, Known> = HashMap::new();
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        number += 1;
        let key = format!("checked:{}", number % KEYS);
        let state = known.entry(key.clone()).or_default();
        state.verify(&key, &mut client, &mut checked);
        let begin = Instant::now();
        let reply = client.call(&key, &["SET", &key, &number.to_string()], PATIENCE).expect("a write is served");
        assert_eq!(reply.to_string(), "OK", "{key}");
        checked.longest = checked.longest.max(begin.elapsed());
        state.written = number;
        checked.writes += 1;
        writes.fetch_add(1, Ordering::Relaxed);
        if replicated && client.replicas() > 0 {
            state.replicated = number;
            checked.replicated += 1;
        }
        thread::sleep(Duration::from_millis(2));
    }
    for (key, state) in &mut known {
        state.verify(key, &mut client, &mut checked);
    }
    checked
}

impl Known {
    fn verify(&mut self, key: &str, client: &mut Client, checked: &mut Checked) {
        let begin = Instant::now();
        let reply = client.call(key, &["GET", key], PATIENCE).expect("a read is served");
        checked.longest = checked.longest.max(begin.elapsed());
        let found = if reply == Reply::Nil { 0 } else { reply.text().parse().expect("a number") };
        assert!(found >= self.replicated, "{key} is {found}, and {} was replicated", self.replicated);
        checked.lost += usize::from(found < self.written);
        self.written = found;
    }
}
