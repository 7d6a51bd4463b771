//! The manifest: which files an append-only log consists of.
//!
//! ```text
//!   file appendonly.aof.2.base.rdb seq 2 type b
//!   file appendonly.aof.1.incr.aof seq 1 type h                                  to be deleted
//!   file appendonly.aof.4.incr.aof seq 4 type i startoffset 8192 replid 8f2c…    the offset of its first byte of stream
//! ```
//!
//! A line is pairs of words, which may be quoted. `file`, `seq` and `type` must be there; others are passed over by the peers, and
//! kept here. Lines that begin with `#` are comments.
//!
//! Invariants, checked when a manifest is read:
//! 1. At most one base; the increments' numbers rise.
//! 2. A name is a name, not a path: a manifest from elsewhere opens no file outside the folder.
//! 3. Every line ends and is at most 1024 bytes long.

use std::fmt;

use resp::inline;

use crate::Names;

/// The longest line, its end included.
const MAX_LINE: usize = 1024;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The state from which the increments go on.
    Base,
    /// A piece of the stream.
    Increment,
    /// Not needed any more.
    History,
}

impl Role {
    fn letter(self) -> char {
        match self {
            Self::Base => 'b',
            Self::Increment => 'i',
            Self::History => 'h',
        }
    }
}

/// Where the stream's bytes in an increment begin, in which history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start {
    /// The offset of the first byte behind the preamble.
    pub offset: u64,
    /// The replication id under which it was written.
    pub replid: Vec<u8>,
}

/// A line of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    pub name: Vec<u8>,
    pub seq: u64,
    pub role: Role,
    /// Not there in files of other makers.
    pub start: Option<Start>,
    /// Pairs that are not understood.
    pub others: Vec<(Vec<u8>, Vec<u8>)>,
}

impl File {
    fn new(name: Vec<u8>, seq: u64, role: Role, start: Option<Start>) -> Self {
        Self { name, seq, role, start, others: Vec::new() }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"file ");
        word(out, &self.name);
        out.extend_from_slice(format!(" seq {} type {}", self.seq, self.role.letter()).as_bytes());
        if let Some(start) = &self.start {
            out.extend_from_slice(format!(" startoffset {} replid ", start.offset).as_bytes());
            word(out, &start.replid);
        }
        for (key, value) in &self.others {
            out.push(b' ');
            word(out, key);
            out.push(b' ');
            word(out, value);
        }
        out.push(b'\n');
    }
}

/// Appends a word, quoted if it would not be read as it is.
fn word(out: &mut Vec<u8>, word: &[u8]) {
    let plain = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
    if !word.is_empty() && word.iter().all(plain) {
        out.extend_from_slice(word);
    } else {
        inline::quote(out, word);
    }
}

/// What is wrong with a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The number of the line, from 1; 0 if there is none.
    pub line: usize,
    /// The line, if it was one.
    pub text: Option<Vec<u8>>,
    pub fault: Fault,
}

/// What is wrong with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Empty,
    LongLine,
    Format,
    Path,
    SecondBase,
    Sequence,
    Type,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "Found an empty AOF manifest",
            Self::LongLine => "The AOF manifest file contains too long line",
            Self::Format => "Invalid AOF manifest file format",
            Self::Path => "File can't be a path, just a filename",
            Self::SecondBase => "Found duplicate base file information",
            Self::Sequence => "Found a non-monotonic sequence number",
            Self::Type => "Unknown AOF file type",
        })
    }
}

impl fmt::Display for Error {
    /// The lines that the peers log and the checking program prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            writeln!(f, "Reading the manifest file, at line {}", self.line)?;
            writeln!(f, ">>> '{}'", String::from_utf8_lossy(text))?;
        }
        write!(f, "{}", self.fault)
    }
}

impl std::error::Error for Error {}

/// The files of an append-only log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    base: Option<File>,
    history: Vec<File>,
    increments: Vec<File>,
    /// The greatest numbers that were given.
    base_seq: u64,
    increment_seq: u64,
}

