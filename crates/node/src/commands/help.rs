//! HELP of every container command, made from the table: each subcommand's grammar and summary.
//!
//! ```text
//!   CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:
//!   PAUSE <timeout> [WRITE|ALL]
//!       Suspend commands of all clients for a time.
//! ```

use command::registry::Registry;
use command::row::{Arg, ArgFlags, ArgKind, Row};

use super::{Call, Done};

/// Answers HELP for the container of the called subcommand.
pub(crate) fn help(call: &mut Call<'_, '_>) -> Done {
    let container = call.row.parent().unwrap_or(call.row.fullname);
    let server = call.core.server;
    let lines = lines(&server.registry, container, |id| server.has(id));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    call.client.out.help(&lines);
    Ok(())
}

/// The lines for a container, of those subcommands that are there.
fn lines(registry: &Registry, container: &str, has: impl Fn(command::registry::RowId) -> bool) -> Vec<String> {
    let mut lines =
        vec![format!("{} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:", container.to_ascii_uppercase())];
    let Some(id) = registry.by_fullname(container.as_bytes()) else { return lines };
    for (sub, row) in registry.subcommands(id).filter(|(sub, row)| has(*sub) && row.name() != "help") {
        let _ = sub;
        lines.push(grammar(row));
        lines.push(format!("    {}.", row.summary.trim_end_matches('.')));
    }
    lines.push("HELP".to_owned());
    lines.push("    Print this help.".to_owned());
    lines
}

/// A subcommand's name and its arguments.
fn grammar(row: &Row) -> String {
    let mut text = row.name().to_ascii_uppercase();
    for arg in row.args {
        text.push(' ');
        text += &argument(arg);
    }
    text
}

fn argument(arg: &Arg) -> String {
    let inner = match arg.kind {
        ArgKind::PureToken => String::new(),
        ArgKind::OneOf => {
            let choices: Vec<String> = arg.args.iter().map(argument).collect();
            let choices = choices.join("|");
            if arg.flags.contains(ArgFlags::OPTIONAL) { choices } else { format!("({choices})") }
        }
        ArgKind::Block => arg.args.iter().map(argument).collect::<Vec<_>>().join(" "),
        _ => format!("<{}>", arg.display.unwrap_or(arg.name)),
    };
    let mut text = match arg.token {
        Some(token) if inner.is_empty() => token.to_owned(),
        Some(token) => format!("{token} {inner}"),
        None => inner.clone(),
    };
    if arg.flags.contains(ArgFlags::MULTIPLE) {
        let again = if arg.flags.contains(ArgFlags::MULTIPLE_TOKEN) { text.clone() } else { inner };
        text = format!("{text} [{again} ...]");
    }
    if arg.flags.contains(ArgFlags::OPTIONAL) { format!("[{text}]") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use command::registry::Mode;

    #[test]
    fn lines_tell_the_grammar_of_what_is_there() {
        let registry = Registry::new(Mode::Server);
        let pause = registry.by_fullname(b"client|pause").unwrap();
        let all = lines(&registry, "client", |id| id == pause);
        assert_eq!(all[0], "CLIENT <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
        assert_eq!(all[1], "PAUSE <timeout> [WRITE|ALL]");
        assert!(all[2].starts_with("    "));
        assert_eq!(all[3..], ["HELP", "    Print this help."]);
        let unblock = registry.by_fullname(b"client|unblock").unwrap();
        assert_eq!(lines(&registry, "client", |id| id == unblock)[1], "UNBLOCK <client-id> [TIMEOUT|ERROR]");
    }
}
