//! `CONFIG SET`: from one [`Config`] to the next, all of it or nothing.
//!
//! ```text
//!   names   known? mutable? allowed? not twice?          the first argument at fault is named
//!   values  set one after another in a copy              so a later one sees the former
//!   caller  listens, opens, resizes by the copy          fails: the old value simply stays
//!   caller  publishes the copy
//! ```

use crate::directive::Directive;
use crate::directives::{self, Config};
use crate::reason::{self, Reason};

/// From where a change comes, and when.
#[derive(Clone, Copy, Debug, Default)]
pub struct Origin {
    /// The connection comes from this host.
    pub local: bool,
    /// The data set is being loaded.
    pub loading: bool,
}

/// A configuration that may take the place of the one that it was made from.
#[derive(Debug)]
pub struct Update {
    pub config: Config,
    /// What differs, or names something that may have changed (certificates), in the order given.
    pub changed: Vec<&'static Directive>,
}

impl Update {
    /// Whether the directive called `name` changed.
    pub fn touches(&self, name: &str) -> bool {
        debug_assert!(directives::find(name.as_bytes()).is_some_and(|known| known.name == name), "{name}");
        self.changed.iter().any(|directive| directive.name == name)
    }
}

/// Why nothing was set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SetError {
    /// One of the directives cannot be set while the data set is loading. The reply is the error of that state.
    Loading,
    Refused(Refusal),
}

/// A refused argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Unknown { name: Vec<u8> },
    Argument { name: Vec<u8>, reason: Reason },
}

impl Refusal {
    /// That the configuration with a new value of `directive` could not take effect.
    pub fn to_apply(directive: &Directive, reason: Reason) -> Refusal {
        Refusal::Argument { name: directive.name.into(), reason }
    }

    /// The error reply.
    pub fn error(&self) -> resp::error::Error {
        match self {
            Refusal::Unknown { name } => resp::error::config::unknown_option(name),
            Refusal::Argument { name, reason } => resp::error::config::set_failed(name, reason.as_str()),
        }
    }
}

/// Whether the value of this argument must be kept out of logs. True for what it names in any case.
pub fn is_sensitive(name: &[u8]) -> bool {
    directives::find(name).is_some_and(|directive| directive.flags.sensitive)
}

