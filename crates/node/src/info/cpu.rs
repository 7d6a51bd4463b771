//! `# CPU`: processor time of all threads. No thread is the main one, so its fields tell the sum too; the time in which a
//! thread was active is that of its commands.

use std::sync::atomic::Ordering;

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
    let server = page.server;
    for (number, counters) in server.counters.iter().take(server.mailboxes.len()).enumerate() {
        let active = seconds(counters.command_nanos.load(Ordering::Relaxed) / 1000);
        match number {
            0 => page.field("used_active_time_main_thread", active),
            _ => page.field(&format!("used_active_time_io_thread_{number}"), active),
        }
    }
}
