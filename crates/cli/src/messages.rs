//! Subscribed mode: messages are shown as they come, until the user wants to type.

use crate::failure::{Failure, fatal};
use crate::format::Style;
use crate::input::{AnyKey, Input, StdinFd};
use crate::screen;
use crate::session::Session;
use crate::signals::Ready;

const NOTICE: &str = "Reading messages... (press Ctrl-C to quit or any key to type command)\r";
const ERASE_LINE: &str = "\x1b[K";

impl Session {
    /// Shows messages until a key is pressed, or standard input has something to read. Ctrl-C ends
    /// all subscriptions by connecting anew.
    pub fn show_messages(&mut self, input: &Input) -> Result<(), Failure> {
        let for_people = self.options.style != Style::Raw && screen::is_for_people();
        let _mode = AnyKey::begin();
        while self.subscriptions.active {
            while let Some(link) = &mut self.link {
                let Some(value) = link.buffered_value().map_err(lost)? else { break };
                screen::print(&self.formatted(&value))?;
                self.note_subscription(&value);
            }
            if !self.subscriptions.active {
                break;
            }
            if for_people {
                self.print_notice()?;
            }
            let (Some(link), Some(interrupts)) = (&self.link, &self.interrupts) else { break };
            let ready = match input.has_buffered() {
                true => Ready::Second,
                false => interrupts.wait(link, Some(&StdinFd)).map_err(fatal)?,
            };
            if for_people {
                screen::print(ERASE_LINE.as_bytes())?;
            }
            match ready {
                Ready::First => {
                    if let Some(link) = &mut self.link {
                        link.fill().map_err(lost)?;
                    }
                }
                Ready::Second => break,
                Ready::Interrupt => {
                    let server = self.vocabulary.server;
                    screen::print_line(&format!(
                        "Closing current connection. Ready to reconnect to {server} server... "
                    ))?;
                    return self.connect(true);
                }
            }
        }
        Ok(())
    }

    fn print_notice(&self) -> Result<(), Failure> {
        let text = if screen::has_colours() { format!("\x1b[1;90m{NOTICE}\x1b[0m") } else { NOTICE.to_owned() };
        screen::print(text.as_bytes())
    }
}

/// Messages that cannot come any more end the program, as with the peers: whoever waits for them in
/// a pipe must learn of it.
fn lost(error: client::Error) -> Failure {
    fatal(format_args!("Error: {error}"))
}
