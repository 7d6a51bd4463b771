//! The flags of this tool: the table, what they come to, and `--help`.
//!
//! The grammar is that of all tools, with `--` in front of commands that begin with a dash. Numbers are read strictly: a
//! word that is none is refused instead of being taken for zero.

mod table;

use std::ffi::OsString;

use arguments::{Ended, Flag, Server, Table, bytes, wrap};

use crate::options::{End, Fuzz, Options};

const SERVER: &[Flag<Draft>] = &Server::flags();
const TLS: &[Flag<Draft>] = &arguments::tls();

const TABLE: Table<Draft> =
    Table { parts: &[SERVER, table::FLAGS, TLS], unknown, ends_with_dashes: true, claim: |_, _| 0 };

/// Options under construction.
#[derive(Default)]
struct Draft {
    options: Options,
    requests: Option<u64>,
    seconds: Option<u64>,
    fuzz: bool,
    fuzz_options: Fuzz,
    /// Lines for standard error that do not stop the program.
    warnings: Vec<String>,
}

impl AsMut<Server> for Draft {
    fn as_mut(&mut self) -> &mut Server {
        &mut self.options.server
    }
}

/// What a command line comes to.
#[derive(Debug)]
pub enum Parsed {
    Run {
        options: Box<Options>,
        warnings: Vec<String>,
        /// Empty for the tests of the suite.
        command: Vec<Vec<u8>>,
    },
    /// Print this on standard output and leave.
    Print(String),
}

/// Understands a command line without its program name, which `tool` is. The error is a line for standard error.
pub fn parse(words: &[OsString], tool: &str) -> Result<Parsed, String> {
    let mut draft = Draft::default();
    match TABLE.read(&mut draft, words)? {
        Ended::Help => Ok(Parsed::Print(help(tool))),
        Ended::Version => Ok(Parsed::Print(version(tool))),
        Ended::Command(at) => finish(draft, words[at..].iter().map(|word| bytes(word).to_vec()).collect()),
    }
}

fn finish(draft: Draft, command: Vec<Vec<u8>>) -> Result<Parsed, String> {
    let Draft { mut options, mut warnings, .. } = draft;
    match (draft.requests, draft.seconds) {
        (Some(_), Some(_)) => return Err("Options -n and --duration are mutually exclusive.".to_owned()),
        (Some(requests), None) => options.end = End::Requests(requests),
        (None, Some(seconds)) => options.end = End::After(std::time::Duration::from_secs(seconds)),
        (None, None) => (),
    }
    if options.server.multipath && options.server.socket.is_some() {
        return Err("Options --mptcp is only supported by TCP".to_owned());
    }
    options.fuzz = draft.fuzz.then_some(draft.fuzz_options);
    if !options.keep_alive {
        warnings.push(KEEP_ALIVE_WARNING.to_owned());
    }
    if !command.is_empty() && options.tests.is_some() {
        warnings.push("WARNING: Option -t is ignored.".to_owned());
    }
    Ok(Parsed::Run { options: Box::new(options), warnings, command })
}

const KEEP_ALIVE_WARNING: &str = "WARNING: Keepalive disabled: each request leaves a closed connection behind, which \
     holds its port for a while. Many requests need net.ipv4.tcp_tw_reuse=1 (Linux) or a small net.inet.tcp.msl (macOS).";

fn unknown(word: &[u8]) -> String {
    format!("Invalid option \"{}\" or option argument missing", String::from_utf8_lossy(word))
}

fn version(tool: &str) -> String {
    format!("{tool} 9.1.0 (rubellite {})\n", env!("CARGO_PKG_VERSION"))
}

