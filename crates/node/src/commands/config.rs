//! CONFIG: what is configured, at run time.
//!
//! CONFIG SET makes a whole new [`Config`](config::Config), lets it take effect outside (sockets, log, limits of the
//! process: [`Host::config_changed`](crate::server::Host::config_changed)), and publishes it while nothing else runs. When
//! any of its directives fails, the former value simply stays: either all are set or none.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use config::{Generated, Origin, Refusal, SetError};
use resp::error;
use resp::log_text;

use super::{Call, ControlBinding, Done, free, world};
use crate::saving;
use crate::server::{LogLevel, RewriteFailure};

pub(super) const TABLE: &[ControlBinding] = &[
    free("config|get", get),
    world("config|set", set),
    free("config|rewrite", rewrite),
    free("config|resetstat", resetstat),
    free("config|help", super::help::help),
];

fn get(call: &mut Call<'_, '_>) -> Done {
    let patterns: Vec<&[u8]> = call.args.from(2).iter().collect();
    let shown = config::get(&call.core.control().config, &patterns);
    call.client.out.map(shown.len());
    for (name, value) in shown {
        call.client.out.bulk(&name);
        call.client.out.bulk(&value);
    }
    Ok(())
}

fn set(call: &mut Call<'_, '_>) -> Done {
    if call.args.len() % 2 == 1 {
        return Err(error::common::SYNTAX);
    }
    let control = call.core.control();
    let pairs: Vec<(&[u8], &[u8])> =
        (2..call.args.len()).step_by(2).map(|at| (call.args.at(at), call.args.at(at + 1))).collect();
    let origin = Origin { local: call.client.card.is_local(), loading: control.loading || control.async_loading };
    let mut update = config::set(&control.config, &pairs, origin).map_err(|e| match e {
        SetError::Loading => error::common::loading(crate::admission::PRODUCT),
        SetError::Refused(refusal) => refusal.error(),
    })?;
    let server = call.core.server;
    if let Err((directive, reason)) = server.host.config_changed(&control.config, &mut update.config, &update.changed) {
        server.host.log(LogLevel::Warning, &log_text::config::set_failed(directive.name));
        return Err(Refusal::to_apply(directive, reason).error());
    }
    let appends = update.config.aof.appendonly;
    let begins = appends && !control.config.aof.appendonly;
    server.aof_on.store(appends, Ordering::Release);
    let unguarded = update.touches("sentinel-guard-ms") && update.config.replication.sentinel_guard_ms == 0;
    let password = update.touches("requirepass");
    let resized = update.touches("repl-backlog-size");
    let config = Arc::new(update.config);
    call.core.publish_control(|control| {
        *control = control.with_config(config.clone());
        if unguarded {
            control.guard = None;
        }
        if password {
            let password = config.security.requirepass.as_deref();
            control.users = Arc::new(control.users.with_default_password(password));
        }
    });
    // An append-only file is worth nothing before it has a base.
    if begins && (call.core.in_exec || saving::begin_rewrite(call.core).is_err()) {
        server.host.log(LogLevel::Notice, log_text::aof::SCHEDULED);
        server.saving.lock().ask_rewrite();
    }
    if !appends && control.config.aof.appendonly {
        saving::give_up_rewrite(server);
    }
    if resized {
        // What a smaller backlog does not hold is gone for replicas that come from now on.
        server.journal.set_backlog_size(config.replication.repl_backlog_size);
    }
    if let Some(node) = &server.cluster {
        let now = server.engine.now();
        node.with(|machine, out| machine.configure(now, crate::cluster::settings(&config), out));
        call.core.carry_out();
    }
    // Timeouts and limits of clients are looked at again.
    server.recheck();
    call.client.out.ok();
    Ok(())
}

fn rewrite(call: &mut Call<'_, '_>) -> Done {
    rewrite_file(call, false)
}

