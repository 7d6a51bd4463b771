//! One connection: requests go out in batches, replies come back in order.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use resp::value::Limits;
use resp::{Decoder, Value, encode};

use crate::address::{Address, Family};
use crate::error::Error;
use crate::stream::Stream;

/// Bytes asked of the socket at once.
const READ_SIZE: usize = 64 * 1024;

/// Requests of a pipeline that are on their way before replies are read, so that neither side's
/// buffers can fill up while both write.
const PIPELINE_WINDOW: usize = 512;

/// Pushes kept for a caller that does not take them; older ones are dropped.
const MAX_PUSHES: usize = 65_536;

/// How to connect and how patient to be. The default waits for ever.
#[derive(Clone, Debug, Default)]
pub struct Options {
    pub connect_timeout: Option<Duration>,
    pub read_timeout: Option<Duration>,
    pub write_timeout: Option<Duration>,
    /// After how long a silence TCP probes whether the other side is still there.
    pub keepalive: Option<Duration>,
    /// Which addresses of a host name to try first.
    pub family: Option<Family>,
    /// Connect with Multipath TCP, where the system has it.
    pub multipath: bool,
    /// What a reply may cost.
    pub limits: Limits,
}

/// A connection to one server.
#[derive(Debug)]
pub struct Client {
    stream: Stream,
    decoder: Decoder,
    input: Vec<u8>,
    /// Bytes of `input` that were already decoded.
    used: usize,
    output: Vec<u8>,
    pushes: VecDeque<Value>,
}

impl Client {
    pub fn connect(address: &Address, options: &Options) -> Result<Client, Error> {
        let stream = Stream::connect(address, options).map_err(Error::Connect)?;
        Ok(Client {
            stream,
            decoder: Decoder::new(options.limits),
            input: Vec::new(),
            used: 0,
            output: Vec::new(),
            pushes: VecDeque::new(),
        })
    }

    /// Sends one command and returns its reply; an error reply is a value as well.
    pub fn call<S: AsRef<[u8]>>(&mut self, arguments: &[S]) -> Result<Value, Error> {
        self.queue(arguments);
        self.reply()
    }

    /// Sends all commands and returns their replies, in order.
    pub fn pipeline<S: AsRef<[u8]>>(&mut self, commands: &[Vec<S>]) -> Result<Vec<Value>, Error> {
        let mut replies = Vec::with_capacity(commands.len());
        for window in commands.chunks(PIPELINE_WINDOW) {
            window.iter().for_each(|command| self.queue(command));
            for _ in window {
                replies.push(self.reply()?);
            }
        }
        Ok(replies)
    }

    /// Adds a command to what the next flush or read sends.
    pub fn queue<S: AsRef<[u8]>>(&mut self, arguments: &[S]) {
        encode::command(&mut self.output, arguments);
    }

    /// Adds bytes as they are: inline commands, broken protocol, a prepared pipeline.
    pub fn queue_raw(&mut self, bytes: &[u8]) {
        self.output.extend_from_slice(bytes);
    }

    /// Sends what was queued.
    pub fn flush(&mut self) -> Result<(), Error> {
        let mut sent = 0;
        while sent < self.output.len() {
            match self.stream.write(&self.output[sent..]) {
                Ok(0) => return Err(Error::Closed),
                Ok(n) => sent += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => {
                    self.output.drain(..sent);
                    return Err(Error::from_io(error));
                }
            }
        }
        self.output.clear();
        Ok(())
    }

    /// The next reply that answers a command; pushes that stand before it are laid aside.
    pub fn reply(&mut self) -> Result<Value, Error> {
        loop {
            match self.next_value()? {
                push @ Value::Push(_) => {
                    if self.pushes.len() == MAX_PUSHES {
                        self.pushes.pop_front();
                    }
                    self.pushes.push_back(push);
                }
                value => return Ok(value),
            }
        }
    }

    /// The next value of any kind: a reply or a push. Sends what was queued before it waits.
    pub fn next_value(&mut self) -> Result<Value, Error> {
        loop {
            if let Some(value) = self.buffered_value()? {
                return Ok(value);
            }
            if !self.output.is_empty() {
                self.flush()?;
            }
            self.fill()?;
        }
    }

    /// The next value if it has been received already; never waits.
    pub fn buffered_value(&mut self) -> Result<Option<Value>, Error> {
        if self.used == self.input.len() {
            return Ok(None);
        }
        let (used, value) = self.decoder.decode(&self.input[self.used..]).map_err(Error::Protocol)?;
        self.used += used;
        if self.used == self.input.len() {
            self.input.clear();
            self.used = 0;
        }
        Ok(value)
    }

    /// The oldest push that was laid aside.
    pub fn take_push(&mut self) -> Option<Value> {
        self.pushes.pop_front()
    }

    /// Reads once from the socket into the input buffer.
    pub fn fill(&mut self) -> Result<(), Error> {
        if self.used > 0 {
            self.input.drain(..self.used);
            self.used = 0;
        }
        let len = self.input.len();
        self.input.resize(len + READ_SIZE, 0);
        let read = loop {
            match self.stream.read(&mut self.input[len..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                other => break other,
            }
        };
        self.input.truncate(len + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(Error::Closed),
            Ok(_) => Ok(()),
            Err(error) => Err(Error::from_io(error)),
        }
    }

    /// Reads bytes past the protocol (the payload of a synchronisation): first what is buffered, then
    /// from the socket. Zero means that the server closed the connection.
    pub fn read_raw(&mut self, buf: &mut [u8]) -> Result<usize, Error> {
        if self.used == self.input.len() {
            return match self.stream.read(buf) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => self.read_raw(buf),
                other => other.map_err(Error::from_io),
            };
        }
        let take = buf.len().min(self.input.len() - self.used);
        buf[..take].copy_from_slice(&self.input[self.used..self.used + take]);
        self.used += take;
        Ok(take)
    }

