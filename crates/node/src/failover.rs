//! FAILOVER: a primary hands its place over to one of its replicas, and nothing is lost.
//!
//! ```text
//!   FAILOVER ─► writes paused ─► waits until a replica has acknowledged all ─┬─► becomes that replica's replica, and
//!                                     │                  (FORCE: or until    │   sends PSYNC … FAILOVER in place of PSYNC
//!                                     │                   the time is over) ─┘        │
//!                                     └─ the time is over, ABORT ─► as before         ├─ +CONTINUE ─► done
//!                                                                                     └─ refused, ABORT ─► primary again
//! ```
//!
//! While it goes on writes wait, PING and GETACK stay out of the stream, nobody can sync, and REPLICAOF is refused. Clients
//! that wait for keys go on waiting; only when the place is given away they are told that this server is a replica now.
//!
//! Decisions are made by `Failover::step` from what it is shown; what they lead to is done by a unit that has the world, so
//! no write can slip in between the last acknowledgement and the change of role.
//!
//! Differs from the peers: a replica is asked at the beginning how far it is, instead of waiting for what it says once a
//! second.

use std::sync::atomic::Ordering;

use engine::lease::Taken;
use keyspace::UnixMillis;
use resp::args::Args;
use resp::error::{self, Error};
use resp::log_text;
use session::Flag;
use structures::number;

use crate::control::{Pause, PauseReason, Role};
use crate::execute::Core;
use crate::replication::{Replica, Stage as Sync, primary};
use crate::server::{LogLevel, Server};

/// How far a failover is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    /// The replica does not have everything yet.
    WaitsForSync,
    /// The replica is asked to take over.
    InProgress,
}

/// A failover under way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Failover {
    /// Who is to take over; `None` while any replica may.
    target: Option<(String, u16)>,
    until: Option<UnixMillis>,
    force: bool,
    stage: Stage,
}

/// What is to be done next.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Step {
    Wait,
    /// The replica at this address has everything, or is to take over although it may not.
    HandOver {
        host: String,
        port: u16,
        synced: bool,
    },
    /// The time is over.
    GiveUp,
}

/// A replica, as a decision sees it.
struct Follower {
    host: String,
    port: u16,
    acked: u64,
}

impl Failover {
    /// The decision at a time, when the stream ends at `end` and the replicas are these.
    fn step(&self, now: UnixMillis, end: u64, followers: &[Follower]) -> Step {
        if self.stage == Stage::InProgress {
            return Step::Wait;
        }
        if self.until.is_some_and(|until| until <= now) {
            return match &self.target {
                Some((host, port)) if self.force => Step::HandOver { host: host.clone(), port: *port, synced: false },
                _ => Step::GiveUp,
            };
        }
        let wanted = |follower: &&Follower| match &self.target {
            Some((host, port)) => follower.host == *host && follower.port == *port,
            None => true,
        };
        match followers.iter().filter(wanted).find(|follower| follower.acked == end) {
            Some(follower) => Step::HandOver { host: follower.host.clone(), port: follower.port, synced: true },
            None => Step::Wait,
        }
    }
}

/// As INFO names the state.
pub fn state_name(server: &Server) -> &'static str {
    match server.failover.lock().as_ref().map(|failover| failover.stage) {
        None => "no-failover",
        Some(Stage::WaitsForSync) => "waiting-for-sync",
        Some(Stage::InProgress) => "failover-in-progress",
    }
}

/// Whether one is under way.
pub fn is_under_way(server: &Server) -> bool {
    server.failover.lock().is_some()
}

/// Whether our new primary is to be asked to take over.
pub fn asks_to_take_over(server: &Server) -> bool {
    server.failover.lock().as_ref().is_some_and(|failover| failover.stage == Stage::InProgress)
}

/// What the arguments of FAILOVER say.
#[derive(Default)]
struct Wish<'a> {
    target: Option<(&'a [u8], i64)>,
    timeout: i64,
    force: bool,
}

