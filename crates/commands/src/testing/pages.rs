//! The pages beside the commands, run without a server.
//!
//! A chain is run as far as it needs nothing but data commands of one connection: it ends before a command that no
//! handler here serves, and before whatever waits. The rest is for crate `conformance`, which runs the same pages
//! against real servers.

use std::fmt::Write;
use std::path::Path;

use conformance::{
    Action, Captures, Chain, Protocols, Spec, Step, collect, fill, matches, matches_unordered, same_list,
};
use e2e::{Reply, words};
use keyspace::DbIndex;
use resp::reply::Proto;

use super::Keyspace;

#[test]
fn the_pages_hold() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut failures = String::new();
    let mut steps = 0;
    for page in collect(&folder) {
        for chain in &page.chains {
            let protocols: &[Proto] = match chain.options.resp {
                Protocols::Two => &[Proto::Resp2],
                Protocols::Three => &[Proto::Resp3],
                Protocols::Both => &[Proto::Resp2, Proto::Resp3],
            };
            for &proto in protocols {
                steps += run(&page, chain, proto, &mut failures);
            }
        }
    }
    assert!(failures.is_empty(), "{failures}");
    assert!(steps > 0, "no page was found");
}

/// The records of one unit as the stream shows them: several stand between MULTI and EXEC.
fn framed(records: &[String]) -> Vec<String> {
    match records {
        [] | [_] => records.to_vec(),
        _ => [&["MULTI".to_owned()], records, &["EXEC".to_owned()]].concat(),
    }
}

/// Runs one chain; answers how many of its steps were run.
fn run(page: &Spec, chain: &Chain, proto: Proto, failures: &mut String) -> usize {
    let mut keyspace = Keyspace::new();
    keyspace.proto = proto;
    // What the observer of real servers listens to: every class but new and missed keys.
    keyspace.env.notify &= !(command::effects::class::NEW | command::effects::class::KEY_MISS);
    for (name, value) in &chain.options.config {
        if !configure(&mut keyspace, name, value) {
            return 0;
        }
    }
    let translated = proto == Proto::Resp3 && chain.options.resp == Protocols::Both;
    let mut captures = Captures::new();
    for (done, step) in chain.steps.iter().enumerate() {
        let Some(got) = answer(&mut keyspace, step, &captures, translated) else { return done };
        let lines: Vec<&str> = got.lines().collect();
        let same = if chain.options.unordered { matches_unordered } else { matches };
        let untold = translated && step.reply == ["(nil array)"] && got == "(nil)";
        let mut fail = |what: &str, expected: &[String], got: &[String]| {
            let _ = writeln!(
                failures,
                "{}:{} ({proto:?}): {what}\n  expected\n    {}\n  got\n    {}",
                page.path.display(),
                step.line,
                expected.join("\n    "),
                got.join("\n    ")
            );
        };
        if !same(&step.reply, &lines, &mut captures) && !untold {
            fail("the reply differs", &step.reply, &[got.replace('\n', "\n    ")]);
        }
        let effects = framed(keyspace.effects());
        if let Some(expected) = step.effects.as_ref().filter(|e| !same_list(e, &effects)) {
            fail("the effects differ", expected, &effects);
        }
        if let Some(expected) = step.events.as_ref().filter(|e| !same_list(e, keyspace.events())) {
            fail("the events differ", expected, keyspace.events());
        }
    }
    chain.steps.len()
}

/// The reply to a step in the notation of the pages; `None` when it needs a server.
fn answer(keyspace: &mut Keyspace, step: &Step, captures: &Captures, translated: bool) -> Option<String> {
    let Action::Run(line) = &step.action else { return None };
    if !step.connection.is_empty() || matches!(step.reply.first()?.as_str(), "(blocked)" | "(silent)" | "(closed)") {
        return None;
    }
    let command = words::split(&fill(line, captures))?;
    if command.first()?.eq_ignore_ascii_case(b"select") {
        keyspace.db = DbIndex(std::str::from_utf8(command.get(1)?).ok()?.parse().ok()?);
        return Some("OK".into());
    }
    if !keyspace.knows(&command) {
        return None;
    }
    let raw = keyspace.raw(&command);
    assert!(keyspace.blocked.is_none(), "line {}: a wait that the page does not tell of", step.line);
    let reply = Reply::read(&mut &raw[..]).expect("a handler writes correct protocol");
    Some(if translated { reply.in_resp2().to_string() } else { reply.to_string() })
}

/// Sets a directive, if it is one that commands see.
fn configure(keyspace: &mut Keyspace, name: &str, value: &str) -> bool {
    let env = &mut keyspace.env;
    match name {
        "proto-max-bulk-len" => env.max_string = value.parse().expect("a number of bytes"),
        "maxmemory-policy" => env.lfu = value.ends_with("-lfu"),
        "lazyfree-lazy-expire" => env.lazy_expire = value == "yes",
        "lazyfree-lazy-user-del" => env.lazy_user_del = value == "yes",
        "lazyfree-lazy-user-flush" => env.lazy_user_flush = value == "yes",
        "lazyfree-lazy-server-del" => env.lazy_server_del = value == "yes",
        _ => return false,
    }
    true
}
