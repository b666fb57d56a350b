//! Neither the key nor a signature is ever written anywhere, whatever goes wrong.

use crate::workdir::{Run, Server, Workdir};
use imimport::sandbox::{self, Fault};
use imimport::usersig::{self, Secret};
use std::fs;
use std::process::Command;
use std::time::SystemTime;

/// The least length of a run of Base64 that could be a signature, or a part of one that helps.
const TELLING: usize = 60;

/// Whether `text` holds the key, or what looks like a UserSig: zlib's first bytes and a long run of its Base64.
fn betrays(text: &str) -> Option<String> {
    if text.contains(sandbox::SECRET_KEY) {
        return Some("the key".into());
    }
    let in_signature = |c: char| c.is_ascii_alphanumeric() || "*-_+/=%".contains(c);
    let mut runs = text.split(|c| !in_signature(c));
    runs.find(|run| {
        ["eJ", "eN", "eA"].iter().any(|start| run.find(start).is_some_and(|at| run.len() - at >= TELLING))
    })
    .map(|run| format!("what looks like a signature: {run}"))
}

#[test]
fn a_key_and_a_signature_would_be_found() {
    let url = format!("https://host/v4/x?sdkappid=1&usersig={}&random=1", signature());
    assert!(betrays(&url).is_some_and(|found| found.contains("signature")));
    assert!(betrays(&format!("key: {}", sandbox::SECRET_KEY)).is_some());
    assert_eq!(betrays("1400000000 user_00007,Nick,https://example.com/eJ.png"), None);
}

/// Runs the program at each verbosity with all that it can write, `tune` adding what goes wrong; with a key, and
/// with a signature of the user's own. Fails if anything that was written betrays either.
fn keeps_secrets(
    faults: &[&str],
    script: &[Fault],
    code: i32,
    args: &[&str],
    tune: impl Fn(&Server, &mut Command) + Sync,
) {
    let signature = &*signature();
    std::thread::scope(|scope| {
        for verbosity in ["-q", "-v", "--progress=always"] {
            for own in [None, Some(signature)] {
                let tune = &tune;
                scope.spawn(move || {
                    let workdir = Workdir::new();
                    let server = Server::scripted(script.to_vec(), faults);
                    workdir.accounts("accounts.csv", 250);
                    let usual = ["accounts.csv", "--log", "log.jsonl", "--timeout", "300ms", verbosity];
                    let args = [&usual[..], &["--max-in-flight", "1"], args].concat();
                    let mut command = workdir.command_against(&server, &args);
                    if let Some(own) = own {
                        command.env_remove("IMIMPORT_SECRET_KEY").env("IMIMPORT_USERSIG", own);
                    }
                    tune(&server, &mut command);
                    search(&workdir, Run::of(&mut command).exits(code), signature);
                });
            }
        }
    });
}

/// A signature of the user's own.
fn signature() -> String {
    let key = Secret::new(sandbox::SECRET_KEY.into());
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    usersig::sign(&key, sandbox::SDK_APP_ID, sandbox::IDENTIFIER, now, 86400).expose().to_owned()
}

