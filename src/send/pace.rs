//! When the next request may be released: a schedule with a small catch-up, under a hard bound on any window.
//!
//! A schedule alone either bunches (a burst after a stall adds to the second that follows) or loses
//! time (each late wake-up is gone for good). So two rules hold at once: governor's schedule, a little
//! slower than the bound, which makes up for up to half a second lost; and a ring of the last
//! release times, which never lets a window of [`WINDOW`] hold more than the rate, whatever happened, nor a
//! twentieth of it more than a tenth of the rate (or two): what is made up for comes at twice the pace, not in one burst
//! that the way to the service would smear over the end of the window.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// No window of this length holds more releases than the rate: a second, and a margin for jitter on the way.
pub(super) const WINDOW: Duration = Duration::from_millis(1004);
/// Seconds that the schedule takes for `rate` releases: above [`WINDOW`], so that the ring seldom waits,
/// and below 1/0.995, so that 99.5 % of the rate is used.
const ROUND: f64 = 1.0045;
/// Whoever asks so much later than was agreed was stopped meanwhile, and so was what it had released last.
const LATE: Duration = Duration::from_millis(50);
/// A request that was released leaves within this, unless the process is stopped.
const LEAVES: Duration = Duration::from_millis(5);
/// The share of a second that the schedule makes up for after a stall.
const CATCH_UP: f64 = 0.5;

type Schedule = RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<Nanos>>;

/// Hands out permits to send, one a request.
pub(super) struct Pacer {
    rate: f64,
    most: usize,
    clock: Told,
    schedule: Schedule,
    released: VecDeque<Instant>,
    /// Releases since the caller last waited: while it waits they leave.
    leaving: usize,
    waiting: bool,
    /// When the caller asks next, if it is up to the clock.
    agreed: Option<Instant>,
    origin: Instant,
}

impl Pacer {
    /// A pacer of `rate` requests a second at most; its schedule begins with the first of them.
    pub(super) fn new(rate: u32, now: Instant) -> Self {
        let clock = Told::default();
        let schedule = schedule(f64::from(rate), &clock);
        let most = rate as usize;
        let released = VecDeque::new();
        let rate = f64::from(rate);
        Self { rate, most, clock, schedule, released, leaving: 0, waiting: false, agreed: None, origin: now }
    }

    /// Takes the permit for one request at `now`, or says until when to wait and then ask again.
    pub(super) fn release(&mut self, now: Instant) -> Result<(), Instant> {
        self.look(now);
        let permit = self.permit(now);
        match permit {
            Ok(()) => (self.leaving, self.agreed) = (self.leaving + 1, Some(now)),
            Err(at) => (self.waiting, self.agreed) = (true, Some(at)),
        }
        permit
    }

    /// The caller has nothing to release. Gives when to come again at the latest, for a look at what left.
    pub(super) fn idle(&mut self, now: Instant) -> Option<Instant> {
        self.look(now);
        (self.waiting, self.agreed) = (true, (self.leaving > 0).then(|| now + LEAVES));
        self.agreed
    }

    /// Finds out whether the caller was stopped while it waited.
    fn look(&mut self, now: Instant) {
        // Where requests are further apart than that, a late wake-up is no sign of it.
        let is_dense = self.rate * LATE.as_secs_f64() >= 1.0;
        if is_dense && self.agreed.is_some_and(|agreed| now > agreed + LATE) {
            // Stopped with their caller, these leave only now.
            let first = self.released.len().saturating_sub(self.leaving);
            self.released.range_mut(first..).for_each(|released| *released = now);
        }
        if std::mem::take(&mut self.waiting) {
            self.leaving = 0;
        }
    }

    fn permit(&mut self, now: Instant) -> Result<(), Instant> {
        let (most, window) = self.window();
        let opens = self.opens(most, window).max(self.opens((most / 10).max(2), WINDOW / 20));
        if let Some(opens) = opens.filter(|&opens| now < opens) {
            return Err(opens);
        }
        self.clock.tell(now - self.origin);
        if self.released.is_empty() {
            // Time that passed before the first request was not lost.
            self.schedule = schedule(self.rate, &self.clock);
        }
        self.schedule.check().map_err(|until| now + until.wait_time_from(self.clock.now()))?;
        if self.released.len() == self.most {
            self.released.pop_front();
        }
        self.released.push_back(now);
        Ok(())
    }

