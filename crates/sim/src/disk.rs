//! A disk that forgets what was not synced.
//!
//! ```text
//!   append ─► bytes (what the process reads) ── sync ─► kept     power fails: kept, and some beginning of the rest
//!   rename, create ─► names ── sync of the folder ─► kept names  power fails: kept names, and some of the later ones
//! ```
//!
//! A process that is killed loses nothing here; a machine that loses its power does. It may do so between any two
//! operations: a *fuse* counts them, and when it burns through, nothing that the process does has an effect any more, on the
//! disk or in the network, until the machine is started again.
//!
//! A *full* disk takes part of what is appended. A *lying* one says that it has synced, and has not: then nothing can be
//! promised, and only what follows can be looked at.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use node::disk::{AppendFile, Disk, ReadFile, Syncer};
use parking_lot::Mutex;

use crate::random::Random;

const FULL: &str = "No space left on device";
const GONE: &str = "Input/output error";

#[derive(Clone, Default, Debug)]
struct Node {
    bytes: Vec<u8>,
    /// So much of it is on the disk for good, and this is its content if it was cut since.
    kept: Vec<u8>,
}

#[derive(Clone, Debug)]
enum Change {
    Put(PathBuf, u32),
    Remove(PathBuf),
}

#[derive(Default, Debug)]
struct State {
    nodes: BTreeMap<u32, Node>,
    names: BTreeMap<PathBuf, u32>,
    kept_names: BTreeMap<PathBuf, u32>,
    /// What has happened to names since they were kept.
    pending: Vec<Change>,
    next: u32,
    is_full: bool,
    lies: bool,
    /// So many operations until the power fails.
    fuse: Option<u64>,
    is_dark: bool,
}

impl State {
    /// Counts an operation. False when there is no power.
    fn step(&mut self) -> bool {
        if let Some(left) = &mut self.fuse {
            *left = left.saturating_sub(1);
            self.is_dark |= *left == 0;
        }
        !self.is_dark
    }

    fn apply(names: &mut BTreeMap<PathBuf, u32>, change: &Change) {
        match change {
            Change::Put(path, node) => names.insert(path.clone(), *node),
            Change::Remove(path) => names.remove(path),
        };
    }

    fn change(&mut self, change: Change) {
        Self::apply(&mut self.names, &change);
        self.pending.push(change);
    }

    fn make(&mut self, path: &Path, bytes: Vec<u8>) -> u32 {
        self.next += 1;
        self.nodes.insert(self.next, Node { bytes, kept: Vec::new() });
        self.change(Change::Put(path.to_owned(), self.next));
        self.next
    }

    fn keep_names(&mut self) {
        if !self.lies {
            self.kept_names = self.names.clone();
            self.pending.clear();
        }
    }

    fn keep(&mut self, node: u32) {
        if self.lies {
            return;
        }
        if let Some(node) = self.nodes.get_mut(&node) {
            node.kept.clone_from(&node.bytes);
        }
    }

    fn node(&self, path: &Path) -> Option<&Node> {
        self.nodes.get(self.names.get(path)?)
    }
}

/// The disk of one machine. It outlives its processes.
#[derive(Clone, Default, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

impl SimDisk {
    /// Whether the power has failed in the middle of an operation.
    pub fn is_dark(&self) -> bool {
        self.0.lock().is_dark
    }

    /// The power fails after so many operations.
    pub fn light(&self, operations: u64) {
        self.0.lock().fuse = Some(operations);
    }

    /// Nothing more fits, or there is room again.
    pub fn fill(&self, full: bool) {
        self.0.lock().is_full = full;
    }

    /// Whether nothing more fits.
    pub fn is_full(&self) -> bool {
        self.0.lock().is_full
    }

    /// It says that it syncs and does not, or does again.
    pub fn lie(&self, lies: bool) {
        self.0.lock().lies = lies;
    }

