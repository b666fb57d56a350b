//! What an answer does to its job and to the run.

use super::MaxFailed;
use super::backoff;
use super::breaker::{self, Broken};
use super::engine::{Engine, Landed, unix_now};
use super::job::{Job, Work, refusal};
use super::judge::{Answer, Verdict, judge};
use super::reason;
use super::sign::Expired;
use super::split::Tried;
use crate::error_code::{Class, Code, Lang, Then, class, sentence};
use crate::event::{Attempt, Event, Pace, Settled};
use crate::outcome::Refusal;
use std::time::{Duration, Instant};

/// So many accounts of a run are asked one by one for the reason they are refused for.
const MOST_ASKED: u32 = 1000;
/// After too many failed signature checks (70050) the service wants to be left alone.
const MINUTE: Duration = Duration::from_secs(60);
/// A pause that a person wonders about.
const LONG: Duration = Duration::from_secs(5);
/// A share of failures says something from here on.
const ENOUGH_FOR_A_SHARE: u64 = 1000;

impl Engine {
    /// Takes in the answer to one request.
    pub(super) async fn land(&mut self, landed: Landed) {
        let Landed { mut job, command, answer, released, latency, serial } = landed;
        let verdict = judge(&answer, job.accounts(), self.taken_before());
        let retry = job.requests > 1 || job.accounts().iter().any(|tried| tried.listed > 0);
        self.tell(Event::Answered(Attempt {
            batch: job.batch,
            command: command.name(),
            attempt: job.requests,
            accounts: job.accounts().len(),
            code: answer.code,
            latency,
            verdict: verdict.word(),
            retry,
        }))
        .await;
        self.answered |= matches!(answer.code, Code::Service(_) | Code::Http(_) | Code::BadBody);
        let now = Instant::now();
        match verdict {
            Verdict::Acknowledged { listed, strangers } => {
                self.signer.accepted(serial);
                self.acknowledged(now, strangers).await;
                match job.work {
                    Work::Import(_) | Work::Ask(_) => self.import(job, &listed, now).await,
                    Work::Check(_) => self.checked(job, &answer, now).await,
                    Work::Compare(_) => self.compared(job, &answer, now).await,
                    Work::Control(_) => {}
                }
            }
            Verdict::Again { bound: Some((tries, then)) } if self.strike(&mut job, tries, then) => match then
            {
                Then::Fatal => self.stop_because(reason::fatal(&answer, self.lang())),
                Then::Permanent => self.refuse(job, &answer, now).await,
            },
            Verdict::Again { .. } => self.again(job, answer, now).await,
            Verdict::WaitAMinute => self.wait_a_minute(job, &answer, released, now).await,
            Verdict::Slower => self.slower(job, answer, released, now).await,
            Verdict::Renew => match self.signer.expired(serial, unix_now()) {
                Expired::Renewed => self.queue.push(now, job),
                Expired::Fatal => self.stop_because(reason::fatal(&answer, self.lang())),
            },
            Verdict::Stop => self.stop_because(reason::fatal(&answer, self.lang())),
            Verdict::Refused => {
                if matches!(class(answer.code), Class::PermanentBatch | Class::PermanentAccount) {
                    // Nobody looks at accounts before the signature is found good.
                    self.signer.accepted(serial);
                }
                if self.outage.alive(now, self.flying.len()) {
                    self.recover(now).await;
                }
                self.refuse(job, &answer, now).await;
            }
        }
    }

    /// The service took a request.
    async fn acknowledged(&mut self, now: Instant, strangers: usize) {
        self.acknowledged += 1;
        self.last_try = None;
        if self.outage.acknowledged(now, self.flying.len()) {
            self.recover(now).await;
        }
        if let Some(rate) = self.throttle.let_through(now) {
            self.pacer.set_rate(rate, now);
            self.tell(Event::Pace(Pace::Rate(rate))).await;
        }
        if strangers > 0 && self.strangers == 0 {
            let warning = "FailAccounts named accounts that were not in the request; they are not believed";
            self.tell(Event::Notice(warning.into())).await;
        }
        self.strangers += strangers as u64;
    }

