//! Watching Sentinels: what they tell their subscribers, and which servers become primaries.
//!
//! An observer who sees all processes at once can say what no Sentinel can: how many votes a leader had, whether another led
//! in the same epoch, and whether a better replica was within its reach when it chose.

use std::collections::{BTreeMap, BTreeSet};

use super::World;
use crate::process::sentinel::{GROUP, PORT};
use crate::process::server::{ServerProgram, pid_of};
use crate::world::{Micros, Pid};

/// For how long nothing may have stood between a leader and a replica, before that counts as within reach: time to connect
/// again, and to be asked.
const CALM: Micros = 4_000_000;
/// What was promised so short a time before a choice, the chosen one may lack: the candidates were asked before.
const ASKED_BEFORE: Micros = 1_300_000;

/// A campaign to lead in an epoch.
#[derive(Clone, Copy, Debug, Default)]
struct Campaign {
    epoch: u64,
    /// An administrator wants it: nobody was asked for a vote.
    forced: bool,
}

/// What is known of elections.
#[derive(Default)]
pub(super) struct Elections {
    /// The newest epoch that each Sentinel has told of.
    epochs: BTreeMap<Pid, u64>,
    campaigns: BTreeMap<Pid, Campaign>,
    /// Whom each Sentinel has voted for, by epoch.
    votes: BTreeMap<(u64, Pid), String>,
    leaders: BTreeMap<u64, Pid>,
    /// The replica that each leader has chosen, and when.
    selections: BTreeMap<Pid, (Micros, Pid, Campaign)>,
    /// Primaries that follow somebody because of a FAILOVER of their own.
    handing_over: BTreeSet<Pid>,
    /// Whether the leader of the last choice has seen that it was carried out.
    is_known: bool,
    /// Failovers that were begun by an administrator.
    pub forced: Option<Pid>,
}

