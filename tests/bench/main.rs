//! Speed, memory and pace, measured beside peers on one machine in one run; each prints a Markdown table.
//!
//! ```text
//! cargo bench --bench measure                                        all of them, short
//! cargo bench --bench measure -- plan --rows 10000000 --runs 5       a dry run beside DuckDB, xan and gzip
//! cargo bench --bench measure -- plan --rows 10000000 --tenfold      ... and beside ten times the rows
//! cargo bench --bench measure -- rate --accounts 1000000             a full run at the service's rate, beside oha
//! cargo bench --bench measure -- rate --accounts 100000 --busy       ... while every core is kept busy
//! cargo bench --bench measure -- rate --accounts 100000 --stall      ... and stopped for half a second
//! cargo bench --bench measure -- unlimited --accounts 2000000        without a rate, beside oha
//! ```
//!
//! Needs GNU time. Peers are looked for on the PATH, and left out if they are not there: `python3` with the
//! duckdb package (or another one, in `PYTHON`), `xan`, `oha`, `gzip`.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on fails")]

mod measure;
mod oha;
mod plan;
mod rate;
mod rows;
mod server;
mod unlimited;

use std::collections::VecDeque;
use std::path::PathBuf;

/// What a benchmark was told.
pub(crate) struct Told(Vec<String>);

impl Told {
    /// Refuses an option that is none of `known`: a figure of something else would be printed in its place.
    fn only(self, known: &[&str]) -> Self {
        let unknown =
            self.0.iter().find(|word| word.parse::<u64>().is_err() && !known.contains(&word.as_str()));
        if let Some(word) = unknown {
            panic!("{word} is no option of this benchmark: {}", known.join(", "));
        }
        self
    }

    /// The number that follows `name`.
    fn number(&self, name: &str, otherwise: u64) -> u64 {
        let at = self.0.iter().position(|word| word == name);
        let given = at.map(|at| self.0.get(at + 1).and_then(|number| number.parse().ok()));
        given.map_or(otherwise, |number| number.unwrap_or_else(|| panic!("{name} takes a number")))
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|word| word == name)
    }
}

/// Where inputs are kept from run to run.
pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
}

/// Prints a line of a table.
#[expect(clippy::print_stdout, reason = "a benchmark's tables are its output")]
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn main() {
    // cargo tells every benchmark that it is one.
    let mut words: VecDeque<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let which = words.pop_front();
    let told = Told(words.into());
    match which.as_deref() {
        None => {
            plan::measure(&Told(Vec::new()));
            rate::measure(&Told(Vec::new()));
            unlimited::measure(&Told(Vec::new()));
        }
        Some("plan") => plan::measure(&told.only(&["--rows", "--runs", "--tenfold"])),
        Some("rate") => rate::measure(&told.only(&["--accounts", "--busy", "--stall"])),
        Some("unlimited") => unlimited::measure(&told.only(&["--accounts", "--max-in-flight"])),
        Some(server::WORD) => server::serve(&told.0),
        Some(other) => panic!("no benchmark is called {other}: plan, rate or unlimited"),
    }
}
