//! A plan as a value: written down, read again, and what is left of it.
//!
//! ```text
//!   rubellite-plan 1 reshard
//!   node 07c37dfeb235213a872192d90877d0cd55635b91 127.0.0.1:7000
//!   node 67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1 127.0.0.1:7001
//!   move slots 0-1364 from 07c37dfeb235213a872192d90877d0cd55635b91 to 67ed2db8d677e59ec4a4cefb06858cf2a1a89fa1
//! ```
//!
//! The form is lines, so that a person can read it before it is done, `grep` in it, and delete a line. It tells the addresses of
//! the nodes, so that it can be gone on with when the manager that made it is gone. What is done already is not written
//! down: a new picture tells it, and tells it more truly than a record of our own could.

use std::fmt;

use crate::node::NodeId;
use crate::picture::Picture;
use crate::slots::Slot;
use crate::step::Step;

const MAGIC: &str = "rubellite-plan 1 ";

/// What is to be done, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The command that made it: `create`, `reshard`, ….
    pub name: String,
    /// Who takes part, and `host:port` of each.
    pub nodes: Vec<(NodeId, String)>,
    pub steps: Vec<Step>,
}

/// Why a text is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PlanError {
    /// The first line is another.
    NotAPlan,
    /// The number of a line, from 1, that says nothing known.
    Line(usize),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlanError::NotAPlan => write!(f, "this is no plan: it does not begin with \"{}\"", MAGIC.trim_end()),
            PlanError::Line(line) => write!(f, "line {line} is no step of a plan"),
        }
    }
}

/// Why a plan cannot be gone on with: the cluster is no longer the one it was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// A node of the plan is not in the picture.
    UnknownNode(NodeId),
    /// A node that was to give or to take slots is a replica by now.
    Replica(NodeId),
    /// The slot is neither where it was to come from nor where it was to go to.
    Elsewhere { slot: Slot, owner: NodeId },
    /// Nobody claims the slot.
    Unowned(Slot),
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Obstacle::UnknownNode(node) => write!(f, "node {node} is not in the cluster"),
            Obstacle::Replica(node) => write!(f, "node {node} is a replica by now"),
            Obstacle::Elsewhere { slot, owner } => write!(f, "slot {slot} belongs to node {owner} by now"),
            Obstacle::Unowned(slot) => write!(f, "slot {slot} belongs to nobody"),
        }
    }
}

impl Plan {
    /// A plan for the nodes of a picture.
    pub fn new(name: &str, picture: &Picture, steps: Vec<Step>) -> Self {
        let nodes = picture.nodes.iter().map(|node| (node.id.clone(), node.address())).collect();
        Plan { name: name.to_owned(), nodes, steps }
    }

