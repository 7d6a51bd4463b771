//! Every page of the commands, against our server and against a real one.

use conformance::{Failure, Runner, Spec, all_pages, bless, data_pages};
use e2e::{Program, absent};
use std::path::{Path, PathBuf};

fn own_page() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/runner.md")
}

#[track_caller]
fn assert_none(failures: &[Failure]) {
    let text: String = failures.iter().map(|failure| format!("{failure}\n")).collect();
    assert!(failures.is_empty(), "{} failures\n{text}", failures.len());
}

fn run(program: &Program, specs: &[Spec]) {
    let mut runner = Runner::start(program);
    let failures: Vec<Failure> = specs.iter().flat_map(|spec| runner.check(spec)).collect();
    assert_none(&failures);
}

#[test]
fn the_specs_hold_on_our_server() {
    run(&Program::ours(), &all_pages());
}

#[test]
fn the_specs_hold_on_valkey() {
    match Program::valkey() {
        Some(valkey) => run(&valkey, &all_pages()),
        None => absent("RUBELLITE_PEERS names no folder with bin/valkey-server"),
    }
}

/// What a Valkey that is a node of a cluster does as the page says, ours does, too.
#[test]
fn the_specs_hold_on_a_node_of_a_cluster() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-server");
    };
    let (mut theirs, mut ours) = (Runner::start_node(&valkey), Runner::start_node(&Program::ours()));
    let (mut all, mut held) = (0, 0);
    let mut failures = Vec::new();
    for spec in data_pages() {
        for chain in spec.chains.iter().filter(|chain| !chain.options.ours_only) {
            all += 1;
            if theirs.fits_a_cluster(chain) && theirs.check_chain(&spec, chain).is_empty() {
                held += 1;
                failures.extend(ours.check_chain(&spec, chain));
            }
        }
    }
    assert_none(&failures);
    assert!(held * 2 > all, "only {held} of {all} chains could be tried");
}

#[test]
fn the_notation_works() {
    run(&Program::ours(), &[Spec::read(&own_page())]);
}

#[test]
fn a_difference_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("wrong.md");
    let text = "```transcript resp=2\n> SET k v\nKO\neffects: DEL k\nevents: del k\n> GET k\n\"w\"\n> EXISTS k\n(integer) 1\n```\n";
    std::fs::write(&page, text).unwrap();
    let failures = Runner::start(&Program::ours()).check(&Spec::read(&page));
    let seen: Vec<(usize, &str)> = failures.iter().map(|f| (f.line, f.what)).collect();
    let expected =
        [(2, "the reply differs"), (2, "the effects differ"), (2, "the events differ"), (6, "the reply differs")];
    assert_eq!(seen, expected);
}

#[test]
fn a_real_server_fills_in_what_is_missing() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-server");
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("empty.md");
    let before = "prose\n```transcript\n> RPUSH l a b\neffects: ?\n# a remark\n> LRANGE l 0 -1\n> PTTL l\n(integer) <int>\n> GET l\nwrong\n```\nmore\n";
    let after = "prose\n```transcript\n> RPUSH l a b\n(integer) 2\neffects: RPUSH l a b\n# a remark\n> LRANGE l 0 -1\n1) \"a\"\n2) \"b\"\n> PTTL l\n(integer) <int>\n> GET l\n(error) WRONGTYPE Operation against a key holding the wrong kind of value\n```\nmore\n";
    std::fs::write(&page, before).unwrap();
    let mut runner = Runner::start(&valkey);
    assert_eq!(bless(&mut runner, &Spec::read(&page)).as_deref(), Some(after));
    std::fs::write(&page, after).unwrap();
    assert_eq!(bless(&mut runner, &Spec::read(&page)), None);
}
