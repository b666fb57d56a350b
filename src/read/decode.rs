//! Any text encoding to UTF-8, with a byte that no UTF-8 has where the input is malformed.

use encoding_rs::{Decoder, DecoderResult};
use std::io::{self, Read};
use std::ops::Range;
use std::str::FromStr;

/// Stands where a malformed sequence stood. It is never valid UTF-8, so the row it is in becomes invalid.
const MALFORMED: u8 = 0xFF;
const BUFFER: usize = 1 << 16;

/// A text encoding by one of its usual names: `gb18030`, `big5`, `shift_jis`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoding(&'static encoding_rs::Encoding);

/// The name is no encoding's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown encoding: use utf-8, gb18030, gbk, big5, shift_jis, euc-kr, utf-16le or windows-1252")]
pub struct UnknownEncoding;

impl Encoding {
    pub(super) const UTF_8: Self = Self(encoding_rs::UTF_8);
    pub(super) const UTF_16LE: Self = Self(encoding_rs::UTF_16LE);
    pub(super) const UTF_16BE: Self = Self(encoding_rs::UTF_16BE);

    /// The encoding's usual name.
    pub fn name(self) -> &'static str {
        self.0.name()
    }

    /// UTF-8 out of `source`; UTF-8 itself goes through as it is, to be checked row by row.
    pub(super) fn decode(self, source: impl Read + Send + 'static) -> Box<dyn Read + Send> {
        if self == Self::UTF_8 { Box::new(source) } else { Box::new(Decoded::new(source, self)) }
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        // A label of the "replacement" encoding decodes to nothing; `for_label_no_replacement` knows none.
        encoding_rs::Encoding::for_label_no_replacement(name.as_bytes()).map(Self).ok_or(UnknownEncoding)
    }
}

/// Whether `bytes`, which are not UTF-8, would be text in GB18030.
pub(super) fn is_gb18030(bytes: &[u8]) -> bool {
    encoding_rs::GB18030.decode_without_bom_handling_and_without_replacement(bytes).is_some()
}

struct Decoded<R> {
    source: R,
    decoder: Decoder,
    raw: Vec<u8>,
    /// Where the part of `raw` begins that is not decoded yet.
    raw_at: usize,
    text: Vec<u8>,
    /// The part of `text` that is decoded and not handed on yet.
    ready: Range<usize>,
    ended: bool,
}

impl<R: Read> Decoded<R> {
    fn new(source: R, encoding: Encoding) -> Self {
        Self {
            source,
            decoder: encoding.0.new_decoder_without_bom_handling(),
            raw: Vec::with_capacity(BUFFER),
            raw_at: 0,
            text: vec![0; BUFFER],
            ready: 0..0,
            ended: false,
        }
    }

    /// Decodes more; nothing is ready afterwards only at the end.
    fn load(&mut self) -> io::Result<()> {
        self.ready = 0..0;
        let mut full = false;
        while !full && !self.ended {
            if self.raw_at == self.raw.len() {
                self.raw.clear();
                self.raw_at = 0;
                (&mut self.source).take(BUFFER as u64).read_to_end(&mut self.raw)?;
            }
            full = self.decode();
        }
        Ok(())
    }

    /// Decodes up to the next malformed sequence, the end of `raw`, or the end of the room; true if it was the room.
    fn decode(&mut self) -> bool {
        let last = self.raw.len() < BUFFER;
        // One byte of the room is kept for the mark of a malformed sequence.
        let room = self.text.len() - 1;
        let (result, read, written) = self.decoder.decode_to_utf8_without_replacement(
            &self.raw[self.raw_at..],
            &mut self.text[self.ready.end..room],
            last,
        );
        self.raw_at += read;
        self.ready.end += written;
        match result {
            DecoderResult::InputEmpty => self.ended = last,
            DecoderResult::OutputFull => return true,
            DecoderResult::Malformed(..) => {
                self.text[self.ready.end] = MALFORMED;
                self.ready.end += 1;
                return self.ready.end == self.text.len();
            }
        }
        false
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.ready.is_empty() {
            self.load()?;
        }
        let read = (&self.text[self.ready.clone()]).read(into)?;
        self.ready.start += read;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(bytes: &[u8], name: &str) -> Vec<u8> {
        let mut text = Vec::new();
        let encoding: Encoding = name.parse().unwrap();
        encoding.decode(io::Cursor::new(bytes.to_vec())).read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn a_malformed_sequence_becomes_a_byte_that_is_no_text_and_takes_no_line_end_with_it() {
        assert_eq!(decoded(b"\xD5\xC5\xC8\xFD\n", "gbk"), "张三\n".as_bytes());
        assert_eq!(decoded(b"a\xD5\nb", "gbk"), b"a\xFF\nb");
        assert_eq!(decoded(b"a\xD5", "gbk"), b"a\xFF");
        assert_eq!(decoded(b"a\x00\x00\xD8b\x00", "utf-16le"), b"a\xFFb");
        assert_eq!(decoded(b"a\x00b", "utf-16le"), b"a\xFF");
    }

    #[test]
    fn an_encoding_is_known_by_its_usual_names_only() {
        for name in ["gb18030", "GBK", "gb2312", "big5", "shift_jis", "euc-kr", "utf-8", "utf-16le", "latin1"]
        {
            assert!(name.parse::<Encoding>().is_ok(), "{name}");
        }
        for name in ["", "klingon", "replacement", "iso-2022-kr"] {
            assert_eq!(name.parse::<Encoding>(), Err(UnknownEncoding), "{name}");
        }
    }

    proptest! {
        #[test]
        fn what_an_encoding_can_write_is_read_back(text in "\\PC{0,20}", times in 1usize..9000) {
            let text = text.repeat(times);
            let bytes = encoding_rs::GB18030.encode(&text).0.into_owned();
            prop_assert_eq!(decoded(&bytes, "gb18030"), text.as_bytes());
        }
    }
}
