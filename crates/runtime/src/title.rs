//! The process title: what `ps` shows, `redis-server 127.0.0.1:6379`.
//!
//! ```text
//!   argv[0]\0argv[1]\0…\0PATH=…\0HOME=…\0      the kernel shows this memory as the command line
//!   └──────── overwritten with the title ──┘
//! ```
//!
//! The memory is the process's own argument and environment area, so both are moved elsewhere first; what points to them
//! is redirected, and `std::env` goes on working.

/// What the variables of `proc-title-template` stand for.
#[derive(Clone, Debug, Default)]
pub struct Variables<'a> {
    /// `{title}`: the program's name as it was started, or what was given in its place.
    pub title: &'a str,
    /// `{listen-addr}`: address and port, `*:6379`, or the Unix socket.
    pub listen_addr: &'a str,
    /// `{server-mode}`: ` [cluster]`, ` [sentinel]` or nothing.
    pub server_mode: &'a str,
    /// `{port}`
    pub port: u16,
    /// `{tls-port}`
    pub tls_port: u16,
    /// `{unixsocket}`
    pub unixsocket: &'a str,
    /// `{config-file}`
    pub config_file: &'a str,
}

/// A title from its template; `None` when the template names an unknown variable, has an open brace, or comes to nothing.
pub fn expand(template: &str, variables: &Variables<'_>) -> Option<String> {
    template::expand(template, variables).filter(|title| !title.is_empty())
}

/// Makes the title changeable. To be called once, first thing in `main`, before any thread is started.
pub fn init() {
    area::init();
}

/// Changes the title; without [`init`], and on systems without such an area, nothing happens.
pub fn set(title: &str) {
    area::set(title);
}

mod template {
    //! The template's little language.

    use super::Variables;

    pub(super) fn expand(template: &str, v: &Variables<'_>) -> Option<String> {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find('{') {
            out.push_str(&rest[..at]);
            rest = &rest[at + 1..];
            // A doubled brace is a brace.
            if let Some(after) = rest.strip_prefix('{') {
                out.push('{');
                rest = after;
                continue;
            }
            let (name, after) = rest.split_once('}')?;
            match name {
                "title" => out.push_str(v.title),
                "listen-addr" => out.push_str(v.listen_addr),
                "server-mode" => out.push_str(v.server_mode),
                "port" => out.push_str(&v.port.to_string()),
                "tls-port" => out.push_str(&v.tls_port.to_string()),
                "unixsocket" => out.push_str(v.unixsocket),
                "config-file" => out.push_str(v.config_file),
                _ => return None,
            }
            rest = after;
        }
        out.push_str(rest);
        Some(out.trim_matches(' ').to_owned())
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
mod area {
    use std::ffi::{CStr, c_char, c_int};
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};

    use parking_lot::Mutex;

    static ARGV: AtomicPtr<*mut c_char> = AtomicPtr::new(std::ptr::null_mut());
    static ARGC: AtomicUsize = AtomicUsize::new(0);
    static AREA: Mutex<Option<Area>> = Mutex::new(None);

    struct Area {
        start: *mut u8,
        len: usize,
    }

    // SAFETY: the memory belongs to the process for its whole life, and is written under the mutex only.
    unsafe impl Send for Area {}

    unsafe extern "C" {
        static mut environ: *mut *mut c_char;
    }

    extern "C" fn remember(argc: c_int, argv: *mut *mut c_char, _envp: *mut *mut c_char) {
        ARGC.store(argc.max(0) as usize, Ordering::Relaxed);
        ARGV.store(argv, Ordering::Release);
    }

    // The C library calls the functions in this section with main's arguments before main.
    #[used]
    // SAFETY: the section holds pointers to functions of this type, and this is one.
    #[unsafe(link_section = ".init_array")]
    static REMEMBER: extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char) = remember;

    pub(super) fn init() {
        let mut area = AREA.lock();
        let argv = ARGV.load(Ordering::Acquire);
        if area.is_some() || argv.is_null() || ARGC.load(Ordering::Relaxed) == 0 {
            return;
        }
        // SAFETY: argv has `argc` pointers to C strings and then a null.
        let start = unsafe { *argv }.cast::<u8>();
        let mut end = start;
        // SAFETY: argv is an array of pointers to C strings that ends with a null, and may be written.
        unsafe { move_strings(argv, &mut end) };
        // SAFETY: there is one thread, so nobody else looks at the environment meanwhile.
        let env = unsafe { environ };
        if !env.is_null() {
            // SAFETY: as argv.
            unsafe { move_strings(env, &mut end) };
        }
        let len = end as usize - start as usize;
        if len > 1 {
            *area = Some(Area { start, len });
        }
    }

    /// Copies the strings of an array elsewhere, redirects the array, and moves `end` over those that lie one behind the
    /// other from `end` on.
    ///
    /// # Safety
    /// The array holds pointers to C strings, ends with a null, and nobody else uses it.
    unsafe fn move_strings(array: *mut *mut c_char, end: &mut *mut u8) {
        for i in 0.. {
            // SAFETY: the null at the end has not been passed.
            let slot = unsafe { array.add(i) };
            // SAFETY: the slot is part of the array.
            let old = unsafe { *slot };
            if old.is_null() {
                return;
            }
            // SAFETY: not null, so it is a C string.
            let text = unsafe { CStr::from_ptr(old) };
            if old.cast::<u8>() == *end {
                // SAFETY: the string and its zero byte are one piece of memory; one past it may be pointed to.
                *end = unsafe { end.add(text.count_bytes() + 1) };
            }
            let copy = text.to_owned().into_raw();
            // SAFETY: the slot may be written; the copy lives for ever.
            unsafe { *slot = copy };
        }
    }

    pub(super) fn set(title: &str) {
        let area = AREA.lock();
        let Some(area) = &*area else { return };
        let n = title.len().min(area.len - 1);
        // SAFETY: the area is writable for its length, is not referred to by any Rust value, and the mutex is held.
        unsafe { area.start.write_bytes(0, area.len) };
        // SAFETY: as above, and `n` is less than the length.
        unsafe { area.start.copy_from_nonoverlapping(title.as_ptr(), n) };
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
mod area {
    pub(super) fn init() {}
    pub(super) fn set(_title: &str) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_in() {
        let v = Variables { title: "redis-server", listen_addr: "*:6379", port: 6379, ..Variables::default() };
        let expand = |t| super::expand(t, &v);
        assert_eq!(expand("{title} {listen-addr} {server-mode}").as_deref(), Some("redis-server *:6379"));
        assert_eq!(expand("x{{y} {port}").as_deref(), Some("x{y} 6379"));
        assert_eq!(expand("{unknown}"), None);
        assert_eq!(expand("{title"), None);
        assert_eq!(expand("{server-mode}"), None);
    }
}
