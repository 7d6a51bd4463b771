//! Real peers: our replica of theirs, their replica of ours, broken links, and files that change hands.

use e2e::dataset::{self, wait_until_equal};
use e2e::workload::Workload;
use e2e::{Output, Program, Proxy, Server, wait};

/// Each real peer in both roles beside us.
fn pairs() -> Vec<(Program, Program)> {
    let ours = Program::ours();
    Program::peers().into_iter().flat_map(|peer| [(ours.clone(), peer.clone()), (peer, ours.clone())]).collect()
}

fn both_know(one: &Server, other: &Server) -> impl Fn(&str) -> bool {
    let ports = [one.port(), other.port()];
    move |name| ports.iter().all(|&port| dataset::knows(&mut e2e::Connection::open(port).unwrap(), name))
}

fn random_writes(server: &Server, workload: Workload, count: usize) {
    let mut workload = workload.only(|form| !form.blocks());
    let commands: Vec<_> = (0..count).map(|_| workload.any().words).collect();
    server.connect().pipeline(&commands).unwrap();
}

fn follow(replica: &Server, port: u16) {
    assert_eq!(replica.run(&format!("REPLICAOF 127.0.0.1 {port}")).to_string(), "OK");
    replica.wait_for_info("master_link_status", "up");
}

/// The primary holds data when the replica comes, and more is written afterwards, in every type.
fn full_sync_and_stream(primary: &Program, replica: &Program, settings: &[&str]) {
    println!("{} feeds {} with {settings:?}", primary.name, replica.name);
    let primary = Server::start_program(primary, settings);
    dataset::fill(&primary);
    let replica = Server::start_program(replica, &[]);
    replica.run("SET stale data");
    follow(&replica, primary.port());
    wait_until_equal(&primary, &replica);
    let workload = Workload::new(1, both_know(&primary, &replica));
    random_writes(&primary, workload, 5000);
    assert_eq!(primary.run("SET last word").to_string(), "OK");
    assert_eq!(primary.run("WAIT 1 0").to_string(), "(integer) 1");
    wait_until_equal(&primary, &replica);
    assert_eq!(replica.run("GET last").to_string(), "\"word\"");
    assert_eq!(replica.run("EXISTS stale").to_string(), "(integer) 0");
    for database in 0..3 {
        let size = |server: &Server| {
            let mut client = server.connect();
            client.expect(&format!("SELECT {database}"), "OK");
            client.run("DBSIZE").integer()
        };
        assert_eq!(size(&primary), size(&replica), "keys of database {database}");
    }
}

/// The link breaks, the primary goes on, the link comes back: nothing is copied anew.
fn partial_resync(primary: &Program, replica: &Program) {
    println!("{} feeds {} over a link that breaks", primary.name, replica.name);
    let primary = Server::start_program(primary, &[]);
    let replica = Server::start_program(replica, &[]);
    let mut link = Proxy::to(primary.port());
    follow(&replica, link.port());
    primary.run("SET before 1");
    wait_until_equal(&primary, &replica);
    for round in 0..3 {
        link.cut();
        replica.wait_for_info("master_link_status", "down");
        let workload = Workload::new(round, both_know(&primary, &replica));
        random_writes(&primary, workload, 500);
        link.mend();
        replica.wait_for_info("master_link_status", "up");
        wait_until_equal(&primary, &replica);
    }
    assert_eq!(primary.info("sync_full"), "1", "every other sync was partial");
    assert_eq!(primary.info("sync_partial_ok"), "3");
}

#[test]
fn a_replica_gets_the_data_and_what_follows() {
    for (primary, replica) in pairs() {
        full_sync_and_stream(&primary, &replica, &["--repl-diskless-sync", "yes"]);
    }
}

#[test]
fn a_replica_gets_the_data_from_disk() {
    for (primary, replica) in pairs() {
        full_sync_and_stream(&primary, &replica, &["--repl-diskless-sync", "no"]);
    }
}

#[test]
fn a_broken_link_is_mended_without_a_full_sync() {
    for (primary, replica) in pairs() {
        partial_resync(&primary, &replica);
    }
}

/// `REPLICAOF NO ONE` on a replica, and its former sibling follows it: the histories are the same, so nothing is
/// copied.
#[test]
fn a_promoted_replica_goes_on_with_the_history() {
    for (old, other) in pairs() {
        println!("{} fails, {} takes over", old.name, other.name);
        let primary = Server::start_program(&old, &[]);
        let heir = Server::start_program(&other, &[]);
        let sibling = Server::start_program(&old, &[]);
        follow(&heir, primary.port());
        follow(&sibling, primary.port());
        primary.run("SET from primary");
        for replica in [&heir, &sibling] {
            wait_until_equal(&primary, replica);
        }
        assert_eq!(heir.run("REPLICAOF NO ONE").to_string(), "OK");
        follow(&sibling, heir.port());
        assert_eq!(heir.run("SET from heir").to_string(), "OK");
        wait_until_equal(&heir, &sibling);
        assert_eq!(sibling.run("GET from").to_string(), "\"heir\"");
        assert_eq!(heir.info("sync_full"), "0", "the sibling must continue, not start over");
        assert_eq!(heir.info("sync_partial_ok"), "1");
    }
}

