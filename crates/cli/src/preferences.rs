//! `:set hints`, `:set nohints`, `:get pubsub`: lines to the tool itself, typed or from the rc file.

use std::sync::atomic::Ordering;

use resp::inline;

use crate::failure::Failure;
use crate::history::dotfile;
use crate::screen;
use crate::session::Session;

impl Session {
    /// Obeys a line that begins with a colon. `origin` stands before complaints.
    pub fn prefer(&mut self, words: &[Vec<u8>], origin: &str) -> Result<(), Failure> {
        let lower: Vec<Vec<u8>> = words.iter().map(|word| word.to_ascii_lowercase()).collect();
        let parts: Vec<&[u8]> = lower.iter().map(Vec::as_slice).collect();
        let shown = |i: usize| String::from_utf8_lossy(&words[i]).into_owned();
        let tool = self.vocabulary.tool;
        match parts.as_slice() {
            [b":set", b"hints", ..] => self.hints.store(true, Ordering::Relaxed),
            [b":set", b"nohints", ..] => self.hints.store(false, Ordering::Relaxed),
            [b":get", b"pubsub", ..] => screen::print_line(if self.subscriptions.active { "1" } else { "0" })?,
            [b":set", _, ..] => screen::print_line(&format!("{origin}unknown {tool} preference '{}'", shown(1)))?,
            [b":get", _, ..] => screen::print_line(&format!("{origin}unknown {tool} get option '{}'", shown(1)))?,
            _ => screen::print_line(&format!("{origin}unknown {tool} internal command '{}'", shown(0)))?,
        }
        Ok(())
    }

    /// Obeys the lines of the rc file, if there is one.
    pub fn load_preferences(&mut self) -> Result<(), Failure> {
        let name = self.vocabulary.rc_file;
        let text = dotfile(&self.vocabulary, "RCFILE", name).and_then(|path| std::fs::read(path).ok());
        for line in text.unwrap_or_default().split(|byte| *byte == b'\n') {
            match inline::split_owned(line) {
                Ok(words) if !words.is_empty() => self.prefer(&words, &format!("{name}: "))?,
                _ => (),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Options;
    use crate::vocabulary::REDIS;

    #[test]
    fn hints_are_switched() {
        let mut session = Session::new(Options::new(false), REDIS);
        for (line, expect) in [(":set nohints", false), (":SET HINTS", true), (":set nonsense", true)] {
            let words = inline::split_owned(line.as_bytes()).unwrap();
            session.prefer(&words, "").unwrap();
            assert_eq!(session.hints.load(Ordering::Relaxed), expect, "{line}");
        }
    }
}
