//! The section `Sentinel` of INFO.

use crate::event::Now;
use crate::machine::Sentinel;
use crate::text::text;

impl Sentinel {
    /// The section `Sentinel` of `INFO`, from its title on.
    pub fn info(&self, now: Now) -> Vec<u8> {
        let now = i64::try_from(now.mono_ms).unwrap_or(i64::MAX);
        let simulated =
            u32::from(self.simulate.crash_after_election) | u32::from(self.simulate.crash_after_promotion) << 1;
        let mut info = text!(
            "# Sentinel\r\nsentinel_masters:",
            self.groups.len(),
            "\r\nsentinel_tilt:",
            u32::from(self.tilt.since.is_some()),
            "\r\nsentinel_tilt_since_seconds:",
            self.tilt.since.map_or(-1, |since| (now - since) / 1000),
            "\r\nsentinel_total_tilt:",
            self.tilt.total,
            "\r\nsentinel_running_scripts:",
            self.scripts.running(),
            "\r\nsentinel_scripts_queue_length:",
            self.scripts.queue.len(),
            "\r\nsentinel_simulate_failure_flags:",
            simulated,
            "\r\n"
        );
        for (number, id) in self.group_ids().into_iter().enumerate() {
            let group = self.group(id);
            let primary = self.instance(group.primary);
            let status = match (primary.o_down, primary.s_down) {
                (true, _) => "odown",
                (false, true) => "sdown",
                (false, false) => "ok",
            };
            let address = text!(self.names.shown(&primary.addr), ":", primary.addr.port);
            let line = text!("master", number, ":name=", group.name, ",status=", status, ",address=", address);
            info.extend(line);
            info.extend(text!(",slaves=", group.replicas.len(), ",sentinels=", group.sentinels.len() + 1, "\r\n"));
        }
        info
    }
}
