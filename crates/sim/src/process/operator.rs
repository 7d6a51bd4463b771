//! The operator of a cluster: creates it, moves slots about, asks for failovers, and mends what is left half done.
//!
//! ```text
//!   create: layout ─► steps ─► all know all, all is well            plans and repairs are those of crate cluster-admin;
//!   every now and then: a picture ─► a move, or a failover          this is what its manager is in the real program
//!   something went wrong, or all faults are over: a picture ─► fix
//! ```
//!
//! It has connections like any client, so a partition may leave it in the middle of a move. Then it does as a user would:
//! looks again, and lets the repair decide.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use cluster_admin::create::Layout;
use cluster_admin::fix::{self, Act};
use cluster_admin::{Node, NodeId, Picture, Slot, Step, check};
use resp::Value;

use super::script::{Gone, Hand};
use super::server::{PORT, address};
use crate::random::Random;
use crate::world::{Micros, Pid};

/// How long an answer may take.
const PATIENCE: Micros = 2_500_000;
/// What MIGRATE is given, in ms.
const MIGRATE_MS: u64 = 2_000;
/// Keys of one MIGRATE.
const BATCH: usize = 4;

/// What it does of its own accord, and how often in proportion.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Chores {
    /// Moves slots to another primary.
    pub reshard: u64,
    /// `CLUSTER FAILOVER`.
    pub failover: u64,
    /// `CLUSTER FAILOVER FORCE`.
    pub force: u64,
}

/// What the operator and the universe tell each other.
#[derive(Default)]
pub struct Bench {
    /// The cluster is made, and all is well.
    pub formed: bool,
    /// All faults are over: nothing is to be begun, and everything to be mended.
    pub mends: bool,
    /// There is nothing left to mend.
    pub clean: bool,
    /// Whom it has asked to take over by force, and when.
    pub forced: BTreeMap<Pid, Micros>,
    /// How many slots it has moved.
    pub moved: usize,
    /// How many slots it has mended.
    pub mended: usize,
}

/// Who it is, and what it has.
pub struct Operator {
    /// The nodes.
    pub nodes: Vec<Pid>,
    /// Replicas of each primary.
    pub replicas: usize,
    /// Slots worth moving.
    pub slots: Vec<Slot>,
    /// What it does.
    pub chores: Chores,
    /// How long it rests between two chores, on average.
    pub rest: Micros,
    /// Chance.
    pub random: Random,
    /// What it tells.
    pub bench: Rc<RefCell<Bench>>,
}

/// Why a step came to no end.
#[derive(Debug)]
enum Halt {
    Gone,
    Refused(String),
}

impl From<Gone> for Halt {
    fn from(_: Gone) -> Self {
        Halt::Gone
    }
}

type Who = BTreeMap<NodeId, Pid>;

impl Operator {
    /// What it does all day.
    pub async fn work(mut self, hand: Hand) {
        while let Err(halt) = self.create(&hand).await {
            hand.note(format!("the cluster cannot be made yet: {halt:?}"));
            hand.sleep(200_000).await;
        }
        self.bench.borrow_mut().formed = true;
        let mut trouble = false;
        loop {
            if self.bench.borrow().mends {
                match self.mend(&hand).await {
                    Ok(true) => self.bench.borrow_mut().clean = true,
                    Ok(false) => self.bench.borrow_mut().clean = false,
                    Err(halt) => {
                        self.bench.borrow_mut().clean = false;
                        hand.note(format!("cannot mend yet: {halt:?}"));
                    }
                }
                hand.sleep(500_000).await;
                continue;
            }
            hand.sleep(self.random.between(1, 2 * self.rest)).await;
            let done = match trouble && self.random.chance(700) {
                true => self.mend(&hand).await.map(|clean| trouble = !clean),
                false => self.chore(&hand).await,
            };
            if let Err(halt) = done {
                hand.note(format!("a chore was not done: {halt:?}"));
                trouble = true;
            }
        }
    }

    async fn tell<S: AsRef<[u8]> + Clone>(&self, hand: &Hand, to: Pid, words: &[S]) -> Result<Value, Halt> {
        match hand.call(to, words, PATIENCE).await? {
            Value::Error(text) => Err(Halt::Refused(String::from_utf8_lossy(&text).into_owned())),
            value => Ok(value),
        }
    }

