//! One call of the machine: its time, where its actions go, and what is put off to its end.
//!
//! Within one event the same thing may become necessary many times (a vote changes an epoch, a claim moves a thousand
//! slots). What is expensive or must come in a certain order is therefore only noted, and done once at the end: first the
//! state, then a failover, then the file, then the picture, then the broadcast.

use crate::action::Outbox;
use crate::config::Level;

/// The time and the outbox of one call.
pub(crate) struct Turn<'a> {
    /// Unix milliseconds.
    pub now: i64,
    pub out: &'a mut Outbox,
    pub verbosity: Level,
}

impl Turn<'_> {
    /// A line for the log; composed only when somebody reads that level.
    pub fn log(&mut self, level: Level, text: impl FnOnce() -> String) {
        if level >= self.verbosity {
            self.out.push(crate::Action::Log { level, text: text() });
        }
    }

    pub fn notice(&mut self, text: impl FnOnce() -> String) {
        self.log(Level::Notice, text);
    }

    pub fn warning(&mut self, text: impl FnOnce() -> String) {
        self.log(Level::Warning, text);
    }

    pub fn verbose(&mut self, text: impl FnOnce() -> String) {
        self.log(Level::Verbose, text);
    }

    pub fn debug(&mut self, text: impl FnOnce() -> String) {
        self.log(Level::Debug, text);
    }
}

/// What is put off to the end of a call.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Todo {
    /// The cluster may have gone down or come up.
    pub state: bool,
    /// Votes or failures came: see whether this replica can go on.
    pub failover: bool,
    /// An offset came: see whether a manual failover can go on.
    pub manual: bool,
    /// The file is out of date.
    pub save: bool,
    /// What is promised in it must survive a crash of the machine.
    pub fsync: bool,
    /// Everybody should hear of a change at once.
    pub broadcast: bool,
    /// The picture is out of date.
    pub view: bool,
}

impl Todo {
    /// The configuration changed.
    pub fn save(&mut self) {
        self.save = true;
        self.view = true;
    }

    /// The configuration changed in a way that others will build upon.
    pub fn save_surely(&mut self) {
        self.save();
        self.fsync = true;
    }

    /// The configuration changed, and with it maybe whether the cluster serves.
    pub fn save_and_judge(&mut self) {
        self.save();
        self.state = true;
    }
}
