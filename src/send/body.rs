//! The bodies of requests, in raw UTF-8.

use super::judge::{FACE_URL, NICK};
use super::split::Tried;
use serde::Serialize;

/// Room for an account in a body; what is longer costs a copy.
const USUAL_BYTES: usize = 160;

/// An account as the service takes it; what is not given is left out.
#[derive(Serialize)]
struct Sent<'a> {
    #[serde(rename = "UserID")]
    user_id: &'a str,
    #[serde(rename = "Nick", skip_serializing_if = "Option::is_none")]
    nick: Option<&'a str>,
    #[serde(rename = "FaceUrl", skip_serializing_if = "Option::is_none")]
    face_url: Option<&'a str>,
}

impl<'a> From<&'a Tried> for Sent<'a> {
    fn from(tried: &'a Tried) -> Self {
        let account = &tried.account;
        Self {
            user_id: &account.user_id,
            nick: account.nick.as_deref(),
            face_url: account.face_url.as_deref(),
        }
    }
}

/// The body of a `multiaccount_import`.
pub(super) fn many(accounts: &[Tried]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "AccountList")]
        accounts: Vec<Sent<'a>>,
    }
    json(&Body { accounts: accounts.iter().map(Sent::from).collect() }, accounts.len())
}

/// The body of an `account_import`.
pub(super) fn one(account: &Tried) -> Vec<u8> {
    json(&Sent::from(account), 1)
}

/// The body of an `account_check`.
pub(super) fn check(accounts: &[Tried]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "CheckItem")]
        items: Vec<Item<'a>>,
    }
    #[derive(Serialize)]
    struct Item<'a> {
        #[serde(rename = "UserID")]
        user_id: &'a str,
    }
    let items = accounts.iter().map(|tried| Item { user_id: &tried.account.user_id }).collect();
    json(&Body { items }, accounts.len())
}

/// The body of a `portrait_get`.
pub(super) fn profiles(accounts: &[Tried]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        #[serde(rename = "To_Account")]
        ids: Vec<&'a str>,
        #[serde(rename = "TagList")]
        tags: [&'static str; 2],
    }
    let ids = accounts.iter().map(|tried| &*tried.account.user_id).collect();
    json(&Body { ids, tags: [NICK, FACE_URL] }, accounts.len())
}

fn json(body: &impl Serialize, accounts: usize) -> Vec<u8> {
    let mut json = Vec::with_capacity(accounts * USUAL_BYTES);
    serde_json::to_writer(&mut json, body).expect("strings in structs always serialise");
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Account, Place};

    #[test]
    fn what_is_not_given_is_left_out_and_text_travels_as_raw_utf8() {
        let place = Place { row: 0, input: 0, line: 2 };
        let full = Account {
            place,
            user_id: "a\"b".into(),
            nick: Some("小明😀".into()),
            face_url: Some("https://x/y.png".into()),
        };
        let bare = Account { place, user_id: "c".into(), nick: None, face_url: None };
        let body = many(&[full.into(), bare.clone().into()]);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"AccountList":[{"UserID":"a\"b","Nick":"小明😀","FaceUrl":"https://x/y.png"},{"UserID":"c"}]}"#
        );
        assert_eq!(one(&bare.into()), br#"{"UserID":"c"}"#);
    }
}
