//! One step of the decoder: an opcode with what belongs to it, a key with its string, or elements of a collection.

use super::build::{Done, Skip};
use super::{Begun, Build, Decoder, Doing};
use crate::read::{Halt, Reader, Step, Text};
use crate::{Damage, Header, Kind, Magic, Summed, kind};

/// Elements of a collection that are read before the decoder looks up again.
const BATCH: usize = 1024;

/// The length of a slot import's name.
const IMPORT_NAME: usize = 40;
const SLOTS: u64 = 16384;

/// Where the decoder is.
#[derive(Debug)]
pub(super) enum State {
    Start,
    Body,
    /// Inside a collection; the key is in [`Decoder::first`].
    Value {
        build: Box<Build>,
        kind: Kind,
    },
    /// Inside the ranges of a slot import.
    SlotRanges {
        left: u64,
    },
    /// Inside a module's data.
    Module {
        name: Box<str>,
        skip: Skip,
    },
    Done,
}

/// Where a string is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    Input { start: usize, end: usize },
    Scratch,
}

impl Place {
    pub(super) fn lend<'a>(self, input: &'a [u8], scratch: &'a [u8]) -> &'a [u8] {
        match self {
            Self::Input { start, end } => &input[start..end],
            Self::Scratch => scratch,
        }
    }

    /// The place of a text that was read last; one that does not stand in the input as it is is written to `scratch`.
    fn of(text: Text<'_>, reader: &Reader<'_>, scratch: &mut Vec<u8>) -> Result<Self, Damage> {
        match text {
            Text::Plain(bytes) => Ok(Self::Input { start: reader.at() - bytes.len(), end: reader.at() }),
            _ => {
                scratch.clear();
                text.append_to(scratch)?;
                Ok(Self::Scratch)
            }
        }
    }
}

/// An event before its strings are lent.
#[derive(Debug)]
pub(super) enum Token {
    Header(Header),
    Aux { name: Place, value: Place },
    SelectDb(u64),
    Resize { keys: u64, expires: u64 },
    SlotInfo { slot: u64, keys: u64, expires: u64 },
    SlotImport,
    Function(Place),
    ModuleAux(Box<str>),
    String { key: Place, value: Place },
    Integer { key: Place, value: i64 },
    Collection { kind: Kind, content: Done },
    Eof(Summed),
}

impl Decoder {
    /// Does one step. On [`Halt::More`] nothing has changed; on damage `at` is where it is.
    pub(super) fn step(&mut self) -> Step<Option<Token>> {
        match self.state {
            State::Start => self.start().map(Some),
            State::Body => self.opcode(),
            State::Value { .. } => self.elements(),
            State::SlotRanges { .. } => self.slot_ranges(),
            State::Module { .. } => self.module_aux(),
            State::Done => Ok(None),
        }
    }

    fn start(&mut self) -> Step<Token> {
        let mut reader = Reader::new(&self.buffer, self.at);
        let bytes = reader.take(Header::LEN)?.try_into().map_err(|_| Damage::Signature)?;
        let header = Header::parse(bytes).ok_or(Damage::Signature)?;
        self.header = Some(header);
        if !header.is_accepted(self.options.acceptance) {
            return Err(Damage::Version(header.version.0).into());
        }
        self.at = reader.at();
        self.state = State::Body;
        Ok(Token::Header(header))
    }

    /// Reads an opcode or a type with what belongs to it.
    fn opcode(&mut self) -> Step<Option<Token>> {
        // The buffer is taken out so that scratch space can be written while it is read.
        let buffer = std::mem::take(&mut self.buffer);
        let mut reader = Reader::new(&buffer, self.at);
        let result = self.opcode_in(&mut reader);
        let (at, mark) = (reader.at(), reader.mark());
        self.buffer = buffer;
        match result {
            Ok(Next::Token(token)) => {
                self.at = at;
                Ok(Some(token))
            }
            Ok(Next::Nothing) => {
                self.at = at;
                Ok(None)
            }
            Ok(Next::End) => self.end(at).map(Some),
            Err(Halt::Damage(damage)) => {
                self.at = mark;
                Err(damage.into())
            }
            Err(more) => Err(more),
        }
    }

