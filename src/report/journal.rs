//! The journal: what became of each row, on disk before it is counted, so that a run can be resumed.
//!
//! Append-only text, one record a line: `<CRC-32, 8 hexadecimal digits> <JSON>`. Each checksum goes on from the one
//! on the line before, so that a line that is missing, doubled or out of its place shows. The first line is the
//! header; later ones give rows as ranges `[first, count]`, and failed rows whole. Records are written at once and
//! synced in groups.

mod error;
mod header;
mod lock;
mod record;
mod scan;
#[cfg(test)]
mod tests;

use super::files;
use crate::event::Settled;
use crate::outcome::Refusal;
use crate::rows::RowSet;
pub use error::JournalError;
pub use header::Header;
use lock::{access, lock, locked, make_private, open_locked};
pub(super) use record::Stamp;
use record::{First, Record, VERSION, put, ranges};
use scan::Contents;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// A group is synced when it has so many records …
const GROUP: u32 = 64;
/// … or when its first record is so old.
const LAG: Duration = Duration::from_millis(100);

/// A journal that this process has, alone.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Where the next record goes.
    end: u64,
    seed: u32,
    settled: RowSet,
    /// Those of them that the service had already.
    skipped: RowSet,
    failed: Vec<Entry>,
    reported: Option<Stamp>,
    unsynced: u32,
    /// When the oldest record that is not synced was written.
    since: Option<Instant>,
}

/// Where the refusal of a failed row stands.
#[derive(Clone, Copy, Debug)]
struct Entry {
    row: u32,
    /// Of the JSON, in bytes.
    length: u32,
    at: u64,
}

/// A journal taken over by a resume, and what it says.
#[derive(Debug)]
pub struct Opened {
    /// Ready to be written on.
    pub journal: Journal,
    /// What the run is about.
    pub header: Header,
    /// Rows that were acknowledged.
    pub imported: RowSet,
    /// Rows found at the service already.
    pub skipped: RowSet,
    /// Rows that were refused.
    pub failed: RowSet,
    /// Rows that the service does not hold, by its own answer.
    pub absent: RowSet,
    /// The exit code of a run that has nothing left to send, but its report to write.
    pub finished: Option<u8>,
}

/// What a journal says, to someone who only looks.
#[derive(Clone, Debug)]
pub struct Peek {
    /// What the run is about.
    pub header: Header,
    /// When the run began, RFC 3339.
    pub started: String,
    /// How many rows were acknowledged.
    pub imported: u64,
    /// How many were found at the service already.
    pub skipped: u64,
    /// How many were refused.
    pub failed: u64,
    /// The exit code of a run that has nothing left to send, but its report to write.
    pub finished: Option<u8>,
}

/// How many rows got their outcome by a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) imported: u64,
    pub(super) skipped: u64,
    pub(super) failed: u64,
}

impl Journal {
    /// Begins a journal where there is none, or only one under which nothing was sent. It is locked and on the disk
    /// when this returns.
    pub fn create(path: &Path, header: &Header) -> Result<Self, JournalError> {
        match access().create_new(true).open(path) {
            Ok(file) => {
                lock(&file, path)?;
                Self::begin(file, path, header).inspect_err(|_| drop(fs::remove_file(path)))
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let file = open_locked(path)?;
                match scan::scan(&file, path) {
                    Err(JournalError::Empty(_)) => Self::begin(file, path, header),
                    Err(e) => Err(e),
                    Ok(_) => Err(JournalError::Exists(path.into())),
                }
            }
            Err(e) => Err(JournalError::opening("create", path, e)),
        }
    }

    /// Begins a journal, and forgets one that is there, damaged or not. A file that is no journal is left alone.
    pub fn restart(path: &Path, header: &Header) -> Result<Self, JournalError> {
        match open_locked(path) {
            Ok(file) => match scan::scan(&file, path) {
                Err(e @ (JournalError::Foreign(_) | JournalError::Io { .. })) => Err(e),
                _ => Self::begin(file, path, header),
            },
            Err(JournalError::Missing(_)) => Self::create(path, header),
            Err(e) => Err(e),
        }
    }

