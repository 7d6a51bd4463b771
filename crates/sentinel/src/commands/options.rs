//! `SENTINEL CONFIG GET` and `SET`: settings of the Sentinel as a whole.

use super::{Call, refuse_control_characters, span};
use crate::event::{Action, Level};
use crate::machine::Sentinel;
use crate::settings::yes;
use crate::text::text;
use resp::{Error, error};

/// In the order in which they are shown.
const OPTIONS: &[&str] = &[
    "resolve-hostnames",
    "announce-hostnames",
    "announce-ip",
    "announce-port",
    "sentinel-user",
    "sentinel-pass",
    "loglevel",
    "dead-grace-ms",
];

pub(super) fn config(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let action = call.args.at(2);
    if action.eq_ignore_ascii_case(b"set") && call.args.len() >= 5 {
        set(sentinel, call)
    } else if action.eq_ignore_ascii_case(b"get") {
        get(sentinel, call);
        Ok(())
    } else {
        Err(error::sentinel::CONFIG_SUBCOMMAND)
    }
}

fn value_of(sentinel: &Sentinel, option: &str) -> Vec<u8> {
    let yes_no = |on: bool| if on { b"yes".to_vec() } else { b"no".to_vec() };
    match option {
        "resolve-hostnames" => yes_no(sentinel.names.resolve),
        "announce-hostnames" => yes_no(sentinel.names.announce),
        "announce-ip" => sentinel.announce_ip.clone().unwrap_or_default(),
        "announce-port" => text!(sentinel.announce_port),
        "sentinel-user" => sentinel.auth.user.clone().unwrap_or_default(),
        "sentinel-pass" => sentinel.auth.password.clone().unwrap_or_default(),
        "loglevel" => sentinel.log_level.name().as_bytes().to_vec(),
        _ => text!(sentinel.dead_grace),
    }
}

fn get(sentinel: &Sentinel, call: &mut Call<'_>) {
    let at = call.reply.deferred();
    let mut shown: Vec<&str> = Vec::new();
    for place in 3..call.args.len() {
        for option in OPTIONS {
            let matches = structures::glob::matches_nocase(call.args.at(place), option.as_bytes());
            if matches && !shown.contains(option) {
                shown.push(option);
                call.reply.bulk(option.as_bytes());
                call.reply.bulk(&value_of(sentinel, option));
            }
        }
    }
    call.reply.set_map_len(at, shown.len());
}

fn set(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    refuse_control_characters(call, 3, "SENTINEL CONFIG SET")?;
    let mut pairs: Vec<(&str, &[u8])> = Vec::new();
    let mut at = 3;
    while at < call.args.len() {
        let given = call.args.at(at);
        let known = OPTIONS.iter().find(|option| option.as_bytes().eq_ignore_ascii_case(given));
        let option = *known.ok_or_else(|| error::sentinel::config_set_unknown(given))?;
        if pairs.iter().any(|(before, _)| *before == option) {
            return Err(error::sentinel::config_set_twice(given));
        }
        let value = call.args.get(at + 1).ok_or_else(|| error::sentinel::config_set_missing(given))?;
        let valid = match option {
            "resolve-hostnames" | "announce-hostnames" => yes(value).is_some(),
            "announce-port" => span(value, 0).is_some_and(|port| port <= 65535),
            "loglevel" => Level::parse(value).is_some(),
            "dead-grace-ms" => span(value, 0).is_some(),
            _ => true,
        };
        if !valid {
            return Err(error::sentinel::config_set_value(value, given));
        }
        pairs.push((option, value));
        at += 2;
    }
    for (option, value) in pairs {
        apply(sentinel, option, value, call.out);
    }
    sentinel.saving.dirty = true;
    call.reply.ok();
    Ok(())
}

fn apply(sentinel: &mut Sentinel, option: &str, value: &[u8], out: &mut crate::Outbox) {
    let on = yes(value).unwrap_or(false);
    let number = span(value, 0).unwrap_or(0);
    match option {
        "resolve-hostnames" => sentinel.names.resolve = on,
        "announce-hostnames" => sentinel.names.announce = on,
        "announce-ip" => sentinel.announce_ip = Some(value.to_vec()).filter(|ip| !ip.is_empty()),
        "announce-port" => sentinel.announce_port = u16::try_from(number).unwrap_or(0),
        "sentinel-user" => {
            sentinel.auth.set_user(value);
            drop_connections(sentinel, out);
        }
        "sentinel-pass" => {
            sentinel.auth.set_password(value);
            drop_connections(sentinel, out);
        }
        "loglevel" => {
            let level = Level::parse(value).unwrap_or(Level::Notice);
            sentinel.log_level = level;
            out.push(Action::SetLogLevel { level });
        }
        _ => sentinel.dead_grace = number,
    }
}

/// The other Sentinels are logged in to again.
fn drop_connections(sentinel: &mut Sentinel, out: &mut crate::Outbox) {
    let others: Vec<_> = sentinel.groups.values().flat_map(|group| group.sentinels.values().copied()).collect();
    for other in others {
        sentinel.close_both(other, out);
    }
}
