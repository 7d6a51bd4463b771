//! `up`: from a folder, or the wish for one, to a topology that is well.

use std::time::{Duration, Instant};

use crate::facts::{self, Answers, Facts};
use crate::folder::Folder;
use crate::node::{Files, Node};
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
    let recipe = up.shape.recipe();
    let folder = match Folder::open(&up.folder)? {
        Some(folder) => check_same(up, folder)?,
        None => {
            let sizes = up.wish.over(&recipe.sizes);
            // Before anything is written, so that the next try may choose other ports.
            (recipe.nodes)(&sizes)?.iter().try_for_each(process::check_port)?;
            Folder::create(&up.folder, up.shape, sizes)?
        }
    };
    let nodes = (recipe.nodes)(&folder.sizes)?;
    let files = nodes.iter().map(|node| node.files(&folder.path)).collect();
    let topology = Topology { folder, recipe, nodes, files };
    topology.configure()?;
    let mut progress = Progress::new(&topology.nodes);
    let mut started = Vec::new();
    let result = topology.start(&mut started, &mut progress).and_then(|()| topology.wait(&mut progress));
    progress.end();
    match result {
        Ok(facts) => topology.show(&facts),
        Err(line) => {
            topology.stop(&started);
            Err(line)
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

impl Topology {
    /// Writes the files that are missing.
    fn configure(&self) -> Result<(), String> {
        for (node, files) in self.nodes.iter().zip(&self.files) {
            let failed = |error| format!("{}: {}", files.config.display(), client::os_text(&error));
            node.configure(files).map_err(failed)?;
        }
        Ok(())
    }

    /// Starts what does not run; `started` tells which.
    fn start(&self, started: &mut Vec<usize>, progress: &mut Progress) -> Result<(), String> {
        for (at, (node, files)) in self.nodes.iter().zip(&self.files).enumerate() {
            if process::running(node, files)?.is_some() {
                progress.tell(at, "is running");
                continue;
            }
            started.push(at);
            process::start(node, files)?;
            progress.tell(at, "started");
        }
        Ok(())
    }

    /// Asks until every node is where it should be.
    fn wait(&self, progress: &mut Progress) -> Result<Vec<Option<Facts>>, String> {
        let mut states = vec![String::new(); self.nodes.len()];
        let mut changed = Instant::now();
        let mut form = self.recipe.form;
        loop {
            let ask = |(node, files)| facts::ask(node, files);
            let facts: Vec<Option<Facts>> = self.nodes.iter().zip(&self.files).map(ask).collect();
            if facts.iter().all(|facts| facts.as_ref().is_some_and(|facts| facts.loading.is_none()))
                && let Some(form) = form.take()
            {
                form(&self.folder.sizes, &self.nodes, &self.files)?;
                continue;
            }
            let mut is_well = true;
            for at in 0..states.len() {
                let lacking = self.lacks(at, &facts);
                is_well &= lacking.is_none();
                if facts[at].is_none() {
                    self.check_alive(at, changed)?;
                }
                let state = lacking.unwrap_or_else(|| READY.to_owned());
                if states[at] != state {
                    changed = Instant::now();
                    progress.tell(at, &state);
                    states[at] = state;
                }
            }
            if is_well {
                return Ok(facts);
            }
            if changed.elapsed() > PATIENCE {
                let lacking = self.nodes.iter().zip(&states).filter(|(_, state)| *state != READY);
                let lacking: Vec<String> = lacking.map(|(node, state)| format!("{} {state}", node.name)).collect();
                return Err(format!("gave up after {} s without a change: {}", PATIENCE.as_secs(), lacking.join(", ")));
            }
            std::thread::sleep(INTERVAL);
        }
    }

    fn lacks(&self, at: usize, facts: &Answers) -> Option<String> {
        match &facts[at] {
            None => Some("does not answer yet".to_owned()),
            Some(Facts { loading: Some(percent), .. }) => Some(format!("is loading its data, {percent} %")),
            Some(_) => (self.recipe.lacks)(at, &self.nodes, facts),
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

    fn stop(&self, started: &[usize]) {
        for &at in started {
            if let Ok(Some(process_id)) = process::running(&self.nodes[at], &self.files[at]) {
                // What cannot be stopped is left; the failure that brought us here is the one to tell.
                let _ = process::stop(&self.nodes[at], process_id);
            }
        }
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
