//! A terminal that is taken for one though it does not say so: `--progress always`.

use indicatif::TermLike;
use std::io::{self, Write};
use std::sync::Mutex;

const COLUMNS: u16 = 80;

/// Writes the usual control sequences (ECMA-48) to `out`.
pub(super) struct Terminal<W> {
    out: Mutex<W>,
    columns: u16,
}

impl<W: Write> Terminal<W> {
    pub(super) fn new(out: W) -> Self {
        let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        Self::of(out, columns.unwrap_or(COLUMNS))
    }

    pub(super) fn of(out: W, columns: u16) -> Self {
        Self { out: Mutex::new(out), columns }
    }

    fn put(&self, text: &str) -> io::Result<()> {
        let mut out = self.out.lock().map_err(|_| io::Error::other("another thread has panicked"))?;
        out.write_all(text.as_bytes())
    }

    fn step(&self, n: usize, direction: char) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(&format!("\x1b[{n}{direction}")) }
    }
}

impl<W> std::fmt::Debug for Terminal<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "a terminal of {} columns", self.columns)
    }
}

impl<W: Write + Send> TermLike for Terminal<W> {
    fn width(&self) -> u16 {
        self.columns
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.step(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.step(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.step(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.step(n, 'D')
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(&format!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\x1b[2K")
    }

    fn flush(&self) -> io::Result<()> {
        self.out.lock().map_err(|_| io::Error::other("another thread has panicked"))?.flush()
    }
}
