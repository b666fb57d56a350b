//! An import from its input to its report, summary and exit code.

use crate::workdir::{Run, Server, Summary, Workdir, accounts, user};
use imimport::sandbox::{Fault, Faults};
use std::collections::BTreeSet;

const HEADER: &str = "UserID,Nick,FaceUrl,Outcome,ErrorCode,ErrorInfo,Attempts,Line,Raw\n";

/// The UserIDs that the server holds.
fn held(server: &Server) -> BTreeSet<String> {
    server.accounts().into_keys().collect()
}

#[test]
fn a_file_is_imported_whole_each_account_once_and_leaves_an_empty_report() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.fixture("accounts.csv");
    let run = workdir.against(&server, &["accounts.csv"]).exits(0).says("250 accounts go to");
    assert_eq!(run.stdout, "");
    assert_eq!(workdir.read("accounts.failed.csv"), HEADER);
    assert_eq!(workdir.list(), ["accounts.csv", "accounts.failed.csv", "summary.json"]);
    let accounts = server.accounts();
    assert_eq!(accounts.len(), 250);
    assert!(accounts.values().all(|kept| kept.times == 1));
    server.saw_no_breach();
}

#[test]
fn a_region_is_sent_to_at_no_more_than_a_hundred_requests_a_second() {
    let (workdir, server) = (Workdir::new(), Server::with(Faults::default()));
    workdir.accounts("accounts.csv", 15_000);
    workdir.against(&server, &["accounts.csv", "--rate", "100"]).exits(0);
    let stats = server.stats();
    // On a busy machine arrivals bunch that did not leave in a bunch, so only the whole is held to the rate.
    assert!(stats.breaches.keys().all(|&name| name == "rate"), "{:?}", stats.breaches);
    let took = stats.last_arrival_s.unwrap() - stats.first_arrival_s.unwrap();
    let least = (stats.requests - 1) as f64 / 100.0;
    // The first may have been long on its way, the last not.
    assert!(took >= least - 0.2, "{} requests in {took} s", stats.requests);
}

#[test]
fn the_summary_of_a_short_run_tells_of_no_higher_rate_than_it_had() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 200);
    workdir.against(&server, &["accounts.csv", "--rate", "100"]).exits(0);
    let rate = workdir.summary().0["requests_per_s"].as_f64().unwrap();
    assert!(rate <= 100.0, "{rate} requests/s");
}

#[test]
fn several_files_are_one_input_and_the_report_names_file_and_line() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("a.csv", "UserID,Nick\nann,old\nbob,Bob\n");
    workdir.write("b.jsonl", "{\"UserID\":\"ann\",\"Nick\":\"new\"}\n\n{\"UserID\":\"\"}\n");
    workdir.against(&server, &["a.csv", "b.jsonl"]).exits(3);
    let summary = workdir.summary();
    let counts = ["rows", "imported", "invalid", "duplicates", "conflicts"].map(|key| summary.count(key));
    assert_eq!(counts, [4, 2, 1, 1, 1]);
    assert_eq!(summary.0["inputs"], serde_json::json!(["a.csv", "b.jsonl"]));
    assert_eq!(server.accounts()["ann"].nick.as_deref(), Some("new"));
    assert!(workdir.read("a.failed.csv").contains(",b.jsonl:3,"), "{}", workdir.read("a.failed.csv"));
}

#[test]
fn standard_input_is_imported_with_and_without_a_dash_and_leaves_no_copy() {
    for args in [&["-"][..], &[]] {
        let (workdir, server) = (Workdir::new(), Server::new());
        Run::fed(&mut workdir.command_against(&server, args), accounts(1234).as_bytes()).exits(0);
        assert_eq!(server.held(), 1234);
        assert_eq!(workdir.list(), ["stdin.failed.csv", "summary.json"]);
    }
}

#[test]
fn json_lines_on_standard_input_get_a_report_of_their_own_kind() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let input = b"{\"UserID\":\"ann\"}\n{\"UserID\":7,\"nick\":\"seven\"}\n{\"UserID\":true}\n";
    Run::fed(&mut workdir.command_against(&server, &[]), input).exits(3);
    assert_eq!(held(&server), BTreeSet::from(["7".into(), "ann".into()]));
    let report: serde_json::Value = serde_json::from_str(&workdir.read("stdin.failed.jsonl")).unwrap();
    assert_eq!((&report["Outcome"], &report["Line"]), (&"invalid".into(), &3.into()));
}

