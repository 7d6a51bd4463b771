//! Clusters of real servers, made by the manager that people type, and a client that goes where it is sent.

use crate::{Connection, Host, Output, Program, Reply, Server, wait};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a client waits before it tries again what could not be done.
const STEP: Duration = Duration::from_millis(5);

/// Nodes that know each other; the primaries first, as long as nobody has failed over.
pub struct Cluster {
    pub nodes: Vec<Server>,
}

/// A server in cluster mode that nobody knows yet, on this machine or on that one; `timeout` is its node timeout.
pub fn node(program: &Program, host: Option<&Host>, timeout: Duration) -> Server {
    let timeout = timeout.as_millis().to_string();
    let arguments = ["--cluster-enabled", "yes", "--cluster-node-timeout", &timeout, "--appendonly", "no"];
    let mut server = Server::prepare(program, &arguments);
    if let Some(host) = host {
        server.add_arguments(&["--bind", &host.ip.to_string(), "--protected-mode", "no"]);
        server.move_to(host);
    }
    server.boot();
    server
}

/// Runs our manager to its end, which must come in time.
pub fn manage(words: &[&str]) -> Output {
    manage_with(&Program::ours(), words)
}

/// The same with any program's manager.
pub fn manage_with(program: &Program, words: &[&str]) -> Output {
    let mut command = Command::new("timeout");
    command.arg("100").arg(program.cli().get_program()).arg("--cluster").args(words);
    Output::of(command)
}

/// The hash slot of a key, by a function of the harness's own: the server's is what is tested.
pub fn slot(key: &[u8]) -> u16 {
    let tag = key.iter().position(|byte| *byte == b'{').and_then(|open| {
        let rest = &key[open + 1..];
        let close = rest.iter().position(|byte| *byte == b'}').filter(|length| *length > 0)?;
        Some(&rest[..close])
    });
    let mut sum = 0u16;
    for byte in tag.unwrap_or(key) {
        sum ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { sum << 1 ^ 0x1021 };
        }
    }
    sum % 16384
}

impl Cluster {
    /// Makes a cluster of nodes, each primary with so many replicas, and waits until it is up for everybody.
    pub fn create(nodes: Vec<Server>, replicas: usize) -> Cluster {
        let addresses: Vec<String> = nodes.iter().map(|node| node.address().to_string()).collect();
        let replicas = replicas.to_string();
        let mut words = vec!["create"];
        words.extend(addresses.iter().map(String::as_str));
        words.extend(["--cluster-replicas", &replicas, "--cluster-yes"]);
        let made = manage(&words);
        assert!(made.stdout.contains("[OK] All 16384 slots covered"), "{}{}", made.stdout, made.stderr);
        let cluster = Cluster { nodes };
        cluster.wait_until_whole();
        cluster
    }

    /// Waits until everybody says that the cluster is up and knows all the others to be there, and every replica has its
    /// primary's data.
    pub fn wait_until_whole(&self) {
        for node in &self.nodes {
            let state = || node.run("CLUSTER INFO").text();
            let known = || node.run("CLUSTER NODES").text();
            wait::until(
                || format!("{} to find the cluster whole: {}{}", node.address(), state(), known()),
                || {
                    let known = known();
                    let here = known.lines().filter(|line| !line.contains("fail") && line.contains(" connected"));
                    state().contains("cluster_state:ok") && here.count() == self.nodes.len()
                },
            );
            wait::until("a replica to follow", || {
                node.info("role") == "master" || node.info("master_link_status") == "up"
            });
        }
    }

    /// The nodes that are primaries now, by what they say of themselves.
    pub fn primaries(&self) -> Vec<&Server> {
        self.nodes.iter().filter(|node| node.info("role") == "master").collect()
    }

    /// The place among the nodes of a primary's replica.
    pub fn replica_of(&self, primary: &Server) -> usize {
        let name = primary.run("CLUSTER MYID").text();
        wait::until_some("a replica of a primary", || {
            self.nodes.iter().position(|node| {
                let known = node.run("CLUSTER NODES").text();
                known.lines().any(|line| line.contains("myself,slave") && line.contains(&name))
            })
        })
    }

    /// Waits until a replica has everything that its primary has written.
    pub fn wait_until_replicated(&self, primary: &Server, replica: &Server) {
        wait::until("a replica to have everything", || {
            primary.info("master_repl_offset") == replica.info("master_repl_offset")
        });
    }

