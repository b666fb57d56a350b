//! One outcome to its listeners, in a fixed order: journal, counts, progress; at the end report, summary, and away
//! with the journal.

mod console;
mod ending;
mod failed;
mod files;
mod finish;
mod journal;
mod log;
mod paragraph;
mod paths;
mod progress;
mod summary;
#[cfg(test)]
mod tests;
mod traffic;
mod words;

use crate::error_code::Code;
use crate::event::{Attempt, Event, Kept, Pace, Settled};
use crate::outcome::{Outcome, Refusal, Tally};
use crate::rows::RowSet;
pub use console::{Console, Look, Manner, escape};
pub use ending::{Checked, Ending, Signal};
pub use failed::{FailedReport, Format, merged};
pub use files::{FileError, Output};
use journal::Counted;
pub use journal::{Header, Journal, JournalError, Opened, Peek};
pub use log::Log;
pub use paragraph::{padded, paragraph};
pub use paths::{Purpose, default_path};
pub use progress::Show;
use progress::{Meter, Sending, State};
use std::time::{Duration, Instant};
pub use summary::{Counts, Summary};
pub use traffic::Latency;
use traffic::Traffic;
pub use words::{counted, duration, number};

/// The run cannot keep its promises and must stop. What was told before the error counts, nothing of this.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// Outcomes cannot be written down.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Requests or findings cannot be written down.
    #[error(transparent)]
    File(#[from] FileError),
}

/// What a report is made with.
pub struct Setup {
    /// Import or verify.
    pub task: Task,
    /// As the plan and the journal have it.
    pub tally: Tally,
    /// How many accounts are to be sent, or asked for.
    pub accounts: u64,
    /// Requests a second, as it was asked for.
    pub rate: f64,
    /// None for a verify and a dry run, which settle nothing that a resume would need.
    pub journal: Option<Journal>,
    /// Where people are told.
    pub console: Console,
    /// `--log`.
    pub log: Option<Log>,
    /// Where the refused rows go.
    pub report: FailedReport,
    /// `--summary`.
    pub summary: Option<Output>,
    /// What only the summary says.
    pub facts: Facts,
}

/// What the process is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Accounts are sent.
    Import,
    /// The service is asked for them.
    Verify,
}

/// What only the summary says.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// As they were named.
    pub inputs: Vec<String>,
    /// The region's name.
    pub region: Option<String>,
    /// The URL that requests go to.
    pub endpoint: Option<String>,
    /// The app.
    pub sdk_app_id: Option<u64>,
    /// How long reading and checking took.
    pub planned_in: Duration,
    /// What goes on with this run if it has to be left.
    pub resume_command: String,
    /// What begins it anew.
    pub restart_command: String,
    /// What imports the report; none for a report that is no file, or says only what a dry run found.
    pub import_report_command: Option<String>,
    /// The input cannot be read again but from its spool.
    pub piped: bool,
    /// After the import the service is asked for every account.
    pub verify_follows: bool,
}

/// Takes all that the sender tells, and alone knows what became of each row.
pub struct Report {
    task: Task,
    tally: Tally,
    /// Of a verify, once it has begun.
    checked: Option<Checked>,
    journal: Option<Journal>,
    /// Who waits for the journal to be synced.
    unkept: Vec<Kept>,
    /// An input is not what it was, so that this run cannot be gone on with.
    input_changed: bool,
    /// What a verify found.
    findings: Option<Journal>,
    console: Console,
    log: Option<Log>,
    failed: FailedReport,
    summary: Option<Output>,
    facts: Facts,
    traffic: Traffic,
    meter: Meter,
    began: Instant,
    /// Accounts that reached their outcome before this process, and are to by its end.
    before: u64,
    total: u64,
    full_rate: f64,
    rate: f64,
    silent_since: Option<Instant>,
}

impl Report {
    /// Begins at `now`, before the first request.
    pub fn new(setup: Setup, now: Instant) -> Self {
        let Setup { task, tally, accounts, rate, journal, console, log, report, summary, facts } = setup;
        let before = tally.imported + tally.failed + tally.skipped;
        let checked = (task == Task::Verify).then(|| Checked { total: accounts, ..Checked::default() });
        let mut report = Self {
            task,
            tally,
            checked,
            journal,
            unkept: Vec::new(),
            input_changed: false,
            findings: None,
            console,
            log,
            failed: report,
            summary,
            facts,
            traffic: Traffic::default(),
            meter: Meter::default(),
            began: now,
            before,
            total: before + accounts,
            full_rate: rate,
            rate,
            silent_since: None,
        };
        // The bar of the reading goes, that of the sending comes.
        report.console.end_progress();
        report.show(now);
        report
    }

    /// From here on the sender tells what a verify of `accounts` finds: present ones as imported, others as failed
    /// with the outcome `Missing` or `Different`.
    pub fn begin_verify(&mut self, accounts: u64) {
        self.checked = Some(Checked { total: accounts, ..Checked::default() });
        self.meter = Meter::default();
        (self.silent_since, self.rate, self.facts.verify_follows) = (None, self.full_rate, false);
    }

