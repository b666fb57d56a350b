//! CSV and TSV: where each record begins and ends, and on which line.

use super::cells::{self, Cells, Dialect};
use super::columns::sniff_delimiter;
use super::record::Record;
use super::row::{Fault, Raw, Records, too_long};
use super::text::{RECORD_MOST, Text};
use csv_core::ReadFieldResult;
use std::borrow::Cow;

/// Bytes of a record that the parser may write at a time, to be overwritten.
const UNWANTED: usize = 4096;

/// The records of a CSV input.
pub(super) struct CsvRecords {
    record: Record,
    /// Knows which quotes open and close.
    parser: csv_core::Reader,
    unwanted: Vec<u8>,
    /// The record that was gone to is still to be handed out; it is the first of an input without a header.
    held: bool,
}

impl CsvRecords {
    /// Reads as far as the header, or without one as far as the first record.
    pub(super) fn open(mut text: Text, dialect: &Dialect) -> Result<(Self, Cells), Fault> {
        text.more()?;
        let delimiter = match dialect.delimiter {
            Some(delimiter) => delimiter,
            None if dialect.header => sniff_delimiter(&first_line(text.window()), &dialect.names),
            None => b',',
        };
        let mut records = Self {
            record: Record::before(text),
            parser: cells::parser(delimiter),
            unwanted: vec![0; UNWANTED],
            held: false,
        };
        let is_empty = !records.advance()?;
        let first = match records.record.raw() {
            _ if is_empty => None,
            Raw::Whole(first) => Some(first),
            Raw::TooLong(_) => {
                return Err(Fault::Header(format!("line {}: {}", records.record.starts, too_long())));
            }
        };
        let cells = Cells::new(first, delimiter, dialect).map_err(Fault::Header)?;
        records.held = !dialect.header && !is_empty;
        Ok((records, cells))
    }

    /// Finds the end of the record at the window's beginning.
    fn find_end(&mut self) -> Result<(), Fault> {
        loop {
            let window = self.record.text.window();
            match memchr::memchr3(b'\n', b'\r', b'"', window) {
                Some(at) if window[at] != b'"' && at <= RECORD_MOST => {
                    self.record.length = at;
                    return Ok(());
                }
                Some(_) => return self.find_quoted_end(),
                None if window.len() > RECORD_MOST => return self.find_quoted_end(),
                None => {}
            }
            if !self.record.text.more()? {
                self.record.length = self.record.text.window().len();
                return Ok(());
            }
        }
    }

    /// The same, of a record that has quotes or is too long.
    fn find_quoted_end(&mut self) -> Result<(), Fault> {
        let record = &mut self.record;
        let mut cell_line = record.line.number();
        loop {
            let ended = record.length == record.text.window().len() && !record.text.more()?;
            // A line end of our own, instead of the end of the input, shows whether a quote is open.
            let input = if ended { b"\n" } else { &record.text.window()[record.length..] };
            let (result, read, _) = self.parser.read_field(input, &mut self.unwanted);
            let at_end = matches!(result, ReadFieldResult::Field { record_end: true });
            if ended && !at_end {
                let what = "a quote opens here and is never closed: close it, or double it if it is part of the text";
                return Err(Fault::Damaged { line: cell_line, what: what.to_owned() });
            }
            if !ended {
                // The line end is left, to be passed with those that follow it.
                let inside = read - usize::from(at_end);
                record.line.pass(&input[..inside]);
                record.length += inside;
            }
            if record.is_dropped() {
                record.text.consume(std::mem::take(&mut record.length));
            }
            match result {
                _ if at_end => return Ok(()),
                ReadFieldResult::Field { .. } => cell_line = record.line.number(),
                _ => {}
            }
        }
    }
}

