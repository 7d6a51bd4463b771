//! `check-aof`: reads the files of an append-only log to their ends, and cuts the last one back if asked.
//!
//! ```text
//!   the file named          is taken for
//!   "file …" lines          a manifest: its base and its increments are checked in order
//!   REDIS0…, VALKEY…        a log of before Redis 7 that begins with a snapshot
//!   anything else           a log of before Redis 7
//! ```

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use aof::scan::Fault;
use aof::{Annotation, Item, Lack, Manifest, Scanner};
use client::os_text;

use crate::console::Console;
use crate::snapshot;

/// Bytes read at once.
const CHUNK: usize = 1 << 18;

/// What may be changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Look,
    /// What is damaged at the end may be cut off, if the user says so.
    Fix,
    /// What is later than this is cut off.
    Until(i64),
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Good,
    Empty,
    Cut,
    CutAtTime(i64),
}

/// The check ends here with exit code 1; why was told.
struct Aborted;

/// The program, at a time in Unix milliseconds: `args` begins with the name it was called by. Answers the exit code.
pub fn run(console: &mut Console<'_>, args: &[OsString], now: i64) -> i32 {
    if crate::version(console, args, "check-aof") {
        return 0;
    }
    if crate::asks_for_help(args) {
        return usage(console, args, 0);
    }
    let words: Vec<&str> = args.iter().skip(1).map(|arg| arg.to_str().unwrap_or_default()).collect();
    let (mode, path) = match (words.as_slice(), args) {
        ([_], [_, path]) => (Mode::Look, path),
        (["--fix", _], [.., path]) => (Mode::Fix, path),
        (["--truncate-to-timestamp", seconds, _], [.., path]) => match seconds.parse() {
            Ok(seconds) => (Mode::Until(seconds), path),
            Err(_) => {
                console.line(format_args!("Invalid timestamp, aborting..."));
                return 1;
            }
        },
        _ => return usage(console, args, 1),
    };
    let mut check = Check { console, mode, now };
    i32::from(check.path(Path::new(path)).is_err())
}

fn usage(console: &mut Console<'_>, args: &[OsString], code: i32) -> i32 {
    let called = args.first().map(|arg| arg.to_string_lossy()).unwrap_or_default();
    let usage = "[--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>";
    console.line(format_args!("Usage: {called} {usage}"));
    code
}

struct Check<'c, 't> {
    console: &'c mut Console<'t>,
    mode: Mode,
    now: i64,
}

impl Check<'_, '_> {
    fn abort<T>(&mut self, text: &str) -> Result<T, Aborted> {
        self.console.line(format_args!("{text}"));
        Err(Aborted)
    }

    /// The first bytes of a file, up to a chunk.
    fn beginning(&mut self, path: &Path) -> Result<Vec<u8>, Aborted> {
        let mut bytes = Vec::new();
        match File::open(path).and_then(|file| file.take(CHUNK as u64).read_to_end(&mut bytes)) {
            Ok(_) => Ok(bytes),
            Err(error) => self.abort(&format!("Cannot open file {}: {}", path.display(), os_text(&error))),
        }
    }

    fn path(&mut self, path: &Path) -> Result<(), Aborted> {
        let beginning = self.beginning(path)?;
        if is_manifest(&beginning) {
            return self.manifest(path);
        }
        self.console.line(format_args!("Start checking Old-Style AOF"));
        let name = path.display().to_string();
        let outcome = self.file(&name, path, true, aof::begins_with_snapshot(&beginning))?;
        self.tell(outcome, &name, "AOF");
        Ok(())
    }

