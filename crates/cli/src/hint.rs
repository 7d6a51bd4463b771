//! Hints: what may still be typed behind the words that stand there already.
//!
//! ```text
//!   SET k v EX ▏seconds [NX|XX|IFEQ comparison-value] [GET]
//!   └─ typed ─┘└────────────── hint ──────────────────────┘
//! ```
//!
//! A command's arguments are a small grammar: sequences, choices, options in any order, repetitions.
//! The typed words are matched against it greedily and without going back; what the match left open
//! is the hint. Words that do not fit end hinting: the hint is then empty rather than wrong.
//!
//! Rules that may surprise:
//! - neighbouring options may come in any order, the one under way is shown first; once an argument
//!   behind them was given they can come no more and are not shown;
//! - an option without its brackets is one that has been begun;
//! - a new option ends the one before, optional parts of which are then not shown any more.
//!
//! Cost: linear in the words, times the options that are open at each.

use crate::docs::{Argument, Kind};

/// How far one argument was matched. The tree has the shape of the argument's.
#[derive(Clone, Debug, Default)]
struct Progress {
    /// Words, and at least one if anything was.
    words: usize,
    token: bool,
    name: bool,
    /// Nothing more can or need be said about it.
    complete: bool,
    parts: Vec<Progress>,
}

impl Progress {
    fn of(arguments: &[Argument]) -> Vec<Progress> {
        arguments.iter().map(|a| Progress { parts: Progress::of(&a.parts), ..Progress::default() }).collect()
    }

    fn clear(&mut self) {
        self.words = 0;
        self.token = false;
        self.name = false;
        self.complete = false;
        self.parts.iter_mut().for_each(Progress::clear);
    }
}

/// The whole syntax of the arguments.
pub fn syntax(arguments: &[Argument]) -> String {
    show_sequence(arguments, &mut Progress::of(arguments), " ")
}

/// What can follow `words`; empty when they do not fit.
pub fn remaining(arguments: &[Argument], words: &[Vec<u8>]) -> String {
    let mut progress = Progress::of(arguments);
    if match_sequence(arguments, &mut progress, words) == words.len() {
        show_sequence(arguments, &mut progress, " ")
    } else {
        String::new()
    }
}

/// How many words the arguments take, in order; zero when a required one does not fit.
fn match_sequence(arguments: &[Argument], progress: &mut [Progress], words: &[Vec<u8>]) -> usize {
    let mut taken = 0;
    let mut at = 0;
    while taken < words.len() && at < arguments.len() {
        let options = run_of_options(&arguments[at..]);
        if options > 0 {
            let end = at + options;
            taken += match_options(&arguments[at..end], &mut progress[at..end], &words[taken..]);
            at = end;
        } else {
            let matched = match_argument(&arguments[at], &mut progress[at], &words[taken..]);
            if matched == 0 {
                return 0;
            }
            taken += matched;
            at += 1;
        }
    }
    taken
}

fn run_of_options(arguments: &[Argument]) -> usize {
    arguments.iter().take_while(|argument| argument.optional).count()
}

/// Options in whatever order the words have them.
fn match_options(options: &[Argument], progress: &mut [Progress], words: &[Vec<u8>]) -> usize {
    let mut taken = 0;
    let mut last: Option<usize> = None;
    while taken < words.len() {
        let mut found = None;
        for i in 0..options.len() {
            if progress[i].words > 0 {
                continue;
            }
            let matched = match_argument(&options[i], &mut progress[i], &words[taken..]);
            if matched > 0 {
                found = Some((i, matched));
                break;
            }
        }
        let Some((i, matched)) = found else { break };
        if let Some(last) = last.replace(i) {
            progress[last].complete = true;
        }
        taken += matched;
    }
    taken
}

/// One argument with its repetitions.
fn match_argument(argument: &Argument, progress: &mut Progress, words: &[Vec<u8>]) -> usize {
    let mut taken = match_once(argument, progress, words);
    if !argument.multiple {
        return taken;
    }
    while progress.complete && taken < words.len() {
        progress.clear();
        if argument.token.is_some() && !argument.repeats_token {
            // The token stands only before the first repetition.
            taken += match_body(argument, progress, &words[taken..]);
            progress.token = progress.words > 0;
        } else {
            taken += match_once(argument, progress, &words[taken..]);
        }
    }
    progress.complete = false;
    taken
}

fn match_once(argument: &Argument, progress: &mut Progress, words: &[Vec<u8>]) -> usize {
    let mut words = words;
    if let Some(token) = &argument.token {
        if !words[0].eq_ignore_ascii_case(token.as_bytes()) {
            return 0;
        }
        progress.token = true;
        progress.words = 1;
        if argument.kind == Kind::PureToken {
            progress.complete = true;
            return 1;
        }
        words = &words[1..];
        if words.is_empty() {
            return 1;
        }
    }
    match_body(argument, progress, words)
}

