//! `check-rdb` on files of any bytes, with statistics of a format that the first byte chooses: a verdict, and a file that is
//! as it was.

#![no_main]

use check::{Console, check_rdb};
use libfuzzer_sys::fuzz_target;
use std::ffi::OsString;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, file)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dump.rdb");
    std::fs::write(&path, file).unwrap();
    let mut args: Vec<OsString> = vec!["check-rdb".into(), path.clone().into()];
    if choice & 1 != 0 {
        let format = ["table", "info", "csv"][usize::from(choice >> 1) % 3];
        args.extend(["--stats", "--format", format].map(OsString::from));
    }
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = check_rdb(&mut Console { out: &mut out, err: &mut err, input: &mut &b""[..] }, &args, 1000);
    let says = |what: &[u8]| out.windows(what.len()).any(|window| window == what);
    assert_eq!(says(b"--- RDB ERROR DETECTED ---"), code == 1);
    assert_eq!(std::fs::read(&path).unwrap(), file);
});
