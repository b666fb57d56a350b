//! An import: read → send → report. The only file that knows the order.

use super::earlier::{self, Begun};
use super::inputs;
use super::prepare::{self, close, finish};
use super::sending::send_all;
use super::stage::Stage;
use super::unstarted::Unstarted;
use super::words;
use crate::cli::Given;
use crate::config::{Config, Flaw, Profiles, Service, Task};
use crate::read::Plan;
use crate::report::{Ending, Header, Report};
use crate::rows::RowSet;
use crate::send;
use anyhow::anyhow;
use std::path::Path;
use std::time::Instant;

/// Runs an import to its end; gives the exit code.
pub(super) fn import(mut config: Config, given: &Given, unstarted: &Unstarted) -> Result<u8, Flaw> {
    let began = Instant::now();
    let (mut stage, mut console) = Stage::set(&mut config, unstarted)?;

    let journal_path = inputs::journal_path(&config);
    let earlier = earlier::find(&config, &journal_path, given, &mut console)?;
    let kept = earlier.as_ref().and_then(|peek| peek.header.spool.clone());
    match &kept {
        Some(spool) => console.note(&words::from_the_copy(spool, inputs::pipe(&config))),
        None => inputs::refuse_terminal(&config.files)?,
    }
    let (mut inputs, mut plan, planned) =
        prepare::read_all(&config, &journal_path, kept.as_deref(), &stage.signals, &mut console)?;
    let piped = kept.or_else(|| inputs.spool.is_some().then(|| inputs::spool_path(&journal_path)));
    words::tell_plan(&plan, &mut console);
    let mut setup = prepare::setup(&config, given, &plan, &inputs, piped.as_deref(), console)?;
    setup.facts.planned_in = planned;

    if let (Some(reason), true) = (words::unsendable(&config, &plan), earlier.is_some()) {
        // What the earlier process has done is not this one's to report on.
        return Err(Flaw::Start(anyhow!("{reason}; nothing is resumed")));
    }
    let service = match (words::unsendable(&config, &plan), config.service.take()) {
        (Some(reason), _) => return Ok(finish(setup, Ending::Stopped(reason), &plan, None)),
        (None, None) => return Ok(finish(setup, Ending::DryRun, &plan, None)),
        (None, Some(service)) => service,
    };
    let header = header(&config, &service, &plan, &setup.facts.inputs, piped.as_deref());
    let all = plan.pending().clone();
    let resumed = earlier.is_some();
    let anew = config.restart || config.resume;
    let took_over = journal_path.exists();
    stage.signals.wait_in_order();
    let Begun { journal, finished, absent } =
        earlier::begin(resumed, anew, &journal_path, &header, &mut plan, &mut setup.tally)?;
    (setup.journal, setup.accounts) = (Some(journal), plan.pending().len());
    if let (Some(spool), Some(path)) = (inputs.spool.take(), &piped) {
        let temporary = spool.path().to_owned();
        plan.moved(&temporary, &spool.persist(path).map_err(anyhow::Error::from)?);
        stage.signals.remove_at_exit(None);
    }
    if !finished {
        setup.console.note(&words::announcement(&config, &service, setup.accounts));
    }
    let earlier = took_over.then_some(send::Earlier { began, acknowledged: setup.tally.imported > 0 });
    let mut report = Report::new(setup, Instant::now());
    let ending = stage.runtime.block_on(async {
        let signals = &mut stage.signals;
        let mut ending = Ending::Completed;
        if !finished {
            let options = prepare::send_options(&config, service.clone(), task(&config, absent));
            let options = send::Options { earlier, ..options };
            ending = send_all(options, &plan, plan.pending().clone(), &mut report, signals).await;
        }
        if let (Task::Import { verify: Some(profiles), .. }, Ending::Completed) = (config.task, &ending) {
            let rows = begin_verify(all, &mut report);
            let task = send::Task::Verify { profiles: profiles == Profiles::Compare };
            let earlier = Some(send::Earlier { began: Instant::now(), acknowledged: true });
            let options = send::Options { earlier, ..prepare::send_options(&config, service, task) };
            ending = send_all(options, &plan, rows, &mut report, signals).await;
        }
        ending
    });
    stage.signals.end_at_once();
    words::tell_changed(&inputs, report.console());
    Ok(close(report, ending, &plan, piped.as_deref()))
}

fn task(config: &Config, absent: RowSet) -> send::Task {
    match config.task {
        Task::Import { skip_existing: true, .. } => send::Task::ImportAbsent { known: absent },
        _ => send::Task::Import,
    }
}

/// After an import the service is asked for every account of the plan that it took. Those that it had already it
/// was asked for before, and they keep the Nick and FaceUrl that they have.
fn begin_verify(mut rows: RowSet, report: &mut Report) -> RowSet {
    for row in report.not_imported().iter() {
        rows.remove(row);
    }
    report.begin_verify(rows.len());
    report.console().note("imported; now the service is asked for every account");
    rows
}

/// What a resume must find the same.
fn header(
    config: &Config,
    service: &Service,
    plan: &Plan,
    inputs: &[String],
    spool: Option<&Path>,
) -> Header {
    Header {
        digest: plan.digest(),
        inputs: inputs.to_vec(),
        rows: plan.rows(),
        all_rows: plan.all_rows(),
        plan: config.shape.clone(),
        sdk_app_id: service.target.sdk_app_id,
        service: service.destination.name().to_owned(),
        spool: spool.map(Path::to_owned),
    }
}
