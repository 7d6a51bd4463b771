//! Runs chains of steps against one server, in every variant that their options ask for.

use crate::observer::{Observer, Seen};
use crate::pattern::{self, Captures};
use crate::spec::{Action, Chain, Protocols, Spec, Step};
use e2e::{Connection, Program, Reply, Server, wait, words};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use structures::crc16;

/// How long a reply may take. A wrong page or server can leave many of them out, so it is not the patience of tests.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server and what looks at it.
pub struct Runner {
    program: Program,
    server: Server,
    control: Connection,
    observer: Option<Observer>,
    is_ours: bool,
}

/// A step that did not do what its page says.
#[derive(Debug)]
pub struct Failure {
    pub path: PathBuf,
    pub line: usize,
    pub variant: String,
    pub what: &'static str,
    pub expected: String,
    pub got: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let indented = |text: &str| text.lines().map(|line| format!("    {line}\n")).collect::<String>();
        writeln!(f, "{}:{} ({}): {}", self.path.display(), self.line, self.variant, self.what)?;
        write!(f, "  expected\n{}  got\n{}", indented(&self.expected), indented(&self.got))
    }
}

/// What a step did.
#[derive(Debug)]
pub struct Outcome {
    pub reply: String,
    pub reply_matches: bool,
    /// Present when the page looks at effects or events.
    pub seen: Option<Seen>,
}

/// One way to run a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    resp: u8,
    /// Replies of RESP3 are compared after translation.
    translated: bool,
    limits: Limits,
}

/// How many elements the small encodings may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limits {
    Default,
    Zero,
    Two,
}

impl Limits {
    fn settings(self) -> Vec<(String, String)> {
        let entries = match self {
            Limits::Default => return Vec::new(),
            Limits::Zero => "0",
            Limits::Two => "2",
        };
        let per_entries = [
            "hash-max-listpack-entries",
            "set-max-intset-entries",
            "set-max-listpack-entries",
            "zset-max-listpack-entries",
        ];
        let node = if self == Limits::Zero { "1" } else { "2" };
        let mut settings: Vec<(String, String)> =
            per_entries.iter().map(|name| (name.to_string(), entries.to_string())).collect();
        settings.push(("list-max-listpack-size".to_string(), node.to_string()));
        settings
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RESP{}, {:?} limits", self.resp, self.limits)
    }
}

impl Chain {
    /// Every way in which the chain must hold; the first is the one that the page shows.
    pub fn variants(&self) -> Vec<Variant> {
        let protocols: &[(u8, bool)] = match self.options.resp {
            Protocols::Two => &[(2, false)],
            Protocols::Three => &[(3, false)],
            Protocols::Both => &[(2, false), (3, true)],
        };
        let limits: &[Limits] =
            if self.options.any_encoding { &[Limits::Default, Limits::Zero, Limits::Two] } else { &[Limits::Default] };
        let each = limits
            .iter()
            .flat_map(|&limits| protocols.iter().map(move |&(resp, translated)| Variant { resp, translated, limits }));
        each.collect()
    }
}

impl Runner {
    /// Starts a server for specs.
    pub fn start(program: &Program) -> Runner {
        // Nothing is written to disk, no replica times out, and nothing happens by itself.
        let server = Server::start_program(program, &["--repl-timeout", "86400", "--appendonly", "no"]);
        let control = server.connect();
        Runner { program: program.clone(), server, control, observer: None, is_ours: program.is_rubellite() }
    }

    /// Starts a node that has all slots of a cluster of its own.
    pub fn start_node(program: &Program) -> Runner {
        let words = ["--cluster-enabled", "yes", "--cluster-databases", "16", "--repl-timeout", "86400"];
        let server = Server::start_program(program, &words);
        let mut control = server.connect();
        control.run("CLUSTER ADDSLOTSRANGE 0 16383");
        wait::until("the node serves", || control.run("CLUSTER INFO").text().contains("cluster_state:ok"));
        Runner { program: program.clone(), server, control, observer: None, is_ours: program.is_rubellite() }
    }

    /// Runs a page in every variant.
    pub fn check(&mut self, spec: &Spec) -> Vec<Failure> {
        let is_ours = self.is_ours;
        let chains = spec.chains.iter().filter(|chain| is_ours || !chain.options.ours_only);
        chains.flat_map(|chain| self.check_chain(spec, chain)).collect()
    }

    /// Runs one chain of a page in every variant.
    pub fn check_chain(&mut self, spec: &Spec, chain: &Chain) -> Vec<Failure> {
        let mut failures = Vec::new();
        for variant in chain.variants() {
            let (outcomes, broken) = self.run(chain, variant);
            for (step, outcome) in chain.steps.iter().zip(&outcomes) {
                failures.extend(judge(spec, step, outcome, variant));
            }
            failures.extend(broken.map(|error| Failure {
                path: spec.path.clone(),
                line: chain.steps.get(outcomes.len()).map_or(chain.line, |step| step.line),
                variant: variant.to_string(),
                what: "the connection or the server broke",
                expected: String::new(),
                got: error.to_string(),
            }));
        }
        failures
    }

