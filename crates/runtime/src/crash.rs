//! The last words: a report in the log before the process ends by a signal or a failed assertion.
//!
//! ```text
//!   === … BUG REPORT START …
//!   4711:M … # Rubellite 1.0.0 crashed by signal: 11, si_code: 1
//!   ------ STACK TRACE ------          addresses first (nothing is allocated), then with names
//!   ------ INFO OUTPUT ------          whatever the hook has to say: INFO and CLIENT LIST
//!   === … BUG REPORT END …             and then the signal again, with its default action: the exit status tells it
//! ```
//!
//! What was broken is not known, so each part may crash or hang. A crash within the report ends it there; a report that takes
//! longer than a few seconds is cut off by an alarm. What is safe comes first.
//!
//! A stack that has overflowed holds no report, so reports are written on a second one. Threads get a large one by
//! [`arm_thread`]; on others, whose second stack is the small one of the standard library, the report is the addresses only.

use std::backtrace::Backtrace;
use std::fmt;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};

use resp::log_text::process;

use crate::log;
use crate::{errno, files, signals};

/// How long a report may take, in seconds.
const PATIENCE_S: u32 = 5;
const ALTERNATE_STACK: usize = 256 * 1024;

/// Adds its part to a report: INFO, clients, configuration.
pub type Hook = Box<dyn Fn(&mut dyn fmt::Write) + Send + Sync>;

struct Report {
    version: String,
    hook: Hook,
}

static REPORT: OnceLock<Report> = OnceLock::new();
static EXITS_ON_PANIC: AtomicBool = AtomicBool::new(false);
/// The signal being reported, or 0.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
static STARTED: AtomicBool = AtomicBool::new(false);
/// The thread that writes the report, plus one.
static REPORTER: AtomicU64 = AtomicU64::new(0);

/// Prepares for the worst, and arms the calling thread. `hook` adds to the report; it is called once, by the thread that
/// has crashed, and must not wait long for a lock: that thread may hold it.
pub fn install(version: &str, hook: Hook) -> io::Result<()> {
    let _ = REPORT.set(Report { version: version.to_owned(), hook });
    // The first backtrace loads a library, which no handler could.
    trace_addresses(-1);
    std::panic::set_hook(Box::new(on_panic));
    arm_thread()?;
    enable(true)?;
    signals::handle(libc::SIGALRM, on_alarm as *const () as usize, libc::SA_SIGINFO | libc::SA_RESTART)
}

/// `crash-log-enabled`: without it, crashes are silent.
pub fn enable(on: bool) -> io::Result<()> {
    let (handler, flags) = match on {
        true => (on_crash as *const () as usize, libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER),
        false => (libc::SIG_DFL, 0),
    };
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT] {
        signals::handle(signal, handler, flags)?;
    }
    Ok(())
}

/// `use-exit-on-panic`: a failed assertion ends the process with status 1 and not with SIGABRT.
pub fn exit_on_panic(on: bool) {
    EXITS_ON_PANIC.store(on, Ordering::Relaxed);
}

/// Gives the calling thread a second stack for reports. The memory is never given back; it is touched only by a report.
pub fn arm_thread() -> io::Result<()> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping at an address of the system's choice touches nothing that exists.
    let memory =
        unsafe { libc::mmap(std::ptr::null_mut(), ALTERNATE_STACK, libc::PROT_READ | libc::PROT_WRITE, flags, -1, 0) };
    if memory == libc::MAP_FAILED {
        return Err(io::Error::last_os_error());
    }
    let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: ALTERNATE_STACK };
    // SAFETY: the memory is ours for ever.
    errno::check(unsafe { libc::sigaltstack(&raw const stack, std::ptr::null_mut()) })?;
    Ok(())
}

