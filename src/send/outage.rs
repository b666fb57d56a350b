//! Whether the service is there at all, and when to knock while it isn't.

use std::time::{Duration, Instant};

/// Silence of this length is an outage.
const SILENCE: Duration = Duration::from_secs(5);
/// The wait before the first probe, doubled up to the longest.
const FIRST_PROBE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(5);

/// Watches for silence: requests are out, and nothing that comes back shows that the service works.
pub(super) struct Outage {
    /// When the silence began: the first request that left since the last sign of life.
    silent: Option<Instant>,
    acknowledged: Instant,
    probing: Option<Probing>,
}

struct Probing {
    next: Instant,
    wait: Duration,
}

impl Outage {
    pub(super) fn new(now: Instant) -> Self {
        Self { silent: None, acknowledged: now, probing: None }
    }

    /// A request left.
    pub(super) fn released(&mut self, now: Instant) {
        self.silent.get_or_insert(now);
        if let Some(probing) = &mut self.probing {
            probing.wait = (probing.wait * 2).min(LONGEST);
            probing.next = now + probing.wait;
        }
    }

    /// Accounts were acknowledged; `flying` requests are still out. True if that ends an outage.
    pub(super) fn acknowledged(&mut self, now: Instant, flying: usize) -> bool {
        self.acknowledged = now;
        self.alive(now, flying)
    }

    /// The service gave an answer that only a working service gives, a refusal. True if that ends an outage.
    pub(super) fn alive(&mut self, now: Instant, flying: usize) -> bool {
        self.silent = (flying > 0).then_some(now);
        self.probing.take().is_some()
    }

    /// The run itself waited until `now`, so the silence until then tells nothing.
    pub(super) fn waited(&mut self, now: Instant, flying: usize) {
        self.silent = (flying > 0).then_some(now);
    }

    /// Looks at the clock. True if an outage begins at this moment.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        let begins = self.probing.is_none() && self.due().is_some_and(|due| now >= due);
        if begins {
            self.probing = Some(Probing { next: now, wait: FIRST_PROBE / 2 });
        }
        begins
    }

    /// When to look at the clock again: the end of the patience, or the next probe.
    pub(super) fn due(&self) -> Option<Instant> {
        match &self.probing {
            Some(probing) => Some(probing.next),
            None => self.silent.map(|since| since + SILENCE),
        }
    }

    /// Whether an outage is on.
    pub(super) fn on(&self) -> bool {
        self.probing.is_some()
    }

    /// Whether a probe may go out now.
    pub(super) fn may_probe(&self, now: Instant) -> bool {
        self.probing.as_ref().is_some_and(|probing| now >= probing.next)
    }

    /// How long ago the last acknowledgement was, or the start of the run.
    pub(super) fn lasts(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.acknowledged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(start: Instant, seconds: f64) -> Instant {
        start + Duration::from_secs_f64(seconds)
    }

    #[test]
    fn five_seconds_of_requests_without_a_sign_of_life_are_an_outage() {
        let start = Instant::now();
        let mut outage = Outage::new(start);
        assert!(!outage.begins(s(start, 60.0)), "no request is out: nothing is amiss");
        outage.released(s(start, 60.0));
        outage.released(s(start, 64.0));
        assert!(!outage.begins(s(start, 64.9)));
        assert!(outage.begins(s(start, 65.0)));
        assert!(!outage.begins(s(start, 66.0)), "it begins once");
    }

    #[test]
    fn an_acknowledgement_ends_it_and_a_refusal_too() {
        let start = Instant::now();
        for refusal in [false, true] {
            let mut outage = Outage::new(start);
            outage.released(start);
            assert!(outage.begins(s(start, 5.0)));
            let ended =
                if refusal { outage.alive(s(start, 9.0), 1) } else { outage.acknowledged(s(start, 9.0), 1) };
            assert!(ended && !outage.on());
            assert_eq!(outage.due(), Some(s(start, 14.0)), "one is still out, so silence counts from here");
        }
    }

    #[test]
    fn probes_go_out_one_at_a_time_and_at_most_five_seconds_apart() {
        let start = Instant::now();
        let mut outage = Outage::new(start);
        outage.released(start);
        let mut now = s(start, 5.0);
        assert!(outage.begins(now));
        let mut gaps = Vec::new();
        for _ in 0..10 {
            assert!(outage.may_probe(now));
            outage.released(now);
            assert!(!outage.may_probe(now));
            let next = outage.due().unwrap();
            gaps.push(next - now);
            now = next;
        }
        assert_eq!(gaps[0], FIRST_PROBE);
        assert!(gaps.iter().all(|&gap| gap <= LONGEST));
        assert_eq!(gaps[9], LONGEST);
        assert_eq!(outage.lasts(now), now - start);
    }
}
