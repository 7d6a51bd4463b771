//! Does a reply match what the page expects? Equal lines do; holes and `...` stand for what is not known beforehand.

use std::collections::BTreeMap;

/// What named holes held, for use in later commands.
pub type Captures = BTreeMap<String, String>;

/// Whether the lines match the pattern; what named holes held is added to `captures`.
pub fn matches(pattern: &[String], lines: &[&str], captures: &mut Captures) -> bool {
    let mut found = captures.clone();
    let matched = all_lines(pattern, lines, &mut found);
    if matched {
        *captures = found;
    }
    matched
}

/// The same with the top-level elements of an array in any order.
pub fn matches_unordered(pattern: &[String], lines: &[&str], captures: &mut Captures) -> bool {
    let owned: Vec<String> = lines.iter().map(|l| l.to_string()).collect();
    let (expected, mut got) = (elements(pattern), elements(&owned));
    if expected.len() != got.len() {
        return false;
    }
    let mut found = captures.clone();
    for element in &expected {
        let same = got.iter().position(|candidate| {
            let lines: Vec<&str> = candidate.iter().map(String::as_str).collect();
            matches(element, &lines, &mut found)
        });
        match same {
            Some(at) => drop(got.swap_remove(at)),
            None => return false,
        }
    }
    *captures = found;
    true
}

/// Puts captured text in the place of `${name}`.
pub fn fill(command: &str, captures: &Captures) -> String {
    let mut text = command.to_string();
    for (name, value) in captures {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    text
}

/// A reply cut before each line that begins with an index, the indices taken away.
fn elements(lines: &[String]) -> Vec<Vec<String>> {
    let mut elements: Vec<Vec<String>> = Vec::new();
    for line in lines {
        match (after_index(line), elements.last_mut()) {
            (Some(rest), _) => elements.push(vec![rest.to_string()]),
            (None, Some(element)) => element.push(line.trim_start().to_string()),
            (None, None) => elements.push(vec![line.clone()]),
        }
    }
    elements
}

/// What stands behind `12) `, `12~ ` or `12# ` at the start of a top-level line.
///
/// Indices are aligned to the right, so the first ones of a long array begin with blanks; a nested element always
/// begins with at least three.
fn after_index(line: &str) -> Option<&str> {
    let body = line.trim_start_matches(' ');
    if line.len() - body.len() > 2 {
        return None;
    }
    let rest = body.trim_start_matches(|c: char| c.is_ascii_digit());
    let marked = rest.len() < body.len();
    [") ", "~ ", "# ", "> "].into_iter().filter(|_| marked).find_map(|mark| rest.strip_prefix(mark))
}

fn all_lines(pattern: &[String], lines: &[&str], captures: &mut Captures) -> bool {
    match pattern.split_first() {
        None => lines.is_empty(),
        Some((first, rest)) if first.trim() == "..." => {
            (0..=lines.len()).any(|skipped| all_lines(rest, &lines[skipped..], captures))
        }
        Some((first, rest)) => match lines.split_first() {
            Some((line, others)) => one_line(first, line.trim_end(), captures) && all_lines(rest, others, captures),
            None => false,
        },
    }
}

fn one_line(pattern: &str, line: &str, captures: &mut Captures) -> bool {
    let Some((before, hole, after)) = first_hole(pattern) else { return pattern == line };
    let Some(rest) = line.strip_prefix(before) else { return false };
    // The longest text that the hole takes and the remainder allows.
    for end in (0..=rest.len()).rev().filter(|&end| rest.is_char_boundary(end)) {
        if hole.takes(&rest[..end]) && one_line(after, &rest[end..], captures) {
            if let Some(name) = hole.name {
                captures.insert(name.to_string(), rest[..end].to_string());
            }
            return true;
        }
    }
    false
}

struct Hole<'a> {
    kind: Kind,
    name: Option<&'a str>,
}

enum Kind {
    Any,
    Integer(i64, i64),
    Float,
}

impl Hole<'_> {
    fn takes(&self, text: &str) -> bool {
        match self.kind {
            Kind::Any => true,
            Kind::Integer(low, high) => text.parse::<i64>().is_ok_and(|value| (low..=high).contains(&value)),
            Kind::Float => text.parse::<f64>().is_ok(),
        }
    }
}

fn first_hole(pattern: &str) -> Option<(&str, Hole<'_>, &str)> {
    let mut from = 0;
    while let Some(open) = pattern[from..].find('<').map(|at| from + at) {
        if let Some(close) = pattern[open..].find('>').map(|at| open + at)
            && let Some(hole) = hole(&pattern[open + 1..close])
        {
            return Some((&pattern[..open], hole, &pattern[close + 1..]));
        }
        from = open + 1;
    }
    None
}

fn hole(text: &str) -> Option<Hole<'_>> {
    let (kind, name) = match text.split_once(':') {
        Some((kind, name)) => (kind, Some(name)),
        None => (text, None),
    };
    let kind = match kind {
        "any" => Kind::Any,
        "int" => Kind::Integer(i64::MIN, i64::MAX),
        "float" => Kind::Float,
        _ => {
            let (low, high) = kind.strip_prefix("int ")?.split_once("..")?;
            Kind::Integer(low.parse().ok()?, high.parse().ok()?)
        }
    };
    Some(Hole { kind, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_string).collect()
    }

    fn check(pattern: &str, text: &str) -> Option<Captures> {
        let mut captures = Captures::new();
        matches(&lines(pattern), &text.lines().collect::<Vec<_>>(), &mut captures).then_some(captures)
    }

    #[test]
    fn holes_take_what_they_say() {
        assert!(check("(integer) <int 90..100>", "(integer) 95").is_some());
        assert!(check("(integer) <int 90..100>", "(integer) 101").is_none());
        assert!(check("(integer) <int>", "(integer) x").is_none());
        assert!(check("\"<float>\"", "\"1.5e3\"").is_some());
        assert!(check("\"<b>\"", "\"<b>\"").is_some());
        assert_eq!(check("\"<any:id>-<int:n>\"", "\"a-b-7\"").unwrap().len(), 2);
        assert_eq!(check("\"<any:id>-<int:n>\"", "\"a-b-7\"").unwrap()["id"], "a-b");
    }

    #[test]
    fn dots_take_lines() {
        assert!(check("a\n...\nz", "a\nb\nc\nz").is_some());
        assert!(check("a\n...\nz", "a\nb").is_none());
        assert!(check("...", "").is_some());
    }

    #[test]
    fn order_may_be_left_out() {
        let unordered = |pattern: &str, text: &str| {
            matches_unordered(&lines(pattern), &text.lines().collect::<Vec<_>>(), &mut Captures::new())
        };
        assert!(unordered("1) \"a\"\n2) \"b\"", "1) \"b\"\n2) \"a\""));
        assert!(!unordered("1) \"a\"\n2) \"b\"", "1) \"b\"\n2) \"b\""));
        assert!(!unordered("1) \"a\"", "1) \"a\"\n2) \"b\""));
        assert!(unordered("1) 1) \"a\"\n   2) \"b\"\n2) \"c\"", "1) \"c\"\n2) 1) \"a\"\n   2) \"b\""));
    }

    #[test]
    fn captures_fill_commands() {
        let captures = Captures::from([("p".to_string(), "x y".to_string())]);
        assert_eq!(fill("RESTORE k 0 \"${p}\"", &captures), "RESTORE k 0 \"x y\"");
    }
}
