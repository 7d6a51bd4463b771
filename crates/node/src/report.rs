//! What a crash report tells of the server: INFO and CLIENT LIST.
//!
//! The thread that has crashed writes it, whatever it was doing: it may hold a lock that is asked for here, or have left
//! something half changed. So this comes last in the report, and whoever calls it sees to it that the process ends if it
//! never comes back (`runtime::crash` sets an alarm).

use std::fmt::Write;

use resp::log_text::process;

use crate::commands::client::line;
use crate::info;
use crate::server::Server;

/// Appends the report.
pub fn write(server: &Server, out: &mut dyn Write) {
    let hide = server.control.load().config.general.hide_user_data_from_log;
    let _ = write!(out, "{}{}", process::INFO_OUTPUT, info::everything(server));
    let _ = out.write_str(process::CLIENT_LIST_OUTPUT);
    for card in server.cards.all() {
        let _ = writeln!(out, "{}", line::line_of(server, &card, hide));
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Node;

    #[test]
    fn a_report_has_the_server_and_its_clients() {
        let mut node = Node::start("hide-user-data-from-log yes");
        let a = node.connect();
        node.say(a, "CLIENT SETNAME secret");
        let mut text = String::new();
        super::write(node.server, &mut text);
        let (info, clients) = text.split_once("\n------ CLIENT LIST OUTPUT ------\n").expect("both parts");
        assert!(info.starts_with("\n------ INFO OUTPUT ------\n# Server\r\n"), "{info}");
        assert!(info.contains("\r\nconnected_clients:1\r\n"), "{info}");
        assert!(clients.contains("cmd=client|setname") && !clients.contains("secret"), "{clients}");
    }
}
