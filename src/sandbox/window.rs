//! Counts arrivals in a sliding window of time.

use std::collections::VecDeque;
use std::time::Duration;

/// The arrivals of the last `span`, and the most that ever fell within one.
pub(super) struct Window {
    span: Duration,
    recent: VecDeque<Duration>,
    busiest: usize,
}

impl Window {
    pub(super) fn new(span: Duration) -> Self {
        Self { span, recent: VecDeque::new(), busiest: 0 }
    }

    /// Takes an arrival at `at`, never before the last one; how many the window holds now.
    pub(super) fn arrive(&mut self, at: Duration) -> usize {
        while self.recent.front().is_some_and(|&first| at.saturating_sub(first) >= self.span) {
            self.recent.pop_front();
        }
        self.recent.push_back(at);
        self.busiest = self.busiest.max(self.recent.len());
        self.recent.len()
    }

    /// The most arrivals in any window so far.
    pub(super) fn busiest(&self) -> usize {
        self.busiest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_every(step_us: u64, count: u64) -> Window {
        let mut window = Window::new(Duration::from_millis(950));
        for number in 0..count {
            window.arrive(Duration::from_micros(number * step_us));
        }
        window
    }

    #[test]
    fn a_hundred_a_second_with_a_twentieth_of_jitter_stays_within_a_hundred() {
        assert_eq!(at_every(10_000, 1_000).busiest(), 95);
        assert_eq!(at_every(9_500, 1_000).busiest(), 100);
        assert_eq!(at_every(9_400, 1_000).busiest(), 102);
    }

    #[test]
    fn a_burst_counts_whole_and_is_forgotten_after_the_span() {
        let mut window = Window::new(Duration::from_millis(950));
        for expected in 1..=100 {
            assert_eq!(window.arrive(Duration::from_millis(10)), expected);
        }
        assert_eq!(window.arrive(Duration::from_millis(959)), 101);
        assert_eq!(window.arrive(Duration::from_millis(960)), 2);
        assert_eq!(window.busiest(), 101);
    }
}
