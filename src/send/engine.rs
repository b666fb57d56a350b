//! The loop that sends: what is next goes as soon as it may.

use super::alarm::Alarm;
use super::breaker::Breaker;
use super::client::{Client, Command};
use super::job::{Job, Queue};
use super::judge::Answer;
use super::next::Next;
use super::outage::Outage;
use super::pace::{Pacer, WINDOW};
use super::reason;
use super::sign::Signer;
use super::split::Tried;
use super::throttle::Throttle;
use super::{Options, Stop};
use crate::account::Account;
use crate::batch::Batch;
use crate::event::{Event, Pace};
use rand::RngExt;
use rand::rngs::StdRng;
use std::collections::BTreeMap;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

/// Silence before the very first answer ends the run after this.
const FIRST_SILENCE: Duration = Duration::from_secs(30);

/// The run, as far as sending goes.
pub(super) struct Engine {
    pub(super) options: Options,
    client: Client,
    pub(super) signer: Signer,
    pub(super) pacer: Pacer,
    alarm: Alarm,
    pub(super) throttle: Throttle,
    pub(super) outage: Outage,
    pub(super) breaker: Breaker,
    pub(super) queue: Queue,
    /// Accounts that `FailAccounts` listed, on their way into a new batch, by the instant each waits for.
    pub(super) again: BTreeMap<(Instant, u32), Tried>,
    /// Fresh batches in succession that were listed to the last account.
    pub(super) listed_whole: u32,
    batches: mpsc::Receiver<Result<Batch, String>>,
    pub(super) fresh: Option<Batch>,
    pub(super) input_ended: bool,
    pub(super) flying: JoinSet<Landed>,
    /// Jobs that wait for what they found to be on the disk.
    pub(super) keeping: JoinSet<Option<Job>>,
    pub(super) events: mpsc::Sender<Event>,
    pub(super) rng: StdRng,
    pub(super) numbered: u64,
    /// The first batch has had all its answers, or another was acknowledged: all may go.
    pub(super) opened: bool,
    /// When the first request left, and whether anything ever came back.
    pub(super) started: Option<Instant>,
    pub(super) answered: bool,
    /// Answers that acknowledged something.
    pub(super) acknowledged: u64,
    pub(super) control: Option<Account>,
    /// The service asked for a pause until then.
    pub(super) held: Option<Instant>,
    /// Too many failed signature checks were answered; a request that leaves after this is the last try.
    pub(super) last_try: Option<Instant>,
    pub(super) probes: u32,
    pub(super) asked: u32,
    pub(super) settled: u64,
    pub(super) failed: u64,
    pub(super) strangers: u64,
    pub(super) last_fault: Option<Answer>,
    pub(super) stop: Option<Stop>,
}

/// A request that came back.
pub(super) struct Landed {
    pub(super) job: Job,
    pub(super) command: Command,
    pub(super) answer: Answer,
    pub(super) released: Instant,
    pub(super) latency: Duration,
    pub(super) serial: u32,
}

impl Engine {
    pub(super) fn new(
        options: Options,
        batches: mpsc::Receiver<Result<Batch, String>>,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, String> {
        let now = Instant::now();
        let target = &options.target;
        let client = Client::new(target, options.max_in_flight)?;
        let signer = Signer::new(options.credential.clone(), target.sdk_app_id, target.identifier.clone());
        Ok(Self {
            client,
            signer,
            pacer: Pacer::new(options.rate, now),
            alarm: Alarm::default(),
            throttle: Throttle::new(options.rate, now),
            outage: Outage::new(now),
            breaker: Breaker::default(),
            queue: Queue::default(),
            again: BTreeMap::new(),
            listed_whole: 0,
            batches,
            fresh: None,
            input_ended: false,
            flying: JoinSet::new(),
            keeping: JoinSet::new(),
            events,
            rng: rand::make_rng(),
            numbered: 0,
            opened: false,
            started: None,
            answered: false,
            acknowledged: 0,
            control: None,
            held: options.earlier.map(|earlier| earlier.began + WINDOW),
            last_try: None,
            probes: 0,
            asked: 0,
            settled: 0,
            failed: 0,
            strangers: 0,
            last_fault: None,
            stop: None,
            options,
        })
    }

    /// Sends until everything has its outcome or the run stops, and what is under way has landed.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<Option<Stop>>) -> Option<Stop> {
        while !self.is_done() {
            if let Some(at) = self.release().await {
                self.alarm.set(at);
            }
            if self.is_done() {
                break;
            }
            let going = self.stop.is_none();
            tokio::select! {
                biased;
                changed = stop.changed(), if going => {
                    // Whoever could ask for a stop is gone: nobody is left to send for.
                    let asked = if changed.is_ok() { stop.borrow().clone() } else { Some(Stop::Interrupted) };
                    self.stop = asked;
                }
                Some(landed) = self.flying.join_next() => match landed {
                    Ok(landed) => self.land(landed).await,
                    Err(error) => self.stop_because(format!("a request broke down inside imimport: {error}; go on with --resume")),
                },
                Some(kept) = self.keeping.join_next() => {
                    if let Ok(Some(job)) = kept {
                        self.queue.push(Instant::now(), job);
                    }
                }
                batch = self.batches.recv(), if going && self.wants_batch() => self.receive(batch),
                () = self.alarm.rung() => {}
            }
        }
        if self.stop.is_none() {
            for failed in self.breaker.release() {
                self.settle_failed(failed).await;
            }
        }
        self.stop
    }

