//! Laws that every data command obeys, tried with random arguments. A new command faces them as soon as it has a
//! row in the workload's table; the last test sees to it that it has one.

use conformance::observer::Observer;
use e2e::workload::{Comparison, Form, Workload, foundation};
use e2e::{Connection, Program, Reply, Server, dataset, wait, words};
use std::collections::{BTreeMap, BTreeSet};

/// A server, the workload of the commands that it knows, and what it says about them.
struct Court {
    server: Server,
    client: Connection,
    workload: Workload,
    flags: BTreeMap<String, BTreeSet<String>>,
}

impl Court {
    fn convene(seed: u64, settings: &[&str]) -> Court {
        let settings = [&["--repl-timeout", "86400"], settings].concat();
        Self::before(Server::start_program(&Program::ours(), &settings), seed)
    }

    /// The same on a node that has all slots of a cluster of its own.
    fn convene_node(seed: u64) -> Court {
        let settings = ["--cluster-enabled", "yes", "--cluster-databases", "16"];
        let server = Server::start_program(&Program::ours(), &settings);
        let mut client = server.connect();
        client.run("CLUSTER ADDSLOTSRANGE 0 16383");
        wait::until("the node serves", || client.run("CLUSTER INFO").text().contains("cluster_state:ok"));
        Self::before(server, seed)
    }

    fn before(server: Server, seed: u64) -> Court {
        let mut client = server.connect();
        let flags = flags(&mut client);
        let forms = if Program::ours().is_rubellite() { Workload::strict } else { Workload::new };
        let workload = forms(seed, &|name: &str| flags.contains_key(name)).only(|form| !form.blocks());
        client.pipeline(&foundation()).unwrap();
        Court { server, client, workload, flags }
    }

    fn has_flag(&self, form: &Form, flag: &str) -> bool {
        self.flags[form.name()].contains(flag)
    }

    fn digest(&mut self) -> String {
        self.client.run("DEBUG DIGEST").text()
    }

    /// Runs an instance of every form that many times: (instance, digest before, reply, digest after).
    fn try_all(&mut self, times: usize, mut verdict: impl FnMut(&mut Court, &Trial)) {
        for _ in 0..times {
            for form in 0..self.workload.forms().len() {
                let before = self.digest();
                let words = self.workload.of(form).words;
                let reply = self.client.call(&words).unwrap();
                let after = self.digest();
                verdict(self, &Trial { form, words, before, reply, after });
            }
        }
    }
}

struct Trial {
    form: usize,
    words: Vec<Vec<u8>>,
    before: String,
    reply: Reply,
    after: String,
}

impl Trial {
    fn line(&self) -> String {
        words::join(&self.words)
    }
}

/// Every command's flags, by upper-case name.
fn flags(client: &mut Connection) -> BTreeMap<String, BTreeSet<String>> {
    let reply = client.run("COMMAND");
    let rows = reply.items().iter().map(|row| {
        let row = row.items();
        let flags = row[2].items().iter().map(Reply::text).collect();
        (row[0].text().to_uppercase(), flags)
    });
    rows.collect()
}

#[test]
fn commands_that_say_they_read_only_read() {
    let mut court = Court::convene(11, &[]);
    court.try_all(30, |court, trial| {
        let form = &court.workload.forms()[trial.form];
        // What is not a write is held to the same: the containers (OBJECT) and what looks at no key.
        if !court.has_flag(form, "write") {
            assert_eq!(trial.before, trial.after, "{} changed the data", trial.line());
        }
    });
}

#[test]
fn on_a_node_of_a_cluster_what_says_that_it_only_reads_does_and_what_fails_changes_nothing() {
    let mut court = Court::convene_node(15);
    let (mut failed, mut crossed) = (0, 0);
    court.try_all(20, |court, trial| {
        let form = &court.workload.forms()[trial.form];
        if trial.reply.is_error() {
            failed += 1;
            crossed += usize::from(trial.reply.to_string().contains("CROSSSLOT"));
        }
        if trial.reply.is_error() || !court.has_flag(form, "write") {
            assert_eq!(trial.before, trial.after, "{} changed the data", trial.line());
        }
    });
    assert!(failed > crossed && crossed > 50, "{failed} commands failed, {crossed} of them for their keys' slots");
}

