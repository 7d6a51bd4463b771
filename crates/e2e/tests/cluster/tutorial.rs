//! The cluster tutorial, typed as it is published: from six folders to the last removed node, with three kinds of clients at
//! work all the time.
//!
//! The tutorial's ports 7000 to 7007 stand for eight free ports in a row, wherever they occur in a line that is typed or in an
//! answer that is expected.

use std::collections::HashMap;
use std::fs::File;
use std::process::{Child, Command, Stdio};

use e2e::{Connection, Output, Program, ports, wait};
use tempfile::TempDir;

use crate::client::Checker;
use crate::load::{Failovers, Load};
use crate::terminal::Terminal;

const FIRST: u16 = 7000;
const NODES: u16 = 8;

/// A folder in which somebody follows the tutorial, with the programs on `PATH`.
struct Desk {
    home: TempDir,
    first: u16,
    /// Servers that were started without `--daemonize`.
    children: HashMap<u16, Child>,
}

/// A line of `CLUSTER NODES`.
struct Line {
    id: String,
    port: u16,
    flags: String,
    primary: String,
    slots: usize,
    /// Whether the node that was asked has a link to it.
    is_linked: bool,
}

impl Desk {
    fn new() -> Desk {
        let home = tempfile::tempdir().expect("a folder for a test");
        Desk { home, first: ports::claim_row(NODES), children: HashMap::new() }
    }

    /// The tutorial's text, with the ports of this test.
    fn text(&self, published: &str) -> String {
        (0..NODES).fold(published.to_owned(), |text, at| {
            text.replace(&(FIRST + at).to_string(), &(self.first + at).to_string())
        })
    }

    /// A line for a shell in one of the folders.
    fn command(&self, folder: &str, line: &str) -> Command {
        let mut command = Command::new("sh");
        let path = format!("{}:/usr/bin:/bin", Program::ours().folder().display());
        command.args(["-c", &self.text(line)]).env("PATH", path).current_dir(self.home.path().join(folder));
        command
    }

    /// Types a line and returns what was printed.
    fn enter(&self, line: &str) -> String {
        let output = Output::of(self.command("", line));
        output.stdout + &output.stderr
    }

    /// Types a line that must succeed.
    fn must(&self, line: &str) -> String {
        let output = Output::of(self.command("", line));
        assert!(output.status.success(), "{line}: {}{}", output.stdout, output.stderr);
        output.stdout
    }

    /// Types a line on a terminal, on which a dialogue follows.
    fn dialogue(&self, line: &str) -> Terminal {
        Terminal::run(&self.command("", line), self.home.path())
    }

    /// A folder with the tutorial's configuration file, and a line for the impatient: a replica need not wait for others that may
    /// want the same data.
    fn folder(&self, node: u16) {
        let folder = self.home.path().join(node.to_string());
        std::fs::create_dir(&folder).expect("a folder of ours");
        let text = format!(
            "port {node}\ncluster-enabled yes\ncluster-config-file nodes.conf\ncluster-node-timeout 5000\nappendonly yes\n\
             repl-diskless-sync-delay 0\n"
        );
        std::fs::write(folder.join("redis.conf"), self.text(&text)).expect("a file in a folder of ours");
    }

    /// `redis-server ./redis.conf` in a node's folder, in a shell that stays.
    fn start(&mut self, node: u16) {
        let folder = node.to_string();
        let screen = File::create(self.home.path().join(&folder).join("screen")).expect("a file in a folder of ours");
        let mut command = self.command(&folder, "exec redis-server ./redis.conf");
        command.stdin(Stdio::null()).stdout(screen.try_clone().expect("one more descriptor")).stderr(screen);
        let child = command.spawn().expect("a shell starts");
        if let Some(mut former) = self.children.insert(node, child) {
            former.wait().expect("a child of ours");
        }
        self.wait_for_start(node);
    }

    /// The same with `--daemonize yes`.
    fn daemonize(&self, node: u16) {
        let started = Output::of(self.command(&node.to_string(), "redis-server ./redis.conf --daemonize yes"));
        assert!(started.status.success(), "{started:?}");
        self.wait_for_start(node);
    }

    fn wait_for_start(&self, node: u16) {
        let answers = || self.ask(node, "PING") == "PONG";
        wait::until(|| format!("{node} to start: {}", self.screen(node)), answers);
    }

    fn screen(&self, node: u16) -> String {
        let path = self.home.path().join(node.to_string()).join("screen");
        std::fs::read_to_string(path).unwrap_or_default()
    }

    fn port(&self, node: u16) -> u16 {
        self.first + node - FIRST
    }

