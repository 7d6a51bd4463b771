//! A server as Sentinels see it.

use super::{Place, server_at};
use resp::Value;
use sentinel::ConnId;
use std::collections::BTreeMap;

/// What becomes of a FAILOVER.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailsOver {
    AtOnce,
    /// Who asks has not the right to.
    NotPermitted,
    /// The replica is not there at the moment.
    NotNow,
    /// It is begun and goes on for ever.
    Never,
    /// It is begun and given up.
    GivesUp,
}

#[derive(Clone, Debug)]
pub struct Server {
    pub alive: bool,
    pub hung: bool,
    pub number: u8,
    runs: u32,
    pub primary: Option<Place>,
    pub offset: u64,
    /// The replication ID and the one before it.
    pub history: Vec<String>,
    pub priority: u32,
    pub password: Option<Vec<u8>>,
    pub knows_failover: bool,
    pub fails_over: FailsOver,
    /// A FAILOVER is under way.
    pub failing_over: bool,
    /// CLIENT PAUSE is in force.
    pub paused: bool,
    /// How many transactions are lost together with their connections.
    pub loses_orders: u32,
    pub loading: bool,
    /// Role changes that it was told, in order.
    pub orders: Vec<String>,
    authenticated: Vec<(usize, ConnId)>,
    subscribers: Vec<(usize, ConnId)>,
    transactions: BTreeMap<(usize, ConnId), Vec<Vec<Vec<u8>>>>,
    pub waiting: Vec<(usize, ConnId, Vec<Vec<u8>>)>,
}

