//! Machines of a test: network namespaces on one switch, whose cables can be pulled out.
//!
//! ```text
//!   host 0 ── eth0 ──┐
//!   host 1 ── eth0 ──┼── bridge, in a namespace of its own ── the machine of the test
//!   host 2 ── eth0 ──┘
//! ```
//!
//! A cable that is pulled out takes every packet with it, without a word to either end: the interfaces stay up. Processes of
//! one host go on reaching each other. A cable may also be broken in one direction only, or be so thin that packets queue up
//! for it and are lost when the queue is full.

use crate::{Connection, absent};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::fs::File;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsFd;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

/// Several machines. They are gone when this is.
pub struct Hosts {
    switch: String,
    hosts: Vec<Host>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Host {
    pub ip: Ipv4Addr,
    namespace: String,
    /// Its cable's end at the switch.
    cable: String,
}

/// What may be wrong with a cable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is out.
    Cut,
    /// Nothing reaches the host; what the host sends arrives.
    Deaf,
    /// Nothing that the host sends arrives anywhere; it hears everybody.
    Mute,
    /// So much in a second, each way; a fifth of a second's worth is queued, and what comes when the queue is full is lost.
    Thin { kbit: u32 },
}

static COUNT: AtomicU32 = AtomicU32::new(0);

impl Hosts {
    /// That many machines; `None`, and a word about it, where this process may not make any.
    pub fn new(count: u8) -> Option<Hosts> {
        let number = std::process::id().wrapping_mul(7).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        let name = format!("rbt{}", number % 1_000_000);
        let ip = |host: u8| Ipv4Addr::new(10, 200 + (number / 250 % 50) as u8, (number % 250) as u8, host);
        let mut hosts = Hosts { switch: format!("{name}s"), hosts: Vec::new() };
        let switch = hosts.switch.clone();
        if let Err(why) = ip_tool(&["netns", "add", &switch]) {
            // What was not made need not be taken away.
            std::mem::forget(hosts);
            absent(&format!("no network namespaces: {}", why.trim()));
            return None;
        }
        let made = (|| {
            ip_tool(&["-n", &switch, "link", "add", "br0", "type", "bridge"])?;
            ip_tool(&["-n", &switch, "link", "set", "br0", "up"])?;
            for at in 0..count {
                let (namespace, cable) = (format!("{name}h{at}"), format!("v{at}"));
                ip_tool(&["netns", "add", &namespace])?;
                hosts.hosts.push(Host { ip: ip(at + 1), namespace: namespace.clone(), cable: cable.clone() });
                ip_tool(&[
                    "-n", &switch, "link", "add", &cable, "type", "veth", "peer", "name", "eth0", "netns", &namespace,
                ])?;
                ip_tool(&["-n", &switch, "link", "set", &cable, "master", "br0", "up"])?;
                ip_tool(&["-n", &namespace, "addr", "add", &format!("{}/24", ip(at + 1)), "dev", "eth0"])?;
                ip_tool(&["-n", &namespace, "link", "set", "eth0", "up"])?;
                ip_tool(&["-n", &namespace, "link", "set", "lo", "up"])?;
            }
            ip_tool(&["link", "add", &name, "type", "veth", "peer", "name", "test", "netns", &switch])?;
            ip_tool(&["-n", &switch, "link", "set", "test", "master", "br0", "up"])?;
            ip_tool(&["addr", "add", &format!("{}/24", ip(254)), "dev", &name])?;
            ip_tool(&["link", "set", &name, "up"])
        })();
        match made {
            Ok(()) => Some(hosts),
            Err(why) => {
                absent(&format!("no machines of network namespaces: {}", why.trim()));
                None
            }
        }
    }

    pub fn host(&self, at: usize) -> &Host {
        &self.hosts[at]
    }

    pub fn all(&self) -> &[Host] {
        &self.hosts
    }

