//! MIGRATE: moves keys to another server, each of them being here or there and never in between.
//!
//! The command encodes the values under the locks of their keys; what happens then is told in [`crate::migrate`]. A key that
//! the target refuses stays, and the others go: the reply names the first refusal. To replicas and the append-only file a
//! migration is the DEL of what has gone.

use std::time::Duration;

use keyspace::UnixMillis;
use rdb::encode::Form;
use rdb::{Version, dump};
use resp::args::Args;
use resp::encode;
use resp::error::{self, Error};
use session::Waiting;
use structures::number;

use super::{Call, ControlBinding, Done, keys};
use crate::execute::prepare;
use crate::migrate::{Order, Prepared};

pub(super) const TABLE: &[ControlBinding] = &[keys("migrate", migrate)];

/// What a timeout of nothing means.
const TIMEOUT_MS: i64 = 1000;

/// The options and the numbers of a call.
struct Options<'a> {
    copy: bool,
    replace: bool,
    auth: Vec<&'a [u8]>,
    names: Vec<&'a [u8]>,
    db: i64,
    timeout: Duration,
}

impl<'a> Options<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, Error> {
        let (mut copy, mut replace, mut auth) = (false, false, Vec::new());
        let mut names = vec![args.at(3)];
        let mut at = 6;
        while let Some(word) = args.get(at) {
            let more = args.len() - at - 1;
            at += 1;
            if word.eq_ignore_ascii_case(b"copy") {
                copy = true;
            } else if word.eq_ignore_ascii_case(b"replace") {
                replace = true;
            } else if word.eq_ignore_ascii_case(b"auth") && more >= 1 {
                // A user that AUTH2 has named before stays named.
                auth.truncate(auth.len().saturating_sub(1));
                auth.push(args.at(at));
                at += 1;
            } else if word.eq_ignore_ascii_case(b"auth2") && more >= 2 {
                auth = vec![args.at(at), args.at(at + 1)];
                at += 2;
            } else if word.eq_ignore_ascii_case(b"keys") {
                if !args.at(3).is_empty() {
                    return Err(error::keys::MIGRATE_KEYS);
                }
                names = args.from(at).iter().collect();
                break;
            } else {
                return Err(error::common::SYNTAX);
            }
        }
        let timeout = number::parse_i64(args.at(5)).ok_or(error::common::NOT_INTEGER)?;
        let db = number::parse_i64(args.at(4)).ok_or(error::common::NOT_INTEGER)?;
        let timeout = if timeout <= 0 { TIMEOUT_MS } else { timeout };
        Ok(Options { copy, replace, auth, names, db, timeout: Duration::from_millis(timeout.unsigned_abs()) })
    }
}

fn migrate(call: &mut Call<'_, '_>) -> Done {
    let options = Options::parse(&call.args)?;
    let Some(prepared) = encode_keys(call, &options) else {
        call.client.out.status("NOKEY");
        return Ok(());
    };
    if call.core.in_exec {
        call.core.migrate_now(call.client.db, &prepared)?;
        call.client.out.ok();
        return Ok(());
    }
    call.client.waiting = Waiting::Action;
    call.core.begin_migration(call.client.id(), call.client.db, prepared);
    Ok(())
}

/// The keys that are there, as RESTOREs; `None` if there is none.
fn encode_keys(call: &mut Call<'_, '_>, options: &Options<'_>) -> Option<Prepared> {
    let control = call.core.control();
    let form = Form { version: Version(control.env.rdb_version as u16), compress: true };
    let verb: &[u8] = if control.config.cluster.enabled { b"RESTORE-ASKING" } else { b"RESTORE" };
    let mut space = call.core.lease.space(call.client.db);
    prepare(&mut space, &control, &control.env, call.client, call.row.has(command::row::Flags::WRITE));
    let now = space.now;
    let (mut restores, mut names): (Vec<u8>, Vec<Box<[u8]>>) = (Vec::new(), Vec::new());
    let mut payload = Vec::new();
    for name in &options.names {
        let Some(view) = space.glance(&space.key(name)).filter(|view| !view.is_expired(now)) else { continue };
        payload.clear();
        if dump::write(form, &mut payload, view.payload()).is_err() {
            continue;
        }
        let ttl = view.expire().map_or(0, |UnixMillis(at)| (at - now.0).max(1));
        let ttl = ttl.to_string();
        let words = [verb, name, ttl.as_bytes(), &payload, b"REPLACE"];
        encode::command(&mut restores, &words[..if options.replace { 5 } else { 4 }]);
        names.push((*name).into());
    }
    if names.is_empty() {
        return None;
    }
    let mut auth = Vec::new();
    if !options.auth.is_empty() {
        let words: Vec<&[u8]> = std::iter::once(&b"AUTH"[..]).chain(options.auth.iter().copied()).collect();
        encode::command(&mut auth, &words);
    }
    let order = Order {
        host: call.args.at(1).to_vec(),
        port: call.args.at(2).to_vec(),
        timeout: options.timeout,
        auth,
        db: options.db,
        requests: restores,
        keys: names.len(),
    };
    Some(Prepared { order, names, copies: options.copy })
}
