//! Whatever the rows and whatever the service answers: every row has one outcome, and none is a false success.

use crate::workdir::{Run, Server, Summary, Workdir};
use imimport::sandbox::Fault;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// A row of the input.
#[derive(Clone, Debug)]
enum Row {
    /// One of a few hundred accounts, so that some repeat.
    Account(u16, Option<String>),
    /// A row that may not be sent.
    Invalid(&'static str),
}

fn user(number: u16) -> String {
    format!("u{number:03}")
}

impl Row {
    fn line(&self) -> String {
        match self {
            Row::Account(number, nick) => {
                format!("{},{}\n", user(*number), nick.as_deref().unwrap_or_default())
            }
            Row::Invalid(line) => format!("{line}\n"),
        }
    }
}

fn any_row() -> impl Strategy<Value = Row> {
    let nick = prop::option::of("[a-z小]{1,9}");
    let invalid = prop::sample::select(vec![
        "\" u001\",x",
        "@TLS#u001,x",
        "1.23457E+19,x",
        ",nobody",
        "u002,x,one too many",
        "a-user-id-that-is-longer-than-thirty-two-bytes,x",
    ]);
    prop_oneof![9 => (0u16..300, nick).prop_map(|(number, nick)| Row::Account(number, nick)), 1 => invalid.prop_map(Row::Invalid)]
}

fn any_fault() -> impl Strategy<Value = Fault> {
    prop_oneof![
        4 => Just(Fault::Pass),
        4 => prop::sample::select(vec![
            Fault::Reset, Fault::ResetApplied, Fault::Truncate, Fault::Garbage, Fault::WrongBody, Fault::Close,
            Fault::Http(502), Fault::Http(403), Fault::Http(413), Fault::Hang, Fault::Redirect,
        ]),
        4 => prop::sample::select(vec![70169, 70402, 70399, 60008, 60004, 60007, 60999, 60020, 40601, 70001, -7])
            .prop_map(Fault::Code),
        2 => prop::collection::vec(0u16..300, 1..5)
            .prop_map(|listed| Fault::FailAccounts(listed.into_iter().map(user).collect())),
    ]
}

/// What the rows say must become of them, before anything is sent: accounts by UserID with the last row's Nick.
fn wanted(rows: &[Row]) -> (BTreeMap<String, Option<String>>, u64) {
    let mut accounts = BTreeMap::new();
    let mut invalid = 0;
    for row in rows {
        match row {
            Row::Account(number, nick) => drop(accounts.insert(user(*number), nick.clone())),
            Row::Invalid(_) => invalid += 1,
        }
    }
    (accounts, invalid)
}

/// The UserIDs that the report calls failed.
fn failed(workdir: &Workdir) -> BTreeSet<String> {
    let mut report = csv::Reader::from_path(workdir.path("accounts.failed.csv")).unwrap();
    let rows = report.records().map(Result::unwrap).filter(|row| &row[3] == "failed");
    rows.map(|row| row[0].to_owned()).collect()
}

/// What must hold after any run.
fn check(workdir: &Workdir, server: &Server, rows: &[Row], run: &Run) -> Summary {
    let (summary, held) = (workdir.summary(), server.accounts());
    let (accounts, invalid) = wanted(rows);
    let [imported, failures, unsent] = ["imported", "failed", "unsent"].map(|key| summary.count(key));
    assert_eq!(summary.count("rows"), rows.len() as u64);
    assert_eq!(summary.count("invalid"), invalid);
    assert_eq!(summary.count("duplicates"), rows.len() as u64 - invalid - accounts.len() as u64);
    assert!(held.keys().all(|id| accounts.contains_key(id)), "an account that nobody asked for");
    let failed = failed(workdir);
    assert_eq!(failed.len() as u64, failures);
    if unsent == 0 {
        for (id, nick) in accounts.iter().filter(|(id, _)| !failed.contains(*id)) {
            assert_eq!(held.get(id).map(|kept| &kept.nick), Some(nick), "{id} is called imported");
        }
    }
    assert!(imported <= held.len() as u64, "{imported} called imported, {} held", held.len());
    let expected = match (unsent, failures + invalid) {
        (0, 0) if !accounts.is_empty() => 0,
        (0, _) if !accounts.is_empty() => 3,
        _ => 1,
    };
    assert_eq!(run.code, Some(expected), "{}", run.stderr);
    assert_eq!(summary.count("exit_code"), u64::try_from(expected).unwrap());
    server.saw_no_breach();
    summary
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_has_one_outcome_and_a_resume_brings_the_rest(
        rows in prop::collection::vec(any_row(), 1..500),
        script in prop::collection::vec(any_fault(), 0..16),
        retries in 0u32..3,
        in_flight in 1u32..8,
    ) {
        let workdir = Workdir::new();
        workdir.write("accounts.csv", "UserID,Nick\n".to_owned() + &rows.iter().map(Row::line).collect::<String>());
        let most_stops = script.len();
        let mut server = Server::scripted(script, &[]);
        server.may_leave_script();
        let (retries, in_flight) = (retries.to_string(), in_flight.to_string());
        let args = ["accounts.csv", "--timeout", "400ms", "--retries", &retries, "--max-in-flight", &in_flight];
        let mut run = workdir.against(&server, &args);
        let mut summary = check(&workdir, &server, &rows, &run);
        let mut stops = 0;
        while summary.count("unsent") > 0 {
            stops += 1;
            prop_assert!(stops <= most_stops, "stopped without a fault: {}", run.stderr);
            run = workdir.against(&server, &[&args[..], &["--resume"]].concat());
            summary = check(&workdir, &server, &rows, &run);
        }
    }
}
