//! EVAL and FUNCTION.

use super::LONG_MAX;
use crate::kind::{YES_NO, int};

section! {
    /// Scripts.
    Scripting in scripting;

    /// Milliseconds after which other clients are told that a script is running.
    busy_reply_threshold: u64 = 5000 => "busy-reply-threshold" | "lua-time-limit", int(0, LONG_MAX),
        accepted NO_SCRIPTS;
    /// Let scripts use functions of Lua that are known to be unsafe.
    lua_enable_insecure_api: bool = false => "lua-enable-insecure-api" | "lua-enable-deprecated-api", YES_NO,
        [hidden, protected], accepted NO_SCRIPTS;
}

const NO_SCRIPTS: &str = "Scripts are not built yet.";
