//! One universe, from its beginning to its end.
//!
//! ```text
//!   build ─► faults happen, clients write ─► heal: all faults are over, everybody runs ─► converge ─► final checks
//! ```

mod cluster;
mod happen;
mod operator;
mod watch;

use std::cell::OnceCell;
use std::panic::{AssertUnwindSafe, catch_unwind};

use node::server::Server;

use crate::check::{Ledger, Violation};
use crate::fault::{Fault, plan};
use crate::net::{CALLED, ConnId, Packet};
use crate::process::client::{ClientProgram, Finding};
use crate::process::sentinel::SentinelProgram;
use crate::process::server::{ServerProgram, build};
use crate::process::{Process, Program, Template};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::world::{Event, Micros, Pid, Universe};

/// How often it is looked whether something outside of the universe's own events is to be done.
const SLICE: Micros = 100_000;
/// After so long somebody starts a server again that has ended itself.
const RESTART: Micros = 700_000;
/// How long servers run before there are Sentinels.
const HEAD_START: Micros = 1_000_000;
/// Lives of servers in one universe.
const LIVES: usize = 128;

/// What is to be run.
#[derive(Clone, Debug, Default)]
pub struct Orders {
    /// The universe.
    pub seed: u64,
    /// Of the faults that the seed draws, only these.
    pub keep: Option<Vec<usize>>,
    /// Whether every event is told.
    pub loud: bool,
}

/// What has come out.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// What does not hold, if anything.
    pub violation: Option<Violation>,
    /// A hash over everything that has happened.
    pub hash: u64,
    /// How many events that was.
    pub events: u64,
    /// How long, in the universe's time.
    pub micros: Micros,
    /// The faults that the seed has drawn.
    pub faults: usize,
    /// Writes that were answered, and of these how many were told to be on replicas, and how many a choice has excused.
    pub promises: [usize; 3],
    /// How often another server became the primary.
    pub choices: usize,
    /// How long it took to agree after everything was healed.
    pub healed_in: Micros,
    /// Slots of a cluster that went to another primary.
    pub moves: usize,
    /// The longest time for which two nodes took writes for one slot.
    pub both: Micros,
}

/// Where the servers of a universe live. They are shared by their threads, so they stay until its end.
struct Arena {
    lives: Vec<OnceCell<Server>>,
}

impl Arena {
    fn put(&self, server: Server) -> &Server {
        let free = self.lives.iter().find(|life| life.get().is_none()).expect("a universe does not need so many lives");
        free.get_or_init(|| server)
    }
}

/// Runs a universe.
pub fn run(scenario: &Scenario, template: &Template, orders: &Orders) -> Outcome {
    let arena = Arena { lives: (0..LIVES).map(|_| OnceCell::new()).collect() };
    let mut world = World::new(scenario, template, orders, &arena);
    let lived = catch_unwind(AssertUnwindSafe(|| world.live())).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default())
    });
    let violation = lived.err().map(|what| Violation { at: world.u.now, what });
    if let Some(watch) = &world.cluster {
        let (promises, waited) = watch.promises();
        return Outcome {
            violation,
            hash: world.u.trace.hash(),
            events: world.u.events,
            micros: world.u.now,
            faults: world.faults.len(),
            promises: [promises, waited, watch.excused],
            choices: watch.promotions,
            healed_in: world.healed_in,
            moves: watch.bench.borrow().moved,
            both: watch.longest_both,
        };
    }
    Outcome {
        violation,
        hash: world.u.trace.hash(),
        events: world.u.events,
        micros: world.u.now,
        faults: world.faults.len(),
        promises: [world.ledger.len(), world.ledger.with_replicas(1), world.ledger.excused],
        choices: world.choices,
        healed_in: world.healed_in,
        moves: 0,
        both: 0,
    }
}

struct World<'s> {
    u: Universe,
    scenario: &'s Scenario,
    template: &'s Template,
    arena: &'s Arena,
    processes: Vec<Process<'s>>,
    servers: usize,
    sentinels: usize,
    think: Micros,
    faults: Vec<Fault>,
    /// Whom the faults under way have hit.
    active: Vec<Option<Pid>>,
    /// Whom faults have hit.
    hit: Vec<Option<Pid>>,
    elections: watch::Elections,
    /// The life of each server, and whether it was a primary when it was last looked at.
    roles: Vec<(u32, bool)>,
    keep: Option<Vec<usize>>,
    ledger: Ledger,
    /// The server that is to be the primary, by who sees everything, and which life of it.
    chosen: (Pid, u32),
    chosen_at: Micros,
    choices: usize,
    healed_in: Micros,
    /// What is known of a cluster, where the servers are one.
    cluster: Option<cluster::Watch>,
}

