//! The log.
//!
//! ```text
//!   4711:M 21 Nov 2026 01:02:03.456 * Ready to accept connections tcp
//!   pid  role  date                 level  text
//! ```
//!
//! Roles: `X` Sentinel, `C` a short-lived helper, `S` replica, `M` primary. Levels: `.` debug, `-` verbose, `*` notice, `#` warning.
//! The file is opened for every line, so that it may be moved or truncated at any time; each line is one write.
//!
//! Lines may be logged from any thread at any time. Settings and role are the process's: one server is one process.
//! The signal handler's way to the log is [`from_handler`], which neither allocates nor takes a lock.

use std::cell::Cell;
use std::ffi::CString;
use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};

use parking_lot::RwLock;

use crate::clock;

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub enum Level {
    /// For developers.
    Debug = 0,
    /// Much that is rarely of use.
    Verbose = 1,
    /// What an administrator wants to see.
    Notice = 2,
    /// What an administrator must see.
    Warning = 3,
    /// `loglevel nothing`: no line is of this level, so a threshold of it lets none through.
    Nothing = 4,
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Role {
    /// A Sentinel.
    Sentinel = 0,
    /// A helper that works on files (the peers' forked child).
    Child = 1,
    /// A replica.
    Replica = 2,
    /// A primary.
    Primary = 3,
}

/// `log-format`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Format {
    /// As in the picture above.
    #[default]
    Legacy,
    /// `pid=4711 role=primary timestamp="…" level=notice message="…"`
    Logfmt,
    /// One JSON object per line.
    Json,
}

/// `log-timestamp-format`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Timestamp {
    /// `21 Nov 2026 01:02:03.456`, local time.
    #[default]
    Legacy,
    /// `2026-11-21T01:02:03.456+01:00`, local time.
    Iso8601,
    /// Milliseconds since the Unix epoch.
    Milliseconds,
}

/// `syslog-ident` and `syslog-facility`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Syslog {
    /// The program's name there.
    pub ident: String,
    /// The facility: `user`, or `local0` to `local7`.
    pub facility: String,
}

/// Where lines go and what they look like.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Lines below this are not written.
    pub level: Level,
    /// The file; `None` is standard output.
    pub file: Option<PathBuf>,
    /// Whether lines go to syslog as well.
    pub syslog: Option<Syslog>,
    /// What a line looks like.
    pub format: Format,
    /// What its time looks like.
    pub timestamp: Timestamp,
    /// `hide-user-data-from-log`.
    pub hides_user_data: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            level: Level::Notice,
            file: None,
            syslog: None,
            format: Format::Legacy,
            timestamp: Timestamp::Legacy,
            hides_user_data: true,
        }
    }
}

static SETTINGS: RwLock<Option<Settings>> = RwLock::new(None);
static THRESHOLD: AtomicU8 = AtomicU8::new(Level::Notice as u8);
static ROLE: AtomicU8 = AtomicU8::new(Role::Primary as u8);
static HIDES: AtomicBool = AtomicBool::new(true);
/// The file's path for the signal handler; null is standard output. Never freed: settings change a few times in a life.
static HANDLER_PATH: AtomicPtr<libc::c_char> = AtomicPtr::new(std::ptr::null_mut());

/// Changes where lines go, from the next one on.
pub fn set(settings: Settings) {
    let path = match &settings.file {
        Some(path) => CString::new(path.as_os_str().as_bytes()).map_or(std::ptr::null_mut(), CString::into_raw),
        None => std::ptr::null_mut(),
    };
    HANDLER_PATH.store(path, Ordering::Release);
    THRESHOLD.store(settings.level as u8, Ordering::Relaxed);
    HIDES.store(settings.hides_user_data, Ordering::Relaxed);
    let mut current = SETTINGS.write();
    let old = current.as_ref().and_then(|s| s.syslog.as_ref());
    if old != settings.syslog.as_ref() {
        syslog::switch(settings.syslog.as_ref());
    }
    *current = Some(settings);
}

/// Changes who speaks.
pub fn set_role(role: Role) {
    ROLE.store(role as u8, Ordering::Relaxed);
}

/// Whether a line of this level would be written; to be asked before an expensive line is put together.
pub fn is_on(level: Level) -> bool {
    level as u8 >= THRESHOLD.load(Ordering::Relaxed)
}

/// Whether keys, values and arguments are to be left out of lines.
pub fn hides_user_data() -> bool {
    HIDES.load(Ordering::Relaxed)
}

/// Writes a line.
pub fn line(level: Level, text: impl Display) {
    if is_on(level) {
        write(level, &text.to_string(), false);
    }
}

/// `line` at debug level.
pub fn debug(text: impl Display) {
    line(Level::Debug, text);
}

/// `line` at verbose level.
pub fn verbose(text: impl Display) {
    line(Level::Verbose, text);
}

/// `line` at notice level.
pub fn notice(text: impl Display) {
    line(Level::Notice, text);
}

/// `line` at warning level.
pub fn warning(text: impl Display) {
    line(Level::Warning, text);
}

