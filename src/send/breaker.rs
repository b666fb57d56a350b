//! The breaker: stops a run that is refused as a whole, before it writes off accounts that are not at fault.

use crate::error_code::Code;
use crate::outcome::Refusal;

/// So many batches in succession, each refused to its last account with one code, stop the run.
pub(super) const BATCHES: u32 = 10;

/// Holds back the failures of batches that were refused to the last account, until it is clear whether
/// the accounts are at fault or everything is.
#[derive(Default)]
pub(super) struct Breaker {
    code: Option<Code>,
    held: Vec<Vec<Refusal>>,
}

/// What to make of a batch that has had all its answers.
#[derive(Debug, PartialEq)]
pub(super) enum Broken {
    /// These batches' failures are the accounts' own.
    No(Vec<Vec<Refusal>>),
    /// Everything is refused with this code: stop; what was held stays unsent.
    Yes(Code),
}

impl Breaker {
    /// A batch ended with `failed`; `whole` if it was refused to the last account, with this one code.
    /// The very first batch (`first`) needs no nine others to be believed.
    pub(super) fn ended(&mut self, failed: Vec<Refusal>, whole: Option<Code>, first: bool) -> Broken {
        let Some(code) = whole else {
            let mut released = self.release();
            released.push(failed);
            return Broken::No(released);
        };
        let released = if self.code == Some(code) { Vec::new() } else { self.release() };
        self.code = Some(code);
        self.held.push(failed);
        if first || self.held.len() >= BATCHES as usize {
            return Broken::Yes(code);
        }
        Broken::No(released)
    }

    /// Something was acknowledged, or the run came to its end: what was held back is the accounts' own.
    pub(super) fn release(&mut self) -> Vec<Vec<Refusal>> {
        self.code = None;
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Place;
    use crate::outcome::Outcome;

    const CODE: Code = Code::Service(70402);

    fn failed(row: u32) -> Vec<Refusal> {
        vec![Refusal {
            place: Place { row, input: 0, line: 1 },
            user_id: "u".into(),
            nick: None,
            face_url: None,
            outcome: Outcome::Failed,
            code: Some(CODE),
            info: "".into(),
            attempts: 1,
            raw: None,
        }]
    }

    #[test]
    fn ten_batches_in_succession_break_it_and_nine_do_not() {
        let mut breaker = Breaker::default();
        for row in 0..9 {
            assert_eq!(breaker.ended(failed(row), Some(CODE), false), Broken::No(vec![]));
        }
        assert_eq!(breaker.ended(failed(9), Some(CODE), false), Broken::Yes(CODE));
    }

    #[test]
    fn a_batch_with_one_good_account_releases_what_was_held() {
        let mut breaker = Breaker::default();
        for row in 0..9 {
            breaker.ended(failed(row), Some(CODE), false);
        }
        assert_eq!(breaker.ended(failed(9), None, false), Broken::No((0..10).map(failed).collect()));
        assert_eq!(breaker.ended(failed(10), Some(CODE), false), Broken::No(vec![]));
    }

    #[test]
    fn another_code_begins_the_count_again() {
        let mut breaker = Breaker::default();
        for row in 0..9 {
            breaker.ended(failed(row), Some(CODE), false);
        }
        let other = Some(Code::Service(70399));
        assert_eq!(breaker.ended(failed(9), other, false), Broken::No((0..9).map(failed).collect()));
        assert_eq!(breaker.release(), vec![failed(9)]);
    }

    #[test]
    fn the_first_batch_breaks_it_alone() {
        assert_eq!(Breaker::default().ended(failed(0), Some(CODE), true), Broken::Yes(CODE));
    }
}
