//! Machines of a test: network namespaces on one switch, whose cables can be pulled out.
//!
//! ```text
//!   host 0 ── eth0 ──┐
//!   host 1 ── eth0 ──┼── bridge, in a namespace of its own ── the machine of the test
//!   host 2 ── eth0 ──┘
//! ```
//!
//! A cable that is pulled out takes every packet with it, without a word to either end: the interfaces stay up. Processes of
//! one host go on reaching each other.

use crate::absent;
use std::net::Ipv4Addr;
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

    /// Pulls a host's cable out.
    pub fn cut(&self, at: usize) {
        ip_tool(&["-n", &self.switch, "link", "set", &self.hosts[at].cable, "nomaster"]).expect("a switch of ours");
    }

    /// Puts it back.
    pub fn mend(&self, at: usize) {
        ip_tool(&["-n", &self.switch, "link", "set", &self.hosts[at].cable, "master", "br0"])
            .expect("a switch of ours");
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
}

fn ip_tool(words: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(words).stdin(Stdio::null()).output();
    let Output { status, stderr, .. } = output.map_err(|error| format!("ip: {error}"))?;
    let said = String::from_utf8_lossy(&stderr).into_owned();
    if status.success() { Ok(()) } else { Err(format!("ip {}: {said}", words.join(" "))) }
}
