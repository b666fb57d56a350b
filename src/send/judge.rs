//! What an answer means: from the bytes of a body to a verdict. No clock, no socket, no state.

use super::split::Tried;
use crate::error_code::{Class, Code, Then, class};
use serde::Deserialize;
use std::collections::HashMap;
use std::time::Duration;

/// What came back for a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) code: Code,
    /// What the service says of the code, as it came.
    pub(super) info: String,
    pub(super) fail_accounts: Vec<String>,
    /// What `account_check` and `portrait_get` say of each account.
    pub(super) known: Vec<Known>,
    /// How many accounts `portrait_get` does not know; it does not name them.
    pub(super) not_found: usize,
    /// From a `Retry-After` header.
    pub(super) retry_after: Option<Duration>,
}

impl From<Code> for Answer {
    /// An answer that is no more than its code.
    fn from(code: Code) -> Self {
        Self {
            code,
            info: String::new(),
            fail_accounts: Vec::new(),
            known: Vec::new(),
            not_found: 0,
            retry_after: None,
        }
    }
}

/// The profile tags of Nick and FaceUrl.
pub(super) const NICK: &str = "Tag_Profile_IM_Nick";
pub(super) const FACE_URL: &str = "Tag_Profile_IM_Image";
/// What `portrait_get` says of a UserID that it does not know, in the place of the UserID.
const NOT_FOUND: &str = "@TLS#NOT_FOUND";

/// What the service says of one account.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) user_id: String,
    /// 0, or why there is nothing to say.
    pub(super) code: i64,
    /// `account_check` has found it.
    pub(super) imported: Option<bool>,
    pub(super) nick: String,
    pub(super) face_url: String,
}

/// A `ResultItem` of `account_check`.
#[derive(Deserialize)]
struct Checked {
    #[serde(rename = "UserID")]
    user_id: String,
    #[serde(rename = "ResultCode")]
    code: i64,
    #[serde(rename = "AccountStatus", default)]
    status: Option<String>,
}

impl From<Checked> for Known {
    fn from(item: Checked) -> Self {
        let imported = match item.status.as_deref() {
            Some("Imported") => Some(true),
            Some("NotImported") => Some(false),
            _ => None,
        };
        Self {
            user_id: item.user_id,
            code: item.code,
            imported,
            nick: String::new(),
            face_url: String::new(),
        }
    }
}

/// A `UserProfileItem` of `portrait_get`.
#[derive(Deserialize)]
struct Profile {
    #[serde(rename = "To_Account")]
    user_id: String,
    #[serde(rename = "ResultCode")]
    code: i64,
    #[serde(rename = "ProfileItem", default)]
    values: Option<Vec<TagValue>>,
}

#[derive(Deserialize)]
struct TagValue {
    #[serde(rename = "Tag")]
    tag: String,
    #[serde(rename = "Value")]
    value: serde_json::Value,
}

impl From<Profile> for Known {
    fn from(item: Profile) -> Self {
        let value = |tag| {
            let found = item.values.iter().flatten().find(|value| value.tag == tag);
            found.and_then(|found| found.value.as_str()).unwrap_or_default().to_owned()
        };
        let (nick, face_url) = (value(NICK), value(FACE_URL));
        Self { user_id: item.user_id, code: item.code, imported: None, nick, face_url }
    }
}

/// The body of an answer, as the service documents it.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "ActionStatus")]
    status: String,
    #[serde(rename = "ErrorCode")]
    code: i64,
    #[serde(rename = "ErrorInfo", default)]
    info: Option<String>,
    #[serde(rename = "FailAccounts", default)]
    fail_accounts: Option<Vec<String>>,
    #[serde(rename = "ResultItem", default)]
    checked: Option<Vec<Checked>>,
    #[serde(rename = "UserProfileItem", default)]
    profiles: Option<Vec<Profile>>,
}

/// Reads the body of an HTTP 200. What is not whole and well-formed is no answer at all; where
/// `ActionStatus` and `ErrorCode` contradict each other, a code that is not 0 is believed, and a 0 is not.
pub(super) fn read(body: &[u8]) -> Answer {
    // From text, not from bytes: what serde skips over it would not check for being UTF-8.
    let body = str::from_utf8(body).ok().and_then(|text| serde_json::from_str::<Body>(text).ok());
    let Some(body) = body else { return Code::BadBody.into() };
    if body.code == 0 && body.status != "OK" {
        return Code::BadBody.into();
    }
    let checked = body.checked.into_iter().flatten().map(Known::from);
    let (not_found, profiles): (Vec<_>, Vec<_>) =
        body.profiles.into_iter().flatten().map(Known::from).partition(|known| known.user_id == NOT_FOUND);
    let not_found = not_found.len();
    Answer {
        code: Code::Service(body.code),
        known: checked.chain(profiles).collect(),
        not_found,
        info: body.info.unwrap_or_default(),
        fail_accounts: body.fail_accounts.unwrap_or_default(),
        retry_after: None,
    }
}

/// What to do about a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Imported, but for these accounts (positions in the request, ascending). `strangers` were listed
    /// in `FailAccounts` without having been asked for.
    Acknowledged {
        listed: Vec<usize>,
        strangers: usize,
    },
    /// Send it again after a while; `bound`: this code at most so often, then.
    Again {
        bound: Option<(u32, Then)>,
    },
    /// Wait a minute, send it again, then stop.
    WaitAMinute,
    /// Send it again, and everything slower.
    Slower,
    /// Send it again with a new signature, or stop.
    Renew,
    Stop,
    /// One of its accounts is refused for good, and this tells which only if it stood alone.
    Refused,
}

