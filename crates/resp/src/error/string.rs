//! Errors of string commands.

use super::Error;

pub const TOO_LONG: Error = Error::fixed("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
pub const OFFSET_OUT_OF_RANGE: Error = Error::fixed("ERR offset is out of range");
pub const DECREMENT_OVERFLOW: Error = Error::fixed("ERR decrement would overflow");
pub const MSETEX_NUMKEYS: Error = Error::fixed("ERR invalid numkeys value or out of range");

pub const LCS_NOT_STRINGS: Error = Error::fixed("ERR The specified keys must contain string values");
pub const LCS_LEN_AND_IDX: Error = Error::fixed("ERR If you want both the length and indexes, please just use IDX.");
pub const LCS_TOO_LONG: Error = Error::fixed("ERR String too long for LCS");
pub const LCS_MEMORY: Error =
    Error::fixed("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
pub const LCS_ALLOCATION: Error = Error::fixed("ERR Insufficient memory, failed allocating transient memory for LCS");
