//! Where report and journal go when no option says it: beside the first input, named after it.

use super::failed::Format;
use std::path::{Path, PathBuf};

/// What the path is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The failed-accounts report of an import.
    Failed(Format),
    /// The report of a verify.
    Verify(Format),
    /// The journal.
    Journal,
}

/// The default path for `purpose`. `input` is the first input, none for stdin; `shard` is K of N.
pub fn default_path(input: Option<&Path>, shard: Option<(u32, u32)>, purpose: Purpose) -> PathBuf {
    let input = input.unwrap_or(Path::new("stdin"));
    let mut name = stem(input).as_os_str().to_owned();
    if let Some((part, of)) = shard {
        name.push(format!(".{part}-of-{of}"));
    }
    name.push(match purpose {
        Purpose::Failed(format) => format!(".failed.{}", format.ending()),
        Purpose::Verify(format) => format!(".verify.{}", format.ending()),
        Purpose::Journal => ".imimport-journal".into(),
    });
    name.into()
}

/// Without the endings of a packed file and of a format; others belong to the name.
fn stem(input: &Path) -> PathBuf {
    let without = |path: PathBuf, endings: &[&str]| match path.extension() {
        Some(ending) if endings.iter().any(|known| ending.eq_ignore_ascii_case(known)) => {
            path.with_extension("")
        }
        _ => path,
    };
    let unpacked = without(input.into(), &["gz", "gzip", "zst", "zstd"]);
    without(unpacked, &["csv", "tsv", "tab", "txt", "json", "jsonl", "ndjson"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn report_and_journal_are_named_after_the_first_input() {
        use Format::{Csv, Jsonl};
        use Purpose::{Failed, Journal, Verify};
        let cases = [
            (Some("accounts.csv"), None, Failed(Csv), "accounts.failed.csv"),
            (Some("users.jsonl.gz"), None, Failed(Jsonl), "users.failed.jsonl"),
            (Some("body.json"), None, Failed(Jsonl), "body.failed.jsonl"),
            (Some("in/users.TSV.ZST"), None, Failed(Csv), "in/users.failed.csv"),
            (Some("users.2026-01"), None, Failed(Csv), "users.2026-01.failed.csv"),
            (Some("accounts"), None, Failed(Csv), "accounts.failed.csv"),
            (Some("accounts.failed.csv"), None, Failed(Csv), "accounts.failed.failed.csv"),
            (Some("accounts.csv"), Some((2, 4)), Failed(Csv), "accounts.2-of-4.failed.csv"),
            (Some("accounts.csv"), None, Verify(Csv), "accounts.verify.csv"),
            (None, None, Failed(Csv), "stdin.failed.csv"),
            (None, None, Failed(Jsonl), "stdin.failed.jsonl"),
            (None, None, Journal, "stdin.imimport-journal"),
            (Some("accounts.csv"), None, Journal, "accounts.imimport-journal"),
            (Some("accounts.csv"), Some((0, 4)), Journal, "accounts.0-of-4.imimport-journal"),
        ];
        for (input, shard, purpose, expected) in cases {
            let path = default_path(input.map(Path::new), shard, purpose);
            assert_eq!(path, Path::new(expected), "{input:?} {shard:?} {purpose:?}");
        }
    }
}
