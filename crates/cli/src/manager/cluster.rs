//! The cluster as it is found: a picture, and a connection to each node of it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use client::{Address, Client, Family, Value};
use cluster_admin::{Node, NodeId, Picture, Slot};

use super::{FAILED, Manager};
use crate::failure::Failure;
use crate::screen::complain;

/// After how long a silence a connection is probed: moving slots may take long, and dead nodes are to be noticed.
const KEEPALIVE: Duration = Duration::from_secs(15);

/// How much longer than a `MIGRATE` may take a node may be silent until it counts as gone.
const PATIENCE: Duration = Duration::from_secs(60);

/// Why a node did not do what it was told.
#[derive(Debug)]
pub enum Refusal {
    /// Its reply is an error.
    Error(String),
    /// There was no reply.
    Lost(String),
}

impl Refusal {
    pub fn text(&self) -> &str {
        match self {
            Refusal::Error(text) | Refusal::Lost(text) => text,
        }
    }
}

/// Nodes and connections.
pub struct Cluster<'a> {
    pub manager: &'a Manager,
    pub picture: Picture,
    links: BTreeMap<NodeId, Client>,
    databases: BTreeMap<NodeId, usize>,
    /// What a check has found wrong.
    pub errors: usize,
}

impl Manager {
    /// Connects and authenticates; standard error says why that failed.
    pub fn connect(&self, host: &str, port: u16) -> Option<Client> {
        let options = client::Options {
            connect_timeout: self.options.connect_timeout,
            read_timeout: Some(self.migrate_timeout() + PATIENCE),
            keepalive: Some(KEEPALIVE),
            family: self.options.family,
            multipath: self.options.server.multipath,
            ..client::Options::default()
        };
        let mut link = match Client::connect(&Address::tcp(host, port), &options) {
            Ok(link) => link,
            Err(error) => {
                complain!("Could not connect to {} at {host}:{port}: {error}", self.words.server);
                return None;
            }
        };
        if let Some(words) = self.options.server.authentication()
            && let Err(refusal) = call(&mut link, &words)
        {
            let _ = self.error(&refused(&format!("{host}:{port}"), refusal.text()));
            return None;
        }
        Some(link)
    }

    fn migrate_timeout(&self) -> Duration {
        Duration::from_millis(self.request.timeout_ms.try_into().unwrap_or(0))
    }

    /// The address that `CLUSTER MEET` wants in place of a host name.
    pub fn resolve(&self, host: &str) -> Result<String, Failure> {
        let found: Vec<SocketAddr> = (host, 0).to_socket_addrs().map(Iterator::collect).unwrap_or_default();
        let is_wanted = |address: &&SocketAddr| match self.options.family {
            Some(Family::V4) => address.is_ipv4(),
            Some(Family::V6) => address.is_ipv6(),
            None => true,
        };
        match found.iter().find(is_wanted).or(found.first()) {
            Some(address) => Ok(address.ip().to_string()),
            None => {
                complain!("Invalid IP address or hostname specified: {host}");
                Err(FAILED)
            }
        }
    }

    /// One node as it tells of itself, and a connection to it. `friends` are the others that it knows.
    pub fn meet(&self, host: &str, port: u16) -> Result<(Node, Client, Vec<Node>), Failure> {
        let mut link = self.connect(host, port).ok_or(FAILED)?;
        let place = format!("{host}:{port}");
        let is_cluster = match call(&mut link, &["INFO"]) {
            Ok(info) => info_field(&info, "cluster_enabled") == Some("1".to_owned()),
            Err(refusal) => return self.fail(&format!("[ERR] Node {place} {}\n", refusal.text())),
        };
        if !is_cluster {
            return self.fail(&format!("[ERR] Node {place} is not configured as a cluster node.\n"));
        }
        let text = match call(&mut link, &["CLUSTER", "NODES"]) {
            Ok(value) => String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned(),
            Err(refusal) => return self.fail(&refused(&place, refusal.text())),
        };
        let Some(nodes) = text.lines().map(Node::parse).collect::<Option<Vec<Node>>>() else {
            complain!("Error: invalid CLUSTER NODES reply");
            return Err(FAILED);
        };
        let (mut myself, friends): (Vec<Node>, Vec<Node>) = nodes.into_iter().partition(|node| node.has_flag("myself"));
        let Some(mut node) = myself.pop() else {
            complain!("Error: invalid CLUSTER NODES reply");
            return Err(FAILED);
        };
        // A node may not know its own address yet, and the way by which it was reached is good.
        node.host = host.to_owned();
        node.port = port;
        Ok((node, link, friends))
    }
}