/// Sets `pairs` of name and value over `config`. O(names × table).
pub fn set(config: &Config, pairs: &[(&[u8], &[u8])], origin: Origin) -> Result<Update, SetError> {
    let mut update = Update { config: config.clone(), changed: Vec::new() };
    let mut found: Vec<(&'static Directive, &'static str)> = Vec::with_capacity(pairs.len());
    for (name, _) in pairs {
        let refuse = |reason| Err(SetError::Refused(Refusal::Argument { name: name.to_vec(), reason }));
        let Some(directive) = directives::find(name) else {
            return Err(SetError::Refused(Refusal::Unknown { name: name.to_vec() }));
        };
        if directive.flags.immutable {
            return refuse(reason::IMMUTABLE);
        }
        if directive.flags.protected && !config.security.enable_protected_configs.allows(origin.local) {
            return refuse(reason::PROTECTED);
        }
        if directive.flags.denied_while_loading && origin.loading {
            return Err(SetError::Loading);
        }
        // An alias beside the name is no duplicate: the later value wins, as for the peers.
        let spelling =
            directive.names().find(|known| known.as_bytes().eq_ignore_ascii_case(name)).unwrap_or(directive.name);
        if found.iter().any(|(_, known)| *known == spelling) {
            return refuse(reason::DUPLICATE);
        }
        found.push((directive, spelling));
    }
    for ((directive, spelling), (_, value)) in found.into_iter().zip(pairs) {
        let words: Vec<Vec<u8>> = match *value {
            [] if directive.takes_words() => Vec::new(),
            value if directive.takes_words() => value.split(|byte| *byte == b' ').map(<[u8]>::to_vec).collect(),
            value => vec![value.to_vec()],
        };
        let changed = directive
            .set(&mut update.config, &words)
            .map_err(|reason| SetError::Refused(Refusal::Argument { name: spelling.into(), reason }))?;
        if (changed || directive.flags.volatile) && !update.changed.contains(&directive) {
            update.changed.push(directive);
        }
    }
    Ok(update)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::get;

    fn pairs<'a>(text: &[(&'a str, &'a str)]) -> Vec<(&'a [u8], &'a [u8])> {
        text.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect()
    }

    fn try_set(text: &[(&str, &str)]) -> Result<Update, SetError> {
        set(&Config::default(), &pairs(text), Origin::default())
    }

    fn refused(text: &[(&str, &str)]) -> String {
        match try_set(text) {
            Err(SetError::Refused(refusal)) => String::from_utf8(refusal.error().text().to_vec()).unwrap(),
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    /// What valkey-server 9.1 answers to the same commands.
    #[test]
    fn errors_name_the_first_argument_at_fault() {
        let failed =
            |name: &str, why: &str| format!("ERR CONFIG SET failed (possibly related to argument '{name}') - {why}");
        let unknown = |name: &str| format!("ERR Unknown option or number of arguments for CONFIG SET - '{name}'");
        for (given, expect) in [
            (&[("nope", "1"), ("nope2", "2")][..], unknown("nope")),
            (&[("maxmemory", "1"), ("nope", "2")], unknown("nope")),
            (&[("nope", "1"), ("daemonize", "no")], unknown("nope")),
            (&[("include", "x")], unknown("include")),
            (&[("list-max-ziplist-entries", "1")], unknown("list-max-ziplist-entries")),
            (&[("daemonize", "no"), ("nope", "1")], failed("daemonize", "can't set immutable config")),
            (&[("DAEMONIZE", "yes")], failed("DAEMONIZE", "can't set immutable config")),
            (&[("MAXMEMORY", "1"), ("maxmemory", "2")], failed("maxmemory", "duplicate parameter")),
            (&[("MaxMemory", "x")], failed("maxmemory", "argument must be a memory value")),
            (&[("slave-priority", "x")], failed("slave-priority", "argument couldn't be parsed into an integer")),
            (&[("dir", "/tmp")], failed("dir", "can't set protected config")),
            (&[("appendonly", "maybe")], failed("appendonly", "argument must be 'yes' or 'no'")),
            (&[("replicaof", "a")], failed("replicaof", "can't set immutable config")),
            (&[("save", "1")], failed("save", "Invalid save parameters")),
            (&[("save", "3600  1")], failed("save", "Invalid save parameters")),
            (&[("io-threads", "0")], failed("io-threads", "argument must be between 1 and 256 inclusive")),
            (
                &[("maxmemory", "12345"), ("maxmemory-clients", "200%")],
                failed("maxmemory-clients", "percentage argument must be less or equal to 100"),
            ),
            (
                &[("maxmemory-clients", "9223372036854775808")],
                failed("maxmemory-clients", "percentage argument must be less or equal to 100"),
            ),
            (
                &[("shutdown-on-sigterm", "")],
                failed(
                    "shutdown-on-sigterm",
                    "argument(s) must be one of the following: default, save, nosave, now, force, safe, failover",
                ),
            ),
            (&[("oom-score-adj-values", "x")], failed("oom-score-adj-values", "wrong number of arguments")),
            (
                &[("slot-migration-max-failover-repl-bytes", "-2")],
                failed(
                    "slot-migration-max-failover-repl-bytes",
                    "argument must be between -1 and 9223372036854775807 inclusive",
                ),
            ),
        ] {
            assert_eq!(refused(given), expect, "{given:?}");
        }
    }

    #[test]
    fn several_are_set_together_and_what_changed_is_told() {
        let update = try_set(&[("maxmemory", "10mb"), ("save", "3000 5"), ("hz", "10"), ("bind", "")]).unwrap();
        assert_eq!(update.config.memory.maxmemory, 10 << 20);
        assert_eq!(get(&update.config, &[b"save"])[0].1, b"3000 5");
        assert!(update.config.network.bind.is_empty());
        assert!(update.touches("maxmemory") && update.touches("save") && update.touches("bind"));
        assert!(!update.touches("hz"));
        let update = try_set(&[("slave-priority", "1"), ("replica-priority", "2")]).unwrap();
        assert_eq!(update.config.replication.replica_priority, 2);
        assert_eq!(update.changed.len(), 1);
        assert_eq!(try_set(&[("hz", "1000")]).unwrap().config.general.hz, 500);
        assert_eq!(try_set(&[("maxmemory", "mb")]).unwrap().config.memory.maxmemory, 0);
    }

    #[test]
    fn a_certificate_set_again_counts_as_changed() {
        assert!(try_set(&[("tls-cert-file", "")]).unwrap().touches("tls-cert-file"));
        assert!(!try_set(&[("tls-ciphers", "")]).unwrap().touches("tls-ciphers"));
    }

    #[test]
    fn protection_and_loading_are_respected() {
        let mut config = Config::default();
        config.security.enable_protected_configs = crate::directives::security::ProtectedAction::Local;
        let dir = pairs(&[("dir", "/tmp")]);
        let from =
            |local, loading| set(&config, &dir, Origin { local, loading }).map(|update| update.config.general.dir);
        assert_eq!(from(true, false), Ok(b"/tmp".to_vec()));
        assert!(matches!(from(false, false), Err(SetError::Refused(_))));
        assert_eq!(from(true, true), Err(SetError::Loading));
        assert!(set(&config, &pairs(&[("loglevel", "debug")]), Origin { local: false, loading: true }).is_ok());
    }

    #[test]
    fn passwords_are_sensitive_under_every_name() {
        for name in ["requirepass", "MASTERAUTH", "primaryauth", "masteruser", "tls-key-file-pass"] {
            assert!(is_sensitive(name.as_bytes()), "{name}");
        }
        assert!(!is_sensitive(b"maxmemory"));
    }
}
