//! `# Cluster`: whether this is a node of one, and what it has set aside.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    page.flag("cluster_enabled", page.server.cluster.is_some());
    if let Some(node) = &page.server.cluster {
        page.field("cluster_slots_set_aside", node.aside.slots());
        page.field("cluster_keys_set_aside", node.aside.keys());
    }
}