    fn connect(&self, node: u16) -> Option<Connection> {
        Connection::open(self.port(node)).ok()
    }

    /// What a node answers; nothing if it does not, or not with a text.
    fn ask(&self, node: u16, line: &str) -> String {
        let words: Vec<&str> = line.split(' ').collect();
        let reply = self.connect(node).and_then(|mut client| client.call(&words).ok());
        let text = reply.as_ref().and_then(|reply| reply.bytes()).unwrap_or_default();
        String::from_utf8_lossy(text).into_owned()
    }

    fn id(&self, node: u16) -> String {
        self.must(&format!("redis-cli -p {node} cluster myid")).trim_end().to_owned()
    }

    /// The cluster as a node sees it.
    fn nodes(&self, node: u16) -> Vec<Line> {
        let text = self.enter(&format!("redis-cli -p {node} cluster nodes"));
        text.lines().map(|line| self.line(line)).collect()
    }

    fn line(&self, line: &str) -> Line {
        let words: Vec<&str> = line.split(' ').collect();
        let [id, address, flags, primary, ..] = words[..] else { panic!("not a line of nodes: {line}") };
        let port: u16 = address.split(&[':', '@']).nth(1).and_then(|port| port.parse().ok()).expect("a port");
        let ranges = words[8..].iter().filter(|range| !range.starts_with('['));
        let slots = ranges.map(|range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            last.parse::<usize>().expect("a slot") + 1 - first.parse::<usize>().expect("a slot")
        });
        Line {
            id: id.to_owned(),
            port: port - self.first + FIRST,
            flags: flags.to_owned(),
            primary: primary.to_owned(),
            slots: slots.sum(),
            is_linked: words[7] == "connected",
        }
    }

    /// What everybody says about one of them.
    fn about(&self, node: u16) -> Line {
        let by = if node == FIRST { FIRST + 1 } else { FIRST };
        self.nodes(by).into_iter().find(|line| line.port == node).expect("a node that is known")
    }

    /// Waits until so many nodes agree and are linked to each other, and every replica has its data. (Who votes for a node
    /// that has only just come back, and has no link to it yet, votes in vain, as with the peers.)
    fn settle(&self, nodes: &[u16]) {
        let known = format!("cluster_known_nodes:{}\r", nodes.len());
        let content = |node: u16| {
            let info = self.ask(node, "CLUSTER INFO");
            info.contains("cluster_state:ok")
                && info.contains(&known)
                && self.nodes(node).iter().all(|line| line.is_linked)
                && !self.ask(node, "INFO replication").contains("master_link_status:down")
        };
        let check = || self.enter(&format!("redis-cli --cluster check 127.0.0.1:{}", nodes[0]));
        wait::until(
            || format!("{nodes:?} to agree: {}", check()),
            || {
                nodes.iter().all(|&node| content(node)) && {
                    let check = check();
                    check.contains("[OK] All nodes agree about slots configuration.")
                        && check.contains("[OK] All 16384 slots covered.")
                }
            },
        );
    }

    /// A replica takes over by hand.
    fn fail_over_to(&self, replica: u16) {
        wait::until("CLUSTER FAILOVER to be taken", || {
            self.enter(&format!("redis-cli -p {replica} cluster failover")) == "OK\n"
        });
        wait::until("a replica to take over", || self.about(replica).flags == "master");
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        // Daemons are nobody's children.
        for node in FIRST..FIRST + NODES {
            if let Some(mut client) = self.connect(node) {
                let _ = client.call(&["SHUTDOWN", "NOSAVE"]);
            }
        }
        for (node, child) in &mut self.children {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            if std::thread::panicking() {
                let path = self.home.path().join(node.to_string()).join("screen");
                let screen = std::fs::read_to_string(path).unwrap_or_default();
                let moves = |line: &&str| line.contains("Assigning slot") || line.contains("is migrated from");
                let lines: Vec<&str> = screen.lines().filter(|line| !moves(line)).collect();
                eprintln!("--- {node}\n{}", lines.join("\n"));
            }
        }
    }
}

#[test]
fn the_tutorial_from_six_folders_to_the_last_removal() {
    let mut desk = Desk::new();
    let six: Vec<u16> = (7000..7006).collect();
    create(&mut desk, &six);
    talk(&desk);
    let mut failovers = Failovers::default();
    let checker = Checker::start(desk.port(7000), true);
    let load = Load::start(desk.port(7000));

    let eight: Vec<u16> = (7000..7008).collect();
    add_a_shard(&mut desk, &six);
    reshard_by_script(&desk, &eight);
    crash_a_primary(&mut desk, &eight, &mut failovers);
    upgrade(&mut desk, &mut failovers);
    remove_the_shard(&desk, &eight);

    load.stop(&failovers);
    let checked = checker.stop();
    eprintln!("{checked:?}");
    assert!(checked.replicated > checked.writes / 2, "{checked:?}");
}

