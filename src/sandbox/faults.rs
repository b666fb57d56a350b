//! The faults that the sandbox can be told to have, and which of them a request meets.

use super::judge::{Call, Judged};
use super::stats::Arrival;
use crate::error_code::Code;
use regex::Regex;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// What one request gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No fault: the answer it deserves.
    Pass,
    /// The answer it deserves, this much later.
    Slow(Duration),
    /// The answer it deserves, and then the connection closes.
    Close,
    /// The answer it deserves, a byte a second.
    Drip,
    /// It is applied, but for these, which are listed in `FailAccounts`.
    FailAccounts(Vec<String>),
    /// It is applied, and the connection is reset without an answer.
    ResetApplied,
    /// It is applied, and the answer's body is cut in the middle.
    Truncate,
    /// It is applied, and the answer is HTTP 200 with a page of HTML.
    Garbage,
    /// It is applied, and the answer has 64 MiB.
    Huge,
    /// This ErrorCode, nothing applied.
    Code(i64),
    /// This HTTP status with a page of HTML, nothing applied.
    Http(u16),
    /// As `Http`, with these headers.
    HttpWith(u16, Vec<(String, String)>),
    /// HTTP 302 to another path, nothing applied.
    Redirect,
    /// HTTP 200 with this body, nothing applied.
    Body(Vec<u8>),
    /// HTTP 200 with a body that is wrong in another way each time, nothing applied.
    WrongBody,
    /// The connection is reset, nothing applied.
    Reset,
    /// Never an answer, nothing applied.
    Hang,
}

impl Fault {
    /// What [`Stats::answers`](super::Stats::answers) calls it; `None` where the request gets the code it deserves.
    pub(super) fn name(&self) -> Option<String> {
        let name = match self {
            Fault::Pass | Fault::Slow(_) | Fault::Close | Fault::Drip | Fault::FailAccounts(_) => {
                return None;
            }
            Fault::Code(code) => return Some(Code::Service(*code).to_string()),
            Fault::Http(status) | Fault::HttpWith(status, _) => return Some(Code::Http(*status).to_string()),
            Fault::ResetApplied => "reset-applied",
            Fault::Truncate => "truncate",
            Fault::Garbage => "garbage",
            Fault::Huge => "huge",
            Fault::Redirect => "redirect",
            Fault::Body(_) => "body",
            Fault::WrongBody => "bodies",
            Fault::Reset => "reset",
            Fault::Hang => "hang",
        };
        Some(name.to_owned())
    }
}

/// All faults of a sandbox. The default has none but the service's own limit of 100 requests a second.
#[derive(Clone, Debug)]
pub struct Faults {
    /// What the first requests get, one each, whatever the other faults say; after that they take over.
    pub script: Vec<Fault>,
    /// Faults by their probability; a request meets one at most.
    pub(super) chances: Vec<(Fault, f64)>,
    pub(super) latency: Option<(Duration, Duration)>,
    pub(super) outages: Vec<Outage>,
    /// Requests a second.
    pub(super) limit: Option<usize>,
    /// What a request over the limit gets.
    pub(super) limit_fault: Fault,
    /// Seconds of `Retry-After` with every 429.
    pub(super) retry_after: Option<u64>,
    /// The most accounts the app may hold.
    pub(super) quota: Option<u64>,
    /// Seconds after which a signature counts as expired.
    pub(super) sig_ttl: Option<u64>,
    pub(super) fail: Option<Regex>,
    pub(super) fail_times: u32,
    pub(super) fail_reason: i64,
    pub(super) poison: Option<Regex>,
    pub(super) poison_code: i64,
    pub(super) mute: Option<Regex>,
    pub(super) absent: Option<Regex>,
    pub(super) changed: Option<Regex>,
}

/// A time, counted from the first request, in which every request meets one fault.
#[derive(Clone, Debug)]
pub(super) struct Outage {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) fault: Fault,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            script: Vec::new(),
            chances: Vec::new(),
            latency: None,
            outages: Vec::new(),
            limit: Some(100),
            limit_fault: Fault::Code(60007),
            retry_after: None,
            quota: None,
            sig_ttl: None,
            fail: None,
            fail_times: u32::MAX,
            fail_reason: 70399,
            poison: None,
            poison_code: 70402,
            mute: None,
            absent: None,
            changed: None,
        }
    }
}

/// Whether a pattern is given and matches.
pub(super) fn matches(pattern: Option<&Regex>, user_id: &str) -> bool {
    pattern.is_some_and(|pattern| pattern.is_match(user_id))
}

impl Faults {
    /// What the request meets; `seed` and its number decide where chance does.
    pub(super) fn meet(&self, arrival: &Arrival, judged: Option<&Judged>, now_unix: u64, seed: u64) -> Fault {
        let scripted = usize::try_from(arrival.number).ok().and_then(|number| self.script.get(number));
        if let Some(fault) = scripted.or(self.outage(arrival.since_first)) {
            return fault.clone();
        }
        if self.is_over(arrival) {
            return self.in_full(&self.limit_fault);
        }
        if let Some(fault) = judged.and_then(|judged| self.meet_accounts(judged, now_unix)) {
            return fault;
        }
        self.meet_chance(dice(seed, arrival.number, "fault"))
    }

