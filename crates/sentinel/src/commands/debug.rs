//! `SENTINEL DEBUG`, the timings, and `SENTINEL SIMULATE-FAILURE`: for tests.

use super::{Call, span};
use crate::event::Level;
use crate::machine::{Periods, Sentinel, Simulate};
use resp::{Error, error};

/// Where a timing is kept.
type Place = fn(&mut Periods) -> &mut i64;

/// In the order in which they are shown.
const TIMINGS: &[(&str, Place)] = &[
    ("info-period", |periods| &mut periods.info),
    ("ping-period", |periods| &mut periods.ping),
    ("ask-period", |periods| &mut periods.ask),
    ("publish-period", |periods| &mut periods.publish),
    ("default-down-after", |periods| &mut periods.default_down_after),
    ("default-failover-timeout", |periods| &mut periods.default_failover_timeout),
    ("tilt-trigger", |periods| &mut periods.tilt_trigger),
    ("tilt-period", |periods| &mut periods.tilt),
    ("slave-reconf-timeout", |periods| &mut periods.replica_reconf),
    ("min-link-reconnect-period", |periods| &mut periods.min_link_reconnect),
    ("election-timeout", |periods| &mut periods.election),
    ("script-max-runtime", |periods| &mut periods.script_max_runtime),
    ("script-retry-delay", |periods| &mut periods.script_retry_delay),
];

pub(super) fn debug(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    if call.args.len() == 2 {
        let mut periods = sentinel.periods.clone();
        call.reply.map(TIMINGS.len());
        for (name, place) in TIMINGS {
            call.reply.bulk(name.to_ascii_uppercase().as_bytes());
            call.reply.bulk_int(*place(&mut periods));
        }
        return Ok(());
    }
    let mut periods = sentinel.periods.clone();
    let mut at = 2;
    while at < call.args.len() {
        let option = call.args.at(at);
        let known = TIMINGS.iter().find(|(name, _)| name.as_bytes().eq_ignore_ascii_case(option));
        let (Some((_, place)), Some(value)) = (known, call.args.get(at + 1)) else {
            return Err(error::sentinel::debug_option(option));
        };
        *place(&mut periods) = span(value, 1).ok_or_else(|| error::sentinel::debug_value(value, option))?;
        at += 2;
    }
    sentinel.periods = periods;
    call.reply.ok();
    Ok(())
}

pub(super) fn simulate_failure(sentinel: &mut Sentinel, call: &mut Call<'_>) -> Result<(), Error> {
    sentinel.simulate = Simulate::default();
    for place in 2..call.args.len() {
        match call.args.at(place).to_ascii_lowercase().as_slice() {
            b"crash-after-election" => {
                sentinel.simulate.crash_after_election = true;
                let what = "Failure simulation: this Sentinel will crash after being successfully elected as failover \
                            leader";
                sentinel.log(Level::Warning, what.into(), call.out);
            }
            b"crash-after-promotion" => {
                sentinel.simulate.crash_after_promotion = true;
                let what =
                    "Failure simulation: this Sentinel will crash after promoting the selected replica to master";
                sentinel.log(Level::Warning, what.into(), call.out);
            }
            b"help" => {
                call.reply.array(2);
                call.reply.bulk(b"crash-after-election");
                call.reply.bulk(b"crash-after-promotion");
                return Ok(());
            }
            _ => return Err(error::sentinel::SIMULATE_FAILURE),
        }
    }
    call.reply.ok();
    Ok(())
}