impl<'a> Wish<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, Error> {
        let mut wish = Wish::default();
        let mut at = 1;
        while let Some(word) = args.get(at) {
            let left = args.len() - at - 1;
            if word.eq_ignore_ascii_case(b"timeout") && left >= 1 && wish.timeout == 0 {
                wish.timeout = number::parse_i64(args.at(at + 1)).ok_or(error::common::NOT_INTEGER)?;
                if wish.timeout <= 0 {
                    return Err(error::replication::FAILOVER_TIMEOUT);
                }
                at += 2;
            } else if word.eq_ignore_ascii_case(b"to") && left >= 2 && wish.target.is_none() {
                let port = number::parse_i64(args.at(at + 2)).ok_or(error::common::NOT_INTEGER)?;
                wish.target = Some((args.at(at + 1), port));
                at += 3;
            } else if word.eq_ignore_ascii_case(b"force") && !wish.force {
                wish.force = true;
                at += 1;
            } else {
                return Err(error::common::SYNTAX);
            }
        }
        Ok(wish)
    }
}

/// Begins a failover as the arguments say. The lease has the world.
pub(crate) fn begin(core: &mut Core<'_>, args: &Args<'_>) -> Result<(), Error> {
    let wish = Wish::parse(args)?;
    let server = core.server;
    if is_under_way(server) {
        return Err(error::replication::FAILOVER_RUNNING);
    }
    if core.control().is_replica() {
        return Err(error::replication::FAILOVER_ON_REPLICA);
    }
    let replicas = server.replication.replicas.lock().clone();
    if replicas.is_empty() {
        return Err(error::replication::FAILOVER_NO_REPLICAS);
    }
    if wish.force && (wish.timeout == 0 || wish.target.is_none()) {
        return Err(error::replication::FAILOVER_FORCE);
    }
    let mut target = None;
    if let Some((host, port)) = wish.target {
        let is_it = |replica: &Replica| replica.ip().as_bytes() == host && i64::from(replica.announced.port) == port;
        let replica = replicas.iter().find(|replica| is_it(replica)).ok_or(error::replication::FAILOVER_TARGET)?;
        if replica.stage() != Sync::Online {
            return Err(error::replication::FAILOVER_OFFLINE);
        }
        server.host.log(LogLevel::Notice, &log_text::failover::requested(&replica.name()));
        target = Some((replica.ip(), replica.announced.port));
    } else {
        server.host.log(LogLevel::Notice, log_text::failover::REQUESTED_ANY);
    }
    let until = UnixMillis(server.engine.now().0.saturating_add(wish.timeout));
    let failover =
        Failover { target, until: (wish.timeout > 0).then_some(until), force: wish.force, stage: Stage::WaitsForSync };
    if failover.step(server.engine.now(), server.journal.end().0, &followers(server)) == Step::Wait {
        primary::append_get_ack(server);
    }
    *server.failover.lock() = Some(failover);
    core.publish_control(|control| {
        control.begin_pause(PauseReason::Failover, Pause::Writes, UnixMillis(i64::MAX));
    });
    server.host.wake_control();
    Ok(())
}

/// Gives a failover up, for this reason: this server is the primary again, or still. The lease has the world. False when
/// there is none.
pub(crate) fn abort(core: &mut Core<'_>, why: &str) -> bool {
    let server = core.server;
    let Some(failover) = server.failover.lock().take() else { return false };
    let target = failover.target.map(|(host, port)| format!("{host}:{port}"));
    server.host.log(LogLevel::Notice, &log_text::failover::aborted(target.as_deref(), why));
    if failover.stage == Stage::InProgress {
        crate::commands::replication::change_role(core, Role::Primary);
    }
    core.publish_control(|control| control.end_pause(PauseReason::Failover));
    true
}

/// The replica that was asked has taken over. The lease has the world.
pub(crate) fn succeed(core: &mut Core<'_>) {
    let server = core.server;
    if server.failover.lock().take().is_none() {
        return;
    }
    core.publish_control(|control| control.end_pause(PauseReason::Failover));
    crate::commands::replication::unblock_all(server, &core.control());
}

