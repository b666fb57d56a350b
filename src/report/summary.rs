//! The summary: what became of all rows, for a program as JSON.

mod text;

use super::ending::{Checked, Ending};
use super::traffic::{Latency, Traffic};
use super::{Console, Output, Task};
use crate::error_code::Code;
use crate::outcome::Tally;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What became of a run. Its JSON keys are fixed, and in this order.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// Of this schema.
    pub version: u32,
    /// `completed`, `stopped`, `interrupted` or `dry-run`.
    pub status: &'static str,
    /// What the process ends with.
    pub exit_code: u8,
    /// Why it stopped, and what to do.
    pub reason: Option<String>,
    /// As they were named.
    pub inputs: Vec<String>,
    /// The region's name.
    pub region: Option<String>,
    /// The URL that requests went to.
    pub endpoint: Option<String>,
    /// The app.
    pub sdk_app_id: Option<u64>,
    /// Of the whole run, resumes included.
    #[serde(flatten)]
    pub counts: Counts,
    /// Of this process, as all that follow.
    pub requests: u64,
    /// Requests whose accounts had been sent before.
    pub retries: u64,
    /// What came back, but for OK.
    #[serde(serialize_with = "by_name")]
    pub codes: BTreeMap<Code, u64>,
    /// Reading and checking, in seconds.
    pub plan_s: f64,
    /// Sending, in seconds.
    pub send_s: f64,
    /// Requests after the first over `send_s`: as n requests are n − 1 steps apart, never more than the pace.
    pub requests_per_s: f64,
    /// Accounts that reached their outcome over `send_s`.
    pub accounts_per_s: f64,
    /// Of the answers.
    pub latency_ms: Latency,
    /// Where the report is; `-` is stdout.
    pub report: Option<String>,
    /// Where the journal is, unless it was removed.
    pub journal: Option<String>,
    /// Goes on with the run, if there is something to go on with.
    pub resume_command: Option<String>,
    /// Begins anew, where there is no going on: for people.
    #[serde(skip)]
    pub restart_command: Option<String>,
    /// What the verify after an import found; the JSON has it in `exit_code` alone.
    #[serde(skip)]
    pub verified: Option<Checked>,
    /// Imports the report, if it has rows; for people, who mend it first.
    #[serde(skip)]
    pub import_report_command: Option<String>,
}

/// Every row is in one of these, but for `conflicts`, which are a part of `duplicates`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
#[expect(missing_docs, reason = "the words are those of `Outcome`")]
pub enum Counts {
    Import {
        rows: u64,
        imported: u64,
        failed: u64,
        invalid: u64,
        duplicates: u64,
        conflicts: u64,
        skipped: u64,
        unsent: u64,
    },
    Verify {
        rows: u64,
        present: u64,
        missing: u64,
        different: u64,
        invalid: u64,
        duplicates: u64,
        unsent: u64,
    },
}

impl Counts {
    pub(super) fn of_import(tally: &Tally) -> Self {
        let Tally { rows, imported, failed, invalid, duplicates, conflicts, skipped } = *tally;
        let unsent = tally.unsent();
        Self::Import { rows, imported, failed, invalid, duplicates, conflicts, skipped, unsent }
    }

    pub(super) fn of_verify(tally: &Tally, checked: &Checked) -> Self {
        let Tally { rows, invalid, duplicates, .. } = *tally;
        let Checked { present, missing, different, .. } = *checked;
        let unsent = rows - invalid - duplicates - present - missing - different;
        Self::Verify { rows, present, missing, different, invalid, duplicates, unsent }
    }
}

/// How long things took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    pub(super) plan: Duration,
    pub(super) send: Duration,
    /// Accounts that reached their outcome in `send`.
    pub(super) accounts: u64,
}

impl Summary {
    /// With what is known of the traffic; the rest is the caller's to say.
    pub(super) fn new(counts: Counts, mut traffic: Traffic, times: Times) -> Self {
        let per_second = |count: u64| match times.send.as_secs_f64() {
            0.0 => 0.0,
            seconds => rounded(count as f64 / seconds, 10.0),
        };
        Self {
            version: 1,
            status: "completed",
            exit_code: 0,
            reason: None,
            inputs: Vec::new(),
            region: None,
            endpoint: None,
            sdk_app_id: None,
            counts,
            requests: traffic.requests,
            retries: traffic.retries,
            latency_ms: traffic.latency(),
            codes: traffic.codes,
            plan_s: rounded(times.plan.as_secs_f64(), 1000.0),
            send_s: rounded(times.send.as_secs_f64(), 1000.0),
            requests_per_s: per_second(traffic.requests.saturating_sub(1)),
            accounts_per_s: per_second(times.accounts),
            report: None,
            journal: None,
            resume_command: None,
            restart_command: None,
            verified: None,
            import_report_command: None,
        }
    }

    /// Of a run that ended so before it started.
    pub fn unstarted(task: Task, ending: Ending) -> Self {
        let (tally, nothing) = (Tally::default(), Duration::ZERO);
        let counts = match task {
            Task::Import => Counts::of_import(&tally),
            Task::Verify => Counts::of_verify(&tally, &Checked::default()),
        };
        Self {
            status: ending.status(),
            exit_code: ending.exit_code(&tally, None),
            reason: if let Ending::Stopped(reason) = ending { Some(reason) } else { None },
            ..Self::new(counts, Traffic::default(), Times { plan: nothing, send: nothing, accounts: 0 })
        }
    }

    /// Writes it in the place of an earlier one, or where there is nothing. Any other file is left as it is, and so
    /// is the summary of a run that can be gone on with.
    pub fn replace(&self, output: &Output) -> io::Result<()> {
        match output.file() {
            Some(path) if path.exists() && !is_over(path) => Ok(()),
            _ => self.write(output),
        }
    }

    /// Writes it as JSON.
    pub(super) fn write(&self, output: &Output) -> io::Result<()> {
        output.write(&mut Console::stdout(), |mut out| {
            serde_json::to_writer_pretty(&mut out, self)?;
            out.write_all(b"\n")
        })
    }
}

/// Whether this is the summary of a run that left nothing to go on with.
fn is_over(path: &Path) -> bool {
    #[derive(Deserialize)]
    struct Earlier {
        #[serde(rename = "version")]
        _version: u32,
        #[serde(rename = "status")]
        _status: String,
        journal: Option<PathBuf>,
    }
    let file = path.is_file().then(|| File::open(path).ok()).flatten();
    let earlier = file.and_then(|file| serde_json::from_reader::<_, Earlier>(BufReader::new(file)).ok());
    earlier.is_some_and(|earlier| earlier.journal.is_none_or(|journal| !journal.exists()))
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

fn by_name<S: serde::Serializer>(codes: &BTreeMap<Code, u64>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(codes.iter().map(|(code, count)| (code.to_string(), count)))
}

#[cfg(test)]
mod tests;
