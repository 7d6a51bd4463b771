//! What happens ten times a second, whatever clients do: pauses end, room is made, and what INFO tells as a rate is measured.

use keyspace::UnixMillis;

use crate::execute::Core;
use crate::stats::Totals;

/// How many measurements a rate is taken over: the last second and a half.
const SAMPLES: usize = 16;

/// What is told per second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Commands.
    pub commands: u64,
    /// Bytes read from clients.
    pub bytes_in: u64,
    /// Bytes sent to clients.
    pub bytes_out: u64,
    /// Bytes read from our primary.
    pub repl_bytes_in: u64,
    /// Bytes sent to replicas.
    pub repl_bytes_out: u64,
    /// Turns of the I/O threads.
    pub turns: u64,
    /// Nanoseconds spent in commands.
    pub command_nanos: u64,
}

impl Rates {
    fn of(t: &Totals) -> Self {
        Rates {
            commands: t.processed,
            bytes_in: t.bytes_in,
            bytes_out: t.bytes_out,
            repl_bytes_in: t.repl_bytes_in,
            repl_bytes_out: t.repl_bytes_out,
            turns: t.turns,
            command_nanos: t.command_nanos,
        }
    }

    fn each(&self, former: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Rates {
            commands: f(self.commands, former.commands),
            bytes_in: f(self.bytes_in, former.bytes_in),
            bytes_out: f(self.bytes_out, former.bytes_out),
            repl_bytes_in: f(self.repl_bytes_in, former.repl_bytes_in),
            repl_bytes_out: f(self.repl_bytes_out, former.repl_bytes_out),
            turns: f(self.turns, former.turns),
            command_nanos: f(self.command_nanos, former.command_nanos),
        }
    }
}

/// The last measurements.
#[derive(Debug, Default)]
pub struct Meter {
    last: Option<(u64, Rates)>,
    samples: [Rates; SAMPLES],
    next: usize,
}

impl Meter {
    /// Takes what was counted so far, at a time in nanoseconds.
    pub fn measure(&mut self, nanos: u64, totals: &Totals) {
        let now = Rates::of(totals);
        if let Some((then, former)) = self.last {
            let passed = nanos.saturating_sub(then);
            if passed == 0 {
                return;
            }
            // Counters begin anew at CONFIG RESETSTAT.
            self.samples[self.next] = now.each(&former, |now, former| {
                (u128::from(now.saturating_sub(former)) * 1_000_000_000 / u128::from(passed)) as u64
            });
            self.next = (self.next + 1) % SAMPLES;
        }
        self.last = Some((nanos, now));
    }

    /// The mean of the last measurements.
    pub fn rates(&self) -> Rates {
        let sum = self.samples.iter().fold(Rates::default(), |sum, sample| sum.each(sample, |a, b| a + b));
        sum.each(&sum, |sum, _| sum / SAMPLES as u64)
    }
}

/// The work of one tick; the control thread calls it about every 100 ms.
pub fn tick(core: &mut Core<'_>, now: UnixMillis) {
    crate::pause::end_if_due(core, now);
    crate::pause::end_guard_if_due(core, now);
    crate::failover::tick(core);
    crate::shutdown::tick(core);
    core.make_room();
    crate::cluster::aside::tick(core);
    let server = core.server;
    let totals = server.totals();
    server.rates.lock().measure(server.engine.clock().nanos(), &totals);
    // Looking is what keeps the peak.
    server.host.note_memory();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_load_becomes_its_rate() {
        let mut meter = Meter::default();
        for n in 0..=SAMPLES as u64 {
            meter.measure(n * 100_000_000, &Totals { processed: n * 500, ..Totals::default() });
        }
        assert_eq!(meter.rates().commands, 5000);
        assert_eq!(meter.rates().turns, 0);
    }
}