    /// Goes on at another rate, from 1 to the rate that the pacer was made with.
    pub(super) fn set_rate(&mut self, rate: f64, now: Instant) {
        self.rate = rate.clamp(1.0, self.most as f64);
        self.clock.tell(now - self.origin);
        self.schedule = schedule(self.rate, &self.clock);
    }

    /// When the next release leaves no more than `most` in any window of this length.
    fn opens(&self, most: usize, window: Duration) -> Option<Instant> {
        let first = self.released.len().checked_sub(most)?;
        Some(self.released[first] + window)
    }

    /// Releases that a window may hold, and how long it is: [`WINDOW`] for a whole rate. For a rate between two
    /// whole ones it is a little longer and holds one more, or a rate of 1.9 would be one of 1.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to `most`")]
    fn window(&self) -> (usize, Duration) {
        let most = self.rate.ceil();
        (most as usize, WINDOW.mul_f64(most / self.rate))
    }
}

/// A schedule of `rate` a second that starts with nothing to catch up on.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive and far below 2^32")]
fn schedule(rate: f64, clock: &Told) -> Schedule {
    let period = Duration::from_secs_f64(ROUND / rate);
    let burst = NonZeroU32::new((rate * CATCH_UP) as u32).unwrap_or(NonZeroU32::MIN).saturating_add(1);
    let quota = Quota::with_period(period).map_or_else(|| Quota::per_second(burst), |q| q.allow_burst(burst));
    let limiter = RateLimiter::direct_with_clock(quota, clock.clone());
    if let Some(head_start) = NonZeroU32::new(burst.get() - 1) {
        // A fresh limiter is a full bucket: the requests it would let through at once were never lost.
        let _full = limiter.check_n(head_start);
    }
    limiter
}

/// A clock that says what it was told, so that the schedule can be tested to the digit.
#[derive(Clone, Debug, Default)]
struct Told(Arc<AtomicU64>);

impl Told {
    fn tell(&self, since_origin: Duration) {
        let nanos = u64::try_from(since_origin.as_nanos()).unwrap_or(u64::MAX);
        self.0.store(nanos, Ordering::Relaxed);
    }
}

impl Clock for Told {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Releases `n` requests, each wake-up late by what `late` gives for it. The first goes an hour after the
    /// pacer was made.
    fn releases(rate: u32, n: usize, late: impl FnMut(usize) -> Duration) -> Vec<Duration> {
        released_and_left(rate, n, usize::MAX, late).0
    }

    /// The same, with nothing more to release for the moment after each so many; and when each request leaves:
    /// at once, unless it is stopped with its caller.
    fn released_and_left(
        rate: u32,
        n: usize,
        idles: usize,
        mut late: impl FnMut(usize) -> Duration,
    ) -> (Vec<Duration>, Vec<Duration>) {
        let made = Instant::now();
        let start = made + Duration::from_secs(3600);
        let (mut pacer, mut now) = (Pacer::new(rate, made), start);
        let (mut times, mut left) = (Vec::new(), Vec::new());
        while times.len() < n {
            let waits = match pacer.release(now) {
                Ok(()) => {
                    times.push(now - start);
                    if times.len().is_multiple_of(idles) { pacer.idle(now) } else { None }
                }
                Err(at) => Some(at),
            };
            if let Some(at) = waits {
                assert!(at > now, "asked to wait for the past");
                let late = late(times.len());
                let leaves = if late > LATE { at + late } else { now };
                left.resize(times.len(), leaves - start);
                now = at + late;
            }
        }
        left.resize(n, now - start);
        (times, left)
    }

    fn busiest(times: &[Duration], window: Duration) -> usize {
        let mut oldest = 0;
        let held = times.iter().enumerate().map(|(i, &time)| {
            while time >= times[oldest] + window {
                oldest += 1;
            }
            i + 1 - oldest
        });
        held.max().unwrap_or(0)
    }