/// Does what is due. On the control thread.
pub fn tick(core: &mut Core<'_>) {
    let mut attempt = std::mem::take(&mut core.failover_attempt);
    if decide(core.server) == Step::Wait {
        core.lease.abandon(&mut attempt);
    } else if core.lease.take_world(&mut attempt) == Taken::Yes {
        // Behind the gate it may be another decision.
        carry_out(core);
        core.lease.release();
        attempt.succeed();
    }
    core.failover_attempt = attempt;
}

fn decide(server: &Server) -> Step {
    let Some(failover) = server.failover.lock().clone() else { return Step::Wait };
    failover.step(server.engine.now(), server.journal.end().0, &followers(server))
}

fn carry_out(core: &mut Core<'_>) {
    let server = core.server;
    match decide(server) {
        Step::Wait => {}
        Step::GiveUp => {
            abort(core, log_text::failover::NEVER_CAUGHT_UP);
        }
        Step::HandOver { host, port, synced } => {
            let name = format!("{host}:{port}");
            let text = if synced { log_text::failover::synced(&name) } else { log_text::failover::forced(&name) };
            server.host.log(LogLevel::Notice, &text);
            if let Some(failover) = &mut *server.failover.lock() {
                failover.stage = Stage::InProgress;
                failover.target = Some((host.clone(), port));
            }
            crate::commands::replication::change_role(core, Role::Replica { host, port, online: false });
        }
    }
}

