//! `check-rdb`: reads a snapshot to its end and tells what it holds, or where it is damaged.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use client::os_text;
use rdb::decode::{Doing, Options};
use rdb::{Acceptance, Content, Damage, Decoder, Event, Header, Summed};

use crate::console::Console;
use crate::profile::Profiles;
use crate::table::{self, Format};

/// Bytes read at once.
const CHUNK: usize = 1 << 18;

/// What is asked of the program.
#[derive(Debug, Default)]
struct Request {
    stats: bool,
    format: Format,
    output: Option<PathBuf>,
}

/// What was counted.
#[derive(Debug, Default)]
struct Counts {
    keys: u64,
    expires: u64,
    expired: u64,
    functions: u64,
    scripts: u64,
    greatest_db: u64,
    profiles: Profiles,
}

/// A file that was looked at.
#[derive(Debug)]
pub struct Checked {
    /// Bytes of the snapshot.
    pub len: u64,
    /// What was read behind them.
    pub rest: Vec<u8>,
}

fn parse(args: &[OsString]) -> Option<(PathBuf, Request)> {
    let path = PathBuf::from(args.get(1)?);
    let mut request = Request::default();
    let mut words = args[2..].iter();
    while let Some(word) = words.next() {
        match word.to_str()? {
            "--stats" => request.stats = true,
            "--output" => request.output = Some(PathBuf::from(words.next()?)),
            "--format" => request.format = Format::named(words.next()?.to_str()?)?,
            _ => return None,
        }
    }
    Some((path, request))
}

/// The program, at a time in Unix milliseconds: `args` begins with the name it was called by. Answers the exit code.
pub fn run(console: &mut Console<'_>, args: &[OsString], now: i64) -> i32 {
    if crate::version(console, args, "check-rdb") {
        return 0;
    }
    let called = args.first().map(|arg| arg.to_string_lossy()).unwrap_or_default();
    let usage = format!("Usage: {called} <rdb-file-name> [--format table|info|csv] [--stats] [--output <file>]");
    if crate::asks_for_help(args) {
        console.line(format_args!("{usage}"));
        return 0;
    }
    let Some((path, request)) = parse(args) else {
        console.complain(format_args!("{usage}"));
        return 1;
    };
    let mut check = Check::new(console, request, now);
    check.info(0, format_args!("Checking RDB file {}", path.display()));
    match File::open(&path) {
        Ok(mut file) => i32::from(check.whole(&mut file).is_none()),
        Err(error) => {
            check.console.complain(format_args!("Cannot open file {}: {}", path.display(), os_text(&error)));
            check.info(0, format_args!("Check RDB returned error code 1 (0 means success)"));
            1
        }
    }
}

/// Checks the snapshot that a file begins with; `None` if it is damaged. All is told on the console.
pub fn preamble(console: &mut Console<'_>, path: &Path, file: &mut dyn Read, now: i64) -> Option<Checked> {
    let mut check = Check::new(console, Request::default(), now);
    check.info(0, format_args!("Checking RDB file {}", path.display()));
    check.whole(file)
}

/// A check under way.
struct Check<'c, 't> {
    console: &'c mut Console<'t>,
    request: Request,
    now: i64,
    counts: Counts,
    db: u64,
}

impl<'c, 't> Check<'c, 't> {
    fn new(console: &'c mut Console<'t>, request: Request, now: i64) -> Self {
        Self { console, request, now, counts: Counts::default(), db: 0 }
    }

    fn info(&mut self, offset: u64, text: fmt::Arguments<'_>) {
        self.console.line(format_args!("[offset {offset}] {text}"));
    }

