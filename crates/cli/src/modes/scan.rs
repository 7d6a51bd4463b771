//! `--scan`: all keys, one a line.

use std::thread;

use super::{Walk, quoted};
use crate::failure::Failure;
use crate::format::Style;
use crate::screen;
use crate::session::Session;

pub fn run(session: &mut Session) -> Result<(), Failure> {
    let mut walk = Walk::new()?;
    while let Some(keys) = walk.next(session)? {
        let mut text = Vec::new();
        for key in keys {
            if session.options.style == Style::Terminal {
                text.extend_from_slice(quoted(&key).as_bytes());
            } else {
                text.extend_from_slice(&key);
            }
            text.push(b'\n');
        }
        screen::print(&text)?;
        thread::sleep(session.options.interval);
    }
    Ok(())
}
