//! How far the run is: a bar on a terminal, a plain line now and then elsewhere.

mod meter;
mod terminal;

use super::words::{bytes, duration, number, rate};
use crate::error_code::Lang;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
pub(super) use meter::Meter;
use std::time::{Duration, Instant};
use terminal::Terminal;

/// Between two plain lines.
const LINES: Duration = Duration::from_secs(10);
/// Between two states of the bar.
const FRAMES: Duration = Duration::from_millis(100);

/// Whether there is a progress bar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// A bar on a terminal, plain lines elsewhere.
    #[default]
    Auto,
    /// A bar wherever stderr goes.
    Always,
    /// Nothing.
    Never,
}

/// How far the sending is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sending {
    /// Accounts that reached their outcome.
    pub(super) done: u64,
    pub(super) total: u64,
    pub(super) failed: u64,
    pub(super) retries: u64,
    pub(super) accounts_per_s: f64,
    pub(super) requests_per_s: f64,
    pub(super) state: State,
}

/// Whether anything holds the run back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum State {
    Steady,
    /// To so many requests a second.
    Slowed(f64),
    /// For so long.
    Silent(Duration),
}

pub(super) struct Progress {
    form: Form,
    /// When the next line or frame is due; none before the first.
    due: Option<Instant>,
    read: u64,
    bytes: Option<u64>,
}

enum Form {
    None,
    Lines,
    /// Made when there is first something to show.
    Bar {
        target: Box<dyn Fn() -> ProgressDrawTarget + Send>,
        bar: Option<ProgressBar>,
    },
}

impl Progress {
    pub(super) fn new(show: Show, quiet: bool, terminal: bool) -> Self {
        let form = match show {
            Show::Never => Form::None,
            _ if quiet => Form::None,
            Show::Auto if !terminal => Form::Lines,
            _ if terminal => Form::bar(ProgressDrawTarget::stderr),
            _ => Form::bar(|| ProgressDrawTarget::term_like(Box::new(Terminal::new(std::io::stderr())))),
        };
        Self { form, due: None, read: 0, bytes: None }
    }

    pub(super) fn read_to(&mut self, bytes: Option<u64>) {
        self.bytes = bytes;
    }

    /// How far the reading is; a line that is to be printed comes back.
    pub(super) fn reading(&mut self, read: u64, lang: Lang, now: Instant) -> Option<String> {
        self.read = read;
        if !self.is_due(now) {
            return None;
        }
        self.put(self.read_so_far(lang), read, self.bytes)
    }

    /// How far the reading is, in words.
    pub(super) fn read_so_far(&self, lang: Lang) -> String {
        let read = self.read;
        let text = match (lang, self.bytes) {
            (Lang::En, Some(of)) => format!("{} of {} read", bytes(read), bytes(of)),
            (Lang::En, None) => format!("{} read", bytes(read)),
            (Lang::Zh, Some(of)) => format!("已读取 {} / {}", bytes(read), bytes(of)),
            (Lang::Zh, None) => format!("已读取 {}", bytes(read)),
        };
        self.bytes.map_or_else(|| text.clone(), |of| format!("{}  {text}", percent(read, of)))
    }

    /// How far the sending is; a line that is to be printed comes back.
    pub(super) fn sending(&mut self, sending: &Sending, lang: Lang, now: Instant) -> Option<String> {
        if !self.is_due(now) {
            return None;
        }
        self.put(sending.line(lang), sending.done, Some(sending.total))
    }

    /// Once something was shown: when the next is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Runs `write` with the bar out of its way.
    pub(super) fn aside(&mut self, write: impl FnOnce()) {
        match &self.form {
            Form::Bar { bar: Some(bar), .. } => bar.suspend(write),
            _ => write(),
        }
    }

    /// Takes the bar away; another may follow.
    pub(super) fn end(&mut self) {
        self.due = None;
        if let Form::Bar { bar, .. } = &mut self.form
            && let Some(bar) = bar.take()
        {
            bar.finish_and_clear();
        }
    }

    fn is_due(&mut self, now: Instant) -> bool {
        let (pause, first) = match self.form {
            Form::None => return false,
            Form::Lines => (LINES, false),
            Form::Bar { .. } => (FRAMES, true),
        };
        let is_due = self.due.map_or(first, |due| due <= now);
        if is_due || self.due.is_none() {
            self.due = Some(now + pause);
        }
        is_due
    }

    fn put(&mut self, text: String, done: u64, total: Option<u64>) -> Option<String> {
        let Form::Bar { target, bar } = &mut self.form else { return Some(text) };
        let text = match total {
            Some(total) => format!("{} {text}", gauge(done, total)),
            None => text,
        };
        // One call, one drawing.
        bar.get_or_insert_with(|| begin(target())).set_message(text);
        None
    }
}

impl Form {
    fn bar(target: impl Fn() -> ProgressDrawTarget + Send + 'static) -> Self {
        Self::Bar { target: Box::new(target), bar: None }
    }
}

