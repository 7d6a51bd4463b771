//! All users of a server, as a value.
//!
//! ```text
//!   names   alice → 2, bob → 1, default → 0          for AUTH, and in the order in which users are listed
//!   slots   [default, bob, alice]                    for commands: a client knows the place of its user
//!   free    0b001                                    whose commands need not be looked at
//! ```
//!
//! A place is given to another only after its user was removed, and removing a user closes its clients before anything else
//! runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use resp::error::{self, Error};

use crate::check::{Asked, Denied, Reason};
use crate::file;
use crate::rule::{RuleError, Vocabulary, has_space};
use crate::user::User;

/// A user's place among [`Users`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct UserId(pub u32);

impl UserId {
    /// The default user's.
    pub const DEFAULT: UserId = UserId(0);
}

/// See the head of this file.
#[derive(Clone, Debug)]
pub struct Users {
    names: BTreeMap<Vec<u8>, UserId>,
    slots: Vec<Option<Arc<User>>>,
    free: u64,
    /// How many users there are to whom something is forbidden.
    restricted: usize,
}

impl Default for Users {
    fn default() -> Self {
        let mut users = Users { names: BTreeMap::new(), slots: Vec::new(), free: 0, restricted: 0 };
        users.put(User::unrestricted());
        users
    }
}

/// Why a user was not set.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The name has white space in it.
    Name,
    /// A `(` without its `)`; what begins with it.
    Parenthesis(Vec<u8>),
    /// A rule, and what is wrong with it.
    Rule(Vec<u8>, RuleError),
}

impl Refused {
    /// The error reply of ACL SETUSER.
    pub fn error(&self) -> Error {
        match self {
            Refused::Name => error::acl::USERNAME,
            Refused::Parenthesis(at) => error::acl::unmatched_parenthesis(at),
            Refused::Rule(rule, why) => error::acl::setuser_modifier(rule, why.text()),
        }
    }
}

impl Users {
    /// The users of a server whose configuration says `requirepass`; empty means that no password is needed.
    pub fn with_password(password: &[u8]) -> Self {
        Users::default().with_default_password(Some(password).filter(|password| !password.is_empty()))
    }

    /// The same with this as the only password of the default user; `None` lets it in without.
    pub fn with_default_password(&self, password: Option<&[u8]>) -> Self {
        let mut user = User::clone(self.default_user());
        user.set_password(password);
        let mut users = self.clone();
        users.put(user);
        users
    }

    /// The default user.
    pub fn default_user(&self) -> &User {
        self.slots.first().and_then(Option::as_ref).expect("there is always a default user")
    }

    /// Whether a new connection may run commands at once.
    pub fn open(&self) -> bool {
        let user = self.default_user();
        user.nopass && user.on
    }

    /// The user that is let in by this name and password.
    pub fn authenticate(&self, name: &[u8], password: &[u8]) -> Option<UserId> {
        let id = self.id(name)?;
        self.get(id)?.accepts(password).then_some(id)
    }

    /// Whether there is a user of this name.
    pub fn knows(&self, name: &[u8]) -> bool {
        self.names.contains_key(name)
    }

    /// The place of a user.
    pub fn id(&self, name: &[u8]) -> Option<UserId> {
        self.names.get(name).copied()
    }

    /// A user.
    pub fn get(&self, id: UserId) -> Option<&User> {
        self.slots.get(id.0 as usize)?.as_deref()
    }

    /// A user by its name.
    pub fn named(&self, name: &[u8]) -> Option<&User> {
        self.get(self.id(name)?)
    }

