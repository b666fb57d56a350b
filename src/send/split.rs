//! The search for the accounts that a refused batch was refused for.
//!
//! Halving, with one inference: where a set is known to hold a refused account and its first half went
//! through, the second half must hold it, so that half is cut again without being asked as a whole. An
//! account is only ever failed by an answer to a request that carried it alone. With one account in a
//! hundred refused at random this takes 11.1 requests a batch of a hundred on average, the first included.

use crate::account::Account;

/// An account on its way, and how often it was sent.
#[derive(Clone, Debug)]
pub(super) struct Tried {
    pub(super) account: Account,
    /// Requests that carried it.
    pub(super) attempts: u32,
    /// Answers that listed it in `FailAccounts`.
    pub(super) listed: u32,
}

impl From<Account> for Tried {
    fn from(account: Account) -> Self {
        Self { account, attempts: 0, listed: 0 }
    }
}

/// One batch on its way: the piece that is sent next, and those that wait for its answer.
#[derive(Debug)]
pub(super) struct Search {
    /// The last is the next to be sent; empty when every account has had its answer.
    pieces: Vec<Piece>,
}

#[derive(Debug)]
struct Piece {
    accounts: Vec<Tried>,
    /// The piece below is the other half of a set that is known to hold a refused account.
    first_half: bool,
}

impl Search {
    /// A batch that has not been sent yet.
    pub(super) fn new(accounts: Vec<Tried>) -> Self {
        Self { pieces: vec![Piece { accounts, first_half: false }] }
    }

    /// The accounts of the next request; none when the batch has had all its answers.
    pub(super) fn piece(&mut self) -> Option<&mut Vec<Tried>> {
        self.pieces.last_mut().map(|piece| &mut piece.accounts)
    }

    /// The piece went through.
    pub(super) fn accepted(&mut self) -> Vec<Tried> {
        let Some(piece) = self.pieces.pop() else { return Vec::new() };
        if piece.first_half
            && let Some(guilty) = self.pieces.pop()
        {
            if guilty.accounts.len() == 1 {
                self.pieces.push(guilty);
            } else {
                self.cut(guilty.accounts, true);
            }
        }
        piece.accounts
    }

    /// The piece was refused for good: the account, if it stood alone.
    pub(super) fn refused(&mut self) -> Option<Tried> {
        self.halve(true)
    }

    /// The piece had no answer in all its tries: the account, if it stood alone.
    pub(super) fn unanswered(&mut self) -> Option<Tried> {
        self.halve(false)
    }

    /// The piece leads nowhere as it is: its halves may, or, where it is one account, the others.
    pub(super) fn look_elsewhere(&mut self) {
        if let Some(alone) = self.halve(false) {
            self.pieces.insert(0, Piece { accounts: vec![alone], first_half: false });
        }
    }

    fn halve(&mut self, guilty: bool) -> Option<Tried> {
        let mut piece = self.pieces.pop()?;
        if piece.accounts.len() == 1 {
            return piece.accounts.pop();
        }
        self.cut(piece.accounts, guilty);
        None
    }

    fn cut(&mut self, mut first: Vec<Tried>, guilty: bool) {
        let second = first.split_off(first.len().div_ceil(2));
        self.pieces.push(Piece { accounts: second, first_half: false });
        self.pieces.push(Piece { accounts: first, first_half: guilty });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Place;
    use proptest::prelude::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    fn batch(n: u32) -> Vec<Tried> {
        (0..n)
            .map(|row| {
                let place = Place { row, input: 0, line: u64::from(row) + 2 };
                Account { place, user_id: format!("u{row}").into(), nick: None, face_url: None }.into()
            })
            .collect()
    }

    /// Searches `n` accounts against a service that refuses every request with a bad one in it.
    /// Gives requests sent, rows accepted and rows failed.
    fn search(n: u32, bad: impl Fn(u32) -> bool) -> (u32, Vec<u32>, Vec<u32>) {
        let mut search = Search::new(batch(n));
        let (mut requests, mut accepted, mut failed) = (0, Vec::new(), Vec::new());
        while let Some(piece) = search.piece() {
            requests += 1;
            if piece.iter().any(|tried| bad(tried.account.place.row)) {
                failed.extend(search.refused().map(|tried| tried.account.place.row));
            } else {
                accepted.extend(search.accepted().iter().map(|tried| tried.account.place.row));
            }
        }
        (requests, accepted, failed)
    }

    proptest! {
        #[test]
        fn exactly_the_guilty_stand_alone_in_the_end(n in 1u32..=100, bad in prop::collection::hash_set(0u32..100, 0..100)) {
            let (_, mut accepted, mut failed) = search(n, |row| bad.contains(&row));
            accepted.sort_unstable();
            failed.sort_unstable();
            let (guilty, innocent): (Vec<_>, Vec<_>) = (0..n).partition(|row| bad.contains(row));
            prop_assert_eq!(failed, guilty);
            prop_assert_eq!(accepted, innocent);
        }

        #[test]
        fn no_account_is_lost_whatever_the_answers(n in 1u32..=100, answers in prop::collection::vec(0u8..4, 1..50)) {
            let mut search = Search::new(batch(n));
            let mut rows = Vec::new();
            // One that leads nowhere for ever has no end.
            prop_assume!(answers.iter().any(|&answer| answer < 3));
            for answer in answers.iter().cycle() {
                if search.piece().is_none() {
                    break;
                }
                match answer {
                    0 => rows.extend(search.accepted().iter().map(|tried| tried.account.place.row)),
                    1 => rows.extend(search.refused().map(|tried| tried.account.place.row)),
                    3 => search.look_elsewhere(),
                    _ => rows.extend(search.unanswered().map(|tried| tried.account.place.row)),
                }
            }
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_refused_in_a_hundred_costs_at_most_twelve_requests_a_batch() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut requests = 0;
        for _ in 0..5000 {
            let bad: Vec<bool> = (0..100).map(|_| rng.random_bool(0.01)).collect();
            requests += search(100, |row| bad[row as usize]).0;
        }
        let mean = f64::from(requests) / 5000.0;
        assert!(mean <= 12.0, "{mean} requests a batch");
    }
}
