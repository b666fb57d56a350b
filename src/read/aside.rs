//! Invalid rows set aside on disk, in input order, until the report is written.

use crate::outcome::Refusal;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

/// Takes invalid rows; its unlinked file is made for the first of them.
pub(super) struct Aside {
    folder: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Aside {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self { folder, file: None }
    }

    pub(super) fn add(&mut self, refusal: &Refusal) -> io::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(BufWriter::new(tempfile::tempfile_in(&self.folder)?)),
        };
        serde_json::to_writer(&mut *file, refusal)?;
        file.write_all(b"\n")
    }

    /// No more rows are coming.
    pub(super) fn finish(self) -> io::Result<SetAside> {
        let file =
            self.file.map(BufWriter::into_inner).transpose().map_err(io::IntoInnerError::into_error)?;
        Ok(SetAside(file))
    }
}

/// The invalid rows, to be read as often as needed.
#[derive(Debug)]
pub(super) struct SetAside(Option<File>);

impl SetAside {
    pub(super) fn rows(&self) -> impl Iterator<Item = io::Result<Refusal>> {
        self.0.iter().flat_map(|file| {
            let mut lines = BufReader::new(FromStart { file, at: 0 });
            let mut line = Vec::new();
            std::iter::from_fn(move || {
                line.clear();
                match lines.read_until(b'\n', &mut line) {
                    Ok(0) => None,
                    Ok(_) => Some(serde_json::from_slice(&line).map_err(io::Error::from)),
                    Err(error) => Some(Err(error)),
                }
            })
        })
    }
}

/// Reads a file from its beginning wherever the handle's own position is, so that two readers do not meet.
struct FromStart<'a> {
    file: &'a File,
    at: u64,
}

impl Read for FromStart<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.file.seek(SeekFrom::Start(self.at))?;
        let read = self.file.read(into)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Place;
    use crate::outcome::Outcome;

    fn refusal(row: u32) -> Refusal {
        Refusal {
            place: Place { row, input: 0, line: u64::from(row) + 2 },
            user_id: "张\n\u{1b}".into(),
            nick: None,
            face_url: Some("x".repeat(20).into()),
            outcome: Outcome::Invalid,
            code: None,
            info: "why".into(),
            attempts: 0,
            raw: Some("a\tb".into()),
        }
    }

    #[test]
    fn what_is_set_aside_is_read_back_in_order_as_often_as_asked() {
        let mut aside = Aside::new(std::env::temp_dir());
        let refusals: Vec<Refusal> = (0..500).map(refusal).collect();
        for refusal in &refusals {
            aside.add(refusal).unwrap();
        }
        let kept = aside.finish().unwrap();
        for (one, other) in kept.rows().zip(kept.rows().skip(1)) {
            assert_eq!(one.unwrap().place.row + 1, other.unwrap().place.row);
        }
        assert_eq!(kept.rows().map(Result::unwrap).collect::<Vec<_>>(), refusals);
    }

    #[test]
    fn without_an_invalid_row_no_file_is_made() {
        let aside = Aside::new("/no/such/folder".into());
        assert_eq!(aside.finish().unwrap().rows().count(), 0);
        assert!(Aside::new("/no/such/folder".into()).add(&refusal(0)).is_err());
    }
}
