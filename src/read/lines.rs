//! JSONL: a JSON object on each line.

use super::record::Record;
use super::row::{Fault, Records};
use super::text::Text;

/// The lines of a JSONL input that are not blank.
pub(super) struct JsonLines {
    record: Record,
}

impl JsonLines {
    pub(super) fn new(text: Text) -> Self {
        Self { record: Record::before(text) }
    }

    fn find_end(&mut self) -> Result<(), Fault> {
        let record = &mut self.record;
        loop {
            let window = record.text.window();
            let end = memchr::memchr2(b'\n', b'\r', window);
            record.length = end.unwrap_or(window.len());
            if record.is_dropped() {
                record.text.consume(std::mem::take(&mut record.length));
            }
            if end.is_some() || !record.text.more()? {
                return Ok(());
            }
        }
    }
}

impl Records for JsonLines {
    fn advance(&mut self) -> Result<bool, Fault> {
        self.record.leave();
        if !self.record.skip(u8::is_ascii_whitespace)? {
            return Ok(false);
        }
        self.record.start();
        self.find_end()?;
        Ok(true)
    }

    fn record(&self) -> &Record {
        &self.record
    }

    fn resume(&mut self, text: Text, line: u64) {
        self.record.resume(text, line);
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Names;
    use super::super::decode::Encoding;
    use super::super::parser::{Parser, Values};
    use super::super::text::RECORD_MOST;
    use super::*;
    use proptest::prelude::*;

    /// Each row's line and UserID, or the reason that it has none.
    fn rows(text: &[u8]) -> Vec<(u64, Result<String, String>)> {
        let text = Text::new(Box::new(std::io::Cursor::new(text.to_vec())));
        let mut lines = JsonLines::new(text);
        let mut parser = Parser::Values(Values::new(Names::default(), Encoding::UTF_8, false));
        let mut rows = Vec::new();
        while lines.advance().unwrap() {
            let row = parser.row(lines.record().raw()).map(|fields| fields.user_id.into_owned());
            rows.push((lines.record().starts, row.map_err(|unparsed| unparsed.reason)));
        }
        rows
    }

    #[test]
    fn a_line_ends_at_lf_crlf_or_cr_and_blank_lines_are_no_rows() {
        let text = b"\n{\"UserID\":1}\r\n \t\r\n{\"UserID\":2}\r{\"UserID\":3}\n\n  {\"UserID\":4}";
        let expected = [(2, "1"), (4, "2"), (5, "3"), (7, "4")].map(|(line, id)| (line, Ok(id.to_owned())));
        assert_eq!(rows(text), expected);
    }

    #[test]
    fn a_line_that_does_not_parse_is_invalid_and_the_next_one_is_read() {
        let rows = rows(b"{\"UserID\":\"a\"\n{\"UserID\":\"\xFF\"}\n{\"UserID\":\"c\"}");
        assert!(rows[0].1.as_ref().unwrap_err().starts_with("not valid JSON"));
        assert!(rows[1].1.as_ref().unwrap_err().starts_with("the record is not valid UTF-8"));
        assert_eq!(rows[2], (3, Ok("c".to_owned())));
    }

    #[test]
    fn a_line_over_one_mebibyte_is_invalid_and_the_next_one_is_read() {
        for (length, fits) in [(RECORD_MOST, true), (RECORD_MOST + 1, false), (4 * RECORD_MOST + 7, false)] {
            let line = format!("{{\"UserID\":\"a\",\"x\":\"{}\"}}", "x".repeat(length - 21));
            assert_eq!(line.len(), length);
            for end in ["\n", "\r", "\r\n"] {
                let rows = rows(format!("{line}{end}{{\"UserID\":\"b\"}}{end}{line}").as_bytes());
                assert_eq!(rows[0].1.is_ok(), fits);
                assert_eq!(rows[1], (2, Ok("b".to_owned())));
                assert_eq!((rows[2].0, rows[2].1.is_ok()), (3, fits));
            }
        }
    }

    proptest! {
        #[test]
        fn what_serde_json_wrote_is_read_back(ids in prop::collection::vec(any::<String>(), 0..40)) {
            let line = |id: &String| format!("{}\n", serde_json::json!({ "UserID": id }));
            let text: String = ids.iter().map(line).collect();
            let expected: Vec<_> = (1..).zip(ids.into_iter().map(Ok)).collect();
            prop_assert_eq!(rows(text.as_bytes()), expected);
        }
    }
}