    /// Whether a chain can run on a node of a cluster: each of its commands, and each transaction as a whole, has the keys of
    /// one slot.
    pub fn fits_a_cluster(&mut self, chain: &Chain) -> bool {
        let in_transactions = |line: &str| line.to_ascii_lowercase().starts_with("multi");
        let mut slots = BTreeSet::new();
        let mut transactions = false;
        for step in &chain.steps {
            let (Action::Run(line) | Action::Until(line)) = &step.action else { continue };
            transactions |= in_transactions(line);
            let Some(words) = words::split(line) else { return false };
            let question = [vec![b"COMMAND".to_vec(), b"GETKEYS".to_vec()], words].concat();
            let Ok(Reply::Array(keys)) = self.control.call(&question) else { continue };
            let own: BTreeSet<u16> = keys.iter().filter_map(Reply::bytes).map(crc16::slot).collect();
            if own.len() > 1 {
                return false;
            }
            slots.extend(own);
        }
        !transactions || slots.len() < 2
    }

    /// Runs a chain in one variant, as far as the connections hold.
    pub fn run(&mut self, chain: &Chain, variant: Variant) -> (Vec<Outcome>, Option<io::Error>) {
        let mut outcomes = Vec::new();
        let broken = self.run_steps(chain, variant, &mut outcomes).err();
        (outcomes, broken)
    }

    fn run_steps(&mut self, chain: &Chain, variant: Variant, outcomes: &mut Vec<Outcome>) -> io::Result<()> {
        let settings: Vec<(String, String)> =
            variant.limits.settings().into_iter().chain(chain.options.config.iter().cloned()).collect();
        let before = self.configure(&settings)?;
        self.control.call(&["FLUSHALL"])?;
        if chain.options.no_replicas || chain.options.of_a_sentinel {
            self.observer = None;
            let mut replicas = || self.control.call(&["INFO", "replication"]).map(|info| info.text());
            wait::until("the server to be alone", || {
                replicas().is_ok_and(|info| info.contains("connected_slaves:0\r\n"))
            });
        }
        let sentinel = chain.options.of_a_sentinel.then(|| self.sentinel());
        let port = sentinel.as_ref().map_or(self.server.port(), Server::port);
        let captures = Captures::from([("primary".to_string(), self.server.port().to_string())]);
        let mut stage = Stage { port, variant, clients: BTreeMap::new(), captures };
        let result = chain.steps.iter().try_for_each(|step| {
            outcomes.push(self.step(&mut stage, step, chain.options.unordered)?);
            Ok(())
        });
        // The connections to a Sentinel end with it.
        if sentinel.is_none() {
            stage.close(&mut self.control)?;
        }
        self.configure(&before)?;
        result
    }

    /// A Sentinel that has just begun to watch the server, and has reached it.
    fn sentinel(&self) -> Server {
        let watched = format!("sentinel monitor mymaster 127.0.0.1 {} 1", self.server.port());
        let sentinel = Server::sentinel(&self.program, &format!("bind 127.0.0.1\nport PORT\n{watched}\n"));
        wait::until("the Sentinel to know its primary", || {
            let info = sentinel.run("SENTINEL INFO-CACHE mymaster").to_string();
            info.contains("role:master") && sentinel.run("SENTINEL MASTER mymaster").to_string().contains("\"master\"")
        });
        sentinel
    }

    /// Sets directives and returns what they were.
    fn configure(&mut self, settings: &[(String, String)]) -> io::Result<Vec<(String, String)>> {
        let mut before = Vec::new();
        for (name, value) in settings {
            let reply = self.control.call(&["CONFIG", "GET", name])?;
            if let Reply::Array(items) = &reply
                && let [_, old] = &items[..]
            {
                before.push((name.clone(), old.text()));
            }
            let reply = self.control.call(&["CONFIG", "SET", name, value])?;
            if reply.is_error() {
                return Err(io::Error::other(format!("CONFIG SET {name} {value}: {reply}")));
            }
        }
        Ok(before)
    }

    fn step(&mut self, stage: &mut Stage, step: &Step, unordered: bool) -> io::Result<Outcome> {
        let looks = step.effects.is_some() || step.events.is_some();
        if looks {
            self.look()?;
        }
        let mut captures = stage.captures.clone();
        let mut matches = |reply: &str| {
            let lines: Vec<&str> = reply.lines().collect();
            let same = if unordered { pattern::matches_unordered } else { pattern::matches };
            same(&step.reply, &lines, &mut captures)
        };
        let line = match &step.action {
            Action::Read => String::new(),
            Action::Run(line) | Action::Until(line) => pattern::fill(line, &stage.captures),
        };
        let client = stage.client(&step.connection)?;
        let reply = match (&step.action, step.reply.first().map(String::as_str)) {
            (Action::Read, _) => client.read()?,
            (Action::Run(_), Some("(blocked)")) => {
                client.send(&line)?;
                client.wait_until_blocked(&mut self.control)?
            }
            (Action::Run(_), Some("(silent)")) => {
                client.send(&line)?;
                "(silent)".to_string()
            }
            (Action::Run(_), _) => client.ask(&line)?,
            (Action::Until(_), _) => {
                wait::until_some(&format!("`{line}` to be answered {:?}", step.reply), || match client.ask(&line) {
                    Ok(reply) if !matches(&reply) => None,
                    done => Some(done),
                })?
            }
        };
        let reply_matches = matches(&reply);
        if reply_matches {
            stage.captures = captures;
        }
        let seen = if looks { Some(self.look()?) } else { None };
        Ok(Outcome { reply, reply_matches, seen })
    }

