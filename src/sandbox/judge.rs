//! Judges a request as the service would: path, method, query, signature, body, in that order.

use super::Options;
use super::accounts::Given;
use crate::account::{PROFILE_BYTES, USER_ID_BYTES};
use crate::batch;
use crate::usersig::{self, Flaw};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::collections::HashSet;

/// A request, whatever brought it.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// `None` where it did not come whole, or is too large.
    pub(super) body: Option<&'a [u8]>,
}

/// A request that the service would take.
#[derive(Debug)]
pub(super) struct Judged {
    /// When its signature was made, in Unix seconds.
    pub(super) signed_at: u64,
    pub(super) call: Call,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Call {
    /// `multiaccount_import`.
    ImportMany(Vec<Given>),
    /// `account_import`.
    ImportOne(Given),
    /// `account_check`, by UserID.
    Check(Vec<String>),
    /// `portrait_get`, by UserID.
    Profiles { user_ids: Vec<String>, nick: bool, face_url: bool },
}

/// Why the service would refuse it.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) code: i64,
    /// The kind of fault, as [`Stats`](super::Stats) counts it.
    pub(super) breach: &'static str,
    pub(super) info: String,
}

fn refuse<T>(code: i64, breach: &'static str, info: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal { code, breach, info: info.into() })
}

pub(super) const NICK_TAG: &str = "Tag_Profile_IM_Nick";
pub(super) const FACE_URL_TAG: &str = "Tag_Profile_IM_Image";

const PATHS: [(&str, &str); 4] = [
    ("/v4/im_open_login_svc/multiaccount_import", "multiaccount_import"),
    ("/v4/im_open_login_svc/account_import", "account_import"),
    ("/v4/im_open_login_svc/account_check", "account_check"),
    ("/v4/profile/portrait_get", "portrait_get"),
];

/// The command that `path` names.
pub(super) fn command(path: &str) -> Option<&'static str> {
    PATHS.iter().find(|(known, _)| *known == path).map(|(_, command)| *command)
}

/// The parameters of a request; their names and values are case-sensitive.
pub(super) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(super) fn parse(query: &'a str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).collect())
    }

    /// The parameter, if it is there once.
    fn get(&self, name: &str) -> Option<&str> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        let (_, value) = found.next()?;
        found.next().is_none().then_some(value)
    }

    /// `random`, if it is a u32 in digits.
    pub(super) fn random(&self) -> Option<u32> {
        let text = self.get("random")?;
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
    }
}

/// What the service would make of the request at `now_unix`.
pub(super) fn judge(
    options: &Options,
    request: &Request<'_>,
    query: &Query<'_>,
    now_unix: u64,
) -> Result<Judged, Refusal> {
    let Some(command) = command(request.path) else {
        return refuse(60009, "path", format!("no such path: {:?}", request.path));
    };
    if request.method != "POST" {
        return refuse(60002, "method", format!("{} instead of POST", request.method));
    }
    let signed_at = judge_query(options, query, now_unix)?;
    let Some(body) = request.body else {
        return refuse(60003, "json", "the body is too large, or did not come whole");
    };
    Ok(Judged { signed_at, call: judge_body(command, body)? })
}

