//! `COMMAND` and its subcommands.

use crate::row::arg::{oneof, pattern, string};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("command", Group::Server, "2.8.13", -1)
        .summary("Describe all commands")
        .complexity("O(N), N = commands.")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .tips(&["nondeterministic_output_order"]),
    Row::new("command|count", Group::Server, "2.8.13", 2)
        .summary("Count the commands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("command|docs", Group::Server, "7.0.0", -2)
        .summary("Document commands")
        .complexity("O(N), N = commands to look up.")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[string("command-name").optional().multiple()])
        .tips(&["nondeterministic_output_order"]),
    Row::new("command|getkeys", Group::Server, "2.8.13", -3)
        .summary("Tell which arguments of a command are keys")
        .complexity("O(N), N = arguments to the command.")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[string("command"), string("arg").optional().multiple()]),
    Row::new("command|getkeysandflags", Group::Server, "7.0.0", -3)
        .summary("Tell which arguments are keys and what happens to them")
        .complexity("O(N), N = arguments to the command.")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[string("command"), string("arg").optional().multiple()]),
    Row::new("command|help", Group::Server, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("command|info", Group::Server, "2.8.13", -2)
        .summary("Describe some commands")
        .complexity("O(N), N = commands to look up.")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[string("command-name").optional().multiple()])
        .tips(&["nondeterministic_output_order"])
        .history(&[("7.0.0", "Without arguments it describes all commands.")]),
    Row::new("command|list", Group::Server, "7.0.0", -2)
        .summary("List command names")
        .complexity("O(N), N = commands.")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[oneof(
            "filterby",
            &[
                string("module-name").token("MODULE"),
                string("category").token("ACLCAT"),
                pattern("pattern").token("PATTERN"),
            ],
        )
        .token("FILTERBY")
        .optional()])
        .tips(&["nondeterministic_output_order"]),
];
