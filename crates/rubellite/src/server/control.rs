//! The control thread: what happens by the clock.
//!
//! It is an executor of its own with a loop of its own, so that load on the I/O threads never delays it: signals, the
//! expiry cycle, the end of a pause.

use std::io::{self, IoSlice};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use config::directives::aof::AppendFsync;
use engine::ticket::Wake;
use node::aof::Aof;
use node::execute::Core;
use node::expiry::Expirer;
use node::replication::primary::Clockwork;
use node::server::Server;
use node::shutdown::{self, Wish};
use runtime::signals::Signal;
use runtime::{ConnInfo, Connections, Handler, Reactor, Reenter, Verdict, Waker, clock, signals};

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
}

/// Brings this thread's parked units back.
struct WakeThis(Arc<Waker>);

impl Wake for WakeThis {
    fn wake(&self, _ticket: u64) {
        self.0.notify();
    }
}

/// Runs until the server is over. `first` is the number of its first executor.
pub fn run(server: &Server, first: usize, reactor: &mut Reactor, aof: &Aof) -> io::Result<()> {
    let mut handler = ControlThread {
        server,
        core: Core::with_wake(server, first, Arc::new(WakeThis(reactor.inbox().waker().clone()))),
        expirer: Expirer::new(server, first + 1),
        aof,
        next_sync: 0,
        replicas: Clockwork::default(),
        next_tick: clock::unix_ms() + TICK_MS,
    };
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

/// It has no connections of its own so far.
impl Connections for ControlThread<'_> {
    fn accepted(&mut self, _token: usize, _info: ConnInfo) -> bool {
        false
    }

    fn input(&mut self, _token: usize) -> &mut Vec<u8> {
        unreachable!("the control thread refuses connections")
    }

    fn wants_input(&self, _token: usize) -> bool {
        false
    }

    fn output(&mut self, _token: usize, _send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        true
    }

    fn verdict(&self, _token: usize) -> Verdict {
        Verdict::CloseNow
    }

    fn closed(&mut self, _token: usize) {}

    fn touched(&mut self, _into: &mut Vec<usize>) {}
}

impl Handler for ControlThread<'_> {
    fn received(&mut self, _token: usize, _io: &mut dyn Reenter) {}

    fn woken(&mut self, _io: &mut dyn Reenter) {
        self.server.still.wait();
        if let Some(signal) = signals::take() {
            let process = &self.core.control().config.process;
            let how = match signal {
                Signal::Interrupt => &process.shutdown_on_sigint,
                Signal::Terminate => &process.shutdown_on_sigterm,
            };
            let wish = Wish { save: how.save, nosave: how.nosave, now: how.now, force: how.force };
            shutdown::request(self.server, wish, None, None);
        }
        node::failover::tick(&mut self.core);
        shutdown::tick(&mut self.core);
        node::saving::tick(&mut self.core);
        self.replicas.tick(&mut self.core);
    }

    fn deadline(&self) -> Option<i64> {
        Some(self.next_tick)
    }

    fn timeout(&mut self, now: i64, _io: &mut dyn Reenter) {
        self.server.still.wait();
        self.next_tick = now + TICK_MS;
        self.tick();
    }

    fn is_over(&self) -> bool {
        self.server.is_over()
    }
}
