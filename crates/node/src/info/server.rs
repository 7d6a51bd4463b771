//! `# Server`: the program and its process.

use super::Page;
use crate::commands::COMPATIBLE_VERSION;

pub(super) fn write(page: &mut Page<'_>) {
    let server = page.server;
    let config = page.control.config.clone();
    let facts = server.host.process();
    let now = server.engine.now().0;
    let uptime = (now - server.started).max(0) / 1000;
    page.field("redis_version", COMPATIBLE_VERSION);
    page.field("server_name", "rubellite");
    page.field("rubellite_version", &facts.version);
    page.field("redis_git_sha1", "00000000");
    page.field("redis_git_dirty", 0);
    page.field("redis_build_id", "0");
    let mode = match page.server {
        server if server.is_sentinel() => "sentinel",
        server if server.cluster.is_some() => "cluster",
        _ => "standalone",
    };
    page.field("redis_mode", mode);
    page.field("server_mode", mode);
    page.field("os", &facts.os);
    page.field("arch_bits", usize::BITS);
    page.field("monotonic_clock", "POSIX clock_gettime");
    page.field("multiplexing_api", &facts.poll);
    page.field("gcc_version", &facts.compiler);
    page.field("process_id", facts.pid);
    page.field("process_supervised", "no");
    page.field("run_id", &server.run_id);
    page.field("tcp_port", config.network.port);
    page.field("server_time_usec", now * 1000);
    page.field("uptime_in_seconds", uptime);
    page.field("uptime_in_days", uptime / 86400);
    page.field("hz", config.general.hz);
    page.field("configured_hz", config.general.hz);
    page.field("clients_hz", config.general.hz);
    page.field("lru_clock", (now / 1000) & 0xff_ffff);
    page.field("executable", &facts.executable);
    page.field("config_file", &facts.config_file);
    page.flag("io_threads_active", server.mailboxes.len() > 1);
    page.field("availability_zone", String::from_utf8_lossy(&config.cluster.availability_zone));
    listeners(page);
    if let Some(left) = crate::shutdown::left(server) {
        page.field("shutdown_in_milliseconds", left);
    }
    page.field("threads", server.mailboxes.len());
    page.field("shards", server.engine.map.shards());
}

fn listeners(page: &mut Page<'_>) {
    let config = page.control.config.clone();
    let network = &config.network;
    let mut count = 0;
    if network.port != 0 {
        let bind: String =
            network.bind.iter().map(|address| format!(",bind={}", String::from_utf8_lossy(address))).collect();
        page.field("listener0", format_args!("name=tcp{bind},port={}", network.port));
        count = 1;
    }
    if let Some(path) = &network.unixsocket {
        let name = format!("listener{count}");
        page.field(&name, format_args!("name=unix,bind={}", String::from_utf8_lossy(path)));
    }
}
