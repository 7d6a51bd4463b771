//! The machine: its state, the events, and the round of a tick.

use crate::event::{Event, Level, Now, Outbox, Own, World};
use config::{Line, LineError};
use resp::{Args, Reply};

/// A Sentinel. See the crate's page for the contract with its driver.
#[derive(Debug)]
pub struct Sentinel {
    pub(crate) own: Own,
    pub(crate) myid: Vec<u8>,
    next_tick: u64,
    random: u64,
}

impl Sentinel {
    /// A Sentinel as `lines` say, which are the `sentinel` lines of its file ([`config::Loaded::sentinel`]). Lines may
    /// stand in any order. The error names the first wrong one.
    ///
    /// `seed` must differ from one start to the next and from one Sentinel to another.
    pub fn new(lines: &[Line], own: Own, seed: u64, now: Now, world: &mut dyn World) -> Result<Sentinel, LineError> {
        let _ = (lines, world);
        Ok(Sentinel { own, myid: vec![b'0'; 40], next_tick: now.mono_ms, random: seed })
    }

    /// The machine's answer to `event`.
    pub fn handle(&mut self, now: Now, event: Event, out: &mut Outbox) {
        let _ = out;
        if matches!(event, Event::Timer) && now.mono_ms >= self.next_tick {
            self.random = self.random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            self.next_tick = now.mono_ms + 50 + (self.random >> 33) % 50;
        }
    }

    /// When the next [`Event::Timer`] is due, in `mono_ms`.
    pub fn deadline(&self) -> u64 {
        self.next_tick
    }

    /// The ID by which other Sentinels know this one: 40 hexadecimal digits.
    pub fn myid(&self) -> &[u8] {
        &self.myid
    }

    /// From how grave on lines are logged.
    pub fn log_level(&self) -> Level {
        self.own.log_level.unwrap_or(Level::Notice)
    }

    /// `SENTINEL …`; `args` begins with `SENTINEL`. Writes exactly one reply.
    pub fn command(&mut self, now: Now, args: Args<'_>, reply: &mut Reply, world: &mut dyn World, out: &mut Outbox) {
        crate::commands::run(self, now, args, reply, world, out);
    }

    /// `PUBLISH channel payload` from a client, by which other Sentinels say hello.
    pub fn publish(&mut self, now: Now, channel: &[u8], payload: &[u8], reply: &mut Reply, out: &mut Outbox) {
        let _ = (now, payload, out);
        if channel != crate::HELLO_CHANNEL {
            return reply.error(&resp::error::sentinel::ONLY_HELLO);
        }
        reply.integer(1);
    }

    /// `ROLE`.
    pub fn role(&self, reply: &mut Reply) {
        reply.array(2);
        reply.bulk(b"sentinel");
        reply.array(0);
    }

    /// The section `Sentinel` of `INFO`, from its title on.
    pub fn info(&self, now: Now) -> Vec<u8> {
        let _ = now;
        b"# Sentinel\r\n".to_vec()
    }
}
