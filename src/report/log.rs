//! The request log: a JSON line for each request.

use super::files::{FileError, Output};
use crate::error_code::Code;
use crate::event::Attempt;
use jiff::Timestamp;
use serde::Serialize;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The oldest line that is not in the file yet is no older.
const LAG: Duration = Duration::from_secs(1);

/// An open request log. A log that is there is written on.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    out: BufWriter<File>,
    /// When the buffer has to be written.
    due: Option<Instant>,
}

#[derive(Serialize)]
struct Line<'a> {
    time: String,
    batch: u64,
    attempt: u32,
    accounts: usize,
    command: &'a str,
    code: Code,
    latency_ms: f64,
    verdict: &'a str,
}

impl Log {
    /// Opens it for writing at its end, unless it is one of the `inputs`.
    pub fn open(path: &Path, inputs: &[PathBuf]) -> Result<Self, FileError> {
        Output::File(path.into()).check("log", inputs)?;
        let file = File::options().create(true).append(true).open(path).map_err(|e| error(path, e))?;
        Ok(Self { path: path.into(), out: BufWriter::new(file), due: None })
    }

    pub(super) fn write(&mut self, attempt: &Attempt, at: Timestamp, now: Instant) -> Result<(), FileError> {
        let line = Line {
            time: format!("{at:.3}"),
            batch: attempt.batch,
            attempt: attempt.attempt,
            accounts: attempt.accounts,
            command: attempt.command,
            code: attempt.code,
            latency_ms: (attempt.latency.as_secs_f64() * 10_000.0).round() / 10.0,
            verdict: attempt.verdict,
        };
        let written = serde_json::to_writer(&mut self.out, &line).map_err(io::Error::from);
        written.and_then(|()| self.out.write_all(b"\n")).map_err(|e| error(&self.path, e))?;
        self.due.get_or_insert(now + LAG);
        Ok(())
    }

    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn flush_if_due(&mut self, now: Instant) -> Result<(), FileError> {
        if self.due.is_some_and(|due| due <= now) { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> Result<(), FileError> {
        self.due = None;
        self.out.flush().map_err(|e| error(&self.path, e))
    }
}

fn error(path: &Path, source: io::Error) -> FileError {
    let advice = "give another path with --log, or none";
    FileError { what: "log", path: path.into(), source, advice }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_line_which_is_in_the_file_within_a_second() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("requests.log");
        std::fs::write(&path, "earlier\n").unwrap();
        let mut log = Log::open(&path, &[]).unwrap();
        let attempt = Attempt {
            batch: 7,
            command: "multiaccount_import",
            attempt: 2,
            accounts: 100,
            code: Code::Http(502),
            latency: Duration::from_micros(35_249),
            verdict: "retry",
            retry: true,
        };
        let now = Instant::now();
        let at = Timestamp::from_millisecond(1_700_000_000_120).unwrap();
        log.write(&attempt, at, now).unwrap();
        assert_eq!(log.due(), Some(now + LAG));
        log.flush_if_due(now + LAG / 2).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "earlier\n", "not yet");
        log.flush_if_due(now + LAG).unwrap();
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "earlier\n{\"time\":\"2023-11-14T22:13:20.120Z\",\"batch\":7,\"attempt\":2,\"accounts\":100,\
             \"command\":\"multiaccount_import\",\"code\":\"http_502\",\"latency_ms\":35.2,\"verdict\":\"retry\"}\n"
        );
        assert_eq!(log.due(), None);
    }
}
