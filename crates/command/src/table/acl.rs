//! `ACL` and its subcommands.

use crate::row::arg::{integer, oneof, string, word};
use crate::row::{Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("acl", Group::Server, "6.0.0", -2)
        .summary("Commands about users and what they may do")
        .complexity("As the subcommand.")
        .flags(&[F::SENTINEL]),
    Row::new("acl|cat", Group::Server, "6.0.0", -2)
        .summary("List the categories, or the commands of one")
        .complexity("O(1), as categories and commands are fixed.")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[string("category").optional()]),
    Row::new("acl|deluser", Group::Server, "6.0.0", -3)
        .summary("Delete users and close their connections")
        .complexity("O(1) for a user of usual size.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[string("username").multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("acl|dryrun", Group::Server, "7.0.0", -4)
        .summary("Tell whether a user could run a command")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[string("username"), string("command"), string("arg").optional().multiple()]),
    Row::new("acl|genpass", Group::Server, "6.0.0", -2)
        .summary("Make up a strong password")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[integer("bits").optional()]),
    Row::new("acl|getuser", Group::Server, "6.0.0", 3)
        .summary("Describe a user")
        .complexity("O(N), N = password, command and pattern rules that the user has.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[string("username")])
        .history(&[
            ("6.2.0", "New: Pub/Sub channel patterns."),
            ("7.0.0", "Shows selectors; key and channel patterns are shown as rules."),
            ("9.1.0", "New: database permission rules."),
        ]),
    Row::new("acl|help", Group::Server, "6.0.0", 2).summary("Explain the subcommands").complexity("O(1)").flags(&[
        F::LOADING,
        F::STALE,
        F::SENTINEL,
    ]),
    Row::new("acl|list", Group::Server, "6.0.0", 2)
        .summary("Show all users as lines of an ACL file")
        .complexity("O(N), N = configured users.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL]),
    Row::new("acl|load", Group::Server, "6.0.0", 2)
        .summary("Read the ACL file again")
        .complexity("O(N), N = configured users.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL]),
    Row::new("acl|log", Group::Server, "6.0.0", -2)
        .summary("Show what was denied recently")
        .complexity("O(N), N = entries shown.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[oneof("operation", &[integer("count"), word("reset", "RESET")]).optional()])
        .history(&[("7.2.0", "New: entry ID, timestamp created, and timestamp last updated.")]),
    Row::new("acl|save", Group::Server, "6.0.0", 2)
        .summary("Write the ACL file")
        .complexity("O(N), N = configured users.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("acl|setuser", Group::Server, "6.0.0", -3)
        .summary("Create a user or change what it may do")
        .complexity("O(N), N = rules provided.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .args(&[string("username"), string("rule").optional().multiple()])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .history(&[
            ("6.2.0", "New: Pub/Sub channel patterns."),
            ("7.0.0", "New: selectors and key based permissions."),
            ("9.1.0", "New: database permission rules."),
        ]),
    Row::new("acl|users", Group::Server, "6.0.0", 2)
        .summary("List the names of users")
        .complexity("O(N), N = configured users.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL]),
    Row::new("acl|whoami", Group::Server, "6.0.0", 2)
        .summary("Tell this connection's user")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL]),
];
