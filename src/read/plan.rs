//! The first reading: every row is checked, and what will be sent is known before anything is.

use super::aside::{Aside, SetAside};
use super::batches::Batches;
use super::dedupe::{Hasher, Keep, Seen};
use super::reading::{Inputs, Learned, Reading};
use super::row::quoted;
use super::sift::{Sifted, Sifter, sift_all};
use super::validate;
use super::{Error, Format, OnDuplicate, Options, Progress};
use crate::account::Place;
use crate::outcome::Refusal;
use crate::rows::RowSet;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// How many duplicates, conflicts or invalid rows a message names.
const NAMED: usize = 10;
/// Bytes between two reports of progress.
const PROGRESS_BYTES: u64 = 4 << 20;

/// What will be sent, what was set aside and why.
#[derive(Debug)]
pub struct Plan {
    inputs: Arc<Inputs>,
    learned: Arc<Learned>,
    rows: u64,
    all_rows: u64,
    invalid: u64,
    duplicates: u64,
    conflicts: u64,
    accounts: u64,
    odd_ids: u64,
    first_odd: Vec<String>,
    pending: RowSet,
    repeated: Option<String>,
    conflict_notes: Vec<Conflict>,
    first_invalid: Vec<Refusal>,
    aside: SetAside,
}

/// Two rows of one UserID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The UserID, as sent.
    pub user_id: Box<str>,
    /// The row that gave way.
    pub dropped: Place,
    /// The row that is used.
    pub kept: Place,
}

/// Reads and checks all inputs. Invalid rows are no error here, nor is it one that there are no valid rows.
pub fn plan(options: &Options, progress: &mut dyn FnMut(Progress)) -> Result<Plan, Error> {
    if options.inputs.len() > usize::from(u16::MAX) {
        return Err(Error::Unusable(format!("more than {} files: join some of them", u16::MAX)));
    }
    let inputs = Arc::new(Inputs::new(options));
    let total_bytes = total_bytes(options);
    let sifter = Sifter { trim: options.trim, shard: options.shard, hasher: Hasher::new() };
    let (mut sieve, mut told) = (Sieve::new(options), 0);
    let reading = sift_all(Reading::first(inputs.clone()), &sifter, |sifted| {
        if sifted.bytes_read >= told + PROGRESS_BYTES {
            told = sifted.bytes_read;
            progress(Progress { bytes: told, total_bytes });
        }
        sieve.take(sifted)
    })?;
    progress(Progress { bytes: reading.bytes(), total_bytes });
    let all_rows = reading.rows();
    sieve.settle(inputs, all_rows, Arc::new(reading.learned()))
}

/// None if an input is no regular file.
fn total_bytes(options: &Options) -> Option<u64> {
    let sizes = options.inputs.iter().map(|input| {
        let metadata = std::fs::metadata(&input.path).ok()?;
        metadata.is_file().then_some(metadata.len())
    });
    sizes.sum()
}

/// Parts the rows into those to send and those set aside.
struct Sieve<'o> {
    options: &'o Options,
    rows: u64,
    invalid: u64,
    valid: RowSet,
    odd: RowSet,
    seen: Seen,
    aside: Aside,
    first_invalid: Vec<Refusal>,
}

impl<'o> Sieve<'o> {
    fn new(options: &'o Options) -> Self {
        Self {
            options,
            rows: 0,
            invalid: 0,
            valid: RowSet::new(),
            odd: RowSet::new(),
            seen: Seen::new(options.scratch.clone(), options.budget),
            aside: Aside::new(options.scratch.clone()),
            first_invalid: Vec::new(),
        }
    }

    fn take(&mut self, sifted: Sifted) -> Result<(), Error> {
        let no_scratch = |error| no_scratch(&self.options.scratch, &error);
        self.rows += (sifted.valid.len() + sifted.invalid.len()) as u64;
        self.invalid += sifted.invalid.len() as u64;
        for entry in sifted.valid {
            self.valid.insert(entry.row);
            self.seen.add(entry).map_err(no_scratch)?;
        }
        for row in sifted.odd {
            self.odd.insert(row);
        }
        for refusal in sifted.invalid {
            self.aside.add(&refusal).map_err(no_scratch)?;
            if self.first_invalid.len() < NAMED {
                self.first_invalid.push(refusal);
            }
        }
        Ok(())
    }

