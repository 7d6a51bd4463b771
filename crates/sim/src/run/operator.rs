//! The operator: who chooses primaries where there are no Sentinels. It sees everything at once, so whatever is lost under
//! it was lost by the servers.

use super::World;
use crate::process::client::Finding;
use crate::process::server::{PORT, address};
use crate::world::Pid;

impl World<'_> {
    /// The operator, who sees everything: a primary that has gone is replaced, and everybody follows it.
    pub(super) fn tend(&mut self) -> Result<(), String> {
        let (pid, life) = self.chosen;
        let lives = self.processes[pid.index()].program.is_some() && self.processes[pid.index()].life == life;
        if !lives && self.scenario.patient {
            if self.processes[pid.index()].program.is_none() {
                return Ok(());
            }
            self.chosen.1 = self.processes[pid.index()].life;
        } else if !lives && !self.choose()? {
            return Ok(());
        }
        let (primary, _) = self.chosen;
        let host = address(primary).to_string();
        let port = PORT.to_string();
        for n in 0..self.servers {
            let process = &mut self.processes[n];
            if !process.is_up() {
                continue;
            }
            let Some(server) = process.server_mut() else { continue };
            let follows = server.follows().map(|(whom, _)| whom);
            let line: &[&str] = match (n == primary.index(), follows) {
                (true, None) => continue,
                (true, Some(_)) => &["REPLICAOF", "NO", "ONE"],
                (false, Some(whom)) if whom == primary => continue,
                (false, _) => &["REPLICAOF", &host, &port],
            };
            server.ask(line, &mut self.u);
            process.nudge(&mut self.u);
        }
        for process in &mut self.processes[self.servers..] {
            if let Some(client) = process.client_mut() {
                client.find(Finding::Told(primary));
            }
        }
        Ok(())
    }

    /// Servers that may become the primary: they are of the history of the chosen one.
    fn candidates(&self) -> Vec<Pid> {
        let of_history = |pid: Pid| {
            let server = self.processes[pid.index()].server()?;
            let running = self.processes[pid.index()].is_up() && !server.is_syncing();
            (running && server.follows().is_some_and(|(whom, _)| whom == self.chosen.0)).then_some(server.position())
        };
        let mut all: Vec<(Pid, _)> =
            (0..self.servers).map(|n| Pid(n as u16)).filter_map(|pid| Some((pid, of_history(pid)?))).collect();
        // Those of the newest history that anybody has; offsets of different ones cannot be compared.
        let Some(newest) = all.iter().max_by_key(|(_, (_, end))| end.0).map(|(_, (id, _))| *id) else {
            return Vec::new();
        };
        all.retain(|(_, (id, _))| *id == newest);
        all.sort_by_key(|(_, (_, end))| std::cmp::Reverse(end.0));
        all.into_iter().map(|(pid, _)| pid).collect()
    }

    /// Chooses a primary instead of one that is gone. False when there is nobody.
    fn choose(&mut self) -> Result<bool, String> {
        let candidates = self.candidates();
        let chosen = match candidates.first() {
            Some(best) => *best,
            // Nobody is left: it begins anew, if it is there.
            None if self.processes[self.chosen.0.index()].program.is_some() => self.chosen.0,
            None => return Ok(false),
        };
        self.appoint(chosen, &candidates)?;
        Ok(true)
    }

    fn appoint(&mut self, chosen: Pid, candidates: &[Pid]) -> Result<(), String> {
        self.choices += 1;
        self.u.trace.say(self.u.now, || format!("server {} is chosen among {candidates:?}", chosen.0));
        self.chosen = (chosen, self.processes[chosen.index()].life);
        self.chosen_at = self.u.now;
        let processes = &mut self.processes;
        let has = |pid: Pid, key: &str| {
            processes[pid.index()].server_mut().is_some_and(|server| server.glance(key.as_bytes()))
        };
        self.ledger.choice(chosen, candidates, self.u.now, has)?;
        self.nothing_lost()
    }

    /// Where choices lose nothing, nothing is excused.
    pub(super) fn nothing_lost(&self) -> Result<(), String> {
        match self.scenario.nothing_lost && self.ledger.excused > 0 {
            true => Err(format!("a planned failover to server {} has lost {}", self.chosen.0.0, self.ledger.excused)),
            false => Ok(()),
        }
    }

    /// Another server becomes the primary while the present one lives.
    pub(super) fn hand_over(&mut self) -> Result<(), String> {
        let candidates = self.candidates();
        if let Some(best) = candidates.first().copied() {
            self.appoint(best, &candidates)?;
            self.tend()?;
        }
        Ok(())
    }
}
