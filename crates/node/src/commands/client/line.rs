//! One client as a line of CLIENT LIST.
//!
//! Everything is read from its [`ClientCard`], so the line of a client of another thread costs that thread nothing. The
//! fields, their names and their order are those of Valkey 9.1; tools split the line at spaces.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use session::{ClientCard, Flag};

use crate::execute::Core;
use crate::limits::STATIC_OUTPUT;
use crate::server::Server;

/// The letters of CLIENT LIST's flags, in their order. A monitor's `O` stands for both of its facts.
const LETTERS: [(Flag, char); 14] = [
    (Flag::Monitor, 'O'),
    (Flag::Replica, 'S'),
    (Flag::Primary, 'M'),
    (Flag::PubSub, 'P'),
    (Flag::Multi, 'x'),
    (Flag::Blocked, 'b'),
    (Flag::Dirty, 'd'),
    (Flag::CloseAfterReply, 'c'),
    (Flag::CloseAsap, 'A'),
    (Flag::Unix, 'U'),
    (Flag::ReadOnly, 'r'),
    (Flag::NoEvict, 'e'),
    (Flag::NoTouch, 'T'),
    (Flag::ImportSource, 'I'),
];

/// The letters of a client's flags; `N` when there is none.
pub fn flags(card: &ClientCard) -> String {
    let letters: String = LETTERS.iter().filter(|(flag, _)| card.is(*flag)).map(|(_, letter)| *letter).collect();
    if letters.is_empty() { "N".to_owned() } else { letters }
}

/// The letters of what a client has claimed by CLIENT CAPA.
pub fn capa(card: &ClientCard) -> &'static str {
    if card.is(Flag::CapaRedirect) { "r" } else { "" }
}

/// The line, without its end.
pub fn line(core: &Core<'_>, card: &ClientCard, hide_user_data: bool) -> String {
    line_of(core.server, card, hide_user_data)
}

/// The same for whoever is no executor.
pub fn line_of(server: &Server, card: &ClientCard, hide_user_data: bool) -> String {
    let now = server.engine.now().0;
    let n = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let texts = card.texts.lock().clone();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (name, user) = match hide_user_data {
        true => ("*redacted*".to_owned(), "*redacted*".to_owned()),
        false => (text(&texts.name), text(&texts.user)),
    };
    let seconds = |since: i64| (now - since).max(0) / 1000;
    let sub = |kind: usize| card.subscriptions[kind].load(Ordering::Relaxed);
    let last = card.last_command.load(Ordering::Relaxed) as usize;
    let command = match last < server.registry.id_count() {
        true => server.registry.row(command::registry::RowId(last as u16)).fullname,
        false => "NULL",
    };
    // The output buffer is one piece; it is told as the peers' fixed part and what goes beyond it.
    let output = n(&card.output) as usize;
    let beyond = output.saturating_sub(STATIC_OUTPUT);
    let pieces = beyond.div_ceil(STATIC_OUTPUT);
    let (query, query_free) = (n(&card.query_used), n(&card.query_free));
    let args = n(&card.args_bytes);
    let multi = n(&card.multi_bytes);
    let total =
        beyond as u64 + query + query_free + args + multi + STATIC_OUTPUT as u64 + size_of::<ClientCard>() as u64;
    let mut line = String::with_capacity(400);
    let _ = write!(
        line,
        "id={} addr={} laddr={} fd={} name={name} age={} idle={} flags={} capa={} db={} sub={} psub={} ssub={} multi={} \
         watch={} qbuf={query} qbuf-free={query_free} argv-mem={args} multi-mem={multi} rbs={STATIC_OUTPUT} rbp={} obl={} \
         oll={pieces} omem={beyond} tot-mem={total} events={} cmd={command} user={user} redir=-1 resp={} lib-name={} \
         lib-ver={} tot-net-in={} tot-net-out={} tot-cmds={}",
        card.id,
        card.address(),
        card.local_address(),
        card.fd,
        seconds(card.created),
        seconds(card.last_seen.load(Ordering::Relaxed)),
        flags(card),
        capa(card),
        card.db.load(Ordering::Relaxed),
        sub(0),
        sub(1),
        sub(2),
        card.multi.load(Ordering::Relaxed),
        card.watched.load(Ordering::Relaxed),
        output.min(STATIC_OUTPUT),
        output.min(STATIC_OUTPUT),
        if output > 0 { "rw" } else { "r" },
        card.resp.load(Ordering::Relaxed),
        text(&texts.lib_name),
        text(&texts.lib_ver),
        n(&card.bytes_in),
        n(&card.bytes_out),
        n(&card.commands),
    );
    line
}

/// The line as log lines show it: without what users have named where the configuration says so.
pub fn describe(core: &mut Core<'_>, card: &ClientCard) -> String {
    let hide = core.control().config.general.hide_user_data_from_log;
    line(core, card, hide)
}
