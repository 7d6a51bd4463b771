//! The replication tutorial, typed as it is published: two configuration files, two shells, a monitor, WAIT.

use e2e::{Program, Server, wait};

const PASSWORD: &str = "a_strong_password";

fn primary() -> Server {
    let text = "bind 127.0.0.1\nport PORT\nrequirepass a_strong_password\nmasterauth a_strong_password\n\
                appendonly yes\nappendfilename \"primary.aof\"\nappendfsync always\n\
                repl-diskless-sync-delay 0\n";
    let mut server = Server::configured(&Program::ours(), "primary.conf", text);
    server.set_password(PASSWORD);
    server
}

fn replica_of(primary: &Server) -> Server {
    let text = format!(
        "bind 127.0.0.1\nport PORT\nreplicaof 127.0.0.1 {}\nmasterauth {PASSWORD}\nrequirepass {PASSWORD}\n",
        primary.port()
    );
    let mut server = Server::configured(&Program::ours(), "replica.conf", &text);
    server.set_password(PASSWORD);
    server.wait_for_info("master_link_status", "up");
    server
}

#[test]
fn the_replication_tutorial_as_typed() {
    let mut primary = primary();
    let replica = replica_of(&primary);

    // A shell on the replica that watches what arrives.
    let mut monitor = replica.shell(&[]);
    monitor.type_line(&format!("AUTH {PASSWORD}"));
    monitor.wait_for("OK");
    monitor.type_line("MONITOR");
    wait::until("MONITOR's OK", || monitor.output().matches("OK").count() == 2);

    // A shell on the primary that first forgets to say who it is.
    let mut shell = primary.shell(&[]);
    shell.type_line("SET foo bar");
    shell.wait_for("NOAUTH Authentication required.");
    shell.type_line(&format!("AUTH {PASSWORD}"));
    shell.wait_for("OK");
    shell.type_line("set Foo \"a Value\"");
    wait::until("the second OK", || shell.output().matches("OK").count() == 2);

    // The stream arrives in the case in which it was typed.
    monitor.wait_for("\"SELECT\" \"0\"");
    monitor.wait_for("\"set\" \"Foo\" \"a Value\"");
    wait::until("the value on the replica", || replica.run("GET Foo").to_string() == "\"a Value\"");

    // WAIT 2 blocks until there is a second replica that has it all.
    shell.type_line("WAIT 2 0");
    let second = replica_of(&primary);
    shell.wait_for("\n2\n");
    second.connect().expect("GET Foo", "\"a Value\"");

    // A replica takes no writes.
    let refused = replica.cli(&["SET", "foo", "bar"]);
    assert_eq!(refused.stdout.trim_end(), "READONLY You can't write against a read only replica.");
    replica.connect().expect("SET foo bar", "(error) READONLY You can't write against a read only replica.");

    // What was acknowledged survives kill -9.
    shell.type_line("SET last word");
    wait::until("the third OK", || shell.output().matches("OK").count() == 3);
    primary.kill_and_restart();
    assert!(primary.file("appendonlydir/primary.aof.manifest").is_file());
    let mut client = primary.connect();
    client.expect("GET Foo", "\"a Value\"");
    client.expect("GET last", "\"word\"");
    for replica in [&replica, &second] {
        wait::until("the replicas to come back", || replica.info("master_link_status") == "up");
    }
    client.expect("SET after restart", "OK");
    client.expect("WAIT 2 0", "(integer) 2");
}

#[test]
fn roles_as_the_tutorial_prints_them() {
    let primary = primary();
    let replica = replica_of(&primary);
    wait::until("the replica online", || primary.info("slave0").contains("state=online"));
    let info = primary.cli(&["INFO", "replication"]).stdout;
    assert!(info.contains("role:master"), "{info}");
    assert!(info.contains(&format!("slave0:ip=127.0.0.1,port={},state=online", replica.port())), "{info}");
    let info = replica.cli(&["INFO", "replication"]).stdout;
    for line in ["role:slave", "master_host:127.0.0.1", "master_link_status:up", "slave_read_only:1"] {
        assert!(info.contains(line), "{line} is missing:\n{info}");
    }
    let role = replica.run("ROLE").to_string();
    assert!(role.starts_with("1) \"slave\"\n2) \"127.0.0.1\"\n"), "{role}");
}
