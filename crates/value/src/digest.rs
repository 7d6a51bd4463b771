//! The digest of values, keys and data sets that `DEBUG DIGEST` and `DEBUG DIGEST-VALUE` answer.
//!
//! Question: how do two servers, perhaps of different makers, show that they hold the same data, whatever the order of their
//! hash tables and the encodings of their values? By 20 bytes that are built from SHA-1 in two ways:
//!
//! ```text
//!   add(data):  digest ^= SHA1(data)             order does not matter: members, fields, keys
//!   mix(data):  digest  = SHA1(digest ^ SHA1(data))   order matters: elements of a list, a field and its value
//!
//!   value:    mix(type as u32 BE), then
//!             string  mix(bytes)
//!             list    mix(element) in order
//!             set     add(member)
//!             zset    add(e) with e = mix(member), mix(score by shortest digits) from zero
//!             hash    add(e) with e = mix(field), mix(value) from zero
//!             add("!!expire!!") if the key expires
//!   key:      from zero: mix(key), value
//!   data set: from zero, per database in order: mix(number as u32 BE), then add(digest of each key)
//! ```
//!
//! These are Valkey's definitions (its `debug.c`), so the digests compare across products.

use sha1::{Digest as _, Sha1};
use structures::number;

use crate::{Item, Value};

/// A digest in the making; its text is 40 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest(pub [u8; 20]);

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

const STRING: u32 = 0;
const LIST: u32 = 1;
const SET: u32 = 2;
const ZSET: u32 = 3;
const HASH: u32 = 4;

impl Digest {
    /// Adds data whose order does not matter.
    pub fn add(&mut self, data: &[u8]) {
        let hash = Sha1::digest(data);
        self.0.iter_mut().zip(hash).for_each(|(a, b)| *a ^= b);
    }

    /// Adds data whose order matters.
    pub fn mix(&mut self, data: &[u8]) {
        self.add(data);
        self.0 = Sha1::digest(self.0).into();
    }

    fn type_code(&mut self, code: u32) {
        self.mix(&code.to_be_bytes());
    }

    /// Mixes a string value in.
    pub fn string(&mut self, value: Item<'_>) {
        self.type_code(STRING);
        self.mix(&value.text());
    }

    /// Mixes any value in. Fields whose expiry is at or before `now` are left out.
    pub fn value(&mut self, value: &Value, now: i64) {
        match value {
            Value::Raw(raw) => self.string(Item::Bytes(raw.as_bytes())),
            Value::List(list) => {
                self.type_code(LIST);
                list.iter().for_each(usize::MAX, |element| self.mix(&element.text()));
            }
            Value::Set(set) => {
                self.type_code(SET);
                set.iter().for_each(|member| self.add(&member.text()));
            }
            Value::Zset(zset) => {
                self.type_code(ZSET);
                for (member, score) in zset.iter() {
                    let mut element = Self::default();
                    element.mix(&member.text());
                    element.mix(&number::shortest(score));
                    self.add(&element.0);
                }
            }
            Value::Hash(hash) => {
                self.type_code(HASH);
                for view in hash.iter().filter(|view| view.expire.is_none_or(|expire| expire > now)) {
                    let mut element = Self::default();
                    element.mix(&view.field.text());
                    element.mix(&view.value.text());
                    self.add(&element.0);
                }
            }
        }
    }

    /// Notes that the key has an expiry; to be called behind its value.
    pub fn expires(&mut self) {
        self.add(b"!!expire!!");
    }

    /// Begins a database of a data set.
    pub fn database(&mut self, index: u32) {
        self.mix(&index.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{End, Hash, Limits, List, Set, Zset};

    fn of(value: impl Into<Value>) -> String {
        let mut digest = Digest::default();
        digest.value(&value.into(), 0);
        digest.to_string()
    }

    #[test]
    fn digests_are_those_of_the_peer() {
        // Answers of DEBUG DIGEST-VALUE on Valkey 9.1.
        let limits = Limits::default();
        let mut digest = Digest::default();
        digest.string(Item::Int(12345));
        assert_eq!(digest.to_string(), "e1cf90774e995ae03de66e8109dc5cb9d9c2dc83");
        let mut list = List::new();
        list.push(End::Back, [&b"a"[..], b"12", b"c"], &limits);
        assert_eq!(of(list), "c2106b6b60445c1d77bf238d7b20effec63108e5");
        let mut set = Set::new();
        let mut hash = Hash::new();
        let mut zset = Zset::new();
        for (name, score) in [("a", 1.5), ("12", 3.0), ("c", 1e17), ("d", -0.25)] {
            set.add(name.as_bytes(), &limits);
            hash.set(name.as_bytes(), &number::double(score), &limits);
            zset.insert(name.as_bytes(), score, &limits);
        }
        assert_eq!(of(set), "f78f03e73417446588f1a1e36ba95a535f5478ca");
        assert_eq!(of(hash), "f9fe5dc393f2e1f77b47e51f343a022771bea82a");
        assert_eq!(of(zset), "81665110d6ecf49108e61fb35a794b34d8031c5c");
    }

    #[test]
    fn a_data_set_is_its_keys() {
        // DEBUG DIGEST with `key` = 12345 in database 0 and `key` = 12345 with an expiry in database 3.
        let mut data = Digest::default();
        for (db, expires) in [(0, false), (3, true)] {
            let mut key = Digest::default();
            key.mix(b"key");
            key.string(Item::Bytes(b"12345"));
            if expires {
                key.expires();
            }
            data.database(db);
            data.add(&key.0);
        }
        assert_eq!(data.to_string(), "71af8b5b336d66cee10705cdc23ac4e560d4709c");
    }
}
