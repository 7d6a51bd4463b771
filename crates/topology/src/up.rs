//! `up`: from a folder, or the wish for one, to a topology that is well.
//!
//! ```text
//!   files ─► ports agree? ─► servers started ─► wait until they are well ─► Sentinels started ─► wait ─► table
//!                                  └──── a failure, or Ctrl-C: what was started is stopped again ────┘
//! ```
//!
//! Sentinels come when the servers have found each other: a Sentinel asks a primary once in ten seconds who follows it, and
//! the first answer should be the whole one.

use std::ops::Range;
use std::time::{Duration, Instant};

use crate::facts::{self, Answers, Facts};
use crate::folder::Folder;
use crate::interrupt::Interrupt;
use crate::node::{Files, Node, Program};
use crate::screen::{self, Progress, Row};
use crate::shape::{Recipe, Sizes};
use crate::words::Up;
use crate::{INTERVAL, PATIENCE, process};

/// The state of a node that is where it should be.
const READY: &str = "is ready";

/// How long a process may take until its pid file is there.
const TO_WRITE_ITS_FILE: Duration = Duration::from_secs(5);

/// A topology, with what was derived from its recipe.
struct Topology {
    folder: Folder,
    recipe: &'static Recipe,
    nodes: Vec<Node>,
    /// Of each node.
    files: Vec<Files>,
}

/// The error is a line for people.
pub fn run(up: &Up) -> Result<(), String> {
    let interrupt = Interrupt::listen()?;
    let recipe = up.shape.recipe();
    let folder = match Folder::open(&up.folder)? {
        Some(folder) => check_same(up, folder)?,
        None => {
            let sizes = up.wish.over(&recipe.sizes);
            // Before anything is written, so that the next try may choose other ports.
            let nodes = (recipe.nodes)(&sizes)?;
            nodes.iter().try_for_each(process::check_port)?;
            nodes.iter().try_for_each(|node| check_configured(node, &node.files(&up.folder)))?;
            Folder::create(&up.folder, up.shape, sizes)?
        }
    };
    let nodes = (recipe.nodes)(&folder.sizes)?;
    let files = nodes.iter().map(|node| node.files(&folder.path)).collect();
    let topology = Topology { folder, recipe, nodes, files };
    topology.configure()?;
    let mut raising = Raising {
        progress: Progress::new(&topology.nodes),
        states: vec![String::new(); topology.nodes.len()],
        started: Vec::new(),
        topology: &topology,
        interrupt,
    };
    let result = raising.raise();
    raising.progress.end(|at| raising.states[at] == READY);
    match result {
        Ok(facts) => topology.show(&facts),
        Err(line) => {
            raising.stop();
            Err(if raising.interrupt.came() { "interrupted; what was started is stopped".to_owned() } else { line })
        }
    }
}

/// A folder that exists is taken as it is, so wishes that contradict it are refused.
fn check_same(up: &Up, folder: Folder) -> Result<Folder, String> {
    let place = folder.path.display();
    if folder.shape != up.shape {
        return Err(format!("{place} holds a topology of another shape: {}", folder.shape.name()));
    }
    if up.wish.over(&folder.sizes) != folder.sizes {
        let Sizes { base_port, primaries, replicas } = folder.sizes;
        return Err(format!(
            "{place} exists with --base-port {base_port} --primaries {primaries} --replicas {replicas}; name another \
             folder with --dir"
        ));
    }
    Ok(folder)
}

/// A configuration file that exists must be of this topology, or its node would be waited for in vain.
fn check_configured(node: &Node, files: &Files) -> Result<(), String> {
    match files.port() {
        Some(port) if port != node.port => Err(format!(
            "{} says port {port}, but {} has port {} here; correct it, or name another folder with --dir",
            files.config.display(),
            node.name,
            node.port
        )),
        _ => Ok(()),
    }
}

impl Topology {
    /// Writes the files that are missing.
    fn configure(&self) -> Result<(), String> {
        for (node, files) in self.nodes.iter().zip(&self.files) {
            let failed = |error| format!("{}: {}", files.config.display(), client::os_text(&error));
            node.configure(files).map_err(failed)?;
            check_configured(node, files)?;
        }
        Ok(())
    }

    fn lacks(&self, at: usize, facts: &Answers) -> Option<String> {
        match &facts[at] {
            None => Some("does not answer yet".to_owned()),
            Some(Facts { loading: Some(percent), .. }) => Some(format!("is loading its data, {percent} %")),
            Some(_) => (self.recipe.lacks)(at, &self.nodes[..facts.len()], facts),
        }
    }

