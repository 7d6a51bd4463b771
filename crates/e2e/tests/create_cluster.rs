//! `utils/create-cluster/create-cluster`, with our manager and a real Redis' servers: started, made a cluster of, asked, stopped, and
//! nothing left of it.

use e2e::{Connection, Output, Program, absent, ports, wait};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    bin: TempDir,
    first: u16,
}

impl Scene {
    fn set(redis: &Program) -> Scene {
        let (folder, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(redis.server().get_program(), bin.path().join("redis-server")).unwrap();
        symlink(Program::ours().cli().get_program(), bin.path().join("redis-cli")).unwrap();
        Scene { folder, bin, first: ports::claim_row(3) }
    }

    fn configure(&self, more: &str) {
        let text = format!("PORT={}\nNODES=3\nREPLICAS=0\n{more}\n", self.first - 1);
        std::fs::write(self.folder.path().join("config.sh"), text).unwrap();
    }

    fn call(&self, program: &Path, words: &[&str]) -> String {
        let mut command = Command::new(program);
        let path = format!("{}:/usr/bin:/bin", self.bin.path().display());
        command.args(words).current_dir(self.folder.path()).env("PATH", path).env("TERM", "dumb");
        let output = Output::of(command);
        assert!(output.status.success(), "{words:?}: {output:?}");
        output.stdout
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// The servers are daemons: a test that fails must not leave them behind.
impl Drop for Scene {
    fn drop(&mut self) {
        for port in self.first..self.first + 3 {
            if let Ok(mut connection) = Connection::open(port) {
                let _ = connection.call(&["SHUTDOWN", "NOSAVE"]);
            }
        }
    }
}

#[test]
fn a_cluster_from_start_to_clean() {
    let Some(redis) = Program::redis() else { return absent("no redis-server at hand") };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../utils/create-cluster/create-cluster");
    let scene = Scene::set(&redis);
    // Once with programs from PATH, once from the folder that is named, with the script by a name of another folder.
    let link = scene.bin.path().join("create-cluster");
    symlink(&script, &link).unwrap();
    let named = format!("BIN_PATH={}", scene.bin.path().display());
    for (program, more) in [(&link, ""), (&PathBuf::from(&script), named.as_str())] {
        scene.configure(more);
        let started = scene.call(program, &["start"]);
        assert_eq!(started.lines().count(), 3, "{started}");
        wait::until("three servers", || (scene.first..scene.first + 3).all(|port| Connection::open(port).is_ok()));
        let made = scene.call(program, &["create", "-f"]);
        assert!(made.contains("[OK] All 16384 slots covered."), "{made}");
        assert_eq!(scene.call(program, &["call", "cluster", "keyslot", "foo"]), "12182\n".repeat(3));
        scene.call(program, &["stop"]);
        wait::until("three servers to end", || {
            (scene.first..scene.first + 3).all(|port| Connection::open(port).is_err())
        });
        assert!(scene.files().iter().any(|file| file.starts_with("nodes-")), "{:?}", scene.files());
        scene.call(program, &["clean"]);
        assert_eq!(scene.files(), ["config.sh"]);
    }
    assert!(scene.call(&script, &["help"]).starts_with("Usage: "));
}
