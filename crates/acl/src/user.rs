//! A user: whether it may come in, by which passwords, and its selectors.

use structures::glob;

use crate::password::PasswordHash;
use crate::rule::{RuleError, Vocabulary, is};
use crate::selector::Selector;

/// One user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether it may authenticate. Who is in stays in.
    pub on: bool,
    /// Whether any password will do.
    pub nopass: bool,
    passwords: Vec<PasswordHash>,
    root: Selector,
    selectors: Vec<Selector>,
}

impl User {
    /// A user as a name alone makes it: off, and allowed nothing.
    pub(crate) fn new(name: &[u8], words: Vocabulary<'_>) -> Self {
        Self::blank(name, words.all_channels)
    }

    fn blank(name: &[u8], all_channels: bool) -> Self {
        User {
            name: name.to_vec(),
            on: false,
            nopass: false,
            passwords: Vec::new(),
            root: Selector::new(all_channels),
            selectors: Vec::new(),
        }
    }

    /// The default user as nobody has changed it: allowed everything, without a password.
    pub(crate) fn unrestricted() -> Self {
        let mut user = Self::blank(crate::DEFAULT_USER, true);
        user.root.all_keys = true;
        user.root.allow_all_commands();
        user.on = true;
        user.nopass = true;
        user
    }

    /// Applies one rule. On error the user may be half changed: the caller drops it.
    pub(crate) fn apply(&mut self, rule: &[u8], words: Vocabulary<'_>) -> Result<(), RuleError> {
        let hash = |hex| PasswordHash::from_hex(hex).ok_or(RuleError::PasswordHash);
        match rule {
            [] => {}
            _ if is(rule, "on") || is(rule, "off") => self.on = is(rule, "on"),
            // Payloads are always checked. The words stand in old files.
            _ if is(rule, "skip-sanitize-payload") || is(rule, "sanitize-payload") => {}
            _ if is(rule, "nopass") || is(rule, "resetpass") => {
                self.nopass = is(rule, "nopass");
                self.passwords.clear();
            }
            [b'>', password @ ..] => self.add_password(PasswordHash::of(password)),
            [b'#', hex @ ..] => self.add_password(hash(hex)?),
            [b'<', password @ ..] => self.remove_password(PasswordHash::of(password))?,
            [b'!', hex @ ..] => self.remove_password(hash(hex)?)?,
            [b'(', rules @ .., b')'] => self.selectors.push(Selector::parse(rules, words)?),
            _ if is(rule, "clearselectors") => self.selectors.clear(),
            _ if is(rule, "reset") => {
                *self = User { name: std::mem::take(&mut self.name), ..Self::new(b"", words) };
            }
            _ => self.root.apply(rule, words)?,
        }
        Ok(())
    }

    /// Sets the one password, or lets everybody in (`requirepass`).
    pub(crate) fn set_password(&mut self, password: Option<&[u8]>) {
        self.passwords = password.map(PasswordHash::of).into_iter().collect();
        self.nopass = password.is_none();
    }

    fn add_password(&mut self, hash: PasswordHash) {
        if !self.passwords.contains(&hash) {
            self.passwords.push(hash);
        }
        self.nopass = false;
    }

    fn remove_password(&mut self, hash: PasswordHash) -> Result<(), RuleError> {
        let at = self.passwords.iter().position(|known| *known == hash).ok_or(RuleError::NoSuchPassword)?;
        self.passwords.remove(at);
        Ok(())
    }

    /// Whether it may come in by this password.
    pub(crate) fn accepts(&self, password: &[u8]) -> bool {
        if !self.on || self.nopass {
            return self.on;
        }
        let given = PasswordHash::of(password);
        self.passwords.iter().any(|known| known.matches(&given))
    }

    /// The selector that stands outside of parentheses.
    pub fn root(&self) -> &Selector {
        &self.root
    }

    /// Those in parentheses.
    pub fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    /// The first selector is the root.
    pub(crate) fn all_selectors(&self) -> impl Iterator<Item = &Selector> {
        std::iter::once(&self.root).chain(&self.selectors)
    }