    fn whole(&mut self, file: &mut dyn Read) -> Option<Checked> {
        let options = Options { acceptance: Acceptance::Relaxed, skip: true, ..Options::default() };
        let mut decoder = Decoder::new(options);
        let good = self.read(&mut decoder, file);
        let (offset, code) = (decoder.offset(), i32::from(!good));
        self.info(offset, format_args!("Check RDB returned error code {code} (0 means success)"));
        if !good {
            return None;
        }
        let unusual = decoder.header().is_some_and(|h| h.version.is_foreign() || h.version.is_future());
        if unusual {
            let text = "\\o/ RDB looks OK, but loading requires config 'rdb-version-check relaxed'";
            self.info(offset, format_args!("{text}"));
        } else {
            self.info(offset, format_args!("\\o/ RDB looks OK! \\o/"));
        }
        self.summary();
        Some(Checked { len: offset, rest: decoder.rest().to_vec() })
    }

    /// Reads to the end of the snapshot; false, and all is told, if it is damaged.
    fn read(&mut self, decoder: &mut Decoder, file: &mut dyn Read) -> bool {
        let mut chunk = vec![0; CHUNK];
        loop {
            let mut failure = None;
            let next = decoder.next().unwrap_or_else(|error| {
                failure = Some(error);
                None
            });
            let Some(event) = next else {
                if let Some(error) = failure {
                    let text = text_of(&error.damage, decoder.header());
                    self.damage(decoder, error.offset, &text);
                    return false;
                }
                if decoder.is_done() {
                    return true;
                }
                match file.read(&mut chunk) {
                    Ok(0) => decoder.finish(),
                    Ok(count) => decoder.feed(&chunk[..count]),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => {
                        self.damage(decoder, decoder.offset(), &format!("Cannot read the file: {}", os_text(&error)));
                        return false;
                    }
                }
                continue;
            };
            // What an event says is told with the offset behind it.
            if let Some(text) = self.event(event) {
                self.info(decoder.offset(), format_args!("{text}"));
            }
        }
    }

    /// Counts an event; answers the line that it is worth.
    fn event(&mut self, event: Event<'_>) -> Option<String> {
        match event {
            Event::Header(header) if header.version.is_future() => {
                return Some(format!("Future RDB version {} detected", header.version.0));
            }
            Event::Header(header) if header.version.is_foreign() => {
                return Some(format!("Foreign RDB version {} detected", header.version.0));
            }
            Event::Aux { name, value } => {
                self.counts.scripts += u64::from(name.eq_ignore_ascii_case(b"lua"));
                return Some(format!("AUX FIELD {} = '{}'", shown(name), shown(value)));
            }
            Event::SelectDb(db) => {
                self.db = db;
                self.counts.greatest_db = self.counts.greatest_db.max(db);
                return Some(format!("Selecting DB ID {db}"));
            }
            Event::ModuleAux { module } => return Some(format!("MODULE AUX for: {module}")),
            Event::Function(_) => self.counts.functions += 1,
            Event::Key(record) => {
                self.counts.keys += 1;
                self.counts.expires += u64::from(record.expire.is_some());
                self.counts.expired += u64::from(record.expire.is_some_and(|at| at < self.now));
                if self.request.stats && !matches!(record.content, Content::Empty) {
                    self.counts.profiles.add(self.db, &record, self.now);
                }
            }
            Event::Eof(Summed::Good) => return Some("Checksum OK".to_owned()),
            Event::Eof(Summed::Absent) => {
                return Some("RDB file was saved with checksum disabled: no check performed.".to_owned());
            }
            _ => {}
        }
        None
    }

    /// Tells what is damaged, and where.
    fn damage(&mut self, decoder: &Decoder, offset: u64, text: &str) {
        self.console.line(format_args!("--- RDB ERROR DETECTED ---"));
        self.info(offset, format_args!("{text}"));
        self.console.line(format_args!("[additional info] While doing: {}", decoder.doing().name()));
        if let Some(key) = decoder.key() {
            self.console.line(format_args!("[additional info] Reading key '{}'", shown(key)));
        }
        if let Some(kind) = decoder.kind().filter(|_| decoder.doing() != Doing::ReadType) {
            self.console.line(format_args!("[additional info] Reading type {} ({})", kind.0, kind.name()));
        }
        self.summary();
    }

