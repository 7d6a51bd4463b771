//! The locks and atomics of [`crate::watermark`], in one place so that `tests/watermark.rs` can compile that file against
//! shuttle's.

pub use parking_lot::Mutex;
pub use std::sync::atomic::{AtomicU64, Ordering};
