//! Sentinels and make-believe servers in one virtual network with one virtual clock.
//!
//! Every message takes a millisecond. A server knows what Sentinels ask of it: PING, INFO, PUBLISH, SUBSCRIBE, and the
//! transactions that change roles. Its data are an offset. Processes die and come back, hang, and are cut off.

#![allow(dead_code)]

pub mod server;

use config::{Mode, Surroundings};
use resp::{Args, Decoder, OwnedArgs, Proto, Reply, Value};
use sentinel::{Action, Broken, ConnId, ConnKind, Event, Level, Now, Outbox, Own, ScriptEnd, Sentinel, World};
use server::Server;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

pub type Place = (IpAddr, u16);

/// Where the server with this number is.
pub fn server_at(number: u8) -> Place {
    (IpAddr::from([10, 0, 0, number]), 6379)
}

pub fn sentinel_at(number: usize) -> Place {
    (IpAddr::from([10, 0, 1, number as u8 + 1]), 26379)
}

struct NoFiles;

impl Surroundings for NoFiles {
    fn include(&mut self, _: &[u8]) -> Result<Vec<u8>, config::Reason> {
        Ok(Vec::new())
    }

    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, config::Reason> {
        Ok(path.to_vec())
    }
}

pub struct Hosts;

impl World for Hosts {
    fn resolve(&mut self, _: &[u8]) -> Option<IpAddr> {
        None
    }

    fn is_executable(&mut self, path: &[u8]) -> bool {
        path.starts_with(b"/bin/")
    }
}

/// A Sentinel, its file, and what it has said.
pub struct Node {
    pub machine: Option<Sentinel>,
    pub file: Vec<u8>,
    pub disk_is_full: bool,
    /// Published events: when, channel, text.
    pub events: Vec<(u64, String, String)>,
    pub logs: Vec<String>,
    pub scripts: Vec<Vec<String>>,
    pub script_ends: VecDeque<ScriptEnd>,
}

enum Delivery {
    ToServer { from: usize, conn: ConnId, place: Place, args: Vec<Vec<u8>> },
    Event { to: usize, life: u64, event: Event },
    Opened { from: usize, conn: ConnId, place: Place, kind: ConnKind },
}

pub struct Universe {
    pub now: u64,
    pub clock_skew: i64,
    seq: u64,
    queue: BTreeMap<(u64, u64), Delivery>,
    pub nodes: Vec<Node>,
    lives: Vec<u64>,
    pub servers: BTreeMap<Place, Server>,
    conns: BTreeMap<(usize, ConnId), Place>,
    /// Pairs that do not hear each other, in either direction.
    pub cuts: BTreeSet<(Place, Place)>,
    /// What host names mean.
    pub hosts: BTreeMap<Vec<u8>, IpAddr>,
    /// A firewall that refuses this Sentinel's connections to that place.
    pub refused: BTreeSet<(usize, Place)>,
    /// Sentinels whose ticks do not come.
    pub asleep: BTreeSet<usize>,
    pub seed: u64,
}

pub fn load(text: &[u8], seed: u64, now: Now) -> Result<Sentinel, String> {
    let loaded = config::load(text, Mode::Sentinel, &mut NoFiles).map_err(|error| error.to_string())?;
    let own = Own { port: 26379, requirepass: Vec::new(), log_level: Some(Level::Verbose) };
    Sentinel::new(&loaded.sentinel, own, seed, now, &mut Hosts).map_err(|error| error.to_string())
}

/// The file after a save.
pub fn rewritten(old: &[u8], lines: &[config::Generated]) -> Vec<u8> {
    let loaded = config::load(old, Mode::Sentinel, &mut NoFiles).expect("it was read before");
    config::rewrite(old, &loaded.config, lines, Mode::Sentinel, false)
}

impl Universe {
    /// `sentinels` Sentinels with the same file.
    pub fn new(sentinels: usize, file: &str, seed: u64) -> Universe {
        let mut universe = Universe {
            now: 1_000,
            clock_skew: 0,
            seq: 0,
            queue: BTreeMap::new(),
            nodes: Vec::new(),
            lives: Vec::new(),
            servers: BTreeMap::new(),
            conns: BTreeMap::new(),
            cuts: BTreeSet::new(),
            hosts: BTreeMap::new(),
            refused: BTreeSet::new(),
            asleep: BTreeSet::new(),
            seed,
        };
        for _ in 0..sentinels {
            universe.add_sentinel(file);
        }
        universe
    }

