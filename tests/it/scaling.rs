//! Several processes with a part of the rows each: together they do what one does alone.

use crate::workdir::{Run, Server, Workdir};
use imimport::sandbox::Kept;
use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write as _;

const COUNTS: [&str; 8] =
    ["rows", "imported", "failed", "invalid", "duplicates", "conflicts", "skipped", "unsent"];

/// Rows with few UserIDs, so that many are duplicates; some have none that is valid.
fn any_rows() -> impl Strategy<Value = String> {
    let id = prop_oneof![6 => (0..40u8).prop_map(|id| format!("user_{id:02}")), 1 => Just(" u".to_owned()), 1 => Just(String::new())];
    vec((id, "[ab]?"), 1..80).prop_map(|rows| {
        rows.iter().fold("UserID,Nick\n".to_owned(), |mut text, (id, nick)| {
            writeln!(text, "{id},{nick}").unwrap();
            text
        })
    })
}

/// What one run, or all of its parts together, came to.
#[derive(Debug, Default, PartialEq, Eq)]
struct Whole {
    counts: BTreeMap<&'static str, u64>,
    /// Of the reports, without their headers, sorted.
    refused: Vec<String>,
    accounts: BTreeMap<String, Kept>,
}

impl Whole {
    fn add(&mut self, workdir: &Workdir, report: &str) {
        let summary: Value = serde_json::from_str(&workdir.read("summary.json")).unwrap();
        for key in COUNTS {
            *self.counts.entry(key).or_default() += summary[key].as_u64().unwrap();
        }
        self.refused.extend(workdir.read(report).lines().skip(1).map(str::to_owned));
        self.refused.sort();
    }
}

/// A server that refuses every tenth UserID.
fn choosy() -> Server {
    Server::faulty(&["fail=5$", "fail-reason=80004"])
}

fn in_parts(rows: &str, parts: u32) -> Whole {
    let (workdir, server) = (Workdir::new(), choosy());
    workdir.write("rows.csv", rows);
    let mut whole = Whole::default();
    for part in 0..parts {
        let args = ["rows.csv", "--shard", &format!("{part}/{parts}"), "--retries", "0"];
        let run = workdir.against(&server, &args);
        assert!(matches!(run.code, Some(0 | 3)), "part {part} of {parts}: {}", run.stderr);
        whole.add(&workdir, &format!("rows.{part}-of-{parts}.failed.csv"));
    }
    server.saw_no_breach();
    Whole { accounts: server.accounts(), ..whole }
}

fn alone(rows: &str) -> Whole {
    let (workdir, server) = (Workdir::new(), choosy());
    workdir.write("rows.csv", rows);
    workdir.against(&server, &["rows.csv", "--retries", "0"]);
    let mut whole = Whole::default();
    whole.add(&workdir, "rows.failed.csv");
    Whole { accounts: server.accounts(), ..whole }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn the_parts_of_a_run_together_are_the_whole(rows in any_rows(), parts in 2u32..5) {
        // Each UserID has its rows in one part, or the counts of duplicates and conflicts would be others.
        prop_assert_eq!(in_parts(&rows, parts), alone(&rows));
    }
}

#[test]
fn a_part_that_was_stopped_is_resumed_as_it_says() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 3000);
    for part in 0..3 {
        let shard = format!("{part}/3");
        let trial = ["accounts.csv", "--shard", &shard, "--limit", "700"];
        workdir.against(&server, &trial).exits(0);
        let (left, command) =
            (workdir.summary().count("unsent"), workdir.summary().text("resume_command").to_owned());
        assert!(left > 0 && command.contains("--resume"), "{command}");
        workdir.against(&server, &trial[..3]).exits(1).says("700 are imported").says("--resume");
        workdir.against(&server, &["accounts.csv", "--shard", &shard, "--resume"]).exits(0);
    }
    assert_eq!(server.held(), 3000);
    assert!(server.accounts().values().all(|kept| kept.times == 1));
}

#[test]
fn a_part_without_rows_is_done_at_once() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("one.csv", "UserID\nu1\n");
    for part in 0..4 {
        workdir.against(&server, &["one.csv", "--shard", &format!("{part}/4")]).exits(0);
    }
    assert_eq!(server.stats().requests, 1);
}

#[test]
fn the_parts_share_the_rate_and_there_are_no_more_parts_than_requests_a_second() {
    let workdir = Workdir::new();
    workdir.accounts("accounts.csv", 300);
    let part = |of: u32, rate: &str| {
        let shard = format!("0/{of}");
        workdir.imimport(&["accounts.csv", "--region", "sandbox", "--shard", &shard, "--rate", rate])
    };
    part(3, "100").exits(0).says("at 33 requests/s");
    part(5, "4").exits(2).says("--shard");
}

#[test]
fn the_reports_of_all_parts_are_one_input() {
    let (workdir, server) = (Workdir::new(), choosy());
    workdir.accounts("rows.csv", 100);
    for part in 0..2 {
        workdir.against(&server, &["rows.csv", "--shard", &format!("{part}/2"), "--retries", "0"]).exits(3);
    }
    let healthy = Server::new();
    workdir.against(&healthy, &["rows.0-of-2.failed.csv", "rows.1-of-2.failed.csv"]).exits(0);
    assert_eq!(healthy.accounts().len(), 10);
}

/// Skipped with a word where GNU parallel is not installed; another program of that name does not count.
#[cfg(unix)]
#[test]
fn gnu_parallel_runs_the_parts_side_by_side() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let version = Run::of(&mut workdir.shell("parallel --version"));
    if version.code != Some(0) || !version.stdout.contains("GNU parallel") {
        println!("skipped: GNU parallel is not installed");
        return;
    }
    workdir.accounts("accounts.csv", 2000);
    let program = env!("CARGO_BIN_EXE_imimport");
    let line = format!("seq 0 3 | parallel '{program}' accounts.csv --shard {{}}/4 --summary part.{{}}.json");
    let mut command = workdir.shell(&line);
    server.aim(&mut command);
    Run::of(&mut command).exits(0);
    let imported = |part| {
        let summary: Value = serde_json::from_str(&workdir.read(&format!("part.{part}.json"))).unwrap();
        summary["imported"].as_u64().unwrap()
    };
    assert_eq!((0..4).map(imported).sum::<u64>(), 2000);
    assert_eq!(server.accounts().len(), 2000);
    server.saw_no_breach();
}
