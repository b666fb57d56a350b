//! `verify`, `--verify` and `--existing skip`: what the service is asked, and what its answers lead to.

use crate::workdir::{Server, Workdir};
use imimport::sandbox::Fault;

#[test]
fn verify_reports_what_is_missing_and_the_report_is_an_input() {
    let (work, server) = (Workdir::new(), Server::faulty(&["absent=7$"]));
    work.accounts("accounts.csv", 250);
    work.against(&server, &["accounts.csv"]).exits(0);
    work.against(&server, &["verify", "accounts.csv", "--summary", "summary.json"]).exits(3);
    let summary = work.summary();
    assert_eq!(["rows", "present", "missing"].map(|key| summary.count(key)), [250, 225, 25]);
    let report = work.read("accounts.verify.csv");
    assert_eq!(report.lines().count(), 26);
    assert!(report.contains("user_00007,Nick 7,https://example.com/7.png,missing,,"), "{report}");
    work.against(&server, &["accounts.verify.csv"]).exits(0);
    assert_eq!(server.accounts()["user_00007"].times, 2);
    assert_eq!(server.accounts()["user_00008"].times, 1);
}

#[test]
fn verify_sends_nothing_and_exits_with_0_where_all_is_there() {
    let (work, server) = (Workdir::new(), Server::new());
    work.accounts("accounts.csv", 120);
    work.against(&server, &["accounts.csv"]).exits(0);
    work.against(&server, &["verify", "accounts.csv", "--profiles"]).exits(0);
    let commands = server.stats().commands;
    assert_eq!(
        (commands["multiaccount_import"], commands["account_check"], commands["portrait_get"]),
        (2, 2, 2)
    );
    assert_eq!(work.read("accounts.verify.csv").lines().count(), 1);
    server.saw_no_breach();
}

#[test]
fn profiles_that_differ_are_reported_with_what_the_service_holds() {
    let (work, server) = (Workdir::new(), Server::faulty(&["changed=3$"]));
    work.accounts("accounts.csv", 100);
    work.against(&server, &["accounts.csv", "--verify", "--profiles"]).exits(3);
    let report = work.read("accounts.failed.csv");
    assert_eq!(report.lines().count(), 11);
    assert!(report.lines().skip(1).all(|line| line.contains(",different,")), "{report}");
}

#[test]
fn an_import_with_verify_asks_for_all_but_the_accounts_that_failed() {
    let (work, server) = (Workdir::new(), Server::faulty(&["poison=user_00042"]));
    work.accounts("accounts.csv", 200);
    work.against(&server, &["accounts.csv", "--verify"]).exits(3);
    let report = work.read("accounts.failed.csv");
    assert_eq!(report.lines().count(), 2, "{report}");
    assert!(report.contains("user_00042,Nick 42,https://example.com/42.png,failed,70402,"), "{report}");
}

#[test]
fn existing_accounts_are_skipped_and_keep_their_profiles() {
    let (work, server) = (Workdir::new(), Server::new());
    work.write("old.csv", "UserID,Nick\nuser_00003,Old\nuser_00150,Old\n");
    work.accounts("accounts.csv", 250);
    work.against(&server, &["old.csv"]).exits(0);
    work.against(&server, &["accounts.csv", "--existing", "skip", "--summary", "summary.json"]).exits(0);
    let summary = work.summary();
    assert_eq!(["imported", "skipped"].map(|key| summary.count(key)), [248, 2]);
    assert_eq!(server.accounts()["user_00003"].nick.as_deref(), Some("Old"));
    server.saw_no_breach();
}

#[test]
fn skipped_accounts_are_not_compared_for_they_keep_the_profiles_they_have() {
    let (work, server) = (Workdir::new(), Server::new());
    work.write("old.csv", "UserID,Nick\nuser_00003,Old\n");
    work.accounts("accounts.csv", 20);
    work.against(&server, &["old.csv"]).exits(0);
    let run = work.against(&server, &["accounts.csv", "--existing", "skip", "--verify", "--profiles"]);
    run.exits(0).says("19  verified: present");
    assert_eq!(work.read("accounts.failed.csv").lines().count(), 1);
}

#[test]
fn passing_faults_lose_nothing_while_existing_accounts_are_skipped() {
    let faults = ["70169=5%", "http502=5%", "reset=5%", "reset-applied=5%", "truncate=5%", "bodies=5%"];
    let (work, server) = (Workdir::new(), Server::faulty(&faults));
    work.accounts("accounts.csv", 1500);
    work.against(&server, &["accounts.csv", "--existing", "skip", "--summary", "summary.json"]).exits(0);
    let summary = work.summary();
    assert_eq!(summary.count("imported"), 1500, "what came from here is never taken for an old account");
    assert_eq!(server.accounts().len(), 1500);
}

#[test]
fn an_answer_that_leaves_accounts_out_is_asked_again() {
    let partial = r#"{"ActionStatus":"OK","ErrorCode":0,"ResultItem":[
        {"UserID":"user_00000","ResultCode":0,"ResultInfo":"","AccountStatus":"Imported"}]}"#;
    let (work, server) = (Workdir::new(), Server::scripted(vec![Fault::Body(partial.into())], &[]));
    work.accounts("accounts.csv", 3);
    work.against(&server, &["verify", "accounts.csv", "--summary", "summary.json"]).exits(3);
    let summary = work.summary();
    assert_eq!(["present", "missing"].map(|key| summary.count(key)), [1, 2]);
    assert_eq!(server.stats().requests, 2);
}

#[test]
fn a_fatal_answer_to_a_verify_stops_it_after_one_request() {
    let (work, server) = (Workdir::new(), Server::faulty(&["always=70403"]));
    work.accounts("accounts.csv", 300);
    work.against(&server, &["verify", "accounts.csv", "--summary", "summary.json"]).exits(1).says("70403");
    assert_eq!(work.summary().count("unsent"), 300);
    assert_eq!(server.stats().requests, 1);
}
