//! The part of an import that waits: sender, reader and report side by side, and signals between them.

use super::signals::{Heard, Signals};
use crate::batch::Batch;
use crate::event::Event;
use crate::read::{self, Batches, Plan};
use crate::report::{Ending, Report, ReportError, Signal};
use crate::rows::RowSet;
use crate::send::{self, Stop};
use std::time::Instant;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};

/// Batches read ahead of the sender.
const READ_AHEAD: usize = 32;
/// Events that the sender may be ahead of the report.
const TELL_AHEAD: usize = 256;

/// Sends, or asks for, these rows of the plan; the report hears of it all. Gives how it ended.
pub(super) async fn send_all(
    options: send::Options,
    plan: &Plan,
    rows: RowSet,
    report: &mut Report,
    signals: &mut Signals,
) -> Ending {
    let (batches, to_send) = mpsc::channel(READ_AHEAD);
    let (tell, mut events) = mpsc::channel(TELL_AHEAD);
    let (stop, stopped) = watch::channel(None);
    let reading = plan.batches_of(rows);
    let mut reader = tokio::task::spawn_blocking(move || read_ahead(reading, &batches));
    let sender = tokio::spawn(send::send(options, to_send, tell, stopped));
    signals.wait_in_order();
    let (mut signal, mut broken) = (None, None);
    let (mut all_told, mut read) = (false, None);
    // Where much is skipped, the reader may be far from its end when the sender is not.
    while !all_told || read.is_none() {
        let due = report.next_due().map(tokio::time::Instant::from_std);
        tokio::select! {
            event = events.recv(), if !all_told => match event {
                Some(event) => note(take(report, event, &mut broken), &mut broken, &stop),
                None => all_told = true,
            },
            ended = &mut reader, if read.is_none() => read = Some(ended),
            () = until(due), if broken.is_none() => note(report.tick(Instant::now()), &mut broken, &stop),
            heard = signals.next() => match (heard, signal) {
                (Heard::State, _) => report.tell_state(Instant::now()),
                (Heard::Stop(first), None) => {
                    signal = Some(first);
                    report.console().note("stopping: what is under way ends first; once more to stop at once");
                    stop.send_replace(Some(Stop::Interrupted));
                }
                (Heard::Stop(_), Some(first)) => stop_at_once(report, signals, first),
            },
        }
    }
    let end = sender.await;
    match read {
        Some(Ok(Read::AsPlanned)) | None => {}
        Some(Ok(Read::Changed)) => report.input_changed(),
        Some(Err(error)) => {
            broken.get_or_insert(format!("the reader broke down: {error}; go on with --resume"));
        }
    }
    match (broken, end, signal) {
        (Some(reason), _, _) | (None, Ok(Some(Stop::Because(reason))), _) => Ending::Stopped(reason),
        (None, Err(error), _) => {
            Ending::Stopped(format!("the sender broke down: {error}; go on with --resume"))
        }
        // The signal may have come when all was sent; something may be left to do after that.
        (None, Ok(Some(Stop::Interrupted) | None), Some(signal)) => Ending::Interrupted(signal),
        (None, Ok(Some(Stop::Interrupted)), None) => {
            Ending::Stopped("the sender was stopped; go on with --resume".into())
        }
        (None, Ok(None), None) => Ending::Completed,
    }
}

/// Leaves report and summary to a resume.
fn stop_at_once(report: &mut Report, signals: &Signals, signal: Signal) -> ! {
    report.console().end_progress();
    report.console().note("stopped at once, without a report; --resume goes on with an import");
    signals.leave(signal)
}

/// Keeps the sender in batches. They are read several at a time, so that the reader is not woken for each.
fn read_ahead(mut reading: Batches, batches: &mpsc::Sender<Result<Batch, String>>) -> Read {
    let mut read = Read::AsPlanned;
    // An error: the sender has stopped and wants no more.
    while let Ok(room) = Handle::current().block_on(batches.reserve_many(READ_AHEAD / 2)) {
        for place in room {
            let Some(batch) = reading.next() else { return read };
            if let Err(read::Error::Changed { .. }) = batch {
                read = Read::Changed;
            }
            place.send(batch.map_err(|e| e.to_string()));
        }
    }
    read
}

/// How the second reading went.
enum Read {
    /// As far as it went, the inputs were what they had been.
    AsPlanned,
    /// They were not, so no resume will take them.
    Changed,
}

/// After the report has failed, what the sender still tells is not written down, so it does not count.
fn take(report: &mut Report, event: Event, broken: &mut Option<String>) -> Result<(), ReportError> {
    if broken.is_some() { Ok(()) } else { report.take(event, Instant::now()) }
}

/// The first failure of the report stops the sender.
fn note(result: Result<(), ReportError>, broken: &mut Option<String>, stop: &watch::Sender<Option<Stop>>) {
    if let Err(error) = result
        && broken.is_none()
    {
        stop.send_replace(Some(Stop::Because(error.to_string())));
        *broken = Some(error.to_string());
    }
}

async fn until(due: Option<tokio::time::Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