#[test]
fn every_kind_of_input_gives_the_same_twenty_accounts() {
    let twenty = |name: &str, args: &[&str]| {
        let (workdir, server) = (Workdir::new(), Server::new());
        workdir.fixture(name);
        workdir.against(&server, &[&[name], args].concat()).exits(0);
        server.accounts().into_iter().map(|(id, kept)| (id, kept.nick, kept.face_url)).collect::<Vec<_>>()
    };
    let expected = twenty("first-twenty-accounts.csv", &[]);
    assert_eq!(expected.len(), 20);
    for name in [
        "utf-16be-with-a-mark-tabs.tsv",
        "utf-16le-with-a-mark.csv",
        "utf-8-with-a-mark-and-crlf.csv",
        "zstd-of-two-frames.csv.zst",
        "gzip-of-two-members.csv.gz",
    ] {
        assert_eq!(twenty(name, &[]), expected, "{name}");
    }
    assert_eq!(twenty("gb18030.csv", &["--encoding", "gb18030"]), expected);
}

#[test]
fn the_services_own_request_body_is_an_input() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.fixture("json-request-body.json");
    workdir.write("old.json", r#"{"Accounts": ["old_1", "old_2"]}"#);
    workdir.against(&server, &["json-request-body.json"]).exits(0);
    let before = server.held();
    workdir.against(&server, &["old.json"]).exits(0);
    assert_eq!((server.held() - before, workdir.summary().count("rows")), (2, 2));
}

#[test]
fn each_kind_of_invalid_row_goes_to_the_report_and_the_rest_is_imported() {
    for (name, report) in [
        ("each-kind-of-invalid-row.csv", "each-kind-of-invalid-row.failed.csv"),
        ("each-kind-of-invalid-line.jsonl", "each-kind-of-invalid-line.failed.jsonl"),
    ] {
        let (workdir, server) = (Workdir::new(), Server::new());
        workdir.fixture(name);
        workdir.against(&server, &[name]).exits(3);
        let (summary, written) = (workdir.summary(), workdir.read(report));
        assert!(summary.count("invalid") > 5 && summary.count("imported") > 0, "{summary:?}");
        assert_eq!(server.held(), summary.count("imported"));
        let invalid = written.matches(if name.ends_with("csv") { ",invalid," } else { r#""invalid""# });
        assert_eq!(invalid.count() as u64, summary.count("invalid"), "{written}");
    }
}

#[test]
fn a_report_once_its_cause_is_gone_is_an_input_and_imports_the_failed_accounts() {
    for (input, report) in
        [("accounts.csv", "accounts.failed.csv"), ("accounts.jsonl", "accounts.failed.jsonl")]
    {
        let workdir = Workdir::new();
        if input == "accounts.csv" {
            workdir.write(input, "UserID,Nick,FaceUrl\nann,\"Ann, the first\",\nbob,,https://b\ncid,小明,\n");
        } else {
            let lines =
                ["ann\",\"Nick\":\"Ann, the first", "bob\",\"FaceUrl\":\"https://b", "cid\",\"Nick\":\"小明"];
            workdir.write(input, lines.map(|line| format!("{{\"UserID\":\"{line}\"}}\n")).concat());
        }
        let ill = Server::faulty(&["fail=^(ann|bob|cid)$", "fail-reason=80001"]);
        workdir.against(&ill, &[input, "--retries", "0"]).exits(3).says(report);
        assert_eq!((ill.held(), workdir.summary().count("failed")), (0, 3));
        let written = workdir.read(report);
        assert!(written.contains("80001") && written.contains("failed"), "{written}");

        let healthy = Server::new();
        workdir.against(&healthy, &[report, "--delimiter", ";", "--map", "UserID=other"]).exits(0);
        let held = healthy.accounts();
        assert_eq!(held.keys().collect::<Vec<_>>(), ["ann", "bob", "cid"]);
        assert_eq!(held["ann"].nick.as_deref(), Some("Ann, the first"));
        assert_eq!(held["bob"].face_url.as_deref(), Some("https://b"));
        assert_eq!((held["cid"].nick.as_deref(), held["cid"].face_url.as_deref()), (Some("小明"), None));
    }
}

#[test]
fn an_earlier_report_with_rows_is_moved_aside_and_an_empty_one_replaced() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", "UserID\nann\n\" bob\"\n");
    workdir.against(&server, &["accounts.csv"]).exits(3);
    let first = workdir.read("accounts.failed.csv");
    workdir.write("accounts.csv", "UserID\nann\n\" cid\"\n");
    workdir.against(&server, &["accounts.csv"]).exits(3).says("accounts.failed.1.csv");
    assert_eq!(workdir.read("accounts.failed.1.csv"), first);
    assert!(workdir.read("accounts.failed.csv").contains(" cid"));
    workdir.write("accounts.csv", "UserID\nann\n");
    for _ in 0..2 {
        workdir.against(&server, &["accounts.csv"]).exits(0);
    }
    assert!(workdir.read("accounts.failed.2.csv").contains(" cid"));
    assert_eq!(workdir.read("accounts.failed.csv"), HEADER);
    assert!(!workdir.exists("accounts.failed.3.csv"));
}

