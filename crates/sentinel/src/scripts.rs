//! The queue of scripts: notifications and the reconfiguration of clients.
//!
//! ```text
//!   scheduled ──at most 16 at once, oldest first──► running ──exit 0──► done
//!       ▲                                             │ exit 1 or a signal: again after 30 s, 1 min, 2 min …, 10 times
//!       └─────────────────────────────────────────────┘ any other exit: -script-error
//!                                                       a minute: killed, -script-timeout
//! ```
//!
//! The queue holds 256; the oldest that does not run makes room.

use crate::address::Addr;
use crate::event::{Action, Level, Outbox, ScriptEnd, ScriptId};
use crate::instance::{GroupId, Ms};
use crate::machine::Sentinel;
use crate::text::text;
use std::collections::VecDeque;

const LONGEST_QUEUE: usize = 256;
const MOST_RUNNING: usize = 16;
const MOST_TRIES: u32 = 10;

/// As which signal a script that could not be started is reported.
const NOT_STARTED: i32 = 99;

#[derive(Debug)]
pub(crate) struct Job {
    pub argv: Vec<Vec<u8>>,
    pub tries: u32,
    pub run: Option<Run>,
    /// Not before then.
    pub not_before: Option<Ms>,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub id: ScriptId,
    pub pid: Option<u32>,
    pub since: Ms,
    killed: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Scripts {
    pub queue: VecDeque<Job>,
}

impl Scripts {
    pub fn running(&self) -> usize {
        self.queue.iter().filter(|job| job.run.is_some()).count()
    }
}

impl Sentinel {
    pub(crate) fn schedule_script(&mut self, argv: Vec<Vec<u8>>) {
        let queue = &mut self.scripts.queue;
        queue.push_back(Job { argv, tries: 0, run: None, not_before: None });
        let oldest = queue.iter().position(|job| job.run.is_none());
        if let Some(oldest) = oldest.filter(|_| queue.len() > LONGEST_QUEUE) {
            queue.remove(oldest);
        }
    }

    /// `<name> <role> start <from ip> <from port> <to ip> <to port>`, if there is a script for it.
    pub(crate) fn schedule_reconfig_script(&mut self, id: GroupId, role: &str, from: &Addr, to: &Addr) {
        let group = self.group(id);
        let Some(script) = group.reconfig_script.clone() else { return };
        self.schedule_script(vec![
            script,
            group.name.clone(),
            role.as_bytes().to_vec(),
            b"start".to_vec(),
            self.names.shown(from),
            text!(from.port),
            self.names.shown(to),
            text!(to.port),
        ]);
    }

    pub(crate) fn tick_scripts(&mut self, out: &mut Outbox) {
        let now = self.now;
        let mut room = MOST_RUNNING.saturating_sub(self.scripts.running());
        for place in 0..self.scripts.queue.len() {
            let job = &self.scripts.queue[place];
            if room == 0 {
                break;
            }
            if job.run.is_some() || job.not_before.is_some_and(|at| at > now) {
                continue;
            }
            room -= 1;
            let id = ScriptId(self.fresh_id());
            let job = &mut self.scripts.queue[place];
            job.tries += 1;
            job.run = Some(Run { id, pid: None, since: now, killed: false });
            out.push(Action::RunScript { id, argv: job.argv.clone() });
        }
        let limit = self.periods.script_max_runtime;
        let mut late = Vec::new();
        for job in &mut self.scripts.queue {
            if let Some(run) = job.run.as_mut().filter(|run| !run.killed && now - run.since > limit) {
                run.killed = true;
                late.push((run.id, text!(job.argv[0], " ", run.pid.unwrap_or(0))));
            }
        }
        for (id, what) in late {
            self.announce(Level::Warning, "-script-timeout", what, out);
            out.push(Action::KillScript { id });
        }
    }

    fn job_of(&self, id: ScriptId) -> Option<usize> {
        self.scripts.queue.iter().position(|job| job.run.as_ref().is_some_and(|run| run.id == id))
    }

    pub(crate) fn script_started(&mut self, id: ScriptId, pid: Option<u32>, out: &mut Outbox) {
        let Some(place) = self.job_of(id) else { return };
        match pid {
            Some(pid) => {
                if let Some(run) = &mut self.scripts.queue[place].run {
                    run.pid = Some(pid);
                }
                self.announce(Level::Debug, "+script-child", text!(pid), out);
            }
            None => {
                let what = text!(self.scripts.queue[place].argv[0], " ", NOT_STARTED, " ", 0i32);
                self.announce(Level::Warning, "-script-error", what, out);
                self.try_again_or_forget(place);
            }
        }
    }

    pub(crate) fn script_ended(&mut self, id: ScriptId, end: ScriptEnd, out: &mut Outbox) {
        let Some(place) = self.job_of(id) else { return };
        let (exit, signal) = match end {
            ScriptEnd::Exit(code) => (code, 0),
            ScriptEnd::Signal(signal) => (0, signal),
        };
        let job = &self.scripts.queue[place];
        let pid = job.run.as_ref().and_then(|run| run.pid).unwrap_or(0);
        let what = text!(job.argv[0], " ", signal, " ", exit);
        let tries = job.tries;
        self.announce(Level::Debug, "-script-child", text!(pid, " ", exit, " ", signal), out);
        if (signal != 0 || exit == 1) && tries < MOST_TRIES {
            return self.try_again_or_forget(place);
        }
        if signal != 0 || exit != 0 {
            self.announce(Level::Warning, "-script-error", what, out);
        }
        self.scripts.queue.remove(place);
    }

    fn try_again_or_forget(&mut self, place: usize) {
        let job = &mut self.scripts.queue[place];
        if job.tries >= MOST_TRIES {
            self.scripts.queue.remove(place);
            return;
        }
        job.run = None;
        let delay = self.periods.script_retry_delay.saturating_mul(1 << (job.tries.max(1) - 1));
        job.not_before = Some(self.now.saturating_add(delay));
    }
}
