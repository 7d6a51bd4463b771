//! One test from its first connection to its result.
//!
//! The workers are threads; the calling thread is the clock: it starts the measurement when all connections are made,
//! ends the warm-up, ends a test that is bound by time, and shows four times a second how far things are.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use client::os_text;
use hdrhistogram::Histogram;
use mio::{Poll, Waker};

use crate::latency::{Latencies, Summary};
use crate::options::{End, Format};
use crate::plan::Plan;
use crate::screen::Screen;
use crate::tally::{Phase, Tally};
use crate::worker::{WAKE, Worker};
use crate::{Failure, failure};

/// How often progress is shown.
const TICK: Duration = Duration::from_millis(250);

/// What a worker tells.
pub enum Report {
    /// All its connections are made.
    Ready,
    Over(Result<Latencies, Failure>),
}

/// What was measured.
#[derive(Debug)]
pub struct Outcome {
    pub requests: u64,
    pub elapsed: Duration,
    pub latencies: Latencies,
    /// Requests per second of each tick, when a rate was asked for.
    pub rates: Option<Summary>,
}

impl Outcome {
    pub fn requests_per_second(&self) -> f64 {
        self.requests as f64 / self.elapsed.as_secs_f64().max(1e-6)
    }
}

/// Runs a test. An idle one ends only by a failure.
pub fn measure(plan: &Plan<'_>, seed: u64, screen: &mut Screen) -> Result<Outcome, Failure> {
    let no_poll = |error| failure(format!("Error: {}", os_text(&error)));
    let (mut polls, mut wakers) = (Vec::new(), Vec::new());
    for _ in 0..plan.threads() {
        let poll = Poll::new().map_err(no_poll)?;
        wakers.push(Waker::new(poll.registry(), WAKE).map_err(no_poll)?);
        polls.push(poll);
    }
    let tally = Tally::new(plan.options, wakers);
    thread::scope(|scope| {
        let (sender, reports) = mpsc::channel();
        for (index, poll) in polls.into_iter().enumerate() {
            let (tally, sender) = (&tally, sender.clone());
            let body = move || {
                let worker = Worker::new(plan, tally, index, poll, seed.wrapping_add(index as u64));
                send_result(&sender, worker.run(&sender));
            };
            if let Err(error) = thread::Builder::new().name(format!("load-{index}")).spawn_scoped(scope, body) {
                tally.enter(Phase::Over);
                return Err(failure(format!("FATAL: Failed to start thread {index}: {}", os_text(&error))));
            }
        }
        Clock::new(plan, &tally).run(&reports, screen)
    })
}

fn send_result(sender: &Sender<Report>, result: Result<Latencies, Failure>) {
    // Nobody listens any more when the test has failed elsewhere.
    let _ = sender.send(Report::Over(result));
}

/// The calling thread's part.
struct Clock<'a> {
    plan: &'a Plan<'a>,
    tally: &'a Tally,
    /// When the phase began.
    start: Instant,
    next_tick: Instant,
    /// What the last tick saw.
    seen: Seen,
    rates: Option<Histogram<u64>>,
}

struct Seen {
    at: Instant,
    finished: u64,
    latency_us: u64,
}

impl<'a> Clock<'a> {
    fn new(plan: &'a Plan<'a>, tally: &'a Tally) -> Self {
        let now = Instant::now();
        let histogram = |rate: u64| Histogram::new_with_max(rate.saturating_mul(2).max(2), plan.options.precision).ok();
        Clock {
            plan,
            tally,
            start: now,
            next_tick: now + TICK,
            seen: Seen { at: now, finished: 0, latency_us: 0 },
            rates: plan.options.rate.and_then(histogram),
        }
    }

