//! Which values are freed by a background thread instead of by the command that drops them.

use crate::kind::YES_NO;

section! {
    /// Freeing in the background.
    Lazyfree in lazyfree;

    /// What eviction drops.
    lazy_eviction: bool = true => "lazyfree-lazy-eviction", YES_NO;
    /// What expires.
    lazy_expire: bool = true => "lazyfree-lazy-expire", YES_NO;
    /// What a command overwrites.
    lazy_server_del: bool = true => "lazyfree-lazy-server-del", YES_NO;
    /// What DEL drops, as if it were UNLINK.
    lazy_user_del: bool = true => "lazyfree-lazy-user-del", YES_NO;
    /// What FLUSHALL and FLUSHDB drop when they do not say.
    lazy_user_flush: bool = true => "lazyfree-lazy-user-flush", YES_NO;
}
