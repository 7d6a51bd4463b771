//! Slots that move while clients count.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use e2e::{Program, Server, wait};

use crate::client::Client;
use crate::scene::{address, create, manage, node, reshard};

#[test]
fn slots_move_under_load_without_a_lost_key() {
    let nodes: Vec<Server> = (0..3).map(|_| node(&Program::ours())).collect();
    create(&nodes, "0");
    let over = Arc::new(AtomicBool::new(false));
    let written: Arc<Mutex<HashMap<String, u64>>> = Arc::default();
    let writes = Arc::new(AtomicUsize::new(0));
    let load = {
        let (over, written, writes) = (over.clone(), written.clone(), writes.clone());
        let mut client = Client::of(nodes[0].port());
        std::thread::spawn(move || {
            let mut n = 0u64;
            while !over.load(Ordering::Relaxed) {
                n += 1;
                let key = format!("{{tag{}}}:{}", n % 97, n % 1500);
                let reply = client.call(&key, &["INCR", &key], Duration::from_secs(20)).expect("served in time");
                assert!(!reply.is_error(), "{key}: {reply}");
                *written.lock().unwrap().entry(key).or_default() += 1;
                writes.fetch_add(1, Ordering::Relaxed);
            }
        })
    };
    wait::until("the load is under way", || writes.load(Ordering::Relaxed) > 2000);
    for (from, to, count) in [(0, 1, "1500"), (1, 2, "2000"), (2, 0, "1000")] {
        reshard(&nodes[from], &nodes[to], count);
    }
    over.store(true, Ordering::Relaxed);
    load.join().expect("every write was served");
    let check = manage(&["check", &address(&nodes[0])]);
    assert!(check.stdout.contains("[OK] All nodes agree about slots configuration"), "{}", check.stdout);
    assert!(check.stdout.contains("[OK] All 16384 slots covered"), "{}", check.stdout);
    let mut client = Client::of(nodes[2].port());
    let written = written.lock().unwrap();
    for (key, count) in written.iter() {
        let reply = client.call(key, &["GET", key], Duration::from_secs(20)).expect("a reply");
        assert_eq!(reply.text(), count.to_string(), "{key}");
    }
    let keys: i64 = nodes.iter().map(|node| node.run("DBSIZE").integer()).sum();
    assert_eq!(keys, written.len() as i64, "each key is in one place");
}