    fn manifest(&mut self, path: &Path) -> Result<(), Aborted> {
        self.console.line(format_args!("Start checking Multi Part AOF"));
        let text = match std::fs::read(path) {
            Ok(text) => text,
            Err(error) => return self.abort(&format!("Cannot open file {}: {}", path.display(), os_text(&error))),
        };
        let manifest = match Manifest::parse(&text) {
            Ok(manifest) => manifest,
            Err(error) => {
                return self.abort(&format!("\n*** FATAL AOF MANIFEST FILE ERROR ***\n\n{error}"));
            }
        };
        let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let place = |name: &[u8]| -> (String, PathBuf) {
            let name = OsString::from_vec(name.to_vec());
            (String::from_utf8_lossy(name.as_bytes()).into_owned(), folder.join(name))
        };
        let increments = manifest.increments();
        if let Some(base) = manifest.base() {
            let (name, path) = place(&base.name);
            let snapshot = aof::begins_with_snapshot(&self.beginning(&path)?);
            let format = if snapshot { "RDB" } else { "RESP" };
            self.console.line(format_args!("Start to check BASE AOF ({format} format)."));
            let outcome = self.file(&name, &path, increments.is_empty(), snapshot)?;
            self.tell(outcome, &name, "BASE AOF");
        }
        if !increments.is_empty() {
            self.console.line(format_args!("Start to check INCR files."));
        }
        for (index, increment) in increments.iter().enumerate() {
            let (name, path) = place(&increment.name);
            let outcome = self.file(&name, &path, index + 1 == increments.len(), false)?;
            self.tell(outcome, &name, "INCR AOF");
        }
        self.console.line(format_args!("All AOF files and manifest are valid"));
        Ok(())
    }

    fn tell(&mut self, outcome: Outcome, name: &str, what: &str) {
        match outcome {
            Outcome::Good => self.console.line(format_args!("{what} {name} is valid")),
            Outcome::Empty => self.console.line(format_args!("{what} {name} is empty")),
            Outcome::Cut => self.console.line(format_args!("Successfully truncated AOF {name}")),
            Outcome::CutAtTime(seconds) => {
                self.console.line(format_args!("Successfully truncated AOF {name} to timestamp {seconds}"));
            }
        }
    }