/// The argument without its token.
fn match_body(argument: &Argument, progress: &mut Progress, words: &[Vec<u8>]) -> usize {
    match argument.kind {
        Kind::Block => {
            progress.words += match_sequence(&argument.parts, &mut progress.parts, words);
            progress.complete = progress.parts.iter().all(|part| part.complete);
        }
        Kind::OneOf => {
            for (choice, state) in argument.parts.iter().zip(&mut progress.parts) {
                if match_argument(choice, state, words) > 0 {
                    progress.words += state.words;
                    progress.complete = state.complete;
                    break;
                }
            }
        }
        Kind::Integer if !begins_integer(&words[0]) => {
            progress.words = 0;
            progress.name = false;
        }
        Kind::Double if !begins_double(&words[0]) => {
            progress.words = 0;
            progress.name = false;
        }
        _ => {
            progress.words += 1;
            progress.name = true;
            progress.complete = true;
        }
    }
    progress.words
}

fn begins_integer(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    digits.first().is_some_and(u8::is_ascii_digit)
}

fn begins_double(word: &[u8]) -> bool {
    let digits = word.strip_prefix(b"-").or(word.strip_prefix(b"+")).unwrap_or(word);
    let special = digits.get(..3).is_some_and(|w| w.eq_ignore_ascii_case(b"inf") || w.eq_ignore_ascii_case(b"nan"));
    special || begins_integer(digits) || matches!(digits, [b'.', digit, ..] if digit.is_ascii_digit())
}

fn show_sequence(arguments: &[Argument], progress: &mut [Progress], separator: &str) -> String {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < arguments.len() {
        let options = run_of_options(&arguments[at..]);
        if options == 0 {
            pieces.push(show(&arguments[at], &mut progress[at]));
            at += 1;
            continue;
        }
        let run = at..at + options;
        let mut shown = None;
        for i in run.clone() {
            if progress[i].words > 0 && !progress[i].complete {
                pieces.push(show(&arguments[i], &mut progress[i]));
                shown = Some(i);
            }
        }
        if progress.get(run.end).is_none_or(|next| next.words == 0) {
            for i in run.clone().filter(|i| shown != Some(*i)) {
                pieces.push(show(&arguments[i], &mut progress[i]));
            }
        }
        at = run.end;
    }
    join(pieces, separator)
}

fn show(argument: &Argument, progress: &mut Progress) -> String {
    if progress.complete {
        return String::new();
    }
    let begun = progress.words > 0;
    let mut pieces = Vec::new();
    if !progress.token {
        pieces.extend(argument.token.as_deref().map(or_quotes));
    }
    pieces.push(match argument.kind {
        Kind::PureToken => String::new(),
        Kind::Block => show_sequence(&argument.parts, &mut progress.parts, " "),
        Kind::OneOf if !begun => show_sequence(&argument.parts, &mut progress.parts, "|"),
        Kind::OneOf => {
            let chosen = argument.parts.iter().zip(&mut progress.parts).filter(|(_, state)| state.words > 0);
            chosen.map(|(choice, state)| show(choice, state)).collect()
        }
        _ if progress.name => String::new(),
        _ => or_quotes(&argument.display),
    });
    if argument.multiple {
        pieces.push(show_repetition(argument, progress));
    }
    let text = join(pieces, " ");
    match (argument.optional && !begun, argument.optional && (!begun || argument.multiple)) {
        (true, _) => format!("[{text}]"),
        // The bracket that closes the repetition of an option under way.
        (false, true) => format!("{text}]"),
        (false, false) => text,
    }
}

fn show_repetition(argument: &Argument, progress: &mut Progress) -> String {
    progress.clear();
    let mut pieces = Vec::new();
    if argument.repeats_token {
        pieces.extend(argument.token.as_deref().map(or_quotes));
    }
    pieces.push(match argument.kind {
        Kind::PureToken => String::new(),
        Kind::Block => show_sequence(&argument.parts, &mut progress.parts, " "),
        Kind::OneOf => show_sequence(&argument.parts, &mut progress.parts, "|"),
        _ => or_quotes(&argument.display),
    });
    format!("[{} ...]", join(pieces, " "))
}

