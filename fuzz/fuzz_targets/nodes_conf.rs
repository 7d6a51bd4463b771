//! Files of any bytes; what is accepted is written and read again.

#![no_main]

use cluster::{Cluster, Config, Outbox, Saved};
use keyspace::UnixMillis;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let (mut out, now) = (Outbox::new(), UnixMillis(1_700_000_000_000));
    let new = |file: &[u8], out: &mut Outbox| {
        Cluster::new(Config::default(), Saved { newest: Some(file), previous: None }, 1, now, out)
    };
    let Ok(node) = new(bytes, &mut out) else { return };
    let again = new(&node.saved_config(), &mut out).expect("what was written can be read");
    assert_eq!(again.my_id(), node.my_id());
});
