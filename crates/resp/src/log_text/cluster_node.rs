//! Lines about a node of a cluster that are not the machine's own: its file, its bus, what users ask of it.

pub const SAVING: &str = "Saving the cluster configuration file before exiting.";
pub const CANNOT_SAVE: &str = "Fatal: can't update cluster config file.";
pub const SAVE_IGNORED: &str = "Cluster config updated even though writing the cluster config file to disk failed.";

pub const PORT_TOO_HIGH: &str =
    "The port number is too high for a cluster: its bus listens 10,000 ports higher, so it must be 55535 or less.";
pub const NO_BIND: &str = "No bind address is configured, but it is required for the Cluster bus.";

pub fn locked(file: &str) -> String {
    format!(
        "Sorry, the cluster configuration file {file} is already used by a different Cluster node. Please make sure that different nodes use different cluster configuration files."
    )
}

pub fn cannot_lock(file: &str, why: &str) -> String {
    format!("Can't open {file} in order to acquire a lock: {why}")
}

pub fn cannot_read(file: &str, why: &str) -> String {
    format!("Loading the cluster node config from {file}: {why}")
}

pub fn cannot_write(file: &str, why: &str) -> String {
    format!("Could not rename tmp cluster config file to {file}, or not write it: {why}")
}

pub fn meet(host: &str, port: u16, who: &str) -> String {
    format!("Cluster meet {host}:{port} (user request from '{who}').")
}

pub fn forget(name: &str, who: &str) -> String {
    format!("Cluster forget {name} (user request from '{who}').")
}

pub fn reset(who: &str) -> String {
    format!("Cluster reset (user request from '{who}').")
}

pub fn stop_replication(who: &str) -> String {
    format!("Stop replication and turning myself into empty primary (request from '{who}').")
}

pub fn takeover(who: &str) -> String {
    format!("Taking over the primary (user request from '{who}').")
}

pub fn forced_by_primary(who: &str) -> String {
    format!("Forced failover primary request accepted (primary request from '{who}').")
}

pub fn forced(who: &str) -> String {
    format!("Forced failover user request accepted (user request from '{who}').")
}

pub fn manual(who: &str) -> String {
    format!("Manual failover user request accepted (user request from '{who}').")
}

/// At the start.
pub fn still_aside(slots: usize, keys: usize) -> String {
    format!("{keys} keys of {slots} slots are set aside since an earlier run")
}

pub fn aside_unreadable(why: &str) -> String {
    format!("What was set aside in an earlier run cannot be read, and is left where it is: {why}")
}

/// Their slots are ours again.
pub fn put_back(keys: usize) -> String {
    format!("{keys} keys that were set aside are served again")
}

/// `has_owner`: the slots' owners have all of them; else their time was over.
pub fn aside_dropped(slots: usize, keys: usize, has_owner: bool) -> String {
    let why = if has_owner { "their owner has them" } else { "cluster-set-aside-ttl is over" };
    format!("{keys} keys of {slots} slots that were set aside are dropped: {why}")
}

pub fn set_aside(slot: u16, keys: usize) -> String {
    format!("{keys} keys of slot {slot}, which another node claims, are set aside")
}
