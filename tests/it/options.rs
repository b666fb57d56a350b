//! Every option, as a flag and as a variable, and which of two has its way.

use crate::workdir::{Run, Server, Workdir};
use imimport::sandbox;

/// Each option with a value that is good for `accounts.csv` in a folder that has `pem` and `key`, and one that is
/// not, if there is such a one. A switch has the value `true`.
const OPTIONS: [(&str, &str, Option<&str>); 36] = [
    ("region", "sgp", Some("mars")),
    ("endpoint", "https://example.com", Some("http://example.com")),
    ("ca-cert", "pem", None),
    ("timeout", "1m30s", Some("soon")),
    ("sdk-app-id", "1400000001", Some("-1")),
    ("identifier", "admin", None),
    ("secret-key-file", "key", None),
    ("format", "csv", Some("xml")),
    ("delimiter", ",", Some("ab")),
    ("no-header", "true", Some("perhaps")),
    ("map", "Nick=Nick", Some("Nick")),
    ("encoding", "gb18030", Some("morse")),
    ("trim", "true", Some("perhaps")),
    ("strict", "true", Some("perhaps")),
    ("on-duplicate", "first", Some("both")),
    ("existing", "skip", Some("delete")),
    ("rate", "80", Some("0")),
    ("max-in-flight", "8", Some("0")),
    ("retries", "0", Some("-1")),
    ("max-outage", "500ms", Some("0s")),
    ("max-failed", "2.5%", Some("101%")),
    ("journal", "other.journal", None),
    ("report", "other.csv", None),
    ("summary", "other.json", None),
    ("log", "log.jsonl", None),
    ("dry-run", "true", Some("perhaps")),
    ("quiet", "true", Some("perhaps")),
    ("verbose", "true", Some("perhaps")),
    ("progress", "never", Some("often")),
    ("lang", "zh", Some("la")),
    ("shard", "0/2", Some("2/2")),
    ("limit", "1", Some("0")),
    ("resume", "true", None),
    ("restart", "true", None),
    ("verify", "true", Some("perhaps")),
    ("profiles", "false", Some("perhaps")),
];
const FLAGS_ONLY: [&str; 3] = ["limit", "resume", "restart"];

fn workdir() -> Workdir {
    let workdir = Workdir::new();
    workdir.write("accounts.csv", "UserID,Nick\nann,Ann\nbob,Bob\n");
    workdir.write("pem", "");
    workdir.write("key", "a key\n");
    workdir
}

fn flag(option: &str, value: &str) -> Vec<String> {
    match value {
        "true" | "perhaps" if OPTIONS.contains(&(option, "true", Some("perhaps"))) => {
            vec![format!("--{option}")]
        }
        "true" => vec![format!("--{option}")],
        "false" => Vec::new(),
        value => vec![format!("--{option}={value}")],
    }
}

fn variable(option: &str) -> String {
    format!("IMIMPORT_{}", option.to_uppercase().replace('-', "_"))
}

/// A dry run with one more option.
fn planned(flags: &[String], variable: Option<(String, &str)>) -> Run {
    let mut args = vec!["accounts.csv", "--dry-run"];
    args.extend(flags.iter().map(String::as_str));
    let workdir = workdir();
    let mut command = workdir.command(&args);
    command.envs(variable);
    Run::of(&mut command)
}

#[test]
fn every_option_is_known_as_a_flag_and_a_value_that_is_none_is_refused_by_name() {
    for (option, good, bad) in OPTIONS {
        if option != "dry-run" {
            planned(&flag(option, good), None).exits(0);
        }
        if let Some(bad) = bad.filter(|bad| *bad != "perhaps") {
            planned(&flag(option, bad), None).exits(2).says(&format!("--{option}"));
        }
    }
    planned(&["--no-such-option".into()], None).exits(2).says("--no-such-option");
}

#[test]
fn every_option_has_its_variable_and_a_value_that_is_none_is_refused_by_name() {
    for (option, good, bad) in OPTIONS.into_iter().filter(|(option, ..)| !FLAGS_ONLY.contains(option)) {
        planned(&[], Some((variable(option), good))).exits(0);
        if let (Some(bad), true) = (bad, option != "dry-run") {
            planned(&[], Some((variable(option), bad))).exits(2).says(&format!("--{option}"));
        }
    }
}

#[test]
fn a_switch_may_be_turned_off_by_its_variable() {
    for off in ["0", "false"] {
        let (workdir, server) = (workdir(), Server::new());
        let mut command = workdir.command_against(&server, &["accounts.csv"]);
        for switch in ["STRICT", "DRY_RUN", "QUIET", "NO_HEADER", "TRIM", "VERBOSE", "VERIFY", "PROFILES"] {
            command.env(format!("IMIMPORT_{switch}"), off);
        }
        Run::of(&mut command).exits(0).says("2 accounts go to");
        assert_eq!(server.held(), 2);
    }
}

#[test]
fn a_forgotten_variable_neither_limits_nor_resumes_nor_restarts() {
    let (workdir, server) = (workdir(), Server::new());
    for (option, value) in [("limit", "1"), ("resume", "1"), ("restart", "1")] {
        let mut command = workdir.command_against(&server, &["accounts.csv"]);
        let run = Run::of(command.env(variable(option), value)).exits(0);
        assert!(!run.stderr.contains("this is a new run"), "{}", run.stderr);
        assert_eq!(workdir.summary().count("imported"), 2);
    }
}

