//! Sentinels as processes: the published tutorial as typed, groups mixed with real Sentinels, files, scripts, passwords.
//!
//! `down-after-milliseconds` is a second where the tutorial's five would only make a test longer. Everything is waited
//! for; what the tutorial promises in seconds is measured and held against a generous bound, since a loaded machine is no
//! reason to fail.

use e2e::{Connection, Output, Program, Reply, Server, Shell, absent, python, wait};
use std::process::Command;
use std::time::{Duration, Instant};

const NAME: &str = "myprimary";
const PASSWORD: &str = "a_strong_password";

/// How long a Sentinel of these tests waits before a silent server is down.
const QUICK: &str = "sentinel down-after-milliseconds myprimary 1000\nsentinel failover-timeout myprimary 10000\n";

/// Servers, the first of which the others follow, and Sentinels that watch it.
struct Group {
    servers: Vec<Server>,
    sentinels: Vec<Server>,
}

impl Group {
    fn start(servers: &Program, replicas: usize, sentinels: &[Program], quorum: usize, settings: &str) -> Group {
        let mut group = Group { servers: vec![server(servers, None)], sentinels: Vec::new() };
        let primary = group.servers[0].port();
        group.servers.extend((0..replicas).map(|_| server(servers, Some(primary))));
        for program in sentinels {
            group.sentinels.push(Server::sentinel(program, &sentinel_conf(primary, quorum, settings)));
        }
        group.wait_until_known(sentinels.len() - 1, replicas);
        group
    }

    /// Every Sentinel knows that many others, and that many replicas, which it can reach.
    fn wait_until_known(&self, others: usize, replicas: usize) {
        for sentinel in &self.sentinels {
            let known = || format!("a group known to {}:\n{}", sentinel.port(), sentinel.run("SENTINEL MASTERS"));
            let all = |verb: &str, flags: &str| {
                sentinel.run(&format!("SENTINEL {verb} {NAME}")).items().iter().all(|one| value(one, "flags") == flags)
            };
            wait::until(known, || {
                field(sentinel, "num-other-sentinels") == others.to_string()
                    && field(sentinel, "num-slaves") == replicas.to_string()
                    && all("SLAVES", "slave")
                    && all("SENTINELS", "sentinel")
                    && sentinel.run("SENTINEL CKQUORUM myprimary").to_string().starts_with("OK")
            });
        }
    }

    /// Waits until all Sentinels name the same primary, and it is not `former`.
    fn wait_for_another(&self, former: u16) -> u16 {
        let seen = || format!("an agreement on another primary than {former}: {:?}", self.primaries());
        wait::until_some(seen, || {
            let primaries = self.primaries();
            let first = primaries.first().copied()?;
            (first != former && primaries.iter().all(|port| *port == first)).then_some(first)
        })
    }

    fn primaries(&self) -> Vec<u16> {
        self.sentinels.iter().map(primary_of).collect()
    }

    fn server(&mut self, port: u16) -> &mut Server {
        self.servers.iter_mut().find(|server| server.port() == port).expect("a server of the group")
    }

    /// Waits until every server but the primary follows it.
    fn wait_until_one_leads(&self, primary: u16) {
        let leads = "role:master".to_string();
        let follows = [format!("master_port:{primary}"), "master_link_status:up".to_string()];
        for server in &self.servers {
            let says = |text: &str, line: &String| text.lines().any(|found| found == line);
            wait::until(&format!("port {} to take its place under {primary}", server.port()), || {
                let text = ask(server, &["INFO", "replication"]).map(|reply| reply.text()).unwrap_or_default();
                match server.port() == primary {
                    true => says(&text, &leads),
                    false => follows.iter().all(|line| says(&text, line)),
                }
            });
        }
    }
}

/// A server's answer; nothing when a Sentinel, which lets clients go at a change of roles, was faster.
fn ask(server: &Server, words: &[&str]) -> Option<Reply> {
    let mut connection = Connection::open(server.port()).ok()?;
    connection.call(&["AUTH", PASSWORD]).ok()?;
    connection.call(words).ok()
}

