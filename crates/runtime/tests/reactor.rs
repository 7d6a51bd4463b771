//! The loop, driven turn by turn over socket pairs, and by a thread of its own over TCP.
//!
//! The handler speaks lines: what it does not know it echoes.

use std::collections::HashMap;
use std::io::{self, IoSlice, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use runtime::reactor::{Incoming, READ_SIZE, Stream};
use runtime::{ConnInfo, Connections, Handler, LimitedHandler, Reactor, Reenter, Verdict};

#[derive(Default)]
struct Client {
    input: Vec<u8>,
    output: Vec<u8>,
    /// Output from here on may not leave yet.
    held_from: Option<usize>,
    blocked: bool,
    verdict: Option<Verdict>,
}

#[derive(Default)]
struct Lines {
    clients: HashMap<usize, Client>,
    touched: Vec<usize>,
    log: Vec<String>,
    deadline: Option<i64>,
    stop: bool,
    over: bool,
    want: usize,
    unblock: Option<Receiver<()>>,
}

/// Everything but the client whose line is being executed.
struct Others<'a>(&'a mut Lines);

impl Lines {
    fn lines(&mut self, token: usize, mut execute: impl FnMut(&mut Lines, &[u8])) {
        loop {
            let Some(client) = self.clients.get_mut(&token) else { return };
            if client.blocked || client.verdict.is_some() {
                return;
            }
            let Some(end) = client.input.iter().position(|b| *b == b'\n') else { return };
            let line: Vec<u8> = client.input.drain(..=end).collect();
            self.touched.push(token);
            execute(self, &line);
        }
    }

    fn execute(&mut self, token: usize, line: &[u8], io: &mut dyn Reenter) {
        let client = self.clients.get_mut(&token).unwrap();
        match line {
            b"block\n" => client.blocked = true,
            b"quit\n" => client.verdict = Some(Verdict::CloseAfterOutput),
            b"die\n" => client.verdict = Some(Verdict::CloseNow),
            b"abort\n" => client.verdict = Some(Verdict::Abort),
            b"big\n" => client.output.resize(client.output.len() + (8 << 20), b'x'),
            b"hold\n" => client.held_from = Some(client.output.len()),
            b"over\n" => self.over = true,
            b"spin\n" => {
                let running = self.clients.remove(&token).unwrap();
                while !self.stop {
                    io.serve_limited(&mut Others(self)).unwrap();
                }
                self.clients.insert(token, running);
                self.clients.get_mut(&token).unwrap().output.extend_from_slice(b"spun\n");
            }
            _ => client.output.extend_from_slice(line),
        }
        self.log.push(format!("{token} {}", String::from_utf8_lossy(line).trim()));
    }
}

impl Connections for Lines {
    fn accepted(&mut self, token: usize, info: ConnInfo) -> bool {
        assert!(!self.clients.contains_key(&token), "a token is given out once at a time");
        if info.path.as_ref().is_some_and(|p| p.as_os_str() == "refuse") {
            return false;
        }
        self.clients.insert(token, Client::default());
        true
    }

    fn connected(&mut self, token: usize, result: io::Result<Option<SocketAddr>>) {
        self.log.push(format!("connected {}", result.is_ok()));
        self.clients.insert(token, Client { output: b"hello\n".to_vec(), ..Client::default() });
        self.touched.push(token);
    }

    fn input(&mut self, token: usize) -> &mut Vec<u8> {
        &mut self.clients.get_mut(&token).unwrap().input
    }

    fn want(&self, _token: usize) -> usize {
        self.want
    }

    fn wants_input(&self, token: usize) -> bool {
        let client = &self.clients[&token];
        !client.blocked && client.verdict.is_none()
    }

    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        let client = self.clients.get_mut(&token).unwrap();
        let end = client.held_from.unwrap_or(client.output.len());
        let (first, second) = client.output[..end].split_at(end / 2);
        let n = if end > 0 { send(&[IoSlice::new(first), IoSlice::new(second)]) } else { 0 };
        client.output.drain(..n);
        client.held_from = client.held_from.map(|at| at - n);
        client.output.is_empty()
    }

    fn verdict(&self, token: usize) -> Verdict {
        self.clients[&token].verdict.unwrap_or(Verdict::Keep)
    }

    fn closed(&mut self, token: usize) {
        assert!(self.clients.remove(&token).is_some(), "closed once, and known before");
        self.log.push(format!("{token} closed"));
    }

    fn touched(&mut self, into: &mut Vec<usize>) {
        into.append(&mut self.touched);
    }
}

