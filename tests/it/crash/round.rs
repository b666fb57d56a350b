//! One run, killed and resumed, and what must hold after each kill and at the end.

use super::input::{Input, is_refused};
use super::{Figures, IN_FLIGHT, Kind, RATE, Rows};
use crate::workdir::Workdir;
use imimport::report::{Journal, JournalError};
use imimport::sandbox::{self, Kept, Sandbox};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// No run takes so long.
const PATIENCE: Duration = Duration::from_secs(240);

/// Exit code of a run that could not go on.
const STOPPED: i32 = 1;
/// What a row may come to, by the summary's keys.
const OUTCOMES: [&str; 6] = ["imported", "failed", "invalid", "duplicates", "skipped", "unsent"];

/// When a process is killed.
pub(crate) enum Moment {
    /// So long after its start.
    After(Duration),
    /// When it has applied so many accounts at the service.
    Applied(u64),
    /// When its journal says that so many accounts are imported.
    Journaled(usize),
    /// So long after it wrote down that nothing is left to send, when the report is due.
    Finished(Duration),
}

/// How a process ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Complete,
    /// Stopped for a reason, to be resumed.
    Stopped,
    Killed,
}

pub(crate) struct Round<'k> {
    number: u64,
    kind: &'k Kind,
    dir: Workdir,
    service: Sandbox,
    kills: u64,
    code: Option<i32>,
    /// The UserIDs that the journal said were imported, with the times they had been applied then.
    known: BTreeMap<String, u32>,
}

impl<'k> Round<'k> {
    /// `number` names it in failures.
    pub(crate) fn new(number: u64, kind: &'k Kind, service: Sandbox) -> Self {
        let dir = Workdir::new();
        dir.write("accounts.csv", &kind.input.csv);
        Self { number, kind, dir, service, kills: 0, code: None, known: BTreeMap::new() }
    }

