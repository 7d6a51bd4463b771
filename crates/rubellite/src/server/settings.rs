//! What a configuration means outside of the node: sockets, log, working directory, limits of the process, title.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use config::directives::process::{self, TitleFacts};
use config::reason::{CANNOT_BIND, CANNOT_LISTEN};
use config::{Config, Directive, Reason};
use resp::log_text;
use runtime::accept::Acceptor;
use runtime::listen::{self, TcpOptions};
use runtime::{crash, errno, log, rlimit, title};

/// What can be changed while the server runs.
#[derive(Default)]
pub struct Outside {
    /// Takes connections in, from the moment at which the server listens.
    pub acceptor: OnceLock<Acceptor>,
    /// What the list of processes shows of it.
    pub title: Title,
}

/// What the title of the process says beside the configuration.
#[derive(Clone, Default)]
pub struct Title {
    /// What the program was called by.
    pub name: String,
    /// Its kind: `[sentinel]`, `[cluster]`, or nothing.
    pub mode: &'static str,
    /// The configuration file, or `-`.
    pub file: String,
}

type Failed = (&'static Directive, Reason);

impl Outside {
    /// Lets what has changed take effect. What had taken effect before an error is taken back.
    pub fn change(&self, old: &Config, new: &mut Config, changed: &[&'static Directive]) -> Result<(), Failed> {
        for (done, directive) in changed.iter().enumerate() {
            if let Err(reason) = self.apply(directive.name, old, new) {
                let mut former = old.clone();
                for directive in &changed[..done] {
                    // It was in effect a moment ago.
                    let _ = self.apply(directive.name, new, &mut former);
                }
                return Err((directive, reason));
            }
        }
        Ok(())
    }

    fn apply(&self, name: &str, old: &Config, new: &mut Config) -> Result<(), Reason> {
        match name {
            "port" => self.listen_again(old, new).map_err(|()| CANNOT_LISTEN),
            "bind" => self.listen_again(old, new).map_err(|()| CANNOT_BIND),
            "tcp-keepalive" => {
                if let Some(acceptor) = self.acceptor.get() {
                    acceptor.set_keepalive(new.network.tcp_keepalive);
                }
                Ok(())
            }
            "maxclients" => maxclients(new.clients.maxclients),
            "dir" => enter(&new.general.dir).map(|dir| new.general.dir = dir),
            "loglevel" | "log-format" | "log-timestamp-format" | "hide-user-data-from-log" => {
                log::set(log_settings(new));
                Ok(())
            }
            "crash-log-enabled" => {
                crash::enable(new.process.crash_log_enabled).map_err(|e| Reason::new(errno::text(&e)))
            }
            "proc-title-template" => {
                self.title.show(new);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Listens where the new configuration says. An address that was listened on before can be bound only when it has been
    /// given up, so on error the former places are bound again.
    fn listen_again(&self, old: &Config, new: &Config) -> Result<(), ()> {
        let Some(acceptor) = self.acceptor.get() else { return Ok(()) };
        acceptor.close("tcp");
        if listen_tcp(new, acceptor) {
            return Ok(());
        }
        acceptor.close("tcp");
        listen_tcp(old, acceptor);
        Err(())
    }
}

/// Changes the working directory; answers its absolute path.
pub fn enter(path: &[u8]) -> Result<Vec<u8>, Reason> {
    let failed = |e: io::Error| Reason::new(errno::text(&e));
    std::env::set_current_dir(OsStr::from_bytes(path)).map_err(failed)?;
    let dir = std::env::current_dir().map_err(failed)?;
    Ok(dir.as_os_str().as_bytes().to_vec())
}

fn maxclients(wanted: u32) -> Result<(), Reason> {
    let adjusted = rlimit::adjust(u64::from(wanted));
    adjusted.lines.iter().for_each(|(level, line)| log::line(*level, line));
    match adjusted.maxclients {
        Some(n) if n >= u64::from(wanted) => Ok(()),
        n => Err(Reason::new(resp::error::config::reason::too_many_clients(n.unwrap_or(0)))),
    }
}

/// Listens on the TCP port, if there is one. False, with the reason in the log, when that fails.
pub fn listen_tcp(config: &Config, acceptor: &Acceptor) -> bool {
    if config.network.port == 0 || config.network.bind.is_empty() {
        return true;
    }
    let bind: Vec<String> = config.network.bind.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let options = TcpOptions { backlog: config.network.tcp_backlog as i32, mark: config.network.socket_mark_id };
    let listeners = match listen::tcp(&bind, config.network.port, &options) {
        Ok((listeners, warnings)) => {
            warnings.iter().for_each(log::warning);
            listeners
        }
        Err(refused) => {
            refused.warnings.iter().for_each(log::warning);
            Vec::new()
        }
    };
    if listeners.is_empty() {
        log::warning(log_text::start::no_listener(config.network.port, "tcp"));
        return false;
    }
    match acceptor.open("tcp", listeners) {
        Ok(()) => true,
        Err(e) => {
            log::warning(errno::text(&e));
            false
        }
    }
}

/// Listens for other nodes of the cluster. False, with the reason in the log, when that fails.
pub fn listen_bus(config: &Config, acceptor: &Acceptor) -> bool {
    let port = node::cluster::settings(config).listening_bus_port();
    let bind: Vec<String> = config.network.bind.iter().map(|a| String::from_utf8_lossy(a).into_owned()).collect();
    let options = TcpOptions { backlog: config.network.tcp_backlog as i32, mark: config.network.socket_mark_id };
    let opened = match listen::tcp(&bind, port, &options) {
        Ok((listeners, warnings)) => {
            warnings.iter().for_each(log::warning);
            if listeners.is_empty() { Err(()) } else { acceptor.open("cluster", listeners).map_err(|_| ()) }
        }
        Err(refused) => {
            refused.warnings.iter().for_each(log::warning);
            Err(())
        }
    };
    if opened.is_err() {
        log::warning(log_text::start::no_listener(port, "cluster"));
    }
    opened.is_ok()
}

/// Listens wherever the configuration says.
pub fn listen_all(config: &Config, acceptor: &Acceptor) -> io::Result<bool> {
    let backlog = config.network.tcp_backlog as i32;
    if let Some(warning) = listen::backlog_warning(backlog) {
        log::warning(warning);
    }
    if !listen_tcp(config, acceptor) {
        return Ok(false);
    }
    if let Some(path) = &config.network.unixsocket {
        let path = Path::new(OsStr::from_bytes(path));
        let permissions = (config.network.unixsocketperm != 0).then_some(config.network.unixsocketperm);
        acceptor.open("unix", vec![listen::unix(path, permissions, None, backlog)?])?;
    }
    Ok(true)
}

impl Title {
    /// Shows in the list of processes what the configuration says.
    pub fn show(&self, config: &Config) {
        if !config.process.set_proc_title {
            return;
        }
        let bind = config.network.bind.first().map(|b| String::from_utf8_lossy(b)).unwrap_or_default();
        let socket = config.network.unixsocket.as_deref().map(String::from_utf8_lossy);
        let listen_addr = match &socket {
            Some(path) if config.network.port == 0 => format!("unixsocket:{path}"),
            _ => format!("{bind}:{}", config.network.port),
        };
        let facts = TitleFacts {
            title: &self.name,
            listen_addr: &listen_addr,
            server_mode: self.mode,
            config_file: &self.file,
            unixsocket: socket.as_deref().unwrap_or_default(),
            port: config.network.port,
            tls_port: 0,
        };
        if let Some(text) = process::title(&config.process.proc_title_template, &facts) {
            title::set(text.trim_end());
        }
    }
}

/// The log as the configuration wants it.
pub fn log_settings(config: &Config) -> log::Settings {
    use config::directives::general::{LogFormat, LogLevel, LogTimestampFormat};
    let general = &config.general;
    log::Settings {
        level: match general.loglevel {
            LogLevel::Debug => log::Level::Debug,
            LogLevel::Verbose => log::Level::Verbose,
            LogLevel::Notice => log::Level::Notice,
            LogLevel::Warning => log::Level::Warning,
            LogLevel::Nothing => log::Level::Nothing,
        },
        file: (!general.logfile.is_empty()).then(|| PathBuf::from(OsStr::from_bytes(&general.logfile))),
        syslog: None,
        format: match general.log_format {
            LogFormat::Legacy => log::Format::Legacy,
            LogFormat::Logfmt => log::Format::Logfmt,
            LogFormat::Json => log::Format::Json,
        },
        timestamp: match general.log_timestamp_format {
            LogTimestampFormat::Legacy => log::Timestamp::Legacy,
            LogTimestampFormat::Iso8601 => log::Timestamp::Iso8601,
            LogTimestampFormat::Milliseconds => log::Timestamp::Milliseconds,
        },
        hides_user_data: general.hide_user_data_from_log,
    }
}
