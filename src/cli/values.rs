//! What the values of options may be.

use crate::region::REGIONS;
use clap::ValueEnum;
use clap::builder::{PossibleValue, PossibleValuesParser};
use std::time::Duration;

/// An input format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Format {
    Csv,
    Tsv,
    Jsonl,
    Json,
}

/// Which row of several with one UserID is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum OnDuplicate {
    Last,
    First,
    Error,
}

/// What happens to accounts that the service has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Existing {
    Update,
    Skip,
}

/// When to show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Progress {
    Auto,
    Always,
    Never,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Lang {
    En,
    Zh,
}

/// The service's regions, and the sandbox.
pub(super) fn region() -> PossibleValuesParser {
    let hosts = REGIONS.iter().map(|region| PossibleValue::new(region.name).help(region.place));
    PossibleValuesParser::new(hosts.chain([PossibleValue::new("sandbox").help("the embedded stand-in")]))
}

/// The same as a sentence.
pub(super) fn regions_in_words() -> String {
    let places: Vec<_> = REGIONS.iter().map(|region| format!("{} ({})", region.name, region.place)).collect();
    format!(
        "Region that the app was created in: {}; or sandbox, the embedded stand-in of the service, which needs no \
         credentials",
        places.join(", ")
    )
}

/// A duration such as `10s`, `1m30s` or `500ms`, more than nothing.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Option<jiff::SignedDuration> = text.parse().ok();
    let duration = parsed.and_then(|signed| Duration::try_from(signed).ok()).filter(|d| !d.is_zero());
    duration.ok_or_else(|| "give a duration such as 10s, 1m30s or 500ms".into())
}

/// One ASCII character, or `\t`.
pub(super) fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"\\t" => Ok(b'\t'),
        [byte] if !matches!(byte, b'"' | b'\r' | b'\n') && byte.is_ascii() => Ok(*byte),
        _ => Err("give one ASCII character, such as ';' or '\\t'".into()),
    }
}
