//! What the command line asked for.

use std::path::PathBuf;
use std::time::Duration;

use arguments::Server;
use client::Family;

use crate::format::Style;
use crate::manager::Request;

/// RESP2 unless asked otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Protocol {
    #[default]
    Unspecified,
    /// `-2`: stay with RESP2 even where a flag would prefer RESP3.
    Two,
    /// Implied by `--json`: RESP3 if the server has it.
    PreferThree,
    /// `-3`: RESP3 or nothing.
    Three,
}

/// Where the last word of a command comes from, if not from the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StdinArgument {
    #[default]
    None,
    /// `-x`: appended as the last argument.
    Last,
    /// `-X tag`: put in place of the argument that equals the tag.
    Tag(Vec<u8>),
}

/// The programs within the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    Latency {
        history: bool,
    },
    /// `mono`: in shades of grey.
    LatencyDistribution {
        mono: bool,
    },
    LruTest {
        keys: u64,
    },
    Replica,
    Rdb {
        file: PathBuf,
        functions_only: bool,
    },
    Pipe,
    BigKeys(KeySize),
    KeyStats(KeyStats),
    HotKeys {
        count: usize,
    },
    Stat,
    Scan,
    IntrinsicLatency {
        seconds: u64,
    },
    Hint(Vec<u8>),
    HintFile(PathBuf),
    Eval(PathBuf),
    Debug {
        script: PathBuf,
        sync: bool,
    },
}

/// How `--bigkeys` and `--memkeys` measure a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySize {
    Elements,
    /// Bytes by `MEMORY USAGE`, with a number of samples if one was given.
    Memory(Option<u64>),
}

/// How `--keystats` measures memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStats {
    /// Elements that `MEMORY USAGE` looks at, if a number was given.
    pub samples: Option<u64>,
}

/// Everything that flags can set.
#[derive(Clone, Debug)]
pub struct Options {
    pub server: Server,
    pub family: Option<Family>,
    pub connect_timeout: Option<Duration>,
    pub ask_password: bool,
    pub no_auth_warning: bool,
    pub protocol: Protocol,
    pub cluster: bool,
    /// How often to run the command; negative is for ever.
    pub repeat: i64,
    pub interval: Duration,
    pub stdin_argument: StdinArgument,
    pub quoted_input: bool,
    pub style: Style,
    /// Between the elements of an aggregate, in raw style.
    pub element_delimiter: Vec<u8>,
    /// After a reply, in raw style.
    pub reply_delimiter: Vec<u8>,
    pub show_pushes: bool,
    pub exit_on_error: bool,
    pub verbose: bool,
    pub pattern: Option<Vec<u8>>,
    pub count: i64,
    /// Where `--keystats` begins to scan.
    pub cursor: u64,
    /// How many of the largest keys `--keystats` shows.
    pub top: usize,
    /// How long `--pipe` waits for replies after all was sent; zero is for ever.
    pub pipe_timeout: Duration,
    /// In the order in which the peers try them when several are given.
    pub modes: Vec<Mode>,
    /// What `--cluster` and its flags ask for.
    pub manager: Request,
}

impl Options {
    /// The defaults, which depend on whether standard output is a terminal.
    pub fn new(terminal: bool) -> Self {
        Options {
            server: Server::default(),
            family: None,
            connect_timeout: None,
            ask_password: false,
            no_auth_warning: false,
            protocol: Protocol::Unspecified,
            cluster: false,
            repeat: 1,
            interval: Duration::ZERO,
            stdin_argument: StdinArgument::None,
            quoted_input: false,
            style: if terminal { Style::Terminal } else { Style::Raw },
            element_delimiter: b"\n".to_vec(),
            reply_delimiter: b"\n".to_vec(),
            show_pushes: terminal,
            exit_on_error: false,
            verbose: false,
            pattern: None,
            count: 10,
            cursor: 0,
            top: 10,
            pipe_timeout: Duration::from_secs(30),
            modes: Vec::new(),
            manager: Request::default(),
        }
    }
}
