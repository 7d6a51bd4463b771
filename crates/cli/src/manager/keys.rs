//! The keys of a slot, from one node to another.
//!
//! They go in small batches, each of which is one `MIGRATE`. A key that the receiver has already stops the move, unless both
//! values are the same or the user wants the receiver's to be replaced.

use client::Value;
use cluster_admin::{NodeId, Slot};

use super::cluster::{Cluster, Refusal, refused};
use super::execute::{Halt, Voice};

/// What `DEBUG DIGEST-VALUE` answers for a key that is not there.
const ABSENT: &[u8] = b"0000000000000000000000000000000000000000";

impl Cluster<'_> {
    /// Moves all keys of the slot, of all databases. Ends as it began: with database 0.
    pub fn move_keys(&mut self, slot: Slot, from: &NodeId, to: &NodeId, voice: Voice) -> Result<(), Halt> {
        let databases = self.databases(from);
        for db in 0..databases {
            if databases > 1 {
                self.tell(from, &["SELECT", &db.to_string()])?;
            }
            loop {
                let keys = self.some_keys(slot, from)?;
                if keys.is_empty() {
                    break;
                }
                self.migrate(slot, from, to, db, &keys)?;
                if voice == Voice::Loud {
                    self.manager.print(&".".repeat(keys.len()))?;
                }
            }
        }
        if databases > 1 {
            self.tell(from, &["SELECT", "0"])?;
        }
        Ok(())
    }

    fn some_keys(&mut self, slot: Slot, from: &NodeId) -> Result<Vec<Vec<u8>>, Halt> {
        let count = self.manager.request.pipeline.max(1).to_string();
        let words = ["CLUSTER", "GETKEYSINSLOT", &slot.to_string(), &count].map(str::to_owned);
        match self.ask(from, &words) {
            Ok(reply) => {
                let items = reply.as_array().unwrap_or_default().iter();
                Ok(items.filter_map(|key| key.as_bytes().map(<[u8]>::to_vec)).collect())
            }
            Err(refusal) => self.halt(from, refusal.text()),
        }
    }

    fn migrate(&mut self, slot: Slot, from: &NodeId, to: &NodeId, db: usize, keys: &[Vec<u8>]) -> Result<(), Halt> {
        let text = match self.send_keys(from, to, db, keys, false) {
            Ok(()) => return Ok(()),
            Err(Refusal::Error(text)) => text,
            Err(Refusal::Lost(text)) => return self.halt(from, &text),
        };
        let is_busy = text.contains("BUSYKEY");
        let is_unserved = !is_busy && !self.is_served(from, slot);
        if !is_busy && !is_unserved {
            self.manager.print("\n")?;
            return self.halt(from, &text);
        }
        if is_unserved && self.manager.request.command.as_deref() == Some("fix") {
            let place = self.address(to);
            self.manager.warn(&format!("*** Slot was not served, setting owner to node {place}.\n"))?;
            self.set_slot(from, slot, "NODE", Some(to))?;
        }
        if is_busy {
            self.manager.warn("\n*** Target key exists\n")?;
            if !self.manager.request.replace {
                self.compare(from, to, keys)?;
            }
            self.manager.warn("*** Replacing target keys...\n")?;
        }
        match self.send_keys(from, to, db, keys, is_busy) {
            Ok(()) => Ok(()),
            Err(refusal) => {
                self.manager.print("\n")?;
                self.halt(from, refusal.text())
            }
        }
    }

    fn send_keys(
        &mut self,
        from: &NodeId,
        to: &NodeId,
        db: usize,
        keys: &[Vec<u8>],
        replaces: bool,
    ) -> Result<(), Refusal> {
        let Some(target) = self.picture.node(to) else { return Err(Refusal::Lost("unknown node".to_owned())) };
        let numbers = [db.to_string(), self.manager.request.timeout_ms.to_string()];
        let mut words: Vec<Vec<u8>> = vec![b"MIGRATE".to_vec(), target.host.clone().into_bytes()];
        words.extend([target.port.to_string().into_bytes(), Vec::new()]);
        words.extend(numbers.map(String::into_bytes));
        if replaces {
            words.push(b"REPLACE".to_vec());
        }
        words.extend(credentials(&self.manager.options));
        words.push(b"KEYS".to_vec());
        words.extend(keys.iter().cloned());
        self.ask(from, &words).map(|_| ())
    }

    /// Halts unless each key that both nodes have has the same value on both.
    fn compare(&mut self, from: &NodeId, to: &NodeId, keys: &[Vec<u8>]) -> Result<(), Halt> {
        let manager = self.manager;
        manager.warn("*** Checking key values on both nodes...\n")?;
        let mut words: Vec<Vec<u8>> = vec![b"DEBUG".to_vec(), b"DIGEST-VALUE".to_vec()];
        words.extend(keys.iter().cloned());
        let digests = [self.ask(from, &words), self.ask(to, &words)];
        let mut reason = None;
        for (id, digests) in [from, to].into_iter().zip(&digests) {
            if let Err(refusal) = digests {
                manager.error(&refused(&self.address(id), refusal.text()))?;
                reason = reason.filter(|text: &String| is_forbidden(text)).or(Some(refusal.text().to_owned()));
            }
        }
        if let Some(reason) = reason {
            manager.error("*** Value check failed!\n")?;
            manager.error(match is_forbidden(&reason) {
                true => {
                    "DEBUG command is not allowed.\nYou can turn on the enable-debug-command option.\nOr you can relaunch \
                     the command with --cluster-replace option to force key overriding.\n"
                }
                false => {
                    "DEBUG DIGEST-VALUE command is not supported.\nYou can relaunch the command with --cluster-replace \
                     option to force key overriding.\n"
                }
            })?;
            return Err(Halt::Told(reason));
        }
        let digests = digests.map(|digests| digests.ok().and_then(|value| value.as_array().map(<[Value]>::to_vec)));
        let digest = |side: usize, n: usize| digests[side].as_ref()?.get(n)?.as_bytes().filter(|text| *text != ABSENT);
        let differs = |n: &usize| matches!((digest(0, *n), digest(1, *n)), (Some(a), Some(b)) if a != b);
        let different: Vec<&Vec<u8>> = (0..keys.len()).filter(differs).map(|n| &keys[n]).collect();
        if different.is_empty() {
            return Ok(());
        }
        manager.error(&format!(
            "*** Found {} key(s) in both source node and target node having different values.\n    Source node: {}\n    \
             Target node: {}\n    Keys(s):\n",
            different.len(),
            self.address(from),
            self.address(to)
        ))?;
        for key in different {
            manager.error(&format!("    - {}\n", String::from_utf8_lossy(key)))?;
        }
        manager.error(
            "Please fix the above key(s) manually and try again or relaunch the command \nwith --cluster-replace option to \
             force key overriding.\n",
        )?;
        Err(Halt::Told("keys differ".to_owned()))
    }

    /// Tells that a node refused.
    fn halt<T>(&self, at: &NodeId, text: &str) -> Result<T, Halt> {
        self.manager.error(&refused(&self.address(at), text))?;
        Err(Halt::Told(text.to_owned()))
    }
}

fn is_forbidden(text: &str) -> bool {
    text.starts_with("ERR DEBUG command not allowed.")
}

/// How `MIGRATE` shall authenticate at the receiver: as we do.
pub fn credentials(options: &crate::options::Options) -> Vec<Vec<u8>> {
    match (&options.server.user, &options.server.password) {
        (Some(user), Some(password)) => vec![b"AUTH2".to_vec(), user.clone(), password.clone()],
        (None, Some(password)) => vec![b"AUTH".to_vec(), password.clone()],
        (_, None) => Vec::new(),
    }
}
