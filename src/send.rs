//! Sends: batches in, one event for everything that happens to them out.
//!
//! ```text
//! batches ─> engine ─ next ─> pace ─> client ─> judge ─> landing ─> events
//!              ^                                                 │
//!              └──── queue: again, after a while, or in halves <─┘
//! ```
//!
//! One task owns all of it, so what happens when is in one place and nothing is locked. The parts it
//! asks (pace, throttle, backoff, outage, split, breaker, sign, judge) take the time as an argument, and know
//! nothing of it.

mod alarm;
mod asking;
mod backoff;
mod body;
mod breaker;
mod client;
mod engine;
mod job;
mod judge;
mod landing;
mod next;
mod outage;
mod pace;
mod reason;
mod sign;
mod split;
mod throttle;

pub use client::Target;
pub use sign::Credential;

use crate::batch::Batch;
use crate::error_code::Lang;
use crate::event::Event;
use crate::rows::RowSet;
use std::time::{Duration, Instant};
use tokio::sync::{mpsc, watch};

/// What is done with the accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Task {
    /// They are imported; those that are there are updated.
    #[default]
    Import,
    /// Those that the service does not hold yet are imported.
    ImportAbsent {
        /// Rows that it was found not to hold before, so that what is there now came from here.
        known: RowSet,
    },
    /// The service is asked for them. Those that are there are told as imported, others as failed with the
    /// outcome `Missing` or `Different`.
    Verify {
        /// Whether Nick and FaceUrl are compared, too.
        profiles: bool,
    },
}

/// How to send.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is done with the accounts.
    pub task: Task,
    /// Where to, and for whom.
    pub target: Target,
    /// What signs the requests.
    pub credential: Credential,
    /// Requests a second at most.
    pub rate: u32,
    /// Requests under way at once at most.
    pub max_in_flight: usize,
    /// Tries after the first.
    pub retries: u32,
    /// The run stops when nothing was acknowledged for so long.
    pub max_outage: Duration,
    /// The run stops when more accounts than this fail.
    pub max_failed: Option<MaxFailed>,
    /// What an earlier process of the run leaves to think of.
    pub earlier: Option<Earlier>,
    /// The language of reasons.
    pub lang: Lang,
}

/// An earlier process began the run, and this one takes it up.
#[derive(Clone, Copy, Debug)]
pub struct Earlier {
    /// When this process began. What the other sent in the second before is in nobody's count, so nothing is
    /// sent until that second is over.
    pub began: Instant,
    /// The other had accounts acknowledged. What is left may be all that is refused, so the first batch is
    /// believed no sooner than any other.
    pub acknowledged: bool,
}

/// How many accounts may fail before the run stops.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxFailed {
    /// So many.
    Accounts(u64),
    /// So many in a hundred of those settled, counted from the first thousand.
    Percent(f64),
}

/// Why a run ended before its work did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Somebody asked for it.
    Interrupted,
    /// Going on would be of no use, or do harm: a sentence that says why and what to do.
    Because(String),
}

/// Sends every batch until each account has its outcome, or the run stops: then what is under way is
/// awaited, and nothing new begins. An `Err` from `batches` is a reason to stop, as is a value in `stop`.
pub async fn send(
    options: Options,
    batches: mpsc::Receiver<Result<Batch, String>>,
    events: mpsc::Sender<Event>,
    stop: watch::Receiver<Option<Stop>>,
) -> Option<Stop> {
    match engine::Engine::new(options, batches, events) {
        Ok(engine) => engine.run(stop).await,
        Err(reason) => Some(Stop::Because(reason)),
    }
}