/// `watchdog-period`: unless this is called again before `ms` milliseconds have passed, the log gets a stack trace.
/// 0 disarms it.
pub fn arm_watchdog(ms: u64) {
    let value = libc::timeval { tv_sec: (ms / 1000) as _, tv_usec: ((ms % 1000) * 1000) as _ };
    let never = libc::timeval { tv_sec: 0, tv_usec: 0 };
    let timer = libc::itimerval { it_value: value, it_interval: never };
    // SAFETY: the timer is readable, and what it was before is not asked for.
    unsafe { libc::setitimer(libc::ITIMER_REAL, &raw const timer, std::ptr::null_mut()) };
}

/// What DEBUG SEGFAULT does.
pub fn segfault() -> ! {
    // SAFETY: memory that may not be read is exactly what is wanted; the signal ends the process.
    unsafe {
        let page =
            libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);
        page.cast::<u8>().write_volatile(b'x');
        libc::abort()
    }
}

fn raw(text: &str) {
    log::with_handler_file(|fd| log::write_all(fd, text.as_bytes()));
}

fn thread_id() -> u64 {
    // SAFETY: takes no arguments and cannot fail.
    (unsafe { libc::pthread_self() }) as u64 | 1
}

/// Opens the report; false if one is open already. If it is this thread's own, the report has crashed and ends here; if
/// it is another's, that one is left to finish.
fn begin(signal: i32) -> bool {
    if STARTED.swap(true, Ordering::AcqRel) {
        if REPORTER.load(Ordering::Acquire) != thread_id() {
            loop {
                // SAFETY: waits for a signal; the other thread ends the process, or the alarm does.
                unsafe { libc::pause() };
            }
        }
        return false;
    }
    REPORTER.store(thread_id(), Ordering::Release);
    SIGNAL.store(signal, Ordering::Release);
    // SAFETY: takes no pointers.
    unsafe { libc::alarm(PATIENCE_S) };
    raw(process::REPORT_START);
    true
}

extern "C" fn on_crash(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    if !begin(signal) {
        raw(process::REPORT_RECURSIVE);
        finish(signal);
    }
    // SAFETY: the system gives a valid description of the signal.
    let code = unsafe { (*info).si_code };
    let mut number = [0; 20];
    let mut line = Line::default();
    line.put(b"Rubellite ");
    line.put(REPORT.get().map_or("", |r| &r.version).as_bytes());
    line.put(b" crashed by signal: ");
    line.put(log::decimal(signal as u64, &mut number));
    line.put(b", si_code: ");
    if code < 0 {
        line.put(b"-");
    }
    line.put(log::decimal(u64::from(code.unsigned_abs()), &mut number));
    log::from_handler(line.text());
    let mut line = Line::default();
    if code <= 0 {
        // Sent by a process, perhaps our own.
        // SAFETY: for these codes the description holds a sender.
        let sender = unsafe { (*info).si_pid() };
        line.put(b"Killed by PID: ");
        line.put(log::decimal(sender.max(0) as u64, &mut number));
    } else {
        line.put(b"Accessing address: 0x");
        // SAFETY: for these codes the description holds an address.
        line.put_hex(unsafe { (*info).si_addr() } as u64);
    }
    log::from_handler(line.text());
    trace();
    say_more();
    finish(signal);
}

fn on_panic(info: &std::panic::PanicHookInfo<'_>) {
    if !begin(libc::SIGABRT) {
        raw(process::REPORT_RECURSIVE);
        finish(libc::SIGABRT);
    }
    log::warning(process::ASSERTION_FAILED);
    let what = info.payload_as_str().unwrap_or("panic");
    match info.location() {
        Some(at) => log::warning(format_args!("==> {}:{} '{what}'", at.file(), at.line())),
        None => log::warning(format_args!("==> '{what}'")),
    }
    trace();
    say_more();
    finish(libc::SIGABRT);
}

