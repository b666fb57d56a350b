//! A journal that was cut or damaged after a kill: the run resumes rightly or refuses, and never loses an account.

use crate::workdir::{Run, Workdir};
use imimport::report::{Journal, Opened};
use imimport::sandbox::{self, Faults, Kept, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

const ROWS: usize = 1200;
const JOURNAL: &str = "accounts.imimport-journal";
/// Its UserIDs are refused.
const REFUSES: &str = "poison=^user_00[37]33";

struct Service {
    sandbox: Sandbox,
    _runtime: Runtime,
}

impl Service {
    fn new(faults: &[&str]) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let faults = Faults::parse([&["limit=none", REFUSES], faults].concat()).unwrap();
        let entered = runtime.enter();
        let options = sandbox::Options { faults, remember: true, ..sandbox::Options::default() };
        let sandbox = Sandbox::start(options).unwrap();
        drop(entered);
        Self { sandbox, _runtime: runtime }
    }

    fn held(&self) -> BTreeSet<String> {
        self.sandbox.accounts().into_keys().collect()
    }

    /// Who was sent since `before`.
    fn sent_since(&self, before: &BTreeMap<String, Kept>) -> BTreeSet<String> {
        let times = |id: &str| before.get(id).map_or(0, |kept| kept.times);
        let now = self.sandbox.accounts().into_iter();
        now.filter(|(id, kept)| kept.times > times(id)).map(|(id, _)| id).collect()
    }
}

fn command(dir: &Workdir, service: &Service, args: &[&str]) -> Command {
    let mut command = dir.command(args);
    command
        .env("IMIMPORT_ENDPOINT", format!("http://{}", service.sandbox.address()))
        .env("IMIMPORT_SDK_APP_ID", sandbox::SDK_APP_ID.to_string())
        .env("IMIMPORT_SECRET_KEY", sandbox::SECRET_KEY)
        .env("IMIMPORT_RATE", "1000")
        .env("IMIMPORT_SUMMARY", "summary.json");
    command
}

fn user(row: u32) -> String {
    format!("user_{row:05}")
}

fn is_refused(id: &str) -> bool {
    matches!(id, "user_00333" | "user_00733")
}

/// A journal of a run that was killed twice, with records of every kind that an import writes, and who was at the
/// service then.
fn killed(dir: &Workdir, service: &Service) -> (Vec<u8>, BTreeSet<String>) {
    dir.accounts("accounts.csv", ROWS);
    for least in [3, 12] {
        let mut command = command(dir, service, &["--resume", "--max-in-flight", "2", "accounts.csv"]);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        let lines = || fs::read_to_string(dir.path(JOURNAL)).unwrap_or_default().lines().count();
        while lines() < least {
            assert!(begun.elapsed() < Duration::from_secs(60) && child.try_wait().unwrap().is_none());
            std::thread::sleep(Duration::from_micros(200));
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    let journal = fs::read(dir.path(JOURNAL)).unwrap();
    (journal, service.held())
}

/// The rows that the lines of a journal call imported, read without the program's own reader.
fn imported(journal: &[u8]) -> BTreeSet<u32> {
    let lines = std::str::from_utf8(journal).unwrap().lines().skip(1);
    let values = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line[9..]).unwrap());
    let mut rows = BTreeSet::new();
    for value in values {
        for range in value["imported"].as_array().into_iter().flatten() {
            let [first, count] = [0, 1].map(|n| u32::try_from(range[n].as_u64().unwrap()).unwrap());
            rows.extend(first..first + count);
        }
    }
    rows
}

fn open(dir: &Workdir, bytes: &[u8]) -> Result<Opened, String> {
    let path = dir.write("copy.imimport-journal", bytes);
    let opened = Journal::open(&path).map_err(|e| e.to_string());
    // A process that another test is just starting may hold the lock of this file for a moment: the next is new.
    fs::remove_file(&path).unwrap();
    opened
}

#[test]
fn a_real_journal_cut_or_flipped_at_any_byte_never_calls_imported_what_was_not() {
    let (dir, service) = (Workdir::new(), Service::new(&["latency=5ms..10ms"]));
    let (journal, held) = killed(&dir, &service);
    let header = journal.iter().position(|&b| b == b'\n').unwrap() + 1;
    let is_there = |row: u32| held.contains(&user(row));
    assert!(imported(&journal).len() > 100 && imported(&journal).into_iter().all(is_there));

    for cut in 0..=journal.len() {
        match open(&dir, &journal[..cut]) {
            Ok(opened) => {
                let whole = journal[..cut].iter().rposition(|&b| b == b'\n').unwrap() + 1;
                let said: BTreeSet<u32> = opened.imported.iter().collect();
                assert_eq!(said, imported(&journal[..whole]), "cut at {cut}");
            }
            Err(e) => assert!(cut < header && e.contains("nothing was sent"), "cut at {cut}: {e}"),
        }
    }
    let all = imported(&journal);
    for at in 0..journal.len() {
        match open(&dir, &flipped(&journal, at)) {
            Ok(opened) => assert!(opened.imported.iter().all(|row| all.contains(&row)), "byte {at}"),
            Err(e) => assert!(e.contains("--restart") || e.contains("--journal"), "byte {at}: {e}"),
        }
    }
}

