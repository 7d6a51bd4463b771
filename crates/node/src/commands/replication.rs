//! REPLICAOF, FAILOVER, PSYNC, REPLCONF, ROLE, WAIT.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};

use command::registry::RowId;
use command::row::Flags;
use engine::ticket::Wake;
use journal::{ReplId, ReplOffset};
use keyspace::UnixMillis;
use parking_lot::Mutex;
use resp::error::{self, Error};
use resp::log_text;
use session::{Client, Flag, Letter, Waiting};
use structures::number;

use super::client::line;
use super::{Call, ControlBinding, Done, free, world};
use crate::control::{Control, Role};
use crate::execute::Core;
use crate::failover;
use crate::replication::{Announced, Feed, LinkFacts, Replica, Stage, primary};
use crate::server::{LogLevel, Server, replication_id};
use crate::stats::add;

pub(super) const TABLE: &[ControlBinding] = &[
    free("wait", wait),
    free("waitaof", waitaof),
    free("replconf", replconf),
    free("role", role),
    world("failover", failover),
    world("psync", psync),
    world("replicaof", replicaof),
    world("slaveof", replicaof),
    world("sync", sync),
];

fn replconf(call: &mut Call<'_, '_>) -> Done {
    let args = call.args;
    let server = call.core.server;
    if args.len().is_multiple_of(2) {
        return Err(error::common::SYNTAX);
    }
    let mut announced = server.replication.announced.lock().get(&call.client.id()).cloned().unwrap_or_default();
    for i in (1..args.len()).step_by(2) {
        let (option, value) = (args.at(i).to_ascii_lowercase(), args.at(i + 1));
        let number = number::parse_i64(value);
        match option.as_slice() {
            b"listening-port" => {
                let port = number.ok_or(error::common::NOT_INTEGER)?;
                announced.port = u16::try_from(port).map_err(|_| error::common::NOT_INTEGER)?;
            }
            b"ip-address" => {
                if value.len() >= MAX_ADDRESS {
                    return Err(error::replication::address_too_long(value.len()));
                }
                announced.ip = Some(String::from_utf8_lossy(value).into_owned());
            }
            b"capa" => match value.to_ascii_lowercase().as_slice() {
                b"eof" => announced.eof = true,
                b"psync2" => announced.psync2 = true,
                // Who knows more than we do finds out by what it is answered.
                _ => {}
            },
            b"version" => match version(value) {
                Some(version) => announced.takes_over = version >= TAKES_OVER_SINCE,
                None => return Err(error::replication::version_format(value)),
            },
            b"set-cluster-node-id" => {
                let node = server.cluster.as_ref().ok_or(error::cluster::DISABLED)?;
                let id = node.ask(|machine| machine.node_named(value));
                announced.node_id = Some(id.ok_or_else(|| error::cluster::unknown_node(value))?);
            }
            b"rdb-only" => announced.rdb_only = number.ok_or(error::common::NOT_INTEGER)? == 1,
            // An acknowledgement is not answered: its sender reads nothing but the stream.
            b"ack" => {
                let fsynced = args.get(i + 2).filter(|word| word.eq_ignore_ascii_case(b"fack"));
                let fsynced = fsynced.and_then(|_| number::parse_i64(args.get(i + 3)?)).unwrap_or(0);
                if let (true, Some(offset)) = (call.client.card.is(Flag::Replica), number) {
                    primary::acknowledged(server, call.client, offset.max(0) as u64, fsynced.max(0) as u64);
                }
                return Ok(());
            }
            b"fack" | b"getack" => return Ok(()),
            _ => return Err(error::replication::unknown_replconf(args.at(i))),
        }
    }
    server.replication.announced.lock().insert(call.client.id(), announced);
    call.client.out.ok();
    Ok(())
}

/// The first version whose replicas understand CLUSTER FAILOVER … REPLICAID in the stream.
const TAKES_OVER_SINCE: (u32, u32, u32) = (9, 0, 0);