    /// Takes over the journal of an earlier run: a torn tail is cut off, damage elsewhere is refused.
    pub fn open(path: &Path) -> Result<Opened, JournalError> {
        let file = open_locked(path)?;
        let found = scan::scan(&file, path)?;
        let cut = file.set_len(found.end).and_then(|()| file.sync_all());
        cut.map_err(|e| JournalError::opening("cut the torn tail off", path, e))?;
        let mut journal = Self::over(file, path, found.end, found.seed);
        journal.settled = found.settled;
        journal.skipped = found.skipped.clone();
        journal.reported = found.reported;
        let failed = found.failed.iter().map(|entry| entry.row).collect();
        journal.failed = found.failed;
        journal.write(&[Record::Resumed { pid: std::process::id(), at: now() }])?;
        journal.sync()?;
        Ok(Opened {
            journal,
            header: found.header,
            imported: found.imported,
            skipped: found.skipped,
            failed,
            absent: found.absent,
            finished: found.finished,
        })
    }

    /// Looks at a journal without taking it over; none where nothing was sent. One that is in use is
    /// [`JournalError::Locked`].
    pub fn peek(path: &Path) -> Result<Option<Peek>, JournalError> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(JournalError::opening("open", path, e)),
        };
        locked(file.try_lock_shared(), &file, path)?;
        match scan::scan(&file, path) {
            Err(JournalError::Empty(_)) => Ok(None),
            Err(e) => Err(e),
            Ok(Contents { header, started, imported, skipped, failed, finished, .. }) => {
                let (imported, skipped, failed) = (imported.len(), skipped.len(), failed.len() as u64);
                Ok(Some(Peek { header, started, imported, skipped, failed, finished }))
            }
        }
    }

    /// A journal for this process only, in an unlinked file: for findings that are cheaply had again.
    pub(super) fn scratch() -> io::Result<Self> {
        Ok(Self::over(tempfile::tempfile()?, &std::env::temp_dir(), 0, 0))
    }

    fn begin(file: File, path: &Path, header: &Header) -> Result<Self, JournalError> {
        let first =
            First { version: VERSION, pid: std::process::id(), started: now(), header: header.clone() };
        let mut journal = Self::over(file, path, 0, 0);
        let begun = journal.file.set_len(0).and_then(|()| make_private(&journal.file));
        begun.map_err(|e| JournalError::opening("begin", path, e))?;
        let mut line = String::new();
        let seed = put(&mut line, 0, &first).map_err(|e| JournalError::opening("begin", path, e.into()))?;
        journal.write_at_end(&line, seed)?;
        let synced = journal.file.sync_all().and_then(|()| files::sync_folder(path));
        synced.map_err(|e| JournalError::opening("begin", path, e))?;
        Ok(journal)
    }

    fn over(file: File, path: &Path, end: u64, seed: u32) -> Self {
        Self {
            path: path.into(),
            file,
            end,
            seed,
            settled: RowSet::new(),
            skipped: RowSet::new(),
            failed: Vec::new(),
            reported: None,
            unsynced: 0,
            since: None,
        }
    }

    /// Whether the row has its outcome.
    pub(super) fn is_settled(&self, row: u32) -> bool {
        self.settled.contains(row)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes down rows that reached their outcome; says how many had none before. After an error nothing of it is
    /// written, and nothing counts.
    pub(super) fn append(&mut self, settled: &Settled, now: Instant) -> Result<Counted, JournalError> {
        let news = |rows: &[u32], seen: &mut RowSet| -> Vec<u32> {
            rows.iter().copied().filter(|&row| seen.insert(row)).collect()
        };
        let imported = news(&settled.imported, &mut self.settled);
        let skipped = news(&settled.skipped, &mut self.settled);
        let failed: Vec<&Refusal> =
            settled.failed.iter().filter(|refusal| self.settled.insert(refusal.place.row)).collect();
        let counted = Counted {
            imported: imported.len() as u64,
            skipped: skipped.len() as u64,
            failed: failed.len() as u64,
        };
        let mut records = Vec::new();
        if !imported.is_empty() {
            records.push(Record::Imported(ranges(&imported)));
        }
        if !skipped.is_empty() {
            records.push(Record::Skipped(ranges(&skipped)));
        }
        records.extend(failed.iter().map(|&refusal| Record::Failed(refusal.clone())));
        if let Err(e) = self.write(&records) {
            let failed = failed.iter().map(|refusal| refusal.place.row);
            for row in imported.into_iter().chain(skipped.iter().copied()).chain(failed) {
                self.settled.remove(row);
            }
            return Err(e);
        }
        for row in skipped {
            self.skipped.insert(row);
        }
        self.behind(records.len(), now);
        Ok(counted)
    }

    /// Writes down that the service does not hold these rows.
    pub(super) fn absent(&mut self, rows: &[u32], now: Instant) -> Result<(), JournalError> {
        self.write(&[Record::Absent(ranges(rows))])?;
        self.behind(1, now);
        Ok(())
    }

    /// Writes down that nothing is left to send, and syncs.
    pub(super) fn finish(&mut self, exit_code: u8) -> Result<(), JournalError> {
        self.write(&[Record::Finished { exit_code }])?;
        self.sync()
    }

    /// Writes down what the report holds now, and syncs.
    pub(super) fn report_written(&mut self, stamp: Stamp) -> Result<(), JournalError> {
        self.write(&[Record::Reported(stamp)])?;
        self.reported = Some(stamp);
        self.sync()
    }

    /// What this run last wrote as its report.
    pub(super) fn reported(&self) -> Option<Stamp> {
        self.reported
    }

    /// When [`Journal::sync_if_due`] has to do something.
    pub(super) fn due(&self) -> Option<Instant> {
        self.since.map(|since| if self.unsynced < GROUP { since + LAG } else { since })
    }

    /// Syncs a full group, or one whose first record is old enough.
    pub(super) fn sync_if_due(&mut self, now: Instant) -> Result<(), JournalError> {
        if self.due().is_some_and(|due| due <= now) { self.sync() } else { Ok(()) }
    }

    /// Returns when all that was written is on the disk.
    pub(super) fn sync(&mut self) -> Result<(), JournalError> {
        self.file.sync_data().map_err(|e| JournalError::keeping("sync", &self.path, e))?;
        (self.unsynced, self.since) = (0, None);
        Ok(())
    }

    /// The rows that have their outcome and were not imported.
    pub(super) fn not_imported(&self) -> RowSet {
        self.failed.iter().map(|entry| entry.row).chain(self.skipped.iter()).collect()
    }

    /// The refusals of the failed rows, by row.
    pub(super) fn failed_rows(&mut self) -> impl Iterator<Item = io::Result<Refusal>> + '_ {
        self.failed.sort_unstable_by_key(|entry| entry.row);
        let file = &self.file;
        self.failed.iter().map(move |entry| read_refusal(file, *entry))
    }

    /// The run is complete: nothing is left to resume.
    pub(super) fn remove(self) -> Result<(), JournalError> {
        let removed = fs::remove_file(&self.path).and_then(|()| files::sync_folder(&self.path));
        removed.map_err(|source| JournalError::Io {
            doing: "remove",
            path: self.path.clone(),
            source,
            advice: "the run is complete: remove it yourself",
        })
    }

    fn write(&mut self, records: &[Record]) -> Result<(), JournalError> {
        let (mut lines, mut seed, mut entries) = (String::new(), self.seed, Vec::new());
        for record in records {
            let at = self.end + lines.len() as u64 + record::DIGITS as u64 + 1;
            seed = put(&mut lines, seed, record)
                .map_err(|e| JournalError::keeping("write", &self.path, e.into()))?;
            if let Record::Failed(refusal) = record {
                let length = self.end + lines.len() as u64 - 1 - at;
                let length = u32::try_from(length)
                    .map_err(|e| JournalError::keeping("write", &self.path, io::Error::other(e)))?;
                entries.push(Entry { row: refusal.place.row, length, at });
            }
        }
        self.write_at_end(&lines, seed)?;
        self.failed.append(&mut entries);
        Ok(())
    }

    fn write_at_end(&mut self, lines: &str, seed: u32) -> Result<(), JournalError> {
        let written =
            self.file.seek(SeekFrom::Start(self.end)).and_then(|_| self.file.write_all(lines.as_bytes()));
        if let Err(e) = written {
            // Half a line would be cut off by a resume; cut it now if the disk lets us.
            let _ = self.file.set_len(self.end);
            return Err(JournalError::keeping("write", &self.path, e));
        }
        self.end += lines.len() as u64;
        self.seed = seed;
        Ok(())
    }

    fn behind(&mut self, records: usize, now: Instant) {
        if records > 0 {
            self.unsynced += u32::try_from(records).unwrap_or(GROUP);
            self.since.get_or_insert(now);
        }
    }
}

fn read_refusal(mut file: &File, entry: Entry) -> io::Result<Refusal> {
    let mut json = vec![0; entry.length as usize];
    file.seek(SeekFrom::Start(entry.at))?;
    file.read_exact(&mut json)?;
    match serde_json::from_slice(&json)? {
        Record::Failed(refusal) if refusal.place.row == entry.row => Ok(refusal),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the journal has changed under this run")),
    }
}

/// This second, RFC 3339.
fn now() -> String {
    format!("{:.0}", jiff::Timestamp::now())
}
