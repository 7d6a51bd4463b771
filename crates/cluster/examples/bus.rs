//! A node that is nothing but its bus: it can be put into a cluster of real servers and told what to do, line by line.
//!
//! ```text
//!   cargo run -p cluster --example bus -- 7999
//!   meet 127.0.0.1 7000 17000 · nodes · info · replicate <id> · failover [force|takeover] · addslots a b · offset n · quit
//! ```
//!
//! A thread reads each connection and sends what it got to the one loop that owns the machine. There are no data: the
//! node says of itself that it has applied as much as `offset` says.

use cluster::{
    Action, Asker, Cluster, Config, Event, FailoverMode, Keys, Level, LinkId, Outbox, PrimaryLink, Replication, Saved,
    Slot,
};
use keyspace::UnixMillis;
use std::collections::HashMap;
use std::io::{BufRead, Read, Write};
use std::net::{IpAddr, Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

enum News {
    Accepted(TcpStream),
    Connected(LinkId, Option<TcpStream>),
    Bytes(LinkId, Vec<u8>),
    Gone(LinkId),
    Line(String),
}

struct NoKeys;

impl Keys for NoKeys {
    fn count(&self, _: Slot) -> u64 {
        0
    }

    fn is_empty(&self) -> bool {
        true
    }
}

struct Bus {
    node: Cluster,
    out: Outbox,
    streams: HashMap<LinkId, TcpStream>,
    accepted: u64,
    offset: u64,
    news: Sender<News>,
}

fn now() -> UnixMillis {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(passed.as_millis()).unwrap_or(i64::MAX))
}

