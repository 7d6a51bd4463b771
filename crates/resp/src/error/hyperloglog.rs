//! Errors of HyperLogLog commands.

use super::{Error, formatted, naming};

pub const NOT_HLL: Error = Error::fixed("WRONGTYPE Key is not a valid HyperLogLog string value.");
pub const CORRUPTED: Error = Error::fixed("INVALIDOBJ Corrupted HLL object detected");
pub const NO_KEY: Error = Error::fixed("ERR The specified key does not exist");
pub const NOT_SPARSE: Error = Error::fixed("ERR HLL encoding is not sparse");
pub const ON_OR_OFF: Error = Error::fixed("ERR Argument must be ON or OFF");
pub const TEST_NOT_SPARSE: Error = Error::fixed("ERR TESTFAILED sparse encoding not used");
pub const TEST_DISAGREE: Error = Error::fixed("ERR TESTFAILED dense/sparse disagree");

pub fn test_register(index: u32, should: i32, is: i32) -> Error {
    formatted(format_args!("ERR TESTFAILED Register {index} should be {should} but is {is}"))
}

pub fn test_error(cardinality: u64, error: u64) -> Error {
    formatted(format_args!("ERR TESTFAILED Too big error. card:{cardinality} abserr:{error}"))
}

pub fn unknown_pfdebug(subcommand: &[u8]) -> Error {
    naming("ERR Unknown PFDEBUG subcommand '", subcommand, "'")
}

pub fn pfdebug_arity(subcommand: &[u8]) -> Error {
    naming("ERR Wrong number of arguments for the '", subcommand, "' subcommand")
}
