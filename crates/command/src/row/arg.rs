//! Short constructors of arguments, so that the tables read like the grammar.

use super::{Arg, ArgKind};

pub const fn string(name: &'static str) -> Arg {
    Arg::new(name, ArgKind::String)
}

pub const fn integer(name: &'static str) -> Arg {
    Arg::new(name, ArgKind::Integer)
}

pub const fn double(name: &'static str) -> Arg {
    Arg::new(name, ArgKind::Double)
}

pub const fn pattern(name: &'static str) -> Arg {
    Arg::new(name, ArgKind::Pattern)
}

pub const fn unix_time(name: &'static str) -> Arg {
    Arg::new(name, ArgKind::UnixTime)
}

/// A key, found by the key spec with this index.
pub const fn key(name: &'static str, spec: u8) -> Arg {
    Arg::new(name, ArgKind::Key).key_spec(spec)
}

/// An option without a value.
pub const fn word(name: &'static str, token: &'static str) -> Arg {
    Arg::new(name, ArgKind::PureToken).token(token)
}

pub const fn oneof(name: &'static str, args: &'static [Arg]) -> Arg {
    let mut arg = Arg::new(name, ArgKind::OneOf);
    arg.args = args;
    arg
}

pub const fn block(name: &'static str, args: &'static [Arg]) -> Arg {
    let mut arg = Arg::new(name, ArgKind::Block);
    arg.args = args;
    arg
}
