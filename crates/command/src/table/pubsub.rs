//! Publish and subscribe.

use crate::keyspec::{ChannelFlags, Channels, KeyFlags as K, KeySpec};
use crate::row::arg::{pattern, string};
use crate::row::{Flags as F, Group, Row};
use crate::traits::Traits;

pub static ROWS: &[Row] = &[
    Row::new("psubscribe", Group::Pubsub, "2.0.0", -2)
        .summary("Receive what is published to channels that match patterns")
        .complexity("O(N), N = patterns to subscribe to.")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .traits(Traits::WHILE_SUBSCRIBED)
        .channels(Channels::All(ChannelFlags::of(&[ChannelFlags::PATTERN, ChannelFlags::SUBSCRIBE])))
        .args(&[pattern("pattern").multiple()]),
    Row::new("publish", Group::Pubsub, "2.0.0", 3)
        .summary("Publish a message to a channel")
        .complexity("O(N+M), N = listeners of the channel, M = patterns of all clients.")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE, F::FAST, F::MAY_REPLICATE, F::SENTINEL])
        .channels(Channels::First(ChannelFlags::PUBLISH))
        .args(&[string("channel"), string("message")]),
    Row::new("pubsub", Group::Pubsub, "2.8.0", -2)
        .summary("Commands about channels and who listens")
        .complexity("As the subcommand."),
    Row::new("pubsub|channels", Group::Pubsub, "2.8.0", -2)
        .summary("List the channels that somebody listens to")
        .complexity("O(N), N = channels with listeners, for names and patterns of limited length.")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .args(&[pattern("pattern").optional()]),
    Row::new("pubsub|help", Group::Pubsub, "6.2.0", 2)
        .summary("Explain the subcommands")
        .complexity("O(1)")
        .flags(&[F::LOADING, F::STALE]),
    Row::new("pubsub|numpat", Group::Pubsub, "2.8.0", 2)
        .summary("Count the different patterns that somebody listens to")
        .complexity("O(1)")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE]),
    Row::new("pubsub|numsub", Group::Pubsub, "2.8.0", -2)
        .summary("Count the listeners of channels")
        .complexity("O(N), N = channels asked for.")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .args(&[string("channel").optional().multiple()]),
    Row::new("pubsub|shardchannels", Group::Pubsub, "7.0.0", -2)
        .summary("List the shard channels that somebody listens to")
        .complexity("O(N), N = shard channels with listeners, for names and patterns of limited length.")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .args(&[pattern("pattern").optional()]),
    Row::new("pubsub|shardnumsub", Group::Pubsub, "7.0.0", -2)
        .summary("Count the listeners of shard channels")
        .complexity("O(N), N = shard channels asked for.")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE])
        .args(&[string("shardchannel").optional().multiple()]),
    Row::new("punsubscribe", Group::Pubsub, "2.0.0", -1)
        .summary("Take back PSUBSCRIBE")
        .complexity("O(N), N = patterns to unsubscribe.")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .traits(Traits::WHILE_SUBSCRIBED)
        .channels(Channels::All(ChannelFlags::of(&[ChannelFlags::PATTERN, ChannelFlags::UNSUBSCRIBE])))
        .args(&[pattern("pattern").optional().multiple()]),
    Row::new("spublish", Group::Pubsub, "7.0.0", 3)
        .summary("Publish a message to a shard channel")
        .complexity("O(N), N = clients subscribed to the receiving shard channel.")
        .flags(&[F::PUBSUB, F::LOADING, F::STALE, F::FAST, F::MAY_REPLICATE])
        .keys(&[KeySpec::at(1).flags(&[K::NOT_KEY])])
        .channels(Channels::First(ChannelFlags::PUBLISH))
        .args(&[string("shardchannel"), string("message")]),
    Row::new("ssubscribe", Group::Pubsub, "7.0.0", -2)
        .summary("Receive what is published to shard channels")
        .complexity("O(N), N = shard channels to subscribe to.")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .traits(Traits::WHILE_SUBSCRIBED)
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::NOT_KEY])])
        .channels(Channels::All(ChannelFlags::SUBSCRIBE))
        .args(&[string("shardchannel").multiple()]),
    Row::new("subscribe", Group::Pubsub, "2.0.0", -2)
        .summary("Receive what is published to channels")
        .complexity("O(N), N = channels to subscribe to.")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .traits(Traits::WHILE_SUBSCRIBED)
        .channels(Channels::All(ChannelFlags::SUBSCRIBE))
        .args(&[string("channel").multiple()]),
    Row::new("sunsubscribe", Group::Pubsub, "7.0.0", -1)
        .summary("Take back SSUBSCRIBE")
        .complexity("O(N), N = shard channels to unsubscribe.")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE])
        .traits(Traits::WHILE_SUBSCRIBED)
        .keys(&[KeySpec::at(1).range(-1, 1, 0).flags(&[K::NOT_KEY])])
        .channels(Channels::All(ChannelFlags::UNSUBSCRIBE))
        .args(&[string("shardchannel").optional().multiple()]),
    Row::new("unsubscribe", Group::Pubsub, "2.0.0", -1)
        .summary("Take back SUBSCRIBE")
        .complexity("O(N), N = channels to unsubscribe.")
        .flags(&[F::PUBSUB, F::NOSCRIPT, F::LOADING, F::STALE, F::SENTINEL])
        .traits(Traits::WHILE_SUBSCRIBED)
        .channels(Channels::All(ChannelFlags::UNSUBSCRIBE))
        .args(&[string("channel").optional().multiple()]),
];
