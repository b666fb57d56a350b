//! Runs that ended early, and what goes on with them.

use crate::workdir::{Run, Server, Workdir, accounts, eventually, user};
use imimport::sandbox::Fault;
use std::fs;
use std::time::Duration;

/// A run of `accounts.csv`, which has 250 accounts, that stopped after the first hundred.
fn unfinished(workdir: &Workdir, server: &Server) {
    if !workdir.exists("accounts.csv") {
        workdir.accounts("accounts.csv", 250);
    }
    workdir.against(server, &["accounts.csv", "--max-in-flight", "1"]).exits(1).says("60020");
    assert!(workdir.exists("accounts.imimport-journal"));
    assert_eq!(server.held(), 100);
}

fn stops_after_the_first() -> Server {
    Server::scripted(vec![Fault::Pass, Fault::Code(60020)], &[])
}

/// Fails unless `args` are refused with `named` in the message, and nothing is sent.
#[track_caller]
fn refuses(workdir: &Workdir, server: &Server, args: &[&str], named: &[&str]) {
    let (requests, journal) = (server.stats().requests, workdir.read("accounts.imimport-journal"));
    let mut run = workdir.against(server, args).exits(1);
    for name in named {
        run = run.says(name);
    }
    assert_eq!(server.stats().requests, requests, "something was sent");
    let now = workdir.read("accounts.imimport-journal");
    assert!(now.starts_with(&journal) && !now[journal.len()..].contains("imported"), "{now}");
}

#[test]
fn an_unfinished_journal_stops_a_run_that_does_not_say_what_to_do_with_it() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    unfinished(&workdir, &server);
    refuses(
        &workdir,
        &server,
        &["accounts.csv"],
        &[
            "of 250 rows 100 are imported",
            "imimport --resume accounts.csv",
            "imimport --restart accounts.csv",
        ],
    );
    assert_eq!(workdir.summary().count("imported"), 100, "the summary of what can be gone on with stays");
    fs::remove_file(workdir.path("summary.json")).unwrap();
    workdir.against(&server, &["accounts.csv"]).exits(1);
    assert!(workdir.summary().text("resume_command").ends_with("--resume accounts.csv"));
}

#[test]
fn a_resume_sends_what_is_left_and_nothing_twice() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    unfinished(&workdir, &server);
    assert_eq!(workdir.summary().count("unsent"), 150);
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert_eq!(workdir.summary().count("imported"), 250);
    let accounts = server.accounts();
    assert!(accounts.len() == 250 && accounts.values().all(|kept| kept.times == 1));
    assert!(!workdir.exists("accounts.imimport-journal"));
}

#[test]
fn a_restart_sends_everything_again() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    unfinished(&workdir, &server);
    workdir.against(&server, &["accounts.csv", "--restart"]).exits(0);
    assert_eq!(workdir.summary().count("imported"), 250);
    assert_eq!(server.accounts()[&user(0)].times, 2);
}

#[test]
fn a_dry_run_ignores_a_journal_and_leaves_it_alone() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    unfinished(&workdir, &server);
    let journal = workdir.read("accounts.imimport-journal");
    workdir.against(&server, &["accounts.csv", "--dry-run"]).exits(0);
    assert_eq!(workdir.read("accounts.imimport-journal"), journal);
}

#[test]
fn without_a_journal_a_restart_is_a_plain_run_and_a_resume_says_that_it_is() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 5);
    workdir.against(&server, &["accounts.csv", "--restart"]).exits(0);
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0).says("new run");
}

#[test]
fn a_run_that_stopped_before_anything_was_acknowledged_leaves_no_journal() {
    let (workdir, server) = (Workdir::new(), Server::faulty(&["always=60026"]));
    workdir.accounts("accounts.csv", 250);
    workdir.against(&server, &["accounts.csv"]).exits(1).says("60026");
    assert_eq!(server.stats().requests, 1);
    let summary = workdir.summary();
    assert!(summary.count("unsent") == 250 && summary.0["resume_command"].is_null());
    assert!(!workdir.exists("accounts.imimport-journal"));
}

