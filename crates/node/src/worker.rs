//! One I/O thread's part of the server: its clients, and what comes for them.
//!
//! The reactor (crate `runtime`) owns the sockets; it appends what it has read to a client's input and calls
//! [`Worker::received`], and after the turn it sends the clients' output.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keyspace::{UnixMillis, WaitState};
use resp::args::Args;
use resp::request::{Parser, RequestLimits};
use session::{Client, ClientCard, Flag, Letter, ReplyMode, Waiting};

use structures::hash::Map;

use crate::busy::{self, Meanwhile, Turn};
use crate::execute::Core;
use crate::limits;
use crate::pipeline::{Ahead, Stop};
use crate::server::Server;
use crate::stats::add;
use crate::waiting;

/// How often clients are looked after, while there are some that need it: idle ones, large buffers, soft limits.
const CARE_MS: i64 = 100;

/// So many timers of waits that have ended are let be, besides a few for each client.
const STALE_TIMERS: usize = 1024;

/// How many arguments memory is kept for between requests.
const LARGE_REQUEST: usize = 1024;

/// A worker whose core is at work, and its loop: what a running unit may use to serve others.
struct Others<'w, 's> {
    worker: &'w mut Worker<'s>,
    turn: &'w mut dyn Turn<'s>,
    /// Those who were parked before are answered.
    begun: bool,
}

impl<'w, 's> Others<'w, 's> {
    fn new(worker: &'w mut Worker<'s>, turn: &'w mut dyn Turn<'s>) -> Self {
        Others { worker, turn, begun: false }
    }
}

impl Meanwhile for Others<'_, '_> {
    fn serve_others(&mut self) {
        if !std::mem::replace(&mut self.begun, true) {
            self.worker.answer_parked();
        }
        self.turn.serve(self.worker);
    }
}

/// See the head of this file.
pub struct Worker<'s> {
    /// What runs commands.
    pub core: Box<Core<'s>>,
    /// What serves others while a unit runs with the core.
    spare: Option<Box<Core<'s>>>,
    is_lent: bool,
    /// Clients whose commands run, outermost first: they are not among `clients` meanwhile.
    at_work: Vec<usize>,
    /// Those of them whose connections were closed while they were at work.
    gone: Vec<usize>,
    clients: Vec<Option<Box<Client>>>,
    tokens: Map<u64, usize>,
    timers: BinaryHeap<Reverse<(UnixMillis, u64)>>,
    touched: Vec<usize>,
    letters: Vec<Letter>,
    paused: Vec<u64>,
    care_due: Option<UnixMillis>,
    /// Memory of looks ahead.
    ahead: Ahead,
}

impl<'s> Worker<'s> {
    /// The worker of I/O thread `index`.
    pub fn new(server: &'s Server, index: usize) -> Self {
        Worker {
            core: Box::new(Core::new(server, index)),
            spare: None,
            is_lent: false,
            at_work: Vec::new(),
            gone: Vec::new(),
            clients: Vec::new(),
            tokens: Map::default(),
            timers: BinaryHeap::new(),
            touched: Vec::new(),
            letters: Vec::new(),
            paused: Vec::new(),
            care_due: None,
            ahead: Ahead::default(),
        }
    }

    /// A new connection, known to the reactor by `token`.
    pub fn accepted(&mut self, token: usize, card: ClientCard) {
        let control = self.core.control();
        let card = Arc::new(card);
        let refusal = limits::refusal(&self.core, &control, &card);
        let mut client = Box::new(Client::new(card.clone(), control.users.open()));
        match refusal {
            None => {
                self.core.server.cards.add(card);
                add(&self.core.counters.connections, 1);
                self.tokens.insert(client.id(), token);
            }
            Some(error) => {
                add(&self.core.counters.rejected_connections, 1);
                client.out.error(&error);
                client.close_after_reply = true;
                self.touched.push(token);
            }
        }
        if self.clients.len() <= token {
            self.clients.resize_with(token + 1, || None);
        }
        self.clients[token] = Some(client);
        if control.config.network.timeout > 0 {
            self.care_soon();
        }
    }

    /// A client.
    pub fn client(&mut self, token: usize) -> Option<&mut Client> {
        self.clients.get_mut(token)?.as_deref_mut()
    }

