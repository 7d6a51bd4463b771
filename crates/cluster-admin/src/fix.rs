//! How to mend a cluster, and why so.
//!
//! ```text
//!   a slot is open             close it at the end of the move that was begun, or take it back to the owner
//!   nobody claims a slot       give it to who holds its keys, or to whom it burdens least
//!   several have a slot        leave it to who holds most of its keys, and bring the others' there
//! ```
//!
//! A repair is a list of [`Act`]s: notes, which tell what was found and what follows from it, and steps. Nothing is decided
//! without a note. A slot's repair needs the keys of that slot counted on every primary ([`Picture::set_keys`]).
//!
//! The cases of open slots are Redis' with their numbers, which users find in many answers. Where Redis' tool gives up or would
//! be refused by the server, this goes on: a node that says "migrating" and has nothing to give is closed, and so is an
//! owner that says "importing"; a node whose keys are to be moved away is opened first. A move that both sides agree on is
//! finished, also when keys have arrived: Redis' tool then sees two owners, and lets the number of keys decide.

use std::collections::BTreeSet;

use crate::node::{Node, NodeId};
use crate::picture::Picture;
use crate::slots::Slot;
use crate::step::Step;

/// What is told, or done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    Note(Note),
    Step(Step),
}

/// What was found, and what is concluded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// The slot is open somewhere: it is looked at.
    Open(Slot),
    /// A primary that does not claim the slot holds keys of it.
    KeysOfNonOwner {
        slot: Slot,
        at: NodeId,
    },
    /// A node that is not the owner and did not open the slot holds keys of it.
    KeysAt {
        slot: Slot,
        at: NodeId,
    },
    MigratingAt(Vec<NodeId>),
    ImportingAt(Vec<NodeId>),
    /// Nobody is plainly the owner.
    NoOwner,
    /// The owner was chosen: so many keys each candidate holds.
    Candidates(Vec<(NodeId, u64)>),
    /// There is no primary that could be the owner.
    Hopeless,
    /// The node is made the owner.
    Owner(NodeId),
    /// A node says that it migrates the slot, which it does not own and of which it has no keys.
    Stray {
        slot: Slot,
        at: NodeId,
    },
    /// Case 1: the move that was begun is brought to its end.
    Finish {
        slot: Slot,
        from: NodeId,
        to: NodeId,
    },
    /// Case 2: keys go back to the owner.
    Return {
        slot: Slot,
        owner: NodeId,
    },
    /// A node forgets that the slot was open.
    Stable {
        slot: Slot,
        at: NodeId,
    },
    /// Case 3: one of several receivers is the one that was meant.
    FinishOne {
        slot: Slot,
        from: NodeId,
        to: NodeId,
    },
    /// Case 3: none of several receivers was meant.
    CloseAll(Slot),
    /// Case 4: nobody receives.
    CloseOne {
        slot: Slot,
        at: NodeId,
    },
    /// A slot that nobody claims gets an owner.
    Cover {
        slot: Slot,
        owner: NodeId,
    },
    /// The same, and keys of others are brought there.
    CoverMoving {
        slot: Slot,
        owner: NodeId,
    },
    /// Several have the slot.
    Several(Slot),
    /// Of several, this one shall have it.
    OneOwner {
        slot: Slot,
        owner: NodeId,
    },
}

/// What is to be done about one slot. `is_mended` is false when nothing could be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repair {
    pub slot: Slot,
    pub acts: Vec<Act>,
    pub is_mended: bool,
}

impl Repair {
    fn new(slot: Slot) -> Self {
        Repair { slot, acts: Vec::new(), is_mended: true }
    }

    fn note(&mut self, note: Note) {
        self.acts.push(Act::Note(note));
    }

    fn step(&mut self, step: Step) {
        self.acts.push(Act::Step(step));
    }

    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.acts.iter().filter_map(|act| match act {
            Act::Step(step) => Some(step),
            Act::Note(_) => None,
        })
    }
}

/// The slots that nobody claims, by who holds keys of them, each with its repair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// No key anywhere.
    pub nowhere: Vec<Repair>,
    /// One node has them all.
    pub single: Vec<Repair>,
    /// Several have some.
    pub several: Vec<Repair>,
}

