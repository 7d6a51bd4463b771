//! DEBUG: looks under the hood, and switches for tests.
//!
//! It runs alone. `enable-debug-command` says who may use it: nobody, anybody, connections from this host, or (our default)
//! connections from this host for what is harmless, which published tutorials type into plain configurations: SLEEP,
//! SEGFAULT and what only looks.

mod cluster;
mod digest;
mod object;
mod protocol;
mod reload;
mod simulate;
pub mod switches;

use config::directives::security::DebugCommand;
use resp::args::Args;
use resp::error::{self, Error};
use session::Client;

use super::{Call, ControlBinding, Done, world};
use crate::control::Control;

pub(super) const TABLE: &[ControlBinding] = &[world("debug", debug)];

/// One subcommand.
struct Sub {
    name: &'static str,
    /// What stands behind the name, for HELP.
    grammar: &'static str,
    help: &'static str,
    /// How many arguments there are at least and at most, both names included.
    args: (usize, usize),
    /// Whether it may be used where the configuration restricts DEBUG.
    harmless: bool,
    run: fn(&mut Call<'_, '_>) -> Done,
}

const MANY: usize = usize::MAX;

const fn sub(
    name: &'static str,
    grammar: &'static str,
    help: &'static str,
    args: (usize, usize),
    harmless: bool,
    run: fn(&mut Call<'_, '_>) -> Done,
) -> Sub {
    Sub { name, grammar, help, args, harmless, run }
}

const SUBS: &[&[Sub]] =
    &[cluster::SUBS, digest::SUBS, object::SUBS, protocol::SUBS, reload::SUBS, simulate::SUBS, switches::SUBS];

fn find(name: &[u8]) -> Option<&'static Sub> {
    SUBS.iter().copied().flatten().find(|sub| name.eq_ignore_ascii_case(sub.name.as_bytes()))
}

/// Whether a client may use DEBUG with these arguments.
pub(crate) fn may_use(control: &Control, client: &Client, args: &Args<'_>) -> Result<(), Error> {
    let local = client.card.is_local();
    let name = args.get(1).unwrap_or_default();
    let harmless = name.eq_ignore_ascii_case(b"help") || find(name).is_some_and(|sub| sub.harmless);
    let allowed = match control.config.security.enable_debug_command {
        DebugCommand::No => false,
        DebugCommand::Yes => true,
        DebugCommand::Local => local,
        DebugCommand::Restricted => local && harmless,
    };
    if allowed { Ok(()) } else { Err(error::common::protected_command("DEBUG", "enable-debug-command")) }
}

fn debug(call: &mut Call<'_, '_>) -> Done {
    let name = call.args.at(1);
    if name.eq_ignore_ascii_case(b"help") {
        return help(call);
    }
    match find(name) {
        Some(sub) if (sub.args.0..=sub.args.1).contains(&call.args.len()) => (sub.run)(call),
        _ => Err(error::common::subcommand_syntax(b"debug", name)),
    }
}

fn help(call: &mut Call<'_, '_>) -> Done {
    let mut lines = vec!["DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:".to_owned()];
    for sub in SUBS.iter().copied().flatten() {
        let grammar = if sub.grammar.is_empty() { String::new() } else { format!(" {}", sub.grammar) };
        lines.push(format!("{}{grammar}", sub.name.to_ascii_uppercase()));
        lines.push(format!("    {}", sub.help));
    }
    lines.extend(["HELP".to_owned(), "    Print this help.".to_owned()]);
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    call.client.out.help(&lines);
    Ok(())
}

#[cfg(test)]
mod tests;
