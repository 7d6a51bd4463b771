//! `--latency-dist`: round trips as a spectrum: one column for each span of time, brighter for more of them.
//!
//! The scale is logarithmic with steps of a millisecond between 1 and 10. The characters name the columns; the colours
//! say which share of the PINGs of one line fell into each.

use std::thread;
use std::time::{Duration, Instant};

use super::call_persistently;
use crate::failure::Failure;
use crate::screen;
use crate::session::Session;

const PAUSE: Duration = Duration::from_millis(10);
const DEFAULT_SPAN: Duration = Duration::from_secs(1);
/// Lines between two legends.
const LEGEND_EVERY: u64 = 20;

/// Colours of the 256 from nothing to everything.
const COLOURS: &[u8] = &[0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 144, 143, 142, 184, 226, 214, 208, 202, 196];
const GREYS: &[u8] = &[0, 233, 234, 235, 237, 239, 241, 243, 245, 247, 249, 251, 253];

/// What a column is called, and the longest time in microseconds that falls into it.
const COLUMNS: [(char, u128); 31] = [
    ('.', 10),
    ('-', 125),
    ('*', 250),
    ('#', 500),
    ('1', 1_000),
    ('2', 2_000),
    ('3', 3_000),
    ('4', 4_000),
    ('5', 5_000),
    ('6', 6_000),
    ('7', 7_000),
    ('8', 8_000),
    ('9', 9_000),
    ('A', 10_000),
    ('B', 20_000),
    ('C', 30_000),
    ('D', 40_000),
    ('E', 50_000),
    ('F', 100_000),
    ('G', 200_000),
    ('H', 300_000),
    ('I', 400_000),
    ('J', 500_000),
    ('K', 1_000_000),
    ('L', 2_000_000),
    ('M', 4_000_000),
    ('N', 8_000_000),
    ('O', 16_000_000),
    ('P', 30_000_000),
    ('Q', 60_000_000),
    ('?', u128::MAX),
];

pub fn run(session: &mut Session, mono: bool) -> Result<(), Failure> {
    let palette = if mono { GREYS } else { COLOURS };
    let given = session.options.interval;
    let span = if given.is_zero() { DEFAULT_SPAN } else { given };
    for turn in 0.. {
        let mut counts = [0; COLUMNS.len()];
        let begin = Instant::now();
        while begin.elapsed() <= span {
            let sent = Instant::now();
            call_persistently(session, &["PING"])?;
            let took = sent.elapsed().as_micros();
            counts[COLUMNS.partition_point(|(_, most)| *most < took)] += 1;
            thread::sleep(PAUSE);
        }
        if turn % LEGEND_EVERY == 0 {
            screen::print(legend(palette).as_bytes())?;
        }
        screen::print(line(&counts, palette).as_bytes())?;
    }
    Ok(())
}

fn legend(palette: &[u8]) -> String {
    let rule = "-".repeat(45);
    let shades: String = palette.iter().map(|colour| format!("\x1b[48;5;{colour}m ")).collect();
    format!(
        "{rule}\n\
         . - * #          .01 .125 .25 .5 milliseconds\n\
         1,2,3,...,9      from 1 to 9     milliseconds\n\
         A,B,C,D,E        10,20,30,40,50  milliseconds\n\
         F,G,H,I,J        .1,.2,.3,.4,.5       seconds\n\
         K,L,M,N,O,P,Q,?  1,2,4,8,16,30,60,>60 seconds\n\
         From 0 to 100%: {shades}\x1b[0m\n{rule}\n"
    )
}

fn line(counts: &[u64; COLUMNS.len()], palette: &[u8]) -> String {
    let total = counts.iter().sum::<u64>().max(1);
    let brightest = palette.len() as u64 - 1;
    let cells = COLUMNS.iter().zip(counts).map(|((name, _), count)| {
        let colour = palette[(count * brightest).div_ceil(total) as usize];
        format!("\x1b[48;5;{colour}m{name}")
    });
    format!("\x1b[38;5;0m{}\x1b[0m\n", cells.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_more_the_brighter() {
        let mut counts = [0; COLUMNS.len()];
        counts[1] = 3;
        counts[30] = 1;
        let text = line(&counts, GREYS);
        assert!(text.starts_with("\x1b[38;5;0m\x1b[48;5;0m.\x1b[48;5;247m-\x1b[48;5;0m*"), "{text:?}");
        assert!(text.ends_with("\x1b[48;5;235m?\x1b[0m\n"), "{text:?}");
        let slots = [0, 10, 11, 1_000, 60_000_001].map(|us| COLUMNS.partition_point(|(_, most)| *most < us));
        assert_eq!(slots, [0, 0, 1, 4, 30]);
    }
}
