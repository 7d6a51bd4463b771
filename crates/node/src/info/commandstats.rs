//! `# Commandstats`: calls and time of each command that was called or refused.

use super::Page;
use crate::stats::CommandTotals;

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    for (id, row) in server.registry.iter().filter(|(id, _)| server.has(*id)) {
        let totals = server.command_totals(id);
        if totals == CommandTotals::default() {
            continue;
        }
        let micros = totals.nanos / 1000;
        let each = if totals.calls == 0 { 0.0 } else { totals.nanos as f64 / 1000.0 / totals.calls as f64 };
        page.field(
            &format!("cmdstat_{}", row.fullname),
            format_args!(
                "calls={},usec={micros},usec_per_call={each:.2},rejected_calls={},failed_calls={}",
                totals.calls, totals.rejected, totals.failed
            ),
        );
    }
}
