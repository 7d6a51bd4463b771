//! Steps as commands.

use std::thread;
use std::time::{Duration, Instant};

use cluster_admin::{NodeId, Plan, Slot, Step};

use super::FAILED;
use super::cluster::{Cluster, Refusal, refused};
use crate::failure::Failure;

/// What a node may answer to `SETSLOT … NODE` when it has just lost its last slot and turned into a replica of the new owner, or
/// its replicas did. The cluster tells it the rest.
const HARMLESS: [&str; 4] = [
    "ERR Please use SETSLOT only with masters.",
    "ERR Please use SETSLOT only with primaries.",
    "UNBLOCKED",
    "NOREPLICAS",
];

/// For how long a new replica may not have heard of its primary.
const INTRODUCTION: Duration = Duration::from_secs(10);

/// Why a step came to no end.
#[derive(Debug)]
pub enum Halt {
    Failure(Failure),
    /// A node refused; nobody has told.
    Refused {
        place: String,
        text: String,
    },
    /// The same, and it was told.
    Told(String),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Halt::Failure(failure)
    }
}

/// Whether moves are shown: a line for each slot, a dot for each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    Loud,
    Quiet,
}

impl Cluster<'_> {
    /// Does one step and notes what it made of the picture.
    pub fn execute(&mut self, step: &Step, voice: Voice) -> Result<(), Halt> {
        match step {
            Step::Move { slot, from, to } => self.move_slot(*slot, from, to, voice)?,
            Step::MoveKeys { slot, from, to } => self.carry(*slot, from, to, voice)?,
            Step::Assign { slot, at, owner } => match self.set_slot(at, *slot, "NODE", Some(owner)) {
                Err(Halt::Refused { text, .. }) if is_harmless(&text) => (),
                other => other?,
            },
            Step::Import { slot, at, from } => self.set_slot(at, *slot, "IMPORTING", Some(from))?,
            Step::Close { slot, at } => self.set_slot(at, *slot, "STABLE", None)?,
            Step::Drop { slot, at } => {
                if let Err(halt) = self.tell(at, &["CLUSTER", "DELSLOTS", &slot.to_string()])
                    && self.is_served(at, *slot)
                {
                    return Err(halt);
                }
            }
            Step::Claim { slot, at, close } => self.claim(*slot, at, *close)?,
            Step::Take { first, last, at } => {
                let mut words = vec!["CLUSTER".to_owned(), "ADDSLOTS".to_owned()];
                words.extend((first.number()..=last.number()).map(|slot| slot.to_string()));
                self.tell(at, &words)?;
            }
            Step::Epoch { at, epoch } => {
                // A node that has an epoch already keeps it; that is no reason to stop.
                let _ = self.ask(at, &["CLUSTER", "SET-CONFIG-EPOCH", &epoch.to_string()]);
            }
            Step::Meet { at, with } => self.introduce(at, with)?,
            Step::Replicate { at, primary } => self.replicate(at, primary)?,
            Step::Forget { at, node } => match self.tell(at, &["CLUSTER", "FORGET", node.as_str()]) {
                // Who has forgotten already is as good.
                Err(Halt::Refused { text, .. }) if text.contains("Unknown node") => (),
                other => other?,
            },
            Step::Reset { at } => self.tell(at, &["CLUSTER", "RESET", "SOFT"])?,
        }
        self.picture.apply(step);
        Ok(())
    }

    /// Does all of a plan, telling what it is about. Once nodes have met, the rest waits until they agree.
    pub fn execute_all(&mut self, plan: &Plan) -> Result<(), Failure> {
        let mut chapter = "";
        for step in &plan.steps {
            let (next, line) = match step {
                Step::Take { .. } => ("slots", None),
                Step::Epoch { .. } => ("epochs", Some(">>> Assign a different config epoch to each node\n")),
                Step::Meet { .. } => ("meet", Some(">>> Sending CLUSTER MEET messages to join the cluster\n")),
                _ => ("rest", None),
            };
            if next != chapter {
                if chapter == "slots" {
                    self.manager.info(">>> Nodes configuration updated\n")?;
                }
                if chapter == "meet" {
                    self.wait_for_agreement()?;
                }
                if let Some(line) = line {
                    self.manager.info(line)?;
                }
                chapter = next;
            }
            let done = self.execute(step, Voice::Loud);
            self.or_tell(done)?;
        }
        if chapter == "meet" {
            self.wait_for_agreement()?;
        }
        Ok(())
    }

    /// An interrupted step is told and ends the subcommand.
    pub fn or_tell(&self, result: Result<(), Halt>) -> Result<(), Failure> {
        result.or_else(|halt| match halt {
            Halt::Failure(failure) => Err(failure),
            Halt::Refused { place, text } => self.manager.fail(&refused(&place, &text)),
            Halt::Told(_) => Err(FAILED),
        })
    }

    /// A command of which only the success counts.
    pub fn tell<S: AsRef<[u8]>>(&mut self, at: &NodeId, words: &[S]) -> Result<(), Halt> {
        let place = self.address(at);
        self.ask(at, words).map(|_| ()).map_err(|refusal| Halt::Refused { place, text: refusal.text().to_owned() })
    }

    pub fn set_slot(&mut self, at: &NodeId, slot: Slot, state: &str, node: Option<&NodeId>) -> Result<(), Halt> {
        let mut words = vec!["CLUSTER".to_owned(), "SETSLOT".to_owned(), slot.to_string(), state.to_owned()];
        words.extend(node.map(|node| node.as_str().to_owned()));
        self.tell(at, &words)
    }

    /// The classic protocol. The new owner is told first: if it were told last and died before, nobody would own the slot.
    fn move_slot(&mut self, slot: Slot, from: &NodeId, to: &NodeId, voice: Voice) -> Result<(), Halt> {
        self.show_move(slot, from, to, voice)?;
        self.set_slot(to, slot, "IMPORTING", Some(from))?;
        self.set_slot(from, slot, "MIGRATING", Some(to))?;
        let moved = self.move_keys(slot, from, to, voice);
        if voice == Voice::Loud {
            self.manager.print("\n")?;
        }
        moved?;
        self.set_slot(to, slot, "NODE", Some(to))?;
        let others = self.picture.reachable_primaries().map(|node| node.id.clone());
        let others: Vec<NodeId> = others.filter(|id| id != from && id != to).collect();
        for id in std::iter::once(from).chain(&others) {
            match self.set_slot(id, slot, "NODE", Some(to)) {
                Err(Halt::Refused { text, .. }) if is_harmless(&text) => (),
                other => other?,
            }
        }
        Ok(())
    }

    /// Keys alone.
    fn carry(&mut self, slot: Slot, from: &NodeId, to: &NodeId, voice: Voice) -> Result<(), Halt> {
        self.show_move(slot, from, to, voice)?;
        let moved = self.move_keys(slot, from, to, voice);
        if voice == Voice::Loud {
            self.manager.print("\n")?;
        }
        moved
    }

    fn show_move(&self, slot: Slot, from: &NodeId, to: &NodeId, voice: Voice) -> Result<(), Failure> {
        if voice == Voice::Quiet {
            return Ok(());
        }
        let colon = if self.manager.words.is_redis { ": " } else { "" };
        self.manager.print(&format!("Moving slot {slot} from {} to {}{colon}", self.address(from), self.address(to)))
    }

    fn claim(&mut self, slot: Slot, at: &NodeId, close: bool) -> Result<(), Halt> {
        let slot = slot.to_string();
        let close: &[&str] = if close { &["CLUSTER", "SETSLOT", &slot, "STABLE"] } else { &[] };
        self.tell(at, &["MULTI"])?;
        let drop: &[&str] = &["CLUSTER", "DELSLOTS", &slot];
        let add: &[&str] = &["CLUSTER", "ADDSLOTS", &slot];
        for words in [drop, add, close, &["CLUSTER", "BUMPEPOCH"]].into_iter().filter(|words| !words.is_empty()) {
            self.tell(at, words)?;
        }
        let place = self.address(at);
        let replies = self.ask(at, &["EXEC"]);
        let replies =
            replies.map_err(|refusal| Halt::Refused { place: place.clone(), text: refusal.text().to_owned() })?;
        // That the slot was nobody's, or that the epoch is the highest already, is no error.
        let added = replies.as_array().and_then(|replies| replies.get(1));
        match added.and_then(|reply| reply.as_error()) {
            Some(text) => Err(Halt::Refused { place, text: String::from_utf8_lossy(text).into_owned() }),
            None => Ok(()),
        }
    }

    /// Whether the node knows an owner of the slot.
    pub fn is_served(&mut self, at: &NodeId, slot: Slot) -> bool {
        let Ok(reply) = self.ask(at, &["CLUSTER", "SLOTS"]) else { return true };
        let wanted = slot.number() as i64;
        reply.as_array().unwrap_or_default().iter().filter_map(|range| range.as_array()).any(|range| {
            let bound = |at: usize| range.get(at).and_then(|value| value.as_int()).unwrap_or(-1);
            (bound(0)..=bound(1)).contains(&wanted)
        })
    }

    fn introduce(&mut self, at: &NodeId, with: &NodeId) -> Result<(), Halt> {
        let Some(node) = self.picture.node(with) else { return Ok(()) };
        let (host, port, bus_port) = (node.host.clone(), node.port, node.bus_port);
        let host = self.manager.resolve(&host)?;
        let mut words = vec!["CLUSTER".to_owned(), "MEET".to_owned(), host, port.to_string()];
        if bus_port != 0 && u32::from(bus_port) != u32::from(port) + 10_000 {
            words.push(bus_port.to_string());
        }
        self.tell(at, &words)
    }

    /// A node that has just joined may not know its primary yet.
    fn replicate(&mut self, at: &NodeId, primary: &NodeId) -> Result<(), Halt> {
        let began = Instant::now();
        loop {
            match self.ask(at, &["CLUSTER", "REPLICATE", primary.as_str()]) {
                Ok(_) => return Ok(()),
                Err(Refusal::Error(text)) if text.contains("Unknown node") && began.elapsed() < INTRODUCTION => {
                    thread::sleep(Duration::from_millis(100));
                }
                Err(refusal) => {
                    return Err(Halt::Refused { place: self.address(at), text: refusal.text().to_owned() });
                }
            }
        }
    }
}

fn is_harmless(text: &str) -> bool {
    HARMLESS.iter().any(|harmless| text.starts_with(harmless))
}