/// Fails if anything that the run wrote betrays a secret.
#[track_caller]
fn search(workdir: &Workdir, run: Run, signature: &str) {
    let mut written = vec![("stdout".to_owned(), run.stdout), ("stderr".to_owned(), run.stderr)];
    for name in workdir.list() {
        let bytes = fs::read(workdir.path(&name)).unwrap();
        written.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    assert!(written.len() >= 4, "too little to search: {written:?}");
    for (name, text) in written {
        assert_eq!(betrays(&text), None, "in {name}:\n{text}");
        assert!(!text.contains(&signature[..TELLING]), "the user's signature is in {name}:\n{text}");
    }
}

fn nothing(_: &Server, _: &mut Command) {}

#[test]
fn where_all_goes_well() {
    keeps_secrets(&[], &[], 0, &[], nothing);
}

#[test]
fn where_the_service_refuses_the_run() {
    for code in ["60026", "70009", "70013", "70403", "70398"] {
        keeps_secrets(&[&format!("always={code}")], &[], 1, &[], nothing);
    }
}

#[test]
fn where_a_run_stops_in_the_middle_and_its_journal_is_kept() {
    keeps_secrets(&[], &[Fault::Pass, Fault::Code(60020)], 1, &[], nothing);
    keeps_secrets(&[], &[Fault::Pass, Fault::Redirect], 1, &[], nothing);
}

#[test]
fn where_accounts_are_refused_and_a_report_says_why() {
    keeps_secrets(&["poison=77$", "poison-code=70399"], &[], 3, &[], nothing);
    keeps_secrets(&["fail=7$"], &[], 3, &["--retries", "0"], nothing);
}

#[test]
fn where_requests_are_lost_on_the_way() {
    let script = [
        Fault::Reset,
        Fault::Hang,
        Fault::Truncate,
        Fault::Garbage,
        Fault::Huge,
        Fault::Http(502),
        Fault::Close,
    ];
    keeps_secrets(&[], &script, 0, &[], nothing);
}

#[test]
fn where_the_service_quotes_the_request() {
    let signature = signature();
    for (code, exit) in [(70003, 1), (70399, 3)] {
        let (workdir, url) = (Workdir::new(), format!("/v4/x?usersig={signature}&random=1"));
        let answer = serde_json::json!({"ActionStatus": "FAIL", "ErrorCode": code, "ErrorInfo": url});
        let server = Server::scripted(vec![Fault::Body(answer.to_string().into_bytes())], &[]);
        workdir.write("accounts.csv", "UserID\nann\n");
        let mut command = workdir.command_against(&server, &["accounts.csv", "-v", "--log", "log.jsonl"]);
        command.env_remove("IMIMPORT_SECRET_KEY").env("IMIMPORT_USERSIG", &signature);
        search(&workdir, Run::of(&mut command).exits(exit).says(&code.to_string()), &signature);
    }
}

#[test]
fn where_something_else_answers() {
    for fault in ["redirect=100%", "http403=100%"] {
        keeps_secrets(&[fault], &[], 1, &[], nothing);
    }
}

#[test]
fn where_there_is_no_such_host() {
    keeps_secrets(&[], &[], 1, &[], |_, command| {
        command.env("IMIMPORT_ENDPOINT", "https://no-such-host.invalid");
    });
}

#[test]
fn where_the_host_speaks_no_tls() {
    keeps_secrets(&[], &[], 1, &["--max-outage", "500ms"], |server, command| {
        command.env("IMIMPORT_ENDPOINT", server.endpoint().replace("http:", "https:"));
    });
}

#[test]
fn where_nobody_listens() {
    keeps_secrets(&[], &[], 1, &["--max-outage", "500ms"], |_, command| {
        command.env("IMIMPORT_ENDPOINT", "http://127.0.0.1:1");
    });
}

#[test]
fn where_the_proxy_is_not_there_or_refuses() {
    keeps_secrets(&[], &[], 1, &["--max-outage", "500ms"], |_, command| {
        command.env("IMIMPORT_ENDPOINT", "https://example.invalid").env("HTTPS_PROXY", "http://127.0.0.1:1");
    });
    keeps_secrets(&[], &[], 1, &["--max-outage", "500ms"], |server, command| {
        command.env("IMIMPORT_ENDPOINT", "https://example.invalid").env("HTTPS_PROXY", server.endpoint());
    });
}

#[test]
fn where_the_credentials_themselves_are_wrong() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 5);
    workdir.write("key", sandbox::SECRET_KEY);
    let key_as_path = ["accounts.csv", "-v", "--secret-key-file", "key"];
    let two = workdir.against(&server, &key_as_path).exits(2);
    assert_eq!(betrays(&two.stderr), None);
    let mut key_as_signature = workdir.command_against(&server, &["accounts.csv", "-v"]);
    key_as_signature.env_remove("IMIMPORT_SECRET_KEY").env("IMIMPORT_USERSIG", sandbox::SECRET_KEY);
    let run = Run::of(&mut key_as_signature).exits(1);
    assert_eq!(betrays(&run.stderr), None, "{}", run.stderr);
}

#[test]
fn a_key_in_the_place_of_its_file_is_not_repeated() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 5);
    let key = "5bd2850fff3ecb11d7c805251c51ee463a25727bddc2385f3fa8bfee1bb93b5e";
    let mut command = workdir.command_against(&server, &["accounts.csv"]);
    command.env_remove("IMIMPORT_SECRET_KEY").env("IMIMPORT_SECRET_KEY_FILE", key);
    let run = Run::of(&mut command).exits(1).says("make a new one");
    assert!(!run.stderr.contains(key) && !workdir.read("summary.json").contains(key), "{}", run.stderr);
}

#[test]
fn a_key_file_that_holds_more_than_a_key_gets_a_warning() {
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 5);
    let key = workdir.write("key", format!("KEY='{}'\n", sandbox::SECRET_KEY));
    let mut command = workdir.command_against(&server, &["accounts.csv", "--secret-key-file"]);
    Run::of(command.arg(key).env_remove("IMIMPORT_SECRET_KEY")).exits(1).says("is it the key alone?");
}

#[cfg(unix)]
#[test]
fn a_key_file_that_others_can_read_gets_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let (workdir, server) = (Workdir::new(), Server::new());
    workdir.accounts("accounts.csv", 5);
    let key = workdir.write("key", sandbox::SECRET_KEY);
    for (mode, warned) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let mut command = workdir.command_against(&server, &["accounts.csv", "--secret-key-file", "key"]);
        let run = Run::of(command.env_remove("IMIMPORT_SECRET_KEY")).exits(0);
        assert_eq!(run.stderr.contains("others can read"), warned, "{}", run.stderr);
    }
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_journal_and_spool() {
    use std::os::unix::fs::PermissionsExt;
    let (workdir, server) = (Workdir::new(), Server::scripted(vec![Fault::Pass, Fault::Code(60020)], &[]));
    let mut command = workdir.command_against(&server, &["--max-in-flight", "1"]);
    Run::fed(&mut command, crate::workdir::accounts(250).as_bytes()).exits(1);
    for name in ["stdin.imimport-journal", "stdin.imimport-spool"] {
        let mode = fs::metadata(workdir.path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