/// A primary leaves out what has expired when it loads its snapshot. Replicas that go on from there are told of it: they
/// would keep it for ever.
#[test]
fn a_primary_that_restarts_tells_what_has_expired() {
    let ours = Program::ours();
    for (one, other) in pairs().into_iter().chain([(ours.clone(), ours)]) {
        println!("{} restarts, {} goes on", one.name, other.name);
        let mut primary = Server::start_program(&one, &["--save", "3600 1"]);
        let replica = Server::start_program(&other, &[]);
        follow(&replica, primary.port());
        assert_eq!(primary.run("SET kept 1").to_string(), "OK");
        assert_eq!(primary.run("SET gone 1 PX 700").to_string(), "OK");
        primary.shut_down("SAVE");
        // The replica hides it, and waits to be told.
        wait::until("the key to expire", || replica.run("EXISTS gone").to_string() == "(integer) 0");
        primary.boot();
        wait::until("the replica to be told", || replica.run("DBSIZE").to_string() == "(integer) 1");
        wait_until_equal(&primary, &replica);
        assert_eq!(primary.info("sync_full"), "0", "the replica must continue, not start over");
    }
}

/// A replica of a replica gets the same bytes, whoever stands in the middle.
#[test]
fn a_chain_of_replicas() {
    for (ends, middle) in pairs() {
        println!("{} between two of {}", middle.name, ends.name);
        let first = Server::start_program(&ends, &[]);
        let second = Server::start_program(&middle, &[]);
        let third = Server::start_program(&ends, &[]);
        dataset::fill(&first);
        follow(&second, first.port());
        follow(&third, second.port());
        let workload = Workload::new(3, both_know(&first, &second));
        random_writes(&first, workload, 1000);
        wait_until_equal(&first, &second);
        wait_until_equal(&first, &third);
        for field in ["master_replid", "master_repl_offset"] {
            wait::until(field, || first.info(field) == third.info(field));
        }
    }
}

#[test]
fn rdb_files_change_hands() {
    for (writer, reader) in pairs() {
        println!("{} writes an RDB file, {} reads it", writer.name, reader.name);
        let source = Server::start_program(&writer, &[]);
        dataset::fill(&source);
        assert_eq!(source.run("SAVE").to_string(), "OK");
        check(&reader, "check-rdb", &source.file("dump.rdb"));
        let mut target = Server::prepare(&reader, of_any_version(&reader));
        std::fs::copy(source.file("dump.rdb"), target.file("dump.rdb")).unwrap();
        target.boot();
        dataset::assert_equal(&source, &target);
    }
}

/// What makes our server read the files of a Redis whose version Valkey, and so we, know only by hearsay.
fn of_any_version(reader: &Program) -> &'static [&'static str] {
    if reader.name == Program::ours().name { &["--rdb-version-check", "relaxed"] } else { &[] }
}

#[test]
fn append_only_files_change_hands() {
    for (writer, reader) in pairs() {
        for preamble in ["yes", "no"] {
            println!("{} writes an append-only file, {} reads it; preamble {preamble}", writer.name, reader.name);
            let settings = ["--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", preamble];
            let source = Server::start_program(&writer, &settings);
            dataset::fill(&source);
            assert!(!source.run("BGREWRITEAOF").is_error());
            wait::until("the rewrite", || {
                source.info("aof_rewrite_in_progress") == "0" && source.info("aof_rewrite_scheduled") == "0"
            });
            let mut target = Server::prepare(&reader, &[&settings[..], of_any_version(&reader)].concat());
            let asked = Server::start_program(&reader, &[]);
            let workload = Workload::new(4, both_know(&source, &asked));
            random_writes(&source, workload, 1000);
            let folder = target.file("appendonlydir");
            std::fs::create_dir(&folder).unwrap();
            for entry in std::fs::read_dir(source.file("appendonlydir")).unwrap() {
                let path = entry.unwrap().path();
                std::fs::copy(&path, folder.join(path.file_name().unwrap())).unwrap();
            }
            if tool_knows_base(&reader, &folder) {
                check(&reader, "check-aof", &folder.join("appendonly.aof.manifest"));
            }
            target.boot();
            dataset::assert_equal(&source, &target);
        }
    }
}

/// Valkey 9.1's `valkey-check-aof` takes a base file with Valkey's own magic for commands, and so finds it broken.
fn tool_knows_base(program: &Program, folder: &std::path::Path) -> bool {
    let mut files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let base = files.find(|path| path.to_string_lossy().contains(".base.")).expect("a base file");
    program.is_rubellite() || !std::fs::read(base).unwrap().starts_with(b"VALKEY")
}

/// The peer's checking tool finds nothing wrong with a file.
fn check(program: &Program, tool: &str, file: &std::path::Path) {
    let mut command = program.tool(tool);
    command.arg(file);
    let output = Output::of(command);
    assert!(output.status.success(), "{} {tool}:\n{}{}", program.name, output.stdout, output.stderr);
}
