//! A batch: the accounts that travel in one request.

use crate::account::Account;

/// The most accounts one `multiaccount_import` may carry (service table).
pub const MOST: usize = 100;

/// Up to [`MOST`] accounts in input order, no UserID twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Never empty.
    pub accounts: Vec<Account>,
}
