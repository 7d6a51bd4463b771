//! `# Modules`: there are none.

use super::Page;

pub(super) fn write(_: &mut Page<'_>) {}
