//! SORT and SORT_RO: the elements of a list, set or sorted set in order.
//!
//! `SORT key [BY pattern] [LIMIT offset count] [GET pattern ...] [ASC|DESC] [ALPHA] [STORE destination]`
//!
//! Without ALPHA the elements, or what BY names for each, must be numbers; what BY finds nothing for counts as 0 (with
//! ALPHA as less than everything). Elements that tie are ordered by their bytes, so the result does not depend on the
//! encoding. BY with a pattern that names nothing (`BY nosort`) keeps the order of lists and sorted sets; a set that is to
//! be stored is then sorted all the same, or replicas would store another order.
//!
//! BY and GET read keys that no argument names: with them SORT needs the whole keyspace ([`names_further_keys`]).
//! Texts are compared by their bytes, in every locale.

pub(super) mod pattern;

use std::cmp::Ordering;
use std::ops::Range;

use command::context::{Context, Done};
use command::effects::class;
use keyspace::{Expiry, Key};
use resp::args::Args;
use resp::error::{self, Error};
use structures::crc16;
use structures::entry::Payload;
use structures::number;
use value::{End, List, StringRef, Value};

use self::pattern::Pattern;
use crate::options::{integer, is};

/// How the result is wanted.
#[derive(Clone, Default)]
struct Options<'a> {
    by: Option<Pattern<'a>>,
    get: Vec<Pattern<'a>>,
    descending: bool,
    alpha: bool,
    offset: i64,
    /// Negative: all.
    count: i64,
    store: Option<&'a [u8]>,
}

/// Where the keys of patterns may be.
#[derive(Clone, Copy)]
enum Reach {
    Everywhere,
    /// Only in this slot.
    Slot(u16),
}

impl Reach {
    fn covers(self, pattern: &[u8]) -> bool {
        match self {
            Reach::Everywhere => true,
            Reach::Slot(slot) => pattern::slot(pattern) == Some(slot),
        }
    }
}

impl<'a> Options<'a> {
    fn parse(args: &Args<'a>, may_store: bool, reach: Reach, named_only: bool) -> Result<Self, Error> {
        let mut options = Options { count: -1, ..Options::default() };
        let mut words = args.from(2).iter();
        while let Some(word) = words.next() {
            if is(word, "ASC") {
                options.descending = false;
            } else if is(word, "DESC") {
                options.descending = true;
            } else if is(word, "ALPHA") {
                options.alpha = true;
            } else if is(word, "LIMIT") && words.len() >= 2 {
                options.offset = integer(words.next().unwrap_or_default())?;
                options.count = integer(words.next().unwrap_or_default())?;
            } else if may_store && is(word, "STORE") && words.len() >= 1 {
                options.store = words.next();
            } else if is(word, "BY") && words.len() >= 1 {
                let text = words.next().unwrap_or_default();
                let by = Pattern::new(text);
                if by.names_keys() && !reach.covers(text) {
                    return Err(error::keys::SORT_BY_CLUSTER);
                }
                if by.names_keys() && named_only {
                    return Err(error::keys::SORT_BY_ACL);
                }
                options.by = Some(by);
            } else if is(word, "GET") && words.len() >= 1 {
                let text = words.next().unwrap_or_default();
                let get = Pattern::new(text);
                if get != Pattern::Element && !reach.covers(text) {
                    return Err(error::keys::SORT_GET_CLUSTER);
                }
                if named_only {
                    return Err(error::keys::SORT_GET_ACL);
                }
                options.get.push(get);
            } else {
                return Err(error::common::SYNTAX);
            }
        }
        Ok(options)
    }

    /// The places of the answer among `len` sorted elements.
    fn limits(&self, len: usize) -> Range<usize> {
        let start = usize::try_from(self.offset.max(0)).unwrap_or(usize::MAX).min(len);
        let end = match usize::try_from(self.count) {
            Ok(count) => start.saturating_add(count).min(len),
            Err(_) => len,
        };
        start..end
    }
}

/// Whether a SORT with these arguments reads keys that they name by a pattern only.
pub(crate) fn names_further_keys(args: &Args<'_>) -> bool {
    Options::parse(args, true, Reach::Everywhere, false)
        .is_ok_and(|options| options.by.iter().chain(&options.get).any(Pattern::names_keys))
}

