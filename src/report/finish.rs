//! The end of a run, in an order that loses nothing if the power fails between two steps.

use super::ending::Ending;
use super::failed::{Written, merged};
use super::files::FileError;
use super::journal::{Journal, JournalError};
use super::summary::{Counts, Summary, Times};
use super::{Console, Report, Task};
use crate::outcome::Refusal;
use std::io;
use std::time::Instant;

impl Report {
    /// Ends the run: journal synced, report written, summary written, journal removed if nothing is left for it.
    /// `others` are the refused rows that were never sent, by row number. What goes wrong here is told, too, and
    /// makes the run a stopped one; its journal stays.
    pub fn finish(
        mut self,
        mut ending: Ending,
        others: impl Iterator<Item = io::Result<Refusal>>,
        now: Instant,
    ) -> Summary {
        self.console.end_progress();
        let is_complete = self.is_complete(&ending);
        let was_stopped = matches!(ending, Ending::Interrupted(_)) || self.traffic.requests > 0;
        if is_complete && was_stopped {
            // What would have stopped it came when all was done.
            ending = Ending::Completed;
        }
        let mut is_kept = !is_complete && !self.is_untouched(&ending);
        if let Err(e) = self.seal(&ending, is_complete) {
            is_kept = true;
            self.stop(&mut ending, e.to_string());
        }
        let mut report = None;
        match self.write_report(others) {
            Ok(written) => {
                self.remember(&written, is_kept);
                report = Some(self.failed.output.path().display().to_string());
            }
            Err(e) => {
                is_kept = true;
                self.stop(&mut ending, e.to_string());
            }
        }
        let mut summary = Summary { report, ..self.sum_up(now) };
        self.conclude(&mut summary, &ending, is_kept);
        if let Err(e) = self.write_summary(&summary) {
            is_kept = true;
            self.stop(&mut ending, e.to_string());
            self.conclude(&mut summary, &ending, is_kept);
        }
        let manner = self.console.manner();
        if !manner.quiet {
            let text = summary.text(manner.lang, self.console.look());
            self.console.put(&text);
        } else if let Some(error) = summary.error(manner.lang) {
            self.console.error(&error);
        }
        if let Some(journal) = self.journal.take_if(|_| !is_kept)
            && let Err(e) = journal.remove()
        {
            self.console.warn(&e.to_string());
        }
        summary
    }

    /// Of several reasons to stop the first is the one that explains the others.
    fn stop(&mut self, ending: &mut Ending, reason: String) {
        match ending {
            Ending::Stopped(_) => self.console.error(&reason),
            _ => *ending = Ending::Stopped(reason),
        }
    }

    /// Whether every row has its outcome, and every account that a verify asks for its answer.
    fn is_complete(&self, ending: &Ending) -> bool {
        let all_sent = self.task == Task::Verify || self.tally.unsent() == 0;
        let all_asked = self.checked.is_none_or(|checked| checked.unasked() == 0);
        *ending != Ending::DryRun && all_sent && all_asked && !self.facts.verify_follows
    }

    /// Whether the run stopped before anything was acknowledged, so that starting it again is as good.
    fn is_untouched(&self, ending: &Ending) -> bool {
        let has_stopped = matches!(ending, Ending::Stopped(_) | Ending::Interrupted(_));
        has_stopped && self.tally.imported + self.tally.skipped == 0 && !self.facts.piped
    }

    fn seal(&mut self, ending: &Ending, is_complete: bool) -> Result<(), JournalError> {
        let exit_code = ending.exit_code(&self.tally, self.checked.as_ref());
        match &mut self.journal {
            Some(journal) if is_complete => journal.finish(exit_code),
            Some(journal) => journal.sync(),
            None => Ok(()),
        }
    }

    fn write_report(
        &mut self,
        others: impl Iterator<Item = io::Result<Refusal>>,
    ) -> Result<Written, FileError> {
        let ours = self.journal.as_ref().and_then(Journal::reported);
        let sent = self.journal.iter_mut().flat_map(Journal::failed_rows);
        let found = self.findings.iter_mut().flat_map(Journal::failed_rows);
        let written = self.failed.write(merged(others, merged(sent, found)), ours, &mut Console::stdout());
        let advice = if self.journal.is_some() {
            "nothing is lost: mend it, and --resume writes the report again"
        } else {
            "give another path with --report"
        };
        let path = self.failed.output.path();
        written.map_err(|source| FileError { what: "report", path: path.into(), source, advice })
    }

    /// Says where an earlier report went; notes what this one holds, so that a resume replaces it and no other.
    fn remember(&mut self, written: &Written, is_kept: bool) {
        if let Some(moved) = &written.moved {
            self.console.note(&format!("the earlier report is now {}", moved.display()));
        }
        if let Some(journal) = self.journal.as_mut().filter(|_| is_kept)
            && let Err(e) = journal.report_written(written.stamp)
        {
            self.console.warn(&e.to_string());
        }
    }

    /// All of the summary but how the run ended and where its report is.
    fn sum_up(&mut self, now: Instant) -> Summary {
        let verify = self.checked.as_ref().filter(|_| self.task == Task::Verify);
        let (counts, settled) = if let Some(checked) = verify {
            (Counts::of_verify(&self.tally, checked), checked.total - checked.unasked())
        } else {
            let settled = self.tally.imported + self.tally.failed + self.tally.skipped - self.before;
            (Counts::of_import(&self.tally), settled)
        };
        let send = now.saturating_duration_since(self.began);
        let times = Times { plan: self.facts.planned_in, send, accounts: settled };
        Summary {
            inputs: self.facts.inputs.clone(),
            region: self.facts.region.clone(),
            endpoint: self.facts.endpoint.clone(),
            sdk_app_id: self.facts.sdk_app_id,
            import_report_command: self.facts.import_report_command.clone(),
            verified: self.checked.filter(|_| self.task == Task::Import),
            ..Summary::new(counts, std::mem::take(&mut self.traffic), times)
        }
    }

    fn conclude(&self, summary: &mut Summary, ending: &Ending, is_kept: bool) {
        summary.status = ending.status();
        summary.exit_code = ending.exit_code(&self.tally, self.checked.as_ref());
        summary.reason = if let Ending::Stopped(reason) = ending { Some(reason.clone()) } else { None };
        let journal = self.journal.as_ref().filter(|_| is_kept);
        summary.journal = journal.map(|journal| journal.path().display().to_string());
        let (resume, restart) = (&self.facts.resume_command, &self.facts.restart_command);
        summary.resume_command = journal.filter(|_| !self.input_changed).map(|_| resume.clone());
        let is_import = self.task == Task::Import;
        summary.restart_command = (self.input_changed && is_import).then(|| restart.clone());
    }

    fn write_summary(&mut self, summary: &Summary) -> Result<(), FileError> {
        if let Some(log) = &mut self.log {
            log.flush()?;
        }
        let Some(output) = &self.summary else { return Ok(()) };
        let (what, advice) = ("summary", "give another path with --summary");
        summary.write(output).map_err(|source| FileError { what, path: output.path().into(), source, advice })
    }
}