/// A version as a replica tells it: three numbers.
fn version(text: &[u8]) -> Option<(u32, u32, u32)> {
    let mut parts = text.split(|byte| *byte == b'.').map(|part| {
        let number = number::parse_i64(part).and_then(|n| u32::try_from(n).ok());
        number.filter(|n| *n < 256)
    });
    let version = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(version)
}

/// The longest address that a replica may announce.
const MAX_ADDRESS: usize = 255;

fn sync(call: &mut Call<'_, '_>) -> Done {
    let mut announced = call.core.server.replication.announced.lock();
    announced.entry(call.client.id()).or_default().old_sync = true;
    drop(announced);
    begin(call, None)
}

fn psync(call: &mut Call<'_, '_>) -> Done {
    let Some(number) = number::parse_i64(call.args.at(2)) else {
        let server = call.core.server;
        let port = server.replication.announced.lock().get(&call.client.id()).map_or(0, |announced| announced.port);
        let ip = call.client.card.addr.map_or_else(String::new, |addr| addr.ip().to_canonical().to_string());
        server.host.log(LogLevel::Notice, &log_text::primary::wrong_offset(&format!("{ip}:{port}")));
        return Err(error::common::NOT_INTEGER);
    };
    if call.client.card.is(Flag::Replica) {
        return Ok(());
    }
    let wish = ReplId::parse(call.args.at(1)).zip(ReplOffset::before_byte(number));
    if call.args.get(3).is_some_and(|word| word.eq_ignore_ascii_case(b"failover")) {
        take_over(call, wish)?;
    }
    begin(call, wish)
}

/// Our primary asks us to take its place: it will go on as a replica of ours.
fn take_over(call: &mut Call<'_, '_>, wish: Option<(ReplId, ReplOffset)>) -> Done {
    let server = call.core.server;
    let id = call.args.at(1);
    let text = log_text::failover::received(&String::from_utf8_lossy(id));
    server.host.log(LogLevel::Notice, &text);
    let history = server.journal.history();
    if !call.core.control().is_replica() {
        // Who asks again has not heard that we have: were it refused, there would be two primaries.
        let has_taken_over = wish.is_some_and(|(id, from)| {
            history.second.is_some_and(|(second, _)| second == id) && server.journal.can_continue(&id, from)
        });
        return if has_taken_over { Ok(()) } else { Err(error::replication::PSYNC_FAILOVER_PRIMARY) };
    }
    if ReplId::parse(id) != Some(history.id) {
        return Err(error::replication::PSYNC_FAILOVER_REPLID);
    }
    // Until the one that we were told to follow has been reached, what is here shows the id of the one before.
    if !server.replication.link.lock().has_stood {
        return Err(error::replication::PSYNC_FAILOVER_ELSEWHERE);
    }
    change_role(call.core, Role::Primary);
    let who = line::describe(call.core, &call.client.card);
    server.host.log(LogLevel::Notice, &log_text::failover::promoted(&who));
    Ok(())
}

fn failover(call: &mut Call<'_, '_>) -> Done {
    if call.core.control().cluster.is_some() {
        return Err(error::replication::FAILOVER_IN_CLUSTER);
    }
    let aborts = call.args.len() == 2 && call.args.at(1).eq_ignore_ascii_case(b"abort");
    if !aborts {
        failover::begin(call.core, &call.args)?;
    } else if !failover::abort(call.core, log_text::failover::ABORTED) {
        return Err(error::replication::FAILOVER_NONE);
    }
    call.client.out.ok();
    Ok(())
}

