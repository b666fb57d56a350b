//! A job: one batch, or one account asked alone, from its first request to its last answer.

use super::body;
use super::client::Command;
use super::split::{Search, Tried};
use crate::error_code::Code;
use crate::outcome::{Outcome, Refusal};
use std::collections::BTreeMap;
use std::time::Instant;

/// What a job sends.
#[derive(Debug)]
pub(super) enum Work {
    /// A batch, in pieces once it was refused.
    Import(Search),
    /// A batch that the service is asked for: which of its accounts are there?
    Check(Search),
    /// A batch that the service is asked for: which Nick and FaceUrl do its accounts have?
    Compare(Search),
    /// An account that `FailAccounts` listed in all its tries, to hear the reason.
    Ask(Vec<Tried>),
    /// An account acknowledged before, to learn whether the service still works. Importing it again
    /// sets the values that it has.
    Control(Vec<Tried>),
}

/// Work on its way, at most one request of it at a time.
#[derive(Debug)]
pub(super) struct Job {
    /// A name for logs.
    pub(super) batch: u64,
    pub(super) work: Work,
    /// The first batch of the run.
    pub(super) first: bool,
    /// Accounts it began with.
    pub(super) total: usize,
    /// Requests sent for it.
    pub(super) requests: u32,
    /// Requests in a row that led nowhere; they stretch the backoff.
    pub(super) failures: u32,
    /// Tries of this piece that count: see [`Job::count_try`].
    pub(super) tries: u32,
    /// What the run's count of acknowledgements was when a try last counted.
    seen: u64,
    /// A piece of it had no answer in all its tries.
    pub(super) mute: bool,
    /// Answers with a code whose tries are bounded.
    strikes: u32,
    /// Failures, kept until the batch has had all its answers.
    pub(super) failed: Vec<Refusal>,
}

impl Job {
    pub(super) fn new(batch: u64, work: Work, acknowledged: u64) -> Self {
        let mut job = Self {
            batch,
            work,
            first: false,
            total: 0,
            requests: 0,
            failures: 0,
            tries: 0,
            seen: acknowledged,
            mute: false,
            strikes: 0,
            failed: Vec::new(),
        };
        job.total = job.accounts().len();
        job
    }

    /// The accounts of the next request, or of the one under way.
    pub(super) fn accounts(&mut self) -> &mut [Tried] {
        match &mut self.work {
            Work::Import(search) | Work::Check(search) | Work::Compare(search) => {
                search.piece().map_or(&mut [], Vec::as_mut_slice)
            }
            Work::Ask(accounts) | Work::Control(accounts) => accounts,
        }
    }

    /// The command and the body of the next request.
    pub(super) fn request(&mut self) -> (Command, Vec<u8>) {
        let command = match self.work {
            Work::Import(_) => Command::MultiaccountImport,
            Work::Check(_) => Command::AccountCheck,
            Work::Compare(_) => Command::PortraitGet,
            Work::Ask(_) | Work::Control(_) => Command::AccountImport,
        };
        let accounts = self.accounts();
        let body = match command {
            Command::MultiaccountImport => body::many(accounts),
            Command::AccountImport => body::one(&accounts[0]),
            Command::AccountCheck => body::check(accounts),
            Command::PortraitGet => body::profiles(accounts),
        };
        (command, body)
    }

    /// The request went through: its accounts.
    pub(super) fn accepted(&mut self) -> Vec<Tried> {
        match &mut self.work {
            Work::Import(search) | Work::Check(search) | Work::Compare(search) => search.accepted(),
            Work::Ask(accounts) | Work::Control(accounts) => std::mem::take(accounts),
        }
    }

    /// The request was refused for good: the account, if it stood alone.
    pub(super) fn refused(&mut self) -> Option<Tried> {
        match &mut self.work {
            Work::Import(search) | Work::Check(search) | Work::Compare(search) => search.refused(),
            Work::Ask(accounts) => accounts.pop(),
            Work::Control(accounts) => {
                accounts.clear();
                None
            }
        }
    }

