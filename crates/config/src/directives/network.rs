//! Sockets: where the server listens, and how connections are kept.

use super::{INT_MAX, MB, NO_RDMA, UINT_MAX};
use crate::kind::{YES_NO, addresses, anything, int, octal, optional_text};

section! {
    /// Sockets.
    Network in network;

    /// Addresses to listen on. A `-` before one tolerates that this host does not have it; `*` stands for all of
    /// IPv4, `::*` for all of IPv6; none at all closes the TCP port.
    bind: Vec<Vec<u8>> = vec![b"*".to_vec(), b"-::*".to_vec()] => "bind", addresses();
    /// TCP port; 0 listens on none.
    port: u16 = 6379 => "port", int(0, 65535);
    /// Refuse other hosts while the default user has no password.
    protected_mode: bool = true => "protected-mode", YES_NO;
    /// Connections that the kernel queues before they are accepted.
    tcp_backlog: u32 = 511 => "tcp-backlog", int(0, INT_MAX), [immutable];
    /// Path of a Unix socket.
    unixsocket: Option<Vec<u8>> = None => "unixsocket", optional_text(anything), [immutable];
    /// Group that owns the Unix socket.
    unixsocketgroup: Option<Vec<u8>> = None => "unixsocketgroup", optional_text(anything), [immutable];
    /// Permissions of the Unix socket; 0 leaves them to the umask.
    unixsocketperm: u32 = 0 => "unixsocketperm", octal(0o777), [immutable];
    /// Seconds after which an idle client is disconnected; 0 never.
    timeout: u32 = 0 => "timeout", int(0, INT_MAX);
    /// Seconds between keep-alive probes; 0 sends none.
    tcp_keepalive: u32 = 300 => "tcp-keepalive", int(0, INT_MAX);
    /// Address from which connections to other servers go out.
    bind_source_addr: Option<Vec<u8>> = None => "bind-source-addr", optional_text(anything);
    /// Mark of listening sockets for routing rules.
    socket_mark_id: u32 = 0 => "socket-mark-id", int(0, UINT_MAX), [immutable], accepted "Sockets are not marked.";
    /// Multipath TCP on listening sockets.
    mptcp: bool = false => "mptcp", YES_NO, [immutable], accepted NO_MPTCP;
    /// Multipath TCP towards the primary.
    repl_mptcp: bool = false => "repl-mptcp", YES_NO, [immutable], accepted NO_MPTCP;
    /// Connections accepted in one turn of the loop.
    max_new_connections_per_cycle: u32 = 10 => "max-new-connections-per-cycle", int(1, 1000),
        accepted "Accepting is not rationed: a turn of one thread's loop does not hold up the others.";
    /// Port for RDMA; 0 listens on none.
    rdma_port: u16 = 0 => "rdma-port", int(0, 65535), accepted NO_RDMA;
    /// Addresses for RDMA.
    rdma_bind: Vec<Vec<u8>> = Vec::new() => "rdma-bind", addresses(), accepted NO_RDMA;
    /// Bytes of an RDMA receive buffer.
    rdma_rx_size: u32 = MB as u32 => "rdma-rx-size", int(64 << 10, 16 << 20), [immutable], accepted NO_RDMA;
    /// Completion vector of RDMA; -1 chooses one.
    rdma_completion_vector: i32 = -1 => "rdma-completion-vector", int(-1, 1024), [immutable], accepted NO_RDMA;
}

const NO_MPTCP: &str = "Connections are plain TCP.";
