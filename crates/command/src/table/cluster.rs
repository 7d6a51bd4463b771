//! `CLUSTER`: nodes and their roles; and what cluster clients say.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{block, integer, oneof, pattern, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("asking", Group::Cluster, "3.0.0", 1)
        .summary("Let the next command in although its slot is still being imported")
        .complexity("O(1)")
        .flags(&[F::FAST])
        .categories(&[C::CONNECTION]),
    Row::new("cluster", Group::Cluster, "3.0.0", -2).summary("Cluster commands").complexity("As the subcommand."),
    Row::new("cluster|bumpepoch", Group::Cluster, "3.0.0", 2)
        .summary("Raise this node's configuration epoch above all others")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|count-failure-reports", Group::Cluster, "3.0.0", 3)
        .summary("Count the nodes that report a node as failing")
        .complexity("O(N), N = failure reports.")
        .flags(&[F::ADMIN, F::STALE])
        .args(&[string("node-id")])
        .tips(&["nondeterministic_output"])
        .history(&[("9.0.0", "Reports about a node already marked as failed are no longer counted.")]),
    Row::new("cluster|failover", Group::Cluster, "3.0.0", -2)
        .summary("Let this replica take its primary's place")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[oneof("options", &[word("force", "FORCE"), word("takeover", "TAKEOVER")]).optional()]),
    Row::new("cluster|forget", Group::Cluster, "3.0.0", 3)
        .summary("Remove a node from this node's table of nodes")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[string("node-id")]),
    Row::new("cluster|help", Group::Cluster, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("cluster|info", Group::Cluster, "3.0.0", 2)
        .summary("Report on the cluster's state as this node sees it")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|links", Group::Cluster, "7.0.0", 2)
        .summary("List the connections of the cluster bus")
        .complexity("O(N), N = Cluster nodes.")
        .flags(&[F::STALE])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|meet", Group::Cluster, "3.0.0", -4)
        .summary("Introduce this node to another")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[string("ip"), integer("port"), integer("cluster-bus-port").optional().since("4.0.0")])
        .history(&[("4.0.0", "New: optional `cluster_bus_port` argument.")]),
    Row::new("cluster|myid", Group::Cluster, "3.0.0", 2)
        .summary("Tell this node's id")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("cluster|myshardid", Group::Cluster, "7.2.0", 2)
        .summary("Tell the id of this node's shard")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|nodes", Group::Cluster, "3.0.0", 2)
        .summary("List all known nodes in the format of the nodes file")
        .complexity("O(N), N = Cluster nodes.")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|replicas", Group::Cluster, "5.0.0", 3)
        .summary("List the replicas of a primary")
        .complexity("O(N), N = replicas.")
        .flags(&[F::ADMIN, F::STALE])
        .args(&[string("node-id")])
        .tips(&["nondeterministic_output"]),
    Row::new("cluster|replicate", Group::Cluster, "3.0.0", -3)
        .summary("Make this node a replica of another, or of none")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[oneof(
            "args",
            &[string("node-id"), block("no-one", &[word("no", "NO"), word("one", "ONE")]).since("9.0.0")],
        )])
        .history(&[("9.0.0", "New: NO ONE, which detaches a replica.")]),
    Row::new("cluster|reset", Group::Cluster, "3.0.0", -2)
        .summary("Make this node forget the cluster")
        .complexity("O(N), N = nodes known; may also delete all keys.")
        .flags(&[F::ADMIN, F::STALE, F::NOSCRIPT])
        .args(&[oneof("reset-type", &[word("hard", "HARD"), word("soft", "SOFT")]).optional()]),
    Row::new("cluster|saveconfig", Group::Cluster, "3.0.0", 2)
        .summary("Write the nodes file now")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE]),
    Row::new("cluster|set-config-epoch", Group::Cluster, "3.0.0", 3)
        .summary("Give a fresh node its first configuration epoch")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::STALE])
        .args(&[integer("config-epoch")]),
    Row::new("cluster|shards", Group::Cluster, "7.0.0", 2)
        .summary("List the shards with their slots and nodes")
        .complexity("O(N), N = cluster nodes.")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .history(&[("9.1.0", "New: shard level `id` field and node level `availability-zone` field.")]),
    Row::new("cluster|slaves", Group::Cluster, "3.0.0", 3)
        .summary("List the replicas of a primary, under the command's former name")
        .complexity("O(N), N = replicas.")
        .flags(&[F::ADMIN, F::STALE])
        .args(&[string("node-id")])
        .tips(&["nondeterministic_output"])
        .deprecated("5.0.0", "`CLUSTER REPLICAS`"),
    Row::new("cluster|slots", Group::Cluster, "3.0.0", 2)
        .summary("List the ranges of slots with the nodes that serve them")
        .complexity("O(N), N = Cluster nodes.")
        .flags(&[F::LOADING, F::STALE])
        .tips(&["nondeterministic_output"])
        .history(&[
            ("4.0.0", "New: node IDs."),
            ("7.0.0", "New: additional networking metadata field."),
            ("9.1.0", "New: `availability-zone` field inside the networking metadata."),
        ]),
    Row::new("clusterscan", Group::Cluster, "9.1.0", -2)
        .summary("Walk over the keys of the whole cluster, slot by slot")
        .complexity("O(N), N = elements returned.")
        .flags(&[F::READONLY, F::TOUCHES_ARBITRARY_KEYS])
        .categories(&[C::KEYSPACE])
        .keys(&[KeySpec::at(1).flags(&[K::NOT_KEY])])
        .args(&[
            string("cursor"),
            pattern("match-pattern").token("MATCH").optional(),
            integer("count").token("COUNT").optional(),
            string("type").token("TYPE").optional(),
            integer("slot").token("SLOT").optional(),
        ])
        .tips(&["nondeterministic_output", "request_policy:special", "response_policy:special"]),
    Row::new("readonly", Group::Cluster, "3.0.0", 1)
        .summary("Allow this connection to read slots from a replica")
        .complexity("O(1)")
        .flags(&[F::FAST, F::LOADING, F::STALE])
        .categories(&[C::CONNECTION]),
    Row::new("readwrite", Group::Cluster, "3.0.0", 1)
        .summary("Take back READONLY")
        .complexity("O(1)")
        .flags(&[F::FAST, F::LOADING, F::STALE])
        .categories(&[C::CONNECTION]),
];
