//! Logs of any bytes in chunks of any size, which the first byte chooses.

#![no_main]

use aof::Scanner;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, file)) = bytes.split_first() else { return };
    let mut scanner = Scanner::new(0);
    for chunk in file.chunks(1 + usize::from(choice)) {
        scanner.feed(chunk);
        loop {
            match scanner.next().map(|item| item.is_some()) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return assert!(error.offset <= file.len() as u64),
            }
        }
        assert!(scanner.good_up_to() <= scanner.offset());
    }
    let _ = (scanner.tail(), scanner.lack());
});
