//! Options whose values mean more than their words: the rate, parts, limits, the language.

use super::destination::Destination;
use super::{Flaw, Variables, usage};
use crate::cli;
use crate::error_code::Lang;
use crate::send::MaxFailed;

/// The most requests a second that the service takes for `multiaccount_import` (service table).
const SERVICE_RATE: u32 = 100;

/// Requests a second for this process: its part of what the destination allows.
pub(super) fn rate(asked: Option<u32>, destination: Option<&Destination>, shards: u32) -> Result<u32, Flaw> {
    let rate = asked.unwrap_or(SERVICE_RATE);
    if rate > SERVICE_RATE && destination.is_some_and(Destination::is_the_services) {
        return usage(&format!("--rate {rate}: the service takes {SERVICE_RATE} requests a second at most"));
    }
    if shards > rate {
        return usage(&format!(
            "--shard: {shards} parts of {rate} requests a second leave less than one each"
        ));
    }
    Ok(rate / shards)
}

/// `K/N`, K counted from 0.
pub(super) fn shard(text: &str) -> Result<(u32, u32), Flaw> {
    let parts = text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match parts {
        Some((index, count)) if index < count => Ok((index, count)),
        _ => usage(&format!("--shard {text}: give K/N with K from 0 to N-1, such as 0/4")),
    }
}

/// `N` or `P%`.
pub(super) fn max_failed(text: &str) -> Result<MaxFailed, Flaw> {
    let parsed = match text.strip_suffix('%') {
        Some(share) => share.parse().ok().filter(|p| (0.0..=100.0).contains(p)).map(MaxFailed::Percent),
        None => text.parse().ok().map(MaxFailed::Accounts),
    };
    parsed.map_or_else(|| usage(&format!("--max-failed {text}: give a count, or a share such as 1%")), Ok)
}

/// The language of a person's environment: what the POSIX variables say, in their order.
pub fn lang(asked: Option<cli::Lang>, variables: Variables) -> Lang {
    match asked {
        Some(cli::Lang::En) => Lang::En,
        Some(cli::Lang::Zh) => Lang::Zh,
        None => {
            let set = |name: &&str| variables(name).is_some_and(|value| !value.is_empty());
            let locale =
                ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find(|name| set(name)).and_then(|n| variables(n));
            if locale.is_some_and(|locale| locale.starts_with("zh")) { Lang::Zh } else { Lang::En }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none(_: &str) -> Option<String> {
        None
    }

    #[test]
    fn a_region_takes_a_hundred_requests_a_second_at_most_and_an_endpoint_any() {
        let sgp =
            Destination::Host { region: Some("sgp"), endpoint: "https://adminapisgp.im.qcloud.com".into() };
        let other = Destination::Host { region: None, endpoint: "http://127.0.0.1:1".into() };
        assert!(rate(Some(101), Some(&sgp), 1).is_err());
        assert!(rate(Some(101), Some(&Destination::Sandbox), 1).is_err());
        assert_eq!(rate(Some(20_000), Some(&other), 1).unwrap(), 20_000);
        assert_eq!(rate(None, Some(&other), 3).unwrap(), 33);
        assert!(rate(Some(4), Some(&sgp), 5).is_err());
    }

    #[test]
    fn a_shard_is_counted_from_0() {
        assert_eq!(shard("0/4").unwrap(), (0, 4));
        assert_eq!(shard("3/4").unwrap(), (3, 4));
        for wrong in ["4/4", "0/0", "-1/4", "1", "a/b", "1/4/2", ""] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn max_failed_is_a_count_or_a_share() {
        assert_eq!(max_failed("0").unwrap(), MaxFailed::Accounts(0));
        assert_eq!(max_failed("2.5%").unwrap(), MaxFailed::Percent(2.5));
        for wrong in ["", "-1", "101%", "x%", "1.5", "NaN%"] {
            assert!(max_failed(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_language_is_asked_for_or_the_locales() {
        let locale = |name: &str| match name {
            "LC_ALL" => Some(String::new()),
            "LANG" => Some("zh_CN.UTF-8".to_owned()),
            _ => None,
        };
        assert_eq!(lang(None, &locale), Lang::Zh);
        assert_eq!(lang(Some(cli::Lang::En), &locale), Lang::En);
        assert_eq!(lang(None, &none), Lang::En);
    }
}
