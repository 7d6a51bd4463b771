//! The shapes that a topology can have, each a recipe.

mod cluster;
mod primary_replica;
mod sentinel;

use crate::facts::Answers;
use crate::node::{Files, Node};

/// What a shape is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    PrimaryReplica,
    Sentinel,
    Cluster,
}

/// Where it is and how large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    pub base_port: u16,
    pub primaries: u16,
    /// Of each primary.
    pub replicas: u16,
}

/// What somebody said about the sizes; the rest is as it is, or as the recipe has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    pub base_port: Option<u16>,
    pub primaries: Option<u16>,
    pub replicas: Option<u16>,
}

/// Makes one thing of nodes. The error is a line for people.
pub type Form = fn(&Sizes, &[Node], &[Files]) -> Result<(), String>;

/// How to make a shape.
pub struct Recipe {
    pub sizes: Sizes,
    /// The nodes, in the order in which they are started. The error is a line for people.
    pub nodes: fn(&Sizes) -> Result<Vec<Node>, String>,
    /// Makes one thing of nodes that all answer, where they do not make themselves known to each other. Called once; it must leave
    /// alone what has been formed before.
    pub form: Option<Form>,
    /// What a node that answers still lacks, given what all nodes say; `None` when it is where it should be.
    pub lacks: fn(at: usize, nodes: &[Node], facts: &Answers) -> Option<String>,
    /// Arguments of `rubellite cli` that show it at work.
    pub hints: fn(&[Node], &Answers) -> Vec<String>,
}

/// By name, in the order in which they are shown.
const SHAPES: [(&str, Shape); 3] =
    [("primary-replica", Shape::PrimaryReplica), ("sentinel", Shape::Sentinel), ("cluster", Shape::Cluster)];

impl Shape {
    /// The error is a line for people.
    pub fn named(name: &str) -> Result<Shape, String> {
        let shape = SHAPES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape);
        shape.ok_or_else(|| format!("there is no topology {name:?}; there are: {}", Shape::names()))
    }

    pub fn name(self) -> &'static str {
        SHAPES.iter().find(|(_, shape)| *shape == self).map_or("", |(name, _)| name)
    }

    pub fn names() -> String {
        SHAPES.map(|(name, _)| name).join(", ")
    }

    pub fn recipe(self) -> &'static Recipe {
        match self {
            Shape::PrimaryReplica => &primary_replica::RECIPE,
            Shape::Sentinel => &sentinel::RECIPE,
            Shape::Cluster => &cluster::RECIPE,
        }
    }
}

impl Wish {
    /// These sizes, and what was said in their place.
    pub fn over(&self, sizes: &Sizes) -> Sizes {
        Sizes {
            base_port: self.base_port.unwrap_or(sizes.base_port),
            primaries: self.primaries.unwrap_or(sizes.primaries),
            replicas: self.replicas.unwrap_or(sizes.replicas),
        }
    }
}

impl Sizes {
    /// A port for each of `count` nodes.
    fn ports(&self, count: u32) -> Result<impl Iterator<Item = u16>, String> {
        let first = self.base_port;
        let last = u32::from(first) + count.saturating_sub(1);
        if first == 0 || last > u32::from(u16::MAX) {
            return Err(format!("{count} nodes from port {first} on would need ports beyond 1 to 65535"));
        }
        Ok(first..=last as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_found_by_its_name_and_has_nodes() {
        for (name, shape) in SHAPES {
            assert_eq!((Shape::named(name), shape.name()), (Ok(shape), name));
            let recipe = shape.recipe();
            assert!((recipe.nodes)(&recipe.sizes).is_ok_and(|nodes| nodes.len() > 1), "{name}");
        }
        assert!(Shape::named("ring").is_err_and(|line| line.contains("primary-replica, sentinel, cluster")));
    }

    #[test]
    fn ports_follow_each_other_and_end_where_ports_end() {
        let sizes = |base_port| Sizes { base_port, primaries: 1, replicas: 1 };
        assert_eq!(sizes(7000).ports(3).unwrap().collect::<Vec<_>>(), [7000, 7001, 7002]);
        assert_eq!(sizes(65534).ports(2).unwrap().collect::<Vec<_>>(), [65534, 65535]);
        assert!(sizes(65534).ports(3).is_err());
        assert!(sizes(0).ports(1).is_err());
    }

    #[test]
    fn what_was_not_said_stays() {
        let sizes = Sizes { base_port: 7000, primaries: 1, replicas: 2 };
        let wish = Wish { replicas: Some(5), ..Wish::default() };
        assert_eq!(wish.over(&sizes), Sizes { replicas: 5, ..sizes });
        assert_eq!(Wish::default().over(&sizes), sizes);
    }
}