    fn settle(self, inputs: Arc<Inputs>, all_rows: u64, learned: Arc<Learned>) -> Result<Plan, Error> {
        let Self { options, rows, invalid, valid: mut kept, odd, seen, aside, first_invalid } = self;
        let refuse_duplicates = options.on_duplicate == OnDuplicate::Error;
        let keep = if options.on_duplicate == OnDuplicate::Last { Keep::Last } else { Keep::First };
        let most = if options.all_conflicts && !refuse_duplicates { usize::MAX } else { NAMED };
        let (mut duplicates, mut conflicts, mut named) = (0, 0, BTreeSet::new());
        let no_scratch = |error| no_scratch(&options.scratch, &error);
        seen.settle(keep, |dropped| {
            kept.remove(dropped.row);
            duplicates += 1;
            conflicts += u64::from(dropped.conflict);
            if dropped.conflict || refuse_duplicates {
                named.insert((dropped.row, dropped.kept));
                if named.len() > most {
                    named.pop_last();
                }
            }
        })
        .map_err(no_scratch)?;
        let is_repeated = refuse_duplicates && duplicates > 0;
        let accounts = kept.len();
        let pending = match options.limit {
            _ if is_repeated => RowSet::new(),
            Some(limit) => kept.iter().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect(),
            None => kept,
        };
        let odd = || odd.iter().filter(|&row| pending.contains(row));
        let (odd_ids, first_odd) = (odd().count() as u64, odd().take(NAMED).collect::<Vec<u32>>());
        let of_pairs = named.iter().flat_map(|&(dropped, kept)| [dropped, kept]);
        let found = look_up(&of_pairs.chain(first_odd.iter().copied()).collect(), &inputs, &learned)?;
        let mut conflict_notes: Vec<_> = named.iter().filter_map(|&pair| conflict(pair, &found)).collect();
        let repeated = is_repeated.then(|| {
            let pairs = std::mem::take(&mut conflict_notes);
            describe_duplicates(duplicates, &pairs, &inputs)
        });
        let first_odd = first_odd.iter().filter_map(|row| found.get(row));
        let first_odd = first_odd.map(|odd| odd.told(&inputs)).collect();
        let aside = aside.finish().map_err(no_scratch)?;
        Ok(Plan {
            inputs,
            learned,
            rows,
            all_rows,
            invalid,
            duplicates,
            conflicts,
            accounts,
            odd_ids,
            first_odd,
            pending,
            repeated,
            conflict_notes,
            first_invalid,
            aside,
        })
    }
}

fn no_scratch(folder: &Path, error: &io::Error) -> Error {
    Error::Unusable(format!(
        "a temporary file in {} failed: {error}: make room there, or set TMPDIR to another folder",
        folder.display()
    ))
}

/// A row by its UserID.
struct Named {
    user_id: Box<str>,
    place: Place,
}

impl Named {
    fn told(&self, inputs: &Inputs) -> String {
        format!("{} on {}", quoted(&self.user_id), describe(self.place, inputs))
    }
}

fn conflict((dropped, kept): (u32, u32), found: &BTreeMap<u32, Named>) -> Option<Conflict> {
    let (dropped, kept) = (found.get(&dropped)?, found.get(&kept)?);
    Some(Conflict { user_id: kept.user_id.clone(), dropped: dropped.place, kept: kept.place })
}

/// Finds the UserIDs and the lines of rows in the inputs, which are read again near these rows.
fn look_up(
    wanted: &BTreeSet<u32>,
    inputs: &Arc<Inputs>,
    learned: &Arc<Learned>,
) -> Result<BTreeMap<u32, Named>, Error> {
    let mut found = BTreeMap::new();
    let mut reading = Reading::again(inputs.clone(), learned.clone());
    for &row in wanted {
        reading.skip_towards(row)?;
        while reading.advance()? {
            let place = reading.place()?;
            if place.row < row {
                continue;
            }
            if let Some(Ok(fields)) = reading.row()
                && let Ok(checked) = validate::check(&fields, inputs.trim)
            {
                found.insert(row, Named { user_id: checked.user_id.into(), place });
            }
            break;
        }
    }
    Ok(found)
}

