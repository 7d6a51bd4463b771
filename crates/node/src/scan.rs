//! SCAN outside transactions: a walk from shard to shard, of which it locks one at a time.
//!
//! ```text
//!   gate ─┬─ shard 3 ─ visit ─┬─ gate ─┬─ shard 4 ─ visit ─┬─ … ─ answer
//!         └──── one unit ─────┘        └──── one unit ─────┘
//! ```
//!
//! Between two shards others may run, so what SCAN answers was not all there at one moment; it never promises that. A walk
//! that has to wait for a shard begins again from the cursor that the client sent, which costs time but changes nothing.

use command::registry::RowId;
use command::row::Row;
use commands::Walk;
use engine::lease::Taken;
use engine::unit::Unit;
use resp::args::Args;
use session::Client;

use crate::control::Control;
use crate::execute::{Core, Outcome, Shards, prepare};
use crate::hooks::NodeHooks;

impl Core<'_> {
    /// Runs SCAN; `None` when it has to begin again. The lease has entered the gate.
    pub(crate) fn run_scan(
        &mut self,
        client: &mut Client,
        control: &Control,
        id: RowId,
        row: &'static Row,
        args: Args<'_>,
    ) -> Option<Outcome> {
        let start = self.start_clock();
        let mut walk = match Walk::begin(&args, self.server.engine.map) {
            Ok(walk) => walk,
            Err(e) => {
                self.note_error(e.code());
                client.out.error(&e);
                self.account(id, start, true, client, args);
                return Some(Outcome::Done);
            }
        };
        let mut first = true;
        while let Some(shard) = walk.shard() {
            // A walk that could not get on otherwise has the world, and keeps it to its end.
            if !std::mem::take(&mut first) && self.lease.world().is_none() {
                self.lease.end_unit();
                match self.lease.enter(&mut client.attempt) {
                    Taken::Yes => {}
                    Taken::Parked => return Some(Outcome::Parked),
                    Taken::Again => return None,
                }
            }
            match self.take(client, &mut Shards::from_slice(&[shard]), &[]) {
                Taken::Yes => {}
                Taken::Parked => return Some(Outcome::Parked),
                Taken::Again => return None,
            }
            let control = self.control();
            let mut space = self.lease.space(client.db);
            prepare(&mut space, &control, &control.env, client, false);
            let mut unit = Unit::begin(space, &*self.server.journal, &mut self.scratch, &mut self.random);
            unit.unframed();
            walk.step(&unit.space);
            for name in walk.expired() {
                unit.expire(&unit.space.key(&name), &control.env);
            }
            let mut hooks = NodeHooks { server: self.server, control: &control, counters: self.counters };
            let committed = unit.commit(&mut hooks);
            self.settle(client, committed);
        }
        if !control.monitors.is_empty() {
            self.feed_monitors(control, client, row, args);
        }
        walk.answer(&mut client.out);
        self.account(id, start, false, client, args);
        Some(Outcome::Done)
    }
}