fn server(program: &Program, primary: Option<u16>) -> Server {
    let follows = primary.map_or(String::new(), |port| format!("replicaof 127.0.0.1 {port}\n"));
    let text = format!(
        "bind 127.0.0.1\nport PORT\nrequirepass {PASSWORD}\nmasterauth {PASSWORD}\nsave \"\"\nappendonly no\n\
         repl-diskless-sync-delay 0\nenable-debug-command yes\n{follows}"
    );
    let mut server = Server::configured(program, "server.conf", &text);
    server.set_password(PASSWORD);
    if primary.is_some() {
        server.wait_for_info("master_link_status", "up");
    }
    server
}

fn sentinel_conf(primary: u16, quorum: usize, settings: &str) -> String {
    format!(
        "bind 127.0.0.1\nport PORT\nsentinel monitor {NAME} 127.0.0.1 {primary} {quorum}\n{settings}\
         sentinel auth-pass {NAME} {PASSWORD}\n"
    )
}

/// A field of what a Sentinel tells of the primary.
fn field(sentinel: &Server, name: &str) -> String {
    value(&sentinel.run("SENTINEL MASTER myprimary"), name)
}

/// A field of a reply that is a list of names and values.
fn value(reply: &Reply, name: &str) -> String {
    let words: Vec<String> = reply.items().iter().map(Reply::text).collect();
    words.chunks(2).find(|pair| pair[0] == name).map_or(String::new(), |pair| pair[1].clone())
}

fn primary_of(sentinel: &Server) -> u16 {
    let reply = sentinel.run("SENTINEL GET-MASTER-ADDR-BY-NAME myprimary");
    reply.items().get(1).map_or(0, |port| port.text().parse().expect("a port"))
}

/// A program that follows the Sentinels and writes all the time.
struct Writer(Option<Shell>);

impl Writer {
    fn start(group: &Group) -> Writer {
        let Some(python) = python() else {
            absent("no python3 has redis-py");
            return Writer(None);
        };
        let mut command = Command::new(python);
        command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis_sentinel.py"), NAME, PASSWORD]);
        command.args(group.sentinels.iter().map(|sentinel| sentinel.port().to_string()));
        Writer(Some(Shell::open(command)))
    }

    /// Waits until a write is acknowledged after this call, by the server at that port.
    fn wait_until_written(&self, port: u16) {
        let Some(shell) = &self.0 else { return };
        let begin = shell.output().len();
        let line = format!("{port} ");
        wait::until(&format!("a write to {port}"), || {
            shell.output()[begin..].lines().skip(1).any(|l| l.starts_with(&line))
        });
    }

    fn end(self) {
        let Some(shell) = self.0 else { return };
        let (output, status) = shell.close();
        assert!(status.success(), "{output}");
    }
}

