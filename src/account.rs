//! An account as the service takes it, and the place in the input that it came from.

use serde::{Deserialize, Serialize};

/// The most bytes a UserID may have (service table, `account_import`: "no more than 32 bytes").
pub const USER_ID_BYTES: usize = 32;
/// The most bytes a Nick or a FaceUrl may have (service table, 40601: a profile value over 500 bytes).
pub const PROFILE_BYTES: usize = 500;

/// Where a row stands: its number in the whole input, and where a person finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// Counted from 0 over all inputs, invalid and duplicate rows included.
    pub row: u32,
    /// Which of the inputs, from 0.
    pub input: u16,
    /// The line the record starts on; a file's first line is 1.
    pub line: u64,
}

/// A valid row: what is sent for it, and its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Where the row stands.
    pub place: Place,
    /// 1 to 32 bytes.
    pub user_id: Box<str>,
    /// Not given: the service keeps the Nick it has.
    pub nick: Option<Box<str>>,
    /// Not given: the service keeps the FaceUrl it has.
    pub face_url: Option<Box<str>>,
}
