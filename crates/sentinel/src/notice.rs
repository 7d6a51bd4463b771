//! Events: a line for the log, a message for subscribers, a run of the notification script.
//!
//! ```text
//!   +sdown   master mymaster 127.0.0.1 6379
//!   +slave   slave 127.0.0.1:6380 127.0.0.1 6380 @ mymaster 127.0.0.1 6379
//!   channel  message
//! ```
//!
//! The names and texts are the original's; scripts and people match on them. Debugging ones are logged only; warnings
//! run the script.

use crate::event::{Action, Level, Outbox};
use crate::instance::InstanceId;
use crate::machine::Sentinel;
use crate::text::text;

impl Sentinel {
    /// An event about an instance: its description and `more`.
    pub(crate) fn notify(
        &mut self,
        level: Level,
        name: &str,
        id: InstanceId,
        more: impl AsRef<[u8]>,
        out: &mut Outbox,
    ) {
        let text = text!(self.described(id), more.as_ref());
        self.notify_text(level, name, id, text, out);
    }

    /// An event that concerns an instance, in words of its own.
    pub(crate) fn notify_text(&mut self, level: Level, name: &str, id: InstanceId, text: Vec<u8>, out: &mut Outbox) {
        let script = self.group_of(id).notification_script.clone();
        self.announce(level, name, text.clone(), out);
        if let Some(script) = script.filter(|_| level == Level::Warning) {
            self.schedule_script(vec![script, name.as_bytes().to_vec(), text]);
        }
    }

    /// An event of the Sentinel as a whole.
    pub(crate) fn announce(&mut self, level: Level, name: &str, text: Vec<u8>, out: &mut Outbox) {
        self.log(level, text!(name, " ", text), out);
        if level != Level::Debug {
            out.push(Action::Publish { channel: name.as_bytes().to_vec(), text });
        }
    }

    pub(crate) fn log(&self, level: Level, text: Vec<u8>, out: &mut Outbox) {
        if level >= self.log_level {
            out.push(Action::Log { level, text });
        }
    }

    /// `<type> <name> <ip> <port>`, and `@ <primary name> <ip> <port>` for all but primaries.
    pub(crate) fn described(&self, id: InstanceId) -> Vec<u8> {
        let instance = self.instance(id);
        let host = self.names.shown(&instance.addr);
        let own = text!(instance.kind.word(), " ", instance.name, " ", host, " ", instance.addr.port);
        if instance.is_primary() {
            return own;
        }
        let primary = self.primary_of(instance.group);
        text!(own, " @ ", primary.name, " ", self.names.shown(&primary.addr), " ", primary.addr.port)
    }
}
