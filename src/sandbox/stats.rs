//! What the sandbox saw: counts for tests and for `GET /stats`.

use super::window::Window;
use serde::Serialize;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

/// What the sandbox saw since it started.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// Connections that were accepted.
    pub connections: u64,
    /// Requests that arrived, whatever they were given; `GET /stats` is none.
    pub requests: u64,
    /// Accounts held.
    pub accounts: u64,
    /// Times an account was applied.
    pub applied: u64,
    /// Of these, the times an account got other values than the time before.
    pub altered: u64,
    /// The most arrivals in any 950 ms.
    pub busiest_950ms: usize,
    /// The most arrivals in any second.
    pub busiest_1s: usize,
    /// How many different `random`s requests had.
    pub distinct_randoms: usize,
    /// When the first request arrived, in seconds since the start.
    pub first_arrival_s: Option<f64>,
    /// When the last request arrived.
    pub last_arrival_s: Option<f64>,
    /// Requests by command; `other` is any path that the service does not have.
    pub commands: BTreeMap<&'static str, u64>,
    /// Requests by what they were given: an ErrorCode, `http_502`, or a fault's name.
    pub answers: BTreeMap<String, u64>,
    /// What the service would call a client's fault, by name.
    pub breaches: BTreeMap<&'static str, Breach>,
    /// Scripted faults that no request has met yet.
    pub script_left: usize,
}

/// A kind of client's fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Breach {
    /// How often it was seen.
    pub count: u64,
    /// What was wrong the first time.
    pub example: String,
}

/// A request's place among all of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    /// Counted from 0.
    pub(super) number: u64,
    /// Since the first request arrived.
    pub(super) since_first: Duration,
    /// Arrivals within the last 950 ms, this one included.
    pub(super) recent: usize,
}

/// Counts as requests come and go.
pub(super) struct Log {
    stats: Stats,
    /// The service's second, less a twentieth for jitter on the way.
    lenient: Window,
    second: Window,
    randoms: HashSet<u32>,
    first: Option<Duration>,
}

impl Log {
    pub(super) fn new() -> Self {
        Self {
            stats: Stats::default(),
            lenient: Window::new(Duration::from_millis(950)),
            second: Window::new(Duration::from_secs(1)),
            randoms: HashSet::new(),
            first: None,
        }
    }

    pub(super) fn connected(&mut self) {
        self.stats.connections += 1;
    }

    /// A request arrives at `at`, a time since the start that never goes back.
    pub(super) fn arrived(&mut self, at: Duration) -> Arrival {
        let number = self.stats.requests;
        self.stats.requests += 1;
        self.stats.last_arrival_s = Some(at.as_secs_f64());
        self.second.arrive(at);
        let first = *self.first.get_or_insert(at);
        Arrival { number, since_first: at.saturating_sub(first), recent: self.lenient.arrive(at) }
    }

    /// How long ago, at `at`, the first request came.
    pub(super) fn since_first(&self, at: Duration) -> Option<Duration> {
        self.first.map(|first| at.saturating_sub(first))
    }

    pub(super) fn called(&mut self, command: &'static str, random: Option<u32>) {
        *self.stats.commands.entry(command).or_default() += 1;
        self.randoms.extend(random);
    }

    pub(super) fn answered(&mut self, what: String) {
        *self.stats.answers.entry(what).or_default() += 1;
    }

    pub(super) fn breached(&mut self, name: &'static str, example: &str) {
        let breach = self.stats.breaches.entry(name);
        breach.or_insert_with(|| Breach { count: 0, example: example.to_owned() }).count += 1;
    }

    /// All counts that are kept here.
    pub(super) fn stats(&self) -> Stats {
        Stats {
            busiest_950ms: self.lenient.busiest(),
            busiest_1s: self.second.busiest(),
            distinct_randoms: self.randoms.len(),
            first_arrival_s: self.first.map(|first| first.as_secs_f64()),
            ..self.stats.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_numbered_and_timed_from_the_first() {
        let mut log = Log::new();
        assert_eq!(log.since_first(Duration::from_secs(9)), None);
        log.arrived(Duration::from_secs(2));
        let second = log.arrived(Duration::from_millis(2_500));
        assert_eq!((second.number, second.recent), (1, 2));
        assert_eq!(second.since_first, Duration::from_millis(500));
        let third = log.arrived(Duration::from_micros(2_968_750));
        assert_eq!((third.number, third.recent), (2, 2));
        let stats = log.stats();
        assert_eq!((stats.requests, stats.busiest_950ms, stats.busiest_1s), (3, 2, 3));
        assert_eq!((stats.first_arrival_s, stats.last_arrival_s), (Some(2.0), Some(2.968_75)));
    }

    #[test]
    fn breaches_keep_their_first_example() {
        let mut log = Log::new();
        log.breached("query", "no random");
        log.breached("query", "no contenttype");
        let expected = Breach { count: 2, example: "no random".to_owned() };
        assert_eq!(log.stats().breaches["query"], expected);
    }
}
