//! What the sender tells while it works, in the order it happened.

use crate::error_code::Code;
use crate::outcome::Refusal;
use std::time::Duration;

/// One thing that the sender tells. Rows are row numbers of the plan.
#[derive(Debug)]
pub enum Event {
    /// A request was answered, or its silence was long enough.
    Answered(Attempt),
    /// Rows that reached their outcome. A row is settled once.
    Settled(Settled),
    /// The service answered for these rows that it does not hold them: send them without asking again.
    Absent {
        /// The rows.
        rows: Vec<u32>,
        /// They wait for this to be on the disk.
        kept: Kept,
    },
    /// The pace, or whether anything is sent at all, changed.
    Pace(Pace),
    /// Something that a person should read now.
    Notice(String),
}

/// Rows that reached their outcome together.
#[derive(Clone, Debug, Default)]
pub struct Settled {
    /// Acknowledged.
    pub imported: Vec<u32>,
    /// Found at the service already.
    pub skipped: Vec<u32>,
    /// Refused, each with its reason.
    pub failed: Vec<Refusal>,
}

/// One request and what came of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// The batch it belonged to.
    pub batch: u64,
    /// The command that was called: `multiaccount_import`, `account_import`, …
    pub command: &'static str,
    /// Which request of this batch it was, from 1.
    pub attempt: u32,
    /// How many accounts it carried.
    pub accounts: usize,
    /// What came back; code 0 is OK.
    pub code: Code,
    /// From its release by the pacer to the last byte of its answer.
    pub latency: Duration,
    /// What was made of it: `ok`, `retry`, `throttle`, `refused` or `fatal`.
    pub verdict: &'static str,
    /// Whether the same accounts had been sent before.
    pub retry: bool,
}

/// How fast the run goes now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Requests a second at most.
    Rate(f64),
    /// Nothing but probes goes out since the service fell silent.
    Outage,
    /// The service answers again.
    Recovered,
}

/// Says to whoever waits that something is on the disk. Dropped unsaid, it never will be.
pub struct Kept(Box<dyn FnOnce() + Send>);

impl Kept {
    /// `say` is called once, if ever.
    pub fn new(say: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(say))
    }

    /// It is on the disk.
    pub fn say(self) {
        (self.0)();
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Kept")
    }
}
