//! `--bigkeys` and `--memkeys`: the largest key of each type, by elements or by memory.

use client::Value;

use super::{Walk, allow_reads_from_replica, ask_all, average, db_size, percent, quoted};
use crate::failure::{Failure, fatal};
use crate::options::KeySize;
use crate::screen;
use crate::screen::complain;
use crate::session::Session;

/// How often a line tells the progress, in keys.
const PROGRESS_EVERY: u64 = 1_000_000;

/// What was found of one type.
struct Type {
    name: String,
    /// The command that counts elements; modules' types have none.
    size_command: Option<&'static str>,
    unit: &'static str,
    keys: u64,
    total: u64,
    biggest: u64,
    biggest_key: Option<String>,
}

impl Type {
    fn new(name: &str, size_command: Option<&'static str>, unit: &'static str) -> Self {
        Type { name: name.to_owned(), size_command, unit, keys: 0, total: 0, biggest: 0, biggest_key: None }
    }
}

pub fn run(session: &mut Session, size: KeySize) -> Result<(), Failure> {
    let mut types = vec![
        Type::new("string", Some("STRLEN"), "bytes"),
        Type::new("list", Some("LLEN"), "items"),
        Type::new("set", Some("SCARD"), "members"),
        Type::new("hash", Some("HLEN"), "fields"),
        Type::new("zset", Some("ZCARD"), "members"),
        Type::new("stream", Some("XLEN"), "entries"),
    ];
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
                screen::print_line(&format!(
                    "{done} Biggest {:<6} found so far '{key}' with {bytes} {unit}",
                    kind.name
                ))?;
                kind.biggest = bytes;
                kind.biggest_key = Some(key);
            }
            if sampled.is_multiple_of(PROGRESS_EVERY) {
                screen::print_line(&format!("{done} Sampled {sampled} keys so far"))?;
            }
        }
        walk.rest(session);
    }
    let stopped = if walk.is_interrupted() { format!("{} ", percent(sampled, total)) } else { String::new() };
    screen::print_line("\n-------- Summary --------\n")?;
    screen::print_line(&format!("{stopped}Sampled {sampled} keys in the keyspace!"))?;
    screen::print_line(&format!(
        "Total key length in bytes is {name_bytes} (avg len {:.2})\n",
        average(name_bytes, sampled)
    ))?;
    for kind in &types {
        if let Some(key) = &kind.biggest_key {
            let unit = unit_of(kind, size);
            screen::print_line(&format!("Biggest {:>6} found '{key}' has {} {unit}", kind.name, kind.biggest))?;
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

fn unit_of(kind: &Type, size: KeySize) -> &'static str {
    if size == KeySize::Elements { kind.unit } else { "bytes" }
}

/// The index of each key's type; types of modules are added as they are met.
fn key_types(session: &mut Session, keys: &[Vec<u8>], types: &mut Vec<Type>) -> Result<Vec<Option<usize>>, Failure> {
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
fn key_sizes(
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
