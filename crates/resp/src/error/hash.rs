//! Errors of hash commands.

use super::Error;

pub const NOT_INTEGER: Error = Error::fixed("ERR hash value is not an integer");
pub const NOT_FLOAT: Error = Error::fixed("ERR hash value is not a float");
pub const INCREMENT_NAN: Error = Error::fixed("ERR value is NaN or Infinity");
pub const NUMFIELDS: Error =
    Error::fixed("ERR numfields should be greater than 0 and match the provided number of fields");
