//! The harness itself: it must wait for the right thing and notice when a server dies.

use e2e::{Program, Proxy, Server};

#[test]
fn a_server_starts_answers_dies_and_comes_back() {
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let mut client = server.connect();
    client.expect("SET key value", "OK");
    client.expect("GET key", "\"value\"");
    server.kill_and_restart();
    assert!(client.call(&["PING"]).is_err(), "the old connection must be gone");
    server.connect().expect("GET key", "\"value\"");
    assert_eq!(server.cli(&["GET", "key"]).stdout, "value\n");
    assert!(server.shut_down("NOSAVE").success());
}

#[test]
#[should_panic(expected = "the process ended before")]
fn a_server_that_does_not_start_is_noticed() {
    Server::start(&["--port", "not-a-port"]);
}

#[test]
fn a_cut_link_is_cut_until_it_is_mended() {
    let server = Server::start_program(&Program::ours(), &[]);
    let mut proxy = Proxy::to(server.port());
    let mut client = e2e::Connection::open(proxy.port()).unwrap();
    client.expect("PING", "PONG");
    proxy.cut();
    assert!(client.call(&["PING"]).is_err());
    assert!(e2e::Connection::open(proxy.port()).is_err());
    proxy.mend();
    e2e::Connection::open(proxy.port()).unwrap().expect("PING", "PONG");
}
