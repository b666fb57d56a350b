//! Fuzzes the reading of CSV.
#![no_main]

#[path = "../it/fuzz_seeds/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds("csv", data));
