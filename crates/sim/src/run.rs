//! One universe, from its beginning to its end.
//!
//! ```text
//!   build ─► faults happen, clients write ─► heal: all faults are over, everybody runs ─► converge ─► final checks
//! ```

use std::cell::OnceCell;

use node::server::Server;

use crate::check::{Ledger, Violation};
use crate::fault::{Fault, Name, plan};
use crate::net::{CALLED, ConnId, Packet};
use crate::process::client::{ClientProgram, Finding};
use crate::process::server::{PORT, ServerProgram, address, build};
use crate::process::{Process, Program, Template};
use crate::random::Random;
use crate::scenario::Scenario;
use crate::world::{Event, Micros, Pid, Universe};

/// How often it is looked whether something outside of the universe's own events is to be done.
const SLICE: Micros = 100_000;
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
    let violation = world.live().err().map(|what| Violation { at: world.u.now, what });
    Outcome {
        violation,
        hash: world.u.trace.hash(),
        events: world.u.events,
        micros: world.u.now,
        faults: world.faults.len(),
        promises: [world.ledger.len(), world.ledger.with_replicas(1), world.ledger.excused],
        choices: world.choices,
        healed_in: world.healed_in,
    }
}

struct World<'s> {
    u: Universe,
    scenario: &'s Scenario,
    template: &'s Template,
    arena: &'s Arena,
    processes: Vec<Process<'s>>,
    servers: usize,
    faults: Vec<Fault>,
    active: Vec<Option<Pid>>,
    keep: Option<Vec<usize>>,
    ledger: Ledger,
    /// The server that is to be the primary, by who sees everything, and which life of it.
    chosen: (Pid, u32),
    chosen_at: Micros,
    choices: usize,
    healed_in: Micros,
}

