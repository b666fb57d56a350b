//! Reads a journal from its first byte to its last sound one.

use super::record::{Chain, DIGITS, First, OPENING, Range, Record, Stamp, VERSION};
use super::{Entry, Header, JournalError};
use crate::rows::RowSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;

/// All that a journal says.
pub(super) struct Contents {
    pub(super) header: Header,
    pub(super) started: String,
    pub(super) imported: RowSet,
    pub(super) skipped: RowSet,
    pub(super) absent: RowSet,
    /// The failed rows, and where their refusals stand.
    pub(super) failed: Vec<Entry>,
    /// Imported, skipped or failed.
    pub(super) settled: RowSet,
    pub(super) reported: Option<Stamp>,
    pub(super) finished: Option<u8>,
    /// Where the last sound record ends; what follows is a torn tail.
    pub(super) end: u64,
    /// For the next record's checksum.
    pub(super) seed: u32,
}

/// Reads `file` whole. A torn tail is passed over; damage before a sound record is an error.
pub(super) fn scan(file: &File, path: &Path) -> Result<Contents, JournalError> {
    let reading = |e| JournalError::opening("read", path, e);
    (&mut &*file).rewind().map_err(reading)?;
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut chain = Chain::default();

    read_first(&mut reader, &mut line, path)?;
    let mut contents = Contents::of_header(&line, &mut chain, path)?;
    let (mut number, mut at) = (1, contents.end);
    let mut bad = None;
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line).map_err(reading)? as u64;
        if length == 0 {
            return Ok(contents);
        }
        number += 1;
        match (chain.follow(&line), bad) {
            (Some(json), None) => {
                let entry_at = at + DIGITS as u64 + 1;
                let record = serde_json::from_slice(json).ok();
                let taken = record.and_then(|record| contents.take(record, entry_at, json.len()));
                taken.ok_or_else(|| JournalError::Damaged { path: path.into(), record: number })?;
                contents.end = at + length;
                contents.seed = chain.seed;
            }
            (Some(_), Some(record)) => return Err(JournalError::Damaged { path: path.into(), record }),
            (None, _) => bad = bad.or(Some(number)),
        }
        at += length;
    }
}

/// Reads the first line, but no more than its opening of a file that is no journal.
fn read_first(reader: &mut impl BufRead, line: &mut Vec<u8>, path: &Path) -> Result<(), JournalError> {
    let reading = |e| JournalError::opening("read", path, e);
    let opening = (DIGITS + OPENING.len()) as u64;
    reader.take(opening).read_until(b'\n', line).map_err(reading)?;
    let (crc, rest) = line.split_at(line.len().min(DIGITS));
    if !crc.iter().all(u8::is_ascii_hexdigit) || !OPENING.starts_with(rest) {
        return Err(JournalError::Foreign(path.into()));
    }
    reader.read_until(b'\n', line).map_err(reading)?;
    // The header is on the disk before anything is sent: a torn one means that nothing was.
    if line.ends_with(b"\n") { Ok(()) } else { Err(JournalError::Empty(path.into())) }
}

/// The process that last said it has this journal. Nothing is checked: it is for a message only.
pub(super) fn latest_pid(file: &File) -> Option<u32> {
    (&mut &*file).rewind().ok()?;
    let pid = |line: io::Result<String>| {
        let line = line.ok()?;
        let json = line.get(DIGITS + 1..)?;
        match serde_json::from_str(json) {
            Ok(Record::Resumed { pid, .. }) => Some(pid),
            _ => serde_json::from_str::<First>(json).ok().map(|first| first.pid),
        }
    };
    BufReader::new(file).lines().filter_map(pid).last()
}

impl Contents {
    fn of_header(line: &[u8], chain: &mut Chain, path: &Path) -> Result<Self, JournalError> {
        let damaged = || JournalError::Damaged { path: path.into(), record: 1 };
        let json = chain.follow(line).ok_or_else(damaged)?;
        let value: serde_json::Value = serde_json::from_slice(json).map_err(|_| damaged())?;
        let version = value["imimport-journal"].as_u64().ok_or_else(damaged)?;
        if version != u64::from(VERSION) {
            return Err(JournalError::Version { path: path.into(), version });
        }
        let first: First = serde_json::from_value(value).map_err(|_| damaged())?;
        Ok(Self {
            header: first.header,
            started: first.started,
            imported: RowSet::new(),
            skipped: RowSet::new(),
            absent: RowSet::new(),
            failed: Vec::new(),
            settled: RowSet::new(),
            reported: None,
            finished: None,
            end: line.len() as u64,
            seed: chain.seed,
        })
    }

    /// None where the record speaks of rows that the input does not have.
    fn take(&mut self, record: Record, at: u64, length: usize) -> Option<()> {
        match record {
            Record::Imported(ranges) => {
                settle(&ranges, self.header.all_rows, &mut self.settled, &mut self.imported)?;
            }
            Record::Skipped(ranges) => {
                settle(&ranges, self.header.all_rows, &mut self.settled, &mut self.skipped)?;
            }
            Record::Absent(ranges) => {
                for row in rows(&ranges, self.header.all_rows)? {
                    self.absent.insert(row);
                }
            }
            Record::Failed(refusal) => {
                let row = refusal.place.row;
                let length = u32::try_from(length).ok()?;
                (u64::from(row) < self.header.all_rows).then_some(())?;
                if self.settled.insert(row) {
                    self.failed.push(Entry { row, length, at });
                }
            }
            Record::Reported(stamp) => self.reported = Some(stamp),
            Record::Finished { exit_code } => self.finished = Some(exit_code),
            Record::Resumed { .. } => {}
        }
        Some(())
    }
}

/// A row that was settled before keeps its first outcome.
fn settle(ranges: &[Range], most: u64, settled: &mut RowSet, into: &mut RowSet) -> Option<()> {
    for row in rows(ranges, most)? {
        if settled.insert(row) {
            into.insert(row);
        }
    }
    Some(())
}

/// None where they go past `most`: a wrong number must not take all memory.
fn rows(ranges: &[Range], most: u64) -> Option<impl Iterator<Item = u32>> {
    let most = most.min(1 << u32::BITS);
    let within = |&(first, count): &Range| u64::from(first) + u64::from(count) <= most;
    let within = ranges.iter().all(within);
    within.then(|| ranges.iter().flat_map(|&(first, count)| (0..count).map(move |n| first + n)))
}