impl Records for CsvRecords {
    fn advance(&mut self) -> Result<bool, Fault> {
        if std::mem::take(&mut self.held) {
            return Ok(true);
        }
        self.record.leave();
        if !self.record.skip(|byte| matches!(byte, b'\n' | b'\r'))? {
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
        self.held = false;
    }
}

fn first_line(text: &[u8]) -> Cow<'_, str> {
    let start = text.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let line = text[start..].split(|byte| matches!(byte, b'\n' | b'\r')).next();
    String::from_utf8_lossy(line.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::columns::Names;
    use super::super::decode::Encoding;
    use super::super::parser::Parser;
    use super::*;
    use proptest::prelude::*;

    fn open(text: &[u8], header: bool) -> Result<(CsvRecords, Parser), Fault> {
        let text = Text::new(Box::new(std::io::Cursor::new(text.to_vec())));
        let dialect = Dialect { delimiter: None, header, names: Names::default(), encoding: Encoding::UTF_8 };
        CsvRecords::open(text, &dialect).map(|(records, cells)| (records, Parser::Cells(Box::new(cells))))
    }

    /// A row's line, and its UserID and Nick, or the reason that it has none.
    type Seen = (u64, Result<(String, String), String>);

    fn rows(text: &[u8], header: bool) -> Vec<Seen> {
        let (mut records, mut parser) = open(text, header).unwrap();
        let mut rows = Vec::new();
        while records.advance().unwrap() {
            let row = parser
                .row(records.record().raw())
                .map(|fields| (fields.user_id.into_owned(), fields.nick.into_owned()));
            rows.push((records.record().starts, row.map_err(|unparsed| unparsed.reason)));
        }
        rows
    }

    fn good(line: u64, user_id: &str, nick: &str) -> Seen {
        (line, Ok((user_id.to_owned(), nick.to_owned())))
    }

    #[test]
    fn quoted_fields_may_hold_delimiters_quotes_and_line_ends() {
        let text = include_bytes!("../../fixtures/quoted-with-commas-quotes-and-newlines.csv");
        let expected = [
            good(2, "comma", "Lee, Ann"),
            good(3, "quotes", "the \"boss\""),
            good(4, "newlines", "two\nlines\r\nthree"),
            good(7, "plain", "Ann"),
        ];
        assert_eq!(rows(text, true), expected);
    }

    #[test]
    fn records_start_where_an_editor_shows_them_after_lf_crlf_cr_and_blank_lines() {
        let text = b"\nUserID,Nick\n\na,1\r\n\r\nb,2\rc,3\r\r\"d\",4\n\"e\r\nf\",5\r\n\ng,6";
        let expected = [
            good(4, "a", "1"),
            good(6, "b", "2"),
            good(7, "c", "3"),
            good(9, "d", "4"),
            good(10, "e\r\nf", "5"),
            good(13, "g", "6"),
        ];
        assert_eq!(rows(text, true), expected);
    }

    #[test]
    fn a_quote_left_open_is_an_error_that_names_the_line_it_opened() {
        for (text, opened) in [
            ("UserID,Nick\na,1\nb,\"two\nc,3\n", 3),
            ("UserID,Nick\na,1\n\"two\nlines\",\"3\nc,3", 4),
            ("UserID,\"Nick\na,1", 1),
        ] {
            let fault = open(text.as_bytes(), true).and_then(|(mut records, _)| {
                while records.advance()? {}
                Ok(())
            });
            assert!(matches!(fault, Err(Fault::Damaged { line, .. }) if line == opened), "{text}: {fault:?}");
        }
    }

    #[test]
    fn a_record_with_another_number_of_fields_or_the_header_again_is_invalid() {
        let rows = rows("UserID,Nick\na\nb,2,3\n\u{feff}UserID,Nick\nc,3\n".as_bytes(), true);
        let reasons: Vec<_> = rows.iter().map(|(_, row)| row.as_ref().err().map(String::as_str)).collect();
        assert!(reasons[0].unwrap().starts_with("1 field, the header has 2"));
        assert!(reasons[1].unwrap().starts_with("3 fields, the header has 2"));
        assert!(reasons[2].unwrap().starts_with("the header is repeated"));
        assert_eq!(rows[3], good(5, "c", "3"));
    }

    #[test]
    fn without_a_header_the_first_record_is_a_row() {
        assert_eq!(rows(b"a,1\nb,2", false), [good(1, "a", "1"), good(2, "b", "2")]);
        assert_eq!(rows(b"", false), []);
    }

    #[test]
    fn bytes_that_are_no_text_name_their_column_and_the_encoding_that_would_read_them() {
        let rows = rows(b"UserID,x,Nick\na,,\xD5\xC5\nb,\xFF,\n", true);
        assert_eq!(rows[0].1, Err("Nick is not valid UTF-8: try --encoding gb18030".to_owned()));
        assert_eq!(
            rows[1].1,
            Err("column 2 is not valid UTF-8: mend the bytes or give --encoding".to_owned())
        );
    }

    #[test]
    fn a_record_over_one_mebibyte_is_invalid_and_the_next_one_is_read() {
        for quote in ["", "\""] {
            for (length, fits) in [(RECORD_MOST, true), (RECORD_MOST + 1, false), (5 * RECORD_MOST, false)] {
                let nick = "x".repeat(length - 2 - 2 * quote.len());
                let text = format!("UserID,Nick\na,{quote}{nick}{quote}\r\nb,2");
                let rows = rows(text.as_bytes(), true);
                assert_eq!(rows[0].1.is_ok(), fits, "{quote} {length}");
                assert_eq!(rows[1], good(3, "b", "2"));
            }
        }
    }

    proptest! {
        #[test]
        fn what_a_csv_writer_wrote_is_read_back(
            records in prop::collection::vec(("[a-z,\"\r\n张🙂 ]{1,9}", "\\PC*"), 0..40),
            all_quoted: bool,
            terminator in prop::sample::select(vec![b'\n', b'\r']),
        ) {
            let style = if all_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
            let mut writer = csv::WriterBuilder::new()
                .quote_style(style).terminator(csv::Terminator::Any(terminator)).from_writer(Vec::new());
            writer.write_record(["UserID", "Nick"]).unwrap();
            for (user_id, nick) in &records {
                writer.write_record([user_id, nick]).unwrap();
            }
            let text = writer.into_inner().unwrap();
            let read: Vec<_> = rows(&text, true).into_iter().map(|(_, row)| row.unwrap()).collect();
            prop_assert_eq!(read, records);
        }
    }
}
