//! An earlier run's journal: refused, taken up, or forgotten.

use super::{inputs, next_command};
use crate::cli::Given;
use crate::config::Config;
use crate::outcome::Tally;
use crate::read::Plan;
use crate::report::{Console, Header, Journal, Opened, Peek, counted, number};
use crate::rows::RowSet;
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};

/// Looks for the journal of an earlier run before anything is read. One that nobody said what to do with
/// ends the run. What comes back is to be resumed.
pub(super) fn find(
    config: &Config,
    path: &Path,
    given: &Given,
    console: &mut Console,
) -> Result<Option<Peek>> {
    if config.service.is_none() || config.restart {
        return Ok(None);
    }
    match Journal::peek(path)? {
        Some(peek) if config.resume => with_its_spool(peek, path, console),
        Some(peek) => Err(Unfinished::new(&peek, path, config, given).into()),
        None => {
            if config.resume {
                console.note(&format!("there is no journal {} to resume: this is a new run", path.display()));
            }
            Ok(None)
        }
    }
}

/// A run whose pipe was not kept can't go on. The copy gets its name after the journal is begun and before
/// anything is sent, so a process killed in between has left nothing to resume. It lies beside the journal, wherever
/// that was moved to, or named from.
fn with_its_spool(mut peek: Peek, path: &Path, console: &mut Console) -> Result<Option<Peek>> {
    let beside = inputs::spool_path(path);
    if let Some(spool) = peek.header.spool.as_mut().filter(|spool| !spool.exists() && beside.exists()) {
        *spool = beside;
    }
    let Some(spool) = peek.header.spool.as_deref().filter(|spool| !spool.exists()) else {
        return Ok(Some(peek));
    };
    if peek.imported + peek.skipped + peek.failed > 0 || peek.finished.is_some() {
        bail!(
            "{}, the copy of what came through the pipe, is gone: put it back, or pipe the same again with --restart",
            spool.display()
        );
    }
    console.note(&format!("nothing was sent under the journal {}: this is a new run", path.display()));
    Ok(None)
}

/// There is an earlier run, and nobody said what to do with it.
#[derive(Debug, thiserror::Error)]
#[error("{told}")]
pub(super) struct Unfinished {
    /// What is there, and both ways on.
    told: String,
    /// Where it is.
    pub(super) journal: PathBuf,
    /// Goes on with it.
    pub(super) resume: String,
}

impl Unfinished {
    fn new(peek: &Peek, path: &Path, config: &Config, given: &Given) -> Self {
        let Peek { header, started, finished, .. } = peek;
        let [imported, skipped, failed] = [peek.imported, peek.skipped, peek.failed].map(number);
        let state = match finished {
            Some(_) => "has sent everything, but has no report yet",
            None => "is unfinished",
        };
        let pipe = inputs::pipe(config).filter(|_| header.spool.is_some());
        let mut told = vec![format!(
            "the run that began {started} {state} ({}): of {} {imported} are imported, {skipped} skipped and \
             {failed} failed",
            path.display(),
            counted(header.rows, "row", "rows"),
        )];
        if header.spool.is_none() && header.inputs != inputs::names(&config.files) {
            told.push(format!(
                "it is a run of {}: if that is another input, end it first, or give this one a --journal of its own",
                header.inputs.join(", ")
            ));
        }
        let begun =
            elsewhere(header, config).map(|option| next_command::aimed_at(given, option, header.sdk_app_id));
        if begun.is_some() {
            let Header { sdk_app_id, service, .. } = header;
            told.push(format!("it goes to app {sdk_app_id} at {service}, which this one does not"));
        }
        let resume = next_command::resume(begun.as_ref().unwrap_or(given), pipe);
        let restart = next_command::restart(given);
        told.push(format!("go on with it:\n  {resume}\nor begin anew:\n  {restart}"));
        Self { told: told.join("\n"), journal: path.into(), resume }
    }
}

/// The option that says where the earlier run goes, if this one goes to another app or service.
fn elsewhere<'a>(header: &'a Header, config: &Config) -> Option<(&'a str, &'a str)> {
    let service = config.service.as_ref()?;
    let is_here =
        header.service == service.destination.name() && header.sdk_app_id == service.target.sdk_app_id;
    let option = if header.service.contains("://") { "endpoint" } else { "region" };
    (!is_here).then_some((option, &header.service))
}

/// A journal to write to, and whether an earlier process had sent everything already.
pub(super) struct Begun {
    pub(super) journal: Journal,
    pub(super) finished: bool,
    /// Rows that the service did not hold when the run first asked.
    pub(super) absent: RowSet,
}

/// Takes up the earlier run, so that the plan holds no more than what is left of it, or begins a new one; `anew`
/// where a journal that is there is of no use.
pub(super) fn begin(
    resumed: bool,
    anew: bool,
    path: &Path,
    header: &Header,
    plan: &mut Plan,
    tally: &mut Tally,
) -> Result<Begun> {
    if !resumed {
        let journal = if anew { Journal::restart(path, header) } else { Journal::create(path, header) };
        return Ok(Begun { journal: journal?, finished: false, absent: RowSet::new() });
    }
    let Opened { journal, header: earlier, imported, skipped, failed, absent, finished, .. } =
        Journal::open(path)?;
    if let Some(difference) = earlier.differs_from(header) {
        bail!(
            "this is not the run of the journal {}: {difference}; run it as it was with --resume, or begin anew with --restart",
            path.display()
        );
    }
    if imported.len() + skipped.len() + failed.len() > plan.accounts() {
        bail!(
            "the journal {} counts accounts that the input does not have: begin anew with --restart",
            path.display()
        );
    }
    let mut settle = |rows: &RowSet| {
        for row in rows.iter() {
            plan.settle(row);
        }
        rows.len()
    };
    (tally.imported, tally.skipped, tally.failed) = (settle(&imported), settle(&skipped), settle(&failed));
    Ok(Begun { journal, finished: finished.is_some(), absent })
}