/// Writes text as it is, without pid, date and line end.
pub fn raw(level: Level, text: &str) {
    if is_on(level) {
        write(level, text, true);
    }
}

fn write(level: Level, text: &str, raw: bool) {
    let settings = SETTINGS.read();
    let fallback;
    let settings = match &*settings {
        Some(settings) => settings,
        None => {
            fallback = Settings::default();
            &fallback
        }
    };
    let bytes = if raw { text.to_owned() } else { encode(settings, level, text, clock::unix_us()) };
    match &settings.file {
        None => {
            let mut out = std::io::stdout().lock();
            // A log that cannot be written must not end the server.
            let _ = out.write_all(bytes.as_bytes()).and_then(|()| out.flush());
        }
        Some(path) => {
            if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path) {
                let _ = file.write_all(bytes.as_bytes());
            }
        }
    }
    if settings.syslog.is_some() {
        syslog::write(level, text);
    }
}

fn encode(settings: &Settings, level: Level, text: &str, unix_us: i64) -> String {
    let pid = std::process::id();
    let role = ROLE.load(Ordering::Relaxed) as usize;
    let time = timestamp(settings.timestamp, unix_us);
    let name = ["debug", "verbose", "notice", "warning", "nothing"][level as usize];
    // The peer's structured formats call the second level `info`.
    let name = if name == "verbose" { "info" } else { name };
    let role_name = ["sentinel", "RDB/AOF", "replica", "primary"][role];
    match settings.format {
        Format::Legacy => {
            let role = ['X', 'C', 'S', 'M'][role];
            let level = ['.', '-', '*', '#', '#'][level as usize];
            format!("{pid}:{role} {time} {level} {text}\n")
        }
        Format::Logfmt => {
            let text = text.replace('"', "'").replace(['\r', '\n'], " ");
            format!("pid={pid} role={role_name} timestamp=\"{time}\" level={name} message=\"{text}\"\n")
        }
        Format::Json => {
            let text = json(text);
            format!(
                "{{\"pid\":{pid},\"role\":\"{role_name}\",\"timestamp\":\"{time}\",\"level\":\"{name}\",\"message\":\"{text}\"}}\n"
            )
        }
    }
}

fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if c < ' ' => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out
}

fn timestamp(format: Timestamp, unix_us: i64) -> String {
    let ms = unix_us.rem_euclid(1_000_000) / 1000;
    if format == Timestamp::Milliseconds {
        return (unix_us / 1000).to_string();
    }
    let tm = local_time(unix_us.div_euclid(1_000_000));
    let (year, month, day) = (tm.tm_year + 1900, tm.tm_mon, tm.tm_mday);
    let (h, m, s) = (tm.tm_hour, tm.tm_min, tm.tm_sec);
    if format == Timestamp::Legacy {
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let month = MONTHS[month.rem_euclid(12) as usize];
        return format!("{day:02} {month} {year} {h:02}:{m:02}:{s:02}.{ms:03}");
    }
    let offset = tm.tm_gmtoff / 60;
    let sign = if offset < 0 { '-' } else { '+' };
    let (oh, om) = (offset.abs() / 60, offset.abs() % 60);
    format!("{year}-{:02}-{day:02}T{h:02}:{m:02}:{s:02}.{ms:03}{sign}{oh:02}:{om:02}", month + 1)
}

fn local_time(unix_s: i64) -> libc::tm {
    thread_local! {
        // The conversion reads the time zone under a lock; most lines of a thread come within one second.
        static LAST: Cell<Option<(i64, libc::tm)>> = const { Cell::new(None) };
    }
    if let Some((at, tm)) = LAST.get()
        && at == unix_s
    {
        return tm;
    }
    let time = unix_s as libc::time_t;
    // SAFETY: a broken-down time of zeroes is a valid value of the type, which is plain data.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid for the call; on failure the zeroes stay.
    unsafe { libc::localtime_r(&raw const time, &raw mut tm) };
    LAST.set(Some((unix_s, tm)));
    tm
}

/// Writes a line from a signal handler, as the peers do: `4711:signal-handler (1795222923) text`.
pub fn from_handler(text: &str) {
    if !is_on(Level::Warning) {
        return;
    }
    let mut line = [0u8; 256];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        let n = bytes.len().min(line.len() - 1 - at);
        line[at..at + n].copy_from_slice(&bytes[..n]);
        at += n;
    };
    let mut digits = [0u8; 20];
    put(decimal(u64::from(std::process::id()), &mut digits));
    put(b":signal-handler (");
    // SAFETY: with a null pointer the call only returns the time.
    let now = unsafe { libc::time(std::ptr::null_mut()) };
    put(decimal(now as u64, &mut digits));
    put(b") ");
    put(text.as_bytes());
    line[at] = b'\n';
    with_handler_file(|fd| write_all(fd, &line[..=at]));
}

