//! `--cluster call` and `--cluster set-timeout`: the same command to every node.

use super::Manager;
use super::cluster::{Cluster, call as send};
use crate::failure::{Failure, fatal};
use crate::format::{self, Delimiters};
use crate::screen;
use arguments::number::leading_int;

/// A node that takes less for a sign of death will see it everywhere.
const LOWEST_TIMEOUT_MS: i64 = 100;

pub fn call(manager: &Manager) -> Result<(), Failure> {
    let words = &manager.request.words;
    let (host, port) = manager.place(&words[..1])?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    let command = &words[1..];
    manager.info(">>> Calling")?;
    let mut line = Vec::new();
    for word in command {
        line.push(b' ');
        line.extend_from_slice(word);
    }
    line.push(b'\n');
    screen::print(&line)?;
    for node in cluster.picture.nodes.clone() {
        let is_left_out = manager.request.primaries_only && node.primary.is_some()
            || manager.request.replicas_only && node.primary.is_none();
        if is_left_out {
            continue;
        }
        let place = node.address();
        let reply = cluster.link(&node.id).map(|link| link.call(command));
        let Some(Ok(reply)) = reply else {
            manager.print(&format!("{place}: Failed!\n"))?;
            continue;
        };
        let mut line = format!("{place}: ").into_bytes();
        line.extend(format::plain(&reply, Delimiters { element: b"\n", reply: b"\n" }));
        line.push(b'\n');
        screen::print(&line)?;
    }
    Ok(())
}

pub fn set_timeout(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words[..1])?;
    let timeout_ms = leading_int(&manager.request.words[1]);
    if timeout_ms < LOWEST_TIMEOUT_MS {
        return Err(fatal("Setting a node timeout of less than 100 milliseconds is a bad idea."));
    }
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    manager.info(">>> Reconfiguring node timeout in every cluster node...\n")?;
    let (mut good, mut bad) = (0, 0);
    let timeout_ms = timeout_ms.to_string();
    for node in cluster.picture.nodes.clone() {
        let place = node.address();
        let Some(link) = cluster.link(&node.id) else { continue };
        let set = send(link, &["CONFIG", "SET", "cluster-node-timeout", &timeout_ms]);
        match set.and_then(|_| send(link, &["CONFIG", "REWRITE"])) {
            Ok(_) => {
                manager.warn(&format!("*** New timeout set for {place}\n"))?;
                good += 1;
            }
            Err(refusal) => {
                manager.error(&format!("ERR setting node-timeout for {place}: {}\n", refusal.text()))?;
                bad += 1;
            }
        }
    }
    manager.info(&format!(">>> New node timeout set. {good} OK, {bad} ERR.\n"))
}