    pub fn add_sentinel(&mut self, file: &str) -> usize {
        self.nodes.push(Node {
            machine: None,
            file: file.as_bytes().to_vec(),
            disk_is_full: false,
            events: Vec::new(),
            logs: Vec::new(),
            scripts: Vec::new(),
            script_ends: VecDeque::new(),
        });
        self.lives.push(0);
        self.nodes.len() - 1
    }

    /// A primary (number 1) and replicas of it.
    pub fn with_servers(mut self, replicas: u8) -> Universe {
        self.servers.insert(server_at(1), Server::primary(1));
        for number in 2..2 + replicas {
            self.servers.insert(server_at(number), Server::replica(number, server_at(1)));
        }
        self
    }

    fn time(&self) -> Now {
        Now { mono_ms: self.now, unix_ms: 1_795_000_000_000 + self.now as i64 + self.clock_skew }
    }

    pub fn start(&mut self, node: usize) {
        self.seed += 1;
        let machine = load(&self.nodes[node].file, self.seed * 7919 + node as u64, self.time()).expect("a good file");
        self.nodes[node].machine = Some(machine);
        self.lives[node] += 1;
        self.tell(node, Event::Started);
    }

    pub fn start_all(&mut self) {
        (0..self.nodes.len()).for_each(|node| self.start(node));
    }

    pub fn crash(&mut self, node: usize) {
        self.nodes[node].machine = None;
        self.conns.retain(|(owner, _), _| *owner != node);
        self.hang_up(sentinel_at(node), Broken::Reset);
    }

    /// Ends all connections to a place.
    fn hang_up(&mut self, place: Place, why: Broken) {
        let gone: Vec<(usize, ConnId)> =
            self.conns.iter().filter(|(_, target)| **target == place).map(|(key, _)| *key).collect();
        for (node, conn) in gone {
            self.conns.remove(&(node, conn));
            if !self.is_cut(sentinel_at(node), place) {
                self.post_event(node, Event::Broken { conn, why });
            }
        }
    }

    /// From now on this Sentinel is refused there.
    pub fn refuse(&mut self, node: usize, number: u8) {
        let place = server_at(number);
        self.refused.insert((node, place));
        let ends = self.conns.iter().filter(|((owner, _), target)| *owner == node && **target == place);
        let gone: Vec<ConnId> = ends.map(|((_, conn), _)| *conn).collect();
        for conn in gone {
            self.conns.remove(&(node, conn));
            self.post_event(node, Event::Broken { conn, why: Broken::Reset });
        }
    }

    pub fn kill(&mut self, number: u8) {
        let place = server_at(number);
        self.servers.get_mut(&place).expect("a server").kill();
        self.hang_up(place, Broken::Closed);
    }

    pub fn restart(&mut self, number: u8) {
        self.servers.get_mut(&server_at(number)).expect("a server").restart();
    }

    pub fn server(&mut self, number: u8) -> &mut Server {
        self.servers.get_mut(&server_at(number)).expect("a server")
    }

    pub fn cut(&mut self, one: Place, other: Place) {
        self.cuts.insert((one, other));
        self.cuts.insert((other, one));
    }

