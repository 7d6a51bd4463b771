//! Somebody who follows a script: clients of a cluster, and its operator.
//!
//! ```text
//!   script (async fn) ── call, sleep ──► Hand ──► wishes ──► connections, timers
//!        ▲                                                        │
//!        └────────── polled again ◄── answers ◄───────────────────┘
//! ```
//!
//! A script is written as what its author would do one after the other; where it waits it is a future that this process
//! polls when something has come. It has one request under way at a time. Nobody wakes anybody: each event of the process
//! polls the script until it waits for something that is not there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use resp::Value;
use resp::encode;
use resp::value::{Decoder, Limits};

use super::server::PORT;
use crate::net::{CALLER, ConnId};
use crate::world::{Micros, Pid, Universe};

/// No answer: the connection is gone, could not be made, or nobody has answered in time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gone;

/// What was answered, and by which life of the process.
pub type Answer = Result<(Vec<Value>, u32), Gone>;

/// What a script holds in its hand.
#[derive(Clone)]
pub struct Hand(Rc<RefCell<Inner>>);

#[derive(Default)]
struct Inner {
    now: Micros,
    /// A request that has not been sent.
    wish: Option<(Pid, Vec<u8>, usize, Micros)>,
    answer: Option<Answer>,
    sleeps_until: Option<Micros>,
    notes: Vec<String>,
}

impl Hand {
    /// Notes a line for who listens.
    pub fn note(&self, line: String) {
        self.0.borrow_mut().notes.push(line);
    }

