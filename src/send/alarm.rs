//! A timer for the pacer, finer than the runtime's.
//!
//! The runtime's timers tick in milliseconds, and late wake-ups add up: where the pacer's ring waits, a
//! release that is late by d delays its successor of the next second by d. A sleeping thread is woken
//! within some tens of microseconds.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Instant;
use tokio::sync::Notify;

/// Rings once at the instant that it was last set to.
pub(super) struct Alarm {
    set: Sender<Instant>,
    bell: Arc<Notify>,
    at: Option<Instant>,
}

impl Alarm {
    /// Starts the thread that sleeps; it ends when the alarm is dropped.
    pub(super) fn new() -> std::io::Result<Self> {
        let (set, instants) = channel();
        let bell = Arc::new(Notify::new());
        let ring = Arc::clone(&bell);
        std::thread::Builder::new().name("alarm".into()).spawn(move || sleep(&instants, &ring))?;
        Ok(Self { set, bell, at: None })
    }

    /// Rings at `at`, and no more at what was set before.
    pub(super) fn set(&mut self, at: Instant) {
        if self.at != Some(at) {
            self.at = Some(at);
            // The thread ends with the alarm only, so there is always one to hear this.
            let _heard = self.set.send(at);
        }
    }

    /// Returns when the alarm has rung since this was last awaited.
    pub(super) async fn rung(&mut self) {
        self.bell.notified().await;
        self.at = None;
    }
}

fn sleep(instants: &Receiver<Instant>, bell: &Notify) {
    let mut next: Option<Instant> = None;
    loop {
        let heard = match next {
            None => instants.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(at) => instants.recv_timeout(at.saturating_duration_since(Instant::now())),
        };
        match heard {
            Ok(at) => next = Some(at),
            Err(RecvTimeoutError::Timeout) => {
                next = None;
                bell.notify_one();
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn an_alarm_rings_once_not_before_its_instant() {
        let mut alarm = Alarm::new().unwrap();
        let start = Instant::now();
        alarm.set(start + Duration::from_secs(3600));
        alarm.set(start + Duration::from_millis(20));
        alarm.rung().await;
        assert!(start.elapsed() >= Duration::from_millis(20));
        let again = tokio::time::timeout(Duration::from_millis(30), alarm.rung()).await;
        assert!(again.is_err(), "rang twice");
    }
}