/// The client becomes a replica, from where it asks for or from a snapshot on.
fn begin(call: &mut Call<'_, '_>, wish: Option<(ReplId, ReplOffset)>) -> Done {
    let server = call.core.server;
    let client = &mut *call.client;
    if client.card.is(Flag::Replica) {
        return Ok(());
    }
    if failover::is_under_way(server) {
        return Err(error::replication::SYNC_WHILE_FAILING_OVER);
    }
    if let Role::Replica { online: false, .. } = call.core.control().role {
        return Err(error::replication::SYNC_WITHOUT_LINK);
    }
    if !client.out.is_empty() {
        return Err(error::replication::SYNC_PENDING_OUTPUT);
    }
    let announced: Announced = server.replication.announced.lock().remove(&client.id()).unwrap_or_default();
    let psync2 = announced.psync2;
    let replica = Arc::new(Replica {
        card: client.card.clone(),
        announced,
        stage: Mutex::new(Stage::Waits),
        sync: Mutex::new(None),
        acked: AtomicU64::new(0),
        fsynced: AtomicU64::new(0),
        acked_at: AtomicI64::new(server.engine.now().0),
        sent: AtomicU64::new(0),
        until: AtomicU64::new(u64::MAX),
        behind_since: AtomicI64::new(0),
        since: server.engine.now().0,
        has_acked: AtomicBool::new(false),
        has_all_so_far: AtomicBool::new(false),
    });
    let name = replica.name();
    let notice = |text: &str| server.host.log(LogLevel::Notice, text);
    notice(&log_text::primary::asks(&name));
    if !server.journal.is_awake() {
        let id = replication_id(&*server.host);
        server.journal.wake(id);
        notice(&log_text::primary::backlog_created(&id.to_string(), &ReplId::NONE.to_string()));
    }
    client.card.set(Flag::Replica, true);
    server.replication.replicas.lock().push(replica.clone());
    server.replication.alone_since.store(0, Ordering::Relaxed);
    let history = server.journal.history();
    if let Some((id, from)) = wish {
        if server.journal.can_continue(&id, from) {
            if psync2 {
                client.out.raw(format!("+CONTINUE {}\r\n", history.id).as_bytes());
            } else {
                client.out.raw(b"+CONTINUE\r\n");
            }
            let bytes = server.journal.end().0 - from.0;
            notice(&log_text::primary::partial_accepted(&name, bytes, from.next_byte()));
            *replica.stage.lock() = Stage::Online;
            replica.sent.store(from.0, Ordering::Relaxed);
            add(&call.core.counters.sync_partial_ok, 1);
            call.core.feeds.add(Feed::stream(&server.journal, replica, from));
            server.host.wake_control();
            return Ok(());
        }
        add(&call.core.counters.sync_partial_err, 1);
        if history.covers(&id, from) {
            notice(&log_text::primary::unable_to_partial(&name, &id.to_string(), from.next_byte()));
        } else {
            let second = history.second.map_or(ReplId::NONE, |(id, _)| id).to_string();
            notice(&log_text::primary::id_mismatch(&id.to_string(), &history.id.to_string(), &second));
        }
    } else {
        notice(&log_text::primary::full_resync(&name));
    }
    add(&call.core.counters.sync_full, 1);
    call.core.feeds.add(Feed::full(replica));
    primary::begin_sync(call.core);
    Ok(())
}

fn replicaof(call: &mut Call<'_, '_>) -> Done {
    let (host, port) = (call.args.at(1), call.args.at(2));
    let control = call.core.control();
    let server = call.core.server;
    if control.cluster.is_some() {
        return Err(error::replication::REPLICAOF_IN_CLUSTER);
    }
    if failover::is_under_way(server) {
        return Err(error::replication::REPLICAOF_FAILING_OVER);
    }
    let who = line::describe(call.core, &call.client.card);
    if host.eq_ignore_ascii_case(b"no") && port.eq_ignore_ascii_case(b"one") {
        if control.is_replica() {
            change_role(call.core, Role::Primary);
            server.host.log(LogLevel::Notice, &log_text::replica::promoted(&who));
        } else if control.guard.is_some() {
            call.core.publish_control(|control| control.guard = None);
        }
        call.client.out.ok();
        return Ok(());
    }
    if call.client.card.is(Flag::Replica) {
        return Err(error::replication::REPLICAOF_FROM_REPLICA);
    }
    let port = number::parse_i64(port).and_then(|n| u16::try_from(n).ok()).ok_or(error::replication::PRIMARY_PORT)?;
    let host = String::from_utf8_lossy(host).into_owned();
    if let Role::Replica { host: present, port: same, .. } = &control.role
        && present.eq_ignore_ascii_case(&host)
        && *same == port
    {
        call.client.out.status("OK Already connected to specified master");
        return Ok(());
    }
    server.host.log(LogLevel::Notice, &log_text::replica::following(&format!("{host}:{port}"), &who));
    change_role(call.core, Role::Replica { host, port, online: false });
    call.client.out.ok();
    Ok(())
}