    /// Reads what a plan prints. Blank lines and lines that begin with `#` say nothing.
    pub fn parse(text: &str) -> Result<Plan, PlanError> {
        let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim()));
        let (_, first) = lines.next().ok_or(PlanError::NotAPlan)?;
        let name = first.strip_prefix(MAGIC).ok_or(PlanError::NotAPlan)?;
        let mut plan = Plan { name: name.to_owned(), ..Plan::default() };
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["node", id, address] => plan.nodes.push((NodeId::new(id), (*address).to_owned())),
                ["move", "slots", range, "from", from, "to", to] => {
                    let (first, last) = range.split_once('-').ok_or(PlanError::Line(number))?;
                    let (first, last) = Slot::parse(first).zip(Slot::parse(last)).ok_or(PlanError::Line(number))?;
                    let (from, to) = (NodeId::new(from), NodeId::new(to));
                    plan.steps.extend((first.number()..=last.number()).filter_map(Slot::new).map(|slot| Step::Move {
                        slot,
                        from: from.clone(),
                        to: to.clone(),
                    }));
                }
                _ => plan.steps.push(Step::parse(line).ok_or(PlanError::Line(number))?),
            }
        }
        Ok(plan)
    }

    /// What is left to do, given what the cluster looks like now; a slot that is half moved is moved to its end. O(steps ×
    /// nodes).
    pub fn remaining(&self, picture: &Picture) -> Result<Plan, Obstacle> {
        let mut steps = Vec::new();
        for step in &self.steps {
            let node = |id: &NodeId| picture.node(id).ok_or_else(|| Obstacle::UnknownNode(id.clone()));
            match step {
                Step::Move { slot, from, to } => {
                    let (source, target) = (node(from)?, node(to)?);
                    if target.is_replica() {
                        return Err(Obstacle::Replica(to.clone()));
                    }
                    let is_open = source.migrating_to(*slot).is_some();
                    if target.slots.contains(*slot) {
                        // The new owner knows; whether the old one does is the question.
                        if !source.is_replica() && (source.slots.contains(*slot) || is_open) {
                            steps.push(Step::Assign { slot: *slot, at: from.clone(), owner: to.clone() });
                        }
                    } else if source.slots.contains(*slot) {
                        if source.is_replica() {
                            return Err(Obstacle::Replica(from.clone()));
                        }
                        steps.push(step.clone());
                    } else {
                        return Err(match picture.claimants(*slot).first() {
                            Some(owner) => Obstacle::Elsewhere { slot: *slot, owner: owner.id.clone() },
                            None => Obstacle::Unowned(*slot),
                        });
                    }
                }
                Step::Take { first, last, at } => {
                    let taken = &node(at)?.slots;
                    let lacks = |n| Slot::new(n).is_some_and(|slot| !taken.contains(slot));
                    if (first.number()..=last.number()).any(lacks) {
                        steps.push(step.clone());
                    }
                }
                Step::Epoch { at, .. } if node(at)?.config_epoch != 0 => (),
                Step::Replicate { at, primary } if node(at)?.primary.as_ref() == Some(primary) => (),
                Step::Meet { at, with } if picture.knows(at, with) => (),
                Step::Forget { node, .. } | Step::Reset { at: node } if picture.node(node).is_none() => (),
                other => steps.push(other.clone()),
            }
        }
        Ok(Plan { name: self.name.clone(), nodes: self.nodes.clone(), steps })
    }

    /// As a JSON document, for programs.
    pub fn to_json(&self) -> String {
        let nodes: Vec<String> = self
            .nodes
            .iter()
            .map(|(id, address)| format!("{{\"id\":{},\"address\":{}}}", quoted(id.as_str()), quoted(address)))
            .collect();
        let steps: Vec<String> = self.steps.iter().map(step_to_json).collect();
        format!("{{\"plan\":{},\"nodes\":[{}],\"steps\":[{}]}}", quoted(&self.name), nodes.join(","), steps.join(","))
    }
}

fn step_to_json(step: &Step) -> String {
    let (verb, pairs) = step.words();
    let mut text = format!("{{\"step\":{}", quoted(verb));
    for (role, value) in pairs {
        let is_number = matches!(role, "slot" | "first" | "last" | "epoch");
        let value = if is_number { value } else { quoted(&value) };
        text.push_str(&format!(",{}:{value}", quoted(role)));
    }
    text + "}"
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out + "\""
}

/// The lines that [`Plan::parse`] reads. Moves of slots that follow each other are one line.
impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}{}", self.name)?;
        self.nodes.iter().try_for_each(|(id, address)| writeln!(f, "node {id} {address}"))?;
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            let length = self.steps[at..].windows(2).take_while(|pair| follow(&pair[0], &pair[1])).count() + 1;
            match (step, self.steps.get(at + length - 1).and_then(Step::slot)) {
                (Step::Move { slot, from, to }, Some(last)) if length > 1 => {
                    writeln!(f, "move slots {slot}-{last} from {from} to {to}")?
                }
                _ => writeln!(f, "{step}")?,
            }
            at += length;
        }
        Ok(())
    }
}

