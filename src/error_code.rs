//! The service's error codes: what each means, what the run does about it, and what a person should do.

mod table;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What came back for a request: the service's ErrorCode, or what came in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// `ErrorCode` of the answer's body; 0 is OK.
    Service(i64),
    /// An HTTP status other than 200.
    Http(u16),
    /// No answer within `--timeout`.
    Timeout,
    /// The connection was refused, or could not be made.
    Connect,
    /// The host's name does not resolve.
    Dns,
    /// The certificate is not to be trusted, or TLS failed.
    Tls,
    /// The connection broke before the answer was whole.
    Reset,
    /// HTTP 200 with a body that is not the service's JSON.
    BadBody,
    /// Listed in `FailAccounts`, which carries no reason.
    FailAccounts,
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Code::Service(code) => write!(f, "{code}"),
            Code::Http(status) => write!(f, "http_{status}"),
            Code::Timeout => f.write_str("timeout"),
            Code::Connect => f.write_str("connect"),
            Code::Dns => f.write_str("dns"),
            Code::Tls => f.write_str("tls"),
            Code::Reset => f.write_str("reset"),
            Code::BadBody => f.write_str("bad_body"),
            Code::FailAccounts => f.write_str("fail_accounts"),
        }
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(text: &str) -> Result<Self, UnknownCode> {
        match text {
            "timeout" => Ok(Code::Timeout),
            "connect" => Ok(Code::Connect),
            "dns" => Ok(Code::Dns),
            "tls" => Ok(Code::Tls),
            "reset" => Ok(Code::Reset),
            "bad_body" => Ok(Code::BadBody),
            "fail_accounts" => Ok(Code::FailAccounts),
            _ => match text.strip_prefix("http_") {
                Some(status) => status.parse().map(Code::Http).map_err(|_| UnknownCode),
                None => text.parse().map(Code::Service).map_err(|_| UnknownCode),
            },
        }
    }
}

/// A text that names no [`Code`].
#[derive(Debug, thiserror::Error)]
#[error(
    "not an ErrorCode, and not one of http_502, timeout, connect, dns, tls, reset, bad_body, fail_accounts"
)]
pub struct UnknownCode;

/// A number where the service gave one, else a word.
impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Code::Service(code) => serializer.serialize_i64(*code),
            other => serializer.collect_str(other),
        }
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(i64),
            Word(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(code) => Ok(Code::Service(code)),
            Either::Word(word) => word.parse().map_err(serde::de::Error::custom),
        }
    }
}

/// What a code means for an import. Where tries are bounded, the number counts requests, the first included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// The service took the request.
    Ok,
    /// The same accounts again, with backoff.
    Transient,
    /// The same accounts again, `tries` requests at most, then as `then` says.
    TransientAtMost {
        /// Requests, the first included.
        tries: u32,
        /// What it means after that.
        then: Then,
    },
    /// After a wait of a minute one more try, then fatal (70050).
    WaitThenFatal,
    /// The whole run is too fast.
    RateLimit,
    /// The signature has run out (70001).
    Expired,
    /// Nothing else can succeed: stop.
    Fatal,
    /// The batch or an account in it is refused for good: find it.
    PermanentBatch,
    /// An account in the batch is refused for good: find it.
    PermanentAccount,
    /// Fatal until something was acknowledged, permanent for the batch after that.
    FatalAtFirst,
}

/// What a code of bounded tries means in the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Then {
    /// The run stops.
    Fatal,
    /// The batch is refused.
    Permanent,
}

/// What an answer with `code` means for an import.
pub fn class(code: Code) -> Class {
    match (entry(code), code) {
        (Some(entry), _) => entry.class,
        (None, Code::Http(300..=399)) => Class::Fatal,
        (None, Code::Http(400..=499) | Code::Service(60_000..=60_999)) => Class::FatalAtFirst,
        (None, Code::Http(_)) => Class::Transient,
        (None, _) => Class::PermanentBatch,
    }
}

/// A language that codes are explained in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