/// Follows another primary, or none. The lease has the world.
pub(crate) fn change_role(core: &mut Core<'_>, role: Role) {
    let server = core.server;
    let was_replica = core.control().is_replica();
    let promoted = role == Role::Primary;
    *server.replication.link.lock() = LinkFacts { down_since: server.engine.now().0, ..LinkFacts::default() };
    if role == Role::Primary {
        let old = server.journal.history().id;
        let id = replication_id(&*server.host);
        server.journal.change_id(id);
        server.replication.id_is_given.store(false, Ordering::Relaxed);
        let at = server.journal.end().next_byte();
        server.host.log(LogLevel::Warning, &log_text::replica::second_id(&old.to_string(), at, &id.to_string()));
        server.replication.alone_since.store(server.engine.now().0, Ordering::Relaxed);
    }
    let endpoint = match &role {
        Role::Primary => None,
        Role::Replica { host, port, .. } => Some(config::Endpoint { host: host.clone().into_bytes(), port: *port }),
    };
    let becomes_replica = !was_replica && role != Role::Primary;
    core.publish_control(|control| {
        let mut config = config::Config::clone(&control.config);
        // Whom a node of a cluster follows stands in the node's file, and a configuration must not say it.
        config.replication.replicaof = endpoint.filter(|_| !config.cluster.enabled);
        control.config = Arc::new(config);
        control.role = role;
        control.guard = None;
        control.loading = false;
        control.async_loading = false;
    });
    // Behind the role: who reads the new generation reads the new role, and the link's thread may look at any moment.
    server.replication.generation.fetch_add(1, Ordering::AcqRel);
    server.hang_up();
    // In a failover that is done when it has succeeded.
    if becomes_replica && !failover::is_under_way(server) {
        unblock_all(server, &core.control());
    }
    // They come back and are told of the new id. Whose server follows another primary stay for now: if its history is
    // this one, they go on with it.
    if promoted {
        server.disconnect_replicas();
    }
    server.replication.idle.wake(0);
    server.host.wake_control();
}

/// Tells all clients that wait for keys or replicas that this server is a replica now. Who only reads, and has said so, goes on
/// waiting; who can go elsewhere is told where; the others are disconnected, so that they look for the primary.
pub(crate) fn unblock_all(server: &Server, control: &Control) {
    for card in server.cards.all() {
        if !card.is(Flag::Blocked) || card.is(Flag::Paused) {
            continue;
        }
        let last = RowId(card.last_command.load(Ordering::Relaxed) as u16);
        let writes = last.index() >= server.registry.id_count() || server.registry.row(last).has(Flags::WRITE);
        if card.is(Flag::ReadOnly) && !writes {
            continue;
        }
        let waits_for_keys = card.wait.lock().is_some();
        match &control.role {
            Role::Replica { host, port, .. } if waits_for_keys && card.is(Flag::CapaRedirect) => {
                server.unblock(&card, Some(error::common::redirect(host.as_bytes(), *port)));
            }
            _ => {
                if server.unblock(&card, Some(error::client::UNBLOCKED_ROLE_CHANGE)) {
                    server.mailboxes[card.thread].post(Letter::Kill { client: card.id, after_reply: true });
                }
            }
        }
    }
}

