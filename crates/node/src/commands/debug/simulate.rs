//! DEBUG SLEEP, SEGFAULT, PANIC, POPULATE, AOF-FLUSH-SLEEP, LOG, REPLICATE, CHANGE-REPL-ID: what is made to happen.

use std::time::Duration;

use journal::History;
use keyspace::Expiry;
use resp::error;
use structures::number;

use super::{MANY, Sub, sub};
use crate::busy::Stopwatch;
use crate::commands::{Call, Done};
use crate::facts::Crash;
use crate::server::{LogLevel, replication_id};

pub(super) const SUBS: &[Sub] = &[
    sub("sleep", "<seconds>", "Stop the whole server for a time.", (3, 3), true, sleep),
    sub("spin", "<milliseconds>", "Keep this thread busy, as a long script does.", (3, 3), false, spin),
    sub("segfault", "", "Crash the server by an access to memory that is not its own.", (2, 2), true, |call| {
        call.core.server.host.crash(Crash::Segfault)
    }),
    sub("panic", "", "Crash the server by a failed assertion.", (2, 2), false, |call| {
        call.core.server.host.crash(Crash::Assertion)
    }),
    sub("assert", "", "The same as PANIC.", (2, 2), false, |call| call.core.server.host.crash(Crash::Assertion)),
    sub("populate", "<count> [<prefix>] [<size>]", "Make keys with strings.", (3, 5), false, populate),
    sub(
        "aof-flush-sleep",
        "<microseconds>",
        "Wait before each write to the append-only file.",
        (3, 3),
        false,
        |call| {
            let micros = number::parse_i64(call.args.at(2)).filter(|micros| *micros >= 0);
            let micros = micros.ok_or(error::common::NOT_INTEGER)?;
            call.core.server.host.slow_aof(Duration::from_micros(micros as u64));
            call.client.out.ok();
            Ok(())
        },
    ),
    sub("log", "<text>", "Write a line to the log.", (3, 3), false, log),
    sub("replicate", "<command> [<arg> ...]", "Send a command to the replicas.", (3, MANY), false, replicate),
    sub("change-repl-id", "", "Go on under a new replication id, without a past.", (2, 2), false, change_repl_id),
];

/// Nobody else runs meanwhile: the caller has the world, and every thread stops before its next event.
fn sleep(call: &mut Call<'_, '_>) -> Done {
    let seconds = number::parse_f64(call.args.at(2)).unwrap_or(0.0);
    if let Ok(time) = Duration::try_from_secs_f64(seconds.max(0.0)) {
        call.core.server.still.hold(|| call.core.server.host.sleep(time));
    }
    call.client.out.ok();
    Ok(())
}

/// Shows what a long unit does for others.
fn spin(call: &mut Call<'_, '_>) -> Done {
    let millis = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    let until = call.core.server.engine.clock().nanos() + millis.max(0) as u64 * 1_000_000;
    let mut watch = Stopwatch::start(call.core);
    while call.core.server.engine.clock().nanos() < until {
        if !watch.look(call.core, call.meanwhile) {
            return Err(error::script::KILLED);
        }
        std::hint::spin_loop();
    }
    call.client.out.ok();
    Ok(())
}

/// The keys are made here only: neither replicas nor the AOF learn of them, as with the peers.
fn populate(call: &mut Call<'_, '_>) -> Done {
    let positive = |arg: &[u8]| match number::parse_i64(arg) {
        Some(n) if n >= 0 => Ok(n as usize),
        _ => Err(error::common::MUST_BE_POSITIVE),
    };
    let count = positive(call.args.at(2))?;
    let prefix = call.args.get(3).unwrap_or(b"key");
    let size = call.args.get(4).map(positive).transpose()?.unwrap_or(0);
    if size > call.core.control().env.max_string {
        return Err(error::common::MUST_BE_POSITIVE);
    }
    let mut space = call.core.lease.space(call.client.db);
    for n in 0..count {
        let name = [prefix, format!(":{n}").as_bytes()].concat();
        let key = space.key(&name);
        if space.exists(&key) {
            continue;
        }
        let mut value = format!("value:{n}").into_bytes();
        if size > 0 {
            value.resize(size, 0);
        }
        space.set_string(&key, &value, Expiry::None);
        space.touch(&key);
    }
    drop(space);
    call.client.out.ok();
    Ok(())
}

fn log(call: &mut Call<'_, '_>) -> Done {
    let text = format!("DEBUG LOG: {}", String::from_utf8_lossy(call.args.at(2)));
    call.core.server.host.log(LogLevel::Warning, &text);
    call.client.out.ok();
    Ok(())
}

fn replicate(call: &mut Call<'_, '_>) -> Done {
    let args: Vec<&[u8]> = call.args.from(2).iter().collect();
    call.core.log(call.client.db, &args, true);
    call.client.out.ok();
    Ok(())
}

fn change_repl_id(call: &mut Call<'_, '_>) -> Done {
    let server = call.core.server;
    server.host.log(LogLevel::Notice, "The replication id changes by DEBUG CHANGE-REPL-ID");
    server.journal.set_history(History::new(replication_id(&*server.host)));
    call.client.out.ok();
    Ok(())
}
