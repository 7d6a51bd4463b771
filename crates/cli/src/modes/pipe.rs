//! `--pipe`: standard input goes to the server as it is; replies and errors are counted.
//!
//! ```text
//!   stdin ──► thread ──► socket ──► server ──► socket ──► count
//!                └── at the end: ECHO <20 random bytes> ────► seen: all was executed
//! ```
//!
//! Two threads, because the server may stop reading until its replies are read.

use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use client::{Error, Stream, Value};

use super::human_bytes;
use crate::failure::{Failure, fatal};
use crate::live::Live;
use crate::screen;
use crate::screen::complain;
use crate::session::Session;

/// How often a silent server is looked at again.
const TICK: Duration = Duration::from_millis(200);

pub fn run(session: &mut Session) -> Result<i32, Failure> {
    let timeout = session.options.pipe_timeout;
    let Some(link) = &mut session.link else { return Err(Failure::Unconnected) };
    link.stream().set_timeouts(Some(TICK), None).map_err(fatal)?;
    let mut writer = link.stream().try_clone().map_err(fatal)?;
    let magic = magic();
    let all_sent = AtomicBool::new(false);
    let sent = AtomicU64::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            if let Err(text) = send_all(&mut writer, &magic, &sent, &all_sent) {
                complain!("{text}");
                let _ = writer.shutdown();
            }
        });
        let (mut errors, mut replies) = (0u64, 0u64);
        let mut last_read = Instant::now();
        let (mut live, mut announced) = (Live::on_stderr(), false);
        loop {
            if !announced && all_sent.load(Ordering::Acquire) {
                live.close()?;
                screen::print_line("All data transferred. Waiting for the last reply...")?;
                announced = true;
            }
            live.draw(|| {
                let sent = human_bytes(sent.load(Ordering::Relaxed) as i64);
                vec![format!("Sent {sent}, replies {replies}, errors {errors}")]
            })?;
            match link.next_value() {
                Ok(Value::Error(text)) => {
                    live.close()?;
                    complain!("{}", String::from_utf8_lossy(&text));
                    errors += 1;
                    replies += 1;
                }
                Ok(Value::Bulk(text)) if text == magic && all_sent.load(Ordering::Acquire) => {
                    live.close()?;
                    if !announced {
                        screen::print_line("All data transferred. Waiting for the last reply...")?;
                    }
                    screen::print_line("Last reply received from server.")?;
                    break;
                }
                Ok(_) => replies += 1,
                Err(Error::TimedOut) => {
                    let waits = all_sent.load(Ordering::Acquire) && !timeout.is_zero();
                    if waits && last_read.elapsed() > timeout {
                        live.close()?;
                        complain!("No replies for {} seconds: exiting.", timeout.as_secs());
                        errors += 1;
                        break;
                    }
                    continue;
                }
                Err(_) => {
                    // The other thread may wait for standard input, which need not end.
                    complain!("Error reading replies from server");
                    std::process::exit(1);
                }
            }
            last_read = Instant::now();
        }
        screen::print_line(&format!("errors: {errors}, replies: {replies}"))?;
        Ok(i32::from(errors > 0))
    })
}

fn send_all(writer: &mut Stream, magic: &[u8], sent: &AtomicU64, all_sent: &AtomicBool) -> Result<(), String> {
    let mut buf = vec![0; 64 * 1024];
    let mut stdin = io::stdin().lock();
    let writing = |error: io::Error| format!("Error writing to the server: {}", client::os_text(&error));
    loop {
        match stdin.read(&mut buf) {
            Ok(0) => break,
            Ok(n) => {
                writer.write_all(&buf[..n]).map_err(writing)?;
                sent.fetch_add(n as u64, Ordering::Relaxed);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
            Err(error) => return Err(format!("Error reading from stdin: {}", client::os_text(&error))),
        }
    }
    // The line end first: should the input have ended within a command, the ECHO is still one.
    let mut echo = b"\r\n".to_vec();
    resp::encode::command(&mut echo, &[&b"ECHO"[..], magic]);
    all_sent.store(true, Ordering::Release);
    writer.write_all(&echo).map_err(writing)
}

/// Twenty bytes that no reply will be by chance.
fn magic() -> Vec<u8> {
    let words = (0..3u8).flat_map(|i| RandomState::new().hash_one(i).to_le_bytes());
    words.take(20).collect()
}
