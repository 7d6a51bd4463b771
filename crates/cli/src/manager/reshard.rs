//! `--cluster reshard`: so many slots from these nodes to that one, asked for step by step or told by flags.

use std::collections::BTreeMap;

use cluster_admin::{Node, NodeId, Plan, Portion, SLOTS, Slot, SlotSet, Step};

use super::cluster::Cluster;
use super::execute::{Halt, Voice};
use super::show::node_info;
use super::{FAILED, Manager};
use crate::failure::{Failure, fatal};
use arguments::number::leading_int;

pub fn run(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words)?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    cluster.check(false)?;
    if cluster.errors > 0 {
        return Err(fatal("*** Please fix your cluster problems before resharding"));
    }
    let slots = how_many(manager)?;
    let target = cluster.ask_target()?;
    let sources = cluster.ask_sources(&target)?;
    if sources.is_empty() {
        return Err(fatal("*** No source nodes given, operation aborted."));
    }
    manager.print(&format!("\nReady to move {slots} slots.\n  Source nodes:\n"))?;
    for source in sources.iter().chain([&target]) {
        if *source == target {
            manager.print("  Destination node:\n")?;
        }
        if let Some(node) = cluster.picture.node(source) {
            manager.print(&format!("{}\n", node_info(node, &cluster.picture, 4)))?;
        }
    }
    let givers: Vec<&Node> = sources.iter().filter_map(|id| cluster.picture.node(id)).collect();
    let portions = cluster_admin::reshard(&givers, slots);
    manager.print("  Resharding plan:\n")?;
    portions.iter().try_for_each(|portion| show(manager, portion))?;
    let plan = Plan::new("reshard", &cluster.picture, moves(&portions, &target));
    if !manager.announce(&plan)? {
        return Ok(());
    }
    let question = "Do you want to proceed with the proposed reshard plan (yes/no)? ";
    if !manager.request.yes && !manager.consent(question)? {
        return Err(FAILED);
    }
    for portion in &portions {
        cluster.transfer(&portion.slots, &portion.from, &target, Voice::Loud)?;
    }
    Ok(())
}

fn how_many(manager: &Manager) -> Result<usize, Failure> {
    let mut slots = manager.request.slots;
    if slots == 0 {
        while !(1..=SLOTS as i64).contains(&slots) {
            let answer = manager.ask(&format!("How many slots do you want to move (from 1 to {SLOTS})? "))?;
            slots = leading_int(answer.as_bytes());
        }
    }
    usize::try_from(slots).map_err(|_| fatal("*** The number of slots cannot be negative"))
}

fn show(manager: &Manager, portion: &Portion) -> Result<(), Failure> {
    if manager.words.is_redis {
        let lines: String =
            portion.slots.iter().map(|slot| format!("    Moving slot {slot} from {}\n", portion.from)).collect();
        return manager.print(&lines);
    }
    let ranges: Vec<String> = ranges(&portion.slots).iter().map(|(first, last)| format!("{first}-{last}")).collect();
    manager.print(&format!("    Moving slot range {} from {}\n", ranges.join(" "), portion.from))
}

fn ranges(slots: &[Slot]) -> Vec<(Slot, Slot)> {
    slots.iter().copied().collect::<SlotSet>().ranges()
}

fn moves(portions: &[Portion], to: &NodeId) -> Vec<Step> {
    let of = |portion: &Portion| -> Vec<Step> {
        let step = |slot: &Slot| Step::Move { slot: *slot, from: portion.from.clone(), to: to.clone() };
        portion.slots.iter().map(step).collect()
    };
    portions.iter().flat_map(of).collect()
}

impl Cluster<'_> {
    fn ask_target(&mut self) -> Result<NodeId, Failure> {
        let mut named = self.manager.request.to.clone().unwrap_or_default();
        while named.is_empty() {
            named = self.manager.ask("What is the receiving node ID? ")?;
        }
        self.primary_named(&named)
    }

    /// A primary by its id.
    fn primary_named(&self, named: &str) -> Result<NodeId, Failure> {
        match self.picture.node(&NodeId::new(named)).filter(|node| !node.is_replica()) {
            Some(node) => Ok(node.id.clone()),
            None => self.manager.fail(&format!(
                "*** The specified node ({named}) is not known or not a {}, please retry.\n",
                self.manager.words.primary
            )),
        }
    }

    fn ask_sources(&mut self, target: &NodeId) -> Result<Vec<NodeId>, Failure> {
        let manager = self.manager;
        let mut sources: Vec<NodeId> = Vec::new();
        let told = manager.request.from.clone();
        let mut told_words = told.iter().flat_map(|from| from.split(',')).filter(|word| !word.is_empty());
        if told.is_none() {
            manager.print(
                "Please enter all the source node IDs.\n  Type 'all' to use all the nodes as source nodes for the hash slots.\n  \
                 Type 'done' once you entered all the source nodes IDs.\n",
            )?;
        }
        loop {
            let named = match (&told, told_words.next()) {
                (Some(_), None) => return Ok(sources),
                (Some(_), Some(word)) => word.to_owned(),
                (None, _) => manager.ask(&format!("Source node #{}: ", sources.len() + 1))?,
            };
            match named.as_str() {
                "done" if told.is_none() => return Ok(sources),
                "all" => {
                    let others = self.picture.primaries().filter(|node| node.id != *target);
                    return Ok(others.map(|node| node.id.clone()).collect());
                }
                _ => (),
            }
            let source = self.primary_named(&named)?;
            if source == *target {
                manager.error("*** It is not possible to use the target node as source node.\n")?;
            } else if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }

    /// Moves slots from one node to another, with a mark for each that has arrived.
    pub fn transfer(&mut self, slots: &[Slot], from: &NodeId, to: &NodeId, voice: Voice) -> Result<(), Failure> {
        let manager = self.manager;
        if manager.request.atomic {
            self.migrate_slots(&ranges(slots), from, to, voice)?;
            for slot in slots {
                self.picture.apply(&Step::Move { slot: *slot, from: from.clone(), to: to.clone() });
            }
            return manager.print(&"#".repeat(slots.len()));
        }
        for slot in slots {
            match self.execute(&Step::Move { slot: *slot, from: from.clone(), to: to.clone() }, voice) {
                Ok(()) => (),
                Err(Halt::Failure(failure)) => return Err(failure),
                Err(Halt::Refused { text, .. } | Halt::Told(text)) => {
                    return manager.fail(&self.move_failed(&text, voice));
                }
            }
            // Redis marks slots only where it does not show them otherwise.
            if !manager.words.is_redis || voice == Voice::Quiet {
                manager.print("#")?;
            }
        }
        Ok(())
    }

    fn move_failed(&self, text: &str, voice: Voice) -> String {
        match (self.manager.words.is_redis, voice) {
            (false, _) => format!("clusterManagerMoveSlot failed: {text}\n"),
            (true, Voice::Loud) => format!("clusterManagerMoveSlot: {text}\n"),
            (true, Voice::Quiet) => format!("*** clusterManagerMoveSlot: {text}\n"),
        }
    }

    /// Does the moves of a plan, those of one way together.
    pub fn transfer_all(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let mut ways: BTreeMap<(NodeId, NodeId), Vec<Slot>> = BTreeMap::new();
        for step in steps {
            if let Step::Move { slot, from, to } = step {
                ways.entry((from.clone(), to.clone())).or_default().push(*slot);
            }
        }
        ways.into_iter().try_for_each(|((from, to), slots)| self.transfer(&slots, &from, &to, Voice::Loud))
    }
}
