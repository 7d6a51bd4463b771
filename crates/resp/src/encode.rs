//! Requests as bytes: what a client sends and what the journal holds.
//!
//! A request is `*<count>\r\n` followed by `$<length>\r\n<bytes>\r\n` for each argument. Either all
//! at once ([`command`]) or piece by piece ([`begin`], then exactly that many [`arg`]s).

/// Appends the header of a request of `count` arguments.
#[inline]
pub fn begin(out: &mut Vec<u8>, count: usize) {
    header(out, b'*', count);
}

/// Appends one argument.
#[inline]
pub fn arg(out: &mut Vec<u8>, argument: &[u8]) {
    out.reserve(argument.len() + 24);
    header(out, b'$', argument.len());
    out.extend_from_slice(argument);
    out.extend_from_slice(b"\r\n");
}

/// Appends one argument: an integer in decimal.
#[inline]
pub fn arg_int(out: &mut Vec<u8>, n: i64) {
    arg(out, itoa::Buffer::new().format(n).as_bytes());
}

/// Appends a whole request.
pub fn command<S: AsRef<[u8]>>(out: &mut Vec<u8>, arguments: &[S]) {
    begin(out, arguments.len());
    for argument in arguments {
        arg(out, argument.as_ref());
    }
}

/// Appends `<prefix><n>\r\n`. Lengths below a hundred, the common ones, are one fixed-size store.
#[inline]
pub(crate) fn header(out: &mut Vec<u8>, prefix: u8, n: usize) {
    if n < 10 {
        out.extend_from_slice(&[prefix, b'0' + n as u8, b'\r', b'\n']);
    } else if n < 100 {
        out.extend_from_slice(&[prefix, b'0' + (n / 10) as u8, b'0' + (n % 10) as u8, b'\r', b'\n']);
    } else {
        long_header(out, prefix, n);
    }
}

#[cold]
#[inline(never)]
fn long_header(out: &mut Vec<u8>, prefix: u8, n: usize) {
    out.push(prefix);
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// The number of bytes that [`arg`] appends for an argument of `len` bytes.
pub fn arg_len(len: usize) -> usize {
    len + 5 + len.checked_ilog10().unwrap_or(0) as usize + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_make_the_whole() {
        let mut whole = Vec::new();
        command(&mut whole, &["SETEX", "k", "-100", ""]);
        let mut pieces = Vec::new();
        begin(&mut pieces, 4);
        arg(&mut pieces, b"SETEX");
        arg(&mut pieces, b"k");
        arg_int(&mut pieces, -100);
        arg(&mut pieces, b"");
        assert_eq!(whole, pieces);
        assert_eq!(whole, b"*4\r\n$5\r\nSETEX\r\n$1\r\nk\r\n$4\r\n-100\r\n$0\r\n\r\n");
    }

    #[test]
    fn predicted_lengths_are_true() {
        for len in [0, 1, 9, 10, 99, 100, 101, 999, 1000, 12345] {
            let mut out = Vec::new();
            arg(&mut out, &vec![b'x'; len]);
            assert_eq!(out.len(), arg_len(len), "{len}");
        }
    }
}