    /// Checks one file. `last` is whether it may be cut.
    fn file(&mut self, name: &str, path: &Path, last: bool, snapshot: bool) -> Result<Outcome, Aborted> {
        let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (size, mut file) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                return self.abort(&format!("Cannot open file {}: {}, aborting...", path.display(), os_text(&error)));
            }
        };
        if size == 0 {
            return Ok(Outcome::Empty);
        }
        let mut scanner = Scanner::new(0);
        if snapshot {
            let Some(checked) = snapshot::preamble(self.console, path, &mut file, self.now) else {
                return self.abort("RDB preamble of AOF file is not sane, aborting.");
            };
            self.console.line(format_args!("RDB preamble is OK, proceeding with AOF tail..."));
            scanner = Scanner::new(checked.len);
            scanner.feed(&checked.rest);
        }
        let found = self.scan(&mut scanner, &mut file, path, name, last)?;
        if let Scan::Late { offset, seconds } = found {
            return self.cut(path, name, offset).map(|()| Outcome::CutAtTime(seconds));
        }
        let good = scanner.good_up_to();
        let diff = size.saturating_sub(good);
        if let (0, Mode::Until(seconds)) = (diff, self.mode) {
            self.console.line(format_args!("Truncate nothing in AOF {name} to timestamp {seconds}"));
            return Ok(Outcome::Good);
        }
        self.console.line(format_args!(
            "AOF analyzed: filename={name}, size={size}, ok_up_to={good}, ok_up_to_line={}, diff={diff}",
            scanner.lines() + 1
        ));
        if diff == 0 {
            return Ok(Outcome::Good);
        }
        if self.mode != Mode::Fix {
            return self.abort(&format!("AOF {name} is not valid. Use the --fix option to try fixing it."));
        }
        if !last {
            return self.abort(&format!("Failed to truncate AOF {name} because it is not the last file"));
        }
        let shrink = format!("This will shrink the AOF {name} from {size} bytes, with {diff} bytes, to {good} bytes");
        if !self.console.confirms(&format!("{shrink}\nContinue?")) {
            return self.abort("Aborting...");
        }
        self.cut(path, name, good).map(|()| Outcome::Cut)
    }

    fn cut(&mut self, path: &Path, name: &str, len: u64) -> Result<(), Aborted> {
        match OpenOptions::new().write(true).open(path).and_then(|file| {
            file.set_len(len)?;
            file.sync_all()
        }) {
            Ok(()) => Ok(()),
            Err(error) => self.abort(&format!("Failed to truncate AOF {name}: {}", os_text(&error))),
        }
    }

    /// Reads to the end of the file, to damage, or to where the file is to be cut. Damage is told.
    fn scan(
        &mut self,
        scanner: &mut Scanner,
        file: &mut File,
        path: &Path,
        name: &str,
        last: bool,
    ) -> Result<Scan, Aborted> {
        let mut chunk = vec![0; CHUNK];
        loop {
            let (start, unit) = (scanner.offset(), scanner.good_up_to());
            match scanner.next() {
                Ok(Some(Item::Annotation(annotation))) => {
                    if self.is_late(&annotation)? {
                        // An annotation inside a unit cuts before the unit.
                        return self.late(start.min(unit), path, last);
                    }
                    continue;
                }
                Ok(Some(Item::Command(..))) => continue,
                Ok(None) => {}
                Err(error) => {
                    let text = match error.fault {
                        Fault::Beginning(_) => format!("AOF {name} format error"),
                        Fault::Multi | Fault::Exec => {
                            format!("0x{:>16x}: {} in AOF {}", error.offset, error.fault, path.display())
                        }
                        fault => format!("0x{:>16x}: {fault}", error.offset),
                    };
                    self.console.line(format_args!("{text}"));
                    return Ok(Scan::Done);
                }
            }
            match file.read(&mut chunk) {
                Ok(0) => {
                    self.end(scanner);
                    return Ok(Scan::Done);
                }
                Ok(count) => scanner.feed(&chunk[..count]),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    return self.abort(&format!("Failed to read from AOF {name}: {}, aborting...", os_text(&error)));
                }
            }
        }
    }

    /// Tells what the end of the file lacks.
    fn end(&mut self, scanner: &Scanner) {
        let aof::Tail::CutOff { in_multi, .. } = scanner.tail() else { return };
        match scanner.lack() {
            Lack::LineEnd { offset } => {
                self.console.line(format_args!("0x{offset:>16x}: Expected \\r\\n, got: 0000"));
            }
            Lack::Bytes { offset, expected, got } => {
                self.console.line(format_args!("0x{offset:>16x}: Expected to read {expected} bytes, got {got} bytes"));
            }
            Lack::Nothing if in_multi => {
                let offset = scanner.offset();
                self.console.line(format_args!("0x{offset:>16x}: Reached EOF before reading EXEC for MULTI"));
            }
            Lack::Nothing => {}
        }
    }

    /// Whether what follows an annotation is later than what is wanted.
    fn is_late(&mut self, annotation: &Annotation<'_>) -> Result<bool, Aborted> {
        let Mode::Until(wanted) = self.mode else { return Ok(false) };
        match annotation {
            Annotation::Timestamp(seconds) => Ok(*seconds > wanted),
            Annotation::Other(text) if text.starts_with(b"TS:") => self.abort("Invalid timestamp annotation"),
            _ => Ok(false),
        }
    }

    /// The file is to be cut at `offset`, if it may be.
    fn late(&mut self, offset: u64, path: &Path, last: bool) -> Result<Scan, Aborted> {
        let Mode::Until(seconds) = self.mode else { return Ok(Scan::Done) };
        let path = path.display();
        if offset == 0 {
            return self.abort(&format!("AOF {path} has nothing before timestamp {seconds}, aborting..."));
        }
        if !last {
            return self.abort(&format!(
                "Failed to truncate AOF {path} to timestamp {seconds} to offset {offset} because it is not the last \
                 file.\nIf you insist, please delete all files after this file according to the manifest file and \
                 delete the corresponding records in manifest file manually. Then re-run valkey-check-aof."
            ));
        }
        Ok(Scan::Late { offset, seconds })
    }
}

/// How reading a file ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    /// At its end, or at damage.
    Done,
    /// What is behind this offset is later than wanted.
    Late { offset: u64, seconds: i64 },
}

/// Whether a file is a manifest, by its first lines that are no comments.
fn is_manifest(beginning: &[u8]) -> bool {
    let mut lines = beginning.split(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"#"));
    lines.next().is_some_and(|line| line.starts_with(b"file"))
}

#[cfg(test)]
mod tests;
