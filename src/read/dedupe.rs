//! Which rows share a UserID, in 24 bytes a row, or on disk where memory is short.

use siphasher::sip128::SipHasher13;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::thread;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const PARTITIONS: usize = 256;
/// Entries that a partition takes before it needs another piece of memory: nothing is ever moved to grow.
const CHUNK: usize = 1024;
const ENTRY_BYTES: usize = 24;

/// One row, with the hash of its UserID. Entries of one UserID are neighbours when sorted, in the rows' order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    high: u64,
    low: u64,
    pub(super) row: u32,
    /// Tells rows apart that give one UserID another Nick or FaceUrl.
    content: u32,
}

#[derive(Default)]
struct Partition {
    open: Vec<Entry>,
    full: Vec<Vec<Entry>>,
    /// Where in the scratch file its other full chunks are.
    spilled: Vec<u64>,
}

/// Which row of a UserID is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    First,
    Last,
}

/// A row that gives way to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dropped {
    pub(super) row: u32,
    pub(super) kept: u32,
    /// The two differ in Nick or FaceUrl.
    pub(super) conflict: bool,
}

/// Makes entries of rows; one for all rows of a plan.
pub(super) struct Hasher {
    /// Random, so that no input can be made to collide.
    user_ids: SipHasher13,
    content_seed: u64,
}

impl Hasher {
    pub(super) fn new() -> Self {
        let user_ids = SipHasher13::new_with_keys(rand::random(), rand::random());
        Self { user_ids, content_seed: rand::random() }
    }

    /// An empty Nick or FaceUrl is one that is not given.
    pub(super) fn entry(&self, row: u32, user_id: &str, nick: &str, face_url: &str) -> Entry {
        let (high, low) = self.user_ids.hash(user_id.as_bytes()).as_u64();
        let content = xxh3_64_with_seed(nick.as_bytes(), self.content_seed);
        let content = xxh3_64_with_seed(face_url.as_bytes(), content);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "half of the hash is enough to tell two rows apart"
        )]
        let content = content as u32;
        Entry { high, low, row, content }
    }
}

/// The valid rows by their UserIDs.
pub(super) struct Seen {
    partitions: Vec<Partition>,
    held: usize,
    budget: usize,
    folder: PathBuf,
    scratch: Option<File>,
    scratch_bytes: u64,
}

impl Seen {
    /// Beyond `budget` bytes of entries, further ones go to an unlinked file in `folder`.
    pub(super) fn new(folder: PathBuf, budget: usize) -> Self {
        let mut partitions = Vec::new();
        partitions.resize_with(PARTITIONS, Partition::default);
        Self { partitions, held: 0, budget, folder, scratch: None, scratch_bytes: 0 }
    }

    /// Takes the row of an entry.
    pub(super) fn add(&mut self, entry: Entry) -> io::Result<()> {
        let partition = &mut self.partitions[(entry.high >> 56) as usize];
        if partition.open.capacity() == 0 {
            partition.open.reserve_exact(CHUNK);
        }
        partition.open.push(entry);
        if partition.open.len() == CHUNK {
            let full = std::mem::replace(&mut partition.open, Vec::with_capacity(CHUNK));
            if self.held + CHUNK * ENTRY_BYTES <= self.budget {
                self.held += CHUNK * ENTRY_BYTES;
                partition.full.push(full);
            } else {
                partition.spilled.push(self.scratch_bytes);
                self.spill(&full)?;
            }
        }
        Ok(())
    }

