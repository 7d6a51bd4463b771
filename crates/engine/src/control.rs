//! How do workers read what rarely changes without a lock, and never act on what is no longer true?
//!
//! ```text
//!   Published { current: Mutex<Arc<T>>, epoch: 7 }      written inside a World only
//!   Reader    { value: Arc<T>, epoch: 7 }               one per worker; compares the epoch, and is right nearly always
//! ```
//!
//! Role, pause, loading, the ACL table, the configuration: what may forbid a command is one immutable value, replaced
//! whole. [`Published::publish`] asks for a [`World`], and a [`Reader`] is asked only by an executor that has entered the
//! gate. From these two follows what the engine promises about checks (`gate.rs`, invariant 2): when `publish` has
//! returned and the world has ended, no unit that was decided under an older value can still run.
//!
//! Costs: a read is one atomic load; a changed value costs each worker one short lock and one reference count. A worker that
//! hands the value out for every command keeps a [`Copied`] of it: the count of an `Arc` that all threads write would cost
//! more than a short command.

use crate::gate::World;
use crate::sync::{AtomicU64, Mutex, Ordering};
use std::rc::Rc;
use std::sync::Arc;

/// A value that is replaced whole and read by many.
pub struct Published<T> {
    current: Mutex<Arc<T>>,
    epoch: AtomicU64,
}

impl<T> Published<T> {
    /// The first value.
    pub fn new(value: T) -> Self {
        Published { current: Mutex::new(Arc::new(value)), epoch: AtomicU64::new(0) }
    }

    /// Replaces the value. Every unit that starts after the world has ended sees it.
    pub fn publish(&self, _: &World<'_>, value: Arc<T>) {
        *self.current.lock() = value;
        self.epoch.fetch_add(1, Ordering::Release);
    }

    /// The value of this moment; for those who decide nothing by it (INFO), or who hold the world.
    pub fn load(&self) -> Arc<T> {
        self.current.lock().clone()
    }

    /// A new worker's cached copy.
    pub fn reader(&self) -> Reader<T> {
        // The epoch first: a value newer than its epoch is read once more, an older one would be kept.
        let epoch = self.epoch.load(Ordering::Acquire);
        Reader { value: self.load(), epoch }
    }
}

/// One worker's copy of a [`Published`] value.
pub struct Reader<T> {
    value: Arc<T>,
    epoch: u64,
}

impl<T> Reader<T> {
    /// The value that holds until the executor leaves the gate, which it has entered.
    pub fn get(&mut self, published: &Published<T>) -> &Arc<T> {
        if published.epoch.load(Ordering::Acquire) != self.epoch {
            *self = published.reader();
        }
        &self.value
    }
}

/// One worker's copy of the value itself, of which references are counted within the thread.
pub struct Copied<T> {
    reader: Reader<T>,
    /// The published value of which `own` is a copy.
    source: Arc<T>,
    own: Rc<T>,
}

impl<T: Clone> Copied<T> {
    /// A copy of the present value.
    pub fn new(published: &Published<T>) -> Self {
        // Loaded once: a value that is published in between must not pass for the one that was copied.
        let source = published.load();
        let own = Rc::new(T::clone(&source));
        Copied { reader: published.reader(), source, own }
    }

    /// The value that holds until the executor leaves the gate, which it has entered.
    pub fn get(&mut self, published: &Published<T>) -> &Rc<T> {
        let newest = self.reader.get(published);
        if !Arc::ptr_eq(newest, &self.source) {
            self.own = Rc::new(T::clone(newest));
            self.source = newest.clone();
        }
        &self.own
    }

    /// The value that was got last; it still holds if the executor has not left the gate since.
    pub fn latest(&self) -> &T {
        &self.own
    }
}
