//! Every flag, in the order of the help.

use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

use super::Action::{Help, Missing, Switch, Value, Version};
use super::{Draft, Flag};
use crate::options::{Format, FuzzLevel, ReadFrom};

const MAX_PAYLOAD: i64 = 1 << 30;
const MAX_THREADS: i64 = 500;
const MAX_CLIENTS: i64 = 1_000_000;
const MAX_PRECISION: i64 = 4;

const NO_TLS: &str = "TLS is not built into this release";

pub const FLAGS: &[Flag] = &[
    Flag {
        names: &["-h"],
        argument: Some("<host>"),
        help: "Server host name (default 127.0.0.1).",
        action: Value(|draft, value| {
            draft.options.host = String::from_utf8_lossy(value).into_owned();
            Ok(())
        }),
    },
    Flag {
        names: &["-p"],
        argument: Some("<port>"),
        help: "Server port (default 6379).",
        action: Value(|draft, value| {
            draft.options.port = port(value)?;
            Ok(())
        }),
    },
    Flag {
        names: &["-s"],
        argument: Some("<socket>"),
        help: "Unix socket of the server, instead of host and port.",
        action: Value(|draft, value| {
            draft.options.socket = Some(PathBuf::from(std::ffi::OsStr::from_bytes(value)));
            Ok(())
        }),
    },
    Flag {
        names: &["-a"],
        argument: Some("<password>"),
        help: "Password of the server or, with --user, of that user.",
        action: Value(|draft, value| {
            draft.options.password = Some(value.to_vec());
            Ok(())
        }),
    },
    Flag {
        names: &["--user"],
        argument: Some("<name>"),
        help: "User to authenticate as; needs -a.",
        action: Value(|draft, value| {
            draft.options.user = Some(value.to_vec());
            Ok(())
        }),
    },
    Flag {
        names: &["-u"],
        argument: Some("<uri>"),
        help: "All of it in one: redis://user:password@host:port/db, or the same with valkey://. User, password and \
               database may be left out.",
        action: Value(uri),
    },
    Flag {
        names: &["-c"],
        argument: Some("<clients>"),
        help: "Parallel connections (default 50). With --cluster at least one for each node.",
        action: Value(|draft, value| {
            draft.options.clients = number("-c", value)?.clamp(1, MAX_CLIENTS) as usize;
            Ok(())
        }),
    },
    Flag {
        names: &["-n"],
        argument: Some("<requests>"),
        help: "Requests of each test, over all connections (default 100000).",
        action: Value(|draft, value| {
            draft.requests = Some(number("-n", value)?.max(0) as u64);
            Ok(())
        }),
    },
    Flag {
        names: &["--duration"],
        argument: Some("<seconds>"),
        help: "Run each test for that long, instead of -n.",
        action: Value(|draft, value| {
            draft.seconds = Some(number("--duration", value)?.max(0) as u64);
            Ok(())
        }),
    },
    Flag {
        names: &["--warmup"],
        argument: Some("<seconds>"),
        help: "Run each test for that long before anything is recorded.",
        action: Value(|draft, value| {
            draft.options.warmup = Duration::from_secs(number("--warmup", value)?.max(0) as u64);
            Ok(())
        }),
    },
    Flag {
        names: &["-d"],
        argument: Some("<size>"),
        help: "Bytes of a value (default 3).",
        action: Value(|draft, value| {
            draft.options.size = number("-d", value)?.clamp(1, MAX_PAYLOAD) as usize;
            Ok(())
        }),
    },
    Flag {
        names: &["--dbnum"],
        argument: Some("<db>"),
        help: "Database to select (default 0).",
        action: Value(|draft, value| {
            draft.options.db = number("--dbnum", value)?;
            Ok(())
        }),
    },
    Flag { names: &["-3"], argument: None, help: "Speak RESP3.", action: Switch(|draft| draft.options.resp3 = true) },
    Flag {
        names: &["--threads"],
        argument: Some("<count>"),
        help: "Threads that share the connections.",
        action: Value(|draft, value| {
            let threads = number("--threads", value)?;
            if threads > MAX_THREADS {
                draft.warnings.push(format!("WARNING: Too many threads, limiting threads to {MAX_THREADS}."));
            }
            draft.options.threads = threads.clamp(0, MAX_THREADS) as usize;
            Ok(())
        }),
    },
    Flag {
        names: &["--cluster"],
        argument: None,
        help: "The server is a node of a cluster: spread the load over all nodes. Keys of a command given here must \
               contain {tag}.",
        action: Switch(|draft| draft.options.cluster = true),
    },
    Flag {
        names: &["--rfr"],
        argument: Some("<mode>"),
        help: "With --cluster, which nodes are asked: primaries only (no, the default), replicas only (yes), or all \
               of them (all). Replicas take no writes.",
        action: Value(|draft, value| {
            draft.options.read_from = match value {
                b"no" => ReadFrom::Primaries,
                b"yes" => ReadFrom::Replicas,
                b"all" => ReadFrom::All,
                _ => return Err(invalid("--rfr", value, "one of no, yes, all")),
            };
            Ok(())
        }),
    },
    Flag {
        names: &["--enable-tracking"],
        argument: None,
        help: "Send CLIENT TRACKING on first on each connection.",
        action: Switch(|draft| draft.options.tracking = true),
    },
    Flag {
        names: &["-k"],
        argument: Some("<0|1>"),
        help: "1 keeps connections (default), 0 makes a new one for each request.",
        action: Value(|draft, value| {
            draft.options.keep_alive = number("-k", value)? != 0;
            Ok(())
        }),
    },
    Flag {
        names: &["-r"],
        argument: Some("<size>"),
        help: "Put numbers from 0 to size - 1 in the place of placeholders; without it all requests of a test use the \
               same key.",
        action: Value(|draft, value| {
            draft.options.space = Some(number("-r", value)?.max(0) as u64);
            Ok(())
        }),
    },
    Flag {
        names: &["--sequential"],
        argument: None,
        help: "With -r: count instead of drawing numbers; each placeholder counts for itself.",
        action: Switch(|draft| draft.options.sequential = true),
    },
    Flag {
        names: &["-P"],
        argument: Some("<requests>"),
        help: "Send that many requests before waiting for replies (default 1). Several commands count as one request.",
        action: Value(|draft, value| {
            draft.options.pipeline = number("-P", value)?.clamp(1, i64::from(u32::MAX)) as u32;
            Ok(())
        }),
    },
    Flag {
        names: &["-q"],
        argument: None,
        help: "One line for each test.",
        action: Switch(|draft| {
            if draft.options.format == Format::Full {
                draft.options.format = Format::Quiet;
            }
        }),
    },
    Flag {
        names: &["--csv"],
        argument: None,
        help: "Results as comma separated values.",
        action: Switch(|draft| draft.options.format = Format::Csv),
    },
    Flag {
        names: &["--json"],
        argument: None,
        help: "Results as JSON, one object and line for each test.",
        action: Switch(|draft| draft.options.format = Format::Json),
    },
    Flag {
        names: &["--precision"],
        argument: Some("<digits>"),
        help: "Significant digits of latencies, 0 to 4 (default 3).",
        action: Value(|draft, value| {
            let digits = number("--precision", value)?;
            draft.options.precision = if digits < 0 { 3 } else { digits.min(MAX_PRECISION) as u8 };
            Ok(())
        }),
    },
    Flag {
        names: &["-l"],
        argument: None,
        help: "Run the tests again and again.",
        action: Switch(|draft| draft.options.endless = true),
    },
    Flag {
        names: &["-t"],
        argument: Some("<tests>"),
        help: "Run these tests only, separated by commas; the names are those of the reports in lower case.",
        action: Value(|draft, value| {
            let names = String::from_utf8_lossy(value).to_lowercase();
            draft.options.tests = Some(names.split(',').map(|name| name.trim().to_owned()).collect());
            Ok(())
        }),
    },
    Flag {
        names: &["-I"],
        argument: None,
        help: "Only open connections and hold them.",
        action: Switch(|draft| draft.options.idle = true),
    },
    Flag {
        names: &["-x"],
        argument: None,
        help: "Read the last argument of the command from standard input.",
        action: Switch(|draft| draft.options.last_from_stdin = true),
    },
    Flag {
        names: &["--rps"],
        argument: Some("<requests>"),
        help: "Send at most that many requests per second, over all connections.",
        action: Value(|draft, value| {
            draft.options.rate = u64::try_from(number("--rps", value)?).ok().filter(|&rate| rate > 0);
            Ok(())
        }),
    },
    Flag {
        names: &["--seed"],
        argument: Some("<number>"),
        help: "Draw the same numbers as another run with that seed.",
        action: Value(|draft, value| {
            draft.options.seed = Some(number("--seed", value)? as u64);
            Ok(())
        }),
    },
    Flag {
        names: &["--num-functions"],
        argument: Some("<count>"),
        help: "Functions in the library that the test function_load loads (default 10).",
        action: Value(|draft, value| {
            draft.options.functions = number("--num-functions", value)?.clamp(0, 1_000_000) as u32;
            Ok(())
        }),
    },
    Flag {
        names: &["--num-keys-in-fcall"],
        argument: Some("<count>"),
        help: "Keys that the test fcall passes (default 1).",
        action: Value(|draft, value| {
            draft.options.function_keys = number("--num-keys-in-fcall", value)?.clamp(0, 1_000_000) as u32;
            Ok(())
        }),
    },
    Flag {
        names: &["--mptcp"],
        argument: None,
        help: "Connect with multipath TCP (Linux).",
        action: Switch(|draft| draft.options.multipath = true),
    },
    Flag {
        names: &["--fuzz"],
        argument: None,
        help: "Send arbitrary commands instead of measuring. It changes and deletes data: for test servers only.",
        action: Switch(|draft| draft.fuzz = true),
    },
    Flag {
        names: &["--fuzz-mode"],
        argument: Some("<modes>"),
        help: "With --fuzz, separated by commas: malformed-commands sends wrong ones as well, config-commands allows \
               CONFIG SET.",
        action: Value(|draft, value| {
            for mode in value.split(|byte| *byte == b',') {
                match mode {
                    b"malformed-commands" => draft.fuzz_options.malformed = true,
                    b"config-commands" => draft.fuzz_options.config = true,
                    other => return Err(format!("Invalid fuzz mode: {}", String::from_utf8_lossy(other))),
                }
            }
            Ok(())
        }),
    },
    Flag {
        names: &["--fuzz-loglevel"],
        argument: Some("<level>"),
        help: "With --fuzz, how much is told: none, error, info (default) or debug.",
        action: Value(|draft, value| {
            draft.fuzz_options.level = match value {
                b"none" => FuzzLevel::None,
                b"error" => FuzzLevel::Error,
                b"info" => FuzzLevel::Info,
                b"debug" => FuzzLevel::Debug,
                _ => return Err(invalid("--fuzz-loglevel", value, "one of none, error, info, debug")),
            };
            Ok(())
        }),
    },
    Flag {
        names: &["-e"],
        argument: None,
        help: "Has no effect any more: an error reply always ends the run.",
        action: Switch(|draft| {
            draft.warnings.push("WARNING: -e option has no effect. An error reply always ends the run.".to_owned());
        }),
    },
    Flag { names: &["--help"], argument: None, help: "Print this and leave.", action: Help },
    Flag { names: &["--version", "-v"], argument: None, help: "Print the version and leave.", action: Version },
    Flag { names: &["--tls"], argument: None, help: "", action: Missing(NO_TLS) },
    Flag { names: &["--sni"], argument: Some("<host>"), help: "", action: Missing(NO_TLS) },
    Flag { names: &["--cacert"], argument: Some("<file>"), help: "", action: Missing(NO_TLS) },
    Flag { names: &["--cacertdir"], argument: Some("<folder>"), help: "", action: Missing(NO_TLS) },
    Flag { names: &["--insecure"], argument: None, help: "", action: Missing(NO_TLS) },
    Flag { names: &["--cert"], argument: Some("<file>"), help: "", action: Missing(NO_TLS) },
    Flag { names: &["--key"], argument: Some("<file>"), help: "", action: Missing(NO_TLS) },
    Flag { names: &["--tls-ciphers"], argument: Some("<list>"), help: "", action: Missing(NO_TLS) },
    Flag { names: &["--tls-ciphersuites"], argument: Some("<list>"), help: "", action: Missing(NO_TLS) },
];

fn invalid(flag: &str, value: &[u8], reason: impl Display) -> String {
    format!("Invalid argument \"{}\" of {flag}: {reason}.", String::from_utf8_lossy(value))
}

fn number(flag: &str, value: &[u8]) -> Result<i64, String> {
    let number = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok());
    number.ok_or_else(|| invalid(flag, value, "not a number"))
}

fn port(value: &[u8]) -> Result<u16, String> {
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or_else(|| "Invalid server port.".to_owned())
}

fn uri(draft: &mut Draft, value: &[u8]) -> Result<(), String> {
    let uri = cli::uri::parse(value)?;
    if uri.tls {
        return Err(format!("-u cannot be used with that scheme: {NO_TLS}."));
    }
    let options = &mut draft.options;
    if let Some(host) = uri.host {
        options.host = host;
    }
    if let Some(port) = uri.port {
        options.port = u16::try_from(port).map_err(|_| "Invalid server port.".to_owned())?;
    }
    options.user = uri.user.or(options.user.take());
    options.password = uri.password.or(options.password.take());
    options.db = uri.db.unwrap_or(options.db);
    Ok(())
}