/// What to do about a slot that some node says is open.
pub fn open_slot(picture: &Picture, slot: Slot) -> Repair {
    let mut repair = Repair::new(slot);
    repair.note(Note::Open(slot));
    let receiver = agreed_receiver(picture, slot);
    let mut owners: Vec<NodeId> = Vec::new();
    for node in picture.primaries() {
        if node.slots.contains(slot) {
            owners.push(node.id.clone());
        } else if picture.keys(slot, &node.id) > 0 && receiver.as_ref() != Some(&node.id) {
            repair.note(Note::KeysOfNonOwner { slot, at: node.id.clone() });
            owners.push(node.id.clone());
        }
    }
    let plain_owner = if owners.len() == 1 { owners.first().cloned() } else { None };
    let (mut migrating, mut importing): (Vec<NodeId>, Vec<NodeId>) = (Vec::new(), Vec::new());
    for node in picture.primaries() {
        if node.migrating_to(slot).is_some() {
            migrating.push(node.id.clone());
        } else if node.importing_from(slot).is_some() {
            importing.push(node.id.clone());
        } else if Some(&node.id) != plain_owner.as_ref() && picture.keys(slot, &node.id) > 0 {
            repair.note(Note::KeysAt { slot, at: node.id.clone() });
            importing.push(node.id.clone());
        }
    }
    if !migrating.is_empty() {
        repair.note(Note::MigratingAt(migrating.clone()));
    }
    if !importing.is_empty() {
        repair.note(Note::ImportingAt(importing.clone()));
    }
    let owner = match plain_owner {
        Some(owner) => owner,
        None => {
            repair.note(Note::NoOwner);
            let all: Vec<NodeId> = picture.primaries().map(|node| node.id.clone()).collect();
            let Some(owner) = choose(picture, slot, &all, &mut repair) else {
                repair.note(Note::Hopeless);
                repair.is_mended = false;
                return repair;
            };
            repair.note(Note::Owner(owner.clone()));
            repair.step(Step::Close { slot, at: owner.clone() });
            repair.step(Step::Claim { slot, at: owner.clone(), close: false });
            migrating.retain(|node| *node != owner);
            importing.retain(|node| *node != owner);
            owner
        }
    };
    if owners.len() > 1 {
        for node in owners.into_iter().filter(|node| *node != owner) {
            repair.step(Step::Drop { slot, at: node.clone() });
            repair.step(Step::Assign { slot, at: node.clone(), owner: owner.clone() });
            repair.step(Step::Import { slot, at: node.clone(), from: owner.clone() });
            migrating.retain(|other| *other != node);
            importing.retain(|other| *other != node);
            importing.push(node);
        }
    }
    // Who is left in these lists besides the owner claims nothing and holds nothing: else it would be among the owners.
    for node in migrating.iter().filter(|node| **node != owner) {
        repair.note(Note::Stray { slot, at: node.clone() });
        repair.step(Step::Close { slot, at: node.clone() });
    }
    migrating.retain(|node| *node == owner);
    if importing.contains(&owner) {
        repair.note(Note::Stable { slot, at: owner.clone() });
        repair.step(Step::Close { slot, at: owner.clone() });
        importing.retain(|node| *node != owner);
    }
    close(picture, slot, &owner, !migrating.is_empty(), importing, &mut repair);
    repair
}

/// Who is about to receive the slot by the word of both sides: its only claimant gives it to a node that takes it from there. Keys
/// that this node holds are those that have arrived already, so it is no second owner.
fn agreed_receiver(picture: &Picture, slot: Slot) -> Option<NodeId> {
    let claimants = picture.claimants(slot);
    let [owner] = claimants.as_slice() else { return None };
    let receiver = picture.node(owner.migrating_to(slot)?).filter(|node| !node.is_replica())?;
    (receiver.importing_from(slot) == Some(&owner.id)).then(|| receiver.id.clone())
}