fn role(call: &mut Call<'_, '_>) -> Done {
    let control = call.core.control();
    let server: &Server = call.core.server;
    let out = &mut call.client.out;
    if let Some(watch) = server.sentinel.get() {
        watch.role(out);
        return Ok(());
    }
    let end = server.journal.end().0 as i64;
    match &control.role {
        Role::Primary => {
            let replicas: Vec<_> = server.replication.replicas.lock().clone();
            let online: Vec<_> = replicas.iter().filter(|replica| replica.stage() == Stage::Online).collect();
            out.array(3);
            out.bulk(b"master");
            out.integer(end);
            out.array(online.len());
            for replica in online {
                out.array(3);
                out.bulk(replica.ip().as_bytes());
                out.bulk(replica.announced.port.to_string().as_bytes());
                out.bulk(replica.acked.load(Ordering::Relaxed).to_string().as_bytes());
            }
        }
        Role::Replica { host, port, .. } => {
            out.array(5);
            out.bulk(b"slave");
            out.bulk(host.as_bytes());
            out.integer(i64::from(*port));
            out.bulk(server.replication.link.lock().stage.name().as_bytes());
            out.integer(if server.journal.is_awake() { end } else { -1 });
        }
    }
    Ok(())
}

fn wait(call: &mut Call<'_, '_>) -> Done {
    if call.core.control().is_replica() {
        return Err(error::replication::WAIT_ON_REPLICA);
    }
    let wanted = number::parse_i64(call.args.at(1)).ok_or(error::common::NOT_INTEGER)?;
    let deadline = deadline(call, 2)?;
    let offset = call.client.write_offset;
    begin_wait(call, Waiting::Replicas { wanted, offset, deadline })
}

fn waitaof(call: &mut Call<'_, '_>) -> Done {
    let local = number::parse_i64(call.args.at(1)).ok_or(error::common::NOT_INTEGER)?;
    if !(0..=1).contains(&local) {
        return Err(error::common::out_of_range_between(0, 1));
    }
    let replicas = number::parse_i64(call.args.at(2)).ok_or(error::common::NOT_INTEGER)?;
    if replicas < 0 {
        return Err(error::common::MUST_BE_POSITIVE);
    }
    let deadline = deadline(call, 3)?;
    if call.core.control().is_replica() {
        return Err(error::replication::WAITAOF_ON_REPLICA);
    }
    if local > 0 && !call.core.control().config.aof.appendonly {
        return Err(error::replication::WAITAOF_WITHOUT_AOF);
    }
    let offset = call.client.write_offset;
    begin_wait(call, Waiting::Durable { local, replicas, offset, deadline })
}

/// When a wait ends whose timeout in ms is argument `at`; 0 is never.
fn deadline(call: &Call<'_, '_>, at: usize) -> Result<Option<UnixMillis>, Error> {
    let timeout = number::parse_i64(call.args.at(at)).ok_or(error::common::TIMEOUT_NOT_INTEGER)?;
    if timeout < 0 {
        return Err(error::common::TIMEOUT_NEGATIVE);
    }
    let end = call.core.server.engine.now().0.checked_add(timeout).ok_or(error::common::TIMEOUT_OUT_OF_RANGE)?;
    Ok((timeout > 0).then_some(UnixMillis(end)))
}

fn begin_wait(call: &mut Call<'_, '_>, waiting: Waiting) -> Done {
    call.client.waiting = waiting;
    let at_once = call.core.in_exec;
    if !wait_is_over(call.core, call.client, at_once) {
        call.core.server.replication.waited.store(true, Ordering::Relaxed);
        call.core.wants_acks = true;
    }
    Ok(())
}