    async fn create(&mut self, hand: &Hand) -> Result<(), Halt> {
        let mut nodes = Vec::new();
        let mut who = Who::new();
        for pid in &self.nodes {
            let id = self.tell(hand, *pid, &["CLUSTER", "MYID"]).await?;
            let id = NodeId::new(id.as_str().unwrap_or_default());
            who.insert(id.clone(), *pid);
            nodes.push(Node::new(id, &address(*pid).to_string(), PORT));
        }
        let plan = Layout::of(&nodes, self.replicas, self.random.bits()).plan(&nodes);
        let picture = Picture::new(nodes);
        let (first, rest): (Vec<_>, Vec<_>) =
            plan.steps.iter().partition(|step| !matches!(step, Step::Replicate { .. }));
        for step in first {
            match self.execute(hand, &who, &picture, step).await {
                // It was done by an attempt that did not come to its end.
                Err(Halt::Refused(text)) if text.contains("is already busy") => {}
                other => other?,
            }
        }
        self.until(hand, |info| info.contains(&format!("cluster_known_nodes:{}\r\n", self.nodes.len()))).await?;
        for step in rest {
            self.execute(hand, &who, &picture, step).await?;
        }
        self.until(hand, |info| info.contains("cluster_state:ok")).await
    }

    /// Waits until every node says something of itself.
    async fn until(&self, hand: &Hand, is_so: impl Fn(&str) -> bool) -> Result<(), Halt> {
        for pid in &self.nodes {
            loop {
                let info = self.tell(hand, *pid, &["CLUSTER", "INFO"]).await?;
                if info.as_bytes().is_some_and(|text| is_so(&String::from_utf8_lossy(text))) {
                    break;
                }
                hand.sleep(100_000).await;
            }
        }
        Ok(())
    }

    /// What the nodes that answer say of themselves.
    async fn picture(&self, hand: &Hand) -> (Picture, Who) {
        let mut nodes = Vec::new();
        let mut who = Who::new();
        for pid in &self.nodes {
            let Ok(text) = self.tell(hand, *pid, &["CLUSTER", "NODES"]).await else { continue };
            let text = String::from_utf8_lossy(text.as_bytes().unwrap_or_default()).into_owned();
            let Some(mut node) = text.lines().filter(|line| line.contains("myself")).find_map(Node::parse) else {
                continue;
            };
            node.host = address(*pid).to_string();
            who.insert(node.id.clone(), *pid);
            nodes.push(node);
        }
        (Picture::new(nodes), who)
    }

    async fn chore(&mut self, hand: &Hand) -> Result<(), Halt> {
        let Chores { reshard, failover, force } = self.chores;
        let draw = self.random.below(reshard + failover + force);
        if reshard + failover + force == 0 {
            return Ok(());
        }
        if draw < reshard {
            let (picture, who) = self.picture(hand).await;
            let primaries: Vec<NodeId> = picture.primaries().map(|node| node.id.clone()).collect();
            let slot = *self.random.pick(&self.slots);
            let [owner] = picture.claimants(slot)[..] else { return Ok(()) };
            let from = owner.id.clone();
            let others: Vec<NodeId> = primaries.into_iter().filter(|id| *id != from).collect();
            if others.is_empty() {
                return Ok(());
            }
            let to = self.random.pick(&others).clone();
            hand.note(format!("moves slot {slot} from {} to {}", who[&from].0, who[&to].0));
            self.execute(hand, &who, &picture, &Step::Move { slot, from, to }).await?;
            self.bench.borrow_mut().moved += 1;
            return Ok(());
        }
        let to = *self.random.pick(&self.nodes);
        let forced = draw >= reshard + failover;
        hand.note(format!("asks {} to take over, forced: {forced}", to.0));
        let mut words = vec!["CLUSTER", "FAILOVER"];
        if forced {
            words.push("FORCE");
            self.bench.borrow_mut().forced.insert(to, hand.now());
        }
        match self.tell(hand, to, &words).await {
            Err(Halt::Refused(_)) | Ok(_) => Ok(()),
            Err(halt) => Err(halt),
        }
    }

