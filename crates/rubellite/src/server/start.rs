//! From arguments to a running server.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};

use acl::Declared;
use cluster::{Cluster, Outbox, Saved};
use command::registry::{Mode as CommandMode, Registry};
use config::{CommandLine, Config, Loaded, Mode, Reason, Surroundings};
use engine::ticket::Wake;
use keyspace::UnixMillis;
use node::aof::load::Failure;
use node::aof::{Aof, recover};
use node::cluster::ClusterNode;
use node::commands::acl as users;
use node::control::{Control, Role};
use node::report;
use node::sentinel::Watch;
use node::server::Server;
use resp::log_text;
use runtime::accept::Acceptor;
use runtime::{Reactor, cores, crash, daemon, entropy, files, log, rlimit, signals, source, title};

use super::disk;
use super::host::{ProcessHost, SystemClock, log_line};
use super::nodes_file::{NodesFile, NodesLock};
use super::settings::{self, Outside, Title};
use super::snapshotter::{self, Jobs};
use super::{control, replica, sentinel, state_file, thread};

/// Our version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Stack of an I/O thread: deep enough for the deepest command, small enough for many idle threads.
const STACK: usize = 1 << 20;

/// Runs the server with these arguments, its name first.
pub fn main(args: &[OsString]) -> ExitCode {
    let is_sentinel = args.iter().skip(1).any(|word| word.as_bytes() == b"--sentinel");
    start(args, if is_sentinel { CommandMode::Sentinel } else { CommandMode::Server })
}

/// Runs a Sentinel with these arguments, its name first.
pub fn sentinel_main(args: &[OsString]) -> ExitCode {
    start(args, CommandMode::Sentinel)
}