/// Answers a client in WAIT or WAITAOF if it has what it wants, or if its time is over.
pub(crate) fn wait_is_over(core: &Core<'_>, client: &mut Client, timed_out: bool) -> bool {
    let server = core.server;
    match client.waiting {
        Waiting::Replicas { wanted, offset, .. } => {
            let reached = server.replicas_at(offset);
            if reached < wanted && !timed_out {
                return false;
            }
            client.out.integer(reached);
        }
        Waiting::Durable { local, replicas, offset, .. } => {
            if local > 0 && !server.aof_on.load(Ordering::Acquire) {
                let error = error::replication::WAITAOF_WITHOUT_AOF;
                core.note_error(error.code());
                client.out.error(&error);
            } else {
                let here = i64::from(server.host.durable_offset().is_some_and(|durable| durable >= offset));
                let there = server.replicas_durable_at(offset);
                if (here < local || there < replicas) && !timed_out {
                    return false;
                }
                client.out.array(2);
                client.out.integer(here);
                client.out.integer(there);
            }
        }
        Waiting::Replicated { wanted, offset, .. } => {
            if server.replicas_at(offset) >= wanted {
                if let Waiting::Replicated { args, .. } = std::mem::take(&mut client.waiting) {
                    client.waiting = Waiting::Parked(args);
                }
                client.replicated = true;
                return true;
            }
            if !timed_out {
                return false;
            }
            let error = error::common::NOREPLICAS;
            core.note_error(error.code());
            client.out.error(&error);
        }
        _ => return false,
    }
    client.waiting = Waiting::No;
    client.card.set(Flag::Blocked, false);
    true
}

#[cfg(test)]
mod tests {
    use journal::{ReplId, ReplOffset};

    use crate::replication::replica::resume_point;
    use crate::testing::{Node, Peer};

    const ID: &[u8; 40] = b"0123456789012345678901234567890123456789";

    /// A replica that has everything so far.
    fn follow(node: &mut Node, from: ReplOffset) -> (Peer, String) {
        let replica = node.connect();
        assert_eq!(node.say(replica, "REPLCONF listening-port 7777"), "+OK\r\n");
        assert_eq!(node.say(replica, "REPLCONF capa eof capa psync2"), "+OK\r\n");
        let id = String::from_utf8_lossy(ID).into_owned();
        let answer = node.say(replica, &format!("PSYNC {id} {}", from.next_byte()));
        (replica, answer)
    }

    fn awake() -> Node {
        let node = Node::start("");
        node.server.journal.wake(ReplId::parse(ID).expect("an id"));
        node
    }

    #[test]
    fn a_replica_is_sent_what_it_lacks_and_what_follows() {
        let mut node = awake();
        let a = node.connect();
        let from = node.server.journal.end();
        node.say(a, "SET k 1");
        let (replica, answer) = follow(&mut node, from);
        assert_eq!(answer, format!("+CONTINUE {}\r\n", String::from_utf8_lossy(ID)));
        let select = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n";
        assert_eq!(node.streamed(replica), format!("{select}*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n"));
        node.say(a, "SET k 2");
        assert_eq!(node.streamed(replica), "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n2\r\n");
        assert!(node.say(a, "CLIENT LIST ID 2").contains(" flags=S "));
        assert!(node.say(a, "ROLE").contains("$9\r\n127.0.0.1\r\n$4\r\n7777\r\n"));
    }

    #[test]
    fn wait_ends_with_the_acknowledgement_and_not_before() {
        let mut node = awake();
        let a = node.connect();
        let end = node.server.journal.end();
        let (replica, _) = follow(&mut node, end);
        node.say(a, "SET k 1");
        let written = node.server.journal.end();
        assert_eq!(node.say(a, "WAIT 1 0"), "");
        assert!(node.streamed(replica).ends_with("*3\r\n$8\r\nREPLCONF\r\n$6\r\nGETACK\r\n$1\r\n*\r\n"));
        assert_eq!(node.say(replica, &format!("REPLCONF ACK {}", written.0 - 1)), "");
        assert_eq!(node.heard(a), "");
        assert_eq!(node.say(replica, &format!("REPLCONF ACK {written}")), "");
        assert_eq!(node.heard(a), ":1\r\n");
        node.close(replica);
        assert_eq!(node.say(a, "WAIT 0 0"), ":0\r\n");
    }