#[test]
fn a_report_keeps_the_inputs_byte_order_mark() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", "\u{feff}UserID\nann\n\" bob\"\n");
    workdir.against(&server, &["accounts.csv"]).exits(3);
    assert!(workdir.read("accounts.failed.csv").starts_with("\u{feff}UserID,"));
}

#[test]
fn the_summary_has_its_keys_in_their_order_and_counts_everything() {
    let (workdir, server) =
        (Workdir::new(), Server::scripted(vec![Fault::Code(70169)], &["poison=^c", "poison-code=70399"]));
    workdir.write("accounts.csv", "UserID,Nick\nann,1\nann,2\n\" bob\",\ncid,\ndot,\n");
    workdir.against(&server, &["accounts.csv"]).exits(3);
    let written = workdir.read("summary.json");
    let keys = [
        "version",
        "status",
        "exit_code",
        "reason",
        "inputs",
        "region",
        "endpoint",
        "sdk_app_id",
        "rows",
        "imported",
        "failed",
        "invalid",
        "duplicates",
        "conflicts",
        "skipped",
        "unsent",
        "requests",
        "retries",
        "codes",
        "plan_s",
        "send_s",
        "requests_per_s",
        "accounts_per_s",
        "latency_ms",
        "report",
        "journal",
        "resume_command",
    ];
    let mut at = 0;
    for key in keys {
        at += written[at..].find(&format!("\"{key}\":")).unwrap_or_else(|| panic!("no {key} in {written}"));
    }
    let summary = workdir.summary();
    assert_eq!(summary.0.as_object().unwrap().len(), keys.len());
    let counts = [
        "version",
        "exit_code",
        "rows",
        "imported",
        "failed",
        "invalid",
        "duplicates",
        "conflicts",
        "skipped",
    ];
    assert_eq!(counts.map(|key| summary.count(key)), [1, 3, 5, 2, 1, 1, 1, 1, 0]);
    assert_eq!(summary.text("status"), "completed");
    assert_eq!(summary.text("endpoint"), server.endpoint());
    assert_eq!(summary.text("report"), "accounts.failed.csv");
    assert_eq!(summary.count("requests"), server.stats().requests);
    assert_eq!(summary.count("retries"), server.stats().requests - 1);
    assert_eq!(summary.0["codes"]["70169"], 1);
    assert!(["journal", "resume_command", "reason", "region"].iter().all(|key| summary.0[key].is_null()));
    assert!(["p50", "p95", "p99", "max"].iter().all(|key| summary.0["latency_ms"][key].is_number()));
}

#[test]
fn report_and_summary_go_to_standard_output_where_asked_but_not_both() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", "UserID\nann\n\" bob\"\n");
    let report = workdir.against(&server, &["accounts.csv", "--report", "-"]).exits(3).stdout;
    assert!(report.starts_with(HEADER) && report.contains(" bob"), "{report}");
    assert_eq!(workdir.summary().text("report"), "-");
    let summary =
        Summary::read(&workdir.against(&server, &["accounts.csv", "--summary", "-"]).exits(3).stdout);
    assert_eq!(summary.count("rows"), 2);
    let before = server.stats().requests;
    workdir
        .against(&server, &["accounts.csv", "--summary", "-", "--report", "-"])
        .exits(2)
        .says("--report -");
    assert_eq!(server.stats().requests, before);
}

