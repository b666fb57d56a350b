//! A line of the journal: JSON, and before it a checksum that is chained to the line before.

use super::Header;
use crate::outcome::Refusal;
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// What this program writes, and the only one it reads.
pub(super) const VERSION: u32 = 1;
/// How a journal goes on after its first checksum.
pub(super) const OPENING: &[u8] = b" {\"imimport-journal\":";
/// Hexadecimal digits of a checksum.
pub(super) const DIGITS: usize = 8;

/// The first line.
#[derive(Serialize, Deserialize)]
pub(super) struct First {
    #[serde(rename = "imimport-journal")]
    pub(super) version: u32,
    pub(super) pid: u32,
    /// RFC 3339.
    pub(super) started: String,
    #[serde(flatten)]
    pub(super) header: Header,
}

/// Any later line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Record {
    Imported(Vec<Range>),
    Skipped(Vec<Range>),
    Absent(Vec<Range>),
    Failed(Refusal),
    Resumed { pid: u32, at: String },
    Reported(Stamp),
    Finished { exit_code: u8 },
}

/// What a report file held when the run had written it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::report) struct Stamp {
    pub(in crate::report) bytes: u64,
    pub(in crate::report) crc32: u32,
}

/// Successive rows: the first, and how many.
pub(super) type Range = (u32, u32);

/// `rows`, in any order, as ranges.
pub(super) fn ranges(rows: &[u32]) -> Vec<Range> {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    let mut ranges: Vec<Range> = Vec::new();
    for row in rows {
        match ranges.last_mut() {
            Some((first, count)) if *first + *count == row => *count += 1,
            _ => ranges.push((row, 1)),
        }
    }
    ranges
}

/// Puts a line on the end of `lines`; the next one's seed comes back.
pub(super) fn put(lines: &mut String, seed: u32, record: &impl Serialize) -> Result<u32, serde_json::Error> {
    let json = serde_json::to_string(record)?;
    let crc = checksum(seed, json.as_bytes());
    let _ = writeln!(lines, "{crc:0DIGITS$x} {json}");
    Ok(crc)
}

fn checksum(seed: u32, json: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(seed);
    hasher.update(json);
    hasher.finalize()
}

/// Follows the checksums from line to line, over damage too: a sound line after a bad one is still known for sound.
#[derive(Default)]
pub(super) struct Chain {
    /// Of the line before: its checksum as written, which after a bad line may be what is damaged …
    pub(super) seed: u32,
    /// … and then the checksum that its text should have had.
    computed: Option<u32>,
}

impl Chain {
    /// The line's JSON, if the line is whole and follows on the one before.
    pub(super) fn follow<'a>(&mut self, line: &'a [u8]) -> Option<&'a [u8]> {
        let (crc, json) = line.strip_suffix(b"\n")?.split_at_checked(DIGITS + 1)?;
        let written = parse(crc);
        let sound = [Some(self.seed), self.computed].into_iter().flatten();
        let sound = sound.map(|seed| checksum(seed, json)).any(|crc| written == Some(crc));
        self.computed = (!sound).then(|| checksum(self.seed, json));
        self.seed = written.unwrap_or(self.seed);
        sound.then_some(json)
    }
}

/// Eight digits as [`put`] writes them, and a space.
fn parse(crc: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(crc.strip_suffix(b" ")?).ok()?;
    let crc = u32::from_str_radix(digits, 16).ok()?;
    (format!("{crc:0DIGITS$x}") == digits).then_some(crc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_hundred_successive_accounts_take_about_forty_bytes() {
        let rows: Vec<u32> = (1_234_500..1_234_600).collect();
        let mut lines = String::new();
        put(&mut lines, 7, &Record::Imported(ranges(&rows))).unwrap();
        assert!(lines.len() <= 42, "{} bytes: {lines}", lines.len());
        assert!(lines.ends_with("{\"imported\":[[1234500,100]]}\n"), "{lines}");
    }

    #[test]
    fn the_line_after_damage_is_known_for_sound_whichever_half_was_damaged() {
        let mut lines = String::new();
        let mut seed = 0;
        for row in 0..3 {
            seed = put(&mut lines, seed, &Record::Imported(vec![(row, 1)])).unwrap();
        }
        let lines: Vec<&[u8]> = lines.as_bytes().split_inclusive(|&b| b == b'\n').collect();
        for at in [0, 3, DIGITS, DIGITS + 4] {
            let mut bad = lines[1].to_vec();
            bad[at] ^= 1 << 4; // of a digit, makes none
            let mut chain = Chain::default();
            assert!(chain.follow(lines[0]).is_some());
            assert!(chain.follow(&bad).is_none(), "byte {at}");
            assert!(chain.follow(lines[2]).is_some(), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn ranges_hold_the_rows_they_were_made_of(rows in prop::collection::btree_set(0u32..400, 0..200)) {
            let given: Vec<u32> = rows.iter().rev().copied().collect();
            let back: Vec<u32> = ranges(&given).iter().flat_map(|&(first, count)| first..first + count).collect();
            prop_assert_eq!(back, rows.into_iter().collect::<Vec<_>>());
        }
    }
}