    fn opcode_in(&mut self, reader: &mut Reader<'_>) -> Step<Next> {
        self.doing = Doing::ReadType;
        let byte = reader.byte()?;
        Ok(match byte {
            kind::EXPIRE_SECONDS => {
                self.doing = Doing::ReadExpire;
                self.attributes.expire = Some(i64::from(reader.u32_le()?.cast_signed()) * 1000);
                Next::Nothing
            }
            kind::EXPIRE_MS => {
                self.doing = Doing::ReadExpire;
                self.attributes.expire = Some(reader.i64_le()?);
                Next::Nothing
            }
            kind::FREQ => {
                self.attributes.freq = Some(reader.byte()?);
                Next::Nothing
            }
            kind::IDLE => {
                self.attributes.idle = Some(reader.length()?);
                Next::Nothing
            }
            kind::EOF => Next::End,
            kind::SELECT_DB => {
                self.doing = Doing::ReadLength;
                Next::Token(Token::SelectDb(reader.length()?))
            }
            kind::RESIZE_DB => {
                self.doing = Doing::ReadLength;
                Next::Token(Token::Resize { keys: reader.length()?, expires: reader.length()? })
            }
            kind::SLOT_INFO => Next::Token(Token::SlotInfo {
                slot: reader.length()?,
                keys: reader.length()?,
                expires: reader.length()?,
            }),
            kind::SLOT_IMPORT if self.is_valkey() => {
                self.slot_import(reader)?;
                Next::Nothing
            }
            kind::AUX => {
                self.doing = Doing::ReadAux;
                let name = Place::of(reader.text()?, reader, &mut self.first)?;
                let value = Place::of(reader.text()?, reader, &mut self.second)?;
                Next::Token(Token::Aux { name, value })
            }
            kind::MODULE_AUX => {
                self.doing = Doing::ReadModuleAux;
                let name = module_name(reader.length()?);
                // What follows is the time of loading, as an unsigned number.
                if reader.length()? != 2 {
                    return Err(Damage::ModuleAux.into());
                }
                reader.length()?;
                self.state = State::Module { name, skip: Skip::Module };
                Next::Nothing
            }
            kind::FUNCTION_PRE_GA => return Err(Damage::FunctionPreRelease.into()),
            kind::FUNCTION_2 => {
                self.doing = Doing::ReadFunctions;
                Next::Token(Token::Function(Place::of(reader.text()?, reader, &mut self.first)?))
            }
            _ => self.record(reader, byte)?,
        })
    }

    fn is_valkey(&self) -> bool {
        self.header.is_some_and(|header| header.magic == Magic::Valkey)
    }

    /// Whether a byte is a type in a file of this version.
    fn check_kind(&self, byte: u8) -> Result<Kind, Damage> {
        let kind = Kind(byte);
        let known = match kind {
            _ if kind.is_common() => true,
            Kind::HASH_2 => self.is_valkey(),
            Kind::HASH_METADATA | Kind::HASH_LISTPACK_EX => {
                self.header.is_some_and(|header| header.magic == Magic::Redis && header.version.is_foreign())
            }
            _ => false,
        };
        if known {
            Ok(kind)
        } else if !self.is_valkey() && kind::FOREIGN.contains(&byte) {
            Err(Damage::Foreign(byte))
        } else {
            Err(Damage::Type(byte))
        }
    }

