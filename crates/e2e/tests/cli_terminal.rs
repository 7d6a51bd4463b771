//! Sessions of the command line tool as people have them: typed on a terminal, seen on its screen.

#[path = "cli/terminal.rs"]
mod terminal;

use e2e::{Program, Reply, Server, wait};
use std::io::{BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::thread;
use tempfile::TempDir;
use terminal::{CTRL_A, CTRL_C, CTRL_D, CTRL_R, CTRL_U, ENTER, TAB, Terminal, UP};

/// `valkey-cli` of ours on this port.
fn cli(port: u16, words: &[&str]) -> Command {
    let redis = Program::ours().cli();
    let mut command = Command::new(Path::new(redis.get_program()).with_file_name("valkey-cli"));
    command.args(["-p", &port.to_string()]).args(words);
    command
}

struct Scene {
    home: TempDir,
    server: Server,
}

impl Scene {
    fn set() -> Scene {
        Scene { home: tempfile::tempdir().unwrap(), server: Server::start(&[]) }
    }

    fn open(&self, words: &[&str]) -> Terminal {
        let terminal = Terminal::run(&cli(self.server.port(), words), self.home.path());
        terminal.wait_for(&format!("127.0.0.1:{}", self.server.port()));
        terminal
    }

    fn prompt(&self) -> String {
        format!("127.0.0.1:{}>", self.server.port())
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }
}

#[test]
fn replies_are_printed_below_what_was_typed() {
    let scene = Scene::set();
    let mut terminal = scene.open(&[]);
    terminal.enter("rpush list a \"b c\"");
    terminal.wait_for("(integer) 2");
    terminal.enter("lrange list 0 -1");
    terminal.wait_for("1) \"a\"\n2) \"b c\"\n");
    terminal.wait_for_line(&scene.prompt());
    terminal.enter("select 3");
    terminal.wait_for_line(&format!("127.0.0.1:{}[3]>", scene.server.port()));
    terminal.enter("multi");
    terminal.wait_for_line(&format!("127.0.0.1:{}[3](TX)>", scene.server.port()));
    terminal.enter("quit");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn hints_show_what_may_follow() {
    let scene = Scene::set();
    let mut terminal = scene.open(&[]);
    let line = |rest: &str| format!("{} {rest}", scene.prompt());
    terminal.press("lpop ");
    terminal.wait_for_line(&line("lpop key [count]"));
    terminal.press("mylist ");
    terminal.wait_for_line(&line("lpop mylist [count]"));
    terminal.press("2");
    terminal.wait_for_line(&line("lpop mylist 2 [count]"));
    terminal.press(" ");
    terminal.wait_for_line(&line("lpop mylist 2"));
    terminal.press(CTRL_U);
    terminal.enter(":set nohints");
    terminal.press("lpop mylist ");
    terminal.wait_for_line(&line("lpop mylist"));
    terminal.press(CTRL_U);
    terminal.enter(":set hints");
    terminal.press("zadd z nx ");
    terminal.wait_for_line(&line("zadd z nx [GT|LT] [CH] [INCR] score member [score member ...]"));
}

#[test]
fn an_rc_file_is_obeyed() {
    let scene = Scene::set();
    std::fs::write(scene.home.path().join(".valkeyclirc"), ":set nohints\n").unwrap();
    let mut terminal = scene.open(&[]);
    terminal.press("lpop ");
    terminal.wait_for_line(&format!("{} lpop", scene.prompt()));
    terminal.enter("x");
    // The reply stands below, so a hint that was late would have been seen.
    terminal.wait_for("lpop x\n(nil)\n");
}

#[test]
fn names_are_completed_as_a_shell_does() {
    let scene = Scene::set();
    let mut terminal = scene.open(&[]);
    let line = |rest: &str| format!("{} {rest}", scene.prompt());
    // One candidate: it is taken.
    terminal.press("getd");
    terminal.press(TAB);
    terminal.wait_for(&line("GETDEL "));
    terminal.enter("nokey");
    terminal.wait_for(&format!("{}\n(nil)", line("GETDEL nokey")));
    // Several: what they have in common is taken, then they are shown.
    terminal.press("zrangeb");
    terminal.press(TAB);
    terminal.wait_for(&line("ZRANGEBY"));
    terminal.press(TAB);
    terminal.wait_for("ZRANGEBYLEX");
    terminal.wait_for("ZRANGEBYSCORE");
    terminal.press("s");
    terminal.press(TAB);
    terminal.wait_for(&line("ZRANGEBYSCORE "));
    terminal.press(CTRL_U);
    // Words of a command's syntax.
    terminal.press("set key value exa");
    terminal.press(TAB);
    terminal.wait_for(&line("set key value EXAT "));
    terminal.press(CTRL_U);
    // Subcommands, and topics of help.
    terminal.press("config resets");
    terminal.press(TAB);
    terminal.wait_for(&line("CONFIG RESETSTAT"));
    terminal.press(CTRL_U);
    terminal.press("help @trans");
    terminal.press(TAB);
    terminal.wait_for(&line("help @transactions"));
    terminal.press(ENTER);
    terminal.wait_for("WATCH key [key ...]");
    terminal.wait_for_line(&scene.prompt());
}

#[test]
fn what_was_typed_is_remembered_but_for_secrets() {
    let scene = Scene::set();
    let mut terminal = scene.open(&[]);
    for line in ["set colour blue", "auth secret", "get colour"] {
        terminal.enter(line);
    }
    terminal.wait_for("\"blue\"");
    terminal.press(UP);
    terminal.press(UP);
    terminal.press(UP);
    terminal.wait_for(&format!("{} set colour blue", scene.prompt()));
    // Each key counts from where the line is now, so the newest of them is seen in one place only.
    terminal.press(CTRL_A);
    terminal.press(CTRL_U);
    terminal.press(CTRL_R);
    terminal.press("get c");
    terminal.wait_for("get colour");
    // One Enter takes the line that was found, another runs it.
    terminal.press(ENTER);
    terminal.press(ENTER);
    terminal.wait_until("the value twice", |screen| screen.matches("\"blue\"").count() == 2);
    terminal.press(CTRL_D);
    assert_eq!(terminal.end(), Some(0));
    assert_eq!(scene.file(".valkeycli_history"), "set colour blue\nget colour\nget colour\n");
    let mut terminal = scene.open(&[]);
    terminal.press(UP);
    terminal.wait_for(&format!("{} get colour", scene.prompt()));
    terminal.press(ENTER);
    terminal.wait_for("\"blue\"");
}

#[test]
fn a_redirection_is_followed_and_told() {
    let (first, second) = (Node::listen(), Node::listen());
    let (one, two) = (first.port, second.port);
    let first = first.answer(move |_| format!("-MOVED 12182 127.0.0.1:{two}\r\n"));
    let second = second.answer(|words| if words[0] == "SET" { "+OK\r\n".into() } else { "$3\r\nbar\r\n".into() });
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(&cli(one, &["-c"]), home.path());
    terminal.wait_for(&format!("127.0.0.1:{one}>"));
    terminal.enter("SET foo bar");
    terminal.wait_for(&format!("-> Redirected to slot [12182] located at 127.0.0.1:{two}\nOK\n127.0.0.1:{two}>"));
    terminal.enter("GET foo");
    terminal.wait_for("\"bar\"");
    drop((first, second));
}

#[test]
fn an_asked_node_is_asked_first() {
    let (first, second) = (Node::listen(), Node::listen());
    let (one, two) = (first.port, second.port);
    let _first = first.answer(move |_| format!("-ASK 12182 127.0.0.1:{two}\r\n"));
    let second = second.answer(|_| "+OK\r\n".into());
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(&cli(one, &["-c"]), home.path());
    terminal.wait_for(&format!("127.0.0.1:{one}>"));
    terminal.enter("SET foo bar");
    terminal.wait_for(&format!("located at 127.0.0.1:{two}\nOK"));
    let asked = second.heard.lock().unwrap().clone();
    assert_eq!(asked, ["ASKING", "SET foo bar"]);
}

#[test]
fn a_cluster_of_ours_sends_a_session_where_keys_are() {
    let start = |_| {
        let bus = e2e::ports::claim().to_string();
        Server::start(&["--cluster-enabled", "yes", "--cluster-port", &bus, "--cluster-node-timeout", "5000"])
    };
    let servers: Vec<Server> = (0..2).map(start).collect();
    let [one, two] = [servers[0].port(), servers[1].port()];
    servers[0].connect().expect("CLUSTER ADDSLOTSRANGE 0 8191", "OK");
    servers[1].connect().expect("CLUSTER ADDSLOTSRANGE 8192 16383", "OK");
    let bus = servers[1].run("CONFIG GET cluster-port").items()[1].text();
    servers[0].connect().expect(&format!("CLUSTER MEET 127.0.0.1 {two} {bus}"), "OK");
    for server in &servers {
        wait::until("a cluster", || server.run("CLUSTER INFO").text().contains("cluster_state:ok"));
    }
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(&cli(one, &["-c"]), home.path());
    terminal.wait_for(&format!("127.0.0.1:{one}>"));
    terminal.enter("set foo bar");
    terminal.wait_for(&format!("-> Redirected to slot [12182] located at 127.0.0.1:{two}\nOK\n127.0.0.1:{two}>"));
    terminal.enter("get foo");
    terminal.wait_for("\"bar\"\n");
    terminal.enter("get hello");
    terminal.wait_for(&format!("-> Redirected to slot [866] located at 127.0.0.1:{one}\n(nil)\n127.0.0.1:{one}>"));
    // A slot on its way: what the giver does not have, the receiver is asked for.
    let [giver, receiver] = [0, 1].map(|node| servers[node].run("CLUSTER MYID").text());
    servers[1].connect().expect(&format!("CLUSTER SETSLOT 866 IMPORTING {giver}"), "OK");
    servers[0].connect().expect(&format!("CLUSTER SETSLOT 866 MIGRATING {receiver}"), "OK");
    terminal.enter("set hello there");
    terminal.wait_for(&format!("-> Redirected to slot [866] located at 127.0.0.1:{two}\nOK\n127.0.0.1:{two}>"));
    terminal.enter("quit");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_session_has_words_of_its_own() {
    let scene = Scene::set();
    let other = Server::start(&[]);
    let mut terminal = scene.open(&[]);
    terminal.enter("3 incr counter");
    terminal.wait_for("(integer) 1\n(integer) 2\n(integer) 3\n");
    terminal.enter("0 incr counter");
    terminal.wait_for("Invalid valkey-cli repeat command option value.");
    terminal.enter("get \"open");
    terminal.wait_for("Invalid argument(s)");
    terminal.enter("restart");
    terminal.wait_for("Use 'restart' only in Lua debugging mode.");
    terminal.enter("help lpop");
    terminal.wait_for("LPOP key [count]");
    terminal.enter("help @nothing");
    terminal.enter("clear");
    terminal.wait_until("nothing but the prompt", |screen| screen.trim() == scene.prompt());
    terminal.enter(&format!("connect 127.0.0.1 {}", other.port()));
    terminal.wait_for_line(&format!("127.0.0.1:{}>", other.port()));
    terminal.enter("incr counter");
    terminal.wait_for("(integer) 1\n");
    terminal.enter("connect 127.0.0.1 1");
    terminal.wait_for("Could not connect to Valkey at 127.0.0.1:1: Connection refused\nnot connected>");
    terminal.enter("exit");
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn messages_are_shown_until_the_last_channel_is_left() {
    let scene = Scene::set();
    let mut terminal = scene.open(&[]);
    terminal.enter("subscribe news other");
    terminal.wait_for(
        "2) \"other\"\n3) (integer) 2\nReading messages... (press Ctrl-C to quit or any key to type command)",
    );
    assert_eq!(scene.server.run("PUBLISH news hello").integer(), 1);
    terminal.wait_for("1) \"message\"\n2) \"news\"\n3) \"hello\"\nReading messages...");
    // A key brings the prompt back, and is the first of the line.
    terminal.press("u");
    terminal.wait_for(&format!("127.0.0.1:{}(subscribed mode)> u", scene.server.port()));
    terminal.enter("nsubscribe news");
    terminal.wait_for("1) \"unsubscribe\"\n2) \"news\"\n3) (integer) 1\nReading messages...");
    terminal.press("u");
    terminal.enter("nsubscribe");
    terminal.wait_for(&format!("3) (integer) 0\n{}", scene.prompt()));
    terminal.enter("ping");
    terminal.wait_for_line(&scene.prompt());
    terminal.wait_for("PONG");
}

#[test]
fn ctrl_c_leaves_what_does_not_end_by_itself() {
    let scene = Scene::set();
    let mut terminal = scene.open(&["-n", "2"]);
    let prompt = format!("127.0.0.1:{}[2]>", scene.server.port());
    terminal.wait_for_line(&prompt);
    terminal.enter("subscribe news");
    terminal.wait_for("Reading messages...");
    terminal.press(CTRL_C);
    terminal.wait_for(&format!("Closing current connection. Ready to reconnect to Valkey server...\n{prompt}"));
    assert_eq!(scene.server.run("PUBLISH news hello").integer(), 0);
    terminal.enter("monitor");
    terminal.wait_for("OK\n");
    scene.server.run("PING monitored");
    terminal.wait_for("\"PING\" \"monitored\"");
    terminal.press(CTRL_C);
    terminal.wait_for_line(&prompt);
    terminal.enter("set key value");
    terminal.wait_for("OK\n127");
    // A command that blocks cannot be left but with the program.
    terminal.enter("blpop absent 0");
    scene.server.wait_for_info("blocked_clients", "1");
    terminal.press(CTRL_C);
    assert_eq!(terminal.end(), Some(1));
    let mut terminal = scene.open(&[]);
    terminal.press("half a line");
    terminal.press(CTRL_C);
    assert_eq!(terminal.end(), Some(0));
}

#[test]
fn a_lost_server_is_found_again() {
    let mut scene = Scene::set();
    let mut terminal = scene.open(&["-n", "4"]);
    let prompt = format!("127.0.0.1:{}[4]>", scene.server.port());
    terminal.enter("set key value");
    terminal.wait_for(&format!("OK\n{prompt}"));
    scene.server.kill();
    terminal.enter("get key");
    terminal.wait_for("Error: Server closed the connection\nnot connected>");
    terminal.enter("get key");
    terminal.wait_for(&format!(
        "Could not connect to Valkey at 127.0.0.1:{}: Connection refused\nnot connected>",
        scene.server.port()
    ));
    scene.server.boot();
    terminal.enter("set key again");
    terminal.wait_for_line(&prompt);
    scene.server.connect().expect("SELECT 4", "OK");
    let mut client = scene.server.connect();
    client.expect("SELECT 4", "OK");
    client.expect("GET key", "\"again\"");
}

#[test]
fn a_view_waits_for_its_server() {
    let mut scene = Scene::set();
    let mut terminal = Terminal::run(&cli(scene.server.port(), &["--stat", "-i", "0.05"]), scene.home.path());
    terminal.wait_for("(+1)");
    scene.server.kill();
    terminal.wait_for("Reconnecting... 1");
    scene.server.boot();
    // The new server counts from the beginning, so the difference is negative once.
    terminal.wait_for("(+-");
    terminal.press(CTRL_C);
    assert_eq!(terminal.end(), None, "ended by the signal");
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let scene = Scene { home: tempfile::tempdir().unwrap(), server: Server::start(&["--requirepass", "sesame"]) };
    let mut terminal = Terminal::run(&cli(scene.server.port(), &["--askpass"]), scene.home.path());
    terminal.wait_for("Please input password:");
    terminal.press("sesamx\x7fe");
    terminal.wait_for_line("Please input password: ******");
    terminal.press(ENTER);
    terminal.wait_for(&scene.prompt());
    terminal.enter("set key value");
    terminal.wait_for("OK");
    assert!(!terminal.screen().contains("sesame"));
}

#[test]
fn pushes_of_tracking_are_one_line() {
    // A server that sends an invalidation before its reply, as tracking does.
    let node = Node::listen();
    let port = node.port;
    let _node = node.answer(|words| match words[0].as_str() {
        "HELLO" => "%1\r\n$5\r\nproto\r\n:3\r\n".into(),
        "GET" => ">2\r\n$10\r\ninvalidate\r\n*2\r\n$1\r\na\r\n$1\r\nb\r\n$5\r\nvalue\r\n".into(),
        _ => "-ERR unknown command\r\n".into(),
    });
    let home = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::run(&cli(port, &["-3"]), home.path());
    terminal.wait_for(&format!("127.0.0.1:{port}>"));
    terminal.enter("GET a");
    terminal.wait_for("-> invalidate: 'a', 'b'\n\"value\"");
    let mut terminal = Terminal::run(&cli(port, &["-3", "--show-pushes", "no"]), home.path());
    terminal.wait_for(&format!("127.0.0.1:{port}>"));
    terminal.enter("GET a");
    terminal.wait_for("\"value\"");
    assert!(!terminal.screen().contains("invalidate"));
}

#[test]
fn reports_are_drawn_while_they_grow() {
    let scene = Scene::set();
    scene.server.run("DEBUG POPULATE 3000 key 20");
    scene.server.run("RPUSH list 1 2 3");
    let mut terminal = Terminal::run(&cli(scene.server.port(), &["--bigkeys", "--count", "100"]), scene.home.path());
    terminal.wait_for("Biggest   list found '\"list\"' has 3 items");
    terminal.wait_for("3000 strings with");
    assert_eq!(terminal.end(), Some(0));
    // The bar and the lines below it gave way to the summary.
    let screen = terminal.screen();
    assert!(!screen.contains('━') && screen.contains("Sampled 3001 keys in the keyspace!"), "{screen}");
}

/// A node of a cluster, as far as a client sees one: connections, and an answer to each command.
struct Node {
    port: u16,
    listener: TcpListener,
}

/// A node that answers.
struct Answering {
    heard: std::sync::Arc<std::sync::Mutex<Vec<String>>>,
}

impl Node {
    fn listen() -> Node {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        Node { port: listener.local_addr().unwrap().port(), listener }
    }

    /// Answers each command by `reply`, which sees its words. What the tool asks for itself is answered like an old
    /// server does, with errors.
    fn answer(self, reply: impl Fn(&[String]) -> String + Send + Sync + 'static) -> Answering {
        let heard = std::sync::Arc::<std::sync::Mutex<Vec<String>>>::default();
        let (log, reply) = (heard.clone(), std::sync::Arc::new(reply));
        thread::spawn(move || {
            while let Ok((socket, _)) = self.listener.accept() {
                let (log, reply) = (log.clone(), reply.clone());
                thread::spawn(move || {
                    let mut reader = BufReader::new(socket);
                    while let Ok(Reply::Array(words)) = Reply::read(&mut reader) {
                        let words: Vec<String> = words.iter().map(Reply::text).collect();
                        let answer = if ["COMMAND", "INFO"].contains(&words[0].as_str()) {
                            "-ERR unknown command\r\n".to_owned()
                        } else {
                            log.lock().unwrap().push(words.join(" "));
                            reply(&words)
                        };
                        reader.get_mut().write_all(answer.as_bytes()).unwrap();
                    }
                });
            }
        });
        Answering { heard }
    }
}