/// When the request's signature was made.
fn judge_query(options: &Options, query: &Query<'_>, now_unix: u64) -> Result<u64, Refusal> {
    if query.get("contenttype") != Some("json") {
        return refuse(60002, "query", "contenttype is not json");
    }
    if query.random().is_none() {
        return refuse(60002, "query", "random is not a number of 32 bits");
    }
    if query.get("sdkappid").and_then(|text| text.parse().ok()) != Some(options.sdk_app_id) {
        return refuse(60006, "sdkappid", "sdkappid is not the sandbox's app");
    }
    let Some(identifier) = query.get("identifier").filter(|name| *name == options.identifier) else {
        return refuse(70403, "identifier", "identifier is not the app's administrator");
    };
    let verified = usersig::decode(query.get("usersig").unwrap_or_default()).and_then(|sig| {
        sig.verify(&options.secret_key, options.sdk_app_id, identifier, now_unix).map(|()| sig.time)
    });
    verified.or_else(|flaw| {
        let code = match flaw {
            Flaw::Malformed => 70003,
            Flaw::WrongKey => 70009,
            Flaw::OtherIdentifier => 70013,
            Flaw::OtherApp => 70014,
            Flaw::Expired => 70001,
        };
        refuse(code, "usersig", flaw.to_string())
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImportBody {
    #[serde(rename = "AccountList")]
    accounts: Vec<Given>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckBody {
    #[serde(rename = "CheckItem")]
    items: Vec<CheckItem>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckItem {
    #[serde(rename = "UserID")]
    user_id: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProfilesBody {
    #[serde(rename = "To_Account")]
    user_ids: Vec<String>,
    #[serde(rename = "TagList")]
    tags: Vec<String>,
}

fn judge_body(command: &str, body: &[u8]) -> Result<Call, Refusal> {
    match command {
        "multiaccount_import" => {
            let accounts = parse::<ImportBody>(body)?.accounts;
            judge_user_ids(accounts.iter().map(|given| given.user_id.as_str()))?;
            accounts.iter().try_for_each(judge_values)?;
            Ok(Call::ImportMany(accounts))
        }
        "account_import" => {
            let account: Given = parse(body)?;
            judge_user_ids(std::iter::once(account.user_id.as_str()))?;
            judge_values(&account)?;
            Ok(Call::ImportOne(account))
        }
        "account_check" => {
            let user_ids: Vec<_> =
                parse::<CheckBody>(body)?.items.into_iter().map(|item| item.user_id).collect();
            judge_user_ids(user_ids.iter().map(String::as_str))?;
            Ok(Call::Check(user_ids))
        }
        _ => {
            let ProfilesBody { user_ids, tags } = parse(body)?;
            judge_user_ids(user_ids.iter().map(String::as_str))?;
            let asked = |tag: &str| tags.iter().any(|asked| asked == tag);
            let (nick, face_url) = (asked(NICK_TAG), asked(FACE_URL_TAG));
            if tags.len() != usize::from(nick) + usize::from(face_url) || tags.is_empty() {
                return refuse(70402, "tags", format!("TagList is not of {NICK_TAG} and {FACE_URL_TAG}"));
            }
            Ok(Call::Profiles { user_ids, nick, face_url })
        }
    }
}

/// 60003 for what is no JSON object, 70402 for one that is not the call's.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    if !body.trim_ascii_start().starts_with(b"{") {
        return refuse(60003, "json", "the body is not a JSON object");
    }
    serde_json::from_slice(body).or_else(|error| {
        if error.is_data() {
            refuse(70402, "shape", error.to_string())
        } else {
            refuse(60003, "json", error.to_string())
        }
    })
}

fn judge_user_ids<'a>(user_ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Refusal> {
    let count = user_ids.len();
    if !(1..=batch::MOST).contains(&count) {
        return refuse(70402, "count", format!("{count} accounts in a request"));
    }
    let mut seen = HashSet::with_capacity(count);
    for user_id in user_ids {
        if user_id.is_empty() || user_id.len() > USER_ID_BYTES {
            return refuse(70402, "user_id", format!("a UserID of {} bytes", user_id.len()));
        }
        if !seen.insert(user_id) {
            return refuse(70402, "twice", format!("{user_id:?} is twice in a request"));
        }
    }
    Ok(())
}

fn judge_values(given: &Given) -> Result<(), Refusal> {
    for (name, value) in [("Nick", &given.nick), ("FaceUrl", &given.face_url)] {
        if let Some(value) = value.as_ref().filter(|value| value.len() > PROFILE_BYTES) {
            return refuse(40601, "value", format!("a {name} of {} bytes", value.len()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{IDENTIFIER, SDK_APP_ID, SECRET_KEY};
    use crate::usersig::{Secret, sign};

    const NOW: u64 = 1_700_000_000;
    const MANY: &str = "/v4/im_open_login_svc/multiaccount_import";
    const ONE: &str = "/v4/im_open_login_svc/account_import";
    const CHECK: &str = "/v4/im_open_login_svc/account_check";
    const PROFILES: &str = "/v4/profile/portrait_get";

    fn usersig(key: &str, app: u64, identifier: &str, made: u64) -> String {
        sign(&Secret::new(key.to_owned()), app, identifier, made, 60).expose().to_owned()
    }

    fn good_query() -> String {
        let usersig = usersig(SECRET_KEY, SDK_APP_ID, IDENTIFIER, NOW);
        format!("sdkappid={SDK_APP_ID}&identifier={IDENTIFIER}&usersig={usersig}&random=7&contenttype=json")
    }

    fn judge_text(method: &str, path: &str, query: &str, body: &[u8]) -> Result<Call, (i64, &'static str)> {
        let request = Request { method, path, query, body: Some(body) };
        judge(&Options::default(), &request, &Query::parse(query), NOW)
            .map(|judged| judged.call)
            .map_err(|refusal| (refusal.code, refusal.breach))
    }

    fn given(user_id: &str, nick: Option<&str>) -> Given {
        Given { user_id: user_id.to_owned(), nick: nick.map(str::to_owned), face_url: None }
    }

    #[test]
    fn each_call_is_read_for_what_it_asks() {
        let call = |path, body: &str| judge_text("POST", path, &good_query(), body.as_bytes()).unwrap();
        assert_eq!(
            call(MANY, r#"{"AccountList":[{"UserID":"a","Nick":"安"},{"UserID":"b"}]}"#),
            Call::ImportMany(vec![given("a", Some("安")), given("b", None)])
        );
        assert_eq!(call(ONE, r#"{"UserID":"a"}"#), Call::ImportOne(given("a", None)));
        assert_eq!(call(CHECK, r#"{"CheckItem":[{"UserID":"a"}]}"#), Call::Check(vec!["a".to_owned()]));
        assert_eq!(
            call(PROFILES, r#"{"To_Account":["a"],"TagList":["Tag_Profile_IM_Image"]}"#),
            Call::Profiles { user_ids: vec!["a".to_owned()], nick: false, face_url: true }
        );
    }

    #[test]
    fn path_method_and_query_are_judged_in_that_order() {
        let judged = |method, path, query: &str| judge_text(method, path, query, b"").unwrap_err();
        assert_eq!(judged("GET", "/v4/elsewhere", ""), (60009, "path"));
        assert_eq!(judged("GET", MANY, ""), (60002, "method"));
        assert_eq!(judged("POST", MANY, ""), (60002, "query"));
        let good = good_query();
        for (part, other, expected) in [
            ("contenttype=json", "contenttype=JSON", (60002, "query")),
            ("random=7", "random=-7", (60002, "query")),
            ("random=7", "random=4294967296", (60002, "query")),
            ("random=7", "random=7&random=8", (60002, "query")),
            ("sdkappid=1", "sdkappid=2", (60006, "sdkappid")),
            ("sdkappid=1", "SdkAppId=1", (60006, "sdkappid")),
            ("identifier=admin", "identifier=Admin", (70403, "identifier")),
            ("usersig=", "usersig=x", (70003, "usersig")),
            ("usersig=", "sig=", (70003, "usersig")),
        ] {
            assert_eq!(judged("POST", MANY, &good.replace(part, other)), expected, "{other}");
        }
        assert_eq!(judged("POST", MANY, &good), (60003, "json"), "only the body is wrong");
    }

    #[test]
    fn a_signature_is_verified_to_its_last_field() {
        for (usersig, code) in [
            (usersig("another key", SDK_APP_ID, IDENTIFIER, NOW), 70009),
            (usersig(SECRET_KEY, SDK_APP_ID, "someone", NOW), 70013),
            (usersig(SECRET_KEY, SDK_APP_ID + 1, IDENTIFIER, NOW), 70014),
            (usersig(SECRET_KEY, SDK_APP_ID, IDENTIFIER, NOW - 60), 70001),
        ] {
            let (head, tail) =
                good_query().split_once("usersig=").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
            let query = format!("{head}usersig={usersig}{}", &tail[tail.find('&').unwrap()..]);
            assert_eq!(judge_text("POST", MANY, &query, b"{}").unwrap_err(), (code, "usersig"));
        }
    }

    #[test]
    fn a_body_is_judged_for_its_json_its_shape_and_its_limits() {
        let long = "x".repeat(33);
        let list = |accounts: &str| format!(r#"{{"AccountList":[{accounts}]}}"#);
        let hundred_and_one: Vec<_> = (0..101).map(|n| format!(r#"{{"UserID":"{n}"}}"#)).collect();
        for (body, expected) in [
            ("[]".to_owned(), (60003, "json")),
            ("{\"AccountList\":".to_owned(), (60003, "json")),
            ("{}".to_owned(), (70402, "shape")),
            (list(r#"{"UserID":7}"#), (70402, "shape")),
            (list(r#"{"UserID":"a","Nick":null}"#), (70402, "shape")),
            (list(r#"{"UserID":"a","Age":7}"#), (70402, "shape")),
            (list(r#"{"UserID":"a","UserID":"b"}"#), (70402, "shape")),
            (list(""), (70402, "count")),
            (list(&hundred_and_one.join(",")), (70402, "count")),
            (list(r#"{"UserID":""}"#), (70402, "user_id")),
            (list(&format!(r#"{{"UserID":"{long}"}}"#)), (70402, "user_id")),
            (list(r#"{"UserID":"a"},{"UserID":"b"},{"UserID":"a"}"#), (70402, "twice")),
            (list(&format!(r#"{{"UserID":"a","Nick":"{}"}}"#, "x".repeat(501))), (40601, "value")),
            (list(&format!(r#"{{"UserID":"a","FaceUrl":"{}"}}"#, "安".repeat(167))), (40601, "value")),
        ] {
            assert_eq!(
                judge_text("POST", MANY, &good_query(), body.as_bytes()).unwrap_err(),
                expected,
                "{body}"
            );
        }
        let not_utf8 = b"{\"AccountList\":[{\"UserID\":\"\xff\"}]}";
        assert_eq!(judge_text("POST", MANY, &good_query(), not_utf8).unwrap_err(), (60003, "json"));
        let tags = br#"{"To_Account":["a"],"TagList":["Tag_Profile_IM_Gender"]}"#;
        assert_eq!(judge_text("POST", PROFILES, &good_query(), tags).unwrap_err(), (70402, "tags"));
    }

    #[test]
    fn a_full_batch_at_its_limits_is_taken() {
        let account = |n| format!(r#"{{"UserID":"{n:032}","Nick":"{0}","FaceUrl":"{0}"}}"#, "x".repeat(500));
        let accounts: Vec<_> = (0..100).map(account).collect();
        let body = format!(r#"{{"AccountList":[{}]}}"#, accounts.join(","));
        assert!(judge_text("POST", MANY, &good_query(), body.as_bytes()).is_ok());
    }
}
