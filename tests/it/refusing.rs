//! What cannot be imported at all: nothing is sent, the exit code says so, and the message names the thing.

use crate::workdir::{Run, Server, Workdir};
use std::fs;

/// Fails unless `args` end with 1 before anything is sent, with `named` in the message, and leave no journal.
#[track_caller]
fn refuses(workdir: &Workdir, args: &[&str], named: &[&str]) {
    let server = Server::new();
    let mut run = workdir.against(&server, args).exits(1);
    for name in named {
        run = run.says(name);
    }
    assert_eq!(server.stats().requests, 0);
    let left = workdir.list();
    assert!(!left.iter().any(|name| name.contains("imimport-journal") || name.contains("spool")), "{left:?}");
}

#[test]
fn a_file_that_is_not_there_or_is_a_folder() {
    let workdir = Workdir::new();
    fs::create_dir(workdir.path("folder.csv")).unwrap();
    refuses(&workdir, &["none.csv"], &["none.csv"]);
    refuses(&workdir, &["folder.csv"], &["folder.csv"]);
    workdir.accounts("accounts.csv", 5);
    refuses(&workdir, &["accounts.csv", "none.csv"], &["none.csv"]);
}

#[test]
fn the_summary_of_a_run_that_could_not_start_takes_the_place_of_an_earlier_one_and_of_nothing_else() {
    let work = Workdir::new();
    work.accounts("accounts.csv", 3);
    let server = Server::new();
    work.against(&server, &["accounts.csv"]).exits(0);
    work.against(&server, &["gone.csv"]).exits(1);
    let summary = work.summary();
    assert_eq!((summary.text("status"), summary.count("exit_code")), ("stopped", 1));
    assert_eq!((summary.count("rows"), summary.0["inputs"][0].as_str()), (0, Some("gone.csv")));
    assert!(summary.text("reason").contains("gone.csv"), "{summary:?}");

    let accounts = work.read("accounts.csv");
    work.imimport(&["gone.csv", "--dry-run", "--summary", "accounts.csv"]).exits(1);
    assert_eq!(work.read("accounts.csv"), accounts);
    work.imimport(&["gone.csv", "--dry-run", "--summary", "gone.csv"]).exits(1);
    work.imimport(&["gone.csv", "--dry-run", "--summary", "new.json", "--report", "new.json"]).exits(1);
    assert!(!work.exists("gone.csv") && !work.exists("new.json"));
}

#[test]
fn an_input_without_rows() {
    let workdir = Workdir::new();
    workdir.write("empty.csv", "");
    workdir.write("header.csv", "UserID,Nick\n");
    workdir.write("blank.jsonl", "\n\n");
    workdir.write("empty.json", "[]");
    for name in ["empty.csv", "header.csv", "blank.jsonl", "empty.json"] {
        refuses(&workdir, &[name], &[name]);
    }
    if cfg!(unix) {
        refuses(&workdir, &["/dev/null"], &["/dev/null"]);
    }
    refuses(&workdir, &["-"], &["stdin"]);
}

#[test]
fn an_input_without_a_valid_row() {
    let workdir = Workdir::new();
    workdir.write("accounts.csv", "UserID\n\" ann\"\n@TLS#bob\n");
    refuses(&workdir, &["accounts.csv"], &["line 2", "no row is valid"]);
    assert_eq!(workdir.summary().count("invalid"), 2);
    assert!(workdir.read("accounts.failed.csv").contains("@TLS#bob"));
}

#[test]
fn a_binary_file() {
    let workdir = Workdir::new();
    let bytes: Vec<u8> = (0..50_000u32).map(|i| i.wrapping_mul(2_654_435_761).to_be_bytes()[0]).collect();
    workdir.write("photo.csv", &bytes);
    workdir.write("photo.jsonl", &bytes);
    workdir.write("photo", [b"\x89PNG\r\n\x1a\n", &bytes[..]].concat());
    for name in ["photo.csv", "photo.jsonl", "photo"] {
        let server = Server::new();
        workdir.against(&server, &[name]).exits(1);
        assert_eq!(server.stats().requests, 0);
    }
}

