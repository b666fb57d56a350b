//! The summary for a person: a small table on a terminal, plain lines elsewhere, and what to do now.

use super::{Counts, Summary};
use crate::error_code::{Explanation, Lang, explain};
use crate::report::console::{Look, escape};
use crate::report::paragraph::{paragraph, width};
use crate::report::words::{counted, duration, number, rate};
use std::fmt::Write;
use std::time::Duration;

/// Codes that are shown; the JSON has all.
const CODES: usize = 5;
/// Columns of a whole bar, and of the shortest that is worth its place.
const BAR: usize = 30;
const SHORTEST_BAR: usize = 6;

const GREEN: &str = "32";
const RED: &str = "31";
const YELLOW: &str = "33";
const DIM: &str = "2";
const BOLD: &str = "1";

/// A count with its name and colour.
struct Line {
    count: u64,
    name: String,
    sgr: &'static str,
    /// All rows, a part of another count, or what a second look found: these have no bar.
    has_bar: bool,
}

impl Summary {
    /// What happened, the counts that are not zero, and what to do now.
    pub(in crate::report) fn text(&self, lang: Lang, look: Look) -> String {
        let mut text = self.heading(lang, look);
        self.put_counts(&mut text, lang, look);
        let gap = gap(look);
        if self.requests > 0 {
            let traffic = self.traffic(lang);
            let traffic = look.columns.map_or_else(|| traffic.clone(), |n| paragraph(&traffic, n, 2));
            let _ = write!(text, "{gap}{traffic}");
        }
        if !self.codes.is_empty() {
            match look.columns {
                Some(columns) => self.put_codes(&mut text, lang, look, columns),
                None => self.put_code_line(&mut text, lang),
            }
        }
        self.put_next(&mut text, lang, look);
        text
    }

    fn heading(&self, lang: Lang, look: Look) -> String {
        let say = |en, zh| if lang == Lang::En { en } else { zh };
        let took = duration(Duration::try_from_secs_f64(self.send_s).unwrap_or_default(), lang);
        let (status, sgr) = match self.status {
            "stopped" => (say("stopped", "已停止").to_owned(), "1;31"),
            "interrupted" => (say("interrupted", "已中断").to_owned(), "1;33"),
            "dry-run" => (say("dry run: nothing was sent", "试运行:未发送任何请求").to_owned(), BOLD),
            _ => (format!("{} {took}", say("completed in", "已完成,用时")), "1;32"),
        };
        let reason = self.reason.as_ref().map(|reason| format!("{}{}", say(": ", ":"), escape(reason)));
        let heading = format!("{status}{}", reason.unwrap_or_default());
        let heading = look.columns.map_or_else(|| heading.clone(), |n| paragraph(&heading, n, 2));
        match heading.strip_prefix(&status) {
            Some(rest) => format!("{}{rest}", look.paint(sgr, &status)),
            None => heading,
        }
    }

    fn put_counts(&self, text: &mut String, lang: Lang, look: Look) {
        let lines: Vec<Line> = self.lines(lang).into_iter().filter(|line| line.count > 0).collect();
        let digits = lines.iter().map(|line| number(line.count).len()).max().unwrap_or(0);
        let names = lines.iter().filter(|line| line.has_bar).map(|line| width(&line.name)).max().unwrap_or(0);
        let room = look.columns.map_or(0, |columns| columns.saturating_sub(digits + names + 14).min(BAR));
        let all: u64 = lines.iter().filter(|line| line.has_bar).map(|line| line.count).sum();
        for line in &lines {
            let _ = write!(text, "\n  {:>digits$}  ", number(line.count));
            if room < SHORTEST_BAR || !line.has_bar {
                let name = look.columns.map(|n| paragraph(&line.name, n.saturating_sub(digits + 4), 2));
                let hung = format!("\n{}", " ".repeat(digits + 4));
                text.push_str(&name.unwrap_or_else(|| line.name.clone()).replace('\n', &hung));
                continue;
            }
            let gap = " ".repeat(names - width(&line.name));
            let _ = write!(
                text,
                "{}{gap}  {} {}",
                look.paint(line.sgr, &line.name),
                look.paint(line.sgr, &bar(line.count, all, room)),
                share(line.count, all)
            );
        }
    }

