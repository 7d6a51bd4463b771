//! A connection to a server, blocking, one reply at a time.

use crate::wait::PATIENCE;
use crate::{Reply, words};
use std::io::{self, BufReader, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

/// A client of RESP2 until it says `HELLO 3`.
pub struct Connection {
    /// Buffered for reading; writes go past the buffer.
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects to a port of this machine.
    pub fn open(port: u16) -> io::Result<Connection> {
        Connection::open_at(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// Connects to an address. An answer may be long in coming, a connection may not: where it does not come at once, the
    /// network is cut.
    pub fn open_at(address: SocketAddr) -> io::Result<Connection> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Changes how long a reply may take.
    pub fn set_patience(&mut self, patience: Duration) -> io::Result<()> {
        self.stream.get_ref().set_read_timeout(Some(patience))
    }

    /// Runs a command written as a line (see [`words`]) and returns its reply; panics when the connection breaks.
    pub fn run(&mut self, line: &str) -> Reply {
        let words = words::split(line).unwrap_or_else(|| panic!("quotes do not match: {line}"));
        self.call(&words).unwrap_or_else(|error| panic!("{line}: {error}"))
    }

    /// Runs a command and asserts its reply, given in the notation of [`Reply`].
    #[track_caller]
    pub fn expect(&mut self, line: &str, reply: &str) {
        let got = self.run(line).to_string();
        assert_eq!(got, reply, "{line}");
    }

    /// Runs a command and returns its reply.
    pub fn call<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<Reply> {
        self.send(words)?;
        self.receive()
    }

    /// Sends a command and does not wait for its reply.
    pub fn send<W: AsRef<[u8]>>(&mut self, words: &[W]) -> io::Result<()> {
        self.send_bytes(&encode(words))
    }

    /// Sends bytes as they are.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads the next reply or message.
    pub fn receive(&mut self) -> io::Result<Reply> {
        Reply::read(&mut self.stream)
    }

    /// Sends all commands at once and reads all replies.
    pub fn pipeline<W: AsRef<[u8]>>(&mut self, commands: &[Vec<W>]) -> io::Result<Vec<Reply>> {
        let bytes: Vec<u8> = commands.iter().flat_map(|command| encode(command)).collect();
        let mut writer = self.stream.get_ref().try_clone()?;
        // The server may stop reading while its replies are not read, so a thread of its own writes.
        std::thread::scope(|scope| {
            let written = scope.spawn(move || writer.write_all(&bytes));
            let replies = commands.iter().map(|_| self.receive()).collect();
            written.join().expect("writing does not panic").and(replies)
        })
    }

    /// The reader, for streams that are not replies (replication).
    pub fn reader(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.stream
    }

    /// Closes both directions.
    pub fn close(self) {
        // The peer may have closed first; either way the connection is gone.
        let _ = self.stream.get_ref().shutdown(Shutdown::Both);
    }
}

/// A command as the protocol's array of bulk strings.
pub fn encode<W: AsRef<[u8]>>(words: &[W]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        let word = word.as_ref();
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes
}
