//! Slots that the servers move whole: `CLUSTER MIGRATESLOTS`, which began with Valkey 9.

use std::thread;
use std::time::Duration;

use client::Value;
use cluster_admin::{NodeId, Slot};

use super::cluster::Cluster;
use super::execute::Voice;
use crate::failure::Failure;
use crate::session::member;

const POLL: Duration = Duration::from_millis(100);

impl Cluster<'_> {
    /// Has the source move these slots and waits until it has.
    pub fn migrate_slots(
        &mut self,
        slots: &[(Slot, Slot)],
        from: &NodeId,
        to: &NodeId,
        voice: Voice,
    ) -> Result<(), Failure> {
        let manager = self.manager;
        let shown: Vec<String> = slots.iter().map(|(first, last)| format!("{first}-{last}")).collect();
        let shown = shown.join(" ");
        if voice == Voice::Loud {
            let (from, to) = (self.address(from), self.address(to));
            manager.print(&format!("Moving slot range {shown} from {from} to {to} via atomic slot migration"))?;
        }
        let mut words: Vec<String> = ["CLUSTER", "MIGRATESLOTS", "SLOTSRANGE"].map(str::to_owned).to_vec();
        words.extend(slots.iter().flat_map(|(first, last)| [first.to_string(), last.to_string()]));
        words.extend(["NODE".to_owned(), to.to_string()]);
        let mut outcome = self.ask(from, &words).map(|_| None).map_err(|refusal| refusal.text().to_owned());
        while let Ok(None) = outcome {
            let migrations = self.ask(from, &["CLUSTER", "GETSLOTMIGRATIONS"]);
            outcome = match migrations {
                Ok(migrations) => progress(&migrations, &shown),
                Err(refusal) => Err(refusal.text().to_owned()),
            };
            if let Ok(None) = outcome {
                if voice == Voice::Loud {
                    manager.print(".")?;
                }
                thread::sleep(POLL);
            }
        }
        outcome.map(|_| ()).or_else(|text| manager.fail(&format!("Atomic slot migration failed: {text}\n")))
    }
}

/// Whether the migration of these ranges has succeeded; `None` while it is under way.
fn progress(migrations: &Value, ranges: &str) -> Result<Option<()>, String> {
    let text = |migration: &Value, name: &str| member(migration, name).and_then(Value::as_str).map(str::to_owned);
    let mut all = migrations.as_array().unwrap_or_default().iter();
    let Some(own) = all.find(|migration| text(migration, "slot_ranges").as_deref() == Some(ranges)) else {
        return Err("Slot migration not found in GETSLOTMIGRATIONS".to_owned());
    };
    match text(own, "state").unwrap_or_default().as_str() {
        "success" => Ok(Some(())),
        "cancelled" => Err("Slot migration was cancelled".to_owned()),
        "failed" => Err(text(own, "message").unwrap_or_default()),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_is_known_by_its_slots() {
        let text = |text: &str| Value::Bulk(text.as_bytes().to_vec());
        let entry = |state: &str| {
            let words = ["slot_ranges", "0-5 7-7", "state", state, "message", "why"];
            Value::Array(vec![Value::Array(words.iter().map(|word| text(word)).collect())])
        };
        assert_eq!(progress(&entry("success"), "0-5 7-7"), Ok(Some(())));
        assert_eq!(progress(&entry("snapshotting"), "0-5 7-7"), Ok(None));
        assert_eq!(progress(&entry("failed"), "0-5 7-7"), Err("why".to_owned()));
        assert!(progress(&entry("success"), "0-5").is_err());
    }
}
