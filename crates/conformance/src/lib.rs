//! The literate specs of the commands, run against any server.
//!
//! Beside each command's file lies a page of Markdown: prose for the reader, and transcripts that run.
//!
//! ````text
//! # INCR, DECR
//!
//! A missing key counts as 0. What is stored is a string, so the limits are those of a signed 64-bit integer.
//!
//! ```transcript encoding=any
//! > INCR hits
//! (integer) 1
//! effects: INCR hits
//! events: incrby hits
//! > SET hits ten
//! OK
//! > INCR hits
//! (error) ERR value is not an integer or out of range
//! ```
//! ````
//!
//! The same page runs against our server and against a real Valkey, and expected replies are filled in from the
//! real one (`cargo xtask bless`), never from ours: a spec is evidence, not a self-portrait.
//!
//! # The notation
//!
//! Each block starts with an empty server and connections of its own. Its lines are:
//!
//! | line | meaning |
//! |---|---|
//! | `> SET k v` | run a command on the block's connection; the reply follows, in `redis-cli`'s notation |
//! | `A> BLPOP k 0` | the same on a connection named A (a name begins with a letter) |
//! | `A<` | the next reply or message that arrives on A |
//! | `~> EXISTS k` | run the command again and again until it gives that reply (`A~>` on a connection) |
//! | `effects: DEL k` | one command that the step put into the replication stream; one line each, in order |
//! | `events: del k` | one keyspace event, with its key; `(db 3)` at the end if not of database 0 |
//! | `# words` | a remark |
//!
//! Replies that are not replies: `(blocked)` (the client waits for a key), `(silent)` (no reply is waited for),
//! `(closed)` (the server closed the connection). `effects: (none)` and `events: (none)` state that there are none.
//! Without such lines a step's effects are not looked at. SELECT and PING of the stream are left out.
//!
//! Where a reply is not known beforehand a hole stands for it: `<any>`, `<int>`, `<int 90..100>`, `<float>`; with a
//! name (`<any:payload>`) what it held can be used in later commands as `${payload}`. A line `...` stands for any
//! number of lines.
//!
//! Words after `transcript`:
//!
//! | option | meaning |
//! |---|---|
//! | `resp=both` | the default: run in RESP2, where the reply must be the one given, and in RESP3, where the reply must be the same after the general rule of translation (a map is a flat array, a double a string, …) |
//! | `resp=2`, `resp=3` | only there, exactly as given |
//! | `encoding=any` | run with the default limits of encodings, with limits of zero and with limits of two: no reply may differ |
//! | `unordered` | the elements of an array reply may come in any order |
//! | `replicas=no` | the server has no replica, not even the one that watches its stream |
//! | `continued` | go on where the block before ended |
//! | `config=name:value` | set a directive for the block (may be repeated) |
//! | `sentinel` | a Sentinel is asked, started for the block; it watches the empty server, whose port is `${primary}`, as `mymaster` |
//! | `peer=no` | differs from the peers on purpose, as the prose says: only ours is asked |

#![forbid(unsafe_code)]

mod bless;
pub mod observer;
mod pattern;
mod run;
mod spec;

pub use bless::bless;
pub use pattern::{Captures, fill, matches, matches_unordered};
pub use run::{Failure, Runner, same_list};
pub use spec::{Action, Chain, Options, Protocols, Spec, Step, all_pages, collect, data_pages};
