//! Real servers in tests.
//!
//! ```text
//!   Program ──── a folder of programs: ours, Valkey's, Debian's Redis; the tests do not care which
//!      │ start
//!   Server  ──── one process in a folder and on a port of its own; its log; kill −9, restart, shell commands
//!      │ connect            │ through
//!   Connection            Proxy ── a TCP link that a test can cut and mend; Hosts ── machines with cables
//!      │ run
//!   Reply   ──── shown in the notation of `redis-cli`, in which tests and specs state what they expect
//! ```
//!
//! Invariants:
//!
//! 1. A test waits for an event (a log line, a condition), never for an amount of time. The one place that looks
//!    again and again is [`wait::until`].
//! 2. No port is fixed and no folder is shared, so all tests may run at once.
//! 3. A process ends with the value that owns it, in a test that panics as well.
//! 4. This crate speaks the protocol with code of its own: an error in the server's reader or writer cannot hide
//!    behind the same error in the test.
//!
//! The programs come from the environment: `RUBELLITE_BIN` names a server to be taken for ours (a real Valkey, to
//! try the tests themselves), `RUBELLITE_PEERS` a folder whose `bin/` holds `valkey-server`, `redis-server` or both;
//! without it the peers are those on `PATH`.

#![forbid(unsafe_code)]

pub mod cluster;
mod connection;
pub mod dataset;
mod hosts;
mod log;
pub mod ports;
mod program;
mod proxy;
mod reply;
pub mod sentinels;
mod server;
mod shell;
pub mod wait;
pub mod words;
pub mod workload;

pub use cluster::Cluster;
pub use connection::{Connection, encode};
pub use hosts::{Fault, Host, Hosts};
pub use program::{Program, absent, ioredis, python};
pub use proxy::Proxy;
pub use reply::Reply;
pub use server::{Output, Server};
pub use shell::Shell;
