//! The lines that the peers' program prints, for good logs and damaged ones.

use super::*;
use crate::console::tested;

fn command(line: &str) -> Vec<u8> {
    let mut out = Vec::new();
    resp::encode::command(&mut out, &line.split(' ').collect::<Vec<_>>());
    out
}

/// A folder with files, checked.
struct Log {
    folder: tempfile::TempDir,
}

impl Log {
    fn new(files: &[(&str, &[&[u8]])]) -> Self {
        let log = Self { folder: tempfile::tempdir().unwrap() };
        files.iter().for_each(|(name, parts)| std::fs::write(log.path(name), parts.concat()).unwrap());
        log
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn check(&self, words: &[&str], name: &str, input: &str) -> (i32, String) {
        let path = self.path(name).into_os_string();
        let args: Vec<OsString> = [&["check-aof"], words].concat().iter().map(OsString::from).chain([path]).collect();
        let (code, text) = tested(input, |console| run(console, &args, 0));
        (code, text.replace(&format!("{}/", self.folder.path().display()), ""))
    }

    fn len(&self, name: &str) -> u64 {
        std::fs::metadata(self.path(name)).unwrap().len()
    }
}

const MANIFEST: &[u8] = b"file a.1.base.aof seq 1 type b\nfile a.1.incr.aof seq 1 type i\n";

#[test]
fn logs_of_before() {
    let set = command("set foo hello!");
    let log = Log::new(&[
        ("a.aof", &[&set, &set]),
        ("looks-like.aof", &[&command("set file file")]),
        ("snapshot.aof", &[b"REDIS0011\xff\0\0\0\0\0\0\0\0", &set]),
        ("empty.aof", &[]),
    ]);
    let wanted = "Start checking Old-Style AOF\n\
        AOF analyzed: filename=a.aof, size=68, ok_up_to=68, ok_up_to_line=15, diff=0\n\
        AOF a.aof is valid\n";
    assert_eq!(log.check(&[], "a.aof", ""), (0, wanted.to_owned()));
    assert!(log.check(&[], "looks-like.aof", "").1.ends_with("AOF looks-like.aof is valid\n"));
    let (code, text) = log.check(&[], "snapshot.aof", "");
    assert!(code == 0 && text.contains("RDB preamble is OK, proceeding with AOF tail...\nAOF analyzed"), "{text}");
    assert!(text.contains("size=52, ok_up_to=52,"), "{text}");
    assert_eq!(log.check(&[], "empty.aof", "").1, "Start checking Old-Style AOF\nAOF empty.aof is empty\n");
    let (code, text) = log.check(&[], "missing.aof", "");
    assert!(code == 1 && text.starts_with("Cannot open file missing.aof: "), "{text}");
}

#[test]
fn logs_of_many_files() {
    let set = command("set foo hello!");
    let log = Log::new(&[
        ("m", &[MANIFEST]),
        ("a.1.base.aof", &[&set]),
        ("a.1.incr.aof", &[b"#TS:1\r\n", &set]),
        ("bad", &[MANIFEST, b"!!!\n"]),
    ]);
    let wanted = "Start checking Multi Part AOF\n\
        Start to check BASE AOF (RESP format).\n\
        AOF analyzed: filename=a.1.base.aof, size=34, ok_up_to=34, ok_up_to_line=8, diff=0\n\
        BASE AOF a.1.base.aof is valid\n\
        Start to check INCR files.\n\
        AOF analyzed: filename=a.1.incr.aof, size=41, ok_up_to=41, ok_up_to_line=8, diff=0\n\
        INCR AOF a.1.incr.aof is valid\n\
        All AOF files and manifest are valid\n";
    assert_eq!(log.check(&[], "m", ""), (0, wanted.to_owned()));
    let (code, text) = log.check(&[], "bad", "");
    assert!(code == 1 && text.contains(">>> '!!!'\nInvalid AOF manifest file format\n"), "{text}");
    std::fs::remove_file(log.path("a.1.incr.aof")).unwrap();
    let (code, text) = log.check(&[], "m", "");
    assert!(code == 1 && text.contains("Cannot open file a.1.incr.aof: "), "{text}");
}

#[test]
fn damage_is_told_and_cut_off() {
    let set = command("set foo hello!");
    for (tail, told) in [
        (&b"!!!"[..], "AOF a.aof format error\n"),
        (b"*2\r\n$3\r\nset\r\n$9\r\nfoo", "0x              33: Expected to read 11 bytes, got 3 bytes\n"),
        (b"*2\r\n$3\r\nset\r\n:1\r\n", "0x              2f: Expected prefix '$', got: ':'\n"),
        (b"*1\r\n$5\r\nmulti\r\n", "0x              31: Reached EOF before reading EXEC for MULTI\n"),
        (b"*1\r\n$4\r\nexec\r\n", "0x              22: Unexpected EXEC in AOF a.aof\n"),
        (b"*1\r\n$4", "0x              26: Expected \\r\\n, got: 0000\n"),
    ] {
        let log = Log::new(&[("a.aof", &[&set, tail])]);
        let (code, text) = log.check(&[], "a.aof", "");
        assert_eq!(code, 1);
        assert!(text.contains(told), "{text}");
        assert!(text.contains(&format!("size={}, ok_up_to=34, ", 34 + tail.len())), "{text}");
        assert!(text.ends_with("AOF a.aof is not valid. Use the --fix option to try fixing it.\n"), "{text}");
        let (code, text) = log.check(&["--fix"], "a.aof", "n\n");
        assert!(code == 1 && text.ends_with("Continue? [y/N]: Aborting...\n"), "{text}");
        assert_eq!(log.len("a.aof"), 34 + tail.len() as u64);
        let (code, text) = log.check(&["--fix"], "a.aof", "y\n");
        assert!(code == 0 && text.ends_with("Continue? [y/N]: Successfully truncated AOF a.aof\n"), "{text}");
        assert_eq!(log.len("a.aof"), 34);
    }
}

#[test]
fn the_line_of_damage_is_counted() {
    let log = Log::new(&[("a.aof", &[&command("set foo hello!"), b"!!!"])]);
    assert!(log.check(&[], "a.aof", "").1.contains("ok_up_to_line=8,"));
}

#[test]
fn only_the_last_file_is_cut() {
    let set = command("set foo hello!");
    let log =
        Log::new(&[("m", &[MANIFEST]), ("a.1.base.aof", &[&set, &command("multi"), &set]), ("a.1.incr.aof", &[&set])]);
    let (code, text) = log.check(&["--fix"], "m", "y\n");
    assert!(
        code == 1 && text.ends_with("Failed to truncate AOF a.1.base.aof because it is not the last file\n"),
        "{text}"
    );
    let log = Log::new(&[("m", &[MANIFEST]), ("a.1.base.aof", &[&set]), ("a.1.incr.aof", &[&set, b"*1"])]);
    assert_eq!(log.check(&["--fix"], "m", "y\n").0, 0);
    assert_eq!(log.len("a.1.incr.aof"), 34);
}

#[test]
fn what_is_later_is_cut_off() {
    let set = command("set foo hello!");
    let parts: [&[u8]; 6] = [b"#TS:10\r\n", &set, b"#TS:20\r\n", &set, b"#TS:30\r\n", &set];
    let log = Log::new(&[("a.aof", &parts), ("m", &[MANIFEST]), ("a.1.base.aof", &parts), ("a.1.incr.aof", &[&set])]);
    let until = |seconds| ["--truncate-to-timestamp", seconds];
    let (code, text) = log.check(&until("99"), "a.aof", "");
    assert!(code == 0 && text.contains("Truncate nothing in AOF a.aof to timestamp 99\n"), "{text}");
    let (code, text) = log.check(&until("9"), "a.aof", "");
    assert!(code == 1 && text.contains("has nothing before timestamp 9, aborting...\n"), "{text}");
    let (code, text) = log.check(&until("20"), "a.aof", "");
    assert!(code == 0 && text.contains("Successfully truncated AOF a.aof to timestamp 20\n"), "{text}");
    assert_eq!(log.len("a.aof"), 2 * (8 + 34));
    let (code, text) = log.check(&until("20"), "m", "");
    assert!(
        code == 1
            && text.contains(
                "Failed to truncate AOF a.1.base.aof to timestamp 20 to offset 84 because it is not the last file.\n"
            ),
        "{text}"
    );
    assert_eq!(log.check(&until("x"), "a.aof", ""), (1, "Invalid timestamp, aborting...\n".to_owned()));
}

#[test]
fn what_is_not_understood_is_refused() {
    let log = Log::new(&[]);
    let usage = "Usage: check-aof [--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>\n";
    assert_eq!(log.check(&["--nonsense"], "a", ""), (1, usage.to_owned()));
}