    pub fn isolate(&mut self, place: Place) {
        let others: Vec<Place> = self.servers.keys().copied().chain((0..self.nodes.len()).map(sentinel_at)).collect();
        others.into_iter().filter(|other| *other != place).for_each(|other| self.cut(place, other));
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    fn is_cut(&self, one: Place, other: Place) -> bool {
        self.cuts.contains(&(one, other))
    }

    fn post(&mut self, delivery: Delivery) {
        self.seq += 1;
        self.queue.insert((self.now + 1, self.seq), delivery);
    }

    fn post_event(&mut self, to: usize, event: Event) {
        let life = self.lives[to];
        self.post(Delivery::Event { to, life, event });
    }

    /// Lets time pass.
    pub fn run(&mut self, span_ms: u64) {
        let end = self.now + span_ms;
        loop {
            let message = self.queue.keys().next().map_or(u64::MAX, |(at, _)| *at);
            let ticks = self.nodes.iter().enumerate().filter(|(node, _)| !self.asleep.contains(node));
            let tick = ticks
                .filter_map(|(node, it)| Some((it.machine.as_ref()?.deadline(), node)))
                .min()
                .unwrap_or((u64::MAX, 0));
            if message.min(tick.0) > end {
                break;
            }
            self.now = self.now.max(message.min(tick.0));
            if message <= tick.0 {
                let (_, delivery) = self.queue.pop_first().expect("there is one");
                self.deliver(delivery);
            } else {
                self.tell(tick.1, Event::Timer);
            }
        }
        self.now = end;
    }

    /// Runs until `done`, for `limit_ms` at most. Returns how long it took.
    pub fn run_until(&mut self, limit_ms: u64, mut done: impl FnMut(&mut Universe) -> bool) -> u64 {
        let begin = self.now;
        while !done(self) {
            assert!(self.now - begin < limit_ms, "not within {limit_ms} ms\n{}", self.story());
            self.run(10);
        }
        self.now - begin
    }

    fn deliver(&mut self, delivery: Delivery) {
        match delivery {
            Delivery::Event { to, life, event } => {
                if self.lives[to] == life {
                    self.tell(to, event);
                }
            }
            Delivery::Opened { from, conn, place, kind: _ } => self.open(from, conn, place),
            Delivery::ToServer { from, conn, place, args } => self.serve(from, conn, place, &args),
        }
    }

    fn open(&mut self, from: usize, conn: ConnId, place: Place) {
        if self.is_cut(sentinel_at(from), place) {
            return;
        }
        let alive = match self.servers.get(&place) {
            Some(server) => server.alive,
            None => (0..self.nodes.len()).any(|node| sentinel_at(node) == place && self.nodes[node].machine.is_some()),
        };
        if alive && !self.refused.contains(&(from, place)) {
            self.conns.insert((from, conn), place);
            self.post_event(from, Event::Connected { conn, local: Some(sentinel_at(from).0) });
        } else {
            self.post_event(from, Event::Broken { conn, why: Broken::Refused });
        }
    }

    fn serve(&mut self, from: usize, conn: ConnId, place: Place, args: &[Vec<u8>]) {
        if self.conns.get(&(from, conn)) != Some(&place) || self.is_cut(sentinel_at(from), place) {
            return;
        }
        if let Some(node) = (0..self.nodes.len()).find(|node| sentinel_at(*node) == place) {
            if let Some(value) = self.serve_by_sentinel(node, args) {
                self.post_event(from, Event::Reply { conn, value });
            }
            return;
        }
        let Some(server) = self.servers.get_mut(&place) else { return };
        if server.loses_orders > 0 && args[0].eq_ignore_ascii_case(b"MULTI") {
            server.loses_orders -= 1;
            return self.hang_up(place, Broken::Reset);
        }
        if server.hung {
            server.waiting.push((from, conn, args.to_vec()));
            return;
        }
        let replies = server::serve(&mut self.servers, place, from, conn, args);
        for (to, conn, value) in replies {
            if !self.is_cut(sentinel_at(to), place) {
                self.post_event(to, Event::Reply { conn, value });
            }
        }
    }

    /// A hung server goes on with what was asked meanwhile.
    pub fn wake(&mut self, number: u8) {
        let place = server_at(number);
        let server = self.server(number);
        server.hung = false;
        for (from, conn, args) in std::mem::take(&mut server.waiting) {
            self.serve(from, conn, place, &args);
        }
    }

    fn serve_by_sentinel(&mut self, node: usize, args: &[Vec<u8>]) -> Option<Value> {
        let name = args[0].to_ascii_uppercase();
        match name.as_slice() {
            b"SENTINEL" => Some(self.command(node, args)),
            b"PUBLISH" => {
                let now = self.time();
                let mut reply = Reply::new(Proto::Resp2);
                let mut out = Outbox::new();
                let machine = self.nodes[node].machine.as_mut()?;
                machine.publish(now, &args[1], &args[2], &mut reply, &mut out);
                self.execute(node, &mut out);
                decode(&reply.buf)
            }
            b"PING" => Some(Value::Simple(b"PONG".to_vec())),
            _ => Some(Value::Simple(b"OK".to_vec())),
        }
    }

    /// A command of a client of a Sentinel.
    pub fn command<S: AsRef<[u8]>>(&mut self, node: usize, args: &[S]) -> Value {
        let now = self.time();
        let owned = OwnedArgs::from_slices(args);
        let args: Args<'_> = owned.as_args();
        let mut reply = Reply::new(Proto::Resp3);
        let mut out = Outbox::new();
        let machine = self.nodes[node].machine.as_mut().expect("it runs");
        machine.command(now, args, &mut reply, &mut Hosts, &mut out);
        let saved = self.execute(node, &mut out);
        if !saved {
            return Value::Error(resp::error::sentinel::SAVE_FAILED.text().to_vec());
        }
        decode(&reply.buf).expect("one whole reply")
    }

    /// Another Sentinel says hello to this one.
    pub fn hello(&mut self, node: usize, text: &str) {
        let now = self.time();
        let mut reply = Reply::new(Proto::Resp3);
        let mut out = Outbox::new();
        let machine = self.nodes[node].machine.as_mut().expect("it runs");
        machine.publish(now, sentinel::HELLO_CHANNEL, text.as_bytes(), &mut reply, &mut out);
        self.execute(node, &mut out);
    }

    /// `SENTINEL …` in words.
    pub fn sentinel(&mut self, node: usize, words: &str) -> Value {
        let args: Vec<&str> = std::iter::once("SENTINEL").chain(words.split(' ')).collect();
        self.command(node, &args)
    }

    pub fn tell(&mut self, node: usize, event: Event) {
        let now = self.time();
        let Some(machine) = self.nodes[node].machine.as_mut() else { return };
        let mut out = Outbox::new();
        machine.handle(now, event, &mut out);
        self.execute(node, &mut out);
    }

    /// Does what a machine wants, in order. False if a save failed.
    fn execute(&mut self, node: usize, out: &mut Outbox) -> bool {
        let mut all_saved = true;
        let actions: Vec<Action> = out.drain().collect();
        for action in actions {
            match action {
                Action::Connect { conn, ip, port, kind } => {
                    self.post(Delivery::Opened { from: node, conn, place: (ip, port), kind });
                }
                Action::Close { conn } => {
                    self.conns.remove(&(node, conn));
                    // Nothing is reported about it any more.
                    self.queue.retain(|_, delivery| {
                        !matches!(delivery, Delivery::Event { to, event, .. } if *to == node && about(event) == Some(conn))
                            && !matches!(delivery, Delivery::Opened { from, conn: c, .. } if *from == node && *c == conn)
                    });
                }
                Action::Send { conn, args } => {
                    if let Some(place) = self.conns.get(&(node, conn)).copied() {
                        self.post(Delivery::ToServer { from: node, conn, place, args });
                    }
                }
                Action::Resolve { name } => {
                    let ip = self.hosts.get(&name).copied();
                    self.post_event(node, Event::Resolved { name, ip });
                }
                Action::RunScript { id, argv } => {
                    let words = argv.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
                    self.nodes[node].scripts.push(words);
                    self.post_event(node, Event::ScriptStarted { id, pid: Some(4711) });
                    let end = self.nodes[node].script_ends.pop_front().unwrap_or(ScriptEnd::Exit(0));
                    self.post_event(node, Event::ScriptEnded { id, end });
                }
                Action::KillScript { .. } | Action::SetLogLevel { .. } => {}
                Action::Save { generation, lines } => {
                    let full = self.nodes[node].disk_is_full;
                    all_saved &= !full;
                    let result = if full { Err("No space left on device".to_owned()) } else { Ok(()) };
                    if !full {
                        self.nodes[node].file = rewritten(&self.nodes[node].file, &lines);
                    }
                    self.tell(node, Event::Saved { generation, result });
                }
                Action::Publish { channel, text } => {
                    let words = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                    let now = self.now;
                    self.nodes[node].events.push((now, words(channel), words(text)));
                }
                Action::Log { text, .. } => {
                    self.nodes[node].logs.push(String::from_utf8_lossy(&text).into_owned());
                }
                Action::Exit { .. } => {
                    self.crash(node);
                    return all_saved;
                }
            }
        }
        all_saved
    }

    // --- looking

    /// Whom a Sentinel tells clients to go to.
    pub fn primary_of(&mut self, node: usize, name: &str) -> Option<String> {
        let value = self.sentinel(node, &format!("get-master-addr-by-name {name}"));
        Some(value.as_array()?.first()?.as_str()?.to_owned())
    }

    /// A field of a group's primary.
    pub fn field(&mut self, node: usize, name: &str, field: &str) -> Option<String> {
        let value = self.sentinel(node, &format!("master {name}"));
        get(&value, field)
    }

    /// A field of one of a group's replicas, by its name.
    pub fn replica_field(&mut self, node: usize, name: &str, replica: &str, field: &str) -> Option<String> {
        let value = self.sentinel(node, &format!("replicas {name}"));
        let all = value.as_array()?.to_vec();
        all.iter().find(|it| get(it, "name").as_deref() == Some(replica)).and_then(|it| get(it, field))
    }

    /// When a Sentinel published this first since `since`.
    pub fn heard(&self, node: usize, channel: &str, since: u64) -> Option<u64> {
        self.nodes[node].events.iter().find(|(at, name, _)| *at >= since && name == channel).map(|(at, _, _)| *at)
    }

    pub fn any_heard(&self, channel: &str, since: u64) -> bool {
        (0..self.nodes.len()).any(|node| self.heard(node, channel, since).is_some())
    }

    /// Everything that was published, for failures.
    pub fn story(&self) -> String {
        let all = self.nodes.iter().enumerate();
        let mut lines: Vec<(u64, String)> = all
            .flat_map(|(node, it)| {
                it.events.iter().map(move |(at, channel, text)| (*at, format!("{at} s{node} {channel} {text}")))
            })
            .collect();
        lines.sort();
        lines.into_iter().map(|(_, line)| line + "\n").collect()
    }

    /// Three Sentinels that watch a primary, called `mymaster`, with two replicas, and know each other.
    pub fn settled(file: &str, seed: u64) -> Universe {
        let mut universe = Universe::new(3, file, seed).with_servers(2);
        universe.start_all();
        universe.settle("mymaster");
        universe
    }

    /// Waits until all Sentinels know each other and all replicas.
    pub fn settle(&mut self, name: &str) {
        let others = (self.nodes.iter().filter(|node| node.machine.is_some()).count() - 1).to_string();
        let replicas = self.servers.values().filter(|server| server.primary == Some(server_at(1))).count().to_string();
        self.run_until(60_000, |it| {
            (0..it.nodes.len()).filter(|node| it.nodes[*node].machine.is_some()).collect::<Vec<_>>().into_iter().all(
                |node| {
                    it.field(node, name, "num-other-sentinels").as_ref() == Some(&others)
                        && it.field(node, name, "num-slaves").as_ref() == Some(&replicas)
                },
            )
        });
        self.run(3_000);
    }

    /// Waits until all Sentinels tell clients to go to this server.
    pub fn await_switch(&mut self, name: &str, number: u8, limit_ms: u64) -> u64 {
        let wanted = server_at(number).0.to_string();
        self.run_until(limit_ms, |it| {
            (0..it.nodes.len())
                .filter(|node| it.nodes[*node].machine.is_some())
                .collect::<Vec<_>>()
                .into_iter()
                .all(|node| it.primary_of(node, name).as_deref() == Some(&wanted))
        })
    }
}

fn about(event: &Event) -> Option<ConnId> {
    match event {
        Event::Connected { conn, .. } | Event::Broken { conn, .. } | Event::Reply { conn, .. } => Some(*conn),
        _ => None,
    }
}

fn decode(bytes: &[u8]) -> Option<Value> {
    Decoder::new(sentinel::REPLY_LIMITS).decode(bytes).expect("well formed").1
}

/// A field of a map.
pub fn get(value: &Value, field: &str) -> Option<String> {
    let Value::Map(pairs) = value else { return None };
    let (_, value) = pairs.iter().find(|(name, _)| name.as_str() == Some(field))?;
    value.as_str().map(str::to_owned)
}
