//! SCAN.
//!
//! The cursor is `position in the shard's table << bits | shard`: the shards are visited one after the other, each call
//! inside one shard, so SCAN locks one shard at a time. Positions are places in hash order, so they stay valid whatever the
//! table does in between.

use keyspace::{ShardId, ShardMap};
use resp::args::Args;
use structures::number;

/// The shard in which a SCAN with these arguments goes on.
pub fn cursor_shard(map: ShardMap, args: &Args<'_>) -> ShardId {
    let cursor = args.get(1).and_then(number::parse_u64).unwrap_or(0);
    ShardId((cursor & ((1 << map.bits()) - 1)) as u16)
}
