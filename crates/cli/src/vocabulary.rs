//! Who we are called as, and so which words we use.
//!
//! The tool is one program under several names. Called `redis-cli` it speaks Redis' published texts,
//! under any other name Valkey's; both spellings of every option and environment variable are
//! understood everywhere, the one of the name first.

/// The words that differ between the two families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vocabulary {
    /// How usage and messages name the tool.
    pub tool: &'static str,
    /// How messages name the server.
    pub server: &'static str,
    /// How messages name the server that a replica follows.
    pub primary: &'static str,
    /// The release whose behaviour this name promises.
    pub version: &'static str,
    /// The scheme of connection strings in examples.
    pub scheme: &'static str,
    /// What stands around a key that a report names, besides its own quotes.
    pub key_quote: &'static str,
    /// The title of the last part of a report on keys.
    pub summary: &'static str,
    /// The first word of the prompt when connected through a Unix socket.
    pub socket_prompt: &'static str,
    /// Prefixes of environment variables, the preferred one first.
    pub env: [&'static str; 2],
    /// In the home directory.
    pub history_file: &'static str,
    /// In the home directory.
    pub rc_file: &'static str,
    /// The field of INFO in which the server tells its version.
    pub version_field: &'static str,
}

pub const REDIS: Vocabulary = Vocabulary {
    tool: "redis-cli",
    server: "Redis",
    primary: "master",
    version: "8.0.6",
    scheme: "redis",
    key_quote: "",
    summary: "-------- summary -------",
    socket_prompt: "redis",
    env: ["REDISCLI", "VALKEYCLI"],
    history_file: ".rediscli_history",
    rc_file: ".redisclirc",
    version_field: "redis_version",
};

pub const VALKEY: Vocabulary = Vocabulary {
    tool: "valkey-cli",
    server: "Valkey",
    primary: "primary",
    version: "9.1.0",
    scheme: "valkey",
    key_quote: "'",
    summary: "-------- Summary --------",
    socket_prompt: "valkey",
    env: ["VALKEYCLI", "REDISCLI"],
    history_file: ".valkeycli_history",
    rc_file: ".valkeyclirc",
    version_field: "valkey_version",
};

impl Vocabulary {
    /// The words for a program name, which may carry a path.
    pub fn of(program: &str) -> Self {
        let name = program.rsplit('/').next().unwrap_or(program);
        if name.starts_with("redis") { REDIS } else { VALKEY }
    }

    /// The first of this name's environment variables that is set: `<PREFIX>_<what>`.
    pub fn env(&self, what: &str) -> Option<std::ffi::OsString> {
        self.env.iter().find_map(|prefix| std::env::var_os(format!("{prefix}_{what}")))
    }

    /// What `--version` prints.
    pub fn version_line(&self) -> String {
        format!("{} {} (rubellite {})", self.tool, self.version, env!("CARGO_PKG_VERSION"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_chooses_the_words() {
        assert_eq!(Vocabulary::of("/usr/bin/redis-cli"), REDIS);
        assert_eq!(Vocabulary::of("valkey-cli"), VALKEY);
        assert_eq!(Vocabulary::of("rubellite"), VALKEY);
    }
}