    /// Brings what is half done to an end, if all nodes answer. True when there was nothing.
    async fn mend(&mut self, hand: &Hand) -> Result<bool, Halt> {
        let (mut picture, who) = self.picture(hand).await;
        if picture.nodes.len() < self.nodes.len() {
            return Err(Halt::Gone);
        }
        let mut slots: Vec<Slot> = check::open_slots(&picture).into_keys().collect();
        slots.extend(check::uncovered(&picture).iter());
        slots.extend(self.slots.iter().copied());
        slots.sort_unstable();
        slots.dedup();
        let primaries: Vec<NodeId> = picture.primaries().map(|node| node.id.clone()).collect();
        for id in &primaries {
            for slot in &slots {
                let words = ["CLUSTER".to_owned(), "COUNTKEYSINSLOT".to_owned(), slot.to_string()];
                let count = self.tell(hand, who[id], &words).await?.as_int().unwrap_or(0);
                picture.set_keys(*slot, id, u64::try_from(count).unwrap_or(0));
            }
        }
        let mut is_clean = true;
        for slot in check::open_slots(&picture).into_keys() {
            is_clean = false;
            let repair = fix::open_slot(&picture, slot);
            self.repair(hand, &who, &mut picture, repair).await?;
        }
        let coverage = fix::coverage(&picture).unwrap_or_default();
        for repair in coverage.nowhere.into_iter().chain(coverage.single).chain(coverage.several) {
            is_clean = false;
            self.repair(hand, &who, &mut picture, repair).await?;
        }
        for slot in slots {
            let repair = fix::several_owners(&picture, slot);
            if repair.steps().next().is_some() {
                is_clean = false;
                self.repair(hand, &who, &mut picture, repair).await?;
            }
        }
        Ok(is_clean)
    }

    async fn repair(&mut self, hand: &Hand, who: &Who, picture: &mut Picture, repair: fix::Repair) -> Result<(), Halt> {
        self.bench.borrow_mut().mended += 1;
        for act in repair.acts {
            match act {
                Act::Note(note) => hand.note(format!("{note:?}")),
                Act::Step(step) => {
                    self.execute(hand, who, picture, &step).await?;
                    picture.apply(&step);
                }
            }
        }
        Ok(())
    }

    /// A step as commands.
    async fn execute(&self, hand: &Hand, who: &Who, picture: &Picture, step: &Step) -> Result<(), Halt> {
        let at = |id: &NodeId| who.get(id).copied().ok_or(Halt::Gone);
        let text = |slot: &Slot| slot.to_string();
        match step {
            Step::Move { slot, from, to } => self.move_slot(hand, who, picture, *slot, from, to).await,
            Step::MoveKeys { slot, from, to } => self.move_keys(hand, *slot, at(from)?, at(to)?).await,
            Step::Assign { slot, at: node, owner } => {
                harmless(self.set_slot(hand, at(node)?, *slot, "NODE", Some(owner)).await)
            }
            Step::Import { slot, at: node, from } => {
                self.set_slot(hand, at(node)?, *slot, "IMPORTING", Some(from)).await
            }
            Step::Close { slot, at: node } => self.set_slot(hand, at(node)?, *slot, "STABLE", None).await,
            Step::Drop { slot, at: node } => {
                match self.tell(hand, at(node)?, &["CLUSTER".to_owned(), "DELSLOTS".to_owned(), text(slot)]).await {
                    Err(Halt::Gone) => Err(Halt::Gone),
                    _ => Ok(()),
                }
            }
            Step::Claim { slot, at: node, close } => {
                let (node, slot) = (at(node)?, text(slot));
                let mut all =
                    vec![vec!["MULTI"], vec!["CLUSTER", "DELSLOTS", &slot], vec!["CLUSTER", "ADDSLOTS", &slot]];
                if *close {
                    all.push(vec!["CLUSTER", "SETSLOT", &slot, "STABLE"]);
                }
                all.extend([vec!["CLUSTER", "BUMPEPOCH"], vec!["EXEC"]]);
                let (replies, _) = hand.calls(node, &all, PATIENCE).await?;
                let added = replies.last().and_then(Value::as_array).and_then(|replies| replies.get(1));
                match added.map(Value::as_error) {
                    Some(None) => Ok(()),
                    _ => Err(Halt::Refused(format!("{replies:?}"))),
                }
            }
            Step::Take { first, last, at: node } => {
                let words = ["CLUSTER".to_owned(), "ADDSLOTSRANGE".to_owned(), text(first), text(last)];
                self.tell(hand, at(node)?, &words).await.map(|_| ())
            }
            Step::Epoch { at: node, epoch } => {
                // A node that has an epoch already keeps it.
                let words = ["CLUSTER".to_owned(), "SET-CONFIG-EPOCH".to_owned(), epoch.to_string()];
                match self.tell(hand, at(node)?, &words).await {
                    Err(Halt::Gone) => Err(Halt::Gone),
                    _ => Ok(()),
                }
            }
            Step::Meet { at: node, with } => {
                let words = ["CLUSTER".to_owned(), "MEET".to_owned(), address(at(with)?).to_string(), PORT.to_string()];
                self.tell(hand, at(node)?, &words).await.map(|_| ())
            }
            Step::Replicate { at: node, primary } => {
                self.tell(hand, at(node)?, &["CLUSTER", "REPLICATE", primary.as_str()]).await.map(|_| ())
            }
            Step::Forget { at: node, node: other } => {
                self.tell(hand, at(node)?, &["CLUSTER", "FORGET", other.as_str()]).await.map(|_| ())
            }
            Step::Reset { at: node } => self.tell(hand, at(node)?, &["CLUSTER", "RESET", "SOFT"]).await.map(|_| ()),
        }
    }