    fn lines(&self, lang: Lang) -> Vec<Line> {
        let mut lines = match self.counts {
            Counts::Import { rows, imported, failed, invalid, duplicates, conflicts, skipped, unsent } => {
                vec![
                    line(rows, ("row", "rows", "总行数"), None, lang),
                    line(imported, ("imported", "imported", "已导入"), Some(GREEN), lang),
                    line(failed, ("failed", "failed", "失败"), Some(RED), lang),
                    line(
                        invalid,
                        ("invalid, never sent", "invalid, never sent", "无效,未发送"),
                        Some(RED),
                        lang,
                    ),
                    line(duplicates, ("duplicate", "duplicates", "重复"), Some(DIM), lang),
                    line(conflicts, OTHER_PROFILE_OF_THEM, None, lang),
                    line(
                        skipped,
                        ("skipped: there already", "skipped: there already", "已存在,跳过"),
                        Some(DIM),
                        lang,
                    ),
                    line(unsent, ("unsent", "unsent", "未发送"), Some(YELLOW), lang),
                ]
            }
            Counts::Verify { rows, present, missing, different, invalid, duplicates, unsent } => vec![
                line(rows, ("row", "rows", "总行数"), None, lang),
                line(present, ("present", "present", "存在"), Some(GREEN), lang),
                line(missing, ("missing", "missing", "缺失"), Some(RED), lang),
                line(different, OTHER_PROFILE, Some(RED), lang),
                line(
                    invalid,
                    ("invalid, never asked for", "invalid, never asked for", "无效,未查询"),
                    Some(RED),
                    lang,
                ),
                line(duplicates, ("duplicate", "duplicates", "重复"), Some(DIM), lang),
                line(unsent, ("without an answer", "without an answer", "未得到应答"), Some(YELLOW), lang),
            ],
        };
        if let Some(checked) = &self.verified {
            let silent = checked.failed + checked.unasked();
            let verified = |en, zh| (en, en, zh);
            lines.extend([
                line(checked.present, verified("verified: present", "核对:存在"), None, lang),
                line(checked.missing, verified("verified: missing", "核对:缺失"), None, lang),
                line(
                    checked.different,
                    verified("verified: with another Nick or FaceUrl", "核对:Nick 或 FaceUrl 不同"),
                    None,
                    lang,
                ),
                line(silent, verified("verified: without an answer", "核对:未得到应答"), None, lang),
            ]);
        }
        lines
    }

    fn traffic(&self, lang: Lang) -> String {
        let mut text = match lang {
            Lang::En => format!(
                "{}, {}; {} accounts/s",
                counted(self.requests, "request", "requests"),
                match self.retries {
                    0 => "no retries".to_owned(),
                    retries => counted(retries, "of them a retry", "of them retries"),
                },
                rate(self.accounts_per_s),
            ),
            Lang::Zh => format!(
                "{} 次请求,其中重试 {} 次;{} 个账号/秒",
                number(self.requests),
                number(self.retries),
                rate(self.accounts_per_s),
            ),
        };
        if self.requests > 1 {
            let requests_per_s = self.requests_per_s;
            let _ = match lang {
                Lang::En => write!(text, ", {requests_per_s:.1} requests/s"),
                Lang::Zh => write!(text, ",{requests_per_s:.1} 请求/秒"),
            };
        }
        if let (Some(p50), Some(p99)) = (self.latency_ms.p50, self.latency_ms.p99) {
            let _ = write!(text, "; p50 {p50:.0} ms, p99 {p99:.0} ms");
        }
        text
    }

    /// The most frequent first.
    fn codes_by_count(&self) -> Vec<(crate::error_code::Code, u64)> {
        let mut codes: Vec<_> = self.codes.iter().map(|(code, count)| (*code, *count)).collect();
        codes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        codes
    }

    /// A line for each code: its count and what it means.
    fn put_codes(&self, text: &mut String, lang: Lang, look: Look, columns: usize) {
        let heading = if lang == Lang::En { "answers other than OK:" } else { "非成功应答:" };
        let _ = write!(text, "\n{heading}");
        let codes = self.codes_by_count();
        let shown = &codes[..codes.len().min(CODES)];
        let digits = shown.iter().map(|(_, count)| number(*count).len()).max().unwrap_or(0);
        let names = shown.iter().map(|(code, _)| code.to_string().len()).max().unwrap_or(0);
        for (code, count) in shown {
            let Explanation { meaning, .. } = explain(*code, lang);
            let line = format!("  {:>digits$}  {:<names$}  {meaning}", number(*count), code.to_string());
            let hung = if columns < 60 { 4 } else { digits + names + 6 };
            let line = paragraph(&line, columns, hung);
            let code = code.to_string();
            let _ = write!(text, "\n{}", line.replacen(&code, &look.paint(YELLOW, &code), 1));
        }
        if codes.len() > CODES {
            let _ = write!(text, "\n  {:>digits$}", "…");
        }
    }

    fn put_code_line(&self, text: &mut String, lang: Lang) {
        let codes = self.codes_by_count();
        let mut shown: Vec<String> =
            codes.iter().take(CODES).map(|(code, count)| format!("{code} ×{}", number(*count))).collect();
        if codes.len() > CODES {
            shown.push("…".into());
        }
        let heading = if lang == Lang::En { "answers other than OK: " } else { "非成功应答:" };
        let _ = write!(text, "\n{heading}{}", shown.join(", "));
    }

