//! `bin/` makes every published tutorial work as typed: each name that users know leads to the one release binary.

use std::path::Path;

#[test]
fn every_name_that_users_know_is_a_link_to_the_binary() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../bin");
    for family in ["redis", "valkey"] {
        for tool in ["server", "cli", "sentinel", "benchmark", "check-rdb", "check-aof"] {
            let link = folder.join(format!("{family}-{tool}"));
            let target = std::fs::read_link(&link).unwrap_or_else(|error| panic!("{}: {error}", link.display()));
            assert_eq!(target, Path::new("../target/release/rubellite"), "{}", link.display());
        }
    }
}