    fn run(mut self, reports: &Receiver<Report>, screen: &mut Screen) -> Result<Outcome, Failure> {
        let threads = self.plan.threads();
        let (mut ready, mut over) = (0, 0);
        let mut latencies = Latencies::new(self.plan.options.precision);
        let mut result = Ok(());
        while over < threads {
            match reports.recv_timeout(self.deadline().saturating_duration_since(Instant::now())) {
                Ok(Report::Ready) => {
                    ready += 1;
                    if ready == threads {
                        self.begin(if self.plan.options.warmup.is_zero() {
                            Phase::Measuring
                        } else {
                            Phase::WarmingUp
                        });
                    }
                }
                Ok(Report::Over(Ok(more))) => {
                    over += 1;
                    latencies.add(&more);
                }
                Ok(Report::Over(Err(failure))) => {
                    over += 1;
                    self.tally.enter(Phase::Over);
                    // The first is the cause of the others.
                    result = result.and(Err(failure));
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(failure) = self.tick(screen) {
                        self.tally.enter(Phase::Over);
                        result = result.and(Err(failure));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(failure("Error: a thread ended without a result")),
            }
        }
        result?;
        let ended = self.tally.ended().unwrap_or_else(Instant::now);
        Ok(Outcome {
            requests: self.tally.finished(),
            elapsed: ended.saturating_duration_since(self.start),
            latencies,
            rates: self.rates.filter(|rates| !rates.is_empty()).map(|rates| Summary {
                avg: rates.mean(),
                min: rates.min() as f64,
                p50: rates.value_at_percentile(50.0) as f64,
                p95: rates.value_at_percentile(95.0) as f64,
                p99: rates.value_at_percentile(99.0) as f64,
                max: rates.max() as f64,
            }),
        })
    }

    fn begin(&mut self, phase: Phase) {
        self.tally.enter(phase);
        self.start = Instant::now();
        self.next_tick = self.start + TICK;
        self.seen = Seen { at: self.start, finished: 0, latency_us: 0 };
    }

    /// When something has to be done even if nobody reports anything.
    fn deadline(&self) -> Instant {
        self.phase_end().map_or(self.next_tick, |end| end.min(self.next_tick))
    }

    fn phase_end(&self) -> Option<Instant> {
        match (self.tally.phase(), self.plan.options.end) {
            (Phase::WarmingUp, _) => Some(self.start + self.plan.options.warmup),
            (Phase::Measuring, End::After(duration)) => Some(self.start + duration),
            _ => None,
        }
    }

    fn tick(&mut self, screen: &mut Screen) -> Result<(), Failure> {
        let now = Instant::now();
        if self.phase_end().is_some_and(|end| now >= end) {
            match self.tally.phase() {
                Phase::WarmingUp => self.begin(Phase::Measuring),
                _ => self.tally.enter(Phase::Over),
            }
            return Ok(());
        }
        if now < self.next_tick {
            return Ok(());
        }
        self.next_tick = now + TICK;
        let phase = self.tally.phase();
        if self.tally.live() == 0 && phase != Phase::Over {
            return Err(failure("All clients disconnected... aborting."));
        }
        if self.plan.options.idle {
            return match phase {
                Phase::Connecting => Ok(()),
                _ => screen.progress(&format!("clients: {}", self.tally.live())),
            };
        }
        if phase == Phase::WarmingUp || phase == Phase::Measuring {
            self.show(now, phase, screen)?;
        }
        Ok(())
    }

    fn show(&mut self, now: Instant, phase: Phase, screen: &mut Screen) -> Result<(), Failure> {
        let (finished, latency_us) = (self.tally.finished(), self.tally.latency_us());
        let per = |count: u64, time: Duration| count as f64 / time.as_secs_f64().max(1e-6);
        let average_ms = |us: u64, count: u64| us as f64 / 1000.0 / count.max(1) as f64;
        let news = finished.saturating_sub(self.seen.finished);
        let rate = per(news, now - self.seen.at);
        let average = average_ms(latency_us.saturating_sub(self.seen.latency_us), news);
        self.seen = Seen { at: now, finished, latency_us };
        if let Some(rates) = &mut self.rates {
            rates.saturating_record(rate as u64);
        }
        if matches!(self.plan.options.format, Format::Csv | Format::Json) {
            return Ok(());
        }
        let elapsed = now - self.start;
        let is_timed = phase == Phase::WarmingUp || matches!(self.plan.options.end, End::After(_));
        let progress = match is_timed {
            true => format!("{:.1} seconds", elapsed.as_secs_f64()),
            false => format!("{finished} requests"),
        };
        screen.progress(&format!(
            "{}{}: rps={rate:.1} (overall: {:.1}) avg_msec={average:.3} (overall: {:.3}) {progress}",
            if phase == Phase::WarmingUp { "Warming up " } else { "" },
            self.plan.title,
            per(finished, elapsed),
            average_ms(latency_us, finished),
        ))
    }
}
