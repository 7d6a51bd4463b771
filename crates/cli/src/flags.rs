//! The flags of this tool: the table, what they come to, and `--help`.
//!
//! What contradicts each other is told when all words are read, so that their order does not matter.

mod manager;
mod table;

use std::ffi::OsString;

use arguments::{Ended, Flag, Server, Table, bytes};
use client::Family;

use crate::options::{Mode, Options, Protocol, StdinArgument};
use crate::vocabulary::Vocabulary;

const SERVER: &[Flag<Draft>] = &Server::flags();
const TLS: &[Flag<Draft>] = &arguments::tls();

const TABLE: Table<Draft> = Table {
    parts: &[SERVER, table::FLAGS, manager::FLAGS, TLS],
    unknown,
    ends_with_dashes: false,
    claim: manager::claim,
};

/// Options under construction.
struct Draft {
    options: Options,
    /// Lines for standard error that do not stop the program.
    warnings: Vec<String>,
    ipv4: bool,
    ipv6: bool,
    resp2: bool,
    resp3: bool,
    prefer_resp3: bool,
    last_from_stdin: bool,
    tag_from_stdin: Option<Vec<u8>>,
    mono: bool,
    /// A script is to be debugged; whether on the data itself.
    debugs: Option<bool>,
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
        /// The command, empty for a session.
        command: Vec<Vec<u8>>,
    },
    /// Print this on standard output and leave.
    Print(String),
}

/// Understands a command line without its program name. The error is a line for standard error.
pub fn parse(words: &[OsString], vocabulary: &Vocabulary, terminal: bool) -> Result<Parsed, String> {
    let mut draft = Draft {
        options: Options::new(terminal),
        warnings: Vec::new(),
        ipv4: false,
        ipv6: false,
        resp2: false,
        resp3: false,
        prefer_resp3: false,
        last_from_stdin: false,
        tag_from_stdin: None,
        mono: false,
        debugs: None,
    };
    match TABLE.read(&mut draft, words)? {
        Ended::Help => Ok(Parsed::Print(help(vocabulary))),
        Ended::Version => Ok(Parsed::Print(format!("{}\n", vocabulary.version_line()))),
        Ended::Command(at) => finish(draft, words[at..].iter().map(|word| bytes(word).to_vec()).collect()),
    }
}

fn finish(draft: Draft, command: Vec<Vec<u8>>) -> Result<Parsed, String> {
    let Draft { mut options, mut warnings, .. } = draft;
    if options.server.socket.is_some() && options.cluster {
        return Err(exclusive("-c", "-s"));
    }
    options.protocol = match (draft.resp2, draft.resp3) {
        (true, true) => return Err(exclusive("-2", "-3")),
        (true, false) => Protocol::Two,
        (false, true) => Protocol::Three,
        (false, false) if draft.prefer_resp3 => Protocol::PreferThree,
        (false, false) => Protocol::Unspecified,
    };
    let asks_for_rdb = |of_functions: bool| {
        let wanted = |mode: &Mode| matches!(mode, Mode::Rdb { functions_only, .. } if *functions_only == of_functions);
        options.modes.iter().any(wanted)
    };
    if asks_for_rdb(true) && asks_for_rdb(false) {
        return Err("Option --functions-rdb and --rdb are mutually exclusive.".to_owned());
    }
    options.stdin_argument = match (draft.last_from_stdin, draft.tag_from_stdin) {
        (true, Some(_)) => return Err(exclusive("-x", "-X")),
        (true, None) => StdinArgument::Last,
        (false, Some(tag)) => StdinArgument::Tag(tag),
        (false, None) => StdinArgument::None,
    };
    options.family = match (draft.ipv4, draft.ipv6) {
        (true, true) => return Err(exclusive("-4", "-6")),
        (true, false) => Some(Family::V4),
        (false, true) => Some(Family::V6),
        (false, false) => None,
    };
    for mode in &mut options.modes {
        if let Mode::LatencyDistribution { mono } = mode {
            *mono = draft.mono;
        }
    }
    if let Some(sync) = draft.debugs {
        let script = options.modes.iter_mut().find(|mode| matches!(mode, Mode::Eval(_)));
        let Some(Mode::Eval(file)) = script.as_deref() else {
            return Err("Options --ldb and --ldb-sync-mode require --eval.".to_owned());
        };
        let debug = Mode::Debug { script: file.clone(), sync };
        script.into_iter().for_each(|mode| *mode = debug.clone());
    }
    if options.server.password.is_some() && !options.no_auth_warning {
        warnings.push(PASSWORD_WARNING.to_owned());
    }
    Ok(Parsed::Run { options: Box::new(options), warnings, command })
}

const PASSWORD_WARNING: &str =
    "Warning: Using a password with '-a' or '-u' option on the command line interface may not be safe.";

fn exclusive(one: &str, other: &str) -> String {
    format!("Options {one} and {other} are mutually exclusive.")
}

fn unknown(word: &[u8]) -> String {
    format!("Unrecognized option or bad number of args for: '{}'", String::from_utf8_lossy(word))
}