#[test]
fn a_command_that_fails_changes_nothing() {
    let mut court = Court::convene(12, &[]);
    let mut failed = 0;
    court.try_all(30, |_, trial| {
        if trial.reply.is_error() {
            failed += 1;
            assert_eq!(trial.before, trial.after, "{} failed with {} and changed the data", trial.line(), trial.reply);
        }
    });
    assert!(failed > 100, "only {failed} commands failed: the law was hardly tried");
}

/// What changes the data is told to replicas; what does not is not, unless it is a change that the digest cannot
/// see (an expiry time that moves).
#[test]
fn what_changes_the_data_is_propagated() {
    let mut court = Court::convene(13, &[]);
    let mut control = court.server.connect();
    let mut observer = Observer::attach(court.server.port(), &mut control).unwrap();
    court.try_all(30, |court, trial| {
        let seen = observer.look(&mut control).unwrap();
        let form = &court.workload.forms()[trial.form];
        if trial.before != trial.after {
            assert!(!seen.effects.is_empty(), "{} changed the data and told no one", trial.line());
        }
        if trial.reply.is_error() || !court.has_flag(form, "write") {
            assert!(seen.effects.is_empty(), "{} answered {} and sent {:?}", trial.line(), trial.reply, seen.effects);
        }
    });
}

/// Only keys that COMMAND GETKEYS names change.
#[test]
fn a_command_touches_only_the_keys_that_it_names() {
    let mut court = Court::convene(14, &[]);
    let universe: Vec<Vec<u8>> =
        "snlhtz".chars().flat_map(|kind| (0..6).map(move |number| format!("{kind}:{number}").into_bytes())).collect();
    let look: Vec<Vec<u8>> = [vec![b"DEBUG".to_vec(), b"DIGEST-VALUE".to_vec()], universe.clone()].concat();
    let mut before = court.client.call(&look).unwrap();
    for round in 0..20 * court.workload.forms().len() {
        let words = court.workload.of(round % court.workload.forms().len()).words;
        court.client.call(&words).unwrap();
        let after = court.client.call(&look).unwrap();
        let changed: Vec<&Vec<u8>> = universe
            .iter()
            .zip(before.items().iter().zip(after.items()))
            .filter(|(_, (before, after))| before != after)
            .map(|(key, _)| key)
            .collect();
        if !changed.is_empty() {
            let ask: Vec<Vec<u8>> = [vec![b"COMMAND".to_vec(), b"GETKEYS".to_vec()], words.clone()].concat();
            let named = court.client.call(&ask).unwrap();
            for key in changed {
                let known = named.items().iter().any(|name| name.bytes() == Some(key));
                assert!(known, "{} changed {} and names {named}", words::join(&words), words::quote(key));
            }
        }
        before = after;
    }
}

/// Limits of the small encodings change how values are stored, not what they are: two servers with different limits
/// answer alike and end alike.
#[test]
fn encodings_cannot_be_told_from_replies() {
    let zero: &[&str] = &[
        "--hash-max-listpack-entries",
        "0",
        "--set-max-intset-entries",
        "0",
        "--set-max-listpack-entries",
        "0",
        "--zset-max-listpack-entries",
        "0",
        "--list-max-listpack-size",
        "1",
    ];
    let mut small = Court::convene(15, &[]);
    let mut large = Court::convene(15, zero);
    let exact = |form: &Form| form.comparison != Comparison::Chance;
    small.workload = small.workload.only(exact);
    large.workload = large.workload.only(exact);
    for _ in 0..6000 {
        let instance = small.workload.any();
        let comparison = instance.form.comparison;
        let line = words::join(&instance.words);
        let other = large.workload.any();
        assert_eq!(line, words::join(&other.words), "equal seeds give equal commands");
        let one = small.client.call(&instance.words).unwrap();
        let other = large.client.call(&other.words).unwrap();
        match comparison {
            Comparison::Unordered => assert_eq!(sorted(&one), sorted(&other), "{line}"),
            _ => assert_eq!(one, other, "{line}"),
        }
    }
    assert_eq!(small.digest(), large.digest());
}

fn sorted(reply: &Reply) -> Vec<String> {
    if reply.is_error() {
        return vec![reply.to_string()];
    }
    let mut lines: Vec<String> = reply.items().iter().map(Reply::to_string).collect();
    lines.sort();
    lines
}

