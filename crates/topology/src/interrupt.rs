//! Ctrl-C: asks `up` to stop what it has started, and a second time ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// Whether somebody wants this to end.
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on signals are noted. The error is a line for people.
    pub fn listen() -> Result<Interrupt, String> {
        let came = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order, so that the first signal does not find its own mark.
            flag::register_conditional_shutdown(signal, 1, came.clone())
                .and_then(|_| flag::register(signal, came.clone()))
                .map_err(|error| format!("signals cannot be listened to: {}", client::os_text(&error)))?;
        }
        Ok(Interrupt(came))
    }

    pub fn came(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// An error when it came.
    pub fn check(&self) -> Result<(), String> {
        if self.came() { Err("interrupted".to_owned()) } else { Ok(()) }
    }
}
