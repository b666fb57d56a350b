//! Reads faults from text, as the command line gives them.

use super::faults::{Fault, Faults, Outage};
use regex::Regex;
use std::time::Duration;

/// Every form that [`Faults::parse`] understands, with what it does.
pub const FAULT_FORMS: [(&str, &str); 31] = [
    ("70169=2%", "this ErrorCode for 2% of requests, nothing applied; any code"),
    ("http502=1%", "this HTTP status with a page of HTML, nothing applied; any status"),
    ("reset=1%", "the connection is reset, nothing applied"),
    ("reset-applied=1%", "applied, then the connection is reset without an answer"),
    ("truncate=1%", "applied, and the answer is cut in the middle"),
    ("garbage=1%", "applied, and the answer is HTTP 200 with a page of HTML"),
    ("huge=1%", "applied, and the answer has 64 MiB"),
    ("bodies=1%", "a body that is wrong in another way each time, nothing applied"),
    ("hang=0.1%", "never an answer, nothing applied"),
    ("drip=1%", "the answer comes a byte a second"),
    ("close=1%", "the connection closes after the answer"),
    ("redirect=1%", "HTTP 302 to another path, nothing applied"),
    ("always=60026", "this ErrorCode for every request"),
    ("deny-key", "70009 for every request, as if the key were of another app"),
    ("latency=20ms..300ms", "answers come this much later"),
    ("fail=REGEX", "UserIDs that match are listed in FailAccounts"),
    ("fail-times=2", "... only the first 2 times each is sent"),
    ("fail-reason=70399", "... and get this ErrorCode from account_import"),
    ("poison=REGEX", "an import that holds such a UserID is refused whole"),
    ("poison-code=70402", "... with this ErrorCode"),
    ("mute=REGEX", "an import that holds such a UserID never gets an answer"),
    ("absent=REGEX", "account_check and portrait_get do not know such a UserID"),
    ("changed=REGEX", "portrait_get gives another Nick for such a UserID"),
    ("limit=60", "the most requests a second; the service's is 100"),
    ("limit=none", "no limit of requests"),
    ("limit-code=429", "what requests over the limit get: 60007, another ErrorCode or an HTTP status"),
    ("retry-after=3", "seconds of Retry-After with every HTTP 429"),
    ("outage=30s..90s", "since the first request, every connection is reset; several may be given"),
    ("outage=30s..90s:http502", "... or each request gets this: http502, 70500, hang, reset"),
    ("quota=5000", "70398 where an import would bring the app over this many accounts"),
    ("sig-ttl=5", "70001 once a signature is this many seconds old"),
];

/// A text that names no fault.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the fault `{text}` cannot be read: {problem}")]
pub struct BadFault {
    text: String,
    problem: String,
}

impl Faults {
    /// Faults from texts such as `70169=2%`: any of [`FAULT_FORMS`]. What is said twice holds as said last;
    /// chances and outages add up.
    pub fn parse<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<Self, BadFault> {
        let mut faults = Self::default();
        for text in texts {
            let text = text.as_ref();
            faults.set(text).map_err(|problem| BadFault { text: text.to_owned(), problem })?;
        }
        Ok(faults)
    }

    fn set(&mut self, text: &str) -> Result<(), String> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        match name {
            "fail" => self.fail = Some(pattern(value)?),
            "fail-times" => self.fail_times = number(value)?,
            "fail-reason" => self.fail_reason = code(value)?,
            "poison" => self.poison = Some(pattern(value)?),
            "poison-code" => self.poison_code = code(value)?,
            "mute" => self.mute = Some(pattern(value)?),
            "absent" => self.absent = Some(pattern(value)?),
            "changed" => self.changed = Some(pattern(value)?),
            "latency" => self.latency = Some(span(value)?),
            "limit" if value == "none" => self.limit = None,
            "limit" => self.limit = Some(number(value)?),
            "limit-code" => self.limit_fault = coded(value).ok_or("give an ErrorCode, or an HTTP status")?,
            "retry-after" => self.retry_after = Some(number(value)?),
            "quota" => self.quota = Some(number(value)?),
            "sig-ttl" => self.sig_ttl = Some(number(value)?),
            "outage" => self.outages.push(outage(value)?),
            "always" => self.add_chance(Fault::Code(code(value)?), 1.0)?,
            "deny-key" if value.is_empty() => self.add_chance(Fault::Code(70009), 1.0)?,
            _ => {
                let fault = chanced(name).ok_or_else(|| suggestion(name))?;
                self.add_chance(fault, percentage(value)?)?;
            }
        }
        Ok(())
    }

    fn add_chance(&mut self, fault: Fault, probability: f64) -> Result<(), String> {
        let sum = probability + self.chances.iter().map(|(_, chance)| chance).sum::<f64>();
        if sum > 1.0 + 1e-9 {
            return Err("the chances of all faults come to more than 100%; give less".to_owned());
        }
        self.chances.push((fault, probability));
        Ok(())
    }
}

/// A fault that comes by chance, or in an outage.
fn chanced(name: &str) -> Option<Fault> {
    Some(match name {
        "reset" => Fault::Reset,
        "reset-applied" => Fault::ResetApplied,
        "truncate" => Fault::Truncate,
        "garbage" => Fault::Garbage,
        "huge" => Fault::Huge,
        "bodies" => Fault::WrongBody,
        "hang" => Fault::Hang,
        "drip" => Fault::Drip,
        "close" => Fault::Close,
        "redirect" => Fault::Redirect,
        _ => return coded(name),
    })
}