    /// The report, if rows are in it, and the command that goes on from here: on a terminal on a line of its own,
    /// which is never broken.
    fn put_next(&self, text: &mut String, lang: Lang, look: Look) {
        let mut put = |sentence: String, command: Option<&String>| {
            let command = command.map(|command| look.paint(BOLD, &escape(command)));
            let _ = match (look.columns, command) {
                (Some(n), Some(command)) => write!(text, "\n\n{}\n  {command}", paragraph(&sentence, n, 2)),
                (Some(n), None) => write!(text, "\n\n{}", paragraph(&sentence, n, 2)),
                (None, Some(command)) => write!(text, "\n{sentence} {command}"),
                (None, None) => write!(text, "\n{sentence}"),
            };
        };
        if let (Some(report), refused @ 1..) = (&self.report, self.refused()) {
            let command = self
                .import_report_command
                .as_ref()
                .filter(|_| self.resume_command.is_none() && self.restart_command.is_none())
                // Whoever imports the report alone would take the rest for imported.
                .filter(|_| !matches!(self.counts, Counts::Import { unsent: 1.., .. }));
            put(refused_rows(refused, &escape(report), command.is_some(), lang), command);
        }
        if let Some(command) = &self.resume_command {
            put(if lang == Lang::En { "go on with:" } else { "继续运行:" }.to_owned(), Some(command));
        }
        if let Some(command) = &self.restart_command {
            let (en, zh) = (
                "if the input is put back as it was, --resume goes on; or begin anew with:",
                "输入已改变:恢复原文件后可用 --resume 继续,或重新开始:",
            );
            put(if lang == Lang::En { en } else { zh }.to_owned(), Some(command));
        }
    }

    /// What whoever wants errors alone is told; none if all is well.
    pub(in crate::report) fn error(&self, lang: Lang) -> Option<String> {
        if self.exit_code == 0 {
            return None;
        }
        let mut text = match (&self.reason, self.status) {
            (Some(reason), _) => reason.clone(),
            (None, "interrupted") => if lang == Lang::En { "interrupted" } else { "已中断" }.to_owned(),
            _ => String::new(),
        };
        self.put_next(&mut text, lang, Look::default());
        Some(text.trim_start().to_owned())
    }

    /// Rows of the report.
    fn refused(&self) -> u64 {
        let found = self.verified.map_or(0, |checked| checked.missing + checked.different + checked.failed);
        match self.counts {
            Counts::Import { failed, invalid, .. } => failed + invalid + found,
            Counts::Verify { missing, different, invalid, .. } => missing + different + invalid,
        }
    }
}

/// How many rows are in the report, and what is to be done with them.
fn refused_rows(count: u64, report: &str, importable: bool, lang: Lang) -> String {
    let mend = match (lang, importable, count) {
        (_, false, _) => "",
        (Lang::En, true, 1) => ": mend it, then import it with:",
        (Lang::En, true, _) => ": mend them, then import them with:",
        (Lang::Zh, true, _) => ",修正后用以下命令导入:",
    };
    match (lang, count) {
        (Lang::En, 1) => format!("1 row is in {report} with its reason{mend}"),
        (Lang::En, _) => format!("{} rows are in {report}, each with its reason{mend}", number(count)),
        (Lang::Zh, _) => format!("报告 {report} 含 {} 行及其原因{mend}", number(count)),
    }
}

/// A terminal has room for an empty line between two matters.
fn gap(look: Look) -> &'static str {
    if look.columns.is_some() { "\n\n" } else { "\n" }
}

const OTHER_PROFILE: (&str, &str, &str) =
    ("with another Nick or FaceUrl", "with another Nick or FaceUrl", "Nick 或 FaceUrl 不同");
const OTHER_PROFILE_OF_THEM: (&str, &str, &str) = (
    "of them with another Nick or FaceUrl",
    "of them with another Nick or FaceUrl",
    "其中 Nick 或 FaceUrl 不同",
);

/// In the words for one and for many, and in Chinese; without a colour it has no bar.
fn line(count: u64, (one, many, zh): (&str, &str, &str), sgr: Option<&'static str>, lang: Lang) -> Line {
    let name = match lang {
        Lang::Zh => zh,
        Lang::En if count == 1 => one,
        Lang::En => many,
    };
    Line { count, name: name.to_owned(), sgr: sgr.unwrap_or_default(), has_bar: sgr.is_some() }
}

/// `count` of `all` in eighths of a column; something, however little it is.
fn bar(count: u64, all: u64, columns: usize) -> String {
    let eighths = u128::from(count) * columns as u128 * 8 / u128::from(all.max(1));
    let (whole, part) = ((eighths / 8) as usize, (eighths % 8) as usize);
    let tip = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][if whole == 0 { part.max(1) } else { part }];
    let blank = columns - whole - usize::from(!tip.is_empty());
    format!("{}{tip}{}", "█".repeat(whole), " ".repeat(blank))
}

/// Neither none nor all is claimed that is not so.
fn share(count: u64, all: u64) -> String {
    let percent = count as f64 * 100.0 / all.max(1) as f64;
    match percent {
        _ if count == all => "100%".to_owned(),
        _ if percent < 0.1 => "<0.1%".to_owned(),
        _ if percent > 99.9 => ">99.9%".to_owned(),
        _ => format!("{percent:.1}%"),
    }
}
