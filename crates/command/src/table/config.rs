//! `CONFIG`, `MODULE` and `DEBUG`.

use crate::row::arg::{block, string};
use crate::row::{Flags as F, Group, Row};
use crate::traits::Permit;

pub static ROWS: &[Row] = &[
    Row::new("config", Group::Server, "2.0.0", -2)
        .summary("Commands about the configuration")
        .complexity("As the subcommand."),
    Row::new("config|get", Group::Server, "2.0.0", -3)
        .summary("Read settings")
        .complexity("O(N), N = configuration parameters provided.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .args(&[string("parameter").multiple()])
        .history(&[("7.0.0", "Takes several patterns.")]),
    Row::new("config|help", Group::Server, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("config|resetstat", Group::Server, "2.0.0", 2)
        .summary("Set the statistics of INFO to zero")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("config|rewrite", Group::Server, "2.8.0", 2)
        .summary("Write the settings into the configuration file")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("config|set", Group::Server, "2.0.0", -4)
        .summary("Change settings")
        .complexity("O(N), N = configuration parameters provided.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .args(&[block("data", &[string("parameter"), string("value")]).multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .history(&[("7.0.0", "Takes several settings.")]),
    Row::new("debug", Group::Server, "1.0.0", -2)
        .summary("Tools of developers and test suites")
        .complexity("As the subcommand.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE])
        .permit(Permit::Debug)
        .syscmd(),
    Row::new("module", Group::Server, "4.0.0", -2).summary("Commands about modules").complexity("As the subcommand."),
    Row::new("module|help", Group::Server, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("module|list", Group::Server, "4.0.0", 2)
        .summary("List the loaded modules")
        .complexity("O(N), N = loaded modules.")
        .flags(&[F::ADMIN, F::NOSCRIPT])
        .tips(&["nondeterministic_output_order"]),
    Row::new("module|load", Group::Server, "4.0.0", -3)
        .summary("Load a module")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT])
        .permit(Permit::Modules)
        .args(&[string("path"), string("arg").optional().multiple()]),
    Row::new("module|loadex", Group::Server, "7.0.0", -3)
        .summary("Load a module with settings and arguments")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT])
        .permit(Permit::Modules)
        .args(&[
            string("path"),
            block("configs", &[string("name"), string("value")]).token("CONFIG").optional().multiple_token(),
            string("args").token("ARGS").optional().multiple(),
        ]),
    Row::new("module|unload", Group::Server, "4.0.0", 3)
        .summary("Unload a module")
        .complexity("O(1)")
        .flags(&[F::NO_ASYNC_LOADING, F::ADMIN, F::NOSCRIPT])
        .permit(Permit::Modules)
        .args(&[string("name")]),
];