    /// A client, only to be looked at.
    pub fn peek(&self, token: usize) -> Option<&Client> {
        self.clients.get(token)?.as_deref()
    }

    /// The client's input was extended, or may be looked at again.
    pub fn received(&mut self, token: usize, turn: &mut dyn Turn<'s>) {
        self.with(token, |worker, client| {
            client.card.last_seen.store(worker.core.server.engine.now().0, Ordering::Relaxed);
            worker.count_input(client);
            if client.waits_long() {
                let control = worker.core.control();
                limits::check_input(&mut worker.core, &control, client);
            } else {
                worker.process(client, Some(turn));
            }
        });
    }

    /// The same in a turn within the turn, while a unit runs for long.
    pub fn received_meanwhile(&mut self, token: usize) {
        self.with(token, |worker, client| {
            worker.count_input(client);
            if client.waits_long() {
                let control = worker.core.control();
                limits::check_input(&mut worker.core, &control, client);
            } else {
                worker.process(client, None);
            }
        });
    }

    fn count_input(&self, client: &mut Client) {
        let fresh = client.input.len().saturating_sub(client.counted) as u64;
        client.counted = client.input.len();
        client.input_peak = client.input_peak.max(client.input.len());
        add(&client.card.bytes_in, fresh);
        add(&self.core.counters.bytes_in, fresh);
        add(&self.core.counters.reads, 1);
    }

    /// `n` bytes at the start of a client's output have left.
    pub fn sent(&mut self, token: usize, n: usize) {
        add(&self.core.counters.bytes_out, n as u64);
        add(&self.core.counters.writes, 1);
        if let Some(client) = self.client(token) {
            client.sent(n);
            add(&client.card.bytes_out, n as u64);
            client.card.output.store(client.out.len() as u64, Ordering::Relaxed);
        }
    }

    /// The connection is gone.
    pub fn closed(&mut self, token: usize) {
        if let Some(mut client) = self.clients.get_mut(token).and_then(Option::take) {
            self.tokens.remove(&client.id());
            self.core.forget(&mut client);
        } else if self.at_work.contains(&token) {
            self.gone.push(token);
        }
    }

    /// Takes the tokens whose output or fate may have changed.
    pub fn take_touched(&mut self, into: &mut Vec<usize>) {
        if self.core.server.is_mute() {
            self.touched.clear();
        }
        into.append(&mut self.touched);
    }

    /// The next moment at which [`Worker::timeout`] has something to do.
    pub fn deadline(&self) -> Option<UnixMillis> {
        let timer = self.timers.peek().map(|Reverse((at, _))| *at);
        timer.into_iter().chain(self.care_due).min()
    }

    /// Ends the waits whose time has come.
    pub fn timeout(&mut self, turn: &mut dyn Turn<'s>) {
        let now = self.core.server.engine.now();
        if self.care_due.is_some_and(|due| due <= now) {
            self.care(now);
        }
        while let Some(Reverse((at, id))) = self.timers.peek().copied() {
            if at > now {
                break;
            }
            self.timers.pop();
            let Some(&token) = self.tokens.get(&id) else { continue };
            self.with(token, |worker, client| {
                match waiting::deadline(client) {
                    // An older timer of this client; its present wait has another.
                    None => return,
                    Some(due) if due > now => return,
                    Some(_) => {}
                }
                if worker.end(client, WaitState::TimedOut) {
                    worker.process(client, Some(turn));
                } else {
                    // A unit has claimed the client. If it finds nothing for it, this is asked again.
                    worker.timers.push(Reverse((UnixMillis(now.0 + 1), id)));
                }
            });
        }
    }

    /// Reads the mailbox.
    pub fn read_letters(&mut self, turn: &mut dyn Turn<'s>) {
        let mailbox = self.core.server.mailboxes[self.core.me].clone();
        let mut letters = std::mem::take(&mut self.letters);
        mailbox.take(&mut letters);
        for letter in letters.drain(..) {
            self.read(letter, turn);
        }
        self.letters = letters;
    }

    /// The turn is over: nothing is held until the next.
    pub fn end_of_turn(&mut self) {
        crate::replication::primary::ask_for_acks(&mut self.core);
        add(&self.core.counters.turns, 1);
        self.core.lease.release();
        self.core.end_migrations();
        self.core.flush_turn();
        self.touch_replicas();
        self.core.make_changes();
        self.core.sweep();
    }