fn start(args: &[OsString], mode: CommandMode) -> ExitCode {
    let name = args.first().map(|a| a.to_string_lossy().into_owned()).unwrap_or_default();
    let name = name.as_str();
    let arguments: Vec<Vec<u8>> = args.iter().skip(1).map(|a| a.as_bytes().to_vec()).collect();
    let arguments = &arguments[..];
    if let Some(code) = answer_and_leave(name, arguments) {
        return code;
    }
    title::init();
    let line = CommandLine::parse(arguments);
    let texts = match load(&line, mode) {
        Ok(texts) => texts,
        Err(message) => {
            eprintln!("{message}");
            return ExitCode::FAILURE;
        }
    };
    match run(name, texts) {
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

/// What the texts of a configuration say.
struct Texts {
    loaded: Loaded,
    users: Vec<Declared>,
    file: Option<PathBuf>,
    /// In a Sentinel, what its lines say.
    machine: Option<::sentinel::Sentinel>,
    /// What there is to say about the file.
    warning: Option<String>,
}

fn load(line: &CommandLine, mode: CommandMode) -> Result<Texts, String> {
    let is_sentinel = mode == CommandMode::Sentinel;
    let mut file = None;
    let mut text = Vec::new();
    let mut warning = None;
    if let Some(path) = &line.file {
        let path = Path::new(OsStr::from_bytes(path));
        let found = if is_sentinel {
            state_file::read(path).map(|found| (found.text, found.warning))
        } else {
            source::read(path).map(|text| (text, None))
        };
        (text, warning) = found.map_err(|e| {
            format!("Fatal error, can't open config file '{}': {}", path.display(), runtime::errno::text(&e))
        })?;
        file = Some(std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    }
    let stdin = if line.stdin { source::read_stdin().map_err(|e| e.to_string())? } else { Vec::new() };
    let text = line.text(&text, &stdin);
    let refused = |e: config::LineError| e.message(VERSION);
    let read_as = if is_sentinel { Mode::Sentinel } else { Mode::Server };
    let loaded = config::load(&text, read_as, &mut Files).map_err(refused)?;
    let users = users::declared(&loaded.users, &loaded.config, &Registry::new(mode)).map_err(refused)?;
    let machine = is_sentinel.then(|| sentinel::machine(&loaded)).transpose().map_err(refused)?;
    Ok(Texts { loaded, users, file, machine, warning })
}

/// A Sentinel must be able to keep what it learns.
fn check_state_file(file: Option<&Path>) -> Result<(), String> {
    let Some(file) = file else { return Err(log_text::start::SENTINEL_WITHOUT_FILE.to_owned()) };
    files::check_writable(file)
        .map_err(|e| log_text::start::sentinel_file(&file.display().to_string(), &runtime::errno::text(&e)))
}

fn run(name: &str, texts: Texts) -> io::Result<u8> {
    let Texts { loaded, users: declared, file, machine, warning } = texts;
    let mut config = loaded.config;
    let mode = if machine.is_some() { CommandMode::Sentinel } else { CommandMode::Server };
    if machine.is_some() {
        log::set_role(log::Role::Sentinel);
    }
    log::set(settings::log_settings(&config));
    if machine.is_some()
        && let Err(why) = check_state_file(file.as_deref())
    {
        log::warning(why);
        return Ok(1);
    }
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
    if let Some(warning) = warning {
        log::warning(warning);
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
    let mut registry = Registry::new(mode);
    for declared in &loaded.renames {
        let (from, to) = (&declared.words[1], &declared.words[2]);
        if registry.rename(from, to).is_err() {
            log::warning(log_text::start::cannot_rename(&String::from_utf8_lossy(from)));
            return Ok(1);
        }
    }
    let threads = if machine.is_some() { 1 } else { config.threads.count(cores::available() as u32) as usize };
    let title = Title {
        name: name.to_owned(),
        mode: match () {
            () if machine.is_some() => "[sentinel]",
            () if config.cluster.enabled => "[cluster]",
            () => "",
        },
        file: file.as_ref().map_or_else(|| "-".to_owned(), |file| file.display().to_string()),
    };
    title.show(&config);
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
    let outside = Arc::new(Outside { title, ..Outside::default() });
    let (nodes, lock, member) = match config.cluster.enabled.then(|| join(&config)).transpose() {
        Ok(Some(Joined { file, lock, machine, outbox })) => (Some(file), Some(lock), Some((machine, outbox))),
        Ok(None) => (None, None, None),
        Err(reason) => {
            log::warning(reason);
            return Ok(1);
        }
    };
    let read = |path: &[u8]| source::read(Path::new(OsStr::from_bytes(path))).map_err(|e| runtime::errno::text(&e));
    let users = match users::at_start(&config, &declared, &registry, read, &mut log_line) {
        Ok(users) => Arc::new(users),
        Err(why) => {
            log::warning(why);
            return Ok(1);
        }
    };
    let mut state = Control::new(config.clone(), users);
    state.loading = machine.is_none();
    if let Some(primary) = config.replication.replicaof.as_ref().filter(|_| machine.is_none()) {
        let host = String::from_utf8_lossy(&primary.host).into_owned();
        state.role = Role::Replica { host, port: primary.port, online: false };
    }
    state.cluster = member.as_ref().map(|(machine, _)| machine.view().clone());
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
            file.clone(),
            aof_cell.clone(),
            nodes,
        )),
        registry,
    );
    server.cluster = member.map(|(machine, outbox)| ClusterNode::new(machine, outbox));
    // It lives as long as the process: a crash report may need it at any time, and freeing the data at the end helps nobody.
    let server: &'static Server = Box::leak(Box::new(server));
    let watcher = Reactor::new()?;
    if let (Some(machine), Some(file)) = (machine, file) {
        let watch = Watch::new(machine, (*config).clone(), sentinel::process(file, &config, &watcher));
        let _ = server.sentinel.set(watch);
    }
    let _ = reported.set(server);
    let aof = Arc::new(Aof::new(server.journal.clone(), disk::ground()));
    let _ = aof_cell.set(aof.clone());
    let connections = serve(server, &config, &outside, threads, &mut control_reactor, watcher, jobs, &aof)?;
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
        if let Err(reason) = node.save(&*server.host, &node.ask(Cluster::saved_config), true) {
            log::warning(reason);
        }
    }
    remove_pid_file(&config);
    log::warning(log_text::shutdown::bye(if server.is_sentinel() { "Sentinel" } else { "Rubellite" }));
    // Clients see the end when everything is given back, ports and locks too: whoever has asked for it may start the next
    // server at once.
    drop(lock);
    drop(connections);
    Ok(server.exit_code.load(Ordering::Relaxed) as u8)
}

