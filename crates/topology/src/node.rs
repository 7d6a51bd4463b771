//! One node: its name and port, its files, and the text of its configuration.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use resp::inline;

/// What a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Server,
    Sentinel,
}

/// A node of a topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    pub name: String,
    pub port: u16,
    pub program: Program,
    /// Lines of its configuration besides those that every node has.
    pub directives: Vec<String>,
}

/// Where a node's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Files {
    pub folder: PathBuf,
    pub config: PathBuf,
    pub pid: PathBuf,
    pub log: PathBuf,
}

impl Node {
    pub fn new(name: &str, port: u16) -> Node {
        Node { name: name.to_owned(), port, program: Program::Server, directives: Vec::new() }
    }

    pub fn sentinel(name: &str, port: u16) -> Node {
        Node { program: Program::Sentinel, ..Node::new(name, port) }
    }

    pub fn with(mut self, directive: &str) -> Node {
        self.directives.push(directive.to_owned());
        self
    }

    /// Its files, given the absolute path of the topology's folder.
    pub fn files(&self, topology: &Path) -> Files {
        let folder = topology.join(&self.name);
        Files {
            config: folder.join(match self.program {
                Program::Server => "redis.conf",
                Program::Sentinel => "sentinel.conf",
            }),
            pid: folder.join("server.pid"),
            log: folder.join("server.log"),
            folder,
        }
    }

    /// Writes its configuration file, unless there is one.
    pub fn configure(&self, files: &Files) -> io::Result<()> {
        if files.config.exists() {
            return Ok(());
        }
        fs::create_dir_all(&files.folder)?;
        fs::write(&files.config, self.config(files))
    }

    fn config(&self, files: &Files) -> String {
        let head = match self.program {
            Program::Server => {
                "# Written once by `rubellite up`, which does not touch it again: change it as you like."
            }
            Program::Sentinel => "# Written once by `rubellite up`; the Sentinel itself adds what it learns.",
        };
        let mut lines = vec![
            head.to_owned(),
            format!("port {}", self.port),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", quoted(&files.folder)),
            "daemonize yes".to_owned(),
            format!("pidfile {}", quoted(&files.pid)),
            format!("logfile {}", quoted(&files.log)),
        ];
        if self.program == Program::Server {
            lines.extend([
                "appendonly yes".to_owned(),
                "# A new replica is served at once, without waiting for others that might want the same data."
                    .to_owned(),
                "repl-diskless-sync-delay 0".to_owned(),
            ]);
        }
        lines.extend(self.directives.iter().cloned());
        lines.join("\n") + "\n"
    }
}

impl Files {
    /// The password that the configuration asks for.
    pub fn password(&self) -> Option<Vec<u8>> {
        self.directive("requirepass").filter(|password| !password.is_empty())
    }

    /// The port that the configuration says, if it says one.
    pub fn port(&self) -> Option<u16> {
        String::from_utf8(self.directive("port")?).ok()?.parse().ok()
    }

    /// The value of a directive in the configuration file, where the last one counts.
    fn directive(&self, name: &str) -> Option<Vec<u8>> {
        let text = fs::read(&self.config).ok()?;
        let lines = text.rsplit(|byte| *byte == b'\n');
        let mut lines = lines.filter_map(|line| inline::split_owned(line).ok());
        let last = lines.find(|words| words.first().is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes())));
        last.and_then(|words| words.get(1).cloned())
    }

    /// The process id that the node wrote down.
    pub fn process_id(&self) -> Option<i32> {
        fs::read_to_string(&self.pid).ok()?.trim().parse().ok().filter(|pid| *pid > 1)
    }

    /// The last lines of its log.
    pub fn last_words(&self, count: usize) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// A path as a quoted word of a configuration file.
fn quoted(path: &Path) -> String {
    let mut quoted = String::from("\"");
    for &byte in path.as_os_str().as_bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            other => quoted.push_str(&format!("\\x{other:02x}")),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;

    #[test]
    fn a_configuration_is_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::new("replica-1", 7001).with("replicaof 127.0.0.1 7000");
        let files = node.files(dir.path());
        node.configure(&files).unwrap();
        let text = fs::read_to_string(&files.config).unwrap();
        assert!(text.contains("\nport 7001\n") && text.ends_with("\nreplicaof 127.0.0.1 7000\n"), "{text}");
        fs::write(&files.config, "port 1\nrequirepass \"a b\"\n").unwrap();
        node.configure(&files).unwrap();
        assert_eq!((files.password(), files.port()), (Some(b"a b".to_vec()), Some(1)));
    }

    #[test]
    fn any_path_can_be_said() {
        for path in [&b"/a b/\"c\"\\"[..], b"/\xc3\xa9\xff\n"] {
            let line = format!("dir {}", quoted(Path::new(OsStr::from_bytes(path))));
            assert_eq!(inline::split_owned(line.as_bytes()).unwrap(), [b"dir".to_vec(), path.to_vec()]);
        }
    }

    #[test]
    fn only_a_process_id_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let files = Node::new("n", 1).files(dir.path());
        fs::create_dir(&files.folder).unwrap();
        for (text, expect) in [("123\n", Some(123)), ("1", None), ("0", None), ("-5", None), ("", None), ("x", None)] {
            fs::write(&files.pid, text).unwrap();
            assert_eq!(files.process_id(), expect, "{text:?}");
        }
    }
}