    fn read(&mut self, letter: Letter, turn: &mut dyn Turn<'s>) {
        match letter {
            Letter::Published { client, message, offset } => self.with_id(client, |worker, c| {
                let bytes = message.bytes(c.out.proto).clone();
                c.out.raw(&bytes);
                worker.core.hold(offset);
            }),
            Letter::Served { client, reply, offset } => self.with_id(client, |worker, c| {
                let Waiting::Keys(entry, _) = &c.waiting else { return };
                let entry = entry.clone();
                worker.core.charge_wait(&entry, reply.len());
                waiting::count(&worker.core, c);
                waiting::leave(c);
                worker.core.note_served(c, entry.args.as_args(), reply.len());
                if c.reply_mode == ReplyMode::On {
                    c.out.raw(&reply);
                }
                c.write_offset = offset;
                worker.core.hold(offset);
                worker.process(c, Some(turn));
            }),
            Letter::Answered { client, error, offset } => self.with_id(client, |worker, c| {
                if matches!(c.waiting, Waiting::Action) {
                    c.waiting = Waiting::No;
                    c.card.set(Flag::Blocked, false);
                    if let Some(e) = &error {
                        worker.core.note_error(e.code());
                    }
                    match error {
                        _ if c.reply_mode != ReplyMode::On => {}
                        None => c.out.ok(),
                        Some(e) => c.out.error(&e),
                    }
                    c.write_offset = c.write_offset.max(offset);
                    worker.core.hold(offset);
                    worker.process(c, Some(turn));
                }
            }),
            Letter::Wake { client } => self.with_id(client, |worker, c| worker.retry(c, turn)),
            Letter::Unblock { client, error } => self.with_id(client, |worker, c| {
                if waiting::unblocked(&mut worker.core, c, error) {
                    worker.process(c, Some(turn));
                }
            }),
            Letter::Postponed { client } => self.with_id(client, |worker, c| {
                if let Waiting::Keys(entry, _) = &c.waiting {
                    let args = entry.args.clone();
                    worker.core.tombstones.push(entry.clone());
                    waiting::leave(c);
                    c.waiting = Waiting::Parked(args);
                    worker.retry(c, turn);
                }
            }),
            Letter::Kill { client, after_reply } => {
                self.with_id(client, |_, c| if after_reply { c.close_after_reply = true } else { c.close_asap = true })
            }
            Letter::ShardLost { client, channel } => {
                self.with_id(client, |_, c| crate::commands::pubsub::shard_lost(c, &channel));
            }
            Letter::Monitor { client, line } => self.with_id(client, |_, c| c.out.raw(&line)),
            Letter::Stream => self.core.feeds.woken(),
            Letter::SignOfLife => {
                for id in self.core.feeds.waiting().collect::<Vec<_>>() {
                    self.with_id(id, |_, c| c.out.raw(b"\n"));
                }
            }
            Letter::Progress => self.touched.extend(self.tokens.values()),
            Letter::Recheck => {
                for id in std::mem::take(&mut self.paused) {
                    self.with_id(id, |worker, c| worker.retry(c, turn));
                }
                self.recheck_waits(turn);
                self.answer_parked();
                self.care_soon();
            }
        }
    }

    fn recheck_waits(&mut self, turn: &mut dyn Turn<'s>) {
        let waiting: Vec<usize> = self
            .clients
            .iter()
            .enumerate()
            .filter(|(_, c)| {
                c.as_ref().is_some_and(|c| {
                    matches!(c.waiting, Waiting::Replicas { .. } | Waiting::Durable { .. } | Waiting::Replicated { .. })
                })
            })
            .map(|(token, _)| token)
            .collect();
        for token in waiting {
            self.with(token, |worker, client| {
                if crate::commands::replication::wait_is_over(&worker.core, client, false) {
                    match client.waiting {
                        Waiting::Parked(_) => worker.retry(client, turn),
                        _ => worker.process(client, Some(turn)),
                    }
                }
            });
        }
    }

    /// Names the replicas for which there is something to send; [`Worker::refill`] fetches it when the socket has room.
    fn touch_replicas(&mut self) {
        let mut due = Vec::new();
        self.core.feeds.due(self.core.server, self.core.me, &mut due);
        self.touched.extend(due.iter().filter_map(|id| self.tokens.get(id)));
    }

