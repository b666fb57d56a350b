//! A service, or something in its place, that answers badly: no hang, no panic, no loss, no false success.

use crate::workdir::{Run, Server, Summary, Workdir, user};
use imimport::sandbox::Fault;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::time::Duration;

/// What a fault that a run meets once comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Effect {
    /// Everything is imported all the same.
    Passes,
    /// The run stops, resumable.
    Stops,
    /// It stops where nothing was acknowledged by this process before, and passes otherwise.
    StopsAtFirst,
}

fn body(text: &str) -> Fault {
    Fault::Body(text.as_bytes().to_vec())
}

/// Every way to answer badly.
fn faults() -> Vec<(&'static str, Fault, Effect)> {
    use Effect::{Passes, Stops, StopsAtFirst};
    let nested = format!("{{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"New\":{}", "[".repeat(200_000));
    let too_many = vec![("retry-after".to_owned(), "1".to_owned())];
    vec![
        ("HTTP 500", Fault::Http(500), Passes),
        ("HTTP 502", Fault::Http(502), Passes),
        ("HTTP 408", Fault::Http(408), Passes),
        ("HTTP 413", Fault::Http(413), Passes),
        ("HTTP 403", Fault::Http(403), StopsAtFirst),
        ("HTTP 404", Fault::Http(404), StopsAtFirst),
        ("HTTP 201", Fault::Http(201), Passes),
        ("HTTP 429", Fault::Http(429), Passes),
        ("HTTP 429 with Retry-After", Fault::HttpWith(429, too_many), Passes),
        ("redirect", Fault::Redirect, Stops),
        ("reset", Fault::Reset, Passes),
        ("reset after it was applied", Fault::ResetApplied, Passes),
        ("cut answer", Fault::Truncate, Passes),
        ("HTML with HTTP 200", Fault::Garbage, Passes),
        ("64 MiB", Fault::Huge, Passes),
        ("a byte a second", Fault::Drip, Passes),
        ("no answer", Fault::Hang, Passes),
        ("late answer", Fault::Slow(Duration::from_millis(200)), Passes),
        ("connection closed after the answer", Fault::Close, Passes),
        ("transient code", Fault::Code(70169), Passes),
        ("rate limit", Fault::Code(60007), Passes),
        ("code of a batch", Fault::Code(70402), Passes),
        ("fatal code", Fault::Code(60020), Stops),
        ("unknown code of the platform", Fault::Code(60999), StopsAtFirst),
        ("negative code", Fault::Code(-1), Passes),
        ("empty body", body(""), Passes),
        ("empty object", body("{}"), Passes),
        ("null", body("null"), Passes),
        ("deep nesting", body(&nested), Passes),
        ("FAIL with 0", body(r#"{"ActionStatus":"FAIL","ErrorCode":0}"#), Passes),
        ("OK with a transient code", body(r#"{"ActionStatus":"OK","ErrorCode":70500}"#), Passes),
        ("OK with a fatal code", body(r#"{"ActionStatus":"OK","ErrorCode":70398}"#), Stops),
        ("OK without a code", body(r#"{"ActionStatus":"OK","ErrorInfo":""}"#), Passes),
        ("code as text", body(r#"{"ActionStatus":"OK","ErrorCode":"0"}"#), Passes),
        ("code over 64 bits", body(r#"{"ActionStatus":"OK","ErrorCode":99999999999999999999}"#), Passes),
        (
            "FailAccounts of numbers",
            body(r#"{"ActionStatus":"OK","ErrorCode":0,"FailAccounts":[1]}"#),
            Passes,
        ),
        (
            "invalid UTF-8",
            Fault::Body(b"{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"X\":\"\xff\"}".into()),
            Passes,
        ),
        ("two answers in one", body(r#"{"ActionStatus":"OK","ErrorCode":0}{"ErrorCode":0}"#), Passes),
        ("FailAccounts of a stranger", Fault::FailAccounts(vec!["nobody".into(), user(0)]), Passes),
    ]
}

/// Runs `test` for every fault, a few side by side, each in surroundings of its own.
fn for_each_fault(test: impl Fn(&Workdir, Fault, Effect) + Sync) {
    let (left, failed) = (Mutex::new(faults()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                loop {
                    let Some((name, fault, effect)) = left.lock().unwrap().pop() else { return };
                    let tested = catch_unwind(AssertUnwindSafe(|| test(&Workdir::new(), fault, effect)));
                    if tested.is_err() {
                        failed.lock().unwrap().push(name);
                    }
                }
            });
        }
    });
    assert_eq!(failed.into_inner().unwrap(), [""; 0], "these faults did harm");
}

fn import(workdir: &Workdir, server: &Server, more: &[&str]) -> Run {
    let args = ["accounts.csv", "--timeout", "700ms", "--max-in-flight", "1", "-v"];
    let run = workdir.against(server, &[&args[..], more].concat());
    assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
    run
}

/// Fails unless all accounts are imported, in this run or after what it is told to do next.
fn ends_well(workdir: &Workdir, server: &Server, run: Run, stops: bool, accounts: u64) {
    let summary = workdir.summary();
    assert_eq!((summary.count("failed"), summary.count("invalid")), (0, 0), "{summary:?}\n{}", run.stderr);
    assert!(summary.count("imported") <= server.held(), "a false success: {summary:?}");
    if stops {
        let run = run.exits(1);
        assert!(!summary.text("reason").is_empty() && summary.count("unsent") > 0, "{}", run.stderr);
        let before = server.stats().requests;
        import(workdir, server, &["--resume"]).exits(0);
        assert_eq!(server.stats().requests - before, summary.count("unsent").div_ceil(100));
    } else {
        run.exits(0);
    }
    assert_eq!((server.held(), workdir.summary().count("imported")), (accounts, accounts));
    assert!(!server.stats().commands.contains_key("other"), "a redirect was followed");
    server.saw_no_breach();
}

#[test]
fn each_fault_in_the_first_batch() {
    for_each_fault(|workdir, fault, effect| {
        let server = Server::scripted(vec![fault], &[]);
        workdir.accounts("accounts.csv", 250);
        let run = import(workdir, &server, &[]);
        ends_well(workdir, &server, run, effect != Effect::Passes, 250);
    });
}

#[test]
fn each_fault_in_the_middle() {
    for_each_fault(|workdir, fault, effect| {
        let server = Server::scripted(vec![Fault::Pass, fault], &[]);
        workdir.accounts("accounts.csv", 250);
        let run = import(workdir, &server, &[]);
        ends_well(workdir, &server, run, effect == Effect::Stops, 250);
    });
}

#[test]
fn each_fault_in_the_last_batch() {
    for_each_fault(|workdir, fault, effect| {
        let server = Server::scripted(vec![Fault::Pass, Fault::Pass, fault], &[]);
        workdir.accounts("accounts.csv", 250);
        let run = import(workdir, &server, &[]);
        ends_well(workdir, &server, run, effect == Effect::Stops, 250);
    });
}

#[test]
fn each_fault_while_a_batch_is_split() {
    for_each_fault(|workdir, fault, effect| {
        let server = Server::scripted(vec![Fault::Pass, Fault::Code(70402), fault], &[]);
        workdir.accounts("accounts.csv", 200);
        let run = import(workdir, &server, &[]);
        ends_well(workdir, &server, run, effect == Effect::Stops, 200);
    });
}

#[test]
fn each_fault_at_the_start_of_a_resume() {
    for_each_fault(|workdir, fault, effect| {
        let server = Server::scripted(vec![Fault::Pass, Fault::Code(60020), fault], &[]);
        workdir.accounts("accounts.csv", 250);
        import(workdir, &server, &[]).exits(1);
        let run = import(workdir, &server, &["--resume"]);
        ends_well(workdir, &server, run, effect == Effect::Stops, 250);
    });
}

#[test]
fn a_refused_first_batch_is_split_to_the_account_and_only_that_fails() {
    for (fault, code) in
        [("poison-code=70402", "70402"), ("poison-code=70399", "70399"), ("poison-code=40601", "40601")]
    {
        let (workdir, server) = (Workdir::new(), Server::faulty(&["poison=77$", fault]));
        workdir.accounts("accounts.csv", 250);
        import(&workdir, &server, &[]).exits(3);
        assert_eq!((server.held(), workdir.summary().count("failed")), (248, 2));
        let report = workdir.read("accounts.failed.csv");
        assert!(
            ["user_00077", "user_00177"].iter().all(|id| report.contains(id)) && report.contains(code),
            "{report}"
        );
    }
}

#[test]
fn nothing_but_bad_bodies_is_never_a_success() {
    let (workdir, server) = (Workdir::new(), Server::faulty(&["bodies=100%"]));
    workdir.accounts("accounts.csv", 250);
    import(&workdir, &server, &["--max-outage", "1s"]).exits(1).says("--max-outage");
    let summary = workdir.summary();
    assert_eq!(["imported", "failed", "unsent"].map(|key| summary.count(key)), [0, 0, 250]);
    assert_eq!(server.held(), 0);
}

#[test]
fn an_outage_in_the_middle_stops_the_run_and_blames_no_account() {
    std::thread::scope(|scope| {
        for kind in ["reset", "http502", "hang", "70500", "60007"] {
            scope.spawn(move || outage(kind));
        }
    });
}

fn outage(kind: &str) {
    let outage = format!("outage=300ms..15m:{kind}");
    let (workdir, server) = (Workdir::new(), Server::faulty(&[&outage, "latency=20ms..40ms"]));
    workdir.accounts("accounts.csv", 5000);
    let args = ["accounts.csv", "--rate", "40", "--timeout", "300ms", "--max-outage", "1s", "--retries", "0"];
    workdir.against(&server, &args).exits(1).says("--max-outage");
    let summary = workdir.summary();
    assert!(summary.count("failed") == 0 && summary.count("unsent") > 0, "{kind}: {summary:?}");
    let imported = summary.count("imported");
    assert!(imported > 0 && imported <= server.held(), "{kind}: {summary:?}");
    assert!(!summary.text("resume_command").is_empty());
}

#[test]
fn retry_after_is_waited_for() {
    let wait = vec![("retry-after".to_owned(), "2".to_owned())];
    let (workdir, server) = (Workdir::new(), Server::scripted(vec![Fault::HttpWith(429, wait)], &[]));
    workdir.accounts("accounts.csv", 50);
    import(&workdir, &server, &[]).exits(0);
    let stats = server.stats();
    let apart = stats.last_arrival_s.unwrap() - stats.first_arrival_s.unwrap();
    assert!(apart >= 1.99, "{apart} s between the refusal and the next request");
}

#[test]
fn text_from_the_service_and_the_input_cannot_drive_the_terminal() {
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[31m\r\u{9b}2J\u{202e}";
    let answer = |code: i64| {
        let info = serde_json::to_string(evil).unwrap();
        body(&format!(r#"{{"ActionStatus":"FAIL","ErrorCode":{code},"ErrorInfo":{info}}}"#))
    };
    let clean = |run: &Run| {
        let bad = |c: &char| c.is_control() && *c != '\n';
        assert_eq!(run.stderr.chars().find(bad), None, "{:?}", run.stderr);
    };
    for (code, exit) in [(60020, 1), (70399, 3), (70402, 1)] {
        let (workdir, server) = (Workdir::new(), Server::scripted(vec![answer(code)], &[]));
        workdir.write("accounts.csv", "UserID\nann\n");
        let run = workdir.against(&server, &["accounts.csv", "-v"]).exits(exit);
        clean(&run);
        Summary::read(&workdir.read("summary.json"));
        // A report is for programs: there the text stands as it came.
        assert_eq!(workdir.read("accounts.failed.csv").contains("owned"), exit == 3);
    }
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write(
        "accounts.csv",
        format!("UserID,Nick\nann,{evil:?}\nann,\"{evil}\"\n\"{evil}\",x\nbob\n").as_bytes(),
    );
    clean(&workdir.against(&server, &["accounts.csv", "-v"]).exits(3));
    workdir.write("evil.csv", format!("\"{evil}\",Nick\nann,x\n"));
    clean(&workdir.against(&server, &["evil.csv"]).exits(1));
    clean(&workdir.against(&server, &[&format!("{evil}.csv")]).exits(1));
}

#[test]
fn a_quota_reached_in_the_middle_stops_the_run_and_says_so() {
    let (workdir, server) = (Workdir::new(), Server::faulty(&["quota=100"]));
    workdir.accounts("accounts.csv", 250);
    import(&workdir, &server, &[]).exits(1).says("70398");
    let summary = workdir.summary();
    assert_eq!(["imported", "failed", "unsent"].map(|key| summary.count(key)), [100, 0, 150]);
}

#[test]
fn a_proxy_is_asked_for_hosts_of_the_network_and_not_for_this_machine() {
    let (workdir, server, proxy) = (Workdir::new(), Server::new(), Server::new());
    workdir.accounts("accounts.csv", 250);
    let mut here = workdir.command_against(&server, &["accounts.csv"]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        here.env(name, proxy.endpoint());
    }
    Run::of(&mut here).exits(0);
    assert_eq!((server.held(), proxy.stats().connections), (250, 0));

    let args = ["accounts.csv", "--endpoint", "https://example.invalid", "--max-outage", "500ms"];
    for (no_proxy, asked) in [("example.invalid", false), ("other.invalid", true)] {
        let mut there = workdir.command_against(&server, &args);
        Run::of(there.env("HTTPS_PROXY", proxy.endpoint()).env("NO_PROXY", no_proxy)).exits(1);
        assert_eq!(proxy.stats().connections > 0, asked, "NO_PROXY={no_proxy}");
    }
}
