//! Errors of set commands: all of them are shared, under the names that these commands look for.

pub use super::common::{LIMIT_NEGATIVE, MUST_BE_POSITIVE, NUMKEYS_NOT_POSITIVE, NUMKEYS_TOO_BIG};