/// What a member of a cluster starts with.
struct Joined {
    file: NodesFile,
    lock: NodesLock,
    machine: Cluster,
    outbox: Outbox,
}

/// Locks the file in which this node keeps what it knows, and makes the machine of what is in it.
fn join(config: &Config) -> Result<Joined, String> {
    if config.cluster.port == 0 && config.network.port > u16::MAX - cluster::BUS_PORT_STEP {
        return Err(log_text::cluster_node::PORT_TOO_HIGH.to_owned());
    }
    if config.network.bind.is_empty() {
        return Err(log_text::cluster_node::NO_BIND.to_owned());
    }
    let (file, lock) = NodesFile::open(config)?;
    let copies = file.read()?;
    let saved = Saved { newest: copies.newest.as_deref(), previous: copies.previous.as_deref() };
    let mut outbox = Outbox::new();
    let now = UnixMillis(runtime::clock::unix_ms());
    let machine = Cluster::new(node::cluster::settings(config), saved, entropy::seed(), now, &mut outbox)?;
    Ok(Joined { file, lock, machine, outbox })
}

/// One shard for one thread, so that a turn takes one lock; else many for each thread, so that they seldom meet, even in
/// commands of ten keys. A shard without keys takes about a kilobyte.
fn shards_for(threads: usize) -> usize {
    if threads == 1 { 1 } else { (threads * 64).next_power_of_two().min(1024) }
}

/// Runs the threads until the end. The connections of clients are open still.
#[allow(clippy::too_many_arguments)]
fn serve(
    server: &Server,
    config: &Config,
    outside: &Outside,
    threads: usize,
    control_reactor: &mut Reactor,
    mut watcher: Reactor,
    jobs: Jobs,
    aof: &Aof,
) -> io::Result<Vec<Reactor>> {
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
        for (index, reactor) in reactors.iter_mut().enumerate() {
            let name = format!("io-{index}");
            handles.push(std::thread::Builder::new().name(name).stack_size(STACK).spawn_scoped(scope, move || {
                arm();
                if let Err(e) = thread::run(server, index, reactor) {
                    log::warning(format!("I/O thread {index} has failed: {e}"));
                    server.stop(1);
                }
            })?);
        }
        if config.general.always_show_logo {
            log::raw(log::Level::Notice, &log_text::start::logo(VERSION, config.network.port, std::process::id()));
        } else {
            let mode = match server {
                server if server.is_sentinel() => "sentinel",
                server if server.cluster.is_some() => "cluster",
                _ => "standalone",
            };
            log::notice(log_text::start::mode(mode, config.network.port));
        }
        if let Some(watch) = server.sentinel.get() {
            if listening {
                std::thread::Builder::new().name("sentinel".to_owned()).stack_size(STACK).spawn_scoped(
                    scope,
                    move || {
                        arm();
                        if let Err(e) = sentinel::run(server, watch, &mut watcher, config) {
                            log::warning(format!("The thread that watches has failed: {e}"));
                            server.stop(1);
                        }
                    },
                )?;
            }
            return control::run(server, threads, control_reactor, aof, io_inboxes);
        }
        log::notice(log_text::start::INITIALIZED);
        runtime::text::map_now();
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
    Ok(reactors)
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
