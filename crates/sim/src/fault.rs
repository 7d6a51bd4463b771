//! What goes wrong, and when: a plan that is drawn before the universe begins.
//!
//! The plan is a list, so a failure can be made small by leaving faults out one after the other; what is left happens at
//! the same moments as before.

use crate::random::Random;
use crate::scenario::Scenario;
use crate::world::{Micros, Pid};

/// A kind of fault, as scenarios name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Name {
    /// A process is killed, and started again later.
    Crash,
    /// A machine loses its power, and has it again later: nobody is told.
    Power,
    /// A process stands still for a while.
    Pause,
    /// The network falls into two parts.
    Partition,
    /// Some are heard by nobody, and hear everybody.
    OneWay,
    /// One process is alone.
    Isolate,
    /// Everything from and to a process takes longer.
    Slow,
    /// All connections of a process are reset.
    Reset,
    /// A wall clock jumps.
    Clock,
    /// The primary is killed, and started again at once or later.
    CrashPrimary,
    /// The primary stands still.
    PausePrimary,
    /// The primary is alone with some of the others.
    IsolatePrimary,
    /// The power of a machine fails in the middle of an operation of its disk.
    Fuse,
    /// A disk is full.
    Full,
    /// A disk says that it has synced, and has not.
    Lie,
    /// The append-only file of a server is rewritten.
    Rewrite,
    /// Somebody asks for another primary while the present one lives: the Sentinels elect who is to do it.
    Failover,
    /// The same, and nobody is asked.
    ForceFailover,
}

const NAMES: &[(Name, &str)] = &[
    (Name::Crash, "crash"),
    (Name::Power, "power"),
    (Name::Pause, "pause"),
    (Name::Partition, "partition"),
    (Name::OneWay, "one-way"),
    (Name::Isolate, "isolate"),
    (Name::Slow, "slow"),
    (Name::Reset, "reset"),
    (Name::Clock, "clock"),
    (Name::CrashPrimary, "crash-primary"),
    (Name::PausePrimary, "pause-primary"),
    (Name::IsolatePrimary, "isolate-primary"),
    (Name::Fuse, "fuse"),
    (Name::Full, "full"),
    (Name::Lie, "lie"),
    (Name::Rewrite, "rewrite"),
    (Name::Failover, "failover"),
    (Name::ForceFailover, "force-failover"),
];

impl Name {
    /// The kind of this name.
    pub fn parse(text: &str) -> Option<Name> {
        NAMES.iter().find(|(_, name)| *name == text).map(|(kind, _)| *kind)
    }

    /// As scenarios name it.
    pub fn text(self) -> &'static str {
        NAMES.iter().find(|(kind, _)| *kind == self).map_or("?", |(_, name)| name)
    }
}

/// One fault.
#[derive(Clone, Debug)]
pub struct Fault {
    /// What happens.
    pub name: Name,
    /// When it begins.
    pub at: Micros,
    /// When it is over.
    pub until: Micros,
    /// To whom, if it is one. Faults of the primary find out when they begin.
    pub who: Pid,
    /// Which processes stand on one side, as bits.
    pub side: u64,
    /// How much: microseconds of delay, or milliseconds of a clock's jump.
    pub amount: i64,
}

impl Fault {
    /// Whether it can keep two processes from each other, if it has hit `who`.
    pub fn stands_between(&self, one: Pid, other: Pid, who: Pid) -> bool {
        match self.name {
            Name::Partition | Name::OneWay => self.has(one) != self.has(other),
            Name::IsolatePrimary => {
                let with = |pid: Pid| pid == who || self.has(pid);
                with(one) != with(other)
            }
            Name::Failover | Name::ForceFailover | Name::Rewrite => false,
            _ => one == who || other == who,
        }
    }

    /// Whether a process stands on the side that the fault names.
    pub fn has(&self, pid: Pid) -> bool {
        self.side >> (pid.index() % 64) & 1 == 1
    }
}

/// Draws the faults of a universe, whose first processes are `targets` that they may hit.
pub fn plan(scenario: &Scenario, targets: u64, random: &mut Random) -> Vec<Fault> {
    let mut all = Vec::new();
    let run = scenario.run_ms * 1000;
    for (name, count) in &scenario.faults {
        for _ in 0..count.draw(random) {
            let at = random.between(scenario.calm_ms * 1000, run.saturating_sub(100_000));
            // Short ones and long ones are found by different time-outs.
            let length = match random.below(4) {
                0 => random.between(1_000, 200_000),
                1 => random.between(200_000, 1_500_000),
                _ => random.between(1_500_000, 6_000_000),
            };
            let amount = match name {
                Name::Slow => random.between(1_000, 400_000) as i64,
                Name::Clock => {
                    let far = if random.chance(300) { 3_600_000 } else { 5_000 };
                    random.between(0, 2 * far) as i64 - far as i64
                }
                _ => 0,
            };
            let who = Pid(random.below(targets) as u16);
            all.push(Fault { name: *name, at, until: (at + length).min(run), who, side: random.bits(), amount });
        }
    }
    all.sort_by_key(|fault| fault.at);
    all
}
