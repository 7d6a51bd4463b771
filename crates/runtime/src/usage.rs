//! What the process has used, and what it runs on.

use std::ffi::CStr;

use libc::c_char;

/// Processor time, in microseconds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTime {
    /// In the kernel.
    pub system: u64,
    /// In the program.
    pub user: u64,
}

/// Whose time is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// All threads of this process.
    Process,
    /// Children that have ended.
    Children,
}

/// The processor time used so far.
pub fn cpu_time(whose: Whose) -> CpuTime {
    let who = match whose {
        Whose::Process => libc::RUSAGE_SELF,
        Whose::Children => libc::RUSAGE_CHILDREN,
    };
    // SAFETY: all bytes zero is a valid value of this plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a structure that may be written.
    if unsafe { libc::getrusage(who, &raw mut usage) } != 0 {
        return CpuTime::default();
    }
    let micros = |t: libc::timeval| t.tv_sec as u64 * 1_000_000 + t.tv_usec as u64;
    CpuTime { system: micros(usage.ru_stime), user: micros(usage.ru_utime) }
}

/// The operating system as `INFO` names it: name, release, machine.
pub fn system_name() -> String {
    // SAFETY: all bytes zero is a valid value of this plain structure.
    let mut name: libc::utsname = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a structure that may be written.
    if unsafe { libc::uname(&raw mut name) } != 0 {
        return String::new();
    }
    let text = |field: &[c_char]| {
        // SAFETY: the system ends each field with a zero byte, and the structure was zero before.
        unsafe { CStr::from_ptr(field.as_ptr()) }.to_string_lossy().into_owned()
    };
    format!("{} {} {}", text(&name.sysname), text(&name.release), text(&name.machine))
}

/// The memory of this machine, in bytes; 0 when it cannot be told.
pub fn system_memory() -> u64 {
    // SAFETY: takes a number, touches no memory of ours.
    let (pages, size) = unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    pages.max(0) as u64 * size.max(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_used_and_names_are_known() {
        let mut sum = 0u64;
        while cpu_time(Whose::Process) == CpuTime::default() {
            sum = (0..100_000u64).fold(sum, |sum, n| std::hint::black_box(sum ^ n));
        }
        assert_eq!(system_name().split(' ').count(), 3);
        assert!(system_memory() > 1 << 20);
    }
}
