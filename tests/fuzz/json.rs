//! Fuzzes the reading of JSON documents.
#![no_main]

#[path = "../it/fuzz_seeds/property.rs"]
mod property;

libfuzzer_sys::fuzz_target!(|data: &[u8]| property::holds("json", data));
