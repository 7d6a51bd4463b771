//! `# Debug`: shown by name only.

use super::Page;

pub(super) fn write(page: &mut Page<'_>) {
    page.zeros(&["eventloop_duration_aof_sum", "eventloop_duration_cron_sum", "eventloop_duration_max"]);
    page.zeros(&["eventloop_cmd_per_cycle_max", "io_threaded_reads_pending", "io_threaded_writes_pending"]);
}
