//! FAILOVER, on both sides.

pub const REQUESTED_ANY: &str = "FAILOVER requested to any replica.";
pub const NEVER_CAUGHT_UP: &str = "Replica never caught up before timeout";
pub const ABORTED: &str = "Failover manually aborted";
pub const REJECTED: &str = "Failover target rejected psync request";

/// `replica` is an address and a port.
pub fn requested(replica: &str) -> String {
    format!("FAILOVER requested to {replica}.")
}

pub fn synced(replica: &str) -> String {
    format!("Failover target {replica} is synced, failing over.")
}

pub fn forced(replica: &str) -> String {
    format!("FAILOVER to {replica} time out exceeded, failing over.")
}

/// `why` is one of the reasons above; without a `replica` any could have been it.
pub fn aborted(replica: Option<&str>, why: &str) -> String {
    format!("FAILOVER to {} aborted: {why}", replica.unwrap_or("any replica"))
}

/// The replica's side: the primary with this replication id asks.
pub fn received(id: &str) -> String {
    format!("Failover request received for replid {id}.")
}

/// `who` describes the client that asked.
pub fn promoted(who: &str) -> String {
    format!("PRIMARY MODE enabled (failover request from '{who}')")
}
