//! What is done to a cluster, step by step.

use std::fmt;

use crate::node::NodeId;
use crate::slots::Slot;

/// One step: a few commands to one or two nodes. Each may be repeated without harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The whole protocol: open the slot on both sides, move its keys, tell the new owner, the old one, everybody.
    Move { slot: Slot, from: NodeId, to: NodeId },
    /// The keys alone, without a word about who owns the slot.
    MoveKeys { slot: Slot, from: NodeId, to: NodeId },
    /// `CLUSTER SETSLOT slot NODE owner`, said to one node.
    Assign { slot: Slot, at: NodeId, owner: NodeId },
    /// `CLUSTER SETSLOT slot IMPORTING from`.
    Import { slot: Slot, at: NodeId, from: NodeId },
    /// `CLUSTER SETSLOT slot STABLE`.
    Close { slot: Slot, at: NodeId },
    /// `CLUSTER DELSLOTS`; that it had not been assigned is as good.
    Drop { slot: Slot, at: NodeId },
    /// `DELSLOTS`, `ADDSLOTS`, perhaps `STABLE`, `BUMPEPOCH`, as one transaction: the node owns the slot and nobody's older claim
    /// beats it.
    Claim { slot: Slot, at: NodeId, close: bool },
    /// `CLUSTER ADDSLOTS` of a stretch, to a node of a cluster that is about to be made.
    Take { first: Slot, last: Slot, at: NodeId },
    /// `CLUSTER SET-CONFIG-EPOCH`.
    Epoch { at: NodeId, epoch: u64 },
    /// `CLUSTER MEET` of another node.
    Meet { at: NodeId, with: NodeId },
    /// `CLUSTER REPLICATE`.
    Replicate { at: NodeId, primary: NodeId },
    /// `CLUSTER FORGET` of another node.
    Forget { at: NodeId, node: NodeId },
    /// `CLUSTER RESET SOFT`.
    Reset { at: NodeId },
}

impl Step {
    /// The slot that the step is about, of those that are about one.
    pub fn slot(&self) -> Option<Slot> {
        match self {
            Step::Move { slot, .. }
            | Step::MoveKeys { slot, .. }
            | Step::Assign { slot, .. }
            | Step::Import { slot, .. }
            | Step::Close { slot, .. }
            | Step::Drop { slot, .. }
            | Step::Claim { slot, .. } => Some(*slot),
            Step::Take { .. }
            | Step::Epoch { .. }
            | Step::Meet { .. }
            | Step::Replicate { .. }
            | Step::Forget { .. }
            | Step::Reset { .. } => None,
        }
    }

