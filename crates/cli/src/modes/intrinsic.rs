//! `--intrinsic-latency`: how long this machine keeps a process that only computes from running.

use std::hint::black_box;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::interrupted;
use crate::failure::Failure;
use crate::screen;

pub fn run(seconds: u64) -> Result<(), Failure> {
    let stop = interrupted()?;
    let span = Duration::from_secs(seconds);
    let begin = Instant::now();
    let (mut runs, mut worst_us) = (0u64, 0u128);
    loop {
        let start = Instant::now();
        work();
        let took_us = start.elapsed().as_micros();
        runs += 1;
        if took_us > worst_us {
            worst_us = took_us;
            screen::print_line(&format!("Max latency so far: {worst_us} microseconds."))?;
        }
        if begin.elapsed() > span || stop.load(Ordering::Relaxed) {
            break;
        }
    }
    let average_us = begin.elapsed().as_secs_f64() * 1e6 / runs as f64;
    screen::print_line(&format!(
        "\n{runs} total runs (avg latency: {average_us:.4} microseconds / {:.2} nanoseconds per run).\n\
         Worst run took {:.0}x longer than the average latency.",
        average_us * 1e3,
        worst_us as f64 / average_us
    ))
}

/// Some tenths of a microsecond of work that no optimiser removes.
fn work() {
    let mut state = [0u8; 256];
    for i in 0..=255u8 {
        state[usize::from(i)] = i;
    }
    let mut j = 0u8;
    for i in 0..=255u8 {
        j = j.wrapping_add(state[usize::from(i)]).wrapping_add(i);
        state.swap(usize::from(i), usize::from(j));
    }
    black_box(state);
}
