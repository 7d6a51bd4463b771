//! Bytes per member and nanoseconds per operation of a sorted set.
//!
//! `cargo run --release -p structures --example ranked [members]`

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use std::hint::black_box;
use std::ops::Bound;
use std::time::Instant;
use structures::ranked::SortedSet;

fn name(number: u32) -> [u8; 13] {
    let mut name = *b"member:000000";
    let mut rest = number;
    for place in (7..13).rev() {
        name[place] = b'0' + (rest % 36) as u8;
        rest /= 36;
    }
    name
}

fn each<T: Copy>(what: &str, items: &[T], mut f: impl FnMut(T)) {
    let start = Instant::now();
    items.iter().for_each(|&item| f(item));
    println!("  {what:<34} {:7.1} ns", start.elapsed().as_nanos() as f64 / items.len() as f64);
}

fn measure(title: &str, elements: &[(u32, f64)]) {
    println!("{title}");
    let mut rng = SmallRng::seed_from_u64(11);
    let mut set = SortedSet::new();
    each("insert", elements, |(number, score)| {
        set.insert(&name(number), score, &mut ());
    });
    let table = set.members().memory();
    println!(
        "  bytes per member: {:.1} tree, {:.1} table, 24 member",
        (set.memory() - table) as f64 / set.len() as f64,
        table as f64 / set.len() as f64
    );
    let mut shuffled = elements.to_vec();
    shuffled.shuffle(&mut rng);
    each("score", &shuffled, |(number, _)| {
        black_box(set.score(&name(number)));
    });
    each("rank", &shuffled, |(number, _)| {
        black_box(set.rank(&name(number)));
    });
    each("count by score", &shuffled, |(_, score)| {
        black_box(set.ranks_by_score(Bound::Included(score), Bound::Included(score + 1000.0)).len());
    });
    each("range of ten by rank", &shuffled, |_| {
        let rank = rng.random_range(0..elements.len());
        set.range(rank..rank + 10).for_each(|element| {
            black_box(element);
        });
    });
    let start = Instant::now();
    black_box(set.iter().map(|(_, score)| score).sum::<f64>());
    println!("  {:<34} {:7.1} ns", "iterate, per member", start.elapsed().as_nanos() as f64 / set.len() as f64);
    each("change the score a little", &shuffled, |(number, score)| {
        set.insert(&name(number), score + 0.25, &mut ());
    });
    each("change the score at random", &shuffled, |(number, _)| {
        set.insert(&name(number), rng.random_range(0.0..1e6), &mut ());
    });
    println!("  bytes per member: {:.1} tree", (set.memory() - set.members().memory()) as f64 / set.len() as f64);
    each("pop the lowest", &shuffled[..elements.len() / 4], |_| {
        black_box(set.pop_min(&mut ()));
    });
    let start = Instant::now();
    let quarter = elements.len() / 4;
    set.remove_range(quarter..2 * quarter, &mut (), |member| {
        black_box(member);
    });
    println!("  {:<34} {:7.1} ns", "remove a range, per member", start.elapsed().as_nanos() as f64 / quarter as f64);
    each("remove", &shuffled, |(number, _)| {
        set.remove(&name(number), &mut ());
    });
}

fn main() {
    let members = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let mut rng = SmallRng::seed_from_u64(7);
    let random: Vec<(u32, f64)> = (0..members).map(|number| (number, rng.random_range(0.0..1e6f64))).collect();
    let rising: Vec<(u32, f64)> = (0..members).map(|number| (number, f64::from(number))).collect();
    measure("random scores", &random);
    measure("rising scores", &rising);
}
