//! SUBSCRIBE and its kin, PUBLISH, PUBSUB.

use std::sync::atomic::Ordering;

use ::cluster::Slot;
use pubsub::{Kind, Subscriber};
use resp::error;
use resp::reply::Proto;
use session::{Client, Flag, Letter};

use super::{Call, ControlBinding, Done, free};
use crate::execute::Core;
use crate::hooks::publish as publish_message;
use crate::server::Server;

pub(super) const TABLE: &[ControlBinding] = &[
    free("subscribe", |c| subscribe(c, Kind::Channel)),
    free("psubscribe", |c| subscribe(c, Kind::Pattern)),
    free("ssubscribe", |c| subscribe(c, Kind::Shard)),
    free("unsubscribe", |c| unsubscribe(c, Kind::Channel)),
    free("punsubscribe", |c| unsubscribe(c, Kind::Pattern)),
    free("sunsubscribe", |c| unsubscribe(c, Kind::Shard)),
    free("publish", publish),
    free("spublish", spublish),
    free("pubsub|channels", |c| channels(c, Kind::Channel)),
    free("pubsub|shardchannels", |c| channels(c, Kind::Shard)),
    free("pubsub|numsub", |c| numsub(c, Kind::Channel)),
    free("pubsub|shardnumsub", |c| numsub(c, Kind::Shard)),
    free("pubsub|numpat", numpat),
    free("pubsub|help", super::help::help),
];

fn index(kind: Kind) -> usize {
    kind as usize
}

fn note(client: &mut Client, kind: Kind) {
    client.card.subscriptions[index(kind)].store(client.subscriptions[index(kind)].len() as u32, Ordering::Relaxed);
    client.card.set(Flag::PubSub, client.is_subscribed());
}

fn subscribe(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    let (core, client) = (&mut *call.core, &mut *call.client);
    if core.in_exec && client.out.proto == resp::reply::Proto::Resp2 && core.control().env_no_block.cluster {
        return Err(error::common::SYNTAX);
    }
    let who = Subscriber { client: client.id(), thread: core.me };
    for name in call.args.from(1).iter() {
        if client.subscriptions[index(kind)].insert(name.into()) {
            core.server.pubsub.subscribe(kind, name, who);
        }
        confirm(client, kind.subscribe_word(), Some(name), kind);
    }
    note(client, kind);
    Ok(())
}

fn unsubscribe(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    let (core, client) = (&mut *call.core, &mut *call.client);
    let who = Subscriber { client: client.id(), thread: core.me };
    let names: Vec<Box<[u8]>> = if call.args.len() > 1 {
        call.args.from(1).iter().map(Into::into).collect()
    } else {
        client.subscriptions[index(kind)].iter().cloned().collect()
    };
    if names.is_empty() {
        confirm(client, kind.unsubscribe_word(), None, kind);
    }
    for name in names {
        if client.subscriptions[index(kind)].remove(&name) {
            core.server.pubsub.unsubscribe(kind, &name, who);
        }
        confirm(client, kind.unsubscribe_word(), Some(&name), kind);
    }
    note(client, kind);
    Ok(())
}

fn confirm(client: &mut Client, word: &[u8], name: Option<&[u8]>, kind: Kind) {
    let count = client.subscription_count(kind);
    let start = client.out.len();
    client.out.push(3);
    client.out.bulk(word);
    match name {
        Some(name) => client.out.bulk(name),
        None => client.out.null(),
    }
    client.out.integer(count as i64);
    client.keep_pushed(start);
}

/// A shard channel has left this node: the client is told that its subscription has ended.
pub(crate) fn shard_lost(client: &mut Client, channel: &[u8]) {
    if client.subscriptions[index(Kind::Shard)].remove(channel) {
        confirm(client, Kind::Shard.unsubscribe_word(), Some(channel), Kind::Shard);
        note(client, Kind::Shard);
    }
}

/// Cancels all subscriptions without a word (RESET, a closed connection).
pub(crate) fn unsubscribe_all(core: &mut Core<'_>, client: &mut Client) {
    let who = Subscriber { client: client.id(), thread: core.me };
    for kind in [Kind::Channel, Kind::Pattern, Kind::Shard] {
        for name in client.subscriptions[index(kind)].drain() {
            core.server.pubsub.unsubscribe(kind, &name, who);
        }
        note(client, kind);
    }
}

fn publish(call: &mut Call<'_, '_>) -> Done {
    let (channel, message) = (call.args.at(1), call.args.at(2));
    if let Some(watch) = call.core.server.sentinel.get() {
        return watch.publish(call.core.server, channel, message, &mut call.client.out);
    }
    let reached = publish_message(call.core.server, channel, message, 0);
    if !tell_cluster(call, channel, message, false) {
        call.core.log(call.client.db, &[b"PUBLISH", channel, message], true);
    }
    call.client.out.integer(reached as i64);
    Ok(())
}

/// Sends a message to the other nodes, if this is one: replicas are among them. What came from a primary has reached them
/// already.
fn tell_cluster(call: &mut Call<'_, '_>, channel: &[u8], message: &[u8], sharded: bool) -> bool {
    let server = call.core.server;
    let Some(node) = &server.cluster else { return false };
    if !call.client.card.is(Flag::Primary) {
        let now = server.engine.now();
        node.with(|machine, out| machine.publish(now, channel, message, sharded, out));
        if !call.core.carry_out() {
            server.host.wake_control();
        }
    }
    true
}

/// Gives a message of a shard channel to its subscribers here, at the cost of the channel's slot; returns how many.
pub(crate) fn deliver_shard(server: &Server, channel: &[u8], message: &[u8]) -> usize {
    let mut bytes = 0;
    let reached = server.pubsub.publish_shard(channel, message, &mut |who, message| {
        // It is as long in either protocol.
        bytes += message.bytes(Proto::Resp2).len() as u64;
        let letter = Letter::Published { client: who.client, message: message.clone(), offset: 0 };
        server.mailboxes[who.thread].post(letter);
    });
    if bytes > 0
        && let Some(node) = &server.cluster
        && server.control.load().config.cluster.slot_stats_enabled
    {
        node.stats.of(Slot::of(channel)).add_out(bytes);
    }
    reached
}

fn spublish(call: &mut Call<'_, '_>) -> Done {
    let (channel, message) = (call.args.at(1), call.args.at(2));
    let server = call.core.server;
    let reached = deliver_shard(server, channel, message);
    if !tell_cluster(call, channel, message, true) {
        call.core.log(call.client.db, &[b"SPUBLISH", channel, message], true);
    }
    call.client.out.integer(reached as i64);
    Ok(())
}

fn channels(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    if call.args.len() > 3 {
        return Err(error::common::subcommand_syntax(b"PUBSUB", call.args.at(1)));
    }
    let names = call.core.server.pubsub.active(kind, call.args.get(2));
    call.client.out.array(names.len());
    names.iter().for_each(|name| call.client.out.bulk(name));
    Ok(())
}

fn numsub(call: &mut Call<'_, '_>, kind: Kind) -> Done {
    let names = call.args.from(2);
    call.client.out.array(names.len() * 2);
    for name in names.iter() {
        call.client.out.bulk(name);
        call.client.out.integer(call.core.server.pubsub.listeners(kind, name) as i64);
    }
    Ok(())
}

fn numpat(call: &mut Call<'_, '_>) -> Done {
    call.client.out.integer(call.core.server.pubsub.count(Kind::Pattern) as i64);
    Ok(())
}
