//! The control thread: what happens by the clock.
//!
//! It is an executor of its own with a loop of its own, so that load on the I/O threads never delays it: signals, the
//! expiry cycle, the end of a pause.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cluster::Event;
use config::directives::aof::AppendFsync;
use engine::lease::Attempt;
use engine::ticket::Wake;
use node::aof::Aof;
use node::cluster::bus;
use node::execute::{Core, Errand};
use node::expiry::Expirer;
use node::replication::primary::Clockwork;
use node::server::Server;
use node::shutdown::{self, Wish};
use runtime::reactor::Inbox;
use runtime::signals::Signal;
use runtime::{ConnInfo, Connections, Handler, Reactor, Reenter, Verdict, Waker, clock, signals};

use super::bus::{Bus, Pulse};

/// Executors besides the I/O threads: this thread's units, its background work, the link to a primary, and the snapshot
/// thread.
pub const EXECUTORS: usize = 4;

/// Ten times a second.
const TICK_MS: i64 = 100;

/// `appendfsync everysec`.
const SYNC_MS: i64 = 1000;

/// Of each tick at most this much is spent on expired keys.
const EXPIRY_NANOS: u64 = 25_000_000;

struct ControlThread<'s> {
    server: &'s Server,
    core: Core<'s>,
    expirer: Expirer<'s>,
    aof: &'s Aof,
    next_sync: i64,
    replicas: Clockwork,
    next_tick: i64,
    /// The connections to other nodes, in a cluster.
    bus: Option<Bus<'s>>,
    pulse: Pulse,
    /// Its place in the queue for the world, for what the cluster wants done.
    cluster_attempt: Attempt,
    waker: Arc<Waker>,
}

/// Brings this thread's parked units back.
struct WakeThis(Arc<Waker>);

impl Wake for WakeThis {
    fn wake(&self, _ticket: u64) {
        self.0.notify();
    }
}

/// Runs until the server is over. `first` is the number of its first executor; `inboxes` are those of the I/O threads.
pub fn run(
    server: &Server,
    first: usize,
    reactor: &mut Reactor,
    aof: &Aof,
    inboxes: Vec<Arc<Inbox>>,
) -> io::Result<()> {
    let core = Core::with_wake(server, first, Arc::new(WakeThis(reactor.inbox().waker().clone())));
    let mut handler = ControlThread {
        server,
        cluster_attempt: core.new_attempt(Errand::Cluster),
        core,
        expirer: Expirer::new(server, first + 1),
        aof,
        next_sync: 0,
        replicas: Clockwork::default(),
        next_tick: clock::unix_ms() + TICK_MS,
        bus: server.cluster.as_ref().map(|_| Bus::new(server)),
        pulse: Pulse::new(inboxes),
        waker: reactor.inbox().waker().clone(),
    };
    // What the machine has asked for at its birth is done in the first turn.
    reactor.inbox().waker().notify();
    let result = reactor.run(&mut handler);
    handler.replicas.give_up(&mut handler.core);
    result
}

impl ControlThread<'_> {
    fn tick(&mut self) {
        self.expirer.cycle(EXPIRY_NANOS);
        node::cron::tick(&mut self.core, self.server.engine.now());
        node::saving::tick(&mut self.core);
        self.replicas.tick(&mut self.core);
        if self.aof.is_on() {
            self.write_aof();
        }
    }

    /// Writes what no client's turn has written (expiry), and syncs once a second.
    fn write_aof(&mut self) {
        let control = self.core.control();
        self.core.turn_hold = self.server.journal.end().0;
        self.core.flush_turn();
        let now = clock::unix_ms();
        if now >= self.next_sync {
            self.next_sync = now + SYNC_MS;
            if control.config.aof.appendfsync != AppendFsync::No {
                self.aof.sync();
            }
            // Clients in WAITAOF wait for that, or for the first base.
            if self.server.replication.waited.load(Ordering::Relaxed) {
                self.server.recheck();
            }
        }
    }
}

