//! SENTINEL: its subcommands are the machine's.

use super::{Call, ControlBinding, Done, free};

pub(super) const TABLE: &[ControlBinding] = &[
    free("sentinel|ckquorum", ask),
    free("sentinel|config", ask),
    free("sentinel|debug", ask),
    free("sentinel|failover", ask),
    free("sentinel|flushconfig", ask),
    free("sentinel|get-master-addr-by-name", ask),
    free("sentinel|get-primary-addr-by-name", ask),
    free("sentinel|help", super::help::help),
    free("sentinel|info-cache", ask),
    free("sentinel|is-master-down-by-addr", ask),
    free("sentinel|is-primary-down-by-addr", ask),
    free("sentinel|master", ask),
    free("sentinel|masters", ask),
    free("sentinel|monitor", ask),
    free("sentinel|myid", ask),
    free("sentinel|pending-scripts", ask),
    free("sentinel|primaries", ask),
    free("sentinel|primary", ask),
    free("sentinel|remove", ask),
    free("sentinel|replicas", ask),
    free("sentinel|reset", ask),
    free("sentinel|sentinels", ask),
    free("sentinel|set", ask),
    free("sentinel|simulate-failure", ask),
    free("sentinel|slaves", ask),
];

fn ask(call: &mut Call<'_, '_>) -> Done {
    let server = call.core.server;
    match server.sentinel.get() {
        Some(watch) => watch.command(server, call.args, &mut call.client.out),
        // Its names are known to a Sentinel's table only.
        None => unreachable!("SENTINEL reached a server that is none"),
    }
}
