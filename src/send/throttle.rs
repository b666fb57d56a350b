//! The rate that the service lets through, found by its refusals.

use std::time::{Duration, Instant};

/// The cut where nothing is known of the real limit yet.
const FAR: f64 = 0.7;
/// The cut where the rate had crept to the limit that was met last time.
const NEAR: f64 = 0.95;
/// Within this share of the last limit the rate creeps instead of climbing.
const NEIGHBOURHOOD: f64 = 0.9;
/// What a second without a refusal adds, as a share of the full rate: near the last limit, and elsewhere.
const CREEP: f64 = 0.005;
const CLIMB: f64 = 0.03;
/// The slowest that refusals make the run.
const SLOWEST: f64 = 1.0;

/// Cuts the rate when the service says "too fast", and creeps back.
pub(super) struct Throttle {
    most: f64,
    rate: f64,
    /// The rate at which the service last said so.
    limit: f64,
    cut: Option<Instant>,
    raised: Instant,
}

impl Throttle {
    pub(super) fn new(most: u32, now: Instant) -> Self {
        let most = f64::from(most);
        Self { most, rate: most, limit: most / NEIGHBOURHOOD, cut: None, raised: now }
    }

    /// A request released at `released` was too fast: the rate to go on with, if that is news.
    /// What left before the last cut tells nothing about the rate since.
    pub(super) fn refused(&mut self, released: Instant, now: Instant) -> Option<f64> {
        if self.cut.is_some_and(|cut| released <= cut) || self.rate <= SLOWEST {
            return None;
        }
        let near = self.cut.is_some() && self.rate >= self.limit * NEIGHBOURHOOD;
        self.limit = self.rate;
        self.rate = (self.rate * if near { NEAR } else { FAR }).max(SLOWEST);
        self.cut = Some(now);
        self.raised = now;
        Some(self.rate)
    }

    /// A request was let through: the rate to go on with, raised at most once a second.
    pub(super) fn let_through(&mut self, now: Instant) -> Option<f64> {
        if self.rate >= self.most || now < self.raised + Duration::from_secs(1) {
            return None;
        }
        let near = self.rate >= self.limit * NEIGHBOURHOOD && self.rate <= self.limit / NEIGHBOURHOOD;
        self.rate = (self.rate + self.most * if near { CREEP } else { CLIMB }).min(self.most);
        self.raised = now;
        Some(self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::Pacer;
    use super::*;
    use std::collections::VecDeque;

    /// Runs pacer and throttle against a server that counts every arrival in a sliding second.
    /// Gives, for each second, requests released and refused.
    fn against(limit: impl Fn(u64) -> usize, seconds: u64, round_trip: Duration) -> Vec<(u32, u32)> {
        let start = Instant::now();
        let (mut pacer, mut throttle) = (Pacer::new(100, start), Throttle::new(100, start));
        let (mut window, mut answers) = (VecDeque::new(), VecDeque::new());
        let mut counts = vec![(0, 0); usize::try_from(seconds).unwrap()];
        let mut now = start;
        loop {
            let second = (now - start).as_secs();
            if second >= seconds {
                return counts;
            }
            while let Some(&(at, released, refused)) = answers.front() {
                if at > now {
                    break;
                }
                answers.pop_front();
                let rate = if refused { throttle.refused(released, at) } else { throttle.let_through(at) };
                if let Some(rate) = rate {
                    pacer.set_rate(rate, now);
                }
            }
            if let Err(at) = pacer.release(now) {
                now = at.min(answers.front().map_or(at, |a| a.0.max(now + Duration::from_micros(1))));
                continue;
            }
            window.push_back(now);
            while window.front().is_some_and(|&t| now - t >= Duration::from_secs(1)) {
                window.pop_front();
            }
            let refused = window.len() > limit(second);
            let count = &mut counts[usize::try_from(second).unwrap()];
            count.0 += 1;
            count.1 += u32::from(refused);
            answers.push_back((now + round_trip, now, refused));
        }
    }

    #[test]
    fn the_run_settles_within_a_tenth_of_the_real_limit_and_wastes_under_a_twentieth() {
        for (limit, trip) in [(60, 20), (60, 200), (60, 300), (90, 100), (20, 100), (35, 50)] {
            let counts = against(|_| limit, 120, Duration::from_millis(trip));
            let sent: u32 = counts[10..].iter().map(|c| c.0).sum();
            let refused: u32 = counts[10..].iter().map(|c| c.1).sum();
            let accepted = f64::from(sent - refused) / 110.0;
            let share = accepted / f64::from(u32::try_from(limit).unwrap());
            assert!((0.9..=1.1).contains(&share), "limit {limit}, {trip} ms: {accepted} accepted a second");
            assert!(
                f64::from(refused) < 0.05 * f64::from(sent),
                "limit {limit}: {refused} of {sent} refused"
            );
        }
    }

    #[test]
    fn once_the_limit_is_lifted_the_full_rate_comes_back_within_a_minute() {
        let counts = against(|s| if s < 30 { 50 } else { 1000 }, 100, Duration::from_millis(100));
        assert!(counts[92..].iter().all(|c| c.0 >= 98), "{counts:?}");
    }

    #[test]
    fn a_burst_of_refusals_cuts_once() {
        let start = Instant::now();
        let mut throttle = Throttle::new(100, start);
        let now = start + Duration::from_secs(5);
        assert!(throttle.refused(start, now).is_some());
        assert_eq!(throttle.refused(start, now), None);
        assert_eq!(throttle.refused(now, now), None);
        assert!(throttle.refused(now + Duration::from_millis(1), now + Duration::from_millis(2)).is_some());
    }
}
