//! A Rust file as `tidy` reads it: code apart from comments, literals apart from code, tests apart from both.
//!
//! ```text
//!  let path = "std::fs"; // std::fs            raw, as it stands
//!  let path = "       ";                       code: same length, same lines, literals and comments blank
//!             ^ Literal { line, text }
//! ```
//!
//! It knows only as much of the language as it takes not to be fooled: nested comments, raw strings, byte strings,
//! characters as against lifetimes, and the block that follows `#[cfg(test)]`.

use std::path::{Path, PathBuf};

/// One file, taken apart.
pub struct Source {
    /// Relative to the workspace.
    pub path: PathBuf,
    pub raw: String,
    /// Code outside tests, with the contents of literals and all comments blank; same bytes, same lines.
    pub code: String,
    /// String literals outside tests.
    pub literals: Vec<Literal>,
    /// Modules that exist in tests only and have files of their own.
    pub test_modules: Vec<String>,
}

/// The contents of one string literal, escapes as they are written.
#[derive(Debug, PartialEq, Eq)]
pub struct Literal {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
}

impl Source {
    /// Reads the file at `root`/`path`.
    pub fn read(root: &Path, path: PathBuf) -> std::io::Result<Source> {
        let raw = std::fs::read_to_string(root.join(&path))?;
        Ok(Source::new(path, raw))
    }

    fn new(path: PathBuf, raw: String) -> Source {
        let (mut code, spans) = blank(&raw);
        let tests = test_blocks(&code);
        let test_modules = tests
            .iter()
            .filter_map(|&(from, to)| module_without_body(&String::from_utf8_lossy(&code[from..to])))
            .collect();
        for &(from, to) in &tests {
            erase(&mut code, from, to);
        }
        let literals = spans
            .into_iter()
            .filter(|&(from, _)| !tests.iter().any(|&(start, end)| (start..end).contains(&from)))
            .map(|(from, to)| Literal { line: line_of(&raw, from), text: raw[from..to].to_string() })
            .collect();
        Source { path, raw, code: String::from_utf8_lossy(&code).into_owned(), literals, test_modules }
    }

    /// Whether the file belongs to a module that `self` declares for tests only.
    pub fn declares_as_test(&self, other: &Path) -> bool {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let is_root = ["lib.rs", "main.rs", "mod.rs"].iter().any(|root| self.path.ends_with(root));
        let home = if is_root { folder.to_path_buf() } else { self.path.with_extension("") };
        self.test_modules.iter().any(|name| {
            let module = home.join(name);
            other == module.with_extension("rs") || other.starts_with(module)
        })
    }

    /// Every path in the code (`std::time::Instant::now`), groups of `use` written out, with its line.
    pub fn paths(&self) -> Vec<(usize, String)> {
        let tokens = tokens(&self.code);
        let mut found = Vec::new();
        let mut at = 0;
        while at < tokens.len() {
            if tokens[at].is_word() { at = path(&tokens, at, "", &mut found) } else { at += 1 }
        }
        found.into_iter().map(|(offset, path)| (line_of(&self.code, offset), path)).collect()
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset].iter().filter(|&&b| b == b'\n').count() + 1
}

fn erase(bytes: &mut [u8], from: usize, to: usize) {
    for byte in &mut bytes[from..to] {
        if *byte != b'\n' {
            *byte = b' ';
        }
    }
}

/// Blanks comments and the contents of literals; also returns where the contents of string literals lie.
fn blank(raw: &str) -> (Vec<u8>, Vec<(usize, usize)>) {
    let bytes = raw.as_bytes();
    let mut code = bytes.to_vec();
    let mut strings = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let after_word = at > 0 && is_word_byte(bytes[at - 1]);
        if rest.starts_with(b"//") {
            let end = at + rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
            erase(&mut code, at, end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let end = end_of_block_comment(bytes, at);
            erase(&mut code, at, end);
            at = end;
        } else if let (false, Some((open, hashes))) = (after_word, raw_string_opening(rest)) {
            let from = at + open;
            let closing = [b"\"".as_slice(), &vec![b'#'; hashes]].concat();
            let to = find(bytes, from, &closing).unwrap_or(bytes.len());
            strings.push((from, to));
            erase(&mut code, from, to);
            at = (to + closing.len()).min(bytes.len());
        } else if rest[0] == b'"' {
            let to = end_of_quoted(bytes, at + 1, b'"');
            strings.push((at + 1, to));
            erase(&mut code, at + 1, to);
            at = to + 1;
        } else if rest[0] == b'\'' && is_character(rest) {
            let to = end_of_quoted(bytes, at + 1, b'\'');
            erase(&mut code, at + 1, to);
            at = to + 1;
        } else {
            at += 1;
        }
    }
    (code, strings)
}

/// `r"`, `br#"`, `cr##"`: how long the opening is, and with how many `#`.
fn raw_string_opening(rest: &[u8]) -> Option<(usize, usize)> {
    let prefix = [b"r".as_slice(), b"br", b"cr"].into_iter().find(|p| rest.starts_with(p))?.len();
    let hashes = rest[prefix..].iter().take_while(|&&b| b == b'#').count();
    (rest.get(prefix + hashes) == Some(&b'"')).then_some((prefix + hashes + 1, hashes))
}

