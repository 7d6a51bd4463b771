//! Errors of bit commands.

use super::{Error, formatted};

pub const BIT_OFFSET: Error = Error::fixed("ERR bit offset is not an integer or out of range");
pub const BIT_VALUE: Error = Error::fixed("ERR bit is not an integer or out of range");
pub const BIT_ARGUMENT: Error = Error::fixed("ERR The bit argument must be 1 or 0.");
pub const BITOP_NOT: Error = Error::fixed("ERR BITOP NOT must be called with a single source key.");
pub const BITFIELD_TYPE: Error =
    Error::fixed("ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is.");
pub const BITFIELD_OVERFLOW: Error = Error::fixed("ERR Invalid OVERFLOW type specified");
pub const BITFIELD_RO: Error = Error::fixed("ERR BITFIELD_RO only supports the GET subcommand");

/// `operation` in upper case.
pub fn bitop_two_sources(operation: &str) -> Error {
    formatted(format_args!("ERR BITOP {operation} must be called with at least two source keys."))
}
