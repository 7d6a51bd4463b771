//! Readings of arguments that many commands share: integers, floats, times, counts.

use command::context::Context;
use keyspace::UnixMillis;
use resp::error::{self, Error};
use structures::number;

/// An integer, or the error that every Redis user knows.
pub(crate) fn integer(arg: &[u8]) -> Result<i64, Error> {
    number::parse_i64(arg).ok_or(error::common::NOT_INTEGER)
}

/// Whether an argument is this word, in any case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// The deadline of a blocking command from its timeout in seconds: `None` for 0, which waits for ever.
pub(crate) fn deadline(ctx: &Context<'_, '_>, arg: &[u8]) -> Result<Option<UnixMillis>, Error> {
    let seconds = number::parse_f64(arg).ok_or(error::common::TIMEOUT_NOT_FLOAT)?;
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