impl<'s> World<'s> {
    fn new(scenario: &'s Scenario, template: &'s Template, orders: &Orders, arena: &'s Arena) -> Self {
        let mut u = Universe::new(orders.seed, orders.loud);
        let mut shape = u.random.fork();
        let shards = scenario.shards.draw(&mut shape) as usize;
        let servers = shards.max(1) * (1 + scenario.replicas.draw(&mut shape) as usize);
        let sentinels = scenario.sentinels.draw(&mut shape) as usize;
        let clients = scenario.clients.draw(&mut shape) as usize;
        let think = scenario.think_ms.draw(&mut shape) * 1000;
        let mut chance = Random::new(orders.seed.rotate_left(32) ^ 0xfa17);
        let faults = plan(scenario, (servers + sentinels) as u64, &mut chance);
        let operators = usize::from(shards > 0);
        let cluster = (shards > 0).then(|| {
            let tags = (0..scenario.tags).map(|n| format!("{:x}", n ^ shape.bits() << 8)).collect();
            cluster::Watch::new(tags, shards, servers, &template.control.config)
        });
        let processes =
            (0..servers + sentinels + operators + clients).map(|n| Process::new(Pid(n as u16), &mut u)).collect();
        let mut world = World {
            active: vec![None; faults.len()],
            hit: vec![None; faults.len()],
            elections: watch::Elections::default(),
            roles: vec![(0, false); servers],
            sentinels,
            think,
            keep: orders.keep.clone(),
            ledger: Ledger::default(),
            chosen: (Pid(0), 1),
            chosen_at: 0,
            choices: 0,
            healed_in: 0,
            cluster,
            u,
            scenario,
            template,
            arena,
            processes,
            servers,
            faults,
        };
        for n in 0..servers {
            world.start_server(Pid(n as u16), (n > 0 && shards == 0).then_some(Pid(0)));
            if sentinels > 0 {
                *world.processes[n].paper.lock() = world.first_server_paper(n);
            }
        }
        for (number, fault) in world.faults.iter().enumerate() {
            if world.keep.as_ref().is_none_or(|keep| keep.contains(&number)) {
                world.u.agenda.enter(fault.at, Event::Fault { number, begins: true });
                world.u.agenda.enter(fault.until, Event::Fault { number, begins: false });
            }
        }
        world
    }

    fn start_server(&mut self, pid: Pid, primary: Option<Pid>) {
        let process = &mut self.processes[pid.index()];
        let desk = process.new_desk(self.u.trace.loud);
        process.disk.restart();
        self.u.trace.say(self.u.now, || format!("server {} starts", pid.0));
        let built = build(self.template, process.clock.clone(), desk.clone(), &process.paper, &process.disk, primary);
        let program = built.and_then(|server| {
            let server = self.arena.put(server);
            ServerProgram::new(pid, server, desk, process.clock.clone(), &process.disk, self.u.now)
        });
        let program = match program {
            Ok(program) => program,
            Err(why) if process.disk.is_full() => {
                self.u.trace.say(self.u.now, || format!("server {} cannot start yet: {why}", pid.0));
                return self.u.later(RESTART, Event::Start { pid });
            }
            Err(why) => panic!("server {} cannot start: {why}", pid.0),
        };
        process.start(Program::Server(Box::new(program)), &mut self.u);
        if self.sentinels > 0 {
            self.reborn(pid);
        }
        self.node_reborn(pid);
    }

    fn start_sentinel(&mut self, pid: Pid) {
        self.u.trace.say(self.u.now, || format!("Sentinel {} starts", pid.0));
        let process = &mut self.processes[pid.index()];
        let program = SentinelProgram::new(pid, process.clock.clone(), process.paper.clone(), &mut self.u);
        process.start(Program::Sentinel(Box::new(program)), &mut self.u);
    }

    /// Starts those who watch and those who write.
    fn begin(&mut self) {
        let all_sentinels: Vec<Pid> = (self.servers..self.servers + self.sentinels).map(|n| Pid(n as u16)).collect();
        for pid in &all_sentinels {
            *self.processes[pid.index()].paper.lock() = self.first_paper();
            self.start_sentinel(*pid);
        }
        for n in 0..self.processes.len() - self.servers - self.sentinels {
            let pid = Pid((self.servers + self.sentinels + n) as u16);
            let random = self.u.random.fork();
            let finding = if self.sentinels > 0 { Finding::Ask(all_sentinels.clone()) } else { Finding::Told(Pid(0)) };
            let client = ClientProgram::new(pid, n, finding, self.think, random);
            self.processes[pid.index()].start(Program::Client(Box::new(client)), &mut self.u);
        }
    }