/// "Create a Redis Cluster".
fn create(desk: &mut Desk, six: &[u16]) {
    for &node in six {
        desk.folder(node);
    }
    for node in 7000..7003 {
        desk.start(node);
    }
    assert!(desk.screen(7000).contains("No cluster configuration found, I'm "), "{}", desk.screen(7000));
    for node in 7003..7006 {
        desk.daemonize(node);
    }
    let mut terminal = desk.dialogue(
        "redis-cli --cluster create 127.0.0.1:7000 127.0.0.1:7001 127.0.0.1:7002 127.0.0.1:7003 127.0.0.1:7004 \
         127.0.0.1:7005 --cluster-replicas 1",
    );
    terminal.wait_for("Can I set the above configuration? (type 'yes' to accept): ".trim_end());
    terminal.enter("yes");
    terminal.wait_for("[OK] All 16384 slots covered.");
    assert_eq!(terminal.end(), Some(0));
    desk.settle(six);
    let slots: Vec<usize> = (7000..7003).map(|node| desk.about(node).slots).collect();
    assert_eq!(slots, [5461, 5462, 5461]);
    let masters = desk.must("redis-cli -p 7000 cluster nodes | grep master");
    assert_eq!(masters.lines().count(), 3, "{masters}");
}

/// "Interact with the cluster".
fn talk(desk: &Desk) {
    let mut session = desk.dialogue("redis-cli -c -p 7000");
    session.wait_for(&desk.text("127.0.0.1:7000>"));
    for (line, answer) in [
        ("set foo bar", "-> Redirected to slot [12182] located at 127.0.0.1:7002\nOK\n127.0.0.1:7002>"),
        ("set hello world", "-> Redirected to slot [866] located at 127.0.0.1:7000\nOK\n127.0.0.1:7000>"),
        ("get foo", "-> Redirected to slot [12182] located at 127.0.0.1:7002\n\"bar\"\n127.0.0.1:7002>"),
        ("get hello", "-> Redirected to slot [866] located at 127.0.0.1:7000\n\"world\"\n127.0.0.1:7000>"),
    ] {
        session.enter(line);
        let seen = desk.text(&format!("{line}\n{answer}"));
        session.wait_for(&seen);
    }
    session.enter("quit");
    assert_eq!(session.end(), Some(0));
}

/// "Add a new node": 7006 with slots of everybody, and 7007 as its replica.
fn add_a_shard(desk: &mut Desk, six: &[u16]) {
    desk.folder(7006);
    desk.start(7006);
    let added = desk.must("redis-cli --cluster add-node 127.0.0.1:7006 127.0.0.1:7000");
    assert!(added.contains("[OK] New node added correctly."), "{added}");
    desk.settle(&[six, &[7006]].concat());
    let new = desk.id(7006);
    let mut terminal = desk.dialogue("redis-cli --cluster reshard 127.0.0.1:7000");
    terminal.wait_for("How many slots do you want to move (from 1 to 16384)?");
    terminal.enter("4096");
    terminal.wait_for("What is the receiving node ID?");
    terminal.enter(&new);
    terminal.wait_for("Type 'all' to use all the nodes as source nodes for the hash slots.");
    terminal.wait_for("Type 'done' once you entered all the source nodes IDs.");
    terminal.wait_for("Source node #1:");
    terminal.enter("all");
    terminal.wait_for("Do you want to proceed with the proposed reshard plan (yes/no)?");
    terminal.enter("yes");
    // A busy machine may take more than a test's patience for all of it, but not for a part.
    for slots in (1..=16).map(|part| part * 256) {
        wait::until("slots to arrive", || desk.about(7006).slots >= slots);
    }
    assert_eq!(terminal.end(), Some(0));
    desk.settle(&[six, &[7006]].concat());
    assert_eq!(desk.about(7006).slots, 4096);

    desk.folder(7007);
    desk.start(7007);
    desk.must(&format!(
        "redis-cli --cluster add-node 127.0.0.1:7007 127.0.0.1:7000 --cluster-slave --cluster-master-id {new}"
    ));
    desk.settle(&[six, &[7006, 7007]].concat());
    let replicas = desk.must(&format!("redis-cli -p 7000 cluster nodes | grep slave | grep {new}"));
    assert!(replicas.contains(&desk.text("127.0.0.1:7007@")), "{replicas}");
}

