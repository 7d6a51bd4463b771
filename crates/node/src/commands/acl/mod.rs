//! ACL: users, what they may do, and what they were denied.
//!
//! Users are part of the control value, so SETUSER, DELUSER and LOAD run alone: when their reply leaves, no command that the
//! former users were allowed can still run. Clients whose user is gone are closed, and so are subscribers whose user has lost
//! one of their channels.

mod file;
mod log;

use std::sync::Arc;

use ::acl::{Asked, Selector, User, Users, Vocabulary, allows_channel};
use command::registry::Lookup;
use command::row::Categories;
use config::directives::security::PubsubDefault;
use pubsub::Kind;
use resp::error;
use resp::reply::Reply;
use session::ClientKind;
use structures::number;

use super::{Call, ControlBinding, Done, free, world};
use crate::admission;
use crate::execute::Core;

pub use file::{at_start, declared};

pub(super) const TABLE: &[ControlBinding] = &[
    free("acl|cat", cat),
    world("acl|deluser", deluser),
    free("acl|dryrun", dryrun),
    free("acl|genpass", genpass),
    free("acl|getuser", getuser),
    free("acl|help", super::help::help),
    free("acl|list", list),
    world("acl|load", file::load),
    free("acl|log", log::log),
    free("acl|save", file::save),
    world("acl|setuser", setuser),
    free("acl|users", users),
    free("acl|whoami", whoami),
];

/// What rules may refer to here.
pub(crate) fn words<'s>(core: &mut Core<'s>) -> Vocabulary<'s> {
    let all_channels = core.control().config.security.acl_pubsub_default == PubsubDefault::AllChannels;
    Vocabulary { registry: &core.server.registry, all_channels }
}

fn whoami(call: &mut Call<'_, '_>) -> Done {
    let user = call.client.card.texts.lock().user.clone();
    call.client.out.bulk(&user);
    Ok(())
}

fn users(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    call.client.out.array(control.users.iter().len());
    control.users.iter().for_each(|user| call.client.out.bulk(&user.name));
    Ok(())
}

fn list(call: &mut Call<'_, '_>) -> Done {
    let lines = ::acl::lines(&call.core.control().users);
    call.client.out.array(lines.len());
    lines.iter().for_each(|line| call.client.out.bulk(line));
    Ok(())
}

fn setuser(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let rules: Vec<&[u8]> = call.args.from(3).iter().collect();
    let words = words(call.core);
    let users = control.users.with(call.args.at(2), &rules, words).map_err(|refused| refused.error())?;
    replace(call, users);
    call.client.out.ok();
    Ok(())
}

fn deluser(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    if call.args.from(2).iter().any(|name| name == ::acl::DEFAULT_USER) {
        return Err(error::acl::DEFAULT_USER);
    }
    let mut users = Users::clone(&control.users);
    let mut gone = 0;
    for name in call.args.from(2).iter() {
        if let Some(fewer) = users.without(name) {
            users = fewer;
            gone += 1;
        }
    }
    if gone > 0 {
        replace(call, users);
    }
    call.client.out.integer(gone);
    Ok(())
}

/// Publishes other users, and closes the clients that could not be there under them.
fn replace(call: &mut Call<'_, '_>, users: Users) {
    let before = call.core.control().users.clone();
    let users = Arc::new(users);
    let published = users.clone();
    call.core.publish_control(|control| control.users = published);
    let server = call.core.server;
    for card in server.cards.all() {
        let name = card.texts.lock().user.clone();
        let (Some(old), new) = (before.named(&name), users.named(&name)) else { continue };
        let stays = match new {
            _ if card.kind() == ClientKind::Primary => true,
            None => false,
            Some(_) if card.kind() != ClientKind::PubSub => true,
            Some(new) => new.channels_left(old).is_none_or(|left| keeps_channels(call.core, card.id, &left)),
        };
        if stays {
            continue;
        }
        if card.id == call.client.id() {
            if new.is_none() {
                super::connection::become_user(call.client, ::acl::UserId::DEFAULT, ::acl::DEFAULT_USER);
                call.client.authenticated = false;
            }
            call.client.close_after_reply = true;
        } else {
            server.kill(&card);
        }
    }
}

