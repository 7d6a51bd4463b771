//! `# CPU`: processor time of all threads. No thread is the main one, so its fields tell the sum too.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    let cpu = page.server.host.cpu();
    let seconds = |micros: u64| format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    page.field("used_cpu_sys", seconds(cpu.system));
    page.field("used_cpu_user", seconds(cpu.user));
    page.field("used_cpu_sys_children", seconds(cpu.system_children));
    page.field("used_cpu_user_children", seconds(cpu.user_children));
    page.field("used_cpu_sys_main_thread", seconds(cpu.system));
    page.field("used_cpu_user_main_thread", seconds(cpu.user));
}
