//! What a node tells of its cluster.

use ::cluster::{Endpoint, View, ViewNode};
use resp::error;
use resp::reply::Reply;

use super::{Call, Done, node};
use crate::cluster::asker;

pub(super) fn myid(call: &mut Call<'_, '_>) -> Done {
    let id = node(call)?.ask(::cluster::Cluster::my_id);
    call.client.out.bulk(id.as_bytes());
    Ok(())
}

pub(super) fn myshardid(call: &mut Call<'_, '_>) -> Done {
    let view = node(call)?.view();
    call.client.out.bulk(view.me().shard.as_bytes());
    Ok(())
}

pub(super) fn info(call: &mut Call<'_, '_>) -> Done {
    let text = node(call)?.ask(::cluster::Cluster::info_text);
    call.client.out.verbatim(b"txt", &text);
    Ok(())
}

pub(super) fn nodes(call: &mut Call<'_, '_>) -> Done {
    let who = asker(call.client);
    let text = node(call)?.ask(|machine| machine.nodes_text(who));
    call.client.out.verbatim(b"txt", &text);
    Ok(())
}

pub(super) fn replicas(call: &mut Call<'_, '_>) -> Done {
    let who = asker(call.client);
    let lines = node(call)?.ask(|machine| machine.replicas_text(call.args.at(2), who))?;
    call.client.out.array(lines.len());
    lines.iter().for_each(|line| call.client.out.bulk(line));
    Ok(())
}

pub(super) fn count_failure_reports(call: &mut Call<'_, '_>) -> Done {
    let now = call.core.server.engine.now();
    let reports = node(call)?.ask(|machine| machine.count_failure_reports(now, call.args.at(2)))?;
    call.client.out.integer(reports as i64);
    Ok(())
}

pub(super) fn slots(call: &mut Call<'_, '_>) -> Done {
    node(call)?;
    let control = call.core.control();
    let view = control.cluster.as_ref().ok_or(error::cluster::DISABLED)?;
    let who = asker(call.client);
    let out = &mut call.client.out;
    let ranges = view.ranges();
    out.array(ranges.len());
    for (first, last, owner) in ranges {
        let replicas: Vec<&ViewNode> = view.replicas(owner).filter(|replica| replica.available).collect();
        out.array(3 + replicas.len());
        out.integer(i64::from(first.number()));
        out.integer(i64::from(last.number()));
        write_node(out, view, view.node(owner), who);
        replicas.into_iter().for_each(|replica| write_node(out, view, replica, who));
    }
    Ok(())
}

/// A node as CLUSTER SLOTS tells of it: the preferred endpoint, and a map of the others.
fn write_node(out: &mut Reply, view: &View, node: &ViewNode, who: ::cluster::Asker) {
    out.array(4);
    let preferred = view.preferred_endpoint();
    match preferred {
        Endpoint::Unknown => out.null(),
        _ => out.bulk(view.endpoint(node, who.ipv6)),
    }
    out.integer(i64::from(node.port_for(who.tls)));
    out.bulk(node.id.as_bytes());
    let mut more: Vec<(&[u8], &[u8])> = Vec::new();
    if preferred != Endpoint::Ip {
        more.push((b"ip", node.ip_for(who.ipv6)));
    }
    if preferred != Endpoint::Hostname && !node.hostname.is_empty() {
        more.push((b"hostname", &node.hostname));
    }
    if !node.availability_zone.is_empty() {
        more.push((b"availability-zone", &node.availability_zone));
    }
    out.map(more.len());
    for (name, value) in more {
        out.bulk(name);
        out.bulk(value);
    }
}

pub(super) fn shards(call: &mut Call<'_, '_>) -> Done {
    let who = asker(call.client);
    let shards = node(call)?.ask(|machine| machine.shards(who));
    let out = &mut call.client.out;
    out.array(shards.len());
    for shard in shards {
        out.map(3);
        out.bulk(b"slots");
        out.array(shard.slots.len() * 2);
        for (first, last) in &shard.slots {
            out.integer(i64::from(first.number()));
            out.integer(i64::from(last.number()));
        }
        out.bulk(b"nodes");
        out.array(shard.nodes.len());
        for node in &shard.nodes {
            write_member(out, node);
        }
        out.bulk(b"id");
        out.bulk(shard.id.as_bytes());
    }
    Ok(())
}

fn write_member(out: &mut Reply, node: &::cluster::ShardNode) {
    let at = out.deferred();
    let mut fields = 6;
    out.bulk(b"id");
    out.bulk(node.id.as_bytes());
    for (name, port) in [(&b"port"[..], node.port), (b"tls-port", node.tls_port)] {
        if let Some(port) = port {
            out.bulk(name);
            out.integer(i64::from(port));
            fields += 1;
        }
    }
    out.bulk(b"ip");
    out.bulk(&node.ip);
    out.bulk(b"endpoint");
    out.bulk(&node.endpoint);
    if !node.hostname.is_empty() {
        out.bulk(b"hostname");
        out.bulk(&node.hostname);
        fields += 1;
    }
    out.bulk(b"role");
    out.bulk(node.role.as_bytes());
    out.bulk(b"replication-offset");
    out.integer(node.replication_offset as i64);
    out.bulk(b"health");
    out.bulk(node.health.as_bytes());
    if !node.availability_zone.is_empty() {
        out.bulk(b"availability-zone");
        out.bulk(&node.availability_zone);
        fields += 1;
    }
    out.set_map_len(at, fields);
}

pub(super) fn links(call: &mut Call<'_, '_>) -> Done {
    let links = node(call)?.ask(::cluster::Cluster::links);
    let out = &mut call.client.out;
    out.array(links.len());
    for link in links {
        out.map(6);
        out.bulk(b"direction");
        out.bulk(link.direction.as_bytes());
        out.bulk(b"node");
        out.bulk(link.node.as_bytes());
        out.bulk(b"create-time");
        out.integer(link.create_time.0);
        out.bulk(b"events");
        out.bulk(link.events.as_bytes());
        out.bulk(b"send-buffer-allocated");
        out.integer(link.send_buffer_allocated as i64);
        out.bulk(b"send-buffer-used");
        out.integer(link.send_buffer_used as i64);
    }
    Ok(())
}
