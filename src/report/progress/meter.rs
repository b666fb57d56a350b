//! How fast it goes: over the last seconds, not since the beginning.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Counts older than this say nothing about now.
const WINDOW: Duration = Duration::from_secs(10);
/// Counts nearer than this are one.
const STEP: Duration = Duration::from_millis(250);

/// Two counts over time.
#[derive(Debug, Default)]
pub(in crate::report) struct Meter {
    samples: VecDeque<(Instant, [u64; 2])>,
}

impl Meter {
    /// Takes note of the counts as they are at `now`.
    pub(in crate::report) fn note(&mut self, counts: [u64; 2], now: Instant) {
        if self.samples.back().is_some_and(|&(at, _)| now.saturating_duration_since(at) < STEP) {
            return;
        }
        self.samples.push_back((now, counts));
        // The last one outside the window stays: the window begins there.
        while self.samples.get(1).is_some_and(|&(at, _)| now.saturating_duration_since(at) > WINDOW) {
            self.samples.pop_front();
        }
    }

    /// What each count gained a second.
    pub(in crate::report) fn rates(&self, counts: [u64; 2], now: Instant) -> [f64; 2] {
        let Some(&(since, then)) = self.samples.front() else { return [0.0; 2] };
        let seconds = now.saturating_duration_since(since).max(STEP).as_secs_f64();
        [0, 1].map(|i| counts[i].saturating_sub(then[i]) as f64 / seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_that_of_the_last_ten_seconds() {
        let (start, mut meter) = (Instant::now(), Meter::default());
        let at = |tenths: u64| start + Duration::from_millis(tenths * 100);
        let mut count = 0;
        for tenth in 0..=400 {
            count += if tenth <= 200 { 0 } else { 10 };
            meter.note([count, count * 2], at(tenth));
        }
        let [one, other] = meter.rates([count, count * 2], at(400));
        assert!((95.0..=105.0).contains(&one) && (190.0..=210.0).contains(&other), "{one} {other}");
        assert!(meter.samples.len() < 50, "{}", meter.samples.len());
    }

    #[test]
    fn at_the_very_beginning_nothing_is_infinite() {
        let now = Instant::now();
        let mut meter = Meter::default();
        assert!(meter.rates([5, 5], now)[0].abs() < f64::EPSILON);
        meter.note([0, 0], now);
        assert!(meter.rates([100, 1], now)[0].is_finite());
    }
}
