//! The second reading: the rows that are pending, a hundred at a time.

use super::Error;
use super::reading::Reading;
use super::validate;
use crate::account::Account;
use crate::batch::{self, Batch};
use crate::rows::RowSet;

/// The pending accounts in input order; ends after the first error.
pub struct Batches {
    reading: Reading,
    pending: RowSet,
    left: u64,
    trim: bool,
}

impl Batches {
    pub(super) fn new(reading: Reading, pending: RowSet, trim: bool) -> Self {
        Self { reading, left: pending.len(), pending, trim }
    }

    fn gather(&mut self) -> Result<Vec<Account>, Error> {
        let mut accounts = Vec::new();
        while accounts.len() < batch::MOST && self.left > 0 {
            if !self.reading.advance()? {
                return Err(self.reading.changed());
            }
            let place = self.reading.place()?;
            if !self.pending.contains(place.row) {
                continue;
            }
            let Some(Ok(fields)) = self.reading.row() else { return Err(self.reading.changed()) };
            let Ok(checked) = validate::check(&fields, self.trim) else { return Err(self.reading.changed()) };
            let given = |text: &str| (!text.is_empty()).then(|| text.into());
            accounts.push(Account {
                place,
                user_id: checked.user_id.into(),
                nick: given(checked.nick),
                face_url: given(checked.face_url),
            });
            self.left -= 1;
        }
        Ok(accounts)
    }
}

impl Iterator for Batches {
    type Item = Result<Batch, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let batch = self.gather().map(|accounts| Batch { accounts });
        if batch.is_err() {
            self.left = 0;
        }
        Some(batch)
    }
}