    /// An input is not what it was: there is no going on with this run.
    pub fn input_changed(&mut self) {
        self.input_changed = true;
    }

    /// Takes one thing that the sender tells. An account is counted once it is written down.
    pub fn take(&mut self, event: Event, now: Instant) -> Result<(), ReportError> {
        match event {
            Event::Answered(attempt) => self.answered(&attempt, now)?,
            Event::Settled(settled) => self.settled(&settled, now)?,
            Event::Absent { rows, kept } => {
                if let Some(journal) = &mut self.journal {
                    journal.absent(&rows, now)?;
                }
                self.unkept.push(kept);
            }
            Event::Pace(Pace::Rate(rate)) => self.rate = rate,
            Event::Pace(Pace::Outage) => self.silent_since = Some(now),
            Event::Pace(Pace::Recovered) => self.silent_since = None,
            Event::Notice(text) => self.console.note(&text),
        }
        self.tick(now)
    }

    /// Does what is due by `now`.
    pub fn tick(&mut self, now: Instant) -> Result<(), ReportError> {
        if let Some(journal) = &mut self.journal {
            journal.sync_if_due(now)?;
        }
        if self.journal.as_ref().is_none_or(|journal| journal.due().is_none()) {
            self.unkept.drain(..).for_each(Kept::say);
        }
        if let Some(log) = &mut self.log {
            log.flush_if_due(now)?;
        }
        self.show(now);
        Ok(())
    }

    /// When [`Report::tick`] has something to do.
    pub fn next_due(&self) -> Option<Instant> {
        let journal = self.journal.as_ref().and_then(Journal::due);
        let log = self.log.as_ref().and_then(Log::due);
        [journal, log, self.console.due()].into_iter().flatten().min()
    }

    /// The rows that the service refused or had already, in the whole run.
    pub fn not_imported(&self) -> RowSet {
        self.journal.as_ref().map(Journal::not_imported).unwrap_or_default()
    }

    /// Where people are told.
    pub fn console(&mut self) -> &mut Console {
        &mut self.console
    }

    fn answered(&mut self, attempt: &Attempt, now: Instant) -> Result<(), ReportError> {
        self.traffic.count(attempt);
        if let Some(log) = &mut self.log {
            log.write(attempt, jiff::Timestamp::now(), now)?;
        }
        if attempt.code != Code::Service(0) {
            let Attempt { batch, attempt, command, code, verdict, .. } = attempt;
            self.console.detail(&format!("batch {batch}, request {attempt}: {command} → {code}: {verdict}"));
        }
        Ok(())
    }

    fn settled(&mut self, settled: &Settled, now: Instant) -> Result<(), ReportError> {
        if let (None, Some(journal)) = (&self.checked, &mut self.journal) {
            let Counted { imported, skipped, failed } = journal.append(settled, now)?;
            self.tally.imported += imported;
            self.tally.skipped += skipped;
            self.tally.failed += failed;
            return Ok(());
        }
        let findings = match &mut self.findings {
            Some(findings) => findings,
            none => none.insert(Journal::scratch().map_err(FileError::scratch)?),
        };
        let is_new = |refusal: &&Refusal| !findings.is_settled(refusal.place.row);
        let refused: Vec<Outcome> =
            settled.failed.iter().filter(is_new).map(|refusal| refusal.outcome).collect();
        let present = findings.append(settled, now)?.imported;
        let checked = self.checked.get_or_insert_default();
        checked.present += present;
        for outcome in refused {
            match outcome {
                Outcome::Missing => checked.missing += 1,
                Outcome::Different => checked.different += 1,
                _ => checked.failed += 1,
            }
        }
        Ok(())
    }

    /// Accounts that reached their outcome, of how many.
    fn done(&self) -> (u64, u64) {
        match &self.checked {
            Some(checked) => (checked.total - checked.unasked(), checked.total),
            None => (self.tally.imported + self.tally.failed + self.tally.skipped, self.total),
        }
    }

    /// Says at once how far the run is.
    pub fn tell_state(&mut self, now: Instant) {
        let sending = self.sending(now);
        self.console.tell_sending(&sending);
    }

    fn show(&mut self, now: Instant) {
        let (done, _) = self.done();
        self.meter.note([done, self.traffic.requests], now);
        let sending = self.sending(now);
        self.console.sending(&sending, now);
    }

    fn sending(&self, now: Instant) -> Sending {
        let (done, total) = self.done();
        let counts = [done, self.traffic.requests];
        let [accounts_per_s, requests_per_s] = self.meter.rates(counts, now);
        let state = match self.silent_since {
            Some(since) => State::Silent(now.saturating_duration_since(since)),
            None if self.rate < self.full_rate * 0.995 => State::Slowed(self.rate),
            None => State::Steady,
        };
        let failed = self.checked.map_or(self.tally.failed, |checked| checked.missing + checked.different);
        let retries = self.traffic.retries;
        Sending { done, total, failed, retries, accounts_per_s, requests_per_s, state }
    }
}
