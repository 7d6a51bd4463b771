//! `# Sentinel`: the monitored primaries, as the machine tells of them.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    let Some(watch) = page.server.sentinel.get() else { return };
    let text = watch.info(page.server);
    let lines = text.strip_prefix(b"# Sentinel\r\n").unwrap_or(&text);
    page.text.push_str(&String::from_utf8_lossy(lines));
}