/// Whether all that a client has subscribed to is allowed.
fn keeps_channels(core: &Core<'_>, client: u64, allowed: &[Vec<u8>]) -> bool {
    [Kind::Channel, Kind::Pattern, Kind::Shard].into_iter().all(|kind| {
        let subscribed = core.server.pubsub.of_client(kind, client);
        subscribed.iter().all(|channel| allows_channel(allowed, channel, kind == Kind::Pattern))
    })
}

fn getuser(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let out = &mut call.client.out;
    let Some(user) = control.users.named(call.args.at(2)) else {
        out.null();
        return Ok(());
    };
    out.map(7);
    out.bulk(b"flags");
    out.set(user.flags().count());
    user.flags().for_each(|flag| out.bulk(flag.as_bytes()));
    out.bulk(b"passwords");
    out.array(user.passwords().len());
    user.passwords().iter().for_each(|hash| out.bulk(&hash.hex()));
    describe(out, user.root());
    selectors(out, user);
    Ok(())
}

fn selectors(out: &mut Reply, user: &User) {
    out.bulk(b"selectors");
    out.array(user.selectors().len());
    for selector in user.selectors() {
        out.map(4);
        describe(out, selector);
    }
}

fn describe(out: &mut Reply, selector: &Selector) {
    out.bulk(b"commands");
    out.bulk(&selector.describe_commands());
    out.bulk(b"keys");
    out.bulk(&selector.describe_keys());
    out.bulk(b"channels");
    out.bulk(&selector.describe_channels());
    out.bulk(b"databases");
    out.bulk(&selector.describe_databases());
}

/// The categories, or the commands of one.
fn cat(call: &mut Call<'_, '_>) -> Done {
    let out = &mut call.client.out;
    match call.args.get(2) {
        None => {
            let names: Vec<_> = Categories::ALL.iter().map(|(_, name)| name).filter(|name| !name.is_empty()).collect();
            out.array(names.len());
            names.iter().for_each(|name| out.bulk(name.as_bytes()));
        }
        Some(_) if call.args.len() > 3 => {
            return Err(error::common::subcommand_syntax(b"ACL", call.args.at(1)));
        }
        Some(name) => {
            let category = Categories::by_name(name).ok_or_else(|| error::acl::unknown_category(name))?;
            let server = call.core.server;
            let rows = server.registry.iter().filter(|(id, row)| server.has(*id) && row.acl().contains(category));
            let names: Vec<_> = rows.map(|(_, row)| row.fullname).collect();
            out.array(names.len());
            names.iter().for_each(|name| out.bulk(name.as_bytes()));
        }
    }
    Ok(())
}

/// A password of random hexadecimal digits, four bits each.
fn genpass(call: &mut Call<'_, '_>) -> Done {
    let bits = match call.args.get(2) {
        Some(_) if call.args.len() > 3 => return Err(error::common::subcommand_syntax(b"ACL", call.args.at(1))),
        Some(bits) => number::parse_i64(bits).ok_or(error::common::NOT_INTEGER)?,
        None => 256,
    };
    if !(1..=4096).contains(&bits) {
        return Err(error::acl::GENPASS);
    }
    let mut password = String::new();
    let digits = (bits as usize).div_ceil(4);
    while password.len() < digits {
        password += &format!("{:016x}", call.core.server.host.entropy());
    }
    call.client.out.bulk(&password.as_bytes()[..digits]);
    Ok(())
}

/// Whether a user could run a command, and if not, why.
fn dryrun(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let name = call.args.at(2);
    let id = control.users.id(name).ok_or_else(|| error::acl::no_user(name))?;
    let args = call.args.from(3);
    let registry = &call.core.server.registry;
    let Lookup::Found(command) = registry.lookup(&args) else {
        return Err(error::acl::no_command(args.at(0)));
    };
    let row = registry.row(command);
    if !row.accepts(args.len()) {
        return Err(error::common::wrong_arity(row.fullname));
    }
    let asked: Asked<'_> = admission::asked(&control, call.client, command, row, args);
    match control.users.check(id, &asked) {
        Ok(()) => call.client.out.ok(),
        Err(denied) => call.client.out.bulk(&denied.explain(name, row, &args)),
    }
    Ok(())
}

#[cfg(test)]
mod tests;
