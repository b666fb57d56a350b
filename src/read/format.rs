//! The formats of inputs, and how a format is recognised.

use super::decode::Encoding;
use super::row::not_text;
use std::path::Path;

/// How an input is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, or by another delimiter.
    Csv,
    /// Tab-separated.
    Tsv,
    /// A JSON object on each line.
    Jsonl,
    /// An array, a request body, or lines.
    Json,
}

/// What a file's ending says, also under `.gz` and `.zst`.
pub(super) fn by_ending(name: &str) -> Option<Format> {
    let lower = name.to_ascii_lowercase();
    let bare = lower.strip_suffix(".gz").or_else(|| lower.strip_suffix(".zst")).unwrap_or(&lower);
    match Path::new(bare).extension()?.to_str()? {
        "csv" => Some(Format::Csv),
        "tsv" => Some(Format::Tsv),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        "json" => Some(Format::Json),
        _ => None,
    }
}

/// How files begin that are often taken for an export, what they are, and what to do about it.
const FOREIGN: [(&[u8], &str); 7] = [
    (b"PK\x03\x04", "an Excel workbook or a zip archive: save it as CSV, or unpack it"),
    (b"\xD0\xCF\x11\xE0", "an Excel workbook of the old kind: save it as CSV"),
    (b"\x1F\x8B", "compressed twice: unpack it once"),
    (b"BZh91AY&SY", "compressed with bzip2: unpack it, or pipe it in from bzcat"),
    (b"\xFD7zXZ", "compressed with xz: unpack it, or pipe it in from xzcat"),
    (b"%PDF-", "a PDF: export the accounts as CSV"),
    (b"SQLite format 3\0", "an SQLite database: export the accounts as CSV"),
];

/// What a file is that is none of the formats, if its first bytes tell, and what to do about it.
pub(super) fn foreign(text: &[u8]) -> Option<&'static str> {
    FOREIGN.iter().find(|(magic, _)| text.starts_with(magic)).map(|(_, what)| *what)
}

/// What is more likely amiss with a first line that is no header.
pub(super) fn instead(first: &[u8], encoding: Encoding) -> Option<String> {
    let line = first.trim_ascii_start().to_ascii_lowercase();
    let what = match line.as_slice() {
        _ if encoding == Encoding::UTF_8 && first.contains(&0) => {
            "the header has NUL characters, as UTF-16 and files that are no text have: if it is UTF-16, \
             give --encoding utf-16le"
        }
        _ if std::str::from_utf8(first).is_err() => return Some(not_text("the header", first, encoding)),
        [b's', b'e', b'p', b'=', ..] => {
            "the first line is for a spreadsheet program: remove it, and give --delimiter"
        }
        [b'<', ..] => "it is HTML or XML: save it as CSV",
        [b'{', ..] => "it looks like JSON: give --format jsonl, or json for one document",
        _ => return None,
    };
    Some(what.to_owned())
}

/// What the first character says.
pub(super) fn by_beginning(text: &[u8]) -> Format {
    match text.trim_ascii_start().first() {
        Some(b'[') => Format::Json,
        Some(b'{') if is_body(text) => Format::Json,
        Some(b'{') => Format::Jsonl,
        _ => Format::Csv,
    }
}

/// Whether it is one JSON document, an array or a request body, and not lines.
pub(super) fn is_document(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"[") || is_body(text)
}

/// Whether it is a request body: an object whose first key is `AccountList` or `Accounts`.
fn is_body(text: &[u8]) -> bool {
    let Some(inside) = text.trim_ascii_start().strip_prefix(b"{") else { return false };
    let key = inside.trim_ascii_start();
    let after = key.strip_prefix(b"\"AccountList\"").or_else(|| key.strip_prefix(b"\"Accounts\""));
    after.is_some_and(|after| after.trim_ascii_start().starts_with(b":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_the_ending_also_of_a_compressed_file() {
        assert_eq!(by_ending("users.jsonl.gz"), Some(Format::Jsonl));
        assert_eq!(by_ending("a/b.c/Users.CSV.zst"), Some(Format::Csv));
        assert_eq!(by_ending("users.tsv"), Some(Format::Tsv));
        assert_eq!(by_ending("users.json"), Some(Format::Json));
        for name in ["stdin", "users.txt", "users.gz", ".csv", "/dev/fd/63"] {
            assert_eq!(by_ending(name), None, "{name}");
        }
    }

    #[test]
    fn a_format_is_known_by_the_first_character() {
        assert_eq!(by_beginning(b" \n[{}]"), Format::Json);
        assert_eq!(by_beginning(br#"{ "AccountList" : []}"#), Format::Json);
        assert_eq!(by_beginning(br#"{"Accounts":[]}"#), Format::Json);
        assert_eq!(by_beginning(br#"{"UserID":"AccountList"}"#), Format::Jsonl);
        assert_eq!(by_beginning(br#"{"Accounts2":1}"#), Format::Jsonl);
        assert_eq!(by_beginning(b"UserID\n{}"), Format::Csv);
        assert_eq!(by_beginning(b""), Format::Csv);
    }

    #[test]
    fn what_is_no_text_is_told_by_its_first_bytes() {
        assert!(foreign(b"PK\x03\x04\x14\0").is_some_and(|what| what.contains("Excel")));
        assert_eq!(foreign(b"UserID,Nick\n"), None);
    }
}