/// A code in words. In English each is a lower-case fragment without a full stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The code explained.
    pub code: Code,
    /// Whether the service's table has it.
    pub known: bool,
    /// Its class in a word or two.
    pub class: &'static str,
    /// What the service says with it.
    pub meaning: &'static str,
    /// What an import does about it.
    pub reaction: &'static str,
    /// What the person should do now.
    pub advice: &'static str,
}

/// A code in words.
pub fn explain(code: Code, lang: Lang) -> Explanation {
    let entry = entry(code);
    let (meaning, advice) = match (entry, code) {
        (Some(entry), _) => (entry.meaning, entry.advice),
        (None, Code::Http(300..=399)) => table::REDIRECT,
        (None, Code::Http(400..=499)) => table::REFUSED,
        (None, Code::Http(_)) => table::HOST_ERROR,
        (None, _) => table::UNKNOWN,
    };
    let (class, reaction) = class_words(class(code), lang);
    Explanation {
        code,
        known: entry.is_some() || matches!(code, Code::Http(_)),
        class,
        meaning: meaning.in_lang(lang),
        reaction,
        advice: advice.in_lang(lang),
    }
}

/// One line for reports and messages: the meaning, then what to do.
pub fn sentence(code: Code, lang: Lang) -> String {
    let Explanation { meaning, advice, .. } = explain(code, lang);
    match lang {
        Lang::En => format!("{meaning}; {advice}"),
        Lang::Zh => format!("{meaning}。{advice}"),
    }
}

/// Every code of the table, in the table's order.
pub fn all() -> impl Iterator<Item = Code> {
    table::TABLE.iter().map(|entry| entry.code)
}

fn entry(code: Code) -> Option<&'static table::Entry> {
    table::TABLE.iter().find(|entry| entry.code == code)
}