    /// The hashes of its passwords.
    pub fn passwords(&self) -> &[PasswordHash] {
        &self.passwords
    }

    /// Whether nothing is forbidden to it.
    pub fn is_free(&self) -> bool {
        self.all_selectors().any(Selector::is_free)
    }

    /// The flags that are shown.
    pub fn flags(&self) -> impl Iterator<Item = &'static str> {
        [if self.on { "on" } else { "off" }].into_iter().chain(self.nopass.then_some("nopass"))
    }

    /// Rules that make an equal user.
    pub fn describe(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for flag in self.flags() {
            text.extend_from_slice(flag.as_bytes());
            text.push(b' ');
        }
        for hash in &self.passwords {
            text.push(b'#');
            text.extend_from_slice(&hash.hex());
            text.push(b' ');
        }
        text.extend_from_slice(&self.root.describe());
        for selector in &self.selectors {
            text.extend_from_slice(b" (");
            text.extend_from_slice(&selector.describe());
            text.push(b')');
        }
        text
    }

    /// The channels that subscribers of this user may keep after it has changed from `before`: `None` when it lost none.
    pub fn channels_left(&self, before: &User) -> Option<Vec<Vec<u8>>> {
        if self.all_selectors().any(|selector| selector.all_channels) {
            return None;
        }
        let left: Vec<Vec<u8>> = self.all_selectors().flat_map(|selector| selector.channels.iter().cloned()).collect();
        let keeps = |selector: &Selector| {
            !selector.all_channels && selector.channels.iter().all(|channel| left.contains(channel))
        };
        if before.all_selectors().all(keeps) { None } else { Some(left) }
    }
}

