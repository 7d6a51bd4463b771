//! Every flag besides those of all tools, in the order of the help.

use std::fmt::Display;
use std::time::Duration;

use arguments::Action::{Help, Switch, Value, Version};
use arguments::Flag;

use super::Draft;
use crate::options::{Format, FuzzLevel, ReadFrom};

const MAX_PAYLOAD: i64 = 1 << 30;
const MAX_THREADS: i64 = 500;
const MAX_CLIENTS: i64 = 1_000_000;
const MAX_PRECISION: i64 = 4;

pub const FLAGS: &[Flag<Draft>] = &[
    Flag::new(
        &["-c"],
        Some("<clients>"),
        "Parallel connections (default 50). With --cluster at least one for each node.",
        Value(|draft, value| {
            draft.options.clients = number("-c", value)?.clamp(1, MAX_CLIENTS) as usize;
            Ok(())
        }),
    ),
    Flag::new(
        &["-n"],
        Some("<requests>"),
        "Requests of each test, over all connections (default 100000).",
        Value(|draft, value| {
            draft.requests = Some(number("-n", value)?.max(0) as u64);
            Ok(())
        }),
    ),
    Flag::new(
        &["--duration"],
        Some("<seconds>"),
        "Run each test for that long, instead of -n; 0 is no limit in time.",
        Value(|draft, value| {
            draft.seconds = u64::try_from(number("--duration", value)?).ok().filter(|&seconds| seconds > 0);
            Ok(())
        }),
    ),
    Flag::new(
        &["--warmup"],
        Some("<seconds>"),
        "Run each test for that long before anything is recorded.",
        Value(|draft, value| {
            draft.options.warmup = Duration::from_secs(number("--warmup", value)?.max(0) as u64);
            Ok(())
        }),
    ),
    Flag::new(
        &["-d"],
        Some("<size>"),
        "Bytes of a value (default 3).",
        Value(|draft, value| {
            draft.options.size = number("-d", value)?.clamp(1, MAX_PAYLOAD) as usize;
            Ok(())
        }),
    ),
    Flag::new(
        &["--dbnum"],
        Some("<db>"),
        "Database to select (default 0).",
        Value(|draft, value| {
            draft.options.server.db = number("--dbnum", value)?;
            Ok(())
        }),
    ),
    Flag::new(&["-3"], None, "Speak RESP3.", Switch(|draft| draft.options.resp3 = true)),
    Flag::new(
        &["--threads"],
        Some("<count>"),
        "Threads that share the connections.",
        Value(|draft, value| {
            let threads = number("--threads", value)?;
            if threads > MAX_THREADS {
                draft.warnings.push(format!("WARNING: Too many threads, limiting threads to {MAX_THREADS}."));
            }
            draft.options.threads = threads.clamp(0, MAX_THREADS) as usize;
            Ok(())
        }),
    ),
    Flag::new(
        &["--cluster"],
        None,
        "The server is a node of a cluster: spread the load over all nodes. Keys of a command given here must \
               contain {tag}.",
        Switch(|draft| draft.options.cluster = true),
    ),
    Flag::new(
        &["--rfr"],
        Some("<mode>"),
        "With --cluster, which nodes are asked: primaries only (no, the default), replicas only (yes), or all \
               of them (all). Replicas take no writes.",
        Value(|draft, value| {
            draft.options.read_from = match value {
                b"no" => ReadFrom::Primaries,
                b"yes" => ReadFrom::Replicas,
                b"all" => ReadFrom::All,
                _ => return Err(invalid("--rfr", value, "one of no, yes, all")),
            };
            Ok(())
        }),
    ),
    Flag::new(
        &["--enable-tracking"],
        None,
        "Send CLIENT TRACKING on first on each connection.",
        Switch(|draft| draft.options.tracking = true),
    ),
    Flag::new(
        &["-k"],
        Some("<0|1>"),
        "1 keeps connections (default), 0 makes a new one for each request.",
        Value(|draft, value| {
            draft.options.keep_alive = number("-k", value)? != 0;
            Ok(())
        }),
    ),
    Flag::new(
        &["-r"],
        Some("<size>"),
        "Put numbers from 0 to size - 1 in the place of placeholders; without it all requests of a test use the \
               same key.",
        Value(|draft, value| {
            draft.options.space = Some(number("-r", value)?.max(0) as u64);
            Ok(())
        }),
    ),
    Flag::new(
        &["--sequential"],
        None,
        "With -r: count instead of drawing numbers; each placeholder counts for itself.",
        Switch(|draft| draft.options.sequential = true),
    ),
    Flag::new(
        &["-P"],
        Some("<requests>"),
        "Send that many requests before waiting for replies (default 1). Several commands count as one request.",
        Value(|draft, value| {
            draft.options.pipeline = number("-P", value)?.clamp(1, i64::from(u32::MAX)) as u32;
            Ok(())
        }),
    ),
    Flag::new(
        &["-q"],
        None,
        "One line for each test.",
        Switch(|draft| {
            if draft.options.format == Format::Full {
                draft.options.format = Format::Quiet;
            }
        }),
    ),
    Flag::new(
        &["--csv"],
        None,
        "Results as comma separated values.",
        Switch(|draft| draft.options.format = Format::Csv),
    ),
    Flag::new(
        &["--json"],
        None,
        "Results as JSON, one object and line for each test.",
        Switch(|draft| draft.options.format = Format::Json),
    ),
    Flag::new(
        &["--precision"],
        Some("<digits>"),
        "Significant digits of latencies, 0 to 4 (default 3).",
        Value(|draft, value| {
            let digits = number("--precision", value)?;
            draft.options.precision = if digits < 0 { 3 } else { digits.min(MAX_PRECISION) as u8 };
            Ok(())
        }),
    ),
    Flag::new(&["-l"], None, "Run the tests again and again.", Switch(|draft| draft.options.endless = true)),
    Flag::new(
        &["-t"],
        Some("<tests>"),
        "Run these tests only, separated by commas; the names are those of the reports in lower case.",
        Value(|draft, value| {
            let names = String::from_utf8_lossy(value).to_lowercase();
            draft.options.tests = Some(names.split(',').map(|name| name.trim().to_owned()).collect());
            Ok(())
        }),
    ),
    Flag::new(&["-I"], None, "Only open connections and hold them.", Switch(|draft| draft.options.idle = true)),
    Flag::new(
        &["-x"],
        None,
        "Read the last argument of the command from standard input.",
        Switch(|draft| draft.options.last_from_stdin = true),
    ),
    Flag::new(
        &["--rps"],
        Some("<requests>"),
        "Send at most that many requests per second, over all connections.",
        Value(|draft, value| {
            draft.options.rate = u64::try_from(number("--rps", value)?).ok().filter(|&rate| rate > 0);
            Ok(())
        }),
    ),
    Flag::new(
        &["--seed"],
        Some("<number>"),
        "Draw the same numbers as another run with that seed.",
        Value(|draft, value| {
            draft.options.seed = Some(number("--seed", value)? as u64);
            Ok(())
        }),
    ),
    Flag::new(
        &["--num-functions"],
        Some("<count>"),
        "Functions in the library that the test function_load loads (default 10).",
        Value(|draft, value| {
            draft.options.functions = number("--num-functions", value)?.clamp(0, 1_000_000) as u32;
            Ok(())
        }),
    ),
    Flag::new(
        &["--num-keys-in-fcall"],
        Some("<count>"),
        "Keys that the test fcall passes (default 1).",
        Value(|draft, value| {
            draft.options.function_keys = number("--num-keys-in-fcall", value)?.clamp(0, 1_000_000) as u32;
            Ok(())
        }),
    ),
    Flag::new(
        &["--fuzz"],
        None,
        "Send arbitrary commands instead of measuring. It changes and deletes data: for test servers only.",
        Switch(|draft| draft.fuzz = true),
    ),
    Flag::new(
        &["--fuzz-mode"],
        Some("<modes>"),
        "With --fuzz, separated by commas: malformed-commands sends wrong ones as well, config-commands allows \
               CONFIG SET.",
        Value(|draft, value| {
            for mode in value.split(|byte| *byte == b',') {
                match mode {
                    b"malformed-commands" => draft.fuzz_options.malformed = true,
                    b"config-commands" => draft.fuzz_options.config = true,
                    other => return Err(format!("Invalid fuzz mode: {}", String::from_utf8_lossy(other))),
                }
            }
            Ok(())
        }),
    ),
    Flag::new(
        &["--fuzz-loglevel"],
        Some("<level>"),
        "With --fuzz, how much is told: none, error, info (default) or debug.",
        Value(|draft, value| {
            draft.fuzz_options.level = match value {
                b"none" => FuzzLevel::None,
                b"error" => FuzzLevel::Error,
                b"info" => FuzzLevel::Info,
                b"debug" => FuzzLevel::Debug,
                _ => return Err(invalid("--fuzz-loglevel", value, "one of none, error, info, debug")),
            };
            Ok(())
        }),
    ),
    Flag::new(
        &["-e"],
        None,
        "Has no effect any more: an error reply always ends the run.",
        Switch(|draft| {
            draft.warnings.push("WARNING: -e option has no effect. An error reply always ends the run.".to_owned());
        }),
    ),
    Flag::new(&["--help"], None, "Print this and leave.", Help),
    Flag::new(&["--version", "-v"], None, "Print the version and leave.", Version),
];

fn invalid(flag: &str, value: &[u8], reason: impl Display) -> String {
    format!("Invalid argument \"{}\" of {flag}: {reason}.", String::from_utf8_lossy(value))
}

fn number(flag: &str, value: &[u8]) -> Result<i64, String> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| invalid(flag, value, "not a number"))
}