#[test]
fn a_dry_run_counts_and_sends_nothing_and_exits_as_the_rows_are() {
    let workdir = Workdir::new();
    workdir.accounts("accounts.csv", 250);
    workdir.imimport(&["accounts.csv", "--dry-run", "--summary", "summary.json"]).exits(0).says("dry run");
    let summary = workdir.summary();
    assert_eq!((summary.count("unsent"), summary.text("status")), (250, "dry-run"));
    workdir.write("accounts.csv", "UserID\nann\nann\n\" bob\"\n");
    workdir.imimport(&["accounts.csv", "--dry-run", "--summary", "summary.json"]).exits(3);
    let summary = workdir.summary();
    assert_eq!(["unsent", "duplicates", "invalid", "requests"].map(|key| summary.count(key)), [1, 1, 1, 0]);
    assert!(workdir.read("accounts.failed.csv").contains(" bob"));
    assert!(!workdir.exists("accounts.imimport-journal"));
}

#[test]
fn columns_that_may_have_been_meant_are_named() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", "UserID,Name,Avatar\nann,Ann,u\n");
    workdir.against(&server, &["accounts.csv"]).exits(0).says("no column is Nick; not used: \"Name\"");
    workdir.write("all.csv", "UserID,Name,Nick,Avatar\nann,x,Ann,u\n");
    let run = workdir.against(&server, &["all.csv"]).exits(0);
    assert!(!run.stderr.contains("not used"), "{}", run.stderr);
}

#[test]
fn strict_sends_nothing_if_any_row_is_invalid() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", "UserID\nann\n\" bob\"\n");
    let run = workdir.against(&server, &["accounts.csv", "--strict"]).exits(1).says("line 3");
    assert!(!run.stderr.contains("imimport accounts.failed.csv"), "ann is not in it: {}", run.stderr);
    let summary = workdir.summary();
    assert_eq!(["unsent", "invalid", "requests"].map(|key| summary.count(key)), [1, 1, 0]);
    assert!(workdir.read("accounts.failed.csv").contains(" bob"));
    workdir.against(&server, &["accounts.csv", "--strict", "--trim"]).exits(0);
    assert_eq!(held(&server), BTreeSet::from(["ann".into(), "bob".into()]));
}

#[test]
fn of_several_rows_with_one_id_the_last_the_first_or_none_is_sent() {
    for (args, nick) in [(&[][..], "last"), (&["--on-duplicate", "first"], "first")] {
        let (workdir, server) = (Workdir::new(), Server::new());
        workdir.write("accounts.csv", "UserID,Nick,FaceUrl\nann,first,\nbob,,\nann,last,https://a\n");
        let run = workdir.against(&server, &[&["accounts.csv"], args].concat()).exits(0);
        let said =
            if nick == "last" { "line 4 is used, line 2 is not" } else { "line 2 is used, line 4 is not" };
        run.says(said);
        let kept = &server.accounts()["ann"];
        assert_eq!(kept.nick.as_deref(), Some(nick));
        assert_eq!(kept.face_url.as_deref(), (nick == "last").then_some("https://a"), "a row is used whole");
    }
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", "UserID\nann\nbob\nann\n@TLS#\n");
    let run = workdir.against(&server, &["accounts.csv", "--on-duplicate", "error"]).exits(1).says("ann");
    assert!(run.stderr.contains('2') && run.stderr.contains('4'), "both lines: {}", run.stderr);
    let summary = workdir.summary();
    assert_eq!(["rows", "duplicates", "invalid", "unsent"].map(|key| summary.count(key)), [4, 1, 1, 2]);
    assert!(workdir.read("accounts.failed.csv").contains("@TLS#"));
    assert_eq!(server.stats().requests, 0);
}

#[test]
fn shards_together_import_every_account_once_and_count_every_row_once() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("accounts.csv", accounts(500) + "user_00001,again,\n,no id,\n");
    let mut rows = 0;
    for shard in ["0/3", "1/3", "2/3"] {
        let code = if shard == "0/3" { 3 } else { 0 };
        workdir.against(&server, &["accounts.csv", "--shard", shard]).exits(code);
        let summary = workdir.summary();
        rows += summary.count("rows");
        assert_eq!(summary.count("invalid"), u64::from(shard == "0/3"));
        assert!(workdir.exists(&format!("accounts.{}.failed.csv", shard.replace('/', "-of-"))));
    }
    assert_eq!((rows, server.held()), (502, 500));
    let accounts = server.accounts();
    assert!(accounts.values().all(|kept| kept.times == 1));
    assert_eq!(accounts[&user(1)].nick.as_deref(), Some("again"));
}