    /// A process that has ended will never answer. One that has not written its file yet may still come.
    fn check_alive(&self, at: usize, since: Instant) -> Result<(), String> {
        let files = &self.files[at];
        let is_gone = match files.process_id() {
            Some(process_id) => !process::is_alive(process_id),
            None => since.elapsed() > TO_WRITE_ITS_FILE,
        };
        if !is_gone {
            return Ok(());
        }
        let words = files.last_words(process::LAST_WORDS);
        Err(format!("{} has ended. The end of {}:\n{words}", self.nodes[at].name, files.log.display()))
    }

    fn show(&self, facts: &Answers) -> Result<(), String> {
        let row = |((node, files), facts): ((&Node, &Files), &Option<Facts>)| {
            let facts = facts.as_ref()?;
            Some(Row {
                name: node.name.clone(),
                role: facts.role.name(),
                address: format!("127.0.0.1:{}", node.port),
                process_id: facts.process_id,
                folder: files.folder.display().to_string(),
            })
        };
        let rows: Vec<Row> = self.nodes.iter().zip(&self.files).zip(facts).filter_map(row).collect();
        let mut text = format!("\n{}\nTry next:\n", screen::table(&rows));
        for hint in (self.recipe.hints)(&self.nodes, facts) {
            text.push_str(&format!("  rubellite cli {hint}\n"));
        }
        text.push_str(&format!("  rubellite down --dir {}\n", screen::shell_word(&self.folder.path)));
        screen::print(&text)
    }
}

/// A topology on its way.
struct Raising<'a> {
    topology: &'a Topology,
    progress: Progress,
    /// What was last told of each node.
    states: Vec<String>,
    /// The nodes that did not run before.
    started: Vec<usize>,
    interrupt: Interrupt,
}

impl Raising<'_> {
    fn raise(&mut self) -> Result<Vec<Option<Facts>>, String> {
        let nodes = &self.topology.nodes;
        let servers = nodes.iter().filter(|node| node.program == Program::Server).count();
        self.start(0..servers)?;
        let facts = self.wait(servers)?;
        if servers == nodes.len() {
            return Ok(facts);
        }
        self.start(servers..nodes.len())?;
        self.wait(nodes.len())
    }

    /// Starts those of a range that do not run.
    fn start(&mut self, range: Range<usize>) -> Result<(), String> {
        for at in range {
            let (node, files) = (&self.topology.nodes[at], &self.topology.files[at]);
            if process::running(node, files)?.is_some() {
                self.progress.tell(at, "is running");
                continue;
            }
            let result = process::start(node, files);
            // Who was interrupted while it started may have left a process behind.
            if result.is_ok() || self.interrupt.came() {
                self.started.push(at);
            }
            result?;
            self.interrupt.check()?;
            self.progress.tell(at, "started");
        }
        Ok(())
    }

    /// Asks the first `count` nodes until every one of them is where it should be.
    fn wait(&mut self, count: usize) -> Result<Vec<Option<Facts>>, String> {
        let Topology { folder, recipe, nodes, files } = self.topology;
        let mut changed = Instant::now();
        let mut form = recipe.form;
        loop {
            self.interrupt.check()?;
            let ask = |(node, files)| facts::ask(node, files);
            let facts: Vec<Option<Facts>> = nodes.iter().zip(files).take(count).map(ask).collect();
            if facts.iter().all(|facts| facts.as_ref().is_some_and(|facts| facts.loading.is_none()))
                && let Some(form) = form.take()
            {
                form(&folder.sizes, nodes, files)?;
                continue;
            }
            let mut is_well = true;
            for at in 0..count {
                let lacking = self.topology.lacks(at, &facts);
                is_well &= lacking.is_none();
                if facts[at].is_none() {
                    self.topology.check_alive(at, changed)?;
                }
                let state = lacking.unwrap_or_else(|| READY.to_owned());
                if self.states[at] != state {
                    changed = Instant::now();
                    self.progress.tell(at, &state);
                    self.states[at] = state;
                }
            }
            if is_well {
                return Ok(facts);
            }
            if changed.elapsed() > PATIENCE {
                let lacking = nodes.iter().zip(&self.states).take(count).filter(|(_, state)| *state != READY);
                let lacking: Vec<String> = lacking.map(|(node, state)| format!("{} {state}", node.name)).collect();
                return Err(format!("gave up after {} s without a change: {}", PATIENCE.as_secs(), lacking.join(", ")));
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Stops what was started. What cannot be stopped is left: the failure that brought us here is the one to tell.
    fn stop(&self) {
        let deadline = Instant::now() + TO_WRITE_ITS_FILE;
        for &at in &self.started {
            let (node, files) = (&self.topology.nodes[at], &self.topology.files[at]);
            while files.process_id().is_none() && Instant::now() < deadline {
                std::thread::sleep(INTERVAL);
            }
            if let Ok(Some(process_id)) = process::running(node, files) {
                let _ = process::stop(node, process_id);
            }
        }
    }
}