/// The four cases, once the owner is clear and only others import.
fn close(picture: &Picture, slot: Slot, owner: &NodeId, migrates: bool, importing: Vec<NodeId>, repair: &mut Repair) {
    let owner = owner.clone();
    match (migrates, importing.as_slice()) {
        (true, [to]) => {
            repair.note(Note::Finish { slot, from: owner.clone(), to: to.clone() });
            repair.step(Step::Move { slot, from: owner, to: to.clone() });
        }
        // A replica may have heard of a move that its primary has given up, because not all had heard of it in time. What
        // the primary is told goes to its replicas, too.
        (false, []) => {
            let open = |node: &&Node| node.migrating_to(slot).or(node.importing_from(slot)).is_some();
            let strays = picture.nodes.iter().filter(|node| node.is_replica()).filter(open);
            let primaries: BTreeSet<&NodeId> = strays.filter_map(|node| node.primary.as_ref()).collect();
            for at in primaries {
                repair.note(Note::Stable { slot, at: at.clone() });
                repair.step(Step::Close { slot, at: at.clone() });
            }
        }
        (false, _) => {
            repair.note(Note::Return { slot, owner: owner.clone() });
            for node in importing {
                repair.step(Step::MoveKeys { slot, from: node.clone(), to: owner.clone() });
                repair.note(Note::Stable { slot, at: node.clone() });
                repair.step(Step::Close { slot, at: node });
            }
            for node in picture.primaries().filter(|node| node.id != owner) {
                repair.step(Step::Assign { slot, at: node.id.clone(), owner: owner.clone() });
            }
        }
        (true, []) => {
            repair.note(Note::CloseOne { slot, at: owner.clone() });
            repair.step(Step::Close { slot, at: owner });
        }
        (true, _) => {
            let meant = picture.node(&owner).and_then(|node| node.migrating_to(slot));
            match importing.iter().find(|node| Some(*node) == meant) {
                Some(to) => {
                    repair.note(Note::FinishOne { slot, from: owner.clone(), to: to.clone() });
                    repair.step(Step::Move { slot, from: owner, to: to.clone() });
                    for node in importing.iter().filter(|node| *node != to) {
                        repair.step(Step::Close { slot, at: node.clone() });
                    }
                }
                None => {
                    repair.note(Note::CloseAll(slot));
                    repair.step(Step::Close { slot, at: owner });
                    importing.into_iter().for_each(|node| repair.step(Step::Close { slot, at: node }));
                }
            }
        }
    }
}

/// Who holds most keys of the slot; among equals who claims it, then who claimed it last, then who was asked first. Where that
/// was not decided by keys alone, the candidates are noted.
fn choose(picture: &Picture, slot: Slot, among: &[NodeId], repair: &mut Repair) -> Option<NodeId> {
    let rank = |id: &NodeId| {
        let node = picture.node(id);
        let claims = node.is_some_and(|node| node.slots.contains(slot));
        (picture.keys(slot, id), claims, node.map_or(0, |node| node.config_epoch))
    };
    let best = among.iter().rev().max_by_key(|id| rank(id))?;
    let most = picture.keys(slot, best);
    if among.iter().filter(|id| picture.keys(slot, id) == most).count() > 1 {
        let counted = among.iter().map(|id| (id.clone(), picture.keys(slot, id)));
        repair.note(Note::Candidates(counted.collect()));
    }
    Some(best.clone())
}

/// What to do about slots that nobody claims. `None` when there is no primary to give them to.
pub fn coverage(picture: &Picture) -> Option<Coverage> {
    let mut coverage = Coverage::default();
    let mut load: Vec<(NodeId, usize)> =
        picture.reachable_primaries().map(|node| (node.id.clone(), node.slots.len())).collect();
    for slot in crate::check::uncovered(picture).iter() {
        let holders: Vec<NodeId> =
            picture.primaries().filter(|node| picture.keys(slot, &node.id) > 0).map(|node| node.id.clone()).collect();
        let mut repair = Repair::new(slot);
        match holders.as_slice() {
            [] => {
                let (owner, slots) = load.iter_mut().min_by_key(|(_, slots)| *slots)?;
                *slots += 1;
                repair.note(Note::Cover { slot, owner: owner.clone() });
                repair.step(Step::Claim { slot, at: owner.clone(), close: false });
                coverage.nowhere.push(repair);
            }
            [owner] => {
                repair.note(Note::Cover { slot, owner: owner.clone() });
                repair.step(Step::Claim { slot, at: owner.clone(), close: false });
                coverage.single.push(repair);
            }
            _ => {
                let owner = choose(picture, slot, &holders, &mut repair)?;
                repair.note(Note::CoverMoving { slot, owner: owner.clone() });
                repair.step(Step::Claim { slot, at: owner.clone(), close: true });
                for node in holders.into_iter().filter(|node| *node != owner) {
                    bring(slot, node, &owner, &mut repair);
                }
                coverage.several.push(repair);
            }
        }
    }
    Some(coverage)
}

