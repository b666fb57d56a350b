//! A record's text to a row. Each thread that parses has a parser of its own.

use super::cells::Cells;
use super::columns::Names;
use super::decode::Encoding;
use super::json::{self, Keys};
use super::row::{Raw, Row, Unparsed, not_text, too_long};

/// Parses the records of one input.
#[derive(Clone)]
pub(super) enum Parser {
    /// Of CSV.
    Cells(Box<Cells>),
    /// Of JSON, in a document or on lines.
    Values(Values),
}

/// How JSON values are parsed.
#[derive(Clone)]
pub(super) struct Values {
    keys: Keys,
    encoding: Encoding,
    bare: bool,
}

impl Parser {
    pub(super) fn row<'a>(&'a mut self, raw: Raw<'a>) -> Row<'a> {
        match (self, raw) {
            (_, Raw::TooLong(raw)) => Err(Unparsed { reason: too_long(), raw }),
            (Parser::Cells(cells), Raw::Whole(raw)) => cells.row(raw),
            (Parser::Values(values), Raw::Whole(raw)) => values.row(raw),
        }
    }
}

impl Values {
    /// Bare values are UserIDs and not objects.
    pub(super) fn new(names: Names, encoding: Encoding, bare: bool) -> Self {
        Self { keys: Keys::new(names), encoding, bare }
    }

    fn row<'a>(&mut self, raw: &'a [u8]) -> Row<'a> {
        std::str::from_utf8(raw)
            .map_err(|_| not_text("the record", raw, self.encoding))
            .and_then(|json| if self.bare { json::user_id(json) } else { json::object(json, &mut self.keys) })
            .map_err(|reason| Unparsed { reason, raw })
    }
}
