//! Published messages on their way to the subscribers of other nodes.
//!
//! Everything published goes to every node, shard channels only to the nodes of the shard. The light header saves 2240
//! bytes per message; it is used towards a node that says that it understands it, and that has answered on the link, so
//! that the receiver knows who speaks.

use crate::action::Action;
use crate::cluster::Cluster;
use crate::codec::{Flags, Kind, packet};
use crate::node::Key;
use crate::turn::Turn;
use bytes::Bytes;

impl Cluster {
    pub(crate) fn send_publish(&mut self, t: &mut Turn<'_>, channel: &[u8], message: &[u8], sharded: bool) {
        let kind = if sharded { Kind::PublishShard } else { Kind::Publish };
        let (mut light, mut full) = (None::<Bytes>, None::<Bytes>);
        for key in self.nodes.keys() {
            let node = &self.nodes[key];
            let mine = !sharded || self.nodes.same_shard(key, self.nodes.me);
            if !mine || node.is(Flags::MYSELF | Flags::HANDSHAKE) || !self.is_linked(key) {
                continue;
            }
            let bytes = if self.understands_light(key) {
                light
                    .clone()
                    .or_else(|| packet::publish(None, sharded, channel, message))
                    .inspect(|b| light = Some(b.clone()))
            } else {
                let make = || packet::publish(Some(&self.header()), sharded, channel, message);
                full.clone().or_else(make).inspect(|b| full = Some(b.clone()))
            };
            let Some(bytes) = bytes else {
                t.warning(|| "A published message is too long for the cluster bus".to_owned());
                return;
            };
            self.send_to(t, key, kind, bytes);
        }
    }

    fn understands_light(&self, key: Key) -> bool {
        let node = &self.nodes[key];
        let since = node.link.and_then(|link| self.links.get(link)).map_or(i64::MAX, |link| link.created);
        node.is(Flags::LIGHT_PUBLISH) && node.pong_received >= since
    }

    pub(crate) fn hear_publish(&mut self, t: &mut Turn<'_>, sharded: bool, channel: &[u8], message: &[u8]) {
        let (channel, message) = (Bytes::copy_from_slice(channel), Bytes::copy_from_slice(message));
        t.out.push(Action::DeliverPublish { channel, message, sharded });
    }
}