    fn spill(&mut self, chunk: &[Entry]) -> io::Result<()> {
        let scratch = match &mut self.scratch {
            Some(scratch) => scratch,
            none => none.insert(tempfile::tempfile_in(&self.folder)?),
        };
        let bytes: Vec<u8> = chunk.iter().flat_map(|entry| entry.to_bytes()).collect();
        scratch.write_all(&bytes)?;
        self.scratch_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Tells every row that gives way, in no order, and frees all memory. Sorts on every core.
    pub(super) fn settle(self, keep: Keep, mut dropped: impl FnMut(Dropped)) -> io::Result<()> {
        let stock = Mutex::new((self.partitions.into_iter(), self.scratch));
        let (tell, told) = sync_channel(1);
        thread::scope(|scope| {
            for _ in 0..thread::available_parallelism().map_or(1, NonZero::get) {
                let (stock, tell) = (&stock, tell.clone());
                scope.spawn(move || {
                    while let Some(entries) = next(stock) {
                        if tell.send(entries.map(|entries| repeats(entries, keep))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            // An error drops the receiver, and with it every sender goes home.
            for rows in told {
                rows?.into_iter().for_each(&mut dropped);
            }
            Ok(())
        })
    }
}

/// What is left to sort, and the scratch file it may be in.
type Stock = (std::vec::IntoIter<Partition>, Option<File>);

/// The entries of the next partition.
fn next(stock: &Mutex<Stock>) -> Option<io::Result<Vec<Entry>>> {
    let (partitions, scratch) = &mut *stock.lock().unwrap_or_else(PoisonError::into_inner);
    partitions.next().map(|partition| partition.gather(scratch.as_mut()))
}

/// The rows among `entries` that give way to others.
fn repeats(mut entries: Vec<Entry>, keep: Keep) -> Vec<Dropped> {
    entries.sort_unstable();
    let mut dropped = Vec::new();
    for rows in entries
        .chunk_by(|one, other| (one.high, one.low) == (other.high, other.low))
        .filter(|rows| rows.len() > 1)
    {
        let (kept, rest) = match keep {
            Keep::First => (rows[0], &rows[1..]),
            Keep::Last => (rows[rows.len() - 1], &rows[..rows.len() - 1]),
        };
        dropped.extend(rest.iter().map(|entry| Dropped {
            row: entry.row,
            kept: kept.row,
            conflict: entry.content != kept.content,
        }));
    }
    dropped
}

impl Partition {
    fn gather(self, scratch: Option<&mut File>) -> io::Result<Vec<Entry>> {
        let mut entries = self.open;
        entries.reserve_exact((self.full.len() + self.spilled.len()) * CHUNK);
        for chunk in self.full {
            entries.extend_from_slice(&chunk);
        }
        if let Some(scratch) = scratch {
            let mut bytes = vec![0; CHUNK * ENTRY_BYTES];
            for at in self.spilled {
                scratch.seek(SeekFrom::Start(at))?;
                scratch.read_exact(&mut bytes)?;
                entries.extend(bytes.as_chunks().0.iter().map(Entry::from_bytes));
            }
        }
        Ok(entries)
    }
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.high.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.low.to_le_bytes());
        bytes[16..20].copy_from_slice(&self.row.to_le_bytes());
        bytes[20..].copy_from_slice(&self.content.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let [a, b, c, d, row, content] = [0, 1, 2, 3, 4, 5].map(|word| u32::from_le_bytes(words[word]));
        let join = |low, high| u64::from(low) | u64::from(high) << 32;
        Self { high: join(a, b), low: join(c, d), row, content }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settled(rows: &[(u16, u8)], budget: usize, keep: Keep) -> (Vec<Dropped>, bool) {
        let (hasher, mut seen) = (Hasher::new(), Seen::new(std::env::temp_dir(), budget));
        for (row, (user, nick)) in (0..).zip(rows) {
            let nick = if *nick == 0 { String::new() } else { nick.to_string() };
            seen.add(hasher.entry(row, &format!("u{user}"), &nick, "")).unwrap();
        }
        let spilled = seen.scratch.is_some();
        let mut dropped = Vec::new();
        seen.settle(keep, |row| dropped.push(row)).unwrap();
        dropped.sort_unstable();
        (dropped, spilled)
    }

    #[test]
    fn the_last_or_the_first_row_of_a_user_is_kept_and_others_that_differ_are_conflicts() {
        let rows = [(1, 1), (2, 1), (1, 0), (1, 1)];
        let row = |row, kept, conflict| Dropped { row, kept, conflict };
        assert_eq!(settled(&rows, 1 << 30, Keep::Last).0, [row(0, 3, false), row(2, 3, true)]);
        assert_eq!(settled(&rows, 1 << 30, Keep::First).0, [row(2, 0, true), row(3, 0, false)]);
    }

    #[test]
    fn nick_and_face_url_do_not_stand_in_for_each_other() {
        let (hasher, mut seen) = (Hasher::new(), Seen::new(std::env::temp_dir(), 1 << 30));
        seen.add(hasher.entry(0, "a", "x", "")).unwrap();
        seen.add(hasher.entry(1, "a", "", "x")).unwrap();
        let mut conflicts = 0;
        seen.settle(Keep::Last, |row| conflicts += u32::from(row.conflict)).unwrap();
        assert_eq!(conflicts, 1);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]
        #[test]
        fn with_no_memory_at_all_the_same_rows_are_dropped(
            some in prop::collection::vec((0u16..2, 0u8..3), 3000..6000),
            many in prop::collection::vec((0u16..9000, 0u8..3), 0..6000),
            last: bool,
        ) {
            let rows = [some, many].concat();
            let keep = if last { Keep::Last } else { Keep::First };
            let (in_memory, spilled) = settled(&rows, 1 << 30, keep);
            prop_assert!(!spilled);
            for budget in [0, 2 * CHUNK * ENTRY_BYTES] {
                let (on_disk, spilled) = settled(&rows, budget, keep);
                prop_assert!(spilled || budget > 0);
                prop_assert_eq!(&on_disk, &in_memory);
            }
        }
    }
}