/// The elements of a collection, copied one behind the other.
#[derive(Default)]
struct Elements {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Elements {
    fn push(&mut self, element: StringRef<'_>) {
        element.with_bytes(|text| self.bytes.extend_from_slice(text));
        self.ends.push(self.bytes.len());
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    fn get(&self, at: usize) -> &[u8] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.bytes[start..self.ends[at]]
    }
}

pub(super) fn sort(ctx: &mut Context<'_, '_>) -> Done {
    run(ctx, true)
}

pub(super) fn sort_ro(ctx: &mut Context<'_, '_>) -> Done {
    run(ctx, false)
}

fn run(ctx: &mut Context<'_, '_>, may_store: bool) -> Done {
    let key = ctx.key(1);
    let reach = if ctx.env.cluster { Reach::Slot(crc16::slot(key.bytes)) } else { Reach::Everywhere };
    let mut options = Options::parse(&ctx.args, may_store, reach, ctx.env.named_keys_only)?;
    let keeps_order = options.by.is_some_and(|by| !by.names_keys());
    let source = Source::find(ctx, &key)?;
    // The order of a set means nothing, so where it would be seen by others (replicas, scripts) it is made to mean something.
    let sorts = !keeps_order || (source.is_set && (options.store.is_some() || ctx.env.deny_blocking));
    if keeps_order {
        options.by = None;
        options.alpha |= sorts;
    }
    let range = options.limits(source.len);
    let (elements, order) = if sorts {
        let elements = source.load(ctx, &key, 0..source.len, false);
        let mut order = sorted(ctx, &elements, &options)?;
        order.truncate(range.end);
        order.drain(..range.start);
        (elements, order)
    } else {
        let elements = source.load(ctx, &key, range, options.descending && !source.is_set);
        let order = (0..elements.len()).collect();
        (elements, order)
    };
    match options.store {
        Some(name) => store(ctx, &ctx.space.key(name), &elements, &order, &options.get),
        None => answer(ctx, &elements, &order, &options.get),
    }
    Ok(())
}

/// What is to be sorted.
struct Source {
    len: usize,
    is_set: bool,
}

impl Source {
    fn find(ctx: &mut Context<'_, '_>, key: &Key<'_>) -> Result<Source, Error> {
        match ctx.space.find(key).map(|view| view.payload()) {
            None => Ok(Source { len: 0, is_set: false }),
            Some(Payload::Value(Value::List(list))) => Ok(Source { len: list.len(), is_set: false }),
            Some(Payload::Value(Value::Set(set))) => Ok(Source { len: set.len(), is_set: true }),
            Some(Payload::Value(Value::Zset(zset))) => Ok(Source { len: zset.len(), is_set: false }),
            Some(_) => Err(error::common::WRONGTYPE),
        }
    }

