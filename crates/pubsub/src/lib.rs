//! Publish and subscribe: who listens to what, and in which order messages reach them.
//!
//! ```text
//!   channels:  news      → [client 7 on thread 0, client 9 on thread 1]
//!   patterns:  n*        → [client 3 on thread 1]
//!   shard:     orders    → …          (SSUBSCRIBE; patterns do not see these)
//! ```
//!
//! Messages have one total order: fan-out happens under one mutex, held only while references to the ready-encoded
//! message are pushed to the subscribers' threads. So two subscribers never see two messages in different orders,
//! whichever threads published them. A message is encoded once per protocol version and shared.
//!
//! Costs: PUBLISH is `O(subscribers of the channel + patterns)`; with no subscriber at all it is one atomic load.
#![forbid(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use parking_lot::Mutex;
use resp::reply::{Proto, Reply};
use structures::glob;
use structures::hash::Map;

/// A client that listens, and the thread that owns its connection.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Subscriber {
    /// The client's id.
    pub client: u64,
    /// Its thread.
    pub thread: usize,
}

/// What a subscription is to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// SUBSCRIBE
    Channel,
    /// PSUBSCRIBE
    Pattern,
    /// SSUBSCRIBE
    Shard,
}

impl Kind {
    /// The first word of the confirmation of a subscription.
    pub fn subscribe_word(self) -> &'static [u8] {
        match self {
            Kind::Channel => b"subscribe",
            Kind::Pattern => b"psubscribe",
            Kind::Shard => b"ssubscribe",
        }
    }

    /// The first word of the confirmation of a cancellation.
    pub fn unsubscribe_word(self) -> &'static [u8] {
        match self {
            Kind::Channel => b"unsubscribe",
            Kind::Pattern => b"punsubscribe",
            Kind::Shard => b"sunsubscribe",
        }
    }
}

/// A message as it goes out, in both protocol versions.
#[derive(Clone, Debug)]
pub struct Message {
    /// As an array, for RESP2 clients.
    pub resp2: Bytes,
    /// As a push, for RESP3 clients.
    pub resp3: Bytes,
}

impl Message {
    /// Encodes a push of bulk strings for both versions.
    pub fn of(parts: &[&[u8]]) -> Arc<Self> {
        let encode = |proto| {
            let mut reply = Reply::new(proto);
            reply.push(parts.len());
            parts.iter().for_each(|p| reply.bulk(p));
            Bytes::from(std::mem::take(&mut reply.buf))
        };
        Arc::new(Message { resp2: encode(Proto::Resp2), resp3: encode(Proto::Resp3) })
    }

    /// The bytes for a client of this version.
    pub fn bytes(&self, proto: Proto) -> &Bytes {
        match proto {
            Proto::Resp2 => &self.resp2,
            Proto::Resp3 => &self.resp3,
        }
    }
}

type Listeners = Map<Box<[u8]>, Vec<Subscriber>>;

#[derive(Default)]
struct Tables {
    channels: Listeners,
    patterns: Listeners,
    shard: Listeners,
}

impl Tables {
    fn of(&mut self, kind: Kind) -> &mut Listeners {
        match kind {
            Kind::Channel => &mut self.channels,
            Kind::Pattern => &mut self.patterns,
            Kind::Shard => &mut self.shard,
        }
    }
}

/// All subscriptions of a server.
#[derive(Default)]
pub struct PubSub {
    tables: Mutex<Tables>,
    subscriptions: AtomicUsize,
}

impl PubSub {
    /// Adds a subscription; false when it was there.
    pub fn subscribe(&self, kind: Kind, name: &[u8], who: Subscriber) -> bool {
        let mut tables = self.tables.lock();
        let list = tables.of(kind).entry(name.into()).or_default();
        if list.contains(&who) {
            return false;
        }
        list.push(who);
        self.subscriptions.fetch_add(1, Ordering::SeqCst);
        true
    }

    /// Removes a subscription; false when there was none.
    pub fn unsubscribe(&self, kind: Kind, name: &[u8], who: Subscriber) -> bool {
        let mut tables = self.tables.lock();
        let map = tables.of(kind);
        let Some(list) = map.get_mut(name) else { return false };
        let Some(at) = list.iter().position(|s| *s == who) else { return false };
        list.remove(at);
        if list.is_empty() {
            map.remove(name);
        }
        self.subscriptions.fetch_sub(1, Ordering::SeqCst);
        true
    }

    /// Whether nobody listens to anything.
    pub fn is_silent(&self) -> bool {
        self.subscriptions.load(Ordering::SeqCst) == 0
    }

