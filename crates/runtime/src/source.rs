//! Where configuration text comes from: files, standard input, and patterns of `include`.
//!
//! Texts are returned as they are; what they mean is for crate `config` to say.

use std::ffi::CString;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The longest configuration text that is read.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;

/// The bytes of a file. `-` is standard input, up to its end.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path.as_os_str() == "-" {
        return read_stdin();
    }
    read_bounded(std::fs::File::open(path)?)
}

/// The bytes of standard input, up to its end.
pub fn read_stdin() -> io::Result<Vec<u8>> {
    read_bounded(io::stdin().lock())
}

fn read_bounded(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "configuration text too large"));
    }
    Ok(bytes)
}

/// The files that a pattern (`*`, `?`, `[…]`) matches, in the order of their names. A pattern that matches nothing gives no
/// files; a name without wildcards gives itself, whether or not it exists.
pub fn glob(pattern: &Path) -> io::Result<Vec<PathBuf>> {
    let bytes = pattern.as_os_str().as_bytes();
    if !bytes.iter().any(|b| matches!(b, b'*' | b'?' | b'[')) {
        return Ok(vec![pattern.to_owned()]);
    }
    let pattern = CString::new(bytes)?;
    // SAFETY: a result of zeroes is what the call expects without flags that read it.
    let mut found: libc::glob_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pattern is a C string, no callback is given, and the result is writable.
    let code = unsafe { libc::glob(pattern.as_ptr(), 0, None, &raw mut found) };
    let mut paths = Vec::new();
    if code == 0 {
        for i in 0..found.gl_pathc as usize {
            // SAFETY: after success the list holds that many C strings.
            let path = unsafe { std::ffi::CStr::from_ptr(*found.gl_pathv.add(i)) };
            paths.push(PathBuf::from(std::ffi::OsString::from_vec(path.to_bytes().to_vec())));
        }
    }
    // SAFETY: the result was filled in by the call above, or is still zeroes, which frees nothing.
    unsafe { libc::globfree(&raw mut found) };
    match code {
        0 | libc::GLOB_NOMATCH => Ok(paths),
        libc::GLOB_NOSPACE => Err(io::ErrorKind::OutOfMemory.into()),
        _ => Err(io::ErrorKind::PermissionDenied.into()),
    }
}

/// The path as it stays valid after the working directory changes.
pub fn absolute(path: &Path) -> io::Result<PathBuf> {
    std::path::absolute(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_in_order() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.conf", "a.conf", "c.txt"] {
            std::fs::write(dir.path().join(name), name).unwrap();
        }
        let found = glob(&dir.path().join("*.conf")).unwrap();
        assert_eq!(found, [dir.path().join("a.conf"), dir.path().join("b.conf")]);
        assert_eq!(read(&found[0]).unwrap(), b"a.conf");
        assert_eq!(glob(&dir.path().join("*.none")).unwrap(), Vec::<PathBuf>::new());
        assert_eq!(glob(Path::new("missing.conf")).unwrap(), [Path::new("missing.conf")]);
        assert_eq!(read(Path::new("/nonexistent")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
