//! The system's words for its errors.
//!
//! The standard library appends `(os error 98)` to them; the lines that users and tools know end without it.

use std::ffi::CStr;
use std::io;

/// What the system says about an error: `Address already in use`, `No such file or directory`.
pub fn text(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(code) => of_code(code),
        None => error.to_string(),
    }
}

/// The same for a bare error number.
pub fn of_code(code: i32) -> String {
    let mut buf = [0 as libc::c_char; 256];
    // SAFETY: the buffer is writable for its whole length, which is what the function is told.
    let failed = unsafe { libc::strerror_r(code, buf.as_mut_ptr(), buf.len()) } != 0;
    if failed {
        return format!("Unknown error {code}");
    }
    // SAFETY: on success the buffer holds a string that ends with a zero byte inside it.
    unsafe { CStr::from_ptr(buf.as_ptr()) }.to_string_lossy().into_owned()
}

/// Turns the `-1` of a system call into the error behind it.
pub(crate) fn check(result: libc::c_int) -> io::Result<libc::c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_no_number() {
        assert_eq!(of_code(libc::EADDRINUSE), "Address already in use");
        let missing = std::fs::read("/nonexistent/file").unwrap_err();
        assert_eq!(text(&missing), "No such file or directory");
        assert_eq!(text(&io::Error::other("own words")), "own words");
    }
}