impl Server {
    pub fn primary(number: u8) -> Server {
        Server {
            alive: true,
            hung: false,
            number,
            runs: 1,
            primary: None,
            offset: 100,
            history: vec![replid(number, 1)],
            priority: 100,
            password: None,
            knows_failover: false,
            fails_over: FailsOver::AtOnce,
            failing_over: false,
            paused: false,
            loses_orders: 0,
            loading: false,
            orders: Vec::new(),
            authenticated: Vec::new(),
            subscribers: Vec::new(),
            transactions: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    pub fn replica(number: u8, primary: Place) -> Server {
        Server { primary: Some(primary), ..Server::primary(number) }
    }

    pub fn kill(&mut self) {
        self.alive = false;
        self.hung = false;
        self.waiting.clear();
        self.authenticated.clear();
        self.subscribers.clear();
        self.transactions.clear();
        self.failing_over = false;
        self.paused = false;
    }

    pub fn restart(&mut self) {
        self.runs += 1;
        self.alive = true;
        if self.primary.is_none() {
            self.history = vec![replid(self.number, self.runs), self.history[0].clone()];
        }
    }
}

fn replid(number: u8, run: u32) -> String {
    format!("{number:02x}{run:038x}")
}

type Replies = Vec<(usize, ConnId, Value)>;

fn ok() -> Value {
    Value::Simple(b"OK".to_vec())
}

fn error(text: &str) -> Value {
    Value::Error(text.as_bytes().to_vec())
}

/// Replicas take over their primary's history and offset while they reach it.
fn replicate(servers: &mut BTreeMap<Place, Server>) {
    let primaries: BTreeMap<Place, (Vec<String>, u64)> = servers
        .iter()
        .filter(|(_, it)| it.alive && !it.hung && it.primary.is_none())
        .map(|(place, it)| (*place, (it.history.clone(), it.offset)))
        .collect();
    for server in servers.values_mut().filter(|it| it.alive && !it.hung) {
        if let Some((history, offset)) = server.primary.and_then(|primary| primaries.get(&primary)) {
            server.history = history.clone();
            server.offset = server.offset.max(*offset);
        }
    }
}

pub fn serve(
    servers: &mut BTreeMap<Place, Server>,
    place: Place,
    from: usize,
    conn: ConnId,
    args: &[Vec<u8>],
) -> Replies {
    let name = String::from_utf8_lossy(&args[0]).to_ascii_uppercase();
    let server = servers.get_mut(&place).expect("a server");
    if name == "AUTH" {
        let right = server.password.as_ref() == args.last();
        if right {
            server.authenticated.push((from, conn));
        }
        let value = match (right, &server.password) {
            (true, _) => ok(),
            (false, Some(_)) => error("WRONGPASS invalid username-password pair or user is disabled."),
            (false, None) => error("ERR AUTH <password> called without any password configured for the default user."),
        };
        return vec![(from, conn, value)];
    }
    if server.password.is_some() && !server.authenticated.contains(&(from, conn)) {
        return vec![(from, conn, error("NOAUTH Authentication required."))];
    }
    if name == "MULTI" {
        server.transactions.insert((from, conn), Vec::new());
        return vec![(from, conn, ok())];
    }
    if name == "EXEC" {
        let Some(orders) = server.transactions.remove(&(from, conn)) else {
            return vec![(from, conn, error("EXECABORT Transaction discarded because of previous errors."))];
        };
        let results = orders.iter().map(|order| run(servers, place, order)).collect();
        return vec![(from, conn, Value::Array(results))];
    }
    let forbidden = name == "FAILOVER" && server.fails_over == FailsOver::NotPermitted;
    if let Some(orders) = server.transactions.get_mut(&(from, conn)) {
        if forbidden {
            server.transactions.remove(&(from, conn));
            return vec![(from, conn, error("NOPERM User default has no permissions to run the 'failover' command"))];
        }
        orders.push(args.to_vec());
        return vec![(from, conn, Value::Simple(b"QUEUED".to_vec()))];
    }
    match name.as_str() {
        "SUBSCRIBE" => {
            server.subscribers.push((from, conn));
            let value =
                Value::Array(vec![Value::Bulk(b"subscribe".to_vec()), Value::Bulk(args[1].clone()), Value::Integer(1)]);
            vec![(from, conn, value)]
        }
        "PUBLISH" => publish(servers, place, from, conn, args),
        _ => vec![(from, conn, run(servers, place, args))],
    }
}

/// A message reaches the subscribers of this server and of its replicas.
fn publish(servers: &BTreeMap<Place, Server>, place: Place, from: usize, conn: ConnId, args: &[Vec<u8>]) -> Replies {
    let mut replies = vec![(from, conn, Value::Integer(1))];
    for (at, server) in servers {
        if *at == place || server.alive && !server.hung && server.primary == Some(place) {
            for (to, conn) in &server.subscribers {
                let words = [b"message".to_vec(), args[1].clone(), args[2].clone()];
                replies.push((*to, *conn, Value::Array(words.map(Value::Bulk).to_vec())));
            }
        }
    }
    replies
}

fn run(servers: &mut BTreeMap<Place, Server>, place: Place, args: &[Vec<u8>]) -> Value {
    let words: Vec<String> = args.iter().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["PING"] if servers[&place].loading => error("LOADING the dataset"),
        ["PING"] => Value::Simple(b"PONG".to_vec()),
        ["INFO"] => {
            replicate(servers);
            Value::Bulk(info(servers, place).into_bytes())
        }
        ["SLAVEOF", "NO", "ONE"] => {
            let server = servers.get_mut(&place).expect("a server");
            server.orders.push("no one".to_owned());
            promote(server);
            ok()
        }
        ["SLAVEOF", host, port] => {
            let primary = (host.parse().expect("an address"), port.parse().expect("a port"));
            let server = servers.get_mut(&place).expect("a server");
            if server.primary != Some(primary) {
                server.orders.push(host.to_string());
                server.primary = Some(primary);
            }
            ok()
        }
        ["FAILOVER", "ABORT"] => match std::mem::take(&mut servers.get_mut(&place).expect("a server").failing_over) {
            true => ok(),
            false => error("ERR No failover in progress."),
        },
        ["FAILOVER", ..] if servers[&place].primary.is_some() => {
            error("ERR FAILOVER is not valid when server is a replica.")
        }
        ["FAILOVER", ..] if servers[&place].failing_over => error("ERR FAILOVER already in progress."),
        ["FAILOVER", ..] if servers[&place].fails_over == FailsOver::NotNow => {
            error("ERR FAILOVER target HOST and PORT is not a replica.")
        }
        ["FAILOVER", ..] if servers[&place].fails_over == FailsOver::GivesUp => ok(),
        ["FAILOVER", ..] if servers[&place].fails_over == FailsOver::Never => {
            servers.get_mut(&place).expect("a server").failing_over = true;
            ok()
        }
        ["FAILOVER", "TO", host, port, "TIMEOUT", _] => {
            let target = (host.parse().expect("an address"), port.parse().expect("a port"));
            replicate(servers);
            let offset = servers[&place].offset;
            let new = servers.get_mut(&target).expect("a replica");
            new.offset = offset;
            promote(new);
            let old = servers.get_mut(&place).expect("a server");
            old.orders.push("failover".to_owned());
            old.primary = Some(target);
            ok()
        }
        ["CLIENT", what @ ("PAUSE" | "UNPAUSE"), ..] => {
            servers.get_mut(&place).expect("a server").paused = *what == "PAUSE";
            ok()
        }
        ["CLIENT" | "CONFIG" | "SCRIPT", ..] => ok(),
        _ => error("ERR unknown command"),
    }
}

fn promote(server: &mut Server) {
    server.primary = None;
    let new = replid(server.number, 0x1000 + server.orders.len() as u32);
    server.history = vec![new, server.history[0].clone()];
}

fn info(servers: &BTreeMap<Place, Server>, place: Place) -> String {
    let server = &servers[&place];
    let mut text = format!("# Server\r\nrun_id:{:02x}{:038x}\r\n# Replication\r\n", server.number, server.runs);
    match server.primary {
        None => {
            text += "role:master\r\n";
            let replicas = servers.iter().filter(|(_, it)| it.alive && it.primary == Some(place));
            for (number, ((ip, port), it)) in replicas.enumerate() {
                text += &format!("slave{number}:ip={ip},port={port},state=online,offset={},lag=0\r\n", it.offset);
            }
        }
        Some((ip, port)) => {
            let up = servers.get(&(ip, port)).is_some_and(|it| it.alive && !it.hung && it.primary.is_none());
            let status = if up { "up" } else { "down" };
            text += &format!("role:slave\r\nmaster_host:{ip}\r\nmaster_port:{port}\r\nmaster_link_status:{status}\r\n");
            text += &format!("slave_repl_offset:{}\r\nslave_priority:{}\r\n", server.offset, server.priority);
            text += "replica_announced:1\r\n";
        }
    }
    if server.knows_failover {
        let state = if server.failing_over { "waiting-for-sync" } else { "no-failover" };
        text += &format!("master_failover_state:{state}\r\n");
    }
    text += &format!("master_replid:{}\r\nmaster_repl_offset:{}\r\n", server.history[0], server.offset);
    let second = server.history.get(1).cloned().unwrap_or("0".repeat(40));
    text + &format!("master_replid2:{second}\r\n")
}

/// Used by tests that speak of servers by number.
pub fn host(number: u8) -> String {
    server_at(number).0.to_string()
}
