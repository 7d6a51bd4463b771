//! Open files: how many clients the system lets us have.

use std::io;

use resp::log_text::process;

use crate::errno;
use crate::log::Level;

/// Descriptors that the server needs for itself: listeners, files, links.
pub const RESERVED: u64 = 32;

/// What [`adjust`] has come to.
#[derive(Debug, PartialEq, Eq)]
pub struct Adjusted {
    /// How many clients there can be; `None`: not even one, the start has to end.
    pub maxclients: Option<u64>,
    /// What the log is told.
    pub lines: Vec<(Level, String)>,
}

/// Raises the limit of open files so that `maxclients` clients fit, or says how many fit.
pub fn adjust(maxclients: u64) -> Adjusted {
    adjust_with(maxclients, get(), set)
}

fn get() -> io::Result<libc::rlimit> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointer is to a limit that may be written.
    errno::check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    Ok(limit)
}

fn set(limit: libc::rlimit) -> io::Result<()> {
    // SAFETY: the pointer is to a limit that may be read.
    errno::check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    Ok(())
}

fn adjust_with(
    maxclients: u64,
    limit: io::Result<libc::rlimit>,
    mut set: impl FnMut(libc::rlimit) -> io::Result<()>,
) -> Adjusted {
    let needed = maxclients + RESERVED;
    let old = match limit {
        Ok(limit) => limit,
        Err(e) => {
            let lines = vec![(Level::Warning, process::nofile_unknown(&errno::text(&e)))];
            return Adjusted { maxclients: Some(1024 - RESERVED), lines };
        }
    };
    let current = old.rlim_cur;
    if current >= needed {
        return Adjusted { maxclients: Some(maxclients), lines: Vec::new() };
    }
    // What the hard limit allows costs one call. Beyond it a privileged process may go all the way.
    let mut best = current;
    let mut reason = String::new();
    for (soft, hard) in [(needed, old.rlim_max.max(needed)), (old.rlim_max.min(needed), old.rlim_max)] {
        match set(libc::rlimit { rlim_cur: soft, rlim_max: hard }) {
            Ok(()) => {
                best = best.max(soft);
                break;
            }
            Err(e) => reason = errno::text(&e),
        }
    }
    if best >= needed {
        return Adjusted {
            maxclients: Some(maxclients),
            lines: vec![(Level::Notice, process::nofile_raised(needed, current))],
        };
    }
    if best <= RESERVED {
        let lines = vec![(Level::Warning, process::nofile_too_low(current, needed))];
        return Adjusted { maxclients: None, lines };
    }
    let fits = best - RESERVED;
    let lines = process::nofile_reduced(maxclients, needed, &reason, best, fits);
    Adjusted { maxclients: Some(fits), lines: lines.into_iter().map(|l| (Level::Warning, l)).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(soft: u64, hard: u64) -> io::Result<libc::rlimit> {
        Ok(libc::rlimit { rlim_cur: soft, rlim_max: hard })
    }

    /// A system that lets an unprivileged process go up to its hard limit.
    fn unprivileged(hard: u64) -> impl FnMut(libc::rlimit) -> io::Result<()> {
        move |l| if l.rlim_max > hard { Err(io::Error::from_raw_os_error(libc::EPERM)) } else { Ok(()) }
    }

    #[test]
    fn enough_is_left_alone() {
        let got = adjust_with(100, limit(1024, 1024), |_| panic!("nothing to set"));
        assert_eq!(got, Adjusted { maxclients: Some(100), lines: Vec::new() });
    }

    #[test]
    fn the_limit_is_raised_where_that_is_allowed() {
        let got = adjust_with(10_000, limit(1024, 20_000), unprivileged(20_000));
        assert_eq!(got.maxclients, Some(10_000));
        let text = "Increased maximum number of open files to 10032 (it was originally set to 1024).";
        assert_eq!(got.lines, [(Level::Notice, text.to_owned())]);
    }

    #[test]
    fn clients_are_reduced_to_what_fits() {
        let got = adjust_with(10_000, limit(1024, 4096), unprivileged(4096));
        assert_eq!(got.maxclients, Some(4064));
        assert_eq!(got.lines.len(), 3);
        assert_eq!(
            got.lines[1].1,
            "Server can't set maximum open files to 10032 because of OS error: Operation not permitted."
        );
        assert!(got.lines[2].1.starts_with("Current maximum open files is 4096. maxclients has been reduced to 4064"));
    }

    #[test]
    fn too_few_end_the_start() {
        let got = adjust_with(10_000, limit(20, 30), unprivileged(30));
        assert_eq!(got.maxclients, None);
        assert!(got.lines[0].1.starts_with("Your current 'ulimit -n' of 20 is not enough"));
    }
}
