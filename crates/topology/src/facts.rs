//! What a node says about itself, read from INFO.

use std::time::Duration;

use client::{Address, Client, Options, Value};

use crate::node::{Files, Node};

/// How long one question may take.
const TIMEOUT: Duration = Duration::from_secs(2);

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    Primary {
        /// Replicas that receive the stream.
        online: usize,
    },
    Replica {
        /// The port of its primary.
        primary: u16,
        link_is_up: bool,
    },
    /// Of the first group that it watches.
    Sentinel {
        /// The port of the primary.
        primary: u16,
        /// Those that it could promote.
        replicas: usize,
        /// Itself included.
        sentinels: usize,
        /// It can reach the primary.
        is_well: bool,
    },
}

impl Role {
    pub fn is_primary(&self) -> bool {
        matches!(self, Role::Primary { .. })
    }

    /// As the table of nodes has it.
    pub fn name(&self) -> &'static str {
        match self {
            Role::Primary { .. } => "primary",
            Role::Replica { .. } => "replica",
            Role::Sentinel { .. } => "sentinel",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub process_id: i32,
    pub config_file: Vec<u8>,
    pub role: Role,
    /// In cluster mode: whether every slot is served, as far as the node knows.
    pub cluster_is_ok: Option<bool>,
    /// It reads its data and takes no commands yet; how far it is, in percent.
    pub loading: Option<u8>,
}

/// What each node said; `None` is one that did not answer.
pub type Answers = [Option<Facts>];

impl Default for Facts {
    fn default() -> Self {
        Facts {
            process_id: 0,
            config_file: Vec::new(),
            role: Role::Primary { online: 0 },
            cluster_is_ok: None,
            loading: None,
        }
    }
}

/// Connects to a node as its configuration asks for it.
pub fn connect(node: &Node, files: &Files) -> Option<Client> {
    let options = Options {
        connect_timeout: Some(TIMEOUT),
        read_timeout: Some(TIMEOUT),
        write_timeout: Some(TIMEOUT),
        ..Options::default()
    };
    let mut client = Client::connect(&Address::tcp("127.0.0.1", node.port), &options).ok()?;
    if let Some(password) = files.password() {
        client.call(&[b"AUTH".to_vec(), password]).ok()?;
    }
    Some(client)
}

/// Asks a node; `None` when it does not answer, or not as a node of ours would.
pub fn ask(node: &Node, files: &Files) -> Option<Facts> {
    let mut client = connect(node, files)?;
    let mut section = |name: &str| match client.call(&["INFO", name]).ok()? {
        Value::Bulk(text) => Some(text),
        _ => None,
    };
    let sections = ["server", "persistence", "replication", "cluster", "sentinel"];
    let mut text = sections.into_iter().map(&mut section).collect::<Option<Vec<_>>>()?.concat();
    if find(&text, "cluster_enabled") == Some(b"1")
        && let Value::Bulk(cluster) = client.call(&["CLUSTER", "INFO"]).ok()?
    {
        text.extend(cluster);
    }
    let mut facts = understand(&text)?;
    if let Role::Sentinel { replicas, .. } = &mut facts.role {
        let name = value_in(std::str::from_utf8(find(&text, "master0")?).ok()?, "name")?.as_bytes().to_vec();
        let Value::Array(all) = client.call(&[b"SENTINEL".to_vec(), b"REPLICAS".to_vec(), name]).ok()? else {
            return None;
        };
        *replicas = all.iter().filter(|replica| is_fit(replica)).count();
    }
    Some(facts)
}

/// Whether a Sentinel has seen a replica well: it answers, and follows the primary.
fn is_fit(replica: &Value) -> bool {
    let Value::Array(fields) = replica else { return false };
    let is = |name: &str, value: &str| {
        let mut pairs = fields.chunks_exact(2);
        pairs.any(|pair| pair == [Value::Bulk(name.into()), Value::Bulk(value.into())])
    };
    is("flags", "slave") && is("master-link-status", "ok")
}

/// A value of a line such as `name=mymaster,status=ok`.
fn value_in<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii_end)
}

