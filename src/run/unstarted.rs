//! The summary of a run that could not start: what reads it must not take that of an earlier run for it.

use super::chain;
use super::earlier::Unfinished;
use super::inputs;
use crate::cli;
use crate::config::Flaw;
use crate::report::{Ending, JournalError, Output, Signal, Summary, Task};
use std::path::{Path, PathBuf};

/// What is known of a run before it starts.
#[derive(Clone)]
pub(super) struct Unstarted {
    summary: Option<PathBuf>,
    /// What else was named as a file of the run.
    others: Vec<PathBuf>,
    task: Task,
    inputs: Vec<String>,
    region: Option<String>,
    sdk_app_id: Option<u64>,
}

impl Unstarted {
    pub(super) fn import(import: &cli::Import) -> Self {
        let journal = import.resume.journal.as_ref();
        Self::new(Task::Import, &import.files, &import.service, &import.output, journal)
    }

    pub(super) fn verify(verify: &cli::Verify) -> Self {
        Self::new(Task::Verify, &verify.files, &verify.service, &verify.output, None)
    }

    fn new(
        task: Task,
        files: &[PathBuf],
        service: &cli::Service,
        output: &cli::Output,
        journal: Option<&PathBuf>,
    ) -> Self {
        let others = files.iter().chain(journal).chain(&output.report).chain(&output.log);
        let others = others.chain(&service.secret_key_file).chain(&service.ca_cert);
        Self {
            summary: output.summary.clone(),
            others: others.cloned().collect(),
            task,
            inputs: inputs::names(files),
            region: service.region.clone(),
            sdk_app_id: service.sdk_app_id,
        }
    }

    /// Writes the summary if the run did not start. What goes wrong with that is not told: there is a reason to
    /// tell already.
    pub(super) fn tell(&self, done: Result<u8, Flaw>) -> Result<u8, Flaw> {
        if let (Err(Flaw::Start(error)), Some(path)) = (&done, &self.summary)
            // That of the process that has the journal is still to come.
            && !matches!(error.downcast_ref(), Some(JournalError::Locked { .. }))
            && self.is_free(path)
        {
            let unfinished = error.downcast_ref::<Unfinished>();
            let _written = Summary {
                journal: unfinished.map(|unfinished| unfinished.journal.display().to_string()),
                resume_command: unfinished.map(|unfinished| unfinished.resume.clone()),
                ..self.summed_up(Ending::Stopped(chain(error)))
            }
            .replace(&Output::of(path));
        }
        done
    }

    /// The same of a run that is ended by a signal while its input is read.
    pub(super) fn interrupted(&self, signal: Signal) {
        if let Some(path) = self.summary.as_ref().filter(|path| self.is_free(path)) {
            let _written = self.summed_up(Ending::Interrupted(signal)).replace(&Output::of(path));
        }
    }

    /// No other file of this run.
    fn is_free(&self, path: &Path) -> bool {
        path == Path::new("-") || !self.others.iter().any(|other| other == path)
    }

    fn summed_up(&self, ending: Ending) -> Summary {
        Summary {
            inputs: self.inputs.clone(),
            region: self.region.clone(),
            sdk_app_id: self.sdk_app_id,
            ..Summary::unstarted(self.task, ending)
        }
    }
}
