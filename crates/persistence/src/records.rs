//! How the keys of a snapshot are written: as records of an RDB file, or as the commands that make them.
//!
//! ```text
//!   RDB        SELECTDB 9 │ expiry, type, key, value │ …
//!   commands   SELECT 9   │ RPUSH key e1 … e64, RPUSH key e65 …, PEXPIREAT key t │ …
//! ```
//!
//! A collection becomes commands of at most 64 elements, the peers' number, so that whoever executes them is never given
//! one that takes long. Either way a record is one piece, and pieces may stand in any order if each begins by selecting its
//! database.

use rdb::encode::{Form, Meta};
use resp::{double, encode};
use structures::entry::Payload;
use structures::number;
use value::{Element, FieldView, Item, Value};

/// Elements of one command.
const PER_COMMAND: usize = 64;

/// How the keys of a snapshot are written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Records {
    /// As records of an RDB file.
    Rdb(Form),
    /// As commands.
    Commands,
}

/// A big collection in progress: what is written depends on where in it the walk is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    key: Vec<u8>,
    verb: &'static [u8],
    /// Words that one element takes.
    words: usize,
    left: usize,
    /// Commands follow behind the last element.
    has_tail: bool,
    in_command: usize,
    expire: Option<i64>,
    /// Expiries of fields, to be told behind the fields.
    fields: Vec<(Vec<u8>, i64)>,
}

/// The value cannot be written in this form of RDB file.
pub(crate) type TooNew = rdb::encode::TooNew;

impl Records {
    /// Says of which database what follows is.
    pub fn select_db(self, out: &mut Vec<u8>, db: u64) {
        match self {
            Records::Rdb(_) => Form::select_db(out, db),
            Records::Commands => encode::command(out, &[&b"SELECT"[..], number::int(db as i64).as_bytes()]),
        }
    }

    /// Appends a key with its whole value. Nothing is appended if the value cannot be written. O(value).
    pub fn record(
        self,
        out: &mut Vec<u8>,
        key: &[u8],
        expire: Option<i64>,
        content: Payload<'_, Value>,
    ) -> Result<(), TooNew> {
        match self {
            Records::Rdb(form) => form.record(out, key, &Meta { expire, ..Meta::default() }, content),
            Records::Commands => {
                commands(out, key, expire, content);
                Ok(())
            }
        }
    }

    /// Begins a big collection of `len` elements; as many calls of [`Records::element`] must follow, then
    /// [`Records::end`]. Lists and strings are written whole here, and
    /// no element follows.
    pub(crate) fn begin(
        self,
        out: &mut Vec<u8>,
        key: &[u8],
        expire: Option<i64>,
        value: &Value,
        len: usize,
    ) -> Result<Progress, TooNew> {
        let meta = Meta { expire, ..Meta::default() };
        let mut progress = Progress::default();
        match (self, value) {
            (_, Value::List(_) | Value::Raw(_)) => self.record(out, key, expire, Payload::Value(value))?,
            (Records::Rdb(form), Value::Set(_)) => form.begin_set(out, key, &meta, len),
            (Records::Rdb(form), Value::Zset(_)) => form.begin_zset(out, key, &meta, len),
            (Records::Rdb(form), Value::Hash(hash)) => {
                form.begin_hash(out, key, &meta, len, hash.expiring() > 0)?;
                progress.words = usize::from(hash.expiring() > 0);
            }
            (Records::Commands, _) => {
                progress = Progress { key: key.to_vec(), left: len, expire, has_tail: true, ..Progress::default() };
                (progress.verb, progress.words) = match value {
                    Value::Set(_) => (b"SADD", 1),
                    Value::Zset(_) => (b"ZADD", 2),
                    _ => (b"HSET", 2),
                };
            }
        }
        Ok(progress)
    }

    /// Appends an element of a collection that was begun.
    pub(crate) fn element(self, out: &mut Vec<u8>, element: Element<'_>, progress: &mut Progress) {
        match self {
            Records::Rdb(form) => form.element(out, element, progress.words > 0),
            Records::Commands => {
                progress.head(out);
                match element {
                    Element::Member(member) => encode::arg(out, member),
                    Element::Field(field) => progress.field(out, field),
                    Element::Scored(member, score) => scored(out, Item::Bytes(member), score),
                }
            }
        }
    }

    /// All elements have come.
    pub(crate) fn end(self, out: &mut Vec<u8>, progress: &mut Progress) {
        if progress.has_tail {
            progress.tail(out);
        }
    }
}

