//! The table of flags. The order is that of the help.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use super::{Action, Draft, Flag, flag};
use crate::format::Style;
use crate::number::{leading_float, leading_int};
use crate::options::{KeySize, KeyStats, Mode};
use crate::quoted::unquote;
use crate::uri;
use Action::{Missing, Switch, Value};

const NO_TLS: &str = "TLS is not built into this release";
const INVALID_PORT: &str = "Invalid server port.";

/// Every flag of the peers; those that are not built in say so.
pub const FLAGS: &[Flag] = &[
    flag(&["-h"], Some("<host>"), "Host name or address of the server (127.0.0.1).", Value(set_host)),
    flag(&["-p"], Some("<port>"), "Port of the server (6379).", Value(set_port)),
    flag(
        &["-t"],
        Some("<seconds>"),
        "Give up connecting after this time; fractions count. 0, the default, leaves it to the system.",
        Value(set_timeout),
    ),
    flag(
        &["-s"],
        Some("<path>"),
        "Connect to a Unix socket instead.",
        Value(|d, v| {
            d.options.socket = Some(path(v));
            Ok(())
        }),
    ),
    flag(
        &["-a", "--pass"],
        Some("<password>"),
        "Authenticate with this password. {env}_AUTH in the environment is the safer way; the flag wins.",
        Value(|d, v| {
            d.options.password = Some(v.to_vec());
            d.password_on_command_line = true;
            Ok(())
        }),
    ),
    flag(
        &["--user"],
        Some("<name>"),
        "Authenticate as this ACL user; needs a password.",
        Value(|d, v| {
            d.options.user = Some(v.to_vec());
            Ok(())
        }),
    ),
    flag(
        &["--askpass"],
        None,
        "Ask for the password on the terminal, showing stars. Beats -a and {env}_AUTH.",
        Switch(|d| d.options.ask_password = true),
    ),
    flag(
        &["--no-auth-warning"],
        None,
        "Do not warn about passwords on the command line.",
        Switch(|d| d.options.no_auth_warning = true),
    ),
    flag(
        &["-u"],
        Some("<uri>"),
        "All of the above at once: {scheme}://user:password@host:port/db, where only the scheme is required.",
        Value(set_uri),
    ),
    flag(
        &["-n"],
        Some("<db>"),
        "Select this database.",
        Value(|d, v| {
            d.options.db = leading_int(v);
            Ok(())
        }),
    ),
    flag(&["-2"], None, "Speak RESP2 even where RESP3 would be preferred.", Switch(|d| d.resp2 = true)),
    flag(&["-3"], None, "Speak RESP3.", Switch(|d| d.resp3 = true)),
    flag(&["-4"], None, "Try the IPv4 addresses of a host name first.", Switch(|d| d.ipv4 = true)),
    flag(&["-6"], None, "Try the IPv6 addresses of a host name first.", Switch(|d| d.ipv6 = true)),
    flag(&["--mptcp"], None, "Connect with Multipath TCP.", Switch(|d| d.options.multipath = true)),
    flag(&["-c"], None, "Cluster mode: follow MOVED and ASK redirections.", Switch(|d| d.options.cluster = true)),
    flag(
        &["-r"],
        Some("<times>"),
        "Run the command this many times; -1 is for ever.",
        Value(|d, v| {
            d.options.repeat = leading_int(v);
            Ok(())
        }),
    ),
    flag(
        &["-i"],
        Some("<seconds>"),
        "Wait this long after each run of -r, each cycle of --scan and --stat, and every 100 cycles of --bigkeys, --memkeys, --keystats and --hotkeys. Fractions count.",
        Value(|d, v| {
            d.options.interval = Duration::try_from_secs_f64(leading_float(v)).unwrap_or_default();
            Ok(())
        }),
    ),
    flag(
        &["-x"],
        None,
        "Read the last argument of the command from standard input.",
        Switch(|d| d.last_from_stdin = true),
    ),
    flag(
        &["-X"],
        Some("<tag>"),
        "Read from standard input the argument that is written as this tag.",
        Value(|d, v| {
            d.tag_from_stdin = Some(v.to_vec());
            Ok(())
        }),
    ),
    flag(
        &["-d"],
        Some("<text>"),
        "What raw output puts between the elements of a reply (a line end).",
        Value(|d, v| {
            d.options.element_delimiter = v.to_vec();
            Ok(())
        }),
    ),
    flag(
        &["-D"],
        Some("<text>"),
        "What raw output puts after each reply (a line end).",
        Value(|d, v| {
            d.options.reply_delimiter = v.to_vec();
            Ok(())
        }),
    ),
    flag(
        &["-e"],
        None,
        "Leave with exit code 1 as soon as a command is answered with an error, which goes to standard error.",
        Switch(|d| d.options.exit_on_error = true),
    ),
    flag(
        &["--raw"],
        None,
        "Print replies as they are; the default when standard output is no terminal.",
        Switch(|d| d.options.style = Style::Raw),
    ),
    flag(
        &["--no-raw"],
        None,
        "Print replies with types and quotes, also when standard output is no terminal.",
        Switch(|d| d.options.style = Style::Terminal),
    ),
    flag(&["--csv"], None, "Print replies as comma-separated values.", Switch(|d| d.options.style = Style::Csv)),
    flag(
        &["--json"],
        None,
        "Print replies as JSON; speaks RESP3 unless -2 is given.",
        Switch(|d| {
            d.options.style = Style::Json;
            d.prefer_resp3 = true;
        }),
    ),
    flag(
        &["--quoted-json"],
        None,
        "As --json, with bytes outside of ASCII escaped.",
        Switch(|d| {
            d.options.style = Style::QuotedJson;
            d.prefer_resp3 = true;
        }),
    ),
    flag(
        &["--quoted-input"],
        None,
        "Take each word of the command as a quoted string with escapes.",
        Switch(|d| d.options.quoted_input = true),
    ),
    flag(
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
    flag(&["--verbose"], None, "Tell more.", Switch(|d| d.options.verbose = true)),
    flag(
        &["--eval"],
        Some("<file>"),
        "Run a Lua script with EVAL: keys first, then a comma as a word of its own, then arguments.",
        Value(|d, v| mode(d, Mode::Eval(path(v)))),
    ),
    flag(
        &["--ldb"],
        None,
        "Run the script of --eval in the debugger, and roll back what it changed.",
        Switch(|d| d.debugs = Some(d.debugs.unwrap_or(false))),
    ),
    flag(
        &["--ldb-sync-mode"],
        None,
        "As --ldb, on the data itself: the server waits, and nothing is rolled back.",
        Switch(|d| d.debugs = Some(true)),
    ),
    flag(&["--scan"], None, "List all keys.", Switch(|d| d.options.modes.push(Mode::Scan))),
    flag(
        &["--pattern"],
        Some("<pattern>"),
        "Only keys of this pattern: --scan, --bigkeys, --memkeys, --keystats, --hotkeys.",
        Value(|d, v| {
            d.options.pattern = Some(v.to_vec());
            Ok(())
        }),
    ),
    flag(
        &["--quoted-pattern"],
        Some("<pattern>"),
        "As --pattern, for patterns written as a quoted string.",
        Value(|d, v| {
            d.options.pattern = Some(unquote(v).ok_or("Invalid quoted string specified for --quoted-pattern.")?);
            Ok(())
        }),
    ),
    flag(
        &["--count"],
        Some("<n>"),
        "How many keys each SCAN shall look at (10).",
        Value(|d, v| {
            d.options.count = leading_int(v);
            Ok(())
        }),
    ),
    flag(
        &["--pipe"],
        None,
        "Send standard input to the server as it is, count replies and errors.",
        Switch(|d| d.options.modes.push(Mode::Pipe)),
    ),
    flag(
        &["--pipe-timeout"],
        Some("<seconds>"),
        "Let --pipe fail when no reply comes for this long after all was sent (30); 0 waits for ever.",
        Value(|d, v| {
            d.options.pipe_timeout = Duration::from_secs(leading_int(v).try_into().unwrap_or(0));
            Ok(())
        }),
    ),
    flag(
        &["--bigkeys"],
        None,
        "Look for the keys with the most elements.",
        Switch(|d| d.options.modes.push(Mode::BigKeys(KeySize::Elements))),
    ),
    flag(
        &["--memkeys"],
        None,
        "Look for the keys that take the most memory.",
        Switch(|d| d.options.modes.push(Mode::BigKeys(KeySize::Memory(None)))),
    ),
    flag(
        &["--memkeys-samples"],
        Some("<n>"),
        "As --memkeys, looking at this many elements of each key.",
        Value(|d, v| {
            let samples = leading_int(v).try_into().unwrap_or(0);
            mode(d, Mode::BigKeys(KeySize::Memory((samples > 0).then_some(samples))))
        }),
    ),
    flag(
        &["--keystats"],
        None,
        "Look at the memory and the length of all keys: the largest, their distribution, their types.",
        Switch(|d| d.options.modes.push(Mode::KeyStats(KeyStats { samples: None }))),
    ),
    flag(
        &["--keystats-samples"],
        Some("<n>"),
        "As --keystats, looking at this many elements of each key for its memory.",
        Value(|d, v| {
            let samples = whole_number("--keystats-samples", v)?;
            mode(d, Mode::KeyStats(KeyStats { samples: (samples > 0).then_some(samples) }))
        }),
    ),
    flag(
        &["--top"],
        Some("<n>"),
        "How many of the largest keys --keystats shows (10).",
        Value(|d, v| {
            d.options.top = whole_number("--top", v)?.min(1 << 20) as usize;
            Ok(())
        }),
    ),
    flag(
        &["--cursor"],
        Some("<n>"),
        "Where --keystats begins to scan: the cursor at which it was stopped.",
        Value(|d, v| {
            d.options.cursor = whole_number("--cursor", v)?;
            Ok(())
        }),
    ),
    flag(
        &["--hotkeys"],
        None,
        "Look for the 16 keys in most use; needs an LFU maxmemory-policy.",
        Switch(|d| d.options.modes.push(Mode::HotKeys { count: 16 })),
    ),
    flag(
        &["--hotkeys-count"],
        Some("<n>"),
        "As --hotkeys, for another number of keys.",
        Value(|d, v| mode(d, Mode::HotKeys { count: leading_int(v).clamp(0, 1 << 20) as usize })),
    ),
    flag(
        &["--stat"],
        None,
        "Print a line about memory, clients and requests every second.",
        Switch(|d| d.options.modes.push(Mode::Stat)),
    ),
    flag(
        &["--latency"],
        None,
        "Measure round trips: for ever on a terminal, for one second (or -i) otherwise.",
        Switch(|d| d.options.modes.push(Mode::Latency { history: false })),
    ),
    flag(
        &["--latency-history"],
        None,
        "As --latency, a new line every 15 seconds (or -i).",
        Switch(|d| d.options.modes.push(Mode::Latency { history: true })),
    ),
    flag(
        &["--latency-dist"],
        None,
        "As --latency, as a spectrum of 256 colours, a line every second (or -i).",
        Switch(|d| d.options.modes.push(Mode::LatencyDistribution { mono: false })),
    ),
    flag(&["--mono"], None, "Draw --latency-dist in shades of grey.", Switch(|d| d.mono = true)),
    flag(
        &["--lru-test"],
        Some("<keys>"),
        "Write and read this many keys, few of them much more often than the rest, and tell the hit rate each second.",
        Value(|d, v| mode(d, Mode::LruTest { keys: leading_int(v).clamp(1, 1 << 50) as u64 })),
    ),
    flag(
        &["--intrinsic-latency"],
        Some("<seconds>"),
        "Measure the delays of this machine itself, without a server.",
        Value(|d, v| mode(d, Mode::IntrinsicLatency { seconds: leading_int(v).try_into().unwrap_or(0) })),
    ),
    flag(
        &["--rdb"],
        Some("<file>"),
        "Fetch a snapshot from the server into a file, or to standard output for \"-\".",
        Value(|d, v| mode(d, Mode::Rdb { file: path(v), functions_only: false })),
    ),
    flag(
        &["--functions-rdb"],
        Some("<file>"),
        "As --rdb, with the functions only.",
        Value(|d, v| mode(d, Mode::Rdb { file: path(v), functions_only: true })),
    ),
    flag(
        &["--replica", "--slave"],
        None,
        "Act as a replica and print the commands that the primary sends.",
        Switch(|d| d.options.modes.push(Mode::Replica)),
    ),
    flag(
        &["--test_hint"],
        Some("<line>"),
        "Print the hint for a line that is being typed.",
        Value(|d, v| mode(d, Mode::Hint(v.to_vec()))),
    ),
    flag(
        &["--test_hint_file"],
        Some("<file>"),
        "Compare hints with the pairs of lines and hints in a file.",
        Value(|d, v| mode(d, Mode::HintFile(path(v)))),
    ),
    flag(&["--help"], None, "Print this.", Action::Help),
    flag(&["--version", "-v"], None, "Print the version.", Action::Version),
    flag(&["--tls"], None, "Connect with TLS. Not in this release.", Missing(NO_TLS)),
    flag(
        &["--sni", "--cacert", "--cacertdir", "--cert", "--key", "--tls-ciphers", "--tls-ciphersuites"],
        Some("<value>"),
        "Details of TLS. Not in this release.",
        Missing(NO_TLS),
    ),
    flag(&["--insecure"], None, "TLS without verification. Not in this release.", Missing(NO_TLS)),
];

fn mode(draft: &mut Draft, mode: Mode) -> Result<(), String> {
    draft.options.modes.push(mode);
    Ok(())
}

fn path(value: &[u8]) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(value))
}

