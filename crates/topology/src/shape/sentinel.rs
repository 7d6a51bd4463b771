//! One primary, its replicas, and three Sentinels that watch them: what a production installation has on three hosts.
//!
//! The servers are those of [`primary_replica`](super::primary_replica). A Sentinel is well when it reaches the primary and
//! knows all replicas and all other Sentinels; whichever server is the primary by then.

use super::{Recipe, Sizes, primary_replica};
use crate::facts::{Answers, Role};
use crate::node::{Node, Program};

pub const RECIPE: Recipe =
    Recipe { sizes: Sizes { base_port: 7000, primaries: 1, replicas: 2 }, nodes, form: None, lacks, hints };

/// The fewest that can lose one and still have a majority.
const SENTINELS: u16 = 3;

/// What clients call the primary.
const NAME: &str = "myprimary";

fn nodes(sizes: &Sizes) -> Result<Vec<Node>, String> {
    let count = u32::from(sizes.replicas) + 1 + u32::from(SENTINELS);
    // All ports are looked at before the first is given out.
    let ports: Vec<u16> = sizes.ports(count)?.collect();
    let mut nodes = primary_replica::nodes(sizes)?;
    let primary = sizes.base_port;
    let quorum = SENTINELS / 2 + 1;
    for (number, port) in (1..).zip(&ports[nodes.len()..]) {
        let node = Node::sentinel(&format!("sentinel-{number}"), *port)
            .with(&format!("sentinel monitor {NAME} 127.0.0.1 {primary} {quorum}"))
            .with(&format!("sentinel down-after-milliseconds {NAME} 5000"))
            .with(&format!("sentinel failover-timeout {NAME} 60000"));
        nodes.push(node);
    }
    Ok(nodes)
}

fn servers(nodes: &[Node]) -> usize {
    nodes.iter().filter(|node| node.program == Program::Server).count()
}

fn lacks(at: usize, nodes: &[Node], facts: &Answers) -> Option<String> {
    let servers = servers(nodes);
    if at < servers {
        return primary_replica::lacks(at, &nodes[..servers], &facts[..servers]);
    }
    let Role::Sentinel { replicas, sentinels, is_well, .. } = facts[at].as_ref()?.role else {
        return Some("is no Sentinel".to_owned());
    };
    let (all_replicas, all_sentinels) = (servers - 1, nodes.len() - servers);
    if !is_well {
        return Some("does not reach the primary".to_owned());
    }
    (replicas < all_replicas || sentinels < all_sentinels)
        .then(|| format!("knows {replicas} of {all_replicas} replicas, {sentinels} of {all_sentinels} Sentinels"))
}

fn hints(nodes: &[Node], facts: &Answers) -> Vec<String> {
    let Some(first) = nodes.get(servers(nodes)) else { return Vec::new() };
    let port = first.port;
    let primary = facts.iter().flatten().find_map(|facts| match facts.role {
        Role::Sentinel { primary, .. } => Some(primary),
        _ => None,
    });
    let mut hints = vec![format!("-p {port} SENTINEL GET-PRIMARY-ADDR-BY-NAME {NAME}")];
    hints.extend(primary.map(|primary| format!("-p {primary} SET greeting hello")));
    hints.push(format!("-p {port} SENTINEL FAILOVER {NAME}"));
    hints.push(format!("-p {port} SENTINEL REPLICAS {NAME}"));
    hints.push(format!("-p {port} SUBSCRIBE +switch-master"));
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Facts;

    fn all() -> Vec<Node> {
        nodes(&Sizes { base_port: 9000, ..RECIPE.sizes }).unwrap()
    }

    fn says(role: Role) -> Option<Facts> {
        Some(Facts { role, ..Facts::default() })
    }

    fn sentinel(primary: u16, replicas: usize, sentinels: usize) -> Option<Facts> {
        says(Role::Sentinel { primary, replicas, sentinels, is_well: true })
    }

    #[test]
    fn sentinels_come_behind_the_servers() {
        let nodes = all();
        let names: Vec<(&str, u16)> = nodes.iter().map(|node| (node.name.as_str(), node.port)).collect();
        let (servers, sentinels) = names.split_at(3);
        assert_eq!(servers, [("primary", 9000), ("replica-1", 9001), ("replica-2", 9002)]);
        assert_eq!(sentinels, [("sentinel-1", 9003), ("sentinel-2", 9004), ("sentinel-3", 9005)]);
        assert_eq!(nodes[5].directives[0], "sentinel monitor myprimary 127.0.0.1 9000 2");
        assert!(super::nodes(&Sizes { base_port: 65532, ..RECIPE.sizes }).is_err());
    }

    #[test]
    fn it_is_formed_when_everyone_knows_everyone() {
        let nodes = all();
        let replica = || says(Role::Replica { primary: 9001, link_is_up: true });
        let servers = || vec![replica(), says(Role::Primary { online: 2 }), replica()];
        let lacking = |sentinels: [Option<Facts>; 3]| -> Vec<usize> {
            let facts: Vec<Option<Facts>> = servers().into_iter().chain(sentinels).collect();
            (0..6).filter(|&at| facts[at].is_none() || lacks(at, &nodes, &facts).is_some()).collect()
        };
        let full = || sentinel(9001, 2, 3);
        assert_eq!(lacking([full(), None, sentinel(9001, 2, 2)]), [4, 5]);
        assert_eq!(lacking([sentinel(9001, 1, 3), full(), full()]), [3]);
        assert!(lacking([full(), full(), full()]).is_empty());
        let down = says(Role::Sentinel { primary: 9001, replicas: 2, sentinels: 3, is_well: false });
        assert_eq!(lacking([down, full(), full()]), [3]);
        let facts: Vec<Option<Facts>> = servers().into_iter().chain([full(), full(), full()]).collect();
        assert_eq!(hints(&nodes, &facts)[1], "-p 9001 SET greeting hello");
    }
}