    fn look(&mut self) -> io::Result<Seen> {
        if self.observer.is_none() {
            self.observer = Some(Observer::attach(self.server.port(), &mut self.control)?);
        }
        self.observer.as_mut().expect("attached above").look(&mut self.control)
    }
}

/// The connections of one run of a chain, and what its holes held.
struct Stage {
    port: u16,
    variant: Variant,
    clients: BTreeMap<String, Client>,
    captures: Captures,
}

struct Client {
    connection: Connection,
    id: i64,
    variant: Variant,
}

impl Stage {
    fn client(&mut self, name: &str) -> io::Result<&mut Client> {
        if !self.clients.contains_key(name) {
            let mut connection = Connection::open(self.port)?;
            connection.set_patience(PATIENCE)?;
            let id = connection.call(&["CLIENT", "ID"])?.integer();
            if self.variant.resp == 3 {
                connection.call(&["HELLO", "3"])?;
            }
            self.clients.insert(name.to_string(), Client { connection, id, variant: self.variant });
        }
        Ok(self.clients.get_mut(name).expect("inserted above"))
    }

    /// Closes every connection such that none of them can act once this returns.
    fn close(self, control: &mut Connection) -> io::Result<()> {
        for client in self.clients.into_values() {
            control.call(&["CLIENT", "KILL", "ID", &client.id.to_string()])?;
        }
        Ok(())
    }
}

impl Client {
    fn send(&mut self, line: &str) -> io::Result<()> {
        let words = words::split(line).ok_or_else(|| io::Error::other(format!("quotes do not match: {line}")))?;
        match self.connection.send(&words) {
            // That the server closed the connection shows when the reply is read.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
            _ => Ok(()),
        }
    }

    fn ask(&mut self, line: &str) -> io::Result<String> {
        self.send(line)?;
        self.read()
    }

    fn read(&mut self) -> io::Result<String> {
        match self.connection.receive() {
            Ok(reply) if self.variant.translated => Ok(reply.in_resp2().to_string()),
            Ok(reply) => Ok(reply.to_string()),
            Err(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => Ok("(closed)".to_string()),
                _ => Err(error),
            },
        }
    }

    fn wait_until_blocked(&mut self, control: &mut Connection) -> io::Result<String> {
        let id = self.id.to_string();
        wait::until_some("a client to block", || match control.call(&["CLIENT", "LIST", "ID", &id]) {
            Err(error) => Some(Err(error)),
            Ok(list) => {
                let flags = list.text().split_whitespace().find_map(|f| f.strip_prefix("flags=").map(str::to_string));
                flags.is_some_and(|flags| flags.contains('b')).then(|| Ok("(blocked)".to_string()))
            }
        })
    }
}

fn judge(spec: &Spec, step: &Step, outcome: &Outcome, variant: Variant) -> Vec<Failure> {
    let mut failures = Vec::new();
    let mut fail = |what, expected: String, got: String| {
        let path = spec.path.clone();
        failures.push(Failure { path, line: step.line, variant: variant.to_string(), what, expected, got });
    };
    // The null array is told from other nulls in RESP2 only.
    let untold = variant.translated && step.reply == ["(nil array)"] && outcome.reply == "(nil)";
    if !outcome.reply_matches && !untold {
        fail("the reply differs", step.reply.join("\n"), outcome.reply.clone());
    }
    for (what, expected, got) in outcome.observed(step) {
        if !same_list(expected, got) {
            fail(what, expected.join("\n"), got.join("\n"));
        }
    }
    failures
}

impl Outcome {
    /// Effects and events beside what the page says of them, as far as it says something.
    pub fn observed<'a>(&'a self, step: &'a Step) -> Vec<(&'static str, &'a [String], &'a [String])> {
        let Some(seen) = &self.seen else { return Vec::new() };
        let effects = step.effects.as_ref().map(|list| ("the effects differ", &list[..], &seen.effects[..]));
        let events = step.events.as_ref().map(|list| ("the events differ", &list[..], &seen.events[..]));
        effects.into_iter().chain(events).collect()
    }
}

/// Whether effects or events are the ones expected, holes allowed.
pub fn same_list(expected: &[String], got: &[String]) -> bool {
    let lines: Vec<&str> = got.iter().map(String::as_str).collect();
    pattern::matches(expected, &lines, &mut Captures::new())
}