/// Whether the stack that this runs on has room for more than the most needful.
fn has_room() -> bool {
    let mut stack = libc::stack_t { ss_sp: std::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: the present stack is asked for and none is set.
    unsafe { libc::sigaltstack(std::ptr::null(), &raw mut stack) };
    stack.ss_flags & libc::SS_ONSTACK == 0 || stack.ss_size >= ALTERNATE_STACK
}

fn say_more() {
    struct ToLog;
    impl fmt::Write for ToLog {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            raw(text);
            Ok(())
        }
    }
    if let Some(report) = REPORT.get()
        && has_room()
    {
        (report.hook)(&mut ToLog);
    }
}

fn trace() {
    raw(process::STACK_TRACE);
    log::with_handler_file(trace_addresses);
    if has_room() {
        raw(&format!("\n{}", Backtrace::force_capture()));
    }
    raw(process::STACK_TRACE_DONE);
}

/// Writes the return addresses; to nowhere when `fd` is negative.
fn trace_addresses(fd: i32) {
    #[cfg(any(target_env = "gnu", target_os = "macos"))]
    {
        let mut addresses = [std::ptr::null_mut(); 64];
        // SAFETY: the array is writable for the number of entries given.
        let n = unsafe { libc::backtrace(addresses.as_mut_ptr(), addresses.len() as i32) };
        if fd >= 0 {
            // SAFETY: the first `n` entries were filled in.
            unsafe { libc::backtrace_symbols_fd(addresses.as_ptr(), n, fd) };
        }
    }
    #[cfg(not(any(target_env = "gnu", target_os = "macos")))]
    let _ = fd;
}

/// Closes the report and ends the process by the signal's default action.
fn finish(signal: i32) -> ! {
    raw(process::REPORT_END);
    files::remove_temporaries();
    if signal == libc::SIGABRT && EXITS_ON_PANIC.load(Ordering::Relaxed) {
        // SAFETY: ends the process without running anything else.
        unsafe { libc::_exit(1) };
    }
    let _ = signals::handle(signal, libc::SIG_DFL, 0);
    // SAFETY: an empty set is made and then unblocks the signal, which is raised; nothing of this takes foreign memory.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const set, std::ptr::null_mut());
        libc::raise(signal);
        libc::_exit(1)
    }
}

extern "C" fn on_alarm(_signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    let crash = SIGNAL.load(Ordering::Acquire);
    if crash != 0 {
        raw("\nThe report takes too long and ends here.\n");
        finish(crash);
    }
    // SAFETY: the system gives a valid description of the signal; a timer's has no sender, which reads as 0.
    let by_timer = unsafe { (*info).si_code != libc::SI_USER && (*info).si_pid() == 0 };
    raw(if by_timer { process::WATCHDOG_EXPIRED } else { process::SIGALRM });
    raw(process::STACK_TRACE);
    log::with_handler_file(trace_addresses);
    raw(process::STACK_TRACE_DONE);
    raw(process::WATCHDOG_HINT);
}

/// A short line that is put together without allocating.
struct Line {
    bytes: [u8; 160],
    len: usize,
}

impl Default for Line {
    fn default() -> Self {
        Line { bytes: [0; 160], len: 0 }
    }
}

impl Line {
    fn put(&mut self, bytes: &[u8]) {
        let n = bytes.len().min(self.bytes.len() - self.len);
        self.bytes[self.len..self.len + n].copy_from_slice(&bytes[..n]);
        self.len += n;
    }

    fn put_hex(&mut self, n: u64) {
        let digits = (64 - n.leading_zeros()).div_ceil(4).max(1);
        for i in (0..digits).rev() {
            self.put(&[b"0123456789abcdef"[(n >> (4 * i)) as usize & 15]]);
        }
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_need_no_memory() {
        let mut line = Line::default();
        line.put(b"at 0x");
        line.put_hex(0xdead_beef);
        line.put(b" ");
        line.put_hex(0);
        assert_eq!(line.text(), "at 0xdeadbeef 0");
        line.put(&[b'x'; 500]);
        assert_eq!(line.text().len(), 160);
    }
}
