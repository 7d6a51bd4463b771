//! The side of MIGRATE that talks to the target, and the connections that it keeps for the next time.
//!
//! ```text
//!   submit ─► jobs ─► one of a few threads: take or make the target's connection, write all, read a reply per key, put it back
//! ```
//!
//! Threads are started when they are needed and end when for some seconds there is neither a job nor a connection to keep; so
//! a server that does not migrate has none. A target that does not answer holds up one thread, not the migrations to others.
//!
//! A connection is kept for [`KEPT_FOR`] after its last use. What is said on it, and what the answers mean, is told in
//! `node::delivery`.

use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Address, Client, Options};
use node::delivery::{Delivered, Delivery, Lost, Way};
use node::migrate::{Order, Sent};
use parking_lot::{Condvar, Mutex};
use resp::error;

/// How long an unused connection is kept, as with the peers.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// How many are kept.
const MOST_KEPT: usize = 64;
/// How many migrations are under way at once; more wait.
const MOST_THREADS: usize = 16;
const STACK: usize = 256 * 1024;

type Job = Box<dyn FnOnce(&Shared) + Send>;
/// Host, port, and as whom: connections of one user are not for another.
type Target = (Vec<u8>, Vec<u8>, Vec<u8>);

/// See the head of this file.
#[derive(Default)]
pub struct Migrator {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    kept: HashMap<Target, Kept>,
    threads: usize,
    idle: usize,
}

struct Kept {
    client: Client,
    /// The database that is selected there, if that is known.
    db: Option<i64>,
    used: Instant,
}

impl Migrator {
    /// Sends on a thread of its own.
    pub fn submit(&self, order: Order, done: Box<dyn FnOnce(Sent) + Send>) {
        let mut state = self.shared.state.lock();
        state.jobs.push_back(Box::new(move |shared| done(shared.send(order))));
        if state.idle < state.jobs.len() && state.threads < MOST_THREADS {
            Shared::start(&self.shared, &mut state);
        }
        let stranded = if state.threads == 0 { state.jobs.pop_front() } else { None };
        drop(state);
        self.shared.work.notify_one();
        // No thread to be had: it is done here and now, late as that is for the caller's others.
        if let Some(job) = stranded {
            job(&self.shared);
        }
    }

    /// Sends on the caller's thread.
    pub fn send(&self, order: Order) -> Sent {
        let sent = self.shared.send(order);
        let mut state = self.shared.state.lock();
        if state.threads == 0 && !state.kept.is_empty() {
            // Somebody has to close the connection in time.
            Shared::start(&self.shared, &mut state);
        }
        sent
    }

    /// How many connections are kept.
    pub fn kept(&self) -> usize {
        self.shared.state.lock().kept.len()
    }
}

impl Shared {
    fn start(shared: &Arc<Shared>, state: &mut State) {
        let own = shared.clone();
        let spawned =
            std::thread::Builder::new().name("migrate".to_owned()).stack_size(STACK).spawn(move || own.work_off());
        state.threads += usize::from(spawned.is_ok());
    }

    fn work_off(&self) {
        let mut state = self.state.lock();
        loop {
            if let Some(job) = state.jobs.pop_front() {
                drop(state);
                job(self);
                state = self.state.lock();
                continue;
            }
            let now = Instant::now();
            state.kept.retain(|_, kept| now.duration_since(kept.used) < KEPT_FOR);
            let next = state.kept.values().map(|kept| kept.used + KEPT_FOR).min().unwrap_or(now + KEPT_FOR);
            state.idle += 1;
            let timed_out = self.work.wait_until(&mut state, next).timed_out();
            state.idle -= 1;
            if timed_out && state.jobs.is_empty() {
                let now = Instant::now();
                state.kept.retain(|_, kept| now.duration_since(kept.used) < KEPT_FOR);
                if state.kept.is_empty() || state.idle > 0 {
                    state.threads -= 1;
                    return;
                }
            }
        }
    }

    fn send(&self, order: Order) -> Sent {
        let mut delivery = Delivery::new(order);
        loop {
            let mut kept = match self.connection(&delivery.order) {
                Ok(kept) => kept,
                Err(e) => return delivery.failed(e),
            };
            match kept.talk(&mut delivery) {
                Ok(Delivered { sent, db }) => {
                    kept.db = db;
                    self.keep(&delivery.order, kept);
                    return sent;
                }
                // The connection is dropped.
                Err(how) => {
                    if let Some(sent) = delivery.lost(how) {
                        return sent;
                    }
                }
            }
        }
    }

    fn connection(&self, order: &Order) -> Result<Kept, resp::error::Error> {
        if let Some(kept) = self.state.lock().kept.remove(&target(order))
            && kept.client.stream().set_timeouts(Some(order.timeout), Some(order.timeout)).is_ok()
        {
            return Ok(kept);
        }
        let port = std::str::from_utf8(&order.port).ok().and_then(|port| port.parse().ok()).unwrap_or(0);
        let address = Address::tcp(String::from_utf8_lossy(&order.host), port);
        let options = Options {
            connect_timeout: Some(order.timeout),
            read_timeout: Some(order.timeout),
            write_timeout: Some(order.timeout),
            ..Options::default()
        };
        match Client::connect(&address, &options) {
            Ok(client) => Ok(Kept { client, db: None, used: Instant::now() }),
            // The peers notice a refusal only when they write.
            Err(client::Error::Connect(e)) if e.kind() == ErrorKind::ConnectionRefused => {
                Err(error::keys::MIGRATE_WRITING)
            }
            Err(_) => Err(error::keys::MIGRATE_CONNECT),
        }
    }