fn begin(target: ProgressDrawTarget) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, target);
    // `wide_msg` is cut to the terminal's line, so that it never wraps.
    match ProgressStyle::with_template("{wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Ten cells, full ones for what is done.
fn gauge(done: u64, total: u64) -> String {
    let full = if total == 0 { 10 } else { (u128::from(done) * 10 / u128::from(total)).min(10) };
    (0..10).map(|cell| if cell < full { '█' } else { '░' }).collect()
}

impl Sending {
    /// The most important first: a narrow terminal shows only the beginning.
    pub(super) fn line(&self, lang: Lang) -> String {
        let say = |en: String, zh: String| if lang == Lang::En { en } else { zh };
        let time = |time| duration(time, lang);
        let mut parts = Vec::new();
        if let State::Silent(silent) = self.state {
            let silent = time(silent);
            parts.push(say(
                format!("paused for {silent}: the service does not answer"),
                format!("已暂停 {silent}:服务没有应答"),
            ));
        }
        parts.push(percent(self.done, self.total));
        parts.push(format!("{}/{}", number(self.done), number(self.total)));
        let (accounts, requests) = (rate(self.accounts_per_s), rate(self.requests_per_s));
        parts.push(say(format!("{accounts}/s"), format!("{accounts} 个/秒")));
        if let Some(left) = self.left().map(time) {
            parts.push(say(format!("{left} left"), format!("剩余 {left}")));
        }
        parts.push(say(format!("{requests} requests/s"), format!("{requests} 请求/秒")));
        if let State::Slowed(rate) = self.state {
            parts.push(say(format!("slowed to {rate:.0}"), format!("已降速至 {rate:.0}")));
        }
        for (count, en, zh) in [(self.failed, "failed", "失败"), (self.retries, "retries", "重试")] {
            if count > 0 {
                let count = number(count);
                parts.push(say(format!("{count} {en}"), format!("{count} {zh}")));
            }
        }
        parts.join("  ")
    }

    fn left(&self) -> Option<Duration> {
        if self.accounts_per_s <= 0.0 || matches!(self.state, State::Silent(_)) {
            return None;
        }
        let seconds = self.total.saturating_sub(self.done) as f64 / self.accounts_per_s;
        Duration::try_from_secs_f64(seconds.ceil()).ok()
    }
}

/// Rounded down: 100 % is all.
fn percent(done: u64, total: u64) -> String {
    let percent = if total == 0 { 100 } else { u128::from(done) * 100 / u128::from(total) };
    format!("{percent}%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::console::Captured;

    const SENDING: Sending = Sending {
        done: 43_210,
        total: 100_000,
        failed: 3,
        retries: 12,
        accounts_per_s: 9_900.0,
        requests_per_s: 99.2,
        state: State::Steady,
    };

    #[test]
    fn the_line_says_the_most_important_first() {
        assert_eq!(
            SENDING.line(Lang::En),
            "43%  43,210/100,000  9,900/s  6s left  99 requests/s  3 failed  12 retries"
        );
        let silent = Sending { state: State::Silent(Duration::from_secs(12)), ..SENDING };
        assert!(silent.line(Lang::En).starts_with("paused for 12s: the service does not answer  43%  "));
        assert!(!silent.line(Lang::En).contains("left"));
        let slowed = Sending { state: State::Slowed(50.4), failed: 0, retries: 0, ..SENDING };
        assert!(slowed.line(Lang::En).ends_with("99 requests/s  slowed to 50"), "{}", slowed.line(Lang::En));
        assert!(silent.line(Lang::Zh).starts_with("已暂停 12 秒:服务没有应答  43%"));
    }

    #[test]
    fn a_bar_never_wraps_on_forty_columns() {
        let out = Captured::default();
        let terminal = out.clone();
        let target = move || ProgressDrawTarget::term_like(Box::new(Terminal::of(terminal.clone(), 40)));
        let mut progress = Progress { form: Form::bar(target), due: None, read: 0, bytes: None };
        let start = Instant::now();
        assert_eq!(progress.sending(&SENDING, Lang::En, start), None);
        let zh = Sending { done: 99_999, state: State::Silent(LINES), ..SENDING };
        assert_eq!(progress.sending(&zh, Lang::Zh, start + FRAMES), None);
        let text = out.text();
        assert!(text.contains("████") && text.contains("43%"), "{text:?}");
        for drawn in text.split(['\r', '\n']) {
            let shown = drawn.replace("\x1b[2K", "");
            let columns: usize = shown.chars().map(|c| if c > '\u{3000}' { 2 } else { 1 }).sum();
            assert!(columns <= 40, "{columns} columns: {shown:?}");
        }
    }

    #[test]
    fn without_a_terminal_there_is_a_line_every_ten_seconds() {
        let mut progress = Progress::new(Show::Auto, false, false);
        let start = Instant::now();
        let lines = (0..=35)
            .filter(|&s| progress.sending(&SENDING, Lang::En, start + Duration::from_secs(s)).is_some());
        assert_eq!(lines.collect::<Vec<_>>(), [10, 20, 30]);
        assert_eq!(progress.due(), Some(start + LINES * 4));
    }

    #[test]
    fn never_and_quiet_show_nothing() {
        let late = Instant::now() + LINES * 10;
        for (show, quiet) in [(Show::Never, false), (Show::Auto, true), (Show::Always, true)] {
            let mut progress = Progress::new(show, quiet, false);
            progress.sending(&SENDING, Lang::En, Instant::now());
            assert_eq!(progress.sending(&SENDING, Lang::En, late), None);
            assert_eq!(progress.due(), None);
        }
    }

    #[test]
    fn reading_says_of_how_much_where_that_is_known() {
        let mut progress = Progress::new(Show::Auto, false, false);
        let start = Instant::now();
        assert_eq!(progress.reading(0, Lang::En, start), None);
        progress.read_to(Some(4_000_000));
        let known = progress.reading(1_000_000, Lang::En, start + LINES);
        assert_eq!(known.as_deref(), Some("25%  1.0 MB of 4.0 MB read"));
        progress.read_to(None);
        let unknown = progress.reading(1_500_000_000, Lang::En, start + LINES * 2);
        assert_eq!(unknown.as_deref(), Some("1.5 GB read"));
    }
}