    /// The power has failed: what is left.
    pub fn lose(&self, random: &mut Random) {
        let mut state = self.0.lock();
        let state = &mut *state;
        let mut names = state.kept_names.clone();
        // Changes of names reach the disk in their order, or not yet.
        let some = random.below(state.pending.len() as u64 + 1) as usize;
        state.pending[..some].iter().for_each(|change| State::apply(&mut names, change));
        state.names = names.clone();
        state.kept_names = names;
        state.pending.clear();
        for node in state.nodes.values_mut() {
            let same = node.bytes.starts_with(&node.kept);
            if same {
                let more = random.below((node.bytes.len() - node.kept.len()) as u64 + 1) as usize;
                node.bytes.truncate(node.kept.len() + more);
            } else {
                node.bytes.clone_from(&node.kept);
            }
            node.kept.clone_from(&node.bytes);
        }
        let named: Vec<u32> = state.names.values().copied().collect();
        state.nodes.retain(|id, _| named.contains(id));
    }

    /// Replaces a file and keeps what it was under another name, as `runtime::files::replace_keeping` does.
    pub fn replace_keeping(
        &self,
        path: &Path,
        previous: Option<&Path>,
        bytes: &[u8],
        fsync: bool,
    ) -> Result<(), String> {
        let mut state = self.0.lock();
        if state.is_full {
            return Err(FULL.to_owned());
        }
        let aside = path.with_extension("aside");
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let node = state.make(&aside, bytes.to_vec());
        if let Some((previous, before)) = previous.zip(state.names.get(path).copied()) {
            if !state.step() {
                return Err(GONE.to_owned());
            }
            state.change(Change::Remove(previous.to_owned()));
            state.change(Change::Put(previous.to_owned(), before));
        }
        if fsync {
            if !state.step() {
                return Err(GONE.to_owned());
            }
            state.keep(node);
        }
        if !state.step() {
            return Err(GONE.to_owned());
        }
        state.change(Change::Remove(aside));
        state.change(Change::Put(path.to_owned(), node));
        if fsync {
            if !state.step() {
                return Err(GONE.to_owned());
            }
            state.keep_names();
        }
        Ok(())
    }

    /// All of a file, if there is one.
    pub fn read(&self, path: &Path) -> Option<Vec<u8>> {
        self.0.lock().node(path).map(|node| node.bytes.clone())
    }

    /// There is power again.
    pub fn restart(&self) {
        let mut state = self.0.lock();
        (state.fuse, state.is_dark) = (None, false);
    }
}

impl Disk for SimDisk {
    fn make_folder(&self, _: &Path) -> Result<(), String> {
        Ok(())
    }

    fn append(&self, path: &Path) -> Result<Box<dyn AppendFile>, String> {
        let mut state = self.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let node = match state.names.get(path) {
            Some(node) => *node,
            None => state.make(path, Vec::new()),
        };
        Ok(Box::new(Handle { disk: self.clone(), node }))
    }

    fn open(&self, path: &Path) -> Result<Option<Box<dyn ReadFile>>, String> {
        let state = self.0.lock();
        Ok(state.node(path).map(|node| {
            let reader: Box<dyn ReadFile> = Box::new(Reading { bytes: node.bytes.clone(), at: 0 });
            reader
        }))
    }

