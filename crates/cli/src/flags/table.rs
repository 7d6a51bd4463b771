//! The table of flags. The order is that of the help.

use std::time::Duration;

use arguments::Action::{self, Switch, Value};
use arguments::number::{leading_float, leading_int};
use arguments::{Flag, path};

use super::Draft;
use crate::format::Style;
use crate::options::{KeySize, KeyStats, Mode};
use crate::quoted::unquote;

/// Every flag of the peers besides those of all tools and of the cluster manager.
pub const FLAGS: &[Flag<Draft>] = &[
    Flag::new(
        &["-t"],
        Some("<seconds>"),
        "Give up connecting after this time; fractions count. 0, the default, leaves it to the system.",
        Value(set_timeout),
    ),
    Flag::new(
        &["--askpass"],
        None,
        "Ask for the password on the terminal, showing stars. Beats -a and the variable {env}_AUTH.",
        Switch(|d| d.options.ask_password = true),
    ),
    Flag::new(
        &["--no-auth-warning"],
        None,
        "Do not warn about passwords on the command line. {env}_AUTH in the environment is the safer way; -a wins.",
        Switch(|d| d.options.no_auth_warning = true),
    ),
    Flag::new(
        &["-n"],
        Some("<db>"),
        "Select this database.",
        Value(|d, v| {
            d.options.server.db = leading_int(v);
            Ok(())
        }),
    ),
    Flag::new(&["-2"], None, "Speak RESP2 even where RESP3 would be preferred.", Switch(|d| d.resp2 = true)),
    Flag::new(&["-3"], None, "Speak RESP3.", Switch(|d| d.resp3 = true)),
    Flag::new(&["-4"], None, "Try the IPv4 addresses of a host name first.", Switch(|d| d.ipv4 = true)),
    Flag::new(&["-6"], None, "Try the IPv6 addresses of a host name first.", Switch(|d| d.ipv6 = true)),
    Flag::new(&["-c"], None, "Cluster mode: follow MOVED and ASK redirections.", Switch(|d| d.options.cluster = true)),
    Flag::new(
        &["-r"],
        Some("<times>"),
        "Run the command this many times; -1 is for ever.",
        Value(|d, v| {
            d.options.repeat = leading_int(v);
            Ok(())
        }),
    ),
    Flag::new(
        &["-i"],
        Some("<seconds>"),
        "Wait this long after each run of -r, each cycle of --scan and --stat, and every 100 cycles of --bigkeys, --memkeys, --keystats and --hotkeys. Fractions count.",
        Value(|d, v| {
            d.options.interval = Duration::try_from_secs_f64(leading_float(v)).unwrap_or_default();
            Ok(())
        }),
    ),
    Flag::new(
        &["-x"],
        None,
        "Read the last argument of the command from standard input.",
        Switch(|d| d.last_from_stdin = true),
    ),
    Flag::new(
        &["-X"],
        Some("<tag>"),
        "Read from standard input the argument that is written as this tag.",
        Value(|d, v| {
            d.tag_from_stdin = Some(v.to_vec());
            Ok(())
        }),
    ),
    Flag::new(
        &["-d"],
        Some("<text>"),
        "What raw output puts between the elements of a reply (a line end).",
        Value(|d, v| {
            d.options.element_delimiter = v.to_vec();
            Ok(())
        }),
    ),
    Flag::new(
        &["-D"],
        Some("<text>"),
        "What raw output puts after each reply (a line end).",
        Value(|d, v| {
            d.options.reply_delimiter = v.to_vec();
            Ok(())
        }),
    ),
    Flag::new(
        &["-e"],
        None,
        "Leave with exit code 1 as soon as a command is answered with an error, which goes to standard error.",
        Switch(|d| d.options.exit_on_error = true),
    ),
    Flag::new(
        &["--raw"],
        None,
        "Print replies as they are; the default when standard output is no terminal.",
        Switch(|d| d.options.style = Style::Raw),
    ),
    Flag::new(
        &["--no-raw"],
        None,
        "Print replies with types and quotes, also when standard output is no terminal.",
        Switch(|d| d.options.style = Style::Terminal),
    ),
    Flag::new(&["--csv"], None, "Print replies as comma-separated values.", Switch(|d| d.options.style = Style::Csv)),
    Flag::new(
        &["--json"],
        None,
        "Print replies as JSON; speaks RESP3 unless -2 is given.",
        Switch(|d| {
            d.options.style = Style::Json;
            d.prefer_resp3 = true;
        }),
    ),
    Flag::new(
        &["--quoted-json"],
        None,
        "As --json, with bytes outside of ASCII escaped.",
        Switch(|d| {
            d.options.style = Style::QuotedJson;
            d.prefer_resp3 = true;
        }),
    ),
    Flag::new(
        &["--quoted-input"],
        None,
        "Take each word of the command as a quoted string with escapes.",
        Switch(|d| d.options.quoted_input = true),
    ),
    Flag::new(
        &["--show-pushes"],
        Some("<yes|no>"),
        "Whether to print RESP3 pushes; yes on a terminal.",
        Value(|d, v| {
            match v.first().map(u8::to_ascii_lowercase) {
                Some(b'y') => d.options.show_pushes = true,
                Some(b'n') => d.options.show_pushes = false,
                _ => d.warnings.push(format!(
                    "Unknown --show-pushes value '{}' (valid: '[y]es', '[n]o')",
                    String::from_utf8_lossy(v)
                )),
            }
            Ok(())
        }),
    ),
    Flag::new(&["--verbose"], None, "Tell more.", Switch(|d| d.options.verbose = true)),
    Flag::new(
        &["--eval"],
        Some("<file>"),
        "Run a Lua script with EVAL: keys first, then a comma as a word of its own, then arguments.",
        Value(|d, v| mode(d, Mode::Eval(path(v)))),
    ),
    Flag::new(
        &["--ldb"],
        None,
        "Run the script of --eval in the debugger, and roll back what it changed.",
        Switch(|d| d.debugs = Some(d.debugs.unwrap_or(false))),
    ),
    Flag::new(
        &["--ldb-sync-mode"],
        None,
        "As --ldb, on the data itself: the server waits, and nothing is rolled back.",
        Switch(|d| d.debugs = Some(true)),
    ),
    Flag::new(&["--scan"], None, "List all keys.", Switch(|d| d.options.modes.push(Mode::Scan))),
    Flag::new(
        &["--pattern"],
        Some("<pattern>"),
        "Only keys of this pattern: --scan, --bigkeys, --memkeys, --keystats, --hotkeys.",
        Value(|d, v| {
            d.options.pattern = Some(v.to_vec());
            Ok(())
        }),
    ),
    Flag::new(
        &["--quoted-pattern"],
        Some("<pattern>"),
        "As --pattern, for patterns written as a quoted string.",
        Value(|d, v| {
            d.options.pattern = Some(unquote(v).ok_or("Invalid quoted string specified for --quoted-pattern.")?);
            Ok(())
        }),
    ),
    Flag::new(
        &["--count"],
        Some("<n>"),
        "How many keys each SCAN shall look at (10).",
        Value(|d, v| {
            d.options.count = leading_int(v);
            Ok(())
        }),
    ),
    Flag::new(
        &["--pipe"],
        None,
        "Send standard input to the server as it is, count replies and errors.",
        Switch(|d| d.options.modes.push(Mode::Pipe)),
    ),
    Flag::new(
        &["--pipe-timeout"],
        Some("<seconds>"),
        "Let --pipe fail when no reply comes for this long after all was sent (30); 0 waits for ever.",
        Value(|d, v| {
            d.options.pipe_timeout = Duration::from_secs(leading_int(v).try_into().unwrap_or(0));
            Ok(())
        }),
    ),
    Flag::new(
        &["--bigkeys"],
        None,
        "Look for the keys with the most elements.",
        Switch(|d| d.options.modes.push(Mode::BigKeys(KeySize::Elements))),
    ),
    Flag::new(
        &["--memkeys"],
        None,
        "Look for the keys that take the most memory.",
        Switch(|d| d.options.modes.push(Mode::BigKeys(KeySize::Memory(None)))),
    ),
    Flag::new(
        &["--memkeys-samples"],
        Some("<n>"),
        "As --memkeys, looking at this many elements of each key.",
        Value(|d, v| {
            let samples = leading_int(v).try_into().unwrap_or(0);
            mode(d, Mode::BigKeys(KeySize::Memory((samples > 0).then_some(samples))))
        }),
    ),
    Flag::new(
        &["--keystats"],
        None,
        "Look at the memory and the length of all keys: the largest, their distribution, their types.",
        Switch(|d| d.options.modes.push(Mode::KeyStats(KeyStats { samples: None }))),
    ),
    Flag::new(
        &["--keystats-samples"],
        Some("<n>"),
        "As --keystats, looking at this many elements of each key for its memory.",
        Value(|d, v| {
            let samples = whole_number("--keystats-samples", v)?;
            mode(d, Mode::KeyStats(KeyStats { samples: (samples > 0).then_some(samples) }))
        }),
    ),
    Flag::new(
        &["--top"],
        Some("<n>"),
        "How many of the largest keys --keystats shows (10).",
        Value(|d, v| {
            d.options.top = whole_number("--top", v)?.min(1 << 20) as usize;
            Ok(())
        }),
    ),
    Flag::new(
        &["--cursor"],
        Some("<n>"),
        "Where --keystats begins to scan: the cursor at which it was stopped.",
        Value(|d, v| {
            d.options.cursor = whole_number("--cursor", v)?;
            Ok(())
        }),
    ),
    Flag::new(
        &["--hotkeys"],
        None,
        "Look for the 16 keys in most use; needs an LFU maxmemory-policy.",
        Switch(|d| d.options.modes.push(Mode::HotKeys { count: 16 })),
    ),
    Flag::new(
        &["--hotkeys-count"],
        Some("<n>"),
        "As --hotkeys, for another number of keys.",
        Value(|d, v| mode(d, Mode::HotKeys { count: leading_int(v).clamp(0, 1 << 20) as usize })),
    ),
    Flag::new(
        &["--stat"],
        None,
        "Print a line about memory, clients and requests every second.",
        Switch(|d| d.options.modes.push(Mode::Stat)),
    ),
    Flag::new(
        &["--latency"],
        None,
        "Measure round trips: for ever on a terminal, for one second (or -i) otherwise.",
        Switch(|d| d.options.modes.push(Mode::Latency { history: false })),
    ),
    Flag::new(
        &["--latency-history"],
        None,
        "As --latency, a new line every 15 seconds (or -i).",
        Switch(|d| d.options.modes.push(Mode::Latency { history: true })),
    ),
    Flag::new(
        &["--latency-dist"],
        None,
        "As --latency, as a spectrum of 256 colours, a line every second (or -i).",
        Switch(|d| d.options.modes.push(Mode::LatencyDistribution { mono: false })),
    ),
    Flag::new(&["--mono"], None, "Draw --latency-dist in shades of grey.", Switch(|d| d.mono = true)),
    Flag::new(
        &["--lru-test"],
        Some("<keys>"),
        "Write and read this many keys, few of them much more often than the rest, and tell the hit rate each second.",
        Value(|d, v| mode(d, Mode::LruTest { keys: leading_int(v).clamp(1, 1 << 50) as u64 })),
    ),
    Flag::new(
        &["--intrinsic-latency"],
        Some("<seconds>"),
        "Measure the delays of this machine itself, without a server.",
        Value(|d, v| mode(d, Mode::IntrinsicLatency { seconds: leading_int(v).try_into().unwrap_or(0) })),
    ),
    Flag::new(
        &["--rdb"],
        Some("<file>"),
        "Fetch a snapshot from the server into a file, or to standard output for \"-\".",
        Value(|d, v| mode(d, Mode::Rdb { file: path(v), functions_only: false })),
    ),
    Flag::new(
        &["--functions-rdb"],
        Some("<file>"),
        "As --rdb, with the functions only.",
        Value(|d, v| mode(d, Mode::Rdb { file: path(v), functions_only: true })),
    ),
    Flag::new(
        &["--replica", "--slave"],
        None,
        "Act as a replica and print the commands that the primary sends.",
        Switch(|d| d.options.modes.push(Mode::Replica)),
    ),
    Flag::new(
        &["--test_hint"],
        Some("<line>"),
        "Print the hint for a line that is being typed.",
        Value(|d, v| mode(d, Mode::Hint(v.to_vec()))),
    ),
    Flag::new(
        &["--test_hint_file"],
        Some("<file>"),
        "Compare hints with the pairs of lines and hints in a file.",
        Value(|d, v| mode(d, Mode::HintFile(path(v)))),
    ),
    Flag::new(&["--help"], None, "Print this.", Action::Help),
    Flag::new(&["--version", "-v"], None, "Print the version.", Action::Version),
];

fn mode(draft: &mut Draft, mode: Mode) -> Result<(), String> {
    draft.options.modes.push(mode);
    Ok(())
}

fn whole_number(flag: &str, value: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    match text.parse::<i128>() {
        Ok(n) if n >= 0 => Ok(u64::try_from(n).unwrap_or(u64::MAX)),
        Ok(_) => Err(format!("{flag} should be followed by a positive integer.")),
        Err(_) => Err(format!("{flag} conversion error.")),
    }
}

fn set_timeout(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    let seconds = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.ok_or("Invalid connection timeout for -t.")?;
    draft.options.connect_timeout = (!timeout.is_zero()).then_some(timeout);
    Ok(())
}