    /// Does that to a host's cable, which was whole or has another fault. Fails, and says why, where the system knows no such
    /// fault.
    pub fn break_cable(&self, at: usize, fault: Fault) -> Result<(), String> {
        self.mend(at);
        let cable = self.hosts[at].cable.as_str();
        match fault {
            Fault::Cut => return self.at_switch(&["link", "set", cable, "nomaster"]),
            // The switch sends out of a port only what it has learnt to send there, or floods.
            Fault::Deaf => {
                self.port(cable, &["learning", "off", "flood", "off", "mcast_flood", "off", "bcast_flood", "off"])?;
            }
            // A locked port takes only from those whom the switch has been told of.
            Fault::Mute => self.port(cable, &["learning", "off", "locked", "on"])?,
            Fault::Thin { kbit } => {
                let rate = format!("{kbit}kbit");
                for (namespace, device) in [(&self.switch, cable), (&self.hosts[at].namespace, "eth0")] {
                    let shape = ["root", "tbf", "rate", &rate, "burst", "5kb", "latency", "200ms"];
                    run("tc", &[&["-n", namespace, "qdisc", "add", "dev", device], &shape[..]].concat())?;
                }
                return Ok(());
            }
        }
        self.at_switch(&["link", "set", cable, "type", "bridge_slave", "fdb_flush"])
    }

    /// Pulls a host's cable out.
    pub fn cut(&self, at: usize) {
        self.break_cable(at, Fault::Cut).expect("a switch of ours");
    }

    /// Makes a host's cable whole again, whatever it has.
    pub fn mend(&self, at: usize) {
        let cable = self.hosts[at].cable.as_str();
        // A cable that is not thin has nothing to be taken away.
        let _ = run("tc", &["-n", &self.switch, "qdisc", "del", "dev", cable, "root"]);
        let _ = run("tc", &["-n", &self.hosts[at].namespace, "qdisc", "del", "dev", "eth0", "root"]);
        let all = ["learning", "on", "flood", "on", "mcast_flood", "on", "bcast_flood", "on", "locked", "off"];
        self.at_switch(&["link", "set", cable, "master", "br0"])
            .and_then(|()| self.port(cable, &all))
            .expect("a switch of ours");
    }

    fn at_switch(&self, words: &[&str]) -> Result<(), String> {
        ip_tool(&[&["-n", self.switch.as_str()], words].concat())
    }

    /// Settings of a cable's port at the switch.
    fn port(&self, cable: &str, words: &[&str]) -> Result<(), String> {
        run("bridge", &[&["-n", self.switch.as_str(), "link", "set", "dev", cable], words].concat())
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        // The cables go with the namespaces that they end in.
        for namespace in self.hosts.iter().map(|host| &host.namespace).chain([&self.switch]) {
            let _ = ip_tool(&["netns", "del", namespace]);
        }
    }
}

impl Host {
    /// The same command on that machine.
    pub fn command(&self, command: &Command) -> Command {
        let mut there = Command::new("ip");
        there.args(["netns", "exec", &self.namespace]).arg(command.get_program()).args(command.get_args());
        there
    }

    /// A connection from one of the host's processes to a port of the same host, whatever its cable is like.
    pub fn connect(&self, port: u16) -> io::Result<Connection> {
        let namespace = File::open(format!("/run/netns/{}", self.namespace))?;
        // A socket belongs to the namespace in which it was made; the thread that went there need not come back.
        let there = || {
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))?;
            Connection::open_at(SocketAddr::from((self.ip, port)))
        };
        std::thread::scope(|scope| scope.spawn(there).join().expect("connecting does not panic"))
    }
}

fn ip_tool(words: &[&str]) -> Result<(), String> {
    run("ip", words)
}

fn run(tool: &str, words: &[&str]) -> Result<(), String> {
    let output = Command::new(tool).args(words).stdin(Stdio::null()).output();
    let Output { status, stderr, .. } = output.map_err(|error| format!("{tool}: {error}"))?;
    let said = String::from_utf8_lossy(&stderr).into_owned();
    if status.success() { Ok(()) } else { Err(format!("{tool} {}: {said}", words.join(" "))) }
}
