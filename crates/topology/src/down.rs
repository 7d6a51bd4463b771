//! `down`: stops what runs, and leaves the files.

use crate::folder::Folder;
use crate::node::Program;
use crate::words::Down;
use crate::{process, screen};

/// The error is a line for people. A node that cannot be stopped does not keep the others running.
pub fn run(down: &Down) -> Result<(), String> {
    let Some(folder) = Folder::open(&down.folder)? else {
        return Err(format!("there is no topology in {}", down.folder.display()));
    };
    let mut failed = Vec::new();
    // In the order of their start, since a primary that stops first has given its replicas everything; but before it
    // whoever would find another one.
    let mut nodes = (folder.shape.recipe().nodes)(&folder.sizes)?;
    nodes.sort_by_key(|node| node.program != Program::Sentinel);
    for node in &nodes {
        let stopped = process::running(node, &node.files(&folder.path)).and_then(|found| match found {
            Some(process_id) => process::stop(node, process_id).map(|()| format!("stopped (process {process_id})")),
            None => Ok("was not running".to_owned()),
        });
        match stopped {
            Ok(what) => screen::print(&format!("{} {what}\n", node.name))?,
            Err(line) => failed.push(line),
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("\n")) }
}