fn help(tool: &str) -> String {
    let scheme = if tool.starts_with("redis") { "redis" } else { "valkey" };
    let mut text = format!("{}\nUsage: {tool} [OPTIONS] [--] [COMMAND ARGS...]\n\n", version(tool));
    text.push_str(&TABLE.help(&[("{scheme}", scheme)]));
    text.push_str(
        "\nWithout a command a list of tests runs; -t chooses among them. Several commands are separated by\n\
         a word ';', and a number before a command repeats it. In arguments stand for\n\n",
    );
    for (name, meaning) in [
        ("__rand_int__", "a number of 12 digits below the size given with -r, another one at each place"),
        ("__rand_1st__ … __rand_9th__", "the same, but one number for all places of that name in the commands"),
        ("__data__", "a payload of -d bytes"),
        ("{tag}", "with --cluster: a hash tag that belongs to the node that is asked"),
    ] {
        wrap(&mut text, &format!("  {name}"), meaning);
    }
    text.push_str(&format!(
        "\nExamples:\n\
         \x20 {tool} -t set,get -P 16 -q\n\
         \x20 {tool} -t set -n 1000000 -r 100000000\n\
         \x20 {tool} -r 10000 -n 10000 lpush mylist __rand_int__\n\
         \x20 {tool} --duration 10 --rps 5000 -d 100 set key:__rand_int__ __data__\n\
         \x20 {tool} -- multi ';' set key:__rand_int__ __data__ ';' incr counter ';' exec\n\
         \nExit code: 0 when everything was measured; 1 when the command line, the connection or a reply was not in order.\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Format, FuzzLevel, ReadFrom};
    use std::collections::HashSet;
    use std::time::Duration;

    fn parse_line(line: &str) -> Result<Parsed, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&words, "valkey-benchmark")
    }

    fn options(line: &str) -> (Options, Vec<String>, Vec<Vec<u8>>) {
        match parse_line(line) {
            Ok(Parsed::Run { options, warnings, command }) => (*options, warnings, command),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn every_flag_of_the_peer_is_known() {
        let known: HashSet<&str> = TABLE.flags().flat_map(|flag| flag.names).copied().collect();
        assert_eq!(known.len(), TABLE.flags().map(|flag| flag.names.len()).sum::<usize>(), "no name is there twice");
        let peer = "-h -p -s -a --user -u -c -n --duration --warmup -d --dbnum -3 --threads --cluster --rfr \
             --enable-tracking -k -r --sequential -P -q --precision --csv -l -t -I -x --rps --seed --num-functions \
             --num-keys-in-fcall --tls --sni --cacert --cacertdir --insecure --cert --key --tls-ciphers \
             --tls-ciphersuites --mptcp --fuzz --fuzz-mode --fuzz-loglevel --help --version";
        for flag in peer.split_whitespace() {
            assert!(known.contains(flag), "{flag}");
        }
    }

    #[test]
    fn flags_end_where_the_command_begins() {
        let (options, _, command) = options("-p 7000 -c 3 -n 12 -P 4 -d 42 -r 50 -q -- set -x __data__");
        assert_eq!((options.server.port, options.clients, options.pipeline, options.size), (7000, 3, 4, 42));
        assert_eq!((options.end, options.space, options.format), (End::Requests(12), Some(50), Format::Quiet));
        assert_eq!(command, [&b"set"[..], b"-x", b"__data__"]);
        let (_, warnings, command) = self::options("-t set incr k -q");
        assert_eq!((command.len(), warnings.len()), (3, 1));
    }

    #[test]
    fn numbers_out_of_range_are_brought_into_it() {
        let (options, ..) = options("-c 0 -P -3 -d 0 -r -5 --precision 9 --rps 0 --threads -1 -k 0");
        assert_eq!((options.clients, options.pipeline, options.size, options.space), (1, 1, 1, Some(0)));
        assert_eq!((options.precision, options.rate, options.threads, options.keep_alive), (4, None, 0, false));
        let (options, warnings, _) = self::options("--threads 5000 --duration 3 --warmup 2");
        assert_eq!((options.threads, warnings.len()), (500, 1));
        assert_eq!(self::options("--duration 0").0.end, End::Requests(100_000));
        assert_eq!((options.end, options.warmup), (End::After(Duration::from_secs(3)), Duration::from_secs(2)));
    }

    #[test]
    fn modes_of_cluster_and_fuzzing() {
        assert_eq!(options("--cluster --rfr all").0.read_from, ReadFrom::All);
        let fuzz = options("--fuzz --fuzz-mode malformed-commands,config-commands --fuzz-loglevel debug").0.fuzz;
        assert_eq!(fuzz, Some(Fuzz { malformed: true, config: true, level: FuzzLevel::Debug }));
        assert_eq!(options("--fuzz-mode config-commands").0.fuzz, None);
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (line, expect) in [
            ("-n 5 --duration 1 -t set", "Options -n and --duration are mutually exclusive."),
            ("--duration 1 -n 5", "Options -n and --duration are mutually exclusive."),
            ("--nosuch", "Invalid option \"--nosuch\" or option argument missing"),
            ("-c", "Invalid option \"-c\" or option argument missing"),
            ("-c x", "Invalid argument \"x\" of -c: not a number."),
            ("--rfr maybe", "Invalid argument \"maybe\" of --rfr: one of no, yes, all."),
            ("--fuzz-mode a", "Invalid fuzz mode: a"),
            ("-s /x --mptcp", "Options --mptcp is only supported by TCP"),
        ] {
            match parse_line(line) {
                Err(text) => assert_eq!(text, expect, "{line}"),
                Ok(other) => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_help_names_everything_and_fits() {
        let Ok(Parsed::Print(text)) = parse_line("--help") else { panic!("no help") };
        for name in TABLE.flags().flat_map(|flag| flag.names) {
            assert!(text.contains(name), "{name}");
        }
        for line in text.lines().filter(|line| !line.starts_with("Exit code")) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
