//! Who may connect, and what may be changed from afar.

use super::LONG_MAX;
use crate::kind::{anything, choice, int, optional_text, text};

choice! {
    /// Whether, and to whom, something dangerous is allowed.
    ProtectedAction {
        No = "no",
        Yes = "yes",
        /// To connections from this host.
        Local = "local",
    }
}

impl ProtectedAction {
    /// Whether a client may; `local` says that it connects from this host.
    pub fn allows(self, local: bool) -> bool {
        match self {
            ProtectedAction::No => false,
            ProtectedAction::Yes => true,
            ProtectedAction::Local => local,
        }
    }
}

choice! {
    /// Who may use which parts of `DEBUG`.
    DebugCommand {
        No = "no",
        Yes = "yes",
        /// All of it to connections from this host.
        Local = "local",
        /// SLEEP, SEGFAULT and what only reads, to connections from this host.
        Restricted = "restricted",
    }
}

choice! {
    /// Channels that a new user may use.
    PubsubDefault {
        AllChannels = "allchannels",
        ResetChannels = "resetchannels",
    }
}

section! {
    /// Access.
    Security in security;

    /// Password of the default user.
    requirepass: Option<Vec<u8>> = None => "requirepass", optional_text(anything), [sensitive];
    /// File of users; while it is given there are no `user` lines.
    aclfile: Vec<u8> = Vec::new() => "aclfile", text(anything), [immutable];
    /// Entries of `ACL LOG`.
    acllog_max_len: u64 = 128 => "acllog-max-len", int(0, LONG_MAX);
    /// Channels that a new user may use.
    acl_pubsub_default: PubsubDefault = PubsubDefault::ResetChannels => "acl-pubsub-default", choice();
    /// Who may set `dir` and `dbfilename` at run time.
    enable_protected_configs: ProtectedAction = ProtectedAction::No => "enable-protected-configs",
        choice(), [immutable];
    /// Who may use `DEBUG`. The peers' default is `no`; ours lets this host do what published tutorials do.
    enable_debug_command: DebugCommand = DebugCommand::Restricted => "enable-debug-command", choice(), [immutable];
    /// Who may use `MODULE`.
    enable_module_command: ProtectedAction = ProtectedAction::No => "enable-module-command", choice(), [immutable],
        accepted "There are no loadable modules.";
}
