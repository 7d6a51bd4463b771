//! The lines that scripts look at are those of the real programs.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use e2e::{Program, absent};

/// Exit code and lines of a program, those that logs interleave left out.
fn run(mut command: Command, file: &Path) -> (Option<i32>, Vec<String>) {
    let output = command.arg(file).output().expect("the program runs");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), text.lines().map(str::to_owned).collect())
}

/// Our program as a process of its own: this test, called again.
fn ours(tool: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "as_the_program", "--nocapture", "--quiet"]).env("RUBELLITE_CHECK", tool);
    command
}

/// Not a test, but the program when it is called as one.
#[test]
fn as_the_program() {
    let Some(tool) = std::env::var_os("RUBELLITE_CHECK") else { return };
    let args: Vec<OsString> = [OsString::from("check"), std::env::args_os().last().unwrap()].into();
    let code = if tool == "aof" { check::aof_main(&args) } else { check::rdb_main(&args) };
    std::process::exit(code);
}

/// The lines that begin with one of these.
fn lines(all: &[String], beginnings: &[&str]) -> Vec<String> {
    all.iter().filter(|line| beginnings.iter().any(|b| line.starts_with(b))).cloned().collect()
}

#[test]
fn logs_are_judged_alike() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-check-aof");
    };
    let folder = tempfile::tempdir().unwrap();
    let set = b"*3\r\n$3\r\nset\r\n$3\r\nfoo\r\n$5\r\nhello\r\n";
    for (index, tail) in [
        &b""[..],
        b"!!!",
        b"#TS:5\r\n",
        b"#TS:5\r\n!",
        b"*2\r\n$3\r\nset\r\n$9\r\nfoo",
        b"*2\r\n$3\r\nset\r\n:1\r\n",
        b"*2\r\n$3\r\nsetxx:1\r\n",
        b"*1\r\n$5\r\nmulti\r\n",
        b"*1\r\n$5\r\nmulti\r\n#x\r\n*1\r\n$4\r\nexec\r\n",
        b"*1\r\n$5\r\nmulti\r\n*1\r\n$5\r\nMULTI\r\n",
        b"*1\r\n$4",
    ]
    .into_iter()
    .enumerate()
    {
        let path = folder.path().join(format!("{index}.aof"));
        std::fs::write(&path, [&set[..], tail].concat()).unwrap();
        let (theirs, our) = (run(valkey.tool("check-aof"), &path), run(ours("aof"), &path));
        assert_eq!(our.0, theirs.0, "{}", tail.escape_ascii());
        let judged = ["Start", "AOF"];
        assert_eq!(lines(&our.1, &judged), lines(&theirs.1, &judged), "{}", tail.escape_ascii());
    }
}

#[test]
fn snapshots_are_judged_alike() {
    let Some(valkey) = Program::valkey() else {
        return absent("RUBELLITE_PEERS names no folder with bin/valkey-check-rdb");
    };
    let peers = std::env::var_os("RUBELLITE_PEERS").unwrap_or_default();
    let assets = Path::new(&peers).join("suite/tests/assets");
    let Ok(files) = std::fs::read_dir(assets) else { return absent("RUBELLITE_PEERS holds no snapshots") };
    let mut seen = 0;
    for file in files {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "rdb") {
            continue;
        }
        let (theirs, our) = (run(valkey.tool("check-rdb"), &path), run(ours("rdb"), &path));
        // Keys without elements are damage for their program, although their server passes over them, as ours does.
        if path.ends_with("corrupt_empty_keys.rdb") {
            assert_eq!((theirs.0, our.0), (Some(1), Some(0)));
            continue;
        }
        assert_eq!(our.0, theirs.0, "{}", path.display());
        let offsets = |all: &[String]| lines(all, &["[info]", "[offset"]);
        if our.0 == Some(0) {
            assert_eq!(offsets(&our.1), offsets(&theirs.1), "{}", path.display());
        }
        seen += 1;
    }
    assert!(seen > 5);
}
