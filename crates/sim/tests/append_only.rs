//! What simulated universes have found about the append-only file, as small tests.

use std::path::Path;
use std::sync::Arc;

use journal::{History, Journal, ReplId, ReplOffset};
use node::aof::{Aof, Ground};
use node::disk::Disk;
use sim::disk::SimDisk;
use sim::random::Random;
use sim::world::Universe;

fn aof(disk: &SimDisk) -> Aof {
    let journal = Arc::new(Journal::new(History::new(ReplId::NONE), ReplOffset(0), 1 << 20));
    journal.wake(ReplId::NONE);
    let ground = Ground {
        disk: Box::new(disk.clone()),
        clock: Universe::new(1, false).new_clock(),
        log: Box::new(|_, _| {}),
        temporary: "temp".to_owned(),
    };
    Aof::new(journal, ground)
}

/// A life that ended before the manifest named its new increment has left a file of that name.
#[test]
fn what_a_former_life_has_left_is_no_part_of_a_new_increment() {
    let disk = SimDisk::default();
    let config = config::Config::default();
    let path = Path::new("appendonlydir/appendonly.aof.1.incr.aof");
    let mut left = disk.append(path).expect("it opens");
    left.append(b"*3\r\n$3\r\nSE").expect("it fits");
    left.sync().expect("it syncs");
    disk.sync_folder(Path::new(".")).expect("it syncs");
    aof(&disk).open(&config, aof::Manifest::default(), false).expect("it opens");
    assert_eq!(disk.len(path), Some(0));
    disk.lose(&mut Random::new(1));
    assert_eq!(disk.len(path), Some(0), "not when the power fails, either");
}