impl Verdict {
    /// The word of logs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Verdict::Acknowledged { .. } => "ok",
            Verdict::Again { .. } | Verdict::WaitAMinute | Verdict::Renew => "retry",
            Verdict::Slower => "throttle",
            Verdict::Stop => "fatal",
            Verdict::Refused => "refused",
        }
    }
}

/// Judges the answer to a request that carried `sent`. `acknowledged`: the service has taken something
/// in this run already, so a code that could mean "nothing works here" means this request only.
pub(super) fn judge(answer: &Answer, sent: &[Tried], acknowledged: bool) -> Verdict {
    match class(answer.code) {
        Class::Ok => {
            let (listed, strangers) = find(&answer.fail_accounts, sent);
            Verdict::Acknowledged { listed, strangers }
        }
        Class::Transient => Verdict::Again { bound: None },
        Class::TransientAtMost { tries, then } => Verdict::Again { bound: Some((tries, then)) },
        Class::WaitThenFatal => Verdict::WaitAMinute,
        Class::RateLimit => Verdict::Slower,
        Class::Expired => Verdict::Renew,
        Class::FatalAtFirst if acknowledged => Verdict::Refused,
        Class::Fatal | Class::FatalAtFirst => Verdict::Stop,
        Class::PermanentBatch | Class::PermanentAccount => Verdict::Refused,
    }
}

/// Where the named accounts stand in the request, and how many of the names do not.
fn find(names: &[String], sent: &[Tried]) -> (Vec<usize>, usize) {
    if names.is_empty() {
        return (Vec::new(), 0);
    }
    let places: HashMap<&str, usize> = sent.iter().map(|tried| &*tried.account.user_id).zip(0..).collect();
    let mut listed: Vec<usize> = names.iter().filter_map(|name| places.get(name.as_str()).copied()).collect();
    let strangers = names.len() - listed.len();
    listed.sort_unstable();
    listed.dedup();
    (listed, strangers)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Account, Place};
    use proptest::prelude::*;

    fn sent(ids: &[&str]) -> Vec<Tried> {
        let account = |(id, row): (&&str, u32)| Account {
            place: Place { row, input: 0, line: 2 },
            user_id: (*id).into(),
            nick: None,
            face_url: None,
        };
        ids.iter().zip(0..).map(account).map(Tried::from).collect()
    }

    fn verdict(body: &str) -> Verdict {
        judge(&read(body.as_bytes()), &sent(&["a", "b", "c"]), true)
    }

    #[test]
    fn ok_with_code_0_acknowledges_all_but_the_listed() {
        let all = Verdict::Acknowledged { listed: vec![], strangers: 0 };
        assert_eq!(verdict(r#"{"ActionStatus":"OK","ErrorCode":0}"#), all);
        assert_eq!(
            verdict(r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":null,"FailAccounts":null}"#),
            all
        );
        assert_eq!(
            verdict(
                r#"{"ActionStatus":"OK","ErrorInfo":"","ErrorCode":0,"FailAccounts":["c","x","a","c"],"New":[1]}"#
            ),
            Verdict::Acknowledged { listed: vec![0, 2], strangers: 1 }
        );
    }

    #[test]
    fn what_is_not_the_services_whole_answer_is_no_answer() {
        let nested = "[".repeat(100_000);
        for body in [
            "",
            "{}",
            "null",
            "[]",
            "\"OK\"",
            "<html>a proxy's page</html>",
            r#"{"ActionStatus":"FAIL","ErrorCode":0}"#,
            r#"{"ActionStatus":"ok","ErrorCode":0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":"0"}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0.0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":null}"#,
            r#"{"ActionStatus":"OK","ErrorInfo":""}"#,
            r#"{"ErrorCode":0}"#,
            r#"{"ActionStatus":1,"ErrorCode":0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":7}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"FailAccounts":{"a":1}}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"FailAccounts":[1,2]}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"FailAccounts":"a"}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0,"ErrorCode":0}"#,
            r#"{"ActionStatus":"OK","ErrorCode":0"#,
            r#"{"ActionStatus":"OK","ErrorCode":0}{"#,
            &nested,
        ] {
            assert_eq!(verdict(body), Verdict::Again { bound: None }, "{}", body.get(..80).unwrap_or(body));
        }
        assert_eq!(read(b"{\"ActionStatus\":\"OK\xff\",\"ErrorCode\":0}").code, Code::BadBody);
        assert_eq!(read(b"{\"ActionStatus\":\"OK\",\"ErrorCode\":0,\"New\":\"\xff\"}").code, Code::BadBody);
    }

    #[test]
    fn ok_with_another_code_is_judged_by_the_code() {
        let info = read(br#"{"ActionStatus":"OK","ErrorCode":70169,"ErrorInfo":"late"}"#);
        assert_eq!((info.code, info.info.as_str()), (Code::Service(70169), "late"));
        assert_eq!(verdict(r#"{"ActionStatus":"OK","ErrorCode":70398}"#), Verdict::Stop);
    }

    #[test]
    fn a_code_that_may_mean_everything_means_the_batch_once_something_was_acknowledged() {
        for code in [Code::Http(403), Code::Service(60_123)] {
            assert_eq!(judge(&code.into(), &sent(&["a"]), false), Verdict::Stop);
            assert_eq!(judge(&code.into(), &sent(&["a"]), true), Verdict::Refused);
        }
    }

    proptest! {
        #[test]
        fn no_body_but_ok_with_0_is_ever_a_success(status in "OK|FAIL|ok|", code in -3i64..3, tail in ".{0,8}") {
            let body = format!(r#"{{"ActionStatus":"{status}","ErrorCode":{code}}}{tail}"#);
            let acknowledged = matches!(verdict(&body), Verdict::Acknowledged { .. });
            prop_assert_eq!(acknowledged, status == "OK" && code == 0 && tail.trim_ascii().is_empty());
        }

        #[test]
        fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&body);
        }
    }
}