impl Handler for Lines {
    fn received(&mut self, token: usize, io: &mut dyn Reenter) {
        assert!(self.wants_input(token), "nothing is received by who does not want it");
        self.lines(token, |lines, line| lines.execute(token, line, io));
    }

    fn woken(&mut self, _io: &mut dyn Reenter) {
        self.log.push("woken".to_owned());
        if self.unblock.as_ref().is_some_and(|u| u.try_recv().is_ok()) {
            for (token, client) in &mut self.clients {
                if client.blocked {
                    client.blocked = false;
                    client.output.extend_from_slice(b"unblocked\n");
                    self.touched.push(*token);
                }
            }
        }
    }

    fn deadline(&self) -> Option<i64> {
        self.deadline
    }

    fn timeout(&mut self, now: i64, _io: &mut dyn Reenter) {
        if self.deadline != Some(0) {
            assert!(self.deadline.is_some_and(|d| d <= now));
            self.over = true;
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }
}

impl Connections for Others<'_> {
    fn accepted(&mut self, token: usize, info: ConnInfo) -> bool {
        self.0.accepted(token, info)
    }
    fn input(&mut self, token: usize) -> &mut Vec<u8> {
        self.0.input(token)
    }
    fn wants_input(&self, token: usize) -> bool {
        self.0.wants_input(token)
    }
    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        self.0.output(token, send)
    }
    fn verdict(&self, token: usize) -> Verdict {
        self.0.verdict(token)
    }
    fn closed(&mut self, token: usize) {
        self.0.closed(token);
    }
    fn touched(&mut self, into: &mut Vec<usize>) {
        self.0.touched(into);
    }
}

impl LimitedHandler for Others<'_> {
    fn received_limited(&mut self, token: usize) {
        self.0.lines(token, |lines, line| {
            let client = lines.clients.get_mut(&token).unwrap();
            match line {
                b"stop\n" => lines.stop = true,
                b"quit\n" => client.verdict = Some(Verdict::CloseAfterOutput),
                _ => client.output.extend_from_slice(b"busy\n"),
            }
        });
    }
}

/// A reactor whose turns do not wait, and its handler.
struct Bench {
    reactor: Reactor,
    lines: Lines,
}

impl Bench {
    fn new() -> Self {
        Bench { reactor: Reactor::new().unwrap(), lines: Lines { deadline: Some(0), ..Lines::default() } }
    }

    /// A client, known to the handler.
    fn client(&mut self) -> UnixStream {
        let (ours, theirs) = pair();
        deal(&self.reactor, theirs, "socket");
        self.turn();
        ours
    }

    fn turn(&mut self) {
        self.reactor.turn(&mut self.lines).unwrap();
    }

    fn only(&mut self) -> &mut Client {
        assert_eq!(self.lines.clients.len(), 1);
        self.lines.clients.values_mut().next().unwrap()
    }
}

fn pair() -> (UnixStream, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    theirs.set_nonblocking(true).unwrap();
    (ours, theirs)
}

fn deal(reactor: &Reactor, stream: UnixStream, path: &str) {
    let stream = mio::net::UnixStream::from_std(stream);
    let info = ConnInfo::unix(&stream, path.as_ref());
    reactor.inbox().deal(Incoming { stream: Stream::Unix(stream), info });
}

/// What has arrived, without waiting; `closed` is appended when the other side has closed.
fn arrived(stream: &mut UnixStream) -> String {
    let mut bytes = Vec::new();
    let end = match stream.read_to_end(&mut bytes) {
        Ok(_) => "closed",
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => "",
        Err(e) => panic!("{e}"),
    };
    String::from_utf8(bytes).unwrap() + end
}

#[test]
fn lines_come_back_whole_or_in_pieces() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"one\ntwo\nth").unwrap();
    bench.turn();
    assert_eq!(arrived(&mut client), "one\ntwo\n");
    client.write_all(b"ree\n").unwrap();
    bench.turn();
    assert_eq!(arrived(&mut client), "three\n");
}