impl ControlThread<'_> {
    /// Lets happen what the cluster's machine wants, and what follows from that.
    fn drive(&mut self, io: &mut dyn Reenter) {
        if let Some(bus) = &mut self.bus {
            bus.turn(&mut self.core, &mut self.cluster_attempt, io);
        }
    }

    fn feel_pulse(&mut self, now: i64) {
        if let Some(node) = &self.server.cluster {
            let limit = self.core.control().config.cluster.node_timeout as i64;
            if let Some(stalled) = self.pulse.look(now, limit) {
                node.tell(self.server.engine.now(), Event::Stalled(stalled));
            }
        }
    }
}

/// Its connections are those of the bus, in a cluster.
impl Connections for ControlThread<'_> {
    fn accepted(&mut self, token: usize, info: ConnInfo) -> bool {
        self.bus.as_mut().is_some_and(|bus| bus.accepted(token, &info))
    }

    fn connected(&mut self, token: usize, result: io::Result<Option<SocketAddr>>) {
        if let Some(bus) = &mut self.bus {
            bus.connected(token, result.is_ok());
        }
    }

    fn input(&mut self, token: usize) -> &mut Vec<u8> {
        self.bus.as_mut().expect("only the bus has connections").input(token)
    }

    fn wants_input(&self, token: usize) -> bool {
        self.bus.as_ref().is_some_and(|bus| bus.wants_input(token))
    }

    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        self.bus.as_mut().is_none_or(|bus| bus.output(token, send))
    }

    fn verdict(&self, token: usize) -> Verdict {
        self.bus.as_ref().map_or(Verdict::CloseNow, |bus| bus.verdict(token))
    }

    fn closed(&mut self, token: usize) {
        if let Some(bus) = &mut self.bus {
            bus.closed(token);
            // What the machine wants now needs the loop, which is not at hand.
            self.waker.notify();
        }
    }

    fn touched(&mut self, into: &mut Vec<usize>) {
        if let Some(bus) = &mut self.bus {
            bus.touched(into);
        }
    }
}

impl Handler for ControlThread<'_> {
    fn received(&mut self, token: usize, io: &mut dyn Reenter) {
        self.server.still.wait();
        bus::note_standing(self.server);
        if let Some(bus) = &mut self.bus {
            bus.received(token);
        }
        self.drive(io);
    }

    fn woken(&mut self, io: &mut dyn Reenter) {
        self.server.still.wait();
        if let Some(signal) = signals::take() {
            let process = &self.core.control().config.process;
            let how = match signal {
                Signal::Interrupt => &process.shutdown_on_sigint,
                Signal::Terminate => &process.shutdown_on_sigterm,
            };
            let wish = Wish {
                save: how.save,
                nosave: how.nosave,
                now: how.now,
                force: how.force,
                safe: how.safe,
                failover: how.failover,
            };
            shutdown::request(self.server, wish, None, None);
        }
        node::failover::tick(&mut self.core);
        shutdown::tick(&mut self.core);
        node::saving::tick(&mut self.core);
        self.replicas.tick(&mut self.core);
        bus::note_standing(self.server);
        self.drive(io);
    }

    fn deadline(&self) -> Option<i64> {
        let cluster = self.server.cluster.as_ref().and_then(|node| node.deadline());
        Some(cluster.map_or(self.next_tick, |at| at.0.min(self.next_tick)))
    }

    fn timeout(&mut self, now: i64, io: &mut dyn Reenter) {
        self.server.still.wait();
        if now >= self.next_tick {
            self.next_tick = now + TICK_MS;
            clock::tune();
            self.tick();
            self.feel_pulse(now);
        }
        bus::note_standing(self.server);
        bus::note_time(self.server);
        self.drive(io);
    }

    fn is_over(&self) -> bool {
        self.server.is_over()
    }
}
