//! CLIENT: what connections say about themselves, and what may be done with others'.
//!
//! What is read of other clients stands in their cards, and what is told them goes by letter, so no subcommand waits for
//! another thread. A client that was killed is gone from every list when the reply leaves, and executes nothing more,
//! though its socket may be closed a moment later.

pub mod filter;
pub mod line;
mod pause;

use resp::error;
use session::{Flag, ReplyMode};
use structures::number;

use super::connection::check_name;
use super::{Call, ControlBinding, Done, free, world};
use filter::Filter;

pub(super) const TABLE: &[ControlBinding] = &[
    free("client|capa", capa),
    free("client|getname", getname),
    free("client|getredir", getredir),
    free("client|help", super::help::help),
    free("client|id", id),
    free("client|import-source", import_source),
    free("client|info", info),
    free("client|kill", kill),
    free("client|list", list),
    free("client|no-evict", no_evict),
    free("client|no-touch", no_touch),
    world("client|pause", pause::pause),
    free("client|reply", reply),
    free("client|setinfo", setinfo),
    free("client|setname", setname),
    free("client|trackinginfo", trackinginfo),
    free("client|unblock", unblock),
    world("client|unpause", pause::unpause),
];

fn id(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(call.client.id() as i64);
    Ok(())
}

fn getname(call: &mut Call<'_, '_>) -> Done {
    let name = call.client.card.texts.lock().name.clone();
    match name.is_empty() {
        true => call.client.out.null(),
        false => call.client.out.bulk(&name),
    }
    Ok(())
}

fn setname(call: &mut Call<'_, '_>) -> Done {
    let name = call.args.at(2);
    check_name(name)?;
    call.client.card.texts.lock().name = name.to_vec();
    call.client.out.ok();
    Ok(())
}

fn setinfo(call: &mut Call<'_, '_>) -> Done {
    let (attribute, value) = (call.args.at(2), call.args.at(3));
    let mut texts = call.client.card.texts.lock();
    let place = match attribute.to_ascii_lowercase().as_slice() {
        b"lib-name" => &mut texts.lib_name,
        b"lib-ver" => &mut texts.lib_ver,
        _ => return Err(error::client::setinfo_option(attribute)),
    };
    check_name(value).map_err(|_| error::client::setinfo_value(attribute))?;
    *place = value.to_vec();
    drop(texts);
    call.client.out.ok();
    Ok(())
}

fn info(call: &mut Call<'_, '_>) -> Done {
    let line = line::line(call.core, &call.client.card, false) + "\n";
    call.client.out.verbatim(b"txt", line.as_bytes());
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let filter = match call.args.len() {
        2 => Filter::default(),
        3 => return Err(error::common::SYNTAX),
        _ => Filter::parse(call.core, call.args, false)?,
    };
    let (me, now) = (call.client.id(), call.core.server.engine.now().0);
    let mut text = String::new();
    for card in call.core.server.cards.all().iter().filter(|card| filter.matches(card, me, now)) {
        text += &line::line(call.core, card, false);
        text.push('\n');
    }
    call.client.out.verbatim(b"txt", text.as_bytes());
    Ok(())
}

fn kill(call: &mut Call<'_, '_>) -> Done {
    let old_form = call.args.len() == 3;
    let filter = match old_form {
        true => Filter::address(call.args.at(2)),
        false => Filter::parse(call.core, call.args, true)?,
    };
    let (me, now) = (call.client.id(), call.core.server.engine.now().0);
    let mut killed = 0;
    for card in call.core.server.cards.all().iter().filter(|card| filter.matches(card, me, now)) {
        if card.id == me {
            call.client.close_after_reply = true;
            killed += 1;
        } else {
            killed += i64::from(call.core.server.kill(card));
        }
    }
    match (old_form, killed) {
        (false, _) => call.client.out.integer(killed),
        (true, 0) => return Err(error::client::NO_SUCH_CLIENT),
        (true, _) => call.client.out.ok(),
    }
    Ok(())
}

fn unblock(call: &mut Call<'_, '_>) -> Done {
    let error = match call.args.get(3).map(<[u8]>::to_ascii_lowercase).as_deref() {
        None | Some(b"timeout") => None,
        Some(b"error") => Some(error::client::UNBLOCKED),
        Some(_) => return Err(error::client::UNBLOCK_REASON),
    };
    if call.args.len() > 4 {
        return Err(error::common::wrong_arity(call.row.fullname));
    }
    let id = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    let server = call.core.server;
    let ended = server.cards.get(id as u64).is_some_and(|card| server.unblock(&card, error));
    call.client.out.integer(i64::from(ended));
    Ok(())
}

fn reply(call: &mut Call<'_, '_>) -> Done {
    match call.args.at(2).to_ascii_lowercase().as_slice() {
        b"on" => {
            call.client.reply_mode = ReplyMode::On;
            call.client.out.ok();
        }
        b"off" => call.client.reply_mode = ReplyMode::Off,
        b"skip" => {
            if call.client.reply_mode != ReplyMode::Off {
                call.client.reply_mode = ReplyMode::SkipNext;
            }
        }
        _ => return Err(error::common::SYNTAX),
    }
    Ok(())
}

fn switch(call: &mut Call<'_, '_>, flag: Flag) -> Done {
    let on = match call.args.at(2).to_ascii_lowercase().as_slice() {
        b"on" => true,
        b"off" => false,
        _ => return Err(error::common::SYNTAX),
    };
    call.client.card.set(flag, on);
    call.client.out.ok();
    Ok(())
}

fn no_evict(call: &mut Call<'_, '_>) -> Done {
    switch(call, Flag::NoEvict)
}

fn no_touch(call: &mut Call<'_, '_>) -> Done {
    switch(call, Flag::NoTouch)
}

/// While data are imported from another server, only the connection that brings them sees keys whose time has come.
fn import_source(call: &mut Call<'_, '_>) -> Done {
    let off = call.args.at(2).eq_ignore_ascii_case(b"off");
    if !off && !call.core.control().config.replication.import_mode {
        return Err(error::client::NOT_IMPORTING);
    }
    switch(call, Flag::ImportSource)
}

/// Capabilities that we do not know are passed over, so that newer clients can claim theirs.
fn capa(call: &mut Call<'_, '_>) -> Done {
    for word in call.args.from(2).iter() {
        if word.eq_ignore_ascii_case(b"redirect") {
            call.client.card.set(Flag::CapaRedirect, true);
        }
    }
    call.client.out.ok();
    Ok(())
}

/// Where invalidations go: -1, tracking is off.
fn getredir(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(-1);
    Ok(())
}

/// The state of tracking, which is off.
fn trackinginfo(call: &mut Call<'_, '_>) -> Done {
    let out = &mut call.client.out;
    out.map(3);
    out.bulk(b"flags");
    out.set(1);
    out.bulk(b"off");
    out.bulk(b"redirect");
    out.integer(-1);
    out.bulk(b"prefixes");
    out.array(0);
    Ok(())
}

#[cfg(test)]
mod tests;
