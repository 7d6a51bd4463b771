//! What was typed in earlier sessions, one line each, in a file of the home directory.
//!
//! Lines are appended as they are typed, so that two sessions side by side do not lose each other's.
//! Commands that carry passwords stay out of the file. The file is readable by its owner only, and is
//! cut to its newest lines at the start of a session when it has grown to twice the limit.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::vocabulary::Vocabulary;

/// How many lines a session remembers.
pub const MAX_LINES: usize = 1000;

/// The file and what it held at the start.
#[derive(Debug, Default)]
pub struct HistoryFile {
    path: Option<PathBuf>,
    /// The newest lines, oldest first.
    pub lines: Vec<String>,
}

impl HistoryFile {
    /// Opens the file that the environment names (`/dev/null` for none) or the default one.
    pub fn open(vocabulary: &Vocabulary) -> Self {
        Self::load(dotfile(vocabulary, "HISTFILE", vocabulary.history_file))
    }

    fn load(path: Option<PathBuf>) -> Self {
        let text = path.as_ref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let total = lines.len();
        lines.drain(..total.saturating_sub(MAX_LINES));
        let file = HistoryFile { path, lines };
        if total >= 2 * MAX_LINES {
            let mut text = file.lines.join("\n");
            text.push('\n');
            file.write(text.as_bytes(), true);
        }
        file
    }

    /// Remembers a line for later sessions, unless it is secret.
    pub fn append(&self, line: &[u8], words: &[Vec<u8>]) {
        if !is_sensitive(words) {
            self.write(&[line, b"\n"].concat(), false);
        }
    }

    /// A history that cannot be written is no reason to disturb the session.
    fn write(&self, bytes: &[u8], replace: bool) {
        let Some(path) = &self.path else { return };
        let mut options = OpenOptions::new();
        options.create(true).mode(0o600);
        if replace {
            options.write(true).truncate(true);
        } else {
            options.append(true);
        }
        let _ = options.open(path).and_then(|mut file| file.write_all(bytes));
    }
}

/// `<PREFIX>_<variable>` from the environment if set and not empty, else `name` in the home directory.
pub fn dotfile(vocabulary: &Vocabulary, variable: &str, name: &str) -> Option<PathBuf> {
    match vocabulary.env(variable).filter(|value| !value.is_empty()) {
        Some(path) if path == "/dev/null" => None,
        Some(path) => Some(path.into()),
        None => {
            let home = std::env::var_os("HOME").filter(|home| !home.is_empty())?;
            Some(PathBuf::from(home).join(name))
        }
    }
}

/// Whether a command carries a password or names users.
fn is_sensitive(words: &[Vec<u8>]) -> bool {
    let is = |at: usize, names: &[&str]| {
        words.get(at).is_some_and(|word| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes())))
    };
    if is(0, &["auth"]) {
        return true;
    }
    if is(0, &["acl"]) {
        return is(1, &["deluser", "setuser", "getuser"]);
    }
    if is(0, &["config"]) && is(1, &["set"]) {
        const SECRETS: &[&str] = &[
            "masterauth",
            "masteruser",
            "primaryauth",
            "primaryuser",
            "requirepass",
            "tls-key-file-pass",
            "tls-client-key-file-pass",
        ];
        return (2..words.len()).step_by(2).any(|at| is(at, SECRETS));
    }
    if is(0, &["hello"]) {
        // HELLO 3 [SETNAME name] AUTH user password
        return is(2, &["auth"]) || (is(2, &["setname"]) && is(4, &["auth"]));
    }
    if is(0, &["migrate"]) {
        // What follows KEYS are names of keys.
        let end = (6..words.len()).find(|at| is(*at, &["keys"])).unwrap_or(words.len());
        return (6..end).any(|at| is(at, &["auth", "auth2"]));
    }
    if is(0, &["sentinel"]) {
        return (is(1, &["config"]) && is(2, &["set"]) && is(3, &["sentinel-pass", "sentinel-user"]))
            || (is(1, &["set"]) && is(3, &["auth-pass", "auth-user"]));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn words(line: &str) -> Vec<Vec<u8>> {
        line.split(' ').map(|word| word.as_bytes().to_vec()).collect()
    }

    #[test]
    fn secrets_are_told_apart() {
        for (line, expect) in [
            ("AUTH x", true),
            ("get auth", false),
            ("acl setuser bob", true),
            ("acl list", false),
            ("config set maxmemory 1 requirepass x", true),
            ("config set maxmemory 1", false),
            ("config get requirepass", false),
            ("hello 3 auth u p", true),
            ("hello 3 setname n auth u p", true),
            ("hello 3 setname auth", false),
            ("migrate h 1 k 0 5 copy auth p", true),
            ("migrate h 1 k 0 5 keys auth", false),
            ("sentinel set m auth-pass p", true),
            ("sentinel set m quorum 2", false),
        ] {
            assert_eq!(is_sensitive(&words(line)), expect, "{line}");
        }
    }

    #[test]
    fn lines_are_appended_and_the_file_is_cut() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("history");
        let history = HistoryFile::load(Some(path.clone()));
        history.append(b"get a", &words("get a"));
        history.append(b"auth x", &words("auth x"));
        history.append(b"get b", &words("get b"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "get a\nget b\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let many: String = (0..2 * MAX_LINES).map(|i| format!("get {i}\n")).collect();
        fs::write(&path, many).unwrap();
        let history = HistoryFile::load(Some(path.clone()));
        assert_eq!(history.lines.len(), MAX_LINES);
        assert_eq!(history.lines.last().unwrap(), &format!("get {}", 2 * MAX_LINES - 1));
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), MAX_LINES);
    }
}
