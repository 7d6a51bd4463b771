//! Whose server a test runs: a folder of programs and the names that they have there.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// A family of programs that belong together: a server, its CLI, its checkers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// What tests call it in their messages.
    pub name: &'static str,
    folder: PathBuf,
    /// `redis` or `valkey`: the first half of the names in the folder.
    family: &'static str,
}

impl Program {
    /// The program that the tests are about: `RUBELLITE_BIN`, or the binary beside the test that runs.
    pub fn ours() -> Program {
        static OURS: OnceLock<Program> = OnceLock::new();
        OURS.get_or_init(|| match std::env::var_os("RUBELLITE_BIN") {
            Some(server) => Program::named_by(&PathBuf::from(server)),
            None => Program { name: "rubellite", folder: built(), family: "redis" },
        })
        .clone()
    }

    /// Whether this is the project's program, not a real peer that stands in for it.
    pub fn is_rubellite(&self) -> bool {
        self.name == "rubellite"
    }

    /// A real Valkey, if one is at hand.
    pub fn valkey() -> Option<Program> {
        Program::find("Valkey", "valkey")
    }

    /// A real Redis, if one is at hand.
    pub fn redis() -> Option<Program> {
        Program::find("Redis", "redis")
    }

    /// Every real peer at hand; says so when there is none.
    pub fn peers() -> Vec<Program> {
        let peers: Vec<Program> = [Program::redis(), Program::valkey()].into_iter().flatten().collect();
        if peers.is_empty() {
            absent("no redis-server or valkey-server in RUBELLITE_PEERS, or without that on PATH");
        }
        peers
    }

    fn find(name: &'static str, family: &'static str) -> Option<Program> {
        let server = format!("{family}-server");
        let folders: Vec<PathBuf> = match std::env::var_os("RUBELLITE_PEERS").map(PathBuf::from) {
            Some(unpacked) => vec![unpacked.join("bin"), unpacked],
            None => std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect(),
        };
        // Our own links bear the same names; a peer is only who is not us.
        let is_peer = |folder: &PathBuf| {
            let server = folder.join(&server);
            server.is_file() && std::fs::canonicalize(&server).is_ok_and(|p| !p.ends_with("rubellite"))
        };
        let folder = folders.into_iter().find(is_peer)?;
        Some(Program { name, folder, family })
    }

    /// A program told by the path of its server: our own binary, or any `redis-server` or `valkey-server`.
    pub fn named_by(server: &Path) -> Program {
        let file = server.file_name().unwrap_or_default().to_string_lossy();
        let folder = server.parent().expect("a program lies in a folder").to_path_buf();
        match file.as_ref() {
            "redis-server" => Program { name: "redis-server", folder, family: "redis" },
            "valkey-server" => Program { name: "valkey-server", folder, family: "valkey" },
            _ => Program { name: "rubellite", folder: links(server), family: "redis" },
        }
    }

    /// The folder in which the programs have their usual names: what a user puts on `PATH`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn server(&self) -> Command {
        self.tool("server")
    }

    pub fn cli(&self) -> Command {
        self.tool("cli")
    }

    /// `server`, `cli`, `check-rdb`, `check-aof`.
    pub fn tool(&self, name: &str) -> Command {
        Command::new(self.folder.join(format!("{}-{name}", self.family)))
    }
}

/// An interpreter that has redis-py with its `RedisCluster`: the system's, or the first one on `PATH`.
pub fn python() -> Option<&'static str> {
    ["/usr/bin/python3", "python3"].into_iter().find(|python| {
        let found = Command::new(python).args(["-c", "import redis.cluster"]).output();
        found.is_ok_and(|output| output.status.success())
    })
}

/// Node with ioredis: from `NODE_PATH`, or as `npm install --prefix target/clients ioredis` leaves it.
pub fn ioredis() -> Option<Command> {
    let mut modules = vec![profile().parent()?.join("clients/node_modules")];
    modules.extend(std::env::split_paths(&std::env::var_os("NODE_PATH").unwrap_or_default()));
    let modules = std::env::join_paths(modules).ok()?;
    let node = || {
        let mut command = Command::new("node");
        command.env("NODE_PATH", &modules);
        command
    };
    let found = node().args(["-e", "require('ioredis')"]).output();
    found.is_ok_and(|output| output.status.success()).then(node)
}

/// Says on the terminal, past the test runner's capture, that a test has nothing to test against.
pub fn absent(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_string();
    // A terminal that is gone is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{test}: left out: {why}");
}

/// The folder of the profile with which cargo built this test.
fn profile() -> PathBuf {
    let test = std::env::current_exe().expect("a test has a path");
    let profile = test.ancestors().find(|folder| folder.join("deps").is_dir()).expect("a test lies under its profile");
    profile.to_path_buf()
}

/// The folder of links to the binary that cargo built.
fn built() -> PathBuf {
    let profile = profile();
    let binary = profile.join("rubellite");
    if !is_fresh(&binary) {
        build(&profile);
    }
    links(&binary)
}

/// Whether the binary is newer than every file that cargo made it from.
///
/// `cargo test --workspace` builds it before any test runs. `cargo test -p e2e` does not, and a test of yesterday's
/// program is worse than none.
fn is_fresh(binary: &Path) -> bool {
    let modified = |path: &Path| std::fs::metadata(path).and_then(|data| data.modified()).ok();
    let Some(built) = modified(binary) else { return false };
    let Ok(list) = std::fs::read_to_string(binary.with_extension("d")) else { return false };
    let sources = list.split_once(": ").map_or("", |(_, sources)| sources);
    sources.split_whitespace().all(|source| modified(Path::new(source)).is_some_and(|at| at <= built))
}

fn build(profile: &Path) {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--quiet", "--package", "rubellite"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    if let Some(target) = profile.parent() {
        command.arg("--target-dir").arg(target);
    }
    if profile.ends_with("release") {
        command.arg("--release");
    }
    let status = command.status().expect("cargo starts");
    assert!(status.success(), "the server does not build");
}

/// A folder beside the binary in which it has the names that users know.
fn links(binary: &Path) -> PathBuf {
    let binary = std::fs::canonicalize(binary).unwrap_or_else(|e| panic!("{}: {e}", binary.display()));
    let folder = binary.parent().expect("a binary lies in a folder").join("rubellite-links");
    std::fs::create_dir_all(&folder).expect("a folder beside the binary");
    for family in ["redis", "valkey"] {
        for tool in ["server", "cli", "sentinel", "benchmark", "check-rdb", "check-aof"] {
            let link = folder.join(format!("{family}-{tool}"));
            if std::fs::read_link(&link).is_ok_and(|target| target == binary) {
                continue;
            }
            // Another test program may be making the same link; renaming over it is harmless either way.
            let aside = folder.join(format!(".{family}-{tool}.{}", std::process::id()));
            std::os::unix::fs::symlink(&binary, &aside).expect("a link in a folder of ours");
            std::fs::rename(&aside, &link).expect("a link in a folder of ours");
        }
    }
    folder
}
