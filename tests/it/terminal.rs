//! What a person sees: help, messages, signals, colours, and commands that work as pasted.

use crate::workdir::{Run, Server, Workdir};
use std::process::Stdio;

#[test]
fn completions_and_the_man_page_are_printed() {
    let workdir = Workdir::new();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let run = workdir.imimport(&["completions", shell]).exits(0);
        assert!(run.stdout.contains("secret-key-file"), "{shell}: {}", run.stdout);
    }
    let page = workdir.imimport(&["man"]).exits(0).stdout;
    assert!(page.contains(".TH imimport 1") && page.contains("IMIMPORT_MAX_IN_FLIGHT"), "{page}");
    workdir.imimport(&["completions", "csh"]).exits(2).says("csh");
}

#[test]
fn a_wrong_value_of_a_variable_is_blamed_on_the_variable_and_troubles_no_other_command() {
    let workdir = Workdir::new();
    let run = |args: &[&str]| Run::of(workdir.command(args).env("IMIMPORT_RATE", "fast"));
    run(&["a.csv"]).exits(2).says("--rate").says("the variable IMIMPORT_RATE");
    run(&["verify", "a.csv"]).exits(2).says("the variable IMIMPORT_RATE");
    let flag = run(&["a.csv", "--rate", "slow"]).exits(2);
    assert!(!flag.stderr.contains("IMIMPORT_RATE"), "{}", flag.stderr);
    run(&["explain", "70169"]).exits(0);
}

#[test]
fn an_empty_variable_is_as_good_as_none() {
    let workdir = Workdir::new();
    workdir.accounts("a.csv", 3);
    let mut command = workdir.command(&["a.csv", "--dry-run"]);
    for name in ["REGION", "RATE", "STRICT", "FORMAT", "REPORT", "JOURNAL"] {
        command.env(format!("IMIMPORT_{name}"), "");
    }
    Run::of(&mut command).exits(0).says("3  rows");
}

#[test]
fn one_is_not_many() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("a.csv", "UserID,Nick\nann,1\nann,2\n");
    workdir
        .against(&server, &["a.csv"])
        .exits(0)
        .says("1 duplicate has another Nick")
        .says("1 account goes to")
        .says("1  imported\n")
        .says("1  duplicate\n")
        .says("1 request, no retries");
}

#[test]
fn quiet_is_silent_but_for_errors() {
    let (workdir, server) = (Workdir::new(), Server::faulty(&["poison=user_00002"]));
    workdir.write("odd.csv", "UserID,Nick\nann b,1\nann b,2\n");
    assert_eq!(workdir.against(&server, &["odd.csv", "-q"]).exits(0).stderr, "");
    workdir.accounts("a.csv", 3);
    let run = workdir.against(&server, &["a.csv", "-q"]).exits(3);
    assert!(run.stderr.starts_with("error: 1 row is in a.failed.csv"), "{}", run.stderr);
}

#[test]
fn the_command_that_imports_the_report_works_as_pasted() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("my accounts.csv", "UserID,Nick\nann,Ann\n bob,Bob\n");
    let args = ["my accounts.csv", "--report", "bad rows.csv", "--delimiter", ",", "--restart"];
    let run = workdir.against(&server, &args).exits(3);
    let command = shlex::split(run.stderr.split("import it with: ").last().unwrap()).unwrap();
    let args: Vec<&str> = command[1..].iter().map(String::as_str).collect();
    assert_eq!(args, ["bad rows.csv"]);
    workdir.write("bad rows.csv", workdir.read("bad rows.csv").replace(" bob", "bob"));
    workdir.against(&server, &args).exits(0);
    assert_eq!(server.accounts()["bob"].nick.as_deref(), Some("Bob"));
}

#[test]
fn colours_come_when_forced_and_never_when_unwanted() {
    let workdir = Workdir::new();
    let run = |name: &str, value: &str| {
        Run::of(workdir.command(&["none.csv", "--dry-run"]).env(name, value)).exits(1)
    };
    assert!(
        run("CLICOLOR_FORCE", "1")
            .stderr
            .starts_with("\u{1b}[1;31merror:\u{1b}[0m there is no file none.csv")
    );
    assert!(run("NO_COLOR", "1").stderr.starts_with("error: there is no file none.csv"));
}

