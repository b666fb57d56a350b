//! An input's text: its bytes decompressed and decoded, and what their beginning tells.

use super::ahead::Ahead;
use super::blocks::Blocks;
use super::columns;
use super::decode::Encoding;
use super::format::Format;
use super::json;
use super::text::Text;
use std::io::{self, Cursor, Read};

/// How much of the beginning is looked at.
const HEAD: usize = 1 << 20;

/// An input, ready to be read as UTF-8.
pub(super) struct Source {
    pub(super) text: Text,
    /// It began with a byte order mark.
    pub(super) bom: bool,
    /// How it is encoded: as its mark says, as the option says, or UTF-8.
    pub(super) encoding: Encoding,
    /// Where the text begins in the file, if it is the file's own bytes.
    pub(super) origin: Option<u64>,
    /// Of which format it is if it is a report that this program wrote: [`Format::Csv`] or [`Format::Jsonl`].
    pub(super) report: Option<Format>,
}

/// When a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// When its text is asked for.
    Asked,
    /// Before, on a thread of its own.
    Ahead,
}

/// Decompresses by the first bytes, skips a byte order mark, and decodes.
pub(super) fn open(blocks: Blocks, encoding: Option<Encoding>, when: When) -> io::Result<Source> {
    let (mut source, packed) = decompress(blocks)?;
    let head = head(&mut source, HEAD)?;
    let (mark, marked) = byte_order_mark(&head);
    let report = report_format(&head[mark..]);
    let encoding = match report {
        Some(_) => Encoding::UTF_8,
        None => marked.or(encoding).unwrap_or(Encoding::UTF_8),
    };
    let mut head = Cursor::new(head);
    head.set_position(mark as u64);
    let origin = (!packed && encoding == Encoding::UTF_8).then_some(mark as u64);
    let decoded = encoding.decode(head.chain(source));
    let text = Text::new(match when {
        When::Asked => decoded,
        When::Ahead => Box::new(Ahead::of(decoded)?),
    });
    Ok(Source { text, bom: mark > 0, encoding, origin, report })
}

/// Tells too whether there was anything to decompress.
fn decompress(mut blocks: Blocks) -> io::Result<(Box<dyn Read + Send>, bool)> {
    let head = head(&mut blocks, 4)?;
    let gzip = head.starts_with(&[0x1F, 0x8B]);
    // A frame, or a skippable frame (RFC 8878, sections 3.1.1 and 3.1.2).
    let zstd = matches!(*head, [0x28, 0xB5, 0x2F, 0xFD] | [0x50..=0x5F, 0x2A, 0x4D, 0x18]);
    let whole = Cursor::new(head).chain(blocks);
    Ok(match (gzip, zstd) {
        (true, _) => (Box::new(flate2::read::MultiGzDecoder::new(whole)), true),
        (_, true) => (Box::new(zstd::Decoder::new(whole)?), true),
        _ => (Box::new(whole), false),
    })
}

/// Takes the first bytes, fewer only where the input has no more.
fn head(source: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    source.take(most as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// The mark's length and what it says.
fn byte_order_mark(head: &[u8]) -> (usize, Option<Encoding>) {
    match head {
        [0xEF, 0xBB, 0xBF, ..] => (3, Some(Encoding::UTF_8)),
        [0xFF, 0xFE, ..] => (2, Some(Encoding::UTF_16LE)),
        [0xFE, 0xFF, ..] => (2, Some(Encoding::UTF_16BE)),
        _ => (0, None),
    }
}

fn report_format(head: &[u8]) -> Option<Format> {
    let first = head.split(|&byte| byte == b'\n' || byte == b'\r').next()?;
    if first == columns::REPORT.join(",").as_bytes() {
        Some(Format::Csv)
    } else if json::is_report_line(first) {
        Some(Format::Jsonl)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::blocks::{Notebook, Watch};
    use super::*;
    use std::io::Write;

    fn read(bytes: &[u8], encoding: Option<&str>) -> io::Result<(Source, Vec<u8>)> {
        let mut file = tempfile::NamedTempFile::new()?;
        file.write_all(bytes)?;
        let blocks = Blocks::new(file.reopen()?, Watch::Note(Notebook::default()));
        let mut source = open(blocks, encoding.map(|name| name.parse().unwrap()), When::Asked)?;
        while source.text.more()? {}
        let text = source.text.window().to_vec();
        Ok((source, text))
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd_frame(bytes: &[u8]) -> Vec<u8> {
        zstd::encode_all(bytes, 0).unwrap()
    }

    #[test]
    fn compressed_inputs_are_read_to_the_last_of_their_parts() {
        for compress in [gzip, zstd_frame] {
            let parts = [compress(b"one "), compress(b"two "), compress(b"three")].concat();
            assert_eq!(read(&parts, None).unwrap().1, b"one two three");
        }
        let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 1, 0, 0, 0, 9][..], &zstd_frame(b"one")].concat();
        assert_eq!(read(&skippable, None).unwrap().1, b"one");
    }

    #[test]
    fn a_compressed_input_that_is_cut_or_damaged_is_an_error_and_never_a_shorter_input() {
        for compress in [gzip, zstd_frame] {
            let (first, second) = (compress(b"one two three four"), compress(b"five"));
            let whole = [&first[..], &second].concat();
            for cut in (4..whole.len()).filter(|&cut| cut != first.len()) {
                assert!(read(&whole[..cut], None).is_err(), "cut at {cut} of {}", whole.len());
            }
        }
        let mut damaged = gzip(b"one two three four");
        let checksum = damaged.len() - 8;
        damaged[checksum] ^= 1;
        assert!(read(&damaged, None).is_err());
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_says_more_than_the_option() {
        let utf16: Vec<u8> = "\u{feff}张三".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, encoding) in [
            ("\u{feff}张三".as_bytes(), Some("gbk")),
            (&utf16, None),
            ("张三".as_bytes(), None),
            (b"\xD5\xC5\xC8\xFD", Some("gbk")),
        ] {
            let (source, text) = read(bytes, encoding).unwrap();
            assert_eq!(String::from_utf8(text).unwrap(), "张三");
            assert_eq!(source.bom, bytes.len() > 6 || bytes.starts_with(b"\xFE\xFF"));
        }
    }

    #[test]
    fn a_report_of_this_program_is_utf_8_whatever_the_option_says() {
        let csv = "UserID,Nick,FaceUrl,Outcome,ErrorCode,ErrorInfo,Attempts,Line,Raw\r\n张三,,,failed,,,1,2,";
        let json =
            r#"{"UserID":"张三","Outcome":"failed","ErrorCode":70399,"ErrorInfo":"","Attempts":1,"Line":2}"#;
        for (report, format) in [(csv, Format::Csv), (json, Format::Jsonl)] {
            let (source, text) = read(report.as_bytes(), Some("gbk")).unwrap();
            assert_eq!(source.report, Some(format));
            assert_eq!(text, report.as_bytes());
        }
        assert_eq!(read(b"UserID,Nick\n", None).unwrap().0.report, None);
    }
}