    /// Copies a range of the elements, in their own order or counted from the end.
    fn load(&self, ctx: &mut Context<'_, '_>, key: &Key<'_>, range: Range<usize>, reverse: bool) -> Elements {
        let mut elements = Elements::default();
        if range.is_empty() {
            return elements;
        }
        match ctx.space.peek(key).map(|view| view.payload()) {
            Some(Payload::Value(Value::List(list))) => {
                let first = if reverse { self.len - 1 - range.start } else { range.start };
                list.iter_from(first, reverse).for_each(range.len(), |item| elements.push(item));
            }
            Some(Payload::Value(Value::Set(set))) => {
                set.iter().skip(range.start).take(range.len()).for_each(|item| elements.push(item));
            }
            Some(Payload::Value(Value::Zset(zset))) if reverse => {
                let ranks = self.len - range.end..self.len - range.start;
                zset.range(ranks).rev().for_each(|(item, _)| elements.push(item));
            }
            Some(Payload::Value(Value::Zset(zset))) => {
                zset.range(range).for_each(|(item, _)| elements.push(item));
            }
            _ => {}
        }
        elements
    }
}

/// The elements' indexes in order.
fn sorted(ctx: &mut Context<'_, '_>, elements: &Elements, options: &Options<'_>) -> Result<Vec<usize>, Error> {
    let mut order: Vec<usize> = (0..elements.len()).collect();
    let directed = |ordering: Ordering| if options.descending { ordering.reverse() } else { ordering };
    let bytes = |a: usize, b: usize| elements.get(a).cmp(elements.get(b));
    match (options.alpha, options.by) {
        (true, None) => order.sort_by(|&a, &b| directed(bytes(a, b))),
        (true, Some(by)) => {
            let keys: Vec<Option<Vec<u8>>> =
                order.iter().map(|&at| by.look_up(ctx, elements.get(at), |value| value.to_vec())).collect();
            order.sort_by(|&a, &b| directed(keys[a].cmp(&keys[b])));
        }
        (false, by) => {
            let score = |at: usize| match by {
                None => Some(score(StringRef::Bytes(elements.get(at)))),
                Some(by) => by.look_up(ctx, elements.get(at), score),
            };
            let scores: Vec<Option<Option<f64>>> = order.iter().copied().map(score).collect();
            // No value counts as 0, but a value that is no number is an error.
            let scores: Option<Vec<f64>> = scores.into_iter().map(|found| found.unwrap_or(Some(0.0))).collect();
            let scores = scores.ok_or(error::keys::SORT_NOT_NUMBERS)?;
            let compare = |a: usize, b: usize| scores[a].partial_cmp(&scores[b]).unwrap_or(Ordering::Equal);
            order.sort_by(|&a, &b| directed(compare(a, b).then_with(|| bytes(a, b))));
        }
    }
    Ok(order)
}

fn score(value: StringRef<'_>) -> Option<f64> {
    match value {
        StringRef::Int(n) => Some(n as f64),
        StringRef::Bytes(text) => number::parse_f64(text),
    }
}

fn answer(ctx: &mut Context<'_, '_>, elements: &Elements, order: &[usize], get: &[Pattern<'_>]) {
    ctx.reply.array(order.len() * get.len().max(1));
    for &at in order {
        let element = elements.get(at);
        if get.is_empty() {
            ctx.reply.bulk(element);
        }
        for pattern in get {
            match pattern.look_up(ctx, element, |value| value.to_vec()) {
                Some(value) => ctx.reply.bulk(&value),
                None => ctx.reply.null(),
            }
        }
    }
}

/// Stores the result as a list; an empty one deletes the destination. What GET finds nothing for is an empty string.
fn store(ctx: &mut Context<'_, '_>, key: &Key<'_>, elements: &Elements, order: &[usize], get: &[Pattern<'_>]) {
    let mut result = Elements::default();
    for &at in order {
        let element = elements.get(at);
        if get.is_empty() {
            result.push(StringRef::Bytes(element));
        }
        for pattern in get {
            let value = pattern.look_up(ctx, element, |value| value.to_vec()).unwrap_or_default();
            result.push(StringRef::Bytes(&value));
        }
    }
    let len = result.len();
    if len == 0 {
        ctx.delete(key);
    } else {
        let mut list = List::new();
        list.push(End::Back, (0..len).map(|at| result.get(at)), &ctx.env.limits);
        ctx.space.insert_value(key, Value::List(list), Expiry::None);
        ctx.changed(key, class::LIST, "sortstore", len as u64);
    }
    ctx.reply.length(len);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_cut_to_the_elements() {
        let of = |offset, count| Options { offset, count, ..Options::default() }.limits(10);
        assert_eq!(of(0, -1), 0..10);
        assert_eq!(of(3, 2), 3..5);
        assert_eq!(of(8, 100), 8..10);
        assert_eq!(of(10, 1), 10..10);
        assert_eq!(of(99, -1), 10..10);
        assert_eq!(of(-5, 2), 0..2);
        assert_eq!(of(0, 0), 0..0);
        assert_eq!(of(i64::MAX, i64::MAX), 10..10);
    }

    #[test]
    fn only_patterns_name_further_keys() {
        let names = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            names_further_keys(&resp::args::OwnedArgs::from_slices(&words).as_args())
        };
        assert!(names("sort l by w*"));
        assert!(names("sort l get # get o*"));
        assert!(!names("sort l"));
        assert!(!names("sort l by nosort get #"));
        assert!(!names("sort l store by*"));
        assert!(!names("sort l limit 0 by*"));
    }
}