    fn live(&mut self) -> Result<(), String> {
        let run = self.scenario.run_ms * 1000;
        if self.cluster.is_some() {
            self.form()?;
            while self.u.now < run {
                self.pass((self.u.now + SLICE).min(run))?;
                self.watch_writers()?;
            }
            self.heal()?;
            self.converge()?;
            return self.last_checks_of_cluster();
        }
        if self.sentinels > 0 {
            // Replicas that are there when a Sentinel first asks are known at once.
            self.pass(HEAD_START)?;
        }
        self.begin();
        while self.u.now < run {
            self.pass((self.u.now + SLICE).min(run))?;
            if self.sentinels == 0 {
                self.tend()?;
            }
        }
        self.heal()?;
        self.converge()?;
        self.last_checks()
    }

    /// The operator makes a cluster of the nodes, and clients begin to use it.
    fn form(&mut self) -> Result<(), String> {
        self.begin_cluster();
        let formed = |world: &Self| world.cluster.as_ref().is_none_or(|watch| watch.bench.borrow().formed);
        while !formed(self) {
            if self.u.now >= self.scenario.calm_ms * 1000 {
                return Err("the cluster could not be made in time".to_owned());
            }
            self.pass(self.u.now + SLICE)?;
        }
        self.begin_roaming();
        Ok(())
    }

    /// Lets everything happen that is due by a moment.
    fn pass(&mut self, until: Micros) -> Result<(), String> {
        while let Some(event) = self.u.next(until) {
            self.happen(event)?;
        }
        Ok(())
    }

    fn happen(&mut self, event: Event) -> Result<(), String> {
        let now = self.u.now;
        match event {
            Event::Packet { conn, from, packet } => {
                let passed = self.u.net.passes(now, &mut self.u.agenda, conn, from, packet);
                if let Some(packet) = passed {
                    self.deliver(conn, from, packet)?;
                }
            }
            Event::Retry { conn, from } => {
                for packet in self.u.net.retry(now, &mut self.u.agenda, conn, from) {
                    self.deliver(conn, from, packet)?;
                }
            }
            Event::Timer { pid, life } => {
                self.u.trace.note(now, u64::from(pid.0) << 8 | 1, &[]);
                self.processes[pid.index()].timeout(life, &mut self.u);
                self.look_at(pid)?;
            }
            Event::Fault { number, begins } => self.fault(number, begins)?,
            Event::Start { pid } => self.revive(pid),
        }
        Ok(())
    }

    fn deliver(&mut self, conn: ConnId, from: usize, packet: Packet) -> Result<(), String> {
        let to = 1 - from;
        let (sender, pid) = (self.u.net.pid(conn, from), self.u.net.pid(conn, to));
        let process = &mut self.processes[pid.index()];
        let alive = self.u.net.is_alive(conn, to);
        let what = u64::from(conn.0) << 8;
        match packet {
            Packet::Syn if process.program.is_none() => {
                self.u.trace.note(self.u.now, what | 2, &[]);
                self.u.net.send(self.u.now, &mut self.u.agenda, conn, CALLED, Packet::Reset);
            }
            Packet::Syn => {
                self.u.trace.note(self.u.now, what | 3, &[]);
                self.u.net.accept(self.u.now, &mut self.u.agenda, conn, process.life);
                process.accepted(conn, sender, &mut self.u);
            }
            Packet::Accepted if alive => {
                self.u.trace.note(self.u.now, what | 4, &[]);
                process.connected(conn, &mut self.u);
            }
            Packet::Bytes(bytes) if alive => {
                self.u.trace.note(self.u.now, what | (5 + to as u64), &bytes);
                process.received(conn, bytes, &mut self.u);
            }
            Packet::Accepted | Packet::Bytes(_) => {
                self.u.net.send(self.u.now, &mut self.u.agenda, conn, to, Packet::Reset);
            }
            Packet::Closed | Packet::Reset if alive => {
                self.u.trace.note(self.u.now, what | 7, &[]);
                self.u.net.forget(conn, to);
                process.closed(conn, packet == Packet::Reset, &mut self.u);
            }
            Packet::Closed | Packet::Reset => {}
        }
        self.look_at(pid)
    }

