//! A client library that real programs use.

use e2e::{Output, Server, absent, python};
use std::process::Command;

#[test]
fn redis_py_works_all_day() {
    let Some(python) = python() else { return absent("no python3 has redis-py") };
    let server = Server::start(&[]);
    let mut command = Command::new(python);
    command.args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis_py.py"), &server.port().to_string()]);
    let output = Output::of(command);
    assert!(output.status.success(), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("is content"), "{}", output.stdout);
}
