//! How rows end, and the counts of it.

use crate::account::Place;
use crate::error_code::Code;
use serde::{Deserialize, Serialize};

/// The end of a row; every row has exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The service acknowledged it.
    Imported,
    /// The service refused this account, or never answered for it while it was acknowledging others.
    Failed,
    /// Refused here, never sent.
    Invalid,
    /// Another row with the same UserID was used.
    Duplicate,
    /// `--existing skip` found it at the service already.
    Skipped,
    /// The run stopped first, or `--limit` or `--dry-run` left it.
    Unsent,
    /// Of a verify: the service does not know it.
    Missing,
    /// Of a verify: the service holds another Nick or FaceUrl.
    Different,
}

impl Outcome {
    /// The word that reports and summaries use.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Imported => "imported",
            Outcome::Failed => "failed",
            Outcome::Invalid => "invalid",
            Outcome::Duplicate => "duplicate",
            Outcome::Skipped => "skipped",
            Outcome::Unsent => "unsent",
            Outcome::Missing => "missing",
            Outcome::Different => "different",
        }
    }
}

/// A row of the failed-accounts report: what was read, how it ended and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Where the row stands.
    pub place: Place,
    /// As read; empty where the row could not be parsed.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub user_id: Box<str>,
    /// As read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nick: Option<Box<str>>,
    /// As read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub face_url: Option<Box<str>>,
    /// `Failed` or `Invalid`; of a verify `Missing` or `Different`.
    pub outcome: Outcome,
    /// The service's code, or what came in its place; none for an invalid row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Why, in a sentence.
    pub info: Box<str>,
    /// How many requests carried the account.
    pub attempts: u32,
    /// The row's own text, at most 4 KiB, only where it could not be parsed; bytes that are no text as `\xHH`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Box<str>>,
}

/// The counts of a run. What is in no other count is unsent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// CSV records and JSON values read.
    pub rows: u64,
    /// Acknowledged by the service.
    pub imported: u64,
    /// Refused by the service.
    pub failed: u64,
    /// Refused here.
    pub invalid: u64,
    /// Dropped for another row of the same UserID.
    pub duplicates: u64,
    /// Dropped rows whose Nick or FaceUrl differs from the kept row's; a part of `duplicates`.
    pub conflicts: u64,
    /// Found at the service already.
    pub skipped: u64,
}

impl Tally {
    /// Rows that have no outcome but this one.
    pub fn unsent(&self) -> u64 {
        self.rows - self.imported - self.failed - self.invalid - self.duplicates - self.skipped
    }
}
