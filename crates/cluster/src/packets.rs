//! What each packet means.
//!
//! ```text
//!   who is it? ─► epochs, offset ─► answer a ping ─► handshake, address ─► role ─► slots ─► gossip, extensions
//! ```
//!
//! The order matters. The answer leaves before anything else is done, because the sender measures it. The role comes
//! before the slots, because only a primary's claim counts; and a replica's claim to be one is refused when it is older
//! than what is known, or an old packet could make a chain of replicas.

use crate::cluster::Cluster;
use crate::codec::header::{HAS_EXTENSIONS, PAUSED};
use crate::codec::packet::Refused;
use crate::codec::{Body, Extensions, Flags, Header, Kind, Packet, gossip};
use crate::id::{Epoch, LinkId};
use crate::node::{Address, Key};
use crate::slots::Inherited;
use crate::turn::Turn;
use resp::log_text::cluster as text;

impl Cluster {
    pub(crate) fn packet(&mut self, t: &mut Turn<'_>, link: LinkId, bytes: &[u8]) {
        let number = bytes.get(12..14).map_or(u16::MAX, |field| u16::from_be_bytes([field[0], field[1]]));
        let kind = Kind::of(number);
        if let Some(kind) = kind {
            self.stats.received(kind, bytes.len() as u64);
        }
        if self.stalled {
            return;
        }
        if self.debug.drops(kind) {
            t.warning(|| {
                format!("Dropping packet of type {} that matches debug drop filter", kind.map_or("?", Kind::name))
            });
            if self.debug.close_link_on_drop {
                t.warning(|| format!("Closing link for matching packet type {}", kind.map_or("?", Kind::name)));
                self.close(t, link);
            }
            return;
        }
        match Packet::read(bytes) {
            Ok(Packet { header: Some(header), body }) => self.full_packet(t, link, &header, body),
            Ok(Packet { header: None, body }) => self.light_packet(t, link, &body),
            Err(Refused::Version) => {}
            Err(Refused::Unknown(number)) => t.warning(|| format!("Received unknown packet type: {number}")),
            Err(Refused::NotLight(kind)) => t.notice(|| {
                format!(
                    "Packet of type '{}' does not support light cluster header. Marking packet as invalid.",
                    kind.name()
                )
            }),
            Err(Refused::Malformed(kind)) => {
                t.warning(|| format!("Received invalid {} packet of length {}", kind.name(), bytes.len()));
            }
        }
    }

    fn light_packet(&mut self, t: &mut Turn<'_>, link: LinkId, body: &Body<'_>) {
        let sender = self.links.get(link).and_then(|link| link.node).filter(|key| !self.nodes[*key].is_handshake());
        let Some(sender) = sender else {
            t.notice(|| "Closing link that sent a lightweight message as its first message".to_owned());
            return self.close(t, link);
        };
        self.nodes[sender].data_received = t.now;
        if let Body::Publish { sharded, channel, message } = *body {
            self.hear_publish(t, sharded, channel, message);
        }
    }

    fn full_packet(&mut self, t: &mut Turn<'_>, link: LinkId, header: &Header, body: Body<'_>) {
        let Some(sender) = self.sender(t, link, header) else { return };
        if header.message_flags & HAS_EXTENSIONS != 0
            && let Some(link) = self.links.get_mut(link)
        {
            link.extensions = true;
        }
        if let Some(key) = sender {
            self.hear_header(t, key, link, header);
        }
        match body {
            Body::Ping { kind, gossip, extensions } => {
                self.hear_ping(t, link, sender, header, kind, &gossip, &extensions)
            }
            body => match sender.filter(|key| *key != self.nodes.me) {
                Some(sender) => self.hear_message(t, link, sender, header, body),
                None => t.verbose(|| format!("Ignoring a packet from unknown node {}", header.sender)),
            },
        }
    }

    /// Who speaks: `Some(None)` for a stranger, `None` when the packet is not to be heard at all.
    fn sender(&mut self, t: &mut Turn<'_>, link: LinkId, header: &Header) -> Option<Option<Key>> {
        let bound = self.links.get(link)?.node;
        let Some(key) = bound.filter(|key| !self.nodes[*key].is_handshake()) else {
            let sender = self.nodes.find(&header.sender);
            if let Some(sender) = sender
                && bound.is_none()
                && link.is_inbound()
                && sender != self.nodes.me
            {
                self.bind(t, link, sender);
            }
            return Some(sender);
        };
        if link.is_inbound() && self.nodes[key].id != header.sender {
            t.notice(|| format!("Closing link of node {}: it now calls itself {}", self.called(key), header.sender));
            self.close(t, link);
            return None;
        }
        Some(Some(key))
    }