/// The tutorial with its own figures: a hung primary, one that is stopped, one that is killed.
#[test]
fn the_sentinel_tutorial_as_published() {
    let ours = Program::ours();
    let published = "sentinel down-after-milliseconds myprimary 5000\nsentinel failover-timeout myprimary 60000\n";
    let mut group = Group::start(&ours, 1, &[ours.clone(), ours.clone(), ours.clone()], 2, published);
    let (first, second) = (group.servers[0].port(), group.servers[1].port());

    // The four questions.
    let asked = &group.sentinels[0];
    let primary = asked.cli(&["sentinel", "master", NAME]).stdout;
    for line in ["name", NAME, "flags", "master", "num-slaves", "1", "num-other-sentinels", "2", "quorum", "2"] {
        assert!(primary.lines().any(|found| found == line), "{line} in {primary}");
    }
    let same = asked.cli(&["sentinel", "primary", NAME]).stdout;
    let names = |text: &str| text.lines().step_by(2).map(str::to_string).collect::<Vec<_>>();
    assert_eq!(names(&primary), names(&same));
    let replicas = asked.cli(&["sentinel", "replicas", NAME]).stdout;
    assert!(
        replicas.contains(&format!("\n127.0.0.1:{second}\n"))
            || replicas.starts_with(&format!("name\n127.0.0.1:{second}\n"))
    );
    let others = asked.cli(&["sentinel", "sentinels", NAME]).stdout;
    for other in &group.sentinels[1..] {
        assert!(others.lines().any(|line| line == other.port().to_string()), "{others}");
    }
    for verb in ["get-master-addr-by-name", "get-primary-addr-by-name"] {
        assert_eq!(asked.cli(&["sentinel", verb, NAME]).stdout, format!("127.0.0.1\n{first}\n"));
    }

    let writer = Writer::start(&group);
    writer.wait_until_written(first);

    // It hangs for half a minute, and finds itself a replica when it wakes.
    let mut asleep = group.server(first).connect();
    asleep.send(&["DEBUG", "SLEEP", "30"]).unwrap();
    let fell_asleep = Instant::now();
    assert_eq!(group.wait_for_another(first), second);
    assert!(fell_asleep.elapsed() < Duration::from_secs(20), "{:?}", fell_asleep.elapsed());
    writer.wait_until_written(second);
    assert_eq!(asleep.receive().unwrap().to_string(), "OK");
    group.wait_until_one_leads(second);
    group.wait_until_known(2, 1);

    // Ctrl-C.
    let stopped = Instant::now();
    group.server(second).signal("INT");
    group.server(second).wait_for_end();
    assert_eq!(group.wait_for_another(second), first);
    assert!(stopped.elapsed() < Duration::from_secs(20), "{:?}", stopped.elapsed());
    writer.wait_until_written(first);
    group.server(second).boot();
    group.wait_until_one_leads(first);
    group.wait_until_known(2, 1);

    // kill -9.
    let killed = Instant::now();
    group.server(first).kill();
    assert_eq!(group.wait_for_another(first), second);
    assert!(killed.elapsed() < Duration::from_secs(20), "{:?}", killed.elapsed());
    writer.wait_until_written(second);
    group.server(first).boot();
    group.wait_until_one_leads(second);
    let written = wait::until_some("an answer of the new primary", || ask(group.server(second), &["GET", "written"]));
    assert!(written.bytes().is_some() || python().is_none(), "{written}");
    writer.end();
    for sentinel in &group.sentinels {
        assert!(sentinel.log().contains(&format!("+switch-master {NAME} 127.0.0.1 {first} 127.0.0.1 {second}")));
    }
}

/// Kills the primary of a mixed group, and lets it come back.
fn fails_over(servers: &Program, sentinels: &[Program]) {
    let names: Vec<&str> = sentinels.iter().map(|program| program.name).collect();
    println!("{names:?} over servers of {}", servers.name);
    let mut group = Group::start(servers, 2, sentinels, sentinels.len() / 2 + 1, QUICK);
    let first = group.servers[0].port();
    group.servers[0].run("SET kept value");
    assert_eq!(group.servers[0].run("WAIT 2 0").to_string(), "(integer) 2");
    group.servers[0].kill();
    let second = group.wait_for_another(first);
    let kept = wait::until_some("an answer of the new primary", || ask(group.server(second), &["GET", "kept"]));
    assert_eq!(kept.to_string(), "\"value\"");
    group.servers[0].boot();
    group.wait_until_one_leads(second);
    let epochs: Vec<String> = group.sentinels.iter().map(|sentinel| field(sentinel, "config-epoch")).collect();
    assert!(epochs.iter().all(|epoch| *epoch == epochs[0]), "{epochs:?}");
    // And once more by hand, on the word of one Sentinel.
    group.wait_until_known(sentinels.len() - 1, 2);
    let asked = group.sentinels.last().expect("there are Sentinels");
    wait::until("FAILOVER to be accepted", || asked.run("SENTINEL FAILOVER myprimary").to_string() == "OK");
    let third = group.wait_for_another(second);
    group.wait_until_one_leads(third);
}