    /// Gives a replica its next piece. False when there is none for now; then nothing is lost: it will be named as touched.
    pub fn refill(&mut self, token: usize) -> bool {
        if self.core.feeds.is_empty() {
            return false;
        }
        let Some(client) = self.clients.get_mut(token).and_then(Option::as_mut) else { return false };
        self.core.feeds.pump(self.core.server, client)
    }

    /// A replica has had its share of this turn.
    pub fn touch(&mut self, token: usize) {
        self.touched.push(token);
    }

    /// `n` bytes of a client's shared output have left.
    pub fn sent_shared(&mut self, token: usize, n: usize) {
        add(&self.core.counters.bytes_out, n as u64);
        add(&self.core.counters.repl_bytes_out, n as u64);
        if let Some(client) = self.client(token) {
            client.take_chunks(n);
            add(&client.card.bytes_out, n as u64);
        }
    }

    /// Runs a parked command again, then what has come behind it.
    fn retry(&mut self, client: &mut Client, turn: &mut dyn Turn<'s>) {
        if !matches!(client.waiting, Waiting::Parked(_)) || client.card.is(Flag::CloseAsap) {
            return;
        }
        let Waiting::Parked(args) = std::mem::take(&mut client.waiting) else { return };
        client.card.set(Flag::Blocked, false);
        client.card.set(Flag::Paused, false);
        let mut core = self.lend_core();
        core.execute(client, None, args.as_args(), &mut Others::new(self, turn));
        self.return_core(core);
        self.process(client, Some(turn));
    }

