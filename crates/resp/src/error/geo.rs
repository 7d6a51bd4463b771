//! Errors of geographical commands.

use super::{Error, cut, formatted, naming};

pub const UNIT: Error = Error::fixed("ERR unsupported unit provided. please use M, KM, FT, MI");
pub const RADIUS_NOT_NUMERIC: Error = Error::fixed("ERR need numeric radius");
pub const WIDTH_NOT_NUMERIC: Error = Error::fixed("ERR need numeric width");
pub const HEIGHT_NOT_NUMERIC: Error = Error::fixed("ERR need numeric height");
pub const RADIUS_NEGATIVE: Error = Error::fixed("ERR radius cannot be negative");
pub const BOX_NEGATIVE: Error = Error::fixed("ERR height or width cannot be negative");
pub const UNKNOWN_SEARCH: Error = Error::fixed("ERR Unknown georadius search type");
pub const COUNT_NOT_POSITIVE: Error = Error::fixed("ERR COUNT must be > 0");
pub const ANY_NEEDS_COUNT: Error = Error::fixed("ERR the ANY argument requires COUNT argument");
pub const VERTICES: Error = Error::fixed("ERR invalid number of vertices");
pub const POLYGON: Error = Error::fixed("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices");
pub const STORE_WITH_GEORADIUS: Error =
    Error::fixed("ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and WITHCOORD options");
pub const STORE_WITH_GEOSEARCHSTORE: Error =
    Error::fixed("ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD options");

/// Both are shown with six decimals.
pub fn invalid_pair(longitude: f64, latitude: f64) -> Error {
    formatted(format_args!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}"))
}

pub fn no_member(member: &[u8]) -> Error {
    naming("ERR member ", member, " does not exist")
}

pub fn not_a_geohash(member: &[u8]) -> Error {
    naming("ERR failed to decode, member ", member, " is not a valid geohash")
}

/// `command` as the client spelt it.
pub fn one_center(command: &[u8]) -> Error {
    Error::composed(&[b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ", cut(command)])
}

/// `command` as the client spelt it.
pub fn one_shape(command: &[u8]) -> Error {
    Error::composed(&[b"ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for ", cut(command)])
}
