//! Lines of the cluster that tools and test suites wait for.
//!
//! The level of a line stands in its description: `*` notice, `#` warning, `-` verbose, `.` debug. `node` is a node's name
//! followed by its human name or address in parentheses.

/// `*`
pub fn state_changed(ok: bool) -> String {
    format!("Cluster state changed: {}", if ok { "ok" } else { "fail" })
}

/// `#` Why the cluster is down.
pub const NOT_COVERED: &str = "Cluster is currently down: At least one hash slot is not served by any available node. \
     Please check the 'cluster-require-full-coverage' configuration.";
/// `#` Why the cluster is down.
pub const MINORITY: &str = "Cluster is currently down: I am part of a minority partition.";

/// `*` `reason` is one of [`CANT_FAILOVER`]'s.
pub fn cannot_failover(reason: &str) -> String {
    format!("Currently unable to failover: {reason}")
}

/// Why a replica does not replace its failed primary: its data are too old, it waits, its time is over, votes are missing.
pub const CANT_FAILOVER: [&str; 4] = [
    "Disconnected from primary for longer than allowed. Please check the 'cluster-replica-validity-factor' configuration \
     option.",
    "Waiting the delay before I can start a new failover.",
    "Failover attempt expired.",
    "Waiting for votes, but majority still not reached.",
];

/// `*`
pub fn votes(needed: usize, received: usize) -> String {
    format!("Needed quorum: {needed}. Number of votes received so far: {received}")
}

/// `*`
pub fn election_delayed(delay_ms: i64, rank: usize, primary_rank: usize, offset: u64) -> String {
    format!(
        "Start of election delayed for {delay_ms} milliseconds (rank #{rank}, primary rank #{primary_rank}, offset \
         {offset})."
    )
}

/// `*`
pub const BEST_RANKED: &str = "This is the best ranked replica and can initiate the election immediately.";
/// `*`
pub const BECAME_BEST_RANKED: &str = "Myself become the best ranked replica, initiate the election immediately.";

/// `*`
pub fn election_started(epoch: u64, config_epoch: u64) -> String {
    format!("Starting a failover election for epoch {epoch}, node config epoch is {config_epoch}")
}

/// `*`
pub const ELECTION_WON: &str = "Failover election won: I'm the new primary.";

/// `#`
pub fn election_overtaken(epoch: u64, node: &str, claimed: u64) -> String {
    format!(
        "Failover election in progress for epoch {epoch}, but received a claim from node {node} with an equal or higher \
         epoch {claimed}. Resetting the election since we cannot win an election in the past."
    )
}

/// `#`
pub fn election_reset(epoch: u64) -> String {
    format!(
        "Failover election in progress for epoch {epoch}, but received a new manual failover. Resetting the election."
    )
}

/// `#` `why` says what stands against it.
pub fn vote_denied(node: &str, why: &str) -> String {
    format!("Failover auth denied to {node}{why}")
}

/// `*`
pub fn vote_granted(node: &str, epoch: u64) -> String {
    format!("Failover auth granted to {node} for epoch {epoch}")
}

/// `-`
pub fn old_slots(node: &str, owner: &str) -> String {
    format!("Node {node} has old slots configuration, sending an UPDATE message about {owner}")
}

/// `#`
pub const MANUAL_TIMED_OUT: &str = "Manual failover timed out.";

/// `*`
pub fn empty_primary(node: &str) -> String {
    format!("My last slot was migrated to node {node}. I am now an empty primary.")
}

/// `-`
pub fn import_follows(slot: u16, node: &str, shard: &str) -> String {
    format!(
        "Failover occurred in migration source. Update importing source for slot {slot} to node {node} in shard {shard}."
    )
}

/// `-`
pub fn migration_follows(slot: u16, node: &str, shard: &str) -> String {
    format!("Failover occurred in migration target. Slot {slot} is now being migrated to node {node} in shard {shard}.")
}

/// `*`
pub fn imports_follow(slots: usize, node: &str, shard: &str) -> String {
    format!(
        "A failover occurred in migration source. Update importing source of {slots} slot(s) to node {node} in shard {shard}."
    )
}

/// `*`
pub fn migrations_follow(slots: usize, node: &str, shard: &str) -> String {
    format!(
        "A failover occurred in migration target. Update migrating target of {slots} slot(s) to node {node} in shard {shard}."
    )
}

/// `*`. Both are names of nodes, and nothing else.
pub fn sub_replica(of: &str, from: &str) -> String {
    format!("I'm a sub-replica! Reconfiguring myself as a replica of {of} from {from}")
}

/// `*`
pub fn migrating_to_orphan(node: &str) -> String {
    format!("Migrating to orphaned primary {node}")
}

/// `*`
pub fn wrong_sender(node: &str, age_ms: i64, flags: u16) -> String {
    format!("PONG contains mismatching sender ID. About node {node} added {age_ms} ms ago, having flags {flags}")
}

/// `.` Every packet of this kind.
pub fn sending(kind: &str, node: &str, inbound: bool) -> String {
    format!("Sending {kind} packet to node {node} on {} link", if inbound { "inbound" } else { "outbound" })
}

/// `-`
pub fn reported(by: &str, node: &str, down: bool) -> String {
    format!("Node {by} reported node {node} {}", if down { "as not reachable." } else { "is back online." })
}

/// `*`
pub fn loaded(id: &str) -> String {
    format!("Node configuration loaded, I'm {id}")
}

/// `*`
pub fn no_configuration(id: &str) -> String {
    format!("No cluster configuration found, I'm {id}")
}