    #[test]
    fn a_quiet_machine_gets_995_of_a_thousand_and_never_101_in_a_window() {
        let times = releases(100, 3001, |_| Duration::ZERO);
        let span = times[3000].as_secs_f64() - times[1].as_secs_f64();
        assert!(2999.0 / span >= 99.5, "{} a second", 2999.0 / span);
        assert!(busiest(&times, WINDOW) <= 100);
    }

    #[test]
    fn late_timers_cost_next_to_nothing() {
        for (micros, least) in [(800, 99.5), (3000, 99.4), (20_000, 98.5)] {
            let late = |k: usize| Duration::from_micros((k as u64 * 7919) % micros);
            let times = releases(100, 10_001, late);
            let rate = 9999.0 / (times[10_000].as_secs_f64() - times[1].as_secs_f64());
            assert!(rate >= least, "{rate} a second where timers are up to {micros} µs late");
            assert!(busiest(&times, WINDOW) <= 100);
        }
    }

    #[test]
    fn a_stall_of_half_a_second_is_followed_by_no_more_than_the_rate_in_any_window() {
        let stall = |k: usize| Duration::from_millis(if k == 150 { 500 } else { 1 });
        let times = releases(100, 1000, stall);
        assert!(busiest(&times, WINDOW) <= 100);
        assert!(busiest(&times, WINDOW / 20) <= 10, "in one burst");
        // Of each second, the moment at which it is furthest.
        let late = |k: usize| times[k].as_secs_f64() - k as f64 * ROUND / 100.0;
        let lost = (900..1000).map(late).fold(f64::MAX, f64::min);
        assert!(lost < 0.1, "{lost} s lost for good");
    }

    #[test]
    fn a_lower_rate_holds_from_the_moment_it_is_set() {
        let start = Instant::now();
        let (mut pacer, mut now, mut times) = (Pacer::new(100, start), start, Vec::new());
        for k in 0..600 {
            if k == 150 {
                pacer.set_rate(40.0, now);
            }
            while let Err(at) = pacer.release(now) {
                now = at;
            }
            times.push(now - start);
        }
        assert!(busiest(&times[150..], WINDOW) <= 40);
        let lowered = &times[150..];
        assert!(busiest(lowered, Duration::from_secs(10)) >= 390);
    }

    #[test]
    fn a_rate_between_two_whole_ones_is_used_fully() {
        let start = Instant::now();
        let (mut pacer, mut now) = (Pacer::new(2, start), start);
        pacer.set_rate(1.9, now);
        let mut times = Vec::new();
        for _ in 0..200 {
            while let Err(at) = pacer.release(now) {
                now = at;
            }
            times.push(now - start);
        }
        let rate = 199.0 / times[199].as_secs_f64();
        assert!((1.88..=1.9).contains(&rate), "{rate} a second");
        assert!(busiest(&times, WINDOW) <= 2);
    }

    #[test]
    fn high_rates_are_reached_with_millisecond_timers() {
        let times = releases(20_000, 100_001, |_| Duration::from_millis(1));
        let span = times[100_000].as_secs_f64() - times[1].as_secs_f64();
        assert!(99_999.0 / span >= 0.99 * 20_000.0, "{} a second", 99_999.0 / span);
        assert!(busiest(&times, WINDOW) <= 20_000);
    }

    proptest! {
        #[test]
        fn no_window_holds_more_than_the_rate_and_no_run_is_faster_than_it(
            rate in 1u32..200,
            late in prop::collection::vec(0u64..2_000_000, 1..600),
            idles in 1usize..20,
        ) {
            let n = late.len();
            // Mostly microseconds, now and then a stall of up to two seconds.
            let stall = |k: usize| Duration::from_micros(if k % 37 == 5 { late[k % n] } else { late[k % n] % 2000 });
            let (times, left) = released_and_left(rate, n, idles, stall);
            prop_assert!(busiest(&times, WINDOW) <= rate as usize);
            prop_assert!(rate < 20 || busiest(&left, WINDOW) <= rate as usize);
            prop_assert!(times[n - 1].as_secs_f64() >= (n - 1) as f64 / f64::from(rate));
        }
    }
}
