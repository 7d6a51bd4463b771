//! Keys that no spec can tell: they hang on options that may stand anywhere, be repeated, or change what
//! is done with a key.
//!
//! Each rule is the peer's own reading of the command, the odd cases included: the last of several
//! `STORE`s counts, a `STORE` that is the value of another option does not, a `KEYS` at the very end of
//! `MIGRATE` is none.

use resp::Args;

use super::{InvalidKeys, KeyAt, KeyFlags, Keys, find_keyword};

/// Keys that specs alone do not find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    Sort,
    SortRo,
    Migrate,
    Georadius,
    Set,
    Bitfield,
}

#[cold]
pub(super) fn find(rule: KeyRule, args: &Args<'_>) -> Result<Keys, InvalidKeys> {
    if args.len() < 2 {
        return Err(InvalidKeys);
    }
    let is = |i: usize, word: &[u8]| args.get(i).is_some_and(|arg| arg.eq_ignore_ascii_case(word));
    let key = |index: usize, flags: &[KeyFlags]| KeyAt { index: index as u32, flags: KeyFlags::of(flags) };
    let mut found = Keys::new();
    match rule {
        KeyRule::SortRo => found.push(key(1, &[KeyFlags::RO, KeyFlags::ACCESS])),
        KeyRule::Sort => {
            found.push(key(1, &[KeyFlags::RO, KeyFlags::ACCESS]));
            // The last STORE counts; words that are values of other options do not.
            let mut store = None;
            let mut i = 2;
            while i < args.len() {
                if is(i, b"limit") {
                    i += 2;
                } else if is(i, b"get") || is(i, b"by") {
                    i += 1;
                } else if is(i, b"store") && i + 1 < args.len() {
                    store = Some(i + 1);
                }
                i += 1;
            }
            found.extend(store.map(|index| key(index, &[KeyFlags::OW, KeyFlags::UPDATE])));
        }
        KeyRule::Migrate => {
            let flags = [KeyFlags::RW, KeyFlags::ACCESS, KeyFlags::DELETE];
            if args.len() < 4 {
                return Err(InvalidKeys);
            }
            // A KEYS at the very end names none.
            let mut i = if find_keyword(args, "keys", -2).is_some() { 6 } else { args.len() };
            while i < args.len() {
                if is(i, b"keys") {
                    // With KEYS the key argument must be empty.
                    if !args[3].is_empty() {
                        return Err(InvalidKeys);
                    }
                    found.extend((i + 1..args.len()).map(|index| key(index, &flags)));
                    return Ok(found);
                }
                if is(i, b"auth") {
                    i += 1;
                } else if is(i, b"auth2") {
                    i += 2;
                }
                i += 1;
            }
            found.push(key(3, &flags));
        }
        KeyRule::Georadius => {
            found.push(key(1, &[KeyFlags::RO, KeyFlags::ACCESS]));
            let mut store = None;
            let mut i = 5;
            while i + 1 < args.len() {
                if is(i, b"store") || is(i, b"storedist") {
                    store = Some(i + 1);
                    i += 1;
                }
                i += 1;
            }
            found.extend(store.map(|index| key(index, &[KeyFlags::OW, KeyFlags::UPDATE])));
        }
        KeyRule::Set => {
            let get = (3..args.len()).any(|i| is(i, b"get"));
            found.push(if get {
                key(1, &[KeyFlags::RW, KeyFlags::ACCESS, KeyFlags::UPDATE])
            } else {
                key(1, &[KeyFlags::OW, KeyFlags::UPDATE])
            });
        }
        KeyRule::Bitfield => {
            let mut readonly = true;
            let mut i = 2;
            while i < args.len() {
                let left = args.len() - i - 1;
                if is(i, b"get") && left >= 2 {
                    i += 3;
                } else if is(i, b"overflow") && left >= 1 {
                    i += 2;
                } else {
                    readonly = false;
                    break;
                }
            }
            found.push(if readonly {
                key(1, &[KeyFlags::RO, KeyFlags::ACCESS])
            } else {
                key(1, &[KeyFlags::RW, KeyFlags::ACCESS, KeyFlags::UPDATE])
            });
        }
    }
    Ok(found)
}
