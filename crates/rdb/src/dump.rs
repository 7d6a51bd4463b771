//! The payloads of DUMP and RESTORE: one value, sealed.
//!
//! ```text
//!   +------+-------+----------------+--------------+
//!   | type | value | version u16 LE | crc64 u64 LE |      the checksum is that of all bytes before it
//!   +------+-------+----------------+--------------+
//! ```

use structures::crc64::crc64;
use structures::entry::Payload;
use structures::number;
use value::{Limits, Value};

use crate::decode::{Begun, Build};
use crate::encode::TooNew;
use crate::read::{Halt, Reader, Text};
use crate::{Acceptance, Content, Damage, Error, Form, Kind, Version};

const FOOTER: usize = 10;

/// Appends the payload of a value, in the oldest version that can hold it. Nothing is appended if the form's version is too old
/// for it. O(value).
pub fn write(form: Form, out: &mut Vec<u8>, content: Payload<'_, Value>) -> Result<(), TooNew> {
    let start = out.len();
    form.typed(out, content)?;
    out.extend_from_slice(&Form::needed(content).0.to_le_bytes());
    let sum = crc64(0, &out[start..]);
    out.extend_from_slice(&sum.to_le_bytes());
    Ok(())
}

/// Why a payload is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Its version or its checksum: the payload comes from elsewhere or was damaged on its way.
    Seal,
    /// A type that may mean anything in the foreign version of the payload.
    Foreign(u8),
    /// The value itself.
    Value(Error),
}

/// Reads a payload. A string that stands in it as it is is lent from it. O(payload).
pub fn read<'a>(
    payload: &'a [u8],
    limits: &Limits,
    acceptance: Acceptance,
    check_sum: bool,
) -> Result<Content<'a>, Refused> {
    let (body, version) = open(payload, acceptance, check_sum).ok_or(Refused::Seal)?;
    let refuse = |offset: usize, damage| Refused::Value(Error { offset: offset as u64, damage });
    let &byte = body.first().ok_or_else(|| refuse(0, Damage::Truncated))?;
    let kind = Kind(byte);
    if kind == Kind::HASH_2 && version.is_foreign() {
        return Err(Refused::Foreign(byte));
    }
    let known = match kind {
        Kind::HASH_2 => true,
        Kind::HASH_METADATA | Kind::HASH_LISTPACK_EX => version.is_foreign(),
        _ => kind.is_common(),
    };
    if !known {
        return Err(refuse(0, Damage::Type(byte)));
    }
    let mut reader = Reader::new(body, 1);
    let result = read_value(kind, &mut reader, limits);
    match result {
        Ok(content) if reader.at() == body.len() => Ok(content),
        Ok(_) => Err(refuse(reader.at(), Damage::Trailing)),
        Err(Halt::More(_)) => Err(refuse(body.len(), Damage::Truncated)),
        Err(Halt::Damage(damage)) => Err(refuse(reader.mark(), damage)),
    }
}

fn read_value<'a>(kind: Kind, reader: &mut Reader<'a>, limits: &Limits) -> Result<Content<'a>, Halt> {
    if kind == Kind::STRING {
        let start = reader.at();
        if let Text::Plain(bytes) = reader.text()? {
            return Ok(number::parse_i64(bytes).map_or(Content::Bytes(bytes), Content::Int));
        }
        reader.rewind(start);
    }
    let mut build = match Build::begin(kind, reader, limits, false)? {
        Begun::Done(done) => return Ok(done.into()),
        Begun::Elements(build) => build,
    };
    loop {
        if let Some(done) = build.advance(reader, limits, usize::MAX)? {
            return Ok(done.into());
        }
    }
}

/// Takes the footer off, if version and checksum are right.
fn open(payload: &[u8], acceptance: Acceptance, check_sum: bool) -> Option<(&[u8], Version)> {
    let (body, footer) = payload.split_at_checked(payload.len().checked_sub(FOOTER)?)?;
    let (version, sum) = footer.split_at(2);
    let version = Version(u16::from_le_bytes(version.try_into().ok()?));
    if !acceptance.accepts(version) {
        return None;
    }
    let stored = u64::from_le_bytes(sum.try_into().ok()?);
    let good = !check_sum || crc64(0, &payload[..payload.len() - 8]) == stored;
    good.then_some((body, version))
}
