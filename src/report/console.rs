//! The one place that writes to a person's terminal, and to stdout.

mod escape;
mod look;

use super::paragraph::paragraphs;
use super::progress::{Progress, Sending, Show};
use crate::error_code::Lang;
use escape::escape_lines;
use std::io::{self, StdoutLock, Write};
use std::time::Instant;

pub use escape::escape;
pub use look::Look;

/// How much is shown, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Manner {
    /// Only errors.
    pub quiet: bool,
    /// Details too.
    pub verbose: bool,
    /// Whether there is a progress bar.
    pub progress: Show,
    /// What summary and progress are written in.
    pub lang: Lang,
}

/// Stderr, with at most one progress bar at its foot. A stderr that cannot be written is no reason to stop.
pub struct Console {
    err: Box<dyn Write + Send>,
    look: Look,
    manner: Manner,
    progress: Progress,
}

impl Console {
    /// The process's stderr.
    pub fn new(manner: Manner) -> Self {
        let look = Look::of_stderr();
        let progress = Progress::new(manner.progress, manner.quiet, look.columns.is_some());
        Self { err: Box::new(io::stderr()), look, manner, progress }
    }

    /// A console that writes to `err`, without colours and bars.
    #[cfg(test)]
    pub(super) fn on(err: Box<dyn Write + Send>, manner: Manner) -> Self {
        let progress = Progress::new(manner.progress, manner.quiet, false);
        Self { err, look: Look::default(), manner, progress }
    }

    /// Something that went wrong and ends the run, or spoils a part of it.
    pub fn error(&mut self, text: &str) {
        self.labelled("error:", "1;31", text);
    }

    /// Something that a person should look at; not when quiet.
    pub fn warn(&mut self, text: &str) {
        if !self.manner.quiet {
            self.labelled("warning:", "1;33", text);
        }
    }

    /// Something worth knowing; not when quiet.
    pub fn note(&mut self, text: &str) {
        if !self.manner.quiet {
            self.line(text);
        }
    }

    /// Something that is told with `-v` only.
    pub fn detail(&mut self, text: &str) {
        if self.manner.verbose && !self.manner.quiet {
            self.line(text);
        }
    }

    /// A text above the progress bar. Control characters are escaped; line ends stay, and lines that begin with two
    /// spaces are not broken.
    pub fn line(&mut self, text: &str) {
        let text = self.shaped(text);
        self.put(&text);
    }

    /// Stdout, for what was asked for as `-`. Its errors, a closed pipe too, are the writer's to handle.
    pub fn stdout() -> StdoutLock<'static> {
        io::stdout().lock()
    }

    /// Begins to show how the input is read; its size in bytes, where that is known.
    pub fn show_reading(&mut self, bytes: Option<u64>) {
        self.progress.read_to(bytes);
    }

    /// Shows how far the input is read.
    pub fn reading(&mut self, bytes: u64, now: Instant) {
        if let Some(line) = self.progress.reading(bytes, self.manner.lang, now) {
            self.line(&line);
        }
    }

    /// Says at once how far the input is read, however quiet it is otherwise.
    pub fn tell_reading(&mut self) {
        let line = self.progress.read_so_far(self.manner.lang);
        self.line(&line);
    }

    /// Says at once how far the sending is, however quiet it is otherwise.
    pub(super) fn tell_sending(&mut self, sending: &Sending) {
        let line = sending.line(self.manner.lang);
        self.line(&line);
    }

    /// Shows how far the sending is.
    pub(super) fn sending(&mut self, sending: &Sending, now: Instant) {
        if let Some(line) = self.progress.sending(sending, self.manner.lang, now) {
            self.line(&line);
        }
    }

    /// When [`Console::sending`] has something new to show.
    pub(super) fn due(&self) -> Option<Instant> {
        self.progress.due()
    }

    /// Takes the progress bar away.
    pub fn end_progress(&mut self) {
        self.progress.end();
    }

    /// How much is shown, and how.
    pub fn manner(&self) -> Manner {
        self.manner
    }

    /// How a text may look here.
    pub(super) fn look(&self) -> Look {
        self.look
    }

    fn labelled(&mut self, label: &str, sgr: &str, text: &str) {
        let text = self.shaped(&format!("{label} {text}"));
        let painted = text.replacen(label, &self.look.paint(sgr, label), 1);
        self.put(&painted);
    }

    /// Made safe, and broken into lines where there is a terminal.
    fn shaped(&self, text: &str) -> String {
        let text = escape_lines(text);
        self.look.columns.map_or_else(|| text.to_string(), |columns| paragraphs(&text, columns))
    }

    /// A text as it is, above the progress bar.
    pub(super) fn put(&mut self, text: &str) {
        let Self { err, progress, .. } = self;
        progress.aside(|| {
            let _ = writeln!(err, "{text}");
            let _ = err.flush();
        });
    }
}

/// What was written, for tests to read.
#[cfg(test)]
#[derive(Clone, Default)]
pub(super) struct Captured(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(test)]
impl Captured {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn everything(manner: Manner) -> String {
        let captured = Captured::default();
        let mut console = Console::on(Box::new(captured.clone()), manner);
        console.error("cannot\nread \u{1b}[2J");
        console.warn("odd");
        console.note("by the way");
        console.detail("exactly");
        captured.text()
    }

    #[test]
    fn quiet_leaves_errors_alone_and_verbose_adds_details() {
        let errors = "error: cannot\nread \\u{1b}[2J\n";
        let must = format!("{errors}warning: odd\n");
        let (quiet, verbose) = (true, true);
        assert_eq!(everything(Manner::default()), format!("{must}by the way\n"));
        assert_eq!(everything(Manner { quiet, ..Manner::default() }), errors);
        assert_eq!(
            everything(Manner { verbose, ..Manner::default() }),
            format!("{must}by the way\nexactly\n")
        );
    }

    #[test]
    fn a_closed_pipe_is_no_panic() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut console = Console::on(Box::new(Closed), Manner::default());
        console.error("nobody reads this");
        console.note("nor this");
    }
}