#[test]
fn a_flag_beats_its_variable_even_one_that_makes_no_sense() {
    let (workdir, server) = (workdir(), Server::new());
    for (option, value, flag) in [
        ("rate", "none", "--rate=7"),
        ("on-duplicate", "error", "--on-duplicate=last"),
        ("format", "xml", "--format=csv"),
        ("sdk-app-id", "1", "--sdk-app-id=1400000000"),
        ("identifier", "nobody", "--identifier=administrator"),
        ("summary", "/no/such/folder", "--summary=summary.json"),
        ("shard", "7/7/7", "--shard=0/1"),
    ] {
        let mut command = workdir.command_against(&server, &["accounts.csv", flag]);
        Run::of(command.env(variable(option), value)).exits(0);
    }
    assert!(server.accounts().values().all(|kept| kept.times == 7));
}

#[test]
fn a_flag_beats_the_variable_of_an_option_that_it_excludes() {
    let (workdir, server) = (workdir(), Server::new());
    workdir
        .against(&server, &["accounts.csv", "--region", "sandbox", "--rate", "100"])
        .exits(0)
        .says("sandbox");
    assert_eq!((server.held(), workdir.summary().text("region")), (0, "sandbox"));

    let endpoint = server.endpoint();
    let mut command = workdir.command(&["accounts.csv", "--endpoint", &endpoint]);
    server.aim(&mut command);
    Run::of(command.env("IMIMPORT_REGION", "sgp").env_remove("IMIMPORT_ENDPOINT")).exits(0);
    assert_eq!(server.held(), 2);

    let mut verbose = workdir.command_against(&server, &["accounts.csv", "-v"]);
    Run::of(verbose.env("IMIMPORT_QUIET", "1")).exits(0).says("2 accounts go to");
    let mut quiet = workdir.command_against(&server, &["accounts.csv", "-q"]);
    assert_eq!(Run::of(quiet.env("IMIMPORT_VERBOSE", "1")).exits(0).stderr, "");

    for args in [["--region=sgp", "--endpoint=https://example.com"], ["-q", "-v"], ["--resume", "--restart"]]
    {
        workdir.against(&server, &[&["accounts.csv"][..], &args].concat()).exits(2);
    }
}

#[test]
fn a_variable_that_does_nothing_gets_a_warning() {
    let (workdir, server) = (workdir(), Server::new());
    let mut command = workdir.command_against(&server, &["accounts.csv"]);
    let run = Run::of(command.env("IMIMPORT_DRYRUN", "1").env("IMIMPORT_RATE", "50"));
    let told = run.exits(0).says("IMIMPORT_DRYRUN").stderr;
    assert!(!told.contains("IMIMPORT_RATE") && !told.contains("IMIMPORT_SECRET_KEY"), "{told}");
}

#[test]
fn two_credentials_are_one_too_many_and_none_is_too_few() {
    let (workdir, server) = (workdir(), Server::new());
    workdir.write("key", format!("{}\n", sandbox::SECRET_KEY));
    let run = |key: bool, usersig: bool, file: Option<&str>, flag: &[&str]| {
        let mut command = workdir.command_against(&server, &[&["accounts.csv"], flag].concat());
        if !key {
            command.env_remove("IMIMPORT_SECRET_KEY");
        }
        if usersig {
            command.env("IMIMPORT_USERSIG", "eJw-signature");
        }
        command.envs(file.map(|file| ("IMIMPORT_SECRET_KEY_FILE", file)));
        Run::of(&mut command)
    };
    for two in [
        run(true, true, None, &[]),
        run(true, false, Some("key"), &[]),
        run(true, false, None, &["--secret-key-file", "key"]),
        run(false, true, None, &["--secret-key-file", "key"]),
        run(true, true, Some("key"), &[]),
    ] {
        two.exits(2).says("more than one credential");
    }
    run(false, false, None, &[]).exits(2).says("--secret-key-file");
    assert_eq!(server.stats().requests, 0);
    run(false, false, Some("key"), &[]).exits(0);
    assert_eq!(server.held(), 2);
}

#[test]
fn the_secret_key_and_a_usersig_are_no_flags() {
    for flag in ["--secret-key=x", "--usersig=x", "--secret-key-file-content=x"] {
        planned(&[flag.into()], None).exits(2);
    }
}

#[test]
fn without_a_region_an_app_or_an_input_it_is_a_usage_error() {
    let (workdir, server) = (workdir(), Server::new());
    workdir.imimport(&["accounts.csv"]).exits(2).says("--region");
    let mut no_app = workdir.command_against(&server, &["accounts.csv"]);
    Run::of(no_app.env_remove("IMIMPORT_SDK_APP_ID")).exits(2).says("--sdk-app-id");
    workdir.imimport(&["accounts.csv", "--region", "sgp", "--rate", "101"]).exits(2).says("--rate");
    workdir
        .imimport(&["accounts.csv", "--region", "sandbox", "--rate", "3", "--shard", "0/4"])
        .exits(2)
        .says("--shard");
}