fn main() {
    let port: u16 = std::env::args().nth(1).and_then(|port| port.parse().ok()).unwrap_or(7999);
    let config = Config { port, node_timeout_ms: 2000, verbosity: Level::Notice, ..Config::default() };
    let listener = TcpListener::bind(("127.0.0.1", config.listening_bus_port())).expect("the bus port is free");
    let (news, heard) = mpsc::channel();
    let mut out = Outbox::new();
    let node = Cluster::new(config, Saved::default(), u64::from(port), now(), &mut out).expect("there is no file");
    let accepting = news.clone();
    thread::spawn(move || listener.incoming().flatten().try_for_each(|stream| accepting.send(News::Accepted(stream))));
    let typing = news.clone();
    thread::spawn(move || {
        std::io::stdin().lock().lines().map_while(Result::ok).try_for_each(|l| typing.send(News::Line(l)))
    });
    let mut bus = Bus { node, out, streams: HashMap::new(), accepted: 0, offset: 1, news };
    loop {
        bus.carry_out();
        let due = bus.node.deadline().map_or(100, |due| due.0 - now().0).clamp(0, 100);
        match heard.recv_timeout(Duration::from_millis(u64::try_from(due).unwrap_or(0))) {
            Ok(News::Line(line)) if line == "quit" => return,
            Ok(news) => bus.hear(news),
            Err(RecvTimeoutError::Timeout) => {
                let link = PrimaryLink::Up { heard: now() };
                bus.tell(Event::Replication(Replication { offset: bus.offset, link }));
                bus.tell(Event::Timer);
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

impl Bus {
    fn tell(&mut self, event: Event<'_>) {
        self.node.handle(now(), event, &mut self.out);
    }

    fn hear(&mut self, news: News) {
        match news {
            News::Accepted(stream) => {
                self.accepted += 1;
                let link = LinkId::inbound(self.accepted);
                let (Ok(peer), Ok(local)) = (stream.peer_addr(), stream.local_addr()) else { return };
                self.read(link, stream);
                self.tell(Event::Accepted { link, peer: peer.ip(), local: local.ip() });
            }
            News::Connected(link, Some(stream)) => {
                let peer = stream.peer_addr().map_or(IpAddr::from([127, 0, 0, 1]), |peer| peer.ip());
                self.read(link, stream);
                self.tell(Event::LinkUp { link, peer });
            }
            News::Connected(link, None) => self.tell(Event::LinkDown { link }),
            News::Bytes(link, bytes) => self.tell(Event::Received { link, bytes: &bytes }),
            News::Gone(link) => {
                if self.streams.remove(&link).is_some() {
                    self.tell(Event::LinkDown { link });
                }
            }
            News::Line(line) => self.obey(&line),
        }
    }

    fn read(&mut self, link: LinkId, stream: TcpStream) {
        let Ok(mut reader) = stream.try_clone() else { return };
        self.streams.insert(link, stream);
        let news = self.news.clone();
        thread::spawn(move || {
            let mut buffer = [0; 65536];
            while let Ok(count @ 1..) = reader.read(&mut buffer) {
                if news.send(News::Bytes(link, buffer[..count].to_vec())).is_err() {
                    return;
                }
            }
            news.send(News::Gone(link)).ok();
        });
    }

    fn carry_out(&mut self) {
        loop {
            let actions: Vec<Action> = self.out.drain().collect();
            if actions.is_empty() {
                return;
            }
            actions.into_iter().for_each(|action| self.act(action));
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Connect { link, ip, port } => {
                let news = self.news.clone();
                thread::spawn(move || news.send(News::Connected(link, TcpStream::connect((ip, port)).ok())));
            }
            Action::Send { link, bytes } => {
                let sent = self.streams.get_mut(&link).is_some_and(|stream| stream.write_all(&bytes).is_ok());
                if sent {
                    self.tell(Event::Sent { link, bytes: bytes.len() as u64 });
                }
            }
            Action::Close { link } => {
                if let Some(stream) = self.streams.remove(&link) {
                    stream.shutdown(Shutdown::Both).ok();
                }
            }
            Action::PauseWrites { .. } => self.tell(Event::WritesPaused { offset: self.offset }),
            Action::Log { text, .. } => println!("log {text}"),
            Action::SaveConfig { bytes, .. } => {
                std::env::var_os("NODES_CONF").map(|path| std::fs::write(path, bytes));
            }
            Action::DeliverPublish { channel, message, sharded } => {
                println!("message {sharded} {channel:?} {message:?}");
            }
            Action::Follow { .. } | Action::Lead => println!("role {action:?}"),
            _ => {}
        }
    }

    fn obey(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let number = |at: usize| words.get(at).and_then(|word| word.parse::<u16>().ok()).unwrap_or(0);
        let (node, out, asker) = (&mut self.node, &mut self.out, Asker::default());
        let answer = match words.as_slice() {
            ["meet", ip, ..] => node.meet(now(), ip.as_bytes(), number(2), number(3), out),
            ["replicate", id] => node.replicate(now(), id.as_bytes(), &NoKeys, out),
            ["failover"] => node.failover(now(), FailoverMode::Plain, None, false, out),
            ["failover", "force"] => node.failover(now(), FailoverMode::Force, None, false, out),
            ["failover", "takeover"] => node.failover(now(), FailoverMode::Takeover, None, false, out),
            ["forget", id] => node.forget(now(), id.as_bytes(), out),
            ["addslots", ..] => {
                let slots: Vec<Slot> = (number(1)..=number(2)).filter_map(Slot::new).collect();
                node.add_slots(now(), &slots, out)
            }
            ["publish", channel, message] => {
                node.publish(now(), channel.as_bytes(), message.as_bytes(), false, out);
                Ok(())
            }
            ["offset", _] => {
                self.offset = u64::from(number(1));
                Ok(())
            }
            ["nodes"] => {
                print!("{}", String::from_utf8_lossy(&node.nodes_text(asker)));
                Ok(())
            }
            ["info"] => {
                print!("{}", String::from_utf8_lossy(&node.info_text()));
                Ok(())
            }
            _ => return println!("what is {line:?}?"),
        };
        match answer {
            Ok(()) => println!("ok"),
            Err(error) => println!("error {}", String::from_utf8_lossy(error.text())),
        }
    }
}
