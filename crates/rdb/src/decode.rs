//! Reading a file from chunks of any size.
//!
//! ```text
//!   feed(chunk) ─► [ ...read | unread ..........| ] ─► next() ─► Some(event)
//!                            ▲ one element, or one string, at the least      None: feed more, or finish()
//! ```
//!
//! The decoder is a machine that does one small step at a time: an opcode with what belongs to it, a key with its string, or one
//! element of a collection. A step that finds the input cut off changes nothing and is done again when more has come; it
//! says how much it needs, so a string of a gigabyte is not tried again with each chunk. So what is kept unread is one element
//! at most; a collection grows in a value of its own, element by element.
//!
//! Strings are lent from the input where they stand there as they are: a string costs no allocation here. The checksum is
//! computed over long runs of what was read, not step by step.
//!
//! Costs: one copy of the input (in [`Decoder::feed`]), one pass of CRC64, the building of the values.

mod build;
mod step;

use structures::crc64::crc64;
use value::Limits;

use crate::read::{Halt, Reader};
use crate::{Acceptance, Content, Damage, Error, Event, Header, Kind, Record, Summed};

pub(crate) use build::{Begun, Build};
use step::{State, Token};

/// What is done while a file is read; the checking program tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doing {
    Start,
    ReadType,
    ReadExpire,
    ReadKey,
    ReadValue,
    CheckSum,
    ReadLength,
    ReadAux,
    ReadModuleAux,
    ReadFunctions,
}

impl Doing {
    /// The words of the checking program.
    pub fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::ReadType => "read-type",
            Self::ReadExpire => "read-expire",
            Self::ReadKey => "read-key",
            Self::ReadValue => "read-object-value",
            Self::CheckSum => "check-sum",
            Self::ReadLength => "read-len",
            Self::ReadAux => "read-aux",
            Self::ReadModuleAux => "read-module-aux",
            Self::ReadFunctions => "read-functions",
        }
    }
}

/// How to read.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Which encoding values get.
    pub limits: Limits,
    /// `rdb-version-check`.
    pub acceptance: Acceptance,
    /// `rdbchecksum`: whether the checksum is computed and compared.
    pub checksum: bool,
    /// Whether values of types that this server does not hold (streams, modules) are passed over and reported as
    /// [`Content::Skipped`] instead of being damage. For checking files, not for loading them.
    pub skip: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { limits: Limits::default(), acceptance: Acceptance::Strict, checksum: true, skip: false }
    }
}

/// What stands before a key.
#[derive(Clone, Copy, Debug, Default)]
struct Attributes {
    expire: Option<i64>,
    idle: Option<u64>,
    freq: Option<u8>,
}

/// Reads a file that comes in chunks; see the module's page.
#[derive(Debug)]
pub struct Decoder {
    options: Options,
    /// What was fed and not yet let go: read up to `at`, summed up to `summed`.
    buffer: Vec<u8>,
    at: usize,
    summed: usize,
    sum: u64,
    /// Bytes let go before the buffer.
    base: u64,
    /// How long the buffer must be for the next step to get further.
    needed: usize,
    finished: bool,
    header: Option<Header>,
    state: State,
    doing: Doing,
    kind: Option<Kind>,
    attributes: Attributes,
    /// A key, name or code that does not stand in the input as it is, or that must outlive it.
    first: Vec<u8>,
    /// A value of such kind.
    second: Vec<u8>,
    slots: Vec<(u16, u16)>,
}