#[test]
fn a_trial_of_a_few_accounts_is_resumed_to_the_whole() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 250);
    workdir.against(&server, &["accounts.csv", "--limit", "30"]).exits(0);
    let summary = workdir.summary();
    assert_eq!(["imported", "unsent"].map(|key| summary.count(key)), [30, 220]);
    assert!(summary.text("resume_command").ends_with("--resume accounts.csv"));
    workdir.against(&server, &["accounts.csv", "--resume", "--limit", "120"]).exits(0);
    assert_eq!(server.held(), 120, "the limit counts from the plan's first account");
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert_eq!((server.held(), workdir.summary().count("imported")), (250, 250));
    assert!(server.accounts().values().all(|kept| kept.times == 1));
}

#[test]
fn a_resume_of_something_else_is_refused_and_the_difference_named() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    unfinished(&workdir, &server);
    let resume = |args: &[&'static str]| [&["accounts.csv", "--resume"][..], args].concat();
    for (args, named) in [
        (resume(&["--sdk-app-id", "1400000001"]), ["1400000000", "1400000001"]),
        (resume(&["--endpoint", "http://127.0.0.1:9"]), [&*server.endpoint(), "http://127.0.0.1:9"]),
        (resume(&["--region", "sgp", "--rate", "9"]), [&*server.endpoint(), "sgp"]),
        (resume(&["--trim"]), ["--trim", "true"]),
        (resume(&["--no-header"]), ["--no-header", "true"]),
        (resume(&["--on-duplicate", "first"]), ["--on-duplicate", "first"]),
        (resume(&["--format", "csv"]), ["--format", "csv"]),
        (resume(&["--delimiter", ","]), ["--delimiter", ","]),
        (resume(&["--encoding", "gbk"]), ["--encoding", "GBK"]),
        (resume(&["--map", "Nick=FaceUrl", "--map", "FaceUrl=Nick"]), ["--map", "Nick=FaceUrl"]),
    ] {
        refuses(&workdir, &server, &args, &named);
    }
    let shard = ["accounts.csv", "--resume", "--shard", "0/2", "--journal", "accounts.imimport-journal"];
    refuses(&workdir, &server, &shard, &["--shard", "0/2"]);

    let before = workdir.read("accounts.csv");
    workdir.write("accounts.csv", before.replace("Nick 249", "Nick 250"));
    refuses(&workdir, &server, &["accounts.csv", "--resume"], &["the input has changed"]);
    workdir.write("accounts.csv", format!("{before}one_more,,\n"));
    refuses(&workdir, &server, &["accounts.csv", "--resume"], &["250 rows", "251"]);
    workdir.write("accounts.csv", &before);
    let others =
        ["--rate", "77", "--retries", "1", "--max-in-flight", "3", "--timeout", "5s", "-v", "--strict"];
    workdir.against(&server, &[&["accounts.csv", "--resume"][..], &others].concat()).exits(0);
    assert_eq!(workdir.summary().count("imported"), 250);
}

#[test]
fn a_journal_in_use_names_the_process_that_has_it() {
    let (workdir, server) = (Workdir::new(), Server::scripted(vec![Fault::Hang], &[]));
    workdir.accounts("accounts.csv", 250);
    let other = workdir.start(&mut workdir.command_against(&server, &["accounts.csv", "--timeout", "5m"]));
    eventually("the first request arrives", || server.stats().requests == 1);
    for how in [&["accounts.csv"][..], &["accounts.csv", "--resume"], &["accounts.csv", "--restart"]] {
        refuses(&workdir, &server, how, &["in use by process", &other.id().to_string()]);
    }
    other.kill();
    workdir.against(&server, &["accounts.csv", "--restart"]).exits(0);
    assert_eq!(server.held(), 250);
}

