//! What a process prints, as it prints it, and waiting for a text in it.

use crate::wait::PATIENCE;
use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

/// The output of a process; clones share it.
#[derive(Clone, Default)]
pub struct Log {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    grown: Condvar,
}

#[derive(Default)]
struct State {
    text: String,
    /// Pipes that are still open.
    open: usize,
}

impl Log {
    /// Starts to collect what a process prints on its piped outputs.
    pub fn of(child: &mut Child) -> Log {
        let log = Log::default();
        let pipes: [Option<Box<dyn Read + Send>>; 2] =
            [child.stdout.take().map(|p| Box::new(p) as _), child.stderr.take().map(|p| Box::new(p) as _)];
        for pipe in pipes.into_iter().flatten() {
            log.state().open += 1;
            let log = log.clone();
            std::thread::spawn(move || log.collect(pipe));
        }
        log
    }

    pub fn text(&self) -> String {
        self.state().text.clone()
    }

    /// Waits until the text was printed that many times; panics when the process ends or patience does.
    pub fn wait_for(&self, text: &str, times: usize) {
        let start = Instant::now();
        let mut state = self.state();
        while state.text.matches(text).count() < times {
            let why = if state.open == 0 { "the process ended" } else { "patience ended" };
            if state.open == 0 || start.elapsed() > PATIENCE {
                let log = state.text.clone();
                drop(state);
                panic!("{why} before {text:?} was printed:\n{log}");
            }
            state = self.shared.grown.wait_timeout(state, PATIENCE).expect("no reader panics").0;
        }
    }

    /// Waits until everything that the process has printed is here: its end is seen earlier than its last words.
    pub fn wait_for_end(&self) {
        let start = Instant::now();
        let mut state = self.state();
        while state.open > 0 {
            assert!(start.elapsed() <= PATIENCE, "somebody still holds the outputs of a process that has ended");
            state = self.shared.grown.wait_timeout(state, PATIENCE).expect("no reader panics").0;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().expect("no reader panics")
    }

    fn collect(&self, pipe: impl Read) {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            self.state().text.push_str(&String::from_utf8_lossy(&line));
            self.shared.grown.notify_all();
            line.clear();
        }
        self.state().open -= 1;
        self.shared.grown.notify_all();
    }
}
