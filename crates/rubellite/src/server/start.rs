//! From arguments to a running server.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use acl::Users;
use cluster::{Cluster, Outbox, Saved};
use command::registry::{Mode as CommandMode, Registry};
use config::{CommandLine, Config, Loaded, Mode, Reason, Surroundings};
use engine::ticket::Wake;
use keyspace::UnixMillis;
use node::cluster::ClusterNode;
use node::control::{Control, Role};
use node::report;
use node::server::Server;
use resp::log_text;
use runtime::accept::Acceptor;
use runtime::{Reactor, cores, crash, daemon, entropy, log, rlimit, signals, source, title};

use super::aof::Aof;
use super::host::{ProcessHost, SystemClock};
use super::load::Failure;
use super::nodes_file::NodesFile;
use super::settings::{self, Outside};
use super::snapshotter::{self, Jobs};
use super::{control, recover, replica, thread};

/// Our version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Stack of an I/O thread: deep enough for the deepest command, small enough for many idle threads.
const STACK: usize = 1 << 20;

/// Runs the server with these arguments, its name first.
pub fn main(args: &[OsString]) -> ExitCode {
    let name = args.first().map(|a| a.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.as_str();
    let arguments: Vec<Vec<u8>> = args.iter().skip(1).map(|a| a.as_bytes().to_vec()).collect();
    let arguments = &arguments[..];
    if let Some(code) = answer_and_leave(name, arguments) {
        return code;
    }
    title::init();
    let line = CommandLine::parse(arguments);
    let (loaded, file) = match load(&line) {
        Ok(loaded) => loaded,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    match run(name, loaded, file) {
        Ok(code) => ExitCode::from(code),
        Err(e) => {
            log::warning(e);
            ExitCode::FAILURE
        }
    }
}

fn answer_and_leave(name: &str, arguments: &[Vec<u8>]) -> Option<ExitCode> {
    match arguments.first()?.as_slice() {
        b"-v" | b"--version" => {
            println!("Rubellite server v={VERSION} sha=00000000:0 malloc=jemalloc bits=64 build=0");
            Some(ExitCode::SUCCESS)
        }
        b"-h" | b"--help" => {
            println!("Usage: ./{name} [/path/to/redis.conf] [options] [-]");
            println!("       ./{name} - (read config from stdin)");
            println!("       ./{name} -v or --version");
            println!("       ./{name} -h or --help");
            println!();
            println!("Examples:");
            println!("       ./{name} (run the server with default conf)");
            println!("       echo 'maxmemory 128mb' | ./{name} -");
            println!("       ./{name} /etc/redis/6379.conf");
            println!("       ./{name} --port 7777");
            println!("       ./{name} --port 7777 --replicaof 127.0.0.1 8888");
            println!("       ./{name} /etc/myredis.conf --loglevel verbose -");
            Some(ExitCode::SUCCESS)
        }
        _ => None,
    }
}

/// Files and folders for the configuration's reader.
struct Files;

impl Surroundings for Files {
    fn include(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason> {
        let path = Path::new(OsStr::from_bytes(path));
        let mut all = Vec::new();
        for file in source::glob(path).map_err(|e| Reason::new(e.to_string()))? {
            all.extend(source::read(&file).map_err(|e| Reason::new(runtime::errno::text(&e)))?);
            all.push(b'\n');
        }
        Ok(all)
    }

    fn enter(&mut self, path: &[u8]) -> Result<Vec<u8>, Reason> {
        settings::enter(path)
    }
}

fn load(line: &CommandLine) -> Result<(Loaded, Option<PathBuf>), String> {
    let mut file = None;
    let mut text = Vec::new();
    if let Some(path) = &line.file {
        let path = Path::new(OsStr::from_bytes(path));
        text = source::read(path).map_err(|e| {
            format!("Fatal error, can't open config file '{}': {}", path.display(), runtime::errno::text(&e))
        })?;
        file = Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    }
    let stdin = if line.stdin { source::read_stdin().map_err(|e| e.to_string())? } else { Vec::new() };
    let text = line.text(&text, &stdin);
    let loaded = config::load(&text, Mode::Server, &mut Files).map_err(|e| e.message(VERSION))?;
    Ok((loaded, file))
}

fn run(name: &str, loaded: Loaded, file: Option<PathBuf>) -> io::Result<u8> {
    let mut config = loaded.config;
    log::set(settings::log_settings(&config));
    let (seed_a, seed_b) = (entropy::seed(), entropy::seed());
    structures::hash::seed(seed_a, seed_b);
    if config.process.daemonize {
        daemon::daemonize()?;
    }
    log::notice(log_text::start::starting("Rubellite"));
    log::notice(log_text::start::version("Rubellite", VERSION, 64, std::process::id()));
    match &file {
        Some(_) => log::notice(log_text::start::CONFIGURATION_LOADED),
        None => log::warning(log_text::start::default_config(name)),
    }
    let adjusted = rlimit::adjust(u64::from(config.clients.maxclients));
    adjusted.lines.iter().for_each(|(level, line)| log::line(*level, line));
    match adjusted.maxclients {
        Some(n) => config.clients.maxclients = n as u32,
        None => return Ok(1),
    }
    if let Some(pidfile) = pid_path(&config)
        && let Err(e) = daemon::write_pid_file(&pidfile)
    {
        log::warning(format!("Failed to write PID file: {}", runtime::errno::text(&e)));
    }
    let mut registry = Registry::new(CommandMode::Server);
    for declared in &loaded.renames {
        let (from, to) = (&declared.words[1], &declared.words[2]);
        if registry.rename(from, to).is_err() {
            log::warning(log_text::start::cannot_rename(&String::from_utf8_lossy(from)));
            return Ok(1);
        }
    }
    let threads = config.threads.count(cores::available() as u32) as usize;
    settings::set_title(name, &config);
    let reported: Arc<OnceLock<&'static Server>> = Arc::default();
    let hook = reported.clone();
    crash::install(
        VERSION,
        Box::new(move |out| {
            if let Some(server) = hook.get() {
                report::write(server, out);
            }
        }),
    )?;
    crash::enable(config.process.crash_log_enabled)?;
    let config = Arc::new(config);
    let mut control_reactor = Reactor::new()?;
    let (snapshotter, jobs) = snapshotter::queue();
    let aof_cell = Arc::new(OnceLock::new());
    let outside = Arc::new(Outside { name: name.to_owned(), ..Outside::default() });
    let (nodes, machine) = match config.cluster.enabled.then(|| join(&config)).transpose() {
        Ok(joined) => joined.unzip(),
        Err(reason) => {
            log::warning(reason);
            return Ok(1);
        }
    };
    let users = Arc::new(Users::with_password(config.security.requirepass.as_deref().unwrap_or_default()));
    let mut state = Control::new(config.clone(), users);
    state.loading = true;
    if let Some(primary) = &config.replication.replicaof {
        let host = String::from_utf8_lossy(&primary.host).into_owned();
        state.role = Role::Replica { host, port: primary.port, online: false };
    }
    state.cluster = machine.as_ref().map(|(machine, _)| machine.view().clone());
    let mut server = Server::new(
        state,
        threads,
        threads + control::EXECUTORS,
        shards_for(threads),
        Arc::new(SystemClock),
        Box::new(ProcessHost::new(
            snapshotter,
            control_reactor.inbox().waker().clone(),
            outside.clone(),
            file,
            aof_cell.clone(),
            nodes,
        )),
        registry,
    );
    server.cluster = machine.map(|(machine, outbox)| ClusterNode::new(machine, outbox));
    // It lives as long as the process: a crash report may need it at any time, and freeing the data at the end helps nobody.
    let server: &'static Server = Box::leak(Box::new(server));
    let _ = reported.set(server);
    let aof = Arc::new(Aof::new(server.journal.clone()));
    let _ = aof_cell.set(aof.clone());
    serve(server, &config, &outside, threads, &mut control_reactor, jobs, &aof)?;
    if server.is_unrecovered() {
        // The last line says why there are no data.
        remove_pid_file(&config);
        return Ok(1);
    }
    if aof.is_on() {
        log::notice(log_text::shutdown::FSYNC);
        let _ = aof.flush(server.journal.end().0, &config);
        aof.sync();
    }
    if let Some(node) = &server.cluster {
        log::notice(log_text::cluster_node::SAVING);
        if let Err(reason) = server.host.save_nodes(&node.ask(Cluster::saved_config), true) {
            log::warning(reason);
        }
    }
    remove_pid_file(&config);
    log::warning(log_text::shutdown::bye("Rubellite"));
    Ok(server.exit_code.load(Ordering::Relaxed) as u8)
}

/// Locks the file in which this node keeps what it knows, and makes the machine of what is in it. From here on keys are
/// hashed by their slots.
fn join(config: &Config) -> Result<(NodesFile, (Cluster, Outbox)), String> {
    keyspace::hash_by_slot();
    if config.cluster.port == 0 && config.network.port > u16::MAX - cluster::BUS_PORT_STEP {
        return Err(log_text::cluster_node::PORT_TOO_HIGH.to_owned());
    }
    if config.network.bind.is_empty() {
        return Err(log_text::cluster_node::NO_BIND.to_owned());
    }
    let file = NodesFile::open(config)?;
    let (newest, previous) = file.read()?;
    let saved = Saved { newest: newest.as_deref(), previous: previous.as_deref() };
    let mut outbox = Outbox::new();
    let now = UnixMillis(runtime::clock::unix_ms());
    let machine = Cluster::new(node::cluster::settings(config), saved, entropy::seed(), now, &mut outbox)?;
    Ok((file, (machine, outbox)))
}

/// One shard for one thread, so that a turn takes one lock; else many for each thread, so that they seldom meet, even in
/// commands of ten keys. A shard without keys takes about a kilobyte.
fn shards_for(threads: usize) -> usize {
    if threads == 1 { 1 } else { (threads * 64).next_power_of_two().min(1024) }
}

fn serve(
    server: &Server,
    config: &Config,
    outside: &Outside,
    threads: usize,
    control_reactor: &mut Reactor,
    jobs: Jobs,
    aof: &Aof,
) -> io::Result<()> {
    let mut reactors = (0..threads).map(|_| Reactor::new()).collect::<io::Result<Vec<_>>>()?;
    for (index, reactor) in reactors.iter().enumerate() {
        thread::attach(server, index, reactor);
    }
    let inboxes: Vec<_> = reactors.iter().map(|r| r.inbox().clone()).collect();
    let io_inboxes = inboxes.clone();
    signals::install(control_reactor.inbox().waker().clone())?;
    let acceptor = {
        let started = Acceptor::start(inboxes, config.network.tcp_keepalive)?;
        outside.acceptor.get_or_init(|| started)
    };
    let bus_acceptor;
    let mut listening = settings::listen_all(config, acceptor)?;
    if server.cluster.is_some() && listening {
        bus_acceptor = Acceptor::start(vec![control_reactor.inbox().clone()], 0)?;
        listening = settings::listen_bus(config, &bus_acceptor);
    }
    if !listening {
        server.stop(1);
    }
    std::thread::scope(|scope| -> io::Result<()> {
        let mut handles = Vec::new();
        for (index, mut reactor) in reactors.drain(..).enumerate() {
            let name = format!("io-{index}");
            handles.push(std::thread::Builder::new().name(name).stack_size(STACK).spawn_scoped(scope, move || {
                arm();
                if let Err(e) = thread::run(server, index, &mut reactor) {
                    log::warning(format!("I/O thread {index} has failed: {e}"));
                    server.stop(1);
                }
            })?);
        }
        if config.general.always_show_logo {
            log::raw(log::Level::Notice, &log_text::start::logo(VERSION, config.network.port, std::process::id()));
        } else {
            let mode = if server.cluster.is_some() { "cluster" } else { "standalone" };
            log::notice(log_text::start::mode(mode, config.network.port));
        }
        log::notice(log_text::start::INITIALIZED);
        std::thread::Builder::new().name("link".to_owned()).stack_size(STACK).spawn_scoped(scope, move || {
            arm();
            replica::run(server, threads + control::EXECUTORS - 2);
        })?;
        let snapshots = jobs.queue();
        std::thread::Builder::new().name("snapshot".to_owned()).stack_size(STACK).spawn_scoped(scope, move || {
            arm();
            let executor = threads + control::EXECUTORS - 1;
            if listening && recover_data(server, config, executor, aof) {
                snapshotter::run(server, executor, jobs, aof);
            }
        })?;
        let result = control::run(server, threads, control_reactor, aof, io_inboxes);
        snapshots.end();
        result
    })?;
    acceptor.close_all();
    Ok(())
}

/// Without it a crash report of this thread has the addresses only, which is better than no thread.
fn arm() {
    let _ = crash::arm_thread();
}

/// Loads what there is, and says that clients are welcome. False when the server is to end.
fn recover_data(server: &Server, config: &Config, executor: usize, aof: &Aof) -> bool {
    match recover::recover(server, executor, aof) {
        Ok(()) => {}
        Err(Failure::Over) => return false,
        Err(Failure::Fatal(reason)) => {
            log::warning(reason);
            server.unrecovered.store(true, Ordering::Relaxed);
            server.stop(1);
            return false;
        }
    }
    server.recheck();
    if let Some(node) = &server.cluster {
        node.announce_data();
        server.host.wake_control();
    }
    // The link to a primary begins only now.
    server.replication.idle.wake(0);
    if config.network.port != 0 {
        log::notice(log_text::start::ready("tcp"));
    }
    if config.network.unixsocket.is_some() {
        log::notice(log_text::start::ready("unix"));
    }
    true
}

fn remove_pid_file(config: &Config) {
    if let Some(pidfile) = pid_path(config) {
        daemon::remove_pid_file(&pidfile);
    }
}

fn pid_path(config: &Config) -> Option<PathBuf> {
    match &config.general.pidfile {
        Some(path) => Some(PathBuf::from(OsStr::from_bytes(path))),
        None if config.process.daemonize => Some(PathBuf::from("/var/run/redis.pid")),
        None => None,
    }
}