#[test]
fn a_torn_tail_is_cut_off_and_damage_in_the_middle_refused_by_record() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    unfinished(&workdir, &server);
    let whole = workdir.read("accounts.imimport-journal");
    let second = whole.find('\n').unwrap() + 12;
    let damaged = format!("{}?{}", &whole[..second], &whole[second + 1..]);
    workdir.write("accounts.imimport-journal", damaged);
    refuses(&workdir, &server, &["accounts.csv", "--resume"], &["record 2", "--restart"]);
    workdir.write("accounts.imimport-journal", format!("{whole}3f00c0de {{\"imported\":[[100,"));
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert!(server.accounts().values().all(|kept| kept.times == 1));
    assert_eq!(server.held(), 250);
}

/// The report of a run that failed at its very end, and then wrote it after all.
#[test]
fn a_journal_that_is_finished_but_has_no_report_gets_it_from_a_resume_that_ends_as_the_run_would_have() {
    let workdir = Workdir::new();
    workdir.write("accounts.csv", accounts(120) + "\" bad\",,\n");
    let server =
        Server::scripted(vec![Fault::Slow(Duration::from_secs(1))], &["poison=110$", "poison-code=70399"]);
    fs::create_dir(workdir.path("out")).unwrap();
    let args = ["accounts.csv", "--report", "out/report.csv"];
    let run = workdir.start(&mut workdir.command_against(&server, &args));
    eventually("the first request arrives", || server.stats().requests == 1);
    fs::remove_dir(workdir.path("out")).unwrap();
    run.ends().exits(1).says("out/report.csv").says("--resume");
    let (summary, requests) = (workdir.summary(), server.stats().requests);
    assert_eq!(["imported", "failed", "invalid", "unsent"].map(|key| summary.count(key)), [119, 1, 1, 0]);

    refuses(&workdir, &server, &args, &["no report yet", "--resume"]);
    fs::create_dir(workdir.path("out")).unwrap();
    workdir.against(&server, &["accounts.csv", "--report", "out/report.csv", "--resume"]).exits(3);
    assert_eq!(server.stats().requests, requests, "nothing was left to send");
    let report = workdir.read("out/report.csv");
    assert!(report.contains("user_00110") && report.contains("70399") && report.contains(" bad"), "{report}");
    let summary = workdir.summary();
    assert_eq!(["imported", "failed", "invalid", "unsent"].map(|key| summary.count(key)), [119, 1, 1, 0]);
    assert!(!workdir.exists("accounts.imimport-journal"));
}

#[test]
fn a_file_that_changes_under_the_run_stops_it_before_an_account_of_the_changed_part_is_sent() {
    let (workdir, server) =
        (Workdir::new(), Server::scripted(vec![Fault::Slow(Duration::from_secs(1))], &[]));
    // A row of nearly a thousand bytes, so that the change lies far behind what is read ahead.
    let row =
        |i: usize| format!("{},{},https://{}\n", user(i), format!("{i:05}").repeat(90), "x".repeat(480));
    let before = format!("UserID,Nick,FaceUrl\n{}", (0..8000).map(row).collect::<String>());
    workdir.write("accounts.csv", &before);
    let run = workdir.start(&mut workdir.command_against(&server, &["accounts.csv"]));
    eventually("the first request arrives", || server.stats().requests == 1);
    let after = before.replace(&row(7900), &row(7900).replace("07900", "x7900"));
    assert_eq!(before.len(), after.len());
    workdir.write("accounts.csv", after);
    run.ends().exits(1).says("accounts.csv changed").says("begin anew with:").says("--restart");
    assert!(workdir.summary().0["resume_command"].is_null());
    let held = server.accounts();
    assert!(held.len() >= 100, "what was sent before is accounted for");
    assert!(held.keys().all(|id| *id < user(7900)));
    assert_eq!(workdir.summary().count("imported"), held.len() as u64);

    refuses(&workdir, &server, &["accounts.csv", "--resume"], &["the input has changed"]);
    workdir.write("accounts.csv", before);
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    let accounts = server.accounts();
    assert!(accounts.len() == 8000 && accounts.values().all(|kept| kept.times == 1));
}

