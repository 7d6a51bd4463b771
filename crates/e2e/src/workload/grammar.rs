//! The notation of forms: read once into a tree, written as often as wanted.

use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

/// Keys of each kind.
pub const KEYS: usize = 6;

/// A part of a form.
#[derive(Debug)]
pub enum Node {
    Word(&'static str),
    Hole(&'static str),
    /// One of several sequences.
    Choice(Vec<Vec<Node>>),
    /// As a choice, or nothing.
    Optional(Vec<Vec<Node>>),
    /// One to four times.
    Repeat(Vec<Vec<Node>>),
}

pub fn parse(text: &'static str) -> Vec<Node> {
    let tokens = tokens(text);
    let mut at = 0;
    let mut alternatives = sequence(&tokens, &mut at, None);
    assert!(at == tokens.len() && alternatives.len() == 1, "brackets do not match: {text}");
    alternatives.remove(0)
}

/// Words, and each of `[](){}|` by itself.
fn tokens(text: &'static str) -> Vec<&'static str> {
    let mut tokens = Vec::new();
    for part in text.split(' ') {
        let mut rest = part;
        while !rest.is_empty() {
            let end = rest.find(['[', ']', '(', ')', '{', '}', '|']).map_or(rest.len(), |at| at.max(1));
            let (token, after) = rest.split_at(end);
            tokens.push(token);
            rest = after;
        }
    }
    tokens
}

/// Alternatives up to the closing bracket.
fn sequence(tokens: &[&'static str], at: &mut usize, until: Option<&str>) -> Vec<Vec<Node>> {
    let mut alternatives = vec![Vec::new()];
    while let Some(&token) = tokens.get(*at) {
        *at += 1;
        let node = match token {
            "[" => Node::Optional(sequence(tokens, at, Some("]"))),
            "(" => Node::Choice(sequence(tokens, at, Some(")"))),
            "{" => Node::Repeat(sequence(tokens, at, Some("}"))),
            "|" => {
                alternatives.push(Vec::new());
                continue;
            }
            _ if Some(token) == until => return alternatives,
            _ => match token.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
                Some(hole) => Node::Hole(hole),
                None => Node::Word(token),
            },
        };
        alternatives.last_mut().expect("never empty").push(node);
    }
    assert!(until.is_none(), "a bracket is not closed: {tokens:?}");
    alternatives
}

pub fn write(nodes: &[Node], random: &mut SmallRng, words: &mut Vec<Vec<u8>>) {
    for node in nodes {
        match node {
            Node::Word(word) => words.push(word.as_bytes().to_vec()),
            Node::Hole(hole) => words.push(fill(hole, random)),
            Node::Choice(alternatives) => write_one(alternatives, random, words),
            Node::Optional(alternatives) => {
                if random.random_ratio(1, 3) {
                    write_one(alternatives, random, words);
                }
            }
            Node::Repeat(alternatives) => {
                for _ in 0..random.random_range(1..=4) {
                    write_one(alternatives, random, words);
                }
            }
        }
    }
}

fn write_one(alternatives: &[Vec<Node>], random: &mut SmallRng, words: &mut Vec<Vec<u8>>) {
    let chosen: &Vec<Node> = pick(alternatives, random);
    write(chosen, random, words);
}

fn pick<'a, T>(from: &'a [T], random: &mut SmallRng) -> &'a T {
    from.choose(random).expect("never empty")
}

fn fill(hole: &str, random: &mut SmallRng) -> Vec<u8> {
    match hole {
        "key" => any_key(random),
        "string" => key(b's', random),
        "number" => key(b'n', random),
        "list" => key(b'l', random),
        "hash" => key(b'h', random),
        "set" => key(b't', random),
        "zset" => key(b'z', random),
        "lex" => format!("x:{}", random.random_range(0..KEYS)).into_bytes(),
        "value" => value(random),
        "member" => member(random),
        "field" => format!("field:{}", random.random_range(0..40)).into_bytes(),
        "int" => integer(random).to_string().into_bytes(),
        "float" => float(random),
        "score" => score(random),
        "index" => random.random_range(-12..12).to_string().into_bytes(),
        "offset" => random.random_range(0..300).to_string().into_bytes(),
        "bit" => random.random_range(0..=1).to_string().into_bytes(),
        "count" => random.random_range(0..6).to_string().into_bytes(),
        "positive" => random.random_range(1..6).to_string().into_bytes(),
        "scorebound" => {
            let open = if random.random_bool(0.3) { "(" } else { "" };
            [open.as_bytes(), &pick::<&[u8]>(&[b"-inf", b"+inf", b"0", b"2.5", b"5"], random)[..]].concat()
        }
        "lexbound" => match random.random_range(0..4) {
            0 => b"-".to_vec(),
            1 => b"+".to_vec(),
            2 => [b"[".to_vec(), member(random)].concat(),
            _ => [b"(".to_vec(), member(random)].concat(),
        },
        "pattern" => pick::<&[u8]>(&[b"*", b"s:*", b"[lh]:?", b"member:1*", b"nothing", b"*3"], random).to_vec(),
        "type" => pick::<&[u8]>(&[b"u8", b"i5", b"u63", b"i64", b"u1", b"i16"], random).to_vec(),
        "seconds" => pick::<&[u8]>(&[b"100000", b"500000"], random).to_vec(),
        "millis" => pick::<&[u8]>(&[b"100000000", b"777777777"], random).to_vec(),
        "unixtime" => pick::<&[u8]>(&[b"33177117420", b"33177117421"], random).to_vec(),
        "unixmillis" => pick::<&[u8]>(&[b"33177117420000", b"33177117420001"], random).to_vec(),
        "db" => random.random_range(0..3).to_string().into_bytes(),
        _ => panic!("no such hole: <{hole}>"),
    }
}

/// A key that mostly holds a value of that kind.
fn key(kind: u8, random: &mut SmallRng) -> Vec<u8> {
    if random.random_ratio(1, 25) {
        return any_key(random);
    }
    format!("{}:{}", kind as char, random.random_range(0..KEYS)).into_bytes()
}

fn any_key(random: &mut SmallRng) -> Vec<u8> {
    let kind = *pick(b"snlhtz", random);
    format!("{}:{}", kind as char, random.random_range(0..KEYS)).into_bytes()
}

fn integer(random: &mut SmallRng) -> i64 {
    match random.random_range(0..20) {
        0 => i64::MAX,
        1 => i64::MIN,
        2 => 1 << 40,
        _ => random.random_range(-20..200),
    }
}

fn float(random: &mut SmallRng) -> Vec<u8> {
    pick::<&[u8]>(&[b"0", b"1", b"-1.5", b"0.1", b"3.0e3", b"1e17", b"-7", b"10.25"], random).to_vec()
}

fn score(random: &mut SmallRng) -> Vec<u8> {
    match random.random_range(0..12) {
        0 => b"inf".to_vec(),
        1 => b"-inf".to_vec(),
        2 => b"0".to_vec(),
        3 => b"1e300".to_vec(),
        _ => format!("{}.{}", random.random_range(-5..10), random.random_range(0..4) * 25).into_bytes(),
    }
}

fn member(random: &mut SmallRng) -> Vec<u8> {
    match random.random_range(0..10) {
        0..5 => format!("member:{}", random.random_range(0..40)).into_bytes(),
        5..9 => random.random_range(-5..60).to_string().into_bytes(),
        _ => value(random),
    }
}

fn value(random: &mut SmallRng) -> Vec<u8> {
    match random.random_range(0..12) {
        0..4 => integer(random).to_string().into_bytes(),
        4..7 => format!("value:{}", random.random_range(0..1000)).into_bytes(),
        7 => float(random),
        8 => Vec::new(),
        9 => (0..random.random_range(1..80)).map(|_| random.random()).collect(),
        10 => vec![b'x'; random.random_range(40..200)],
        _ => vec![*pick(b"ab\x00", random); random.random_range(1..6000)],
    }
}
