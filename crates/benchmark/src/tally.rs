//! What the threads of one test share: how far it has come, and when it is over.
//!
//! ```text
//!   Connecting ──all are──► WarmingUp ──its time──► Measuring ──replies or time──► Over
//! ```
//!
//! All counters are relaxed atomics, touched once for each read or send of a whole pipeline. The bound on requests is
//! kept when they are sent, so that not more arrive than were asked for; a pipeline is never cut.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mio::Waker;

use crate::limit::Limiter;
use crate::options::{End, Options};
use crate::placeholder::Counters;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Phase {
    Connecting,
    WarmingUp,
    Measuring,
    Over,
}

#[derive(Debug)]
pub struct Tally {
    phase: AtomicU8,
    /// How many requests there shall be.
    bound: Option<u64>,
    issued: AtomicU64,
    finished: AtomicU64,
    /// The sum of all latencies so far.
    latency_us: AtomicU64,
    live: AtomicU64,
    limiter: Option<Limiter>,
    /// Times of the limiter count from here.
    base: Instant,
    pub counters: Option<Counters>,
    ended: OnceLock<Instant>,
    wakers: Vec<Waker>,
}

impl Tally {
    pub fn new(options: &Options, wakers: Vec<Waker>) -> Self {
        Tally {
            phase: AtomicU8::new(Phase::Connecting as u8),
            bound: match options.end {
                End::Requests(requests) => Some(requests),
                End::After(_) => None,
            },
            issued: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            latency_us: AtomicU64::new(0),
            live: AtomicU64::new(options.clients as u64),
            limiter: options.rate.map(Limiter::new),
            base: Instant::now(),
            counters: options.sequential.then(Counters::default),
            ended: OnceLock::new(),
            wakers,
        }
    }

    #[inline]
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            0 => Phase::Connecting,
            1 => Phase::WarmingUp,
            2 => Phase::Measuring,
            _ => Phase::Over,
        }
    }

    /// Goes on to another phase and wakes everyone. What was counted so far is forgotten, except at the end.
    pub fn enter(&self, phase: Phase) {
        if phase == Phase::Over {
            // Who comes first sets the time.
            let _ = self.ended.set(Instant::now());
        } else {
            self.issued.store(0, Ordering::Relaxed);
            self.finished.store(0, Ordering::Relaxed);
            self.latency_us.store(0, Ordering::Relaxed);
        }
        self.phase.fetch_max(phase as u8, Ordering::Release);
        for waker in &self.wakers {
            // A thread that has ended needs no waking.
            let _ = waker.wake();
        }
    }

    /// When it was over.
    pub fn ended(&self) -> Option<Instant> {
        self.ended.get().copied()
    }

    /// Whether so many requests may be sent now; else how long to wait before asking again.
    pub fn admit(&self, requests: u32) -> Result<(), Duration> {
        match &self.limiter {
            None => Ok(()),
            Some(limiter) => limiter.take(self.base.elapsed().as_nanos() as u64, requests),
        }
    }

    /// Counts requests that are about to be sent; false when there were enough before.
    #[inline]
    pub fn issue(&self, requests: u32) -> bool {
        let before = self.issued.fetch_add(u64::from(requests), Ordering::Relaxed);
        self.bound.is_none_or(|bound| before < bound || self.phase() == Phase::WarmingUp)
    }

    /// Counts replies. The result is how many of them belong into the results.
    #[inline]
    pub fn finish(&self, replies: u32, latency_us: u64) -> u64 {
        let replies = u64::from(replies);
        let before = self.finished.fetch_add(replies, Ordering::Relaxed);
        self.latency_us.fetch_add(latency_us.saturating_mul(replies), Ordering::Relaxed);
        match self.phase() {
            Phase::Measuring => self.bound.map_or(replies, |bound| bound.saturating_sub(before).min(replies)),
            _ => 0,
        }
    }

    /// Whether all replies that were asked for have come.
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.phase() == Phase::Measuring && self.bound.is_some_and(|bound| self.finished() >= bound)
    }

    pub fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    pub fn latency_us(&self) -> u64 {
        self.latency_us.load(Ordering::Relaxed)
    }

    /// A connection is gone for good.
    pub fn lose_client(&self) {
        self.live.fetch_sub(1, Ordering::Relaxed);
    }

    pub fn live(&self) -> u64 {
        self.live.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(requests: u64) -> Tally {
        Tally::new(&Options { end: End::Requests(requests), ..Options::default() }, Vec::new())
    }

    #[test]
    fn not_more_is_sent_than_was_asked_for_by_a_pipeline() {
        let tally = tally(10);
        tally.enter(Phase::Measuring);
        assert!(tally.issue(8) && tally.issue(8) && !tally.issue(8));
        assert_eq!((tally.finish(8, 100), tally.is_complete()), (8, false));
        assert_eq!((tally.finish(8, 100), tally.is_complete()), (2, true));
        assert_eq!((tally.finished(), tally.latency_us()), (16, 1600));
    }

    #[test]
    fn warming_up_has_no_bound_and_leaves_no_trace() {
        let tally = tally(3);
        tally.enter(Phase::WarmingUp);
        for _ in 0..10 {
            assert!(tally.issue(1));
            assert_eq!(tally.finish(1, 5), 0);
        }
        assert!(!tally.is_complete());
        tally.enter(Phase::Measuring);
        assert_eq!((tally.finished(), tally.latency_us(), tally.issue(1)), (0, 0, true));
    }

    #[test]
    fn the_first_end_counts_and_nothing_comes_after_it() {
        let tally = tally(1);
        tally.enter(Phase::Over);
        let ended = tally.ended();
        assert!(ended.is_some());
        tally.enter(Phase::Over);
        tally.enter(Phase::Measuring);
        assert_eq!((tally.ended(), tally.phase()), (ended, Phase::Over));
    }
}
