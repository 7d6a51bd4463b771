//! The flags: one table, from which parsing and `--help` are derived.
//!
//! The grammar is the peers': flags stand before the command, the first word without a dash begins
//! the command, a flag's argument is the next word whatever it looks like, and a flag that needs an
//! argument but stands last is refused. `-h` is the exception that the tradition wants: with a word
//! behind it a host name, as the last word a call for help.

mod manager;
mod table;

use std::ffi::OsString;

use client::Family;

use crate::options::{Mode, Options, Protocol, StdinArgument, bytes};
use crate::vocabulary::Vocabulary;

/// The table, in the order of the help.
fn table() -> impl Iterator<Item = &'static Flag> {
    table::FLAGS.iter().chain(manager::FLAGS)
}

/// One flag.
pub struct Flag {
    /// All spellings, the one shown in the help first.
    pub names: &'static [&'static str],
    /// What the argument is called in the help; a switch has none.
    pub argument: Option<&'static str>,
    /// One or two sentences. `{tool}`, `{env}`, `{server}` and `{scheme}` stand for the vocabulary's words.
    pub help: &'static str,
    action: Action,
}

const fn flag(
    names: &'static [&'static str],
    argument: Option<&'static str>,
    help: &'static str,
    action: Action,
) -> Flag {
    Flag { names, argument, help, action }
}

enum Action {
    Switch(fn(&mut Draft)),
    Value(fn(&mut Draft, &[u8]) -> Result<(), String>),
    /// Takes as many of the words behind it as it likes, and says how many; there is at least one.
    Words(fn(&mut Draft, &[OsString]) -> Result<usize, String>),
    Help,
    Version,
    /// Known to the peers, not built in: the reason.
    Missing(&'static str),
}

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
    password_on_command_line: bool,
    mono: bool,
    /// A script is to be debugged; whether on the data itself.
    debugs: Option<bool>,
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
        password_on_command_line: false,
        mono: false,
        debugs: None,
    };
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let word = bytes(word);
        let next = words.get(at + 1).map(bytes);
        if word == b"-h" && next.is_none() {
            return Ok(Parsed::Print(help(vocabulary)));
        }
        let Some(flag) = table().find(|flag| flag.names.iter().any(|name| name.as_bytes() == word)) else {
            if word.first() == Some(&b'-') {
                return Err(unknown(word));
            }
            if draft.options.manager.command.is_some() {
                at += manager::take_words(&mut draft, &words[at..]);
                continue;
            }
            break;
        };
        match (&flag.action, next) {
            (Action::Help, _) => return Ok(Parsed::Print(help(vocabulary))),
            (Action::Version, _) => return Ok(Parsed::Print(format!("{}\n", vocabulary.version_line()))),
            (Action::Missing(_), None) if flag.argument.is_some() => return Err(unknown(word)),
            (Action::Missing(reason), _) => return Err(refusal(&String::from_utf8_lossy(word), reason)),
            (Action::Switch(apply), _) => apply(&mut draft),
            (Action::Value(_) | Action::Words(_), None) => return Err(unknown(word)),
            (Action::Words(take), Some(_)) => at += take(&mut draft, &words[at + 1..])?,
            (Action::Value(apply), Some(value)) => {
                apply(&mut draft, value)?;
                at += 1;
            }
        }
        at += 1;
    }
    let command = words[at..].iter().map(|word| bytes(word).to_vec()).collect();
    finish(draft, command)
}

fn finish(draft: Draft, command: Vec<Vec<u8>>) -> Result<Parsed, String> {
    let Draft { mut options, mut warnings, .. } = draft;
    if options.socket.is_some() && options.cluster {
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
    if draft.password_on_command_line && !options.no_auth_warning {
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

fn refusal(flag: &str, reason: &str) -> String {
    format!("{flag} cannot be used: {reason}.")
}

/// The column in which explanations begin, and where they are wrapped.
const HELP_COLUMN: usize = 28;
const HELP_WIDTH: usize = 100;

/// The text of `--help`.
fn help(vocabulary: &Vocabulary) -> String {
    let tool = vocabulary.tool;
    let mut text = format!("{}\n\nUsage: {tool} [OPTIONS] [cmd [arg [arg ...]]]\n\n", vocabulary.version_line());
    for flag in table().filter(|flag| !matches!(flag.action, Action::Missing(_))) {
        let mut line = format!("  {}", flag.names.join(", "));
        if let Some(argument) = flag.argument {
            line.push(' ');
            line.push_str(argument);
        }
        let explanation = flag
            .help
            .replace("{tool}", tool)
            .replace("{env}", vocabulary.env[0])
            .replace("{scheme}", vocabulary.scheme)
            .replace("{primary}", vocabulary.primary);
        wrap(&mut text, line, &explanation);
    }
    let missing: Vec<&str> = table()
        .filter(|flag| matches!(flag.action, Action::Missing(_)))
        .flat_map(|flag| flag.names.iter().copied())
        .collect();
    text.push('\n');
    wrap(&mut text, "Not in this release:".to_owned(), &missing.join(" "));
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

/// Appends `line` and behind it, from the column of explanations on, the words of `explanation`.
fn wrap(text: &mut String, mut line: String, explanation: &str) {
    for word in explanation.split(' ') {
        if line.len() + 1 + word.len() > HELP_WIDTH {
            text.push_str(&line);
            text.push('\n');
            line.clear();
        }
        let gap = HELP_COLUMN.saturating_sub(line.len()).max(1);
        line.extend(std::iter::repeat_n(' ', gap));
        line.push_str(word);
    }
    text.push_str(&line);
    text.push('\n');
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
        for name in table().flat_map(|flag| flag.names) {
            assert!(name.starts_with('-'), "{name}");
            assert!(seen.insert(name), "{name}");
        }
    }

    #[test]
    fn flags_end_where_the_command_begins() {
        let (options, warnings, command) = options("-h there -p 7000 -n 3 --csv get -h --raw");
        assert_eq!((options.host.as_str(), options.port, options.db), ("there", 7000, 3));
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
            ("-p 70000", "Invalid server port."),
            ("-p x", "Invalid server port."),
            ("-t -1", "Invalid connection timeout for -t."),
            ("-u ftp://x", "Invalid URI scheme"),
            ("--ldb ping", "Options --ldb and --ldb-sync-mode require --eval."),
            ("--top x", "--top conversion error."),
            ("--cursor -1", "--cursor should be followed by a positive integer."),
            ("--sni", "Unrecognized option or bad number of args for: '--sni'"),
            ("--cert file", "--cert cannot be used: TLS is not built into this release."),
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
        assert!(text.lines().all(|line| line.len() <= HELP_WIDTH));
        for name in table().flat_map(|flag| flag.names) {
            assert!(text.contains(name), "{name}");
        }
    }
}
