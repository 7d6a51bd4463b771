//! AUTH, HELLO, PING, ECHO, SELECT, QUIT, RESET.

use std::sync::atomic::Ordering;

use acl::UserId;
use keyspace::DbIndex;
use resp::error::{self, Error};
use resp::reply::Proto;
use session::{Client, Flag, ReplyMode};
use structures::number;

use super::{Call, ControlBinding, Done, free};
use crate::denials;
use crate::execute::Core;
use crate::transaction;

pub(super) const TABLE: &[ControlBinding] = &[
    free("ping", ping),
    free("echo", echo),
    free("select", select),
    free("auth", auth),
    free("hello", hello),
    free("quit", quit),
    free("reset", reset),
];

fn ping(call: &mut Call<'_, '_>) -> Done {
    if call.args.len() > 2 {
        return Err(error::common::wrong_arity("ping"));
    }
    let out = &mut call.client.out;
    let message = call.args.get(1);
    if out.proto == Proto::Resp2 && call.client.subscriptions.iter().any(|s| !s.is_empty()) {
        out.array(2);
        out.bulk(b"pong");
        out.bulk(message.unwrap_or_default());
    } else if let Some(message) = message {
        out.bulk(message);
    } else {
        out.status("PONG");
    }
    Ok(())
}

fn echo(call: &mut Call<'_, '_>) -> Done {
    call.client.out.bulk(call.args.at(1));
    Ok(())
}

fn select(call: &mut Call<'_, '_>) -> Done {
    let databases = call.core.control().env.databases;
    match number::parse_i64(call.args.at(1)) {
        None => Err(error::common::NOT_INTEGER),
        Some(n) if n < 0 || n >= i64::from(databases) => Err(error::common::DB_OUT_OF_RANGE),
        Some(n) => {
            set_db(call.client, DbIndex(n as u16));
            call.client.out.ok();
            Ok(())
        }
    }
}

fn set_db(client: &mut Client, db: DbIndex) {
    client.db = db;
    client.card.db.store(u32::from(db.0), Ordering::Relaxed);
}

/// Makes a client another user.
pub(crate) fn become_user(client: &mut Client, user: UserId, name: &[u8]) {
    client.user = user;
    client.card.texts.lock().user = name.to_vec();
}

/// Lets a client in as a user, or says why not. `verb` is how it asked.
fn authenticate(core: &mut Core<'_>, client: &mut Client, user: &[u8], password: &[u8], verb: &[u8]) -> Done {
    match core.control().users.authenticate(user, password) {
        Some(id) => {
            client.authenticated = true;
            client.known = true;
            become_user(client, id, user);
            Ok(())
        }
        None => {
            denials::note_failed_login(core, client, user, verb);
            Err(error::acl::WRONGPASS)
        }
    }
}

fn auth(call: &mut Call<'_, '_>) -> Done {
    let (user, password) = match call.args.len() {
        2 => {
            if call.core.control().users.default_user().nopass {
                return Err(error::acl::AUTH_WITHOUT_PASSWORD);
            }
            (acl::DEFAULT_USER, call.args.at(1))
        }
        3 => (call.args.at(1), call.args.at(2)),
        _ => return Err(error::common::SYNTAX),
    };
    authenticate(call.core, call.client, user, password, call.args.at(0))?;
    call.client.out.ok();
    Ok(())
}

fn hello(call: &mut Call<'_, '_>) -> Done {
    let mut proto = None;
    let mut next = 1;
    if let Some(arg) = call.args.get(1) {
        proto = match number::parse_i64(arg) {
            None => return Err(error::client::HELLO_VERSION),
            Some(2) => Some(Proto::Resp2),
            Some(3) => Some(Proto::Resp3),
            Some(_) => return Err(error::client::NOPROTO),
        };
        next = 2;
    }
    let (mut credentials, mut name) = (None, None);
    while let Some(option) = call.args.get(next) {
        let more = call.args.len() - next - 1;
        if option.eq_ignore_ascii_case(b"auth") && more >= 2 {
            credentials = Some((call.args.at(next + 1), call.args.at(next + 2)));
            next += 3;
        } else if option.eq_ignore_ascii_case(b"setname") && more >= 1 {
            name = Some(call.args.at(next + 1));
            check_name(call.args.at(next + 1))?;
            next += 2;
        } else {
            return Err(error::client::hello_option(option));
        }
    }
    if let Some((user, password)) = credentials {
        authenticate(call.core, call.client, user, password, call.args.at(0))?;
    }
    if !call.client.authenticated {
        return Err(error::client::HELLO_NOAUTH);
    }
    if let Some(name) = name {
        call.client.card.texts.lock().name = name.to_vec();
    }
    if let Some(proto) = proto {
        call.client.out.proto = proto;
        call.client.card.resp.store(proto.number() as u32, Ordering::Relaxed);
    }
    let control = call.core.control();
    let id = call.client.id();
    let out = &mut call.client.out;
    let zone = &control.config.cluster.availability_zone;
    let is_sentinel = call.core.server.is_sentinel();
    out.map(6 + usize::from(!is_sentinel) + usize::from(!zone.is_empty()));
    out.bulk(b"server");
    out.bulk(b"rubellite");
    out.bulk(b"version");
    out.bulk(super::COMPATIBLE_VERSION.as_bytes());
    out.bulk(b"proto");
    out.integer(out.proto.number());
    out.bulk(b"id");
    out.integer(id as i64);
    out.bulk(b"mode");
    if is_sentinel {
        out.bulk(b"sentinel");
    } else {
        out.bulk(b"standalone");
        out.bulk(b"role");
        out.bulk(if control.is_replica() { b"replica" } else { b"master" });
    }
    out.bulk(b"modules");
    out.array(0);
    if !zone.is_empty() {
        out.bulk(b"availability_zone");
        out.bulk(zone);
    }
    Ok(())
}

/// Names must survive CLIENT LIST: no spaces, no control characters.
pub(crate) fn check_name(name: &[u8]) -> Result<(), Error> {
    if name.iter().all(|b| (b'!'..=b'~').contains(b)) { Ok(()) } else { Err(error::client::NAME) }
}

fn quit(call: &mut Call<'_, '_>) -> Done {
    call.client.out.ok();
    call.client.close_after_reply = true;
    Ok(())
}

fn reset(call: &mut Call<'_, '_>) -> Done {
    let (core, client) = (&mut *call.core, &mut *call.client);
    transaction::discard(core, client);
    super::pubsub::unsubscribe_all(core, client);
    super::monitor::leave(core, client);
    set_db(client, DbIndex(0));
    client.out.proto = Proto::Resp2;
    client.card.resp.store(2, Ordering::Relaxed);
    client.reply_mode = ReplyMode::On;
    for flag in [Flag::NoTouch, Flag::NoEvict, Flag::ReadOnly, Flag::ImportSource] {
        client.card.set(flag, false);
    }
    client.card.texts.lock().name.clear();
    become_user(client, UserId::DEFAULT, acl::DEFAULT_USER);
    client.authenticated = core.control().users.open();
    client.out.status("RESET");
    Ok(())
}