impl<'s> World<'s> {
    fn new(scenario: &'s Scenario, template: &'s Template, orders: &Orders, arena: &'s Arena) -> Self {
        let mut u = Universe::new(orders.seed, orders.loud);
        let mut shape = u.random.fork();
        let servers = 1 + scenario.replicas.draw(&mut shape) as usize;
        let clients = scenario.clients.draw(&mut shape) as usize;
        let think = scenario.think_ms.draw(&mut shape) * 1000;
        let mut chance = Random::new(orders.seed.rotate_left(32) ^ 0xfa17);
        let faults = plan(scenario, servers as u64, &mut chance);
        let processes = (0..servers + clients).map(|n| Process::new(Pid(n as u16), &mut u)).collect();
        let mut world = World {
            active: vec![None; faults.len()],
            keep: orders.keep.clone(),
            ledger: Ledger::default(),
            chosen: (Pid(0), 1),
            chosen_at: 0,
            choices: 0,
            healed_in: 0,
            u,
            scenario,
            template,
            arena,
            processes,
            servers,
            faults,
        };
        for n in 0..servers {
            world.start_server(Pid(n as u16), (n > 0).then_some(Pid(0)));
        }
        for n in 0..clients {
            let pid = Pid((servers + n) as u16);
            let random = world.u.random.fork();
            let client = ClientProgram::new(pid, n, Finding::Told(Pid(0)), think, random);
            world.processes[pid.index()].start(Program::Client(Box::new(client)), &mut world.u);
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
        let server = self.arena.put(build(self.template, process.clock.clone(), desk.clone(), primary));
        let program = ServerProgram::new(pid, server, desk, process.clock.clone(), self.u.now);
        process.start(Program::Server(Box::new(program)), &mut self.u);
        self.u.trace.say(self.u.now, || format!("server {} starts", pid.0));
    }

    fn live(&mut self) -> Result<(), String> {
        let run = self.scenario.run_ms * 1000;
        while self.u.now < run {
            self.pass((self.u.now + SLICE).min(run))?;
            self.tend()?;
        }
        self.heal()?;
        self.converge()?;
        self.last_checks()
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
                    self.deliver(conn, from, packet);
                }
            }
            Event::Retry { conn, from } => {
                for packet in self.u.net.retry(now, &mut self.u.agenda, conn, from) {
                    self.deliver(conn, from, packet);
                }
            }
            Event::Timer { pid, life } => {
                self.u.trace.note(now, u64::from(pid.0) << 8 | 1, &[]);
                self.processes[pid.index()].timeout(life, &mut self.u);
                self.look_at(pid);
            }
            Event::Fault { number, begins } => self.fault(number, begins)?,
        }
        Ok(())
    }

    fn deliver(&mut self, conn: ConnId, from: usize, packet: Packet) {
        let to = 1 - from;
        let (sender, pid) = (self.u.net.pid(conn, from), self.u.net.pid(conn, to));
        let process = &mut self.processes[pid.index()];
        let alive = self.u.net.is_alive(conn, to);
        let what = u64::from(conn.0) << 8;
        match packet {
            Packet::Syn if process.program.is_none() => {
                self.u.trace.note(self.u.now, what | 2, &[]);
                self.u.net.send(self.u.now, &mut self.u.agenda, conn, CALLED, Packet::Closed);
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
                self.u.net.send(self.u.now, &mut self.u.agenda, conn, to, Packet::Closed);
            }
            Packet::Closed if alive => {
                self.u.trace.note(self.u.now, what | 7, &[]);
                self.u.net.forget(conn, to);
                process.closed(conn, &mut self.u);
            }
            Packet::Closed => {}
        }
        self.look_at(pid);
    }

    /// Takes note of what a client was promised.
    fn look_at(&mut self, pid: Pid) {
        let Some(client) = self.processes[pid.index()].client_mut() else { return };
        let fresh = client.take_settled();
        for promise in fresh {
            // What another than the chosen one has said is worth nothing: the client did not know yet. And what was said
            // before the choice was not known to whoever chose.
            if (promise.by, promise.life) == self.chosen && promise.at > self.chosen_at {
                self.ledger.add(promise);
            }
        }
    }

    fn fault(&mut self, number: usize, begins: bool) -> Result<(), String> {
        let fault = self.faults[number].clone();
        let who = match (begins, self.active[number], fault.name) {
            (false, Some(who), _) => who,
            (false, None, _) => return Ok(()),
            (true, _, Name::CrashPrimary | Name::PausePrimary | Name::IsolatePrimary) => self.chosen.0,
            (true, ..) => fault.who,
        };
        self.active[number] = begins.then_some(who);
        let verb = if begins { "begins" } else { "is over" };
        self.u
            .trace
            .say(self.u.now, || format!("fault {number} {verb}: {} {} {:x}", fault.name.text(), who.0, fault.side));
        let all: Vec<Pid> = self.processes.iter().map(|process| process.pid).collect();
        match fault.name {
            Name::Crash | Name::CrashPrimary if begins => self.processes[who.index()].stop(true, &mut self.u),
            Name::Power if begins => self.processes[who.index()].stop(false, &mut self.u),
            Name::Crash | Name::CrashPrimary | Name::Power => self.revive(who),
            Name::Pause | Name::PausePrimary => {
                let process = &mut self.processes[who.index()];
                if begins { process.pause() } else { process.resume(&mut self.u) }
            }
            Name::Partition => {
                for (a, b) in pairs(&all).filter(|(a, b)| fault.has(*a) != fault.has(*b)) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::OneWay => {
                for (a, b) in pairs(&all).filter(|(a, b)| fault.has(*a) && !fault.has(*b)) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::Isolate => {
                for (a, b) in pairs(&all).filter(|(a, b)| *a == who || *b == who) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::IsolatePrimary => {
                let with = |pid: Pid| pid == who || fault.has(pid) && pid.index() >= self.servers;
                for (a, b) in pairs(&all).filter(|(a, b)| with(*a) != with(*b)) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::Slow => self.u.net.slow(who, fault.amount as u64, begins),
            Name::Reset if begins => {
                for (conn, end) in self.u.net.reset(who) {
                    let pid = self.u.net.pid(conn, end);
                    self.processes[pid.index()].closed(conn, &mut self.u);
                }
            }
            Name::Clock if begins => {
                self.processes[who.index()].clock.jump(fault.amount);
                self.processes[who.index()].rearm(&mut self.u);
            }
            Name::Failover if begins => self.hand_over()?,
            Name::Reset | Name::Clock | Name::Failover => {}
        }
        Ok(())
    }

    /// A process that was killed runs again.
    fn revive(&mut self, pid: Pid) {
        self.u.net.power(pid, true);
        if self.processes[pid.index()].program.is_none() && pid.index() < self.servers {
            self.start_server(pid, None);
        }
    }

    /// The operator, who sees everything: a primary that has gone is replaced, and everybody follows it.
    fn tend(&mut self) -> Result<(), String> {
        let (pid, life) = self.chosen;
        let lives = self.processes[pid.index()].program.is_some() && self.processes[pid.index()].life == life;
        if !lives && !self.choose()? {
            return Ok(());
        }
        let (primary, _) = self.chosen;
        let host = address(primary).to_string();
        let port = PORT.to_string();
        for n in 0..self.servers {
            let process = &mut self.processes[n];
            if !process.is_up() {
                continue;
            }
            let Some(server) = process.server_mut() else { continue };
            let follows = server.follows().map(|(whom, _)| whom);
            let line: &[&str] = match (n == primary.index(), follows) {
                (true, None) => continue,
                (true, Some(_)) => &["REPLICAOF", "NO", "ONE"],
                (false, Some(whom)) if whom == primary => continue,
                (false, _) => &["REPLICAOF", &host, &port],
            };
            server.ask(line, &mut self.u);
            process.nudge(&mut self.u);
        }
        for process in &mut self.processes[self.servers..] {
            if let Some(client) = process.client_mut() {
                client.find(Finding::Told(primary));
            }
        }
        Ok(())
    }

    /// Servers that may become the primary: they are of the history of the chosen one.
    fn candidates(&self) -> Vec<Pid> {
        let of_history = |pid: Pid| {
            let server = self.processes[pid.index()].server()?;
            let running = self.processes[pid.index()].is_up() && !server.is_syncing();
            (running && server.follows().is_some_and(|(whom, _)| whom == self.chosen.0)).then_some(server.position())
        };
        let mut all: Vec<(Pid, _)> =
            (0..self.servers).map(|n| Pid(n as u16)).filter_map(|pid| Some((pid, of_history(pid)?))).collect();
        // Those of the newest history that anybody has; offsets of different ones cannot be compared.
        let Some(newest) = all.iter().max_by_key(|(_, (_, end))| end.0).map(|(_, (id, _))| *id) else {
            return Vec::new();
        };
        all.retain(|(_, (id, _))| *id == newest);
        all.sort_by_key(|(_, (_, end))| std::cmp::Reverse(end.0));
        all.into_iter().map(|(pid, _)| pid).collect()
    }

    /// Chooses a primary instead of one that is gone. False when there is nobody.
    fn choose(&mut self) -> Result<bool, String> {
        let candidates = self.candidates();
        let chosen = match candidates.first() {
            Some(best) => *best,
            // Nobody is left: it begins anew, if it is there.
            None if self.processes[self.chosen.0.index()].program.is_some() => self.chosen.0,
            None => return Ok(false),
        };
        self.appoint(chosen, &candidates)?;
        Ok(true)
    }

    fn appoint(&mut self, chosen: Pid, candidates: &[Pid]) -> Result<(), String> {
        self.choices += 1;
        self.u.trace.say(self.u.now, || format!("server {} is chosen among {candidates:?}", chosen.0));
        self.chosen = (chosen, self.processes[chosen.index()].life);
        self.chosen_at = self.u.now;
        let processes = &mut self.processes;
        let has = |pid: Pid, key: &str| {
            processes[pid.index()].server_mut().is_some_and(|server| server.glance(key.as_bytes()))
        };
        self.ledger.choice(chosen, candidates, has)
    }

    /// Another server becomes the primary while the present one lives.
    fn hand_over(&mut self) -> Result<(), String> {
        let candidates = self.candidates();
        if let Some(best) = candidates.first().copied() {
            self.appoint(best, &candidates)?;
            self.tend()?;
        }
        Ok(())
    }

    fn heal(&mut self) -> Result<(), String> {
        self.u.trace.say(self.u.now, || "everything is healed".to_owned());
        for number in 0..self.faults.len() {
            self.fault(number, false)?;
        }
        for n in 0..self.servers {
            self.revive(Pid(n as u16));
        }
        for process in &mut self.processes[self.servers..] {
            if let Some(client) = process.client_mut() {
                client.quiet = true;
            }
        }
        Ok(())
    }

    fn converge(&mut self) -> Result<(), String> {
        let began = self.u.now;
        let limit = began + self.scenario.heal_ms * 1000;
        while self.u.now < limit {
            self.pass(self.u.now + SLICE)?;
            self.tend()?;
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
    fn disagreement(&self) -> Option<String> {
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
        None
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

fn pairs(all: &[Pid]) -> impl Iterator<Item = (Pid, Pid)> {
    all.iter().flat_map(move |a| all.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b)
}
