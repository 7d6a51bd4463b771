//! Random commands that make sense: a grammar for each form of each data command, and a stream of instances.
//!
//! ```text
//!   "SET <string> <value> [NX|XX] [EX <ttl>|KEEPTTL]"       one row of the table
//!        │          │       └ none or one of them
//!        │          └ bytes of a random kind: numbers, short, long, binary
//!        └ mostly a key that holds a string, now and then one that holds something else
//! ```
//!
//! `[ ]` is optional, `|` chooses, `( )` must have one, `{ }` comes one to four times. The universe of keys is
//! small, so that commands meet; values are many, so that encodings change. Equal seeds give equal streams.
//!
//! A row says how far its reply can be compared: exactly, without regard to order, or not at all (chance).

mod grammar;
mod table;

use grammar::Node;
use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

pub use table::Comparison;

/// A form of a command.
pub struct Form {
    /// As it stands in the table.
    pub text: &'static str,
    pub comparison: Comparison,
    body: Vec<Node>,
}

impl Form {
    /// The command's name.
    pub fn name(&self) -> &'static str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// Whether it waits when there is nothing to take. Its time is then the server's timer's, not the command's.
    pub fn blocks(&self) -> bool {
        let name = self.name();
        name.starts_with('B') && (name.contains("POP") || name.contains("MOVE"))
    }
}

/// A stream of random commands.
pub struct Workload {
    forms: Vec<Form>,
    random: SmallRng,
}

/// A command, and the form of which it is an instance.
pub struct Instance<'a> {
    pub form: &'a Form,
    pub words: Vec<Vec<u8>>,
}

impl Workload {
    /// All forms whose command the server knows, and with which real peers keep their own rules.
    pub fn new(seed: u64, knows: impl Fn(&str) -> bool) -> Workload {
        let peers_diverge = |form: &Form| table::PEERS_DIVERGE.iter().any(|beginning| form.text.starts_with(beginning));
        Workload::strict(seed, knows).only(|form| !peers_diverge(form))
    }

    /// All forms whose command the server knows.
    pub fn strict(seed: u64, knows: impl Fn(&str) -> bool) -> Workload {
        let forms = table::FORMS
            .iter()
            .map(|&(comparison, text)| Form { text, comparison, body: grammar::parse(text) })
            .filter(|form| knows(form.name()))
            .collect();
        Workload { forms, random: SmallRng::seed_from_u64(seed) }
    }

    /// Leaves out the forms for which the condition does not hold.
    pub fn only(mut self, condition: impl Fn(&Form) -> bool) -> Workload {
        self.forms.retain(|form| condition(form));
        self
    }

    pub fn forms(&self) -> &[Form] {
        &self.forms
    }

    /// A random instance of a random form.
    pub fn any(&mut self) -> Instance<'_> {
        let form = self.random.random_range(0..self.forms.len());
        self.of(form)
    }

    /// A random instance of the form at that place in [`Workload::forms`].
    pub fn of(&mut self, form: usize) -> Instance<'_> {
        let form = &self.forms[form];
        let mut words = Vec::new();
        grammar::write(&form.body, &mut self.random, &mut words);
        Instance { form, words }
    }
}

/// Commands that fill every kind of key with a few elements, in small and in large encodings.
pub fn foundation() -> Vec<Vec<Vec<u8>>> {
    let mut commands = Vec::new();
    for key in 0..grammar::KEYS {
        let long = if key % 2 == 0 { 4 } else { 200 };
        for element in 0..long {
            let line = match element % 5 {
                0 => format!("SETRANGE s:{key} {element} abc"),
                1 => format!("RPUSH l:{key} {element} member:{element}"),
                2 => format!("HSET h:{key} field:{element} value:{element}"),
                3 => format!("SADD t:{key} {element} {}", if key % 3 == 0 { "7" } else { "x" }),
                _ => format!("ZADD z:{key} {element}.5 member:{element}"),
            };
            commands.push(line.split(' ').map(|word| word.as_bytes().to_vec()).collect());
        }
        commands.push(vec![b"SET".to_vec(), format!("n:{key}").into_bytes(), key.to_string().into_bytes()]);
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_give_equal_streams() {
        let stream = |seed| {
            let mut workload = Workload::new(seed, |_| true);
            (0..500).map(|_| workload.any().words).collect::<Vec<_>>()
        };
        assert_eq!(stream(7), stream(7));
        assert_ne!(stream(7), stream(8));
    }

    #[test]
    fn every_form_of_the_table_can_be_written() {
        let mut workload = Workload::strict(1, |_| true);
        for form in 0..workload.forms().len() {
            for _ in 0..20 {
                let instance = workload.of(form);
                assert_eq!(instance.words[0], instance.form.name().as_bytes());
            }
        }
    }
}
