//! `--bigkeys` and `--memkeys`: the largest key of each type, by elements or by memory.

use client::Value;

use super::{Walk, allow_reads_from_replica, ask_all, average, db_size, percent, quoted};
use crate::failure::{Failure, fatal};
use crate::live::{self, Live};
use crate::options::KeySize;
use crate::screen;
use crate::screen::complain;
use crate::session::Session;
use crate::vocabulary::Vocabulary;

/// How often a line tells the progress, in keys.
const PROGRESS_EVERY: u64 = 1_000_000;

/// What was found of one type.
pub(super) struct Type {
    pub name: String,
    /// The command that counts elements; modules' types have none.
    size_command: Option<&'static str>,
    pub unit: &'static str,
    keys: u64,
    total: u64,
    biggest: u64,
    biggest_key: Option<String>,
}

impl Type {
    fn new(name: &str, size_command: Option<&'static str>, unit: &'static str) -> Self {
        Type { name: name.to_owned(), size_command, unit, keys: 0, total: 0, biggest: 0, biggest_key: None }
    }

    /// Whether its length is a number of bytes.
    pub fn counts_bytes(&self) -> bool {
        self.unit == "bytes"
    }
}

/// In the order in which the peers report them.
pub(super) fn known_types() -> Vec<Type> {
    vec![
        Type::new("list", Some("LLEN"), "items"),
        Type::new("hash", Some("HLEN"), "fields"),
        Type::new("stream", Some("XLEN"), "entries"),
        Type::new("string", Some("STRLEN"), "bytes"),
        Type::new("set", Some("SCARD"), "members"),
        Type::new("zset", Some("ZCARD"), "members"),
    ]
}

pub fn run(session: &mut Session, size: KeySize) -> Result<(), Failure> {
    let mut types = known_types();
    let mut live = Live::open();
    let Vocabulary { key_quote: quote, summary, .. } = session.vocabulary;
    let total = db_size(session)?.max(0) as u64;
    screen::print(
        b"\n# Scanning the entire keyspace to find biggest keys as well as\n\
          # average sizes per key type.  You can use -i 0.1 to sleep 0.1 sec\n\
          # per 100 SCAN commands (not usually needed).\n\n",
    )?;
    allow_reads_from_replica(session)?;
    let (mut sampled, mut name_bytes) = (0u64, 0u64);
    let mut walk = Walk::new()?;
    while let Some(keys) = walk.next(session)? {
        let done = percent(sampled, total);
        let found = key_types(session, &keys, &mut types)?;
        let sizes = key_sizes(session, &keys, &found, &types, size)?;
        for ((key, index), bytes) in keys.iter().zip(found).zip(sizes) {
            // A key that vanished between SCAN and TYPE has no type.
            let Some(index) = index else { continue };
            let kind = &mut types[index];
            kind.keys += 1;
            kind.total += bytes;
            name_bytes += key.len() as u64;
            sampled += 1;
            if bytes > kind.biggest {
                let (key, unit) = (quoted(key), unit_of(kind, size));
                if !live.is_on() {
                    screen::print_line(&format!(
                        "{done} Biggest {:<6} found so far {quote}{key}{quote} with {bytes} {unit}",
                        kind.name
                    ))?;
                }
                kind.biggest = bytes;
                kind.biggest_key = Some(key);
            }
            if sampled.is_multiple_of(PROGRESS_EVERY) && !live.is_on() {
                screen::print_line(&format!("{done} Sampled {sampled} keys so far"))?;
            }
        }
        live.draw(|| {
            let mut lines = vec![live::bar(sampled, total), format!("Keys sampled: {sampled}"), String::new()];
            lines.extend(types.iter().filter_map(|kind| biggest(kind, size, quote)));
            lines
        })?;
        walk.rest(session);
    }
    live.close()?;
    let stopped = walk.share_if_interrupted(sampled, total);
    screen::print_line(&format!("\n{summary}\n"))?;
    screen::print_line(&format!("{stopped}Sampled {sampled} keys in the keyspace!"))?;
    screen::print_line(&format!(
        "Total key length in bytes is {name_bytes} (avg len {:.2})\n",
        average(name_bytes, sampled)
    ))?;
    for kind in &types {
        if let Some(line) = biggest(kind, size, quote) {
            screen::print_line(&line)?;
        }
    }
    screen::print_line("")?;
    for kind in &types {
        let share = 100.0 * average(kind.keys, sampled);
        screen::print_line(&format!(
            "{} {}s with {} {} ({share:05.2}% of keys, avg size {:.2})",
            kind.keys,
            kind.name,
            kind.total,
            unit_of(kind, size),
            average(kind.total, kind.keys)
        ))?;
    }
    Ok(())
}

