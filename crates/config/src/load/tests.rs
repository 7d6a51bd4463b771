use super::*;
use crate::kind::SavePoint;
use proptest::prelude::*;

/// Files by name; directories exist when they do not start with `/nope`.
struct Files(&'static [(&'static str, &'static str)]);

impl Surroundings for Files {
    fn include(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason> {
        let matching = |name: &str| {
            if is_glob(path) { crate::glob::matches(path, name.as_bytes()) } else { name.as_bytes() == path }
        };
        let texts: Vec<&str> = self.0.iter().filter(|(name, _)| matching(name)).map(|(_, text)| *text).collect();
        if texts.is_empty() && !is_glob(path) {
            return Err(Reason::fixed("No such file or directory"));
        }
        Ok(texts.concat().into_bytes())
    }

    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason> {
        if path.starts_with(b"/nope") {
            return Err(Reason::fixed("No such file or directory"));
        }
        Ok([b"/abs/", path].concat())
    }
}

fn read(text: &str) -> Result<Loaded, LineError> {
    load(text.as_bytes(), Mode::Server, &mut Files(&[]))
}

/// What valkey-server 9.1 answers to the same lines.
#[test]
fn a_wrong_line_is_refused_in_the_peers_words() {
    for (line, expect) in [
        ("bogus 1", "Bad directive or wrong number of arguments"),
        ("port abc", "argument couldn't be parsed into an integer"),
        ("port 070", "argument couldn't be parsed into an integer"),
        ("port +7", "argument couldn't be parsed into an integer"),
        ("tcp-backlog 99999999999999999999", "argument couldn't be parsed into an integer"),
        ("port 99999", "argument must be between 0 and 65535 inclusive"),
        ("port 1 2", "wrong number of arguments"),
        ("port", "wrong number of arguments"),
        ("timeout 99999999999", "argument must be between 0 and 2147483647 inclusive"),
        ("hz -1", "argument must be between 0 and 2147483647 inclusive"),
        ("maxclients 0", "argument must be between 1 and 4294967295 inclusive"),
        ("maxclients -1", "argument must be between 1 and 4294967295 inclusive"),
        ("io-threads 0", "argument must be between 1 and 256 inclusive"),
        ("maxmemory 12x", "argument must be a memory value"),
        ("maxmemory -1", "argument must be a memory value"),
        ("maxmemory-clients 101%", "percentage argument must be less or equal to 100"),
        ("maxmemory-clients x", "argument must be a memory or percent value"),
        ("unixsocketperm 9", "argument couldn't be parsed as an octal number"),
        ("unixsocketperm 1777", "argument must be between 0 and 777 inclusive"),
        ("appendonly maybe", "argument must be 'yes' or 'no'"),
        ("appendfsync maybe", "argument(s) must be one of the following: everysec, always, no"),
        ("loglevel foo", "argument(s) must be one of the following: debug, verbose, notice, warning, nothing"),
        (
            "shutdown-on-sigterm foo",
            "argument(s) must be one of the following: default, save, nosave, now, force, safe, failover",
        ),
        ("shutdown-on-sigterm save nosave", "shutdown options SAVE and NOSAVE can't be used simultaneously"),
        ("save 1", "Invalid save parameters"),
        ("replicaof a", "wrong number of arguments"),
        ("replicaof a 1 2", "wrong number of arguments"),
        ("replicaof a b", "Invalid primary port"),
        ("replicaof a 70000", "Invalid primary port"),
        ("notify-keyspace-events Q", "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."),
        ("client-output-buffer-limit normal 1 2", "Wrong number of arguments in buffer limit configuration."),
        ("client-output-buffer-limit foo 1 2 3", "Invalid client class specified in buffer limit configuration."),
        (
            "client-output-buffer-limit normal x 2 3",
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.",
        ),
        ("oom-score-adj-values 1 2", "wrong number of arguments"),
        ("oom-score-adj-values 1 2 3000", "Invalid oom-score-adj-values, elements must be between -2000 and 2000."),
        ("bind 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", "Too many bind addresses specified."),
        ("latency-tracking-info-percentiles x", "Invalid latency-tracking-info-percentiles parameters"),
        ("dbfilename a/b", "dbfilename can't be a path, just a filename"),
        ("appenddirname \"\"", "appenddirname can't be empty"),
        ("dir /nope", "No such file or directory"),
        ("dir \"\"", "dir can't be empty"),
        ("proc-title-template {foo}", "template format is invalid or contains unknown variables"),
        ("cluster-announce-hostname a_b", "Hostnames may only contain alphanumeric characters, hyphens or dots"),
        ("cluster-announce-ip a=b", "cluster-announce-ip contains invalid character"),
        ("cluster-announce-client-ipv4 x", "Invalid IPv4 address"),
        ("user", "Bad directive or wrong number of arguments"),
        ("rename-command a", "Bad directive or wrong number of arguments"),
        ("list-max-ziplist-entries 1 2", "Bad directive or wrong number of arguments"),
        ("sentinel monitor m 127.0.0.1 6379 2", "sentinel directive while not in sentinel mode"),
        ("port \"1", "Unbalanced quotes in configuration line"),
        ("loadmodule x.so", "Modules are not supported"),
        ("search.timeout 1", "Modules are not supported"),
        ("include /nope.conf", "No such file or directory"),
    ] {
        let error = read(&format!("# a comment\n\n  {line}  \nbogus")).map(drop).expect_err(line);
        assert_eq!(error, LineError { line: Some((3, line.as_bytes().to_vec())), reason: Reason::new(expect.into()) });
    }
}

#[test]
fn the_message_names_line_and_reason() {
    let error = read("bogus 1").map(drop).unwrap_err();
    assert_eq!(
        error.message("9.1.2"),
        "\n*** FATAL CONFIG FILE ERROR (Version 9.1.2) ***\nReading the configuration file, at line 1\n>>> 'bogus 1'\n\
         Bad directive or wrong number of arguments\n"
    );
    let error = read("cluster-enabled yes\nreplicaof a 1").map(drop).unwrap_err();
    assert_eq!(
        error.message("9.1.2"),
        "\n*** FATAL CONFIG FILE ERROR (Version 9.1.2) ***\nreplicaof directive not allowed in cluster mode\n"
    );
}

#[test]
fn names_are_blind_to_case_and_the_last_line_wins() {
    let config = read("PORT 1\nport 2\nSlave-Priority 7\nloglevel VERBOSE\nappendonly YES\nlist-max-ziplist-size -1")
        .unwrap()
        .config;
    assert_eq!(config.network.port, 2);
    assert_eq!(config.replication.replica_priority, 7);
    assert_eq!(config.general.loglevel.name(), "verbose");
    assert!(config.aof.appendonly);
    assert_eq!(config.encodings.list_max_listpack_size, -1);
}

#[test]
fn save_lines_replace_the_defaults_and_add_up() {
    let points = |text: &str| crate::query::get(&read(text).unwrap().config, &[b"save"])[0].1.clone();
    assert_eq!(points(""), b"3600 1 300 100 60 10000");
    assert_eq!(points("save 900 1\nsave 300 10"), b"900 1 300 10");
    assert_eq!(points("save 900 1 300 10"), b"900 1 300 10");
    assert_eq!(points("save \"900 1 300 10\""), b"900 1 300 10");
    assert_eq!(points("save 900 1\nsave ''"), b"");
    assert_eq!(points("save ''\nsave 100 100"), b"100 100");
    assert_eq!(points("save"), b"");
}

#[test]
fn includes_are_read_in_place_and_may_be_globs() {
    let mut files =
        Files(&[("a.conf", "port 1\ninclude b.conf\n"), ("b.conf", "timeout 7\nsave 5 5\n"), ("loop", "include loop")]);
    let config = load(b"save 1 1\ninclude a.conf\ninclude x*.conf\nport 3", Mode::Server, &mut files).unwrap().config;
    assert_eq!((config.network.port, config.network.timeout), (3, 7));
    assert_eq!(config.snapshot.save.last(), Some(&SavePoint { seconds: 5, changes: 5 }));
    assert_eq!(config.snapshot.save.len(), 2);
    let config = load(b"include ?.conf", Mode::Server, &mut files).unwrap().config;
    assert_eq!((config.network.port, config.network.timeout), (1, 7));
    let error = load(b"include loop", Mode::Server, &mut files).map(drop).unwrap_err();
    assert_eq!(error.reason, reason::INCLUDE_TOO_DEEP);
}

#[test]
fn what_the_caller_must_judge_is_handed_out_with_its_line() {
    let text =
        b"user alice on ~* +@all\nrename-command DEBUG \"\"\nsentinel monitor m 127.0.0.1 6379 2\ndir data\nsentinel\n";
    let loaded = load(text, Mode::Sentinel, &mut Files(&[])).unwrap();
    assert_eq!(loaded.users[0].words[1], b"alice");
    assert_eq!(loaded.renames[0].words[1..], [b"DEBUG".to_vec(), Vec::new()]);
    assert_eq!(loaded.sentinel[0].number, 3);
    assert_eq!(loaded.sentinel.len(), 1);
    assert_eq!(loaded.config.network.port, 26379);
    assert_eq!(loaded.config.general.dir, b"/abs/data");
    let error = loaded.renames[0].refuse(reason::NO_SUCH_COMMAND);
    assert!(
        error.message("x").contains("at line 2\n>>> 'rename-command DEBUG \"\"'\nNo such command in rename-command")
    );
}

proptest! {
    #[test]
    fn no_text_panics(text in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = load(&text, Mode::Server, &mut Files(&[]));
    }

    #[test]
    fn no_value_panics(which in any::<proptest::sample::Index>(), words in "[ -~\u{80}-\u{ff}]{0,24}") {
        let all: Vec<_> = directives::all().collect();
        let line = format!("{} {words}", all[which.index(all.len())].name);
        let _ = load(line.as_bytes(), Mode::Server, &mut Files(&[]));
    }
}
