//! What the server finds when it starts: a snapshot file, or nothing.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use engine::lease::{Attempt, Taken};
use node::execute::Core;
use node::loading::{Loader, Told};
use node::server::Server;
use resp::log_text;
use runtime::{clock, errno, log};

const READ: usize = 1 << 20;

/// Loads what the working directory holds. The error is for the log; the server must not start with less than its data.
pub fn recover(server: &Server, executor: usize) -> Result<(), String> {
    let mut core = Core::new(server, executor);
    let config = core.control().config.clone();
    let began = clock::monotonic_us();
    let path = Path::new(OsStr::from_bytes(&config.snapshot.dbfilename));
    let told = match load_snapshot(&mut core, path)? {
        Some(told) => told,
        None => return Ok(()),
    };
    log::notice(log_text::snapshot::loaded(told.keys, told.expired));
    log::notice(log_text::snapshot::loaded_in((clock::monotonic_us() - began) as f64 / 1e6));
    Ok(())
}

/// Loads one snapshot file; `None` when there is none.
pub fn load_snapshot(core: &mut Core<'_>, path: &Path) -> Result<Option<Told>, String> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("Fatal error: can't open the RDB file {} for reading: {}", path.display(), errno::text(&e))),
    };
    let mut attempt = Attempt::new(u64::MAX);
    if core.lease.take_world(&mut attempt) != Taken::Yes {
        return Err("Fatal error: somebody else runs while the data is loaded".to_owned());
    }
    attempt.succeed();
    let mut loader = Loader::new(core, false);
    let mut buffer = vec![0; READ];
    loop {
        let n = file.read(&mut buffer).map_err(|e| errno::text(&e))?;
        if n == 0 {
            break;
        }
        loader.feed(core, &buffer[..n])?;
    }
    let told = loader.finish(core)?;
    core.lease.release();
    Ok(Some(told))
}
