//! What the host can tell of the process and its machine, for INFO.

/// What does not change while the process runs.
#[derive(Clone, Debug, Default)]
pub struct ProcessFacts {
    /// Our version.
    pub version: String,
    /// The process id.
    pub pid: u32,
    /// Name, release and machine of the operating system.
    pub os: String,
    /// The compiler.
    pub compiler: String,
    /// The path of the program.
    pub executable: String,
    /// The path of the configuration file, empty without one.
    pub config_file: String,
    /// The allocator and its version.
    pub allocator: String,
    /// How sockets are polled.
    pub poll: String,
    /// Memory of the machine, in bytes.
    pub system_memory: u64,
}

/// Memory of the process, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryFacts {
    /// What was asked of the allocator and not given back.
    pub used: u64,
    /// The most of it at any time that was looked at.
    pub peak: u64,
    /// Resident, as the system sees it.
    pub rss: u64,
    /// The allocator's view: in blocks.
    pub allocated: u64,
    /// In pages with such blocks.
    pub active: u64,
    /// In pages that the system has given.
    pub resident: u64,
}

/// Processor time, in microseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct CpuFacts {
    /// In the kernel.
    pub system: u64,
    /// In the program.
    pub user: u64,
    /// Of ended children, in the kernel.
    pub system_children: u64,
    /// Of ended children, in the program.
    pub user_children: u64,
}

/// How DEBUG ends the process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Crash {
    /// An access to memory that is not ours.
    Segfault,
    /// A failed assertion.
    Assertion,
}
