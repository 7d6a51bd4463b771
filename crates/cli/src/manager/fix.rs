//! `--cluster fix`: what was found to be wrong is put right, and each decision is told before it is carried out.
//!
//! Slots that nobody claims are given away only when somebody at the keyboard says yes, whatever `--cluster-yes` says: their keys may
//! be on a node that is merely away.

use cluster_admin::fix::{self, Act, Note, Repair};
use cluster_admin::{Plan, Slot, SlotSet, check};

use super::FAILED;
use super::cluster::{Cluster, refused};
use super::execute::{Halt, Voice};
use crate::failure::Failure;

impl Cluster<'_> {
    /// Checks and repairs; whether the cluster is whole then, as far as can be told.
    pub fn fix(&mut self) -> Result<bool, Failure> {
        let request = &self.manager.request;
        if request.dry_run || request.plan.is_some() {
            let is_dry = request.dry_run;
            let repairs = self.plan_repairs(is_dry)?;
            let steps = repairs.iter().flat_map(|repair| repair.steps().cloned()).collect();
            let is_whole = repairs.is_empty();
            if !self.manager.announce(&Plan::new("fix", &self.picture, steps))? {
                return Ok(is_whole || repairs.iter().all(|repair| repair.is_mended));
            }
        }
        let mut is_whole = self.check_agreement(false)?;
        let open = self.check_open_slots()?;
        if !open.is_empty() {
            self.insist_on_all_primaries("open slots")?;
            for slot in open {
                self.count_keys(&[slot])?;
                is_whole = self.mend(&fix::open_slot(&self.picture, slot))?;
                if !is_whole {
                    break;
                }
            }
        }
        if !self.check_coverage()? {
            self.insist_on_all_primaries("slots coverage")?;
            is_whole = self.cover()?;
        }
        if self.manager.request.search_owners {
            is_whole &= self.mend_contested()?;
        }
        Ok(is_whole)
    }

    /// All repairs, each planned on what those before it leave. `tells` says why as the repair itself would.
    fn plan_repairs(&mut self, tells: bool) -> Result<Vec<Repair>, Failure> {
        let open: Vec<Slot> = check::open_slots(&self.picture).into_keys().collect();
        let uncovered = check::uncovered(&self.picture);
        if !open.is_empty() || !uncovered.is_empty() {
            self.insist_on_all_primaries(if open.is_empty() { "slots coverage" } else { "open slots" })?;
        }
        let all = self.manager.request.search_owners;
        let count: Vec<Slot> =
            Slot::all().filter(|slot| all || uncovered.contains(*slot) || open.contains(slot)).collect();
        self.count_keys(&count)?;
        let mut model = self.picture.clone();
        let mut repairs = Vec::new();
        let mut add = |model: &mut cluster_admin::Picture, repair: Repair| {
            repair.steps().for_each(|step| model.apply(step));
            repairs.push(repair);
        };
        for slot in open {
            let repair = fix::open_slot(&model, slot);
            add(&mut model, repair);
        }
        let coverage = fix::coverage(&model).unwrap_or_default();
        for repair in coverage.nowhere.into_iter().chain(coverage.single).chain(coverage.several) {
            add(&mut model, repair);
        }
        for slot in Slot::all().filter(|_| all) {
            let repair = fix::several_owners(&model, slot);
            if !repair.acts.is_empty() {
                add(&mut model, repair);
            }
        }
        for act in repairs.iter().flat_map(|repair| &repair.acts).filter(|_| tells) {
            if let Act::Note(note) = act {
                self.explain(note)?;
            }
        }
        Ok(repairs)
    }

    /// Without those who do not answer nobody can tell which slots are without an owner.
    fn insist_on_all_primaries(&self, what: &str) -> Result<(), Failure> {
        let (away, words) = (self.picture.unreachable_primaries, self.manager.words);
        if away == 0 || self.manager.request.fix_unreachable {
            return Ok(());
        }
        let (tool, primaries) = (words.tool, words.primaries);
        self.manager.warn(&format!(
            "*** Fixing {what} with {away} unreachable {primaries} is dangerous: {tool} will assume that slots about \
             {primaries} that are not reachable are not covered, and will try to reassign them to the reachable nodes. This \
             can cause data loss and is rarely what you want to do. If you really want to proceed use the \
             --cluster-fix-with-unreachable-{primaries} option.\n",
        ))?;
        Err(FAILED)
    }

    /// Carries a repair out, as far as the nodes let it; whether to its end.
    fn mend(&mut self, repair: &Repair) -> Result<bool, Failure> {
        for act in &repair.acts {
            match act {
                Act::Note(note) => self.explain(note)?,
                Act::Step(step) => match self.execute(step, Voice::Loud) {
                    Ok(()) => (),
                    Err(Halt::Failure(failure)) => return Err(failure),
                    Err(Halt::Told(_)) => return Ok(false),
                    Err(Halt::Refused { place, text }) => {
                        self.manager.error(&refused(&place, &text))?;
                        return Ok(false);
                    }
                },
            }
        }
        Ok(repair.is_mended)
    }

    /// Slots that nobody claims, in three classes, each with a question. Whether any was given to somebody.
    fn cover(&mut self) -> Result<bool, Failure> {
        self.manager.info(">>> Fixing slots coverage...\n")?;
        self.count_keys(&check::uncovered(&self.picture).iter().collect::<Vec<_>>())?;
        let Some(coverage) = fix::coverage(&self.picture) else {
            self.explain(&Note::Hopeless)?;
            return Ok(false);
        };
        let classes = [
            (
                coverage.nowhere,
                "The following uncovered slots have no keys across the cluster:",
                "Fix these slots by covering with a random node?",
            ),
            (
                coverage.single,
                "The following uncovered slots have keys in just one node:",
                "Fix these slots by covering with those nodes?",
            ),
            (
                coverage.several,
                "The following uncovered slots have keys in multiple nodes:",
                "Fix these slots by moving keys into a single node?",
            ),
        ];
        let mut has_covered = false;
        for (repairs, title, question) in classes {
            if repairs.is_empty() {
                continue;
            }
            let slots: SlotSet = repairs.iter().map(|repair| repair.slot).collect();
            self.manager.print(&format!("{title}\n{slots}\n"))?;
            if self.manager.confirm(question, true)? {
                for repair in repairs {
                    if !self.mend(&repair)? {
                        return Ok(false);
                    }
                    has_covered = true;
                }
            }
        }
        Ok(has_covered)
    }

    fn mend_contested(&mut self) -> Result<bool, Failure> {
        self.manager.info(">>> Check for multiple slot owners...\n")?;
        self.count_keys(&Slot::all().collect::<Vec<_>>())?;
        for slot in Slot::all() {
            if !self.tell_contested(slot)? {
                continue;
            }
            if !self.mend(&fix::several_owners(&self.picture, slot))? {
                self.manager.error(&format!("Failed to fix multiple owners for slot {slot}\n"))?;
                return Ok(false);
            }
        }
        self.manager.good("[OK] No multiple owners found.\n")?;
        Ok(true)
    }

    fn explain(&self, note: &Note) -> Result<(), Failure> {
        let manager = self.manager;
        let addresses = |ids: &[cluster_admin::NodeId]| -> String {
            ids.iter().map(|id| self.address(id)).collect::<Vec<_>>().join(",")
        };
        let place = |id| self.address(id);
        match note {
            Note::Open(slot) => manager.info(&format!(">>> Fixing open slot {slot}\n")),
            Note::KeysOfNonOwner { slot, at } => {
                manager.warn(&format!("*** Found keys about slot {slot} in non-owner node {}!\n", place(at)))
            }
            Note::KeysAt { slot, at } => {
                manager.warn(&format!("*** Found keys about slot {slot} in node {}!\n", place(at)))
            }
            Note::MigratingAt(nodes) => manager.print(&format!("Set as migrating in: {}\n", addresses(nodes))),
            Note::ImportingAt(nodes) => manager.print(&format!("Set as importing in: {}\n", addresses(nodes))),
            Note::NoOwner => {
                manager.info(">>> No single clear owner for the slot, selecting an owner by # of keys...\n")
            }
            Note::Candidates(candidates) => {
                let counts: Vec<String> =
                    candidates.iter().map(|(id, keys)| format!("{} has {keys}", place(id))).collect();
                manager.warn(&format!(
                    "*** Keys do not decide: {}. Taken is who claims the slot, then who has the newest configuration.\n",
                    counts.join(", ")
                ))
            }
            Note::Hopeless => manager.error("[ERR] Can't select a slot owner. Impossible to fix.\n"),
            Note::Owner(node) => manager.warn(&format!("*** Configuring {} as the slot owner\n", place(node))),
            Note::Stray { slot, at } => manager
                .info(&format!(">>> Closing slot {slot} on {}, which neither owns it nor has keys of it\n", place(at))),
            Note::Finish { slot, from, to } => {
                manager.info(&format!(">>> Case 1: Moving slot {slot} from {} to {}\n", place(from), place(to)))
            }
            Note::Return { slot, owner } => {
                manager.info(&format!(">>> Case 2: Moving all the {slot} slot keys to its owner {}\n", place(owner)))
            }
            Note::Stable { slot, at } => manager.info(&format!(">>> Setting {slot} as STABLE in {}\n", place(at))),
            Note::FinishOne { slot, from, to } => manager.info(&format!(
                ">>> Case 3: Moving slot {slot} from {} to {} and closing it on all the other importing nodes.\n",
                place(from),
                place(to)
            )),
            Note::CloseAll(slot) => {
                manager.info(&format!(">>> Case 3: Closing slot {slot} on both migrating and importing nodes.\n"))
            }
            Note::CloseOne { slot, at } => manager.info(&format!(">>> Case 4: Closing slot {slot} on {}\n", place(at))),
            Note::Cover { slot, owner } => manager.info(&format!(">>> Covering slot {slot} with {}\n", place(owner))),
            Note::CoverMoving { slot, owner } => {
                manager.info(&format!(">>> Covering slot {slot} moving keys to {}\n", place(owner)))
            }
            Note::Several(slot) => manager.info(&format!(">>> Fixing multiple owners for slot {slot}...\n")),
            Note::OneOwner { slot, owner } => {
                manager.info(&format!(">>> Setting slot {slot} owner: {}\n", place(owner)))
            }
        }
    }
}
