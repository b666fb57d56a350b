//! Inputs to a plan: which rows are sent, which are set aside and why; then the batches.
//!
//! ```text
//! file → blocks → decompress → decode → text → csv | lines | document → record
//!     first reading:  up to the text on a thread of its own;
//!                     record → chunk → on every core: parser → row → validate → hash → dedupe → Plan
//!     second reading: record → parser → row → validate → Batch
//! ```

mod ahead;
mod aside;
mod batches;
mod blocks;
mod cells;
mod chunk;
mod columns;
mod csv;
mod decode;
mod dedupe;
mod document;
mod format;
mod json;
mod lines;
mod parser;
mod plan;
mod reading;
mod record;
mod row;
mod shard;
mod sift;
mod source;
mod spool;
mod text;
mod validate;

#[cfg(test)]
mod tests;

pub use batches::Batches;
pub use columns::{Field, UnknownField};
pub use decode::{Encoding, UnknownEncoding};
pub use format::Format;
pub use plan::{Conflict, Plan, plan};
pub use shard::Shard;
pub use spool::{Spool, spool};

use std::path::{Path, PathBuf};

/// A usual [`Options::budget`].
pub const BUDGET: usize = 512 << 20;

/// What is read, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Read as one, in this order.
    pub inputs: Vec<Input>,
    /// None: by each input's ending, else by its beginning.
    pub format: Option<Format>,
    /// An ASCII character other than a quote or a line end. None: a tab for TSV, else the one that makes the
    /// header recognisable.
    pub delimiter: Option<u8>,
    /// CSV inputs begin with the names of their columns.
    pub header: bool,
    /// Columns or keys of fields; without a header, columns' numbers from 1.
    pub map: Vec<(Field, String)>,
    /// None: UTF-8. A byte order mark says more.
    pub encoding: Option<Encoding>,
    /// Whitespace around fields is taken off.
    pub trim: bool,
    /// Which row of a UserID is used.
    pub on_duplicate: OnDuplicate,
    /// Only so many accounts are pending.
    pub limit: Option<u64>,
    /// Only a part of the rows counts.
    pub shard: Option<Shard>,
    /// Where unlinked temporary files go.
    pub scratch: PathBuf,
    /// Bytes of memory that the search for duplicates may take before it goes on in `scratch`.
    pub budget: usize,
    /// Every conflict is noted, and not the first ten only.
    pub all_conflicts: bool,
}

/// One of the inputs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// What is opened; it must be there to be read twice.
    pub path: PathBuf,
    /// What messages call it, and what its format is told by: the path as typed, or `stdin`.
    pub name: String,
}

/// Which row is used where several have one UserID.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDuplicate {
    /// The last.
    Last,
    /// The first.
    First,
    /// None: nothing is pending.
    Error,
}

/// How far a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Read so far, compressed as they are.
    pub bytes: u64,
    /// Of all inputs, if that is known.
    pub total_bytes: Option<u64>,
}

/// Why there is no plan, or no further batch.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An input cannot be read or understood, or a temporary file failed.
    #[error("{0}")]
    Unusable(String),
    /// An input is not what it was when it was planned.
    #[error("{file} changed after it was checked: run the command again when it is complete")]
    Changed {
        /// What messages call the input.
        file: String,
    },
}

/// Names that a shell gives to whatever is open, to another file the next time.
const OPEN: [&str; 2] = ["/dev/stdin", "/dev/fd"];

/// Whether `path` is there but can be read once only, so that it must be spooled.
pub fn is_pipe(path: &Path) -> bool {
    let is_open = OPEN.iter().any(|open| path.starts_with(open));
    std::fs::metadata(path).is_ok_and(|there| !there.is_dir() && (!there.is_file() || is_open))
}
