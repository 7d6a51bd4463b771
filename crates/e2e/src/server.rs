//! One server process of a test: its folder, its port, its log, its end.

use crate::log::Log;
use crate::{Connection, Host, Program, Reply, Shell, ports, wait};
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use tempfile::TempDir;

/// A running server, or one that has ended and may be started again with the same folder, port and arguments.
pub struct Server {
    program: Program,
    port: u16,
    arguments: Vec<String>,
    password: Option<String>,
    /// Signals that the process ignores from its first moment.
    ignored: Vec<String>,
    folder: TempDir,
    child: Option<Child>,
    log: Log,
    /// What it says when it takes connections.
    ready: &'static str,
    /// The machine that it runs on, if not this one.
    host: Option<Host>,
}

/// What a shell command printed.
#[derive(Debug)]
pub struct Output {
    pub stdout: String,
    pub stderr: String,
    pub status: ExitStatus,
}

const READY: &str = "Ready to accept connections";
/// The same for a Sentinel.
const WATCHES: &str = "Sentinel ID is";

impl Server {
    /// Starts our server and waits until it takes connections.
    pub fn start(arguments: &[&str]) -> Server {
        Server::start_program(&Program::ours(), arguments)
    }

    /// Starts a server of any program. The arguments come after the defaults of a test (a port, a folder and a
    /// loopback address of its own, no save points, DEBUG allowed), so they win.
    pub fn start_program(program: &Program, arguments: &[&str]) -> Server {
        let mut server = Server::prepare(program, arguments);
        server.boot();
        server
    }

    /// Everything but the process: for tests that first put files into the folder. Call [`Server::boot`] next.
    pub fn prepare(program: &Program, arguments: &[&str]) -> Server {
        let port = ports::claim();
        let folder = tempfile::Builder::new().prefix("rubellite-test-").tempdir().expect("a folder for a test");
        let defaults = [
            ("--port", port.to_string()),
            ("--dir", folder.path().to_string_lossy().into_owned()),
            ("--bind", "127.0.0.1".to_string()),
            ("--save", String::new()),
            ("--enable-debug-command", "yes".to_string()),
            ("--repl-diskless-sync-delay", "0".to_string()),
        ];
        let defaults = defaults.into_iter().flat_map(|(name, value)| [name.to_string(), value]);
        let arguments = defaults.chain(arguments.iter().map(|a| a.to_string())).collect();
        Server {
            program: program.clone(),
            port,
            arguments,
            password: None,
            ignored: Vec::new(),
            folder,
            child: None,
            log: Log::default(),
            ready: READY,
            host: None,
        }
    }

    /// Starts a server from the text of a configuration file, as `redis-server file.conf` would, and with nothing
    /// else; `PORT` in the text stands for the port that this server gets.
    pub fn configured(program: &Program, file: &str, text: &str) -> Server {
        let mut server = Server::prepare_file(program, file, text);
        server.boot();
        server
    }

    /// The same without the process.
    pub fn prepare_file(program: &Program, file: &str, text: &str) -> Server {
        let mut server = Server::prepare(program, &[]);
        let path = server.folder().join(file);
        std::fs::write(&path, text.replace("PORT", &server.port.to_string())).expect("a file in a folder of ours");
        server.arguments = vec![file.to_string()];
        server
    }

    /// Starts a Sentinel from the text of its file, as `redis-server sentinel.conf --sentinel` would; `PORT` in the text
    /// stands for the port that it gets.
    pub fn sentinel(program: &Program, text: &str) -> Server {
        let mut sentinel = Server::prepare_sentinel(program, text);
        sentinel.boot();
        sentinel
    }

    /// The same without the process.
    pub fn prepare_sentinel(program: &Program, text: &str) -> Server {
        let mut sentinel = Server::prepare_file(program, "sentinel.conf", text);
        sentinel.add_arguments(&["--sentinel"]);
        sentinel.ready = WATCHES;
        sentinel
    }

    /// It runs on that machine from the next start on.
    pub fn move_to(&mut self, host: &Host) {
        self.host = Some(host.clone());
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        let ip = self.host.as_ref().map_or(IpAddr::from([127, 0, 0, 1]), |host| host.ip.into());
        SocketAddr::new(ip, self.port)
    }

    /// Starts the process and waits until it takes connections.
    pub fn boot(&mut self) {
        self.spawn();
        self.wait_for_log(self.ready);
    }

