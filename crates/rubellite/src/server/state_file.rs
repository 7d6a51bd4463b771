//! sentinel.conf, which a Sentinel rewrites whenever it has learned something that a crash must not take from it.
//!
//! ```text
//!   new text ─► sentinel.conf.saved   (aside, fsync, rename)
//!            └► sentinel.conf         (aside, fsync, rename)         ends with a line that says that it is whole
//! ```
//!
//! Written like this a file is never half there, as long as the disk keeps its word. For when it does not there is the
//! copy: [`sentinel::is_cut`] tells a file that a crash has cut short from one that somebody has edited. Then the copy is
//! used, what was found is kept beside it under `.damaged`, and the log says so.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use runtime::{files, source};

/// What was found at the start.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    /// The text that counts.
    pub text: Vec<u8>,
    /// What the log is to say about it.
    pub warning: Option<String>,
}

/// Reads the file. A damaged one is put right first.
pub fn read(path: &Path) -> io::Result<Found> {
    let text = source::read(path)?;
    let copy = match source::read(&beside(path, "saved")) {
        Ok(copy) if sentinel::is_cut(&text, &copy) => copy,
        _ => return Ok(Found { text, warning: None }),
    };
    let damaged = beside(path, "damaged");
    // It is kept for whoever wants to look at it; the start does not depend on it.
    let _ = files::replace(&damaged, &text);
    files::replace(path, &copy)?;
    let warning = format!(
        "Configuration file {} is damaged: {} bytes of {} are left. Its copy is used; what was found is kept as {}.",
        path.display(),
        text.iter().position(|byte| *byte == 0).unwrap_or(text.len()),
        copy.len(),
        damaged.display()
    );
    Ok(Found { text: copy, warning: Some(warning) })
}

/// Replaces the file by what `new` makes of its text. Durable when it returns.
pub fn save(path: &Path, new: &dyn Fn(&[u8]) -> Vec<u8>) -> io::Result<()> {
    let old = match read(path) {
        Ok(found) => found.text,
        Err(e) if e.kind() == ErrorKind::NotFound => Vec::new(),
        Err(e) => return Err(e),
    };
    let text = sentinel::seal(&new(&old));
    files::replace(&beside(path, "saved"), &text)?;
    files::replace(path, &text)
}

fn beside(path: &Path, extension: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder with a file that was saved once.
    fn saved() -> (tempfile::TempDir, PathBuf, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sentinel.conf");
        std::fs::write(&path, b"port 5000\n").unwrap();
        save(&path, &|old| [old, b"sentinel current-epoch 7\n"].concat()).unwrap();
        let text = std::fs::read(&path).unwrap();
        assert!(text.starts_with(b"port 5000\nsentinel current-epoch 7\n#"));
        (folder, path, text)
    }

    #[test]
    fn a_damaged_file_is_put_right_and_kept() {
        let (_folder, path, text) = saved();
        assert_eq!(read(&path).unwrap(), Found { text: text.clone(), warning: None });
        let mut zeroed = text.clone();
        zeroed[25..].fill(0);
        for (damaged, left) in [(&text[..20], 20), (&zeroed[..], 25), (&[][..], 0)] {
            std::fs::write(&path, damaged).unwrap();
            let found = read(&path).unwrap();
            assert_eq!(found.text, text);
            assert!(found.warning.unwrap().contains(&format!("{left} bytes of")));
            assert_eq!(std::fs::read(&path).unwrap(), text);
            assert_eq!(std::fs::read(beside(&path, "damaged")).unwrap(), damaged);
        }
    }

    #[test]
    fn a_file_of_somebody_else_counts() {
        let (_folder, path, _) = saved();
        std::fs::write(&path, b"port 5001\n").unwrap();
        assert_eq!(read(&path).unwrap(), Found { text: b"port 5001\n".to_vec(), warning: None });
        save(&path, &|old| old.to_vec()).unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"port 5001\n#"));
    }

    #[test]
    fn a_file_that_is_gone_is_written_anew() {
        let (_folder, path, _) = saved();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read(&path).unwrap_err().kind(), ErrorKind::NotFound);
        save(&path, &|old| {
            assert!(old.is_empty());
            b"port 1".to_vec()
        })
        .unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(b"port 1\n#"));
    }
}
