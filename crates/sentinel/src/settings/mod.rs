//! sentinel.conf: read at the start, and written again with every change of state.
//!
//! ```text
//!   sentinel monitor mymaster 10.0.0.1 6379 2          what to watch
//!   sentinel down-after-milliseconds mymaster 5000     how
//!   sentinel myid … · current-epoch … · config-epoch mymaster … · leader-epoch mymaster …
//!   sentinel known-replica mymaster 10.0.0.2 6379      state, in the published format: the file can be taken over by
//!   sentinel known-sentinel mymaster 10.0.0.5 26379 …  the original's Sentinel, and from it
//! ```
//!
//! Lines that begin with another word are general directives and belong to crate `config`, which also keeps comments
//! and order when the file is [rewritten](config::rewrite()).
//!
//! Ours alone are `sentinel dead-grace-ms <ms>`, written only when it is not the default, and a second `auth-pass` (or
//! `sentinel-pass`) line: of two, the first is the former password, still tried when the second is refused. The
//! original takes the last.

mod lines;
mod read;
pub mod seal;

pub(crate) use lines::lines;
pub(crate) use read::{read, yes};
