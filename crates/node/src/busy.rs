//! A unit that runs for long, and what others get meanwhile.
//!
//! ```text
//!   thread A                                             thread B
//!   unit runs … looks at its stopwatch                   commands park: the unit holds what they need
//!        │ busy-reply-threshold is over                       │
//!        ├─ server.busy = true ── Recheck ───────────────────►├─ parked commands are answered: BUSY
//!        └─ serve_others: one turn of the loop for            └─ commands that may run meanwhile run without the gate
//!           A's other connections, again and again
//! ```
//!
//! The running connection is taken out of its thread's table and its core out of the worker; so nothing that runs borrows
//! the loop, and the worker, with a spare core, can serve a turn within the turn. A spare core never enters the gate and
//! never takes a shard: what it may run are control commands that need neither, and that the table marks as allowed
//! (AUTH, HELLO, QUIT, RESET, MULTI, DISCARD, CLIENT …, SCRIPT KILL, SHUTDOWN). Everything else is answered with BUSY at
//! once, and aborts an open transaction. Threads whose commands need nothing of what the unit holds go on as ever.
//!
//! Replies that earlier commands of the turn have left behind go out with the turn within the turn; so what they promise is
//! made durable first, as at the end of any turn.
//!
//! Redis allows WATCH as well, which needs its key's shard: it is answered with BUSY here if the unit has that.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use command::binding::Class;
use command::row::Flags;
use resp::args::Args;
use resp::error;
use session::Client;

use crate::admission::{Admission, Circumstances, PRODUCT, judge};
use crate::commands::Call;
use crate::execute::Core;
use crate::server::{Bound, Server};
use crate::worker::Worker;

/// How often a busy unit lets others be served.
const SERVE_EVERY_NANOS: u64 = 500_000;

/// Long units of all threads.
#[derive(Debug, Default)]
pub struct Busy {
    /// Units that look at a stopwatch.
    running: AtomicUsize,
    /// Those of them that have run for longer than the threshold.
    busy: AtomicUsize,
    /// How often such units were told to end.
    kills: AtomicU64,
}

impl Busy {
    /// Whether a unit runs for longer than `busy-reply-threshold`.
    pub fn is_busy(&self) -> bool {
        self.busy.load(Ordering::Acquire) > 0
    }

    /// Tells units that may run for long to end (SCRIPT KILL). False when there is none.
    pub fn kill(&self) -> bool {
        let any = self.running.load(Ordering::Acquire) > 0;
        self.kills.fetch_add(u64::from(any), Ordering::AcqRel);
        any
    }
}

/// What a running unit may let happen for others.
pub trait Meanwhile {
    /// Serves every other connection of this thread once, without waiting.
    fn serve_others(&mut self);
}

/// For units of threads that have no connections.
pub struct Nobody;

impl Meanwhile for Nobody {
    fn serve_others(&mut self) {}
}

/// The loop of an I/O thread, as its worker sees it while a unit runs.
pub trait Turn<'s> {
    /// Makes a turn for all connections but the running one; what they send goes to [`Worker::received_meanwhile`].
    fn serve(&mut self, worker: &mut Worker<'s>);
}

/// A loop without connections, for tests and for what needs none.
pub struct NoTurn;

impl<'s> Turn<'s> for NoTurn {
    fn serve(&mut self, _: &mut Worker<'s>) {}
}

/// Watches over a unit that may run for long.
pub struct Stopwatch<'s> {
    server: &'s Server,
    began: u64,
    served: u64,
    threshold: u64,
    kills: u64,
    busy: bool,
}

impl<'s> Stopwatch<'s> {
    /// Begins to measure.
    pub fn start(core: &mut Core<'s>) -> Self {
        let threshold = core.control().config.scripting.busy_reply_threshold.saturating_mul(1_000_000);
        let (server, began) = (core.server, core.server.engine.clock().nanos());
        server.busy.running.fetch_add(1, Ordering::AcqRel);
        let kills = server.busy.kills.load(Ordering::Acquire);
        Stopwatch { server, began, served: 0, threshold, kills, busy: false }
    }

    /// The unit calls this every so often, and at least a few thousand times a second. False: it is to end, somebody has
    /// killed it.
    pub fn look(&mut self, core: &mut Core<'s>, meanwhile: &mut dyn Meanwhile) -> bool {
        let server = self.server;
        let now = core.server.engine.clock().nanos();
        if self.threshold > 0
            && now.saturating_sub(self.began) > self.threshold
            && now.saturating_sub(self.served) >= SERVE_EVERY_NANOS
        {
            if !self.busy {
                self.busy = true;
                server.busy.busy.fetch_add(1, Ordering::AcqRel);
                server.recheck();
                core.flush_turn();
            }
            meanwhile.serve_others();
            self.served = now;
        }
        server.busy.kills.load(Ordering::Acquire) == self.kills && !server.is_over()
    }
}

