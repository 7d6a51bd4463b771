//! Union, intersection and difference of sorted sets and sets; a set's members have the score 1.
//!
//! ```text
//!   union        weight × score of every input that has the member, aggregated
//!   intersection the same, for members that all inputs have
//!   difference   the first input's scores, without the members of the others
//! ```
//!
//! Inputs are taken from the smallest to the biggest, which decides how sums of floats are rounded. A product or a sum
//! that is no number (infinities against each other, infinity times 0) is 0.
//!
//! Costs, for inputs of n members together and a result of m: union O(n log m), intersection O(smallest × inputs) lookups,
//! difference O(first × inputs) lookups; the result then takes m log m.

use keyspace::Space;
use resp::error::{self, Error};
use smallvec::SmallVec;
use value::{Item, Limits, Set, Zset};

/// How the scores of one member are made one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) enum Aggregate {
    #[default]
    Sum,
    Min,
    Max,
}

impl Aggregate {
    fn of(self, so_far: f64, score: f64) -> f64 {
        match self {
            Aggregate::Sum => or_zero(so_far + score),
            Aggregate::Min if score < so_far => score,
            Aggregate::Max if score > so_far => score,
            Aggregate::Min | Aggregate::Max => so_far,
        }
    }
}

fn or_zero(score: f64) -> f64 {
    if score.is_nan() { 0.0 } else { score }
}

/// What an input is.
#[derive(Clone, Copy)]
enum Members<'s> {
    Absent,
    Plain(&'s Set),
    Scored(&'s Zset),
}

impl<'s> Members<'s> {
    fn len(self) -> usize {
        match self {
            Members::Absent => 0,
            Members::Plain(set) => set.len(),
            Members::Scored(zset) => zset.len(),
        }
    }

    fn score(self, member: &[u8]) -> Option<f64> {
        match self {
            Members::Absent => None,
            Members::Plain(set) => set.contains(member).then_some(1.0),
            Members::Scored(zset) => zset.score(member),
        }
    }

    /// Shows members to `f` as long as it answers true.
    fn all(self, mut f: impl FnMut(Item<'s>, f64) -> bool) {
        match self {
            Members::Absent => true,
            Members::Plain(set) => set.iter().all(|member| f(member, 1.0)),
            Members::Scored(zset) => zset.iter().all(|(member, score)| f(member, score)),
        };
    }
}

/// An input with its weight.
#[derive(Clone, Copy)]
pub(super) struct Input<'s> {
    members: Members<'s>,
    pub(super) weight: f64,
}

/// The inputs of one command; most name a few.
pub(super) type Inputs<'s> = SmallVec<[Input<'s>; 8]>;

#[derive(Clone, Copy)]
enum Kind {
    Absent,
    Plain,
    Scored,
}

/// The sorted sets and sets under these keys, in their order, with weight 1.
pub(super) fn gather<'s, 'k>(
    space: &'s mut Space<'_>,
    names: impl Iterator<Item = &'k [u8]> + Clone,
) -> Result<Inputs<'s>, Error> {
    let mut kinds: SmallVec<[Kind; 8]> = SmallVec::new();
    for name in names.clone() {
        kinds.push(match space.find(&space.key(name)) {
            None => Kind::Absent,
            Some(view) => match view.type_name() {
                "set" => Kind::Plain,
                "zset" => Kind::Scored,
                _ => return Err(error::common::WRONGTYPE),
            },
        });
    }
    let space = &*space;
    let input = |(name, kind)| {
        let key = space.key(name);
        let members = match kind {
            Kind::Absent => Members::Absent,
            Kind::Plain => space.read_again::<Set>(&key).map_or(Members::Absent, Members::Plain),
            Kind::Scored => space.read_again::<Zset>(&key).map_or(Members::Absent, Members::Scored),
        };
        Input { members, weight: 1.0 }
    };
    Ok(names.zip(kinds).map(input).collect())
}

fn sort(inputs: &mut Inputs<'_>) {
    inputs.sort_by_key(|input| input.members.len());
}

/// An empty result that grows as a tree and is to be compacted when it is complete.
fn growing(limits: &Limits) -> Zset {
    let mut result = Zset::new();
    result.prepare(usize::MAX, 0, limits);
    result
}

pub(super) fn union(mut inputs: Inputs<'_>, aggregate: Aggregate, limits: &Limits) -> Zset {
    sort(&mut inputs);
    let mut result = growing(limits);
    for input in &inputs {
        input.members.all(|member, score| {
            let member = member.text();
            let weighted = or_zero(input.weight * score);
            let score = result.score(&member).map_or(weighted, |so_far| aggregate.of(so_far, weighted));
            result.insert(&member, score, limits);
            true
        });
    }
    result.compact(limits);
    result
}

pub(super) fn intersection(inputs: Inputs<'_>, aggregate: Aggregate, limits: &Limits) -> Zset {
    let mut result = growing(limits);
    intersect(inputs, aggregate, |member, score| {
        result.insert(&member.text(), score, limits);
        true
    });
    result.compact(limits);
    result
}

/// Shows the members of the intersection to `f` as long as it answers true.
pub(super) fn intersect(mut inputs: Inputs<'_>, aggregate: Aggregate, mut f: impl FnMut(Item<'_>, f64) -> bool) {
    sort(&mut inputs);
    let Some((smallest, others)) = inputs.split_first() else { return };
    smallest.members.all(|member, score| {
        let text = member.text();
        let weighted = or_zero(smallest.weight * score);
        let score = others.iter().try_fold(weighted, |so_far, input| {
            input.members.score(&text).map(|score| aggregate.of(so_far, input.weight * score))
        });
        score.is_none_or(|score| f(member, score))
    });
}

pub(super) fn difference(inputs: Inputs<'_>, limits: &Limits) -> Zset {
    let mut result = growing(limits);
    if let Some((first, others)) = inputs.split_first() {
        first.members.all(|member, score| {
            let text = member.text();
            if others.iter().all(|input| input.members.score(&text).is_none()) {
                result.insert(&text, score, limits);
            }
            true
        });
    }
    result.compact(limits);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_number_is_zero() {
        let inf = f64::INFINITY;
        assert_eq!(Aggregate::Sum.of(inf, -inf), 0.0);
        assert_eq!(Aggregate::Sum.of(inf, 1.0), inf);
        assert_eq!(Aggregate::Min.of(1.0, f64::NAN), 1.0);
        assert_eq!(Aggregate::Max.of(1.0, 2.0), 2.0);
        assert_eq!(Aggregate::Min.of(1.0, 2.0), 1.0);
        assert_eq!(or_zero(inf * 0.0), 0.0);
    }
}