/// Writes the configuration into its file; what has its default only where the file names it already, or `every` directive.
pub(super) fn rewrite_file(call: &mut Call<'_, '_>, every: bool) -> Done {
    let control = call.core.control();
    let host = &call.core.server.host;
    let users = Generated { option: b"user".to_vec(), lines: acl::lines(&control.users) };
    let users = [users];
    let new = |old: &[u8]| config::rewrite(old, &control.config, &users, config::Mode::Server, every);
    match host.rewrite_config(&new) {
        Ok(()) => host.log(LogLevel::Notice, log_text::config::REWRITTEN),
        Err(RewriteFailure::NoFile) => return Err(error::config::NO_FILE),
        Err(RewriteFailure::System(why)) => {
            host.log(LogLevel::Warning, &log_text::config::rewrite_failed(&why));
            return Err(error::config::rewrite_failed(&why));
        }
    }
    call.client.out.ok();
    Ok(())
}

fn resetstat(call: &mut Call<'_, '_>) -> Done {
    call.core.server.reset_stats();
    call.client.out.ok();
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    #[test]
    fn what_is_set_is_shown() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(node.say(a, "CONFIG GET hz"), "*2\r\n$2\r\nhz\r\n$2\r\n10\r\n");
        assert_eq!(node.say(a, "CONFIG SET hz 20 maxmemory 100mb"), "+OK\r\n");
        assert_eq!(node.say(a, "CONFIG GET maxmemory"), "*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n");
        assert_eq!(node.say(a, "CONFIG SET hz"), "-ERR wrong number of arguments for 'config|set' command\r\n");
        assert_eq!(node.say(a, "CONFIG SET hz 10 maxmemory"), "-ERR syntax error\r\n");
        assert!(node.say(a, "CONFIG SET nope 1").starts_with("-ERR Unknown option or number of arguments"));
        assert_eq!(node.say(a, "CONFIG GET hz"), "*2\r\n$2\r\nhz\r\n$2\r\n20\r\n");
    }

    #[test]
    fn what_cannot_take_effect_is_not_set() {
        let mut node = Node::start("");
        let a = node.connect();
        *node.notes.refuse.lock() = Some("port");
        assert_eq!(
            node.say(a, "CONFIG SET hz 20 port 1"),
            "-ERR CONFIG SET failed (possibly related to argument 'port') - Unable to listen on this port. Check server \
             logs.\r\n"
        );
        assert_eq!(node.say(a, "CONFIG GET hz"), "*2\r\n$2\r\nhz\r\n$2\r\n10\r\n");
    }

    #[test]
    fn a_password_shuts_out_who_comes_later() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(node.say(a, "CONFIG SET requirepass sesame"), "+OK\r\n");
        assert_eq!(node.say(a, "PING"), "+PONG\r\n", "who was in stays in");
        let b = node.connect();
        assert_eq!(node.say(b, "PING"), "-NOAUTH Authentication required.\r\n");
        assert_eq!(node.say(b, "AUTH sesame"), "+OK\r\n");
        assert_eq!(node.say(b, "PING"), "+PONG\r\n");
    }

    #[test]
    fn the_file_is_written_again() {
        let mut node = Node::start("");
        let a = node.connect();
        assert_eq!(node.say(a, "CONFIG REWRITE"), "-ERR The server is running without a config file\r\n");
        *node.notes.file.lock() = Some(b"hz 10\n".to_vec());
        node.say(a, "CONFIG SET hz 30");
        assert_eq!(node.say(a, "CONFIG REWRITE"), "+OK\r\n");
        assert!(node.notes.file.lock().as_deref().unwrap().starts_with(b"hz 30\n"));
    }

    #[test]
    fn an_idle_client_is_closed_when_a_timeout_is_set() {
        let mut node = Node::start("");
        let (a, b) = (node.connect(), node.connect());
        node.say(b, "SUBSCRIBE news");
        let c = node.connect();
        node.pass(10_000);
        node.say(c, "CONFIG SET timeout 5");
        node.pass(100);
        assert!(node.is_closing(a));
        assert!(!node.is_closing(b), "a subscriber may be silent");
        assert!(!node.is_closing(c));
    }

    #[test]
    fn statistics_begin_anew() {
        let mut node = Node::start("");
        let a = node.connect();
        node.say(a, "GET");
        assert_eq!(node.server.totals().errors, 1);
        node.say(a, "CONFIG RESETSTAT");
        assert_eq!(node.server.totals().errors, 0);
        assert!(node.server.error_codes().is_empty());
    }
}