#[test]
fn ours_with_a_real_sentinel_over_our_servers() {
    let ours = Program::ours();
    for peer in Program::peers() {
        fails_over(&ours, &[ours.clone(), ours.clone(), peer]);
    }
}

#[test]
fn real_sentinels_with_one_of_ours_over_their_servers() {
    let ours = Program::ours();
    for peer in Program::peers() {
        fails_over(&peer, &[peer.clone(), peer.clone(), ours.clone()]);
    }
}

#[test]
fn a_real_sentinel_alone_runs_our_servers() {
    for peer in Program::peers() {
        fails_over(&Program::ours(), &[peer]);
    }
}

#[test]
fn a_file_changes_hands() {
    for peer in Program::peers() {
        let ours = Program::ours();
        for (former, latter) in [(&ours, &peer), (&peer, &ours)] {
            let mut group = Group::start(&ours, 1, std::slice::from_ref(former), 1, QUICK);
            let id = group.sentinels[0].run("SENTINEL MYID").text();
            group.sentinels[0].run("SENTINEL FLUSHCONFIG");
            group.sentinels[0].kill();
            let text = std::fs::read_to_string(group.sentinels[0].file("sentinel.conf")).unwrap();
            let own = format!("port {}", group.sentinels[0].port());
            let heir = Server::sentinel(latter, &text.replace(&own, "port PORT"));
            assert_eq!(heir.run("SENTINEL MYID").text(), id, "{} after {}", latter.name, former.name);
            assert_eq!(field(&heir, "num-slaves"), "1");
            assert_eq!(primary_of(&heir), group.servers[0].port());
        }
    }
}

#[test]
fn what_stops_a_start() {
    let ours = Program::ours();
    let run = |words: &[&str], folder: &std::path::Path| {
        let mut command = ours.server();
        command.args(words).current_dir(folder);
        Output::of(command)
    };
    let folder = tempfile::tempdir().unwrap();
    let alone = run(&["--sentinel", "--port", "0"], folder.path());
    assert!(!alone.status.success());
    assert!(alone.stdout.contains("Sentinel needs config file on disk to save state"), "{}", alone.stdout);
    let missing = run(&["nowhere.conf", "--sentinel"], folder.path());
    assert!(!missing.status.success() && missing.stderr.contains("can't open config file 'nowhere.conf'"));
    for (line, reason) in [
        ("sentinel monitor myprimary 127.0.0.1 6379 0", "Quorum must be 1 or greater."),
        ("sentinel monitor myprimary 127.0.0.1 6379", "Unrecognized sentinel configuration statement"),
        ("sentinel down-after-milliseconds nobody 5000", "No such master with specified name."),
        ("sentinel nonsense 1 2 3", "Unrecognized sentinel configuration statement."),
        ("sentinel myid short", "Malformed Sentinel id in myid option"),
        ("nonsense", "Bad directive or wrong number of arguments"),
    ] {
        std::fs::write(folder.path().join("wrong.conf"), format!("port 0\n\n{line}\n")).unwrap();
        let refused = run(&["wrong.conf", "--sentinel"], folder.path());
        assert!(!refused.status.success(), "{line}");
        for text in ["*** FATAL CONFIG FILE ERROR", "at line 3", &format!(">>> '{line}'"), reason] {
            assert!(refused.stderr.contains(text), "{text} in {}", refused.stderr);
        }
    }
}

