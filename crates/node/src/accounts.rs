//! What is told of a command besides its reply: counters, the time it took, its slot's statistics, the command logs, monitors.
//!
//! Commands of one pipeline follow each other without anything between, so the end of one is the beginning of the next, and
//! the clock is read once for each.

use std::sync::atomic::Ordering;

use ::cluster::Slot;
use command::registry::RowId;
use command::row::{Flags, Row};
use keyspace::WaitEntry;
use resp::args::Args;
use resp::error::{self, Error};
use resp::log_text;
use session::{Client, Waiting};

use crate::cluster::route;
use crate::control::Control;
use crate::execute::Core;
use crate::server::LogLevel;
use crate::stats::add;

impl Core<'_> {
    /// The slot to which a request's costs are charged, if they are counted, and whether it is an EXEC, which is charged to
    /// the slot of what was queued.
    pub(crate) fn slot_to_charge(&self, client: &Client, args: &Args<'_>) -> Option<(Slot, bool)> {
        self.server.cluster.as_ref()?;
        if !self.seen.latest().config.cluster.slot_stats_enabled {
            return None;
        }
        let row = self.server.registry.row(self.find(args).ok()?);
        if !row.accepts(args.len()) {
            return None;
        }
        let is_exec = row.name() == "exec";
        let slot = match &client.multi {
            Some(multi) if is_exec => multi.queue.iter().find_map(|queued| queued.slot),
            _ => route::slot_of(row, args).ok()?,
        };
        Some((Slot::new(slot?)?, is_exec))
    }

    /// Charges a request that is over, or queued, to a slot. `reply` is how many bytes it has added to the output.
    pub(crate) fn charge(&self, client: &Client, slot: Slot, args: &Args<'_>, is_exec: bool, reply: usize) {
        let Some(node) = &self.server.cluster else { return };
        if matches!(client.waiting, Waiting::Keys(..)) {
            return;
        }
        node.stats.request(slot, args, is_exec);
        let Some(nanos) = self.ran else { return };
        let cost = node.stats.of(slot);
        cost.add_time(nanos);
        // Whoever follows has the log sent, or will have.
        let replicas = self.server.replication.replicas.lock().len() as u64;
        cost.add_out(reply as u64 + self.logged * replicas);
    }

    /// Charges a command that has waited for keys, and has now been answered, to their slot.
    pub(crate) fn charge_wait(&self, waited: &WaitEntry, reply: usize) {
        let Some(node) = self.server.cluster.as_ref().filter(|_| self.seen.latest().config.cluster.slot_stats_enabled)
        else {
            return;
        };
        if let Some(slot) = waited.keys.first().map(|name| Slot::of(name)) {
            node.stats.request(slot, &waited.args.as_args(), false);
            node.stats.of(slot).add_out(reply as u64);
        }
    }

    /// Counts an error reply under its code.
    pub fn note_error(&self, code: &[u8]) {
        self.counters.note_error(code);
    }

    /// How long the latest command ran, in ns; `None` when that was asked before.
    pub(crate) fn take_ran(&mut self) -> Option<u64> {
        self.ran.take()
    }

    /// The moment at which a command begins: the end of the one before it if both come from one pipeline.
    pub(crate) fn start_clock(&mut self) -> u64 {
        self.last_end.take().unwrap_or_else(|| self.server.engine.clock().nanos())
    }

    /// Begins a run of commands that follow each other without anything between.
    pub(crate) fn begin_run(&mut self) {
        self.last_end = None;
    }

    /// A command has run: counts it, and takes it into the command logs if it was slow or large.
    pub(crate) fn account(&mut self, id: RowId, start: u64, failed: bool, client: &Client, args: Args<'_>) {
        let end = self.server.engine.clock().nanos();
        self.last_end = Some(end);
        let nanos = end.saturating_sub(start);
        let counters = &self.counters.commands[id.index()];
        add(&counters.calls, 1);
        add(&counters.nanos, nanos);
        add(&self.counters.command_nanos, nanos);
        if failed {
            add(&counters.failed, 1);
        }
        add(&self.counters.processed, 1);
        add(&client.card.commands, 1);
        let reply = client.out.len().saturating_sub(self.out_mark);
        if !self.in_exec {
            self.ran = Some(nanos);
        }
        crate::commands::commandlog::consider(self, id, nanos, reply, client, args);
    }

    /// A client that waited for a key has its reply. How long that took was part of the unit that served it.
    pub(crate) fn note_served(&mut self, client: &Client, args: Args<'_>, reply: usize) {
        let id = RowId(client.card.last_command.load(Ordering::Relaxed) as u16);
        crate::commands::commandlog::consider(self, id, 0, reply, client, args);
    }

    /// What a client sent is no request: the log shows a piece of it, unless it is to show nothing of users.
    pub(crate) fn tell_protocol_error(&mut self, client: &Client, e: &Error, input: &[u8]) {
        let who = crate::commands::client::line::describe(self, &client.card);
        let shown = match self.control().config.general.hide_user_data_from_log {
            true => None,
            false => Some(input),
        };
        let complaint = String::from_utf8_lossy(error::common::protocol_complaint(e));
        let line = log_text::client::protocol_error(&complaint, &who, shown);
        self.server.host.log(LogLevel::Verbose, &line);
    }

    /// Shows a command to those who monitor.
    pub(crate) fn feed_monitors(&self, control: &Control, client: &Client, row: &Row, args: Args<'_>) {
        if !row.flags.contains(Flags::SKIP_MONITOR) && !row.flags.contains(Flags::ADMIN) {
            let from = client.card.address();
            crate::commands::monitor::feed(self.server, control, self.lease.now(), client.db, &from, row, args);
        }
    }
}
