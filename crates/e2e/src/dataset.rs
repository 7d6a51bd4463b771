//! Data on servers: filling one with every type and encoding, and telling whether two hold the same.

use crate::workload::{Workload, foundation};
use crate::{Connection, Reply, Server, wait, words};
use std::collections::BTreeSet;

/// Fills the first two databases with every type in small and large encodings, expiry times included.
pub fn fill(server: &Server) {
    let mut client = server.connect();
    let mut workload = Workload::new(2024, |name| knows(&mut server.connect(), name))
        // Only what makes the data grow.
        .only(|form| ["SET", "RPUSH", "HSET", "SADD", "ZADD", "SETRANGE", "EXPIRE"].contains(&form.name()));
    for database in 0..2 {
        client.expect(&format!("SELECT {database}"), "OK");
        let mut commands = foundation();
        commands.extend((0..500).map(|_| workload.any().words));
        client.pipeline(&commands).expect("the server answers");
        client.expect("SET expiring value EX 1000000", "OK");
    }
}

/// Whether the server has a command of that name.
pub fn knows(client: &mut Connection, name: &str) -> bool {
    matches!(client.run(&format!("COMMAND INFO {name}")).items(), [Reply::Array(_)])
}

/// Runs `DEBUG RELOAD` or `DEBUG LOADAOF`.
pub fn reload(client: &mut Connection, subcommand: &str) {
    client.expect(&format!("DEBUG {subcommand}"), "OK");
}

/// The digest of all keys and values, equal for equal data whatever its encoding.
pub fn digest(server: &Server) -> String {
    server.run("DEBUG DIGEST").text()
}

/// Waits until the servers hold the same; panics with the keys that differ if that does not come about.
pub fn wait_until_equal(one: &Server, other: &Server) {
    let what = || format!("equal data on ports {} and {}:\n{}", one.port(), other.port(), differences(one, other));
    wait::until(what, || digest(one) == digest(other) || differences(one, other).is_empty());
}

/// Panics with the keys that differ unless the servers hold the same.
pub fn assert_equal(one: &Server, other: &Server) {
    if digest(one) != digest(other) {
        assert_eq!(differences(one, other), "", "on ports {} and {}", one.port(), other.port());
    }
}

/// The strings under a key where they are not the same.
fn texts(clients: &mut [Connection; 2], key: &str) -> String {
    let [left, right] = clients.each_mut().map(|client| client.run(&format!("GET {key}")));
    let are_strings = left.bytes().is_some() && right.bytes().is_some();
    if are_strings && left != right { format!("{key}: {left} and {right}\n") } else { String::new() }
}

/// The members and scores of a sorted set. Digests take a score as it is printed, and products print fractions with
/// different numbers of digits; what they mean is the same.
fn scores(client: &mut Connection, key: &str) -> Vec<(String, u64)> {
    let reply = client.run(&format!("ZRANGE {key} 0 -1 WITHSCORES"));
    if !matches!(reply, Reply::Array(_)) {
        // A replica that is behind may have another type there yet.
        return vec![(reply.to_string(), 0)];
    }
    let words: Vec<String> = reply.items().iter().map(Reply::text).collect();
    words.chunks(2).map(|pair| (pair[0].clone(), pair[1].parse::<f64>().unwrap_or(f64::NAN).to_bits())).collect()
}

/// The keys that are not the same on both, and how.
pub fn differences(one: &Server, other: &Server) -> String {
    let mut found = String::new();
    for database in 0..3 {
        let mut clients = [one.connect(), other.connect()];
        let mut keys = BTreeSet::new();
        for client in &mut clients {
            client.expect(&format!("SELECT {database}"), "OK");
            keys.extend(client.run("KEYS *").items().iter().filter_map(|key| key.bytes().map(<[u8]>::to_vec)));
        }
        for key in keys {
            let key = words::quote(&key);
            found.push_str(&texts(&mut clients, &key));
            let [left, right] = &mut clients;
            for look in ["DEBUG DIGEST-VALUE", "EXISTS", "TYPE", "PEXPIRETIME"] {
                if look == "DEBUG DIGEST-VALUE" && left.run(&format!("TYPE {key}")).to_string() == "zset" {
                    if scores(left, &key) != scores(right, &key) {
                        found.push_str(&format!("the scores of {key} in database {database}\n"));
                    }
                    continue;
                }
                let (left, right) = (left.run(&format!("{look} {key}")), right.run(&format!("{look} {key}")));
                if left != right {
                    found.push_str(&format!("{look} {key} in database {database}: {left} and {right}\n"));
                }
            }
        }
    }
    found
}
