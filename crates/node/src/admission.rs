//! Whether a command may run: the questions, in the order in which Redis asks them, so that a command with two faults gets
//! the error that users know.

use acl::{Asked, Denied, User, Users};
use command::context::Env;
use command::registry::RowId;
use command::row::{Flags, Row};
use command::traits::{Permit, Traits};
use resp::args::Args;
use resp::error::{self, Error};
use resp::reply::Proto;
use session::{Client, Flag};

use crate::cluster::route;
use crate::control::{Control, Pause, PauseReason, Role};

/// The name that clients look for in LOADING and MISCONF texts.
pub(crate) const PRODUCT: &str = "Redis";

/// What becomes of a command.
#[derive(Debug)]
pub enum Admission {
    /// It runs.
    Run,
    /// It waits for the end of the pause.
    Pause,
    /// The client gets this error; an open transaction is aborted.
    Refuse(Error),
    /// The same, because its user may not do this; that goes into the log of denials.
    Deny(Denied),
    /// It belongs to another node, or nowhere for now; an open transaction is aborted.
    Redirect(Error),
}

/// Circumstances of one command that are not in the control value.
#[derive(Clone, Copy, Default)]
pub struct Circumstances {
    /// Memory in use is above `maxmemory`.
    pub out_of_memory: bool,
    /// Fewer replicas than `min-replicas-to-write` asks for are close enough.
    pub too_few_replicas: bool,
    /// The bus has not been looked at for so long that the others may have replaced this node.
    pub bus_is_deaf: bool,
    /// The command comes from EXEC: the pause was asked for the transaction as a whole.
    pub in_exec: bool,
}

/// Whether a client need not say who it is: it has done so, or everybody is let in.
pub fn may_enter(users: &Users, client: &Client) -> bool {
    client.authenticated || users.open()
}

/// A command as its user's rights are looked at.
pub fn asked<'a>(control: &Control, client: &Client, id: RowId, row: &'static Row, args: Args<'a>) -> Asked<'a> {
    let db = client.multi.as_ref().map_or(client.db, |multi| multi.db);
    Asked { id, row, args, db: u32::from(db.0), databases: u32::from(control.env.databases) }
}

/// What a command may depend on, when that is less than for others: one that reads by patterns, of a user that may not read
/// every key. Nothing for all the rest.
pub fn narrowed(
    control: &Control,
    client: &Client,
    id: RowId,
    row: &'static Row,
    args: Args<'_>,
    env: &Env,
) -> Option<Env> {
    if control.users.is_free(client.user) || !row.is(Traits::READS_BY_PATTERN) {
        return None;
    }
    let may_read = |user: &User| user.may_read_everything(&asked(control, client, id, row, args));
    let narrow = !control.users.get(client.user).is_some_and(may_read);
    narrow.then(|| Env { named_keys_only: true, ..env.clone() })
}