impl Drop for Stopwatch<'_> {
    fn drop(&mut self) {
        if self.busy {
            self.server.busy.busy.fetch_sub(1, Ordering::AcqRel);
        }
        self.server.busy.running.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Answers a request while a unit runs for long. `core` is a spare one.
pub fn answer(core: &mut Core<'_>, client: &mut Client, args: Args<'_>) {
    let server = core.server;
    let id = match core.find(&args) {
        Ok(id) => id,
        Err(e) => {
            core.refuse(client, None, e);
            return;
        }
    };
    let row = server.registry.row(id);
    if !row.accepts(args.len()) {
        core.refuse(client, Some(id), error::common::wrong_arity(row.fullname));
        return;
    }
    let control = core.control();
    let how = Circumstances::default();
    let refused = match judge(&control, client, id, row, args, &how) {
        Admission::Refuse(e) | Admission::Redirect(e) => Some(e),
        Admission::Deny(denied) => Some(crate::denials::note(core, client, row, &args, denied)),
        Admission::Run | Admission::Pause => None,
    };
    if let Some(e) = refused {
        core.refuse(client, Some(id), e);
        return;
    }
    match server.bound[id.index()] {
        Bound::Control(handler, Class::Free) if row.has(Flags::ALLOW_BUSY) => {
            let mark = client.out.mark();
            if let Err(e) = handler(&mut Call { core, client, args, row, meanwhile: &mut Nobody }) {
                core.note_error(e.code());
                client.out.truncate(mark);
                client.out.error(&e);
            }
        }
        _ => {
            core.refuse(client, Some(id), error::common::busy_script(PRODUCT));
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    const SLOW: &str = "enable-debug-command yes\nbusy-reply-threshold 100";

    #[test]
    fn others_of_the_same_thread_are_answered_while_a_unit_spins() {
        let mut node = Node::start(SLOW);
        let (a, b, c) = (node.connect(), node.connect(), node.connect());
        node.looks_take(10);
        node.say(c, "MULTI");
        // While the command of `a` spins, the loop hands in what the others have sent.
        node.arrives(b, b"GET k\r\nCLIENT ID\r\nSET k v\r\n");
        node.arrives(c, b"SET k v\r\n");
        assert_eq!(node.say(a, "DEBUG SPIN 1000"), "+OK\r\n");
        let busy = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n";
        assert_eq!(node.heard(b), format!("{busy}:2\r\n{busy}"));
        assert_eq!(node.heard(c), busy);
        assert_eq!(node.say(c, "EXEC"), "-EXECABORT Transaction discarded because of previous errors.\r\n");
        assert_eq!(node.say(b, "GET k"), "$-1\r\n", "afterwards all is as before");
        assert!(!node.server.busy.is_busy());
    }

    #[test]
    fn a_short_unit_disturbs_nobody() {
        let mut node = Node::start("enable-debug-command yes\nbusy-reply-threshold 5000");
        let (a, b) = (node.connect(), node.connect());
        node.looks_take(10);
        node.arrives(b, b"PING\r\n");
        assert_eq!(node.say(a, "DEBUG SPIN 1000"), "+OK\r\n");
        assert_eq!(node.heard(b), "");
    }

    #[test]
    fn commands_parked_on_other_threads_are_answered() {
        let mut node = Node::with_threads(SLOW, 2, 4);
        let a = node.connect();
        let b = node.connect_to(1, "127.0.0.1:7000");
        node.looks_take(10);
        node.arrives(b, b"GET k\r\nCLIENT GETNAME\r\nPING\r\n");
        assert_eq!(node.say(a, "DEBUG SPIN 1000"), "+OK\r\n");
        let heard = node.heard(b);
        assert_eq!(heard.matches("-BUSY").count(), 2, "{heard}");
        assert!(heard.contains("$-1\r\n"), "{heard}");
    }

    #[test]
    fn script_kill_ends_it_and_nothing_else() {
        for (threads, shards) in [(1, 1), (2, 8)] {
            let mut node = Node::with_threads(SLOW, threads, shards);
            let (a, b) = (node.connect(), node.connect_to(threads - 1, "127.0.0.1:7000"));
            assert_eq!(node.say(b, "SCRIPT KILL"), "-NOTBUSY No scripts in execution right now.\r\n");
            node.looks_take(10);
            node.arrives(b, b"SHUTDOWN\r\nSHUTDOWN SAVE\r\nSCRIPT KILL\r\n");
            assert!(node.say(a, "DEBUG SPIN 100000").starts_with("-ERR Script killed by user with SCRIPT KILL"));
            let heard = node.heard(b);
            assert!(heard.matches("-BUSY").count() == 2 && heard.ends_with("+OK\r\n"), "{heard}");
            assert!(!node.server.is_over());
            assert_eq!(node.say(a, "DEBUG SPIN 50"), "+OK\r\n", "who comes later is not killed");
        }
    }

    #[test]
    fn a_client_whose_connection_ends_while_its_command_runs_is_forgotten() {
        let mut node = Node::start(SLOW);
        let (a, b) = (node.connect(), node.connect());
        node.looks_take(10);
        node.say(b, "CLIENT PAUSE 1000 ALL");
        assert_eq!(node.say(a, "DEBUG SPIN 1000"), "");
        node.leaves(a);
        node.pass(1000);
        assert!(node.client(a).is_none());
        assert!(node.server.cards.get(a.id).is_none());
        assert_eq!(node.say(b, "PING"), "+PONG\r\n");
    }
}
