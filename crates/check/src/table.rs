//! The table of `check-rdb --stats`, in its three formats.
//!
//! ```text
//!   table   db.0.keys.total               <tab>3    <tab>2    …       a column for each type
//!   csv     db.0.keys.total,3,2,…
//!   info    [info] db.0.type.string.keys.total:3                      a line for each
//! ```

use std::io::{self, Write};

use crate::profile::{Profile, Profiles, TYPES};

/// How the table is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    #[default]
    Table,
    Info,
    Csv,
}

impl Format {
    /// By its name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "table" => Some(Self::Table),
            "info" => Some(Self::Info),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// A line of the table: its name, and what it shows of a type.
type Row = (&'static str, fn(&Profile, &str) -> String);

const ROWS: [Row; 18] = [
    ("type.name", |_, name| name.to_owned()),
    ("keys.total", |p, _| p.keys.to_string()),
    ("expire_keys.total", |p, _| p.expires.to_string()),
    ("already_expired.total", |p, _| p.expired.to_string()),
    ("keys.size", |p, _| p.key_bytes.to_string()),
    ("keys.value_size", |p, _| p.element_bytes.to_string()),
    ("elements.total", |p, _| p.elements.to_string()),
    ("elements.size", |p, _| p.element_bytes.to_string()),
    ("elements.num.max", |p, _| p.most_elements.to_string()),
    ("elements.num.avg", |p, _| average(p.elements, p.keys)),
    ("elements.num.p99", |p, _| decimal(p.counts.percentile(99))),
    ("elements.num.p90", |p, _| decimal(p.counts.percentile(90))),
    ("elements.num.p50", |p, _| decimal(p.counts.percentile(50))),
    ("elements.size.max", |p, _| p.greatest_element.to_string()),
    ("elements.size.avg", |p, _| average(p.element_bytes, p.elements)),
    ("elements.size.p99", |p, _| decimal(p.sizes.percentile(99))),
    ("elements.size.p90", |p, _| decimal(p.sizes.percentile(90))),
    ("elements.size.p50", |p, _| decimal(p.sizes.percentile(50))),
];

fn average(sum: u64, count: u64) -> String {
    let average = if count == 0 { 0.0 } else { sum as f32 / count as f32 };
    format!("{average:.2}")
}

fn decimal(value: u64) -> String {
    format!("{value}.00")
}

/// Prints the table of all databases up to the greatest that was named.
pub fn print(out: &mut dyn Write, format: Format, profiles: &Profiles, greatest: u64) -> io::Result<()> {
    for (db, types) in profiles.databases(greatest) {
        for (name, show) in ROWS {
            let label = format!("db.{db}.{name}");
            let mut cells = TYPES.iter().zip(&types).map(|(kind, profile)| (kind, show(profile, kind)));
            match format {
                Format::Table => {
                    write!(out, "{label:<30}")?;
                    cells.try_for_each(|(_, cell)| write!(out, "\t{cell:<5}"))?;
                    writeln!(out)?;
                }
                Format::Csv => {
                    write!(out, "{label}")?;
                    cells.try_for_each(|(_, cell)| write!(out, ",{cell}"))?;
                    writeln!(out)?;
                }
                Format::Info if name == "type.name" => {}
                Format::Info => {
                    for (kind, cell) in cells {
                        writeln!(out, "[info] db.{db}.type.{kind}.{name}:{cell}")?;
                    }
                }
            }
        }
    }
    Ok(())
}
