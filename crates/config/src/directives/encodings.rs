//! When compact encodings give way to tables and trees.

use super::{INT_MAX, LONG_MAX, SIZE_MAX};
use crate::kind::{int, memory};

section! {
    /// Limits of compact encodings.
    Encodings in encodings;

    /// Fields of a hash in a listpack.
    hash_max_listpack_entries: u64 = 512 => "hash-max-listpack-entries" | "hash-max-ziplist-entries", int(0, LONG_MAX);
    /// Bytes of a field or value in a listpack.
    hash_max_listpack_value: u64 = 64 => "hash-max-listpack-value" | "hash-max-ziplist-value", memory(0, SIZE_MAX);
    /// Size of a list's node: positive, in elements; -1 to -5, in 4, 8, 16, 32, 64 kB.
    list_max_listpack_size: i32 = -2 => "list-max-listpack-size" | "list-max-ziplist-size",
        int(i32::MIN as i128, INT_MAX);
    /// Nodes at each end of a list that are not compressed; 0 compresses none.
    list_compress_depth: u32 = 0 => "list-compress-depth", int(0, INT_MAX);
    /// Members of a set of integers.
    set_max_intset_entries: u64 = 512 => "set-max-intset-entries", int(0, LONG_MAX);
    /// Members of a set in a listpack.
    set_max_listpack_entries: u64 = 128 => "set-max-listpack-entries", int(0, LONG_MAX);
    /// Bytes of a member in a listpack.
    set_max_listpack_value: u64 = 64 => "set-max-listpack-value", int(0, LONG_MAX);
    /// Members of a sorted set in a listpack.
    zset_max_listpack_entries: u64 = 128 => "zset-max-listpack-entries" | "zset-max-ziplist-entries", int(0, LONG_MAX);
    /// Bytes of a member in a listpack.
    zset_max_listpack_value: u64 = 64 => "zset-max-listpack-value" | "zset-max-ziplist-value", memory(0, SIZE_MAX);
    /// Bytes of a sparse HyperLogLog.
    hll_sparse_max_bytes: u64 = 3000 => "hll-sparse-max-bytes", memory(0, SIZE_MAX), accepted NO_HLL;
    /// Bytes of a stream's node; 0 no limit.
    stream_node_max_bytes: u64 = 4096 => "stream-node-max-bytes", memory(0, SIZE_MAX), accepted NO_STREAMS;
    /// Entries of a stream's node; 0 no limit.
    stream_node_max_entries: u64 = 100 => "stream-node-max-entries", int(0, LONG_MAX), accepted NO_STREAMS;
}

const NO_HLL: &str = "HyperLogLogs are not built yet.";
const NO_STREAMS: &str = "Streams are not built yet.";
