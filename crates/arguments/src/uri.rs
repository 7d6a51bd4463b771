//! Connection strings: `redis://[[user:]password@][host[:port]][/db]`, and the same with `valkey://`.
//!
//! A password alone may stand before the `@`; user and password are percent-encoded; an IPv6 host
//! stands in brackets. Query parameters are not part of it.

use crate::number::leading_int;

/// What a connection string says; what it leaves out is `None`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Uri {
    pub tls: bool,
    pub user: Option<Vec<u8>>,
    pub password: Option<Vec<u8>>,
    pub host: Option<String>,
    pub port: Option<i64>,
    pub db: Option<i64>,
}

/// The complaint is one line for standard error.
pub fn parse(uri: &[u8]) -> Result<Uri, String> {
    let mut result = Uri::default();
    let Some(colon) = find(uri, b"://") else { return Err("Invalid URI scheme".to_owned()) };
    match uri[..colon].to_ascii_lowercase().as_slice() {
        b"redis" | b"valkey" => (),
        b"rediss" | b"valkeys" => result.tls = true,
        _ => return Err("Invalid URI scheme".to_owned()),
    }
    let mut rest = &uri[colon + 3..];
    if let Some(at) = find(rest, b"@") {
        let info = &rest[..at];
        rest = &rest[at + 1..];
        match find(info, b":") {
            Some(colon) => {
                // A password behind a lone colon, as client libraries write it, has no user.
                result.user = Some(percent_decode(&info[..colon])?).filter(|user| !user.is_empty());
                result.password = Some(percent_decode(&info[colon + 1..])?);
            }
            None => result.password = Some(percent_decode(info)?),
        }
    }
    if rest.is_empty() {
        return Ok(result);
    }
    let (place, db) = match find(rest, b"/") {
        Some(slash) => (&rest[..slash], &rest[slash + 1..]),
        None => (rest, &rest[rest.len()..]),
    };
    if !place.is_empty() {
        let (host, port) = split_host(place);
        result.host = Some(String::from_utf8_lossy(host).into_owned());
        result.port = port.map(leading_int);
    }
    if !db.is_empty() {
        result.db = Some(leading_int(db));
    }
    Ok(result)
}

fn split_host(place: &[u8]) -> (&[u8], Option<&[u8]>) {
    if let Some(inside) = place.strip_prefix(b"[")
        && let Some(end) = find(inside, b"]")
    {
        return (&inside[..end], inside[end + 1..].strip_prefix(b":"));
    }
    match find(place, b":") {
        Some(colon) => (&place[..colon], Some(&place[colon + 1..])),
        None => (place, None),
    }
}

fn find(text: &[u8], what: &[u8]) -> Option<usize> {
    text.windows(what.len()).position(|window| window == what)
}

fn percent_decode(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut result = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            result.push(byte);
            continue;
        }
        let [high, low, after @ ..] = rest else { return Err("Incomplete URI encoding".to_owned()) };
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        match (digit(high), digit(low)) {
            (Some(high), Some(low)) => result.push((high * 16 + low) as u8),
            _ => return Err("Illegal character in URI encoding".to_owned()),
        }
        rest = after;
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(uri: &str, expect: Uri) {
        assert_eq!(parse(uri.as_bytes()), Ok(expect), "{uri}");
    }

    #[test]
    fn every_part_may_be_left_out() {
        check("redis://", Uri::default());
        check("VALKEY://h", Uri { host: Some("h".into()), ..Uri::default() });
        check("redis://h:1", Uri { host: Some("h".into()), port: Some(1), ..Uri::default() });
        check("redis:///5", Uri { db: Some(5), ..Uri::default() });
        check("rediss://h/", Uri { tls: true, host: Some("h".into()), ..Uri::default() });
        check(
            "redis://u:p%40ss@[::1]:7000/2",
            Uri {
                tls: false,
                user: Some(b"u".to_vec()),
                password: Some(b"p@ss".to_vec()),
                host: Some("::1".into()),
                port: Some(7000),
                db: Some(2),
            },
        );
        for uri in ["redis://:secret@h", "redis://secret@h"] {
            check(uri, Uri { password: Some(b"secret".to_vec()), host: Some("h".into()), ..Uri::default() });
        }
    }

    #[test]
    fn wrong_ones_are_told_apart() {
        assert_eq!(parse(b"http://x"), Err("Invalid URI scheme".into()));
        assert_eq!(parse(b"nothing"), Err("Invalid URI scheme".into()));
        assert_eq!(parse(b"redis://%4@h"), Err("Incomplete URI encoding".into()));
        assert_eq!(parse(b"redis://%zz@h"), Err("Illegal character in URI encoding".into()));
    }
}
