//! Inputs to measure with: the same rows each time, five in a hundred with the UserID of an earlier one.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use xxhash_rust::xxh3::xxh3_64_with_seed;

const SEED: u64 = 20_260_101;
/// One row in so many repeats a UserID, half of these with another Nick and FaceUrl.
const REPEATS: u64 = 20;

/// How rows are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// About 72 bytes a row.
    Csv,
    Jsonl,
}

/// The path of an input with so many rows, written unless it is there from an earlier run.
pub(crate) fn input(rows: u64, format: Format) -> PathBuf {
    let ending = if format == Format::Csv { "csv" } else { "jsonl" };
    let path = super::folder().join(format!("{rows}.{ending}"));
    if !path.exists() {
        let partial = path.with_extension("partial");
        write(File::create(&partial).unwrap(), rows, format);
        fs::rename(partial, &path).unwrap();
    }
    path
}

fn write(file: File, rows: u64, format: Format) {
    let mut file = BufWriter::with_capacity(1 << 20, file);
    if format == Format::Csv {
        file.write_all(b"UserID,Nick,FaceUrl\n").unwrap();
    }
    for row in 0..rows {
        let (id, profile) = ids(row);
        let (id, picture) = (hash(id), hash(profile) >> 32);
        match format {
            Format::Csv => {
                writeln!(file, "u{id:016x},Player {profile:08},https://img.example.com/{picture:08x}.png")
            }
            Format::Jsonl => writeln!(
                file,
                r#"{{"UserID":"u{id:016x}","Nick":"Player {profile:08}","FaceUrl":"https://img.example.com/{picture:08x}.png"}}"#
            ),
        }
        .unwrap();
    }
    file.flush().unwrap();
}

/// Whose UserID a row has, and whose Nick and FaceUrl.
fn ids(row: u64) -> (u64, u64) {
    let chance = hash(!row);
    let earlier = (chance / (2 * REPEATS)).checked_rem(row);
    match (earlier, chance % (2 * REPEATS)) {
        (Some(earlier), 0) => (earlier, earlier),
        (Some(earlier), 1) => (earlier, row),
        _ => (row, row),
    }
}

fn hash(number: u64) -> u64 {
    xxh3_64_with_seed(&number.to_le_bytes(), SEED)
}
