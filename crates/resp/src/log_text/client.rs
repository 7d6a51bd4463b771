//! Clients and their limits.

pub const IDLE: &str = "Closing idle client";
/// A page must not reach a data store through its reader's machine.
pub const BROWSER: &str = "Possible SECURITY ATTACK detected. It looks like somebody is sending POST or Host: commands. \
                           The connection is closed.";

pub fn output_limit(client: &str) -> String {
    format!("Client {client} closed for overcoming of output buffer limits.")
}

pub fn query_limit(client: &str) -> String {
    format!("Closing client that reached max query buffer length: {client}")
}
