//! Scripts and functions.

use crate::keyspec::{KeyFlags as K, KeySpec};
use crate::row::arg::{integer, key, oneof, string, word};
use crate::row::{Categories as C, Flags as F, Group, Row};

pub static ROWS: &[Row] = &[
    Row::new("eval", Group::Scripting, "2.6.0", -3)
        .summary("Run a script")
        .complexity("As the script.")
        .flags(&[F::NOSCRIPT, F::SKIP_MONITOR, F::MAY_REPLICATE, F::NO_MANDATORY_KEYS, F::STALE])
        .categories(&[C::SCRIPTING])
        .keys(&[KeySpec::at(2)
            .keynum(0, 1, 1)
            .flags(&[K::RW, K::ACCESS, K::UPDATE])
            .notes("The script may do anything with its keys, so RW and UPDATE are assumed")])
        .args(&[
            string("script"),
            integer("numkeys"),
            key("key", 0).optional().multiple(),
            string("arg").optional().multiple(),
        ]),
    Row::new("eval_ro", Group::Scripting, "7.0.0", -3)
        .summary("Run a script that only reads")
        .complexity("As the script.")
        .flags(&[F::NOSCRIPT, F::SKIP_MONITOR, F::NO_MANDATORY_KEYS, F::STALE, F::READONLY])
        .categories(&[C::SCRIPTING])
        .keys(&[KeySpec::at(2)
            .keynum(0, 1, 1)
            .flags(&[K::RO, K::ACCESS])
            .notes("The script may read its keys in any way, so RO and ACCESS are assumed")])
        .args(&[
            string("script"),
            integer("numkeys"),
            key("key", 0).optional().multiple(),
            string("arg").optional().multiple(),
        ]),
    Row::new("evalsha", Group::Scripting, "2.6.0", -3)
        .summary("Run a cached script, named by its SHA1")
        .complexity("As the script.")
        .flags(&[F::NOSCRIPT, F::SKIP_MONITOR, F::MAY_REPLICATE, F::NO_MANDATORY_KEYS, F::STALE])
        .categories(&[C::SCRIPTING])
        .keys(&[KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RW, K::ACCESS, K::UPDATE])])
        .args(&[
            string("sha1"),
            integer("numkeys"),
            key("key", 0).optional().multiple(),
            string("arg").optional().multiple(),
        ]),
    Row::new("evalsha_ro", Group::Scripting, "7.0.0", -3)
        .summary("Run a cached script that only reads, named by its SHA1")
        .complexity("As the script.")
        .flags(&[F::NOSCRIPT, F::SKIP_MONITOR, F::NO_MANDATORY_KEYS, F::STALE, F::READONLY])
        .categories(&[C::SCRIPTING])
        .keys(&[KeySpec::at(2).keynum(0, 1, 1).flags(&[K::RO, K::ACCESS])])
        .args(&[
            string("sha1"),
            integer("numkeys"),
            key("key", 0).optional().multiple(),
            string("arg").optional().multiple(),
        ]),
    Row::new("fcall", Group::Scripting, "7.0.0", -3)
        .summary("Call a function")
        .complexity("As the function.")
        .flags(&[F::NOSCRIPT, F::SKIP_MONITOR, F::MAY_REPLICATE, F::NO_MANDATORY_KEYS, F::STALE])
        .categories(&[C::SCRIPTING])
        .keys(&[KeySpec::at(2)
            .keynum(0, 1, 1)
            .flags(&[K::RW, K::ACCESS, K::UPDATE])
            .notes("The script may do anything with its keys, so RW and UPDATE are assumed")])
        .args(&[
            string("function"),
            integer("numkeys"),
            key("key", 0).optional().multiple(),
            string("arg").optional().multiple(),
        ]),
    Row::new("fcall_ro", Group::Scripting, "7.0.0", -3)
        .summary("Call a function that only reads")
        .complexity("As the function.")
        .flags(&[F::NOSCRIPT, F::SKIP_MONITOR, F::NO_MANDATORY_KEYS, F::STALE, F::READONLY])
        .categories(&[C::SCRIPTING])
        .keys(&[KeySpec::at(2)
            .keynum(0, 1, 1)
            .flags(&[K::RO, K::ACCESS])
            .notes("The script may read its keys in any way, so RO and ACCESS are assumed")])
        .args(&[
            string("function"),
            integer("numkeys"),
            key("key", 0).optional().multiple(),
            string("arg").optional().multiple(),
        ]),
    Row::new("function", Group::Scripting, "7.0.0", -2)
        .summary("Commands about libraries of functions")
        .complexity("As the subcommand."),
    Row::new("function|delete", Group::Scripting, "7.0.0", 3)
        .summary("Delete a library")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::WRITE])
        .categories(&[C::SCRIPTING])
        .args(&[string("library-name")])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Row::new("function|dump", Group::Scripting, "7.0.0", 2)
        .summary("Serialize all libraries")
        .complexity("O(N), N = functions.")
        .flags(&[F::NOSCRIPT])
        .categories(&[C::SCRIPTING]),
    Row::new("function|flush", Group::Scripting, "7.0.0", -2)
        .summary("Delete all libraries")
        .complexity("O(N), N = functions deleted.")
        .flags(&[F::NOSCRIPT, F::WRITE])
        .categories(&[C::SCRIPTING])
        .args(&[oneof("flush-type", &[word("async", "ASYNC"), word("sync", "SYNC")]).optional()])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Row::new("function|help", Group::Scripting, "7.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .categories(&[C::SCRIPTING]),
    Row::new("function|kill", Group::Scripting, "7.0.0", 2)
        .summary("Stop the function that is running")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::ALLOW_BUSY])
        .categories(&[C::SCRIPTING])
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    Row::new("function|list", Group::Scripting, "7.0.0", -2)
        .summary("Describe libraries")
        .complexity("O(N), N = functions.")
        .flags(&[F::NOSCRIPT])
        .categories(&[C::SCRIPTING])
        .args(&[
            string("library-name-pattern").token("LIBRARYNAME").optional(),
            word("withcode", "WITHCODE").optional(),
        ])
        .tips(&["nondeterministic_output_order"]),
    Row::new("function|load", Group::Scripting, "7.0.0", -3)
        .summary("Load a library")
        .complexity("O(1), not counting compilation.")
        .flags(&[F::NOSCRIPT, F::WRITE, F::DENYOOM])
        .categories(&[C::SCRIPTING])
        .args(&[word("replace", "REPLACE").optional(), string("function-code")])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Row::new("function|restore", Group::Scripting, "7.0.0", -3)
        .summary("Load the libraries that FUNCTION DUMP made")
        .complexity("O(N), N = functions on the payload.")
        .flags(&[F::NOSCRIPT, F::WRITE, F::DENYOOM])
        .categories(&[C::SCRIPTING])
        .args(&[
            string("serialized-value"),
            oneof("policy", &[word("flush", "FLUSH"), word("append", "APPEND"), word("replace", "REPLACE")]).optional(),
        ])
        .tips(&["request_policy:all_shards", "response_policy:all_succeeded"]),
    Row::new("function|stats", Group::Scripting, "7.0.0", 2)
        .summary("Describe the function that is running, and the engines")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::ALLOW_BUSY])
        .categories(&[C::SCRIPTING])
        .tips(&["nondeterministic_output", "request_policy:all_shards", "response_policy:special"]),
    Row::new("script", Group::Scripting, "2.6.0", -2)
        .summary("Commands about cached scripts")
        .complexity("As the subcommand."),
    Row::new("script|debug", Group::Scripting, "3.2.0", -3)
        .summary("Choose the debug mode of the scripts that follow")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT])
        .categories(&[C::SCRIPTING])
        .args(&[
            oneof("mode", &[word("yes", "YES"), word("sync", "SYNC"), word("no", "NO")]),
            string("engine").optional().since("9.1.0"),
        ]),
    Row::new("script|exists", Group::Scripting, "2.6.0", -3)
        .summary("Tell which scripts are cached")
        .complexity("O(N), N = scripts asked for.")
        .flags(&[F::NOSCRIPT, F::STALE])
        .categories(&[C::SCRIPTING])
        .args(&[string("sha1").multiple()])
        .tips(&["request_policy:all_shards", "response_policy:agg_logical_and"]),
    Row::new("script|flush", Group::Scripting, "2.6.0", -2)
        .summary("Empty the cache of scripts")
        .complexity("O(N), N = scripts in cache.")
        .flags(&[F::NOSCRIPT, F::STALE])
        .categories(&[C::SCRIPTING])
        .args(&[oneof("flush-type", &[word("async", "ASYNC"), word("sync", "SYNC")]).optional().since("6.2.0")])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"])
        .history(&[("6.2.0", "New: `ASYNC` and `SYNC` flushing mode modifiers.")]),
    Row::new("script|help", Group::Scripting, "5.0.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE])
        .categories(&[C::SCRIPTING]),
    Row::new("script|kill", Group::Scripting, "2.6.0", 2)
        .summary("Stop the script that is running")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::ALLOW_BUSY])
        .categories(&[C::SCRIPTING])
        .tips(&["request_policy:all_shards", "response_policy:one_succeeded"]),
    Row::new("script|load", Group::Scripting, "2.6.0", 3)
        .summary("Put a script into the cache")
        .complexity("O(N), N = length in bytes of the script body.")
        .flags(&[F::NOSCRIPT, F::STALE])
        .categories(&[C::SCRIPTING])
        .args(&[string("script")])
        .tips(&["request_policy:all_nodes", "response_policy:all_succeeded"]),
    Row::new("script|show", Group::Scripting, "8.0.0", 3)
        .summary("Show the text of a cached script")
        .complexity("O(1)")
        .flags(&[F::NOSCRIPT, F::STALE])
        .categories(&[C::SCRIPTING])
        .args(&[string("sha1")]),
];
