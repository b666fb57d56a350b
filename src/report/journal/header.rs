//! What a run is about, and how two runs differ.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// What a run is about; a resume must be about the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Of the whole input.
    pub digest: String,
    /// The inputs as they were named.
    pub inputs: Vec<String>,
    /// How many rows the run has; of a shard, its own.
    pub rows: u64,
    /// How many the whole input has; their numbers are below this.
    pub all_rows: u64,
    /// The options that shape the plan, by their long names without dashes.
    pub plan: BTreeMap<String, String>,
    /// The app.
    pub sdk_app_id: u64,
    /// The region's name, or the endpoint.
    pub service: String,
    /// Where a piped input is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spool: Option<PathBuf>,
}

impl Header {
    /// What a run with the header `now` would do otherwise than this one did, if anything: a clause for a message.
    pub fn differs_from(&self, now: &Header) -> Option<String> {
        let shown =
            |value: &str| if value.is_empty() { "not given".to_owned() } else { format!("`{value}`") };
        let was =
            |what: &str, then: &str, now: &str| format!("{what} was {} and is {}", shown(then), shown(now));
        if self.sdk_app_id != now.sdk_app_id {
            return Some(was("--sdk-app-id", &self.sdk_app_id.to_string(), &now.sdk_app_id.to_string()));
        }
        if self.service != now.service {
            return Some(was("the region or endpoint", &self.service, &now.service));
        }
        for option in self.plan.keys().chain(now.plan.keys()) {
            let value = |header: &Header| header.plan.get(option).cloned().unwrap_or_default();
            if value(self) != value(now) {
                return Some(was(&format!("--{option}"), &value(self), &value(now)));
            }
        }
        if self.rows != now.rows {
            return Some(format!("the input had {} rows and has {}", self.rows, now.rows));
        }
        (self.digest != now.digest).then(|| "the input has changed".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Change = fn(&mut Header);

    #[test]
    fn the_first_thing_that_differs_is_named_with_both_its_values() {
        let then = Header {
            digest: "d1".into(),
            inputs: vec!["accounts.csv".into()],
            rows: 5,
            all_rows: 5,
            plan: BTreeMap::from([("map".into(), "UserID=id".into())]),
            sdk_app_id: 1_400_000_000,
            service: "cn".into(),
            spool: None,
        };
        let differs = |change: Change| {
            let mut now = then.clone();
            change(&mut now);
            then.differs_from(&now)
        };
        assert_eq!(differs(|_| ()), None);
        assert_eq!(
            differs(|now| now.inputs = vec!["moved.csv".into()]),
            None,
            "a moved input is the same input"
        );
        let cases: [(Change, &str); 6] = [
            (|now| now.sdk_app_id = 1, "--sdk-app-id was `1400000000` and is `1`"),
            (|now| now.service = "sgp".into(), "the region or endpoint was `cn` and is `sgp`"),
            (|now| now.plan.clear(), "--map was `UserID=id` and is not given"),
            (|now| drop(now.plan.insert("trim".into(), "true".into())), "--trim was not given and is `true`"),
            (|now| now.rows = 6, "the input had 5 rows and has 6"),
            (|now| now.digest = "d2".into(), "the input has changed"),
        ];
        for (change, expected) in cases {
            assert_eq!(differs(change).as_deref(), Some(expected));
        }
    }
}
