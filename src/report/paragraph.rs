//! Texts broken into lines between words, so that a terminal need not break them within.

use textwrap::{Options, WordSeparator, WordSplitter};

/// Wider lines are hard to read.
const WIDEST: usize = 100;

/// `text` in lines of at most `columns`, but for words that are longer: paths and commands stay whole. Lines after
/// the first begin with `indent` spaces.
pub fn paragraph(text: &str, columns: usize, indent: usize) -> String {
    // Chinese has no spaces to break at, paths have other places than spaces where they should not be broken.
    let has_spaces = text.chars().all(|c| c < '\u{2e80}');
    let separator =
        if has_spaces { WordSeparator::AsciiSpace } else { WordSeparator::UnicodeBreakProperties };
    let indent = " ".repeat(indent);
    let options = Options::new(columns.min(WIDEST))
        .break_words(false)
        .word_separator(separator)
        .word_splitter(WordSplitter::NoHyphenation)
        .subsequent_indent(&indent);
    textwrap::fill(text, options)
}

/// How many columns a text takes; colours take none.
pub(super) fn width(text: &str) -> usize {
    textwrap::core::display_width(text)
}

/// `text` and as many spaces as it takes to fill `columns`.
pub fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Each line as a paragraph, but for those that begin with two spaces: commands are pasted as they are.
pub(super) fn paragraphs(text: &str, columns: usize) -> String {
    let line =
        |line: &str| if line.starts_with("  ") { line.to_owned() } else { paragraph(line, columns, 2) };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_never_within_a_path_an_option_or_a_command() {
        let text = "the journal /var/lib/imimport/accounts.imimport-journal is in use; go on with --resume\n  \
                    imimport --resume accounts.csv --region sgp";
        assert_eq!(
            paragraphs(text, 40),
            "the journal\n  /var/lib/imimport/accounts.imimport-journal\n  is in use; go on with --resume\n  \
             imimport --resume accounts.csv --region sgp"
        );
    }

    #[test]
    fn chinese_is_broken_by_the_columns_that_it_takes() {
        for line in paragraph("请用 --region 指定应用创建时所选的地域,然后续传本次导入", 20, 2).lines()
        {
            assert!(width(line) <= 20, "{line}");
        }
    }
}