    fn summary(&mut self) {
        let Counts { keys, expires, expired, functions, scripts, .. } = self.counts;
        self.console.line(format_args!("[info] {keys} keys read"));
        self.console.line(format_args!("[info] {expires} expires"));
        self.console.line(format_args!("[info] {expired} already expired"));
        self.console.line(format_args!("[info] {functions} functions"));
        if scripts > 0 {
            self.console.line(format_args!("[info] {scripts} lua scripts read"));
        }
        if self.request.stats {
            self.table();
        }
    }

    fn table(&mut self) {
        let (format, counts) = (self.request.format, &self.counts);
        let result = match &self.request.output {
            None => table::print(self.console.out, format, &counts.profiles, counts.greatest_db),
            Some(path) => File::create(path)
                .map(io::BufWriter::new)
                .and_then(|mut file| {
                    table::print(&mut file, format, &counts.profiles, counts.greatest_db)?;
                    file.flush()
                })
                .inspect_err(|error| {
                    let text = os_text(error);
                    self.console.complain(format_args!("Cannot open output file: '{}': {text}", path.display()));
                }),
        };
        // What cannot be printed has been complained about, or its reader has gone away.
        let _ = result;
    }
}

/// Bytes of a file as text on a terminal.
fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn text_of(damage: &Damage, header: Option<Header>) -> String {
    match (*damage).clone() {
        Damage::Type(byte) | Damage::Foreign(byte) => match header.map(|header| header.version) {
            Some(version) if version.is_foreign() => {
                format!("Unknown object type {byte} in RDB file with foreign version {}", version.0)
            }
            Some(version) if version.is_future() => {
                format!("Unknown object type {byte} in RDB file with future version {}", version.0)
            }
            _ => format!("Invalid object type: {byte}"),
        },
        Damage::Checksum { .. } => "RDB CRC error".to_owned(),
        damage => damage.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use rdb::{Checksum, Form, Meta};
    use structures::entry::Entry;

    use super::*;
    use crate::console::tested;

    fn file(version: &[u8], body: &[u8]) -> Vec<u8> {
        let mut bytes = [version, body, b"\xff"].concat();
        let mut sum = Checksum::new(true);
        sum.update(&bytes);
        bytes.extend(sum.finish());
        bytes
    }

    fn check(bytes: &[u8], words: &[&str]) -> (i32, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dump.rdb");
        std::fs::write(&path, bytes).unwrap();
        let args: Vec<OsString> = [OsString::from("redis-check-rdb"), path.clone().into_os_string()]
            .into_iter()
            .chain(words.iter().map(OsString::from))
            .collect();
        let (code, text) = tested("", |console| run(console, &args, 1_000));
        (code, text.replace(&*path.to_string_lossy(), "FILE"))
    }

    fn keys() -> Vec<u8> {
        let mut out = Vec::new();
        let form = Form::COMMON;
        form.aux(&mut out, b"redis-ver", b"7.2.4");
        form.function(&mut out, b"#!lua name=f");
        Form::select_db(&mut out, 1);
        for (key, expire) in [("a", None), ("b", Some(999)), ("c", Some(1_001))] {
            let entry = Entry::new_bytes(key.as_bytes(), b"value", false, None);
            form.record(&mut out, key.as_bytes(), &Meta { expire, ..Meta::default() }, entry.payload()).unwrap();
        }
        out
    }

    #[test]
    fn a_good_file_is_told_line_by_line() {
        let bytes = file(b"REDIS0011", &keys());
        let wanted = "[offset 0] Checking RDB file FILE\n\
            [offset 26] AUX FIELD redis-ver = '7.2.4'\n\
            [offset 42] Selecting DB ID 1\n\
            [offset 96] Checksum OK\n\
            [offset 96] Check RDB returned error code 0 (0 means success)\n\
            [offset 96] \\o/ RDB looks OK! \\o/\n\
            [info] 3 keys read\n\
            [info] 2 expires\n\
            [info] 1 already expired\n\
            [info] 1 functions\n";
        assert_eq!(check(&bytes, &[]), (0, wanted.to_owned()));
    }

    #[test]
    fn versions_of_others_are_noted() {
        for (header, noted) in [(b"REDIS0012", "Foreign RDB version 12"), (b"VALKEY987", "Future RDB version 987")] {
            let (code, text) = check(&file(header, &keys()), &[]);
            assert_eq!(code, 0);
            assert!(text.contains(&format!("[offset 9] {noted} detected\n")), "{text}");
            assert!(
                text.contains("[offset 96] \\o/ RDB looks OK, but loading requires config 'rdb-version-check relaxed'")
            );
        }
    }

    #[test]
    fn damage_is_told_with_its_place() {
        for (header, body, text) in [
            (
                b"REDIS0075",
                &b"\xfe\x00\x96\x01k"[..],
                "[offset 11] Unknown object type 150 in RDB file with foreign version 75",
            ),
            (
                b"VALKEY987",
                b"\xfe\x00\x96\x01k",
                "[offset 11] Unknown object type 150 in RDB file with future version 987",
            ),
            (b"REDIS0011", b"\xfe\x00\x96\x01k", "[offset 11] Invalid object type: 150"),
            (b"VALKEY080", b"\xf3\x01A\x01\x00\x00", "[offset 10] Invalid slot import job name length in RDB"),
            (b"REDIS0011", b"\x00\x01k\xc9", "[offset 12] Unknown RDB string encoding type 9"),
        ] {
            let (code, told) = check(&file(header, body), &[]);
            assert_eq!(code, 1);
            assert!(told.contains(&format!("--- RDB ERROR DETECTED ---\n{text}\n")), "{told}");
            assert!(!told.contains("looks OK"));
        }
        let mut bytes = file(b"REDIS0011", &keys());
        let value = bytes.windows(5).position(|window| window == b"value").unwrap();
        bytes[value] ^= 1;
        assert!(check(&bytes, &[]).1.contains("RDB CRC error"));
        let (code, told) = check(&file(b"REDIS0011", b"\x10\x03key\x05hello"), &[]);
        let wanted = "[offset 14] Hash listpack integrity check failed. Type 16 (hash-listpack)\n\
            [additional info] While doing: read-object-value\n\
            [additional info] Reading key 'key'\n\
            [additional info] Reading type 16 (hash-listpack)\n";
        assert!(code == 1 && told.contains(wanted), "{told}");
        let cut = file(b"REDIS0011", &keys());
        let (code, told) = check(&cut[..50], &[]);
        assert!(code == 1 && told.contains("[offset 50] Unexpected EOF reading RDB file"), "{told}");
    }

    #[test]
    fn statistics_have_three_formats() {
        let bytes = file(b"REDIS0011", &keys());
        let (_, info) = check(&bytes, &["--stats", "--format", "info"]);
        assert!(info.contains("[info] db.0.type.string.keys.total:0\n"));
        assert!(info.contains("[info] db.1.type.string.keys.total:3\n[info] db.1.type.list.keys.total:0\n"), "{info}");
        let (_, csv) = check(&bytes, &["--format", "csv", "--stats"]);
        assert!(csv.contains("db.1.type.name,string,list,set,zset,hash,module,stream\n"));
        assert!(csv.contains("db.1.elements.size.avg,5.00,0.00,0.00,0.00,0.00,0.00,0.00\n"), "{csv}");
        let (_, table) = check(&bytes, &["--stats"]);
        assert!(table.contains("db.1.keys.total               \t3    \t0    \t0    \t0    \t0    \t0    \t0    \n"));
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        assert_eq!(check(b"", &["--nonsense"]), (1, String::new()));
        assert_eq!(check(b"", &["--format", "xml"]), (1, String::new()));
    }
}
