//! Runs that are killed, interrupted, or lose whoever was reading their output.
#![cfg(unix)]

use crate::workdir::{Run, Server, Summary, Workdir, accounts, eventually};
use imimport::sandbox::Fault;
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Four thousand accounts, of which one is refused, and rows that are invalid or repeated.
fn mixed_input() -> String {
    accounts(4000)
        + "\" spaces \",,\nuser_00042,Nick 42,https://example.com/42.png\nuser_00043,another,\n@TLS#x,,\n"
}

const REFUSED: [&str; 3] = ["poison=user_00007", "poison-code=70399", "latency=20ms..60ms"];

/// The report without its `Attempts`, which tell of requests that a crash forgot.
fn report(workdir: &Workdir) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(workdir.path("accounts.failed.csv")).unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        row.iter().enumerate().filter(|(column, _)| *column != 6).map(|(_, cell)| cell.to_owned()).collect()
    });
    rows.collect()
}

fn counts(summary: &Summary) -> Vec<u64> {
    let keys = ["rows", "imported", "failed", "invalid", "duplicates", "conflicts", "skipped", "unsent"];
    keys.map(|key| summary.count(key)).to_vec()
}

#[test]
fn a_run_killed_in_the_middle_and_resumed_ends_as_an_unbroken_one() {
    let (unbroken, whole) = (Workdir::new(), Server::faulty(&REFUSED));
    unbroken.write("accounts.csv", mixed_input());
    unbroken.against(&whole, &["accounts.csv"]).exits(3);

    let (workdir, server) = (Workdir::new(), Server::faulty(&REFUSED));
    workdir.write("accounts.csv", mixed_input());
    let slowly = ["accounts.csv", "--rate", "25", "--max-in-flight", "4"];
    let run = workdir.start(&mut workdir.command_against(&server, &slowly));
    eventually("half of it is sent", || server.stats().applied >= 2000);
    run.kill();
    let before = server.held();
    assert!(before < 3900, "the kill came too late to test anything");
    workdir.against(&server, &["accounts.csv"]).exits(1).says("--resume");
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(3);

    assert_eq!(counts(&workdir.summary()), counts(&unbroken.summary()));
    assert_eq!(counts(&workdir.summary()), [4004, 3999, 1, 2, 2, 1, 0, 0]);
    assert_eq!(report(&workdir), report(&unbroken));
    assert_eq!(
        server.accounts().into_keys().collect::<Vec<_>>(),
        whole.accounts().into_keys().collect::<Vec<_>>()
    );
    // In flight were four batches at most, and what the journal had not been told yet.
    let again = server.accounts().values().filter(|kept| kept.times > 1).count();
    assert!(again <= 1000, "{again} accounts were sent again");
    assert!(server.accounts().values().all(|kept| kept.times <= 2));
    assert!(!workdir.exists("accounts.imimport-journal"));
}

#[test]
fn a_run_killed_again_and_again_loses_nothing() {
    let (workdir, server) = (Workdir::new(), Server::faulty(&["latency=5ms..30ms"]));
    workdir.accounts("accounts.csv", 3000);
    for round in 1..=4 {
        let args = ["accounts.csv", "--resume", "--rate", "40", "--max-in-flight", "3"];
        let run = workdir.start(&mut workdir.command_against(&server, &args));
        eventually("some more is sent", || server.held() >= round * 500);
        run.kill();
    }
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert_eq!((server.held(), workdir.summary().count("imported")), (3000, 3000));
}

#[test]
fn a_signal_ends_the_run_in_order_and_its_resume_command_finishes_it() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (workdir, server) = (Workdir::new(), Server::faulty(&["latency=50ms..200ms"]));
        workdir.accounts("accounts.csv", 4000);
        let run = workdir.start(&mut workdir.command_against(&server, &["accounts.csv", "--rate", "20"]));
        eventually("some of it is sent", || server.held() >= 300);
        run.signal(signal);
        let run = run.ends().exits(code).says("go on with: ");
        let summary = workdir.summary();
        assert_eq!(
            (summary.text("status"), summary.count("exit_code")),
            ("interrupted", u64::try_from(code).unwrap())
        );
        assert_eq!(summary.count("imported"), server.held(), "what was under way has ended");
        assert!(summary.count("unsent") > 0 && workdir.exists("accounts.failed.csv"));
        let command = summary.text("resume_command");
        assert!(run.stderr.contains(command));
        pasted(&workdir, &server, command).exits(0);
        assert_eq!(server.held(), 4000);
        assert!(server.accounts().values().all(|kept| kept.times == 1));
    }
}

/// What a person does with the printed command, in the folder and with the variables of the first run.
fn pasted(workdir: &Workdir, server: &Server, command: &str) -> Run {
    let mut shell = workdir.shell(command);
    server.aim(&mut shell);
    Run::of(&mut shell)
}

