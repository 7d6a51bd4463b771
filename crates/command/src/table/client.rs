//! `CLIENT` and its subcommands.

use crate::row::arg::{integer, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("client", Group::Connection, "2.4.0", -2)
        .summary("Commands about connections")
        .complexity("As the subcommand.")
        .flags(&[F::SENTINEL]),
    Row::new("client|caching", Group::Connection, "6.0.0", 3)
        .summary("Say whether the keys of the next command are tracked")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[oneof("mode", &[word("yes", "YES"), word("no", "NO")])]),
    Row::new("client|capa", Group::Connection, "8.0.0", -3)
        .summary("Tell the server what this client can handle")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE])
        .categories(&[C::CONNECTION])
        .args(&[string("capability").multiple()]),
    Row::new("client|getname", Group::Connection, "2.6.9", 2)
        .summary("Tell this connection's name")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("client|getredir", Group::Connection, "6.0.0", 2)
        .summary("Tell which client gets this connection's invalidations")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("client|help", Group::Connection, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("client|id", Group::Connection, "5.0.0", 2)
        .summary("Tell this connection's id")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("client|import-source", Group::Connection, "8.1.0", 3)
        .summary("Mark this connection as the source of an import")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE])
        .categories(&[C::CONNECTION])
        .args(&[oneof("enabled", &[word("on", "ON"), word("off", "OFF")])]),
    Row::new("client|info", Group::Connection, "6.2.0", 2)
        .summary("Describe this connection")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .tips(&["nondeterministic_output"]),
    Row::new("client|kill", Group::Connection, "2.4.0", -3)
        .summary("Close connections")
        .complexity("O(N), N = client connections.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[oneof(
            "filter",
            &[
                string("old-format").deprecated_since("2.8.12").display("ip:port"),
                oneof(
                    "new-format",
                    &[
                        integer("client-id").token("ID").optional().multiple().since("2.8.12"),
                        oneof(
                            "client-type",
                            &[
                                word("normal", "NORMAL"),
                                word("master", "MASTER").since("3.2.0"),
                                word("primary", "PRIMARY").since("8.0.0"),
                                word("slave", "SLAVE"),
                                word("replica", "REPLICA").since("5.0.0"),
                                word("pubsub", "PUBSUB"),
                            ],
                        )
                        .token("TYPE")
                        .optional()
                        .since("2.8.12"),
                        string("username").token("USER").optional(),
                        string("addr").token("ADDR").optional().display("ip:port"),
                        string("laddr").token("LADDR").optional().since("6.2.0").display("ip:port"),
                        oneof("skipme", &[word("yes", "YES"), word("no", "NO")]).token("SKIPME").optional(),
                        integer("maxage").token("MAXAGE").optional().since("8.0.0"),
                        string("name").token("NAME").optional().since("9.0.0"),
                        integer("idle").token("IDLE").optional().since("9.0.0"),
                        string("flags").token("FLAGS").optional().since("9.0.0"),
                        string("lib-name").token("LIB-NAME").optional().since("9.0.0"),
                        string("lib-ver").token("LIB-VER").optional().since("9.0.0"),
                        integer("db").token("DB").optional().since("9.0.0"),
                        string("capa").token("CAPA").optional().since("9.0.0"),
                        string("ip").token("IP").optional().since("9.0.0"),
                        oneof(
                            "not-client-type",
                            &[
                                word("normal", "NORMAL"),
                                word("master", "MASTER"),
                                word("primary", "PRIMARY"),
                                word("slave", "SLAVE"),
                                word("replica", "REPLICA"),
                                word("pubsub", "PUBSUB"),
                            ],
                        )
                        .token("NOT-TYPE")
                        .optional()
                        .since("9.0.0"),
                        integer("not-client-id").token("NOT-ID").optional().multiple().since("9.0.0"),
                        string("not-username").token("NOT-USER").optional().since("9.0.0"),
                        string("not-addr").token("NOT-ADDR").optional().since("9.0.0").display("ip:port"),
                        string("not-laddr").token("NOT-LADDR").optional().since("9.0.0").display("ip:port"),
                        string("not-name").token("NOT-NAME").optional().since("9.0.0"),
                        string("not-flags").token("NOT-FLAGS").optional().since("9.0.0"),
                        string("not-lib-name").token("NOT-LIB-NAME").optional().since("9.0.0"),
                        string("not-lib-ver").token("NOT-LIB-VER").optional().since("9.0.0"),
                        integer("not-db").token("NOT-DB").optional().since("9.0.0"),
                        string("not-capa").token("NOT-CAPA").optional().since("9.0.0"),
                        string("not-ip").token("NOT-IP").optional().since("9.0.0"),
                    ],
                )
                .multiple(),
            ],
        )])
        .history(&[
            ("2.8.12", "New: filter format."),
            ("2.8.12", "New: `ID` option."),
            ("3.2.0", "New: `master` type in for `TYPE` option."),
            ("5.0.0", "`TYPE` knows `replica`; `slave` still means the same."),
            ("6.2.0", "New: `LADDR` option."),
            ("8.0.0", "New: `MAXAGE` option."),
            ("8.0.0", "`TYPE` knows `primary`; `master` still means the same."),
            ("8.1.0", "`ID` takes several IDs."),
            (
                "9.0.0",
                "New filters: NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, IP; and every filter negated with NOT-.",
            ),
        ]),
    Row::new("client|list", Group::Connection, "2.4.0", -2)
        .summary("Describe connections")
        .complexity("O(N), N = client connections.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[
            oneof(
                "client-type",
                &[
                    word("normal", "NORMAL"),
                    word("master", "MASTER"),
                    word("replica", "REPLICA"),
                    word("pubsub", "PUBSUB"),
                ],
            )
            .token("TYPE")
            .optional()
            .since("5.0.0"),
            integer("client-id").token("ID").optional().multiple().since("6.2.0"),
            string("username").token("USER").optional().since("8.1.0"),
            string("addr").token("ADDR").optional().since("8.1.0").display("ip:port"),
            string("laddr").token("LADDR").optional().since("8.1.0").display("ip:port"),
            oneof("skipme", &[word("yes", "YES"), word("no", "NO")]).token("SKIPME").optional().since("8.1.0"),
            integer("maxage").token("MAXAGE").optional().since("8.1.0"),
            string("name").token("NAME").optional().since("9.0.0"),
            integer("idle").token("IDLE").optional().since("9.0.0"),
            string("flags").token("FLAGS").optional().since("9.0.0"),
            string("lib-name").token("LIB-NAME").optional().since("9.0.0"),
            string("lib-ver").token("LIB-VER").optional().since("9.0.0"),
            integer("db").token("DB").optional().since("9.0.0"),
            string("capa").token("CAPA").optional().since("9.0.0"),
            string("ip").token("IP").optional().since("9.0.0"),
            oneof(
                "not-client-type",
                &[
                    word("normal", "NORMAL"),
                    word("master", "MASTER"),
                    word("replica", "REPLICA"),
                    word("pubsub", "PUBSUB"),
                ],
            )
            .token("NOT-TYPE")
            .optional()
            .since("9.0.0"),
            integer("not-client-id").token("NOT-ID").optional().multiple().since("9.0.0"),
            string("not-username").token("NOT-USER").optional().since("9.0.0"),
            string("not-addr").token("NOT-ADDR").optional().since("9.0.0").display("ip:port"),
            string("not-laddr").token("NOT-LADDR").optional().since("9.0.0").display("ip:port"),
            string("not-name").token("NOT-NAME").optional().since("9.0.0"),
            string("not-flags").token("NOT-FLAGS").optional().since("9.0.0"),
            string("not-lib-name").token("NOT-LIB-NAME").optional().since("9.0.0"),
            string("not-lib-ver").token("NOT-LIB-VER").optional().since("9.0.0"),
            integer("not-db").token("NOT-DB").optional().since("9.0.0"),
            string("not-capa").token("NOT-CAPA").optional().since("9.0.0"),
            string("not-ip").token("NOT-IP").optional().since("9.0.0"),
        ])
        .tips(&["nondeterministic_output"])
        .history(&[
            ("2.8.12", "New: unique client `id` field."),
            ("5.0.0", "New: optional `TYPE` filter."),
            ("6.0.0", "New: `user` field."),
            ("6.2.0", "New: `argv-mem`, `tot-mem`, `laddr` and `redir` fields and the optional `ID` filter."),
            ("7.0.0", "New: `resp`, `multi-mem`, `rbs` and `rbp` fields."),
            ("7.0.3", "New: `ssub` field."),
            ("8.0.0", "`TYPE` knows `primary`; `master` still means the same."),
            ("8.1.0", "New: filters USER, ADDR, LADDR, SKIPME, and MAXAGE."),
            (
                "9.0.0",
                "New filters: NAME, IDLE, FLAGS, LIB-NAME, LIB-VER, DB, CAPA, IP; and every filter negated with NOT-.",
            ),
        ]),
    Row::new("client|no-evict", Group::Connection, "7.0.0", 3)
        .summary("Exempt this connection from client eviction")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[oneof("enabled", &[word("on", "ON"), word("off", "OFF")])]),
    Row::new("client|no-touch", Group::Connection, "7.2.0", 3)
        .summary("Let reads of this connection leave access times alone")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE])
        .categories(&[C::CONNECTION])
        .args(&[oneof("enabled", &[word("on", "ON"), word("off", "OFF")])]),
    Row::new("client|pause", Group::Connection, "3.0.0", -3)
        .summary("Hold back the commands of all clients for a while")
        .complexity("O(1)")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[
            integer("timeout"),
            oneof("mode", &[word("write", "WRITE"), word("all", "ALL")]).optional().since("6.2.0"),
        ])
        .history(&[("6.2.0", "New: `mode`, with WRITE.")]),
    Row::new("client|reply", Group::Connection, "3.2.0", 3)
        .summary("Turn replies to this connection off and on")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::NO_MULTI, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[oneof("action", &[word("on", "ON"), word("off", "OFF"), word("skip", "SKIP")])]),
    Row::new("client|setinfo", Group::Connection, "7.2.0", 4)
        .summary("Record a library's name or version for this connection")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[oneof("attr", &[string("libname").token("LIB-NAME"), string("libver").token("LIB-VER")])])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("client|setname", Group::Connection, "2.6.9", 3)
        .summary("Name this connection")
        .complexity("O(1)")
        .flags(&[F::ALLOW_BUSY, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[string("connection-name")])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("client|tracking", Group::Connection, "6.0.0", -3)
        .summary("Turn invalidation messages for this connection on or off")
        .complexity("O(1), more with some options.")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[
            oneof("status", &[word("on", "ON"), word("off", "OFF")]),
            integer("client-id").token("REDIRECT").optional(),
            string("prefix").token("PREFIX").optional().multiple_token(),
            word("bcast", "BCAST").optional(),
            word("optin", "OPTIN").optional(),
            word("optout", "OPTOUT").optional(),
            word("noloop", "NOLOOP").optional(),
        ]),
    Row::new("client|trackinginfo", Group::Connection, "6.2.0", 2)
        .summary("Tell how this connection tracks keys")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
    Row::new("client|unblock", Group::Connection, "5.0.0", -3)
        .summary("Wake up a client that waits in a blocking command")
        .complexity("O(log N), N = client connections.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION])
        .args(&[
            integer("client-id"),
            oneof("unblock-type", &[word("timeout", "TIMEOUT"), word("error", "ERROR")]).optional(),
        ]),
    Row::new("client|unpause", Group::Connection, "6.2.0", 2)
        .summary("End CLIENT PAUSE")
        .complexity("O(N), N = paused clients.")
        .flags(&[F::ADMIN, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .categories(&[C::CONNECTION]),
];
