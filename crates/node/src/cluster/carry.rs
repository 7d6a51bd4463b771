//! Carrying out what the machine asks for.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::cluster::{Action, Event, Level, View};
use command::registry::Lookup;
use command::row::Flags;
use journal::History;
use keyspace::UnixMillis;
use resp::log_text;
use session::{Flag, Letter};

use super::{ClusterNode, route};
use crate::commands::replication::change_role;
use crate::control::{Pause, PauseReason, Role};
use crate::execute::Core;
use crate::server::{LogLevel, Server, replication_id};

/// What stands between an action and its being carried out.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    World,
    /// Whoever owns the sockets.
    Wire,
}

fn needs(action: &Action) -> Needs {
    match action {
        Action::SaveConfig { .. } | Action::DeliverPublish { .. } | Action::Log { .. } => Needs::Nothing,
        Action::Connect { .. } | Action::ConnectName { .. } | Action::Close { .. } | Action::Send { .. } => Needs::Wire,
        Action::ViewChanged(_)
        | Action::Follow { .. }
        | Action::Lead
        | Action::PauseWrites { .. }
        | Action::Unpause
        | Action::DropSlotKeys { .. }
        | Action::SetAside { .. }
        | Action::FlushAll
        | Action::DropShardChannels { .. } => Needs::World,
    }
}

