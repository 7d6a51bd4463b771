//! MIGRATE's side that talks to the target: `node::delivery` over the simulated network.
//!
//! What is a thread for each migration in the real process is a place in a list here. Connections are kept in the same way.

use std::collections::BTreeMap;

use node::delivery::{Delivery, Lost, Way};
use node::migrate::{Order, Sent};
use resp::error;
use resp::value::{Decoder, Limits};

use super::server::pid_of;
use crate::net::{CALLER, ConnId};
use crate::world::{Micros, Pid, Universe};

/// How long an unused connection is kept.
const KEPT_FOR: Micros = 10_000_000;

/// What is to be done when it is over.
pub(super) type Done = Box<dyn FnOnce(Sent) + Send>;

type Target = (Vec<u8>, Vec<u8>);

struct UnderWay {
    conn: ConnId,
    connecting: bool,
    delivery: Delivery,
    done: Done,
    input: Vec<u8>,
    decoder: Decoder,
    until: Micros,
}

struct Kept {
    conn: ConnId,
    db: Option<i64>,
    used: Micros,
}

/// See the head of this file.
#[derive(Default)]
pub(super) struct Migrator {
    under_way: Vec<UnderWay>,
    kept: BTreeMap<Target, Kept>,
}

fn target(order: &Order) -> Target {
    (order.host.clone(), order.port.clone())
}

fn patience(order: &Order) -> Micros {
    order.timeout.as_micros() as Micros
}

impl Migrator {
    /// Begins a migration.
    pub fn submit(&mut self, pid: Pid, order: Order, done: Done, u: &mut Universe) {
        self.start(pid, Delivery::new(order), done, u);
    }

    fn start(&mut self, pid: Pid, mut delivery: Delivery, done: Done, u: &mut Universe) {
        let until = u.now + patience(&delivery.order);
        let (input, decoder) = (Vec::new(), Decoder::new(Limits::default()));
        if let Some(kept) = self.kept.remove(&target(&delivery.order)) {
            say(&mut delivery, kept.conn, kept.db, u);
            let conn = kept.conn;
            self.under_way.push(UnderWay { conn, connecting: false, delivery, done, input, decoder, until });
            return;
        }
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let to = text(&delivery.order.host).parse().ok().and_then(pid_of);
        let port = text(&delivery.order.port).parse().ok();
        let Some((to, port)) = to.zip(port) else {
            return done(delivery.failed(error::keys::MIGRATE_CONNECT));
        };
        let conn = u.connect(pid, to, port);
        self.under_way.push(UnderWay { conn, connecting: true, delivery, done, input, decoder, until });
    }

    fn at(&self, conn: ConnId) -> Option<usize> {
        self.under_way.iter().position(|one| one.conn == conn)
    }

    /// A connection stands.
    pub fn connected(&mut self, conn: ConnId, u: &mut Universe) {
        let Some(at) = self.at(conn) else { return };
        let one = &mut self.under_way[at];
        one.connecting = false;
        one.until = u.now + patience(&one.delivery.order);
        say(&mut one.delivery, conn, None, u);
    }

    /// Bytes have come. False when the connection is none of these.
    pub fn received(&mut self, conn: ConnId, bytes: &[u8], u: &mut Universe) -> bool {
        let Some(at) = self.at(conn) else { return self.kept.values().any(|kept| kept.conn == conn) };
        let one = &mut self.under_way[at];
        one.input.extend_from_slice(bytes);
        one.until = u.now + patience(&one.delivery.order);
        loop {
            match one.decoder.decode(&one.input) {
                Ok((used, reply)) => {
                    one.input.drain(..used);
                    let Some(reply) = reply else { return true };
                    let Some(delivered) = one.delivery.answered(reply) else { continue };
                    let one = self.under_way.remove(at);
                    let kept = Kept { conn, db: delivered.db, used: u.now };
                    if let Some(other) = self.kept.insert(target(&one.delivery.order), kept) {
                        u.close(other.conn, CALLER);
                    }
                    (one.done)(delivered.sent);
                    return true;
                }
                Err(e) => panic!("a server answers with what is no reply: {e:?}"),
            }
        }
    }

    /// A connection is gone, or could not be made.
    pub fn closed(&mut self, pid: Pid, conn: ConnId, u: &mut Universe) {
        self.kept.retain(|_, kept| kept.conn != conn);
        let Some(at) = self.at(conn) else { return };
        let mut one = self.under_way.remove(at);
        if one.connecting {
            // The peers notice a refusal only when they write.
            return (one.done)(one.delivery.failed(error::keys::MIGRATE_WRITING));
        }
        match one.delivery.lost(Lost::Broken(Way::Reading)) {
            Some(sent) => (one.done)(sent),
            None => self.start(pid, one.delivery, one.done, u),
        }
    }

    /// When it has to look at the clock.
    pub fn deadline(&self) -> Micros {
        let under_way = self.under_way.iter().map(|one| one.until);
        under_way.chain(self.kept.values().map(|kept| kept.used + KEPT_FOR)).min().unwrap_or(Micros::MAX)
    }

    /// Looks at the clock.
    pub fn look(&mut self, u: &mut Universe) {
        let now = u.now;
        while let Some(at) = self.under_way.iter().position(|one| one.until <= now) {
            let mut one = self.under_way.remove(at);
            u.close(one.conn, CALLER);
            let sent = match one.connecting {
                true => one.delivery.failed(error::keys::MIGRATE_CONNECT),
                false => one.delivery.lost(Lost::TimedOut(Way::Reading)).expect("time that ran out is not tried again"),
            };
            (one.done)(sent);
        }
        self.kept.retain(|_, kept| {
            let stays = kept.used + KEPT_FOR > now;
            if !stays {
                u.close(kept.conn, CALLER);
            }
            stays
        });
    }
}

fn say(delivery: &mut Delivery, conn: ConnId, db: Option<i64>, u: &mut Universe) {
    let bytes = delivery.begin(db).concat();
    u.send(conn, CALLER, bytes);
}
