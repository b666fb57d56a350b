//! What goes next: a job that waits, listed accounts again, a new batch, or a probe.

use super::Task;
use super::engine::Engine;
use super::job::{Job, Work};
use super::split::{Search, Tried};
use crate::batch::{self, Batch};
use std::time::Instant;

/// While so many jobs wait to be sent again, no new batch is begun.
const MOST_WAITING: usize = 1000;

/// Where the next request comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    Waiting,
    Again,
    Fresh,
    Control,
}

impl Engine {
    /// What goes next, or when to ask again if that is only a matter of time.
    pub(super) fn candidate(&self, now: Instant) -> Result<Next, Option<Instant>> {
        if self.held.is_some() || self.flying.len() >= self.options.max_in_flight {
            return Err(None);
        }
        if self.outage.on() {
            return if self.outage.may_probe(now) {
                self.probe().ok_or(None)
            } else {
                Err(self.outage.due())
            };
        }
        if !self.opened && !self.flying.is_empty() {
            return Err(None);
        }
        let waiting = self.queue.next();
        if waiting.is_some_and(|at| at <= now) {
            return Ok(Next::Waiting);
        }
        let again_at = self.again_at();
        if again_at.is_some_and(|at| at <= now) {
            return Ok(Next::Again);
        }
        let may_begin = self.opened || self.started.is_none();
        if may_begin && self.may_begin_another() {
            return Ok(Next::Fresh);
        }
        Err([waiting, again_at].into_iter().flatten().min())
    }

    /// When the next batch of listed accounts is full and none of it has to wait any more. A batch may be
    /// less than full only where no more accounts come.
    fn again_at(&self) -> Option<Instant> {
        let more_come = self.fresh.is_some() || !self.input_ended;
        let last = if more_come { batch::MOST } else { self.again.len().min(batch::MOST) };
        self.again.keys().nth(last.checked_sub(1)?).map(|(at, _)| *at)
    }

    /// Whether there is a new batch, and not too much is under way already.
    fn may_begin_another(&self) -> bool {
        let waiting = self.queue.len() + self.again.len() / batch::MOST;
        self.fresh.is_some() && waiting < MOST_WAITING
    }

    /// What knocks during an outage: what waits, in turns with something that has not failed, for the
    /// silence may be one batch's own. Where no new batch is left, that is an account acknowledged before,
    /// but only for a batch that has failed in all its tries.
    fn probe(&self) -> Option<Next> {
        let hopeless = self.queue.failures().is_some_and(|failures| failures > self.options.retries);
        let other = if self.may_begin_another() {
            Some(Next::Fresh)
        } else {
            (hopeless && self.control.is_some()).then_some(Next::Control)
        };
        let failed = if self.queue.len() > 0 {
            Some(Next::Waiting)
        } else {
            (!self.again.is_empty()).then_some(Next::Again)
        };
        if self.probes.is_multiple_of(2) { failed.or(other) } else { other.or(failed) }
    }

    /// Whether there is nothing to knock with but what has failed already.
    pub(super) fn is_at_a_loss(&self) -> bool {
        self.control.is_none() && !self.may_begin_another()
    }

    pub(super) fn take(&mut self, next: Next) -> Option<Job> {
        let accounts = match next {
            Next::Waiting => return self.queue.pop(),
            Next::Again => {
                let first = std::iter::from_fn(|| self.again.pop_first());
                first.take(batch::MOST).map(|(_, tried)| tried).collect()
            }
            Next::Fresh => {
                let batch = self.fresh.take()?;
                return Some(self.begin(batch));
            }
            Next::Control => {
                let control = self.control.clone()?;
                return Some(self.job(Work::Control(vec![control.into()])));
            }
        };
        Some(self.job(Work::Import(Search::new(accounts))))
    }

    /// The job that a batch begins with.
    fn begin(&mut self, batch: Batch) -> Job {
        let accounts: Vec<Tried> = batch.accounts.into_iter().map(Tried::from).collect();
        let known = match &self.options.task {
            Task::Import => return self.job(Work::Import(Search::new(accounts))),
            Task::Verify { .. } => return self.job(Work::Check(Search::new(accounts))),
            Task::ImportAbsent { known } => known,
        };
        let (absent, unknown): (Vec<_>, Vec<_>) =
            accounts.into_iter().partition(|tried| known.contains(tried.account.place.row));
        if unknown.is_empty() {
            return self.job(Work::Import(Search::new(absent)));
        }
        if !absent.is_empty() {
            let job = self.job(Work::Import(Search::new(absent)));
            self.queue.push(Instant::now(), job);
        }
        self.job(Work::Check(Search::new(unknown)))
    }

    /// A new job under the next number.
    pub(super) fn job(&mut self, work: Work) -> Job {
        self.numbered += 1;
        Job::new(self.numbered, work, self.acknowledged)
    }
}