    async fn set_slot(&self, hand: &Hand, at: Pid, slot: Slot, state: &str, node: Option<&NodeId>) -> Result<(), Halt> {
        let mut words = vec!["CLUSTER".to_owned(), "SETSLOT".to_owned(), slot.to_string(), state.to_owned()];
        words.extend(node.map(|node| node.as_str().to_owned()));
        self.tell(hand, at, &words).await.map(|_| ())
    }

    /// The classic protocol.
    async fn move_slot(
        &self,
        hand: &Hand,
        who: &Who,
        picture: &Picture,
        slot: Slot,
        from: &NodeId,
        to: &NodeId,
    ) -> Result<(), Halt> {
        let (source, target) = (*who.get(from).ok_or(Halt::Gone)?, *who.get(to).ok_or(Halt::Gone)?);
        self.set_slot(hand, target, slot, "IMPORTING", Some(from)).await?;
        self.set_slot(hand, source, slot, "MIGRATING", Some(to)).await?;
        self.move_keys(hand, slot, source, target).await?;
        self.set_slot(hand, target, slot, "NODE", Some(to)).await?;
        let others = picture.primaries().map(|node| &node.id).filter(|id| *id != from && *id != to);
        for id in std::iter::once(from).chain(others) {
            harmless(self.set_slot(hand, *who.get(id).ok_or(Halt::Gone)?, slot, "NODE", Some(to)).await)?;
        }
        Ok(())
    }

    async fn move_keys(&self, hand: &Hand, slot: Slot, from: Pid, to: Pid) -> Result<(), Halt> {
        loop {
            let words = ["CLUSTER".to_owned(), "GETKEYSINSLOT".to_owned(), slot.to_string(), BATCH.to_string()];
            let keys = self.tell(hand, from, &words).await?;
            let keys: Vec<String> =
                keys.as_array().unwrap_or_default().iter().filter_map(|key| key.as_str().map(str::to_owned)).collect();
            if keys.is_empty() {
                return Ok(());
            }
            match self.migrate(hand, from, to, &keys, false).await {
                // The source's copy is the one that was served.
                Err(Halt::Refused(text)) if text.contains("BUSYKEY") => {
                    hand.note(format!("replaces {keys:?} at {}", to.0));
                    self.migrate(hand, from, to, &keys, true).await?;
                }
                other => other?,
            }
        }
    }

    async fn migrate(&self, hand: &Hand, from: Pid, to: Pid, keys: &[String], replaces: bool) -> Result<(), Halt> {
        let mut words = vec!["MIGRATE".to_owned(), address(to).to_string(), PORT.to_string(), String::new()];
        words.extend(["0".to_owned(), MIGRATE_MS.to_string()]);
        words.extend(replaces.then(|| "REPLACE".to_owned()));
        words.push("KEYS".to_owned());
        words.extend(keys.iter().cloned());
        match hand.call(from, &words, 2 * PATIENCE).await? {
            Value::Error(text) => Err(Halt::Refused(String::from_utf8_lossy(&text).into_owned())),
            _ => Ok(()),
        }
    }
}

/// What a node may answer to `SETSLOT … NODE` when it has just lost its last slot, or its replicas did.
fn harmless(done: Result<(), Halt>) -> Result<(), Halt> {
    match done {
        Err(Halt::Refused(text))
            if ["ERR Please use SETSLOT only with", "UNBLOCKED", "NOREPLICAS"]
                .iter()
                .any(|harmless| text.starts_with(harmless)) =>
        {
            Ok(())
        }
        other => other,
    }
}
