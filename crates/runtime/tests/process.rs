//! Reports of crashes, the ends by signal, and the way to the background, seen from outside.
//!
//! Each test starts this program again with `ROLE` set; the test of that name then plays the part and dies.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus};

use runtime::log::{self, Settings};
use runtime::{crash, signals};

fn is_child(role: &str) -> bool {
    std::env::var("ROLE").is_ok_and(|r| r == role)
}

/// Plays `role` in a process of its own; returns its status and its log.
fn play(role: &str) -> (ExitStatus, String) {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("log");
    let output = Command::new(std::env::current_exe().unwrap())
        .args([role, "--exact", "--nocapture"])
        .env("ROLE", role)
        .env("LOG", &log)
        .output()
        .unwrap();
    (output.status, std::fs::read_to_string(log).unwrap_or_default())
}

fn prepare() {
    log::set(Settings { file: std::env::var_os("LOG").map(Into::into), ..Settings::default() });
    crash::install(
        "1.2.3",
        Box::new(|out| {
            let _ = out.write_str("the server's own part");
        }),
    )
    .unwrap();
}

fn assert_in_order(log: &str, parts: &[&str]) {
    let mut rest = log;
    for part in parts {
        let Some(at) = rest.find(part) else { panic!("{part:?} is missing, or in the wrong place, in:\n{log}") };
        rest = &rest[at + part.len()..];
    }
}

#[test]
fn segfault() {
    if is_child("segfault") {
        prepare();
        crash::segfault();
    }
    let (status, log) = play("segfault");
    assert_eq!(status.signal(), Some(libc::SIGSEGV), "{log}");
    assert_in_order(
        &log,
        &[
            "BUG REPORT START: Cut & paste starting from here ===",
            "Rubellite 1.2.3 crashed by signal: 11, si_code: 2",
            "Accessing address: 0x",
            "------ STACK TRACE ------",
            "segfault",
            "------ STACK TRACE DONE ------",
            "the server's own part",
            "BUG REPORT END. Make sure to include from START to END. ===",
        ],
    );
}

#[test]
fn overflow() {
    if is_child("overflow") {
        prepare();
        fn deeper(n: u64) -> u64 {
            let block = std::hint::black_box([n; 512]);
            if n == u64::MAX { 0 } else { deeper(n + 1) + block[7] }
        }
        std::process::exit(deeper(std::hint::black_box(0)) as i32);
    }
    let (status, log) = play("overflow");
    assert_eq!(status.signal(), Some(libc::SIGSEGV), "{log}");
    assert_in_order(&log, &["BUG REPORT START", "crashed by signal: 11", "BUG REPORT END"]);
}

#[test]
fn abort_from_outside() {
    if is_child("abort_from_outside") {
        prepare();
        // SAFETY: a signal to ourselves, handled by this thread.
        unsafe { libc::raise(libc::SIGABRT) };
    }
    let (status, log) = play("abort_from_outside");
    assert_eq!(status.signal(), Some(libc::SIGABRT), "{log}");
    assert_in_order(&log, &["crashed by signal: 6", "Killed by PID: ", "STACK TRACE"]);
}

#[test]
fn assertion() {
    if is_child("assertion") {
        prepare();
        crash::exit_on_panic(true);
        panic!("two is not three");
    }
    let (status, log) = play("assertion");
    assert_eq!(status.code(), Some(1), "{log}");
    assert_in_order(
        &log,
        &[
            "BUG REPORT START",
            "ASSERTION FAILED",
            "process.rs:",
            "'two is not three'",
            "STACK TRACE",
            "own part",
            "REPORT END",
        ],
    );
}

#[test]
fn crash_in_the_report() {
    if is_child("crash_in_the_report") {
        log::set(Settings { file: std::env::var_os("LOG").map(Into::into), ..Settings::default() });
        crash::install("1.2.3", Box::new(|_| crash::segfault())).unwrap();
        crash::segfault();
    }
    let (status, log) = play("crash_in_the_report");
    assert_eq!(status.signal(), Some(libc::SIGSEGV), "{log}");
    assert_in_order(&log, &["STACK TRACE DONE", "Crashed running signal handler.", "BUG REPORT END"]);
    assert_eq!(log.matches("BUG REPORT START").count(), 1);
}