    /// Takes the core out, so that nothing that runs borrows the worker; a spare one takes its place.
    fn lend_core(&mut self) -> Box<Core<'s>> {
        let spare = self.take_spare();
        self.is_lent = true;
        std::mem::replace(&mut self.core, spare)
    }

    fn return_core(&mut self, core: Box<Core<'s>>) {
        let mut spare = std::mem::replace(&mut self.core, core);
        self.core.absorb(&mut spare);
        self.spare = Some(spare);
        self.is_lent = false;
    }

    fn take_spare(&mut self) -> Box<Core<'s>> {
        self.spare.take().unwrap_or_else(|| Box::new(Core::new(self.core.server, self.core.me)))
    }

    /// Answers a command without the gate, while a unit somewhere runs for long.
    fn answer(&mut self, client: &mut Client, args: Args<'_>) {
        if self.is_lent {
            return busy::answer(&mut self.core, client, args);
        }
        let mut spare = self.take_spare();
        busy::answer(&mut spare, client, args);
        self.core.absorb(&mut spare);
        self.spare = Some(spare);
    }

    /// Answers the parked command of a client in the same way.
    fn answer_parked_command(&mut self, client: &mut Client) {
        if let Waiting::Parked(args) = std::mem::take(&mut client.waiting) {
            self.core.lease.abandon(&mut client.attempt);
            client.unpacked = None;
            self.answer(client, args.as_args());
        }
    }

    /// Answers commands that wait for what a unit holds that runs for long.
    fn answer_parked(&mut self) {
        if !self.core.server.busy.is_busy() {
            return;
        }
        let is_parked = |c: &Client| matches!(c.waiting, Waiting::Parked(_)) && c.attempt.is_queued();
        let parked: Vec<usize> =
            (0..self.clients.len()).filter(|token| self.clients[*token].as_deref().is_some_and(is_parked)).collect();
        for token in parked {
            self.with(token, |worker, client| worker.process(client, None));
        }
    }

    fn end(&mut self, client: &mut Client, who: WaitState) -> bool {
        match client.waiting {
            Waiting::Keys(..) => waiting::end_wait(&mut self.core, client, who, None),
            Waiting::Replicas { .. } | Waiting::Durable { .. } | Waiting::Replicated { .. } => {
                crate::commands::replication::wait_is_over(&self.core, client, true)
            }
            _ => false,
        }
    }

    /// Executes what is complete in the client's input, until it has to wait. Without a `turn` it is answered as is fit while
    /// a unit runs for long.
    fn process(&mut self, client: &mut Client, mut turn: Option<&mut dyn Turn<'s>>) {
        if turn.is_none() && client.attempt.is_queued() {
            self.answer_parked_command(client);
        }
        if !client.is_ready() {
            self.note_wait(client);
            return;
        }
        let control = self.core.control();
        let mut input = std::mem::take(&mut client.input);
        let mut ranges = std::mem::take(&mut client.ranges);
        let mut ahead = std::mem::take(&mut self.ahead);
        let mut at = 0;
        client.want = 0;
        if client.owns_input {
            client.note_input(input.len(), input.capacity());
        }
        let mut lent = turn.is_some().then(|| self.lend_core());
        if let Some(core) = &mut lent {
            core.lease.begin_run();
        }
        while client.is_ready() && at < input.len() {
            // A command before this one may have been AUTH, or RESET.
            let limits = RequestLimits {
                max_bulk_len: control.config.clients.proto_max_bulk_len,
                unauthenticated: !client.authenticated,
                replicated: false,
            };
            let most = self.core.look_ahead(&control, client);
            let stop = ahead.look(&mut client.parser, &mut input, at, &limits, &mut ranges, most);
            lent.as_deref_mut().unwrap_or(&mut self.core).fetch(client.db, &mut ahead, &input, &ranges);
            let mut ran = 0;
            for request in ahead.requests() {
                if !client.is_ready() {
                    break;
                }
                ran += 1;
                at = request.end();
                let Some(args) = request.args(&input, &ranges) else { continue };
                match (&mut lent, &mut turn) {
                    (Some(core), Some(turn)) => {
                        core.execute(client, request.row(), args, &mut Others::new(self, &mut **turn));
                        if self.is_behind_a_busy_unit(client) {
                            self.answer_parked_command(client);
                        }
                    }
                    _ => self.answer(client, args),
                }
                limits::check_output(&mut self.core, client);
            }
            if ran < ahead.requests().len() || matches!(stop, Stop::Error(_)) && !client.is_ready() {
                // The client waits: what was understood of its later requests is forgotten until they are due.
                client.parser = Parser::new();
                ranges.clear();
                break;
            }
            ranges.drain(..ahead.ranges());
            match stop {
                Stop::Full => {}
                Stop::Incomplete { need_len } => {
                    client.want = need_len.saturating_sub(input.len() - at);
                    break;
                }
                Stop::Error(e) => {
                    self.core.tell_protocol_error(client, &e, &input[at..]);
                    self.core.note_error(e.code());
                    client.out.error(&e);
                    client.close_after_reply = true;
                }
            }
        }
        if let Some(mut core) = lent {
            core.lease.end_run();
            self.return_core(core);
        }
        if at == input.len() {
            input.clear();
        } else {
            input.drain(..at);
        }
        // A request with very many arguments is rare: what it took is not kept for the next one.
        ranges.shrink_to(LARGE_REQUEST);
        ahead.shrink_to(LARGE_REQUEST);
        self.ahead = ahead;
        client.input = input;
        client.counted = client.input.len();
        client.ranges = ranges;
        if !client.input.is_empty() && matches!(client.waiting, Waiting::No) {
            limits::check_input(&mut self.core, &control, client);
        }
        self.note_wait(client);
    }

    /// Whether a client's command has parked behind a unit that runs for long.
    fn is_behind_a_busy_unit(&self, client: &Client) -> bool {
        matches!(client.waiting, Waiting::Parked(_)) && client.attempt.is_queued() && self.core.server.busy.is_busy()
    }

    /// Sets the timer of a client that waits, and remembers who waits for the end of a pause.
    fn note_wait(&mut self, client: &Client) {
        if let Some(at) = waiting::deadline(client) {
            if self.timers.len() > STALE_TIMERS + 4 * self.tokens.len() {
                // Most are of waits that have ended: who is served at once, again and again, must not fill the memory.
                let (clients, tokens) = (&self.clients, &self.tokens);
                let known = |id: &u64| clients.get(*tokens.get(id)?)?.as_deref().and_then(waiting::deadline);
                self.timers.retain(|Reverse((at, id))| known(id).is_some_and(|due| due <= *at));
            }
            self.timers.push(Reverse((at, client.id())));
        }
        if matches!(
            client.waiting,
            Waiting::Replicas { .. } | Waiting::Durable { .. } | Waiting::Replicated { .. } | Waiting::Action
        ) {
            client.card.set(Flag::Blocked, true);
        }
        if matches!(client.waiting, Waiting::Parked(_)) && !client.attempt.is_queued() {
            client.card.set(Flag::Paused, true);
            client.card.set(Flag::Blocked, true);
            self.paused.push(client.id());
        }
    }

    fn care_soon(&mut self) {
        let due = UnixMillis(self.core.server.engine.now().0 + CARE_MS);
        self.care_due.get_or_insert(due);
    }

    /// Looks after all clients: what only the clock tells.
    fn care(&mut self, now: UnixMillis) {
        let control = self.core.control();
        let mut again = control.config.network.timeout > 0;
        let mut clients = std::mem::take(&mut self.clients);
        for (token, client) in clients.iter_mut().enumerate() {
            let Some(client) = client else { continue };
            limits::check_idle(&self.core, &control, client, now);
            limits::check_output(&mut self.core, client);
            if client.owns_input && !self.core.server.switches.cron_paused.load(Ordering::Relaxed) {
                limits::shrink_input(client, now);
                client.note_input(client.input.len(), client.input.capacity());
            }
            again |= client.owns_input || client.soft_limit_since.is_some();
            if client.close_asap {
                self.touched.push(token);
            }
        }
        self.clients = clients;
        self.care_due = again.then(|| UnixMillis(now.0 + CARE_MS));
    }

    fn with(&mut self, token: usize, f: impl FnOnce(&mut Self, &mut Client)) {
        if let Some(mut client) = self.clients.get_mut(token).and_then(Option::take) {
            self.at_work.push(token);
            f(self, &mut client);
            self.at_work.pop();
            if self.gone.contains(&token) {
                self.gone.retain(|gone| *gone != token);
                self.tokens.remove(&client.id());
                self.core.forget(&mut client);
                return;
            }
            limits::check_output(&mut self.core, &mut client);
            client.owns_input |= !client.input.is_empty();
            client.card.output.store(client.out.len() as u64, Ordering::Relaxed);
            if client.owns_input || client.soft_limit_since.is_some() {
                client.note_input(client.input.len(), client.input.capacity());
                self.care_soon();
            } else {
                client.note_input(0, 0);
            }
            self.clients[token] = Some(client);
            self.touched.push(token);
        }
    }

    fn with_id(&mut self, id: u64, f: impl FnOnce(&mut Self, &mut Client)) {
        if let Some(&token) = self.tokens.get(&id) {
            self.with(token, f);
        }
    }
}