#[test]
fn the_copy_of_a_pipe_is_found_beside_its_journal_from_any_folder() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    std::fs::create_dir(workdir.path("sub")).unwrap();
    let args = ["--max-in-flight", "1", "--journal", "sub/j"];
    Run::fed(&mut workdir.command_against(&server, &args), accounts(250).as_bytes()).exits(1);
    let mut resume = workdir.command_against(&server, &["--resume", "--journal", "j"]);
    resume.current_dir(workdir.path("sub")).stdin(std::process::Stdio::null());
    Run::of(&mut resume).exits(0);
    assert_eq!(server.held(), 250);
}

#[test]
fn another_input_under_the_same_journal_is_told_apart() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    workdir.accounts("a.csv", 250);
    workdir.write("a.jsonl", "{\"UserID\":\"ann\"}\n");
    workdir.against(&server, &["a.csv", "--max-in-flight", "1"]).exits(1);
    workdir.against(&server, &["a.jsonl"]).exits(1).says("it is a run of a.csv");
}

#[test]
fn a_rehearsal_that_is_unfinished_is_not_taken_for_the_run() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("a.csv", 250);
    workdir.imimport(&["a.csv", "--region", "sandbox", "--limit", "100"]).exits(0);
    let refused = workdir.against(&server, &["a.csv"]).exits(1).says("at sandbox, which this one does not");
    let command = |how| {
        let line =
            refused.stderr.lines().find(|line| line.contains(how)).unwrap_or_else(|| panic!("no {how}"));
        line.trim().to_owned()
    };
    assert!(command("--resume").ends_with("--resume a.csv --region sandbox"), "{}", refused.stderr);
    assert!(command("--restart").ends_with("--restart a.csv"), "{}", refused.stderr);
    workdir.against(&server, &["a.csv", "--restart"]).exits(0);
    assert_eq!(server.held(), 250);
}

#[cfg(unix)]
#[test]
fn rows_that_come_after_a_file_was_read_are_not_passed_over_in_silence() {
    let (workdir, server) =
        (Workdir::new(), Server::scripted(vec![Fault::Slow(Duration::from_secs(2))], &[]));
    workdir.accounts("accounts.csv", 250);
    let run = workdir.start(&mut workdir.command_against(&server, &["accounts.csv"]));
    run.waits_for("250 accounts go to");
    workdir.write("accounts.csv", workdir.read("accounts.csv") + "late,,\n");
    run.ends().exits(0).says("accounts.csv has changed since it was read");
    assert_eq!(server.held(), 250);
}

#[test]
fn what_came_through_a_pipe_is_kept_until_it_is_imported() {
    let (workdir, server) = (Workdir::new(), stops_after_the_first());
    let piped = |args: &[&str], input: &[u8]| {
        Run::fed(&mut workdir.command_against(&server, &[&["--max-in-flight", "1"], args].concat()), input)
    };
    piped(&[], accounts(250).as_bytes()).exits(1);
    assert!(workdir.exists("stdin.imimport-spool") && workdir.exists("stdin.imimport-journal"));
    piped(&[], b"UserID\nother\n").exits(1).says("--resume");
    workdir.against(&server, &["--resume"]).exits(0).says("stdin.imimport-spool");
    assert_eq!(server.held(), 250);
    assert!(server.accounts().values().all(|kept| kept.times == 1));
    assert_eq!(workdir.list(), ["stdin.failed.csv", "summary.json"]);
}

#[test]
fn a_resume_refuses_another_pipe_and_takes_the_same_or_none() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let (first, other) = ("UserID\na\nb\nc\n", "UserID\nx\ny\nz\n");
    let fed =
        |args: &[&str], input: &str| Run::fed(&mut workdir.command_against(&server, args), input.as_bytes());
    fed(&["--limit", "1"], first).exits(0);
    fed(&["--resume"], other).exits(1).says("--restart");
    assert_eq!(server.accounts().len(), 1);
    fed(&["--resume", "--limit", "2"], first).exits(0);
    fed(&["/dev/stdin", "--resume"], other).exits(1).says("--restart");
    fed(&["--resume"], "").exits(0);
    assert_eq!(server.accounts().into_keys().collect::<Vec<_>>(), ["a", "b", "c"]);
}
