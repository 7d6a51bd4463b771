//! Whether a user may run a command: the one place where that is decided.
//!
//! A user may run a command when one of its selectors allows all of it: the database, the command, every key in the way in
//! which the command uses it, every channel. Keys and channels come from the command table, the same that locks and routes
//! them. When no selector does, the answer names what is wrong in the selector that went furthest: a wrong key says more
//! than a wrong command, and that more than a wrong database.

use command::keyspec::{ChannelFlags, KeyFlags, Keys, Plan};
use command::registry::RowId;
use command::row::{Categories, Flags, Row};
use resp::args::Args;
use resp::error::Error;
use resp::error::acl as text;
use structures::glob;

use crate::selector::{Access, Selector};
use crate::user::{User, allows_channel};

/// What is denied, in the order in which it is preferred as an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Reason {
    /// A database.
    Database,
    /// The command itself.
    Command,
    /// A key.
    Key,
    /// A channel.
    Channel,
}

impl Reason {
    /// As ACL LOG names it.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Database => "database",
            Reason::Command => "command",
            Reason::Key => "key",
            Reason::Channel => "channel",
        }
    }
}

/// A command was denied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Denied {
    /// Why.
    pub reason: Reason,
    /// The argument at fault; 0 when it is none of them.
    pub at: usize,
}

impl Denied {
    /// The error reply of a command that is not executed.
    pub fn error(&self, user: &[u8], row: &Row) -> Error {
        let message = match self.reason {
            Reason::Command => return text::noperm(&text::denied_command(user, row.fullname)),
            Reason::Key => text::NO_KEY_PERMISSION,
            Reason::Channel => text::NO_CHANNEL_PERMISSION,
            Reason::Database => text::NO_DATABASE_PERMISSION,
        };
        text::noperm(message.as_bytes())
    }

    /// The error of a command that was allowed when it was queued, and is not at EXEC.
    pub fn error_in_exec(&self) -> Error {
        text::changed_before_exec(match self.reason {
            Reason::Command => "no permission to execute the command or subcommand",
            Reason::Key => "no permission to touch the specified keys",
            Reason::Channel => "no permission to access one of the channels used as arguments",
            Reason::Database => "no permission",
        })
    }

    /// What ACL DRYRUN answers.
    pub fn explain(&self, user: &[u8], row: &Row, args: &Args<'_>) -> Vec<u8> {
        let object = args.get(self.at).unwrap_or_default();
        match self.reason {
            Reason::Command => text::denied_command(user, row.fullname),
            Reason::Key => text::denied_key(user, object),
            Reason::Channel => text::denied_channel(user, object),
            Reason::Database => text::denied_database(user, object),
        }
    }

    /// What ACL LOG shows as the object.
    pub fn object(&self, row: &Row, args: &Args<'_>) -> Vec<u8> {
        match self.reason {
            Reason::Command => row.fullname.as_bytes().to_vec(),
            Reason::Database if self.at == 0 => row.fullname.as_bytes().to_vec(),
            _ => args.get(self.at).unwrap_or_default().to_vec(),
        }
    }
}

/// One command to be judged.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// Its id.
    pub id: RowId,
    /// Its row.
    pub row: &'static Row,
    /// Its arguments, its name first.
    pub args: Args<'a>,
    /// The selected database.
    pub db: u32,
    /// How many databases there are.
    pub databases: u32,
}

impl User {
    /// Whether it may run this command.
    pub fn check(&self, asked: &Asked<'_>) -> Result<(), Denied> {
        let mut denied = Denied { reason: Reason::Database, at: 0 };
        let mut keys = None;
        let mut at = 0;
        for selector in self.all_selectors() {
            let Err(refusal) = selector.check(asked, &mut keys) else { return Ok(()) };
            at = refusal.at.unwrap_or(at);
            if refusal.reason > denied.reason || refusal.reason == denied.reason && at > denied.at {
                denied = Denied { reason: refusal.reason, at };
            }
        }
        Err(denied)
    }

    /// Whether a selector allows this command and lets every key be read, as SORT's patterns need.
    pub fn may_read_everything(&self, asked: &Asked<'_>) -> bool {
        let mut keys = None;
        self.all_selectors().any(|selector| selector.reads_everything() && selector.check(asked, &mut keys).is_ok())
    }
}

struct Refusal {
    reason: Reason,
    at: Option<usize>,
}

impl Selector {
    /// `keys` keeps the command's keys from one selector to the next.
    fn check(&self, asked: &Asked<'_>, keys: &mut Option<Keys>) -> Result<(), Refusal> {
        let Asked { id, row, args, .. } = *asked;
        self.check_databases(asked)?;
        if !row.has(Flags::NO_AUTH) {
            let first = args.get(if row.parent().is_some() { 2 } else { 1 });
            if !self.allows_command(id, first) {
                return Err(Refusal { reason: Reason::Command, at: None });
            }
        }
        if !self.all_keys && has_keys(row) {
            let keys = keys.get_or_insert_with(|| row.keys_of(&args).unwrap_or_default());
            for key in keys {
                let at = key.index as usize;
                if !self.allows_key(args.get(at).unwrap_or_default(), key.flags) {
                    return Err(Refusal { reason: Reason::Key, at: Some(at) });
                }
            }
        }
        if !self.all_channels {
            let (among, flags) = row.channels.among(args.len());
            if flags.intersects(ChannelFlags::PUBLISH.union(ChannelFlags::SUBSCRIBE)) {
                let is_pattern = flags.contains(ChannelFlags::PATTERN);
                for at in among {
                    if !allows_channel(&self.channels, args.get(at).unwrap_or_default(), is_pattern) {
                        return Err(Refusal { reason: Reason::Channel, at: Some(at) });
                    }
                }
            }
        }
        Ok(())
    }

