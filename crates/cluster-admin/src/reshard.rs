//! Which slots to take from whom.

use crate::node::{Node, NodeId};
use crate::slots::Slot;

/// The slots that one node gives, in ascending order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Portion {
    pub from: NodeId,
    pub slots: Vec<Slot>,
}

/// Takes `count` slots from the sources, from each in proportion to what it has, its lowest first. Exactly `count`, unless
/// they have fewer together.
///
/// The largest source comes first and gives what does not divide evenly; where that is more than one slot, the next ones give
/// one each. (Redis' tool rounds down there and moves fewer slots than it was told to.) O(sources × slots).
pub fn reshard(sources: &[&Node], count: usize) -> Vec<Portion> {
    let mut sorted = sources.to_vec();
    sorted.sort_by_key(|node| std::cmp::Reverse(node.slots.len()));
    let sizes: Vec<usize> = sorted.iter().map(|node| node.slots.len()).collect();
    let total: usize = sizes.iter().sum();
    let count = count.min(total);
    if count == 0 {
        return Vec::new();
    }
    let mut shares: Vec<usize> = sizes.iter().map(|size| count * size / total).collect();
    let mut left = count - shares.iter().sum::<usize>();
    while left > 0 {
        for (share, size) in shares.iter_mut().zip(&sizes) {
            if left > 0 && *share < *size {
                *share += 1;
                left -= 1;
            }
        }
    }
    let portions = sorted.iter().zip(shares).filter(|(_, share)| *share > 0);
    portions
        .map(|(node, share)| Portion { from: node.id.clone(), slots: node.slots.iter().take(share).collect() })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{cluster, id, nodes};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn sizes(portions: &[Portion]) -> Vec<(NodeId, usize)> {
        portions.iter().map(|portion| (portion.from.clone(), portion.slots.len())).collect()
    }

    #[test]
    fn the_largest_gives_what_does_not_divide() {
        let picture = cluster(3);
        let sources: Vec<&Node> = picture.nodes.iter().collect();
        assert_eq!(sizes(&reshard(&sources, 4096)), [(id(0), 1366), (id(1), 1365), (id(2), 1365)]);
        assert_eq!(sizes(&reshard(&sources, 11)), [(id(0), 4), (id(1), 4), (id(2), 3)]);
        assert_eq!(sizes(&reshard(&sources, 1)), [(id(0), 1)]);
        assert_eq!(reshard(&[], 5), []);
        assert_eq!(reshard(&sources, 5)[0].slots[0].number(), 0);
    }

    proptest! {
        #[test]
        fn exactly_as_many_in_proportion(cuts in prop::collection::vec(0usize..6, 200), count in 0usize..300) {
            let mut nodes = nodes(6);
            for (n, at) in cuts.iter().enumerate() {
                nodes[*at].slots.insert(crate::testing::slot(n));
            }
            let sources: Vec<&Node> = nodes[..4].iter().collect();
            let total: usize = sources.iter().map(|node| node.slots.len()).sum();
            let portions = reshard(&sources, count);
            let moved: BTreeSet<_> = portions.iter().flat_map(|portion| portion.slots.clone()).collect();
            prop_assert_eq!(moved.len(), count.min(total));
            prop_assert_eq!(portions.iter().map(|portion| portion.slots.len()).sum::<usize>(), moved.len());
            for portion in &portions {
                let node = sources.iter().find(|node| node.id == portion.from).unwrap();
                prop_assert!(portion.slots.iter().all(|slot| node.slots.contains(*slot)));
                let fair = moved.len() as f64 * node.slots.len() as f64 / total as f64;
                prop_assert!((portion.slots.len() as f64 - fair).abs() <= 1.0, "{} for {fair}", portion.slots.len());
            }
        }
    }
}