/// Whether two steps move slots that follow each other along the same way.
fn follow(one: &Step, next: &Step) -> bool {
    match (one, next) {
        (Step::Move { slot: a, from, to }, Step::Move { slot: b, from: also_from, to: also_to }) => {
            a.number() + 1 == b.number() && from == also_from && to == also_to
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cluster, id, slot};

    fn moves(range: std::ops::Range<usize>) -> Vec<Step> {
        range.map(|n| Step::Move { slot: slot(n), from: id(0), to: id(1) }).collect()
    }

    #[test]
    fn a_plan_that_was_written_is_the_plan_that_is_read() {
        let mut steps = moves(0..10);
        steps.extend(moves(20..21));
        steps.push(Step::Close { slot: slot(3), at: id(2) });
        let plan = Plan::new("reshard", &cluster(3), steps);
        let text = plan.to_string();
        assert_eq!(text.lines().count(), 1 + 3 + 3, "{text}");
        assert_eq!(Plan::parse(&text), Ok(plan.clone()));
        assert_eq!(Plan::parse(&text.replace("move slots", "\n# as agreed\nmove slots")), Ok(plan.clone()));
        assert_eq!(Plan::parse(""), Err(PlanError::NotAPlan));
        assert_eq!(Plan::parse("rubellite-plan 2 x"), Err(PlanError::NotAPlan));
        assert_eq!(Plan::parse(&(text.clone() + "move slots 0-99999 from a to b")), Err(PlanError::Line(8)));
        assert!(plan.to_json().starts_with("{\"plan\":\"reshard\",\"nodes\":[{\"id\":\"0000"), "{}", plan.to_json());
        assert!(
            plan.to_json()
                .ends_with("{\"step\":\"close\",\"slot\":3,\"at\":\"0000000000000000000000000000000000000002\"}]}")
        );
    }

    #[test]
    fn what_is_done_is_not_done_again() {
        let mut picture = cluster(3);
        let plan = Plan::new("reshard", &picture, moves(0..10));
        assert_eq!(plan.remaining(&picture).unwrap(), plan);
        plan.steps[..4].iter().for_each(|step| picture.apply(step));
        // The fifth is in the middle: open on both sides.
        picture.node_mut(&id(0)).unwrap().migrating.push((slot(4), id(1)));
        picture.node_mut(&id(1)).unwrap().importing.push((slot(4), id(0)));
        assert_eq!(plan.remaining(&picture).unwrap().steps, plan.steps[4..]);
        // Its new owner knows already, the old one does not.
        picture.node_mut(&id(1)).unwrap().slots.insert(slot(4));
        let left = plan.remaining(&picture).unwrap().steps;
        assert_eq!(left[0], Step::Assign { slot: slot(4), at: id(0), owner: id(1) });
        left.iter().for_each(|step| picture.apply(step));
        assert_eq!(plan.remaining(&picture).unwrap().steps, []);
    }

    #[test]
    fn a_cluster_that_was_made_is_not_made_again() {
        let nodes = crate::testing::nodes(6);
        let plan = crate::create::Layout::of(&nodes, 1, 7).plan(&nodes);
        let mut picture = Picture::new(nodes);
        for (done, step) in plan.steps.iter().enumerate() {
            assert_eq!(plan.remaining(&picture).unwrap().steps, plan.steps[done..]);
            picture.apply(step);
        }
        assert_eq!(plan.remaining(&picture).unwrap().steps, []);
    }

    #[test]
    fn a_plan_for_another_cluster_is_refused() {
        let mut picture = cluster(3);
        let plan = Plan::new("reshard", &picture, moves(0..2));
        picture.apply(&Step::Move { slot: slot(1), from: id(0), to: id(2) });
        assert_eq!(plan.remaining(&picture), Err(Obstacle::Elsewhere { slot: slot(1), owner: id(2) }));
        picture.apply(&Step::Drop { slot: slot(1), at: id(2) });
        assert_eq!(plan.remaining(&picture), Err(Obstacle::Unowned(slot(1))));
        picture.apply(&Step::Replicate { at: id(1), primary: id(2) });
        assert_eq!(plan.remaining(&picture), Err(Obstacle::Replica(id(1))));
        picture.nodes.remove(1);
        assert_eq!(plan.remaining(&picture), Err(Obstacle::UnknownNode(id(1))));
    }
}