/// What to do about a slot that several claim or hold keys of.
pub fn several_owners(picture: &Picture, slot: Slot) -> Repair {
    let mut repair = Repair::new(slot);
    let Some(owners) = crate::check::contested(picture, slot) else { return repair };
    repair.note(Note::Several(slot));
    let Some(owner) = choose(picture, slot, &owners, &mut repair) else { return repair };
    repair.note(Note::OneOwner { slot, owner: owner.clone() });
    repair.step(Step::Claim { slot, at: owner.clone(), close: false });
    for node in picture.primaries().filter(|node| node.id != owner) {
        if node.slots.contains(slot) {
            repair.step(Step::Drop { slot, at: node.id.clone() });
        }
        match picture.keys(slot, &node.id) {
            0 => repair.step(Step::Assign { slot, at: node.id.clone(), owner: owner.clone() }),
            _ => bring(slot, node.id.clone(), &owner, &mut repair),
        }
    }
    repair
}

/// Brings the keys of a node that does not own their slot to who does. The node says "importing" meanwhile, or it would redirect
/// the command that moves them.
fn bring(slot: Slot, from: NodeId, owner: &NodeId, repair: &mut Repair) {
    repair.step(Step::Assign { slot, at: from.clone(), owner: owner.clone() });
    repair.step(Step::Import { slot, at: from.clone(), from: owner.clone() });
    repair.step(Step::MoveKeys { slot, from: from.clone(), to: owner.clone() });
    repair.step(Step::Close { slot, at: from });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check;
    use crate::testing::{cluster, id, slot};
    use proptest::prelude::*;

    const SLOT: usize = 7;

    fn apply(picture: &mut Picture, repair: &Repair) {
        repair.steps().for_each(|step| picture.apply(step));
    }

    fn notes(repair: &Repair) -> Vec<Note> {
        let note = |act: &Act| match act {
            Act::Note(note) => Some(note.clone()),
            Act::Step(_) => None,
        };
        repair.acts.iter().filter_map(note).collect()
    }

    #[test]
    fn a_move_that_was_begun_is_finished() {
        let mut picture = cluster(3);
        picture.nodes[0].migrating.push((slot(SLOT), id(1)));
        picture.nodes[1].importing.push((slot(SLOT), id(0)));
        let repair = open_slot(&picture, slot(SLOT));
        assert_eq!(
            repair.steps().cloned().collect::<Vec<_>>(),
            [Step::Move { slot: slot(SLOT), from: id(0), to: id(1) }]
        );
        // Keys that have arrived change nothing, as long as both sides say the same.
        picture.set_keys(slot(SLOT), &id(1), 3);
        picture.set_keys(slot(SLOT), &id(0), 5);
        assert_eq!(open_slot(&picture, slot(SLOT)), repair);
        // A receiver that does not know of a giver gives back what it has.
        picture.nodes[0].migrating.clear();
        let repair = open_slot(&picture, slot(SLOT));
        assert!(notes(&repair).contains(&Note::Return { slot: slot(SLOT), owner: id(0) }), "{repair:?}");
        apply(&mut picture, &repair);
        assert_eq!((picture.keys(slot(SLOT), &id(0)), check::open_slots(&picture).len()), (8, 0));
    }

    #[test]
    fn the_receiver_that_was_meant_is_preferred() {
        let mut picture = cluster(3);
        picture.nodes[0].migrating.push((slot(SLOT), id(2)));
        picture.nodes[1].importing.push((slot(SLOT), id(0)));
        picture.nodes[2].importing.push((slot(SLOT), id(0)));
        let mut other = picture.clone();
        let repair = open_slot(&picture, slot(SLOT));
        assert!(notes(&repair).contains(&Note::FinishOne { slot: slot(SLOT), from: id(0), to: id(2) }), "{repair:?}");
        apply(&mut picture, &repair);
        assert!(picture.nodes[2].slots.contains(slot(SLOT)));
        other.nodes[0].migrating = vec![(slot(SLOT), id(9))];
        let repair = open_slot(&other, slot(SLOT));
        assert!(notes(&repair).contains(&Note::CloseAll(slot(SLOT))), "{repair:?}");
    }

    #[test]
    fn a_choice_that_keys_do_not_make_is_told() {
        let mut picture = cluster(3);
        picture.nodes[0].slots.remove(slot(SLOT));
        picture.nodes[1].importing.push((slot(SLOT), id(0)));
        let repair = open_slot(&picture, slot(SLOT));
        assert!(notes(&repair).iter().any(|note| matches!(note, Note::Candidates(_))), "{repair:?}");
        picture.set_keys(slot(SLOT), &id(1), 2);
        picture.set_keys(slot(SLOT), &id(2), 1);
        let repair = open_slot(&picture, slot(SLOT));
        assert!(!notes(&repair).iter().any(|note| matches!(note, Note::Candidates(_))), "{repair:?}");
        assert!(notes(&repair).contains(&Note::Owner(id(1))));
        assert!(!open_slot(&Picture::default(), slot(SLOT)).is_mended);
    }

    #[test]
    fn what_only_a_replica_says_is_closed_at_its_primary() {
        let mut picture = cluster(3);
        picture.nodes[2].primary = Some(id(0));
        picture.nodes[2].migrating.push((slot(SLOT), id(1)));
        let repair = open_slot(&picture, slot(SLOT));
        assert_eq!(repair.steps().collect::<Vec<_>>(), [&Step::Close { slot: slot(SLOT), at: id(0) }]);
    }

    #[test]
    fn slots_of_nobody_go_where_their_keys_are() {
        let mut picture = cluster(3);
        for n in 0..4 {
            picture.nodes[0].slots.remove(slot(n));
        }
        picture.set_keys(slot(1), &id(2), 1);
        picture.set_keys(slot(2), &id(1), 5);
        picture.set_keys(slot(2), &id(2), 1);
        let coverage = coverage(&picture).unwrap();
        assert_eq!((coverage.nowhere.len(), coverage.single.len(), coverage.several.len()), (2, 1, 1));
        // The node that lost them has the fewest.
        assert_eq!(notes(&coverage.nowhere[0]), [Note::Cover { slot: slot(0), owner: id(0) }]);
        assert_eq!(notes(&coverage.single[0]), [Note::Cover { slot: slot(1), owner: id(2) }]);
        assert_eq!(notes(&coverage.several[0]), [Note::CoverMoving { slot: slot(2), owner: id(1) }]);
        let mut nobody = picture.clone();
        nobody.nodes.clear();
        assert_eq!(super::coverage(&nobody), None);
    }

    /// What `fix` does, in its order.
    fn fix(picture: &mut Picture) {
        for slot in check::open_slots(picture).into_keys() {
            let repair = open_slot(picture, slot);
            apply(picture, &repair);
        }
        let coverage = coverage(picture).unwrap();
        for repair in coverage.nowhere.iter().chain(&coverage.single).chain(&coverage.several) {
            apply(picture, repair);
        }
        for slot in Slot::all() {
            let repair = several_owners(picture, slot);
            apply(picture, &repair);
        }
    }

    /// What is wrong with one slot: who claims it, who says migrating or importing and to or from whom, who holds keys.
    #[derive(Clone, Debug)]
    struct Wound {
        slot: usize,
        claims: Vec<bool>,
        opens: Vec<(u8, usize)>,
        keys: Vec<u64>,
    }

    fn wound() -> impl Strategy<Value = Wound> {
        let claims = prop::collection::vec(any::<bool>(), 4);
        let opens = prop::collection::vec((0u8..4, 0usize..4), 4);
        (0usize..20, claims, opens, prop::collection::vec(prop_oneof![Just(0u64), 1u64..9], 4))
            .prop_map(|(slot, claims, opens, keys)| Wound { slot, claims, opens, keys })
    }

    proptest! {
        #[test]
        fn repairs_of_any_picture_end_in_a_whole_one(wounds in prop::collection::vec(wound(), 1..8)) {
            let mut picture = cluster(4);
            for wound in &wounds {
                let slot = slot(wound.slot);
                for n in 0..4 {
                    let node = &mut picture.nodes[n];
                    node.slots.remove(slot);
                    node.migrating.retain(|(open, _)| *open != slot);
                    node.importing.retain(|(open, _)| *open != slot);
                    if wound.claims[n] {
                        node.slots.insert(slot);
                    }
                    match wound.opens[n] {
                        (0, other) => node.migrating.push((slot, id(other))),
                        (1, other) => node.importing.push((slot, id(other))),
                        _ => (),
                    }
                    picture.set_keys(slot, &id(n), wound.keys[n]);
                }
            }
            let sum = |picture: &Picture| -> u64 {
                Slot::all().take(20).map(|slot| (0..4).map(|n| picture.keys(slot, &id(n))).sum::<u64>()).sum()
            };
            let before = sum(&picture);
            fix(&mut picture);
            prop_assert!(check::open_slots(&picture).is_empty(), "{:?}", check::open_slots(&picture));
            prop_assert!(check::uncovered(&picture).is_empty());
            for slot in Slot::all() {
                prop_assert_eq!(picture.claimants(slot).len(), 1, "slot {}", slot);
                prop_assert_eq!(check::contested(&picture, slot), None, "slot {}", slot);
            }
            prop_assert_eq!(sum(&picture), before);
        }
    }
}
