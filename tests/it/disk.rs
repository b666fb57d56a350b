//! A disk that fills up: the run stops, names the file, and goes on once there is room.
#![cfg(unix)]

use crate::workdir::{Run, Server, Workdir, accounts};
use imimport::sandbox::Fault;
use std::fmt::Write as _;
use std::process::Command;

/// The program against `server` where no file may grow over `blocks` of 512 bytes.
fn cramped(workdir: &Workdir, server: &Server, blocks: u32, args: &[&str]) -> Command {
    let mut command = workdir.shell(&format!("ulimit -f {blocks}; exec \"$0\" \"$@\""));
    command.arg(env!("CARGO_BIN_EXE_imimport")).args(args);
    server.aim(&mut command);
    command
}

#[test]
fn no_room_for_the_copy_of_a_pipe() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let mut command = cramped(&workdir, &server, 100, &["-"]);
    Run::fed(&mut command, accounts(20_000).as_bytes()).exits(1).says("what came through the pipe");
    assert_eq!(server.stats().requests, 0);
    assert_eq!(workdir.list(), ["summary.json"], "half a copy is no use");
}

#[test]
fn no_room_for_what_is_invalid() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let mut input = String::from("UserID\nann\n");
    for i in 0..2000 {
        writeln!(input, "@TLS#{i}").unwrap();
    }
    workdir.write("accounts.csv", input);
    let run = Run::of(&mut cramped(&workdir, &server, 100, &["accounts.csv"])).exits(1);
    assert!(run.stderr.contains("large") || run.stderr.contains("room"), "{}", run.stderr);
    assert_eq!(server.stats().requests, 0);
    assert_eq!(workdir.list(), ["accounts.csv", "summary.json"]);
}

#[test]
fn no_room_for_the_journal_in_the_middle() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 20_000);
    let args = ["accounts.csv", "--max-in-flight", "4"];
    let run = Run::of(&mut cramped(&workdir, &server, 6, &args)).exits(1).says("accounts.imimport-journal");
    assert!(run.stderr.contains("the disk is full") && run.stderr.contains("--resume"), "{}", run.stderr);
    let summary = workdir.summary();
    assert!(summary.count("imported") > 0 && summary.count("unsent") > 0, "{summary:?}");
    assert_eq!(summary.count("failed"), 0);
    assert!(server.held() < 20_000);
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert_eq!((server.held(), workdir.summary().count("imported")), (20_000, 20_000));
    let again = server.accounts().values().filter(|kept| kept.times > 1).count() as u64;
    assert!(again <= 20_000 - summary.count("imported"), "what was written down is not sent again");
    assert!(server.accounts().values().all(|kept| kept.times <= 2));
}

#[test]
fn no_room_for_the_journal_at_all() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 250);
    Run::of(&mut cramped(&workdir, &server, 0, &["accounts.csv"])).exits(1).says("accounts.imimport-journal");
    assert_eq!(server.stats().requests, 0);
    workdir.against(&server, &["accounts.csv"]).exits(0);
}

/// Every write to it fails with "no space left".
#[cfg(target_os = "linux")]
const FULL: &str = "/dev/full";

#[cfg(target_os = "linux")]
#[test]
fn no_room_for_the_report_which_a_resume_writes_elsewhere() {
    let (workdir, server) = (Workdir::new(), Server::faulty(&["poison=77$", "poison-code=70399"]));
    workdir.accounts("accounts.csv", 100);
    workdir.against(&server, &["accounts.csv", "--report", FULL]).exits(1).says(FULL).says("--resume");
    assert!(workdir.summary().0["report"].is_null(), "there is no report");
    let requests = server.stats().requests;
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(3);
    assert!(workdir.read("accounts.failed.csv").contains("user_00077"));
    assert_eq!(server.stats().requests, requests);
    assert!(!workdir.exists("accounts.imimport-journal"));
}

#[cfg(target_os = "linux")]
#[test]
fn no_room_for_a_report_on_standard_output() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 100);
    for option in ["--report", "--summary"] {
        let mut shell = workdir.shell(&format!("exec \"$0\" accounts.csv {option} - >{FULL}"));
        shell.arg(env!("CARGO_BIN_EXE_imimport"));
        server.aim(&mut shell);
        Run::of(&mut shell).exits(1).says(&option[2..]);
        workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
        assert_eq!(workdir.summary().count("imported"), 100);
    }
    assert!(server.accounts().values().all(|kept| kept.times == 2), "twice imported, never by a resume");
}

#[cfg(target_os = "linux")]
#[test]
fn no_room_for_the_summary() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 100);
    workdir.against(&server, &["accounts.csv", "--summary", FULL]).exits(1).says(FULL);
    assert!(workdir.exists("accounts.failed.csv"));
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert_eq!((server.stats().requests, workdir.summary().count("imported")), (1, 100));
}

#[cfg(target_os = "linux")]
#[test]
fn no_room_for_the_log_stops_the_run_which_is_resumed() {
    let script = vec![Fault::Pass, Fault::Slow(std::time::Duration::from_millis(1500)), Fault::Pass];
    let (workdir, server) = (Workdir::new(), Server::scripted(script, &[]));
    workdir.accounts("accounts.csv", 300);
    workdir.against(&server, &["accounts.csv", "--log", FULL, "--max-in-flight", "1"]).exits(1).says(FULL);
    workdir.against(&server, &["accounts.csv", "--resume"]).exits(0);
    assert_eq!((server.held(), workdir.summary().count("imported")), (300, 300));
}