#[test]
fn three_names_of_one_program() {
    let ours = Program::ours();
    let mut sentinel = Server::prepare_sentinel(&ours, "bind 127.0.0.1\nport PORT\n");
    sentinel.boot();
    assert!(sentinel.log().contains("Running mode=sentinel"));
    let title = std::fs::read(format!("/proc/{}/cmdline", sentinel.process_id())).unwrap();
    let title = String::from_utf8_lossy(&title).replace('\0', " ");
    assert!(title.contains(&format!("127.0.0.1:{} [sentinel]", sentinel.port())), "{title}");
    assert_eq!(sentinel.shut_down("").code(), Some(0));
    assert!(sentinel.log().contains("Sentinel is now ready to exit, bye bye..."));
    // The other names, over a port that is taken: they get as far as a Sentinel gets.
    sentinel.boot();
    for mut command in [ours.tool("sentinel"), {
        let mut command = Command::new(std::fs::canonicalize(ours.folder().join("redis-server")).unwrap());
        command.arg("sentinel");
        command
    }] {
        if !ours.is_rubellite() {
            break;
        }
        command.arg("sentinel.conf").current_dir(sentinel.folder());
        let output = Output::of(command);
        assert!(output.stdout.contains("Running mode=sentinel"), "{}{}", output.stdout, output.stderr);
        assert!(output.stdout.contains("Failed listening on port"), "{}", output.stdout);
    }
}

#[test]
fn a_file_that_was_cut_short_is_put_right() {
    let ours = Program::ours();
    if !ours.is_rubellite() {
        return;
    }
    let primary = server(&ours, None);
    let mut sentinel = Server::sentinel(&ours, &sentinel_conf(primary.port(), 1, QUICK));
    let id = sentinel.run("SENTINEL MYID").text();
    sentinel.connect().expect("SENTINEL FLUSHCONFIG", "OK");
    sentinel.kill();
    let whole = std::fs::read(sentinel.file("sentinel.conf")).unwrap();
    for left in [0, whole.len() / 3, whole.len() - 3] {
        std::fs::write(sentinel.file("sentinel.conf"), &whole[..left]).unwrap();
        sentinel.boot();
        assert!(sentinel.log().contains(&format!("is damaged: {left} bytes of")), "{}", sentinel.log());
        assert_eq!(sentinel.run("SENTINEL MYID").text(), id);
        assert_eq!(primary_of(&sentinel), primary.port());
        sentinel.kill();
    }
}

#[test]
fn what_cannot_be_kept_is_not_promised() {
    let ours = Program::ours();
    let primary = server(&ours, None);
    let sentinel = Server::sentinel(&ours, &sentinel_conf(primary.port(), 1, QUICK));
    sentinel.connect().expect("SENTINEL FLUSHCONFIG", "OK");
    // Where the file was there is something that cannot be replaced by one.
    let file = sentinel.file("sentinel.conf");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let refused = "(error) ERR Failed to save config file. Check server logs.";
    sentinel.connect().expect("SENTINEL FLUSHCONFIG", refused);
    sentinel.connect().expect("SENTINEL SET myprimary quorum 3", refused);
    std::fs::remove_dir(&file).unwrap();
    sentinel.connect().expect("SENTINEL SET myprimary quorum 4", "OK");
    assert!(
        std::fs::read_to_string(&file)
            .unwrap()
            .contains(&format!("sentinel monitor {NAME} 127.0.0.1 {} 4", primary.port()))
    );
}

