//! `SENTINEL` and its subcommands.

use crate::row::arg::{block, integer, oneof, pattern, string, word};
use crate::row::{Arg, ArgKind, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("sentinel", Group::Sentinel, "2.8.4", -2)
        .summary("Sentinel commands")
        .complexity("As the subcommand.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL]),
    Row::new("sentinel|ckquorum", Group::Sentinel, "2.8.4", 3)
        .summary("Tell whether enough Sentinels are there for a failover")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")]),
    Row::new("sentinel|config", Group::Sentinel, "6.2.0", -4)
        .summary("Read and change settings of this Sentinel")
        .complexity("O(N), N = configuration parameters provided.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[oneof(
            "action",
            &[
                block("set", &[string("parameter"), string("value")]).token("SET").multiple(),
                string("parameter").token("GET").multiple(),
            ],
        )])
        .history(&[("7.2.0", "Reads and changes several settings at once.")]),
    Row::new("sentinel|debug", Group::Sentinel, "7.0.0", -2)
        .summary("Read and change timings of this Sentinel")
        .complexity("O(N), N = configurable parameters.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[block("data", &[string("parameter"), string("value")]).optional().multiple()]),
    Row::new("sentinel|failover", Group::Sentinel, "2.8.4", -3)
        .summary("Let the primary hand over to a replica without asking other Sentinels")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[
            string("primary-name"),
            oneof("mode", &[word("coordinated", "COORDINATED").since("9.0.0"), word("force", "FORCE")]).optional(),
        ])
        .history(&[("9.0.0", "New: `COORDINATED` option.")]),
    Row::new("sentinel|flushconfig", Group::Sentinel, "2.8.4", 2)
        .summary("Write the configuration file now")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL]),
    Row::new("sentinel|get-master-addr-by-name", Group::Sentinel, "2.8.4", 3)
        .summary("Tell where a primary is, under the command's former name")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")])
        .deprecated("8.0.0", "`SENTINEL GET-PRIMARY-ADDR-BY-NAME`"),
    Row::new("sentinel|get-primary-addr-by-name", Group::Sentinel, "8.0.0", 3)
        .summary("Tell where a primary is")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")]),
    Row::new("sentinel|help", Group::Sentinel, "6.2.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL, F::ONLY_SENTINEL]),
    Row::new("sentinel|info-cache", Group::Sentinel, "3.2.0", -3)
        .summary("Show the last INFO of monitored servers")
        .complexity("O(N), N = instances.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("nodename").multiple()]),
    Row::new("sentinel|is-master-down-by-addr", Group::Sentinel, "2.8.4", 6)
        .summary("Ask for an opinion and a vote, under the command's former name")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("ip"), integer("port"), integer("current-epoch"), string("runid")])
        .deprecated("8.0.0", "`SENTINEL IS-PRIMARY-DOWN-BY-ADDR`"),
    Row::new("sentinel|is-primary-down-by-addr", Group::Sentinel, "8.0.0", 6)
        .summary("Ask for an opinion on a primary, and for a vote")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("ip"), integer("port"), integer("current-epoch"), string("runid")]),
    Row::new("sentinel|master", Group::Sentinel, "2.8.4", 3)
        .summary("Describe a primary, under the command's former name")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")])
        .deprecated("8.0.0", "`SENTINEL PRIMARY`"),
    Row::new("sentinel|masters", Group::Sentinel, "2.8.4", 2)
        .summary("Describe all primaries, under the command's former name")
        .complexity("O(N), N = primaries.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .deprecated("8.0.0", "`SENTINEL PRIMARIES`"),
    Row::new("sentinel|monitor", Group::Sentinel, "2.8.4", 6)
        .summary("Begin to watch a primary")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("name"), string("ip"), integer("port"), integer("quorum")]),
    Row::new("sentinel|myid", Group::Sentinel, "6.2.0", 2)
        .summary("Tell this Sentinel's id")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL]),
    Row::new("sentinel|pending-scripts", Group::Sentinel, "2.8.4", 2)
        .summary("List scripts that run or wait to run")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL]),
    Row::new("sentinel|primaries", Group::Sentinel, "8.0.0", 2)
        .summary("Describe all primaries")
        .complexity("O(N), N = primaries.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL]),
    Row::new("sentinel|primary", Group::Sentinel, "8.0.0", 3)
        .summary("Describe a primary")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")]),
    Row::new("sentinel|remove", Group::Sentinel, "2.8.4", 3)
        .summary("Stop watching a primary")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")]),
    Row::new("sentinel|replicas", Group::Sentinel, "5.0.0", 3)
        .summary("Describe the replicas of a primary")
        .complexity("O(N), N = replicas.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")]),
    Row::new("sentinel|reset", Group::Sentinel, "2.8.4", 3)
        .summary("Forget what is known about primaries that match a pattern")
        .complexity("O(N), N = monitored primaries.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[pattern("pattern")]),
    Row::new("sentinel|sentinels", Group::Sentinel, "2.8.4", 3)
        .summary("Describe the other Sentinels of a primary")
        .complexity("O(N), N = Sentinels.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")]),
    Row::new("sentinel|set", Group::Sentinel, "2.8.4", -5)
        .summary("Change settings of a watched primary")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name"), block("data", &[string("option"), string("value")]).multiple()]),
    Row::new("sentinel|simulate-failure", Group::Sentinel, "3.2.0", -3)
        .summary("Crash at a chosen moment of a failover")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[oneof(
            "mode",
            &[
                Arg::new("crash-after-election", ArgKind::PureToken),
                Arg::new("crash-after-promotion", ArgKind::PureToken),
                Arg::new("help", ArgKind::PureToken),
            ],
        )
        .optional()
        .multiple()]),
    Row::new("sentinel|slaves", Group::Sentinel, "2.8.0", 3)
        .summary("Describe the replicas of a primary, under the command's former name")
        .complexity("O(N), N = replicas.")
        .flags(&[F::ADMIN, F::SENTINEL, F::ONLY_SENTINEL])
        .args(&[string("primary-name")])
        .deprecated("5.0.0", "`SENTINEL REPLICAS`"),
];
