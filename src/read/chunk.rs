//! Some hundreds of records on their way from the thread that finds them to one that parses them.

use super::parser::Parser;
use super::row::{Raw, Row};
use crate::account::Place;

/// Text that a chunk takes before it is handed on.
const FULL: usize = 512 << 10;

/// Successive records of one input.
pub(super) struct Chunk {
    parser: Parser,
    text: Vec<u8>,
    records: Vec<Span>,
    /// How many bytes of all inputs had been read when it was handed on.
    pub(super) bytes_read: u64,
}

struct Span {
    place: Place,
    /// Where it ends in the chunk's text; it begins where the one before ends.
    end: usize,
    whole: bool,
}

impl Chunk {
    pub(super) fn new(parser: Parser) -> Self {
        Self { parser, text: Vec::with_capacity(FULL), records: Vec::new(), bytes_read: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= FULL
    }

    pub(super) fn push(&mut self, place: Place, raw: Raw<'_>) {
        let (Raw::Whole(text) | Raw::TooLong(text)) = raw;
        self.text.extend_from_slice(text);
        let whole = matches!(raw, Raw::Whole(_));
        self.records.push(Span { place, end: self.text.len(), whole });
    }

    /// Parses the records, in their order.
    pub(super) fn rows(mut self, mut row: impl FnMut(Place, Row<'_>)) {
        let mut start = 0;
        for record in self.records {
            let text = &self.text[start..record.end];
            let raw = if record.whole { Raw::Whole(text) } else { Raw::TooLong(text) };
            row(record.place, self.parser.row(raw));
            start = record.end;
        }
    }
}