/// Resumes over `journal`; if that is refused, starts over as the message says.
fn resume_or_restart(dir: &Workdir, service: &Service, journal: &[u8]) -> (Run, bool) {
    dir.write(JOURNAL, journal);
    let run = Run::of(&mut command(dir, service, &["--resume", "accounts.csv"]));
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    if run.code == Some(3) {
        return (run, false);
    }
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains(JOURNAL), "{}", run.stderr);
    assert!(run.stderr.contains("--restart") || run.stderr.contains("is no journal"), "{}", run.stderr);
    assert_eq!(fs::read(dir.path(JOURNAL)).unwrap(), journal, "a journal that is refused stays as it is");
    if run.stderr.contains("is no journal") {
        fs::remove_file(dir.path(JOURNAL)).unwrap();
    }
    (Run::of(&mut command(dir, service, &["--restart", "accounts.csv"])).exits(3), true)
}

#[test]
fn a_run_whose_journal_was_cut_or_flipped_resumes_or_refuses_and_all_accounts_arrive() {
    let (dir, service) = (Workdir::new(), Service::new(&["latency=5ms..10ms"]));
    let (journal, held) = killed(&dir, &service);
    let last = journal.len() - 1;
    let spread = |samples: usize| (0..samples).map(move |n| n * last / (samples - 1));
    let cuts = spread(12).map(|at| journal[..at].to_vec());
    let flips = spread(24).map(|at| flipped(&journal, at));
    let mut refused = 0;
    for damaged in cuts.chain(flips) {
        let before = service.sandbox.accounts();
        let (run, was_refused) = resume_or_restart(&dir, &service, &damaged);
        refused += u32::from(was_refused);
        let known = if was_refused { BTreeSet::new() } else { held.clone() };
        check(&dir, &known, &service.sent_since(&before), &run);
    }
    assert!(refused > 0 && refused < 36, "{refused} of 36 were refused");
}

/// With one bit changed.
fn flipped(journal: &[u8], at: usize) -> Vec<u8> {
    let mut flipped = journal.to_vec();
    flipped[at] ^= 1 << (at % 8);
    flipped
}

/// Every account is in the report, or was sent by this run, or is one of those `known` to the journal's own run.
fn check(dir: &Workdir, known: &BTreeSet<String>, sent: &BTreeSet<String>, run: &Run) {
    let summary: serde_json::Value = serde_json::from_str(&dir.read("summary.json")).unwrap();
    let report = dir.read("accounts.failed.csv");
    let failed: BTreeSet<&str> = report.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
    for id in (0..u32::try_from(ROWS).unwrap()).map(user) {
        let is_there = sent.contains(&id) || known.contains(&id);
        assert_eq!(is_there, !is_refused(&id), "{id}\n{}", run.stderr);
        assert_eq!(failed.contains(id.as_str()), is_refused(&id), "{id}\n{report}");
    }
    assert_eq!(summary["imported"].as_u64().unwrap(), (ROWS - failed.len()) as u64);
    assert_eq!(summary["failed"].as_u64().unwrap(), failed.len() as u64);
    assert!(!dir.exists(JOURNAL) && summary["unsent"] == 0);
}

#[test]
fn a_run_killed_before_the_copy_of_its_pipe_had_its_name_is_begun_anew_by_a_resume() {
    let (dir, service) = (Workdir::new(), Service::new(&["outage=0s..1h"]));
    dir.accounts("accounts.csv", 300);
    let piped = |args: &[&str]| {
        let mut command = command(&dir, &service, args);
        command.stdin(File::open(dir.path("accounts.csv")).unwrap());
        command
    };
    {
        let mut child = piped(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while !dir.exists("stdin.imimport-spool") {
            assert!(begun.elapsed() < Duration::from_secs(60));
            std::thread::sleep(Duration::from_millis(1));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        fs::remove_file(dir.path("stdin.imimport-spool")).unwrap();
    }
    let healthy = Service::new(&[]);
    let mut resume = piped(&["--resume"]);
    resume.env("IMIMPORT_ENDPOINT", format!("http://{}", healthy.sandbox.address()));
    Run::of(&mut resume).exits(0).says("nothing was sent under the journal");
    assert_eq!(healthy.held().len(), 300);
}
