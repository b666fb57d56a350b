//! Counts of this process's requests: how many, what came back, how fast.

use crate::error_code::Code;
use crate::event::Attempt;
use serde::Serialize;
use std::collections::BTreeMap;

/// What was asked and what came back.
#[derive(Debug, Default)]
pub(super) struct Traffic {
    pub(super) requests: u64,
    pub(super) retries: u64,
    /// Whatever came back but OK.
    pub(super) codes: BTreeMap<Code, u64>,
    /// Of each answer, in tenths of a millisecond.
    latencies: Vec<u32>,
}

/// In milliseconds; null where nothing was answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Latency {
    /// Half of the answers took no longer.
    pub p50: Option<f64>,
    /// 95 of a hundred took no longer.
    pub p95: Option<f64>,
    /// 99 of a hundred took no longer.
    pub p99: Option<f64>,
    /// None took longer.
    pub max: Option<f64>,
}

impl Traffic {
    pub(super) fn count(&mut self, attempt: &Attempt) {
        self.requests += 1;
        self.retries += u64::from(attempt.retry);
        if attempt.code != Code::Service(0) {
            *self.codes.entry(attempt.code).or_default() += 1;
        }
        // A silence has no latency: it lasted as long as we waited.
        if matches!(attempt.code, Code::Service(_) | Code::Http(_) | Code::BadBody | Code::FailAccounts) {
            let tenths = attempt.latency.as_micros() / 100;
            self.latencies.push(u32::try_from(tenths).unwrap_or(u32::MAX));
        }
    }

    /// The nearest-rank percentiles.
    pub(super) fn latency(&mut self) -> Latency {
        self.latencies.sort_unstable();
        let count = self.latencies.len();
        let at = |percent: usize| {
            let rank = (count * percent).div_ceil(100);
            self.latencies.get(rank.saturating_sub(1)).map(|&tenths| f64::from(tenths) / 10.0)
        };
        Latency { p50: at(50), p95: at(95), p99: at(99), max: at(100) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn attempt(code: Code, micros: u64) -> Attempt {
        Attempt {
            batch: 1,
            command: "multiaccount_import",
            attempt: 1,
            accounts: 100,
            code,
            latency: Duration::from_micros(micros),
            verdict: "ok",
            retry: code != Code::Service(0),
        }
    }

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let mut traffic = Traffic::default();
        assert_eq!(traffic.latency(), Latency::default());
        for tenths in (1..=200).rev() {
            traffic.count(&attempt(Code::Service(0), tenths * 100));
        }
        let expected = Latency { p50: Some(10.0), p95: Some(19.0), p99: Some(19.8), max: Some(20.0) };
        assert_eq!(traffic.latency(), expected);
    }

    #[test]
    fn a_request_without_an_answer_is_counted_but_not_timed() {
        let mut traffic = Traffic::default();
        traffic.count(&attempt(Code::Service(0), 500));
        traffic.count(&attempt(Code::Timeout, 10_000_000));
        traffic.count(&attempt(Code::Timeout, 10_000_000));
        assert_eq!((traffic.requests, traffic.retries), (3, 2));
        assert_eq!(traffic.codes, BTreeMap::from([(Code::Timeout, 2)]));
        assert_eq!(traffic.latency().max, Some(0.5));
    }
}
