//! Small numbers that name things in the engine.

/// A shard's number, `0 .. shards`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ShardId(pub u16);

impl ShardId {
    /// The number as an index into a list of shards.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A thread that runs units, `0 .. executors`: each worker and each background thread has one for life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct ExecutorId(pub u16);

impl ExecutorId {
    /// The number as an index into a list of executors.
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}
