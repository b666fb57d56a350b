//! A verify: read → ask → report.

use super::inputs;
use super::prepare::{self, close, finish};
use super::sending::send_all;
use super::stage::Stage;
use super::unstarted::Unstarted;
use super::words;
use crate::cli::Given;
use crate::config::{Config, Flaw, Profiles, Task};
use crate::report::{Ending, Report};
use crate::send;
use std::time::Instant;

/// Asks the service for every account; gives the exit code.
pub(super) fn verify(mut config: Config, given: &Given, unstarted: &Unstarted) -> Result<u8, Flaw> {
    let (mut stage, mut console) = Stage::set(&mut config, unstarted)?;
    let journal_path = inputs::journal_path(&config);
    let (inputs, plan, planned) =
        prepare::read_all(&config, &journal_path, None, &stage.signals, &mut console)?;
    words::tell_plan(&plan, &mut console);
    let mut setup = prepare::setup(&config, given, &plan, &inputs, None, console)?;
    setup.facts.planned_in = planned;
    let service = match (words::unsendable(&config, &plan), config.service.take()) {
        (Some(reason), _) => return Ok(finish(setup, Ending::Stopped(reason), &plan, None)),
        (None, None) => return Ok(finish(setup, Ending::DryRun, &plan, None)),
        (None, Some(service)) => service,
    };
    setup.console.note(&words::announcement(&config, &service, setup.accounts));
    let profiles = config.task == Task::Verify(Profiles::Compare);
    let options = prepare::send_options(&config, service, send::Task::Verify { profiles });
    let mut report = Report::new(setup, Instant::now());
    let rows = plan.pending().clone();
    let ending = stage.runtime.block_on(send_all(options, &plan, rows, &mut report, &mut stage.signals));
    stage.signals.end_at_once();
    Ok(close(report, ending, &plan, None))
}