    /// The accounts of the request are imported, but for those at the `listed` positions.
    async fn import(&mut self, mut job: Job, listed: &[usize], now: Instant) {
        let accounts = job.accepted();
        let asked = matches!(job.work, Work::Ask(_));
        if !asked && job.requests == 1 && accounts.iter().all(|tried| tried.listed == 0) {
            let whole = listed.len() == accounts.len();
            self.listed_whole = if whole { self.listed_whole + 1 } else { 0 };
            if self.listed_whole >= breaker::BATCHES {
                self.stop_because(reason::breaker(Code::FailAccounts, false, self.lang()));
            }
        }
        let (mut imported, mut failed) = (Vec::with_capacity(accounts.len()), Vec::new());
        for (position, mut tried) in accounts.into_iter().enumerate() {
            if listed.binary_search(&position).is_ok() {
                tried.listed += 1;
                failed.extend(self.listed(tried, asked, now));
            } else {
                imported.push(tried.account.place.row);
                self.control.get_or_insert(tried.account);
            }
        }
        self.settled += imported.len() as u64;
        self.settle(Settled { imported, ..Settled::default() }).await;
        job.failed.extend(failed);
        if !asked {
            self.advance(job, now).await;
        } else if !job.failed.is_empty() {
            self.settle_failed(job.failed).await;
        }
    }

    /// An account was listed in `FailAccounts`: it is tried again, then asked for its reason, then failed.
    fn listed(&mut self, tried: Tried, asked: bool, now: Instant) -> Option<Refusal> {
        if tried.listed <= self.options.retries {
            let at = now + backoff::wait(tried.listed, &mut self.rng);
            self.again.insert((at, tried.account.place.row), tried);
            return None;
        }
        if !asked && self.asked < MOST_ASKED {
            self.asked += 1;
            let job = self.job(Work::Ask(vec![tried]));
            self.queue.push(now, job);
            return None;
        }
        let info = sentence(Code::FailAccounts, self.lang());
        Some(refusal(tried, Code::FailAccounts, info))
    }

    /// No answer that tells anything: the same again after a while, unless that was the last try.
    async fn again(&mut self, mut job: Job, answer: Answer, now: Instant) {
        if !self.answered && matches!(answer.code, Code::Dns | Code::Tls) {
            self.stop_because(reason::unreachable(&self.options.target, &answer));
            return;
        }
        let exhausted = job.count_try(self.acknowledged, self.options.retries);
        if exhausted {
            self.unanswered(job, &answer, now).await;
        } else if !matches!(job.work, Work::Control(_)) {
            if self.is_at_a_loss() && job.failures > self.options.retries {
                job.look_elsewhere();
            }
            self.queue.push(now + backoff::wait(job.failures, &mut self.rng), job);
        }
        self.last_fault = Some(answer);
    }

    /// A code whose tries are bounded came; true if this was the last of them. None counts in an outage, and
    /// none is held against accounts while the service acknowledges nothing.
    fn strike(&self, job: &mut Job, tries: u32, then: Then) -> bool {
        let counts = match then {
            Then::Fatal => !self.outage.on(),
            // A batch is only cut by it.
            Then::Permanent if job.accounts().len() > 1 => true,
            Then::Permanent => !self.outage.on() && job.seen_less_than(self.acknowledged),
        };
        counts && job.strike(tries)
    }

    /// All tries of a piece led nowhere while the service acknowledged others.
    async fn unanswered(&mut self, mut job: Job, answer: &Answer, now: Instant) {
        if let Some(tried) = job.unanswered() {
            let why = reason::quoting(answer, self.lang());
            let info = format!("no answer while other accounts were acknowledged: {why}");
            job.failed.push(refusal(tried, answer.code, info));
        }
        self.advance(job, now).await;
    }

    /// The request is refused for good: find out for which of its accounts.
    async fn refuse(&mut self, mut job: Job, answer: &Answer, now: Instant) {
        if let Some(tried) = job.refused() {
            let info = reason::quoting(answer, self.lang());
            job.failed.push(refusal(tried, answer.code, info));
        }
        self.advance(job, now).await;
    }

    /// Goes on with the job's next piece, or ends it.
    pub(super) async fn advance(&mut self, mut job: Job, now: Instant) {
        if !job.accounts().is_empty() {
            job.next_piece(self.acknowledged);
            self.queue.push(now, job);
            return;
        }
        self.opened = true;
        let says_nothing = matches!(job.work, Work::Check(_) | Work::Compare(_)) && job.failed.is_empty();
        if says_nothing || matches!(job.work, Work::Ask(_) | Work::Control(_)) {
            self.settle_failed(job.failed).await;
            return;
        }
        let whole = job.refused_whole();
        let first =
            job.first && self.acknowledged == 0 && whole.is_some_and(|code| self.is_about_the_run(code));
        match self.breaker.ended(job.failed, whole, first) {
            Broken::No(batches) => {
                for failed in batches {
                    self.settle_failed(failed).await;
                }
            }
            Broken::Yes(code) => self.stop_because(reason::breaker(code, first, self.lang())),
        }
    }

