//! The record that a reader has gone to: where it lies in the text, and on which line it starts.

use super::row::{RAW_KEPT, Raw};
use super::text::{Line, RECORD_MOST, Text};
use std::io;

/// A record that begins where the text's window does.
pub(super) struct Record {
    pub(super) text: Text,
    /// Where the reader is, which may be in the record or behind it.
    pub(super) line: Line,
    /// The line on which the record starts.
    pub(super) starts: u64,
    /// Its length, as far as that is known; what ends it is not counted.
    pub(super) length: usize,
    /// What is kept of it if it is over [`RECORD_MOST`].
    dropped: Option<Vec<u8>>,
}

impl Record {
    /// None yet, at the beginning of a text.
    pub(super) fn before(text: Text) -> Self {
        Self { text, line: Line::first(), starts: 1, length: 0, dropped: None }
    }

    /// The record, or what is kept of it.
    pub(super) fn raw(&self) -> Raw<'_> {
        match &self.dropped {
            Some(raw) => Raw::TooLong(raw),
            None => Raw::Whole(&self.text.window()[..self.length]),
        }
    }

    /// Notes that it starts here.
    pub(super) fn start(&mut self) {
        self.line.inside();
        self.starts = self.line.number();
    }

    /// Keeps no more than its beginning once it is too long; true if it is.
    pub(super) fn is_dropped(&mut self) -> bool {
        if self.length > RECORD_MOST {
            let window = self.text.window();
            self.dropped.get_or_insert_with(|| window[..RAW_KEPT].to_vec());
        }
        self.dropped.is_some()
    }

    /// Moves past it, and past what has been read of it where it was dropped.
    pub(super) fn leave(&mut self) {
        self.text.consume(std::mem::take(&mut self.length));
        self.dropped = None;
    }

    /// Moves past bytes, and counts the lines among them.
    pub(super) fn pass(&mut self, bytes: usize) {
        self.line.pass(&self.text.window()[..bytes]);
        self.text.consume(bytes);
    }

    /// Moves past bytes of this kind, and counts the lines among them; false at the end of the input.
    pub(super) fn skip(&mut self, is_blank: impl Fn(&u8) -> bool) -> io::Result<bool> {
        loop {
            let blank = self.text.window().iter().take_while(|byte| is_blank(byte)).count();
            self.pass(blank);
            if !self.text.window().is_empty() {
                return Ok(true);
            }
            if !self.text.more()? {
                return Ok(false);
            }
        }
    }

    /// Goes on in another text, before a record that starts on `line`.
    pub(super) fn resume(&mut self, text: Text, line: u64) {
        *self = Self { line: Line::at(line), ..Self::before(text) };
    }
}
