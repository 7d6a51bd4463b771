//! The table of flags, and how words are read by it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::bytes;

/// One flag of a tool whose options are drafted in a `D`.
pub struct Flag<D> {
    /// All spellings, the one shown in the help first.
    pub names: &'static [&'static str],
    /// What the argument is called in the help; a switch has none.
    pub argument: Option<&'static str>,
    /// One or two sentences. Words in braces are put in by [`Table::help`]. Of a flag that is missing nothing is told.
    pub help: &'static str,
    pub action: Action<D>,
}

/// What a flag does.
pub enum Action<D> {
    Switch(fn(&mut D)),
    /// The error is a line for standard error.
    Value(fn(&mut D, &[u8]) -> Result<(), String>),
    /// Takes as many of the words behind it as it likes, and says how many; there is at least one.
    Words(fn(&mut D, &[OsString]) -> Result<usize, String>),
    Help,
    Version,
    /// Known to the peers, not built in: the reason.
    Missing(&'static str),
}

impl<D> Flag<D> {
    pub const fn new(
        names: &'static [&'static str],
        argument: Option<&'static str>,
        help: &'static str,
        action: Action<D>,
    ) -> Self {
        Flag { names, argument, help, action }
    }
}

/// All flags of a tool.
pub struct Table<D: 'static> {
    /// In the order of the help.
    pub parts: &'static [&'static [Flag<D>]],
    /// What is said of a word that is no flag, or of a flag that lacks its argument.
    pub unknown: fn(&[u8]) -> String,
    /// A word `--` ends the flags.
    pub ends_with_dashes: bool,
    /// How many of these words, the first of which is no flag, belong to a flag before them. None is where the command
    /// begins.
    pub claim: fn(&mut D, &[OsString]) -> usize,
}

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The command begins at this word.
    Command(usize),
    /// Help was asked for.
    Help,
    /// The version was asked for.
    Version,
}

impl<D> Table<D> {
    pub fn flags(&self) -> impl Iterator<Item = &'static Flag<D>> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// Obeys the flags that `words` begin with. The error is a line for standard error.
    pub fn read(&self, draft: &mut D, words: &[OsString]) -> Result<Ended, String> {
        let mut at = 0;
        while let Some(word) = words.get(at) {
            let word = bytes(word);
            let next = words.get(at + 1).map(bytes);
            if word == b"--" && self.ends_with_dashes {
                return Ok(Ended::Command(at + 1));
            }
            if word == b"-h" && next.is_none() {
                return Ok(Ended::Help);
            }
            let Some(flag) = self.flags().find(|flag| flag.names.iter().any(|name| name.as_bytes() == word)) else {
                if word.first() == Some(&b'-') {
                    return Err((self.unknown)(word));
                }
                match (self.claim)(draft, &words[at..]) {
                    0 => return Ok(Ended::Command(at)),
                    taken => at += taken,
                }
                continue;
            };
            at += 1;
            match (&flag.action, next) {
                (Action::Help, _) => return Ok(Ended::Help),
                (Action::Version, _) => return Ok(Ended::Version),
                (Action::Switch(apply), _) => apply(draft),
                (_, None) if flag.argument.is_some() => return Err((self.unknown)(word)),
                (Action::Missing(reason), _) => return Err(refusal(&String::from_utf8_lossy(word), reason)),
                (Action::Value(apply), value) => {
                    apply(draft, value.unwrap_or_default())?;
                    at += 1;
                }
                (Action::Words(take), _) => at += take(draft, &words[at..])?,
            }
        }
        Ok(Ended::Command(at))
    }
}

/// What is said of something that is known and not built in.
pub(crate) fn refusal(what: &str, reason: &str) -> String {
    format!("{what} cannot be used: {reason}.")
}

/// The argument of a flag as the name of a file.
pub fn path(value: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Missing, Switch, Value, Words};

    #[derive(Debug, Default, PartialEq)]
    struct Draft {
        loud: bool,
        name: Vec<u8>,
        pair: Vec<OsString>,
        extra: usize,
    }

    const FLAGS: &[Flag<Draft>] = &[
        Flag::new(&["--loud"], None, "", Switch(|draft| draft.loud = true)),
        Flag::new(
            &["-n", "--name"],
            Some("<name>"),
            "",
            Value(|draft, value| {
                draft.name = value.to_vec();
                if value == b"nobody" { Err("nobody".to_owned()) } else { Ok(()) }
            }),
        ),
        Flag::new(
            &["--pair"],
            Some("<a> <b>"),
            "",
            Words(|draft, words| {
                draft.pair = words.iter().take(2).cloned().collect();
                Ok(draft.pair.len())
            }),
        ),
        Flag::new(&["--gone"], None, "", Missing("it is gone")),
        Flag::new(&["--gone-file"], Some("<file>"), "", Missing("it is gone")),
        Flag::new(&["--help"], None, "", Action::Help),
        Flag::new(&["--version"], None, "", Action::Version),
    ];

    const TABLE: Table<Draft> = Table {
        parts: &[FLAGS],
        unknown: |word| format!("what is {}", word.escape_ascii()),
        ends_with_dashes: true,
        claim: |draft, words| {
            let extra = words.iter().take_while(|word| *word == "extra").count();
            draft.extra += extra;
            extra
        },
    };

    fn read(line: &str) -> (Result<Ended, String>, Draft) {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let mut draft = Draft::default();
        let ended = TABLE.read(&mut draft, &words);
        (ended, draft)
    }

    #[test]
    fn flags_end_where_the_command_begins() {
        for (line, at) in [
            ("", 0),
            ("get --loud", 0),
            ("--loud get", 1),
            ("-n --loud get", 2),
            ("--pair a b get", 3),
            ("--pair a", 2),
            ("-- --loud", 1),
            ("--loud extra extra get extra", 3),
            ("-h host", 0),
        ] {
            let expect = if line.starts_with("-h") { Err("what is -h".to_owned()) } else { Ok(Ended::Command(at)) };
            assert_eq!(read(line).0, expect, "{line}");
        }
        let expect = Draft { loud: true, name: b"-n".to_vec(), pair: vec!["x".into(), "y".into()], extra: 1 };
        assert_eq!(read("--loud --name -n extra --pair x y z --name").1, expect);
    }

    #[test]
    fn what_is_wrong_is_one_line() {
        for (line, expect) in [
            ("--loud --nosuch", "what is --nosuch"),
            ("-n", "what is -n"),
            ("--pair", "what is --pair"),
            ("-n nobody", "nobody"),
            ("--gone", "--gone cannot be used: it is gone."),
            ("--gone-file", "what is --gone-file"),
            ("--gone-file x", "--gone-file cannot be used: it is gone."),
        ] {
            assert_eq!(read(line).0, Err(expect.to_owned()), "{line}");
        }
    }

    #[test]
    fn help_is_asked_for_in_three_ways() {
        for line in ["-h", "--loud -h", "--help", "--help --nosuch"] {
            assert_eq!(read(line).0, Ok(Ended::Help), "{line}");
        }
        assert_eq!(read("--version").0, Ok(Ended::Version));
    }
}
