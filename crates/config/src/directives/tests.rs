//! What holds for every directive, and the table beside the peers'.

use super::*;
use crate::directive::Effect;
use crate::load::{Mode, Surroundings, load};
use crate::reason::Reason;
use crate::{Origin, query, set};
use std::collections::{BTreeMap, BTreeSet};

struct Nowhere;

impl Surroundings for Nowhere {
    fn include(&mut self, _: &[u8]) -> Result<Vec<u8>, Reason> {
        Ok(Vec::new())
    }
    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason> {
        Ok(path.to_vec())
    }
}

fn data(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[test]
fn names_are_unique_and_lower_case() {
    let mut seen = BTreeSet::new();
    for name in all().flat_map(Directive::names).chain(OBSOLETE.iter().copied()) {
        assert!(seen.insert(name), "{name} twice");
        assert!(
            name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)),
            "{name}"
        );
        assert!(OBSOLETE.contains(&name) || find(name.to_uppercase().as_bytes()).is_some());
    }
}

#[test]
fn every_directive_says_what_it_does() {
    for directive in all() {
        assert!(!directive.doc.is_empty(), "{} has no sentence", directive.name);
        if let Effect::Accepted(why) = directive.effect {
            assert!(why.ends_with('.') && why.len() > 10, "{}: {why:?}", directive.name);
        }
    }
}

#[test]
fn every_directive_of_the_peers_is_known() {
    const FILE_ONLY: [&str; 4] = ["include", "user", "rename-command", "loadmodule"];
    for name in data(include_str!("../../testdata/peer_directives.txt")) {
        let known = find(name.as_bytes()).is_some() || OBSOLETE.contains(&name) || FILE_ONLY.contains(&name);
        assert!(known, "{name}");
    }
}

#[test]
fn defaults_are_the_peers_but_for_those_named_here() {
    let ours: BTreeMap<&str, &str> =
        [("syslog-ident", "rubellite"), ("enable-debug-command", "restricted")].into_iter().collect();
    for line in data(include_str!("../../testdata/peer_defaults.txt")) {
        let (name, theirs) = line.split_once(' ').unwrap_or((line, ""));
        let shown = query::get(&Config::default(), &[name.as_bytes()]);
        let shown = String::from_utf8(shown[0].1.clone()).unwrap();
        match ours.get(name) {
            Some(own) => assert!(shown == *own && shown != theirs, "{name}"),
            None => assert_eq!(shown, theirs, "{name}"),
        }
    }
}

/// A value that differs from the default, found among texts of all kinds.
fn other_value(directive: &Directive) -> (Config, Vec<u8>) {
    let words = [
        "yes",
        "no",
        "1",
        "2",
        "3",
        "64",
        "70",
        "2048",
        "100000",
        "1mb",
        "3mb",
        "x.y",
        "no one",
        "a 1",
        "900 1",
        "1 2 3",
        "50",
        "127.0.0.1",
        "::1",
        "KEA",
        "nosave now",
    ];
    let names = [
        "debug",
        "json",
        "iso8601",
        "user",
        "local",
        "systemd",
        "always",
        "strict",
        "relaxed",
        "absolute",
        "swapdb",
        "panic",
        "hostname",
        "best-effort",
        "allchannels",
        "allkeys-lru",
        "clients",
        "optional",
        "URI",
        "normal 1mb 2mb 3",
    ];
    for text in words.iter().chain(&names) {
        let mut config = Config::default();
        let given: Vec<Vec<u8>> = if directive.takes_words() {
            text.split(' ').map(|word| word.as_bytes().to_vec()).collect()
        } else {
            vec![text.as_bytes().to_vec()]
        };
        if directive.set(&mut config, &given) == Ok(true) {
            return (config, text.as_bytes().to_vec());
        }
    }
    panic!("no other value for {}", directive.name);
}

#[test]
fn what_is_shown_sets_the_same_value_again() {
    for directive in all() {
        for config in [Config::default(), other_value(directive).0] {
            let shown = directive.show(&config);
            if directive.flags.immutable {
                continue;
            }
            let mut from = Config::default();
            from.security.enable_protected_configs = security::ProtectedAction::Yes;
            let update = set(&from, &[(directive.name.as_bytes(), &shown)], Origin::default());
            let update = update.unwrap_or_else(|why| panic!("{}: {why:?}", directive.name));
            assert_eq!(directive.show(&update.config), shown, "{}", directive.name);
        }
    }
}

#[test]
fn what_is_set_is_written_and_read_back() {
    for directive in all() {
        let (config, text) = other_value(directive);
        let written = crate::rewrite(b"", &config, &[], Mode::Server, false);
        let read = load(&written, Mode::Server, &mut Nowhere).unwrap_or_else(|why| panic!("{}: {why}", directive.name));
        assert!(directive.same(&read.config, &config), "{} {}", directive.name, String::from_utf8_lossy(&text));
        assert_eq!(read.config, config, "{}", directive.name);
        for name in directive.names() {
            let line = [name.as_bytes(), b" ", &text].concat();
            let read = load(&line, Mode::Server, &mut Nowhere).unwrap().config;
            assert_eq!(directive.show(&read), directive.show(&config), "{name}");
        }
    }
}

/// The two files with which the peers' suite starts every server, by their directives.
#[test]
fn the_suites_files_are_read() {
    let text = "always-show-logo yes\nnotify-keyspace-events KEA\ndaemonize no\npidfile /var/run/valkey.pid\n\
        port 6379\ntimeout 0\nbind 127.0.0.1\nloglevel verbose\nlogfile ''\ndatabases 16\nlatency-monitor-threshold 1\n\
        repl-diskless-sync-delay 0\nsave ''\nrdbcompression yes\ndbfilename dump.rdb\ndir ./\n\
        slave-serve-stale-data yes\nappendonly no\nappendfsync everysec\nno-appendfsync-on-rewrite no\n\
        activerehashing yes\nenable-protected-configs yes\nenable-debug-command yes\nenable-module-command yes\n\
        propagation-error-behavior panic\nshutdown-on-sigterm force\nenable-debug-assert yes\n\
        hide-user-data-from-log no\n";
    let config = load(text.as_bytes(), Mode::Server, &mut Nowhere).unwrap().config;
    assert!(config.snapshot.save.is_empty());
    assert_eq!(config.security.enable_debug_command, security::DebugCommand::Yes);
    assert!(config.process.shutdown_on_sigterm.force);
    assert!(config.general.logfile.is_empty());
}

/// `docs/compatibility.md` has one row for each directive without effect, with its reason. A directive that gains or
/// loses its effect must gain or lose its row.
#[test]
fn directives_without_effect_are_documented() {
    let documented: Vec<&str> = include_str!("../../../../docs/compatibility.md")
        .split("<!-- directives without effect -->")
        .nth(1)
        .expect("the list's marks")
        .lines()
        .filter(|line| line.starts_with("| `"))
        .collect();
    let without: BTreeMap<&str, &str> = all()
        .filter_map(|directive| match directive.effect {
            Effect::Accepted(why) => Some((directive.name, why)),
            Effect::Implemented => None,
        })
        .collect();
    let expected: Vec<String> = without.iter().map(|(name, why)| format!("| `{name}` | {why} |")).collect();
    assert!(documented == expected, "the list in docs/compatibility.md should be\n{}", expected.join("\n"));
}
