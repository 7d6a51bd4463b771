//! `# Cluster`: whether this is a node of one.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    page.field("cluster_enabled", 0);
}
