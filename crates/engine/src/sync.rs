//! Where the engine's locks and atomics come from.
//!
//! Nothing else in the modules `shard`, `gate`, `control` and `background` names a lock or an atomic, so that
//! `tests/schedules.rs` can compile the very same files against shuttle's versions (its own `crate::sync`) and run them
//! under thousands of schedules. A Cargo feature would do the same for one package, but features are unified over a
//! workspace: one test crate that turned it on would put a simulated lock under every server built in the same run.

pub use parking_lot::{Mutex, MutexGuard};
pub use std::hint::spin_loop;
pub use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering, fence};
pub use std::sync::{Condvar, Mutex as SleepMutex};

/// How many times in all one attempt to take a set of shards waits for a moment before it gives up.
///
/// A pause instruction costs 10 to 45 ns, so this is 5 to 23 µs: longer than nearly every command holds a shard, shorter
/// than anything a client would notice, and less than parking costs both sides.
pub const SPINS: u32 = 512;

/// How often a background thread comes back to a shard that is taken before it queues for it: about five milliseconds.
pub const NAPS: u32 = 100;

/// What it does in between: stays away for 50 µs, or until `changed`.
pub fn nap(changed: &Condvar, guard: std::sync::MutexGuard<'_, bool>) {
    drop(changed.wait_timeout(guard, std::time::Duration::from_micros(50)));
}