/// Gives a descriptor of the log to `f`; neither allocates nor takes a lock.
pub(crate) fn with_handler_file(f: impl FnOnce(i32)) {
    let path = HANDLER_PATH.load(Ordering::Acquire);
    if path.is_null() {
        return f(libc::STDOUT_FILENO);
    }
    // SAFETY: the path is a C string that is never freed.
    let fd = unsafe { libc::open(path, libc::O_APPEND | libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC, 0o644) };
    if fd >= 0 {
        f(fd);
        // SAFETY: the descriptor was opened above and nobody else knows it.
        unsafe { libc::close(fd) };
    }
}

/// Writes everything, or as much as can be; callable from a signal handler.
pub(crate) fn write_all(fd: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        // SAFETY: the slice is readable for its length.
        let n = unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
        if n <= 0 {
            return;
        }
        bytes = &bytes[n as usize..];
    }
}

/// The digits of a number, without allocating.
pub(crate) fn decimal(mut n: u64, buf: &mut [u8; 20]) -> &[u8] {
    let mut at = buf.len();
    loop {
        at -= 1;
        buf[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            return &buf[at..];
        }
    }
}

mod syslog {
    //! The system's log, beside ours.

    use std::ffi::CString;

    use super::{Level, Syslog};

    pub(super) fn switch(to: Option<&Syslog>) {
        // SAFETY: closing a log that is not open does nothing.
        unsafe { libc::closelog() };
        let Some(to) = to else { return };
        let facility = match to.facility.to_ascii_lowercase().as_str() {
            "user" => libc::LOG_USER,
            "local1" => libc::LOG_LOCAL1,
            "local2" => libc::LOG_LOCAL2,
            "local3" => libc::LOG_LOCAL3,
            "local4" => libc::LOG_LOCAL4,
            "local5" => libc::LOG_LOCAL5,
            "local6" => libc::LOG_LOCAL6,
            "local7" => libc::LOG_LOCAL7,
            _ => libc::LOG_LOCAL0,
        };
        let ident = CString::new(to.ident.replace('\0', "")).unwrap_or_default();
        // The library keeps the pointer, so the name must live for ever.
        let ident: &'static std::ffi::CStr = Box::leak(ident.into_boxed_c_str());
        // SAFETY: the name is a C string that lives for ever.
        unsafe { libc::openlog(ident.as_ptr(), libc::LOG_PID | libc::LOG_NDELAY | libc::LOG_NOWAIT, facility) };
    }

    pub(super) fn write(level: Level, text: &str) {
        let priority = match level {
            Level::Debug => libc::LOG_DEBUG,
            Level::Verbose => libc::LOG_INFO,
            Level::Notice => libc::LOG_NOTICE,
            Level::Warning | Level::Nothing => libc::LOG_WARNING,
        };
        let text = CString::new(text.replace('\0', " ")).unwrap_or_default();
        // SAFETY: the format takes one C string, and is given one.
        unsafe { libc::syslog(priority, c"%s".as_ptr(), text.as_ptr()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_262_523_456_789;

    fn with(format: Format, timestamp: Timestamp) -> Settings {
        Settings { format, timestamp, ..Settings::default() }
    }

    #[test]
    fn a_line_looks_like_the_peers() {
        let line =
            encode(&with(Format::Legacy, Timestamp::Legacy), Level::Notice, "Ready to accept connections tcp", NOON);
        let pid = std::process::id();
        let rest = line.strip_prefix(&format!("{pid}:M ")).unwrap();
        let (date, text) = rest.split_at("21 Nov 2026 01:02:03.456".len());
        assert_eq!(text, " * Ready to accept connections tcp\n");
        assert_eq!(&date[2..12], " Nov 2026 ");
        assert_eq!(&date[20..], ".456");
    }

    #[test]
    fn timestamps_have_three_forms() {
        assert_eq!(timestamp(Timestamp::Milliseconds, NOON), "1795262523456");
        let iso = timestamp(Timestamp::Iso8601, NOON);
        assert_eq!(iso.len(), "2026-11-21T12:02:03.456+00:00".len());
        assert_eq!((&iso[..8], &iso[10..11], &iso[19..23]), ("2026-11-", "T", ".456"));
    }

    #[test]
    fn structured_lines_stay_in_one_piece() {
        let line = encode(&with(Format::Logfmt, Timestamp::Milliseconds), Level::Warning, "say \"hi\"\nplease", NOON);
        let pid = std::process::id();
        assert_eq!(
            line,
            format!("pid={pid} role=primary timestamp=\"1795262523456\" level=warning message=\"say 'hi' please\"\n")
        );
        let line =
            encode(&with(Format::Json, Timestamp::Milliseconds), Level::Verbose, "a\"b\\c\td\r\u{8}\u{c}\u{1}", NOON);
        assert!(line.ends_with("\"level\":\"info\",\"message\":\"a\\\"b\\\\c\\td\\r\\b\\f\\u0001\"}\n"), "{line}");
    }

    #[test]
    fn the_handlers_numbers_are_decimal() {
        let mut buf = [0; 20];
        assert_eq!(decimal(0, &mut buf), b"0");
        assert_eq!(decimal(u64::MAX, &mut buf), b"18446744073709551615");
    }
}
