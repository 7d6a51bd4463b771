//! `--stat`: a line every second about what the server does.

use std::thread;
use std::time::Duration;

use super::{call_persistently, human_bytes};
use crate::failure::{Failure, fatal};
use crate::screen;
use crate::session::Session;
use arguments::number::leading_int;

const HEADER: &str = "------- data ------ --------------------- load -------------------- - child -\n\
                      keys       mem      clients blocked requests            connections          ";
/// Lines between two headers.
const HEADER_EVERY: u64 = 20;

pub fn run(session: &mut Session) -> Result<(), Failure> {
    let pause = match session.options.interval {
        Duration::ZERO => Duration::from_secs(1),
        given => given,
    };
    let mut requests_before = None;
    for turn in 0.. {
        let reply = call_persistently(session, &["INFO"])?;
        if let Some(text) = reply.as_error() {
            return Err(fatal(format_args!("ERROR: {}", String::from_utf8_lossy(text))));
        }
        let info = String::from_utf8_lossy(reply.as_bytes().unwrap_or_default()).into_owned();
        if turn % HEADER_EVERY == 0 {
            screen::print_line(HEADER)?;
        }
        screen::print_line(&line(&info, &mut requests_before))?;
        thread::sleep(pause);
    }
    Ok(())
}

fn line(info: &str, requests_before: &mut Option<i64>) -> String {
    let field = |name: &str| {
        let value = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        leading_int(value.unwrap_or_default().as_bytes())
    };
    let keys: i64 = info
        .lines()
        .filter(|line| line.starts_with("db"))
        .filter_map(|line| line.split_once(":keys="))
        .map(|(_, count)| leading_int(count.as_bytes()))
        .sum();
    let requests = field("total_commands_processed");
    let more = requests - requests_before.replace(requests).unwrap_or(requests);
    let child = match (field("rdb_bgsave_in_progress"), field("aof_rewrite_in_progress"), field("loading")) {
        (0, 0, 0) => "",
        (0, 0, _) => "LOAD",
        (_, 0, _) => "SAVE",
        (0, _, _) => "AOF",
        _ => "SAVE+AOF",
    };
    format!(
        "{keys:<11}{:<8} {:<8}{:<8}{:<19} {:<12}{child}",
        human_bytes(field("used_memory")),
        field("connected_clients"),
        field("blocked_clients"),
        format!("{requests} (+{more})"),
        field("total_connections_received"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn info_becomes_a_line() {
        let info = "used_memory:1048576\r\nused_memory_rss:5\r\nconnected_clients:3\r\nblocked_clients:1\r\n\
                    total_commands_processed:100\r\ntotal_connections_received:7\r\nrdb_bgsave_in_progress:1\r\n\
                    db0:keys=10,expires=0\r\ndb3:keys=5,expires=1\r\n";
        let mut before = None;
        let first = line(info, &mut before);
        assert_eq!(first, "15         1.00M    3       1       100 (+0)            7           SAVE");
        let later = info.replace("processed:100", "processed:150");
        assert!(line(&later, &mut before).contains("150 (+50)"));
    }

    #[test]
    fn sizes_are_shortened() {
        for (n, expect) in [(0, "0B"), (1023, "1023B"), (1536, "1.50K"), (1 << 31, "2.00G"), (1 << 41, "2048.00G")] {
            assert_eq!(human_bytes(n), expect);
        }
    }
}
