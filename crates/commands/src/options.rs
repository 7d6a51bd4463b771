//! Readings of arguments that many commands share: integers, floats, times, counts.

use command::context::Context;
use keyspace::UnixMillis;
use resp::error::{self, Error};
use structures::extended::Extended;
use structures::number;

/// An integer, or the error that every Redis user knows.
pub(crate) fn integer(arg: &[u8]) -> Result<i64, Error> {
    number::parse_i64(arg).ok_or(error::common::NOT_INTEGER)
}

/// An integer of 32 bits, such as the number of a database.
pub(crate) fn int32(arg: &[u8]) -> Result<i32, Error> {
    let wide = integer(arg)?;
    i32::try_from(wide).map_err(|_| error::common::out_of_range_between(i32::MIN.into(), i32::MAX.into()))
}

/// Whether an argument is this word, in any case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// In which unit, and from when, the time of an option is counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TimeUnit {
    /// `EX`: seconds from now.
    Ex,
    /// `PX`: milliseconds from now.
    Px,
    /// `EXAT`: seconds of Unix time.
    ExAt,
    /// `PXAT`: milliseconds of Unix time.
    PxAt,
}

impl TimeUnit {
    /// The unit that an option names.
    pub(crate) fn read(word: &[u8]) -> Option<TimeUnit> {
        let all = [("EX", TimeUnit::Ex), ("PX", TimeUnit::Px), ("EXAT", TimeUnit::ExAt), ("PXAT", TimeUnit::PxAt)];
        all.into_iter().find(|(name, _)| is(word, name)).map(|(_, unit)| unit)
    }

    /// Whether the time is counted from now.
    pub(crate) fn is_relative(self) -> bool {
        matches!(self, TimeUnit::Ex | TimeUnit::Px)
    }
}

/// The time of an option, unread: a wrong one is an error only after the syntax of all options is known to be right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Time<'a> {
    pub(crate) unit: TimeUnit,
    pub(crate) amount: &'a [u8],
}

impl Time<'_> {
    /// The moment that is meant. Times must be positive and fit 64 bits of milliseconds.
    pub(crate) fn at(self, ctx: &Context<'_, '_>) -> Result<UnixMillis, Error> {
        let amount = integer(self.amount)?;
        let invalid = || error::common::invalid_expire(ctx.row.fullname);
        let factor = if matches!(self.unit, TimeUnit::Ex | TimeUnit::ExAt) { 1000 } else { 1 };
        let base = if self.unit.is_relative() { ctx.now().0 } else { 0 };
        let millis = Some(amount).filter(|&n| n > 0).and_then(|n| n.checked_mul(factor)?.checked_add(base));
        millis.map(UnixMillis).ok_or_else(invalid)
    }
}

/// Whether a key that is to expire at `at` can be deleted at once instead. A replica, a loader and a server that imports
/// never decide that themselves: the deletion comes to them as a command.
pub(crate) fn expired_already(ctx: &Context<'_, '_>, at: UnixMillis) -> bool {
    at <= ctx.now() && !ctx.env.obey && ctx.space.ends_keys
}

/// The deadline of a blocking command from its timeout in seconds: `None` for 0, which waits for ever.
pub(crate) fn deadline(ctx: &Context<'_, '_>, arg: &[u8]) -> Result<Option<UnixMillis>, Error> {
    // What is no ordinary number may be one in hexadecimal, or a very large one.
    let seconds = number::parse_f64(arg).or_else(|| Extended::parse(arg).map(Extended::to_f64));
    let seconds = seconds.ok_or(error::common::TIMEOUT_NOT_FLOAT)?;
    let millis = (seconds * 1000.0).ceil();
    if millis > i64::MAX as f64 {
        return Err(error::common::TIMEOUT_OUT_OF_RANGE);
    }
    if millis < 0.0 {
        return Err(error::common::TIMEOUT_NEGATIVE);
    }
    let millis = millis as i64;
    if millis == 0 {
        return Ok(None);
    }
    let now = ctx.now().0;
    now.checked_add(millis).map(|at| Some(UnixMillis(at))).ok_or(error::common::TIMEOUT_OUT_OF_RANGE)
}
