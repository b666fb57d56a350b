//! A dry run beside peers that do the same deduplication and throw the result away.

use super::measure::{Took, imimport, in_turns, is_there, median};
use super::rows::{Format, input};
use super::{Told, say};
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};

/// On all cores; which row of a UserID it keeps is left to it, which is its fastest way.
const DUCKDB: &str = "import duckdb, sys; duckdb.execute(\"COPY (SELECT DISTINCT ON (UserID) * \
    FROM read_csv(?, header=true, all_varchar=true)) TO '/dev/null' (FORMAT csv)\", [sys.argv[1]])";

pub(crate) fn measure(told: &Told) {
    let (rows, runs) = (told.number("--rows", 100_000), told.number("--runs", 3));
    let csv = input(rows, Format::Csv);
    let mut subjects = vec![
        ("imimport --dry-run, CSV", dry_run(&csv)),
        ("imimport --dry-run, JSONL", dry_run(&input(rows, Format::Jsonl))),
    ];
    if is_there("gzip", &["--version"]) {
        let packed = gzip(&csv);
        subjects.push(("imimport --dry-run, CSV in gzip", dry_run(&packed)));
        subjects.push(("gzip -dc alone", with("gzip", &["-dc"], &packed)));
    }
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".to_owned());
    if is_there(&python, &["-c", "import duckdb"]) {
        subjects.push(("DuckDB, DISTINCT ON", with(&python, &["-c", DUCKDB], &csv)));
    }
    if is_there("xan", &["--version"]) {
        subjects.push(("xan dedup -s UserID", with("xan", &["dedup", "-s", "UserID"], &csv)));
    }
    if told.has("--tenfold") {
        subjects
            .push(("imimport --dry-run, CSV, ten times the rows", dry_run(&input(10 * rows, Format::Csv))));
    }
    let (names, commands): (Vec<&str>, Vec<Command>) = subjects.into_iter().unzip();
    let took = in_turns(&commands, runs);

    say(&format!("\n{rows} rows, {runs} runs each, in turns\n"));
    say("| what | median s | least–most | ratio | CPU s | peak MiB |\n|---|---|---|---|---|---|");
    let first = median(&took[0], |took| took.wall_s).0;
    for (name, took) in names.iter().zip(&took) {
        say(&row(name, took, first));
    }
}

fn row(name: &str, took: &[Took], first: f64) -> String {
    let (wall, least, most) = median(took, |took| took.wall_s);
    let (cpu, peak) = (median(took, |took| took.cpu_s).0, median(took, |took| took.peak_mib).0);
    format!("| {name} | {wall:.2} | {least:.2}–{most:.2} | {:.2} | {cpu:.2} | {peak:.0} |", wall / first)
}

fn dry_run(input: &Path) -> Command {
    let mut command = imimport();
    command.args(["--dry-run", "--region", "sandbox", "--progress", "never"]).arg(input);
    command
}

fn with(program: &str, args: &[&str], input: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(args).arg(input);
    command
}

fn gzip(csv: &Path) -> std::path::PathBuf {
    let packed = csv.with_extension("csv.gz");
    if !packed.exists() {
        let partial = csv.with_extension("partial");
        let mut command = with("gzip", &["-c"], csv);
        let status = command.stdout(Stdio::from(File::create(&partial).unwrap())).status().unwrap();
        assert!(status.success());
        std::fs::rename(partial, &packed).unwrap();
    }
    packed
}