#[test]
fn who_has_nothing_left_over_owns_no_buffer() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"one\n").unwrap();
    bench.turn();
    assert_eq!(bench.only().input.capacity(), 0);
    client.write_all(b"o").unwrap();
    bench.turn();
    assert_eq!(bench.only().input.capacity(), READ_SIZE);
    client.write_all(b"ne\n").unwrap();
    bench.turn();
    assert_eq!(arrived(&mut client), "one\none\n");
    assert_eq!(bench.only().input.capacity(), READ_SIZE, "whoever cares for idle memory gives it back");
    bench.only().input = Vec::new();
    client.write_all(b"one\n").unwrap();
    bench.turn();
    assert_eq!(bench.only().input.capacity(), 0);
}

#[test]
fn a_big_argument_is_not_believed_before_it_comes() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    bench.lines.want = 512 << 20;
    client.write_all(b"x").unwrap();
    bench.turn();
    let capacity = bench.only().input.capacity();
    assert!((READ_SIZE..=2 << 20).contains(&capacity), "{capacity}");
}

#[test]
fn what_was_sent_before_the_end_is_answered() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"last\n").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    bench.turn();
    bench.turn();
    assert_eq!(arrived(&mut client), "last\nclosed");
    assert!(bench.lines.clients.is_empty());
    assert_eq!(bench.reactor.inbox().connections(), 0);
}

#[test]
fn held_output_keeps_a_connection_whose_peer_has_ended() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"free\nhold\nheld\n").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    bench.turn();
    bench.turn();
    assert_eq!(arrived(&mut client), "free\n");
    bench.only().held_from = None;
    bench.lines.touched.extend(bench.lines.clients.keys());
    bench.turn();
    assert_eq!(arrived(&mut client), "held\nclosed");
}

#[test]
fn a_paused_connection_goes_on_with_what_it_has_and_what_waits() {
    let mut bench = Bench::new();
    let (unblock, receiver) = channel();
    bench.lines.unblock = Some(receiver);
    let mut client = bench.client();
    client.write_all(b"before\nblock\nafter\n").unwrap();
    bench.turn();
    client.write_all(b"later\n").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    (0..3).for_each(|_| bench.turn());
    assert_eq!(arrived(&mut client), "before\n");
    unblock.send(()).unwrap();
    bench.reactor.inbox().waker().notify();
    (0..3).for_each(|_| bench.turn());
    assert_eq!(arrived(&mut client), "unblocked\nafter\nlater\nclosed");
}

#[test]
fn output_waits_for_room_and_leaves_in_order() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"big\nend\nquit\nignored\n").unwrap();
    let mut got = String::new();
    for turns in 0.. {
        bench.turn();
        got += &arrived(&mut client);
        if got.ends_with("closed") {
            assert!(turns > 2, "a socket does not hold 8 MiB");
            break;
        }
    }
    assert_eq!(got.len(), (8 << 20) + "end\nclosed".len());
    assert!(got.ends_with("xend\nclosed"));
}

#[test]
fn a_verdict_of_death_waits_for_nothing() {
    let mut bench = Bench::new();
    let mut client = bench.client();
    client.write_all(b"big\ndie\n").unwrap();
    bench.turn();
    assert_eq!(arrived(&mut client), "closed");
}

#[test]
fn who_is_aborted_is_told_by_a_reset() {
    let mut bench = Bench::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    for (line, end) in [("die\n", Ok(0)), ("abort\n", Err(io::ErrorKind::ConnectionReset))] {
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        stream.set_nonblocking(true).unwrap();
        let stream = mio::net::TcpStream::from_std(stream);
        let info = ConnInfo::tcp(&stream, peer);
        bench.reactor.inbox().deal(Incoming { stream: Stream::Tcp(stream), info });
        client.write_all(line.as_bytes()).unwrap();
        while bench.reactor.inbox().connections() == 0 {
            bench.turn();
        }
        while bench.reactor.inbox().connections() > 0 {
            bench.turn();
        }
        assert_eq!(client.read(&mut [0; 8]).map_err(|e| e.kind()), end, "{line}");
    }
}

#[test]
fn refused_connections_are_closed_and_their_tokens_free() {
    let mut bench = Bench::new();
    let (mut refused, theirs) = pair();
    deal(&bench.reactor, theirs, "refuse");
    bench.turn();
    assert_eq!(arrived(&mut refused), "closed");
    assert_eq!(bench.reactor.inbox().connections(), 0);
    let mut client = bench.client();
    client.write_all(b"hi\n").unwrap();
    bench.turn();
    assert_eq!(arrived(&mut client), "hi\n");
    assert_eq!(bench.reactor.inbox().connections(), 1);
}

