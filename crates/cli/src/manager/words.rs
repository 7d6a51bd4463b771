//! The texts in which the two families differ. Everything else is in the file of the subcommand that says it.

use crate::vocabulary::{VALKEY, Vocabulary};

/// What the manager calls things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words {
    /// Redis' texts, as of 7.0, instead of Valkey's.
    pub is_redis: bool,
    pub server: &'static str,
    pub tool: &'static str,
    pub primary: &'static str,
    pub primaries: &'static str,
    pub replica: &'static str,
    pub replicas: &'static str,
}

const OF_REDIS: Words = Words {
    is_redis: true,
    server: "Redis",
    tool: "redis-cli",
    primary: "master",
    primaries: "masters",
    replica: "slave",
    replicas: "slaves",
};

const OF_VALKEY: Words = Words {
    is_redis: false,
    server: "Valkey",
    tool: "valkey-cli",
    primary: "primary",
    primaries: "primaries",
    replica: "replica",
    replicas: "replicas",
};

impl Words {
    pub fn of(vocabulary: &Vocabulary) -> Words {
        if vocabulary.server == VALKEY.server { OF_VALKEY } else { OF_REDIS }
    }

    /// The name of the role with a capital letter.
    pub fn primary_title(&self) -> &'static str {
        if self.is_redis { "Master" } else { "Primary" }
    }
}
