//! The patterns of SORT's BY and GET: how an element names a value.
//!
//! ```text
//!   weight_*          the string under  weight_<element>
//!   user:*->name      the field  name  of the hash under  user:<element>
//!   #                 the element itself
//!   anything else     nothing: a name without * would be the same for all
//! ```

use command::context::Context;
use structures::crc16::{SLOTS, crc16};
use structures::entry::Payload;
use value::{Hash, StringRef, Value};

/// A pattern, taken apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Pattern<'a> {
    /// `#`
    Element,
    /// No `*`: names nothing.
    Constant,
    /// A key, and the field of the hash under it, if one is named.
    Key { before: &'a [u8], after: &'a [u8], field: Option<&'a [u8]> },
}

impl<'a> Pattern<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        if text == b"#" {
            return Pattern::Element;
        }
        let Some(star) = text.iter().position(|&b| b == b'*') else { return Pattern::Constant };
        let (before, rest) = (&text[..star], &text[star + 1..]);
        let arrow = rest.windows(2).position(|pair| pair == b"->").filter(|at| at + 2 < rest.len());
        match arrow {
            Some(at) => Pattern::Key { before, after: &rest[..at], field: Some(&rest[at + 2..]) },
            None => Pattern::Key { before, after: rest, field: None },
        }
    }

    /// Whether it names keys.
    pub(super) fn names_keys(&self) -> bool {
        matches!(self, Pattern::Key { .. })
    }

    /// Shows what it names for an element to `f`; `None` when there is no such value, or one of another type.
    pub(super) fn look_up<R>(
        &self,
        ctx: &mut Context<'_, '_>,
        element: &[u8],
        f: impl FnOnce(StringRef<'_>) -> R,
    ) -> Option<R> {
        let Pattern::Key { before, after, field } = self else {
            return (*self == Pattern::Element).then(|| f(StringRef::Bytes(element)));
        };
        let name = [before, element, after].concat();
        let now = ctx.now();
        let view = ctx.space.find(&ctx.space.key(&name))?;
        match (field, view.payload()) {
            (Some(field), Payload::Value(Value::Hash(hash))) => field_of(hash, field, now.0).map(f),
            (None, _) => view.string().ok().map(f),
            (Some(_), _) => None,
        }
    }
}

fn field_of<'h>(hash: &'h Hash, field: &[u8], now: i64) -> Option<StringRef<'h>> {
    let view = hash.view(field)?;
    let alive = view.expire.is_none_or(|at| at >= now);
    alive.then_some(view.value)
}

/// The only slot in which keys of this pattern can be; `None` when they can be in several.
pub(crate) fn slot(pattern: &[u8]) -> Option<u16> {
    let special = |b: &u8| matches!(b, b'*' | b'?' | b'[' | b'\\');
    let tag = pattern.iter().position(|&b| b == b'{').and_then(|open| {
        let len = pattern[open + 1..].iter().position(|&b| b == b'}').filter(|&len| len > 0)?;
        Some((&pattern[..open], &pattern[open + 1..open + 1 + len]))
    });
    match tag {
        Some((before, tag)) if !before.iter().chain(tag).any(special) => Some(crc16(tag) % SLOTS),
        None if !pattern.iter().any(special) => Some(crc16(pattern) % SLOTS),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_taken_apart() {
        let key = |before, after, field| Pattern::Key { before, after, field };
        assert_eq!(Pattern::new(b"#"), Pattern::Element);
        assert_eq!(Pattern::new(b"nosort"), Pattern::Constant);
        assert_eq!(Pattern::new(b"w*"), key(b"w", b"", None));
        assert_eq!(Pattern::new(b"a*b*c"), key(b"a", b"b*c", None));
        assert_eq!(Pattern::new(b"h*->f"), key(b"h", b"", Some(b"f")));
        assert_eq!(Pattern::new(b"h*:x->f->g"), key(b"h", b":x", Some(b"f->g")));
        assert_eq!(Pattern::new(b"h*->"), key(b"h", b"->", None));
        assert_eq!(Pattern::new(b"h->f*"), key(b"h->f", b"", None));
    }

    #[test]
    fn patterns_with_one_tag_are_in_one_slot() {
        assert_eq!(slot(b"{a}*"), slot(b"{a}b"));
        assert_eq!(slot(b"{a}*"), Some(crc16(b"a") % SLOTS));
        assert_eq!(slot(b"abc"), Some(crc16(b"abc") % SLOTS));
        assert_eq!(slot(b"*{a}"), None);
        assert_eq!(slot(b"{a*}"), None);
        assert_eq!(slot(b"{}*"), None);
        assert_eq!(slot(b"w*"), None);
    }
}