#[test]
fn a_flood_from_one_leaves_turns_to_the_others() {
    let mut bench = Bench::new();
    let mut flood = bench.client();
    let mut other = bench.client();
    // As much as the socket takes, more than one turn reads.
    let block = b"0123456789abcde\n".repeat(4096);
    let mut sent = 0;
    while let Ok(n) = flood.write(&block) {
        sent += n;
        if sent > 3 << 20 {
            break;
        }
        bench.turn();
        arrived(&mut flood);
    }
    other.write_all(b"other\n").unwrap();
    bench.lines.log.clear();
    bench.turn();
    bench.turn();
    let at = bench.lines.log.iter().position(|l| l.ends_with(" other")).expect("served within two turns");
    assert!(at <= 2 * (256 * 1024 + READ_SIZE) / 16, "after {at} lines of the flood");
    assert_eq!(arrived(&mut other), "other\n");
}

#[test]
fn others_are_served_while_a_unit_runs() {
    let mut bench = Bench::new();
    let mut running = bench.client();
    let mut asking = bench.client();
    let mut leaving = bench.client();
    let mut stopping = bench.client();
    // All of them are ready in one turn; whoever spins is served first.
    running.write_all(b"first\nspin\nnext\n").unwrap();
    bench.lines.log.clear();
    asking.write_all(b"question\n").unwrap();
    leaving.write_all(b"quit\n").unwrap();
    let (mut late, theirs) = pair();
    late.write_all(b"me too\n").unwrap();
    deal(&bench.reactor, theirs, "socket");
    let stop = std::thread::spawn(move || {
        // Answered from within the running unit: only then it is told to stop, and given more to do.
        asking.set_nonblocking(false).unwrap();
        let mut answer = [0; 5];
        asking.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"busy\n");
        running.write_all(b"last\n").unwrap();
        stopping.write_all(b"stop\n").unwrap();
        (running, asking, stopping)
    });
    bench.turn();
    let (mut running, mut asking, _stopping) = stop.join().unwrap();
    (0..3).for_each(|_| bench.turn());
    assert_eq!(arrived(&mut running), "first\nspun\nnext\nlast\n");
    assert_eq!(arrived(&mut leaving), "closed");
    assert_eq!(arrived(&mut late), "busy\n");
    asking.set_nonblocking(true).unwrap();
    asking.write_all(b"question\n").unwrap();
    bench.turn();
    assert_eq!(arrived(&mut asking), "question\n");
}

#[test]
fn the_end_of_the_running_client_is_seen_after_its_unit() {
    let mut bench = Bench::new();
    let mut running = bench.client();
    running.write_all(b"spin\n").unwrap();
    drop(running);
    bench.lines.stop = true;
    bench.turn();
    bench.turn();
    assert!(bench.lines.clients.is_empty());
    assert!(bench.lines.log.iter().any(|l| l.ends_with(" spin")));
}

#[test]
fn calls_count_as_one_and_none_is_lost() {
    let mut bench = Bench::new();
    let waker = bench.reactor.inbox().waker().clone();
    (0..5).for_each(|_| waker.notify());
    bench.turn();
    bench.turn();
    assert_eq!(bench.lines.log, ["woken"]);
    // A thread that waits without a deadline is woken by every call that it has not seen.
    bench.lines.deadline = None;
    let (unblock, receiver) = channel();
    bench.lines.unblock = Some(receiver);
    let (mut client, theirs) = pair();
    deal(&bench.reactor, theirs, "socket");
    let thread = std::thread::spawn(move || bench.reactor.run(&mut bench.lines).unwrap());
    client.set_nonblocking(false).unwrap();
    for _ in 0..1000 {
        client.write_all(b"block\n").unwrap();
        // Whether the thread has blocked the client already or not, a call finds it sooner or later.
        let mut answer = [0; 10];
        client.set_nonblocking(true).unwrap();
        loop {
            unblock.send(()).unwrap();
            waker.notify();
            match client.read(&mut answer) {
                Ok(n) => {
                    assert_eq!(&answer[..n], b"unblocked\n");
                    break;
                }
                Err(_) => std::thread::yield_now(),
            }
        }
        client.set_nonblocking(false).unwrap();
    }
    client.write_all(b"over\n").unwrap();
    thread.join().unwrap();
}

