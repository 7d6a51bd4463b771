//! A cluster of real servers, a manager of ours under the name that its family gives it, and a peer's own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use e2e::{Program, Server, ports, wait};
use tempfile::TempDir;

pub struct Scene {
    program: Program,
    pub servers: Vec<Server>,
    pub home: TempDir,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    pub out: String,
    pub err: String,
    pub code: Option<i32>,
}

/// Whose servers the manager is tried on: ours, and every peer at hand.
pub fn servers() -> Vec<Program> {
    std::iter::once(Program::ours()).chain(Program::peers()).collect()
}

/// Servers and the peer beside whose manager ours is looked at on them: each family's own, and on ours the first at hand.
pub fn pairs() -> Vec<(Program, Program)> {
    let peers = Program::peers();
    let on_ours = peers.first().map(|peer| (Program::ours(), peer.clone()));
    peers.iter().map(|peer| (peer.clone(), peer.clone())).chain(on_ours).collect()
}

impl Scene {
    /// Servers in cluster mode that do not know each other yet.
    pub fn set(program: &Program, count: usize) -> Scene {
        let start = |_| {
            // The usual bus port may be one that the system lends to connections.
            let bus = ports::claim().to_string();
            let words = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--cluster-port", &bus];
            Server::start_program(program, &words)
        };
        let servers = (0..count).map(start).collect();
        Scene { program: program.clone(), servers, home: tempfile::tempdir().unwrap() }
    }

    /// A cluster of all of them but the last `apart`, with keys in it.
    pub fn with_cluster(program: &Program, nodes: usize, replicas: usize, apart: usize) -> Scene {
        let scene = Scene::set(program, nodes + apart);
        let places: Vec<String> = (0..nodes).map(|n| scene.place(n)).collect();
        let mut words = vec!["create"];
        words.extend(places.iter().map(String::as_str));
        let replicas = replicas.to_string();
        words.extend(["--cluster-replicas", &replicas, "--cluster-yes"]);
        let ended = scene.manage(&words, "");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        scene.wait_for_agreement(nodes);
        scene
    }

    pub fn place(&self, n: usize) -> String {
        format!("127.0.0.1:{}", self.servers[n].port())
    }

    pub fn id(&self, n: usize) -> String {
        self.servers[n].run("CLUSTER MYID").text()
    }

    /// Our tool, by the name of the family's whose servers these are.
    pub fn ours(&self) -> PathBuf {
        self.tool_named_as(&self.program)
    }

    fn tool_named_as(&self, program: &Program) -> PathBuf {
        let name = Path::new(program.cli().get_program()).file_name().unwrap().to_owned();
        Path::new(Program::ours().cli().get_program()).with_file_name(name)
    }

    pub fn command(&self, tool: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(tool);
        command.arg("--cluster").args(words).env("TERM", "dumb").current_dir(self.home.path());
        for name in ["VALKEYCLI", "REDISCLI"] {
            command.env_remove(format!("{name}_CLUSTER_YES")).env_remove(format!("{name}_AUTH"));
        }
        command
    }

    /// Runs our manager to its end.
    pub fn manage(&self, words: &[&str], input: &str) -> Ended {
        run(self.command(&self.ours(), words), input)
    }

    /// Runs a peer's manager, which must succeed.
    pub fn must_by(&self, peer: &Program, words: &[&str]) -> String {
        let ended = run(self.command(Path::new(peer.cli().get_program()), words), "");
        assert_eq!(ended.code, Some(0), "{} {words:?}: {ended:?}", peer.name);
        ended.out
    }

    /// Runs ours, which must succeed.
    pub fn must(&self, words: &[&str]) -> String {
        let ended = self.manage(words, "");
        assert_eq!(ended.code, Some(0), "{words:?}: {ended:?}");
        ended.out
    }

    /// Runs both managers; what they print and how they end must be the same.
    pub fn beside(&self, peer: &Program, words: &[&str]) {
        let (ours, theirs) = (self.tool_named_as(peer), PathBuf::from(peer.cli().get_program()));
        assert_eq!(run(self.command(&ours, words), ""), run(self.command(&theirs, words), ""), "{words:?}");
    }

    /// How many slots a node says it has.
    pub fn slots(&self, n: usize) -> usize {
        let text = self.servers[n].run("CLUSTER NODES").text();
        let own = text.lines().find(|line| line.contains("myself")).unwrap().split(' ').skip(8);
        own.filter(|word| !word.starts_with('['))
            .map(|word| {
                let (first, last) = word.split_once('-').unwrap_or((word, word));
                last.parse::<usize>().unwrap() + 1 - first.parse::<usize>().unwrap()
            })
            .sum()
    }

    /// Writes as many keys, half of them in the slot of `{foo}`.
    pub fn fill(&self, count: usize) {
        let mut lines = String::new();
        for n in 0..count {
            let tag = if n % 2 == 0 { "{foo}" } else { "key" };
            lines.push_str(&format!("SET {tag}:{n} {n}\n"));
        }
        let mut command = Command::new(self.ours());
        command.args(["-c", "-p", &self.servers[0].port().to_string()]);
        let ended = run(command, &lines);
        assert_eq!(ended.out.matches("OK").count(), count, "{ended:?}");
    }

    /// How many keys all primaries have together.
    pub fn keys(&self) -> i64 {
        let primaries = self.servers.iter().filter(|server| server.info("role") == "master");
        primaries.map(|server| server.run("DBSIZE").integer()).sum()
    }

    /// Who has the slot of `{foo}`.
    pub fn owner_of_foo(&self) -> usize {
        let owns = |n: &usize| self.servers[*n].run("GET {foo}:0").to_string() == "\"0\"";
        (0..self.servers.len()).find(owns).unwrap()
    }

    /// Waits until so many nodes know each other, are content, and agree.
    pub fn wait_for_agreement(&self, nodes: usize) {
        let knows = |server: &Server| {
            let info = server.run("CLUSTER INFO").text();
            info.contains(&format!("cluster_known_nodes:{nodes}\r")) && info.contains("cluster_state:ok")
        };
        let last = || format!("{nodes} nodes to agree; {:?}", self.manage(&["check", &self.place(0)], ""));
        wait::until(last, || {
            self.servers[..nodes].iter().all(knows) && self.manage(&["check", &self.place(0)], "").code == Some(0)
        });
    }
}

pub fn run(mut command: Command, input: &str) -> Ended {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let output = thread::scope(|scope| {
        // A tool that does not read its input leaves it.
        scope.spawn(move || drop(stdin.write_all(input.as_bytes())));
        child.wait_with_output().unwrap()
    });
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ended { out: text(&output.stdout), err: text(&output.stderr), code: output.status.code() }
}
