//! The accounts that the sandbox holds: small enough for ten million of them.

use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// An account as a request gives it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    #[serde(rename = "UserID")]
    pub(super) user_id: String,
    #[serde(rename = "Nick", default, deserialize_with = "not_null")]
    pub(super) nick: Option<String>,
    #[serde(rename = "FaceUrl", default, deserialize_with = "not_null")]
    pub(super) face_url: Option<String>,
}

fn not_null<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// An account with its values, where the sandbox remembers them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// The last Nick that was given.
    pub nick: Option<String>,
    /// The last FaceUrl that was given.
    pub face_url: Option<String>,
    /// How many requests applied it.
    pub times: u32,
}

/// What is known of every account: 16 bytes each.
#[derive(Clone, Copy)]
struct Trace {
    values: u32,
    times: u32,
}

/// All accounts, by a hash of their UserID; with their values only where asked to remember.
pub(super) struct Accounts {
    traces: HashMap<u64, Trace>,
    kept: Option<BTreeMap<String, Kept>>,
    applied: u64,
    altered: u64,
}

impl Accounts {
    pub(super) fn new(remember: bool) -> Self {
        Self { traces: HashMap::new(), kept: remember.then(BTreeMap::new), applied: 0, altered: 0 }
    }

    /// Makes the account, or gives it the values that are given.
    pub(super) fn apply(&mut self, given: &Given) {
        let values = values_hash(given);
        let trace = self
            .traces
            .entry(xxh3_64(given.user_id.as_bytes()))
            .and_modify(|trace| self.altered += u64::from(trace.values != values))
            .or_insert(Trace { values, times: 0 });
        *trace = Trace { values, times: trace.times.saturating_add(1) };
        self.applied += 1;
        if let Some(kept) = &mut self.kept {
            let kept = kept.entry(given.user_id.clone()).or_default();
            kept.nick = given.nick.clone().or(kept.nick.take());
            kept.face_url = given.face_url.clone().or(kept.face_url.take());
            kept.times = trace.times;
        }
    }

    pub(super) fn holds(&self, user_id: &str) -> bool {
        self.traces.contains_key(&xxh3_64(user_id.as_bytes()))
    }

    /// How many accounts there are.
    pub(super) fn len(&self) -> u64 {
        self.traces.len() as u64
    }

    /// How many times an account was applied, counting each time.
    pub(super) fn applied(&self) -> u64 {
        self.applied
    }

    /// How many times an account was applied with other values than the time before.
    pub(super) fn altered(&self) -> u64 {
        self.altered
    }

    /// The values of all accounts; `None` where they are not remembered.
    pub(super) fn kept(&self) -> Option<&BTreeMap<String, Kept>> {
        self.kept.as_ref()
    }
}

/// A hash of what is given beside the UserID; a value not given differs from an empty one.
#[expect(clippy::cast_possible_truncation, reason = "half of the hash is enough to see a change")]
fn values_hash(given: &Given) -> u32 {
    let half = |value: &Option<String>| value.as_ref().map_or(1, |value| xxh3_64(value.as_bytes()));
    (half(&given.nick) ^ half(&given.face_url).rotate_left(32)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(user_id: &str, nick: Option<&str>, face_url: Option<&str>) -> Given {
        Given {
            user_id: user_id.to_owned(),
            nick: nick.map(str::to_owned),
            face_url: face_url.map(str::to_owned),
        }
    }

    #[test]
    fn applying_twice_makes_one_account_and_keeps_what_is_not_given_again() {
        let mut accounts = Accounts::new(true);
        accounts.apply(&given("a", Some("Ann"), Some("http://face")));
        accounts.apply(&given("a", Some("Anna"), None));
        accounts.apply(&given("b", None, None));
        assert!(accounts.holds("a") && accounts.holds("b") && !accounts.holds("c"));
        assert_eq!((accounts.len(), accounts.applied(), accounts.altered()), (2, 3, 1));
        let expected =
            Kept { nick: Some("Anna".to_owned()), face_url: Some("http://face".to_owned()), times: 2 };
        assert_eq!(accounts.kept().unwrap()["a"], expected);
    }

    #[test]
    fn the_same_values_again_are_no_change_and_swapped_values_are() {
        let mut accounts = Accounts::new(false);
        accounts.apply(&given("a", Some("x"), Some("y")));
        accounts.apply(&given("a", Some("x"), Some("y")));
        assert_eq!(accounts.altered(), 0);
        accounts.apply(&given("a", Some("y"), Some("x")));
        assert_eq!(accounts.altered(), 1);
        assert!(accounts.kept().is_none());
    }
}
