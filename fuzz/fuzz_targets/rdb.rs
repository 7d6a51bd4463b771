//! Files of any bytes in chunks of any size. The first byte chooses the chunks and the options.

#![no_main]

use libfuzzer_sys::fuzz_target;
use rdb::decode::Options;
use rdb::{Acceptance, Decoder};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, file)) = bytes.split_first() else { return };
    let acceptance = if choice & 1 == 0 { Acceptance::Strict } else { Acceptance::Relaxed };
    let options = Options { acceptance, skip: choice & 2 != 0, checksum: choice & 4 != 0, ..Options::default() };
    let mut decoder = Decoder::new(options);
    let mut chunks = file.chunks(1 + usize::from(choice >> 3) * 13);
    loop {
        let Ok(next) = decoder.next().map(|event| event.is_some()) else { return };
        if next {
            continue;
        }
        if decoder.is_done() {
            return;
        }
        match chunks.next() {
            Some(chunk) => decoder.feed(chunk),
            None => decoder.finish(),
        }
    }
});
