//! Errors of sorted set commands.

use super::{Error, formatted};

pub const XX_AND_NX: Error = Error::fixed("ERR XX and NX options at the same time are not compatible");
pub const GT_LT_NX: Error = Error::fixed("ERR GT, LT, and/or NX options at the same time are not compatible");
pub const INCR_ONE_PAIR: Error = Error::fixed("ERR INCR option supports a single increment-element pair");
pub const SCORE_NAN: Error = Error::fixed("ERR resulting score is not a number (NaN)");
pub const RANGE_NOT_FLOAT: Error = Error::fixed("ERR min or max is not a float");
pub const RANGE_NOT_LEX: Error = Error::fixed("ERR min or max not valid string range item");
pub const WEIGHT_NOT_FLOAT: Error = Error::fixed("ERR weight value is not a float");
pub const TOO_MANY_ARGS: Error =
    Error::fixed("ERR Insufficient memory, failed allocating transient memory, too many args.");
pub const LIMIT_NEEDS_BY: Error =
    Error::fixed("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
pub const WITHSCORES_BYLEX: Error =
    Error::fixed("ERR syntax error, WITHSCORES not supported in combination with BYLEX");

pub fn needs_input_key(fullname: &str) -> Error {
    formatted(format_args!("ERR at least 1 input key is needed for '{fullname}' command"))
}