    #[test]
    fn a_history_that_is_not_ours_gets_no_partial_sync() {
        let mut node = awake();
        let beyond = ReplOffset(node.server.journal.end().0 + 1);
        let (replica, answer) = follow(&mut node, beyond);
        assert!(answer.starts_with("+FULLRESYNC ") || answer.is_empty(), "{answer}");
        assert_eq!(node.streamed(replica), "", "nothing of the stream before the snapshot");
    }

    #[test]
    fn a_new_replica_takes_no_writes_and_a_promoted_one_does() {
        let mut node = awake();
        let (a, blocked) = (node.connect(), node.connect());
        node.say(a, "SET k 1");
        assert_eq!(node.say(blocked, "BLPOP q 0"), "");
        assert_eq!(node.say(a, "REPLICAOF h 70000"), "-ERR Invalid master port\r\n");
        assert_eq!(node.say(a, "REPLICAOF h 7"), "+OK\r\n");
        assert_eq!(node.say(a, "REPLICAOF H 7"), "+OK Already connected to specified master\r\n");
        assert!(node.heard(blocked).starts_with("-UNBLOCKED "));
        assert!(node.say(a, "SET k 2").starts_with("-READONLY "));
        assert!(node.say(a, "ROLE").starts_with("*5\r\n$5\r\nslave\r\n$1\r\nh\r\n:7\r\n$7\r\nconnect\r\n"));
        let before = node.server.journal.end();
        assert_eq!(node.say(a, "REPLICAOF NO ONE"), "+OK\r\n");
        let history = node.server.journal.history();
        assert_eq!(history.second, Some((ReplId::parse(ID).expect("an id"), before)));
        assert_eq!(resume_point(node.server), history.second, "the former history is here to its end");
        assert_eq!(node.say(a, "SET k 3"), "+OK\r\n");
        assert_eq!(resume_point(node.server), Some((history.id, node.server.journal.end())));
    }

    #[test]
    fn who_can_go_elsewhere_is_sent_to_the_primary() {
        let mut node = awake();
        let (a, b, c) = (node.connect(), node.connect(), node.connect());
        for who in [a, b] {
            node.say(who, "CLIENT CAPA redirect");
        }
        node.send(a, b"MULTI\r\nSET k v\r\n");
        node.heard(a);
        node.say(b, "BLPOP q 0");
        node.say(c, "BLPOP q 0");
        let admin = node.connect();
        node.say(admin, "REPLICAOF h 7");
        assert_eq!(node.say(a, "EXEC"), "-REDIRECT h:7\r\n");
        assert_eq!(node.heard(b), "-REDIRECT h:7\r\n");
        assert!(node.heard(c).starts_with("-UNBLOCKED ") && node.is_closing(c));
        assert_eq!(node.say(a, "GET k"), "-REDIRECT h:7\r\n");
        assert_eq!(node.say(a, "PING"), "+PONG\r\n");
        assert_eq!(node.say(a, "READONLY"), "+OK\r\n");
        assert_eq!(node.say(a, "GET k"), "$-1\r\n");
        assert_eq!(node.say(a, "SET k v"), "-REDIRECT h:7\r\n");
    }

    #[test]
    fn local_writes_of_a_writable_replica_are_in_no_journal() {
        let mut node = awake();
        let a = node.connect();
        node.say(a, "REPLICAOF h 7");
        node.say(a, "CONFIG SET replica-read-only no");
        let end = node.server.journal.end();
        assert_eq!(node.say(a, "SET k 1"), "+OK\r\n");
        node.send(a, b"MULTI\r\nSET k 2\r\nPUBLISH c m\r\nEXEC\r\n");
        node.say(a, "PUBLISH c m");
        assert_eq!(node.server.journal.end(), end);
    }
}
