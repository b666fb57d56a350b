//! The failed-accounts report: each row that did not get in, as it was read, and why.

use super::files::{self, Output};
use super::journal::Stamp;
use crate::error_code::Code;
use crate::outcome::Refusal;
use serde::Serialize;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

const COLUMNS: [&str; 9] =
    ["UserID", "Nick", "FaceUrl", "Outcome", "ErrorCode", "ErrorInfo", "Attempts", "Line", "Raw"];
const BOM: &str = "\u{feff}";

/// How a report is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated, with a header.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl Format {
    /// What the path's ending asks for, else `otherwise`.
    pub fn of(path: &Path, otherwise: Format) -> Format {
        let is = |known: &str| path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(known));
        if is("csv") {
            Format::Csv
        } else if is("jsonl") || is("json") || is("ndjson") {
            Format::Jsonl
        } else {
            otherwise
        }
    }

    pub(super) fn ending(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Jsonl => "jsonl",
        }
    }
}

/// Where the report goes, and in which form.
#[derive(Clone, Debug)]
pub struct FailedReport {
    /// Where it goes.
    pub output: Output,
    /// CSV or JSON lines.
    pub format: Format,
    /// Whether a CSV report begins with a byte order mark, as the input did.
    pub bom: bool,
    /// The inputs as they were named; with more than one, each line number has its file's name before it.
    pub inputs: Vec<String>,
}

/// What became of a report.
#[derive(Debug)]
pub(super) struct Written {
    /// Where the report of an earlier run is now.
    pub(super) moved: Option<PathBuf>,
    pub(super) stamp: Stamp,
}

impl FailedReport {
    /// Writes `rows`, which come by row number. A report that is there, has rows and is neither `ours` nor the same
    /// as the new one is moved aside, once the new one is whole.
    pub(super) fn write(
        &self,
        rows: impl Iterator<Item = io::Result<Refusal>>,
        ours: Option<Stamp>,
        stdout: &mut dyn Write,
    ) -> io::Result<Written> {
        let mut moved = None;
        let mut stamp = Stamp { bytes: 0, crc32: 0 };
        self.output.write(stdout, |out| {
            let mut out = Stamping::new(out);
            match self.format {
                Format::Csv => self.write_csv(rows, &mut out)?,
                Format::Jsonl => self.write_jsonl(rows, &mut out)?,
            }
            stamp = out.stamp();
            if let Output::File(path) = &self.output {
                moved = self.move_aside(&files::resolved(path), &[ours, Some(stamp)])?;
            }
            Ok(())
        })?;
        Ok(Written { moved, stamp })
    }

    fn write_csv(
        &self,
        rows: impl Iterator<Item = io::Result<Refusal>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if self.bom {
            out.write_all(BOM.as_bytes())?;
        }
        let mut csv = csv::Writer::from_writer(out);
        csv.write_record(COLUMNS)?;
        for row in rows {
            let row = row?;
            let code = row.code.map(|code| code.to_string()).unwrap_or_default();
            csv.write_record([
                &row.user_id,
                row.nick.as_deref().unwrap_or_default(),
                row.face_url.as_deref().unwrap_or_default(),
                row.outcome.word(),
                &code,
                &row.info,
                &row.attempts.to_string(),
                &self.line(&row).to_string(),
                row.raw.as_deref().unwrap_or_default(),
            ])?;
        }
        csv.flush()
    }

