//! What is said to the target of a MIGRATE, and what its answers mean.
//!
//! ```text
//!   connection ─► AUTH? SELECT? RESTORE … RESTORE ─► a reply each ─► Sent: which keys the target has, what the client is told
//!        ▲                                             └ lost before the first RESTORE's reply: once more, with a fresh one
//!        └──────────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! A kept connection may have been closed by the target meanwhile, which shows only when it is used: a failure before the
//! first reply is tried once more with a fresh one, unless it was the time that ran out. From the first reply on nothing is
//! repeated: what the target has acknowledged is gone here.

use resp::encode;
use resp::error;
use resp::value::Value;

use crate::migrate::{Order, Sent};

/// When a connection came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// Before everything was said.
    Writing,
    /// Before everything was answered.
    Reading,
}

/// How a connection came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lost {
    /// Nothing has happened for too long.
    TimedOut(Way),
    /// It is closed.
    Broken(Way),
}

/// The target has answered everything.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// How it went.
    pub sent: Sent,
    /// The database that is selected there now, if that is known.
    pub db: Option<i64>,
}

/// See the head of this file.
#[derive(Debug)]
pub struct Delivery {
    /// What is to be said.
    pub order: Order,
    select: Vec<u8>,
    /// Replies that are awaited before those to the keys.
    preface: usize,
    acknowledged: Vec<bool>,
    /// The first error.
    refusal: Option<Vec<u8>>,
    /// With the wrong user or in the wrong database no answer to a RESTORE means what it says.
    is_valid: bool,
    may_retry: bool,
}

impl Delivery {
    /// The delivery of this order, to which no connection has been made.
    pub fn new(order: Order) -> Self {
        Delivery {
            acknowledged: Vec::with_capacity(order.keys),
            order,
            select: Vec::new(),
            preface: 0,
            refusal: None,
            is_valid: true,
            may_retry: true,
        }
    }

    /// A connection stands, on which this database is selected, if that is known: all that is to be said there, in order.
    pub fn begin(&mut self, selected: Option<i64>) -> [&[u8]; 3] {
        self.select.clear();
        if selected != Some(self.order.db) {
            encode::command(&mut self.select, &[b"SELECT", self.order.db.to_string().as_bytes()]);
        }
        self.preface = usize::from(!self.order.auth.is_empty()) + usize::from(!self.select.is_empty());
        (self.refusal, self.is_valid) = (None, true);
        [&self.order.auth, &self.select, &self.order.requests]
    }

    /// Takes a reply in; `Some` when it was the last one.
    pub fn answered(&mut self, reply: Value) -> Option<Delivered> {
        // EXISTS answers with a number.
        let is_there = !matches!(reply, Value::Error(_) | Value::Integer(0));
        let refusal = if let Value::Error(text) = reply { Some(text) } else { None };
        let is_good = refusal.is_none();
        self.refusal = self.refusal.take().or(refusal);
        if self.preface > 0 {
            self.preface -= 1;
            self.is_valid &= is_good;
        } else {
            self.acknowledged.push(is_there && self.is_valid);
        }
        (self.preface == 0 && self.acknowledged.len() >= self.order.keys).then(|| self.end())
    }

    fn end(&mut self) -> Delivered {
        let acknowledged = std::mem::take(&mut self.acknowledged);
        match self.refusal.take() {
            None => Delivered { sent: Sent { acknowledged, result: Ok(()) }, db: Some(self.order.db) },
            Some(text) => {
                Delivered { sent: Sent { acknowledged, result: Err(error::keys::migrate_target(&text)) }, db: None }
            }
        }
    }

    /// The connection is of no more use. `None`: it is to be tried with another.
    pub fn lost(&mut self, how: Lost) -> Option<Sent> {
        let begun = !self.acknowledged.is_empty();
        if let Some(text) = self.refusal.take().filter(|_| begun) {
            return Some(self.failed(error::keys::migrate_target(&text)));
        }
        if !begun && matches!(how, Lost::Broken(_)) && std::mem::replace(&mut self.may_retry, false) {
            return None;
        }
        Some(self.failed(match how {
            Lost::TimedOut(Way::Writing) | Lost::Broken(Way::Writing) => error::keys::MIGRATE_WRITING,
            Lost::TimedOut(Way::Reading) | Lost::Broken(Way::Reading) => error::keys::MIGRATE_READING,
        }))
    }

    /// It ends with this error.
    pub fn failed(&mut self, why: error::Error) -> Sent {
        Sent { acknowledged: std::mem::take(&mut self.acknowledged), result: Err(why) }
    }
}