/// When the server ends, parked commands give up their places: a thread that has not ended yet may stand behind them.
impl Drop for Worker<'_> {
    fn drop(&mut self) {
        for client in self.clients.iter_mut().flatten() {
            self.core.lease.abandon(&mut client.attempt);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use journal::ReplId;

    use crate::testing::Node;

    /// Two threads over an append-only file.
    fn durable(config: &str) -> Node {
        let node = Node::with_threads(config, 2, 4);
        node.server.journal.wake(ReplId::parse(&[b'a'; 40]).expect("an id"));
        node.server.aof_on.store(true, Ordering::Release);
        node
    }

    #[test]
    fn what_another_thread_has_served_is_durable_before_it_leaves() {
        let mut node = durable("");
        let blocked = node.connect_to(0, "127.0.0.1:1");
        let pusher = node.connect_to(1, "127.0.0.1:2");
        node.say(blocked, "BLPOP k 0");
        node.notes.flushed.lock().clear();
        node.say(pusher, "LPUSH k v");
        assert!(node.heard(blocked).ends_with("$1\r\nv\r\n"));
        let end = node.server.journal.end().0;
        assert_eq!(*node.notes.flushed.lock(), [end, end], "each thread sees to what it sends");
    }

    #[test]
    fn an_event_is_durable_before_another_thread_tells_of_it() {
        let mut node = durable("notify-keyspace-events KEA");
        let listener = node.connect_to(0, "127.0.0.1:1");
        let writer = node.connect_to(1, "127.0.0.1:2");
        node.say(listener, "SUBSCRIBE __keyevent@0__:set");
        node.notes.flushed.lock().clear();
        node.say(writer, "SET k v");
        assert!(node.heard(listener).ends_with("$1\r\nk\r\n"));
        let end = node.server.journal.end().0;
        assert_eq!(*node.notes.flushed.lock(), [end, end], "each thread sees to what it sends");
    }
}