#[test]
fn a_packed_file_that_is_cut() {
    let workdir = Workdir::new();
    workdir.fixture("gzip-of-two-members.csv.gz");
    workdir.fixture("zstd-of-two-frames.csv.zst");
    for name in ["gzip-of-two-members.csv.gz", "zstd-of-two-frames.csv.zst"] {
        let whole = fs::read(workdir.path(name)).unwrap();
        workdir.write(name, &whole[..whole.len() - 7]);
        refuses(&workdir, &[name], &[name]);
    }
}

#[test]
fn columns_that_cannot_be_told() {
    let workdir = Workdir::new();
    workdir.write("none.csv", "uid,Nick\nann,Ann\n");
    refuses(&workdir, &["none.csv"], &["none.csv", "uid", "--map"]);
    workdir.write("two.csv", "UserID,user_id\nann,Ann\n");
    refuses(&workdir, &["two.csv"], &["two.csv", "user_id", "--map"]);
}

#[test]
fn a_quote_that_is_never_closed() {
    let workdir = Workdir::new();
    workdir.write("accounts.csv", "UserID,Nick\nann,Ann\nbob,\"Bob\ncid,Cid\n");
    refuses(&workdir, &["accounts.csv"], &["accounts.csv", "line 3"]);
}

#[test]
fn a_report_a_summary_or_a_log_that_cannot_be_written() {
    let workdir = Workdir::new();
    workdir.accounts("accounts.csv", 5);
    for option in ["--report", "--summary", "--log", "--journal"] {
        refuses(&workdir, &["accounts.csv", option, "none/there"], &["none/there"]);
        refuses(&workdir, &["accounts.csv", option, "accounts.csv"], &["accounts.csv"]);
    }
    assert!(
        workdir.read("accounts.csv").starts_with("UserID,Nick,FaceUrl\nuser_00000,"),
        "the input is as it was"
    );
    workdir.write("key", "the only copy");
    for option in ["--report", "--summary", "--log"] {
        let args = ["accounts.csv", "--dry-run", "--secret-key-file", "key", option, "key"];
        workdir.imimport(&args).exits(1).says("it is an input");
    }
    assert_eq!(workdir.read("key"), "the only copy");
}

#[test]
fn a_key_file_or_certificates_that_cannot_be_read() {
    let workdir = Workdir::new();
    workdir.accounts("accounts.csv", 5);
    workdir.write("empty-key", "\n");
    workdir.write("no.pem", "not a certificate");
    for (option, value) in
        [("--secret-key-file", "no-key"), ("--secret-key-file", "empty-key"), ("--ca-cert", "no-pem")]
    {
        let server = Server::new();
        let mut command = workdir.command_against(&server, &["accounts.csv", option, value]);
        if option == "--secret-key-file" {
            command.env_remove("IMIMPORT_SECRET_KEY");
        }
        Run::of(&mut command).exits(1).says(value);
        assert_eq!(server.stats().requests, 0);
    }
    refuses(&workdir, &["accounts.csv", "--ca-cert", "no.pem"], &["--ca-cert"]);
}

#[cfg(unix)]
#[test]
fn a_report_in_a_folder_that_cannot_be_written() {
    use std::os::unix::fs::PermissionsExt;
    let workdir = Workdir::new();
    workdir.accounts("accounts.csv", 5);
    fs::create_dir(workdir.path("closed")).unwrap();
    fs::set_permissions(workdir.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    // Root may write anywhere.
    if fs::write(workdir.path("closed/probe"), "").is_err() {
        refuses(&workdir, &["accounts.csv", "--report", "closed/report.csv"], &["closed/report.csv"]);
    }
}

#[cfg(unix)]
#[test]
fn two_pipes_are_one_too_many() {
    let (workdir, server) = (Workdir::new(), Server::new());
    let mut shell = workdir.shell("cat - | \"$PROGRAM\" - -");
    shell.env("PROGRAM", env!("CARGO_BIN_EXE_imimport"));
    server.aim(&mut shell);
    Run::fed(&mut shell, b"UserID\nann\n").exits(2).says("more than one pipe");
    assert_eq!(server.stats().requests, 0);
}
