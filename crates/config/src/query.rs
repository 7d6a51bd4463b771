//! `CONFIG GET`: names and values as text.

use crate::directives::{self, Config};
use crate::glob;

/// The directives that `patterns` name or match, with their values, sorted by name. An alias is shown under the name
/// that matched; a hidden directive only when named exactly, with the name as given. O(patterns × table).
pub fn get(config: &Config, patterns: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut shown: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    let mut add = |name: &[u8], directive: &crate::Directive| {
        if !shown.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)) {
            shown.push((name.to_vec(), directive.show(config)));
        }
    };
    for pattern in patterns {
        if !glob::is_pattern(pattern) {
            if let Some(directive) = directives::find(pattern) {
                add(pattern, directive);
            }
            continue;
        }
        for directive in directives::all().filter(|directive| !directive.flags.hidden) {
            for name in directive.names().filter(|name| glob::matches(pattern, name.as_bytes())) {
                add(name.as_bytes(), directive);
            }
        }
    }
    shown.sort_unstable();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(patterns: &[&str], expect: &[&str]) {
        let patterns: Vec<&[u8]> = patterns.iter().map(|pattern| pattern.as_bytes()).collect();
        let shown = get(&Config::default(), &patterns);
        let shown: Vec<String> = shown
            .iter()
            .map(|(name, value)| format!("{} {}", String::from_utf8_lossy(name), String::from_utf8_lossy(value)))
            .collect();
        assert_eq!(shown, expect, "{patterns:?}");
    }

    /// What valkey-server 9.1 shows.
    #[test]
    fn names_and_patterns_show_as_the_peers_do() {
        check(&["MAXMEMORY"], &["MAXMEMORY 0"]);
        check(&["maxmemory", "MAXMEMORY"], &["maxmemory 0"]);
        check(
            &["maxmem*", "maxmemory"],
            &[
                "maxmemory 0",
                "maxmemory-clients 0",
                "maxmemory-eviction-tenacity 10",
                "maxmemory-policy noeviction",
                "maxmemory-samples 5",
            ],
        );
        check(&["*slave-pri*"], &["slave-priority 100"]);
        check(&["rdb-key*", "rdb-key-save-delay"], &["rdb-key-save-delay 0"]);
        check(&["rdb-key*"], &[]);
        check(&["[h]z"], &["hz 10"]);
        check(&["nope"], &[]);
        check(
            &["client-output-buffer-limit"],
            &["client-output-buffer-limit normal 0 0 0 slave 268435456 67108864 60 pubsub 33554432 8388608 60"],
        );
        check(&["bind"], &["bind * -::*"]);
        check(
            &["save", "io-threads", "unixsocketperm"],
            &["io-threads 1", "save 3600 1 300 100 60 10000", "unixsocketperm 0"],
        );
    }
}