    /// Whether it comes too soon after the others.
    pub(super) fn is_over(&self, arrival: &Arrival) -> bool {
        self.limit.is_some_and(|limit| arrival.recent > limit)
    }

    /// The outage of this time.
    pub(super) fn outage(&self, since_first: Duration) -> Option<&Fault> {
        let mut outages = self.outages.iter();
        outages.find(|outage| (outage.from..outage.to).contains(&since_first)).map(|outage| &outage.fault)
    }

    /// How much later the request is answered.
    pub(super) fn delay(&self, arrival: &Arrival, seed: u64) -> Duration {
        self.latency.map_or(Duration::ZERO, |(least, most)| {
            least + most.saturating_sub(least).mul_f64(dice(seed, arrival.number, "latency"))
        })
    }

    /// What the request meets for its age or for the accounts it would import.
    fn meet_accounts(&self, judged: &Judged, now_unix: u64) -> Option<Fault> {
        let accounts = match &judged.call {
            Call::ImportMany(accounts) => accounts.as_slice(),
            Call::ImportOne(account) => std::slice::from_ref(account),
            Call::Check(_) | Call::Profiles { .. } => &[],
        };
        let any = |pattern: &Option<Regex>| {
            pattern.is_some() && accounts.iter().any(|given| matches(pattern.as_ref(), &given.user_id))
        };
        if any(&self.mute) {
            Some(Fault::Hang)
        } else if self.sig_ttl.is_some_and(|ttl| now_unix >= judged.signed_at.saturating_add(ttl)) {
            Some(Fault::Code(70001))
        } else {
            any(&self.poison).then_some(Fault::Code(self.poison_code))
        }
    }

    fn meet_chance(&self, mut dice: f64) -> Fault {
        for (fault, probability) in &self.chances {
            if dice < *probability {
                return self.in_full(fault);
            }
            dice -= probability;
        }
        Fault::Pass
    }

    /// The fault with the headers that go with it.
    fn in_full(&self, fault: &Fault) -> Fault {
        match (fault, self.retry_after) {
            (Fault::Http(429), Some(seconds)) => {
                Fault::HttpWith(429, vec![("retry-after".to_owned(), seconds.to_string())])
            }
            (fault, _) => fault.clone(),
        }
    }
}

/// A number from 0 to 1 that only depends on what is given.
fn dice(seed: u64, number: u64, purpose: &str) -> f64 {
    let text = [number.to_le_bytes().as_slice(), purpose.as_bytes()].concat();
    (xxh3_64_with_seed(&text, seed) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrival(number: u64) -> Arrival {
        Arrival { number, since_first: Duration::ZERO, recent: 1 }
    }

    fn share(faults: &Faults, seed: u64, fault: &Fault) -> usize {
        (0..10_000).filter(|&number| faults.meet(&arrival(number), None, 0, seed) == *fault).count()
    }

    #[test]
    fn chances_hold_and_repeat_with_their_seed() {
        let faults = Faults::parse(["70169=2%", "reset=10%", "http429=0.5%", "retry-after=3"]).unwrap();
        let too_many = Fault::HttpWith(429, vec![("retry-after".to_owned(), "3".to_owned())]);
        assert!((150..250).contains(&share(&faults, 1, &Fault::Code(70169))));
        assert!((900..1100).contains(&share(&faults, 1, &Fault::Reset)));
        assert!((30..80).contains(&share(&faults, 1, &too_many)));
        let run = |seed| (0..100).map(|n| faults.meet(&arrival(n), None, 0, seed)).collect::<Vec<_>>();
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
    }

    #[test]
    fn the_script_comes_first_then_outage_then_limit_then_chance() {
        let mut faults = Faults::parse(["outage=0s..1s:hang", "limit=5", "always=70500"]).unwrap();
        faults.script = vec![Fault::Pass, Fault::Code(7)];
        let meet =
            |number, since_first, recent| faults.meet(&Arrival { number, since_first, recent }, None, 0, 1);
        assert_eq!(meet(0, Duration::ZERO, 9), Fault::Pass);
        assert_eq!(meet(1, Duration::ZERO, 9), Fault::Code(7));
        assert_eq!(meet(2, Duration::ZERO, 9), Fault::Hang);
        assert_eq!(meet(2, Duration::from_secs(1), 6), Fault::Code(60007));
        assert_eq!(meet(2, Duration::from_secs(1), 5), Fault::Code(70500));
    }

    #[test]
    fn by_default_the_hundredth_of_a_second_passes_and_the_next_is_over() {
        let faults = Faults::default();
        let at = |recent| Arrival { recent, ..arrival(200) };
        assert!(!faults.is_over(&at(100)) && faults.is_over(&at(101)));
    }

    #[test]
    fn latency_stays_within_its_span_and_fills_it() {
        let faults = Faults::parse(["latency=20ms..300ms"]).unwrap();
        let delays: Vec<_> = (0..1_000).map(|n| faults.delay(&arrival(n), 1).as_millis()).collect();
        assert!(delays.iter().all(|delay| (20..=300).contains(delay)));
        assert!(delays.iter().any(|&delay| delay < 50) && delays.iter().any(|&delay| delay > 270));
    }
}