/// The literal words of a hint of which one may be typed next: those of the options that it begins with, and of the
/// choice, if any, that follows them.
pub fn next_tokens(hint: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut depth = 0usize;
    // Whether the part under way is one that must be typed.
    let mut required = false;
    for piece in hint.split_inclusive([' ', '|', '[', ']']) {
        let word = piece.trim_end_matches([' ', '|', '[', ']']);
        if !word.is_empty() {
            let is_token = word.bytes().all(|byte| !byte.is_ascii_lowercase());
            if is_token {
                tokens.push(word);
            } else if depth == 0 && !required {
                break;
            }
            required |= depth == 0;
        }
        match piece.as_bytes().last() {
            Some(b'[') => depth += 1,
            Some(b']') => depth = depth.saturating_sub(1),
            Some(b' ') if required && depth == 0 => break,
            _ => (),
        }
    }
    tokens
}

fn or_quotes(text: &str) -> String {
    if text.is_empty() { "\"\"".to_owned() } else { text.to_owned() }
}

fn join(pieces: Vec<String>, separator: &str) -> String {
    pieces.into_iter().filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn argument(name: &str, kind: Kind) -> Argument {
        Argument { display: name.to_owned(), kind, ..Argument::default() }
    }

    fn option(token: &str, argument: Argument) -> Argument {
        Argument { token: Some(token.to_owned()), optional: true, ..argument }
    }

    fn check(arguments: &[Argument], typed: &str, expect: &str) {
        let words: Vec<Vec<u8>> = typed.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        assert_eq!(remaining(arguments, &words), expect, "after {typed:?}");
    }

    #[test]
    fn what_may_come_next_is_read_off_a_hint() {
        for (hint, expect) in [
            ("[NX|XX] [GET] [EX seconds|PX milliseconds]", &["NX", "XX", "GET", "EX", "PX"][..]),
            ("[MATCH pattern] key [TYPE type]", &["MATCH"]),
            ("LEFT|RIGHT timeout", &["LEFT", "RIGHT"]),
            ("LEFT|RIGHT LEFT|RIGHT", &["LEFT", "RIGHT"]),
            ("[NX] BY|AT place", &["NX", "BY", "AT"]),
            ("count [MATCH pattern]", &[]),
            ("", &[]),
        ] {
            assert_eq!(next_tokens(hint), expect, "{hint}");
        }
    }

    #[test]
    fn options_may_come_in_any_order() {
        let scan = [
            argument("cursor", Kind::Integer),
            option("MATCH", argument("pattern", Kind::Text)),
            option("COUNT", argument("count", Kind::Integer)),
        ];
        assert_eq!(syntax(&scan), "cursor [MATCH pattern] [COUNT count]");
        check(&scan, "", "cursor [MATCH pattern] [COUNT count]");
        check(&scan, "2", "[MATCH pattern] [COUNT count]");
        check(&scan, "2 count", "count [MATCH pattern]");
        check(&scan, "2 count 3", "[MATCH pattern]");
        check(&scan, "2 count x", "");
        check(&scan, "2 FOO", "");
        check(&scan, "x", "");
    }

    #[test]
    fn repetitions_stay_open() {
        let mget = [Argument { multiple: true, ..argument("key", Kind::Text) }];
        check(&mget, "", "key [key ...]");
        check(&mget, "a", "[key ...]");
        check(&mget, "a b c", "[key ...]");
        let get = Argument {
            multiple: true,
            repeats_token: true,
            parts: vec![argument("encoding", Kind::Text), argument("offset", Kind::Integer)],
            ..option("GET", argument("get", Kind::Block))
        };
        let bitfield = [argument("key", Kind::Text), get];
        check(&bitfield, "k", "[GET encoding offset [GET encoding offset ...]]");
        check(&bitfield, "k get", "encoding offset [GET encoding offset ...]]");
        check(&bitfield, "k get u8 1", "[GET encoding offset ...]]");
    }

    #[test]
    fn options_end_where_what_follows_them_begins() {
        let choice = Argument {
            optional: true,
            parts: vec![
                Argument { token: Some("NX".into()), ..argument("nx", Kind::PureToken) },
                Argument { token: Some("XX".into()), ..argument("xx", Kind::PureToken) },
            ],
            ..argument("condition", Kind::OneOf)
        };
        let pair = Argument {
            multiple: true,
            parts: vec![argument("score", Kind::Double), argument("member", Kind::Text)],
            ..argument("data", Kind::Block)
        };
        let zadd = [argument("key", Kind::Text), choice, pair];
        check(&zadd, "k", "[NX|XX] score member [score member ...]");
        check(&zadd, "k xx", "score member [score member ...]");
        check(&zadd, "k 1.5", "member [score member ...]");
        check(&zadd, "k -inf m", "[score member ...]");
        check(&zadd, "k notanumber", "");
    }
}