#[test]
fn output_that_nobody_reads_is_no_panic() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("a.csv", 300);
    let mut child = workdir
        .command_against(&server, &["a.csv", "-v", "--progress", "always"])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    for args in
        [&["man"][..], &["explain"], &["completions", "zsh"], &["--help"], &["sandbox", "--fault", "help"]]
    {
        let mut child = workdir.command(args).stdout(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{args:?}");
    }
}

#[test]
fn an_empty_shard_ends_well() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.write("a.csv", "UserID\nann\n");
    let rows = |shard: &str| {
        workdir.against(&server, &["a.csv", "--shard", shard, "--summary", "summary.json"]).exits(0);
        workdir.summary().count("rows")
    };
    assert_eq!(rows("0/2") + rows("1/2"), 1);
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command};
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    const PATIENCE: Duration = Duration::from_secs(60);

    fn signal(child: &Child, signal: &str) {
        let sent =
            Command::new("kill").args([format!("-{signal}"), child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for a file whose name holds `part`.
    fn appears(workdir: &Workdir, part: &str) {
        let began = Instant::now();
        while !workdir.list().iter().any(|name| name.contains(part)) {
            assert!(began.elapsed() < PATIENCE, "no {part} among {:?}", workdir.list());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The lines of stderr as they come.
    fn lines(child: &mut Child) -> mpsc::Receiver<String> {
        let (tell, told) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| tell.send(line)));
        told
    }

    #[track_caller]
    fn comes(lines: &mpsc::Receiver<String>, part: &str) {
        let mut seen = Vec::new();
        while let Ok(line) = lines.recv_timeout(PATIENCE) {
            if line.contains(part) {
                return;
            }
            seen.push(line);
        }
        panic!("no {part:?} in {seen:#?}");
    }

    #[test]
    fn sigusr1_tells_the_state_while_a_pipe_is_waited_for() {
        let (workdir, server) = (Workdir::new(), Server::new());
        let mut command = workdir.command_against(&server, &["--quiet"]);
        let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(b"UserID\nann\n").unwrap();
        let told = lines(&mut child);
        appears(&workdir, "imimport");
        signal(&child, "USR1");
        comes(&told, "B read");
        drop(pipe);
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }

    #[test]
    fn sigusr1_tells_the_state_while_accounts_are_sent() {
        let (workdir, server) = (Workdir::new(), Server::faulty(&["latency=300ms..400ms"]));
        workdir.accounts("a.csv", 2000);
        let mut command =
            workdir.command_against(&server, &["a.csv", "--max-in-flight", "1", "--progress", "never"]);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let told = lines(&mut child);
        appears(&workdir, "imimport-journal");
        signal(&child, "USR1");
        comes(&told, "/2,000  ");
        signal(&child, "INT");
        comes(&told, "stopping: what is under way ends first");
        comes(&told, "imimport --resume a.csv --max-in-flight 1 --progress never");
        assert_eq!(child.wait().unwrap().code(), Some(130));
    }

    #[test]
    fn a_key_that_others_can_read_gets_a_warning_with_the_command_that_mends_it() {
        use std::os::unix::fs::PermissionsExt;
        let (workdir, server) = (Workdir::new(), Server::new());
        workdir.accounts("a.csv", 1);
        let key = workdir.write("my key.txt", imimport::sandbox::SECRET_KEY);
        let mode = |mode| std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
        let run = || {
            let mut command = workdir.command_against(&server, &["a.csv", "--secret-key-file", "my key.txt"]);
            Run::of(command.env_remove("IMIMPORT_SECRET_KEY")).exits(0)
        };
        mode(0o644);
        run().says("others can read the secret key").says("\n  chmod 600 'my key.txt'\n");
        mode(0o600);
        assert!(!run().stderr.contains("chmod"));
    }
}
