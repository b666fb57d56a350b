//! One reading of all inputs, row by row; every reading gives the same rows the same numbers.

use super::blocks::{Blocks, Changed, Notebook, Noted, Watch};
use super::cells::Dialect;
use super::chunk::Chunk;
use super::columns::Names;
use super::csv::CsvRecords;
use super::document::JsonDocument;
use super::format::{self, Format};
use super::lines::JsonLines;
use super::parser::{Parser, Values};
use super::row::{Fault, Raw, Records, Row};
use super::source::{self, Source, When};
use super::text::Text;
use super::{Error, Input, Options};
use crate::account::Place;
use std::fs::File;
use std::io;
use std::sync::Arc;

/// From one mark to the next.
const MARK_BYTES: u64 = 4 << 20;

/// The inputs and how they are read.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    pub(super) list: Vec<Input>,
    pub(super) trim: bool,
    format: Option<Format>,
    delimiter: Option<u8>,
    header: bool,
    names: Names,
    encoding: Option<super::Encoding>,
}

impl Inputs {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            list: options.inputs.clone(),
            trim: options.trim,
            format: options.format,
            delimiter: options.delimiter,
            header: options.header,
            names: Names::new(&options.map),
            encoding: options.encoding,
        }
    }
}

/// What the first reading learns.
#[derive(Clone, Debug, Default)]
pub(super) struct Learned {
    /// Of each input.
    pub(super) noted: Vec<Arc<Noted>>,
    /// Of the first input: whether it began with a byte order mark, and its format.
    pub(super) first: Option<(bool, Format)>,
    /// Of the first input: what its columns leave without a field, and a field without a column.
    pub(super) unused: Option<String>,
    /// In the rows' order.
    marks: Vec<Mark>,
}

/// A place in the middle of an input from where it can be read on.
#[derive(Clone, Copy, Debug)]
struct Mark {
    place: Place,
    /// Where in the file the row begins.
    at: u64,
}

/// An input that is open.
struct Open {
    records: Box<dyn Records + Send>,
    parser: Parser,
    /// Where its text begins in the file, if it is the file's own bytes.
    origin: Option<u64>,
}

enum Mode {
    Learn { learned: Learned, notebook: Notebook },
    Compare(Arc<Learned>),
}

/// Goes through the rows of all inputs.
pub(super) struct Reading {
    inputs: Arc<Inputs>,
    mode: Mode,
    open: Option<Open>,
    /// Which input is read, or will be next.
    input: u16,
    /// The number of the next row.
    next: u64,
}

impl Reading {
    pub(super) fn first(inputs: Arc<Inputs>) -> Self {
        Self::new(inputs, Mode::Learn { learned: Learned::default(), notebook: Notebook::default() })
    }

    /// Fails with [`Error::Changed`] before it hands out a row that is not what it was.
    pub(super) fn again(inputs: Arc<Inputs>, learned: Arc<Learned>) -> Self {
        Self::new(inputs, Mode::Compare(learned))
    }

    fn new(inputs: Arc<Inputs>, mode: Mode) -> Self {
        Self { inputs, mode, open: None, input: 0, next: 0 }
    }

