//! The cluster manager on clusters of real servers: beside the peer's own manager, as the tutorials type it on a terminal, and
//! killed in the middle.

#[path = "manager/scene.rs"]
mod scene;
#[path = "cli/terminal.rs"]
#[expect(dead_code, reason = "other tests press other keys")]
mod terminal;

use e2e::{Program, Server, wait};
use scene::Scene;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use terminal::Terminal;

/// Slot of `{foo}`.
const FOO: &str = "12182";

#[test]
fn both_managers_say_the_same() {
    for (server, peer) in scene::pairs() {
        let scene = Scene::with_cluster(&server, 6, 1, 1);
        scene.fill(100);
        let (place, lonely, id) = (scene.place(0), scene.place(6), scene.id(0));
        let port = scene.servers[1].port().to_string();
        let line = |text: &str| -> Vec<String> {
            text.replace("HERE", &place)
                .replace("PORT", &port)
                .replace("LONELY", &lonely)
                .replace("ID", &id)
                .split(' ')
                .map(str::to_owned)
                .collect()
        };
        for text in [
            "help",
            "nonsense",
            "create",
            "info",
            "info nowhere",
            "info 127.0.0.1:1",
            "check HERE",
            "check 127.0.0.1 PORT",
            "check HERE --cluster-search-multiple-owners",
            "check LONELY",
            "info HERE",
            "create HERE HERE",
            "create nowhere LONELY",
            "call HERE ping",
            "call HERE config get cluster-enabled",
            "call HERE nonsense",
            "call HERE ping --cluster-only-masters",
            "call HERE ping --cluster-only-replicas",
            "set-timeout HERE 99",
            "set-timeout HERE",
            "rebalance HERE --cluster-weight ID=3 --cluster-simulate --verbose",
            "rebalance HERE",
            "rebalance HERE --cluster-weight nobody=3",
            "reshard HERE --cluster-from nobody --cluster-to ID --cluster-slots 3",
            "reshard HERE --cluster-from all --cluster-to nobody --cluster-slots 3",
            "reshard HERE --cluster-from ID --cluster-to ID --cluster-slots 3",
            "reshard HERE --cluster-from all --cluster-to ID --cluster-slots 30",
            "add-node HERE nowhere",
            "add-node HERE LONELY",
            "add-node LONELY HERE --cluster-slave --cluster-master-id nobody",
            "add-node 127.0.0.1:1 HERE",
            "del-node HERE nobody",
            "del-node HERE ID",
            "import HERE",
            "import HERE --cluster-from nowhere",
            "import HERE --cluster-from HERE",
            "import HERE --cluster-from 127.0.0.1:1",
            "backup HERE",
            "fix HERE",
        ] {
            let words = line(text);
            scene.beside(&peer, &words.iter().map(String::as_str).collect::<Vec<_>>());
        }
        // What is open or missing is told alike.
        let owner = scene.owner_of_foo();
        let other = scene.id((owner + 1) % 3);
        scene.servers[owner].run(&format!("CLUSTER SETSLOT {FOO} MIGRATING {other}"));
        for text in
            ["check HERE", "rebalance HERE", "reshard HERE --cluster-slots 3 --cluster-to ID", "add-node LONELY HERE"]
        {
            let words = line(text);
            scene.beside(&peer, &words.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}

#[test]
fn the_tutorial_on_a_terminal() {
    for peer in scene::servers() {
        let scene = Scene::set(&peer, 8);
        let places: Vec<String> = (0..6).map(|n| scene.place(n)).collect();
        let mut words = vec!["create"];
        words.extend(places.iter().map(String::as_str));
        words.extend(["--cluster-replicas", "1"]);
        let mut terminal = Terminal::run(&scene.command(&scene.ours(), &words), scene.home.path());
        terminal.wait_for("Can I set the above configuration? (type 'yes' to accept):");
        terminal.enter("yes");
        terminal.wait_for("Waiting for the cluster to join");
        terminal.wait_for("[OK] All 16384 slots covered.");
        assert_eq!(terminal.end(), Some(0));
        scene.wait_for_agreement(6);
        assert_eq!((0..3).map(|n| scene.slots(n)).collect::<Vec<_>>(), [5461, 5462, 5461]);
        scene.fill(200);

        // The dialogue of a reshard, with a wrong number first.
        let mut terminal =
            Terminal::run(&scene.command(&scene.ours(), &["reshard", &scene.place(3)]), scene.home.path());
        terminal.wait_for("How many slots do you want to move (from 1 to 16384)?");
        terminal.enter("many");
        terminal.wait_until("the question again", |screen| screen.matches("How many slots").count() == 2);
        terminal.enter("8");
        terminal.wait_for("What is the receiving node ID?");
        terminal.enter(&scene.id(0));
        terminal.wait_for("Type 'done' once you entered all the source nodes IDs.");
        terminal.wait_for("Source node #1:");
        terminal.enter("all");
        terminal.wait_for("Do you want to proceed with the proposed reshard plan (yes/no)?");
        terminal.enter("yes");
        assert_eq!(terminal.end(), Some(0));
        assert_eq!(scene.slots(0), 5469);
        scene.wait_for_agreement(6);

        // A new shard, filled and emptied again, and taken away.
        scene.must(&["add-node", &scene.place(6), &scene.place(0)]);
        scene.wait_for_agreement(7);
        let new = scene.id(6);
        scene.must(&["add-node", &scene.place(7), &scene.place(0), "--cluster-slave", "--cluster-master-id", &new]);
        scene.wait_for_agreement(8);
        assert_eq!(scene.servers[7].info("role"), "slave");
        let out = scene.must(&[
            "reshard",
            &scene.place(0),
            "--cluster-from",
            "all",
            "--cluster-to",
            &new,
            "--cluster-slots",
            "100",
            "--cluster-yes",
        ]);
        assert!(out.contains("Ready to move 100 slots."), "{out}");
        assert_eq!(scene.slots(6), 100);
        scene.wait_for_agreement(8);
        let refused = scene.manage(&["del-node", &scene.place(0), &new], "");
        assert!(refused.out.contains("is not empty! Reshard data away and try again."), "{refused:?}");
        scene.must(&[
            "rebalance",
            &scene.place(0),
            "--cluster-weight",
            &format!("{new}=0"),
            "--cluster-threshold",
            "1",
        ]);
        assert_eq!(scene.slots(6), 0);
        scene.wait_for_agreement(8);
        let id = scene.id(7);
        for id in [&id, &new] {
            scene.must(&["del-node", &scene.place(0), id]);
        }
        scene.wait_for_agreement(6);
        assert_eq!(scene.keys(), 200);
        scene.must(&["check", &scene.place(0), "--cluster-search-multiple-owners"]);
    }
}

/// What the tutorials type, on our servers: with our tool, and with the peers' in its place.
#[test]
fn every_manager_drives_our_cluster() {
    for peer in std::iter::once(Program::ours()).chain(Program::valkey()) {
        let scene = Scene::set(&Program::ours(), 8);
        let places: Vec<String> = (0..8).map(|n| scene.place(n)).collect();
        let place = places[0].as_str();
        let must = |words: &[&str]| scene.must_by(&peer, words);
        let mut words = vec!["create"];
        words.extend(places[..6].iter().map(String::as_str));
        words.extend(["--cluster-replicas", "1", "--cluster-yes"]);
        assert!(must(&words).contains("[OK] All 16384 slots covered."));
        scene.wait_for_agreement(6);
        scene.fill(200);

        must(&["add-node", &places[6], place]);
        scene.wait_for_agreement(7);
        let new = scene.id(6);
        must(&["add-node", &places[7], place, "--cluster-slave", "--cluster-master-id", &new]);
        scene.wait_for_agreement(8);
        must(&["rebalance", place, "--cluster-use-empty-masters", "--cluster-pipeline", "100"]);
        scene.wait_for_agreement(8);
        assert_eq!(scene.slots(6), 4096);
        assert!(must(&["info", place]).contains("200 keys in 4 "));
        let sizes = must(&["call", place, "dbsize", "--cluster-only-masters"]);
        assert_eq!(sizes.matches("127.0.0.1:").count(), 4, "{sizes}");
        must(&["set-timeout", place, "2500"]);
        assert_eq!(scene.servers[5].run("CONFIG GET cluster-node-timeout").items()[1].text(), "2500");

        // A slot that was left open is closed.
        let owner = scene.owner_of_foo();
        let target = scene.id(if owner == 6 { 0 } else { 6 });
        scene.servers[owner].run(&format!("CLUSTER SETSLOT {FOO} MIGRATING {target}"));
        assert!(must(&["fix", place]).contains("[OK] All 16384 slots covered."));
        scene.wait_for_agreement(8);

        // The new shard is emptied and taken away.
        let to = scene.id(0);
        let all = scene.slots(6).to_string();
        let drain = ["reshard", place, "--cluster-from", &new, "--cluster-to", &to, "--cluster-slots", &all];
        must(&[&drain[..], &["--cluster-yes"]].concat());
        scene.wait_for_agreement(8);
        for id in [scene.id(7), new] {
            must(&["del-node", place, &id]);
        }
        scene.wait_for_agreement(6);
        assert_eq!(scene.keys(), 200);
        assert!(must(&["check", place]).contains("[OK] All nodes agree about slots configuration."));
    }
}

/// Runs our manager and kills it when it has begun to move that many slots.
fn kill_after(scene: &Scene, slots: usize, words: &[&str]) {
    let mut child = scene.command(&scene.ours(), words).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let begun = lines.filter(|line| line.contains("Moving slot") && line.contains("127.0.0.1")).take(slots).count();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(begun, slots, "{words:?}");
}

#[test]
fn what_a_killed_manager_has_left_is_done_by_the_next() {
    for peer in scene::servers() {
        let scene = Scene::with_cluster(&peer, 3, 0, 0);
        scene.fill(200);
        let (from, to, place) = (scene.id(2), scene.id(0), scene.place(1));
        let how = ["--cluster-pipeline", "1", "--cluster-plan", "plan", "--cluster-yes"];
        let what = ["reshard", &place, "--cluster-from", &from, "--cluster-to", &to, "--cluster-slots", "700"];
        kill_after(&scene, 50, &[&what[..], &how[..]].concat());
        // The servers may be at the last command that was sent.
        let moved = 5461 - scene.slots(2);
        assert!((45..700).contains(&moved), "{moved} slots were moved");
        kill_after(&scene, 50, &["apply", "plan", "--cluster-yes"]);
        // A slot may be open now. That somebody mends it makes no difference.
        wait::until("what is open to be closed", || scene.manage(&["fix", &place], "").code == Some(0));
        let dry = scene.must(&["apply", "plan", "--dry-run"]);
        assert!(dry.contains("\nmove slots "), "{dry}");
        let out = scene.must(&["apply", "plan", "--cluster-yes"]);
        assert!(out.contains("of the 700 steps of the reshard plan are left"), "{out}");
        assert_eq!((scene.slots(0), scene.slots(2)), (5461 + 700, 5461 - 700));
        scene.wait_for_agreement(3);
        assert_eq!(scene.keys(), 200);
        let again = scene.must(&["apply", "plan", "--cluster-yes"]);
        assert!(again.contains(">>> 0 of the 700 steps"), "{again}");
        // Somebody else takes a slot of the plan: then it is not for this cluster any more.
        let third = scene.id(1);
        for server in [1, 0, 2] {
            let reply = scene.servers[server].run(&format!("CLUSTER SETSLOT 10923 NODE {third}"));
            assert_eq!(reply.to_string(), "OK");
        }
        let refused = scene.manage(&["apply", "plan", "--cluster-yes"], "");
        let why = "[ERR] The cluster is not what the plan was made for: slot 10923 belongs to ";
        assert!(refused.out.contains(why) && refused.code == Some(1), "{refused:?}");
    }
}

#[test]
fn a_cluster_that_was_half_made_is_made() {
    for peer in scene::servers() {
        let scene = Scene::set(&peer, 6);
        let places: Vec<String> = (0..6).map(|n| scene.place(n)).collect();
        let mut words = vec!["create"];
        words.extend(places.iter().map(String::as_str));
        words.extend(["--cluster-replicas", "1", "--cluster-plan", "plan", "--cluster-yes"]);
        let mut child = scene.command(&scene.ours(), &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "Waiting for the cluster to join"));
        child.kill().unwrap();
        child.wait().unwrap();
        let out = scene.must(&["apply", "plan", "--cluster-yes"]);
        assert!(out.ends_with("[OK] The plan is done.\n"), "{out}");
        scene.wait_for_agreement(6);
        assert_eq!(scene.servers.iter().filter(|server| server.info("role") == "slave").count(), 3);
        let again = scene.must(&["apply", "plan", "--cluster-yes"]);
        assert!(again.contains(">>> 0 of the 17 steps"), "{again}");
    }
}

#[test]
fn what_is_broken_is_mended() {
    for peer in scene::servers() {
        let scene = Scene::with_cluster(&peer, 3, 0, 0);
        scene.fill(100);
        let owner = scene.owner_of_foo();
        let (next, third) = ((owner + 1) % 3, (owner + 2) % 3);
        let state = |at: usize, words: &str| {
            let reply = scene.servers[at].run(&format!("CLUSTER SETSLOT {FOO} {words}"));
            assert_eq!(reply.to_string(), "OK", "{words}");
        };
        let fix = || scene.manage(&["fix", &scene.place(0)], "yes\n");

        // A move that was begun, with a key that has arrived: it is finished.
        state(next, &format!("IMPORTING {}", scene.id(owner)));
        state(owner, &format!("MIGRATING {}", scene.id(next)));
        let port = scene.servers[next].port();
        scene.servers[owner].connect().expect(&format!("MIGRATE 127.0.0.1 {port} {{foo}}:0 0 5000"), "OK");
        let dry = scene.manage(&["fix", &scene.place(0), "--dry-run"], "");
        let step = format!("\nmove slot {FOO} from {} to {}\n", scene.id(owner), scene.id(next));
        assert!(dry.out.contains(">>> Case 1: Moving slot 12182") && dry.out.contains(&step), "{dry:?}");
        assert_eq!(fix().code, Some(0));
        assert_eq!((scene.owner_of_foo(), scene.keys()), (next, 100));
        scene.wait_for_agreement(3);

        // Two that would receive and nobody who gives.
        state(owner, &format!("IMPORTING {}", scene.id(next)));
        state(third, &format!("IMPORTING {}", scene.id(next)));
        let ended = fix();
        assert!(ended.out.contains(">>> Case 2: Moving all the 12182 slot keys to its owner"), "{ended:?}");
        assert_eq!(ended.code, Some(0));
        scene.wait_for_agreement(3);

        // One who gives and nobody who would receive.
        state(next, &format!("MIGRATING {}", scene.id(third)));
        let ended = fix();
        assert!(ended.out.contains(">>> Case 4: Closing slot 12182 on"), "{ended:?}");
        assert_eq!(ended.code, Some(0));
        scene.wait_for_agreement(3);

        // Slots of nobody, one of them with keys: given away when somebody says yes, and not before.
        for server in &scene.servers {
            server.run(&format!("CLUSTER DELSLOTS {FOO} 1 2"));
        }
        let refused = scene.manage(&["fix", &scene.place(0), "--cluster-yes"], "no\n");
        assert!(
            refused.out.contains("The following uncovered slots have no keys across the cluster:\n[1-2]\n"),
            "{refused:?}"
        );
        assert_eq!(refused.code, Some(1));
        wait::until("all slots to be covered", || {
            scene.manage(&["fix", &scene.place(0)], "yes\nyes\n");
            scene.manage(&["check", &scene.place(0)], "").code == Some(0)
        });
        scene.wait_for_agreement(3);
        assert_eq!((scene.owner_of_foo(), scene.keys()), (next, 100));
    }
}

#[test]
fn keys_come_from_elsewhere_and_go_to_a_backup() {
    for peer in scene::servers() {
        let scene = Scene::with_cluster(&peer, 3, 0, 0);
        let source = Server::start_program(&peer, &["--requirepass", "secret"]);
        let mut client = source.connect();
        client.expect("AUTH secret", "OK");
        for n in 0..50 {
            client.expect(&format!("SET key:{n} {n}"), "OK");
        }
        let from = format!("127.0.0.1:{}", source.port());
        let words = ["import", &scene.place(0), "--cluster-from", &from, "--cluster-from-pass", "secret"];
        let out = scene.must(&[&words[..], &["--cluster-copy"]].concat());
        assert!(out.contains("*** Importing 50 keys from DB 0\n"), "{out}");
        assert_eq!((scene.keys(), client.run("DBSIZE").integer()), (50, 50));
        let busy = scene.manage(&words, "");
        assert!(busy.out.contains("BUSYKEY") && busy.code == Some(1), "{busy:?}");
        scene.must(&[&words[..], &["--cluster-replace"]].concat());
        assert_eq!((scene.keys(), client.run("DBSIZE").integer()), (50, 0));

        let folder = scene.home.path().join("backup");
        std::fs::create_dir(&folder).unwrap();
        scene.must(&["backup", &scene.place(0), "backup"]);
        let files: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().path()).collect();
        assert_eq!(files.iter().filter(|file| file.extension().is_some_and(|kind| kind == "rdb")).count(), 3);
        let nodes = std::fs::read_to_string(folder.join("nodes.json")).unwrap();
        assert!(nodes.contains("\"slots_count\": 5461") && nodes.contains("\"replicate\": null"), "{nodes}");

        // A plan for programs is all that is printed.
        let weight = format!("{}=2", scene.id(0));
        let dry = scene.must(&["rebalance", &scene.place(0), "--cluster-weight", &weight, "--dry-run", "--json"]);
        assert!(dry.starts_with("{\"plan\":\"rebalance\",") && dry.ends_with("}]}\n"), "{dry}");
        assert_eq!(dry.matches("{\"step\":\"move\"").count(), 8192 - 5461);
        assert_eq!(scene.slots(0), 5461);
    }
}