    fn check_databases(&self, asked: &Asked<'_>) -> Result<(), Refusal> {
        let Asked { row, args, db, databases, .. } = *asked;
        if self.all_databases {
            return Ok(());
        }
        let allowed = |db: u32| db < databases && self.databases.contains(&db);
        let refuse = |at| Err(Refusal { reason: Reason::Database, at: Some(at) });
        if row.databases != command::keyspec::Databases::None {
            for named in row.databases.among(&args, databases) {
                if !allowed(named) {
                    let at = (1..args.len()).find(|at| resp::integer::parse(args.at(*at)) == Some(i64::from(named)));
                    return refuse(at.unwrap_or(0));
                }
            }
            // MOVE and COPY take keys out of the selected database, too.
            return if has_keys(row) && !allowed(db) { refuse(0) } else { Ok(()) };
        }
        if row.has(Flags::ALL_DBS) {
            return if (0..databases).all(allowed) { Ok(()) } else { refuse(0) };
        }
        let of_data = Categories::of(&[Categories::KEYSPACE, Categories::READ, Categories::WRITE]);
        if (row.acl().intersects(of_data) || has_keys(row)) && !allowed(db) {
            return refuse(0);
        }
        Ok(())
    }

    fn allows_key(&self, key: &[u8], flags: KeyFlags) -> bool {
        let needs = Access {
            read: flags.contains(KeyFlags::ACCESS),
            write: flags.intersects(KeyFlags::of(&[KeyFlags::INSERT, KeyFlags::DELETE, KeyFlags::UPDATE])),
        };
        self.patterns.iter().any(|known| {
            known.access.read >= needs.read && known.access.write >= needs.write && glob::matches(&known.glob, key)
        })
    }
}

fn has_keys(row: &Row) -> bool {
    row.plan != Plan::None
}

#[cfg(test)]
mod tests {
    use crate::testing::{Try, user};

    #[test]
    fn commands_are_allowed_by_name_category_and_first_argument() {
        let bob = user("-@all +@string -set +config|get +select|0 ~*");
        for (line, expect) in [
            ("get k", ""),
            ("GETRANGE k 0 1", ""),
            ("set k v", "User bob has no permissions to run the 'set' command"),
            ("config get x", ""),
            ("config set x y", "User bob has no permissions to run the 'config|set' command"),
            ("select 0", ""),
            ("select 1", "User bob has no permissions to run the 'select' command"),
            ("auth x", ""),
        ] {
            assert_eq!(bob.tries(line), expect, "{line}");
        }
    }

    #[test]
    fn keys_are_allowed_by_what_is_done_with_them() {
        let bob = user("+@all ~own:* %R~read:* %W~write:*");
        for (line, expect) in [
            ("get own:1", ""),
            ("get read:1", ""),
            ("get write:1", "User bob has no permissions to access the 'write:1' key"),
            ("set write:1 v", ""),
            ("set write:1 v get", "User bob has no permissions to access the 'write:1' key"),
            ("set read:1 v", "User bob has no permissions to access the 'read:1' key"),
            ("copy read:1 write:1", ""),
            ("copy write:1 read:1", "User bob has no permissions to access the 'write:1' key"),
            ("strlen other", "User bob has no permissions to access the 'other' key"),
            ("mset own:1 v other v", "User bob has no permissions to access the 'other' key"),
            ("ping", ""),
        ] {
            assert_eq!(bob.tries(line), expect, "{line}");
        }
    }

    #[test]
    fn a_pattern_of_channels_must_be_allowed_literally() {
        let bob = user("+@all ~* resetchannels &news.*");
        for (line, expect) in [
            ("publish news.1 m", ""),
            ("subscribe news.1 news.2", ""),
            ("subscribe news.1 other", "User bob has no permissions to access the 'other' channel"),
            ("psubscribe news.*", ""),
            ("psubscribe news.1", "User bob has no permissions to access the 'news.1' channel"),
            ("unsubscribe other", ""),
        ] {
            assert_eq!(bob.tries(line), expect, "{line}");
        }
    }

    #[test]
    fn databases_are_those_selected_and_those_named() {
        let bob = user("+@all ~* &* db=0,2");
        for (line, expect) in [
            ("get k", ""),
            ("select 2", ""),
            ("select 1", "User bob has no permissions to access database 1"),
            ("move k 1", "User bob has no permissions to access database 1"),
            ("swapdb 0 2", ""),
            ("flushall", "User bob has no permissions to access database flushall"),
            ("ping", ""),
        ] {
            assert_eq!(bob.tries(line), expect, "{line}");
        }
    }

    #[test]
    fn one_selector_must_allow_all_of_it() {
        let bob = user("-@all +get ~a* (+set ~b*) (+mget ~c* %R~a*)");
        for (line, expect) in [
            ("get a", ""),
            ("set b v", ""),
            ("set a v", "User bob has no permissions to access the 'a' key"),
            ("mget a c", ""),
            ("mget a b", "User bob has no permissions to access the 'b' key"),
            ("del a", "User bob has no permissions to run the 'del' command"),
        ] {
            assert_eq!(bob.tries(line), expect, "{line}");
        }
    }
}