    /// The request had no answer in all its tries: the account, if it stood alone.
    pub(super) fn unanswered(&mut self) -> Option<Tried> {
        self.mute = true;
        match &mut self.work {
            Work::Import(search) | Work::Check(search) | Work::Compare(search) => search.unanswered(),
            Work::Ask(accounts) => accounts.pop(),
            Work::Control(accounts) => {
                accounts.clear();
                None
            }
        }
    }

    /// The request led nowhere again and again, and nothing else is there to try: a part of it may go through.
    pub(super) fn look_elsewhere(&mut self) {
        match &mut self.work {
            Work::Import(search) | Work::Check(search) | Work::Compare(search) => search.look_elsewhere(),
            Work::Ask(_) | Work::Control(_) => {}
        }
    }

    /// Another piece is next: its tries begin anew.
    pub(super) fn next_piece(&mut self, acknowledged: u64) {
        (self.failures, self.tries, self.strikes, self.seen) = (0, 0, 0, acknowledged);
    }

    /// A try without an answer counts only if the service acknowledged something since the one before:
    /// while it acknowledges nothing, the silence says nothing about these accounts. True if this was
    /// the last try. Half a batch that was never answered is cut again after one: what matters is the
    /// account alone, which has all its tries.
    pub(super) fn count_try(&mut self, acknowledged: u64, retries: u32) -> bool {
        self.failures = self.failures.saturating_add(1);
        if acknowledged > self.seen {
            self.seen = acknowledged;
            self.tries += 1;
        }
        let in_search = self.mute && self.accounts().len() > 1;
        self.tries > if in_search { 0 } else { retries }
    }

    /// Whether the service acknowledged something since the last try that counted.
    pub(super) fn seen_less_than(&self, acknowledged: u64) -> bool {
        acknowledged > self.seen
    }

    /// A code whose tries are bounded came. True if this was the last of them.
    pub(super) fn strike(&mut self, tries: u32) -> bool {
        self.strikes += 1;
        self.strikes >= tries
    }

    /// The one code that refused every account of the batch, if it is so.
    pub(super) fn refused_whole(&self) -> Option<Code> {
        let code = self.failed.first()?.code?;
        let whole = self.failed.len() == self.total && self.failed.iter().all(|f| f.code == Some(code));
        (whole && matches!(code, Code::Service(_) | Code::Http(_))).then_some(code)
    }
}

/// The report's row for an account that failed.
pub(super) fn refusal(tried: Tried, code: Code, info: String) -> Refusal {
    Refusal { code: Some(code), ..finding(tried, Outcome::Failed, info) }
}

/// The report's row for an account that is not as it should be.
pub(super) fn finding(tried: Tried, outcome: Outcome, info: String) -> Refusal {
    let account = tried.account;
    Refusal {
        place: account.place,
        user_id: account.user_id,
        nick: account.nick,
        face_url: account.face_url,
        outcome,
        code: None,
        info: info.into(),
        attempts: tried.attempts,
        raw: None,
    }
}

/// Jobs that wait, each for its instant.
#[derive(Default)]
pub(super) struct Queue {
    jobs: BTreeMap<(Instant, u64), Job>,
    entered: u64,
}

impl Queue {
    /// Waits until `not_before`.
    pub(super) fn push(&mut self, not_before: Instant, job: Job) {
        self.entered += 1;
        self.jobs.insert((not_before, self.entered), job);
    }

    /// The job whose instant is first, whether it has come or not.
    pub(super) fn pop(&mut self) -> Option<Job> {
        self.jobs.pop_first().map(|(_, job)| job)
    }

    /// When the first job may go.
    pub(super) fn next(&self) -> Option<Instant> {
        self.jobs.first_key_value().map(|((instant, _), _)| *instant)
    }

    /// Failures in a row of the job whose instant is first.
    pub(super) fn failures(&self) -> Option<u32> {
        self.jobs.first_key_value().map(|(_, job)| job.failures)
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }

    /// All may go at `now`, in their order: what made them wait is over.
    pub(super) fn hurry(&mut self, now: Instant) {
        for mut job in std::mem::take(&mut self.jobs).into_values() {
            job.failures = 0;
            self.push(now, job);
        }
    }
}
