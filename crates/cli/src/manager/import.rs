//! `--cluster import`: the keys of a standalone server into a cluster, which the server itself sends, key by key.

use std::collections::BTreeMap;

use client::{Address, Client, Value};
use cluster_admin::{Node, Slot};

use super::cluster::{Cluster, Refusal, call, info_field};
use super::keys::credentials;
use super::{FAILED, Manager, address_of};
use crate::failure::{Failure, fatal};
use crate::screen;
use crate::screen::complain;

/// Keys that one SCAN looks at.
const SCAN_COUNT: &[u8] = b"1000";

pub fn run(manager: &Manager) -> Result<(), Failure> {
    let (host, port) = manager.place(&manager.request.words)?;
    let Some(from) = &manager.request.from else {
        return Err(fatal("[ERR] Option '--cluster-from' is required for subcommand 'import'."));
    };
    let Some((from_host, from_port)) = address_of(from).filter(|(_, port)| *port != 0) else {
        return Err(fatal("[ERR] Invalid --cluster-from host. You need to pass a valid address (ie. 120.0.0.1:7000)."));
    };
    let place = format!("{from_host}:{from_port}");
    manager.info(&format!(">>> Importing data from {place} to cluster {host}:{port}\n"))?;
    let mut cluster = Cluster::load(manager, &host, port, false)?;
    if !cluster.check(false)? {
        return Err(FAILED);
    }
    let mut source = connect(manager, &from_host, from_port)?;
    let told = |refusal: Refusal| -> Failure {
        let _ = manager.error(&format!("Source {place} replied with error:\n{}\n", refusal.text()));
        FAILED
    };
    let info = call(&mut source, &["INFO"]).map_err(told)?;
    if info_field(&info, "cluster_enabled").is_some_and(|value| value != "0") {
        return manager.fail("[ERR] The source node should not be a cluster node.\n");
    }
    let size = call(&mut source, &["DBSIZE"]).map_err(told)?.as_int().unwrap_or(0);
    manager.warn(&format!("*** Importing {size} keys from DB 0\n"))?;
    if manager.request.dry_run {
        return manager.print("Nothing is imported in a dry run.\n");
    }
    let owners = owners(&cluster);
    let mut cursor = b"0".to_vec();
    loop {
        let reply = call(&mut source, &[b"SCAN".as_slice(), &cursor, b"COUNT", SCAN_COUNT]).map_err(told)?;
        let Some([next, keys]) = reply.as_array() else { return Err(fatal("Error: invalid SCAN reply")) };
        cursor = match next {
            Value::Integer(next) => next.to_string().into_bytes(),
            other => other.as_bytes().unwrap_or(b"0").to_vec(),
        };
        for key in keys.as_array().unwrap_or_default().iter().filter_map(Value::as_bytes) {
            let Some(target) = owners.get(&Slot::of_key(key)) else { continue };
            screen::print(b"Migrating ")?;
            screen::print(key)?;
            manager.print(&format!(" to {}: ", target.address()))?;
            call(&mut source, &migrate(manager, target, key)).map_err(told)?;
            manager.good("OK\n")?;
        }
        if cursor == b"0" {
            return Ok(());
        }
    }
}

fn connect(manager: &Manager, host: &str, port: u16) -> Result<Client, Failure> {
    let options = client::Options {
        connect_timeout: manager.options.connect_timeout,
        family: manager.options.family,
        ..client::Options::default()
    };
    let mut link = Client::connect(&Address::tcp(host, port), &options).map_err(|error| {
        fatal(format_args!("Could not connect to {} at {host}:{port}: {error}.", manager.words.server))
    })?;
    if let Some(password) = &manager.request.from_password {
        let mut words = vec![b"AUTH".to_vec()];
        words.extend(manager.request.from_user.clone());
        words.push(password.clone());
        if let Err(refusal) = call(&mut link, &words) {
            complain!("AUTH failed: {}", refusal.text());
            return Err(FAILED);
        }
    }
    Ok(link)
}

fn owners(cluster: &Cluster<'_>) -> BTreeMap<Slot, Node> {
    let of = |slot| cluster.picture.claimants(slot).first().map(|node| (slot, (*node).clone()));
    Slot::all().filter_map(of).collect()
}

fn migrate(manager: &Manager, target: &Node, key: &[u8]) -> Vec<Vec<u8>> {
    let (port, timeout) = (target.port.to_string(), manager.request.timeout_ms.to_string());
    let mut words: Vec<Vec<u8>> = vec![b"MIGRATE".to_vec(), target.host.clone().into_bytes(), port.into_bytes()];
    words.extend([key.to_vec(), b"0".to_vec(), timeout.into_bytes()]);
    words.extend(credentials(&manager.options));
    if manager.request.copy {
        words.push(b"COPY".to_vec());
    }
    if manager.request.replace {
        words.push(b"REPLACE".to_vec());
    }
    words
}
