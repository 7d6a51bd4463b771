//! What is done with a group: monitored, removed, failed over, asked about.

use super::{Call, named_group, refuse_control_characters};
use crate::address::{AddrError, literal};
use crate::event::Level;
use crate::failover::Mode;
use crate::hello::{MAX_EPOCH, is_runid};
use crate::instance::HandOver;
use crate::machine::Sentinel;
use crate::reset::CreateError;
use crate::text::text;
use resp::{Error, error};

/// `IS-MASTER-DOWN-BY-ADDR ip port epoch runid`: what others ask, and how they ask for a vote.
pub(super) fn is_down_by_addr(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let port = resp::integer::parse(call.args.at(3)).ok_or(error::common::NOT_INTEGER)?;
    let epoch = resp::integer::parse(call.args.at(4)).ok_or(error::common::NOT_INTEGER)?;
    // An epoch beyond belief would be the last one.
    let epoch = u64::try_from(epoch).ok().filter(|n| *n < MAX_EPOCH).ok_or(error::common::OUT_OF_RANGE)?;
    let candidate = call.args.at(5);
    let addr = sentinel.names.addr(call.args.at(2), port).ok();
    let asked = addr.and_then(|addr| sentinel.groups.values().find(|g| sentinel.instance(g.primary).addr.same(&addr)));
    let (mut down, mut leader, mut leader_epoch) = (false, None, 0);
    if let Some(group) = asked.map(|group| group.id) {
        let primary = sentinel.primary_of(group);
        down = sentinel.tilt.since.is_none() && (primary.s_down || sentinel.sees_dead(primary.id));
        if is_runid(candidate) {
            (leader, leader_epoch) = sentinel.vote(group, epoch, candidate, call.out);
        }
    }
    call.reply.array(3);
    call.reply.integer(down.into());
    call.reply.bulk(leader.as_deref().unwrap_or(b"*"));
    call.reply.integer(leader_epoch as i64);
    Ok(())
}

pub(super) fn check_quorum(sentinel: &Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let group = sentinel.group(named_group(sentinel, call)?);
    let voters = group.sentinels.len() + 1;
    // Who does not know us, or whom we do not, answers nothing that would help.
    let usable = |id: &&_| !sentinel.instance(**id).s_down && sentinel.link(**id).auth_error.is_none();
    let usable = 1 + group.sentinels.values().filter(usable).count();
    let (quorum, majority) = (usable < group.quorum as usize, usable < voters / 2 + 1);
    if quorum || majority {
        return Err(error::sentinel::no_quorum(usable, quorum, majority));
    }
    call.reply.status(&format!("OK {usable} usable Sentinels. Quorum and failover authorization can be reached"));
    Ok(())
}

pub(super) fn failover(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let id = named_group(sentinel, call)?;
    let primary = sentinel.group(id).primary;
    let word = call.args.get(3).unwrap_or_default();
    let insists = word.eq_ignore_ascii_case(b"force");
    let mode = match word {
        _ if call.args.len() == 3 || insists => Mode::Forced,
        _ if !word.eq_ignore_ascii_case(b"coordinated") => return Err(error::sentinel::FAILOVER_OPTION),
        _ if sentinel.instance(primary).hand_over == HandOver::Unsupported => {
            return Err(error::sentinel::FAILOVER_UNSUPPORTED);
        }
        _ => Mode::Coordinated,
    };
    if sentinel.group(id).failover.in_progress() {
        return Err(error::sentinel::FAILOVER_RUNNING);
    }
    if sentinel.candidate(id, insists).is_none() {
        return Err(error::sentinel::FAILOVER_NO_REPLICA);
    }
    let name = sentinel.group(id).name.clone();
    sentinel.log(Level::Notice, text!("Executing user requested FAILOVER of '", name, "'"), call.out);
    // For the others it is as if we had seen it down: that is how votes are asked for.
    sentinel.set_s_down(primary);
    sentinel.start_failover(id, mode, call.out);
    sentinel.group_mut(id).failover.plan.insists = insists;
    sentinel.ask_others(id, true, call.out);
    call.reply.ok();
    Ok(())
}

pub(super) fn monitor(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    refuse_control_characters(call, 2, "SENTINEL MONITOR")?;
    let quorum = resp::integer::parse(call.args.at(5)).ok_or(error::sentinel::INVALID_QUORUM)?;
    let port = resp::integer::parse(call.args.at(4)).ok_or(error::sentinel::INVALID_PORT)?;
    let quorum = u32::try_from(quorum).ok().filter(|n| *n > 0).ok_or(error::sentinel::QUORUM)?;
    let (name, host) = (call.args.at(2), call.args.at(3));
    if literal(host).is_none() {
        let ip = Some(host).filter(|_| sentinel.names.resolve).and_then(|host| call.world.resolve(host));
        sentinel.names.learn(host, ip.ok_or(error::sentinel::ADDRESS)?);
    }
    let id = sentinel.add_group(name, host, port, quorum).map_err(|why| match why {
        CreateError::Duplicate => error::sentinel::DUPLICATE_PRIMARY,
        CreateError::Addr(AddrError::Port) => error::sentinel::PORT,
        CreateError::Addr(AddrError::Host) => error::sentinel::ADDRESS,
    })?;
    sentinel.saving.dirty = true;
    let primary = sentinel.group(id).primary;
    sentinel.notify(Level::Warning, "+monitor", primary, text!(" quorum ", quorum), call.out);
    call.reply.ok();
    Ok(())
}

pub(super) fn remove(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    let id = named_group(sentinel, call)?;
    let primary = sentinel.group(id).primary;
    sentinel.notify(Level::Warning, "-monitor", primary, "", call.out);
    sentinel.remove_group(id, call.out);
    sentinel.saving.dirty = true;
    call.reply.ok();
    Ok(())
}