fn find<'a>(text: &'a [u8], name: &str) -> Option<&'a [u8]> {
    lines(text).find_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b":"))
}

fn understand(text: &[u8]) -> Option<Facts> {
    let field = |name: &str| find(text, name);
    let number = |name: &str| std::str::from_utf8(field(name)?).ok();
    let is_sentinel = field("server_mode") == Some(b"sentinel");
    let role = match field("role") {
        None if is_sentinel => watched(field("master0")?)?,
        None => return None,
        Some(b"master") => {
            let is_online = |line: &&[u8]| {
                let replica =
                    line.strip_prefix(b"slave").is_some_and(|rest| rest.first().is_some_and(u8::is_ascii_digit));
                replica && line.windows(12).any(|part| part == b"state=online")
            };
            Role::Primary { online: lines(text).filter(is_online).count() }
        }
        _ => Role::Replica {
            primary: number("master_port")?.parse().ok()?,
            link_is_up: field("master_link_status") == Some(b"up"),
        },
    };
    let is_loading = field("loading").is_some_and(|value| value != b"0");
    let percent = || number("loading_loaded_perc").and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0) as u8;
    Some(Facts {
        process_id: number("process_id")?.parse().ok()?,
        config_file: field("config_file").unwrap_or_default().to_vec(),
        role,
        cluster_is_ok: field("cluster_state").map(|state| state == b"ok"),
        loading: is_loading.then(percent),
    })
}

/// `name=myprimary,status=ok,address=127.0.0.1:7000,slaves=2,sentinels=3`
fn watched(line: &[u8]) -> Option<Role> {
    let line = std::str::from_utf8(line).ok()?;
    let value = |name: &str| value_in(line, name);
    Some(Role::Sentinel {
        primary: value("address")?.rsplit(':').next()?.parse().ok()?,
        replicas: value("slaves")?.parse().ok()?,
        sentinels: value("sentinels")?.parse().ok()?,
        is_well: value("status")? == "ok",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_primary_counts_replicas_that_are_online() {
        let text = b"process_id:42\r\nconfig_file:/d/redis.conf\r\nloading:0\r\nrole:master\r\nconnected_slaves:2\r\n\
              slave0:ip=127.0.0.1,port=7001,state=online,offset=14,lag=0\r\n\
              slave1:ip=127.0.0.1,port=7002,state=wait_bgsave,offset=0,lag=0\r\nslaves_waiting_psync:0\r\n";
        let expect = Facts {
            process_id: 42,
            config_file: b"/d/redis.conf".to_vec(),
            role: Role::Primary { online: 1 },
            cluster_is_ok: None,
            loading: None,
        };
        assert_eq!(understand(text), Some(expect.clone()));
        let node = [&text[..], b"cluster_enabled:1\r\ncluster_state:ok\r\n"].concat();
        assert_eq!(understand(&node), Some(Facts { cluster_is_ok: Some(true), ..expect }));
    }

    #[test]
    fn a_replica_tells_whom_it_follows() {
        let text = b"process_id:43\r\nloading:1\r\nloading_loaded_perc:37.21\r\nrole:slave\r\nmaster_port:7000\r\n\
              master_link_status:down\r\n";
        let facts = understand(text).unwrap();
        assert_eq!((facts.role, facts.loading), (Role::Replica { primary: 7000, link_is_up: false }, Some(37)));
    }

    #[test]
    fn a_sentinel_tells_what_it_watches() {
        let text = b"process_id:44\r\nserver_mode:sentinel\r\n# Sentinel\r\nsentinel_masters:1\r\n\
              master0:name=myprimary,status=sdown,address=127.0.0.1:7001,slaves=2,sentinels=3\r\n";
        let role = Role::Sentinel { primary: 7001, replicas: 2, sentinels: 3, is_well: false };
        assert_eq!(understand(text).map(|facts| facts.role), Some(role));
    }

    #[test]
    fn anything_else_says_nothing() {
        for text in
            [&b""[..], b"role:master\r\n", b"process_id:x\r\nrole:master\r\n", b"process_id:1\r\nrole:slave\r\n"]
        {
            assert_eq!(understand(text), None, "{}", text.escape_ascii());
        }
    }
}