    fn write_jsonl(
        &self,
        rows: impl Iterator<Item = io::Result<Refusal>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for row in rows {
            let row = row?;
            let object = Object {
                user_id: &row.user_id,
                nick: row.nick.as_deref(),
                face_url: row.face_url.as_deref(),
                outcome: row.outcome.word(),
                error_code: row.code,
                error_info: &row.info,
                attempts: row.attempts,
                line: self.line(&row),
                raw: row.raw.as_deref(),
            };
            serde_json::to_writer(&mut *out, &object)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }

    fn line(&self, row: &Refusal) -> Line {
        match self.inputs.get(usize::from(row.place.input)) {
            Some(input) if self.inputs.len() > 1 => Line::Of(format!("{input}:{}", row.place.line)),
            _ => Line::Alone(row.place.line),
        }
    }

    fn move_aside(&self, path: &Path, ours: &[Option<Stamp>]) -> io::Result<Option<PathBuf>> {
        if files::is_special(path) || !path.exists() || self.has_no_rows(path)? {
            return Ok(None);
        }
        if ours.contains(&Some(stamp_of(path)?)) {
            return Ok(None);
        }
        let to =
            (1..=u32::MAX).map(|number| numbered(path, number)).find(|to| to.symlink_metadata().is_err());
        let to = to.ok_or_else(|| io::Error::other("too many earlier reports"))?;
        fs::rename(path, &to)?;
        Ok(Some(to))
    }

    fn has_no_rows(&self, path: &Path) -> io::Result<bool> {
        let header = COLUMNS.join(",");
        let mut start = Vec::new();
        File::open(path)?.take((BOM.len() + header.len() + 2) as u64).read_to_end(&mut start)?;
        let text = start.strip_prefix(BOM.as_bytes()).unwrap_or(&start).trim_ascii_end();
        Ok(text.is_empty() || (self.format == Format::Csv && text == header.as_bytes()))
    }
}

/// `accounts.failed.csv` → `accounts.failed.1.csv`
fn numbered(path: &Path, number: u32) -> PathBuf {
    match path.extension() {
        Some(ending) => {
            let mut new = std::ffi::OsString::from(format!("{number}."));
            new.push(ending);
            path.with_extension(new)
        }
        None => path.with_extension(number.to_string()),
    }
}

/// Both by row number, as one; an error comes at once.
pub fn merged(
    one: impl Iterator<Item = io::Result<Refusal>>,
    other: impl Iterator<Item = io::Result<Refusal>>,
) -> impl Iterator<Item = io::Result<Refusal>> {
    let (mut one, mut other) = (one.peekable(), other.peekable());
    std::iter::from_fn(move || {
        let first = match (one.peek(), other.peek()) {
            (Some(Ok(a)), Some(Ok(b))) => a.place.row <= b.place.row,
            (Some(Ok(_)), Some(Err(_))) => false,
            (a, _) => a.is_some(),
        };
        if first { one.next() } else { other.next() }
    })
}

#[derive(Serialize)]
struct Object<'a> {
    #[serde(rename = "UserID")]
    user_id: &'a str,
    #[serde(rename = "Nick")]
    nick: Option<&'a str>,
    #[serde(rename = "FaceUrl")]
    face_url: Option<&'a str>,
    #[serde(rename = "Outcome")]
    outcome: &'static str,
    #[serde(rename = "ErrorCode")]
    error_code: Option<Code>,
    #[serde(rename = "ErrorInfo")]
    error_info: &'a str,
    #[serde(rename = "Attempts")]
    attempts: u32,
    #[serde(rename = "Line")]
    line: Line,
    #[serde(rename = "Raw")]
    raw: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Line {
    Alone(u64),
    Of(String),
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Line::Alone(line) => line.fmt(f),
            Line::Of(line) => line.fmt(f),
        }
    }
}

/// Passes bytes on, and keeps the stamp of them.
struct Stamping<'a> {
    out: &'a mut dyn Write,
    bytes: u64,
    crc: crc32fast::Hasher,
}

impl<'a> Stamping<'a> {
    fn new(out: &'a mut dyn Write) -> Self {
        Self { out, bytes: 0, crc: crc32fast::Hasher::new() }
    }

    fn stamp(self) -> Stamp {
        Stamp { bytes: self.bytes, crc32: self.crc.finalize() }
    }
}

impl Write for Stamping<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.crc.update(&bytes[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn stamp_of(path: &Path) -> io::Result<Stamp> {
    let mut nowhere = io::sink();
    let mut stamping = Stamping::new(&mut nowhere);
    io::copy(&mut File::open(path)?, &mut stamping)?;
    Ok(stamping.stamp())
}

#[cfg(test)]
mod tests;
