//! SAVE, BGSAVE, LASTSAVE, SHUTDOWN.

use resp::error;
use resp::log_text;
use session::{Flag, Waiting};

use super::client::line;
use super::{Call, ControlBinding, Done, free, world};
use crate::admission::PRODUCT;
use crate::saving;
use crate::server::LogLevel;
use crate::shutdown::{self, Wish};

pub(super) const TABLE: &[ControlBinding] = &[
    world("save", save),
    world("bgsave", bgsave),
    world("bgrewriteaof", bgrewriteaof),
    free("lastsave", lastsave),
    free("shutdown", end),
];

/// SAVE is a BGSAVE whose client waits; the others go on. Beside a rewrite of the append-only file, or a copy that replicas
/// are being sent, its turn comes after that.
fn save(call: &mut Call<'_, '_>) -> Done {
    let beside = call.core.server.saving.lock().current.as_ref().is_some_and(|current| !current.is_dump());
    if !beside {
        saving::begin(call.core)?;
    }
    let mut saving = call.core.server.saving.lock();
    saving.scheduled |= beside;
    saving.wait(call.client.id(), call.core.me);
    drop(saving);
    call.client.waiting = Waiting::Action;
    Ok(())
}

fn bgsave(call: &mut Call<'_, '_>) -> Done {
    let server = call.core.server;
    let mut schedule = false;
    match call.args.get(1) {
        None => {}
        Some(word) if call.args.len() == 2 && word.eq_ignore_ascii_case(b"schedule") => schedule = true,
        Some(word) if call.args.len() == 2 && word.eq_ignore_ascii_case(b"cancel") => return cancel(call),
        Some(_) => return Err(error::common::SYNTAX),
    }
    let busy = server.saving.lock().current.as_ref().map(saving::Current::is_snapshot);
    match busy {
        Some(true) => return Err(error::persistence::SAVE_IN_PROGRESS),
        // What a transaction has done so far is not in the journal yet, so its middle is no place for a cut.
        _ if schedule && busy.is_some() || call.core.in_exec => {
            server.saving.lock().scheduled = true;
            server.host.log(LogLevel::Notice, log_text::snapshot::SCHEDULED);
            call.client.out.status("Background saving scheduled");
        }
        Some(false) => return Err(error::persistence::CHILD_ACTIVE),
        None => {
            saving::begin(call.core)?;
            call.client.out.status("Background saving started");
        }
    }
    Ok(())
}

fn cancel(call: &mut Call<'_, '_>) -> Done {
    let server = call.core.server;
    let mut saving = server.saving.lock();
    if saving.current.as_ref().is_some_and(saving::Current::is_snapshot) {
        drop(saving);
        server.host.log(LogLevel::Notice, log_text::snapshot::BACKGROUND_CANCELLED);
        saving::give_up_dump(server);
        call.client.out.status("Background saving cancelled");
    } else if saving.unschedule(server) {
        server.host.log(LogLevel::Notice, log_text::snapshot::CANCELLED);
        call.client.out.status("Scheduled background saving cancelled");
    } else {
        return Err(error::persistence::NOTHING_TO_CANCEL);
    }
    Ok(())
}

fn bgrewriteaof(call: &mut Call<'_, '_>) -> Done {
    let server = call.core.server;
    let mut saving = server.saving.lock();
    let rewrites = saving.current.as_ref().is_some_and(|current| current.is_rewrite() && !current.cancelled);
    let started = if rewrites || saving.rewrites.promised {
        return Err(error::persistence::REWRITE_IN_PROGRESS);
    } else if saving.current.is_some() || call.core.in_exec {
        saving.ask_rewrite()
    } else {
        drop(saving);
        saving::begin_rewrite(call.core)?;
        true
    };
    call.client.out.status(match started {
        true => "Background append only file rewriting started",
        false => "Background append only file rewriting scheduled",
    });
    Ok(())
}

fn lastsave(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(call.core.server.saving.lock().last_save);
    Ok(())
}

fn end(call: &mut Call<'_, '_>) -> Done {
    let (mut wish, mut abort) = (Wish::default(), false);
    for word in call.args.from(1).iter() {
        match word.to_ascii_lowercase().as_slice() {
            b"save" => wish.save = true,
            b"nosave" => wish.nosave = true,
            b"force" => wish.force = true,
            b"now" => wish.now = true,
            b"abort" => abort = true,
            b"safe" => wish.safe = true,
            b"failover" => wish.failover = true,
            _ => return Err(error::common::SYNTAX),
        }
    }
    if (wish.save && wish.nosave) || (abort && call.args.len() > 2) {
        return Err(error::common::SYNTAX);
    }
    if wish.failover && call.core.server.cluster.is_none() {
        return Err(error::server::SHUTDOWN_FAILOVER);
    }
    let server = call.core.server;
    if abort {
        if !shutdown::abort(server) {
            return Err(error::server::SHUTDOWN_NOT_RUNNING);
        }
        call.client.out.ok();
        return Ok(());
    }
    if !wish.nosave && server.busy.is_busy() {
        return Err(error::common::busy_script(PRODUCT));
    }
    if server.busy.is_busy() {
        // The unit that runs would keep the world from whoever would go about it more carefully.
        server.host.log(LogLevel::Warning, log_text::shutdown::REQUESTED);
        server.stop(0);
        call.client.close_after_reply = true;
        return Ok(());
    }
    let who = line::describe(call.core, &call.client.card);
    call.client.waiting = Waiting::Action;
    call.client.card.set(Flag::Blocked, true);
    shutdown::request(server, wish, Some((call.client.id(), call.core.me)), Some(&who));
    Ok(())
}
