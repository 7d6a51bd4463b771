//! Users as text: lines of a configuration file, the ACL file, rules that were cut at spaces.

use crate::rule::{RuleError, Vocabulary, has_space};
use crate::user::User;
use crate::users::Users;

/// A `user` line of a configuration file: the name, then the rules.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Declared {
    /// The name.
    pub name: Vec<u8>,
    /// The rules, selectors in one piece.
    pub rules: Vec<Vec<u8>>,
}

impl Declared {
    /// Reads the words behind `user`; `before` are those that were read already. Unknown commands pass, as they are told
    /// later with the user's name. The error is the word at fault, and why.
    pub fn parse(words: &[Vec<u8>], before: &[Declared], known: Vocabulary<'_>) -> Result<Self, (Vec<u8>, RuleError)> {
        let Some((name, rules)) = words.split_first() else { return Err((Vec::new(), RuleError::Syntax)) };
        if before.iter().any(|user| user.name == *name) {
            return Err((name.clone(), RuleError::DuplicateUser));
        }
        let rules: Vec<&[u8]> = rules.iter().map(Vec::as_slice).collect();
        let rules = merge(&rules).map_err(|at| (at, RuleError::Syntax))?;
        let mut trial = User::new(b"", known);
        for rule in &rules {
            match trial.apply(rule, known) {
                Ok(()) | Err(RuleError::Unknown) => {}
                Err(why) => return Err((rule.clone(), why)),
            }
        }
        Ok(Declared { name: name.clone(), rules })
    }
}

/// Why the users of a configuration file are refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Misdeclared {
    /// A name has white space in it.
    Name,
    /// A rule of a user.
    Rule {
        /// The rule.
        rule: Vec<u8>,
        /// The user.
        user: Vec<u8>,
        /// What is wrong.
        why: RuleError,
    },
}

impl Users {
    /// The same with the users that a configuration file declares. A declared default user begins anew.
    pub fn declare(&self, declared: &[Declared], words: Vocabulary<'_>) -> Result<Self, Misdeclared> {
        let mut users = self.clone();
        for Declared { name, rules } in declared {
            if has_space(name) {
                return Err(Misdeclared::Name);
            }
            let mut user = User::new(name, words);
            for rule in rules {
                user.apply(rule, words).map_err(|why| Misdeclared::Rule {
                    rule: rule.clone(),
                    user: name.clone(),
                    why,
                })?;
            }
            users.put(user);
        }
        Ok(users)
    }

    /// The users that an ACL file holds, in the places of those of now. On error all that is wrong is told in one line, and
    /// nothing changes. `path` is what the file is called in it.
    pub fn load(&self, text: &[u8], path: &[u8], words: Vocabulary<'_>) -> Result<Self, Vec<u8>> {
        let path = String::from_utf8_lossy(path).into_owned();
        let mut errors = Vec::new();
        let mut users: Vec<User> = Vec::new();
        for (number, line) in text.split(|c| *c == b'\n').enumerate() {
            let number = number + 1;
            let mut tell = |text: String| errors.extend_from_slice(text.as_bytes());
            let line = trim(line);
            if line.is_empty() {
                continue;
            }
            let parts: Vec<&[u8]> = line.split(|c| *c == b' ').collect();
            let [b"user", name, rules @ ..] = parts.as_slice() else {
                tell(format!("{path}:{number} should start with user keyword followed by the username. "));
                continue;
            };
            let shown = String::from_utf8_lossy(name);
            if has_space(name) {
                tell(format!("'{path}:{number}: username '{shown}' contains invalid characters. "));
                continue;
            }
            if users.iter().any(|user| user.name == *name) {
                tell(format!("WARNING: Duplicate user '{shown}' found on line {number}. "));
                continue;
            }
            let mut user = User::new(name, words);
            match merge(rules) {
                Err(_) => tell(format!("{path}:{number}: Unmatched parenthesis in selector definition.")),
                Ok(rules) => {
                    let mut told = false;
                    for rule in &rules {
                        match user.apply(trim(rule), words) {
                            Ok(()) => {}
                            Err(why @ RuleError::Unknown) => {
                                let rule = String::from_utf8_lossy(rule);
                                let why = why.text();
                                tell(format!("{path}:{number}: Error in applying operation '{rule}': {why}. "));
                            }
                            Err(why) => {
                                if !std::mem::replace(&mut told, true) {
                                    tell(format!("{path}:{number}: {}. ", why.text()));
                                }
                            }
                        }
                    }
                }
            }
            users.push(user);
        }
        if errors.is_empty() {
            return Ok(self.exactly(users));
        }
        errors.extend_from_slice(resp::error::acl::NOTHING_LOADED.as_bytes());
        Err(errors)
    }
}

/// All users as lines of an ACL file or of a configuration file, without their ends.
pub fn lines(users: &Users) -> Vec<Vec<u8>> {
    users.iter().map(|user| [b"user ", user.name.as_slice(), b" ", &user.describe()].concat()).collect()
}

/// Puts together selectors that were cut at their spaces. The error is the piece whose parenthesis is never closed.
pub(crate) fn merge(rules: &[&[u8]]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut merged = Vec::with_capacity(rules.len());
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for rule in rules {
        let closes = rule.last() == Some(&b')');
        match &mut open {
            None if rule.first() == Some(&b'(') && !closes => open = Some((rule, rule.to_vec())),
            None => merged.push(rule.to_vec()),
            Some((_, text)) => {
                text.push(b' ');
                text.extend_from_slice(rule);
                if closes {
                    merged.extend(open.take().map(|(_, text)| text));
                }
            }
        }
    }
    match open {
        Some((start, _)) => Err(start.to_vec()),
        None => Ok(merged),
    }
}

fn trim(text: &[u8]) -> &[u8] {
    let is_blank = |c: &u8| matches!(c, b' ' | b'\t' | b'\r' | b'\n');
    let start = text.iter().position(|c| !is_blank(c)).unwrap_or(text.len());
    let end = text.iter().rposition(|c| !is_blank(c)).map_or(start, |at| at + 1);
    &text[start..end]
}
