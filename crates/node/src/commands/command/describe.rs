//! One command as COMMAND INFO shows it: ten fields, the last being its subcommands.

use command::keyspec::{Begin, Find, KeySpec};
use command::registry::RowId;
use command::row::{Categories, Row};
use resp::reply::Reply;

use super::{Shown, names};

pub(super) fn info(out: &mut Reply, shown: &Shown<'_>, id: RowId, row: &Row) {
    out.array(10);
    out.bulk(row.fullname.as_bytes());
    out.integer(i64::from(row.arity));
    names(out, row.flags.names().collect::<Vec<_>>().into_iter());
    out.integer(i64::from(row.legacy.first));
    out.integer(i64::from(row.legacy.last));
    out.integer(i64::from(row.legacy.step));
    categories(out, row.acl());
    out.set(row.tips.len());
    row.tips.iter().for_each(|tip| out.bulk(tip.as_bytes()));
    out.set(row.key_specs.len());
    row.key_specs.iter().for_each(|spec| key_spec(out, spec));
    let subcommands: Vec<_> = shown.subcommands(id).collect();
    out.array(subcommands.len());
    for (id, row) in subcommands {
        info(out, shown, id, row);
    }
}

fn categories(out: &mut Reply, categories: Categories) {
    let names: Vec<_> = categories.names().collect();
    out.set(names.len());
    names.iter().for_each(|name| out.status(&format!("@{name}")));
}

fn key_spec(out: &mut Reply, spec: &KeySpec) {
    out.map(3 + usize::from(spec.notes.is_some()));
    if let Some(notes) = spec.notes {
        out.bulk(b"notes");
        out.bulk(notes.as_bytes());
    }
    out.bulk(b"flags");
    names(out, spec.flags.names().collect::<Vec<_>>().into_iter());
    out.bulk(b"begin_search");
    match spec.begin {
        Begin::Unknown => search(out, b"unknown", 0),
        Begin::Index(index) => {
            search(out, b"index", 1);
            number(out, b"index", index);
        }
        Begin::Keyword { word, from } => {
            search(out, b"keyword", 2);
            out.bulk(b"keyword");
            out.bulk(word.as_bytes());
            number(out, b"startfrom", from);
        }
    }
    out.bulk(b"find_keys");
    match spec.find {
        Find::Unknown => search(out, b"unknown", 0),
        Find::Range { last, step, limit } => {
            search(out, b"range", 3);
            number(out, b"lastkey", last);
            number(out, b"keystep", step);
            number(out, b"limit", limit);
        }
        Find::Keynum { count, first, step } => {
            search(out, b"keynum", 3);
            number(out, b"keynumidx", count);
            number(out, b"firstkey", first);
            number(out, b"keystep", step);
        }
    }
}

/// Opens the description of a search of this kind, with so many fields.
fn search(out: &mut Reply, kind: &[u8], fields: usize) {
    out.map(2);
    out.bulk(b"type");
    out.bulk(kind);
    out.bulk(b"spec");
    out.map(fields);
}

fn number(out: &mut Reply, name: &[u8], value: i16) {
    out.bulk(name);
    out.integer(i64::from(value));
}
