//! A group of machines, each with a server and a Sentinel: the first server is the primary, the others are its replicas.

use crate::{Connection, Host, Hosts, Program, Reply, Server, wait};
use std::net::SocketAddr;
use std::time::Duration;

/// What the primary is called.
pub const NAME: &str = "myprimary";

/// One machine's two processes.
pub struct Machine {
    pub host: Host,
    pub server: Server,
    pub sentinel: Server,
}

/// How the programs are set, beside what they need to find each other.
pub struct Settings<'s> {
    /// Lines of the servers' file.
    pub server: &'s str,
    pub down_after: Duration,
    pub failover_timeout: Duration,
    pub quorum: usize,
}

/// Starts both on every machine.
pub fn start(program: &Program, hosts: &Hosts, settings: &Settings<'_>) -> Vec<Machine> {
    let mut leads: Option<SocketAddr> = None;
    let machine = |host: &Host| {
        let follows = leads.map_or(String::new(), |leads| format!("replicaof {} {}\n", leads.ip(), leads.port()));
        let text = format!(
            "bind 127.0.0.1 {}\nport PORT\nprotected-mode no\nsave \"\"\nrepl-diskless-sync-delay 0\n{follows}{}",
            host.ip, settings.server
        );
        let mut server = Server::prepare_file(program, "server.conf", &text);
        server.move_to(host);
        server.boot();
        let primary = *leads.get_or_insert(server.address());
        let text = format!(
            "bind 127.0.0.1 {}\nport PORT\nprotected-mode no\nsentinel monitor {NAME} {} {} {}\n\
             sentinel down-after-milliseconds {NAME} {}\nsentinel failover-timeout {NAME} {}\n",
            host.ip,
            primary.ip(),
            primary.port(),
            settings.quorum,
            settings.down_after.as_millis(),
            settings.failover_timeout.as_millis(),
        );
        let mut sentinel = Server::prepare_sentinel(program, &text);
        sentinel.move_to(host);
        sentinel.boot();
        Machine { host: host.clone(), server, sentinel }
    };
    hosts.all().iter().map(machine).collect()
}

impl Machine {
    /// Asks one of its processes from the machine itself, however that is connected. Asks again when there is no answer: a server
    /// whose role changes loses its clients.
    pub fn ask(&self, server: &Server, words: &[&str]) -> Reply {
        wait::until_some(
            || format!("{} to answer {words:?}", server.address()),
            || self.host.connect(server.port()).and_then(|mut connection| connection.call(words)).ok(),
        )
    }

    /// Where its Sentinel says that the primary is.
    pub fn primary(&self) -> SocketAddr {
        let reply = self.ask(&self.sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]);
        address(&reply).expect("a primary that is watched")
    }
}

/// Where a Sentinel says that the primary is, asked from the machine of the test; `None` if it does not answer.
pub fn primary(sentinel: SocketAddr) -> Option<SocketAddr> {
    let mut connection = Connection::open_at(sentinel).ok()?;
    address(&connection.call(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME]).ok()?)
}

fn address(reply: &Reply) -> Option<SocketAddr> {
    let [ip, port] = reply.items() else { return None };
    format!("{}:{}", ip.text(), port.text()).parse().ok()
}
