//! What the command line asked for.

use std::time::Duration;

use arguments::Server;

/// When a test ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// After this many replies.
    Requests(u64),
    After(Duration),
}

/// How results are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Full,
    /// One line for each test.
    Quiet,
    Csv,
    /// One JSON object for each test, each on a line.
    Json,
}

/// Which nodes of a cluster are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadFrom {
    Primaries,
    Replicas,
    All,
}

impl ReadFrom {
    /// How reports call the nodes.
    pub fn noun(self) -> &'static str {
        match self {
            ReadFrom::Primaries => "primary",
            ReadFrom::Replicas => "replica",
            ReadFrom::All => "cluster",
        }
    }
}

/// Sending arbitrary commands instead of measuring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fuzz {
    pub malformed: bool,
    pub config: bool,
    pub level: FuzzLevel,
}

/// How much a fuzzing run tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FuzzLevel {
    None,
    Error,
    #[default]
    Info,
    Debug,
}

/// Everything that flags can set.
#[derive(Clone, Debug)]
pub struct Options {
    pub server: Server,
    pub resp3: bool,
    pub tracking: bool,
    pub clients: usize,
    pub threads: usize,
    pub end: End,
    pub warmup: Duration,
    /// Bytes of a payload.
    pub size: usize,
    pub pipeline: u32,
    pub keep_alive: bool,
    /// Requests per second.
    pub rate: Option<u64>,
    /// The size of the key space; without one placeholders are sent as they stand.
    pub space: Option<u64>,
    pub sequential: bool,
    pub seed: Option<u64>,
    pub format: Format,
    /// Significant digits of latencies.
    pub precision: u8,
    pub endless: bool,
    pub idle: bool,
    /// In lower case; `None` is all.
    pub tests: Option<Vec<String>>,
    pub last_from_stdin: bool,
    pub cluster: bool,
    pub read_from: ReadFrom,
    pub functions: u32,
    pub function_keys: u32,
    pub fuzz: Option<Fuzz>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            server: Server::default(),
            resp3: false,
            tracking: false,
            clients: 50,
            threads: 0,
            end: End::Requests(100_000),
            warmup: Duration::ZERO,
            size: 3,
            pipeline: 1,
            keep_alive: true,
            rate: None,
            space: None,
            sequential: false,
            seed: None,
            format: Format::Full,
            precision: 3,
            endless: false,
            idle: false,
            tests: None,
            last_from_stdin: false,
            cluster: false,
            read_from: ReadFrom::Primaries,
            functions: 10,
            function_keys: 1,
            fuzz: None,
        }
    }
}
