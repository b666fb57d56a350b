//! How a run ends, and the status and exit code that follow from it.

use crate::outcome::Tally;

/// How a run ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// All that was to be sent was sent.
    Completed,
    /// It could not go on: why, and what to do.
    Stopped(String),
    /// A person stopped it.
    Interrupted(Signal),
    /// Nothing was to be sent.
    DryRun,
}

/// What a person stopped the run with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

/// The counts of a verify.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Accounts to ask for.
    pub total: u64,
    /// There, and equal.
    pub present: u64,
    /// The service does not know them.
    pub missing: u64,
    /// The service holds another Nick or FaceUrl.
    pub different: u64,
    /// The service would not say.
    pub failed: u64,
}

impl Checked {
    /// Accounts that got no answer.
    pub(super) fn unasked(&self) -> u64 {
        self.total.saturating_sub(self.present + self.missing + self.different + self.failed)
    }
}

impl Ending {
    /// The summary's word.
    pub fn status(&self) -> &'static str {
        match self {
            Ending::Completed => "completed",
            Ending::Stopped(_) => "stopped",
            Ending::Interrupted(_) => "interrupted",
            Ending::DryRun => "dry-run",
        }
    }

    /// What the process ends with. `checked` are the counts of a verify, if there was one.
    pub fn exit_code(&self, tally: &Tally, checked: Option<&Checked>) -> u8 {
        let refused = tally.failed + tally.invalid > 0
            || checked.is_some_and(|checked| checked.missing + checked.different + checked.failed > 0);
        match self {
            Ending::Completed | Ending::DryRun if refused => 3,
            Ending::Completed | Ending::DryRun => 0,
            Ending::Stopped(_) => 1,
            Ending::Interrupted(Signal::Interrupt) => 130,
            Ending::Interrupted(Signal::Terminate) => 143,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_exit_code_follow_from_the_ending_and_the_counts() {
        let clean = Tally { rows: 10, imported: 7, duplicates: 2, skipped: 1, ..Tally::default() };
        let failed = Tally { failed: 1, ..clean };
        let invalid = Tally { invalid: 1, ..clean };
        let stopped = Ending::Stopped("the service fell silent".into());
        let cases = [
            (Ending::Completed, clean, "completed", 0),
            (Ending::Completed, failed, "completed", 3),
            (Ending::Completed, invalid, "completed", 3),
            (Ending::DryRun, clean, "dry-run", 0),
            (Ending::DryRun, invalid, "dry-run", 3),
            (stopped.clone(), clean, "stopped", 1),
            (stopped, failed, "stopped", 1),
            (Ending::Interrupted(Signal::Interrupt), clean, "interrupted", 130),
            (Ending::Interrupted(Signal::Terminate), invalid, "interrupted", 143),
        ];
        for (ending, tally, status, code) in cases {
            assert_eq!(
                (ending.status(), ending.exit_code(&tally, None)),
                (status, code),
                "{ending:?} {tally:?}"
            );
        }
    }

    #[test]
    fn a_verify_that_finds_something_amiss_exits_with_3() {
        let code = |checked| Ending::Completed.exit_code(&Tally::default(), Some(&checked));
        let good = Checked { total: 5, present: 5, ..Checked::default() };
        assert_eq!(code(good), 0);
        assert_eq!(code(Checked { missing: 1, ..good }), 3);
        assert_eq!(code(Checked { different: 1, ..good }), 3);
        assert_eq!(code(Checked { failed: 1, ..good }), 3);
    }
}
