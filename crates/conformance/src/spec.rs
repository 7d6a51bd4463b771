//! A spec page as data: chains of blocks, steps, expectations, and on which lines they stand.

use std::fmt;
use std::path::{Path, PathBuf};

/// One page.
#[derive(Debug)]
pub struct Spec {
    pub path: PathBuf,
    pub text: String,
    pub chains: Vec<Chain>,
}

/// A block and the blocks that continue it: what runs from an empty server to the end.
#[derive(Debug, PartialEq)]
pub struct Chain {
    /// The line of the first block's fence, counted from 1.
    pub line: usize,
    pub options: Options,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Options {
    pub resp: Protocols,
    pub any_encoding: bool,
    pub unordered: bool,
    /// Nobody may follow the server.
    pub no_replicas: bool,
    pub config: Vec<(String, String)>,
    /// Not asked of other programs.
    pub ours_only: bool,
    /// A Sentinel is asked, which watches the server under the name of `mymaster`.
    pub of_a_sentinel: bool,
    continued: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Protocols {
    Two,
    Three,
    #[default]
    Both,
}

/// A command or a read, and what must come of it.
#[derive(Debug, PartialEq)]
pub struct Step {
    /// Counted from 1.
    pub line: usize,
    /// Empty for the block's own connection.
    pub connection: String,
    pub action: Action,
    /// The lines of the reply, as they stand in the page.
    pub reply: Vec<String>,
    /// `None`: not looked at.
    pub effects: Option<Vec<String>>,
    pub events: Option<Vec<String>>,
    /// The lines below the command that hold the three expectations, first and behind the last.
    pub expectation: (usize, usize),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    Run(String),
    /// Again and again, until the reply is the one expected.
    Until(String),
    Read,
}

/// A page that cannot be read, with the line.
#[derive(Debug, PartialEq)]
pub struct Malformed {
    pub line: usize,
    pub why: String,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// Every page beside the data commands, the control commands and those of a Sentinel.
pub fn all_pages() -> Vec<Spec> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    ["commands/src", "node/src/commands", "sentinel/src/commands"]
        .iter()
        .flat_map(|folder| collect(&crates.join(folder)))
        .collect()
}

/// Every page beside the data commands.
pub fn data_pages() -> Vec<Spec> {
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../commands/src"))
}

/// Reads every spec page in a folder and below it; panics on a page that is malformed.
pub fn collect(folder: &Path) -> Vec<Spec> {
    let mut found = Vec::new();
    let mut entries: Vec<PathBuf> = match std::fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    entries.sort();
    for path in entries {
        if path.is_dir() {
            found.extend(collect(&path));
        } else if path.extension().is_some_and(|e| e == "md") {
            found.push(Spec::read(&path));
        }
    }
    found
}

impl Spec {
    /// Reads one page; panics if it cannot be read or is malformed.
    pub fn read(path: &Path) -> Spec {
        let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let chains = parse(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        Spec { path: path.to_path_buf(), text, chains }
    }
}

pub fn parse(text: &str) -> Result<Vec<Chain>, Malformed> {
    let mut chains: Vec<Chain> = Vec::new();
    let mut lines = text.lines().enumerate().map(|(at, line)| (at + 1, line));
    while let Some((fence, line)) = lines.next() {
        let Some(info) = line.strip_prefix("```transcript") else { continue };
        let options = options(info).map_err(|why| Malformed { line: fence, why })?;
        let mut steps = Vec::new();
        let mut closed = false;
        for (number, line) in lines.by_ref() {
            if line.starts_with("```") {
                closed = true;
                break;
            }
            step_line(number, line, &mut steps).map_err(|why| Malformed { line: number, why })?;
        }
        if !closed {
            return Err(Malformed { line: fence, why: "the block is not closed".into() });
        }
        if !options.continued {
            chains.push(Chain { line: fence, options, steps });
            continue;
        }
        match chains.last_mut() {
            Some(chain) => chain.steps.extend(steps),
            None => return Err(Malformed { line: fence, why: "there is no block to continue".into() }),
        }
    }
    Ok(chains)
}

fn options(info: &str) -> Result<Options, String> {
    let mut options = Options::default();
    for word in info.split_whitespace() {
        match word.split_once('=').unwrap_or((word, "")) {
            ("resp", "2") => options.resp = Protocols::Two,
            ("resp", "3") => options.resp = Protocols::Three,
            ("resp", "both") => options.resp = Protocols::Both,
            ("encoding", "any") => options.any_encoding = true,
            ("replicas", "no") => options.no_replicas = true,
            ("unordered", "") => options.unordered = true,
            ("continued", "") => options.continued = true,
            ("peer", "no") => options.ours_only = true,
            ("sentinel", "") => options.of_a_sentinel = true,
            ("config", setting) => {
                let (name, value) = setting.split_once(':').ok_or("config=name:value")?;
                options.config.push((name.into(), value.into()));
            }
            _ => return Err(format!("unknown option `{word}`")),
        }
    }
    Ok(options)
}

fn step_line(number: usize, line: &str, steps: &mut Vec<Step>) -> Result<(), String> {
    if line.starts_with("# ") || line == "#" {
        return Ok(());
    }
    if let Some((connection, action)) = action(line) {
        steps.push(Step {
            line: number,
            connection: connection.to_string(),
            action,
            reply: Vec::new(),
            effects: None,
            events: None,
            expectation: (number + 1, number + 1),
        });
        return Ok(());
    }
    if line.trim().is_empty() {
        return Ok(());
    }
    let step = steps.last_mut().ok_or("a reply without a command")?;
    step.expectation.1 = number + 1;
    if let Some(effect) = line.strip_prefix("effects:") {
        note(step.effects.get_or_insert_default(), effect);
    } else if let Some(event) = line.strip_prefix("events:") {
        note(step.events.get_or_insert_default(), event);
    } else if step.effects.is_some() || step.events.is_some() {
        return Err("the reply comes before effects and events".into());
    } else {
        step.reply.push(line.trim_end().to_string());
    }
    Ok(())
}

fn note(list: &mut Vec<String>, text: &str) {
    let text = text.trim();
    if text != "(none)" {
        list.push(text.to_string());
    }
}

/// `> line`, `A> line`, `A~> line`, `A<`.
fn action(line: &str) -> Option<(&str, Action)> {
    let end = line.bytes().position(|b| !b.is_ascii_alphanumeric() && b != b'_').unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    if name.starts_with(|c: char| !c.is_ascii_alphabetic()) {
        return None;
    }
    if let Some(command) = rest.strip_prefix("> ") {
        Some((name, Action::Run(command.trim().to_string())))
    } else if let Some(command) = rest.strip_prefix("~> ") {
        Some((name, Action::Until(command.trim().to_string())))
    } else {
        (rest.trim_end() == "<").then_some((name, Action::Read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# X\n\nprose\n\n```transcript resp=2 config=a-b:c\n> SET k v\nOK\neffects: SET k v\nevents: set k\n# why\nA> BLPOP l 0\n(blocked)\n```\n\n```transcript continued\nA<\n1) \"l\"\n2) \"x\"\neffects: (none)\n```\n";

    #[test]
    fn a_page_is_chains_of_steps() {
        let chains = parse(PAGE).unwrap();
        assert_eq!(chains.len(), 1);
        assert_eq!(chains[0].line, 5);
        assert_eq!(chains[0].options.resp, Protocols::Two);
        assert_eq!(chains[0].options.config, [("a-b".to_string(), "c".to_string())]);
        let steps = &chains[0].steps;
        assert_eq!(steps.len(), 3);
        assert_eq!(steps[0].action, Action::Run("SET k v".into()));
        assert_eq!(steps[0].effects, Some(vec!["SET k v".into()]));
        assert_eq!(steps[0].events, Some(vec!["set k".into()]));
        assert_eq!(steps[0].expectation, (7, 10));
        assert_eq!((steps[1].connection.as_str(), steps[1].reply.len()), ("A", 1));
        assert_eq!((&steps[2].action, steps[2].reply.len(), &steps[2].effects), (&Action::Read, 2, &Some(vec![])));
    }

    #[test]
    fn a_malformed_page_says_where() {
        let line = |text: &str| parse(text).unwrap_err().line;
        assert_eq!(line("```transcript what\n```\n"), 1);
        assert_eq!(line("\n```transcript\nOK\n```\n"), 3);
        assert_eq!(line("```transcript\n> PING\n"), 1);
        assert_eq!(line("```transcript\n> PING\neffects: X\nOK\n```\n"), 4);
        assert_eq!(line("```transcript continued\n```\n"), 1);
    }
}
