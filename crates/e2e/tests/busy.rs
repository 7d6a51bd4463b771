//! What others get while one unit runs for long.

use e2e::{Connection, Server, wait};

const BUSY: &str = "(error) BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.";

/// A server one of whose threads will soon be busy, and the connection that keeps it so.
fn busy_server(threads: &str) -> (Server, Connection) {
    let server = Server::start(&["--threads", threads, "--busy-reply-threshold", "50", "--appendonly", "yes"]);
    let mut spinner = server.connect();
    spinner.expect("SET before spin", "OK");
    spinner.send(&["DEBUG", "SPIN", "600000"]).unwrap();
    (server, spinner)
}

/// Asks again and again. The question that the unit finds under way waits for the threshold.
fn wait_for_busy(client: &mut Connection) {
    wait::until("BUSY", || {
        let reply = client.run("GET before").to_string();
        assert!(reply == BUSY || reply == "\"spin\"", "{reply}");
        reply == BUSY
    });
}

#[test]
fn others_are_answered_and_the_unit_can_be_killed() {
    for threads in ["1", "3"] {
        let (server, mut spinner) = busy_server(threads);
        // Enough of them that with three threads each has some.
        let mut others: Vec<Connection> = (0..8).map(|_| server.connect()).collect();
        wait_for_busy(&mut others[0]);
        for other in &mut others {
            for line in ["GET before", "PING", "SET k v", "INFO", "SHUTDOWN", "SHUTDOWN SAVE", "FLUSHALL"] {
                other.expect(line, BUSY);
            }
            assert!(other.run("CLIENT ID").integer() > 0);
            other.expect("SELECT 3", "OK");
            other.expect("SELECT 0", "OK");
            other.expect("MULTI", "OK");
            other.expect("SET k v", BUSY);
            other.expect(
                "EXEC",
                BUSY.replace("(error) BUSY", "(error) EXECABORT Transaction discarded because of: BUSY").as_str(),
            );
            other.expect("MULTI", "OK");
            other.expect("DISCARD", "OK");
        }
        let mut late = server.connect();
        assert!(late.run("HELLO 3 SETNAME late").to_string().contains("rubellite"));
        late.expect("GET before", BUSY);
        others[5].expect("SCRIPT KILL", "OK");
        assert_eq!(spinner.receive().unwrap().to_string(), "(error) ERR Script killed by user with SCRIPT KILL.");
        for other in others.iter_mut().chain([&mut spinner, &mut late]) {
            other.expect("PING", "PONG");
            other.expect("GET before", "\"spin\"");
            other.expect("SCRIPT KILL", "(error) NOTBUSY No scripts in execution right now.");
        }
        assert_eq!(server.run("EXISTS k").integer(), 0);
        assert_eq!(server.run("INFO").text().matches("role:master").count(), 1);
    }
}

#[test]
fn commands_that_waited_already_are_answered_too() {
    for threads in ["1", "3"] {
        let (server, spinner) = busy_server(threads);
        let mut others: Vec<Connection> = (0..6).map(|_| server.connect()).collect();
        std::thread::scope(|scope| {
            for other in &mut others {
                scope.spawn(|| wait_for_busy(other));
            }
        });
        // The spinner hangs up. Its command goes on, and its connection is forgotten when it ends.
        spinner.close();
        others[0].expect("SCRIPT KILL", "OK");
        wait::until("the end of the unit", || others[0].run("PING").to_string() == "PONG");
        wait::until("the spinner to be forgotten", || server.info("connected_clients") == "7");
    }
}

#[test]
fn the_server_can_be_ended_without_a_save() {
    for threads in ["1", "3"] {
        let (mut server, _spinner) = busy_server(threads);
        assert!(server.shut_down("NOSAVE").success());
        server.boot();
        assert_eq!(server.run("GET before").text(), "spin", "what was acknowledged before is there");
    }
}

#[test]
fn nobody_is_told_before_the_threshold_or_without_one() {
    for threads in ["1", "3"] {
        let server = Server::start(&["--threads", threads, "--busy-reply-threshold", "0"]);
        let mut spinner = server.connect();
        let mut other = server.connect();
        spinner.send(&["DEBUG", "SPIN", "200"]).unwrap();
        spinner.send(&["SET", "k", "v"]).unwrap();
        wait::until("the value", || other.run("GET k").to_string() == "\"v\"");
        assert_eq!(spinner.receive().unwrap().to_string(), "OK");
        assert_eq!(spinner.receive().unwrap().to_string(), "OK");
    }
}