/// RESP3 says the same as RESP2 in richer types. Where scores come in pairs in one and flat in the other, the pairs
/// are made flat first.
#[test]
fn both_protocols_say_the_same() {
    let mut court = Court::convene(16, &[]);
    let mut three = court.server.connect();
    three.run("HELLO 3");
    let readonly: BTreeSet<String> =
        court.flags.iter().filter(|(_, flags)| flags.contains("readonly")).map(|(name, _)| name.clone()).collect();
    court.try_all(30, |court, trial| {
        let form = &court.workload.forms()[trial.form];
        if !readonly.contains(form.name()) || form.comparison == Comparison::Chance {
            return;
        }
        let rich = three.call(&trial.words).unwrap();
        assert_eq!(
            flat(&trial.reply.clone().in_resp2()),
            flat(&rich.in_resp2()),
            "{} in RESP2 and in RESP3",
            trial.line()
        );
    });
}

/// The leaves of a reply, nesting forgotten.
fn flat(reply: &Reply) -> Vec<String> {
    match reply {
        Reply::Array(items) => items.iter().flat_map(flat).collect(),
        Reply::Nil | Reply::NilArray => vec!["(nil)".to_string()],
        other => vec![other.to_string()],
    }
}

/// The stream that replicas get, run command by command on an empty server, gives the same data; and so do the
/// snapshot and every single key's DUMP.
#[test]
fn histories_of_several_connections_replay_to_the_same_data() {
    let settings: &[&str] = if Program::ours().is_rubellite() { &["--threads", "3"] } else { &[] };
    let mut court = Court::convene(17, settings);
    let mut control = court.server.connect();
    let mut observer = Observer::attach(court.server.port(), &mut control).unwrap();
    let replay = Server::start_program(&Program::ours(), &[]);
    let mut replayer = replay.connect();
    replayer.pipeline(&foundation()).unwrap();
    let flags = &court.flags;
    for round in 0..5 {
        std::thread::scope(|scope| {
            for seed in 0..4 {
                let server = &court.server;
                scope.spawn(move || {
                    let forms = if Program::ours().is_rubellite() { Workload::strict } else { Workload::new };
                    let mut workload = forms(round * 100 + seed, &|name: &str| flags.contains_key(name));
                    let mut client = server.connect();
                    for batch in 0..20 {
                        let mut commands: Vec<_> = (0..100).map(|_| workload.any().words).collect();
                        if batch % 2 == 0 {
                            commands.insert(0, vec![b"MULTI".to_vec()]);
                            commands.push(vec![b"EXEC".to_vec()]);
                        }
                        client.pipeline(&commands).unwrap();
                    }
                });
            }
        });
        let seen = observer.look(&mut control).unwrap();
        let commands: Vec<Vec<Vec<u8>>> = seen.stream.iter().map(|line| words::split(line).unwrap()).collect();
        for (command, reply) in commands.iter().zip(replayer.pipeline(&commands).unwrap()) {
            assert!(!reply.is_error(), "{} was propagated and answers {reply}", words::join(command));
        }
        let equal = dataset::digest(&court.server) == dataset::digest(&replay);
        assert!(equal, "round {round}:\n{}", dataset::differences(&court.server, &replay));
    }
    let memory = court.digest();
    dataset::reload(&mut court.client, "RELOAD");
    assert_eq!(court.digest(), memory, "a snapshot keeps everything");
    let keys = court.client.run("KEYS *");
    for key in keys.items() {
        let key = words::quote(key.bytes().unwrap());
        // DUMP leaves the expiry time to RESTORE's caller.
        court.client.run(&format!("PERSIST {key}"));
        let payload = words::quote(court.client.run(&format!("DUMP {key}")).bytes().unwrap());
        court.client.expect(&format!("RESTORE copy 0 {payload} REPLACE"), "OK");
        let original = court.client.run(&format!("DEBUG DIGEST-VALUE {key}"));
        assert_eq!(court.client.run("DEBUG DIGEST-VALUE copy"), original, "{key}");
    }
}

