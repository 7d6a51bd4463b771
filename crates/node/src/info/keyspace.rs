//! `# Keyspace`: keys of each database that has any, as the shards have last told (see `keyspace::Count`).

use keyspace::DbIndex;

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    for db in 0..page.control.env.databases {
        let (keys, expires) = page.server.engine.count(DbIndex(db));
        if keys > 0 {
            page.field(
                &format!("db{db}"),
                format_args!("keys={keys},expires={expires},avg_ttl=0,keys_with_volatile_items=0"),
            );
        }
    }
}