impl Progress {
    /// Begins a command, if the last one has all that it takes.
    fn head(&mut self, out: &mut Vec<u8>) {
        if self.in_command == 0 {
            self.in_command = self.left.min(PER_COMMAND);
            encode::begin(out, 2 + self.words * self.in_command);
            encode::arg(out, self.verb);
            encode::arg(out, &self.key);
        }
        self.in_command -= 1;
        self.left -= 1;
    }

    fn field(&mut self, out: &mut Vec<u8>, field: FieldView<'_>) {
        item(out, field.field);
        item(out, field.value);
        if let Some(at) = field.expire {
            self.fields.push((text(field.field), at));
        }
    }

    fn tail(&mut self, out: &mut Vec<u8>) {
        for (field, at) in self.fields.drain(..) {
            let at = number::int(at);
            encode::command(out, &[&b"HPEXPIREAT"[..], &self.key, at.as_bytes(), b"FIELDS", b"1", &field]);
        }
        if let Some(at) = self.expire {
            encode::command(out, &[&b"PEXPIREAT"[..], &self.key, number::int(at).as_bytes()]);
        }
    }
}

fn text(item: Item<'_>) -> Vec<u8> {
    match item {
        Item::Int(n) => number::int(n).as_bytes().to_vec(),
        Item::Bytes(bytes) => bytes.to_vec(),
    }
}

fn item(out: &mut Vec<u8>, item: Item<'_>) {
    match item {
        Item::Int(n) => encode::arg(out, number::int(n).as_bytes()),
        Item::Bytes(bytes) => encode::arg(out, bytes),
    }
}

fn scored(out: &mut Vec<u8>, member: Item<'_>, score: f64) {
    encode::arg(out, double::format(score).as_bytes());
    item(out, member);
}

/// Appends the commands that make a key.
fn commands(out: &mut Vec<u8>, key: &[u8], expire: Option<i64>, content: Payload<'_, Value>) {
    let mut progress = Progress { key: key.to_vec(), expire, ..Progress::default() };
    let mut begin = |verb: &'static [u8], words: usize, len: usize| {
        (progress.verb, progress.words, progress.left) = (verb, words, len);
    };
    match content {
        Payload::Int(n) => encode::command(out, &[&b"SET"[..], key, number::int(n).as_bytes()]),
        Payload::Bytes { bytes, .. } => encode::command(out, &[&b"SET"[..], key, bytes]),
        Payload::Value(Value::Raw(raw)) => encode::command(out, &[&b"SET"[..], key, raw.as_bytes()]),
        Payload::Value(Value::List(list)) => {
            begin(b"RPUSH", 1, list.len());
            list.iter().for_each(list.len(), |element| {
                progress.head(out);
                item(out, element);
            });
        }
        Payload::Value(Value::Set(set)) => {
            begin(b"SADD", 1, set.len());
            for member in set.iter() {
                progress.head(out);
                item(out, member);
            }
        }
        Payload::Value(Value::Zset(zset)) => {
            begin(b"ZADD", 2, zset.len());
            for (member, score) in zset.iter() {
                progress.head(out);
                scored(out, member, score);
            }
        }
        Payload::Value(Value::Hash(hash)) => {
            begin(b"HSET", 2, hash.len());
            for field in hash.iter() {
                progress.head(out);
                progress.field(out, field);
            }
        }
    }
    progress.tail(out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use value::End;
    use value::{Limits, List};

    fn written(key: &[u8], expire: Option<i64>, content: Payload<'_, Value>) -> String {
        let mut out = Vec::new();
        Records::Commands.record(&mut out, key, expire, content).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_string_is_set() {
        assert_eq!(written(b"k", None, Payload::Int(-7)), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$2\r\n-7\r\n");
        let text = written(b"k", Some(5), Payload::Int(1));
        assert!(text.ends_with("*3\r\n$9\r\nPEXPIREAT\r\n$1\r\nk\r\n$1\r\n5\r\n"), "{text}");
    }

    #[test]
    fn a_collection_is_made_by_commands_of_bounded_length() {
        let mut list = List::new();
        let elements: Vec<Vec<u8>> = (0..130).map(|n| n.to_string().into_bytes()).collect();
        list.push(End::Back, elements.iter().map(Vec::as_slice), &Limits::default());
        let text = written(b"k", None, Payload::Value(&Value::List(list)));
        let heads = text.lines().filter(|line| line.starts_with('*')).collect::<Vec<_>>();
        assert_eq!(heads, ["*66", "*66", "*4"]);
        assert!(text.ends_with("$3\r\n128\r\n$3\r\n129\r\n"), "{text}");
    }
}