impl<'a> Cluster<'a> {
    pub fn new(manager: &'a Manager) -> Self {
        Cluster { manager, picture: Picture::default(), links: BTreeMap::new(), databases: BTreeMap::new(), errors: 0 }
    }

    /// Asks a node whom it knows, and each of those what it says of itself. Nodes that do not answer or are said to be failed are
    /// left out, unless `with_unreachable`: then they are in the picture with what is said of them.
    pub fn load(manager: &'a Manager, host: &str, port: u16, with_unreachable: bool) -> Result<Cluster<'a>, Failure> {
        let mut cluster = Cluster::new(manager);
        let (node, link, friends) = manager.meet(host, port)?;
        cluster.add(node, link);
        for mut friend in friends {
            if let Some((node, link)) = cluster.call_on(&friend)? {
                cluster.add(node, link);
                continue;
            }
            if !friend.is_replica() {
                cluster.picture.unreachable_primaries += 1;
            }
            if with_unreachable {
                friend.reachable = false;
                cluster.picture.nodes.push(friend);
            }
        }
        let known: BTreeSet<&NodeId> = cluster.picture.nodes.iter().map(|node| &node.id).collect();
        for node in &cluster.picture.nodes {
            if let Some(primary) = node.primary.as_ref().filter(|primary| !known.contains(primary)) {
                manager.warn(&format!(
                    "*** WARNING: {} claims to be {} of unknown node ID {primary}.\n",
                    node.address(),
                    manager.words.replica,
                ))?;
            }
        }
        Ok(cluster)
    }

    /// What a node that another one knows says of itself.
    fn call_on(&self, friend: &Node) -> Result<Option<(Node, Client)>, Failure> {
        if friend.port == 0 || friend.host.is_empty() {
            return Ok(None);
        }
        let Some(mut link) = self.manager.connect(&friend.host, friend.port) else { return Ok(None) };
        let own = match call(&mut link, &["CLUSTER", "NODES"]) {
            Ok(value) => {
                let text = String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned();
                text.lines().filter_map(Node::parse).find(|node| node.has_flag("myself"))
            }
            Err(_) => None,
        };
        let Some(own) = own else {
            self.manager.error(&format!("[ERR] Unable to load info for node {}\n", friend.address()))?;
            return Ok(None);
        };
        let is_away = |node: &Node| ["noaddr", "disconnected", "fail"].iter().any(|flag| node.has_flag(flag));
        if is_away(friend) || is_away(&own) {
            return Ok(None);
        }
        Ok(Some((Node { host: friend.host.clone(), port: friend.port, ..own }, link)))
    }

    pub fn add(&mut self, node: Node, link: Client) {
        self.links.insert(node.id.clone(), link);
        self.picture.nodes.push(node);
    }

    /// `host:port` of a node of the picture.
    pub fn address(&self, id: &NodeId) -> String {
        self.picture.node(id).map_or_else(|| id.to_string(), Node::address)
    }

    /// Sends a command to a node.
    pub fn ask<S: AsRef<[u8]>>(&mut self, id: &NodeId, words: &[S]) -> Result<Value, Refusal> {
        match self.links.get_mut(id) {
            Some(link) => call(link, words),
            None => Err(Refusal::Lost("not connected".to_owned())),
        }
    }

    /// Sends a command to a node; an error is told, and ends the subcommand.
    pub fn must<S: AsRef<[u8]>>(&mut self, id: &NodeId, words: &[S]) -> Result<Value, Failure> {
        self.ask(id, words).or_else(|refusal| {
            let place = self.address(id);
            self.manager.fail(&refused(&place, refusal.text()))
        })
    }

    pub fn link(&mut self, id: &NodeId) -> Option<&mut Client> {
        self.links.get_mut(id)
    }

    /// What a node answers to `CLUSTER NODES`.
    pub fn nodes_text(&mut self, id: &NodeId) -> Result<String, Refusal> {
        let value = self.ask(id, &["CLUSTER", "NODES"])?;
        Ok(String::from_utf8_lossy(value.as_bytes().unwrap_or_default()).into_owned())
    }

    pub fn ids(&self) -> Vec<NodeId> {
        self.picture.nodes.iter().map(|node| node.id.clone()).collect()
    }

    /// How many databases the node has in cluster mode; one where it does not know of such a thing.
    pub fn databases(&mut self, id: &NodeId) -> usize {
        if let Some(count) = self.databases.get(id) {
            return *count;
        }
        let reply = self.ask(id, &["CONFIG", "GET", "cluster-databases"]).ok();
        let items = reply.as_ref().and_then(Value::as_array).unwrap_or_default();
        let count = items.get(1).and_then(Value::as_str).and_then(|text| text.parse().ok()).unwrap_or(1).max(1);
        self.databases.insert(id.clone(), count);
        count
    }

    /// Counts the keys of these slots on every primary that answers, in all its databases.
    pub fn count_keys(&mut self, slots: &[Slot]) -> Result<(), Failure> {
        let primaries: Vec<NodeId> = self.picture.reachable_primaries().map(|node| node.id.clone()).collect();
        for id in &primaries {
            let mut counts = vec![0; slots.len()];
            let databases = self.databases(id);
            for db in 0..databases {
                if databases > 1 {
                    self.must(id, &["SELECT", &db.to_string()])?;
                }
                let questions: Vec<Vec<String>> = slots
                    .iter()
                    .map(|slot| vec!["CLUSTER".to_owned(), "COUNTKEYSINSLOT".to_owned(), slot.to_string()])
                    .collect();
                let Some(link) = self.links.get_mut(id) else { continue };
                let replies = link.pipeline(&questions);
                let place = self.address(id);
                let replies = replies.or_else(|error| self.manager.fail(&refused(&place, &error.to_string())))?;
                for (count, reply) in counts.iter_mut().zip(&replies) {
                    if let Some(text) = reply.as_error() {
                        return self.manager.fail(&refused(&place, &String::from_utf8_lossy(text)));
                    }
                    *count += u64::try_from(reply.as_int().unwrap_or(0)).unwrap_or(0);
                }
            }
            if databases > 1 {
                self.must(id, &["SELECT", "0"])?;
            }
            slots.iter().zip(counts).for_each(|(slot, count)| self.picture.set_keys(*slot, id, count));
        }
        Ok(())
    }
}

/// Sends a command; an error reply is a refusal.
pub fn call<S: AsRef<[u8]>>(link: &mut Client, words: &[S]) -> Result<Value, Refusal> {
    let value = link.call(words).map_err(|error| Refusal::Lost(error.to_string()))?;
    match value.as_error() {
        Some(text) => Err(Refusal::Error(String::from_utf8_lossy(text).into_owned())),
        None => Ok(value),
    }
}

/// How an error reply is told.
pub fn refused(place: &str, text: &str) -> String {
    format!("Node {place} replied with error:\n{text}\n")
}

/// The value of a line of INFO.
pub fn info_field(info: &Value, name: &str) -> Option<String> {
    let text = String::from_utf8_lossy(info.as_bytes()?).into_owned();
    let mut lines = text.lines().filter_map(|line| line.trim_end().split_once(':'));
    lines.find(|(own, _)| *own == name).map(|(_, value)| value.to_owned())
}
