//! From lines to a machine.
//!
//! Lines may stand in any order, so they are read in three passes: what concerns all groups, the groups, the rest. An
//! error names the line as it stands in the file.

use crate::address::AddrError;
use crate::event::World;
use crate::hello::{epoch, is_runid};
use crate::instance::{GroupId, Ms};
use crate::machine::Sentinel;
use crate::reset::CreateError;
use crate::text::has_control_characters;
use config::{Line, LineError, Reason};

const NO_GROUP: Reason = Reason::fixed("No such master with specified name.");
const TIME: Reason = Reason::fixed("negative or zero time parameter.");
const NEGATIVE_TIME: Reason = Reason::fixed("negative time parameter.");
const QUORUM: Reason = Reason::fixed("Quorum must be 1 or greater.");
const UNKNOWN: Reason = Reason::fixed("Unrecognized sentinel configuration statement.");
const MALFORMED_ID: Reason = Reason::fixed("Malformed Sentinel id in myid option.");
const MALFORMED_EPOCH: Reason = Reason::fixed("Malformed or unbelievable epoch.");
const NOTIFICATION_SCRIPT: Reason = Reason::fixed("Notification script seems non existing or non executable.");
const RECONFIG_SCRIPT: Reason = Reason::fixed("Client reconfiguration script seems non existing or non executable.");
const RENAMED_TWICE: Reason = Reason::fixed("Same command renamed multiple times with rename-command.");
const DENY_SCRIPTS: Reason = Reason::fixed("Please specify yes or no for the deny-scripts-reconfig options.");
const RESOLVE: Reason = Reason::fixed("Please specify yes or no for the resolve-hostnames option.");
const ANNOUNCE: Reason = Reason::fixed("Please specify yes or no for the announce-hostnames option.");
const PARALLEL: Reason = Reason::fixed("parallel-syncs must be an integer.");
const CONTROL: Reason = Reason::fixed("Control characters are not allowed.");
const PORT: Reason = Reason::fixed("Invalid port number.");
const HOST: Reason = Reason::fixed("Can't resolve instance hostname.");

/// Settings of the Sentinel as a whole, on which the others depend.
const FIRST: &[&str] = &[
    "announce-ip",
    "announce-port",
    "deny-scripts-reconfig",
    "sentinel-user",
    "sentinel-pass",
    "current-epoch",
    "myid",
    "resolve-hostnames",
    "announce-hostnames",
    "dead-grace-ms",
];

pub(crate) fn read(sentinel: &mut Sentinel, lines: &[Line], world: &mut dyn World) -> Result<(), LineError> {
    for pass in 0..3 {
        for line in lines {
            let words = lowered(line);
            let of_pass = match words.first().map(|(name, _)| name.as_str()) {
                Some(name) if FIRST.contains(&name) => 0,
                Some("monitor") => 1,
                _ => 2,
            };
            if of_pass == pass {
                read_line(sentinel, line, world).map_err(|why| line.refuse(why))?;
            }
        }
    }
    Ok(())
}

/// The line's words behind `sentinel`, each in lower case and as it is.
fn lowered(line: &Line) -> Vec<(String, &[u8])> {
    let lower = |word: &Vec<u8>| String::from_utf8_lossy(word).to_ascii_lowercase();
    line.words.iter().skip(1).map(|word| (lower(word), word.as_slice())).collect()
}

fn read_line(sentinel: &mut Sentinel, line: &Line, world: &mut dyn World) -> Result<(), Reason> {
    let words = lowered(line);
    let Some((name, _)) = words.first() else { return Err(UNKNOWN) };
    let values: Vec<&[u8]> = words[1..].iter().map(|(_, value)| *value).collect();
    if values.iter().any(|value| has_control_characters(value)) {
        return Err(CONTROL);
    }
    match (name.as_str(), values.as_slice()) {
        ("monitor", [name, host, port, quorum]) => {
            let quorum = number(quorum).and_then(|n| u32::try_from(n).ok()).filter(|n| *n > 0).ok_or(QUORUM)?;
            let port = number(port).ok_or(PORT)?;
            sentinel.add_group(name, host, port, quorum).map(drop).map_err(|why| create(why, "Duplicate master name."))
        }
        (_, [_]) => read_own(sentinel, name, values[0]),
        (_, [group, rest @ ..]) => {
            let id = sentinel.group_named(group).ok_or(NO_GROUP);
            // An unknown statement is worse than an unknown group.
            read_of_group(sentinel, id, name, rest, world)
        }
        _ => Err(UNKNOWN),
    }
}

