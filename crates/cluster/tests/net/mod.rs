//! Some nodes on an invented network in invented time.
//!
//! ```text
//!   Net ── now, in steps of 10 ms
//!    ├─ nodes: a Cluster each, an address, a file, an offset, whom it follows
//!    ├─ wires: link of one node ◄──► link of the other
//!    └─ mail:  (when, in order) ─► event
//! ```
//!
//! Connections to a node that is down are refused; across a partition they hang, and what is sent is lost. Replication is
//! a number: a replica that can reach its primary has its offset.
#![allow(dead_code, reason = "each file of tests uses some of it")]

use cluster::{
    Action, Announced, Asker, Cluster, Config, Event, Keys, LinkId, NodeId, Outbox, PrimaryLink, Replication, Saved,
    Slot, SlotSet,
};
use keyspace::UnixMillis;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::{IpAddr, Ipv4Addr};

pub const START: i64 = 1_700_000_000_000;
pub const TIMEOUT: i64 = 1000;
const STEP: i64 = 10;

/// What a node holds, as commands ask for it.
#[derive(Default, Clone)]
pub struct Data(pub BTreeMap<u16, u64>);

impl Keys for Data {
    fn count(&self, slot: Slot) -> u64 {
        self.0.get(&slot.number()).copied().unwrap_or(0)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub struct Sim {
    pub cluster: Cluster,
    pub ip: IpAddr,
    pub hostname: String,
    pub up: bool,
    /// It does nothing, and finds everything that came meanwhile when it does again.
    pub frozen: bool,
    pub offset: u64,
    pub heard: i64,
    pub follows: Option<IpAddr>,
    pub resyncs: Vec<bool>,
    pub paused: bool,
    pub pauses: usize,
    pub file: Vec<u8>,
    pub before: Vec<u8>,
    pub set_aside: SlotSet,
    pub messages: Vec<(bool, Vec<u8>)>,
    pub flushed: usize,
    pub log: Vec<String>,
    seed: u64,
}

enum Mail {
    Accepted(LinkId, IpAddr),
    Up(LinkId, IpAddr),
    Down(LinkId),
    Bytes(LinkId, Vec<u8>),
}

pub struct Net {
    pub now: i64,
    pub nodes: Vec<Sim>,
    pub cut: BTreeSet<(usize, usize)>,
    pub config: Config,
    /// Nodes do not announce the names under which they can be found.
    nameless: bool,
    mail: BTreeMap<(i64, u64), (usize, Mail)>,
    sent: u64,
    wires: HashMap<(usize, LinkId), (usize, LinkId)>,
    inbound: u64,
    random: u64,
}

impl Net {
    pub fn new(count: usize, seed: u64) -> Net {
        Net::with(count, seed, Config { node_timeout_ms: TIMEOUT as u64, ..Config::default() })
    }

    pub fn with(count: usize, seed: u64, config: Config) -> Net {
        Net::with_names(count, seed, config, false)
    }

    fn with_names(count: usize, seed: u64, config: Config, nameless: bool) -> Net {
        let mut net = Net {
            now: START,
            nodes: Vec::new(),
            cut: BTreeSet::new(),
            config,
            nameless,
            mail: BTreeMap::new(),
            sent: 0,
            wires: HashMap::new(),
            inbound: 0,
            random: seed,
        };
        for _ in 0..count {
            net.add();
        }
        net
    }

    /// Starts one more node, which knows nobody.
    pub fn add(&mut self) -> usize {
        let at = self.nodes.len();
        let ip = IpAddr::V4(Ipv4Addr::new(10, 0, 0, u8::try_from(at + 1).unwrap()));
        let hostname = format!("node-{at}.example");
        let seed = self.roll();
        let mut out = Outbox::new();
        let told = if self.nameless { Vec::new() } else { hostname.clone().into_bytes() };
        let announced = Announced { hostname: told, ..Announced::default() };
        let config = Config { announced, ..self.config.clone() };
        let cluster = Cluster::new(config, Saved::default(), seed, UnixMillis(self.now), &mut out).unwrap();
        self.nodes.push(Sim {
            cluster,
            ip,
            hostname,
            up: true,
            frozen: false,
            offset: 1,
            heard: self.now,
            follows: None,
            resyncs: Vec::new(),
            paused: false,
            pauses: 0,
            file: Vec::new(),
            before: Vec::new(),
            set_aside: SlotSet::new(),
            messages: Vec::new(),
            flushed: 0,
            log: Vec::new(),
            seed,
        });
        self.carry_out(at, &mut out);
        at
    }

    pub fn roll(&mut self) -> u64 {
        self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        self.random >> 16
    }

    pub fn id(&self, at: usize) -> NodeId {
        self.nodes[at].cluster.my_id()
    }

    /// Asks something of a node and carries out what comes of it.
    pub fn ask<R>(&mut self, at: usize, what: impl FnOnce(&mut Cluster, UnixMillis, &mut Outbox) -> R) -> R {
        let mut out = Outbox::new();
        let answer = what(&mut self.nodes[at].cluster, UnixMillis(self.now), &mut out);
        self.carry_out(at, &mut out);
        answer
    }

    pub fn tell(&mut self, at: usize, event: Event<'_>) {
        self.ask(at, |cluster, now, out| cluster.handle(now, event, out));
    }

    fn can_reach(&self, one: usize, other: usize) -> bool {
        !self.cut.contains(&(one.min(other), one.max(other)))
    }

    /// Divides the nodes: these on one side, the others on the other.
    pub fn partition(&mut self, side: &[usize]) {
        for one in 0..self.nodes.len() {
            for other in one + 1..self.nodes.len() {
                if side.contains(&one) != side.contains(&other) {
                    self.cut.insert((one, other));
                }
            }
        }
    }

    pub fn heal(&mut self) {
        self.cut.clear();
    }

    fn at_ip(&self, ip: IpAddr) -> Option<usize> {
        self.nodes.iter().position(|node| node.ip == ip)
    }

    fn post(&mut self, to: usize, mail: Mail) {
        self.sent += 1;
        self.mail.insert((self.now + STEP, self.sent), (to, mail));
    }

    fn carry_out(&mut self, at: usize, out: &mut Outbox) {
        loop {
            let actions: Vec<Action> = out.drain().collect();
            if actions.is_empty() {
                return;
            }
            for action in actions {
                self.act(at, action, out);
            }
        }
    }

    fn act(&mut self, at: usize, action: Action, out: &mut Outbox) {
        let now = UnixMillis(self.now);
        match action {
            Action::Connect { link, ip, port } => {
                assert_eq!(port, 16379);
                let to = self.at_ip(ip);
                self.dial(at, link, to);
            }
            Action::ConnectName { link, host, .. } => {
                let to = self.nodes.iter().position(|node| node.hostname.as_bytes() == host);
                self.dial(at, link, to);
            }
            Action::Send { link, bytes } => {
                let count = bytes.len() as u64;
                if let Some((to, other)) = self.wires.get(&(at, link)).copied()
                    && self.can_reach(at, to)
                {
                    self.post(to, Mail::Bytes(other, bytes.to_vec()));
                }
                self.nodes[at].cluster.handle(now, Event::Sent { link, bytes: count }, out);
            }
            Action::Close { link } => self.hang_up(at, link),
            Action::SaveConfig { bytes, .. } => {
                let node = &mut self.nodes[at];
                node.before = std::mem::replace(&mut node.file, bytes);
            }
            Action::PauseWrites { .. } => {
                let node = &mut self.nodes[at];
                node.paused = true;
                node.pauses += 1;
                let offset = node.offset;
                node.cluster.handle(now, Event::WritesPaused { offset }, out);
            }
            Action::Unpause => self.nodes[at].paused = false,
            Action::Follow { ip, resync, .. } => {
                self.nodes[at].follows = String::from_utf8(ip).ok().and_then(|ip| ip.parse().ok());
                self.nodes[at].resyncs.push(resync);
            }
            Action::Lead => self.nodes[at].follows = None,
            Action::SetAside { slots, .. } => slots.iter().for_each(|slot| {
                self.nodes[at].set_aside.insert(slot);
            }),
            Action::DeliverPublish { message, sharded, .. } => {
                self.nodes[at].messages.push((sharded, message.to_vec()))
            }
            Action::FlushAll => self.nodes[at].flushed += 1,
            Action::Log { text, .. } => self.nodes[at].log.push(text),
            Action::ViewChanged(_) | Action::DropSlotKeys { .. } | Action::DropShardChannels { .. } => {}
        }
    }

    fn dial(&mut self, at: usize, link: LinkId, to: Option<usize>) {
        match to {
            Some(to) if self.nodes[to].up && self.can_reach(at, to) => {
                self.inbound += 1;
                let other = LinkId::inbound(self.inbound);
                self.wires.insert((at, link), (to, other));
                self.wires.insert((to, other), (at, link));
                let (mine, theirs) = (self.nodes[at].ip, self.nodes[to].ip);
                self.post(to, Mail::Accepted(other, mine));
                self.post(at, Mail::Up(link, theirs));
            }
            Some(to) if self.can_reach(at, to) => self.post(at, Mail::Down(link)),
            None => self.post(at, Mail::Down(link)),
            Some(_) => {}
        }
    }

    fn hang_up(&mut self, at: usize, link: LinkId) {
        if let Some((to, other)) = self.wires.remove(&(at, link)) {
            self.wires.remove(&(to, other));
            self.post(to, Mail::Down(other));
        }
    }

    /// Kills a node: its connections break, its memory is gone.
    pub fn kill(&mut self, at: usize) {
        self.nodes[at].up = false;
        let broken: Vec<LinkId> = self.wires.keys().filter(|(node, _)| *node == at).map(|(_, link)| *link).collect();
        broken.into_iter().for_each(|link| self.hang_up(at, link));
    }

    /// Starts it again with what it had saved, at the same or another address.
    pub fn restart(&mut self, at: usize, ip: Option<IpAddr>) {
        let seed = self.nodes[at].seed ^ self.roll();
        let mut out = Outbox::new();
        let node = &mut self.nodes[at];
        let config = node.cluster.config().clone();
        let saved = Saved { newest: Some(&node.file), previous: Some(&node.before) };
        node.cluster = Cluster::new(config, saved, seed, UnixMillis(self.now), &mut out).unwrap();
        node.ip = ip.unwrap_or(node.ip);
        node.up = true;
        node.follows = None;
        node.paused = false;
        node.heard = self.now;
        self.carry_out(at, &mut out);
    }

    /// Lets time pass.
    pub fn run(&mut self, millis: i64) {
        let end = self.now + millis;
        while self.now < end {
            self.now += STEP;
            while let Some((&(when, order), _)) = self.mail.first_key_value() {
                if when > self.now {
                    break;
                }
                let (to, mail) = self.mail.remove(&(when, order)).unwrap();
                if self.nodes[to].frozen {
                    self.mail.insert((when + STEP, order), (to, mail));
                } else {
                    self.deliver(to, mail);
                }
            }
            self.replicate();
            for at in 0..self.nodes.len() {
                let node = &self.nodes[at];
                if node.up && !node.frozen && node.cluster.deadline().is_some_and(|due| due.0 <= self.now) {
                    self.tell(at, Event::Timer);
                }
            }
        }
    }

    /// Lets time pass until something is so; tells how long it took.
    pub fn until(&mut self, most: i64, what: &str, so: impl Fn(&Net) -> bool) -> i64 {
        let start = self.now;
        while !so(self) {
            assert!(self.now - start < most, "not within {most} ms: {what}\n{}", self.picture());
            self.run(STEP);
        }
        self.now - start
    }

    fn deliver(&mut self, to: usize, mail: Mail) {
        if !self.nodes[to].up {
            return;
        }
        let local = self.nodes[to].ip;
        match mail {
            Mail::Accepted(link, peer) => self.tell(to, Event::Accepted { link, peer, local }),
            Mail::Up(link, peer) => self.tell(to, Event::LinkUp { link, peer }),
            Mail::Down(link) => self.tell(to, Event::LinkDown { link }),
            Mail::Bytes(link, bytes) => self.tell(to, Event::Received { link, bytes: &bytes }),
        }
    }

    fn replicate(&mut self) {
        for at in 0..self.nodes.len() {
            if !self.nodes[at].up || self.nodes[at].frozen {
                continue;
            }
            let source = self.nodes[at].follows.and_then(|ip| self.at_ip(ip));
            if let Some(from) =
                source.filter(|from| self.nodes[*from].up && !self.nodes[*from].frozen && self.can_reach(at, *from))
            {
                self.nodes[at].offset = self.nodes[from].offset;
                self.nodes[at].heard = self.now;
            }
            let (offset, heard) = (self.nodes[at].offset, UnixMillis(self.nodes[at].heard));
            let link = if heard.0 == self.now { PrimaryLink::Up { heard } } else { PrimaryLink::Down { since: heard } };
            self.tell(at, Event::Replication(Replication { offset, link }));
        }
    }

    // --- a usual cluster

    /// `primaries` nodes share the slots, the others replicate them in turn; all have met.
    pub fn form(count: usize, primaries: usize, seed: u64) -> Net {
        Net::form_with(count, primaries, seed, Config { node_timeout_ms: TIMEOUT as u64, ..Config::default() })
    }

    pub fn form_with(count: usize, primaries: usize, seed: u64, config: Config) -> Net {
        Net::with(count, seed, config).formed(primaries)
    }

    /// The same, of nodes that announce no names.
    pub fn nameless(count: usize, primaries: usize, seed: u64, config: Config) -> Net {
        Net::with_names(count, seed, config, true).formed(primaries)
    }

    fn formed(self, primaries: usize) -> Net {
        let mut net = self;
        let count = net.nodes.len();
        for at in 1..count {
            net.meet(at, 0);
        }
        net.until(10_000, "everybody knows everybody", |net| {
            net.nodes
                .iter()
                .all(|node| node.cluster.view().nodes().len() == count && !node.text().contains("handshake"))
        });
        for at in 0..primaries {
            let (from, to) = (16384 * at / primaries, 16384 * (at + 1) / primaries);
            net.give(at, from as u16..to as u16);
        }
        for at in primaries..count {
            let primary = net.id(at % primaries);
            net.ask(at, |cluster, now, out| cluster.replicate(now, primary.as_bytes(), &Data::default(), out)).unwrap();
        }
        net.until(10_000, "the cluster is formed", Net::is_settled);
        net
    }

    pub fn meet(&mut self, at: usize, other: usize) {
        let ip = self.nodes[other].ip.to_string();
        self.ask(at, |cluster, now, out| cluster.meet(now, ip.as_bytes(), 6379, 16379, out)).unwrap();
    }

    pub fn give(&mut self, at: usize, slots: std::ops::Range<u16>) {
        let slots: Vec<Slot> = slots.filter_map(Slot::new).collect();
        self.ask(at, |cluster, now, out| cluster.add_slots(now, &slots, out)).unwrap();
    }

    pub fn living(&self) -> impl Iterator<Item = &Sim> {
        self.nodes.iter().filter(|node| node.up)
    }

    /// All living nodes serve, and agree on owners, epochs and roles.
    pub fn is_settled(&self) -> bool {
        let claims = |node: &Sim| {
            let view = node.cluster.view();
            let owners: Vec<_> = view.ranges().into_iter().map(|(a, b, of)| (a, b, view.node(of).id)).collect();
            let mut roles: Vec<_> = view
                .nodes()
                .iter()
                .filter(|n| !n.failed)
                .map(|n| {
                    (
                        n.id,
                        n.is_primary,
                        n.shard,
                        n.config_epoch,
                        view.primary_of(view.find(&n.id).unwrap()).map(|p| p.id),
                    )
                })
                .collect();
            roles.sort_by_key(|role| role.0);
            (owners, roles)
        };
        let Some(first) = self.living().next().map(claims) else { return true };
        let covered: usize = first.0.iter().map(|(a, b, _)| b.index() - a.index() + 1).sum();
        let epochs: BTreeSet<_> = first.1.iter().filter(|role| role.1).map(|role| role.3).collect();
        covered == Slot::COUNT
            && epochs.len() == first.1.iter().filter(|role| role.1).count()
            && self.living().all(|node| node.cluster.view().is_ok() && claims(node) == first)
    }

    /// Who owns a slot, in a node's opinion.
    pub fn owner(&self, of: usize, slot: u16) -> Option<usize> {
        let view = self.nodes[of].cluster.view();
        let id = view.node(view.owner(Slot::new(slot).unwrap())?).id;
        self.nodes.iter().position(|node| node.cluster.my_id() == id)
    }

    pub fn is_primary(&self, at: usize) -> bool {
        self.nodes[at].cluster.view().me().is_primary
    }

    pub fn picture(&self) -> String {
        self.nodes
            .iter()
            .map(|node| format!("-- {} up {}\n{}{}\n", node.ip, node.up, node.text(), node.log.join("\n")))
            .collect()
    }
}

impl Sim {
    pub fn text(&self) -> String {
        String::from_utf8(self.cluster.nodes_text(Asker::default())).unwrap()
    }

    pub fn has_logged(&self, text: &str) -> bool {
        self.log.iter().any(|line| line.contains(text))
    }
}