/// A class in a word or two, and what an import does about it.
fn class_words(class: Class, lang: Lang) -> (&'static str, &'static str) {
    let (en, zh) = match class {
        Class::Ok => (("ok", "counts the accounts as imported"), ("成功", "账号计为已导入")),
        Class::Transient => {
            (("passing", "sends the same accounts again, after a while"), ("暂时", "稍后重发同一批账号"))
        }
        Class::TransientAtMost { then: Then::Fatal, .. } => (
            ("passing, or fatal", "sends the same accounts three times at most, then stops"),
            ("暂时或致命", "最多发送三次，仍失败则停止"),
        ),
        Class::TransientAtMost { then: Then::Permanent, .. } => (
            (
                "passing, or permanent",
                "sends the same accounts three times at most, then reports them as failed",
            ),
            ("暂时或永久", "最多发送三次，仍失败则计为失败"),
        ),
        Class::WaitThenFatal => (
            ("fatal", "waits a minute, tries once more, then stops"),
            ("致命", "等待一分钟后再试一次，仍失败则停止"),
        ),
        Class::RateLimit => {
            (("too fast", "slows the whole run, then speeds up again"), ("限速", "整体减速，随后逐步恢复"))
        }
        Class::Expired => (
            ("expired", "makes a new UserSig from the SecretKey; stops if it has none"),
            ("过期", "用密钥重新签名；没有密钥则停止"),
        ),
        Class::Fatal => {
            (("fatal", "stops: nothing else could succeed"), ("致命", "停止：其余请求也不会成功"))
        }
        Class::PermanentBatch => (
            ("permanent", "splits the batch to find the account, reports it and goes on"),
            ("永久", "拆分批次找出该账号，记入报告后继续"),
        ),
        Class::PermanentAccount => (
            ("permanent for the account", "finds the account, reports it and goes on"),
            ("账号永久失败", "找出该账号，记入报告后继续"),
        ),
        Class::FatalAtFirst => (
            ("fatal at first", "stops if nothing was imported yet, otherwise looks for the account"),
            ("起初致命", "尚无账号导入时停止，否则查找有问题的账号"),
        ),
    };
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_of_the_services_table_has_its_class() {
        let thrice = |then| Class::TransientAtMost { tries: 3, then };
        let groups: &[(Class, &[i64])] = &[
            (Class::Ok, &[0]),
            (Class::Transient, &[40006, 60014, 70169, 70202, 70500]),
            (thrice(Then::Fatal), &[60004, 60005, 60013]),
            (thrice(Then::Permanent), &[60008]),
            (Class::RateLimit, &[60007, 60011, 60018, 60019]),
            (Class::Fatal, &[60002, 60009, 60012, 60025, 60026, 60027]),
            (Class::Expired, &[70001]),
            (Class::WaitThenFatal, &[70050]),
            (Class::Fatal, &[60006, 70002, 70003, 70005, 70009, 70013, 70014, 70016, 70020, 70051, 70346]),
            (Class::Fatal, &[40004, 40008, 60010, 60016, 60017, 60020, 60021, 70403, 80005]),
            (Class::Fatal, &[70398, 60028, 72000, 72002]),
            (Class::PermanentBatch, &[60003, 60015, 70206, 70402, 40001]),
            (Class::PermanentAccount, &[70399, 40601, 40605, 40610, 40005, 80001, 80004, 40003]),
        ];
        let mut expected = HashSet::new();
        for (expected_class, codes) in groups {
            for &code in *codes {
                assert_eq!(class(Code::Service(code)), *expected_class, "{code}");
                assert!(explain(Code::Service(code), Lang::En).known, "{code}");
                expected.insert(Code::Service(code));
            }
        }
        let listed: HashSet<Code> = all().filter(|code| matches!(code, Code::Service(_))).collect();
        assert_eq!(listed, expected);
    }

    #[test]
    fn http_statuses_and_silence_have_their_classes() {
        for status in [408, 500, 502, 503, 504, 599] {
            assert_eq!(class(Code::Http(status)), Class::Transient, "{status}");
        }
        assert_eq!(class(Code::Http(429)), Class::RateLimit);
        assert_eq!(class(Code::Http(413)), Class::PermanentBatch);
        for status in [301, 302, 307, 308] {
            assert_eq!(class(Code::Http(status)), Class::Fatal, "{status}");
        }
        for status in [400, 401, 403, 404, 407, 422] {
            assert_eq!(class(Code::Http(status)), Class::FatalAtFirst, "{status}");
        }
        for code in [Code::Timeout, Code::Connect, Code::Dns, Code::Tls, Code::Reset, Code::BadBody] {
            assert_eq!(class(code), Class::Transient, "{code}");
        }
        assert_eq!(class(Code::FailAccounts), Class::Transient);
    }

    #[test]
    fn an_unknown_code_is_fatal_at_first_only_among_the_gateways() {
        for (code, expected) in [
            (60_000, Class::FatalAtFirst),
            (60_999, Class::FatalAtFirst),
            (59_999, Class::PermanentBatch),
            (61_000, Class::PermanentBatch),
            (70_404, Class::PermanentBatch),
            (-1, Class::PermanentBatch),
            (i64::MAX, Class::PermanentBatch),
        ] {
            assert_eq!(class(Code::Service(code)), expected, "{code}");
            assert!(!explain(Code::Service(code), Lang::En).known, "{code}");
        }
    }

    #[test]
    fn no_code_stands_in_the_table_twice() {
        let mut seen = HashSet::new();
        for code in all() {
            assert!(seen.insert(code), "{code}");
        }
    }

    #[test]
    fn every_text_is_there_in_both_languages_and_fits_a_line() {
        let others =
            [Code::Http(302), Code::Http(404), Code::Http(502), Code::Service(60_999), Code::Service(1)];
        for code in all().chain(others) {
            let (en, zh) = (explain(code, Lang::En), explain(code, Lang::Zh));
            for text in [en.class, en.meaning, en.reaction, en.advice] {
                assert!(!text.is_empty() && text.is_ascii() && text.len() <= 160, "{code}: {text}");
                assert!(!text.ends_with('.'), "{code}: {text}");
            }
            for text in [zh.class, zh.meaning, zh.reaction, zh.advice] {
                assert!(!text.is_ascii() && text.chars().count() <= 80, "{code}: {text}");
                assert!(!text.ends_with('。'), "{code}: {text}");
            }
            assert!(sentence(code, Lang::En).len() <= 200, "{code}");
        }
    }

    #[test]
    fn a_code_reads_back_from_what_it_prints() {
        for code in all() {
            assert_eq!(code.to_string().parse::<Code>().unwrap(), code);
        }
    }
}
