//! Manifests of any bytes; what is accepted is written and read again as it was.

#![no_main]

use aof::Manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes) else { return };
    let text = manifest.to_bytes();
    // Quoting makes a line longer; only such lines may not be read again.
    if manifest.files().next().is_some() && text.split(|byte| *byte == b'\n').all(|line| line.len() < 1024) {
        assert_eq!(Manifest::parse(&text).as_ref(), Ok(&manifest));
    }
});