#[test]
fn a_second_signal_exits_at_once_and_the_journal_is_as_good() {
    let script = vec![Fault::Pass, Fault::Hang, Fault::Hang];
    let (workdir, server) = (Workdir::new(), Server::scripted(script, &[]));
    workdir.accounts("accounts.csv", 300);
    let run = workdir.start(&mut workdir.command_against(&server, &["accounts.csv", "--timeout", "10m"]));
    eventually("two requests hang", || server.stats().requests == 3);
    run.signal("INT");
    run.waits_for("once more to stop at once");
    run.signal("INT");
    let began = Instant::now();
    run.ends().exits(130);
    assert!(began.elapsed() < Duration::from_secs(30), "it waited for its requests");
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    let accounts = server.accounts();
    assert!(accounts.len() == 300 && accounts.values().all(|kept| kept.times == 1));
}

#[test]
fn a_second_signal_to_a_verify_leaves_no_copy_of_its_pipe() {
    let (workdir, server) = (Workdir::new(), Server::scripted(vec![Fault::Hang], &[]));
    let mut command = workdir.command(&["verify", "--timeout", "60s"]);
    server.aim(&mut command);
    let mut run = workdir.start(command.stdin(Stdio::piped()));
    run.feed(accounts(5).as_bytes());
    eventually("a request hangs", || server.stats().requests > 0);
    run.signal("INT");
    run.waits_for("once more to stop at once");
    run.signal("INT");
    run.ends().exits(130).says("stopped at once");
    assert_eq!(workdir.list(), [""; 0]);
}

#[test]
fn a_signal_while_the_input_is_still_coming_leaves_nothing_behind() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let mut command = workdir.command_against(&server, &["-"]);
    let run = workdir.start(command.stdin(Stdio::piped()));
    eventually("the copy begins", || workdir.list().iter().any(|name| name.ends_with("spool")));
    run.signal("TERM");
    run.ends().exits(143);
    assert_eq!(workdir.list(), ["summary.json"]);
    let summary = workdir.summary();
    assert_eq!((summary.text("status"), summary.count("exit_code")), ("interrupted", 143));
}

#[test]
fn a_command_with_odd_names_works_as_it_is_pasted() {
    let server = Server::scripted(vec![Fault::Pass, Fault::Code(60020)], &[]);
    let workdir = Workdir::new();
    let (input, report) = ("it's my \"odd\" $HOME; `file`.csv", "the report & more.csv");
    workdir.write(input, accounts(250).replacen("UserID", "User ID's", 1));
    let args =
        [input, "--report", report, "--map", "UserID=User ID's", "--max-in-flight", "1", "--limit", "240"];
    workdir.against(&server, &args).exits(1);
    let command = workdir.summary().text("resume_command").to_owned();
    pasted(&workdir, &server, &command).exits(0);
    assert_eq!((server.held(), workdir.summary().count("imported")), (250, 250), "{command}");
    assert!(workdir.exists(report));
}

#[test]
fn a_command_after_a_pipe_works_as_it_is_pasted() {
    for dash in [&[][..], &["-"], &["/dev/stdin"]] {
        let server = Server::scripted(vec![Fault::Pass, Fault::Code(60020)], &[]);
        let workdir = Workdir::new();
        let args = [dash, &["--max-in-flight", "1"]].concat();
        let again =
            || Run::fed(&mut workdir.command_against(&server, &args), accounts(250).as_bytes()).exits(1);
        again();
        let command = workdir.summary().text("resume_command").to_owned();
        again().says(&command);
        pasted(&workdir, &server, &command).exits(0);
        assert_eq!(server.held(), 250, "{command}");
        assert!(!workdir.list().iter().any(|name| name.ends_with("spool")), "{:?}", workdir.list());
    }
}

#[test]
fn a_command_after_a_pipe_among_files_works_as_it_is_pasted() {
    for files in [["/dev/stdin", "b.csv"], ["b.csv", "/dev/stdin"]] {
        let server = Server::scripted(vec![Fault::Pass, Fault::Code(60020)], &[]);
        let workdir = Workdir::new();
        workdir.write("b.csv", "UserID\nann\nbob\n");
        let args = [&files[..], &["--max-in-flight", "1"]].concat();
        Run::fed(&mut workdir.command_against(&server, &args), accounts(250).as_bytes()).exits(1);
        let command = workdir.summary().text("resume_command").to_owned();
        pasted(&workdir, &server, &command).exits(0);
        assert_eq!((server.held(), workdir.summary().count("imported")), (252, 252), "{command}");
        assert!(!workdir.list().iter().any(|name| name.ends_with("spool")), "{:?}", workdir.list());
    }
}

#[test]
fn a_reader_that_goes_away_costs_no_account_and_makes_no_panic() {
    for args in [&["-v"][..], &["--progress", "always"], &["--report", "-"], &["--summary", "-"]] {
        let (workdir, server) = (Workdir::new(), Server::faulty(&["70169=20%"]));
        workdir.accounts("accounts.csv", 2000);
        let mut command = workdir.command_against(&server, &[&["accounts.csv"], args].concat());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop((child.stdout.take(), child.stderr.take()));
        let code = child.wait().unwrap().code();
        assert_eq!(server.held(), 2000, "{args:?}");
        let finished = code == Some(0) && !workdir.exists("accounts.imimport-journal");
        let resumable = code == Some(1) && workdir.exists("accounts.imimport-journal");
        let may_stop = args.contains(&"-");
        assert!(finished || (may_stop && resumable), "{args:?} ended with {code:?}");
        if resumable {
            workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
            assert_eq!(workdir.summary().count("imported"), 2000);
        }
    }
}
