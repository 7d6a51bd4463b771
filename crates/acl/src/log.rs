//! What was denied of late (`ACL LOG`).
//!
//! The newest entry comes first. A denial that is like one of the last ten, and not more than a minute away from it, only
//! raises that entry's count: a client that tries again and again must not push the others out.

use std::collections::VecDeque;

/// How many entries are looked at for one that is alike.
const LOOK_BACK: usize = 10;
/// How far apart, in ms, two denials may be that count as one entry.
const TOGETHER_MS: i64 = 60_000;

/// Where the command came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// From a client.
    TopLevel,
    /// From a transaction.
    Multi,
}

impl Place {
    /// As it is shown.
    pub fn name(self) -> &'static str {
        match self {
            Place::TopLevel => "toplevel",
            Place::Multi => "multi",
        }
    }
}

/// One entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// How often it happened.
    pub count: u64,
    /// What was denied: `command`, `key`, `channel`, `database`, `auth`.
    pub reason: &'static str,
    /// Where.
    pub place: Place,
    /// The key, the channel, the command.
    pub object: Vec<u8>,
    /// Who it was.
    pub user: Vec<u8>,
    /// The client as CLIENT LIST shows it, the last one.
    pub client: Vec<u8>,
    /// Its number.
    pub id: u64,
    /// When it happened first, in ms.
    pub created: i64,
    /// When it happened last, in ms.
    pub updated: i64,
}

/// The log.
#[derive(Default, Debug)]
pub struct AclLog {
    entries: VecDeque<Entry>,
    next: u64,
}

impl AclLog {
    /// Takes note of a denial. Its count and id are given here. At most `max` entries stay.
    pub fn note(&mut self, mut entry: Entry, max: usize) {
        if max > 0 {
            let alike = |old: &Entry| {
                old.reason == entry.reason
                    && old.place == entry.place
                    && (old.updated - entry.updated).abs() <= TOGETHER_MS
                    && old.object == entry.object
                    && old.user == entry.user
            };
            match self.entries.iter().take(LOOK_BACK).position(alike).and_then(|at| self.entries.remove(at)) {
                Some(old) => {
                    let (client, updated) = (entry.client, entry.updated);
                    self.entries.push_front(Entry { count: old.count + 1, client, updated, ..old });
                }
                None => {
                    (entry.count, entry.id) = (1, self.next);
                    self.next += 1;
                    self.entries.push_front(entry);
                }
            }
        }
        self.entries.truncate(max);
    }

    /// The entries, newest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// Forgets all entries; their numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(object: &str, at: i64) -> Entry {
        Entry {
            count: 0,
            reason: "key",
            place: Place::TopLevel,
            object: object.into(),
            user: b"bob".to_vec(),
            client: format!("at={at}").into_bytes(),
            id: 0,
            created: at,
            updated: at,
        }
    }

    #[test]
    fn like_denials_are_one_entry() {
        let mut log = AclLog::default();
        log.note(entry("a", 0), 10);
        log.note(entry("b", 1), 10);
        log.note(entry("a", 59_000), 10);
        let all: Vec<_> = log.entries().map(|e| (e.object[0], e.count, e.id, e.created, e.updated)).collect();
        assert_eq!(all, [(b'a', 2, 0, 0, 59_000), (b'b', 1, 1, 1, 1)]);
        assert_eq!(log.entries().next().unwrap().client, b"at=59000");
        log.note(entry("a", 119_001), 10);
        assert_eq!(log.entries().next().unwrap().count, 1, "too long ago");
        assert_eq!(log.entries().len(), 3);
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut log = AclLog::default();
        (0..5).for_each(|n| log.note(entry(&n.to_string(), n), 3));
        assert_eq!(log.entries().map(|e| e.object[0]).collect::<Vec<_>>(), b"432");
        log.note(entry("x", 9), 0);
        assert_eq!(log.entries().len(), 0);
    }
}