    /// Sends commands at once and waits for all of their replies, at most so long.
    pub async fn calls<S: AsRef<[u8]>>(&self, to: Pid, commands: &[Vec<S>], limit: Micros) -> Answer {
        let mut bytes = Vec::new();
        commands.iter().for_each(|words| encode::command(&mut bytes, words));
        {
            let mut inner = self.0.borrow_mut();
            let until = inner.now + limit;
            inner.wish = Some((to, bytes, commands.len(), until));
        }
        poll_fn(|_| self.0.borrow_mut().answer.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Sends a command and waits for its reply, at most so long.
    pub async fn call<S: AsRef<[u8]> + Clone>(&self, to: Pid, words: &[S], limit: Micros) -> Result<Value, Gone> {
        let (mut replies, _) = self.calls(to, &[words.to_vec()], limit).await?;
        Ok(replies.remove(0))
    }

    /// Does nothing for a while.
    pub async fn sleep(&self, micros: Micros) {
        {
            let mut inner = self.0.borrow_mut();
            inner.sleeps_until = Some(inner.now + micros);
        }
        poll_fn(|_| match self.0.borrow().sleeps_until {
            Some(_) => Poll::Pending,
            None => Poll::Ready(()),
        })
        .await;
    }

    /// The time.
    pub fn now(&self) -> Micros {
        self.0.borrow().now
    }
}

/// A connection to a server.
struct Line {
    conn: ConnId,
    stands: bool,
    input: Vec<u8>,
    decoder: Decoder,
}

/// The request under way.
struct Request {
    to: Pid,
    bytes: Vec<u8>,
    expects: usize,
    replies: Vec<Value>,
    until: Micros,
}

/// See the head of this file.
pub struct ScriptProgram {
    pid: Pid,
    hand: Hand,
    script: Option<Pin<Box<dyn Future<Output = ()>>>>,
    lines: BTreeMap<Pid, Line>,
    request: Option<Request>,
}

impl ScriptProgram {
    /// A process that begins with this script.
    pub fn new<F: Future<Output = ()> + 'static>(pid: Pid, script: impl FnOnce(Hand) -> F) -> Self {
        let hand = Hand(Rc::default());
        let script: Pin<Box<dyn Future<Output = ()>>> = Box::pin(script(hand.clone()));
        hand.0.borrow_mut().sleeps_until = Some(0);
        ScriptProgram { pid, hand, script: Some(script), lines: BTreeMap::new(), request: None }
    }

    /// When it has to look at its clock.
    pub fn deadline(&self) -> Micros {
        let sleeps = self.hand.0.borrow().sleeps_until.unwrap_or(Micros::MAX);
        sleeps.min(self.request.as_ref().map_or(Micros::MAX, |request| request.until))
    }

    /// It does.
    pub fn timeout(&mut self, u: &mut Universe) {
        if self.request.as_ref().is_some_and(|request| request.until <= u.now) {
            let to = self.request.as_ref().map(|request| request.to);
            if let Some(line) = to.and_then(|to| self.lines.remove(&to)) {
                u.close(line.conn, CALLER);
            }
            self.over(Err(Gone));
        }
        self.go_on(u);
    }

    fn over(&mut self, answer: Answer) {
        self.request = None;
        self.hand.0.borrow_mut().answer = Some(answer);
    }

    /// Lets the script go on as far as it gets.
    fn go_on(&mut self, u: &mut Universe) {
        {
            let mut inner = self.hand.0.borrow_mut();
            inner.now = u.now;
            inner.sleeps_until = inner.sleeps_until.filter(|until| *until > u.now);
        }
        loop {
            let waits = {
                let inner = self.hand.0.borrow();
                inner.sleeps_until.is_some() || self.request.is_some() && inner.answer.is_none()
            };
            let Some(script) = self.script.as_mut().filter(|_| !waits) else { return };
            let ready = script.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready();
            for line in std::mem::take(&mut self.hand.0.borrow_mut().notes) {
                u.trace.say(u.now, || format!("script {}: {line}", self.pid.0));
            }
            if ready {
                self.script = None;
                return;
            }
            let wish = self.hand.0.borrow_mut().wish.take();
            if let Some((to, bytes, expects, until)) = wish {
                self.request = Some(Request { to, bytes, expects, replies: Vec::new(), until });
                self.send(u);
            }
        }
    }

    /// Sends the request, if the connection stands.
    fn send(&mut self, u: &mut Universe) {
        let Some(request) = &mut self.request else { return };
        let to = request.to;
        let line = self.lines.entry(to).or_insert_with(|| Line {
            conn: u.connect(self.pid, to, PORT),
            stands: false,
            input: Vec::new(),
            decoder: Decoder::new(Limits::default()),
        });
        if line.stands {
            u.send(line.conn, CALLER, std::mem::take(&mut request.bytes));
        }
    }

    fn line_of(&self, conn: ConnId) -> Option<Pid> {
        self.lines.iter().find(|(_, line)| line.conn == conn).map(|(to, _)| *to)
    }

    /// The connection stands.
    pub fn connected(&mut self, conn: ConnId, u: &mut Universe) {
        let Some(to) = self.line_of(conn) else { return };
        if let Some(line) = self.lines.get_mut(&to) {
            line.stands = true;
        }
        if self.request.as_ref().is_some_and(|request| request.to == to) {
            self.send(u);
        }
    }

    /// It is gone, or could not be made.
    pub fn closed(&mut self, conn: ConnId, u: &mut Universe) {
        let Some(to) = self.line_of(conn) else { return };
        self.lines.remove(&to);
        if self.request.as_ref().is_some_and(|request| request.to == to) {
            self.over(Err(Gone));
        }
        self.go_on(u);
    }

    /// Answers have come.
    pub fn received(&mut self, conn: ConnId, bytes: &[u8], u: &mut Universe) {
        let Some(to) = self.line_of(conn) else { return };
        let Some(line) = self.lines.get_mut(&to) else { return };
        line.input.extend_from_slice(bytes);
        let Some(request) = self.request.as_mut().filter(|request| request.to == to) else { return };
        while request.replies.len() < request.expects {
            match line.decoder.decode(&line.input) {
                Ok((used, reply)) => {
                    line.input.drain(..used);
                    let Some(reply) = reply else { return };
                    request.replies.push(reply);
                }
                Err(e) => panic!("a server answers with what is no reply: {e:?}"),
            }
        }
        let replies = std::mem::take(&mut request.replies);
        self.over(Ok((replies, u.net.life(conn))));
        self.go_on(u);
    }
}