#[test]
fn silence() {
    if is_child("silence") {
        prepare();
        crash::enable(false).unwrap();
        crash::segfault();
    }
    let (status, log) = play("silence");
    assert_eq!((status.signal(), log.as_str()), (Some(libc::SIGSEGV), ""));
}

#[test]
fn alarm_from_outside() {
    if is_child("alarm_from_outside") {
        prepare();
        // SAFETY: a signal to ourselves, handled before the call returns.
        unsafe { libc::raise(libc::SIGALRM) };
        crash::arm_watchdog(1);
        while !std::fs::read_to_string(std::env::var("LOG").unwrap()).is_ok_and(|log| log.contains("WATCHDOG")) {
            std::thread::yield_now();
        }
        std::process::exit(7);
    }
    let (status, log) = play("alarm_from_outside");
    assert_eq!(status.code(), Some(7), "{log}");
    assert_in_order(&log, &["Received SIGALRM", "STACK TRACE", "WATCHDOG TIMER EXPIRED", "STACK TRACE"]);
}

#[test]
fn interrupt_twice() {
    if is_child("interrupt_twice") {
        prepare();
        let reactor = runtime::Reactor::new().unwrap();
        signals::install(reactor.inbox().waker().clone()).unwrap();
        // SAFETY: a signal to ourselves; raised, it is handled before the call returns.
        let interrupt = || unsafe { libc::raise(libc::SIGINT) };
        interrupt();
        assert_eq!(signals::take(), Some(signals::Signal::Interrupt));
        assert_eq!(signals::take(), None);
        signals::reset();
        // SAFETY: as above.
        unsafe { libc::raise(libc::SIGTERM) };
        assert_eq!(signals::take(), Some(signals::Signal::Terminate));
        interrupt();
        panic!("the second request must have ended the process");
    }
    let (status, log) = play("interrupt_twice");
    assert_eq!(status.code(), Some(1), "{log}");
    assert_in_order(
        &log,
        &[
            ":signal-handler (",
            ") Received SIGINT scheduling shutdown...\n",
            ") Received SIGTERM scheduling shutdown...\n",
            ") You insist... exiting now.\n",
        ],
    );
}

#[test]
fn unarmed() {
    if is_child("unarmed") {
        prepare();
        let _ = std::thread::spawn(|| crash::segfault()).join();
    }
    let (status, log) = play("unarmed");
    assert_eq!(status.signal(), Some(libc::SIGSEGV), "{log}");
    assert_in_order(&log, &["crashed by signal: 11", "STACK TRACE", "STACK TRACE DONE", "BUG REPORT END"]);
    assert!(!log.contains("Crashed running signal handler"));
}

#[test]
fn daemon() {
    if is_child("daemon") {
        runtime::daemon::daemonize().unwrap();
        println!("nobody reads this");
        // SAFETY: take no pointers.
        let (session, own) = unsafe { (libc::getsid(0), libc::getpid()) };
        assert_eq!(session, own, "a session of its own");
        runtime::daemon::write_pid_file(std::env::var_os("LOG").unwrap().as_ref()).unwrap();
        std::process::exit(3);
    }
    let dir = tempfile::tempdir().unwrap();
    let pid_file = dir.path().join("pid");
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["daemon", "--exact", "--nocapture"])
        .env("ROLE", "daemon")
        .env("LOG", &pid_file)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "the process that was started has ended well");
    assert!(!String::from_utf8_lossy(&output.stdout).contains("nobody reads this"));
    while !std::fs::read_to_string(&pid_file).is_ok_and(|text| text.ends_with('\n')) {
        std::thread::yield_now();
    }
}