    /// Waits until all nodes, asked one by one, tell the same owner for every slot, and the manager finds nothing wrong.
    pub fn wait_until_agreed(&self) {
        let slots = |node: &Server| {
            let text = node.run("CLUSTER NODES").text();
            let mut owned: Vec<String> = text
                .lines()
                .map(|line| line.split(' ').collect::<Vec<&str>>())
                .filter(|words| words.len() > 8)
                .map(|words| format!("{} {}", words[0], words[8..].join(" ")))
                .collect();
            owned.sort();
            owned
        };
        wait::until(
            || format!("one owner for every slot: {:?}", self.nodes.iter().map(slots).collect::<Vec<_>>()),
            || {
                let first = slots(&self.nodes[0]);
                self.nodes.iter().all(|node| slots(node) == first)
                    && manage(&["check", &self.nodes[0].address().to_string()]).status.success()
            },
        );
    }
}

/// A client that goes where it is sent, as cluster clients do.
pub struct Client {
    connections: HashMap<SocketAddr, Connection>,
    /// Whom it may ask when it does not know whom to ask, in turns.
    seeds: Vec<SocketAddr>,
    asked: usize,
    owners: HashMap<u16, SocketAddr>,
    /// Who has answered last.
    pub answered: SocketAddr,
}

impl Client {
    /// A client that begins with any of these.
    pub fn of<'s>(seeds: impl IntoIterator<Item = &'s Server>) -> Client {
        let seeds: Vec<SocketAddr> = seeds.into_iter().map(Server::address).collect();
        Client { connections: HashMap::new(), answered: seeds[0], seeds, asked: 0, owners: HashMap::new() }
    }

    fn at(&mut self, address: SocketAddr) -> Option<&mut Connection> {
        match self.connections.entry(address) {
            Entry::Occupied(there) => Some(there.into_mut()),
            Entry::Vacant(free) => {
                let mut connection = Connection::open_at(address).ok()?;
                connection.set_patience(Duration::from_secs(2)).ok()?;
                Some(free.insert(connection))
            }
        }
    }

    /// Runs a command on a key, however often it is sent elsewhere; `None` when that takes more than `patience`.
    pub fn call(&mut self, key: &str, words: &[&str], patience: Duration) -> Option<Reply> {
        let slot = slot(key.as_bytes());
        let begin = Instant::now();
        let mut ask: Option<SocketAddr> = None;
        while begin.elapsed() < patience {
            let any = self.seeds[self.asked % self.seeds.len()];
            let address = ask.unwrap_or_else(|| self.owners.get(&slot).copied().unwrap_or(any));
            let asking = ask.take().is_some();
            let reply = self.at(address).and_then(|connection| {
                if asking {
                    connection.call(&["ASKING"]).ok()?;
                }
                connection.call(words).ok()
            });
            let Some(reply) = reply else {
                self.connections.remove(&address);
                self.owners.remove(&slot);
                self.asked += 1;
                std::thread::sleep(STEP);
                continue;
            };
            self.answered = address;
            let Reply::Error(text) = &reply else { return Some(reply) };
            let text = String::from_utf8_lossy(text).into_owned();
            let target = || text.rsplit(' ').next().and_then(|place| place.parse().ok());
            match text.split(' ').next() {
                Some("MOVED") => {
                    self.owners.insert(slot, target()?);
                }
                Some("ASK") => ask = target(),
                // Others may know better.
                Some("CLUSTERDOWN") => {
                    self.owners.remove(&slot);
                    self.asked += 1;
                    std::thread::sleep(STEP);
                }
                Some("TRYAGAIN" | "LOADING" | "READONLY" | "MASTERDOWN") => std::thread::sleep(STEP),
                _ => return Some(reply),
            }
        }
        None
    }

    /// Sets a key, and panics if that takes longer than `patience`.
    pub fn set(&mut self, key: &str, value: &str, patience: Duration) {
        let reply = self.call(key, &["SET", key, value], patience);
        assert_eq!(reply.expect("a reply in time").to_string(), "OK", "{key}");
    }

    /// Asserts what a key has.
    pub fn expect(&mut self, key: &str, value: &str, patience: Duration) {
        let reply = self.call(key, &["GET", key], patience);
        assert_eq!(reply.expect("a reply in time"), Reply::Bulk(value.into()), "{key}");
    }
}

#[cfg(test)]
mod tests {
    use super::slot;

    /// Slots that the peers' documents name.
    #[test]
    fn slots_of_published_keys() {
        assert_eq!(slot(b"123456789"), 0x31c3);
        assert_eq!(slot(b"foo"), 12182);
        assert_eq!(slot(b"{foo}:1"), slot(b"a{foo}b}"));
        assert_ne!(slot(b"{}foo"), slot(b"foo"));
    }
}
