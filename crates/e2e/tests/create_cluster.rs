//! `utils/create-cluster/create-cluster`: six nodes started, made a cluster of, watched, stopped, and nothing left of them.
//!
//! Its published ports are fixed. Where this process may make a machine of its own, the script runs there with nothing but its
//! defaults; elsewhere a `config.sh` moves the ports.

use e2e::{Host, Hosts, Output, Program, Shell, ports, wait};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

struct Scene {
    folder: TempDir,
    bin: TempDir,
    script: PathBuf,
    /// The port before the first node's.
    base: u16,
    host: Option<Host>,
}

const NODES: u16 = 6;

impl Scene {
    /// A folder to work in, and the programs and the script on `PATH`.
    fn set(servers: &Program, host: Option<&Host>) -> Scene {
        let (folder, bin) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../utils/create-cluster/create-cluster");
        let script = script.canonicalize().unwrap();
        symlink(servers.server().get_program(), bin.path().join("redis-server")).unwrap();
        symlink(Program::ours().cli().get_program(), bin.path().join("redis-cli")).unwrap();
        symlink(&script, bin.path().join("create-cluster")).unwrap();
        let base = if host.is_some() { 30_000 } else { ports::claim_row(NODES) - 1 };
        Scene { folder, bin, script, base, host: host.cloned() }
    }

    /// What `config.sh` says besides the ports, where these have to be said.
    fn configure(&self, more: &str) {
        let mut text = more.to_owned();
        if self.host.is_none() {
            text.push_str(&format!("\nPORT={}\n", self.base));
        }
        if !text.is_empty() {
            std::fs::write(self.folder.path().join("config.sh"), text).unwrap();
        }
    }

    fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new("env");
        let path = format!("PATH={}:/usr/bin:/bin", self.bin.path().display());
        command.args([&path, "TERM=dumb", program]).args(words);
        if let Some(host) = &self.host {
            command = host.command(&command);
        }
        command.current_dir(self.folder.path());
        command
    }

    fn call(&self, program: &str, words: &[&str]) -> String {
        let output = Output::of(self.command(program, words));
        assert!(output.status.success(), "{words:?}: {output:?}");
        output.stdout
    }

    /// What all nodes answer, those that do.
    fn ask(&self, words: &[&str]) -> String {
        Output::of(self.command("create-cluster", &[&["call"], words].concat())).stdout
    }

    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name != "config.sh").collect()
    }

    /// All of it, with the script by one of its names.
    fn whole_life(&self, program: &str) {
        let everybody = usize::from(NODES);
        let started = self.call(program, &["start"]);
        assert_eq!(started, (1..=NODES).map(|node| format!("Starting {}\n", self.base + node)).collect::<String>());
        let pong = "PONG\n".repeat(everybody);
        wait::until("six servers", || self.ask(&["ping"]) == pong);
        let made = self.call(program, &["create", "-f"]);
        assert!(made.contains("[OK] All 16384 slots covered."), "{made}");
        wait::until("six nodes to agree", || {
            let info = self.ask(&["cluster", "info"]);
            ["cluster_state:ok", "cluster_known_nodes:6", "cluster_size:3"]
                .iter()
                .all(|line| info.matches(line).count() == everybody)
        });
        assert_eq!(self.call(program, &["call", "cluster", "keyslot", "foo"]), "12182\n".repeat(everybody));
        let timeout = self.call(program, &["call", "config", "get", "cluster-node-timeout"]);
        assert_eq!(timeout.matches("2000").count(), everybody);

        let mut watch = Shell::open(self.command(program, &["watch"]));
        wait::until("the table to be shown twice", || watch.output().matches("myself,master").count() == 2);
        watch.end_input();
        let tail = Shell::open(self.command(program, &["tail", "1"]));
        tail.wait_for("Cluster state changed: ok");
        drop((watch, tail));

        self.call(program, &["restart"]);
        wait::until("six nodes to be back", || {
            self.ask(&["cluster", "info"]).matches("cluster_state:ok").count() == everybody
        });
        self.call(program, &["stop"]);
        wait::until("six servers to end", || self.ask(&["ping"]).is_empty());
        assert!(self.files().iter().any(|file| file.starts_with("nodes-")), "{:?}", self.files());
        self.call(program, &["clean"]);
        assert_eq!(self.files(), [""; 0]);
    }
}

/// The servers are daemons: a test that fails must not leave them behind.
impl Drop for Scene {
    fn drop(&mut self) {
        self.ask(&["shutdown", "nosave"]);
    }
}

#[test]
fn the_published_defaults_from_path() {
    let hosts = Hosts::new(1);
    let scene = Scene::set(&Program::ours(), hosts.as_ref().map(|hosts| hosts.host(0)));
    scene.configure("");
    scene.whole_life("create-cluster");
    assert!(scene.call("create-cluster", &["help"]).starts_with("Usage: "));
}

#[test]
fn by_its_place_in_utils() {
    for servers in [Some(Program::ours()), Program::redis()].into_iter().flatten() {
        let scene = Scene::set(&servers, None);
        scene.configure(&format!("BIN_PATH={}", scene.bin.path().display()));
        scene.whole_life(scene.script.to_str().unwrap());
    }
}