    fn len(&self, path: &Path) -> Option<u64> {
        self.0.lock().node(path).map(|node| node.bytes.len() as u64)
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<(), String> {
        let mut state = self.0.lock();
        if state.is_full {
            return Err(FULL.to_owned());
        }
        // Written aside, synced, renamed, the folder synced: the power may fail before each.
        let aside = path.with_extension("aside");
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let node = state.make(&aside, bytes.to_vec());
        if !state.step() {
            return Err(GONE.to_owned());
        }
        state.keep(node);
        if !state.step() {
            return Err(GONE.to_owned());
        }
        state.change(Change::Remove(aside));
        state.change(Change::Put(path.to_owned(), node));
        if !state.step() {
            return Err(GONE.to_owned());
        }
        state.keep_names();
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<(), String> {
        let mut state = self.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let Some(node) = state.names.get(from).copied() else { return Err("No such file or directory".to_owned()) };
        state.change(Change::Remove(from.to_owned()));
        state.change(Change::Put(to.to_owned(), node));
        Ok(())
    }

    fn copy(&self, from: &Path, to: &Path) -> Result<(), String> {
        let mut state = self.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let bytes = state.node(from).map(|node| node.bytes.clone()).ok_or("No such file or directory")?;
        state.make(to, bytes);
        Ok(())
    }

    fn remove(&self, path: &Path) {
        let mut state = self.0.lock();
        if state.step() {
            state.change(Change::Remove(path.to_owned()));
        }
    }

    fn cut(&self, path: &Path, len: u64) -> Result<(), String> {
        let mut state = self.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let node = state.names.get(path).copied();
        if let Some(node) = node.and_then(|node| state.nodes.get_mut(&node)) {
            node.bytes.truncate(len as usize);
        }
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> Result<(), String> {
        let mut state = self.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        state.keep_names();
        Ok(())
    }

    fn pause(&self, _: Duration) {}
}

struct Handle {
    disk: SimDisk,
    node: u32,
}

impl AppendFile for Handle {
    fn len(&self) -> u64 {
        self.disk.0.lock().nodes.get(&self.node).map_or(0, |node| node.bytes.len() as u64)
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), String> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut state = self.disk.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        let taken = if state.is_full { bytes.len() / 2 } else { bytes.len() };
        if let Some(node) = state.nodes.get_mut(&self.node) {
            node.bytes.extend_from_slice(&bytes[..taken]);
        }
        if taken < bytes.len() { Err(FULL.to_owned()) } else { Ok(()) }
    }

    fn truncate(&mut self, len: u64) -> Result<(), String> {
        let mut state = self.disk.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        if let Some(node) = state.nodes.get_mut(&self.node) {
            node.bytes.truncate(len as usize);
        }
        Ok(())
    }

    fn sync(&self) -> Result<(), String> {
        let mut state = self.disk.0.lock();
        if !state.step() {
            return Err(GONE.to_owned());
        }
        state.keep(self.node);
        Ok(())
    }

    fn syncer(&self) -> Result<Box<dyn Syncer>, String> {
        Ok(Box::new(Handle { disk: self.disk.clone(), node: self.node }))
    }
}

impl Syncer for Handle {
    fn sync(&self) -> Result<(), String> {
        AppendFile::sync(self)
    }
}

struct Reading {
    bytes: Vec<u8>,
    at: usize,
}

impl ReadFile for Reading {
    fn read(&mut self, into: &mut [u8]) -> Result<usize, String> {
        let n = into.len().min(self.bytes.len() - self.at);
        into[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(disk: &SimDisk, path: &str) -> Option<Vec<u8>> {
        let mut file = disk.open(Path::new(path)).expect("it opens")?;
        let mut bytes = vec![0; 100];
        let n = file.read(&mut bytes).expect("it can be read");
        bytes.truncate(n);
        Some(bytes)
    }

    #[test]
    fn what_was_synced_stays_and_of_the_rest_a_beginning() {
        let mut random = Random::new(1);
        let mut lengths = std::collections::BTreeSet::new();
        for _ in 0..50 {
            let disk = SimDisk::default();
            let mut file = disk.append(Path::new("a")).expect("it opens");
            disk.sync_folder(Path::new(".")).expect("it syncs");
            file.append(b"kept").expect("it fits");
            AppendFile::sync(&*file).expect("it syncs");
            file.append(b"lost").expect("it fits");
            assert_eq!(read(&disk, "a").as_deref(), Some(&b"keptlost"[..]));
            disk.lose(&mut random);
            let left = read(&disk, "a").expect("its name was kept");
            assert!(b"keptlost".starts_with(&left[..]) && left.len() >= 4);
            lengths.insert(left.len());
        }
        assert_eq!(lengths.into_iter().collect::<Vec<_>>(), [4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_replaced_file_is_the_old_or_the_new_one_wherever_the_power_fails() {
        let mut random = Random::new(2);
        let mut seen = std::collections::BTreeSet::new();
        for fuse in 1..8 {
            for _ in 0..20 {
                let disk = SimDisk::default();
                disk.replace(Path::new("a"), b"old").expect("it fits");
                disk.light(fuse);
                let done = disk.replace(Path::new("a"), b"new").is_ok();
                disk.lose(&mut random);
                disk.restart();
                let left = read(&disk, "a").expect("there is one");
                assert!(left == b"new" || left == b"old" && !done, "{left:?} {done}");
                seen.insert((left, done));
            }
        }
        assert_eq!(seen.len(), 3, "old, new though not told, new");
    }
}
