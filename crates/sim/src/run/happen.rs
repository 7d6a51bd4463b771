//! Faults begin and end.

use super::World;
use crate::fault::Name;
use crate::world::Pid;

impl World<'_> {
    pub(super) fn fault(&mut self, number: usize, begins: bool) -> Result<(), String> {
        let fault = self.faults[number].clone();
        let who = match (begins, self.active[number], fault.name) {
            (false, Some(who), _) => who,
            (false, None, _) => return Ok(()),
            (true, _, Name::CrashPrimary | Name::PausePrimary | Name::IsolatePrimary) => self.some_primary(fault.side),
            (true, ..) => fault.who,
        };
        self.active[number] = begins.then_some(who);
        if begins {
            self.hit[number] = Some(who);
        }
        let verb = if begins { "begins" } else { "is over" };
        self.u
            .trace
            .say(self.u.now, || format!("fault {number} {verb}: {} {} {:x}", fault.name.text(), who.0, fault.side));
        let all: Vec<Pid> = self.processes.iter().map(|process| process.pid).collect();
        match fault.name {
            Name::Crash | Name::CrashPrimary if begins => self.processes[who.index()].stop(true, &mut self.u),
            Name::Power if begins => self.processes[who.index()].stop(false, &mut self.u),
            Name::Crash | Name::CrashPrimary | Name::Power => self.revive(who),
            Name::Pause | Name::PausePrimary => {
                let process = &mut self.processes[who.index()];
                if begins { process.pause() } else { process.resume(&mut self.u) }
            }
            Name::Partition => {
                for (a, b) in pairs(&all).filter(|(a, b)| fault.has(*a) != fault.has(*b)) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::OneWay => {
                for (a, b) in pairs(&all).filter(|(a, b)| fault.has(*a) && !fault.has(*b)) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::Isolate => {
                for (a, b) in pairs(&all).filter(|(a, b)| *a == who || *b == who) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::IsolatePrimary => {
                let with = |pid: Pid| pid == who || fault.has(pid);
                for (a, b) in pairs(&all).filter(|(a, b)| with(*a) != with(*b)) {
                    self.u.net.cut(a, b, begins);
                }
            }
            Name::Slow => self.u.net.slow(who, fault.amount as u64, begins),
            Name::Reset if begins => {
                for (conn, end) in self.u.net.reset(who) {
                    let pid = self.u.net.pid(conn, end);
                    self.processes[pid.index()].closed(conn, true, &mut self.u);
                }
            }
            Name::Clock if begins => {
                self.processes[who.index()].clock.jump(fault.amount);
                self.processes[who.index()].rearm(&mut self.u);
            }
            Name::Failover | Name::ForceFailover if begins && self.sentinels > 0 => {
                self.order_failover(fault.side, fault.name == Name::ForceFailover);
            }
            Name::Failover | Name::ForceFailover if begins => self.hand_over()?,
            Name::Fuse if begins => self.processes[who.index()].disk.light(1 + fault.side % 40),
            Name::Full => self.processes[who.index()].disk.fill(begins),
            Name::Lie => self.processes[who.index()].disk.lie(begins),
            Name::Rewrite if begins => {
                if let Some(server) = self.processes[who.index()].server_mut() {
                    server.ask(&["BGREWRITEAOF"], &mut self.u);
                    self.processes[who.index()].nudge(&mut self.u);
                }
            }
            Name::Reset | Name::Clock | Name::Failover | Name::ForceFailover | Name::Fuse | Name::Rewrite => {}
        }
        Ok(())
    }
}

impl World<'_> {
    /// Whom faults of the primary hit.
    fn some_primary(&self, draw: u64) -> Pid {
        let owner = self.cluster.as_ref().and_then(|watch| watch.some_owner(draw));
        owner.unwrap_or(self.chosen.0)
    }
}

fn pairs(all: &[Pid]) -> impl Iterator<Item = (Pid, Pid)> {
    all.iter().flat_map(move |a| all.iter().map(move |b| (*a, *b))).filter(|(a, b)| a != b)
}
