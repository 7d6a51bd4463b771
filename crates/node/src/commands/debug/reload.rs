//! DEBUG RELOAD, LOADAOF: what a restart would bring back.
//!
//! The command has the world from the beginning to the end, so nobody sees half of the data, and no change falls between
//! what is written and what is read. The stream goes on where it was: replicas notice nothing.

use std::sync::atomic::Ordering;

use resp::error;
use resp::log_text;

use super::{MANY, Sub, sub};
use crate::commands::{Call, Done};
use crate::loading::{self, How};
use crate::saving;
use crate::server::LogLevel;

pub(super) const SUBS: &[Sub] = &[
    sub(
        "reload",
        "[MERGE] [NOFLUSH] [NOSAVE]",
        "Save the snapshot file, delete all data, and load the file.",
        (2, MANY),
        false,
        reload,
    ),
    sub("loadaof", "", "Delete all data and load the append-only file.", (2, 2), false, loadaof),
];

fn reload(call: &mut Call<'_, '_>) -> Done {
    let (mut merge, mut flush, mut save) = (false, true, true);
    for word in call.args.from(2).iter() {
        match word.to_ascii_lowercase().as_slice() {
            b"merge" => merge = true,
            b"noflush" => flush = false,
            b"nosave" => save = false,
            _ => return Err(error::debug::RELOAD_OPTIONS),
        }
    }
    let core = &mut *call.core;
    let server = core.server;
    if save {
        saving::give_up_dump(server);
        if let Err(reason) = saving::save_alone(core) {
            server.host.log(LogLevel::Warning, &reason);
            return Err(error::common::BARE);
        }
    }
    let how = How { keep_expired: true, flush, no_duplicates: !flush && !merge, ..How::default() };
    if let Err(reason) = server.host.load_snapshot(core, how) {
        server.host.log(LogLevel::Warning, &reason);
        return Err(error::debug::RELOAD_RDB);
    }
    server.host.log(LogLevel::Notice, log_text::snapshot::RELOADED);
    call.client.out.ok();
    Ok(())
}

fn loadaof(call: &mut Call<'_, '_>) -> Done {
    let core = &mut *call.core;
    let server = core.server;
    let config = core.control().config.clone();
    if let Err(reason) = server.host.flush_journal(server.journal.end().0, &config) {
        server.host.log(LogLevel::Warning, &reason);
        return Err(error::debug::RELOAD_AOF);
    }
    loading::flush(core);
    if let Err(reason) = server.host.load_aof(core) {
        server.host.log(LogLevel::Warning, &reason);
        return Err(error::debug::RELOAD_AOF);
    }
    server.dirty.store(0, Ordering::Relaxed);
    server.host.log(LogLevel::Notice, log_text::aof::RELOADED);
    call.client.out.ok();
    Ok(())
}