impl World<'_> {
    /// Hears what a Sentinel has told.
    pub(super) fn hear(&mut self, pid: Pid) -> Result<(), String> {
        let sentinels = self.sentinels;
        let Some(sentinel) = self.processes[pid.index()].sentinel_mut() else { return Ok(()) };
        let told = sentinel.take_told();
        if told.is_empty() {
            return Ok(());
        }
        let myid = String::from_utf8_lossy(sentinel.machine().myid()).into_owned();
        let elections = &mut self.elections;
        let mut promoted = None;
        for (at, channel, text) in told {
            let words: Vec<&str> = text.split_whitespace().collect();
            match channel.as_str() {
                "+new-epoch" => {
                    if let Some(epoch) = words.first().and_then(|word| word.parse().ok()) {
                        elections.epochs.insert(pid, epoch);
                    }
                }
                "+try-failover" => {
                    let epoch = elections.epochs.get(&pid).copied().unwrap_or(0);
                    let forced = elections.forced.take_if(|who| *who == pid).is_some();
                    elections.campaigns.insert(pid, Campaign { epoch, forced });
                }
                "+vote-for-leader" => {
                    let [whom, epoch] = words[..] else { return Err(format!("a vote that says nothing: {text}")) };
                    let epoch: u64 = epoch.parse().map_err(|_| format!("a vote without an epoch: {text}"))?;
                    let before = elections.votes.insert((epoch, pid), whom.to_owned());
                    if before.as_ref().is_some_and(|before| before != whom) {
                        return Err(format!("Sentinel {} has voted for {before:?} and {whom} in epoch {epoch}", pid.0));
                    }
                }
                "+elected-leader" => {
                    let campaign = elections.campaigns.get(&pid).copied().unwrap_or_default();
                    if campaign.forced {
                        continue;
                    }
                    let epoch = campaign.epoch;
                    let before = elections.leaders.insert(epoch, pid);
                    if before.is_some_and(|before| before != pid) {
                        return Err(format!("Sentinels {before:?} and {} both lead in epoch {epoch}", pid.0));
                    }
                    let votes = elections.votes.iter().filter(|((e, _), whom)| *e == epoch && **whom == myid).count();
                    if votes < sentinels / 2 + 1 {
                        return Err(format!("Sentinel {} leads in epoch {epoch} by {votes} of {sentinels}", pid.0));
                    }
                }
                "+selected-slave" => {
                    let replica = words.get(2).and_then(|ip| ip.parse().ok()).and_then(pid_of);
                    let Some(replica) = replica else { return Err(format!("a choice of nobody: {text}")) };
                    let campaign = elections.campaigns.get(&pid).copied().unwrap_or_default();
                    elections.selections.insert(pid, (at, replica, campaign));
                }
                "+promoted-slave" => {
                    promoted = words.get(2).and_then(|ip| ip.parse().ok()).and_then(pid_of);
                }
                _ => {}
            }
        }
        // One that was a primary all the time, of old, is promoted without any change of its own.
        match promoted {
            Some(replica) if replica == self.chosen.0 => {
                self.elections.is_known = true;
                Ok(())
            }
            Some(replica) => {
                self.elections.is_known = true;
                let at = self.elections.selections.get(&pid).map_or(self.u.now, |(at, ..)| *at);
                self.choices += 1;
                self.weigh(replica, pid, at)
            }
            None => Ok(()),
        }
    }

    /// Looks whether a server has become a primary, and whether it was the right one.
    pub(super) fn promotions(&mut self, pid: Pid) -> Result<(), String> {
        let process = &self.processes[pid.index()];
        let Some(server) = process.server() else { return Ok(()) };
        let (is_primary, life) = (server.is_primary(), process.life);
        let was = std::mem::replace(&mut self.roles[pid.index()], (life, is_primary));
        if !is_primary {
            match server.hands_over() {
                true => self.elections.handing_over.insert(pid),
                false => self.elections.handing_over.remove(&pid),
            };
        }
        if !is_primary || was == (life, true) || was.0 != life {
            return Ok(());
        }
        // A FAILOVER that the replica has refused: it is what it was.
        if self.elections.handing_over.remove(&pid) {
            return Ok(());
        }
        self.choices += 1;
        self.elections.is_known = false;
        self.u.trace.say(self.u.now, || format!("server {} is a primary now", pid.0));
        let elections = &self.elections;
        let chooser = elections
            .selections
            .iter()
            .filter(|(leader, (_, replica, campaign))| {
                *replica == pid && (campaign.forced || elections.leaders.get(&campaign.epoch) == Some(*leader))
            })
            .max_by_key(|(_, (at, ..))| *at)
            .map(|(leader, (at, _, campaign))| (*leader, *at, *campaign));
        let Some((leader, at, _)) = chooser else {
            return Err(format!("server {} was promoted by nobody who was elected", pid.0));
        };
        self.weigh(pid, leader, at)
    }

    /// The chosen one must have what any other had that was within reach of its leader, of the same history.
    fn weigh(&mut self, chosen: Pid, leader: Pid, at: Micros) -> Result<(), String> {
        let Some(server) = self.processes[chosen.index()].server() else { return Ok(()) };
        let history = server.server.journal.history();
        let former = history.second.map_or(history.id, |(id, _)| id);
        let among: Vec<Pid> = (0..self.servers)
            .map(|n| Pid(n as u16))
            .filter(|pid| *pid != chosen && self.processes[pid.index()].is_up())
            .filter(|pid| {
                self.processes[pid.index()]
                    .server()
                    .is_some_and(|server| !server.is_primary() && !server.is_syncing() && server.position().0 == former)
            })
            .filter(|pid| self.was_in_reach(leader, *pid, at.saturating_sub(CALM), self.u.now))
            .collect();
        self.chosen = (chosen, self.processes[chosen.index()].life);
        self.chosen_at = self.u.now;
        let processes = &mut self.processes;
        let has = |pid: Pid, key: &str| {
            processes[pid.index()].server_mut().is_some_and(|server| server.glance(key.as_bytes()))
        };
        self.ledger.choice(chosen, &among, at.saturating_sub(ASKED_BEFORE), has)?;
        self.nothing_lost()
    }

    /// Whether no fault has stood between two processes in this time.
    fn was_in_reach(&self, one: Pid, other: Pid, from: Micros, to: Micros) -> bool {
        let kept = |number: &usize| self.keep.as_ref().is_none_or(|keep| keep.contains(number));
        let between = (0..self.faults.len()).filter(kept).map(|number| (&self.faults[number], self.hit[number]));
        !between
            .filter(|(fault, _)| fault.at <= to && fault.until >= from)
            .any(|(fault, hit)| fault.stands_between(one, other, hit.unwrap_or(fault.who)))
    }

    /// Why the Sentinels do not agree on this primary yet.
    pub(super) fn dissent(&mut self, primary: Pid) -> Option<String> {
        for n in self.servers..self.servers + self.sentinels {
            let process = &mut self.processes[n];
            let Some(sentinel) = process.sentinel_mut() else { return Some(format!("Sentinel {n} is down")) };
            let said = sentinel.ask(&["SENTINEL", "GET-MASTER-ADDR-BY-NAME", GROUP], &mut self.u);
            let names = said.split("\r\n").nth(2).and_then(|ip| ip.parse().ok()).and_then(pid_of);
            if names != Some(primary) {
                return Some(format!("Sentinel {n} names {names:?}, not {}", primary.0));
            }
        }
        None
    }

    /// An administrator wants another primary, and asks a Sentinel for it.
    pub(super) fn order_failover(&mut self, which: u64, force: bool) {
        let n = self.servers + which as usize % self.sentinels;
        let process = &mut self.processes[n];
        if !process.is_up() {
            return;
        }
        let pid = process.pid;
        let Some(sentinel) = process.sentinel_mut() else { return };
        if force {
            self.elections.forced = Some(pid);
        }
        let mut words = vec!["SENTINEL", "FAILOVER", GROUP];
        words.extend((!force).then_some("COORDINATED"));
        let said = sentinel.ask(&words, &mut self.u);
        process.nudge(&mut self.u);
        self.u.trace.say(self.u.now, || format!("Sentinel {n} was asked for a failover: {}", said.trim_end()));
    }

    /// The text of a Sentinel's first file.
    pub(super) fn first_paper(&self) -> Vec<u8> {
        let quorum = self.sentinels / 2 + 1;
        let primary = crate::process::server::address(Pid(0));
        let mut text =
            format!("port {PORT}\nsentinel monitor {GROUP} {primary} {} {quorum}\n", crate::process::server::PORT);
        for line in &self.scenario.sentinel {
            match line.split_once(' ') {
                Some((option, value)) => text.push_str(&format!("sentinel {option} {GROUP} {value}\n")),
                None => text.push_str(&format!("sentinel {line}\n")),
            }
        }
        text.into_bytes()
    }

    /// The text of a server's first file.
    pub(super) fn first_server_paper(&self, n: usize) -> Vec<u8> {
        let mut text = format!("{}{}", crate::process::COMMON, self.scenario.server);
        if n > 0 {
            let primary = crate::process::server::address(Pid(0));
            text.push_str(&format!("replicaof {primary} {}\n", crate::process::server::PORT));
        }
        text.into_bytes()
    }

    /// Whose end of a connection this is, after an event.
    pub(super) fn observe(&mut self, pid: Pid) -> Result<(), String> {
        if self.sentinels == 0 {
            return Ok(());
        }
        self.hear(pid)?;
        self.promotions(pid)
    }

    /// A server has started: what it was when it ended, it may have forgotten.
    pub(super) fn reborn(&mut self, pid: Pid) {
        let process = &self.processes[pid.index()];
        let is_primary = process.server().is_some_and(ServerProgram::is_primary);
        self.roles[pid.index()] = (process.life, is_primary);
        // A promotion that its leader has not seen is given up: then the former primary is the primary again.
        let is_the_primary = self.chosen.0 == pid || self.choices > 0 && !self.elections.is_known;
        if is_primary && is_the_primary {
            let is_durable = process.server().is_some_and(ServerProgram::is_durable);
            let is_the_same = self.chosen.0 == pid;
            self.chosen = (pid, process.life);
            if !is_durable || !is_the_same {
                // It begins with nothing, and whoever follows it has nothing either; or two had a say meanwhile.
                self.chosen_at = self.u.now;
                self.ledger.excuse_all();
            }
        }
    }
}