/// Judges a command. Arity has been checked.
pub fn judge(
    control: &Control,
    client: &Client,
    id: RowId,
    row: &'static Row,
    args: Args<'_>,
    how: &Circumstances,
) -> Admission {
    use Admission::Refuse;
    let flags = row.flags;
    if !flags.contains(Flags::NO_AUTH) && !may_enter(&control.users, client) {
        return Refuse(error::common::NOAUTH);
    }
    if row.permit == Some(Permit::Debug)
        && let Err(error) = crate::commands::debug::may_use(control, client, &args)
    {
        return Refuse(error);
    }
    if client.multi.is_some() && !how.in_exec && flags.contains(Flags::NO_MULTI) {
        return Refuse(error::multi::not_in_multi(row.fullname));
    }
    if !control.users.is_free(client.user)
        && let Err(denied) = control.users.check(client.user, &asked(control, client, id, row, args))
    {
        return Admission::Deny(denied);
    }
    if let Some(view) = &control.cluster
        && !how.in_exec
        && route::concerns(row)
        && let Err(error) = route::route(control, view, client, row, args, how.bus_is_deaf)
    {
        return Admission::Redirect(error);
    }
    if how.in_exec {
        // The rest was asked of EXEC, for all its commands at once.
        return Admission::Run;
    }
    let writes = flags.contains(Flags::WRITE);
    // What EXEC may do in a state in which only some commands may: what the last of its commands may.
    let may_in = |flag: Flags| flags.contains(flag) && (!is_exec(row) || queue_all_have(client, flag));
    let has = |flag: Flags| flags.contains(flag) || is_exec(row) && queue_has(client, flag);
    let exec_writes = is_exec(row) && queue_has(client, Flags::WRITE);
    // Who can go elsewhere is sent to the primary. While it is not certain who that is, it waits.
    if let Role::Replica { host, port, .. } = &control.role
        && client.card.is(Flag::CapaRedirect)
        && (has(Flags::WRITE) || has(Flags::READONLY) && !client.card.is(Flag::ReadOnly))
    {
        let failing_over = control.pauses[PauseReason::Failover as usize].what != Pause::None;
        return if failing_over { Admission::Pause } else { Refuse(error::common::redirect(host.as_bytes(), *port)) };
    }
    if how.out_of_memory && (flags.contains(Flags::DENYOOM) || is_exec(row) && queue_has(client, Flags::DENYOOM)) {
        return Refuse(error::common::OOM);
    }
    if !control.is_replica() && (writes || exec_writes || row.is(Traits::TELLS_HEALTH)) {
        if control.snapshot_failed {
            return Refuse(error::common::misconf_rdb(PRODUCT));
        }
        if let Some(reason) = &control.aof_failed {
            return Refuse(error::common::misconf_aof(reason));
        }
    }
    if !control.is_replica() && (writes || exec_writes) && how.too_few_replicas {
        return Refuse(error::common::NOREPLICAS);
    }
    if control.guard.is_some() && !control.is_replica() && (writes || exec_writes) {
        return Refuse(error::replication::GUARDED);
    }
    if control.is_replica() && control.config.replication.replica_read_only && (writes || exec_writes) {
        return Refuse(error::common::READONLY);
    }
    if client.is_subscribed() && client.out.proto == Proto::Resp2 && !row.is(Traits::WHILE_SUBSCRIBED) {
        return Refuse(error::common::not_in_pubsub(row.fullname));
    }
    if let Role::Replica { online: false, .. } = control.role
        && !control.config.replication.replica_serve_stale_data
        && !may_in(Flags::STALE)
    {
        return Refuse(error::common::MASTERDOWN);
    }
    if control.loading && !may_in(Flags::LOADING) || control.async_loading && has(Flags::NO_ASYNC_LOADING) {
        return Refuse(error::common::loading(PRODUCT));
    }
    // A pause must not be got round by calling oneself a replica, whom it does not concern.
    if client.card.is(Flag::Replica) && (has(Flags::WRITE) || has(Flags::MAY_REPLICATE) || has(Flags::READONLY)) {
        return Refuse(error::replication::REPLICA_KEYSPACE);
    }
    if control.pause != Pause::None && !how.in_exec && !client.card.is(Flag::Replica) {
        let waits = control.pause == Pause::All
            || writes
            || flags.contains(Flags::MAY_REPLICATE)
            || exec_writes
            || is_exec(row) && queue_has(client, Flags::MAY_REPLICATE);
        let queued = client.multi.is_some() && !is_exec(row);
        if waits && !queued {
            return Admission::Pause;
        }
    }
    Admission::Run
}

fn is_exec(row: &Row) -> bool {
    row.is(Traits::RUNS_QUEUE)
}

fn queue_all_have(client: &Client, flag: Flags) -> bool {
    client.multi.as_ref().is_none_or(|multi| multi.common.contains(flag))
}

fn queue_has(client: &Client, flag: Flags) -> bool {
    client.multi.as_ref().is_some_and(|multi| multi.flags.contains(flag))
}
