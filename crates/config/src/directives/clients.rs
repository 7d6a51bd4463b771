//! What clients may use: connections, buffers, tracked keys.

use super::{GB, LONG_MAX, MB, SIZE_MAX, UINT_MAX};
use crate::kind::{OutputBufferLimits, Share, buffer_limits, int, memory, share};

section! {
    /// Clients.
    Clients in clients;

    /// Connections at once.
    maxclients: u32 = 10000 => "maxclients", int(1, UINT_MAX);
    /// Memory of all clients' buffers, in bytes or percent of `maxmemory`, beyond which the largest are disconnected.
    maxmemory_clients: Share = Share::Bytes(0) => "maxmemory-clients", share(),
        accepted "Clients are limited one by one; their sum is not limited yet.";
    /// Replies that a client may leave unread, by class.
    client_output_buffer_limit: OutputBufferLimits = OutputBufferLimits::default() => "client-output-buffer-limit",
        buffer_limits();
    /// Bytes of one client's unfinished request.
    client_query_buffer_limit: u64 = GB => "client-query-buffer-limit", memory(MB, SIZE_MAX);
    /// Bytes of one argument.
    proto_max_bulk_len: u64 = 512 * MB => "proto-max-bulk-len", memory(MB, SIZE_MAX);
    /// Keys remembered for client-side caching.
    tracking_table_max_keys: u64 = 1_000_000 => "tracking-table-max-keys", int(0, LONG_MAX),
        accepted "Client-side caching is not built yet.";
    /// Protocol that a connection starts with.
    client_default_resp: u32 = 2 => "client-default-resp", int(2, 3), [immutable, hidden],
        accepted "A connection starts with RESP2 and changes by HELLO.";
}