#[test]
fn scripts_are_told_of_events() {
    let ours = Program::ours();
    let folder = tempfile::tempdir().unwrap();
    let script = |name: &str, text: &str| {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path.display().to_string()
    };
    let told = folder.path().join("told");
    let notify = script("notify.sh", &format!("#!/bin/sh\necho \"$1 $2\" >> {}\n", told.display()));
    let moved = folder.path().join("moved");
    let reconfigure = script("moved.sh", &format!("#!/bin/sh\necho \"$@\" >> {}\n", moved.display()));
    let settings = format!(
        "{QUICK}sentinel notification-script {NAME} {notify}\nsentinel client-reconfig-script {NAME} {reconfigure}\n"
    );
    let mut group = Group::start(&ours, 1, std::slice::from_ref(&ours), 1, &settings);
    let (first, second) = (group.servers[0].port(), group.servers[1].port());
    group.servers[0].kill();
    assert_eq!(group.wait_for_another(first), second);
    let read = |path| std::fs::read_to_string(path).unwrap_or_default();
    wait::until("the notification", || read(&told).contains(&format!("+sdown master {NAME} 127.0.0.1 {first}")));
    let end = format!("{NAME} leader end 127.0.0.1 {first} 127.0.0.1 {second}\n");
    wait::until("the new address", || {
        read(&moved).contains(&end) || read(&moved).contains(&end.replace(" end ", " start "))
    });
    let sentinel = &group.sentinels[0];
    wait::until("the end of all scripts", || sentinel.run("SENTINEL PENDING-SCRIPTS").items().is_empty());
    // What cannot be executed is not taken.
    sentinel.connect().expect(
        "SENTINEL SET myprimary notification-script /no/such/script",
        "(error) ERR Reconfiguration of scripts path is denied for security reasons. Check the deny-scripts-reconfig \
         configuration directive in your Sentinel configuration",
    );
}

#[test]
fn names_instead_of_addresses() {
    let ours = Program::ours();
    let primary = server(&ours, None);
    let text = sentinel_conf(primary.port(), 1, QUICK).replace(
        "sentinel monitor myprimary 127.0.0.1",
        "sentinel resolve-hostnames yes\nsentinel announce-hostnames yes\nsentinel monitor myprimary localhost",
    );
    let sentinel = Server::sentinel(&ours, &text);
    wait::until("the primary to be reached", || {
        field(&sentinel, "flags") == "master" && !field(&sentinel, "runid").is_empty()
    });
    assert_eq!(value(&sentinel.run("SENTINEL MASTER myprimary"), "ip"), "localhost");
    assert_eq!(sentinel.run("SENTINEL GET-MASTER-ADDR-BY-NAME myprimary").items()[0].text(), "localhost");
    let monitor = format!("SENTINEL MONITOR other localhost {} 1", primary.port());
    sentinel.connect().expect(&monitor, "OK");
    sentinel.connect().expect(
        "SENTINEL MONITOR nowhere no-such-host.invalid 1 1",
        "(error) ERR Invalid IP address or hostname specified",
    );
}

#[test]
fn a_sentinel_asks_who_one_is() {
    let ours = Program::ours();
    let primary = server(&ours, None);
    let settings = format!("{QUICK}requirepass watchword\nuser reader on >word +sentinel|masters +ping\n");
    let mut sentinel = Server::sentinel(&ours, &sentinel_conf(primary.port(), 1, &settings));
    assert_eq!(sentinel.run("SENTINEL MASTERS").to_string(), "(error) NOAUTH Authentication required.");
    let mut reader = sentinel.connect();
    reader.expect("AUTH reader word", "OK");
    assert_eq!(reader.run("SENTINEL MASTERS").items().len(), 1);
    assert!(reader.run("SENTINEL RESET *").to_string().contains("NOPERM"));
    sentinel.set_password("watchword");
    sentinel.connect().expect("SENTINEL FLUSHCONFIG", "OK");
    let text = std::fs::read_to_string(sentinel.file("sentinel.conf")).unwrap();
    assert!(text.contains("requirepass") && text.contains("user reader on"), "{text}");
}

