//! What must hold.
//!
//! | when | what |
//! |---|---|
//! | a primary is chosen | no other candidate has a promised write that the chosen one lacks |
//! | at the end | every promise is kept that no choice has excused; all servers hold the same data |
//!
//! A choice excuses a promise when none of the candidates has the write: all who had it were out of reach. It does not
//! excuse one that a candidate has.

use crate::process::client::Promise;
use crate::world::{Micros, Pid};

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// When it was seen.
    pub at: Micros,
    /// What does not hold.
    pub what: String,
}

/// All promises of a universe, and what has become of them.
#[derive(Default)]
pub struct Ledger {
    promises: Vec<(Promise, bool)>,
    /// Promises that a choice has excused.
    pub excused: usize,
}

impl Ledger {
    /// A promise more.
    pub fn add(&mut self, promise: Promise) {
        self.promises.push((promise, true));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.promises.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.promises.is_empty()
    }

    /// How many of them were told by WAIT to be on so many replicas at least.
    pub fn with_replicas(&self, least: i64) -> usize {
        self.promises.iter().filter(|(promise, _)| promise.replicas >= least).count()
    }

    /// Promises in force.
    pub fn in_force(&self) -> impl Iterator<Item = &Promise> {
        self.promises.iter().filter(|(_, in_force)| *in_force).map(|(promise, _)| promise)
    }

    /// All that was promised so far is excused.
    pub fn excuse_all(&mut self) {
        for (_, in_force) in self.promises.iter_mut().filter(|(_, in_force)| *in_force) {
            *in_force = false;
            self.excused += 1;
        }
    }

    /// `chosen` becomes the primary; the candidates are `among`, and what they have was looked at at `asked`. `has` says
    /// whether a server has a key.
    pub fn choice(
        &mut self,
        chosen: Pid,
        among: &[Pid],
        asked: Micros,
        mut has: impl FnMut(Pid, &str) -> bool,
    ) -> Result<(), String> {
        for (promise, in_force) in self.promises.iter_mut().filter(|(_, in_force)| *in_force) {
            if has(chosen, &promise.key) {
                continue;
            }
            let known = promise.at <= asked;
            if let Some(better) = among.iter().find(|pid| known && has(**pid, &promise.key)) {
                return Err(format!(
                    "server {} was chosen and lacks {} (promised by {} at {:.3} s, WAIT said {}), which server {} has",
                    chosen.0,
                    promise.key,
                    promise.by.0,
                    promise.at as f64 / 1e6,
                    promise.replicas,
                    better.0
                ));
            }
            *in_force = false;
            self.excused += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let mut ledger = Ledger::default();
        let promise = |key: &str| Promise { key: key.to_owned(), replicas: 1, at: 0, by: Pid(0), life: 1 };
        ledger.add(promise("a"));
        ledger.add(promise("b"));
        ledger
    }

    #[test]
    fn a_choice_must_not_lose_what_another_candidate_has() {
        let worse = ledger().choice(Pid(1), &[Pid(1), Pid(2)], 9, |pid, key| pid == Pid(2) || key == "a");
        assert!(worse.is_err_and(|why| why.contains("lacks b")));
    }

    #[test]
    fn a_choice_excuses_what_no_candidate_has() {
        let mut ledger = ledger();
        assert_eq!(ledger.choice(Pid(1), &[Pid(1), Pid(2)], 9, |_, key| key == "a"), Ok(()));
        assert_eq!(ledger.in_force().map(|promise| &promise.key[..]).collect::<Vec<_>>(), ["a"]);
        assert_eq!(ledger.excused, 1);
    }
}