/// Whether one of these patterns allows a channel. A pattern of channels is allowed only by the very same pattern.
pub fn allows_channel(allowed: &[Vec<u8>], channel: &[u8], is_pattern: bool) -> bool {
    allowed.iter().any(|known| if is_pattern { known == channel } else { glob::matches(known, channel) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{user, words};
    use proptest::prelude::*;

    fn described(rules: &str) -> String {
        String::from_utf8(user(rules).describe()).unwrap()
    }

    #[test]
    fn users_are_described_as_the_peers_do() {
        for (rules, expect) in [
            ("", "off resetchannels -@all"),
            ("on nopass +@all ~* &*", "on nopass ~* &* +@all"),
            ("+get -get +config +config|get", "off resetchannels -@all -get +config +config|get"),
            ("+config|get +config|set -config", "off resetchannels -@all -config"),
            ("+@READ +GeT|x", "off resetchannels -@all +@read +get|x"),
            ("~a %R~b %rW~c %W~a %W~b", "off ~a ~b ~c resetchannels -@all"),
            ("%W~x &a &b", "off %W~x resetchannels &a &b -@all"),
            ("db=3,1,3 resetdbs", "off resetchannels resetdbs -@all"),
            ("db=3,1,3", "off resetchannels db=1,3 -@all"),
            ("(+get ~x) (%R~y", "error"),
            (
                "(+get ~x) ( +set %R~y )",
                "off resetchannels -@all (~x resetchannels -@all +get) (%R~y resetchannels -@all +set)",
            ),
            ("on >x reset", "off resetchannels -@all"),
            ("skip-sanitize-payload sanitize-payload", "off resetchannels -@all"),
        ] {
            if expect == "error" {
                let rules: Vec<&[u8]> = rules.split(' ').map(str::as_bytes).collect();
                assert!(crate::Users::default().with(b"bob", &rules, words()).is_err());
            } else {
                assert_eq!(described(rules), expect, "{rules}");
            }
        }
    }

    #[test]
    fn wrong_rules_are_named() {
        for (rule, expect) in [
            ("nonsense", RuleError::Syntax),
            ("+nonsense", RuleError::Unknown),
            ("-@nonsense", RuleError::Unknown),
            ("+config|nonsense", RuleError::Unknown),
            ("+config|get|x", RuleError::FirstArgOfSubcommand),
            ("+get|", RuleError::Syntax),
            ("-select|0", RuleError::Unknown),
            ("%~x", RuleError::Syntax),
            ("%RR~x", RuleError::Syntax),
            ("~a b", RuleError::Syntax),
            ("&a\tb", RuleError::Syntax),
            ("#12", RuleError::PasswordHash),
            ("<absent", RuleError::NoSuchPassword),
            ("db=", RuleError::Syntax),
            ("db=1,", RuleError::Syntax),
            ("db=x", RuleError::Syntax),
            ("db=-1", RuleError::DatabaseRange),
            ("db=99999999999999999999", RuleError::DatabaseRange),
            ("(+get nonsense)", RuleError::Syntax),
        ] {
            let mut bob = User::new(b"bob", words());
            assert_eq!(bob.apply(rule.as_bytes(), words()), Err(expect), "{rule}");
        }
        let mut bob = user("~* &*");
        assert_eq!(bob.apply(b"~x", words()), Err(RuleError::AfterAllKeys));
        assert_eq!(bob.apply(b"&x", words()), Err(RuleError::AfterAllChannels));
    }

    #[test]
    fn who_is_off_does_not_come_in() {
        let mut bob = user("on >secret >other");
        assert!(bob.accepts(b"secret") && bob.accepts(b"other") && !bob.accepts(b"guess"));
        bob.apply(b"<secret", words()).unwrap();
        assert!(!bob.accepts(b"secret"));
        bob.apply(b"off", words()).unwrap();
        assert!(!bob.accepts(b"other"));
        bob.apply(b"nopass", words()).unwrap();
        assert!(!bob.accepts(b"other"));
    }

    #[test]
    fn subscribers_stay_as_long_as_no_channel_is_taken_away() {
        let before = user("&a &b");
        assert_eq!(user("&b &a &c").channels_left(&before), None);
        assert_eq!(user("&*").channels_left(&before), None);
        assert_eq!(user("&a").channels_left(&before), Some(vec![b"a".to_vec()]));
        assert_eq!(user("&a").channels_left(&user("&*")), Some(vec![b"a".to_vec()]));
        assert_eq!(user("&a (&b)").channels_left(&before), None);
    }

    proptest! {
        #[test]
        fn what_is_described_makes_an_equal_user(rules in proptest::collection::vec(proptest::sample::select(vec![
            "on", "off", "nopass", "resetpass", ">one", ">two", "<one", "+@all", "-@all", "+@read", "-@write", "+get", "-get",
            "+config|get", "-config|set", "+config", "-config", "+select|0", "~*", "~a*", "%R~b*", "%W~b*", "resetkeys", "&*", "&c*",
            "resetchannels", "alldbs", "resetdbs", "db=1,2", "(+get ~x)", "(-@all +@hash %R~y &z db=3)", "clearselectors", "reset",
        ]), 0..30)) {
            let mut bob = User::new(b"bob", words());
            for rule in &rules {
                let mut next = bob.clone();
                if next.apply(rule.as_bytes(), words()).is_ok() {
                    bob = next;
                }
            }
            let text = bob.describe();
            let parts: Vec<&[u8]> = text.split(|c| *c == b' ').collect();
            let users = crate::Users::default().with(b"bob", &parts, words()).unwrap();
            let again = users.named(b"bob").unwrap();
            prop_assert_eq!(again.describe(), text);
            for (id, row) in words().rows() {
                for first in [None, Some(b"0".as_slice())] {
                    let allows = |user: &User| {
                        user.all_selectors().map(|selector| selector.allows_command(id, first)).collect::<Vec<_>>()
                    };
                    prop_assert_eq!(allows(again), allows(&bob), "{}", row.fullname);
                }
            }
        }

        #[test]
        fn no_rule_panics(rule in proptest::collection::vec(any::<u8>(), 0..40)) {
            let _ = User::new(b"bob", words()).apply(&rule, words());
        }
    }
}
