//! Fuzzes the reading of anything, its format told by its beginning, under options that its first bytes choose.
#![no_main]

#[path = "../it/fuzz_seeds/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds("any", data));