    fn keep(&self, order: &Order, mut kept: Kept) {
        kept.used = Instant::now();
        let mut state = self.state.lock();
        if state.kept.len() >= MOST_KEPT
            && let Some(oldest) = state.kept.iter().min_by_key(|(_, kept)| kept.used).map(|(target, _)| target.clone())
        {
            state.kept.remove(&oldest);
        }
        state.kept.insert(target(order), kept);
    }
}

fn target(order: &Order) -> Target {
    (order.host.clone(), order.port.clone(), order.auth.clone())
}

impl Kept {
    /// Says everything and reads the answers.
    fn talk(&mut self, delivery: &mut Delivery) -> Result<Delivered, Lost> {
        delivery.begin(self.db).into_iter().for_each(|words| self.client.queue_raw(words));
        self.client.flush().map_err(|e| lost(&e, Way::Writing))?;
        loop {
            let reply = self.client.reply().map_err(|e| lost(&e, Way::Reading))?;
            if let Some(delivered) = delivery.answered(reply) {
                return Ok(delivered);
            }
        }
    }
}

fn lost(error: &client::Error, way: Way) -> Lost {
    if matches!(error, client::Error::TimedOut) { Lost::TimedOut(way) } else { Lost::Broken(way) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resp::encode;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    fn order(port: u16, keys: usize) -> Order {
        let mut restores = Vec::new();
        for _ in 0..keys {
            encode::command(&mut restores, &[b"RESTORE" as &[u8], b"k", b"0", b"payload"]);
        }
        Order {
            host: b"127.0.0.1".to_vec(),
            port: port.to_string().into_bytes(),
            timeout: Duration::from_millis(500),
            auth: Vec::new(),
            db: 9,
            requests: restores,
            keys,
        }
    }

    /// A target that answers each connection's first bytes with the next text, then closes if it is told so.
    fn target(answers: Vec<(&'static str, bool)>) -> (u16, std::thread::JoinHandle<Vec<String>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let mut heard = Vec::new();
            let mut open = None;
            for (answer, close) in answers {
                let mut socket = open.take().unwrap_or_else(|| listener.accept().unwrap().0);
                let mut buf = [0; 4096];
                let n = socket.read(&mut buf).unwrap();
                heard.push(String::from_utf8_lossy(&buf[..n]).into_owned());
                socket.write_all(answer.as_bytes()).unwrap();
                if !close {
                    open = Some(socket);
                }
            }
            heard
        });
        (port, thread)
    }

    #[test]
    fn a_connection_is_kept_and_its_database_remembered() {
        let (port, thread) = target(vec![("+OK\r\n+OK\r\n", false), ("+OK\r\n", false)]);
        let migrator = Migrator::default();
        for _ in 0..2 {
            let sent = migrator.send(order(port, 1));
            assert_eq!((sent.acknowledged, sent.result), (vec![true], Ok(())));
            assert_eq!(migrator.kept(), 1);
        }
        let heard = thread.join().unwrap();
        assert!(heard[0].starts_with("*2\r\n$6\r\nSELECT\r\n$1\r\n9\r\n*4"));
        assert!(heard[1].starts_with("*4\r\n$7\r\nRESTORE"));
    }

    #[test]
    fn a_kept_connection_that_was_closed_is_replaced() {
        let (port, thread) = target(vec![("+OK\r\n+OK\r\n", true), ("+OK\r\n+OK\r\n", false)]);
        let migrator = Migrator::default();
        for _ in 0..2 {
            assert_eq!(migrator.send(order(port, 1)).result, Ok(()));
        }
        assert!(thread.join().unwrap()[1].starts_with("*2\r\n$6\r\nSELECT"));
    }

    #[test]
    fn what_was_acknowledged_before_the_end_is_told() {
        let (port, thread) = target(vec![("+OK\r\n+OK\r\n-BUSYKEY there\r\n+OK\r\n", true)]);
        let sent = Migrator::default().send(order(port, 4));
        assert_eq!(sent.acknowledged, [true, false, true]);
        assert_eq!(sent.result, Err(error::keys::migrate_target(b"BUSYKEY there")));
        thread.join().unwrap();
    }

    #[test]
    fn the_wrong_database_acknowledges_nothing() {
        let (port, thread) = target(vec![("-ERR DB index is out of range\r\n+OK\r\n", true)]);
        let sent = Migrator::default().send(order(port, 1));
        assert_eq!(sent.acknowledged, [false]);
        assert_eq!(sent.result, Err(error::keys::migrate_target(b"ERR DB index is out of range")));
        thread.join().unwrap();
    }

    #[test]
    fn silence_is_not_tried_again() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut order = order(listener.local_addr().unwrap().port(), 1);
        order.timeout = Duration::from_millis(20);
        let migrator = Migrator::default();
        let sent = migrator.send(order.clone());
        assert_eq!((sent.acknowledged.len(), sent.result), (0, Err(error::keys::MIGRATE_READING)));
        assert_eq!(migrator.kept(), 0);
        drop(listener);
        assert_eq!(migrator.send(order.clone()).result, Err(error::keys::MIGRATE_WRITING));
        order.host = b"no such host".to_vec();
        assert_eq!(migrator.send(order.clone()).result, Err(error::keys::MIGRATE_CONNECT));
    }
}
