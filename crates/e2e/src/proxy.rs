//! A TCP link that a test can cut.
//!
//! ```text
//!   replica ──► proxy port ──► primary
//!                  │ cut: both sockets of every connection close, new ones are refused
//!                  │ mend: new ones pass again
//! ```

use crate::ports;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// Forwards connections from a port of its own to another port of this machine, for as long as it lives.
pub struct Proxy {
    port: u16,
    target: u16,
    link: Option<Link>,
}

struct Link {
    state: Arc<Mutex<State>>,
    acceptor: std::thread::JoinHandle<()>,
}

#[derive(Default)]
struct State {
    cut: bool,
    streams: Vec<TcpStream>,
}

impl Proxy {
    /// A link to a port, not cut.
    pub fn to(target: u16) -> Proxy {
        let mut proxy = Proxy { port: ports::claim(), target, link: None };
        proxy.mend();
        proxy
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Closes every connection and takes no new one.
    pub fn cut(&mut self) {
        let Some(link) = self.link.take() else { return };
        {
            let mut state = link.state.lock().expect("no forwarder panics");
            state.cut = true;
            for stream in state.streams.drain(..) {
                // One side may be closed already.
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
        // A last connection wakes the acceptor, which then sees the cut and lets the port go.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
        link.acceptor.join().expect("the acceptor does not panic");
    }

    /// Takes connections again.
    pub fn mend(&mut self) {
        if self.link.is_some() {
            return;
        }
        let listener = TcpListener::bind(("127.0.0.1", self.port)).expect("a port that was claimed");
        let state: Arc<Mutex<State>> = Arc::default();
        let target = self.target;
        let shared = state.clone();
        let acceptor = std::thread::spawn(move || accept(&listener, target, &shared));
        self.link = Some(Link { state, acceptor });
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn accept(listener: &TcpListener, target: u16, state: &Mutex<State>) {
    for client in listener.incoming() {
        let Ok(client) = client else { continue };
        let mut state = state.lock().expect("no forwarder panics");
        if state.cut {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", target)) else { continue };
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (Ok(from), Ok(to)) = (from.try_clone(), to.try_clone()) else { continue };
            std::thread::spawn(move || forward(from, to));
        }
        state.streams.extend([client, server]);
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    // Whoever closes first takes the other side along.
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
