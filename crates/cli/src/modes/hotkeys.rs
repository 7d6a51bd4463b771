//! `--hotkeys`: the keys in most use, by the counters that an LFU policy keeps.

use client::Value;

use super::{Walk, allow_reads_from_replica, ask_all, db_size, percent, quoted};
use crate::failure::{Failure, fatal};
use crate::live::{self, Live};
use crate::screen;
use crate::screen::complain;
use crate::session::Session;
use crate::vocabulary::Vocabulary;

pub fn run(session: &mut Session, count: usize) -> Result<(), Failure> {
    let total = db_size(session)?.max(0) as u64;
    screen::print(
        b"\n# Scanning the entire keyspace to find hot keys as well as\n\
          # average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec\n\
          # per 100 SCAN commands (not usually needed).\n\n",
    )?;
    allow_reads_from_replica(session)?;
    let Vocabulary { key_quote: quote, summary, .. } = session.vocabulary;
    let mut live = Live::open();
    let mut sampled = 0u64;
    // The hottest first.
    let mut hottest: Vec<(i64, String)> = Vec::new();
    let mut walk = Walk::new()?;
    while let Some(keys) = walk.next(session)? {
        let done = percent(sampled, total);
        let commands: Vec<_> = keys.iter().map(|key| vec![b"OBJECT".to_vec(), b"FREQ".to_vec(), key.clone()]).collect();
        for (key, reply) in keys.iter().zip(ask_all(session, &commands)?) {
            sampled += 1;
            let frequency = match reply {
                Value::Integer(n) => n,
                Value::Error(text) => return Err(fatal(format_args!("Error: {}", String::from_utf8_lossy(&text)))),
                _ => {
                    complain!("Warning: OBJECT freq on '{}' failed (may have been deleted)", quoted(key));
                    0
                }
            };
            let rank = hottest.partition_point(|(other, _)| *other >= frequency);
            if frequency > 0 && rank < count {
                let key = quoted(key);
                if !live.is_on() {
                    screen::print_line(&format!(
                        "{done} Hot key {quote}{key}{quote} found so far with counter {frequency}"
                    ))?;
                }
                hottest.insert(rank, (frequency, key));
                hottest.truncate(count);
            }
        }
        live.draw(|| {
            let mut lines = vec![live::bar(sampled, total), format!("Keys sampled: {sampled}"), String::new()];
            lines.extend(hottest.iter().map(hot));
            lines
        })?;
        walk.rest(session);
    }
    live.close()?;
    let stopped = walk.share_if_interrupted(sampled, total);
    screen::print_line(&format!("\n{summary}\n\n{stopped}Sampled {sampled} keys in the keyspace!"))?;
    hottest.iter().try_for_each(|key| screen::print_line(&hot(key)))
}

fn hot((frequency, key): &(i64, String)) -> String {
    format!("hot key found with counter: {frequency}\tkeyname: {key}")
}
