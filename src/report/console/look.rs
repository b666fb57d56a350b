//! How a text may look where it is shown: `NO_COLOR`, `CLICOLOR_FORCE`, a dumb terminal and a narrow one.

use anstream::{AutoStream, ColorChoice};
use std::io::{self, IsTerminal};
use terminal_size::{Height, Width, terminal_size_of};

/// Of a terminal that does not say how wide it is.
const COLUMNS: u16 = 80;

/// How a text may look where it is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal; none where there is none, or a dumb one.
    pub columns: Option<usize>,
    /// Whether colours are wanted.
    pub colour: bool,
}

impl Look {
    /// Of the process's stderr.
    pub fn of_stderr() -> Self {
        let err = io::stderr();
        Self::new(AutoStream::choice(&err), err.is_terminal(), terminal_size_of(&err))
    }

    /// Of the process's stdout.
    pub fn of_stdout() -> Self {
        let out = io::stdout();
        Self::new(AutoStream::choice(&out), out.is_terminal(), terminal_size_of(&out))
    }

    fn new(choice: ColorChoice, is_terminal: bool, size: Option<(Width, Height)>) -> Self {
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let columns = size.map_or(COLUMNS, |(Width(columns), _)| columns);
        Self {
            columns: (is_terminal && !is_dumb).then_some(usize::from(columns)),
            colour: choice != ColorChoice::Never,
        }
    }

    /// `text` in the colour and weight that the SGR parameters (ECMA-48) say.
    pub fn paint(self, sgr: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{sgr}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
