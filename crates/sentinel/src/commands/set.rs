//! `SENTINEL SET <name> <option> <value> …`
//!
//! All pairs are read before the first takes effect, so that an error changes nothing; in the original, what stands
//! before the wrong pair is set.

use super::{Call, named_group, refuse_control_characters, span};
use crate::event::Level;
use crate::instance::GroupId;
use crate::machine::Sentinel;
use crate::text::text;
use resp::{Error, error};

/// One setting, understood.
enum Change {
    DownAfter(i64),
    FailoverTimeout(i64),
    ParallelSyncs(i64),
    RebootDownAfter(i64),
    Quorum(u32),
    NotificationScript(Vec<u8>),
    ReconfigScript(Vec<u8>),
    AuthPass(Vec<u8>),
    AuthUser(Vec<u8>),
    Rename(Vec<u8>, Vec<u8>),
}

pub(super) fn set(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let id = named_group(sentinel, call)?;
    refuse_control_characters(call, 3, "SENTINEL SET")?;
    let mut changes = Vec::new();
    let mut at = 3;
    while at < call.args.len() {
        let (change, words) = read(sentinel, call, at)?;
        changes.push((change, at, words));
        at += words;
    }
    for (change, at, words) in changes {
        let secret = matches!(change, Change::AuthPass(_));
        apply(sentinel, id, change, call);
        let mut what = text!(" ", call.args.at(at));
        for place in at + 1..at + words {
            let value = if secret { b"******" } else { call.args.at(place) };
            what = text!(what, " ", value);
        }
        let primary = sentinel.group(id).primary;
        sentinel.notify(Level::Warning, "+set", primary, what, call.out);
    }
    sentinel.saving.dirty = true;
    call.reply.ok();
    Ok(())
}

/// The setting that begins at `at`, and how many words it has.
fn read(sentinel: &Sentinel, call: &mut Call<'_>, at: usize) -> Result<(Change, usize), Error> {
    let option = call.args.at(at);
    let lower = String::from_utf8_lossy(option).to_ascii_lowercase();
    let unknown = || error::sentinel::set_option(option);
    let value = call.args.get(at + 1).ok_or_else(unknown)?;
    let bad = |value: &[u8]| error::sentinel::set_value(value, option);
    let positive = || span(value, 1).ok_or_else(|| bad(value));
    let change = match lower.as_str() {
        "down-after-milliseconds" => Change::DownAfter(positive()?),
        "failover-timeout" => Change::FailoverTimeout(positive()?),
        "parallel-syncs" => Change::ParallelSyncs(positive()?),
        "quorum" => Change::Quorum(positive()?.try_into().map_err(|_| bad(value))?),
        "primary-reboot-down-after-period" | "master-reboot-down-after-period" => {
            Change::RebootDownAfter(span(value, 0).ok_or_else(|| bad(value))?)
        }
        "notification-script" => {
            check_script(sentinel, call, value, error::sentinel::NOTIFICATION_SCRIPT)?;
            Change::NotificationScript(value.to_vec())
        }
        "client-reconfig-script" => {
            check_script(sentinel, call, value, error::sentinel::RECONFIG_SCRIPT)?;
            Change::ReconfigScript(value.to_vec())
        }
        "auth-pass" => Change::AuthPass(value.to_vec()),
        "auth-user" => Change::AuthUser(value.to_vec()),
        "rename-command" => {
            let new = call.args.get(at + 2).ok_or_else(unknown)?;
            if value.is_empty() || new.is_empty() {
                return Err(bad(b""));
            }
            return Ok((Change::Rename(value.to_ascii_uppercase(), new.to_vec()), 3));
        }
        _ => return Err(unknown()),
    };
    Ok((change, 2))
}

fn check_script(sentinel: &Sentinel, call: &mut Call<'_>, path: &[u8], missing: Error) -> Result<(), Error> {
    if sentinel.deny_scripts_reconfig {
        return Err(error::sentinel::SCRIPTS_DENIED);
    }
    if !path.is_empty() && !call.world.is_executable(path) {
        return Err(missing);
    }
    Ok(())
}

fn apply(sentinel: &mut Sentinel, id: GroupId, change: Change, call: &mut Call<'_>) {
    let group = sentinel.group_mut(id);
    let some = |value: Vec<u8>| Some(value).filter(|value| !value.is_empty());
    match change {
        Change::DownAfter(span) => sentinel.set_down_after(id, span),
        Change::FailoverTimeout(span) => group.failover_timeout = span,
        Change::ParallelSyncs(count) => group.parallel_syncs = count,
        Change::RebootDownAfter(span) => group.reboot_down_after = span,
        Change::Quorum(quorum) => group.quorum = quorum,
        Change::NotificationScript(path) => group.notification_script = some(path),
        Change::ReconfigScript(path) => group.reconfig_script = some(path),
        Change::AuthPass(password) => {
            group.auth.set_password(&password);
            drop_connections(sentinel, id, call);
        }
        Change::AuthUser(user) => {
            group.auth.set_user(&user);
            drop_connections(sentinel, id, call);
        }
        Change::Rename(old, new) => {
            if old.eq_ignore_ascii_case(&new) {
                group.renamed.remove(&old);
            } else {
                group.renamed.insert(old, new);
            }
        }
    }
}

/// The servers are logged in to again, with the new name or password.
fn drop_connections(sentinel: &mut Sentinel, id: GroupId, call: &mut Call<'_>) {
    let group = sentinel.group(id);
    let servers: Vec<_> = group.replicas.values().chain([&group.primary]).copied().collect();
    for server in servers {
        sentinel.close_both(server, call.out);
    }
}
