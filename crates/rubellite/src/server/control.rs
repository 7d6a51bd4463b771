//! The control thread: what happens by the clock.
//!
//! It is an executor of its own, so that load on the I/O threads never delays it: the expiry cycle, the end of a pause,
//! and the signals.

use std::time::Duration;

use node::execute::Core;
use node::expiry::Expirer;
use node::server::Server;
use runtime::signals;

/// Executors besides the I/O threads: this thread's units, and its background work.
pub const EXECUTORS: usize = 2;

/// Ten times a second.
const TICK: Duration = Duration::from_millis(100);

/// Of each tick at most this much is spent on expired keys.
const EXPIRY_NANOS: u64 = 25_000_000;

/// Runs until the server is over. `first` is the number of its first executor.
pub fn run(server: &Server, first: usize) {
    let mut core = Core::new(server, first);
    let mut expirer = Expirer::new(server, first + 1);
    while !server.is_over() {
        if signals::wait(TICK) {
            server.stop(0);
            break;
        }
        expirer.cycle(EXPIRY_NANOS);
        node::pause::end_if_due(&mut core, server.engine.now());
    }
}