    /// Starts the program, resuming if there is something to resume, and kills it at `moment`.
    pub(crate) fn start(&mut self, moment: Option<&Moment>) -> Ended {
        let mut child = self.spawn();
        let (begun, applied) = (Instant::now(), self.service.stats().applied);
        let mut due = None;
        while child.try_wait().unwrap().is_none() {
            assert!(begun.elapsed() < PATIENCE, "{}", self.told());
            let is_there = match moment {
                None => None,
                Some(Moment::After(time)) => Some(begun + *time),
                Some(Moment::Applied(count)) => {
                    (self.service.stats().applied >= applied + count).then(Instant::now)
                }
                Some(Moment::Journaled(count)) => (self.journaled().0.len() >= *count).then(Instant::now),
                Some(Moment::Finished(time)) => self.has_finished().then(|| Instant::now() + *time),
            };
            due = due.or(is_there);
            if due.is_some_and(|due| due <= Instant::now()) {
                child.kill().unwrap();
                break;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        let code = child.wait().unwrap().code();
        self.code = code.filter(|code| *code != STOPPED);
        if self.code.is_some() {
            return Ended::Complete;
        }
        self.kills += u64::from(code.is_none());
        self.check();
        if code.is_none() {
            return Ended::Killed;
        }
        self.check_stopped();
        Ended::Stopped
    }

    /// A service that lets signatures expire early is the one thing among the faults that stops a run.
    fn check_stopped(&self) {
        let summary = self.summary();
        let reason = summary["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("70001"), "{}", self.told());
        assert_eq!((&summary["status"], &summary["exit_code"]), (&"stopped".into(), &STOPPED.into()));
        assert!(summary["resume_command"].is_string() && self.has_journal(), "{}", self.told());
        let outcomes = OUTCOMES.map(|key| summary[key].as_u64().unwrap());
        assert_eq!(outcomes.iter().sum::<u64>(), self.input().rows, "{}", self.told());
    }

    fn summary(&self) -> serde_json::Value {
        serde_json::from_str(&self.dir.read("summary.json")).unwrap()
    }

    fn spawn(&self) -> Child {
        let mut args = vec!["--resume", "--summary", "summary.json"];
        args.extend(self.kind.options);
        if !self.kind.piped {
            args.push("accounts.csv");
        }
        let stderr = File::options().create(true).append(true).open(self.dir.path("stderr")).unwrap();
        let mut command = self.dir.command(&args);
        // Whoever has no journal, or one that was begun before the pipe was kept, pipes once more.
        let is_kept = self.has_journal() && self.dir.exists("stdin.imimport-spool");
        if self.kind.piped && !is_kept {
            command.stdin(File::open(self.dir.path("accounts.csv")).unwrap());
        }
        command
            .env("IMIMPORT_ENDPOINT", format!("http://{}", self.service.address()))
            .env("IMIMPORT_SDK_APP_ID", sandbox::SDK_APP_ID.to_string())
            .env("IMIMPORT_SECRET_KEY", sandbox::SECRET_KEY)
            .stdout(Stdio::null())
            .stderr(stderr)
            .spawn()
            .unwrap()
    }

    fn input(&self) -> &'k Input {
        &self.kind.input
    }

    fn named(&self, ending: &str) -> String {
        let stem = if self.kind.piped { "stdin" } else { "accounts" };
        format!("{stem}.{ending}")
    }

    fn has_journal(&self) -> bool {
        self.dir.exists(&self.named("imimport-journal"))
    }

    fn has_finished(&self) -> bool {
        let journal = fs::read(self.dir.path(&self.named("imimport-journal"))).unwrap_or_default();
        let tail = &journal[journal.len().saturating_sub(100)..];
        String::from_utf8_lossy(tail).contains("{\"finished\":")
    }

    /// Whether nothing is left to resume: it ended, or was killed after it had removed its journal.
    pub(crate) fn is_over(&self) -> bool {
        self.code.is_some() || (!self.has_journal() && self.service.stats().applied > 0)
    }

    /// Accounts that are not at the service yet.
    pub(crate) fn left(&self) -> u64 {
        self.input().accepted().count() as u64 - self.service.stats().accounts
    }

    /// What the program has told so far, for a failure.
    fn told(&self) -> String {
        let (number, name) = (self.number, self.kind.name);
        format!("\n--- round {number}: {name}\n{}\n--- {:?}", self.dir.read("stderr"), self.dir.list())
    }

    /// What must hold whenever the program is not running.
    fn check(&mut self) {
        let held = self.service.accounts();
        assert!(!self.dir.read("stderr").contains("panicked"), "{}", self.told());
        for (id, kept) in &held {
            assert!(!is_refused(id), "{id} was refused and is there");
            let values = self.input().sent.get(id).unwrap_or_else(|| panic!("{id} was not in the input"));
            assert_eq!((&kept.nick, &kept.face_url), (&values.0, &values.1), "{id} has other values");
        }
        self.check_known(&held);
        if self.is_over() {
            return;
        }
        let (imported, failed) = self.journaled();
        for id in &imported {
            assert!(held.contains_key(id), "{id} is in the journal and not at the service{}", self.told());
        }
        for id in &failed {
            assert!(is_refused(id), "{id} is failed in the journal, and nobody refused it{}", self.told());
        }
        for id in self.known.keys() {
            assert!(imported.contains(id), "{id} was in the journal and is no more{}", self.told());
        }
        self.known = imported.into_iter().map(|id| (held[&id].times, id)).map(|(n, id)| (id, n)).collect();
    }

    /// What was in the journal at an earlier kill was not sent again.
    fn check_known(&self, held: &BTreeMap<String, Kept>) {
        for (id, times) in &self.known {
            assert_eq!(held[id].times, *times, "{id} was in the journal and was sent again{}", self.told());
        }
    }

    /// The UserIDs that the journal calls imported and failed, read from a copy of it.
    fn journaled(&self) -> (BTreeSet<String>, BTreeSet<String>) {
        let copy = self.dir.path("copy-of-the-journal");
        if !self.has_journal() {
            return Default::default();
        }
        fs::copy(self.dir.path(&self.named("imimport-journal")), &copy).unwrap();
        let opened = Journal::open(&copy);
        fs::remove_file(&copy).unwrap();
        let ids =
            |rows: imimport::rows::RowSet| rows.iter().map(|row| self.input().ids[&row].clone()).collect();
        match opened {
            Ok(opened) => (ids(opened.imported), ids(opened.failed)),
            Err(JournalError::Empty(_)) => Default::default(),
            Err(e) => panic!("{e}{}", self.told()),
        }
    }

    pub(crate) fn figures(&self) -> Figures {
        let stats = self.service.stats();
        let again = stats.applied - stats.accounts;
        Figures { kills: self.kills, accounts: stats.accounts, lost: self.left(), again }
    }

    /// What must hold when all is over. Gives the counts, and the report's rows.
    pub(crate) fn end(mut self) -> (Vec<u64>, Rows) {
        self.check();
        let input = self.input();
        let expected = i32::from(input.refused() + input.invalid > 0) * 3;
        assert!(self.code.is_none_or(|code| code == expected), "exit {:?}{}", self.code, self.told());
        let held = self.service.accounts();
        for (id, _) in input.accepted() {
            assert!(held.contains_key(id), "{id} is lost{}", self.told());
        }
        let counts = self.counts(expected);
        let report = self.report();
        self.check_left_over();
        let stats = self.service.stats();
        // A process that follows on one that was killed knows nothing of the second before.
        let unknown = stats.breaches.iter().find(|(name, _)| **name != "rate");
        assert_eq!(unknown, None, "{}", self.told());
        if self.kind.exact {
            let most = self.kills * (IN_FLIGHT + RATE / 10) * 100;
            let again = stats.applied - stats.accounts;
            assert!(again <= most, "{again} sent again after {} kills{}", self.kills, self.told());
        }
        (counts, report)
    }

    fn counts(&self, exit_code: i32) -> Vec<u64> {
        let (summary, input) = (self.summary(), self.input());
        assert_eq!(summary["status"], "completed", "{}", self.told());
        assert_eq!(summary["exit_code"], exit_code, "{}", self.told());
        for key in ["reason", "journal", "resume_command"] {
            assert_eq!(summary[key], serde_json::Value::Null, "{key}{}", self.told());
        }
        let accounts = input.sent.len() as u64;
        let (imported, failed) = (accounts - input.refused(), input.refused());
        let wanted = [imported, failed, input.invalid, input.duplicates, 0, 0];
        let outcomes = OUTCOMES.map(|key| summary[key].as_u64().unwrap());
        assert_eq!(outcomes, wanted, "{OUTCOMES:?}{}", self.told());
        assert_eq!(outcomes.iter().sum::<u64>(), input.rows, "the outcomes are not the rows");
        assert_eq!(summary["rows"], input.rows);
        assert_eq!(summary["conflicts"], input.conflicts);
        outcomes.to_vec()
    }

    /// The report's rows without `Attempts`, checked for holding whom they must.
    fn report(&self) -> Rows {
        let mut reader = csv::Reader::from_path(self.dir.path(&self.named("failed.csv"))).unwrap();
        let columns = reader.headers().unwrap().clone();
        let attempts = columns.iter().position(|name| name == "Attempts").unwrap();
        let of = |record: &csv::StringRecord, name| {
            record[columns.iter().position(|column| column == name).unwrap()].to_owned()
        };
        let (mut rows, mut failed) = (Rows::new(), BTreeSet::new());
        for record in reader.records().map(Result::unwrap) {
            if of(&record, "Outcome") == "failed" {
                assert!(!of(&record, "ErrorCode").is_empty() && !of(&record, "ErrorInfo").is_empty());
                assert!(failed.insert(of(&record, "UserID")), "twice in the report: {record:?}");
            }
            let kept = record.iter().enumerate().filter(|(column, _)| *column != attempts);
            rows.push(kept.map(|(_, text)| text.to_owned()).collect());
        }
        let refused: BTreeSet<String> =
            self.input().sent.keys().filter(|id| is_refused(id)).cloned().collect();
        assert_eq!(failed, refused, "{}", self.told());
        assert_eq!(rows.len() as u64 - failed.len() as u64, self.input().invalid);
        rows
    }

    /// Nothing is left in the folder but what a run leaves, and what a killed process had not named or removed yet.
    fn check_left_over(&self) {
        let names = ["accounts.csv", &self.named("failed.csv"), "stderr", "summary.json"];
        let wanted: BTreeSet<String> = names.map(str::to_owned).into();
        let of_a_kill = |name: &String| name.starts_with(".imimport-") || name.ends_with(".imimport-spool");
        let passing = |name: &String| self.kills > 0 && of_a_kill(name);
        let left: BTreeSet<_> = self.dir.list().into_iter().filter(|name| !passing(name)).collect();
        assert_eq!(left, wanted, "{}", self.told());
    }
}
