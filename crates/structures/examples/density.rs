//! Bytes per entry over many sizes, and nanoseconds per operation at a million entries.
//!
//! `cargo run --release -p structures --example density [entries]`

use rand::{Rng, SeedableRng, rngs::SmallRng, seq::SliceRandom};
use std::hint::black_box;
use std::time::Instant;
use structures::entry::Entry;
use structures::hash::hash;
use structures::table::Table;

type Plain = Entry<[u64; 2]>;

fn key(number: u64) -> [u8; 16] {
    let mut key = *b"key:000000000000";
    let mut rest = number;
    for place in (4..16).rev() {
        key[place] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    key
}

fn insert(table: &mut Table<Plain>, number: u64) {
    let key = key(number);
    table.insert(hash(&key), Plain::new_int(&key, number as i64, None), &mut ());
}

fn density(largest: u64) {
    let mut table = Table::new();
    let (mut next, mut inserted) = (125.0f64, 0);
    let (mut sum, mut worst, mut count) = (0.0, (0.0f64, 0), 0);
    let mut octave = (0.0, 0.0f64, 0, next);
    while next < largest as f64 {
        while inserted < next as u64 {
            insert(&mut table, inserted);
            inserted += 1;
        }
        let bytes = table.memory() as f64 / table.len() as f64;
        sum += bytes;
        count += 1;
        if bytes > worst.0 {
            worst = (bytes, inserted);
        }
        octave = (octave.0 + bytes, octave.1.max(bytes), octave.2 + 1, octave.3);
        next *= 1.01;
        if next > octave.3 * 2.0 || next >= largest as f64 {
            println!(
                "  {:>8} … {:>8}: {:5.2} average, {:5.2} at most",
                octave.3 as u64,
                next as u64,
                octave.0 / f64::from(octave.2),
                octave.1
            );
            octave = (0.0, 0.0, 0, next);
        }
    }
    println!("bytes per entry: {:.2} average, {:.2} at most (at {})", sum / f64::from(count), worst.0, worst.1);
}

fn each(what: &str, numbers: &[u64], mut f: impl FnMut(u64)) {
    let start = Instant::now();
    numbers.iter().for_each(|&number| f(number));
    println!("{what:<28} {:6.1} ns", start.elapsed().as_nanos() as f64 / numbers.len() as f64);
}

fn speed(entries: u64) {
    let mut rng = SmallRng::seed_from_u64(7);
    let mut numbers: Vec<u64> = (0..entries).collect();
    let mut table = Table::new();
    each("insert", &numbers, |number| insert(&mut table, number));
    println!("{:.2} bytes per entry at {entries}", table.memory() as f64 / entries as f64);
    numbers.shuffle(&mut rng);
    each("hash only", &numbers, |number| {
        black_box(hash(&key(number)));
    });
    each("find, present", &numbers, |number| {
        let key = key(number);
        black_box(table.find(hash(&key), &key).is_some());
    });
    each("find, absent", &numbers, |number| {
        let key = key(number + entries);
        black_box(table.find(hash(&key), &key).is_none());
    });
    let start = Instant::now();
    for batch in numbers.chunks(16) {
        let hashes: Vec<_> = batch.iter().map(|&number| hash(&key(number))).collect();
        hashes.iter().for_each(|&hash| table.prefetch(hash));
        hashes.iter().for_each(|&hash| table.prefetch_entry(hash));
        for (&number, &hash) in batch.iter().zip(&hashes) {
            black_box(table.find(hash, &key(number)).is_some());
        }
    }
    println!("{:<28} {:6.1} ns", "find, batches of 16", start.elapsed().as_nanos() as f64 / entries as f64);
    each("find_mut, set_int", &numbers, |number| {
        let key = key(number);
        table.find_mut(hash(&key), &key, &mut ()).expect("present").get_mut().set_int(1);
    });
    each("random", &numbers[..100_000], |_| {
        black_box(table.random(&mut || rng.random()).is_some());
    });
    let start = Instant::now();
    let (mut cursor, mut seen) = (0, 0u64);
    loop {
        cursor = table.scan(cursor, |_| seen += 1);
        if cursor == 0 {
            break;
        }
    }
    println!("{:<28} {:6.1} ns", "scan, per entry", start.elapsed().as_nanos() as f64 / seen as f64);
    // The load stays, the spills do their worst.
    let mut fresh = entries;
    each("remove and insert", &numbers.clone(), |number| {
        let key = key(number);
        table.remove(hash(&key), &key, &mut ());
        insert(&mut table, fresh);
        fresh += 1;
    });
    println!("{:.2} bytes per entry after that", table.memory() as f64 / entries as f64);
    each("find, present", &numbers, |number| {
        let key = key(number + entries);
        black_box(table.find(hash(&key), &key).is_some());
    });
    each("remove", &numbers, |number| {
        let key = key(number + entries);
        table.remove(hash(&key), &key, &mut ());
    });
}

fn main() {
    let entries = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    speed(entries);
    density(4 * entries);
}