    /// The words of the step: its verb, then pairs of a role and who or what has it.
    pub(crate) fn words(&self) -> (&'static str, Vec<(&'static str, String)>) {
        let id = |node: &NodeId| node.as_str().to_owned();
        match self {
            Step::Move { slot, from, to } => {
                ("move", vec![("slot", slot.to_string()), ("from", id(from)), ("to", id(to))])
            }
            Step::MoveKeys { slot, from, to } => {
                ("move-keys", vec![("slot", slot.to_string()), ("from", id(from)), ("to", id(to))])
            }
            Step::Assign { slot, at, owner } => {
                ("assign", vec![("slot", slot.to_string()), ("at", id(at)), ("owner", id(owner))])
            }
            Step::Import { slot, at, from } => {
                ("import", vec![("slot", slot.to_string()), ("at", id(at)), ("from", id(from))])
            }
            Step::Close { slot, at } => ("close", vec![("slot", slot.to_string()), ("at", id(at))]),
            Step::Drop { slot, at } => ("drop", vec![("slot", slot.to_string()), ("at", id(at))]),
            Step::Claim { slot, at, close } => {
                let verb = if *close { "claim-and-close" } else { "claim" };
                (verb, vec![("slot", slot.to_string()), ("at", id(at))])
            }
            Step::Take { first, last, at } => {
                ("take", vec![("first", first.to_string()), ("last", last.to_string()), ("at", id(at))])
            }
            Step::Epoch { at, epoch } => ("epoch", vec![("at", id(at)), ("epoch", epoch.to_string())]),
            Step::Meet { at, with } => ("meet", vec![("at", id(at)), ("with", id(with))]),
            Step::Replicate { at, primary } => ("replicate", vec![("at", id(at)), ("primary", id(primary))]),
            Step::Forget { at, node } => ("forget", vec![("at", id(at)), ("node", id(node))]),
            Step::Reset { at } => ("reset", vec![("at", id(at))]),
        }
    }

    /// What [`Step`] prints, read again; `None` for anything else.
    pub fn parse(line: &str) -> Option<Step> {
        let mut words = line.split_whitespace();
        let verb = words.next()?;
        let pairs: Vec<(&str, &str)> =
            std::iter::from_fn(|| Some((words.next()?, words.next().unwrap_or("")))).collect();
        let word = |role: &str| pairs.iter().find(|(own, _)| *own == role).map(|(_, value)| *value);
        let id = |role: &str| word(role).filter(|text| !text.is_empty()).map(NodeId::new);
        let slot = || word("slot").and_then(Slot::parse);
        let step = match verb {
            "move" => Step::Move { slot: slot()?, from: id("from")?, to: id("to")? },
            "move-keys" => Step::MoveKeys { slot: slot()?, from: id("from")?, to: id("to")? },
            "assign" => Step::Assign { slot: slot()?, at: id("at")?, owner: id("owner")? },
            "import" => Step::Import { slot: slot()?, at: id("at")?, from: id("from")? },
            "close" => Step::Close { slot: slot()?, at: id("at")? },
            "drop" => Step::Drop { slot: slot()?, at: id("at")? },
            "claim" => Step::Claim { slot: slot()?, at: id("at")?, close: false },
            "claim-and-close" => Step::Claim { slot: slot()?, at: id("at")?, close: true },
            "take" => Step::Take {
                first: word("first").and_then(Slot::parse)?,
                last: word("last").and_then(Slot::parse)?,
                at: id("at")?,
            },
            "epoch" => Step::Epoch { at: id("at")?, epoch: word("epoch")?.parse().ok()? },
            "meet" => Step::Meet { at: id("at")?, with: id("with")? },
            "replicate" => Step::Replicate { at: id("at")?, primary: id("primary")? },
            "forget" => Step::Forget { at: id("at")?, node: id("node")? },
            "reset" => Step::Reset { at: id("at")? },
            _ => return None,
        };
        // Nothing else may stand there: a line that says more than was understood is not obeyed.
        (step.words().1.len() == pairs.len()).then_some(step)
    }
}

/// `move slot 7 from <id> to <id>`, a line that [`Step::parse`] reads.
impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verb, pairs) = self.words();
        f.write_str(verb)?;
        pairs.iter().try_for_each(|(role, value)| write!(f, " {role} {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_was_written_is_the_step_that_is_read() {
        let (a, b) = (NodeId::new("aa"), NodeId::new("bb"));
        let slot = Slot::new(7).unwrap();
        for step in [
            Step::Move { slot, from: a.clone(), to: b.clone() },
            Step::MoveKeys { slot, from: a.clone(), to: b.clone() },
            Step::Assign { slot, at: a.clone(), owner: b.clone() },
            Step::Import { slot, at: a.clone(), from: b.clone() },
            Step::Close { slot, at: a.clone() },
            Step::Drop { slot, at: a.clone() },
            Step::Claim { slot, at: a.clone(), close: false },
            Step::Claim { slot, at: a.clone(), close: true },
            Step::Take { first: slot, last: slot, at: a.clone() },
            Step::Epoch { at: a.clone(), epoch: 4 },
            Step::Meet { at: a.clone(), with: b.clone() },
            Step::Replicate { at: a.clone(), primary: b.clone() },
            Step::Forget { at: a.clone(), node: b.clone() },
            Step::Reset { at: a.clone() },
        ] {
            assert_eq!(Step::parse(&step.to_string()), Some(step.clone()), "{step}");
        }
        for line in
            ["", "move", "move slot 16384 from a to b", "move slot 7 from a to", "close slot 7 at a b c", "explode"]
        {
            assert_eq!(Step::parse(line), None, "{line}");
        }
    }
}