    /// Reads past the protocol up to a line feed, which is consumed and left out, as is a carriage
    /// return before it. At most `max` bytes.
    pub fn read_raw_line(&mut self, max: usize) -> Result<Vec<u8>, Error> {
        let mut line = Vec::new();
        let mut byte = [0];
        while line.len() < max {
            if self.read_raw(&mut byte)? == 0 {
                return Err(Error::Closed);
            }
            if byte[0] == b'\n' {
                break;
            }
            line.push(byte[0]);
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(line)
    }

    /// The socket itself, for timeouts, a second handle, or an end from another thread.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }
}

/// For callers that wait for several things at once: poll this, then [`Client::fill`].
impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread::{self, JoinHandle};

    /// A server that reads `expect` and then writes `answer`, for each pair, then closes.
    fn script(pairs: Vec<(&'static [u8], &'static [u8])>) -> (Client, JoinHandle<()>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            for (expect, answer) in pairs {
                let mut got = vec![0; expect.len()];
                socket.read_exact(&mut got).unwrap();
                assert_eq!(got.escape_ascii().to_string(), expect.escape_ascii().to_string());
                socket.write_all(answer).unwrap();
            }
        });
        (Client::connect(&Address::tcp("127.0.0.1", port), &Options::default()).unwrap(), server)
    }

    #[test]
    fn a_command_goes_out_and_its_reply_comes_back() {
        let (mut client, server) = script(vec![(b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", b"$1\r\nv\r\n")]);
        assert_eq!(client.call(&["GET", "k"]).unwrap(), Value::Bulk(b"v".to_vec()));
        server.join().unwrap();
        assert!(matches!(client.call(&["GET", "k"]), Err(error) if error.is_lost()));
    }

    #[test]
    fn pushes_are_laid_aside_in_order() {
        let (mut client, server) = script(vec![(b"*1\r\n$4\r\nPING\r\n", b">1\r\n:1\r\n>1\r\n:2\r\n+PONG\r\n")]);
        assert_eq!(client.call(&["PING"]).unwrap(), Value::Simple(b"PONG".to_vec()));
        assert_eq!(client.take_push(), Some(Value::Push(vec![Value::Integer(1)])));
        assert_eq!(client.take_push(), Some(Value::Push(vec![Value::Integer(2)])));
        assert_eq!(client.take_push(), None);
        server.join().unwrap();
    }

    #[test]
    fn a_pipeline_longer_than_its_window_keeps_order() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let total = PIPELINE_WINDOW * 2 + 7;
        let server = thread::spawn(move || {
            let (mut socket, _) = listener.accept().unwrap();
            let request = "*1\r\n$4\r\nPING\r\n".len();
            for i in 0..total {
                socket.read_exact(&mut vec![0; request]).unwrap();
                socket.write_all(format!(":{i}\r\n").as_bytes()).unwrap();
            }
        });
        let mut client = Client::connect(&Address::tcp("127.0.0.1", port), &Options::default()).unwrap();
        let replies = client.pipeline(&vec![vec!["PING"]; total]).unwrap();
        assert_eq!(replies, (0..total as i64).map(Value::Integer).collect::<Vec<_>>());
        server.join().unwrap();
    }

    #[test]
    fn a_silent_server_times_out_and_the_call_can_be_repeated() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let options = Options { read_timeout: Some(Duration::from_millis(5)), ..Options::default() };
        let mut client = Client::connect(&Address::tcp("127.0.0.1", port), &options).unwrap();
        let (mut socket, _) = listener.accept().unwrap();
        assert!(matches!(client.call(&["PING"]), Err(Error::TimedOut)));
        socket.write_all(b"+PONG\r\n").unwrap();
        client.stream().set_timeouts(None, None).unwrap();
        assert_eq!(client.reply().unwrap(), Value::Simple(b"PONG".to_vec()));
    }

    #[test]
    fn raw_bytes_and_replies_share_one_stream() {
        let (mut client, server) = script(vec![(b"SYNC\r\n", b"+OK\r\n\n$3\r\nabc+PONG\r\n")]);
        client.queue_raw(b"SYNC\r\n");
        assert!(client.reply().unwrap().is_ok());
        assert_eq!(client.read_raw_line(10).unwrap(), b"");
        assert_eq!(client.read_raw_line(10).unwrap(), b"$3");
        let mut payload = [0; 3];
        assert_eq!(client.read_raw(&mut payload).unwrap(), 3);
        assert_eq!(&payload, b"abc");
        assert_eq!(client.reply().unwrap(), Value::Simple(b"PONG".to_vec()));
        server.join().unwrap();
    }

    #[test]
    fn a_refused_connection_says_so() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let error = Client::connect(&Address::tcp("127.0.0.1", port), &Options::default()).unwrap_err();
        assert_eq!(error.to_string(), "Connection refused");
    }
}
