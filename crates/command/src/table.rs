//! The rows of every command and subcommand, one file per subject.
//!
//! Names, arities, flags, key specs and grammars are those of Valkey 9.1, and a test compares them with a
//! real server's `COMMAND` when one is given. A row's place in [`rows`] is its [`crate::RowId`]; it may
//! change from version to version and is written nowhere.

mod acl;
mod bitmap;
mod client;
mod cluster;
mod cluster_slots;
mod command;
mod config;
mod connection;
mod expire;
mod geo;
mod hash;
mod hyperloglog;
mod keys;
mod list;
mod multi;
mod observe;
mod pubsub;
mod replication;
mod script;
mod sentinel;
mod server;
mod set;
mod stream;
mod stream_group;
mod string;
mod zset;
mod zset_algebra;
mod zset_range;

use crate::row::Row;

static SUBJECTS: &[&[Row]] = &[
    string::ROWS,
    bitmap::ROWS,
    hyperloglog::ROWS,
    list::ROWS,
    set::ROWS,
    hash::ROWS,
    zset::ROWS,
    zset_range::ROWS,
    zset_algebra::ROWS,
    geo::ROWS,
    stream::ROWS,
    stream_group::ROWS,
    keys::ROWS,
    expire::ROWS,
    multi::ROWS,
    pubsub::ROWS,
    script::ROWS,
    connection::ROWS,
    client::ROWS,
    acl::ROWS,
    command::ROWS,
    config::ROWS,
    observe::ROWS,
    server::ROWS,
    replication::ROWS,
    cluster::ROWS,
    cluster_slots::ROWS,
    sentinel::ROWS,
];

/// Every row; containers before their subcommands.
pub fn rows() -> impl Iterator<Item = &'static Row> + Clone {
    SUBJECTS.iter().flat_map(|subject| subject.iter())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::keyspec::KeyFlags;
    use crate::row::{Arg, ArgKind, Flags};

    #[test]
    fn full_names_are_unique_and_lower_case() {
        let mut seen = HashSet::new();
        for row in rows() {
            assert!(seen.insert(row.fullname), "{} twice", row.fullname);
            assert_eq!(row.fullname, row.fullname.to_ascii_lowercase());
            assert!(row.parent().is_none_or(|parent| seen.contains(parent)), "{} before its container", row.fullname);
        }
        assert_eq!(seen.len(), 426);
    }

    #[test]
    fn summaries_are_short_sentences_without_a_full_stop() {
        for row in rows() {
            assert!((5..100).contains(&row.summary.len()), "{}: {}", row.fullname, row.summary);
            assert!(!row.summary.ends_with('.'), "{}", row.fullname);
        }
    }

    #[test]
    fn flags_do_not_contradict_each_other() {
        for row in rows() {
            assert!(!(row.has(Flags::WRITE) && row.has(Flags::READONLY)), "{}", row.fullname);
            assert!(!row.has(Flags::ONLY_SENTINEL) || row.has(Flags::SENTINEL), "{}", row.fullname);
            // A reader's keys are not changed; that a writer's may be marked RO, XREADGROUP shows.
            let changes = KeyFlags::of(&[KeyFlags::OW, KeyFlags::RM]);
            let changing = row.key_specs.iter().any(|spec| spec.flags.intersects(changes));
            assert!(!(row.has(Flags::READONLY) && changing), "{} changes a key", row.fullname);
        }
    }

    #[test]
    fn keys_in_the_grammar_belong_to_a_spec() {
        fn check(row: &Row, args: &[Arg], used: &mut HashSet<u8>) {
            for arg in args {
                if let Some(spec) = arg.key_spec {
                    assert!(usize::from(spec) < row.key_specs.len(), "{}: {}", row.fullname, arg.name);
                    used.insert(spec);
                }
                assert_eq!(matches!(arg.kind, ArgKind::OneOf | ArgKind::Block), !arg.args.is_empty());
                check(row, arg.args, used);
            }
        }
        for row in rows() {
            let mut used = HashSet::new();
            check(row, row.args, &mut used);
            let real = row.key_specs.iter().filter(|spec| !spec.flags.contains(KeyFlags::NOT_KEY)).count();
            assert!(used.len() >= real, "{} has keys that its grammar does not show", row.fullname);
        }
    }
}