/// `502` and `http502` are an HTTP status, another number is an ErrorCode.
fn coded(text: &str) -> Option<Fault> {
    let status = text.strip_prefix("http").unwrap_or(text).parse().ok();
    match status.filter(|status| (201..=599).contains(status)) {
        Some(status) => Some(Fault::Http(status)),
        None => code(text).ok().map(Fault::Code),
    }
}

fn outage(text: &str) -> Result<Outage, String> {
    let (times, kind) = text.split_once(':').unwrap_or((text, "reset"));
    let (from, to) = span(times)?;
    let kind = if kind == "refuse" { "reset" } else { kind };
    let fault = chanced(kind).ok_or("after the colon, give refuse, http502, 70500 or hang")?;
    Ok(Outage { from, to, fault })
}

/// `20ms..300ms`, in order.
fn span(text: &str) -> Result<(Duration, Duration), String> {
    let ends = text.split_once("..").and_then(|(from, to)| Some((duration(from)?, duration(to)?)));
    ends.filter(|(from, to)| from <= to).ok_or_else(|| "give two durations, such as 20ms..300ms".to_owned())
}

fn duration(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| c.is_ascii_alphabetic())?;
    let unit = match &text[digits..] {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(text[..digits].parse::<f64>().ok()? * unit).ok()
}

fn percentage(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    percent
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| "give how often, from 0% to 100%, such as 2%".to_owned())
}

/// 0 is no fault.
fn code(text: &str) -> Result<i64, String> {
    text.parse().ok().filter(|code| *code != 0).ok_or_else(|| "give an ErrorCode, such as 70169".to_owned())
}

fn number<N: std::str::FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "give a whole number".to_owned())
}

fn pattern(text: &str) -> Result<Regex, String> {
    if text.is_empty() {
        return Err("give a regular expression".to_owned());
    }
    Regex::new(text).map_err(|error| format!("mend the regular expression: {error}"))
}

/// The forms whose names are most like `name`, or all of them.
fn suggestion(name: &str) -> String {
    let forms = || FAULT_FORMS.iter().map(|(form, _)| *form);
    let alike: Vec<&str> = forms()
        .filter(|form| strsim::jaro_winkler(name, form.split('=').next().unwrap_or(form)) > 0.8)
        .collect();
    if alike.is_empty() {
        format!("give one of {}", forms().collect::<Vec<_>>().join(", "))
    } else {
        format!("did you mean {}?", alike.join(" or "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Faults, String> {
        Faults::parse([text]).map_err(|error| error.to_string())
    }

    #[test]
    fn every_form_of_the_list_is_understood() {
        for (form, meaning) in FAULT_FORMS {
            assert!(parse(form).is_ok(), "{form}");
            assert!(!meaning.is_empty() && form.len() + meaning.len() < 110, "{form}");
        }
    }

    #[test]
    fn chances_add_up_in_the_order_given() {
        let faults = Faults::parse(["70169=2%", "http429=1.5%", "reset-applied=0.1%"]).unwrap();
        let expected =
            vec![(Fault::Code(70169), 0.02), (Fault::Http(429), 0.015), (Fault::ResetApplied, 0.001)];
        assert_eq!(faults.chances, expected);
        let error = Faults::parse(["hang=60%", "reset=41%"]).unwrap_err().to_string();
        assert!(error.starts_with("the fault `reset=41%` cannot be read: the chances"), "{error}");
    }

    #[test]
    fn an_outage_has_its_times_and_its_kind() {
        let faults = Faults::parse(["outage=30s..1.5m", "outage=2m..1h:http502"]).unwrap();
        assert_eq!(faults.outage(Duration::from_secs(29)), None);
        assert_eq!(faults.outage(Duration::from_secs(30)), Some(&Fault::Reset));
        assert_eq!(faults.outage(Duration::from_secs(90)), None);
        assert_eq!(faults.outage(Duration::from_secs(120)), Some(&Fault::Http(502)));
        assert_eq!(parse("outage=1s..2s:refuse").unwrap().outages[0].fault, Fault::Reset);
        assert!(parse("outage=2s..1s").is_err() && parse("outage=1s..2s:nap").is_err());
    }

    #[test]
    fn a_limit_may_be_lifted_and_have_a_code_of_its_own() {
        assert_eq!(parse("limit=none").unwrap().limit, None);
        assert_eq!(parse("limit=60").unwrap().limit, Some(60));
        assert_eq!(parse("limit-code=429").unwrap().limit_fault, Fault::Http(429));
        assert_eq!(parse("limit-code=60011").unwrap().limit_fault, Fault::Code(60011));
    }

    #[test]
    fn a_slip_gets_a_suggestion_and_nonsense_the_whole_list() {
        let error = parse("truncat=1%").unwrap_err();
        assert_eq!(error, "the fault `truncat=1%` cannot be read: did you mean truncate=1%?");
        let error = parse("reset_applied=1%").unwrap_err();
        assert!(error.contains("did you mean") && error.contains("reset-applied=1%"), "{error}");
        let error = parse("zzz").unwrap_err();
        assert!(error.contains("give one of 70169=2%, http502=1%"), "{error}");
    }

    #[test]
    fn values_that_make_no_sense_are_refused() {
        for text in [
            "70169",
            "70169=2",
            "70169=101%",
            "70169=-1%",
            "70169=NaN%",
            "0=5%",
            "always=0",
            "always=x",
            "fail=",
            "fail=(",
            "latency=20..300",
            "latency=3s..1s",
            "limit=-1",
            "quota=many",
            "http99=1%",
            "http600=1%",
            "deny-key=1",
            "limit-code=x",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