impl Manifest {
    /// Reads a manifest. O(length).
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let mut manifest = Self::default();
        if bytes.is_empty() {
            return Err(Error { line: 0, text: None, fault: Fault::Empty });
        }
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let fail = |fault, text| Err(Error { line: index + 1, text, fault });
            if line.starts_with(b"#") && line.len() <= MAX_LINE {
                continue;
            }
            if line.len() > MAX_LINE || !line.ends_with(b"\n") {
                return fail(Fault::LongLine, None);
            }
            let text = line.trim_ascii();
            if let Err(fault) = file_of(text).and_then(|file| manifest.add(file)) {
                return fail(fault, Some(text.to_vec()));
            }
        }
        Ok(manifest)
    }

    /// The bytes of the file: the base, what is to be deleted, the increments.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.files().for_each(|file| file.write(&mut out));
        out
    }

    fn add(&mut self, file: File) -> Result<(), Fault> {
        match file.role {
            Role::Base => {
                if self.base.is_some() {
                    return Err(Fault::SecondBase);
                }
                self.base_seq = file.seq;
                self.base = Some(file);
            }
            Role::History => self.history.push(file),
            Role::Increment => {
                if file.seq <= self.increment_seq {
                    return Err(Fault::Sequence);
                }
                self.increment_seq = file.seq;
                self.increments.push(file);
            }
        }
        Ok(())
    }

    /// All lines in order.
    pub fn files(&self) -> impl Iterator<Item = &File> {
        self.base.iter().chain(&self.history).chain(&self.increments)
    }

    /// The state from which the increments go on.
    pub fn base(&self) -> Option<&File> {
        self.base.as_ref()
    }

    /// The pieces of the stream, in order.
    pub fn increments(&self) -> &[File] {
        &self.increments
    }

    /// What is to be deleted.
    pub fn history(&self) -> &[File] {
        &self.history
    }

    /// Whether there is nothing to load.
    pub fn is_empty(&self) -> bool {
        self.base.is_none() && self.increments.is_empty()
    }

    // --- changes, to be written before the files they name are used

    /// Names a new base; the former one becomes history.
    pub fn add_base(&mut self, names: &Names, snapshot: bool) -> &File {
        self.retire_base();
        self.base_seq += 1;
        let name = names.base(self.base_seq, snapshot);
        self.base.insert(File::new(name, self.base_seq, Role::Base, None))
    }

    /// Makes a file that exists the base, as when a log of before Redis 7 is taken over.
    pub fn adopt_base(&mut self, name: &[u8]) -> &File {
        self.retire_base();
        self.base_seq += 1;
        self.base.insert(File::new(name.to_vec(), self.base_seq, Role::Base, None))
    }

    fn retire_base(&mut self) {
        if let Some(former) = self.base.take() {
            self.history.insert(0, File { role: Role::History, ..former });
        }
    }

    /// Names a new increment, which follows the others.
    pub fn add_increment(&mut self, names: &Names, start: Option<Start>) -> &File {
        self.increment_seq += 1;
        let name = names.increment(self.increment_seq);
        let at = self.increments.len();
        self.increments.push(File::new(name, self.increment_seq, Role::Increment, start));
        &self.increments[at]
    }

    /// Makes the increments before number `seq` history: a new base contains them.
    pub fn retire_increments_before(&mut self, seq: u64) {
        let keep = self.increments.partition_point(|file| file.seq < seq);
        let retired = self.increments.drain(..keep).map(|file| File { role: Role::History, ..file });
        // What was retired last stands first, as with the peers.
        self.history.splice(..0, retired);
    }

    /// Forgets what is to be deleted, and tells it.
    pub fn take_history(&mut self) -> Vec<File> {
        std::mem::take(&mut self.history)
    }
}

/// Reads a line.
fn file_of(line: &[u8]) -> Result<File, Fault> {
    let words = inline::split_owned(line).map_err(|_| Fault::Format)?;
    if words.len() < 6 || !words.len().is_multiple_of(2) {
        return Err(Fault::Format);
    }
    let (mut name, mut seq, mut role) = (None, 0, None);
    let (mut offset, mut replid) = (None, None);
    let mut others = Vec::new();
    let mut words = words.into_iter();
    while let (Some(key), Some(value)) = (words.next(), words.next()) {
        match key.to_ascii_lowercase().as_slice() {
            b"file" => {
                if value.iter().any(|byte| matches!(byte, b'/' | b'\\')) || value == b".." || value == b"." {
                    return Err(Fault::Path);
                }
                name = Some(value);
            }
            b"seq" => seq = number(&value).unwrap_or(0),
            b"type" => role = value.first().copied(),
            b"startoffset" => offset = number(&value),
            b"replid" => replid = Some(value),
            _ => others.push((key, value)),
        }
    }
    let (Some(name), 1.., Some(letter)) = (name.filter(|name| !name.is_empty()), seq, role) else {
        return Err(Fault::Format);
    };
    let role = match letter {
        b'b' => Role::Base,
        b'h' => Role::History,
        b'i' => Role::Increment,
        _ => return Err(Fault::Type),
    };
    let start = offset.zip(replid).map(|(offset, replid)| Start { offset, replid });
    Ok(File { name, seq, role, start, others })
}

