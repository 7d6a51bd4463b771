//! `check-aof` on files of any bytes, mended or cut at a time as the first byte chooses: a verdict, a file that is at most
//! shorter than it was, and one that is good once it was mended.

#![no_main]

use check::{Console, check_aof};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;
use std::path::Path;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, file)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("appendonly.aof");
    std::fs::write(&path, file).unwrap();
    let words: &[&str] = match choice % 3 {
        0 => &[],
        1 => &["--fix"],
        _ => &["--truncate-to-timestamp", "1700000000"],
    };
    let code = run(&path, words);
    let after = std::fs::read(&path).unwrap();
    assert!(file.starts_with(&after));
    assert!(!words.is_empty() || after == file);
    if choice % 3 == 1 && code == 0 {
        assert_eq!(run(&path, &[]), 0);
    }
});

fn run(path: &Path, words: &[&str]) -> i32 {
    let words = words.iter().map(OsString::from);
    let args: Vec<OsString> = std::iter::once("check-aof".into()).chain(words).chain([path.into()]).collect();
    let (mut out, mut err) = (Vec::new(), Vec::new());
    check_aof(&mut Console { out: &mut out, err: &mut err, input: &mut &b"y\n"[..] }, &args, 1000)
}
