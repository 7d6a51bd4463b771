//! Scenarios: what is run, in some ten lines.
//!
//! ```text
//!   replicas   1..5          a number, or a range from which every seed draws
//!   shards     3..4          the servers are a cluster of so many primaries, each with its replicas
//!   tags       12            clients of a cluster have their keys in so many slots
//!   chore      reshard 6     what the operator of a cluster does, and how often in proportion: reshard, failover, force
//!   rest-ms    600           how long it rests in between
//!   clients    1..3
//!   choices    lose-nothing  failovers are planned: whatever was answered is there behind each
//!   operator   patient       without Sentinels: waits for a primary that is gone, and nothing may be lost
//!   calm-ms    300           how long nothing happens at first
//!   run-ms     6000          when faults are over
//!   heal-ms    20000         how long the survivors may take to agree
//!   server     repl-timeout 6
//!   fault      crash 0..4    so many of this kind, at moments that the seed draws
//! ```

use std::fmt;

use crate::fault::Name;
use crate::process::operator::Chores;
use crate::random::Random;

/// A number, or a range of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// The least.
    pub low: u64,
    /// The most.
    pub high: u64,
}

impl Span {
    fn parse(text: &str) -> Option<Span> {
        let (low, high) = text.split_once("..").unwrap_or((text, text));
        let span = Span { low: low.parse().ok()?, high: high.parse().ok()? };
        (span.low <= span.high).then_some(span)
    }

    /// One of them.
    pub fn draw(self, random: &mut Random) -> u64 {
        random.between(self.low, self.high)
    }
}

/// See the head of this file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scenario {
    /// How it is called: the file's name.
    pub name: String,
    /// Primaries of a cluster; none: the servers are no cluster.
    pub shards: Span,
    /// What the operator of a cluster does.
    pub chores: Chores,
    /// How long the operator rests between two chores, on average, in ms.
    pub rest_ms: u64,
    /// In how many slots of a cluster clients have their keys.
    pub tags: u64,
    /// Replicas of the one primary, or of each.
    pub replicas: Span,
    /// Sentinels that watch it; without them an operator who sees everything chooses primaries.
    pub sentinels: Span,
    /// The operator waits for a primary that is gone instead of choosing another, and nothing may be lost at all.
    pub patient: bool,
    /// No choice of a primary may lose anything that was answered, whether replicas were waited for or not.
    pub nothing_lost: bool,
    /// Clients that write.
    pub clients: Span,
    /// How long a client thinks between two writes, on average, in ms.
    pub think_ms: Span,
    /// How long nothing happens at first.
    pub calm_ms: u64,
    /// When faults are over.
    pub run_ms: u64,
    /// How long the survivors may take to agree.
    pub heal_ms: u64,
    /// Lines of the servers' configuration.
    pub server: String,
    /// Lines of the Sentinels' configuration about the group.
    pub sentinel: Vec<String>,
    /// Kinds of faults, and how many.
    pub faults: Vec<(Name, Span)>,
}

/// A line that cannot be understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BadLine {
    /// Its number, from 1.
    pub line: usize,
    /// Its text.
    pub text: String,
}

impl fmt::Display for BadLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the scenario cannot be understood: {}", self.line, self.text)
    }
}

impl Scenario {
    /// Reads the text of a scenario.
    pub fn parse(name: &str, text: &str) -> Result<Scenario, BadLine> {
        let one = |n| Span { low: n, high: n };
        let mut scenario = Scenario {
            name: name.to_owned(),
            shards: one(0),
            chores: Chores::default(),
            rest_ms: 600,
            tags: 12,
            replicas: one(2),
            sentinels: one(0),
            patient: false,
            nothing_lost: false,
            clients: one(2),
            think_ms: one(20),
            calm_ms: 300,
            run_ms: 6000,
            heal_ms: 30_000,
            server: String::new(),
            sentinel: Vec::new(),
            faults: Vec::new(),
        };
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            scenario.line(line).ok_or_else(|| BadLine { line: index + 1, text: line.to_owned() })?;
        }
        Ok(scenario)
    }

    fn line(&mut self, line: &str) -> Option<()> {
        let (key, value) = line.split_once(char::is_whitespace)?;
        let value = value.trim();
        match key {
            "shards" => self.shards = Span::parse(value)?,
            "chore" => {
                let (name, weight) = value.split_once(char::is_whitespace)?;
                let weight = weight.trim().parse().ok()?;
                match name {
                    "reshard" => self.chores.reshard = weight,
                    "failover" => self.chores.failover = weight,
                    "force" => self.chores.force = weight,
                    _ => return None,
                }
            }
            "rest-ms" => self.rest_ms = value.parse().ok()?,
            "tags" => self.tags = value.parse().ok().filter(|n| *n > 0)?,
            "replicas" => self.replicas = Span::parse(value)?,
            "sentinels" => self.sentinels = Span::parse(value)?,
            "operator" if value == "patient" => self.patient = true,
            "choices" if value == "lose-nothing" => self.nothing_lost = true,
            "clients" => self.clients = Span::parse(value)?,
            "think-ms" => self.think_ms = Span::parse(value)?,
            "calm-ms" => self.calm_ms = value.parse().ok()?,
            "run-ms" => self.run_ms = value.parse().ok()?,
            "heal-ms" => self.heal_ms = value.parse().ok()?,
            "server" => {
                self.server.push_str(value);
                self.server.push('\n');
            }
            "sentinel" => self.sentinel.push(value.to_owned()),
            "fault" => {
                let (name, count) = value.split_once(char::is_whitespace)?;
                self.faults.push((Name::parse(name)?, Span::parse(count.trim())?));
            }
            _ => return None,
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_understood_is_named_with_its_line() {
        let good = Scenario::parse("x", "# about\nreplicas 1..5\n\nfault crash 2\nserver port 6379\n").expect("good");
        assert_eq!(good.replicas, Span { low: 1, high: 5 });
        assert_eq!(good.faults, [(Name::Crash, Span { low: 2, high: 2 })]);
        assert_eq!(good.server, "port 6379\n");
        for bad in ["replicas", "replicas 5..1", "fault flood 1", "fault crash", "weather bad"] {
            let text = format!("clients 1\n{bad}\n");
            assert_eq!(Scenario::parse("x", &text), Err(BadLine { line: 2, text: bad.to_owned() }));
        }
    }

    #[test]
    fn every_scenario_of_this_crate_can_be_understood() {
        let mut some = false;
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios");
        for entry in std::fs::read_dir(folder).expect("the folder is there") {
            let path = entry.expect("it can be listed").path();
            let text = std::fs::read_to_string(&path).expect("it can be read");
            Scenario::parse("x", &text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
            some = true;
        }
        assert!(some);
    }
}