/// A setting of the Sentinel as a whole.
fn read_own(sentinel: &mut Sentinel, name: &str, value: &[u8]) -> Result<(), Reason> {
    match name {
        "myid" if is_runid(value) => sentinel.myid = value.to_vec(),
        "myid" => return Err(MALFORMED_ID),
        "current-epoch" => {
            let epoch = epoch(value).ok_or(MALFORMED_EPOCH)?;
            sentinel.current_epoch = sentinel.current_epoch.max(epoch);
        }
        "announce-ip" => sentinel.announce_ip = Some(value.to_vec()).filter(|ip| !ip.is_empty()),
        "announce-port" => {
            sentinel.announce_port = number(value).and_then(|n| u16::try_from(n).ok()).ok_or(PORT)?;
        }
        "sentinel-user" => sentinel.auth.set_user(value),
        "sentinel-pass" if !value.is_empty() => sentinel.auth.set_password(value),
        "sentinel-pass" => {}
        "deny-scripts-reconfig" => sentinel.deny_scripts_reconfig = yes(value).ok_or(DENY_SCRIPTS)?,
        "resolve-hostnames" => sentinel.names.resolve = yes(value).ok_or(RESOLVE)?,
        "announce-hostnames" => sentinel.names.announce = yes(value).ok_or(ANNOUNCE)?,
        "dead-grace-ms" => sentinel.dead_grace = number(value).filter(|n| *n >= 0).ok_or(NEGATIVE_TIME)?,
        _ => return Err(UNKNOWN),
    }
    Ok(())
}

/// A setting, or a piece of state, of one group.
fn read_of_group(
    sentinel: &mut Sentinel,
    id: Result<GroupId, Reason>,
    name: &str,
    values: &[&[u8]],
    world: &mut dyn World,
) -> Result<(), Reason> {
    match (name, values) {
        ("down-after-milliseconds", [span]) => sentinel.set_down_after(id?, time(span)?),
        ("failover-timeout", [span]) => sentinel.group_mut(id?).failover_timeout = time(span)?,
        ("parallel-syncs", [count]) => sentinel.group_mut(id?).parallel_syncs = number(count).ok_or(PARALLEL)?,
        ("notification-script", [path]) => {
            let id = id?;
            if !world.is_executable(path) {
                return Err(NOTIFICATION_SCRIPT);
            }
            sentinel.group_mut(id).notification_script = Some(path.to_vec());
        }
        ("client-reconfig-script", [path]) => {
            let id = id?;
            if !world.is_executable(path) {
                return Err(RECONFIG_SCRIPT);
            }
            sentinel.group_mut(id).reconfig_script = Some(path.to_vec());
        }
        ("auth-pass", [password]) => sentinel.group_mut(id?).auth.set_password(password),
        ("auth-user", [user]) => sentinel.group_mut(id?).auth.set_user(user),
        ("config-epoch", [text]) => {
            let id = id?;
            let epoch = epoch(text).ok_or(MALFORMED_EPOCH)?;
            sentinel.group_mut(id).config_epoch = epoch;
            sentinel.current_epoch = sentinel.current_epoch.max(epoch);
        }
        ("leader-epoch", [text]) => sentinel.group_mut(id?).leader_epoch = epoch(text).ok_or(MALFORMED_EPOCH)?,
        ("known-slave" | "known-replica", [host, port]) => {
            let id = id?;
            let port = number(port).ok_or(PORT)?;
            let addr = sentinel.names.addr(host, port).map_err(bad_addr)?;
            let duplicate = Reason::fixed("Duplicate hostname and port for replica.");
            sentinel.add_replica(id, addr).ok_or(duplicate)?;
        }
        // The oldest form has no run ID, and is of no use.
        ("known-sentinel", [_, _]) => {}
        ("known-sentinel", [host, port, runid]) => {
            let id = id?;
            let port = number(port).ok_or(PORT)?;
            let addr = sentinel.names.addr(host, port).map_err(bad_addr)?;
            let duplicate = Reason::fixed("Duplicate runid for sentinel.");
            // Nothing is connected yet, so nothing has to be closed.
            sentinel.add_sentinel(id, runid, addr, &mut crate::Outbox::new()).ok_or(duplicate)?;
        }
        ("rename-command", [old, new]) => {
            let before = sentinel.group_mut(id?).renamed.insert(old.to_ascii_uppercase(), new.to_vec());
            if before.is_some() {
                return Err(RENAMED_TWICE);
            }
        }
        ("primary-reboot-down-after-period" | "master-reboot-down-after-period", [span]) => {
            sentinel.group_mut(id?).reboot_down_after = number(span).filter(|n| *n >= 0).ok_or(NEGATIVE_TIME)?;
        }
        _ => return Err(UNKNOWN),
    }
    Ok(())
}

fn create(why: CreateError, duplicate: &'static str) -> Reason {
    match why {
        CreateError::Duplicate => Reason::fixed(duplicate),
        CreateError::Addr(why) => bad_addr(why),
    }
}

fn bad_addr(why: AddrError) -> Reason {
    match why {
        AddrError::Port => PORT,
        AddrError::Host => HOST,
    }
}

fn number(text: &[u8]) -> Option<i64> {
    resp::integer::parse(text)
}

fn time(text: &[u8]) -> Result<Ms, Reason> {
    // As wide as the original's int, so that sums of times stay far from the end of 64 bits.
    number(text).filter(|n| (1..=i64::from(i32::MAX)).contains(n)).ok_or(TIME)
}

pub(crate) fn yes(text: &[u8]) -> Option<bool> {
    match text.to_ascii_lowercase().as_slice() {
        b"yes" => Some(true),
        b"no" => Some(false),
        _ => None,
    }
}