/// "Script a resharding operation", and look at the result.
fn reshard_by_script(desk: &Desk, eight: &[u16]) {
    let (from, to) = (desk.id(7006), desk.id(7000));
    let before = desk.about(7000).slots;
    desk.must(&format!(
        "redis-cli --cluster reshard 127.0.0.1:7000 --cluster-from {from} --cluster-to {to} --cluster-slots 96 --cluster-yes"
    ));
    desk.settle(eight);
    assert_eq!((desk.about(7006).slots, desk.about(7000).slots), (4000, before + 96));
}

/// "Test the failover".
fn crash_a_primary(desk: &mut Desk, eight: &[u16], failovers: &mut Failovers) {
    let (dead, id) = (7002, desk.id(7002));
    let heir = desk.nodes(7000).into_iter().find(|line| line.primary == id).expect("each primary has a replica").port;
    failovers.during(|| {
        let said = desk.enter(&format!("redis-cli -p {dead} debug segfault"));
        assert_eq!(said, "Error: Server closed the connection\n");
        wait::until("the replica to take over", || {
            let about = |line: &Line| line.port == heir && line.flags == "master" && line.slots > 0;
            let everybody = eight.iter().filter(|&&node| node != dead);
            everybody.clone().all(|&node| {
                desk.nodes(node).iter().any(|line| about(line) || line.flags == "myself,master" && line.port == heir)
                    && desk.ask(node, "CLUSTER INFO").contains("cluster_state:ok")
            })
        });
    });
    assert!(desk.about(dead).flags.contains("fail"), "{}", desk.about(dead).flags);
    // It comes back, and follows its former replica.
    desk.start(dead);
    desk.settle(eight);
    assert_eq!(desk.id(dead), id, "it knows who it is");
    wait::until("everybody to see it as a replica of its heir", || {
        let about = desk.about(dead);
        about.flags == "slave" && about.primary == desk.id(heir)
    });
}

/// "Upgrade nodes in a Redis Cluster": replicas first, then each primary after its replica has taken over, and back.
fn upgrade(desk: &mut Desk, failovers: &mut Failovers) {
    let table = desk.nodes(7000);
    let eight: Vec<u16> = table.iter().map(|line| line.port).collect();
    for replica in table.iter().filter(|line| line.flags.contains("slave")) {
        let primary = table.iter().find(|line| line.id == replica.primary).expect("a primary that is known").port;
        let restart = |desk: &mut Desk, node: u16| {
            assert_eq!(desk.enter(&format!("redis-cli -p {node} shutdown")), "");
            desk.start(node);
        };
        restart(desk, replica.port);
        desk.settle(&eight);
        failovers.during(|| desk.fail_over_to(replica.port));
        desk.settle(&eight);
        restart(desk, primary);
        desk.settle(&eight);
        failovers.during(|| desk.fail_over_to(primary));
        desk.settle(&eight);
    }
    let masters = |table: &[Line]| {
        let masters = table.iter().filter(|line| line.flags.contains("master"));
        let mut masters: Vec<u16> = masters.map(|line| line.port).collect();
        masters.sort_unstable();
        masters
    };
    assert_eq!(masters(&desk.nodes(7000)), masters(&table));
}

/// "Remove a node": 7007 as a replica, and 7006 when it is empty.
fn remove_the_shard(desk: &Desk, eight: &[u16]) {
    let (primary, replica) = (desk.id(7006), desk.id(7007));
    let refused = desk.enter(&format!("redis-cli --cluster del-node 127.0.0.1:7000 {primary}"));
    assert!(refused.contains("is not empty! Reshard data away and try again."), "{refused}");
    desk.must(&format!("redis-cli --cluster del-node 127.0.0.1:7000 {replica}"));
    assert!(desk.ask(7007, "CLUSTER INFO").contains("cluster_slots_assigned:0\r"), "what it had is another's");
    desk.settle(&eight[..7]);
    let to = desk.id(7000);
    desk.must(&format!(
        "redis-cli --cluster reshard 127.0.0.1:7000 --cluster-from {primary} --cluster-to {to} --cluster-slots 4000 --cluster-yes"
    ));
    desk.settle(&eight[..7]);
    desk.must(&format!("redis-cli --cluster del-node 127.0.0.1:7000 {primary}"));
    assert!(desk.ask(7006, "CLUSTER INFO").contains("cluster_slots_assigned:0\r"));
    desk.settle(&eight[..6]);
}
