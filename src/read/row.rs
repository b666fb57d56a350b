//! A record as it is found, the row that it is, and how its text is shown to a person.

use super::decode::{Encoding, is_gb18030};
use super::record::Record;
use super::text::Text;
use std::borrow::Cow;
use std::fmt::Write;
use std::io;

/// The most bytes of a row's own text that are kept for the report.
const RAW_MOST: usize = 4096;
/// The most bytes of a row that a record reader needs to keep for that: no character is cut where the text is.
pub(super) const RAW_KEPT: usize = RAW_MOST + 4;
/// The most characters of input that a message quotes.
const QUOTED_MOST: usize = 40;

/// What a row says. Empty texts are not told apart from texts that are not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) user_id: Cow<'a, str>,
    pub(super) nick: Cow<'a, str>,
    pub(super) face_url: Cow<'a, str>,
}

/// A row that could not be parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unparsed<'a> {
    pub(super) reason: String,
    /// The row's text, its beginning at least.
    pub(super) raw: &'a [u8],
}

/// A row, parsed or not.
pub(super) type Row<'a> = Result<Fields<'a>, Unparsed<'a>>;

/// What ends the reading of an input.
#[derive(Debug)]
pub(super) enum Fault {
    /// Its bytes cannot be had.
    Io(io::Error),
    /// Its structure is damaged, so that rows cannot be told apart from there on.
    Damaged { line: u64, what: String },
    /// Its header is not to be understood.
    Header(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Io(error)
    }
}

/// A record's own text.
#[derive(Debug, Clone, Copy)]
pub(super) enum Raw<'a> {
    Whole(&'a [u8]),
    /// The beginning of a record that is longer than any may be.
    TooLong(&'a [u8]),
}

/// Finds the records of one format, one after another, and leaves it to others to parse them.
pub(super) trait Records {
    /// Goes to the next record; false at the end.
    fn advance(&mut self) -> Result<bool, Fault>;
    /// The record that was gone to.
    fn record(&self) -> &Record;
    /// Goes on in another text, before a record that starts on `line`.
    fn resume(&mut self, text: Text, line: u64);
}

/// The reason of a record that is longer than any may be.
pub(super) fn too_long() -> String {
    "the record is over 1 MiB: is a closing quote missing?".to_owned()
}

/// The reason of a row with bytes in `name` that are no text.
pub(super) fn not_text(name: &str, bytes: &[u8], encoding: Encoding) -> String {
    let advice = if encoding != Encoding::UTF_8 {
        "mend the bytes or give another --encoding"
    } else if is_gb18030(bytes) {
        "try --encoding gb18030"
    } else {
        "mend the bytes or give --encoding"
    };
    format!("{name} is not valid {}: {advice}", encoding.name())
}

/// Text from input as a message may show it: short, and nothing in it moves the cursor or the reading direction.
pub(super) fn quoted(text: &str) -> String {
    let mut shown = String::from("\"");
    for (count, c) in text.chars().enumerate() {
        if count == QUOTED_MOST {
            shown.push('…');
            break;
        }
        match c {
            '"' | '\\' => shown.extend(['\\', c]),
            '\0'..='\x1F' | '\x7F' => _ = write!(shown, "\\x{:02X}", u32::from(c)),
            '\u{80}'..='\u{9F}'
            | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}'
            | '\u{FEFF}' => _ = write!(shown, "{}", c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown.push('"');
    shown
}

/// A row's own text for the report: the beginning of it, bytes that are no text as `\xHH`.
pub(super) fn raw_text(raw: &[u8]) -> Box<str> {
    let mut text = String::new();
    let mut push = |piece: &str| {
        let fits = text.len() + piece.len() <= RAW_MOST;
        if fits {
            text.push_str(piece);
        }
        fits
    };
    'full: for chunk in raw[..raw.len().min(RAW_KEPT)].utf8_chunks() {
        for c in chunk.valid().chars() {
            if !push(c.encode_utf8(&mut [0; 4])) {
                break 'full;
            }
        }
        for byte in chunk.invalid() {
            if !push(&format!("\\x{byte:02X}")) {
                break 'full;
            }
        }
    }
    text.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_is_short_and_cannot_move_a_terminal() {
        assert_eq!(quoted("张三 \u{1b}[2J\u{202e}\"\n"), "\"张三 \\x1B[2J\\u{202e}\\\"\\x0A\"");
        assert_eq!(quoted(&"字".repeat(41)), format!("\"{}…\"", "字".repeat(40)));
    }

    #[test]
    fn raw_text_shows_bytes_that_are_no_text_and_never_cuts_a_character() {
        assert_eq!(&*raw_text(b"a,\xD5\xC5,\xE5\xBC\xA0"), "a,\\xD5\\xC5,张");
        let long = format!("ab{}", "字".repeat(2000));
        assert_eq!(&*raw_text(long.as_bytes()), format!("ab{}", "字".repeat(1364)));
        assert_eq!(raw_text(&[0xFF; 5000]).len(), RAW_MOST);
    }
}
