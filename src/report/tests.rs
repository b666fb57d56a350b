//! A run from its first event to its summary, and what it leaves on the disk.

use super::*;
use crate::account::Place;
use console::Captured;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

/// A run over ten rows: row 8 invalid, row 9 a duplicate.
struct Run {
    dir: TempDir,
    captured: Captured,
    ending: Ending,
    piped: bool,
    task: Task,
    output: Option<Output>,
}

const PLANNED: Tally =
    Tally { rows: 10, imported: 0, failed: 0, invalid: 1, duplicates: 1, conflicts: 0, skipped: 0 };

impl Run {
    fn new(ending: Ending) -> Self {
        let (dir, captured) = (tempfile::tempdir().unwrap(), Captured::default());
        Self { dir, captured, ending, piped: false, task: Task::Import, output: None }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn journal(&self) -> PathBuf {
        self.at("a.imimport-journal")
    }

    fn create(&self) -> Journal {
        let header = Header {
            digest: "d".into(),
            inputs: vec!["a.csv".into()],
            rows: 10,
            all_rows: 10,
            plan: std::collections::BTreeMap::new(),
            sdk_app_id: 1,
            service: "cn".into(),
            spool: None,
        };
        Journal::create(&self.journal(), &header).unwrap()
    }

    fn report(&self, journal: Option<Journal>, tally: Tally) -> Report {
        let output = self.output.clone().unwrap_or(Output::File(self.at("a.failed.csv")));
        let setup = Setup {
            task: self.task,
            tally,
            accounts: tally.unsent(),
            rate: 100.0,
            journal,
            console: Console::on(Box::new(self.captured.clone()), Manner::default()),
            log: None,
            report: FailedReport { output, format: Format::Csv, bom: false, inputs: vec!["a.csv".into()] },
            summary: Some(Output::File(self.at("summary.json"))),
            facts: Facts {
                resume_command: "imimport --resume a.csv".into(),
                restart_command: "imimport --restart a.csv".into(),
                piped: self.piped,
                ..Facts::default()
            },
        };
        Report::new(setup, Instant::now())
    }

    /// A whole run in which `imported` and `failed` reach their outcome.
    fn run(&self, imported: &[u32], failed: &[u32]) -> Summary {
        let mut report = self.report(Some(self.create()), PLANNED);
        report.take(settled(imported, failed), Instant::now()).unwrap();
        self.finish(report)
    }

    fn finish(&self, report: Report) -> Summary {
        report.finish(self.ending.clone(), std::iter::once(Ok(refusal(8, Outcome::Invalid))), Instant::now())
    }

    /// Whom the report names.
    fn reported(&self) -> Vec<String> {
        let text = fs::read_to_string(self.at("a.failed.csv")).unwrap();
        text.lines().skip(1).map(|line| line.split(',').next().unwrap().to_owned()).collect()
    }
}

fn refusal(row: u32, outcome: Outcome) -> Refusal {
    Refusal {
        place: Place { row, input: 0, line: u64::from(row) + 2 },
        user_id: format!("u{row}").into(),
        nick: None,
        face_url: None,
        outcome,
        code: None,
        info: "no".into(),
        attempts: 1,
        raw: None,
    }
}

fn settled(imported: &[u32], failed: &[u32]) -> Event {
    let failed = failed.iter().map(|&row| refusal(row, Outcome::Failed)).collect();
    Event::Settled(Settled { imported: imported.to_vec(), failed, ..Settled::default() })
}

const ALL: [u32; 8] = [0, 1, 2, 3, 4, 5, 6, 7];

fn stopped() -> Ending {
    Ending::Stopped("70009: another app's key; look".into())
}

#[test]
fn a_complete_run_leaves_report_and_summary_and_no_journal() {
    let run = Run::new(Ending::Completed);
    let summary = run.run(&ALL[..6], &[7, 6]);
    assert_eq!((summary.status, summary.exit_code), ("completed", 3));
    assert_eq!(run.reported(), ["u6", "u7", "u8"]);
    assert_eq!((summary.journal, summary.resume_command), (None, None));
    assert!(!run.journal().exists());
    let json: serde_json::Value = serde_json::from_slice(&fs::read(run.at("summary.json")).unwrap()).unwrap();
    assert_eq!((&json["imported"], &json["failed"], &json["unsent"]), (&6.into(), &2.into(), &0.into()));
    assert_eq!(json["journal"], serde_json::Value::Null);
}

#[test]
fn the_journal_stays_while_there_is_something_to_resume() {
    let kept = |ending: Ending, imported: &[u32], failed: &[u32], piped: bool| {
        let run = Run { piped, ..Run::new(ending) };
        let summary = run.run(imported, failed);
        assert_eq!(summary.journal.is_some(), run.journal().exists());
        assert_eq!(summary.resume_command.is_some(), run.journal().exists());
        run.journal().exists()
    };
    let interrupted = Ending::Interrupted(Signal::Interrupt);
    assert!(kept(stopped(), &[0], &[], false), "something was acknowledged");
    assert!(!kept(stopped(), &[], &[], false), "nothing was acknowledged");
    assert!(kept(stopped(), &[], &[], true), "a pipe is not read again");
    assert!(!kept(interrupted.clone(), &[], &[], false));
    assert!(kept(interrupted, &[0, 1], &[2], false));
    assert!(kept(Ending::Completed, &[0, 1], &[], false), "--limit left the rest");
    assert!(!kept(Ending::Completed, &ALL, &[], false));
}

#[test]
fn what_an_input_was_that_changed_is_not_gone_on_with() {
    let run = Run::new(Ending::Stopped("a.csv changed".into()));
    let mut report = run.report(Some(run.create()), PLANNED);
    report.take(settled(&[0, 1], &[]), Instant::now()).unwrap();
    report.input_changed();
    let summary = run.finish(report);
    assert!(summary.journal.is_some(), "once it is put back it can be gone on with");
    assert_eq!(summary.resume_command, None);
    assert_eq!(summary.restart_command.as_deref(), Some("imimport --restart a.csv"));
}

#[test]
fn a_signal_that_came_when_all_was_done_changes_nothing() {
    let run = Run::new(Ending::Interrupted(Signal::Terminate));
    assert_eq!(run.run(&ALL[1..], &[0]).exit_code, 3);
    assert_eq!(Run::new(Ending::Interrupted(Signal::Terminate)).run(&[1], &[0]).exit_code, 143);
}

#[test]
fn a_run_whose_report_cannot_be_written_stops_and_a_resume_ends_it_as_it_would_have_ended() {
    let mut run = Run::new(Ending::Completed);
    run.output = Some(Output::File(run.at("no/such/folder/a.failed.csv")));
    let summary = run.run(&ALL[..7], &[7]);
    assert_eq!((summary.status, summary.exit_code), ("stopped", 1));
    assert!(summary.reason.unwrap().contains("no/such/folder"));
    assert_eq!(summary.resume_command.as_deref(), Some("imimport --resume a.csv"));

    run.output = None;
    let peek = Journal::peek(&run.journal()).unwrap().unwrap();
    assert_eq!((peek.imported, peek.failed, peek.finished), (7, 1, Some(3)));
    let opened = Journal::open(&run.journal()).unwrap();
    let tally = Tally { imported: opened.imported.len(), failed: opened.failed.len(), ..PLANNED };
    let summary = run.finish(run.report(Some(opened.journal), tally));
    assert_eq!((summary.status, summary.exit_code), ("completed", 3));
    assert_eq!(run.reported(), ["u7", "u8"]);
    assert!(!run.journal().exists());
}

#[test]
fn a_run_whose_summary_cannot_be_written_can_be_resumed_to_write_it() {
    let run = Run::new(Ending::Completed);
    fs::create_dir(run.at("summary.json")).unwrap();
    let summary = run.run(&ALL, &[]);
    assert_eq!((summary.status, summary.exit_code), ("stopped", 1));
    assert!(summary.reason.unwrap().contains("summary.json") && run.journal().exists());
    assert_eq!(run.reported(), ["u8"]);
}

#[test]
fn a_resumed_run_replaces_its_own_report_and_counts_the_whole() {
    let run = Run::new(stopped());
    run.run(&[0, 1], &[2]);
    assert_eq!(run.reported(), ["u2", "u8"]);
    let opened = Journal::open(&run.journal()).unwrap();
    let tally = Tally { imported: 2, failed: 1, ..PLANNED };
    let run = Run { ending: Ending::Completed, ..run };
    let mut report = run.report(Some(opened.journal), tally);
    report.take(settled(&[3, 4, 5, 6], &[7]), Instant::now()).unwrap();
    let summary = run.finish(report);
    assert_eq!(run.reported(), ["u2", "u7", "u8"]);
    assert!(!run.at("a.failed.1.csv").exists(), "it was this run's own");
    let Counts::Import { imported, failed, unsent, .. } = summary.counts else { panic!("an import") };
    assert_eq!((imported, failed, unsent), (6, 2, 0));
}

#[test]
fn a_verify_reports_what_is_missing_or_different() {
    let run = Run { task: Task::Verify, ..Run::new(Ending::Completed) };
    let mut report = run.report(None, PLANNED);
    let failed = vec![refusal(7, Outcome::Different), refusal(2, Outcome::Missing)];
    let event = Event::Settled(Settled { imported: vec![0, 1, 3, 4, 5, 6], failed, ..Settled::default() });
    report.take(event, Instant::now()).unwrap();
    let summary = run.finish(report);
    assert_eq!(run.reported(), ["u2", "u7", "u8"]);
    let Counts::Verify { present, missing, different, unsent, .. } = summary.counts else {
        panic!("a verify")
    };
    assert_eq!((present, missing, different, unsent, summary.exit_code), (6, 1, 1, 0, 3));
}

#[test]
fn a_verify_after_an_import_adds_to_its_report() {
    let run = Run::new(Ending::Completed);
    let mut report = run.report(Some(run.create()), PLANNED);
    report.take(settled(&ALL[1..], &[0]), Instant::now()).unwrap();
    report.begin_verify(7);
    let failed = vec![refusal(5, Outcome::Missing)];
    let event = Event::Settled(Settled { imported: vec![1, 2, 3, 4, 6, 7], failed, ..Settled::default() });
    report.take(event, Instant::now()).unwrap();
    let summary = run.finish(report);
    assert_eq!(run.reported(), ["u0", "u5", "u8"]);
    assert_eq!(summary.exit_code, 3);
    let Counts::Import { imported, failed, .. } = summary.counts else { panic!("an import") };
    assert_eq!((imported, failed), (7, 1));
    assert!(run.captured.text().contains("1  verified: missing"), "{}", run.captured.text());
    assert!(!run.journal().exists());
}

#[test]
fn a_report_that_is_not_this_runs_own_is_moved_aside_and_said_so() {
    let run = Run::new(Ending::Completed);
    fs::write(run.at("a.failed.csv"), "UserID\nearlier\n").unwrap();
    run.run(&ALL, &[]);
    assert!(run.captured.text().contains("the earlier report is now "), "{}", run.captured.text());
    assert_eq!(fs::read(run.at("a.failed.1.csv")).unwrap(), b"UserID\nearlier\n");
    assert_eq!(run.reported(), ["u8"]);
}

#[test]
fn what_is_due_next_is_the_journal_and_then_the_progress() {
    let run = Run::new(Ending::Completed);
    let mut report = run.report(Some(run.create()), PLANNED);
    let lines = report.next_due().expect("a line of progress");
    let now = Instant::now();
    report.take(settled(&[0], &[]), now).unwrap();
    let sync = report.next_due().expect("a sync");
    assert!(sync <= now + Duration::from_millis(100) && sync < lines);
    report.tick(sync).unwrap();
    assert_eq!(report.next_due(), Some(lines));
    report.take(Event::Pace(Pace::Outage), sync).unwrap();
    report.tick(lines).unwrap();
    assert!(run.captured.text().contains("paused for "), "{}", run.captured.text());
}