impl Core<'_> {
    /// Carries out what the cluster's machine has asked for, up to the first action for which the lease would need the
    /// world and has not got it. True when nothing is left; else the control thread is to be woken, which gets it.
    pub fn carry_out(&mut self) -> bool {
        let server = self.server;
        let Some(node) = &server.cluster else { return true };
        let hand = node.hand.lock();
        let mut told = false;
        let done = loop {
            let next = {
                let mut state = node.state.lock();
                match state.pending.front() {
                    None => break true,
                    Some(action) if needs(action) == Needs::World && self.lease.world().is_none() => break false,
                    Some(_) => state.pending.pop_front(),
                }
            };
            let Some(action) = next else { break true };
            if needs(&action) == Needs::Wire {
                node.wire.lock().push_back(action);
                told = true;
            } else if !self.carry(node, action) {
                break false;
            }
        };
        drop(hand);
        if told {
            server.host.wake_control();
        }
        done
    }

    /// False when nothing may be done after it.
    fn carry(&mut self, node: &ClusterNode, action: Action) -> bool {
        let server = self.server;
        let now = server.engine.now();
        match action {
            Action::SaveConfig { bytes, fsync } => {
                if let Err(why) = node.save(&*server.host, &bytes, fsync) {
                    server.host.log(LogLevel::Warning, &why);
                    let config = &server.control.load().config.cluster;
                    if config.config_save_behavior == config::directives::cluster::ConfigSaveBehavior::Sync {
                        server.host.log(LogLevel::Warning, log_text::cluster_node::CANNOT_SAVE);
                        server.stop(1);
                        return false;
                    }
                    server.host.log(LogLevel::Warning, log_text::cluster_node::SAVE_IGNORED);
                }
            }
            Action::Log { level, text } => {
                let level = match level {
                    Level::Debug => LogLevel::Debug,
                    Level::Verbose => LogLevel::Verbose,
                    Level::Notice => LogLevel::Notice,
                    Level::Warning => LogLevel::Warning,
                };
                server.host.log(level, &text);
            }
            Action::DeliverPublish { channel, message, sharded } => {
                match sharded {
                    true => crate::commands::pubsub::deliver_shard(server, &channel, &message),
                    false => crate::hooks::publish(server, &channel, &message, 0),
                };
            }
            Action::ViewChanged(view) => self.take_view(node, view),
            Action::Follow { ip, port, resync } => {
                if resync {
                    // Nobody knows this name: the primary cannot but send everything.
                    server.journal.set_history(History::new(replication_id(&*server.host)));
                    server.replication.hollow.store(true, Ordering::Relaxed);
                }
                let host = String::from_utf8_lossy(&ip).into_owned();
                change_role(self, Role::Replica { host, port, online: false });
            }
            Action::Lead => {
                if self.control().is_replica() {
                    change_role(self, Role::Primary);
                }
                server.replication.hollow.store(false, Ordering::Relaxed);
                let held = self.held_slots();
                node.with(|machine, out| machine.adopt(now, &held, out));
            }
            Action::PauseWrites { until } => {
                self.publish_control(|control| control.begin_pause(PauseReason::Failover, Pause::Writes, until));
                let offset = server.journal.end().0;
                node.tell(now, Event::WritesPaused { offset });
            }
            Action::Unpause => self.publish_control(|control| control.end_pause(PauseReason::Failover)),
            Action::DropSlotKeys { slots } => slots.iter().for_each(|slot| {
                self.drop_slot(slot, true);
            }),
            Action::SetAside { slots, owner } => {
                for slot in slots.iter() {
                    let keys = self.set_aside(slot, owner);
                    if keys > 0 {
                        server.host.log(LogLevel::Warning, &log_text::cluster_node::set_aside(slot.number(), keys));
                    }
                }
            }
            Action::FlushAll => {
                crate::loading::flush(self);
                node.aside.drop_slots(server, |_| true);
                server.journal.set_history(History::new(replication_id(&*server.host)));
                server.disconnect_replicas();
            }
            Action::DropShardChannels { slots } => {
                let lost = server.pubsub.take_shard_channels(|name| slots.contains(::cluster::Slot::of(name)));
                for (channel, who) in lost {
                    let channel = channel.clone();
                    server.mailboxes[who.thread].post(Letter::ShardLost { client: who.client, channel });
                }
            }
            Action::Connect { .. } | Action::ConnectName { .. } | Action::Close { .. } | Action::Send { .. } => {}
        }
        true
    }

    fn take_view(&mut self, node: &ClusterNode, view: Arc<View>) {
        let server = self.server;
        self.publish_control(|control| control.cluster = Some(view.clone()));
        if node.aside.slots() > 0 {
            self.bring_back(|slot| view.is_mine(slot));
        }
        node.stats.keep(|slot| view.is_my_shards(slot));
        for card in server.cards.all() {
            if !card.is(Flag::Blocked) {
                continue;
            }
            let Some(entry) = card.wait.lock().clone() else { continue };
            let Some(key) = entry.keys.first() else { continue };
            let writes = match server.registry.lookup(&entry.args.as_args()) {
                Lookup::Found(id) => server.registry.row(id).has(Flags::WRITE),
                _ => true,
            };
            let ipv6 = card.addr.is_some_and(|addr| addr.ip().to_canonical().is_ipv6());
            let waits = route::Blocked { key, read_only: card.is(Flag::ReadOnly), writes, ipv6 };
            if let Some(error) = route::blocked(&view, &waits) {
                server.unblock(&card, Some(error));
            }
        }
    }

    /// The data are loaded: tells the machine in which slots there are keys. The lease has the world.
    pub fn data_loaded(&mut self) {
        let Some(node) = &self.server.cluster else { return };
        super::aside::load(self);
        if self.control().is_replica() {
            return;
        }
        if node.aside.slots() > 0 {
            let view = node.view();
            self.bring_back(|slot| view.is_mine(slot));
        }
        let held = self.held_slots();
        let now = self.server.engine.now();
        node.with(|machine, out| machine.adopt(now, &held, out));
        self.carry_out();
    }
}

/// How replication stands, as the machine wants to know it.
pub fn standing(server: &Server) -> ::cluster::Replication {
    use ::cluster::{PrimaryLink, Replication};
    let link = server.replication.link.lock();
    let syncs = link.stage == crate::replication::LinkStage::Sync;
    let hollow = syncs || server.replication.hollow.load(Ordering::Relaxed);
    let link = match link.stage {
        crate::replication::LinkStage::Connected => PrimaryLink::Up { heard: UnixMillis(link.last_io) },
        _ => PrimaryLink::Down { since: UnixMillis(link.down_since) },
    };
    // Whoever has no version of the data has no offset, whatever the journal was at.
    Replication { offset: if hollow { 0 } else { server.journal.end().0 }, link }
}
