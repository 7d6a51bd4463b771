//! How many threads run commands.
//!
//! `threads N` is the number of loops, each of which reads, executes and writes for its own connections. 0, the
//! default, asks the operating system how many cores we may use. Files written for the peers say `io-threads N`
//! instead: it means the same as long as `threads` is not given. The peers' other thread settings tune a design
//! in which one thread executes and others copy; here there is nothing to tune.
//!
//! Both can be changed at run time and are then written by `CONFIG REWRITE`; the next start uses them.

use super::INT_MAX;
use crate::kind::{YES_NO, int, optional_int};

section! {
    /// Threads.
    Threads in threads;

    /// Threads that serve clients; 0 takes as many as there are cores for us.
    threads: u32 = 0 => "threads", int(0, 1024);
    /// The same in the peers' words; counts only while `threads` is 0. Shown as 1 when absent, as the peers do.
    io_threads: Option<u32> = None => "io-threads", optional_int(1, 256, 1);
    /// Read in those threads as well.
    io_threads_do_reads: bool = false => "io-threads-do-reads", YES_NO, accepted ALL_THREADS;
    /// Keep all threads awake.
    io_threads_always_active: bool = false => "io-threads-always-active", YES_NO, [hidden], accepted ALL_THREADS;
    /// Threads from which on replies are sent without copying.
    min_io_threads_avoid_copy_reply: u32 = 7 => "min-io-threads-avoid-copy-reply", int(0, INT_MAX), [hidden],
        accepted NO_COPY;
    /// Size in bytes from which on a reply is sent without copying.
    min_string_size_avoid_copy_reply: u32 = 16384 => "min-string-size-avoid-copy-reply", int(0, INT_MAX), [hidden],
        accepted NO_COPY;
    /// The same with several threads.
    min_string_size_avoid_copy_reply_threaded: u32 = 65536 => "min-string-size-avoid-copy-reply-threaded",
        int(0, INT_MAX), [hidden], accepted NO_COPY;
    /// Requests of a pipeline that are understood, and whose keys are fetched into the cache, before the first of them runs.
    prefetch_batch_max_size: u32 = 16 => "prefetch-batch-max-size", int(0, 128);
}

const ALL_THREADS: &str = "Every thread reads, executes and writes for its own clients.";
const NO_COPY: &str = "Whether a reply is copied or referenced follows from its size alone.";

impl Threads {
    /// How many threads to start, `cores` being those that the operating system lets us use. At least 1.
    pub fn count(&self, cores: u32) -> u32 {
        let given = if self.threads == 0 { self.io_threads.unwrap_or(0) } else { self.threads };
        if given == 0 { cores.max(1) } else { given }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_wins_over_io_threads_which_wins_over_the_cores() {
        let given = |threads, io_threads| Threads { threads, io_threads, ..Threads::default() }.count(8);
        assert_eq!(given(0, None), 8);
        assert_eq!(given(0, Some(1)), 1);
        assert_eq!(given(0, Some(4)), 4);
        assert_eq!(given(3, Some(4)), 3);
        assert_eq!(given(3, None), 3);
        assert_eq!(Threads::default().count(0), 1);
    }
}