    /// All users, by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &User> {
        self.names.values().map(|id| self.slots[id.0 as usize].as_deref().expect("a name leads to a user"))
    }

    /// Whether nothing is forbidden to a user: then [`Users::check`] need not be asked.
    #[inline]
    pub fn is_free(&self, id: UserId) -> bool {
        id.0 < 64 && self.free >> id.0 & 1 == 1
    }

    /// Whether nothing is forbidden to any user.
    pub fn are_all_free(&self) -> bool {
        self.restricted == 0
    }

    /// Whether a user may run a command.
    pub fn check(&self, id: UserId, asked: &Asked<'_>) -> Result<(), Denied> {
        match self.get(id) {
            Some(user) if user.is_free() => Ok(()),
            Some(user) => user.check(asked),
            None => Err(Denied { reason: Reason::Command, at: 0 }),
        }
    }

    /// The same with a user created or changed by these rules. O(rules × rows).
    pub fn with(&self, name: &[u8], rules: &[&[u8]], words: Vocabulary<'_>) -> Result<Self, Refused> {
        if has_space(name) {
            return Err(Refused::Name);
        }
        let rules = file::merge(rules).map_err(Refused::Parenthesis)?;
        let mut user = self.named(name).cloned().unwrap_or_else(|| User::new(name, words));
        for rule in &rules {
            user.apply(rule, words).map_err(|why| Refused::Rule(rule.clone(), why))?;
        }
        let mut users = self.clone();
        users.put(user);
        Ok(users)
    }

    /// The same without a user, unless it is the default one.
    pub fn without(&self, name: &[u8]) -> Option<Self> {
        let id = self.id(name).filter(|id| *id != UserId::DEFAULT)?;
        let mut users = self.clone();
        users.names.remove(name);
        users.slots[id.0 as usize] = None;
        users.mark(id);
        Some(users)
    }

    /// Exactly these users, those that were here before in their places. Without a default user among them it is a new one.
    pub(crate) fn exactly(&self, all: Vec<User>) -> Self {
        let gone = |name: &Vec<u8>| !all.iter().any(|user| user.name == *name);
        let gone: Vec<Vec<u8>> = self.names.keys().filter(|name| gone(name)).cloned().collect();
        let mut users = self.clone();
        for name in gone {
            match users.without(&name) {
                Some(fewer) => users = fewer,
                None => users.put(User::unrestricted()),
            }
        }
        all.into_iter().for_each(|user| users.put(user));
        users
    }

    /// Puts a user in the place of the one of its name, or in a new one.
    pub(crate) fn put(&mut self, user: User) {
        let id = self.id(&user.name).unwrap_or_else(|| {
            let unused = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
            UserId(unused as u32)
        });
        if self.slots.len() <= id.0 as usize {
            self.slots.push(None);
        }
        self.names.insert(user.name.clone(), id);
        self.slots[id.0 as usize] = Some(Arc::new(user));
        self.mark(id);
    }

    fn mark(&mut self, id: UserId) {
        let free = self.get(id).is_some_and(User::is_free);
        self.restricted = self.slots.iter().flatten().filter(|user| !user.is_free()).count();
        if id.0 < 64 {
            self.free = self.free & !(1 << id.0) | u64::from(free) << id.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::words;

    fn with(users: &Users, name: &str, rules: &str) -> Users {
        let rules: Vec<&[u8]> = rules.split(' ').map(str::as_bytes).collect();
        users.with(name.as_bytes(), &rules, words()).unwrap()
    }

    #[test]
    fn the_default_user_comes_in_by_its_password_only() {
        let users = Users::with_password(b"foobared");
        assert!(!users.open());
        assert_eq!(users.authenticate(b"default", b"foobared"), Some(UserId::DEFAULT));
        assert_eq!(users.authenticate(b"default", b"foobare"), None);
        assert_eq!(users.authenticate(b"alice", b"foobared"), None);
        assert!(Users::with_password(b"").authenticate(b"default", b"anything").is_some());
        assert!(users.is_free(UserId::DEFAULT));
    }

    #[test]
    fn places_are_kept_while_their_users_live() {
        let users = with(&with(&Users::default(), "bob", "on"), "alice", "+@all ~* &*");
        let (bob, alice) = (users.id(b"bob").unwrap(), users.id(b"alice").unwrap());
        assert!(!users.is_free(bob) && users.is_free(alice));
        let fewer = users.without(b"bob").unwrap();
        assert!(fewer.get(bob).is_none() && fewer.id(b"alice") == Some(alice));
        assert!(fewer.without(b"default").is_none() && fewer.without(b"bob").is_none());
        let more = with(&fewer, "carol", "on");
        assert_eq!(more.id(b"carol"), Some(bob), "an empty place is used again");
        assert!(!with(&more, "alice", "-get").is_free(alice));
        let names: Vec<_> = more.iter().map(|user| user.name.clone()).collect();
        assert_eq!(names, [b"alice".to_vec(), b"carol".to_vec(), b"default".to_vec()]);
    }

    #[test]
    fn a_refused_rule_changes_nothing() {
        let users = with(&Users::default(), "bob", "on");
        let refused = |rules: &[&[u8]]| users.with(b"bob", rules, words()).unwrap_err().error();
        assert_eq!(
            refused(&[b"off", b"+nope"]).text(),
            b"ERR Error in ACL SETUSER modifier '+nope': Unknown command or category name in ACL"
        );
        assert_eq!(
            refused(&[b"(+get", b"~x"]).text(),
            b"ERR Unmatched parenthesis in acl selector starting at '(+get'."
        );
        assert_eq!(users.with(b"b ob", &[], words()).unwrap_err(), Refused::Name);
    }

    #[test]
    fn a_file_is_loaded_as_a_whole() {
        let users = with(&with(&Users::default(), "bob", "on"), "default", "-@all");
        let loaded = users.load(b"user alice on +get ~x\n\n user carol  off\r\n", b"users.acl", words()).unwrap();
        assert!(loaded.knows(b"alice") && loaded.knows(b"carol") && !loaded.knows(b"bob"));
        assert!(loaded.is_free(UserId::DEFAULT), "a default user that the file does not name is a new one");
        let text = crate::lines(&loaded).join(&b'\n');
        assert_eq!(crate::lines(&users.load(&text, b"f", words()).unwrap()), crate::lines(&loaded));
        let wrong = users.load(b"usr x\nuser a +nope\nuser a on\nuser b nope nope", b"f", words()).unwrap_err();
        assert_eq!(
            String::from_utf8(wrong).unwrap(),
            "f:1 should start with user keyword followed by the username. f:2: Error in applying operation '+nope': Unknown \
             command or category name in ACL. WARNING: Duplicate user 'a' found on line 3. f:4: Syntax error. WARNING: ACL \
             errors detected, no change to the previously active ACL rules was performed"
        );
    }
}