/// A quote opens a character, not a lifetime, if it is closed after one character or an escape.
fn is_character(rest: &[u8]) -> bool {
    match rest.get(1) {
        Some(b'\\') => true,
        Some(&first) => {
            let width = match first {
                0xf0.. => 4,
                0xe0.. => 3,
                0xc0.. => 2,
                _ => 1,
            };
            rest.get(1 + width) == Some(&b'\'')
        }
        None => false,
    }
}

fn end_of_quoted(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    at.min(bytes.len())
}

fn end_of_block_comment(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    bytes.len()
}

fn find(bytes: &[u8], from: usize, what: &[u8]) -> Option<usize> {
    bytes[from..].windows(what.len()).position(|w| w == what).map(|at| from + at)
}

/// Where the items under `#[cfg(test)]` lie.
fn test_blocks(code: &[u8]) -> Vec<(usize, usize)> {
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(start) = find(code, at, b"#[cfg(test)]") {
        let open = code[start..].iter().position(|&b| b == b'{' || b == b';').map(|p| start + p);
        let end = match open {
            Some(open) if code[open] == b'{' => end_of_braces(code, open),
            Some(semicolon) => semicolon + 1,
            None => code.len(),
        };
        blocks.push((start, end));
        at = end;
    }
    blocks
}

/// The name in `mod name;` behind attributes.
fn module_without_body(item: &str) -> Option<String> {
    let words: Vec<&str> = item.strip_suffix(';')?.split_whitespace().collect();
    let at = words.iter().position(|&word| word == "mod")?;
    words.get(at + 1).map(|name| name.to_string())
}

fn end_of_braces(code: &[u8], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, &byte) in code.iter().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => {
                depth -= 1;
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

struct Token<'a> {
    offset: usize,
    text: &'a str,
}

impl Token<'_> {
    fn is_word(&self) -> bool {
        self.text.bytes().next().is_some_and(is_word_byte)
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Words, `::`, and every other printable byte by itself.
fn tokens(code: &str) -> Vec<Token<'_>> {
    let bytes = code.as_bytes();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let len = if is_word_byte(bytes[at]) {
            bytes[at..].iter().take_while(|&&b| is_word_byte(b)).count()
        } else if bytes[at..].starts_with(b"::") {
            2
        } else {
            1
        };
        if !bytes[at].is_ascii_whitespace() && bytes[at].is_ascii() {
            tokens.push(Token { offset: at, text: &code[at..at + len] });
        }
        at += len;
    }
    tokens
}

/// Reads the path that starts at `at`, with every branch of its groups; returns where reading goes on.
fn path(tokens: &[Token<'_>], mut at: usize, prefix: &str, found: &mut Vec<(usize, String)>) -> usize {
    let offset = tokens[at].offset;
    let mut name = prefix.to_string();
    loop {
        name.push_str(tokens[at].text);
        at += 1;
        let separated = tokens.get(at).is_some_and(|t| t.text == "::");
        match tokens.get(at + 1) {
            Some(next) if separated && next.is_word() => {
                name.push_str("::");
                at += 1;
            }
            Some(next) if separated && next.text == "{" => {
                name.push_str("::");
                at += 2;
                while at < tokens.len() && tokens[at].text != "}" {
                    if tokens[at].is_word() { at = path(tokens, at, &name, found) } else { at += 1 }
                }
                return at + 1;
            }
            _ => {
                let macro_call = tokens.get(at).is_some_and(|t| t.text == "!");
                found.push((offset, if macro_call { name + "!" } else { name }));
                return at;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new(PathBuf::from("x.rs"), text.to_string())
    }

    #[test]
    fn comments_and_literals_are_not_code() {
        let s = source("a(\"x \\\" y\"); // b\n/* c /* d */ e */ f('\\'', 'é', r#\"g\"h\"#); fn i<'j>(){}");
        assert_eq!(s.code.replace(' ', ""), "a(\"\");\nf('','',r#\"\"#);fni<'j>(){}");
        assert_eq!(
            s.literals,
            [Literal { line: 1, text: "x \\\" y".into() }, Literal { line: 2, text: "g\"h".into() }]
        );
    }

    #[test]
    fn tests_are_left_out() {
        let s = source("fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { c(\"d\") }\n}\nfn e() {}");
        assert!(!s.code.contains("fn b") && s.code.contains("fn e"));
        assert!(s.literals.is_empty());
    }

    #[test]
    fn tests_in_files_of_their_own_are_known() {
        let s = Source::new(PathBuf::from("src/a.rs"), "#[cfg(test)]\nmod tests;\nmod real;".to_string());
        assert!(
            s.declares_as_test(Path::new("src/a/tests.rs")) && s.declares_as_test(Path::new("src/a/tests/more.rs"))
        );
        assert!(!s.declares_as_test(Path::new("src/a/real.rs")) && !s.declares_as_test(Path::new("src/tests.rs")));
        let root = Source::new(PathBuf::from("src/lib.rs"), "#[cfg(test)]\nmod testing;".to_string());
        assert!(root.declares_as_test(Path::new("src/testing.rs")));
    }

    #[test]
    fn groups_are_written_out() {
        let s = source("use std::{fs, time::{Duration, Instant}};\nlet t = Instant::now();\nprintln!(\"x\");");
        let paths: Vec<String> = s.paths().into_iter().map(|(line, p)| format!("{line} {p}")).collect();
        assert_eq!(
            paths,
            [
                "1 use",
                "1 std::fs",
                "1 std::time::Duration",
                "1 std::time::Instant",
                "2 let",
                "2 t",
                "2 Instant::now",
                "3 println!"
            ]
        );
    }
}