/// The number at the beginning of a word.
fn number(word: &[u8]) -> Option<u64> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    std::str::from_utf8(&word[..digits]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_manifest_of_the_peer() {
        let text = b"file appendonly.aof.2.base.rdb seq 2 type b\n\
            file appendonly.aof.1.incr.aof seq 1 type h\n\
            file appendonly.aof.4.incr.aof seq 4 type i\n\
            file \"a b\\\"c.5.incr.aof\" seq 5 type i\n";
        let mut manifest = Manifest::parse(text).unwrap();
        assert_eq!(manifest.to_bytes(), text);
        assert_eq!(manifest.increments()[1].name, b"a b\"c.5.incr.aof");
        let names = Names::new(b"appendonly.aof");
        assert_eq!(manifest.add_increment(&names, None).name, b"appendonly.aof.6.incr.aof");
        assert_eq!(manifest.add_base(&names, true).name, b"appendonly.aof.3.base.rdb");
        manifest.retire_increments_before(6);
        assert_eq!(
            manifest.to_bytes(),
            b"file appendonly.aof.3.base.rdb seq 3 type b\n\
            file appendonly.aof.4.incr.aof seq 4 type h\n\
            file \"a b\\\"c.5.incr.aof\" seq 5 type h\n\
            file appendonly.aof.2.base.rdb seq 2 type h\n\
            file appendonly.aof.1.incr.aof seq 1 type h\n\
            file appendonly.aof.6.incr.aof seq 6 type i\n"
        );
        assert_eq!(manifest.take_history().len(), 4);
        assert_eq!(manifest.files().count(), 2);
    }

    #[test]
    fn offsets_and_unknown_pairs_survive() {
        let text = b"file f.1.incr.aof seq 1 type i startoffset 8192 replid 8f2c checksum \"a b\"\n";
        let manifest = Manifest::parse(text).unwrap();
        let file = &manifest.increments()[0];
        assert_eq!(file.start, Some(Start { offset: 8192, replid: b"8f2c".to_vec() }));
        assert_eq!(manifest.to_bytes(), text);
    }

    #[test]
    fn what_is_wrong_is_told_as_by_the_peer() {
        let long = [b"#".repeat(1024), b"\n".to_vec()].concat();
        for (text, line, wanted) in [
            (&b""[..], 0, Fault::Empty),
            (b"file a seq 1 type b", 1, Fault::LongLine),
            (&long, 1, Fault::LongLine),
            (b"\n", 1, Fault::Format),
            (b"# comment\n!!!\n", 2, Fault::Format),
            (b"file a seq 1 type\n", 1, Fault::Format),
            (b"file a seq 1 type b more\n", 1, Fault::Format),
            (b"file a seq x type b\n", 1, Fault::Format),
            (b"file \"a seq 1 type b\n", 1, Fault::Format),
            (b"file a/b seq 1 type b\n", 1, Fault::Path),
            (b"file .. seq 1 type b\n", 1, Fault::Path),
            (b"file a seq 1 type b\nfile b seq 2 type b\n", 2, Fault::SecondBase),
            (b"file a seq 2 type i\nfile b seq 2 type i\n", 2, Fault::Sequence),
            (b"file a seq 2 type z\n", 1, Fault::Type),
        ] {
            let error = Manifest::parse(text).unwrap_err();
            assert_eq!((error.line, error.fault), (line, wanted), "{}", text.escape_ascii());
        }
        let error = Manifest::parse(b"!!!\n").unwrap_err();
        let wanted = "Reading the manifest file, at line 1\n>>> '!!!'\nInvalid AOF manifest file format";
        assert_eq!(error.to_string(), wanted);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_names_survive(
            names in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..30), 1..6),
            offset: Option<u64>,
        ) {
            let mut manifest = Manifest::default();
            for (i, name) in names.iter().enumerate() {
                let name: Vec<u8> = name.iter().map(|byte| if matches!(byte, b'/' | b'\\' | b'.') { b'x' } else { *byte }).collect();
                let start = offset.map(|offset| Start { offset, replid: b"id".to_vec() });
                manifest.add(File::new(name, i as u64 + 1, Role::Increment, start)).unwrap();
            }
            prop_assert_eq!(Manifest::parse(&manifest.to_bytes()).unwrap(), manifest);
        }

        #[test]
        fn no_bytes_panic(text in "(file|seq|type|[bih]|[0-9]|[ \"'\\\\\n#./a])*") {
            if let Ok(manifest) = Manifest::parse(text.as_bytes()) {
                prop_assert_eq!(Manifest::parse(&manifest.to_bytes()).unwrap_or_default(), manifest);
            }
        }
    }
}
