//! Programs of other people's client libraries that write all the time, and when they may fail.
//!
//! Each checks what it has written (`redis_py.py`, `ioredis.js`) and prints what fails or is lost, with the time. A failure is
//! allowed during a failover and nowhere else.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use e2e::{Shell, absent, ioredis, python};

/// The failovers of a test, as spans of milliseconds since 1970.
#[derive(Default)]
pub struct Failovers {
    spans: Vec<(u64, u64)>,
}

/// Programs at work.
pub struct Load {
    programs: Vec<(&'static str, Shell)>,
}

/// A client may hold a reply in its hands for so long before it tells.
const SLACK: u64 = 1000;

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).expect("the year is below 500 million")
}

impl Failovers {
    /// Something after which clients may fail until it is over.
    pub fn during<T>(&mut self, act: impl FnOnce() -> T) -> T {
        let begin = now();
        let result = act();
        self.spans.push((begin, now() + SLACK));
        result
    }

    /// Whether a command may fail at this time.
    fn allow(&self, at: u64) -> bool {
        self.spans.iter().any(|(begin, end)| (*begin..=*end).contains(&at))
    }

    /// Whether a write that was acknowledged at this time may be lost: its replication was under way when a node died.
    fn excuse(&self, at: u64) -> bool {
        self.spans.iter().any(|(begin, end)| (begin.saturating_sub(SLACK)..=*end).contains(&at))
    }
}

impl Load {
    /// Every library that is here, on a cluster of which this node is one.
    pub fn start(port: u16) -> Load {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cluster/");
        let mut programs = Vec::new();
        match python() {
            Some(python) => {
                let mut command = Command::new(python);
                command.arg(format!("{folder}redis_py.py")).arg(port.to_string());
                programs.push(("redis-py", Shell::open(command)));
            }
            None => absent("no python3 has redis-py with RedisCluster"),
        }
        match ioredis() {
            Some(mut node) => {
                node.arg(format!("{folder}ioredis.js")).arg(port.to_string());
                programs.push(("ioredis", Shell::open(node)));
            }
            None => absent("no node has ioredis"),
        }
        for (_, program) in &programs {
            program.wait_for("under way");
        }
        Load { programs }
    }

    /// Lets them read everything once more, and judges what they have printed.
    pub fn stop(self, failovers: &Failovers) {
        for (name, program) in self.programs {
            let (output, status) = program.close();
            let summary = output.lines().find(|line| line.starts_with("content: "));
            let Some(summary) = summary.filter(|_| status.success()) else { panic!("{name}: {status}: {output}") };
            eprintln!("{name} is {summary}");
            for line in output.lines() {
                let mut words = line.splitn(3, ' ');
                let (kind, at) = (words.next(), words.next().and_then(|word| word.parse().ok()));
                let allowed = match (kind, at) {
                    (Some("error"), Some(at)) => failovers.allow(at),
                    (Some("lost"), Some(at)) => failovers.excuse(at),
                    (Some("under" | "content:"), _) => true,
                    _ => false,
                };
                assert!(allowed, "{name} outside of the failovers {:?}: {line}\nall of it:\n{output}", failovers.spans);
            }
        }
    }
}