    /// Goes to the next row; false at the end of the last input.
    pub(super) fn advance(&mut self) -> Result<bool, Error> {
        while self.open_next()? {
            if self.step()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The next rows of one input; none at the end of the last input.
    pub(super) fn chunk(&mut self) -> Result<Option<Chunk>, Error> {
        while self.open_next()? {
            let Some(open) = &self.open else { break };
            let mut chunk = Chunk::new(open.parser.clone());
            while !chunk.is_full() && self.step()? {
                let (place, Some(open)) = (self.place()?, &self.open) else { break };
                let record = open.records.record();
                chunk.push(place, record.raw());
                if let (Mode::Learn { learned, .. }, Some(origin)) = (&mut self.mode, open.origin) {
                    learned.mark(Mark { place, at: origin + record.text.position() }, record.raw());
                }
            }
            if !chunk.is_empty() {
                chunk.bytes_read = self.bytes();
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// Opens the next input unless one is open; false after the last.
    fn open_next(&mut self) -> Result<bool, Error> {
        if self.open.is_none() {
            let Some(input) = self.inputs.list.get(usize::from(self.input)).cloned() else {
                return Ok(false);
            };
            self.open = Some(self.open(&input)?);
        }
        Ok(true)
    }

    /// Goes to the next row of the open input; false, and it is closed, at its end.
    fn step(&mut self) -> Result<bool, Error> {
        let Some(open) = &mut self.open else { return Ok(false) };
        let name = &self.inputs.list[usize::from(self.input)].name;
        let there = open.records.advance().map_err(|fault| explain(fault, name))?;
        if there {
            self.next += 1;
        } else {
            self.close();
        }
        Ok(there)
    }

    /// Leaves out rows before `row` as far as that saves reading them.
    pub(super) fn skip_towards(&mut self, row: u32) -> Result<(), Error> {
        let Mode::Compare(learned) = &self.mode else { return Ok(()) };
        let before = learned.marks.partition_point(|mark| mark.place.row <= row);
        let Some(&Mark { place, at }) = learned.marks[..before].last() else { return Ok(()) };
        if u64::from(place.row) <= self.next {
            return Ok(());
        }
        let noted = learned.noted[usize::from(place.input)].clone();
        if self.input != place.input {
            (self.open, self.input) = (None, place.input);
        }
        self.open_next()?;
        let input = &self.inputs.list[usize::from(place.input)];
        let blocks = Blocks::from(open_file(input)?, Watch::Compare(noted), at);
        let blocks = blocks.map_err(|error| explain(Fault::Io(error), &input.name))?;
        if let Some(open) = &mut self.open {
            open.records.resume(Text::new(Box::new(blocks)), place.line);
        }
        self.next = u64::from(place.row);
        Ok(())
    }

    /// The place of the row that was gone to.
    pub(super) fn place(&self) -> Result<Place, Error> {
        let row = u32::try_from(self.next - 1).map_err(|_| {
            Error::Unusable("more than 4,294,967,296 rows: import the files one after another".to_owned())
        })?;
        Ok(Place {
            row,
            input: self.input,
            line: self.open.as_ref().map_or(0, |open| open.records.record().starts),
        })
    }

    /// The row that was gone to; none before the first and after the last.
    pub(super) fn row(&mut self) -> Option<Row<'_>> {
        self.open.as_mut().map(|open| open.parser.row(open.records.record().raw()))
    }

    /// The error of a reading that does not find the rows of the one before.
    pub(super) fn changed(&self) -> Error {
        let last = self.inputs.list.len().saturating_sub(1);
        let input = self.inputs.list.get(usize::from(self.input).min(last));
        Error::Changed { file: input.map_or_else(String::new, |input| input.name.clone()) }
    }

    /// How many rows were read.
    pub(super) fn rows(&self) -> u64 {
        self.next
    }

    /// How many bytes of the inputs were read.
    pub(super) fn bytes(&self) -> u64 {
        match &self.mode {
            Mode::Learn { learned, notebook } => {
                learned.noted.iter().map(|noted| noted.bytes).sum::<u64>() + notebook.bytes()
            }
            Mode::Compare(_) => 0,
        }
    }

    /// What was learned, at the end of a first reading.
    pub(super) fn learned(self) -> Learned {
        match self.mode {
            Mode::Learn { learned, .. } => learned,
            Mode::Compare(learned) => Arc::unwrap_or_clone(learned),
        }
    }

    fn open(&mut self, input: &Input) -> Result<Open, Error> {
        let (watch, when) = match &mut self.mode {
            Mode::Learn { notebook, .. } => (Watch::Note(notebook.clone()), When::Ahead),
            Mode::Compare(learned) => {
                (Watch::Compare(learned.noted[usize::from(self.input)].clone()), When::Asked)
            }
        };
        let file = open_file(input)?;
        let opened = source::open(Blocks::new(file, watch), self.inputs.encoding, when).map_err(Fault::Io);
        let source = opened.map_err(|fault| explain(fault, &input.name))?;
        let bom = source.bom;
        let (open, format) =
            begin(source, &self.inputs, &input.name).map_err(|fault| explain(fault, &input.name))?;
        if let Mode::Learn { learned, .. } = &mut self.mode {
            if learned.first.is_none()
                && let Parser::Cells(cells) = &open.parser
            {
                learned.unused = cells.unused();
            }
            learned.first.get_or_insert((bom, format));
        }
        Ok(open)
    }

    fn close(&mut self) {
        self.open = None;
        self.input += 1;
        if let Mode::Learn { learned, notebook } = &mut self.mode {
            learned.noted.push(Arc::new(notebook.take()));
        }
    }
}

impl Learned {
    /// Keeps a mark some way after the one before. A record that was dropped is not at the mark's place any more.
    fn mark(&mut self, mark: Mark, raw: Raw<'_>) {
        let is_far = match self.marks.last() {
            Some(last) if last.place.input == mark.place.input => mark.at >= last.at + MARK_BYTES,
            _ => true,
        };
        if is_far && matches!(raw, Raw::Whole(_)) {
            self.marks.push(mark);
        }
    }
}

/// Begins to read an input, in the format that it has.
fn begin(mut source: Source, inputs: &Inputs, name: &str) -> Result<(Open, Format), Fault> {
    source.text.more()?;
    let window = source.text.window();
    if let Some(what) = format::foreign(window) {
        return Err(Fault::Header(format!("it is {what}")));
    }
    let by_name = inputs.format.or_else(|| format::by_ending(name));
    let format = source.report.or(by_name).unwrap_or_else(|| format::by_beginning(window));
    let ours = source.report.is_some();
    let names = if ours { Names::default() } else { inputs.names.clone() };
    let Source { text, encoding, origin, .. } = source;
    let values = |names, bare| Parser::Values(Values::new(names, encoding, bare));
    let (records, parser): (Box<dyn Records + Send>, _) = match format {
        Format::Csv | Format::Tsv => {
            let delimiter = match format {
                _ if ours => Some(b','),
                Format::Tsv => inputs.delimiter.or(Some(b'\t')),
                _ => inputs.delimiter,
            };
            let dialect = Dialect { delimiter, header: ours || inputs.header, names, encoding };
            let (records, cells) = CsvRecords::open(text, &dialect)?;
            (Box::new(records), Parser::Cells(Box::new(cells)))
        }
        Format::Json if format::is_document(text.window()) => {
            let document = JsonDocument::open(text)?;
            let parser = values(names, document.is_bare());
            (Box::new(document), parser)
        }
        Format::Json | Format::Jsonl => (Box::new(JsonLines::new(text)), values(names, false)),
    };
    Ok((Open { records, parser, origin }, format))
}

fn open_file(input: &Input) -> Result<File, Error> {
    let name = &input.name;
    if input.path.is_dir() {
        return Err(Error::Unusable(format!("{name} is a folder: name the files in it")));
    }
    File::open(&input.path).map_err(|error| {
        Error::Unusable(match error.kind() {
            io::ErrorKind::NotFound => format!("there is no file {name}: check the path"),
            io::ErrorKind::PermissionDenied => format!("{name} may not be read: check its permissions"),
            _ => format!("{name} cannot be opened: {error}: check the path"),
        })
    })
}

fn explain(fault: Fault, name: &str) -> Error {
    match fault {
        Fault::Io(error) if Changed::is_in(&error) => Error::Changed { file: name.to_owned() },
        Fault::Io(error) if error.to_string().contains("requires too much memory") => {
            Error::Unusable(format!(
                "{name} was compressed with a window of over 128 MiB: unpack it first, or pipe it in from zstd -dc --long=31"
            ))
        }
        Fault::Io(error) => Error::Unusable(format!(
            "{name} cannot be read to its end: {error}: if it is compressed, it is cut short, is damaged or has \
             something after its end: fetch it again, or unpack it, see that all is there, and import that"
        )),
        Fault::Damaged { line, what } => Error::Unusable(format!("{name}, line {line}: {what}")),
        Fault::Header(what) => Error::Unusable(format!("{name}: {what}")),
    }
}
