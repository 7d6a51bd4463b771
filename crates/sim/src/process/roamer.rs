//! A client of a cluster: it goes where it is sent, and remembers what was promised.
//!
//! ```text
//!   tag ─► the node that it believes in ─► writes · SET · WAIT ─┬─ OK: promised      MOVED: believes another, again
//!                                                               ├─ ASK: there, once  anything else: another node, later
//!                                                               └─ silence: another key
//! ```
//!
//! Keys are in few slots, which the operator moves about, so that there is something in them. Every promise is about a key
//! of its own; between them stand writes of all kinds to keys that everybody shares.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use resp::Value;

use super::script::Hand;
use super::server::pid_of;
use crate::random::Random;
use crate::world::{Micros, Pid};

/// How long an answer may take.
const PATIENCE: Micros = 1_500_000;
/// How long after a refusal it tries again.
const PAUSE: Micros = 60_000;
/// How long WAIT waits, in ms.
const WAIT_MS: u64 = 300;
/// How often it follows a redirection for one key.
const REDIRECTIONS: usize = 8;

/// A write that a node has answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Kept {
    /// The key.
    pub key: String,
    /// Which of the tags it has.
    pub tag: usize,
    /// What WAIT has answered.
    pub replicas: i64,
    /// When.
    pub at: Micros,
    /// Who, and which life of it.
    pub by: (Pid, u32),
    /// Whether it was sent there by ASK.
    pub asked: bool,
}

/// What clients and the universe tell each other.
#[derive(Default)]
pub struct Board {
    /// Writes nothing any more.
    pub quiet: bool,
    /// What was promised since somebody has asked.
    pub promises: Vec<Kept>,
}

/// Who it is, and what it has.
pub struct Roamer {
    /// Its number.
    pub number: usize,
    /// The nodes that it knows.
    pub nodes: Vec<Pid>,
    /// The tags of its keys.
    pub tags: Vec<String>,
    /// How long it thinks between writes, on average.
    pub think: Micros,
    /// Chance.
    pub random: Random,
    /// What it tells.
    pub board: Rc<RefCell<Board>>,
}

enum Next {
    Done,
    Move(Pid),
    Ask(Pid),
    Later,
}

impl Roamer {
    /// What it does all day.
    pub async fn roam(mut self, hand: Hand) {
        let mut believes: BTreeMap<usize, Pid> = BTreeMap::new();
        for written in 0u64.. {
            hand.sleep(self.random.between(1, 2 * self.think)).await;
            if self.board.borrow().quiet {
                return;
            }
            let tag = self.random.below(self.tags.len() as u64) as usize;
            let key = format!("{{{}}}:p:{}:{written}", self.tags[tag], self.number);
            let mut asking = None;
            for _ in 0..REDIRECTIONS {
                let to = asking.or(believes.get(&tag).copied()).unwrap_or_else(|| *self.random.pick(&self.nodes));
                match self.write(&hand, to, tag, &key, asking.take().is_some()).await {
                    Next::Done => break,
                    Next::Move(other) => {
                        believes.insert(tag, other);
                    }
                    Next::Ask(other) => asking = Some(other),
                    Next::Later => {
                        believes.remove(&tag);
                        hand.sleep(PAUSE).await;
                    }
                }
                if self.board.borrow().quiet {
                    return;
                }
            }
        }
    }

    /// Writes once. What nobody has answered is given up: it may be there or not.
    async fn write(&mut self, hand: &Hand, to: Pid, tag: usize, key: &str, asking: bool) -> Next {
        let mut commands: Vec<Vec<String>> = Vec::new();
        if asking {
            commands.push(vec!["ASKING".to_owned()]);
        } else {
            for _ in 0..self.random.below(3) {
                self.any(tag, &mut commands);
            }
        }
        let at = commands.len();
        commands.push(["SET", key, "v"].map(str::to_owned).to_vec());
        let waits = self.random.chance(600);
        if waits {
            let replicas = self.random.between(1, 3).to_string();
            commands.push(["WAIT", &replicas, &WAIT_MS.to_string()].map(str::to_owned).to_vec());
        }
        let Ok((replies, life)) = hand.calls(to, &commands, PATIENCE).await else { return Next::Later };
        match &replies[at] {
            Value::Error(text) => redirection(text),
            _ => {
                let replicas = replies.get(at + 1).and_then(Value::as_int).unwrap_or(0);
                let key = key.to_owned();
                let kept = Kept { key, tag, replicas, at: hand.now(), by: (to, life), asked: asking };
                self.board.borrow_mut().promises.push(kept);
                Next::Done
            }
        }
    }

    /// A command on keys that all clients share.
    fn any(&mut self, tag: usize, commands: &mut Vec<Vec<String>>) {
        let n = self.random.below(3);
        let key = |kind: &str| format!("{{{}}}:{kind}:{n}", self.tags[tag]);
        let value = self.random.clone().below(1000).to_string();
        let words = match self.random.below(10) {
            0 => vec!["INCR".to_owned(), key("n")],
            1 => vec!["RPUSH".to_owned(), key("l"), value],
            2 => vec!["LPOP".to_owned(), key("l")],
            3 => vec!["SADD".to_owned(), key("t"), value, "x".to_owned(), "y".to_owned()],
            4 => vec!["SPOP".to_owned(), key("t")],
            5 => vec!["SET".to_owned(), key("s"), value, "PX".to_owned(), "700".to_owned()],
            6 => vec!["HINCRBYFLOAT".to_owned(), key("h"), "f".to_owned(), "0.5".to_owned()],
            7 => vec!["ZADD".to_owned(), key("z"), value, "m".to_owned()],
            8 => vec!["MSET".to_owned(), key("s"), value.clone(), key("u"), value],
            _ => vec!["DEL".to_owned(), key("s"), key("u")],
        };
        commands.push(words);
    }
}

/// `MOVED 3999 10.0.0.2:6379`, `ASK …`, or anything else.
fn redirection(text: &[u8]) -> Next {
    let text = String::from_utf8_lossy(text);
    let mut words = text.split(' ');
    let verb = words.next();
    let place = words.nth(1).and_then(|place| place.rsplit_once(':')).and_then(|(ip, _)| ip.parse().ok());
    match (verb, place.and_then(pid_of)) {
        (Some("MOVED"), Some(pid)) => Next::Move(pid),
        (Some("ASK"), Some(pid)) => Next::Ask(pid),
        _ => Next::Later,
    }
}