    fn is_done(&self) -> bool {
        let nothing_waits = self.queue.len() == 0 && self.again.is_empty() && self.keeping.is_empty();
        let nothing_comes = self.fresh.is_none() && self.input_ended;
        self.flying.is_empty() && (self.stop.is_some() || (nothing_waits && nothing_comes))
    }

    fn wants_batch(&self) -> bool {
        self.fresh.is_none() && !self.input_ended
    }

    fn receive(&mut self, batch: Option<Result<Batch, String>>) {
        match batch {
            Some(Ok(batch)) => self.fresh = Some(batch),
            Some(Err(reason)) => self.stop_because(reason),
            None => self.input_ended = true,
        }
    }

    /// Releases everything that may go now. Gives the instant to look again, if time alone changes anything.
    async fn release(&mut self) -> Option<Instant> {
        loop {
            if self.wants_batch()
                && let Ok(batch) = self.batches.try_recv()
            {
                self.receive(Some(batch));
            }
            let now = Instant::now();
            let watched = self.watch(now).await;
            if self.stop.is_some() {
                return None;
            }
            let next = match self.candidate(now) {
                Ok(next) => match self.pacer.release(now) {
                    Ok(()) => {
                        self.fly(next, now);
                        continue;
                    }
                    Err(at) => Some(at),
                },
                Err(at) => [at, self.pacer.idle(now)].into_iter().flatten().min(),
            };
            // What is due and still can't go waits for an answer, not for the clock.
            return [next, watched].into_iter().flatten().filter(|&at| at > now).min();
        }
    }

    /// Sees to what the clock alone decides. Gives the instant to look again.
    async fn watch(&mut self, now: Instant) -> Option<Instant> {
        if let Some(held) = self.held {
            // A pause that the service asked for is silence, too; the minute after failed signatures is not.
            let silent = self.started.is_some() && self.last_try.is_none();
            let left = self.options.max_outage.saturating_sub(self.outage.lasts(now));
            if silent && left.is_zero() {
                self.stop_for_outage();
            }
            if now < held {
                return [Some(held), now.checked_add(left).filter(|_| silent)].into_iter().flatten().min();
            }
            self.held = None;
            self.outage.waited(now, self.flying.len());
        }
        if self.outage.begins(now) {
            self.tell(Event::Pace(Pace::Outage)).await;
        }
        let mut deadline = None;
        if self.outage.on() {
            let left = self.options.max_outage.saturating_sub(self.outage.lasts(now));
            if left.is_zero() {
                self.stop_for_outage();
            }
            deadline = now.checked_add(left);
        }
        if let (Some(started), false) = (self.started, self.answered) {
            if now >= started + FIRST_SILENCE {
                self.stop_because(reason::silence(&self.options.target, self.last_fault.as_ref()));
            }
            deadline = [deadline, Some(started + FIRST_SILENCE)].into_iter().flatten().min();
        }
        [deadline, self.outage.due()].into_iter().flatten().min()
    }

    /// Sends the next request; its permit is taken.
    fn fly(&mut self, next: Next, now: Instant) {
        let Some(mut job) = self.take(next) else { return };
        job.first |= self.started.is_none();
        job.requests += 1;
        for tried in job.accounts() {
            tried.attempts += 1;
        }
        self.started.get_or_insert(now);
        self.probes = if self.outage.on() { self.probes + 1 } else { 0 };
        self.outage.released(now);
        let signature = self.signer.signature(unix_now());
        let (client, random) = (self.client.clone(), self.rng.random());
        self.flying.spawn(async move {
            // Writing the body is most of the work, and this task may do it on any core.
            let (command, body) = job.request();
            let answer = client.call(command, body, &signature, random).await;
            Landed { job, command, answer, released: now, latency: now.elapsed(), serial: signature.serial }
        });
    }

    /// Tells what happened. The listener outlives the engine; if it is gone, so is the run.
    pub(super) async fn tell(&mut self, event: Event) {
        if self.events.send(event).await.is_err() && self.stop.is_none() {
            self.stop = Some(Stop::Interrupted);
        }
    }

    fn stop_for_outage(&mut self) {
        let last = self.last_fault.as_ref();
        self.stop_because(reason::outage(self.options.max_outage, last, self.options.lang));
    }

    /// Stops for a reason, unless there is one already.
    pub(super) fn stop_because(&mut self, reason: String) {
        self.stop.get_or_insert(Stop::Because(reason));
    }
}

/// The time that signatures speak of, in Unix seconds.
pub(super) fn unix_now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}
