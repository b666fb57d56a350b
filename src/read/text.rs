//! A window that slides over an input's text, and the count of its lines.

use std::io::{self, Read};

/// The most bytes a record may have; what is longer is invalid and never held.
pub(super) const RECORD_MOST: usize = 1 << 20;
const ROOM: usize = 2 * RECORD_MOST;

/// The text that was read and not yet consumed; there is room for one whole record in it.
pub(super) struct Text {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes of the input that were before the buffer.
    before: u64,
}

impl Text {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Self {
        Self { source, buffer: vec![0; ROOM], start: 0, end: 0, before: 0 }
    }

    /// What can be seen now.
    pub(super) fn window(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Where in the text the window begins.
    pub(super) fn position(&self) -> u64 {
        self.before + self.start as u64
    }

    /// Moves past the first `bytes` of the window.
    pub(super) fn consume(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.end, "only what was seen is consumed");
    }

    /// Widens the window as far as there is room; false if the input has nothing more or the room is used up.
    pub(super) fn more(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.before += self.start as u64;
        self.start = 0;
        let before = self.end;
        while self.end < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.end > before)
    }
}

/// The number of the line that is being read; a line ends at LF, CRLF, or CR alone.
#[derive(Debug)]
pub(super) struct Line {
    number: u64,
    after_cr: bool,
}

impl Line {
    pub(super) fn first() -> Self {
        Self::at(1)
    }

    /// The line `number`, whatever was before it.
    pub(super) fn at(number: u64) -> Self {
        Self { number, after_cr: false }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Counts the line ends in `text`, which follows what was counted before.
    pub(super) fn pass(&mut self, text: &[u8]) {
        for at in memchr::memchr2_iter(b'\n', b'\r', text) {
            let after_cr = if at == 0 { self.after_cr } else { text[at - 1] == b'\r' };
            if text[at] == b'\r' || !after_cr {
                self.number += 1;
            }
        }
        if let Some(&last) = text.last() {
            self.after_cr = last == b'\r';
        }
    }

    /// Tells that text follows which ends no line, and is not passed.
    pub(super) fn inside(&mut self) {
        self.after_cr = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_at_lf_crlf_and_cr_however_the_text_is_cut() {
        let text = b"one\ntwo\r\nthree\rfour\n\r\n\r\rnine";
        for first in 0..text.len() {
            for second in first..text.len() {
                let mut line = Line::first();
                line.pass(&text[..first]);
                line.pass(&text[first..second]);
                line.pass(&text[second..]);
                assert_eq!(line.number(), 8, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn a_window_keeps_what_is_not_consumed_and_ends_with_the_input() {
        let mut text = Text::new(Box::new(io::repeat(b'x').take(3 * RECORD_MOST as u64)));
        assert!(text.more().unwrap());
        assert_eq!(text.window().len(), ROOM);
        assert!(!text.more().unwrap(), "no room is left");
        text.consume(ROOM - 5);
        assert!(text.more().unwrap());
        assert_eq!(text.position(), ROOM as u64 - 5);
        assert_eq!(text.window().len(), RECORD_MOST + 5);
        assert!(!text.more().unwrap(), "the input has ended");
    }
}
