//! What fuzzing found to be interesting is read in every test run; `tests/fuzz/Cargo.toml` says how to look for more.

mod property;

use std::fs;
use std::path::Path;

#[test]
fn every_seed_of_the_fuzzers_is_read_whole_or_refused_in_order() {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/fuzz");
    for target in ["csv", "jsonl", "json", "any"] {
        let entries = fs::read_dir(seeds.join(target)).unwrap();
        let paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        assert!(!paths.is_empty(), "no seeds for {target}");
        for path in paths {
            let data = fs::read(&path).unwrap();
            let held = std::panic::catch_unwind(|| property::holds(target, &data));
            assert!(held.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn every_fixture_is_read_whole_or_refused_in_order_by_any_reader() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let entries = fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path());
    for path in entries.filter(|path| path.is_file()) {
        let data = fs::read(&path).unwrap();
        for target in ["csv", "jsonl", "json", "any"] {
            property::holds(target, &data);
        }
    }
}