#[test]
fn subscribers_hear_of_a_failover() {
    let ours = Program::ours();
    let mut group = Group::start(&ours, 1, std::slice::from_ref(&ours), 1, QUICK);
    let (first, second) = (group.servers[0].port(), group.servers[1].port());
    let mut ear = group.sentinels[0].connect();
    ear.send(&["PSUBSCRIBE", "*"]).unwrap();
    ear.receive().unwrap();
    group.servers[0].kill();
    let mut heard = Vec::new();
    while heard.last().map(String::as_str) != Some("+switch-master") {
        let message = ear.receive().unwrap();
        heard.push(message.items()[2].text());
        if heard.last().map(String::as_str) == Some("+switch-master") {
            let text = message.items()[3].text();
            assert_eq!(text, format!("{NAME} 127.0.0.1 {first} 127.0.0.1 {second}"));
        }
    }
    let at = |name: &str| heard.iter().position(|event| event == name).unwrap_or_else(|| panic!("{name} in {heard:?}"));
    let order = [
        "+sdown",
        "+odown",
        "+new-epoch",
        "+try-failover",
        "+vote-for-leader",
        "+elected-leader",
        "+failover-state-select-slave",
        "+selected-slave",
        "+failover-state-send-slaveof-noone",
        "+failover-state-wait-promotion",
        "+promoted-slave",
        "+failover-state-reconf-slaves",
        "+failover-end",
        "+switch-master",
    ];
    assert!(order.windows(2).all(|pair| at(pair[0]) < at(pair[1])), "{heard:?}");
}

/// Fields that depend on the moment, or name the Sentinel that is asked or the other one.
const OWN: [&str; 10] = [
    "link-pending-commands",
    "link-refcount",
    "last-ping-sent",
    "last-ok-ping-reply",
    "last-ping-reply",
    "info-refresh",
    "role-reported-time",
    "last-hello-message",
    "slave-repl-offset",
    "replica-announced-at",
];

/// A reply without what must differ. In the third protocol a name and its value share a line.
fn comparable(reply: &Reply, own: &[&str]) -> String {
    let text = reply.to_string();
    let mut result = String::new();
    let mut before = "";
    for line in text.lines() {
        let own = || OWN.iter().chain(own).map(|name| format!("\"{name}\""));
        match own().find_map(|name| line.find(&format!("{name} => "))) {
            Some(at) => result.push_str(&line[..at]),
            None if own().any(|name| before.trim_end().ends_with(&name)) => result.push_str("(its own)"),
            None => result.push_str(line),
        }
        result.push('\n');
        before = line;
    }
    result
}