    /// Whether nothing but this code for the whole first batch means that nothing else can succeed. Not where it tells
    /// of accounts; and where an earlier process had some acknowledged, only a code that a wrong key or a proxy gives.
    fn is_about_the_run(&self, code: Code) -> bool {
        match class(code) {
            Class::PermanentAccount => false,
            Class::FatalAtFirst => true,
            _ => !self.earlier_acknowledged(),
        }
    }

    fn earlier_acknowledged(&self) -> bool {
        self.options.earlier.is_some_and(|earlier| earlier.acknowledged)
    }

    /// Whether the service has taken something in this run.
    fn taken_before(&self) -> bool {
        self.acknowledged > 0 || self.earlier_acknowledged()
    }

    /// Too many failed signature checks: a pause for everything, then one more try.
    async fn wait_a_minute(&mut self, job: Job, answer: &Answer, released: Instant, now: Instant) {
        match self.last_try {
            Some(last_try) if released >= last_try => self.stop_because(reason::fatal(answer, self.lang())),
            Some(last_try) => self.queue.push(last_try, job),
            None => {
                let notice = format!("{}; one more try in a minute", reason::fatal(answer, self.lang()));
                self.tell(Event::Notice(notice)).await;
                self.hold(now + MINUTE);
                self.last_try = Some(now + MINUTE);
                self.queue.push(now + MINUTE, job);
            }
        }
    }

    /// Too fast: the whole run slows, and the job's tries are not used up.
    async fn slower(&mut self, mut job: Job, answer: Answer, released: Instant, now: Instant) {
        if let Some(rate) = self.throttle.refused(released, now) {
            self.pacer.set_rate(rate, now);
            self.tell(Event::Pace(Pace::Rate(rate))).await;
        }
        if let Some(wait) = answer.retry_after {
            if wait >= LONG && self.held.is_none() {
                let notice = format!("the service asks for a pause of {} s (Retry-After)", wait.as_secs());
                self.tell(Event::Notice(notice)).await;
            }
            self.hold(now + wait);
        }
        job.failures = job.failures.saturating_add(1);
        if !matches!(job.work, Work::Control(_)) {
            self.queue.push(now + backoff::wait(job.failures, &mut self.rng), job);
        }
        self.last_fault = Some(answer);
    }

    pub(super) fn lang(&self) -> Lang {
        self.options.lang
    }

    fn hold(&mut self, until: Instant) {
        self.held = Some(self.held.map_or(until, |held| held.max(until)));
    }

    /// The service answers again.
    async fn recover(&mut self, now: Instant) {
        self.queue.hurry(now);
        self.opened |= self.acknowledged > 0;
        self.tell(Event::Pace(Pace::Recovered)).await;
    }

    pub(super) async fn settle(&mut self, settled: Settled) {
        if !settled.imported.is_empty() || !settled.skipped.is_empty() || !settled.failed.is_empty() {
            self.tell(Event::Settled(settled)).await;
        }
    }

    /// These accounts failed for good.
    pub(super) async fn settle_failed(&mut self, failed: Vec<Refusal>) {
        self.failed += failed.len() as u64;
        self.settled += failed.len() as u64;
        self.settle(Settled { failed, ..Settled::default() }).await;
        let too_many = match self.options.max_failed {
            None => None,
            Some(MaxFailed::Accounts(most)) => (self.failed > most).then(|| most.to_string()),
            Some(MaxFailed::Percent(most)) => {
                let share = self.failed as f64 / self.settled as f64 * 100.0;
                (self.settled >= ENOUGH_FOR_A_SHARE && share > most).then(|| format!("{most}%"))
            }
        };
        if let Some(most) = too_many {
            let failed = self.failed;
            self.stop_because(format!(
                "{failed} failed accounts are more than --max-failed {most} allows: see why in the report, then go on with \
                 --resume and a higher --max-failed"
            ));
        }
    }
}
