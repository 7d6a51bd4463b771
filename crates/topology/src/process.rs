//! Starting, recognising and stopping the process of a node.

use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use client::os_text;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::facts;
use crate::node::{Files, Node, Program};
use crate::{INTERVAL, PATIENCE};

/// Lines of a log that are shown when a node fails.
pub const LAST_WORDS: usize = 5;

/// Whether a node's port is free. The error is a line for people.
pub fn check_port(node: &Node) -> Result<(), String> {
    let bound = TcpListener::bind(("127.0.0.1", node.port));
    bound.map(|_| ()).map_err(|error| {
        format!(
            "port {} of {} cannot be used: {}; choose others with --base-port",
            node.port,
            node.name,
            os_text(&error)
        )
    })
}

/// Starts a node in the background, in a session of its own. The error is a line for people.
pub fn start(node: &Node, files: &Files) -> Result<(), String> {
    check_port(node)?;
    let failed = |error: std::io::Error| format!("{} cannot be started: {}", node.name, os_text(&error));
    let program = std::env::current_exe().map_err(failed)?;
    // `daemonize yes` lets the process that we start end at once with the server left behind.
    let output = Command::new(program)
        .arg0("rubellite")
        .args([program_of(node).as_ref(), files.config.as_os_str()])
        .current_dir(&files.folder)
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stderr, output.stdout].concat();
    Err(format!("{} does not start:\n{}", node.name, String::from_utf8_lossy(&said).trim_end()))
}

fn program_of(node: &Node) -> &'static str {
    match node.program {
        Program::Server => "server",
        Program::Sentinel => "sentinel",
    }
}

/// The process of a node that runs; `None` if none does. The error says that one runs that cannot be recognised.
pub fn running(node: &Node, files: &Files) -> Result<Option<i32>, String> {
    let Some(process_id) = files.process_id() else { return Ok(None) };
    if !is_alive(process_id) {
        return Ok(None);
    }
    let facts = facts::ask(node, files);
    if let Some(facts) = facts
        && facts.process_id == process_id
        && facts.config_file == files.config.as_os_str().as_bytes()
    {
        return Ok(Some(process_id));
    }
    match works_in(process_id, &files.folder) {
        // It is ours and does not answer: it starts, or it hangs.
        Some(true) => Ok(Some(process_id)),
        // Its file was left behind, and its number belongs to someone else now.
        Some(false) => Ok(None),
        None => Err(format!(
            "process {process_id} of {} does not answer on port {}, so it is not known to be ours; stop it by hand or \
             remove {}",
            node.name,
            node.port,
            files.pid.display()
        )),
    }
}

/// Asks a process to stop and waits for its end. The error is a line for people.
pub fn stop(node: &Node, process_id: i32) -> Result<(), String> {
    let Some(pid) = Pid::from_raw(process_id) else { return Ok(()) };
    if let Err(error) = kill_process(pid, Signal::TERM) {
        return if is_alive(process_id) { Err(format!("{} cannot be stopped: {error}", node.name)) } else { Ok(()) };
    }
    let deadline = Instant::now() + PATIENCE;
    while is_alive(process_id) {
        if Instant::now() > deadline {
            return Err(format!("{} (process {process_id}) was told to stop and still runs", node.name));
        }
        std::thread::sleep(INTERVAL);
    }
    Ok(())
}

/// Whether a process runs. One that has ended and that nobody has buried yet does not.
pub fn is_alive(process_id: i32) -> bool {
    let Some(pid) = Pid::from_raw(process_id) else { return false };
    // A process that may not be signalled exists as well.
    let exists = !matches!(test_kill_process(pid), Err(rustix::io::Errno::SRCH));
    exists && !is_zombie(process_id)
}

#[cfg(target_os = "linux")]
fn is_zombie(process_id: i32) -> bool {
    let stat = std::fs::read(format!("/proc/{process_id}/stat")).unwrap_or_default();
    // The state follows the name, which stands in parentheses and may contain anything.
    let state = stat.iter().rposition(|byte| *byte == b')').and_then(|at| stat.get(at + 2));
    state == Some(&b'Z')
}

#[cfg(not(target_os = "linux"))]
fn is_zombie(_: i32) -> bool {
    false
}

/// Whether a process works in a folder; `None` where that cannot be seen.
fn works_in(process_id: i32, folder: &Path) -> Option<bool> {
    let there = std::fs::read_link(format!("/proc/{process_id}/cwd")).ok()?;
    Some(there == folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_has_ended_is_not_alive() {
        let mut child = Command::new("true").spawn().unwrap();
        let process_id = child.id() as i32;
        let start = Instant::now();
        // Nobody has waited for it, so at first it is only dead, not gone.
        while is_alive(process_id) {
            assert!(start.elapsed() < PATIENCE);
            std::thread::sleep(INTERVAL);
        }
        child.wait().unwrap();
        assert!(!is_alive(process_id));
        assert!(is_alive(std::process::id() as i32));
    }

    #[test]
    fn a_pid_file_that_was_left_behind_names_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::new("n", 1);
        let files = node.files(dir.path());
        node.configure(&files).unwrap();
        assert!(matches!(running(&node, &files), Ok(None)));
        // A process that runs and is not this node.
        std::fs::write(&files.pid, std::process::id().to_string()).unwrap();
        if cfg!(target_os = "linux") {
            assert!(matches!(running(&node, &files), Ok(None)));
        } else {
            assert!(running(&node, &files).is_err());
        }
    }
}
