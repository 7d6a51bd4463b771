//! Connections: logging in, choosing protocol and database.

use crate::keyspec::Databases;
use crate::row::arg::{block, integer, string};
use crate::row::{Categories as C, Flags as F, Group, Row};
use crate::traits::Traits;

pub static ROWS: &[Row] = &[
    Row::new("auth", Group::Connection, "1.0.0", -2)
        .summary("Prove who is on this connection")
        .complexity("O(N), N = passwords defined for the user.")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH, F::SENTINEL, F::ALLOW_BUSY])
        .categories(&[C::CONNECTION])
        .args(&[string("username").optional().since("6.0.0"), string("password")])
        .history(&[("6.0.0", "New: ACL style (username and password).")]),
    Row::new("echo", Group::Connection, "1.0.0", 2)
        .summary("Return the argument")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::FAST])
        .categories(&[C::CONNECTION])
        .args(&[string("message")]),
    Row::new("hello", Group::Connection, "6.0.0", -1)
        .summary("Choose the protocol version, and log in on the way")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH, F::SENTINEL, F::ALLOW_BUSY])
        .categories(&[C::CONNECTION])
        .args(&[block(
            "arguments",
            &[
                integer("protover"),
                block("auth", &[string("username"), string("password")]).token("AUTH").optional(),
                string("clientname").token("SETNAME").optional(),
            ],
        )
        .optional()])
        .history(&[
            ("8.1.0", "Tells `availability_zone` when it is configured."),
            ("6.2.0", "`protover` may be left out."),
        ]),
    Row::new("ping", Group::Connection, "1.0.0", -1)
        .summary("Show that the server is there")
        .complexity("O(1)")
        .flags(&[F::FAST, F::SENTINEL])
        .traits(Traits::WHILE_SUBSCRIBED.union(Traits::TELLS_HEALTH))
        .categories(&[C::CONNECTION])
        .args(&[string("message").optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Row::new("quit", Group::Connection, "1.0.0", -1)
        .summary("Close this connection")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH])
        .traits(Traits::WHILE_SUBSCRIBED)
        .categories(&[C::CONNECTION]),
    Row::new("reset", Group::Connection, "6.2.0", 1)
        .summary("Bring this connection back to its first state")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::FAST, F::NO_AUTH, F::ALLOW_BUSY])
        .traits(Traits::WHILE_SUBSCRIBED)
        .categories(&[C::CONNECTION]),
    Row::new("select", Group::Connection, "1.0.0", 2)
        .summary("Choose the database of this connection")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::LOADING, F::STALE, F::FAST])
        .categories(&[C::CONNECTION])
        .databases(Databases::Select)
        .args(&[integer("index")]),
];