    /// Something has happened to a process: takes note of what a client was promised, and of what Sentinels do.
    fn look_at(&mut self, pid: Pid) -> Result<(), String> {
        self.observe(pid)?;
        self.watch_node(pid)?;
        if self.processes[pid.index()].server().is_some_and(ServerProgram::has_ended) {
            // The power has failed in the middle of something; or the server did not want to go on.
            let dark = self.processes[pid.index()].disk.is_dark();
            self.u.trace.say(self.u.now, || format!("server {} has ended itself", pid.0));
            self.processes[pid.index()].stop(!dark, &mut self.u);
            self.u.later(RESTART, Event::Start { pid });
        }
        let Some(client) = self.processes[pid.index()].client_mut() else { return Ok(()) };
        let fresh = client.take_settled();
        for promise in fresh {
            // What another than the chosen one has said is worth nothing: the client did not know yet. And what was said
            // before the choice was not known to whoever chose.
            if (promise.by, promise.life) == self.chosen && promise.at > self.chosen_at {
                self.ledger.add(promise);
            }
        }
        Ok(())
    }

    /// A process that was killed runs again.
    fn revive(&mut self, pid: Pid) {
        self.u.net.power(pid, true);
        if self.processes[pid.index()].program.is_some() {
            return;
        }
        if pid.index() < self.servers {
            self.start_server(pid, None);
        } else if pid.index() < self.servers + self.sentinels {
            self.start_sentinel(pid);
        }
    }

    fn heal(&mut self) -> Result<(), String> {
        self.u.trace.say(self.u.now, || "everything is healed".to_owned());
        for number in 0..self.faults.len() {
            self.fault(number, false)?;
        }
        for n in 0..self.servers + self.sentinels {
            self.revive(Pid(n as u16));
        }
        for process in &mut self.processes[self.servers..] {
            if let Some(client) = process.client_mut() {
                client.quiet = true;
            }
        }
        if let Some(watch) = &self.cluster {
            watch.board.borrow_mut().quiet = true;
            watch.bench.borrow_mut().mends = true;
        }
        Ok(())
    }

    fn converge(&mut self) -> Result<(), String> {
        let began = self.u.now;
        let limit = began + self.scenario.heal_ms * 1000;
        while self.u.now < limit {
            self.pass(self.u.now + SLICE)?;
            if self.cluster.is_some() {
                self.watch_writers()?;
            } else if self.sentinels == 0 {
                self.tend()?;
            }
            let Some(why) = self.disagreement() else {
                self.healed_in = self.u.now - began;
                return Ok(());
            };
            self.u.trace.say(self.u.now, || format!("not yet: {why}"));
        }
        let why = self.disagreement().unwrap_or_default();
        Err(format!("no agreement {} ms after everything was healed: {why}", self.scenario.heal_ms))
    }

    /// Why the servers do not agree yet.
    fn disagreement(&mut self) -> Option<String> {
        if self.cluster.is_some() {
            return self.discord();
        }
        let primaries: Vec<Pid> = self
            .processes
            .iter()
            .filter(|process| process.server().is_some_and(ServerProgram::is_primary))
            .map(|process| process.pid)
            .collect();
        let [primary] = primaries[..] else { return Some(format!("primaries are {primaries:?}")) };
        let (id, end) = self.processes[primary.index()].server()?.position();
        for process in &self.processes[..self.servers] {
            let Some(server) = process.server() else { return Some(format!("server {} is down", process.pid.0)) };
            if process.pid == primary {
                continue;
            }
            match server.follows() {
                Some((whom, true)) if whom == primary => {}
                other => return Some(format!("server {} follows {other:?}", process.pid.0)),
            }
            if server.position() != (id, end) {
                return Some(format!("server {} is at {:?}, not at {:?}", process.pid.0, server.position(), (id, end)));
            }
        }
        self.dissent(primary)
    }

    fn last_checks(&mut self) -> Result<(), String> {
        let primary = (0..self.servers).find(|n| self.processes[*n].server().is_some_and(ServerProgram::is_primary));
        let Some(primary) = primary else { return Err("there is no primary".to_owned()) };
        let mut digests = Vec::new();
        for n in 0..self.servers {
            let Some(server) = self.processes[n].server_mut() else { continue };
            digests.push(server.ask(&["DEBUG", "DIGEST"], &mut self.u));
        }
        if digests.iter().any(|digest| *digest != digests[0]) {
            return Err(format!("equal offsets, different data: {digests:?}"));
        }
        if !digests[0].starts_with('+') {
            return Err(format!("no digest: {}", digests[0]));
        }
        let Some(server) = self.processes[primary].server_mut() else { return Ok(()) };
        for promise in self.ledger.in_force() {
            if !server.glance(promise.key.as_bytes()) {
                return Err(format!(
                    "{} is lost: promised by server {} at {:.3} s, WAIT said {}",
                    promise.key,
                    promise.by.0,
                    promise.at as f64 / 1e6,
                    promise.replicas
                ));
            }
        }
        Ok(())
    }
}