fn followers(server: &Server) -> Vec<Follower> {
    let replicas = server.replication.replicas.lock();
    let online = replicas.iter().filter(|replica| replica.stage() == Sync::Online);
    let online = online.filter(|replica| !replica.card.is(Flag::CloseAsap));
    online
        .map(|replica| Follower {
            host: replica.ip(),
            port: replica.announced.port,
            acked: replica.acked.load(Ordering::Relaxed),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use journal::ReplId;

    use super::*;
    use crate::testing::{Node, Peer};

    const ID: &str = "0123456789012345678901234567890123456789";

    fn follower(port: u16, acked: u64) -> Follower {
        Follower { host: "h".to_owned(), port, acked }
    }

    #[test]
    fn the_step_follows_from_acknowledgements_and_the_clock() {
        let any = Failover { target: None, until: None, force: false, stage: Stage::WaitsForSync };
        let to = Failover { target: Some(("h".to_owned(), 2)), ..any.clone() };
        let hand_over = |port, synced| Step::HandOver { host: "h".to_owned(), port, synced };
        let now = UnixMillis(10);
        assert_eq!(any.step(now, 7, &[follower(1, 6), follower(2, 6)]), Step::Wait);
        assert_eq!(any.step(now, 7, &[follower(1, 6), follower(2, 7)]), hand_over(2, true));
        assert_eq!(to.step(now, 7, &[follower(1, 7), follower(2, 6)]), Step::Wait);
        assert_eq!(to.step(now, 7, &[follower(1, 7), follower(2, 7)]), hand_over(2, true));
        let limited = Failover { until: Some(UnixMillis(10)), ..to.clone() };
        assert_eq!(limited.step(UnixMillis(9), 7, &[follower(2, 6)]), Step::Wait);
        assert_eq!(limited.step(now, 7, &[follower(2, 7)]), Step::GiveUp);
        assert_eq!(Failover { force: true, ..limited.clone() }.step(now, 7, &[]), hand_over(2, false));
        assert_eq!(Failover { stage: Stage::InProgress, ..limited }.step(now, 7, &[follower(2, 7)]), Step::Wait);
    }

    /// A primary with a replica that has nothing yet.
    fn pair() -> (Node, Peer, Peer) {
        let mut node = Node::start("");
        node.server.journal.wake(ReplId::parse(ID.as_bytes()).expect("an id"));
        let (a, replica) = (node.connect(), node.connect());
        node.say(replica, "REPLCONF listening-port 7777 capa psync2");
        let next = node.server.journal.end().next_byte();
        node.say(replica, &format!("PSYNC {ID} {next}"));
        node.say(a, "SET k 1");
        (node, a, replica)
    }

    fn state(node: &mut Node, who: Peer) -> String {
        let info = node.say(who, "INFO replication");
        let line = info.lines().find_map(|line| line.strip_prefix("master_failover_state:"));
        line.expect("the field").trim().to_owned()
    }

    #[test]
    fn the_place_is_handed_over_when_the_replica_has_everything() {
        let (mut node, a, replica) = pair();
        let (b, c) = (node.connect(), node.connect());
        assert_eq!(node.say(a, "FAILOVER TO 127.0.0.1 7777"), "+OK\r\n");
        assert_eq!(state(&mut node, a), "waiting-for-sync");
        assert!(node.streamed(replica).ends_with("GETACK\r\n$1\r\n*\r\n"), "it is asked how far it is");
        assert_eq!(node.say(b, "SET k 2"), "", "writes wait");
        assert_eq!(node.say(c, "BLPOP q 0"), "");
        assert_eq!(node.say(a, "GET k"), "$1\r\n1\r\n");
        for (line, expect) in [
            ("FAILOVER", "-ERR FAILOVER already in progress.\r\n"),
            ("REPLICAOF NO ONE", "-ERR REPLICAOF not allowed while failing over.\r\n"),
            ("PSYNC ? -1", "-NOMASTERLINK Can't SYNC while failing over\r\n"),
        ] {
            assert_eq!(node.say(a, line), expect, "{line}");
        }
        let end = node.server.journal.end();
        node.say(replica, &format!("REPLCONF ACK {end}"));
        node.pass(100);
        assert_eq!(state(&mut node, a), "failover-in-progress");
        assert!(asks_to_take_over(node.server));
        assert!(node.say(a, "ROLE").contains("slave"));
        assert_eq!(node.heard(c), "", "who waits for a key goes on waiting until it is certain");
        assert_eq!(node.server.journal.end(), end, "nothing was written behind the last acknowledgement");
        assert_eq!(node.say(a, "FAILOVER ABORT"), "+OK\r\n");
        assert_eq!(state(&mut node, a), "no-failover");
        assert_eq!(node.heard(b), "+OK\r\n");
        assert!(node.say(a, "ROLE").contains("master"));
        assert_eq!(node.say(a, "FAILOVER ABORT"), "-ERR No failover in progress.\r\n");
    }

    #[test]
    fn a_write_that_comes_after_the_change_of_role_waits_for_the_end_of_the_pause() {
        let (mut node, a, replica) = pair();
        let b = node.connect();
        node.say(a, "CLIENT PAUSE 100000 WRITE");
        node.say(a, "FAILOVER TO 127.0.0.1 7777");
        let end = node.server.journal.end();
        node.say(replica, &format!("REPLCONF ACK {end}"));
        node.pass(100);
        assert!(node.say(a, "ROLE").contains("slave"));
        assert_eq!(node.say(b, "SET k 2"), "", "it was on its way");
        assert_eq!(node.say(a, "CLIENT UNPAUSE"), "+OK\r\n");
        assert_eq!(node.heard(b), "", "it is not certain yet");
        assert_eq!(node.say(a, "FAILOVER ABORT"), "+OK\r\n");
        assert_eq!(node.heard(b), "+OK\r\n");
        node.say(a, "REPLICAOF h 7");
        assert!(node.say(b, "SET k 3").starts_with("-READONLY"));
    }

    #[test]
    fn a_replica_that_never_catches_up_is_given_up() {
        let (mut node, a, _replica) = pair();
        assert_eq!(node.say(a, "FAILOVER TIMEOUT 500"), "+OK\r\n");
        node.pass(400);
        assert_eq!(state(&mut node, a), "waiting-for-sync");
        node.pass(200);
        assert_eq!(state(&mut node, a), "no-failover");
        assert!(
            node.notes
                .log
                .lock()
                .iter()
                .any(|line| { line == "FAILOVER to any replica aborted: Replica never caught up before timeout" })
        );
        assert_eq!(node.say(a, "SET k 3"), "+OK\r\n");
    }

    #[test]
    fn pauses_of_others_neither_end_it_nor_are_ended_by_it() {
        let (mut node, a, _replica) = pair();
        let b = node.connect();
        node.say(a, "CLIENT PAUSE 100000 WRITE");
        node.say(a, "FAILOVER");
        assert_eq!(node.say(a, "CLIENT UNPAUSE"), "+OK\r\n");
        assert_eq!(node.say(b, "SET k 2"), "");
        node.say(a, "CLIENT PAUSE 100000 WRITE");
        assert_eq!(node.say(a, "FAILOVER ABORT"), "+OK\r\n");
        assert_eq!(node.heard(b), "");
        node.say(a, "CLIENT UNPAUSE");
        assert_eq!(node.heard(b), "+OK\r\n");
    }

    #[test]
    fn a_server_that_fails_over_can_be_shut_down() {
        let (mut node, a, _replica) = pair();
        node.say(a, "FAILOVER");
        node.say(a, "SHUTDOWN NOSAVE NOW");
        node.pass(100);
        assert!(node.server.is_over());
    }

    #[test]
    fn force_hands_over_when_the_time_is_over() {
        let (mut node, a, _replica) = pair();
        assert_eq!(node.say(a, "FAILOVER TO 127.0.0.1 7777 FORCE TIMEOUT 500"), "+OK\r\n");
        node.pass(600);
        assert_eq!(state(&mut node, a), "failover-in-progress");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let (mut node, a, _replica) = pair();
        for (line, expect) in [
            ("FAILOVER TO 127.0.0.1 1", "-ERR FAILOVER target HOST and PORT is not a replica.\r\n"),
            ("FAILOVER TO 127.0.0.1 x", "-ERR value is not an integer or out of range\r\n"),
            ("FAILOVER TIMEOUT 0", "-ERR FAILOVER timeout must be greater than 0\r\n"),
            (
                "FAILOVER FORCE TIMEOUT 1",
                "-ERR FAILOVER with force option requires both a timeout and target HOST and IP.\r\n",
            ),
            ("FAILOVER ABORT FORCE", "-ERR syntax error\r\n"),
            ("FAILOVER TO 127.0.0.1", "-ERR syntax error\r\n"),
        ] {
            assert_eq!(node.say(a, line), expect, "{line}");
        }
        let mut alone = Node::start("");
        let b = alone.connect();
        assert_eq!(alone.say(b, "FAILOVER"), "-ERR FAILOVER requires connected replicas.\r\n");
    }

    #[test]
    fn a_replica_takes_over_whose_history_is_the_same() {
        let mut node = Node::start("");
        node.server.journal.wake(ReplId::parse(ID.as_bytes()).expect("an id"));
        let (a, former) = (node.connect(), node.connect());
        let next = node.server.journal.end().next_byte();
        assert_eq!(
            node.say(a, &format!("PSYNC {ID} {next} FAILOVER")),
            "-ERR PSYNC FAILOVER can't be sent to a master.\r\n"
        );
        node.say(a, "REPLICAOF h 7");
        let other = ID.replace('0', "1");
        assert_eq!(
            node.say(former, &format!("PSYNC {other} {next} FAILOVER")),
            "-ERR PSYNC FAILOVER replid must match my replid.\r\n"
        );
        assert_eq!(
            node.say(former, &format!("PSYNC {ID} {next} FAILOVER")),
            "-ERR PSYNC FAILOVER is not for a replica that was told to follow another primary.\r\n",
            "whom it follows has never been reached"
        );
        node.server.replication.link.lock().has_stood = true;
        node.say(former, "REPLCONF listening-port 7777 capa psync2");
        let id = |node: &Node| node.server.journal.history().id.to_string();
        let answer = node.say(former, &format!("PSYNC {ID} {next} FAILOVER"));
        assert_eq!(answer, format!("+CONTINUE {}\r\n", id(&node)));
        assert_ne!(id(&node), ID);
        assert!(node.say(a, "ROLE").contains("master"));
        // The answer was lost: whoever asks again is not told that he has two primaries.
        let again = node.connect();
        node.say(again, "REPLCONF listening-port 7777 capa psync2");
        assert_eq!(node.say(again, &format!("PSYNC {ID} {next} FAILOVER")), answer);
        let later = node.connect();
        let beyond = next + 1;
        assert_eq!(
            node.say(later, &format!("PSYNC {ID} {beyond} FAILOVER")),
            "-ERR PSYNC FAILOVER can't be sent to a master.\r\n",
            "it has written something of its own"
        );
    }
}
