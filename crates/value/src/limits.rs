//! The limits within which collections keep their compact encodings: the `*-max-*` directives.

use structures::quicklist::Options;

/// One snapshot of the encoding directives; given to every operation that may convert.
///
/// A limit of 0 entries means that the compact encoding is not used at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// `hash-max-listpack-entries`: fields.
    pub hash_listpack_entries: usize,
    /// `hash-max-listpack-value`: bytes of a field or a value.
    pub hash_listpack_value: usize,
    /// `set-max-intset-entries`: members.
    pub set_intset_entries: usize,
    /// `set-max-listpack-entries`: members.
    pub set_listpack_entries: usize,
    /// `set-max-listpack-value`: bytes of a member.
    pub set_listpack_value: usize,
    /// `zset-max-listpack-entries`: members.
    pub zset_listpack_entries: usize,
    /// `zset-max-listpack-value`: bytes of a member.
    pub zset_listpack_value: usize,
    /// `list-max-listpack-size`: elements if positive; -1 to -5 stand for 4, 8, 16, 32, 64 KiB.
    pub list_listpack_size: i32,
    /// `list-compress-depth`: nodes at each end of a list that are never compressed; 0 compresses none.
    pub list_compress_depth: u32,
    /// `stream-node-max-bytes`: bytes of a stream's node; 0 is no limit.
    pub stream_node_bytes: usize,
    /// `stream-node-max-entries`: entries of a stream's node; 0 is no limit.
    pub stream_node_entries: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            hash_listpack_entries: 512,
            hash_listpack_value: 64,
            set_intset_entries: 512,
            set_listpack_entries: 128,
            set_listpack_value: 64,
            zset_listpack_entries: 128,
            zset_listpack_value: 64,
            list_listpack_size: -2,
            list_compress_depth: 0,
            stream_node_bytes: 4096,
            stream_node_entries: 100,
        }
    }
}

impl Limits {
    pub(crate) fn list(&self) -> Options {
        Options { fill: self.list_listpack_size, compress_depth: self.list_compress_depth }
    }

    /// Intsets never exceed 2^30 members, whatever is configured.
    pub(crate) fn intset_entries(&self) -> usize {
        self.set_intset_entries.min(1 << 30)
    }
}