    /// Starts the process and returns at once.
    pub fn spawn(&mut self) {
        assert!(self.child.is_none(), "the server is running");
        let server = match &self.host {
            Some(host) => host.command(&self.program.server()),
            None => self.program.server(),
        };
        // A signal that is ignored stays so over exec; a process can be born with it in no other way.
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("trap '' {}; exec \"$0\" \"$@\"", self.ignored.join(" ")));
        if self.ignored.is_empty() {
            command = server;
        } else {
            command.arg(server.get_program()).args(server.get_args());
        }
        command.args(&self.arguments).current_dir(self.folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        self.log = Log::of(&mut child);
        self.child = Some(child);
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder in which it runs and keeps its data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn process_id(&self) -> u32 {
        self.child.as_ref().expect("the server is running").id()
    }

    /// The password that [`Server::connect`] and [`Server::cli`] give from now on.
    pub fn set_password(&mut self, password: &str) {
        self.password = Some(password.to_string());
    }

    /// The process ignores a signal (`XFSZ`) from the next start on.
    pub fn ignore_signal(&mut self, name: &str) {
        self.ignored.push(name.to_string());
    }

    /// Changes the arguments for the next start.
    pub fn add_arguments(&mut self, arguments: &[&str]) {
        self.arguments.extend(arguments.iter().map(|a| a.to_string()));
    }

    /// A new connection, with the password given if there is one.
    pub fn connect(&self) -> Connection {
        let what = format!("a connection to port {}", self.port);
        let mut connection = wait::until_some(&what, || Connection::open_at(self.address()).ok());
        if let Some(password) = &self.password {
            let reply = connection.call(&["AUTH", password]).expect("AUTH is answered");
            assert_eq!(reply.to_string(), "OK");
        }
        connection
    }

    /// Runs one command on a connection of its own.
    pub fn run(&self, line: &str) -> Reply {
        self.connect().run(line)
    }

    /// Runs the program's CLI against this server with these words.
    pub fn cli(&self, words: &[&str]) -> Output {
        let mut command = self.program.cli();
        command.args(["-p", &self.port.to_string()]);
        if let Some(password) = &self.password {
            command.args(["-a", password, "--no-auth-warning"]);
        }
        command.args(words);
        Output::of(command)
    }

    /// Opens the program's CLI on this server, as a shell that stays; no password is given.
    pub fn shell(&self, words: &[&str]) -> Shell {
        let mut command = self.program.cli();
        command.args(["-p", &self.port.to_string()]).args(words);
        Shell::open(command)
    }

    /// A field of INFO; empty if there is none of that name.
    pub fn info(&self, field: &str) -> String {
        let text = self.run("INFO everything").text();
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.unwrap_or_default().to_string()
    }

    /// Waits until a field of INFO has a value.
    pub fn wait_for_info(&self, field: &str, value: &str) {
        wait::until(&format!("{field}:{value} in INFO of port {}", self.port), || self.info(field) == value);
    }

    /// Everything that the process which runs now has printed.
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the process that runs now has printed a text.
    pub fn wait_for_log(&self, text: &str) {
        self.wait_for_log_count(text, 1);
    }

    /// Waits until the process that runs now has printed a text that many times.
    pub fn wait_for_log_count(&self, text: &str, times: usize) {
        self.log.wait_for(text, times);
    }

    /// Kills the process as `kill -9` does, and waits for its end.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("the server is running");
        child.kill().expect("a child of ours");
        child.wait().expect("a child of ours");
    }

    /// Sends a signal by name (`TERM`, `INT`, `STOP`, `CONT`).
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.process_id().to_string()]).status();
        assert!(status.expect("kill starts").success());
    }

    /// Ends the process with `SHUTDOWN` and these words, and returns its status.
    pub fn shut_down(&mut self, words: &str) -> ExitStatus {
        let line = format!("SHUTDOWN {words}");
        let words = crate::words::split(&line).expect("words without quotes");
        // The connection breaks instead of an answer.
        if let Ok(reply) = self.connect().call(&words) {
            panic!("{line}: {reply}");
        }
        self.wait_for_end()
    }

    /// Waits until the process ends by itself.
    pub fn wait_for_end(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("the server is running");
        let status = wait::until_some("the end of the server", || child.try_wait().expect("a child of ours"));
        self.log.wait_for_end();
        status
    }

    /// `kill -9`, then a start with the same folder, port and arguments.
    pub fn kill_and_restart(&mut self) {
        self.kill();
        self.boot();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; then there is nothing to kill.
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("--- log of {} on port {}\n{}", self.program.name, self.port, self.log());
        }
    }
}

impl Output {
    /// Runs a command to its end.
    pub fn of(mut command: Command) -> Output {
        let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Output {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            status: output.status,
        }
    }
}
