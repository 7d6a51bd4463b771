//! A terminal with a person in front of it: a pseudo-terminal, what it shows, and keys that are pressed.
//!
//! ```text
//!   test ──press──► master │ slave ◄──► the program (its controlling terminal, so that Ctrl-C is a signal)
//!     ▲                │
//!     └──── screen ◄── vt100 ── answers "where is the cursor?" as terminals do
//! ```
//!
//! A program gets a controlling terminal by asking for it in a session of its own, between fork and exec. That would
//! take `unsafe` here, so the test program runs itself: [`become_the_program`] does the asking and then becomes the
//! program.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use e2e::wait;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::{process, stdio, termios};

const ROWS: u16 = 30;
const COLUMNS: u16 = 100;
const SLAVE: &str = "TERMINAL_OF_THE_TEST";
const PROGRAM: &str = "PROGRAM_OF_THE_TEST";
/// Between the words of a program in the environment.
const SEPARATOR: &str = "\u{1f}";

/// Where is the cursor?
const QUESTION: &[u8] = b"\x1b[6n";

pub const ENTER: &str = "\r";
pub const TAB: &str = "\t";
pub const UP: &str = "\x1b[A";
pub const CTRL_A: &str = "\x01";
pub const CTRL_C: &str = "\x03";
pub const CTRL_D: &str = "\x04";
pub const CTRL_R: &str = "\x12";
pub const CTRL_U: &str = "\x15";

pub struct Terminal {
    master: File,
    screen: Arc<Mutex<vt100::Parser>>,
    child: Child,
}

impl Terminal {
    /// Runs a program on a terminal of its own. `home` is the folder of its dotfiles.
    pub fn run(program: &Command, home: &Path) -> Terminal {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let size = termios::Winsize { ws_row: ROWS, ws_col: COLUMNS, ws_xpixel: 0, ws_ypixel: 0 };
        termios::tcsetwinsize(&master, size).unwrap();
        let slave = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let words = std::iter::once(program.get_program()).chain(program.get_args());
        let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", "terminal::become_the_program", "--nocapture"])
            .env(SLAVE, slave)
            .env(PROGRAM, words.join(SEPARATOR))
            .env("TERM", "xterm-256color")
            .env("HOME", home)
            .envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit());
        for name in ["AUTH", "HISTFILE", "RCFILE"] {
            command.env_remove(format!("VALKEYCLI_{name}")).env_remove(format!("REDISCLI_{name}"));
        }
        let master = File::from(master);
        let screen = Arc::new(Mutex::new(vt100::Parser::new(ROWS, COLUMNS, 1000)));
        let child = command.spawn().unwrap();
        let (reader, shared) = (master.try_clone().unwrap(), screen.clone());
        thread::spawn(move || show(reader, &shared));
        Terminal { master, screen, child }
    }

    /// Presses keys.
    pub fn press(&mut self, keys: &str) {
        self.master.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line and ends it.
    pub fn enter(&mut self, line: &str) {
        self.press(line);
        self.press(ENTER);
    }

    /// What a person sees: lines without the blanks at their ends.
    pub fn screen(&self) -> String {
        let contents = self.screen.lock().unwrap().screen().contents();
        contents.lines().map(|line| format!("{}\n", line.trim_end())).collect()
    }

    /// The last line that is not empty.
    pub fn last_line(&self) -> String {
        self.screen().lines().rev().find(|line| !line.is_empty()).unwrap_or_default().to_owned()
    }

    /// Waits until the screen is as wanted; panics with what it shows otherwise.
    pub fn wait_until(&self, what: &str, wanted: impl Fn(&str) -> bool) {
        wait::until(|| format!("{what}; the screen shows\n{}", self.screen()), || wanted(&self.screen()));
    }

    /// Waits until a text is on the screen.
    pub fn wait_for(&self, text: &str) {
        self.wait_until(text, |screen| screen.contains(text));
    }

    /// Waits until the last line is this, blanks at its end apart.
    pub fn wait_for_line(&self, line: &str) {
        wait::until(
            || format!("{line:?} as the last line; the screen shows\n{}", self.screen()),
            || self.last_line() == line,
        );
    }

    /// Waits until the program has ended; its exit code.
    pub fn end(&mut self) -> Option<i32> {
        wait::until_some("the program to end", || self.child.try_wait().unwrap()).code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn show(mut master: File, screen: &Mutex<vt100::Parser>) {
    let mut buf = [0; 4096];
    // How much of the question was read.
    let mut asked = 0;
    // An error is how a pseudo-terminal says that the program has gone.
    while let Ok(count) = master.read(&mut buf) {
        let mut screen = screen.lock().unwrap();
        for &byte in &buf[..count] {
            screen.process(&[byte]);
            asked = if QUESTION.get(asked) == Some(&byte) { asked + 1 } else { usize::from(byte == QUESTION[0]) };
            if asked == QUESTION.len() {
                let (row, column) = screen.screen().cursor_position();
                let _ = master.write_all(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
            }
        }
    }
}

/// Not a test: what the child of [`Terminal::run`] does. Called by the test runner, it does nothing.
#[test]
fn become_the_program() {
    let (Some(slave), Ok(program)) = (std::env::var_os(SLAVE), std::env::var(PROGRAM)) else { return };
    process::setsid().unwrap();
    let slave = OpenOptions::new().read(true).write(true).open(slave).unwrap();
    // Where opening it was not enough already.
    let _ = process::ioctl_tiocsctty(&slave);
    let mut words = program.split(SEPARATOR);
    let mut command = Command::new(words.next().unwrap());
    command.args(words).env_remove(SLAVE).env_remove(PROGRAM);
    stdio::dup2_stdin(&slave).unwrap();
    stdio::dup2_stdout(&slave).unwrap();
    stdio::dup2_stderr(&slave).unwrap();
    panic!("{command:?}: {}", command.exec());
}