    /// Reads a key, and its value unless that comes in elements.
    fn record(&mut self, reader: &mut Reader<'_>, byte: u8) -> Step<Next> {
        let kind = self.check_kind(byte)?;
        self.kind = Some(kind);
        self.doing = Doing::ReadKey;
        let text = reader.text()?;
        if kind == Kind::STRING {
            let key = Place::of(text, reader, &mut self.first)?;
            self.doing = Doing::ReadValue;
            return Ok(Next::Token(match reader.text()? {
                Text::Int(value) => Token::Integer { key, value: i64::from(value) },
                text => Token::String { key, value: Place::of(text, reader, &mut self.second)? },
            }));
        }
        let begin = reader.at();
        self.first.clear();
        text.append_to(&mut self.first)?;
        self.doing = Doing::ReadValue;
        Ok(match Build::begin(kind, reader, &self.options.limits, self.options.skip) {
            Ok(Begun::Done(content)) => Next::Token(Token::Collection { kind, content }),
            Ok(Begun::Elements(build)) => {
                self.state = State::Value { build: Box::new(build), kind };
                Next::Nothing
            }
            Err(Halt::Damage(damage @ (Damage::Unsupported(_) | Damage::Module(_)))) => {
                reader.rewind(begin);
                return Err(damage.into());
            }
            Err(halt) => return Err(halt),
        })
    }

    /// Reads elements of the collection that was begun.
    fn elements(&mut self) -> Step<Option<Token>> {
        let State::Value { build, kind } = &mut self.state else { return Ok(None) };
        let kind = *kind;
        let mut reader = Reader::new(&self.buffer, self.at);
        let result = build.advance(&mut reader, &self.options.limits, BATCH);
        // Elements that were read are read, even if the next one is cut off.
        self.at = reader.at();
        match result {
            Ok(Some(content)) => {
                self.state = State::Body;
                Ok(Some(Token::Collection { kind, content }))
            }
            Ok(None) => Ok(None),
            Err(Halt::Damage(damage)) => {
                self.at = reader.mark();
                Err(damage.into())
            }
            Err(more) => Err(more),
        }
    }

    fn slot_import(&mut self, reader: &mut Reader<'_>) -> Step<()> {
        self.first.clear();
        reader.text()?.append_to(&mut self.first)?;
        if self.first.len() != IMPORT_NAME {
            return Err(Damage::SlotImportName.into());
        }
        self.slots.clear();
        self.state = State::SlotRanges { left: reader.length()? };
        Ok(())
    }

    fn slot_ranges(&mut self) -> Step<Option<Token>> {
        let State::SlotRanges { left } = &mut self.state else { return Ok(None) };
        if *left == 0 {
            self.state = State::Body;
            return Ok(Some(Token::SlotImport));
        }
        let mut reader = Reader::new(&self.buffer, self.at);
        let (start, end) = (reader.length()?, reader.length()?);
        // Ranges that do not overlap are as many as there are slots at most.
        if start > end || end >= SLOTS || self.slots.len() as u64 >= SLOTS {
            return Err(Damage::SlotRange.into());
        }
        self.slots.push((start as u16, end as u16));
        *left -= 1;
        self.at = reader.at();
        Ok(None)
    }

    fn module_aux(&mut self) -> Step<Option<Token>> {
        let State::Module { name, skip } = &mut self.state else { return Ok(None) };
        let mut reader = Reader::new(&self.buffer, self.at);
        let result = skip.advance(&mut reader, BATCH);
        self.at = reader.at();
        match result {
            Ok(None) => Ok(None),
            Ok(Some(_)) => {
                let name = std::mem::take(name);
                self.state = State::Body;
                Ok(Some(Token::ModuleAux(name)))
            }
            Err(halt) => Err(halt),
        }
    }
}

/// What a step over an opcode has found.
enum Next {
    Token(Token),
    /// Something that belongs to what follows.
    Nothing,
    /// The end mark.
    End,
}

/// The nine characters of a module type's name, of six bits each in the upper 54 bits of its number.
pub(super) fn module_name(id: u64) -> Box<str> {
    const CHARACTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    (0..9).rev().map(|i| char::from(CHARACTERS[(id >> (10 + 6 * i)) as usize & 63])).collect()
}
