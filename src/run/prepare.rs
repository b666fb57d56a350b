//! What an import and a verify begin with: everything read and checked, every output known to be writable.

use super::inputs::{self, Inputs};
use super::next_command;
use super::signals::Signals;
use crate::cli::Given;
use crate::config::{Config, Destination, Flaw, Service, Task};
use crate::outcome::Tally;
use crate::read::{self, Plan};
use crate::report::{
    self, Console, Ending, Facts, FailedReport, Format, Log, Output, Purpose, Report, Setup, default_path,
};
use crate::send;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What happens while the inputs are read.
enum Step {
    /// So many bytes there are in all, where that is known.
    Size(Option<u64>),
    /// So many are read.
    Read(u64),
    /// Someone asks how far it is.
    Asked,
}

/// Reads and checks everything there is to send, on a thread of its own: a pipe may keep it waiting, but nobody who
/// asks how far it is.
pub(super) fn read_all(
    config: &Config,
    journal: &Path,
    kept: Option<&Path>,
    signals: &Signals,
    console: &mut Console,
) -> Result<(Inputs, Plan, Duration), Flaw> {
    let began = Instant::now();
    let (tell, told) = std::sync::mpsc::channel();
    let tell = Arc::new(tell);
    // The steps end with the reading, not with those who may ask for it.
    let asked = Arc::downgrade(&tell);
    signals.when_asked(move || asked.upgrade().is_some_and(|tell| tell.send(Step::Asked).is_ok()));
    let read = thread::scope(|scope| {
        let reading = scope.spawn(move || {
            read(config, journal, kept, signals, &|step| {
                // Nobody is there to see it only if this process is ending.
                let _seen = tell.send(step);
            })
        });
        for step in told {
            match step {
                Step::Size(bytes) => console.show_reading(bytes),
                Step::Read(bytes) => console.reading(bytes, Instant::now()),
                Step::Asked => console.tell_reading(),
            }
        }
        reading.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    });
    console.end_progress();
    let (inputs, plan) = read?;
    if plan.rows() == 0 && config.shard.is_none() {
        return Err(Flaw::Start(anyhow::anyhow!(
            "there are no rows in {}: check that this is the right file",
            names(&inputs).join(", ")
        )));
    }
    Ok((inputs, plan, began.elapsed()))
}

fn read(
    config: &Config,
    journal: &Path,
    kept: Option<&Path>,
    signals: &Signals,
    tell: &dyn Fn(Step),
) -> Result<(Inputs, Plan), Flaw> {
    let scratch = inputs::folder_of(journal);
    let inputs = Inputs::gather(config, kept, &scratch, signals, &mut |read| tell(Step::Read(read.bytes)))?;
    let options = read::Options { inputs: inputs.list.clone(), scratch, ..config.read.clone() };
    let mut is_first = true;
    let plan = read::plan(&options, &mut |read| {
        if std::mem::take(&mut is_first) {
            tell(Step::Size(read.total_bytes));
        }
        tell(Step::Read(read.bytes));
    });
    Ok((inputs, plan.map_err(anyhow::Error::from)?))
}

fn names(inputs: &Inputs) -> Vec<String> {
    inputs.list.iter().map(|input| input.name.clone()).collect()
}

