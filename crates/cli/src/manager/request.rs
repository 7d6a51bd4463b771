//! What the flags of `--cluster` ask for.

use std::path::PathBuf;

/// A subcommand with its flags. The defaults are the peers'.
#[derive(Clone, Debug)]
pub struct Request {
    /// `create`, `check`, …; none when the tool is no manager today.
    pub command: Option<String>,
    pub words: Vec<Vec<u8>>,
    pub replicas: usize,
    pub primary_id: Option<String>,
    pub from: Option<String>,
    pub to: Option<String>,
    pub from_user: Option<Vec<u8>>,
    pub from_password: Option<Vec<u8>>,
    pub ask_from_password: bool,
    /// `node=weight`, as written.
    pub weights: Option<Vec<String>>,
    /// Zero: ask.
    pub slots: i64,
    pub timeout_ms: i64,
    /// Keys of one `MIGRATE`.
    pub pipeline: i64,
    /// Percent.
    pub threshold: f32,
    pub yes: bool,
    pub simulate: bool,
    pub replace: bool,
    pub copy: bool,
    pub as_replica: bool,
    pub use_empty: bool,
    pub search_owners: bool,
    pub fix_unreachable: bool,
    pub atomic: bool,
    pub primaries_only: bool,
    pub replicas_only: bool,
    /// Print the plan and leave.
    pub dry_run: bool,
    /// Where to write the plan before it is executed.
    pub plan: Option<PathBuf>,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            command: None,
            words: Vec::new(),
            replicas: 0,
            primary_id: None,
            from: None,
            to: None,
            from_user: None,
            from_password: None,
            ask_from_password: false,
            weights: None,
            slots: 0,
            timeout_ms: 60_000,
            pipeline: 10,
            threshold: 2.0,
            yes: false,
            simulate: false,
            replace: false,
            copy: false,
            as_replica: false,
            use_empty: false,
            search_owners: false,
            fix_unreachable: false,
            atomic: false,
            primaries_only: false,
            replicas_only: false,
            dry_run: false,
            plan: None,
        }
    }
}
