//! SIGTERM and SIGINT as events for the control thread.
//!
//! The handler notes the signal, says so in the log and wakes the reactor that was named at [`install`]; that asks
//! [`take`] when it is woken. A second SIGINT before [`reset`] ends the process at once: whoever presses Ctrl-C twice does
//! not want to wait for a save. SIGHUP and SIGPIPE are ignored; signals of crashes are [`crate::crash`]'s.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, OnceLock};

use resp::log_text::process;

use crate::reactor::Waker;
use crate::{errno, files, log};

/// How the process was asked to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM: an administrator or a supervisor.
    Terminate,
}

static WAKER: OnceLock<Arc<Waker>> = OnceLock::new();
static PENDING: AtomicI32 = AtomicI32::new(0);
static ASKED: AtomicBool = AtomicBool::new(false);
static LOADING: AtomicBool = AtomicBool::new(false);

/// Installs the handlers. The waker is the one of the reactor that will call [`take`]; only the first call names one.
pub fn install(waker: Arc<Waker>) -> io::Result<()> {
    let _ = WAKER.set(waker);
    handle(libc::SIGTERM, on_shutdown as *const () as usize, libc::SA_RESTART)?;
    handle(libc::SIGINT, on_shutdown as *const () as usize, libc::SA_RESTART)?;
    handle(libc::SIGHUP, libc::SIG_IGN, 0)?;
    handle(libc::SIGPIPE, libc::SIG_IGN, 0)
}

/// The signal that has come since the last call, if one has.
pub fn take() -> Option<Signal> {
    match PENDING.swap(0, Ordering::AcqRel) {
        libc::SIGINT => Some(Signal::Interrupt),
        libc::SIGTERM => Some(Signal::Terminate),
        _ => None,
    }
}

/// The shutdown that a signal has asked for was given up: the next SIGINT counts as the first again.
pub fn reset() {
    ASKED.store(false, Ordering::Release);
}

/// Whether data are being loaded; only the handler's words depend on it.
pub fn set_loading(loading: bool) {
    LOADING.store(loading, Ordering::Relaxed);
}

extern "C" fn on_shutdown(signal: libc::c_int) {
    if ASKED.swap(true, Ordering::AcqRel) && signal == libc::SIGINT {
        log::from_handler(process::INSIST);
        files::remove_temporaries();
        // SAFETY: ends the process without running anything else.
        unsafe { libc::_exit(1) };
    }
    let text = match signal {
        _ if LOADING.load(Ordering::Relaxed) => process::SIGNAL_WHILE_LOADING,
        libc::SIGINT => process::SIGINT,
        _ => process::SIGTERM,
    };
    log::from_handler(text);
    PENDING.store(signal, Ordering::Release);
    if let Some(waker) = WAKER.get() {
        waker.notify();
    }
}

/// Names a signal's handler.
pub(crate) fn handle(signal: libc::c_int, handler: libc::sighandler_t, flags: libc::c_int) -> io::Result<()> {
    // SAFETY: an action of zeroes has an empty mask and no flags.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the action is complete; handlers do only what a handler may, and live for ever.
    errno::check(unsafe { libc::sigaction(signal, &raw const action, std::ptr::null_mut()) })?;
    Ok(())
}
