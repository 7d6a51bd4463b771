//! Users made of one line, and lines that they try.

use std::sync::OnceLock;

use command::registry::{Lookup, Mode, Registry};
use resp::OwnedArgs;

use crate::check::Asked;
use crate::rule::Vocabulary;
use crate::user::User;

/// The commands of a server, and no channels for new users.
pub(crate) fn words() -> Vocabulary<'static> {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    Vocabulary { registry: REGISTRY.get_or_init(|| Registry::new(Mode::Server)), all_channels: false }
}

/// The user `bob` with these rules.
pub(crate) fn user(rules: &str) -> User {
    let rules: Vec<&[u8]> = rules.split(' ').map(str::as_bytes).collect();
    let users = crate::Users::default().with(b"bob", &rules, words()).expect("good rules");
    users.named(b"bob").expect("bob").clone()
}

pub(crate) trait Try {
    /// Why a command is denied; nothing when it is not.
    fn tries(&self, line: &str) -> String;
}

impl Try for User {
    fn tries(&self, line: &str) -> String {
        let owned = OwnedArgs::from_slices(&line.split(' ').collect::<Vec<_>>());
        let args = owned.as_args();
        let registry = words().registry;
        let Lookup::Found(id) = registry.lookup(&args) else { panic!("{line}") };
        let row = registry.row(id);
        match self.check(&Asked { id, row, args, db: 0, databases: 16 }) {
            Ok(()) => String::new(),
            Err(denied) => String::from_utf8(denied.explain(&self.name, row, &args)).expect("text"),
        }
    }
}