/// Everything that is written besides the journal, checked for being writable.
pub(super) fn setup(
    config: &Config,
    given: &Given,
    plan: &Plan,
    inputs: &Inputs,
    piped: Option<&Path>,
    console: Console,
) -> Result<Setup> {
    let paths = inputs.list.iter().map(|input| &input.path).chain(&config.keys);
    let paths: Vec<PathBuf> = paths.cloned().collect();
    let report = failed_report(config, plan, names(inputs));
    let summary = config.summary.as_deref().map(Output::of);
    report.output.check("report", &paths)?;
    if let Some(summary) = &summary {
        summary.check("summary", &paths)?;
    }
    each_its_own(&[
        ("--journal", Some(&inputs::journal_path(config))),
        ("--report", report.output.file()),
        ("--summary", summary.as_ref().and_then(Output::file)),
        ("--log", config.log.as_deref()),
    ])?;
    let log = config.log.as_deref().map(|path| Log::open(path, &paths)).transpose()?;
    let pipe = inputs::pipe(config).filter(|_| piped.is_some());
    let target = config.service.as_ref().map(|service| &service.target);
    let destination = config.service.as_ref().map(|service| &service.destination);
    let facts = Facts {
        inputs: names(inputs),
        region: destination.and_then(Destination::region).map(str::to_owned),
        endpoint: target.map(|target| target.endpoint.clone()),
        sdk_app_id: target.map(|target| target.sdk_app_id),
        resume_command: next_command::resume(given, pipe),
        restart_command: next_command::restart(given),
        import_report_command: match &report.output {
            Output::File(path) if !config.dry_run => Some(next_command::import_report(given, path)),
            _ => None,
        },
        piped: piped.is_some(),
        verify_follows: matches!(config.task, Task::Import { verify: Some(_), .. }),
        ..Facts::default()
    };
    let tally = Tally {
        rows: plan.rows(),
        invalid: plan.invalid(),
        duplicates: plan.duplicates(),
        conflicts: plan.conflicts(),
        ..Tally::default()
    };
    let (accounts, rate) = (plan.pending().len(), f64::from(config.rate));
    let task = match config.task {
        Task::Import { .. } => report::Task::Import,
        Task::Verify(_) => report::Task::Verify,
    };
    Ok(Setup { task, tally, accounts, rate, journal: None, console, log, report, summary, facts })
}

/// Two outputs in one file would destroy each other.
fn each_its_own(outputs: &[(&str, Option<&Path>)]) -> Result<()> {
    let resolved = |path: &Path| {
        let folder = inputs::folder_of(path).canonicalize().unwrap_or_else(|_| inputs::folder_of(path));
        path.canonicalize().unwrap_or_else(|_| folder.join(path.file_name().unwrap_or_default()))
    };
    let named: Vec<_> = outputs.iter().filter_map(|(name, path)| Some((*name, (*path)?))).collect();
    for (at, (name, path)) in named.iter().enumerate() {
        let is_a_file = !path.exists() || path.is_file();
        if let Some((other, _)) = named[..at].iter().find(|(_, earlier)| resolved(earlier) == resolved(path))
            && is_a_file
        {
            bail!("{name} and {other} are both {}: give {name} another path", path.display());
        }
    }
    Ok(())
}

fn failed_report(config: &Config, plan: &Plan, inputs: Vec<String>) -> FailedReport {
    let usual = match plan.format() {
        read::Format::Csv | read::Format::Tsv => Format::Csv,
        read::Format::Jsonl | read::Format::Json => Format::Jsonl,
    };
    let purpose = match config.task {
        Task::Import { .. } => Purpose::Failed(usual),
        Task::Verify(_) => Purpose::Verify(usual),
    };
    let default = || default_path(inputs::first(&config.files), config.shard, purpose);
    let path = config.report.clone().unwrap_or_else(default);
    FailedReport { format: Format::of(&path, usual), output: Output::of(&path), bom: plan.bom(), inputs }
}

pub(super) fn send_options(config: &Config, service: Service, task: send::Task) -> send::Options {
    send::Options {
        task,
        target: service.target,
        credential: service.credential,
        rate: config.rate,
        max_in_flight: config.max_in_flight,
        retries: config.retries,
        max_outage: config.max_outage,
        max_failed: config.max_failed,
        earlier: None,
        lang: config.manner.lang,
    }
}

/// Ends a run in which nothing is sent.
pub(super) fn finish(setup: Setup, ending: Ending, plan: &Plan, spool: Option<&Path>) -> u8 {
    close(Report::new(setup, Instant::now()), ending, plan, spool)
}

/// Writes what is left to write. The copy of a pipe goes with its journal.
pub(super) fn close(report: Report, ending: Ending, plan: &Plan, spool: Option<&Path>) -> u8 {
    let summary = report.finish(ending, plan.invalid_rows(), Instant::now());
    if let (None, Some(spool)) = (&summary.journal, spool) {
        // It may be gone already, and what it held is done.
        let _gone = std::fs::remove_file(spool);
    }
    summary.exit_code
}