fn whole_number(flag: &str, value: &[u8]) -> Result<u64, String> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    match text.parse::<i128>() {
        Ok(n) if n >= 0 => Ok(u64::try_from(n).unwrap_or(u64::MAX)),
        Ok(_) => Err(format!("{flag} should be followed by a positive integer.")),
        Err(_) => Err(format!("{flag} conversion error.")),
    }
}

fn set_host(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    draft.options.host = String::from_utf8_lossy(value).into_owned();
    Ok(())
}

fn set_port(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    let number = leading_int(value);
    let is_number = number != 0 || value == b"0";
    draft.options.port = u16::try_from(number).ok().filter(|_| is_number).ok_or(INVALID_PORT)?;
    Ok(())
}

fn set_timeout(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    let seconds = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
    let timeout = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let timeout = timeout.ok_or("Invalid connection timeout for -t.")?;
    draft.options.connect_timeout = (!timeout.is_zero()).then_some(timeout);
    Ok(())
}

fn set_uri(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    let uri = uri::parse(value)?;
    if uri.tls {
        return Err(super::refusal(&String::from_utf8_lossy(value), NO_TLS));
    }
    let options = &mut draft.options;
    if let Some(host) = uri.host {
        options.host = host;
    }
    if let Some(port) = uri.port {
        options.port = u16::try_from(port).map_err(|_| INVALID_PORT)?;
    }
    if let Some(db) = uri.db {
        options.db = db;
    }
    if uri.user.is_some() {
        options.user = uri.user;
    }
    if uri.password.is_some() {
        options.password = uri.password;
        draft.password_on_command_line = true;
    }
    Ok(())
}
