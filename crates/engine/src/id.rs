//! Small numbers that name things in the engine.

pub use keyspace::ShardId;

/// A thread that runs units, `0 .. executors`: each worker and each background thread has one for life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExecutorId(pub u16);

impl ExecutorId {
    /// The number as an index into a list of executors.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}