#[test]
fn a_deadline_ends_the_wait() {
    let mut bench = Bench::new();
    bench.lines.deadline = Some(runtime::clock::unix_ms() + 20);
    bench.reactor.run(&mut bench.lines).unwrap();
    assert!(runtime::clock::unix_ms() >= bench.lines.deadline.unwrap());
}

#[test]
fn connections_are_made_as_well_as_taken() {
    struct Dialer {
        lines: Lines,
        targets: Vec<std::net::SocketAddr>,
    }
    impl Connections for Dialer {
        fn accepted(&mut self, _: usize, _: ConnInfo) -> bool {
            false
        }
        fn connected(&mut self, token: usize, result: io::Result<Option<SocketAddr>>) {
            let local = result.as_ref().ok().copied().flatten();
            self.lines.connected(token, result);
            self.lines.log.extend(local.map(|local| format!("from {}", local.ip())));
        }
        fn broken(&mut self, _: usize, why: io::ErrorKind) {
            self.lines.log.push(format!("broken {why:?}"));
            self.lines.over = true;
        }
        fn input(&mut self, token: usize) -> &mut Vec<u8> {
            self.lines.input(token)
        }
        fn wants_input(&self, token: usize) -> bool {
            self.lines.wants_input(token)
        }
        fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
            self.lines.output(token, send)
        }
        fn verdict(&self, token: usize) -> Verdict {
            self.lines.verdict(token)
        }
        fn closed(&mut self, token: usize) {
            self.lines.closed(token);
        }
        fn touched(&mut self, into: &mut Vec<usize>) {
            self.lines.touched(into);
        }
    }
    impl Handler for Dialer {
        fn received(&mut self, token: usize, io: &mut dyn Reenter) {
            self.lines.received(token, io);
        }
        fn woken(&mut self, io: &mut dyn Reenter) {
            for target in self.targets.drain(..) {
                io.connect(target, Some([127, 0, 0, 1].into())).unwrap();
            }
        }
        fn deadline(&self) -> Option<i64> {
            None
        }
        fn timeout(&mut self, _: i64, _: &mut dyn Reenter) {}
        fn is_over(&self) -> bool {
            self.lines.over
        }
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    let nobody = {
        // A port that was free a moment ago.
        TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
    };
    let mut reactor = Reactor::new().unwrap();
    reactor.inbox().waker().notify();
    let thread = std::thread::spawn(move || {
        let mut dialer = Dialer { lines: Lines::default(), targets: vec![nobody, target] };
        reactor.run(&mut dialer).unwrap();
        dialer.lines.log
    });
    let (mut peer, _) = listener.accept().unwrap();
    let mut hello = [0; 6];
    peer.read_exact(&mut hello).unwrap();
    assert_eq!(&hello, b"hello\n");
    // A socket that is closed with bytes that nobody has read resets its connection.
    peer.write_all(b"echo\n").unwrap();
    peer.read_exact(&mut [0; 1]).unwrap();
    drop(peer);
    let mut log = thread.join().unwrap();
    log.sort();
    for line in ["connected true", "connected false", "from 127.0.0.1", "broken ConnectionReset"] {
        assert!(log.iter().any(|l| l == line), "{line} in {log:?}");
    }
    assert!(log.iter().any(|l| l.ends_with(" closed")), "{log:?}");
}

/// A server of `threads` loops over TCP.
struct Server {
    acceptor: Option<runtime::accept::Acceptor>,
    threads: Vec<std::thread::JoinHandle<()>>,
    inboxes: Vec<std::sync::Arc<runtime::reactor::Inbox>>,
    over: Vec<Sender<()>>,
}

fn listen(port: u16) -> Vec<runtime::listen::Listener> {
    let options = runtime::listen::TcpOptions { backlog: 128, mark: 0 };
    runtime::listen::tcp(&["127.0.0.1".to_owned()], port, &options).unwrap().0
}

fn port_of(listeners: &[runtime::listen::Listener]) -> u16 {
    match &listeners[0] {
        runtime::listen::Listener::Tcp(l) => l.local_addr().unwrap().port(),
        runtime::listen::Listener::Unix(..) => unreachable!("a TCP listener was asked for"),
    }
}

