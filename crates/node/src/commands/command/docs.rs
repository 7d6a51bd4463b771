//! One command as COMMAND DOCS shows it: a map of what is said of it, its grammar and its subcommands.

use command::registry::RowId;
use command::row::{Arg, ArgKind, Row};
use resp::reply::Reply;

use super::{Shown, names};

pub(super) fn docs(out: &mut Reply, shown: &Shown<'_>, id: RowId, row: &Row) {
    let map = out.deferred();
    let mut fields = 0;
    let mut text = |out: &mut Reply, name: &[u8], value: Option<&str>| {
        if let Some(value) = value {
            out.bulk(name);
            out.bulk(value.as_bytes());
            fields += 1;
        }
    };
    text(out, b"summary", Some(row.summary));
    text(out, b"since", Some(row.since));
    text(out, b"group", Some(row.group.name()));
    text(out, b"complexity", row.complexity);
    if !row.doc_flags.is_empty() {
        out.bulk(b"doc_flags");
        names(out, row.doc_flags.names().collect::<Vec<_>>().into_iter());
    }
    text(out, b"deprecated_since", row.deprecated_since);
    text(out, b"replaced_by", row.replaced_by);
    let mut fields = fields + usize::from(!row.doc_flags.is_empty());
    if !row.history.is_empty() {
        out.bulk(b"history");
        out.set(row.history.len());
        for (version, what) in row.history {
            out.array(2);
            out.bulk(version.as_bytes());
            out.bulk(what.as_bytes());
        }
        fields += 1;
    }
    if !row.args.is_empty() {
        out.bulk(b"arguments");
        arguments(out, row.args);
        fields += 1;
    }
    let subcommands: Vec<_> = shown.subcommands(id).collect();
    if !subcommands.is_empty() {
        out.bulk(b"subcommands");
        out.map(subcommands.len());
        for (id, row) in subcommands {
            out.bulk(row.fullname.as_bytes());
            docs(out, shown, id, row);
        }
        fields += 1;
    }
    out.set_map_len(map, fields);
}

fn arguments(out: &mut Reply, args: &[Arg]) {
    out.array(args.len());
    for arg in args {
        argument(out, arg);
    }
}

fn argument(out: &mut Reply, arg: &Arg) {
    let map = out.deferred();
    let mut fields = 0;
    let mut text = |out: &mut Reply, name: &[u8], value: Option<&str>| {
        if let Some(value) = value {
            out.bulk(name);
            out.bulk(value.as_bytes());
            fields += 1;
        }
    };
    let nested = matches!(arg.kind, ArgKind::OneOf | ArgKind::Block);
    text(out, b"name", Some(arg.name));
    text(out, b"type", Some(arg.kind.name()));
    text(out, b"display_text", (!nested).then_some(arg.display.unwrap_or(arg.name)));
    if let Some(index) = arg.key_spec {
        out.bulk(b"key_spec_index");
        out.integer(i64::from(index));
    }
    text(out, b"token", arg.token);
    text(out, b"summary", arg.summary);
    text(out, b"since", arg.since);
    text(out, b"deprecated_since", arg.deprecated_since);
    let mut fields = fields + usize::from(arg.key_spec.is_some());
    if !arg.flags.is_empty() {
        out.bulk(b"flags");
        names(out, arg.flags.names().collect::<Vec<_>>().into_iter());
        fields += 1;
    }
    if nested {
        out.bulk(b"arguments");
        arguments(out, arg.args);
        fields += 1;
    }
    out.set_map_len(map, fields);
}
