//! `# Replication`: role, ids, offsets. Sentinel and clients read it, under the historical names.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    let control = page.control.clone();
    for (name, value) in page.server.replication_info(&control) {
        page.field(&name, value);
    }
}
