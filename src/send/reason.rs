//! Why a run stops or an account failed, in words that a person can act on.

use super::client::Target;
use super::judge::Answer;
use crate::error_code::{Code, Explanation, Lang, explain, sentence};
use crate::region;
use std::time::Duration;

/// The longest text of the service that a reason quotes, in characters.
const QUOTED: usize = 200;

/// What a code means, with the service's own words.
pub(super) fn quoting(answer: &Answer, lang: Lang) -> String {
    let meaning = sentence(answer.code, lang);
    let info: String =
        answer.info.chars().map(|c| if c.is_control() { ' ' } else { c }).take(QUOTED).collect();
    match info.trim() {
        "" => meaning,
        info => format!("{meaning} (ErrorInfo: {info})"),
    }
}

/// Nothing else can succeed.
pub(super) fn fatal(answer: &Answer, lang: Lang) -> String {
    format!("{}: {}", answered(answer.code), quoting(answer, lang))
}

/// Everything is refused, so the accounts are not at fault.
pub(super) fn breaker(code: Code, first: bool, lang: Lang) -> String {
    let which = if first { "the first batch was" } else { "ten batches in succession were" };
    let Explanation { meaning, .. } = explain(code, lang);
    let hint = match code {
        Code::Service(70402) => " (a wrong SecretKey or SDKAppID has been seen to give this code, too)",
        _ => "",
    };
    format!(
        "{which} refused to the last account with {code}, so none is reported failed: {meaning}{hint}; see what these \
         accounts have in common, and import one of them from a file of its own to hear what the service says of it"
    )
}

/// Nothing was acknowledged for longer than a person wants to wait.
pub(super) fn outage(longest: Duration, last: Option<&Answer>, lang: Lang) -> String {
    let last = last.map_or_else(
        || "no request was answered".into(),
        |answer| format!("{}: {}", answered(answer.code), quoting(answer, lang)),
    );
    let longest =
        jiff::SignedDuration::try_from(longest).map_or_else(|_| "long".into(), |d| format!("{d:#}"));
    format!("nothing was acknowledged for {longest} (--max-outage); {last}")
}

/// Nothing ever came back.
pub(super) fn silence(target: &Target, last: Option<&Answer>) -> String {
    let (host, code) = (host(target), last.map_or(Code::Timeout, |answer| answer.code));
    format!("{host} gave no answer for 30 s ({code}): check the network, the firewall and HTTPS_PROXY")
}

/// The host can't be what was meant.
pub(super) fn unreachable(target: &Target, answer: &Answer) -> String {
    let host = host(target);
    if answer.code == Code::Tls {
        return format!("no secure connection to {host}: {}", answer.info);
    }
    let reserve = region::by_host(host).filter(|region| region.host == host);
    let reserve = reserve.map(|r| format!(", or try --endpoint https://{}", r.reserve)).unwrap_or_default();
    format!("the name {host} does not resolve: check --region and this machine's DNS{reserve}")
}

fn host(target: &Target) -> &str {
    target.endpoint.split_once("://").map_or(target.endpoint.as_str(), |(_, host)| host)
}

/// Who answered what.
fn answered(code: Code) -> String {
    match code {
        Code::Service(code) => format!("the service answered {code}"),
        Code::Http(status) => format!("the service's host answered HTTP {status}"),
        other => format!("the last request ended in {other}"),
    }
}