fn describe_duplicates(count: u64, first: &[Conflict], inputs: &Inputs) -> String {
    let pair = |pair: &Conflict| {
        let [kept, dropped] = [pair.kept, pair.dropped].map(|place| describe(place, inputs));
        format!("{} on {dropped} and before on {kept}", quoted(&pair.user_id))
    };
    let list = first.iter().map(pair).collect::<Vec<_>>().join("; ");
    let more = if count > first.len() as u64 { "; …" } else { "" };
    let rows = if count == 1 { "row repeats" } else { "rows repeat" };
    format!(
        "{count} {rows} the UserID of another: {list}{more}: keep one row of each, or choose --on-duplicate last"
    )
}

fn describe(place: Place, inputs: &Inputs) -> String {
    let input = inputs.list.get(usize::from(place.input)).filter(|_| inputs.list.len() > 1);
    match input {
        Some(input) => format!("{} line {}", input.name, place.line),
        None => format!("line {}", place.line),
    }
}

impl Plan {
    /// Rows read; of a shard, its own.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows of the whole input; their numbers are below this.
    pub fn all_rows(&self) -> u64 {
        self.all_rows
    }

    /// Rows set aside because they may not be sent.
    pub fn invalid(&self) -> u64 {
        self.invalid
    }

    /// Valid rows that gave way to another of the same UserID.
    pub fn duplicates(&self) -> u64 {
        self.duplicates
    }

    /// Those duplicates whose Nick or FaceUrl differs from the kept row's.
    pub fn conflicts(&self) -> u64 {
        self.conflicts
    }

    /// Valid rows that gave way to none, the limit not counted.
    pub fn accounts(&self) -> u64 {
        self.accounts
    }

    /// UserIDs among those to be sent that have other characters than letters, digits, `_` and `-`.
    pub fn odd_ids(&self) -> u64 {
        self.odd_ids
    }

    /// The first few of them, with their lines.
    pub fn first_odd(&self) -> &[String] {
        &self.first_odd
    }

    /// Which rows repeat a UserID, where the options forbid it: then nothing is pending.
    pub fn repeated(&self) -> Option<&str> {
        self.repeated.as_deref()
    }

    /// The rows still to be sent.
    pub fn pending(&self) -> &RowSet {
        &self.pending
    }

    /// Takes a row out of what is to be sent, for it has its outcome already; true if it was in.
    pub fn settle(&mut self, row: u32) -> bool {
        self.pending.remove(row)
    }

    /// The conflicts in input order: the first ten, or all if the options asked.
    pub fn conflict_notes(&self) -> &[Conflict] {
        &self.conflict_notes
    }

    /// The first few invalid rows.
    pub fn first_invalid(&self) -> &[Refusal] {
        &self.first_invalid
    }

    /// The invalid rows in input order; may be read as often as needed.
    pub fn invalid_rows(&self) -> impl Iterator<Item = io::Result<Refusal>> {
        self.aside.rows()
    }

    /// A place in words: `line 3`, or with several inputs `b.csv line 3`.
    pub fn describe(&self, place: Place) -> String {
        describe(place, &self.inputs)
    }

    /// Whether the first input began with a byte order mark.
    pub fn bom(&self) -> bool {
        self.learned.first.is_some_and(|(bom, _)| bom)
    }

    /// Which field has no column in the first input, and which columns are no field's, if there are both.
    pub fn unused(&self) -> Option<&str> {
        self.learned.unused.as_deref()
    }

    /// The format of the first input.
    pub fn format(&self) -> Format {
        self.learned.first.map_or(Format::Csv, |(_, format)| format)
    }

    /// 32 hexadecimal digits that differ if any input's bytes do.
    pub fn digest(&self) -> String {
        let mut hasher = Xxh3::new();
        for noted in &self.learned.noted {
            hasher.update(&noted.bytes.to_le_bytes());
            for digest in &noted.digests {
                hasher.update(&digest.to_le_bytes());
            }
        }
        format!("{:032x}", hasher.digest128())
    }

    /// Says that the input at `from` now has the name `to`.
    pub fn moved(&mut self, from: &Path, to: &Path) {
        let inputs = Arc::make_mut(&mut self.inputs);
        for input in inputs.list.iter_mut().filter(|input| input.path == from) {
            to.clone_into(&mut input.path);
        }
    }

    /// The pending accounts in input order, read again.
    pub fn batches(&self) -> Batches {
        self.batches_of(self.pending.clone())
    }

    /// The same for other rows of the plan; only valid ones may be among them.
    pub fn batches_of(&self, rows: RowSet) -> Batches {
        let reading = Reading::again(self.inputs.clone(), self.learned.clone());
        Batches::new(reading, rows, self.inputs.trim)
    }
}