    /// What every full packet of a known node tells.
    fn hear_header(&mut self, t: &mut Turn<'_>, sender: Key, link: LinkId, header: &Header) {
        if sender == self.nodes.me || self.nodes[sender].id != header.sender {
            return;
        }
        let understands = self.links.get(link).is_some_and(|link| link.extensions);
        let node = &mut self.nodes[sender];
        if understands {
            node.flags.set(Flags::EXTENSIONS);
        }
        for flag in [Flags::LIGHT_PUBLISH, Flags::LIGHT_MODULE, Flags::MY_PRIMARY_FAILED] {
            node.flags.put(flag, header.flags.any(flag));
        }
        node.data_received = t.now;
        self.epochs.current = self.epochs.current.max(header.current_epoch);
        if header.replica_of.is_none() && header.config_epoch > node.config_epoch {
            node.config_epoch = header.config_epoch;
            self.todo.save_surely();
            self.overtake_election(t, sender);
        }
        let node = &mut self.nodes[sender];
        if (node.offset == 0) != (header.offset == 0) {
            self.todo.view = true;
        }
        node.offset = header.offset;
        if header.message_flags & PAUSED != 0 && self.nodes.myself().replica_of == Some(sender) {
            self.hear_pause(t, header.offset);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are the parts of one packet")]
    fn hear_ping(
        &mut self,
        t: &mut Turn<'_>,
        link: LinkId,
        sender: Option<Key>,
        header: &Header,
        kind: Kind,
        gossip: &gossip::List,
        extensions: &Extensions,
    ) {
        if matches!(kind, Kind::Ping | Kind::Meet) {
            self.answer_ping(t, link, sender, header, kind, gossip);
            if self.links.get(link).is_none() {
                return;
            }
        }
        let Some(sender) = self.settle_handshake(t, link, sender, header) else { return };
        if sender == self.nodes.me {
            return;
        }
        let node = &mut self.nodes[sender];
        if node.is(Flags::MEET) {
            node.flags.clear(Flags::MEET);
            t.notice(|| format!("Successfully completed handshake with {}", self.called(sender)));
        }
        let refuses = header.flags.any(Flags::NOFAILOVER);
        if self.nodes[sender].flags.put(Flags::NOFAILOVER, refuses) {
            self.todo.save();
        }
        if kind == Kind::Ping && self.update_address(t, sender, link, header) {
            self.todo.save_and_judge();
        }
        if kind == Kind::Pong && self.nodes[sender].link == Some(link) {
            self.hear_answer(t, sender);
        }
        let was_replica = self.nodes[sender].is_replica();
        if !self.hear_role(t, sender, header) {
            return;
        }
        let claims = header.replica_of.is_none();
        if claims && (was_replica || self.nodes[sender].slots != header.slots) {
            self.claim(t, sender, header.config_epoch, &header.slots);
            if let Some((_, owner)) = self.newer_claim(header).filter(|(_, owner)| *owner != sender) {
                t.verbose(|| text::old_slots(&self.called(sender), &self.called(owner)));
                self.send_update(t, sender, owner);
            }
        }
        if header.config_epoch == self.nodes.myself().config_epoch {
            self.resolve_collision(t, sender);
        }
        self.hear_gossip_list(t, Some(sender), gossip);
        self.hear_extensions(t, sender, extensions);
    }

    fn hear_gossip_list(&mut self, t: &mut Turn<'_>, sender: Option<Key>, gossip: &gossip::List) {
        match gossip {
            Ok(entries) => self.hear_gossip(t, sender, entries),
            Err(bad) => {
                let who = sender.map_or_else(|| "Unknown node".to_owned(), |key| format!("Node {}", self.called(key)));
                t.warning(|| format!("{who} gossiped {bad} nodes with invalid IDs."));
            }
        }
    }

    fn answer_ping(
        &mut self,
        t: &mut Turn<'_>,
        link: LinkId,
        sender: Option<Key>,
        header: &Header,
        kind: Kind,
        gossip: &gossip::List,
    ) {
        self.learn_own_ip(t, link, kind == Kind::Meet);
        if kind == Kind::Meet {
            match sender {
                None => {
                    if self.links.get(link).is_some_and(|link| link.node.is_none()) {
                        self.met(t, link, header);
                    }
                    // Who asks to be taken in is believed about the others.
                    let asks = self.links.get(link).and_then(|link| link.node);
                    self.hear_gossip_list(t, asks, gossip);
                }
                Some(key) if key != self.nodes.me => {
                    // It does not know that we know it: a new connection, with a ping on it, will tell.
                    let old = t.now - self.nodes[key].created > self.config.handshake_timeout_ms();
                    if old && self.nodes[key].link.is_some_and(|own| own != link) {
                        t.notice(|| {
                            format!("Freeing outbound link to node {} after receiving a MEET packet", self.called(key))
                        });
                        self.close_outbound(t, key);
                    }
                }
                Some(_) => {}
            }
        }
        self.send_ping(t, link, Kind::Pong);
    }

    /// Ends a handshake, or finds that somebody else answers than was expected. Tells who the sender is, if the packet is
    /// to be heard further.
    fn settle_handshake(
        &mut self,
        t: &mut Turn<'_>,
        link: LinkId,
        sender: Option<Key>,
        header: &Header,
    ) -> Option<Key> {
        let bound = self.links.get(link).and_then(|link| link.node).filter(|_| !link.is_inbound());
        let Some(key) = bound else {
            if let Some(sender) = sender.filter(|_| !link.is_inbound()) {
                self.found_by_name(t, sender, link, header);
                return None;
            }
            return sender;
        };
        if self.nodes[key].is_handshake() {
            if let Some(known) = sender {
                t.verbose(|| {
                    format!("Handshake: we already know node {}, updating the address if needed.", self.called(known))
                });
                if known != self.nodes.me && self.update_address(t, known, link, header) {
                    self.todo.save_and_judge();
                }
                self.remove_node(t, key);
                return None;
            }
            self.nodes.rename(key, header.sender);
            let node = &mut self.nodes[key];
            node.flags.clear(Flags::HANDSHAKE);
            let primary = !header.flags.any(Flags::REPLICA);
            node.flags.set(if primary { Flags::PRIMARY } else { Flags::REPLICA });
            node.data_received = t.now;
            if node.is(Flags::MEET) {
                node.flags.clear(Flags::MEET);
                t.notice(|| format!("Successfully completed handshake with {}", self.called(key)));
            }
            self.todo.save();
            self.hear_header(t, key, link, header);
            // The first answer counts as one: without it the node would be pinged as if it had been silent.
            self.nodes[key].pong_received = t.now;
            self.nodes[key].ping_sent = 0;
            return Some(key);
        }
        if self.nodes[key].id != header.sender {
            self.lost_address(t, key, link);
            return None;
        }
        Some(key)
    }

    /// Another node answers where this one was.
    fn lost_address(&mut self, t: &mut Turn<'_>, key: Key, link: LinkId) {
        let (age, flags) = (t.now - self.nodes[key].created, self.nodes[key].flags.0);
        t.notice(|| text::wrong_sender(&self.called(key), age, flags));
        let node = &mut self.nodes[key];
        node.flags.set(Flags::NOADDR);
        node.address = Address::default();
        self.close(t, link);
        // Nobody can reach it, so it has failed: or redirections would lead nowhere and its replicas would not move.
        if !self.nodes[key].has_failed() {
            self.mark_failed(t, key);
            self.tell_failure(t, key);
        }
        self.todo.save_and_judge();
    }

    /// Takes over what a node says about its role; `false` when the packet is too old to be heard further.
    fn hear_role(&mut self, t: &mut Turn<'_>, sender: Key, header: &Header) -> bool {
        let Some(name) = header.replica_of else {
            if !self.nodes[sender].is_primary() {
                self.become_primary(t, sender);
            }
            return true;
        };
        let primary = self.nodes.find(&name).filter(|primary| *primary != sender);
        if !self.nodes[sender].is_replica() && !self.hear_demotion(t, sender, primary, header.config_epoch) {
            return false;
        }
        if let Some(primary) = primary
            && self.nodes[sender].replica_of != Some(primary)
        {
            t.notice(|| format!("Node {} is now a replica of node {}", self.called(sender), self.called(primary)));
            self.nodes.set_primary(sender, Some(primary));
            self.leave_chain(t);
            let shard = self.nodes[primary].shard;
            self.update_shard(t, sender, shard);
            self.todo.save();
        }
        true
    }

    /// A primary says that it is a replica now.
    fn hear_demotion(&mut self, t: &mut Turn<'_>, sender: Key, primary: Option<Key>, epoch: Epoch) -> bool {
        match primary.filter(|primary| self.nodes.same_shard(*primary, sender)) {
            Some(primary) => {
                let known = self.nodes.epoch_of(sender).max(self.nodes.epoch_of(primary));
                if known > epoch {
                    t.notice(|| {
                        let who = self.called(sender);
                        format!("Ignore stale message from {who}; gossip config epoch: {epoch}, current config epoch: {known}")
                    });
                    return false;
                }
                if self.nodes[primary].is_replica() {
                    // A failover of which the new primary has not told us yet.
                    let inherited = self.slots.inherit(&mut self.nodes, sender, primary);
                    self.become_primary(t, primary);
                    self.nodes[primary].config_epoch = epoch;
                    self.log_inheritance(t, sender, primary, &inherited);
                }
            }
            None => {
                let lost = self.slots.release_all(&mut self.nodes, sender);
                t.notice(|| format!("Node {} is no longer primary; removed all {lost} slot(s)", self.called(sender)));
            }
        }
        let node = &mut self.nodes[sender];
        node.flags.clear(Flags::PRIMARY | Flags::MIGRATE_TO);
        node.flags.set(Flags::REPLICA);
        self.todo.save_and_judge();
        self.todo.fsync = true;
        true
    }

    /// Says what a failover within a shard has changed.
    fn log_inheritance(&self, t: &mut Turn<'_>, old: Key, new: Key, inherited: &Inherited) {
        let (was, heir) = (self.called(old), self.called(new));
        let (shard, epoch) = (self.nodes[new].shard, self.nodes[new].config_epoch);
        for slot in &inherited.importing {
            t.verbose(|| text::import_follows(slot.number(), &heir, &shard.to_string()));
        }
        for slot in &inherited.migrating {
            t.verbose(|| text::migration_follows(slot.number(), &heir, &shard.to_string()));
        }
        let (slots, importing, migrating) = (inherited.slots, inherited.importing.len(), inherited.migrating.len());
        if slots > 0 {
            t.notice(|| {
                format!(
                    "A failover occurred in shard {shard}; node {was} lost {slots} slot(s) and failed over to node {heir} \
                     with a config epoch of {epoch}"
                )
            });
        }
        if importing > 0 {
            t.notice(|| text::imports_follow(importing, &heir, &shard.to_string()));
        }
        if migrating > 0 {
            t.notice(|| text::migrations_follow(migrating, &heir, &shard.to_string()));
        }
    }

    /// A replica does not follow a replica: when my primary follows another, so do I.
    fn leave_chain(&mut self, t: &mut Turn<'_>) {
        let me = self.nodes.me;
        let Some(primary) = self.nodes[me].replica_of else { return };
        let Some(top) = self.nodes[primary].replica_of.filter(|top| *top != me) else { return };
        t.notice(|| text::sub_replica(&self.nodes[top].id.to_string(), &self.nodes[primary].id.to_string()));
        let resync = !self.nodes.same_shard(top, me);
        self.become_replica(t, top, true, resync);
        self.todo.save_and_judge();
        self.todo.fsync = true;
        self.todo.broadcast = true;
    }

    /// Everything that is not a ping.
    fn hear_message(&mut self, t: &mut Turn<'_>, link: LinkId, sender: Key, header: &Header, body: Body<'_>) {
        match body {
            Body::Fail(id) => {
                if let Some(failing) = self.nodes.find(&id) {
                    self.hear_failure(t, sender, failing);
                }
            }
            Body::Publish { sharded, channel, message } => self.hear_publish(t, sharded, channel, message),
            Body::AuthRequest => self.vote_if_right(t, sender, header),
            Body::AuthAck => self.hear_vote(sender, header),
            Body::MfStart => self.hear_mfstart(t, sender, link),
            Body::Update { epoch, node, slots } => {
                let Some(node) = self.nodes.find(&node).filter(|node| self.nodes[*node].config_epoch < epoch) else {
                    return;
                };
                t.notice(|| {
                    let (old, by) = (self.nodes[node].config_epoch, self.called(sender));
                    format!(
                        "Processing UPDATE message received from {by} about node {}. old configEpoch {old}, new configEpoch \
                         {epoch}",
                        self.called(node)
                    )
                });
                if node != self.nodes.me {
                    self.become_primary(t, node);
                    self.nodes[node].config_epoch = epoch;
                    self.todo.save_surely();
                }
                self.claim(t, node, epoch, &slots);
            }
            Body::Ping { .. } | Body::Module => {}
        }
    }
}
