//! Arguments of the program as lines of configuration.
//!
//! ```text
//!   x.conf --port 7000 --replicaof 127.0.0.1 10001 -
//!   ▲      ▲                                       ▲
//!   file   options: port "7000"                    and standard input, before the options
//!                   replicaof "127.0.0.1" "10001"
//! ```
//!
//! A word that starts with `--` begins a line, unless it comes right after a name and so must be its value
//! (`--proc-title-template --my--title`). `--save` and `--sentinel` may stand without a value before another
//! option: generated command lines do that.

use crate::words;

/// What the arguments ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// Path of the configuration file.
    pub file: Option<Vec<u8>>,
    /// Read standard input as well.
    pub stdin: bool,
    /// Lines to read after both.
    pub options: Vec<u8>,
}

impl CommandLine {
    /// Reads the arguments after the program's name. Those of their own kind (`--help`, `--version`, …) are for the
    /// caller to see first.
    pub fn parse<A: AsRef<[u8]>>(arguments: &[A]) -> CommandLine {
        let mut parsed = CommandLine::default();
        let last = arguments.len().saturating_sub(1);
        let is_option = |index: usize| arguments.get(index).is_some_and(|next| next.as_ref().starts_with(b"--"));
        // Whether the option before has what it needs, so that a word with dashes begins another.
        let mut complete = true;
        for (index, argument) in arguments.iter().enumerate() {
            let argument = argument.as_ref();
            if index == 0 && !argument.starts_with(b"-") {
                parsed.file = Some(argument.to_vec());
            } else if argument == b"-" && (index == 0 || index == last) {
                parsed.stdin = true;
            } else if complete && argument.starts_with(b"--") {
                if !parsed.options.is_empty() {
                    parsed.options.push(b'\n');
                }
                parsed.options.extend_from_slice(&argument[2..]);
                parsed.options.push(b' ');
                let name_only = words::split(argument).is_ok_and(|words| words.len() == 1);
                let is = |name: &[u8]| argument.eq_ignore_ascii_case(name);
                complete = !name_only || (is_option(index + 1) && (is(b"--save") || is(b"--sentinel")));
                if name_only && is(b"--save") && (index == last || is_option(index + 1)) {
                    parsed.options.extend_from_slice(b"\"\"");
                }
            } else {
                words::quote(&mut parsed.options, argument);
                parsed.options.push(b' ');
                complete = true;
            }
        }
        parsed
    }

    /// The whole text to load: the file's, then standard input's, then the options, so that the last wins.
    pub fn text(&self, file: &[u8], stdin: &[u8]) -> Vec<u8> {
        let mut text = [file, stdin].concat();
        if !self.options.is_empty() {
            text.push(b'\n');
            text.extend_from_slice(&self.options);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(arguments: &[&str], file: Option<&str>, stdin: bool, lines: &[&str]) {
        let parsed = CommandLine::parse(arguments);
        assert_eq!(parsed.file.as_deref(), file.map(str::as_bytes), "{arguments:?}");
        assert_eq!(parsed.stdin, stdin, "{arguments:?}");
        let options = String::from_utf8(parsed.options).unwrap();
        assert_eq!(options.lines().map(str::trim_end).collect::<Vec<_>>(), lines, "{arguments:?}");
    }

    /// The cases of the peers' own suite, and those of the tutorial.
    #[test]
    fn arguments_become_lines() {
        check(&[], None, false, &[]);
        check(&["x.conf"], Some("x.conf"), false, &[]);
        check(&["x.conf", "--port", "7000"], Some("x.conf"), false, &["port \"7000\""]);
        check(
            &["--port", "10002", "--replicaof", "127.0.0.1", "10001"],
            None,
            false,
            &["port \"10002\"", "replicaof \"127.0.0.1\" \"10001\""],
        );
        check(&["-"], None, true, &[]);
        check(&["x.conf", "-"], Some("x.conf"), true, &[]);
        check(&["x.conf", "--port", "1", "-"], Some("x.conf"), true, &["port \"1\""]);
        check(
            &["--maxmemory 700mb", "--maxmemory-policy 'volatile-lru'"],
            None,
            false,
            &["maxmemory 700mb", "maxmemory-policy 'volatile-lru'"],
        );
        check(
            &["--proc-title-template", "--my--title", "--loglevel", "verbose"],
            None,
            false,
            &["proc-title-template \"--my--title\"", "loglevel \"verbose\""],
        );
        check(&["--save", "--loglevel", "verbose"], None, false, &["save \"\"", "loglevel \"verbose\""]);
        check(&["--loglevel", "verbose", "--save"], None, false, &["loglevel \"verbose\"", "save \"\""]);
        check(&["--save", "", "--loglevel", "verbose"], None, false, &["save \"\"", "loglevel \"verbose\""]);
        check(&["--save", "900", "1"], None, false, &["save \"900\" \"1\""]);
        check(
            &["--proc-title-template", "--save", "--save", "", "--loglevel", "verbose"],
            None,
            false,
            &["proc-title-template \"--save\"", "save \"\"", "loglevel \"verbose\""],
        );
        check(&["--port", "--loglevel", "verbose"], None, false, &["port \"--loglevel\" \"verbose\""]);
        check(&["--port", "--bla", "--loglevel", "verbose"], None, false, &["port \"--bla\"", "loglevel \"verbose\""]);
        check(&["--replicaof", "--127.0.0.1", "--abc"], None, false, &["replicaof \"--127.0.0.1\"", "abc"]);
        check(&["x.conf", "--sentinel"], Some("x.conf"), false, &["sentinel"]);
        check(&["x.conf", "--sentinel", "--port", "1"], Some("x.conf"), false, &["sentinel", "port \"1\""]);
    }

    #[test]
    fn options_come_after_the_file() {
        let parsed = CommandLine::parse(&["x", "--port", "1"]);
        assert_eq!(parsed.text(b"port 5\n", b"port 6\n"), b"port 5\nport 6\n\nport \"1\" ");
        assert_eq!(CommandLine::parse(&["x"]).text(b"port 5\n", b""), b"port 5\n");
    }
}