fn biggest(kind: &Type, size: KeySize, quote: &str) -> Option<String> {
    let (key, unit) = (kind.biggest_key.as_ref()?, unit_of(kind, size));
    Some(format!("Biggest {:>6} found {quote}{key}{quote} has {} {unit}", kind.name, kind.biggest))
}

fn unit_of(kind: &Type, size: KeySize) -> &'static str {
    if size == KeySize::Elements { kind.unit } else { "bytes" }
}

/// The index of each key's type; types of modules are added as they are met.
pub(super) fn key_types(
    session: &mut Session,
    keys: &[Vec<u8>],
    types: &mut Vec<Type>,
) -> Result<Vec<Option<usize>>, Failure> {
    let commands: Vec<_> = keys.iter().map(|key| vec![b"TYPE".to_vec(), key.clone()]).collect();
    let mut found = Vec::with_capacity(keys.len());
    for reply in ask_all(session, &commands)? {
        let Value::Simple(name) = &reply else {
            let text = String::from_utf8_lossy(reply.as_error().unwrap_or(b"not a type")).into_owned();
            return Err(fatal(format_args!("TYPE returned an error: {text}")));
        };
        let name = String::from_utf8_lossy(name);
        found.push(match types.iter().position(|kind| kind.name == name) {
            Some(index) => Some(index),
            None if name == "none" => None,
            None => {
                types.push(Type::new(&name, None, "?"));
                Some(types.len() - 1)
            }
        });
    }
    Ok(found)
}

/// The size of each key; zero where it cannot be told.
pub(super) fn key_sizes(
    session: &mut Session,
    keys: &[Vec<u8>],
    found: &[Option<usize>],
    types: &[Type],
    size: KeySize,
) -> Result<Vec<u64>, Failure> {
    let command_for = |key: &[u8], index: Option<usize>| -> Option<Vec<Vec<u8>>> {
        let kind = &types[index?];
        Some(match size {
            KeySize::Elements => vec![kind.size_command?.into(), key.to_vec()],
            KeySize::Memory(None) => vec![b"MEMORY".to_vec(), b"USAGE".to_vec(), key.to_vec()],
            KeySize::Memory(Some(samples)) => vec![
                b"MEMORY".to_vec(),
                b"USAGE".to_vec(),
                key.to_vec(),
                b"SAMPLES".to_vec(),
                samples.to_string().into_bytes(),
            ],
        })
    };
    let wanted: Vec<_> = keys.iter().zip(found).map(|(key, index)| command_for(key, *index)).collect();
    let commands: Vec<_> = wanted.iter().flatten().cloned().collect();
    let mut replies = ask_all(session, &commands)?.into_iter();
    let mut sizes = Vec::with_capacity(keys.len());
    for (key, command) in keys.iter().zip(wanted) {
        sizes.push(match command.and_then(|command| Some((command, replies.next()?))) {
            None => 0,
            Some((_, Value::Integer(n))) => n.max(0) as u64,
            // What holds for one key holds for all: say it once.
            Some((_, Value::Error(text))) if text.starts_with(b"ERR unknown") => {
                return Err(fatal(format_args!("Error: {}", String::from_utf8_lossy(&text))));
            }
            Some((command, _)) => {
                complain!(
                    "Warning:  {} on '{}' failed (may have changed type)",
                    if size == KeySize::Elements {
                        String::from_utf8_lossy(&command[0])
                    } else {
                        "MEMORY USAGE".into()
                    },
                    String::from_utf8_lossy(key)
                );
                0
            }
        });
    }
    Ok(sizes)
}
