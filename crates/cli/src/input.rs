//! Lines to run: typed with an editor on a terminal, or read as they are from anything else.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use reedline::{
    ColumnarMenu, Completer, Emacs, FileBackedHistory, Hinter, History, HistoryItem, KeyCode, KeyModifiers,
    MenuBuilder, Prompt, PromptEditMode, PromptHistorySearch, Reedline, ReedlineEvent, ReedlineMenu, Signal, Span,
    Suggestion, default_emacs_keybindings,
};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use crate::docs::CommandTable;
use crate::history::MAX_LINES;
use crate::screen::complain;

/// Where lines come from.
pub enum Input {
    Editor(Box<Reedline>),
    Plain(PlainLines),
}

impl Input {
    /// The editor when both ends are a terminal that can move its cursor, plain lines otherwise.
    pub fn open(table: Arc<CommandTable>, hints: Arc<AtomicBool>, history: &[String]) -> io::Result<Input> {
        let smart = std::env::var("TERM").is_ok_and(|term| !matches!(term.as_str(), "dumb" | "cons25" | "emacs"));
        if smart && io::stdin().is_terminal() && io::stdout().is_terminal() {
            return Ok(Input::Editor(Box::new(editor(table, hints, history))));
        }
        Ok(Input::Plain(PlainLines::open()?))
    }

    /// The next line without its end; `None` at the end of input, or when the user is done (Ctrl-C, Ctrl-D).
    pub fn read_line(&mut self, prompt: &str) -> io::Result<Option<Vec<u8>>> {
        match self {
            Input::Plain(lines) => {
                if lines.shows_prompt {
                    write!(io::stdout(), "{prompt}")?;
                    io::stdout().flush()?;
                }
                lines.next_line()
            }
            Input::Editor(editor) => match editor.read_line(&OurPrompt(prompt.to_owned())) {
                Ok(Signal::Success(line)) => Ok(Some(line.into_bytes())),
                Ok(_) => Ok(None),
                Err(_) => {
                    // A terminal that does not tell where its cursor is: go on without editing.
                    *self = Input::Plain(PlainLines::open()?);
                    self.read_line(prompt)
                }
            },
        }
    }

    /// Whether a line, or its beginning, was taken from standard input already.
    pub fn has_buffered(&self) -> bool {
        matches!(self, Input::Plain(lines) if !lines.buffer.is_empty())
    }

    pub fn clear_screen(&mut self) -> io::Result<()> {
        match self {
            Input::Editor(editor) => editor.clear_screen(),
            Input::Plain(_) => {
                write!(io::stdout(), "\x1b[H\x1b[2J")?;
                io::stdout().flush()
            }
        }
    }
}

/// Lines of a pipe, a file or a simple terminal.
pub struct PlainLines {
    file: File,
    buffer: Vec<u8>,
    shows_prompt: bool,
}

impl PlainLines {
    fn open() -> io::Result<Self> {
        let file = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(PlainLines { file, buffer: Vec::new(), shows_prompt: io::stdin().is_terminal() })
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut searched = 0;
        loop {
            if let Some(end) = self.buffer[searched..].iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(searched + end + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                return Ok(Some(line));
            }
            searched = self.buffer.len();
            self.buffer.resize(searched + 16 * 1024, 0);
            let read = self.file.read(&mut self.buffer[searched..]);
            self.buffer.truncate(searched + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) if self.buffer.is_empty() => return Ok(None),
                Ok(0) => return Ok(Some(std::mem::take(&mut self.buffer))),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => (),
            }
        }
    }
}

fn editor(table: Arc<CommandTable>, hints: Arc<AtomicBool>, lines: &[String]) -> Reedline {
    let mut keys = default_emacs_keybindings();
    let menu = ReedlineEvent::Menu("commands".to_owned());
    keys.add_binding(KeyModifiers::NONE, KeyCode::Tab, ReedlineEvent::UntilFound(vec![menu, ReedlineEvent::MenuNext]));
    let mut editor = Reedline::create()
        .with_hinter(Box::new(SyntaxHints { table: table.clone(), enabled: hints }))
        .with_completer(Box::new(Names(table)))
        .with_menu(ReedlineMenu::EngineCompleter(Box::new(
            ColumnarMenu::default().with_name("commands").with_marker(""),
        )))
        .with_quick_completions(true)
        .with_partial_completions(true)
        .with_edit_mode(Box::new(Emacs::new(keys)));
    // Without bracketed paste, so that pasted lines run one by one.
    // The history is in memory only: what goes to the file, and what must not, is decided by `history.rs`.
    if let Ok(mut history) = FileBackedHistory::new(MAX_LINES) {
        for line in lines {
            let _ = history.save(HistoryItem::from_command_line(line));
        }
        editor = editor.with_history(Box::new(history));
    }
    editor
}

