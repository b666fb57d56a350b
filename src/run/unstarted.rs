//! The summary of a run that could not start: what reads it must not take that of an earlier run for it.

use super::chain;
use super::earlier::Unfinished;
use crate::cli;
use crate::config::Flaw;
use crate::report::{Output, Summary, Task};
use std::path::PathBuf;

/// What is known of a run before it starts.
pub(super) struct Unstarted {
    summary: Option<PathBuf>,
    task: Task,
    files: Vec<PathBuf>,
    region: Option<String>,
    sdk_app_id: Option<u64>,
}

impl Unstarted {
    pub(super) fn import(import: &cli::Import) -> Self {
        Self::new(Task::Import, &import.files, &import.service, &import.output)
    }

    pub(super) fn verify(verify: &cli::Verify) -> Self {
        Self::new(Task::Verify, &verify.files, &verify.service, &verify.output)
    }

    fn new(task: Task, files: &[PathBuf], service: &cli::Service, output: &cli::Output) -> Self {
        let (region, sdk_app_id) = (service.region.clone(), service.sdk_app_id);
        Self { summary: output.summary.clone(), task, files: files.to_vec(), region, sdk_app_id }
    }

    /// Writes the summary if the run did not start. What goes wrong with that is not told: there is a reason to
    /// tell already.
    pub(super) fn tell(self, done: Result<u8, Flaw>) -> Result<u8, Flaw> {
        if let (Err(Flaw::Start(error)), Some(path)) = (&done, &self.summary) {
            let unfinished = error.downcast_ref::<Unfinished>();
            let summary = Summary {
                inputs: self.files.iter().map(|file| file.display().to_string()).collect(),
                region: self.region,
                sdk_app_id: self.sdk_app_id,
                journal: unfinished.map(|unfinished| unfinished.journal.display().to_string()),
                resume_command: unfinished.map(|unfinished| unfinished.resume.clone()),
                ..Summary::unstarted(self.task, chain(error))
            };
            let _written = summary.replace(&Output::of(path));
        }
        done
    }
}
