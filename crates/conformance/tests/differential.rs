//! The same random commands on our server and on a real Valkey, in step: every reply, every effect, every event and
//! the data at the end are the same.
//!
//! The laws say that we agree with ourselves; this says that we agree with those whom our users know.

use conformance::observer::Observer;
use e2e::workload::{Comparison, Workload, foundation};
use e2e::{Connection, Program, Reply, Server, absent, dataset, words};

/// One of the two servers, and what looks at it.
struct Side {
    server: Server,
    client: Connection,
    control: Connection,
    observer: Observer,
}

impl Side {
    fn start(program: &Program, protocol: u8) -> Side {
        let server = Server::start_program(program, &["--repl-timeout", "86400"]);
        let mut control = server.connect();
        let observer = Observer::attach(server.port(), &mut control).unwrap();
        let mut client = server.connect();
        client.run(&format!("HELLO {protocol}"));
        client.pipeline(&foundation()).unwrap();
        let mut side = Side { server, client, control, observer };
        side.side_effects();
        side
    }

    /// Effects and events since the last look, moments left out.
    fn side_effects(&mut self) -> (Vec<String>, Vec<String>) {
        let seen = self.observer.look(&mut self.control).unwrap();
        let lines = |lines: &[String]| lines.iter().map(|line| without_moments(line)).collect();
        (lines(&seen.effects), lines(&seen.events))
    }
}

/// Commands that we tell our replicas in other words, which older servers know too.
const TOLD_OTHERWISE: &[&str] = &["MSETEX", "HGETDEL"];

/// A relative expiry becomes a moment, which the two servers reach a little apart.
fn without_moments(line: &str) -> String {
    let words = line.split(' ').map(|word| {
        let moment = word.len() == 13 && word.starts_with('1') && word.bytes().all(|b| b.is_ascii_digit());
        if moment { "<moment>" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn in_step(seed: u64, protocol: u8, commands: usize) {
    let Some(valkey) = Program::valkey() else { return absent("no valkey-server to compare with") };
    let (mut ours, mut theirs) = (Side::start(&Program::ours(), protocol), Side::start(&valkey, protocol));
    let ports = [ours.server.port(), theirs.server.port()];
    let both_know = |name: &str| ports.iter().all(|&port| dataset::knows(&mut Connection::open(port).unwrap(), name));
    let mut workload =
        Workload::new(seed, both_know).only(|form| form.comparison != Comparison::Chance && !form.blocks());
    for number in 0..commands {
        let instance = workload.any();
        let line = words::join(&instance.words);
        let (one, other) = (ours.client.call(&instance.words).unwrap(), theirs.client.call(&instance.words).unwrap());
        let same = match instance.form.comparison {
            Comparison::Unordered => sorted(&one) == sorted(&other),
            _ => one == other,
        };
        assert!(same, "command {number}: {line}\nours:\n{one}\ntheirs:\n{other}");
        let (one, other) = (ours.side_effects(), theirs.side_effects());
        if !TOLD_OTHERWISE.contains(&instance.form.name()) {
            assert_eq!(one.0, other.0, "command {number}: {line}: effects, ours and theirs");
        }
        assert_eq!(one.1, other.1, "command {number}: {line}: events, ours and theirs");
        let last = number + 1 == commands;
        if last || number % 500 == 0 {
            let equal = dataset::digest(&ours.server) == dataset::digest(&theirs.server);
            assert!(equal, "after {line}:\n{}", dataset::differences(&ours.server, &theirs.server));
        }
    }
}

fn sorted(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::Map(pairs) => {
            let mut lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{key} => {value}")).collect();
            lines.sort();
            lines
        }
        Reply::Array(items) | Reply::Set(items) => {
            let mut lines: Vec<String> = items.iter().map(Reply::to_string).collect();
            lines.sort();
            lines
        }
        other => vec![other.to_string()],
    }
}

#[test]
fn in_step_with_valkey_in_resp2() {
    in_step(21, 2, 8000);
}

#[test]
fn in_step_with_valkey_in_resp3() {
    in_step(22, 3, 8000);
}
