//! Real partitions: three machines, each with a server and a Sentinel, and a cable that is pulled out.

use e2e::{Host, Hosts, Output, Program, Server, wait};

const NAME: &str = "myprimary";

/// One machine's two processes.
struct Machine {
    host: Host,
    server: Server,
    sentinel: Server,
}

impl Machine {
    /// The first machine's server is the primary.
    fn start(hosts: &Hosts, at: usize, primary: Option<(&Host, u16)>) -> Machine {
        let (ours, host) = (Program::ours(), hosts.host(at).clone());
        let follows = primary.map_or(String::new(), |(host, port)| format!("replicaof {} {port}\n", host.ip));
        let text = format!(
            "bind 127.0.0.1 {ip}\nport PORT\nprotected-mode no\nsave \"\"\nrepl-diskless-sync-delay 0\n\
             min-replicas-to-write 1\nmin-replicas-max-lag 2\nrepl-timeout 10\n{follows}",
            ip = host.ip
        );
        let mut server = Server::prepare_file(&ours, "server.conf", &text);
        server.move_to(&host);
        server.boot();
        let (ip, port) = primary.map_or((host.ip, server.port()), |(host, port)| (host.ip, port));
        let text = format!(
            "bind 127.0.0.1 {}\nport PORT\nsentinel monitor {NAME} {ip} {port} 2\n\
             sentinel down-after-milliseconds {NAME} 1000\nsentinel failover-timeout {NAME} 10000\n",
            host.ip
        );
        let mut sentinel = Server::prepare_sentinel(&ours, &text);
        sentinel.move_to(&host);
        sentinel.boot();
        Machine { host, server, sentinel }
    }

    /// Asks from the machine itself, however it is connected.
    fn ask(&self, server: &Server, words: &[&str]) -> String {
        let mut command = Program::ours().cli();
        command.args(["-p", &server.port().to_string()]).args(words);
        Output::of(self.host.command(&command)).stdout.trim_end().to_string()
    }

    /// The primary that its Sentinel names.
    fn primary(&self) -> String {
        self.ask(&self.sentinel, &["SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME])
            .lines()
            .next()
            .unwrap_or_default()
            .to_string()
    }

    fn set(&self, key: &str) -> String {
        self.ask(&self.server, &["SET", key, "value"])
    }
}

#[test]
fn a_primary_that_is_cut_off_gives_up_and_comes_back_as_a_replica() {
    let Some(hosts) = Hosts::new(3) else { return };
    let first = Machine::start(&hosts, 0, None);
    let leads = (hosts.host(0), first.server.port());
    let machines = [Machine::start(&hosts, 1, Some(leads)), Machine::start(&hosts, 2, Some(leads))];
    let all = || [&first].into_iter().chain(&machines);
    for machine in all() {
        let quorum = || machine.ask(&machine.sentinel, &["SENTINEL", "CKQUORUM", NAME]);
        let known = || machine.ask(&machine.sentinel, &["INFO", "sentinel"]);
        wait::until(
            || format!("three of three: {}", known()),
            || {
                quorum().starts_with("OK 3 usable")
                    && known().contains("status=ok")
                    && known().contains("slaves=2,sentinels=3")
            },
        );
    }
    wait::until("the first write", || first.set("before") == "OK");

    hosts.cut(0);
    // The minority: no writes, no failover of its own.
    wait::until("writes to be refused", || first.set("lost").starts_with("NOREPLICAS"));
    // The majority: another primary, which takes writes.
    wait::until("another primary", || {
        let named = machines[0].primary();
        named != first.host.ip.to_string() && named == machines[1].primary()
    });
    let named = machines[0].primary();
    let leader = machines.iter().find(|machine| machine.host.ip.to_string() == named).expect("one of the two");
    wait::until("a write to the new primary", || leader.set("meanwhile") == "OK");
    assert_eq!(first.primary(), first.host.ip.to_string(), "who cannot ask a majority changes nothing");
    assert!(first.set("lost").starts_with("NOREPLICAS"));
    assert!(!first.sentinel.log().contains("+elected-leader"), "a minority elects nobody");

    hosts.mend(0);
    for machine in all() {
        wait::until("an agreement", || machine.primary() == named);
        if machine.host.ip != leader.host.ip {
            wait::until("the primary to be followed", || {
                let text = machine.ask(&machine.server, &["INFO", "replication"]);
                text.contains(&format!("master_host:{named}")) && text.contains("master_link_status:up")
            });
        }
        wait::until("what was written meanwhile", || machine.ask(&machine.server, &["GET", "meanwhile"]) == "value");
        assert_eq!(machine.ask(&machine.server, &["EXISTS", "before", "lost"]), "1");
    }
}

#[test]
fn a_replica_and_a_sentinel_that_are_cut_off_are_missed_by_nobody() {
    let Some(hosts) = Hosts::new(3) else { return };
    let first = Machine::start(&hosts, 0, None);
    let leads = (hosts.host(0), first.server.port());
    let machines = [Machine::start(&hosts, 1, Some(leads)), Machine::start(&hosts, 2, Some(leads))];
    for machine in [&first].into_iter().chain(&machines) {
        wait::until("three of three", || {
            machine.ask(&machine.sentinel, &["SENTINEL", "CKQUORUM", NAME]).starts_with("OK 3 usable")
        });
    }
    wait::until("the first write", || first.set("before") == "OK");
    hosts.cut(2);
    // The one that is alone believes everybody else to be down, and cannot do anything about it.
    machines[1].sentinel.wait_for_log(&format!("+sdown master {NAME}"));
    first.sentinel.wait_for_log("+sdown slave");
    assert_eq!(first.set("meanwhile"), "OK");
    hosts.mend(2);
    machines[1].sentinel.wait_for_log(&format!("-sdown master {NAME}"));
    wait::until("what was written meanwhile", || {
        machines[1].ask(&machines[1].server, &["GET", "meanwhile"]) == "value"
    });
    for machine in [&first].into_iter().chain(&machines) {
        assert_eq!(machine.primary(), first.host.ip.to_string());
        assert!(!machine.sentinel.log().contains("+switch-master"));
    }
}