struct OurPrompt(String);

impl Prompt for OurPrompt {
    fn render_prompt_left(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.0)
    }

    fn render_prompt_right(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_indicator(&self, _: PromptEditMode) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_multiline_indicator(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }

    fn render_prompt_history_search_indicator(&self, search: PromptHistorySearch) -> Cow<'_, str> {
        Cow::Owned(format!("(search: {}) ", search.term))
    }

    fn get_prompt_color(&self) -> reedline::Color {
        reedline::Color::Reset
    }
}

/// The syntax of the command behind the cursor, in grey.
struct SyntaxHints {
    table: Arc<CommandTable>,
    enabled: Arc<AtomicBool>,
}

impl Hinter for SyntaxHints {
    fn handle(&mut self, line: &str, _: usize, _: &dyn History, use_ansi_coloring: bool, _: &str) -> String {
        if !self.enabled.load(Ordering::Relaxed) {
            return String::new();
        }
        let Some(hint) = self.table.hint(line.as_bytes()).filter(|hint| !hint.is_empty()) else {
            return String::new();
        };
        let gap = if line.ends_with(char::is_whitespace) { "" } else { " " };
        if use_ansi_coloring { format!("\x1b[90m{gap}{hint}\x1b[0m") } else { format!("{gap}{hint}") }
    }

    /// A hint describes arguments; it is not text to be inserted.
    fn complete_hint(&self) -> String {
        String::new()
    }

    fn next_hint_token(&self) -> String {
        String::new()
    }
}

/// Completes names of commands, and topics of `help`.
struct Names(Arc<CommandTable>);

impl Completer for Names {
    fn complete(&mut self, line: &str, pos: usize) -> Vec<Suggestion> {
        let Some(typed) = line.get(..pos) else { return Vec::new() };
        let suggestion =
            |value| Suggestion { value, span: Span::new(0, pos), append_whitespace: true, ..Suggestion::default() };
        self.0.completions(typed).into_iter().map(suggestion).collect()
    }
}

/// A terminal that hands over each key at once and shows none, until this is dropped.
pub struct AnyKey(Option<Termios>);

impl AnyKey {
    /// Does nothing when standard input is no terminal.
    pub fn begin() -> Self {
        let Ok(before) = tcgetattr(io::stdin()) else { return AnyKey(None) };
        let mut mode = before.clone();
        mode.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        AnyKey(tcsetattr(io::stdin(), OptionalActions::Now, &mode).is_ok().then_some(before))
    }
}

impl Drop for AnyKey {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Standard input, to be waited for.
pub struct StdinFd;

impl AsFd for StdinFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        rustix::stdio::stdin()
    }
}

/// Asks for a password, showing a star for each byte; without a terminal reads a line.
pub fn ask_password(question: &str) -> io::Result<Vec<u8>> {
    if !io::stdin().is_terminal() {
        return Ok(PlainLines::open()?.next_line()?.unwrap_or_default());
    }
    let _mode = AnyKey::begin();
    let _ = write!(io::stderr(), "{question}");
    let mut password = Vec::new();
    let mut byte = [0];
    while io::stdin().read(&mut byte)? == 1 {
        match byte[0] {
            b'\n' | b'\r' => break,
            0x08 | 0x7f => {
                if password.pop().is_some() {
                    let _ = write!(io::stderr(), "\x08 \x08");
                }
            }
            other => {
                password.push(other);
                let _ = write!(io::stderr(), "*");
            }
        }
    }
    complain!("");
    Ok(password)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, SeekFrom};

    #[test]
    fn plain_lines_end_with_the_input() {
        let mut file = tempfile::tempfile().unwrap();
        let long = "x".repeat(40_000);
        write!(file, "a\n\n{long}\r\nlast").unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        let mut lines = PlainLines { file, buffer: Vec::new(), shows_prompt: false };
        let mut seen = Vec::new();
        while let Some(line) = lines.next_line().unwrap() {
            seen.push(String::from_utf8(line).unwrap());
        }
        assert_eq!(seen, ["a".to_owned(), String::new(), format!("{long}\r"), "last".to_owned()]);
    }
}
