//! One primary and its replicas.
//!
//! Whoever changes roles afterwards (`REPLICAOF`, `CONFIG REWRITE`) is not contradicted: a node is well when it has
//! loaded its data and, if it says that it is a replica, its link is up; a node that others follow is well when they
//! are online.

use super::{Recipe, Sizes};
use crate::facts::{Answers, Facts, Role};
use crate::node::Node;

pub const RECIPE: Recipe =
    Recipe { sizes: Sizes { base_port: 7000, primaries: 1, replicas: 2 }, nodes, form: None, lacks, hints };

/// Its servers are those of a group that Sentinels watch, too.
pub fn nodes(sizes: &Sizes) -> Result<Vec<Node>, String> {
    if sizes.primaries != 1 {
        return Err("this shape has one primary; choose the number of its replicas with --replicas".to_owned());
    }
    let mut ports = sizes.ports(u32::from(sizes.replicas) + 1)?;
    let primary = ports.next().unwrap_or_default();
    let mut nodes = vec![Node::new("primary", primary)];
    nodes.extend((1..).zip(ports).map(|(number, port)| {
        Node::new(&format!("replica-{number}"), port).with(&format!("replicaof 127.0.0.1 {primary}"))
    }));
    Ok(nodes)
}

pub fn lacks(at: usize, nodes: &[Node], facts: &Answers) -> Option<String> {
    let own = facts[at].as_ref()?;
    match &own.role {
        Role::Replica { link_is_up: false, .. } => Some("is waiting for its primary".to_owned()),
        Role::Replica { .. } | Role::Sentinel { .. } => None,
        Role::Primary { online } => {
            let port = nodes[at].port;
            let follows = |facts: &&Facts| matches!(facts.role, Role::Replica { primary, .. } if primary == port);
            let followers = facts.iter().flatten().filter(follows).count();
            let lacking = followers.saturating_sub(*online);
            let silent = facts.iter().filter(|facts| facts.is_none()).count();
            (lacking + silent > 0).then(|| format!("has {online} of {} replicas", followers + silent))
        }
    }
}

fn hints(nodes: &[Node], facts: &Answers) -> Vec<String> {
    let port = |is_primary: bool| {
        let at = facts.iter().position(|f| f.as_ref().is_some_and(|f| f.role.is_primary() == is_primary));
        at.map(|at| nodes[at].port)
    };
    let mut hints = Vec::new();
    if let Some(primary) = port(true) {
        hints.push(format!("-p {primary} SET greeting hello"));
        if nodes.len() > 1 {
            hints.push(format!("-p {primary} WAIT 1 1000"));
        }
        hints.push(format!("-p {primary} INFO replication"));
    }
    if let Some(replica) = port(false) {
        hints.extend([format!("-p {replica} GET greeting"), format!("-p {replica} ROLE")]);
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replica(primary: u16, link_is_up: bool) -> Option<Facts> {
        Some(Facts { role: Role::Replica { primary, link_is_up }, ..Facts::default() })
    }

    fn primary(online: usize) -> Option<Facts> {
        Some(Facts { role: Role::Primary { online }, ..Facts::default() })
    }

    #[test]
    fn replicas_are_told_whom_to_follow() {
        let nodes = nodes(&Sizes { base_port: 9000, ..RECIPE.sizes }).unwrap();
        let names: Vec<(&str, u16)> = nodes.iter().map(|node| (node.name.as_str(), node.port)).collect();
        assert_eq!(names, [("primary", 9000), ("replica-1", 9001), ("replica-2", 9002)]);
        assert_eq!(nodes[0].directives.len(), 0);
        assert_eq!(nodes[2].directives, ["replicaof 127.0.0.1 9000"]);
        assert!(super::nodes(&Sizes { primaries: 2, ..RECIPE.sizes }).is_err());
    }

    #[test]
    fn it_is_formed_when_every_link_is_up_on_both_sides() {
        let nodes = nodes(&RECIPE.sizes).unwrap();
        let lacking = |facts: [Option<Facts>; 3]| -> Vec<usize> {
            (0..3).filter(|&at| facts[at].is_none() || lacks(at, &nodes, &facts).is_some()).collect()
        };
        assert_eq!(lacking([primary(0), None, None]), [0, 1, 2]);
        assert_eq!(lacking([primary(1), replica(7000, true), replica(7000, false)]), [0, 2]);
        assert_eq!(lacking([primary(1), replica(7000, true), replica(7000, true)]), [0]);
        assert!(lacking([primary(2), replica(7000, true), replica(7000, true)]).is_empty());
        // After a failover by hand.
        assert!(lacking([replica(7001, true), primary(1), primary(0)]).is_empty());
    }

    #[test]
    fn hints_follow_the_roles() {
        let nodes = nodes(&Sizes { replicas: 1, ..RECIPE.sizes }).unwrap();
        let hints = hints(&nodes, &[replica(7001, true), primary(1)]);
        assert_eq!((hints[0].as_str(), hints[3].as_str()), ("-p 7001 SET greeting hello", "-p 7000 GET greeting"));
    }
}
