//! A timer for the pacer, finer than the runtime's.
//!
//! The runtime's timers tick in milliseconds, and late wake-ups add up: where the pacer's ring waits, a
//! release that is late by d delays its successor of the next second by d. So the last tick is slept through
//! on the thread itself, which is woken within some tens of microseconds. An answer that comes meanwhile
//! waits for no more than that tick.

use std::time::{Duration, Instant};

/// What the runtime's timers count in.
const TICK: Duration = Duration::from_millis(1);

/// Rings once at the instant that it was last set to.
#[derive(Default)]
pub(super) struct Alarm {
    at: Option<Instant>,
}

impl Alarm {
    /// Rings at `at`, and no more at what was set before.
    pub(super) fn set(&mut self, at: Instant) {
        self.at = Some(at);
    }

    /// Returns at the instant, or never if none is set.
    pub(super) async fn rung(&mut self) {
        let Some(at) = self.at else { return std::future::pending().await };
        tokio::time::sleep(at.saturating_duration_since(Instant::now()).saturating_sub(TICK)).await;
        std::thread::sleep(at.saturating_duration_since(Instant::now()));
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_once_not_before_its_instant() {
        let mut alarm = Alarm::default();
        let start = Instant::now();
        alarm.set(start + Duration::from_secs(3600));
        alarm.set(start + Duration::from_millis(20));
        alarm.rung().await;
        assert!(start.elapsed() >= Duration::from_millis(20));
        let again = tokio::time::timeout(Duration::from_millis(30), alarm.rung()).await;
        assert!(again.is_err(), "rang twice");
    }
}