    /// Publishes to a channel and to the patterns that match it. Returns how many clients were reached.
    /// `deliver` is called under the sequencer and must only queue.
    pub fn publish(&self, channel: &[u8], message: &[u8], deliver: &mut dyn FnMut(Subscriber, &Arc<Message>)) -> usize {
        if self.is_silent() {
            return 0;
        }
        let tables = self.tables.lock();
        let mut reached = 0;
        if let Some(list) = tables.channels.get(channel) {
            let encoded = Message::of(&[b"message", channel, message]);
            list.iter().for_each(|s| deliver(*s, &encoded));
            reached += list.len();
        }
        for (pattern, list) in &tables.patterns {
            if glob::matches(pattern, channel) {
                let encoded = Message::of(&[b"pmessage", pattern, channel, message]);
                list.iter().for_each(|s| deliver(*s, &encoded));
                reached += list.len();
            }
        }
        reached
    }

    /// Publishes to a shard channel.
    pub fn publish_shard(
        &self,
        channel: &[u8],
        message: &[u8],
        deliver: &mut dyn FnMut(Subscriber, &Arc<Message>),
    ) -> usize {
        if self.is_silent() {
            return 0;
        }
        let tables = self.tables.lock();
        let Some(list) = tables.shard.get(channel) else { return 0 };
        let encoded = Message::of(&[b"smessage", channel, message]);
        list.iter().for_each(|s| deliver(*s, &encoded));
        list.len()
    }

    /// Takes out the shard channels that `is_lost` names, with everybody who listened to them.
    pub fn take_shard_channels(&self, is_lost: impl Fn(&[u8]) -> bool) -> Vec<(Arc<[u8]>, Subscriber)> {
        let mut lost = Vec::new();
        self.tables.lock().shard.retain(|name, listeners| {
            if !is_lost(name) {
                return true;
            }
            let name: Arc<[u8]> = Arc::from(&**name);
            lost.extend(listeners.iter().map(|who| (name.clone(), *who)));
            false
        });
        self.subscriptions.fetch_sub(lost.len(), Ordering::SeqCst);
        lost
    }

    /// The channels (or shard channels) with at least one listener, those that match `pattern` only.
    pub fn active(&self, kind: Kind, pattern: Option<&[u8]>) -> Vec<Box<[u8]>> {
        let mut tables = self.tables.lock();
        let names = tables.of(kind).keys();
        names.filter(|name| pattern.is_none_or(|p| glob::matches(p, name))).cloned().collect()
    }

    /// What one client listens to. O(subscriptions of all).
    pub fn of_client(&self, kind: Kind, client: u64) -> Vec<Box<[u8]>> {
        let mut tables = self.tables.lock();
        let listened = tables.of(kind).iter().filter(|(_, list)| list.iter().any(|who| who.client == client));
        listened.map(|(name, _)| name.clone()).collect()
    }

    /// How many clients listen to a channel.
    pub fn listeners(&self, kind: Kind, name: &[u8]) -> usize {
        self.tables.lock().of(kind).get(name).map_or(0, Vec::len)
    }

    /// How many different channels or patterns have listeners (PUBSUB NUMPAT, INFO).
    pub fn count(&self, kind: Kind) -> usize {
        self.tables.lock().of(kind).len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Subscriber = Subscriber { client: 1, thread: 0 };
    const B: Subscriber = Subscriber { client: 2, thread: 1 };

    fn published(pubsub: &PubSub, channel: &[u8]) -> Vec<(u64, Bytes)> {
        let mut got = Vec::new();
        let n = pubsub.publish(channel, b"hi", &mut |s, m| got.push((s.client, m.resp2.clone())));
        assert_eq!(n, got.len());
        got
    }

    #[test]
    fn channels_and_patterns_are_reached_once_per_subscription() {
        let pubsub = PubSub::default();
        assert!(pubsub.is_silent());
        assert!(pubsub.subscribe(Kind::Channel, b"news", A));
        assert!(!pubsub.subscribe(Kind::Channel, b"news", A));
        assert!(pubsub.subscribe(Kind::Pattern, b"n*", A));
        assert!(pubsub.subscribe(Kind::Channel, b"news", B));
        let got = published(&pubsub, b"news");
        assert_eq!(got.iter().map(|g| g.0).collect::<Vec<_>>(), [1, 2, 1]);
        assert_eq!(&got[0].1[..], b"*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
        assert_eq!(&got[2].1[..], b"*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\nhi\r\n");
        assert!(pubsub.unsubscribe(Kind::Channel, b"news", A));
        assert!(!pubsub.unsubscribe(Kind::Channel, b"news", A));
        assert_eq!(published(&pubsub, b"other").len(), 0);
        assert_eq!(pubsub.listeners(Kind::Channel, b"news"), 1);
    }

    #[test]
    fn shard_channels_are_a_world_of_their_own() {
        let pubsub = PubSub::default();
        pubsub.subscribe(Kind::Shard, b"c", A);
        pubsub.subscribe(Kind::Pattern, b"*", B);
        assert_eq!(published(&pubsub, b"c").len(), 1);
        let mut n = 0;
        assert_eq!(pubsub.publish_shard(b"c", b"x", &mut |_, _| n += 1), 1);
        assert_eq!(n, 1);
    }
}