#[test]
fn the_same_answers_as_a_real_sentinel() {
    let Some(valkey) = Program::valkey() else { return absent("no Valkey") };
    let ours = Program::ours();
    let group = Group::start(&ours, 1, &[ours.clone(), valkey], 2, QUICK);
    let (primary, replica) = (group.servers[0].port(), group.servers[1].port());
    let stable = [
        "SENTINEL MASTERS",
        "SENTINEL PRIMARIES",
        "SENTINEL MASTER myprimary",
        "SENTINEL PRIMARY myprimary",
        "SENTINEL REPLICAS myprimary",
        "SENTINEL SLAVES myprimary",
        "SENTINEL CKQUORUM myprimary",
        "SENTINEL GET-MASTER-ADDR-BY-NAME myprimary",
        "SENTINEL GET-PRIMARY-ADDR-BY-NAME nobody",
        "SENTINEL CONFIG GET announce* sentinel*",
        "SENTINEL CONFIG GET announce-ip resolve-hostnames",
        "SENTINEL CONFIG GET nothing",
        "SENTINEL CONFIG SET loglevel loud",
        "SENTINEL CONFIG SET announce-port x",
        "SENTINEL CONFIG SET a b a b",
        "SENTINEL CONFIG GET",
        "SENTINEL CONFIG NO such",
        "SENTINEL DEBUG",
        "SENTINEL DEBUG info-period 0",
        "SENTINEL DEBUG nonsense 7",
        "SENTINEL PENDING-SCRIPTS",
        "SENTINEL SIMULATE-FAILURE help",
        "SENTINEL SIMULATE-FAILURE nonsense",
        "SENTINEL RESET no-such-*",
        "SENTINEL REMOVE nobody",
        "SENTINEL MASTER nobody",
        "SENTINEL REPLICAS nobody",
        "SENTINEL SENTINELS nobody",
        "SENTINEL CKQUORUM nobody",
        "SENTINEL FAILOVER nobody",
        "SENTINEL FAILOVER myprimary NONSENSE",
        "SENTINEL SET myprimary quorum 0",
        "SENTINEL SET myprimary nonsense 1",
        "SENTINEL SET myprimary quorum",
        "SENTINEL SET nobody quorum 1",
        "SENTINEL SET myprimary down-after-milliseconds x",
        "SENTINEL SET myprimary notification-script /none",
        "SENTINEL MONITOR myprimary 127.0.0.1 6379 2",
        "SENTINEL MONITOR other nowhere 6379 2",
        "SENTINEL MONITOR other 127.0.0.1 70000 2",
        "SENTINEL MONITOR other 127.0.0.1 x 2",
        "SENTINEL MONITOR other 127.0.0.1 6379 0",
        "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 1 0 *",
        "SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 x 0 *",
        "SENTINEL MYID too much",
        "SENTINEL",
        "SENTINEL NONSENSE",
        "ROLE",
        "INFO sentinel",
        "PING",
        "PING hello",
        "PUBLISH channel message",
        "GET k",
        "CONFIG GET port",
        "DEBUG SLEEP 0",
        "SUBSCRIBE",
        "AUTH nothing",
        "ACL WHOAMI",
        "CLIENT NO-TOUCH on",
        "COMMAND COUNT",
        "HELLO 4",
        "SHUTDOWN nonsense",
        "MULTI",
        "MONITOR",
        "REPLICAOF NO ONE",
        "EVAL x 0",
    ];
    let [mine, theirs] = [0, 1].map(|index: usize| &group.sentinels[index]);
    let mut differ = Vec::new();
    for proto in ["HELLO 2", "HELLO 3"] {
        let (mut one, mut other) = (mine.connect(), theirs.connect());
        for connection in [&mut one, &mut other] {
            connection.run(proto);
        }
        for line in stable {
            let (one, other) = (one.run(line), other.run(line));
            let (one, other) = (comparable(&one, &[]), comparable(&other, &[]));
            if one != other {
                differ.push(format!("{line} after {proto}\n{one}\n--\n{other}\n"));
            }
        }
        let line = "SENTINEL SENTINELS myprimary";
        let own = ["name", "port", "runid"];
        assert_eq!(comparable(&one.run(line), &own), comparable(&other.run(line), &own), "{line} after {proto}");
        // Who greets says who it is, and nothing else differs.
        let own = ["server", "version", "id"];
        assert_eq!(comparable(&one.run(proto), &own), comparable(&other.run(proto), &own));
        let line = format!("SENTINEL IS-MASTER-DOWN-BY-ADDR 127.0.0.1 {primary} 0 *");
        assert_eq!(one.run(&line).to_string(), other.run(&line).to_string());
    }
    assert!(differ.is_empty(), "{}", differ.join("\n"));
    let names = |sentinel: &Server| {
        let list = sentinel.run("COMMAND LIST");
        let mut names: Vec<String> = list.items().iter().map(Reply::text).filter(|name| !name.contains('|')).collect();
        names.sort();
        names
    };
    assert_eq!(names(mine), names(theirs));
    let sections = |sentinel: &Server, line: &str| {
        let text = sentinel.run(line).text();
        text.lines().filter(|line| line.starts_with('#')).map(str::to_string).collect::<Vec<_>>()
    };
    for line in ["INFO", "INFO all", "INFO everything", "INFO default", "INFO memory sentinel", "INFO keyspace"] {
        assert_eq!(sections(mine, line), sections(theirs, line), "{line}");
    }
    assert_eq!(mine.info("server_mode"), "sentinel");
    assert_eq!(
        mine.run(&format!("SENTINEL INFO-CACHE {NAME}")).items().len(),
        theirs.run("SENTINEL INFO-CACHE myprimary").items().len()
    );
    assert!(mine.run("SENTINEL REPLICAS myprimary").to_string().contains(&replica.to_string()));
}