/// The text of `--help`.
fn help(vocabulary: &Vocabulary) -> String {
    let tool = vocabulary.tool;
    let mut text = format!("{}\n\nUsage: {tool} [OPTIONS] [cmd [arg [arg ...]]]\n\n", vocabulary.version_line());
    text.push_str(&TABLE.help(&[
        ("{env}", vocabulary.env[0]),
        ("{scheme}", vocabulary.scheme),
        ("{primary}", vocabulary.primary),
    ]));
    text.push_str(&format!(
        "\nExamples:\n\
         \x20 {tool} -h db.example -n 2 get mykey\n\
         \x20 {tool} -x set mykey < some.file\n\
         \x20 {tool} -D \"\" --raw dump a > a.dump && {tool} -X dump restore b 0 dump < a.dump\n\
         \x20 {tool} -r -1 -i 1 info memory\n\
         \x20 {tool} --scan --pattern 'session:*'\n\
         \x20 {tool} --eval script.lua key1 key2 , arg1 arg2\n\
         \nWithout a command {tool} starts a session; type \"help\" in it.\n"
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Style;
    use crate::vocabulary::{REDIS, VALKEY};
    use std::collections::HashSet;

    fn parse_line(line: &str) -> Result<Parsed, String> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        parse(&words, &VALKEY, false)
    }

    fn options(line: &str) -> (Options, Vec<String>, Vec<Vec<u8>>) {
        match parse_line(line) {
            Ok(Parsed::Run { options, warnings, command }) => (*options, warnings, command),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn no_flag_is_in_the_table_twice() {
        let mut seen = HashSet::new();
        for name in TABLE.flags().flat_map(|flag| flag.names) {
            assert!(name.starts_with('-'), "{name}");
            assert!(seen.insert(name), "{name}");
        }
    }

    #[test]
    fn flags_end_where_the_command_begins() {
        let (options, warnings, command) = options("-h there -p 7000 -n 3 --csv get -h --raw");
        assert_eq!((options.server.host.as_str(), options.server.port, options.server.db), ("there", 7000, 3));
        assert_eq!(options.style, Style::Csv);
        assert_eq!(command, [&b"get"[..], b"-h", b"--raw"]);
        assert!(warnings.is_empty());
    }

    #[test]
    fn json_prefers_resp3_unless_told_otherwise() {
        for (line, expect) in [
            ("--json x", Protocol::PreferThree),
            ("--json -2 x", Protocol::Two),
            ("-2 --json x", Protocol::Two),
            ("--json -3 x", Protocol::Three),
            ("x", Protocol::Unspecified),
        ] {
            assert_eq!(options(line).0.protocol, expect, "{line}");
        }
    }

    #[test]
    fn contradictions_and_wrong_values_are_refused() {
        for (line, expect) in [
            ("-2 -3", "Options -2 and -3 are mutually exclusive."),
            ("-x -X tag", "Options -x and -X are mutually exclusive."),
            ("-X tag -x", "Options -x and -X are mutually exclusive."),
            ("-c -s /x", "Options -c and -s are mutually exclusive."),
            ("-4 -6", "Options -4 and -6 are mutually exclusive."),
            ("--rdb a --functions-rdb b", "Option --functions-rdb and --rdb are mutually exclusive."),
            ("-X", "Unrecognized option or bad number of args for: '-X'"),
            ("--nosuch", "Unrecognized option or bad number of args for: '--nosuch'"),
            ("-t -1", "Invalid connection timeout for -t."),
            ("--ldb ping", "Options --ldb and --ldb-sync-mode require --eval."),
            ("--top x", "--top conversion error."),
            ("--cursor -1", "--cursor should be followed by a positive integer."),
            ("--sni", "Unrecognized option or bad number of args for: '--sni'"),
            ("--tls", "--tls cannot be used: TLS is not built into this release."),
        ] {
            match parse_line(line) {
                Err(text) => assert_eq!(text, expect, "{line}"),
                Ok(other) => panic!("{line}: {other:?}"),
            }
        }
    }

    #[test]
    fn words_of_the_manager_end_at_the_next_flag() {
        let request = |line: &str| {
            let (options, _, command) = options(line);
            assert!(command.is_empty(), "{line}");
            options.manager
        };
        let words = |line: &str| -> Vec<String> {
            request(line).words.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
        };
        assert_eq!(words("--cluster create a:1 b:2 --cluster-replicas 1"), ["a:1", "b:2"]);
        assert_eq!(words("--cluster create --cluster-replicas 1 a:1 b:2 --cluster-yes"), ["a:1", "b:2"]);
        assert_eq!(
            words("--cluster-yes --cluster call a:1 config get x --verbose ignored"),
            ["a:1", "config", "get", "x"]
        );
        let request = request("--cluster rebalance a:1 --cluster-weight x=1 y=2.5 --cluster-threshold 3.5");
        assert_eq!((request.weights, request.threshold), (Some(vec!["x=1".to_owned(), "y=2.5".to_owned()]), 3.5));
        for line in [
            "--cluster",
            "--cluster check a --cluster info a",
            "--cluster check a:1 --cluster-weight x=1 --cluster-weight y=2",
        ] {
            assert!(parse_line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_password_on_the_command_line_is_warned_about() {
        assert_eq!(options("-a x ping").1.len(), 1);
        assert_eq!(options("-u redis://x@h ping").1.len(), 1);
        assert_eq!(options("-a x --no-auth-warning ping").1.len(), 0);
    }

    #[test]
    fn the_help_speaks_the_words_of_the_name() {
        let Ok(Parsed::Print(text)) = parse(&["-h".into()], &REDIS, false) else { panic!("no help") };
        assert!(text.contains("Usage: redis-cli") && text.contains("REDISCLI_AUTH") && text.contains("redis://"));
        assert!(!text.contains('{') && !text.to_lowercase().contains("valkey"));
        assert!(text.lines().all(|line| line.len() <= 100));
        for name in TABLE.flags().flat_map(|flag| flag.names) {
            assert!(text.contains(name), "{name}");
        }
    }
}
