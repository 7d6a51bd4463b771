//! The least server: every request is answered with `+PONG`. It measures what the loop costs beside a peer's PING.
//!
//! `ping PORT [THREADS]`

use std::io::{self, IoSlice};

use resp::args::ArgRange;
use resp::request::{Parsed, Parser, RequestLimits};
use runtime::accept::Acceptor;
use runtime::listen::{self, TcpOptions};
use runtime::reactor::Reactor;
use runtime::{ConnInfo, Connections, Handler, Reenter, Verdict};

#[global_allocator]
static ALLOCATOR: runtime::alloc::Allocator = runtime::alloc::Allocator;

#[derive(Default)]
struct Client {
    input: Vec<u8>,
    parser: Parser,
    output: Vec<u8>,
    broken: bool,
}

#[derive(Default)]
struct Ping {
    clients: Vec<Client>,
    touched: Vec<usize>,
    ranges: Vec<ArgRange>,
    limits: RequestLimits,
}

impl Connections for Ping {
    fn accepted(&mut self, token: usize, _info: ConnInfo) -> bool {
        if self.clients.len() <= token {
            self.clients.resize_with(token + 1, Client::default);
        }
        self.clients[token] = Client::default();
        true
    }

    fn input(&mut self, token: usize) -> &mut Vec<u8> {
        &mut self.clients[token].input
    }

    fn wants_input(&self, token: usize) -> bool {
        !self.clients[token].broken
    }

    fn output(&mut self, token: usize, send: &mut dyn FnMut(&[IoSlice<'_>]) -> usize) -> bool {
        let output = &mut self.clients[token].output;
        if output.is_empty() {
            return true;
        }
        let n = send(&[IoSlice::new(output)]);
        output.drain(..n);
        output.is_empty()
    }

    fn verdict(&self, token: usize) -> Verdict {
        if self.clients[token].broken { Verdict::CloseAfterOutput } else { Verdict::Keep }
    }

    fn closed(&mut self, token: usize) {
        self.clients[token] = Client::default();
    }

    fn touched(&mut self, into: &mut Vec<usize>) {
        into.append(&mut self.touched);
    }
}

impl Handler for Ping {
    fn received(&mut self, token: usize, _io: &mut dyn Reenter) {
        let client = &mut self.clients[token];
        let mut at = 0;
        loop {
            match client.parser.next(&mut client.input[at..], &self.limits, &mut self.ranges) {
                Parsed::Complete { consumed, argc, .. } => {
                    at += consumed;
                    if argc > 0 {
                        client.output.extend_from_slice(b"+PONG\r\n");
                    }
                    self.ranges.clear();
                }
                Parsed::Incomplete { .. } => break,
                Parsed::Error(_) => {
                    client.broken = true;
                    break;
                }
            }
        }
        client.input.drain(..at);
        self.touched.push(token);
    }

    fn woken(&mut self, _io: &mut dyn Reenter) {}

    fn deadline(&self) -> Option<i64> {
        None
    }

    fn timeout(&mut self, _now: i64, _io: &mut dyn Reenter) {}
}

fn main() -> io::Result<()> {
    let mut args = std::env::args().skip(1);
    let port = args.next().and_then(|a| a.parse().ok()).unwrap_or(7777);
    let threads: usize = args.next().and_then(|a| a.parse().ok()).unwrap_or(1);
    let mut reactors = (0..threads).map(|_| Reactor::new()).collect::<io::Result<Vec<_>>>()?;
    let acceptor = Acceptor::start(reactors.iter().map(|r| r.inbox().clone()).collect(), 300)?;
    let options = TcpOptions { backlog: 511, mark: 0 };
    let (listeners, _) = listen::tcp(&["127.0.0.1".to_owned()], port, &options)
        .map_err(|refused| io::Error::other(refused.warnings.join("\n")))?;
    acceptor.open("tcp", listeners)?;
    std::thread::scope(|scope| {
        for reactor in &mut reactors {
            scope.spawn(move || reactor.run(&mut Ping::default()));
        }
    });
    Ok(())
}
