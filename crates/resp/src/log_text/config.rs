//! `CONFIG`.

pub const REWRITTEN: &str = "CONFIG REWRITE executed with success.";

pub fn set_failed(name: &str) -> String {
    format!("The new {name} could not take effect. All settings stay as they were.")
}

pub fn rewrite_failed(why: &str) -> String {
    format!("CONFIG REWRITE failed: {why}")
}
