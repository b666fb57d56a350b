//! A CSV record to a row: its cells, quoted or not, and which of them are fields.

use super::columns::{Columns, Field, Names, listed, same};
use super::decode::Encoding;
use super::format;
use super::row::{Fields, Row, Unparsed, not_text};
use csv_core::{ReadFieldResult, Reader};
use std::borrow::Cow;

/// How a CSV input is read.
pub(super) struct Dialect {
    /// None: the one that makes the header recognisable.
    pub(super) delimiter: Option<u8>,
    pub(super) header: bool,
    pub(super) names: Names,
    pub(super) encoding: Encoding,
}

/// Parses the records of a CSV input.
pub(super) struct Cells {
    delimiter: u8,
    encoding: Encoding,
    columns: Columns,
    /// Empty if there is none.
    header: Vec<String>,
    /// Made when the first quote is met.
    parser: Option<Box<Reader>>,
    unquoted: Vec<u8>,
    /// Where each cell ends in `unquoted`.
    ends: Vec<usize>,
}

impl Clone for Cells {
    fn clone(&self) -> Self {
        Self {
            header: self.header.clone(),
            // A reader's own clone forgets which of its states end a cell.
            parser: None,
            unquoted: Vec::new(),
            ends: Vec::new(),
            ..*self
        }
    }
}

/// The parser of the csv crate, without its habit to drop a byte order mark before its first byte: the input's
/// own is gone already, and one further on belongs to a record.
pub(super) fn parser(delimiter: u8) -> Reader {
    let mut parser = csv_core::ReaderBuilder::new().delimiter(delimiter).build();
    parser.read_field(b"\n", &mut [0]);
    parser
}

impl Cells {
    /// Learns the columns from the first record, if there is one, or why there are none.
    pub(super) fn new(first: Option<&[u8]>, delimiter: u8, dialect: &Dialect) -> Result<Self, String> {
        let mut cells = Self {
            delimiter,
            encoding: dialect.encoding,
            columns: Columns { at: [None; 3], count: 0 },
            header: Vec::new(),
            parser: None,
            unquoted: Vec::new(),
            ends: Vec::new(),
        };
        let Some(first) = first else { return Ok(cells) };
        cells.unquote(first);
        let names: Vec<String> =
            cells.unquoted().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect();
        if dialect.header {
            let found = Columns::by_header(&names, &dialect.names);
            cells.columns = found.map_err(|why| format::instead(first, dialect.encoding).unwrap_or(why))?;
            cells.header = names;
        } else {
            cells.columns = Columns::by_number(names.len(), &dialect.names)?;
        }
        Ok(cells)
    }

    /// Columns that are no field's, where a field has no column: one may have been meant.
    pub(super) fn unused(&self) -> Option<String> {
        let fields = Field::ALL.into_iter().zip(self.columns.at);
        let missing: Vec<&str> =
            fields.filter(|(_, at)| at.is_none()).map(|(field, _)| field.name()).collect();
        let unused = self.header.iter().enumerate().filter(|(at, _)| !self.columns.at.contains(&Some(*at)));
        let unused: Vec<&String> = unused.map(|(_, name)| name).collect();
        let is_told = !missing.is_empty() && !unused.is_empty();
        is_told.then(|| format!("no column is {}; not used: {}", missing.join(" or "), listed(&unused)))
    }

    pub(super) fn row<'a>(&'a mut self, record: &'a [u8]) -> Row<'a> {
        let picked = if memchr::memchr(b'"', record).is_some() {
            self.unquote(record);
            self.pick(self.unquoted().map(text))
        } else if let Ok(record) = std::str::from_utf8(record) {
            self.pick(record.split(char::from(self.delimiter)).map(Ok))
        } else {
            self.pick(record.split(|&byte| byte == self.delimiter).map(text))
        };
        picked.map_err(|reason| Unparsed { reason, raw: record })
    }

    /// Takes a record apart that may have quotes, all of them closed.
    fn unquote(&mut self, record: &[u8]) {
        self.ends.clear();
        self.unquoted.resize(record.len() + 1, 0);
        let parser = self.parser.get_or_insert_with(|| Box::new(parser(self.delimiter)));
        let (mut read, mut written) = (0, 0);
        loop {
            let rest = if read < record.len() { &record[read..] } else { b"\n" };
            let (result, took, wrote) = parser.read_field(rest, &mut self.unquoted[written..]);
            read += took;
            written += wrote;
            if let ReadFieldResult::Field { record_end } = result {
                self.ends.push(written);
                if record_end {
                    return;
                }
            }
        }
    }

    fn unquoted(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let cell = &self.unquoted[start..end];
            start = end;
            cell
        })
    }

    /// A cell that is no text is given as its bytes.
    fn pick<'a>(&self, cells: impl Iterator<Item = Result<&'a str, &'a [u8]>>) -> Result<Fields<'a>, String> {
        let mut picked = [""; 3];
        let (mut count, mut repeats_header) = (0, !self.header.is_empty());
        let mut no_text = None;
        for cell in cells {
            match cell {
                Ok(text) => {
                    for (picked, at) in picked.iter_mut().zip(self.columns.at) {
                        if at == Some(count) {
                            *picked = text;
                        }
                    }
                    repeats_header = repeats_header && self.is_name(text, count);
                }
                Err(cell) => no_text = no_text.or(Some((count, cell))),
            }
            count += 1;
        }
        if count != self.columns.count {
            return Err(self.another_count(count));
        }
        if let Some((column, cell)) = no_text {
            return Err(not_text(&self.column_name(column), cell, self.encoding));
        }
        if repeats_header {
            return Err("the header is repeated here: delete the line if files were joined".to_owned());
        }
        let [user_id, nick, face_url] = picked.map(Cow::Borrowed);
        Ok(Fields { user_id, nick, face_url })
    }

    fn is_name(&self, text: &str, column: usize) -> bool {
        let Some(name) = self.header.get(column) else { return false };
        // Files that were joined may have spelled it otherwise, or brought a byte order mark along. A name alone may
        // be somebody's.
        if self.header.len() > 1 {
            same(text, name)
        } else {
            text.strip_prefix('\u{FEFF}').unwrap_or(text) == name
        }
    }

    fn another_count(&self, count: usize) -> String {
        let first = if self.header.is_empty() { "first record" } else { "header" };
        format!(
            "{count} field{}, the {first} has {}: is a quote or a delimiter missing or too many?",
            if count == 1 { "" } else { "s" },
            self.columns.count,
        )
    }

    fn column_name(&self, column: usize) -> String {
        let field = Field::ALL.into_iter().zip(self.columns.at).find(|(_, at)| *at == Some(column));
        field.map_or_else(|| format!("column {}", column + 1), |(field, _)| field.name().to_owned())
    }
}

fn text(cell: &[u8]) -> Result<&str, &[u8]> {
    std::str::from_utf8(cell).map_err(|_| cell)
}
