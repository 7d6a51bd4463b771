//! `# Errorstats`: error replies by their code.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    for (code, count) in page.server.error_codes() {
        page.field(&format!("errorstat_{}", String::from_utf8_lossy(&code)), format_args!("count={count}"));
    }
}