impl Decoder {
    /// A decoder at the beginning of a file.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            buffer: Vec::new(),
            at: 0,
            summed: 0,
            sum: 0,
            base: 0,
            needed: Header::LEN,
            finished: false,
            header: None,
            state: State::Start,
            doing: Doing::Start,
            kind: None,
            attributes: Attributes::default(),
            first: Vec::new(),
            second: Vec::new(),
            slots: Vec::new(),
        }
    }

    /// Appends a chunk to the input.
    pub fn feed(&mut self, chunk: &[u8]) {
        self.let_go();
        self.buffer.extend_from_slice(chunk);
    }

    /// Says that there is no more input: what is cut off from now on is damage.
    pub fn finish(&mut self) {
        self.finished = true;
        self.needed = 0;
    }

    /// The bytes of the file that were read.
    pub fn offset(&self) -> u64 {
        self.base + self.at as u64
    }

    /// How many bytes must at least be fed before [`Decoder::next`] can get further; 0 at the end of the file. Whoever reads from a
    /// pipe reads no more than this where he must not read beyond the file.
    pub fn wanted(&self) -> usize {
        if matches!(self.state, State::Done) { 0 } else { self.needed.saturating_sub(self.buffer.len()).max(1) }
    }

    /// Whether the end of the file was reached.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// What was fed and not read: what follows the file, once the end was reached.
    pub fn rest(&self) -> &[u8] {
        &self.buffer[self.at..]
    }

    /// The header, once it was read, whether it is accepted or not.
    pub fn header(&self) -> Option<Header> {
        self.header
    }

    /// What is being read.
    pub fn doing(&self) -> Doing {
        self.doing
    }

    /// The type of the key that is being read, if it is one.
    pub fn kind(&self) -> Option<Kind> {
        self.kind
    }

    /// The key whose collection is being read, or was found damaged.
    pub fn key(&self) -> Option<&[u8]> {
        let inside = self.doing == Doing::ReadValue && self.kind.is_some_and(|kind| kind != Kind::STRING);
        inside.then_some(&self.first)
    }

    /// The next event; `None` when more input is needed, or the end has been given:
    ///
    /// ```
    /// # let mut chunks = [&b"REDIS0011"[..], b"\xff\0\0\0\0\0\0\0\0"].into_iter();
    /// # let mut decoder = rdb::Decoder::new(rdb::decode::Options::default());
    /// loop {
    ///     let Some(event) = decoder.next()? else {
    ///         if decoder.is_done() {
    ///             break;
    ///         }
    ///         match chunks.next() {
    ///             Some(chunk) => decoder.feed(chunk),
    ///             None => decoder.finish(),
    ///         }
    ///         continue;
    ///     };
    ///     // … use the event
    /// #   let _ = event;
    /// }
    /// # Ok::<(), rdb::Error>(())
    /// ```
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Event<'_>>, Error> {
        if self.buffer.len() < self.needed {
            return Ok(None);
        }
        let token = loop {
            match self.step() {
                Ok(Some(token)) => break token,
                Ok(None) => {}
                Err(Halt::More(_)) if self.finished => {
                    let offset = self.base + self.buffer.len() as u64;
                    return Err(Error { offset, damage: Damage::Truncated });
                }
                Err(Halt::More(needed)) => {
                    self.needed = needed;
                    return Ok(None);
                }
                Err(Halt::Damage(damage)) => {
                    return Err(Error { offset: self.base + self.at as u64, damage });
                }
            }
            if matches!(self.state, State::Done) {
                return Ok(None);
            }
        };
        self.needed = 0;
        Ok(Some(self.event(token)))
    }

    /// Lends what a token names.
    fn event(&mut self, token: Token) -> Event<'_> {
        let Attributes { expire, idle, freq } = self.attributes;
        if matches!(token, Token::String { .. } | Token::Integer { .. } | Token::Collection { .. }) {
            self.attributes = Attributes::default();
            self.kind = None;
        }
        let (buffer, first, second) = (&self.buffer, &self.first, &self.second);
        match token {
            Token::Header(header) => Event::Header(header),
            Token::Aux { name, value } => {
                Event::Aux { name: name.lend(buffer, first), value: value.lend(buffer, second) }
            }
            Token::SelectDb(db) => Event::SelectDb(db),
            Token::Resize { keys, expires } => Event::Resize { keys, expires },
            Token::SlotInfo { slot, keys, expires } => Event::SlotInfo { slot, keys, expires },
            Token::SlotImport => Event::SlotImport { name: first, slots: &self.slots },
            Token::Function(code) => Event::Function(code.lend(buffer, first)),
            Token::ModuleAux(module) => Event::ModuleAux { module },
            Token::String { key, value } => {
                let value = value.lend(buffer, second);
                let content = structures::number::parse_i64(value).map_or(Content::Bytes(value), Content::Int);
                Event::Key(Record { key: key.lend(buffer, first), kind: Kind::STRING, content, expire, idle, freq })
            }
            Token::Integer { key, value } => Event::Key(Record {
                key: key.lend(buffer, first),
                kind: Kind::STRING,
                content: Content::Int(value),
                expire,
                idle,
                freq,
            }),
            Token::Collection { kind, content } => {
                Event::Key(Record { key: first, kind, content: content.into(), expire, idle, freq })
            }
            Token::Eof(summed) => Event::Eof(summed),
        }
    }

    /// Sums what was read and was not summed yet.
    fn sum_up(&mut self) {
        if self.options.checksum {
            self.sum = crc64(self.sum, &self.buffer[self.summed..self.at]);
        }
        self.summed = self.at;
    }

    /// Lets go of what was read, if that is most of the buffer, so that each byte is moved once at most on average.
    fn let_go(&mut self) {
        if self.at * 2 < self.buffer.len() {
            return;
        }
        self.sum_up();
        self.buffer.copy_within(self.at.., 0);
        self.buffer.truncate(self.buffer.len() - self.at);
        self.base += self.at as u64;
        self.needed = self.needed.saturating_sub(self.at);
        (self.at, self.summed) = (0, 0);
        // A buffer that one huge string has made huge does not stay so.
        if self.buffer.capacity() > 1 << 22 && self.buffer.len() < 1 << 16 {
            self.buffer.shrink_to(1 << 16);
        }
    }

    /// The end of the file: compares the checksum, if the version has one.
    fn end(&mut self, after_mark: usize) -> Result<Token, Halt> {
        let has_sum = self.header.is_some_and(|header| header.version.0 >= 5);
        let mut reader = Reader::new(&self.buffer, after_mark);
        self.doing = Doing::CheckSum;
        let stored = if has_sum { reader.u64_le()? } else { 0 };
        let end = reader.at();
        self.at = after_mark;
        self.sum_up();
        let summed = if !has_sum {
            Summed::TooOld
        } else if !self.options.checksum {
            Summed::Ignored
        } else if stored == 0 {
            Summed::Absent
        } else if stored == self.sum {
            Summed::Good
        } else {
            return Err(Damage::Checksum { computed: self.sum, stored }.into());
        };
        (self.at, self.summed) = (end, end);
        self.state = State::Done;
        Ok(Token::Eof(summed))
    }
}