impl Server {
    fn start(threads: usize) -> Self {
        let reactors: Vec<_> = (0..threads).map(|_| Reactor::new().unwrap()).collect();
        let inboxes: Vec<_> = reactors.iter().map(|r| r.inbox().clone()).collect();
        let acceptor = runtime::accept::Acceptor::start(inboxes.clone(), 300).unwrap();
        let mut over = Vec::new();
        let threads = reactors
            .into_iter()
            .map(|mut reactor| {
                let (sender, receiver) = channel();
                over.push(sender);
                std::thread::spawn(move || {
                    let mut lines = Lines::default();
                    while receiver.try_recv().is_err() {
                        reactor.turn(&mut lines).unwrap();
                    }
                })
            })
            .collect();
        Server { acceptor: Some(acceptor), threads, inboxes, over }
    }

    fn acceptor(&self) -> &runtime::accept::Acceptor {
        self.acceptor.as_ref().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.acceptor = None;
        for (sender, inbox) in self.over.iter().zip(&self.inboxes) {
            let _ = sender.send(());
            inbox.waker().notify();
        }
        for thread in self.threads.drain(..) {
            thread.join().unwrap();
        }
    }
}

fn ask(stream: &mut TcpStream, line: &[u8]) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(line).unwrap();
    let mut answer = vec![0; line.len()];
    stream.read_exact(&mut answer).unwrap();
    answer
}

#[test]
fn connections_are_dealt_evenly() {
    let server = Server::start(3);
    let listeners = listen(0);
    let port = port_of(&listeners);
    server.acceptor().open("tcp", listeners).unwrap();
    let mut clients: Vec<_> = (0..30).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    for client in &mut clients {
        assert_eq!(ask(client, b"hello\n"), b"hello\n");
    }
    assert_eq!(server.inboxes.iter().map(|i| i.connections()).collect::<Vec<_>>(), [10, 10, 10]);
    assert_eq!(server.acceptor().failures(), 0);
}

#[test]
fn a_port_can_be_given_up_and_taken_again() {
    let server = Server::start(1);
    let listeners = listen(0);
    let port = port_of(&listeners);
    server.acceptor().open("tcp", listeners).unwrap();
    let mut before = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(ask(&mut before, b"one\n"), b"one\n");
    server.acceptor().close("tcp");
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
    server.acceptor().open("tcp", listen(port)).unwrap();
    let mut after = TcpStream::connect(("127.0.0.1", port)).unwrap();
    assert_eq!(ask(&mut after, b"two\n"), b"two\n");
    assert_eq!(ask(&mut before, b"still here\n"), b"still here\n");
}

#[test]
fn unix_sockets_are_accepted_too() {
    let server = Server::start(1);
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("socket");
    server.acceptor().open("unix", vec![runtime::listen::unix(&path, Some(0o700), None, 16).unwrap()]).unwrap();
    let mut client = UnixStream::connect(&path).unwrap();
    client.write_all(b"hello\n").unwrap();
    let mut answer = [0; 6];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"hello\n");
    drop(server);
    assert!(!path.exists());
}

#[test]
fn many_clients_of_several_threads_get_their_own_bytes() {
    let server = Server::start(2);
    let listeners = listen(0);
    let port = port_of(&listeners);
    server.acceptor().open("tcp", listeners).unwrap();
    std::thread::scope(|scope| {
        for n in 0..8 {
            scope.spawn(move || {
                let mut client = TcpStream::connect(("127.0.0.1", port)).unwrap();
                for i in 0..200u32 {
                    // Pipelines of different lengths, up to some hundred kilobytes.
                    let lines = if i % 50 == 49 { 20_000 } else { 1 + i as usize % 7 };
                    let text = format!("client {n} line {i}\n").repeat(lines);
                    let mut writer = client.try_clone().unwrap();
                    let sent = text.clone();
                    let writing = std::thread::spawn(move || writer.write_all(sent.as_bytes()).unwrap());
                    let mut answer = vec![0; text.len()];
                    client.read_exact(&mut answer).unwrap();
                    writing.join().unwrap();
                    assert!(answer == text.as_bytes(), "client {n}, round {i}");
                }
            });
        }
    });
}