/// How much more than in a daily run random histories are to do: `RUBELLITE_SCALE`.
fn scale() -> usize {
    std::env::var("RUBELLITE_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// A transaction as its client saw it.
struct Transaction {
    commands: Vec<Vec<Vec<u8>>>,
    comparisons: Vec<Comparison>,
    replies: Vec<Reply>,
}

impl Transaction {
    /// Asserts that the replies were the same another time; says how many.
    fn compare(&self, again: &[Reply]) -> usize {
        assert_eq!(self.replies.len(), again.len());
        let each = self.commands.iter().zip(&self.comparisons);
        for ((command, comparison), (first, again)) in each.zip(self.replies.iter().zip(again)) {
            let line = words::join(command);
            match comparison {
                Comparison::Unordered => assert_eq!(sorted(first), sorted(again), "{line}"),
                _ => assert_eq!(first, again, "{line}"),
            }
        }
        again.len()
    }
}

/// Strict serializability. Each transaction ends with a mark, so the stream tells in which order they took effect.
/// One client that runs the same transactions in that order, on a server of its own, gets the very same replies.
#[test]
fn transactions_on_several_threads_answer_as_if_one_after_another() {
    const CLIENTS: usize = 4;
    const TRANSACTIONS: usize = 1500;
    let settings: &[&str] = if Program::ours().is_rubellite() { &["--threads", "3"] } else { &[] };
    let mut court = Court::convene(18, settings);
    let mut control = court.server.connect();
    let mut observer = Observer::attach(court.server.port(), &mut control).unwrap();
    // The model is a real Valkey where there is one: it cannot share our errors.
    let model = Program::valkey().unwrap_or_else(Program::ours);
    let model = Server::start_program(&model, &[]);
    let mut one_client = model.connect();
    one_client.pipeline(&foundation()).unwrap();
    court.flags.retain(|name, _| dataset::knows(&mut one_client, name));
    let flags = &court.flags;
    let mut compared = 0;
    for round in 0..scale() {
        let clients: Vec<Vec<Transaction>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..CLIENTS)
                .map(|client| {
                    let server = &court.server;
                    scope.spawn(move || {
                        let workload =
                            Workload::new((round * CLIENTS + client) as u64, |name| flags.contains_key(name));
                        // To a peer's SORT a word ends at a zero byte, and so its order is a matter of chance.
                        let exact =
                            |form: &Form| form.comparison != Comparison::Chance && !form.name().starts_with("SORT");
                        let workload = workload.only(exact);
                        transactions(&mut server.connect(), workload, client, TRANSACTIONS)
                    })
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect()
        });
        let seen = observer.look(&mut control).unwrap();
        let order: Vec<(usize, usize)> = seen.stream.iter().filter_map(|line| mark(line)).collect();
        assert_eq!(order.len(), CLIENTS * TRANSACTIONS, "every transaction leaves its mark");
        let ordered: Vec<&Transaction> = order.iter().map(|&(client, number)| &clients[client][number]).collect();
        for batch in ordered.chunks(100) {
            let commands: Vec<&[Vec<Vec<u8>>]> = batch.iter().map(|transaction| &transaction.commands[..]).collect();
            for (transaction, again) in batch.iter().zip(run_transactions(&mut one_client, &commands)) {
                compared += transaction.compare(&again);
            }
        }
        let equal = dataset::digest(&court.server) == dataset::digest(&model);
        assert!(equal, "round {round}:\n{}", dataset::differences(&court.server, &model));
    }
    assert!(compared > CLIENTS * TRANSACTIONS, "only {compared} replies were compared");
    println!("{compared} replies in {} transactions were the same", scale() * CLIENTS * TRANSACTIONS);
}

/// Runs random transactions, each ended by the client's mark, a few at a time so that the clients' overlap.
fn transactions(connection: &mut Connection, mut workload: Workload, client: usize, count: usize) -> Vec<Transaction> {
    let mut done: Vec<Transaction> = Vec::new();
    for number in 0..count {
        let (mut commands, mut comparisons) = (Vec::new(), Vec::new());
        for _ in 0..1 + number % 4 {
            let instance = workload.any();
            comparisons.push(instance.form.comparison);
            commands.push(instance.words);
        }
        commands.push(vec![b"SET".to_vec(), b"mark".to_vec(), format!("{client}:{number}").into_bytes()]);
        comparisons.push(Comparison::Exact);
        done.push(Transaction { commands, comparisons, replies: Vec::new() });
    }
    for batch in done.chunks_mut(16) {
        let commands: Vec<&[Vec<Vec<u8>>]> = batch.iter().map(|transaction| &transaction.commands[..]).collect();
        let replies = run_transactions(connection, &commands);
        for (transaction, replies) in batch.iter_mut().zip(replies) {
            transaction.replies = replies;
        }
    }
    done
}

/// Runs transactions in one pipeline; returns what each one's EXEC answered.
fn run_transactions(connection: &mut Connection, transactions: &[&[Vec<Vec<u8>>]]) -> Vec<Vec<Reply>> {
    let mut framed = Vec::new();
    for commands in transactions {
        framed.push(vec![b"MULTI".to_vec()]);
        framed.extend_from_slice(commands);
        framed.push(vec![b"EXEC".to_vec()]);
    }
    let replies = connection.pipeline(&framed).unwrap();
    let mut answered = replies.into_iter();
    let each = transactions.iter().map(|commands| {
        let exec = answered.nth(commands.len() + 1).expect("EXEC is answered");
        exec.items().to_vec()
    });
    each.collect()
}

/// The client and the number in a mark of the stream.
fn mark(line: &str) -> Option<(usize, usize)> {
    let (client, number) = line.strip_prefix("SET mark ")?.split_once(':')?;
    Some((client.parse().ok()?, number.parse().ok()?))
}

/// Too few and too many words are refused before anything else is looked at.
#[test]
fn arity_is_checked_first() {
    let tried = try_arities(&Server::start(&[]));
    assert!(tried > 200, "only {tried} calls were tried");
}

/// The same for the table of a Sentinel, containers' subcommands among it.
#[test]
fn arity_is_checked_first_by_a_sentinel() {
    let tried = try_arities(&Server::sentinel(&Program::ours(), "bind 127.0.0.1\nport PORT\n"));
    assert!(tried > 50, "only {tried} calls were tried");
}

fn try_arities(server: &Server) -> usize {
    let mut client = server.connect();
    let table = client.run("COMMAND");
    let mut rows: Vec<(String, i64)> = Vec::new();
    for row in table.items() {
        let row = row.items();
        rows.push((row[0].text(), row[1].integer()));
        rows.extend(row[9].items().iter().map(|row| (row.items()[0].text(), row.items()[1].integer())));
    }
    let mut tried = 0;
    for (name, arity) in rows {
        if name == "exec" {
            // Its own error wraps this one.
            continue;
        }
        let parts: Vec<&str> = name.split('|').collect();
        let fewest = arity.unsigned_abs() as usize;
        let wrong: Vec<usize> = match arity {
            0.. => vec![fewest + 1, fewest.saturating_sub(1)],
            _ => vec![fewest.saturating_sub(1)],
        };
        for count in wrong.into_iter().filter(|&count| count >= parts.len()) {
            let given = parts.iter().map(|part| part.to_string());
            let words: Vec<String> = given.chain((parts.len()..count).map(|n| n.to_string())).collect();
            let reply = client.call(&words).unwrap().to_string();
            let expected = format!("(error) ERR wrong number of arguments for '{name}' command");
            assert_eq!(reply, expected, "{words:?}");
            tried += 1;
        }
    }
    tried
}

/// Data commands that the workload leaves out, and why.
const NOT_IN_THE_WORKLOAD: &[(&str, &str)] = &[
    ("FLUSHALL", "leaves nothing to compare"),
    ("FLUSHDB", "leaves nothing to compare"),
    ("SWAPDB", "moves the data from under the other connections"),
    ("MIGRATE", "needs a second server"),
    ("RESTORE", "needs a payload; tried with every key's DUMP"),
    ("RESTORE-ASKING", "needs a payload"),
];

#[test]
fn every_data_command_stands_before_the_court() {
    let server = Server::start(&[]);
    let known = flags(&mut server.connect());
    let groups = server.connect().run("COMMAND DOCS");
    let tried: BTreeSet<&str> = Workload::strict(0, |_| true).forms().iter().map(Form::name).collect();
    let of_this_store = ["string", "bitmap", "list", "hash", "set", "sorted-set", "generic"];
    for entry in groups.items().chunks_exact(2) {
        let name = entry[0].text().to_uppercase();
        let docs: Vec<String> = entry[1].items().iter().map(Reply::to_string).collect();
        let group =
            docs.iter().position(|word| word == "\"group\"").map(|at| docs[at + 1].trim_matches('"').to_string());
        let is_data = group.is_some_and(|group| of_this_store.contains(&group.as_str()));
        let touches_data = known.get(&name).is_some_and(|f| f.contains("write") || f.contains("readonly"));
        let excused = NOT_IN_THE_WORKLOAD.iter().any(|(other, _)| *other == name);
        assert!(
            !(is_data && touches_data) || excused || tried.contains(name.as_str()),
            "{name} has no row in the workload"
        );
    }
}
