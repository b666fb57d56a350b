//! Text from outside, made safe to show: nothing in it moves the cursor, rings, or turns the writing around.

use std::borrow::Cow;

/// `text` with every control character and every bidirectional override spelled out, line ends too.
pub fn escape(text: &str) -> Cow<'_, str> {
    escape_but(text, |_| false)
}

/// The same, but line ends stay.
pub(super) fn escape_lines(text: &str) -> Cow<'_, str> {
    escape_but(text, |c| c == '\n')
}

fn escape_but(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let bad = |c: char| is_unsafe(c) && !stays(c);
    if !text.contains(bad) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if bad(c) {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

/// C0, DEL and C1, and the overrides and isolates of Unicode's bidirectional algorithm (UAX #9).
fn is_unsafe(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_steer_a_terminal_is_spelled_out_and_the_rest_is_left() {
        let cases = [
            ("plain, 张三 🙂 \"quoted\" \\", "plain, 张三 🙂 \"quoted\" \\"),
            ("\u{1b}[2Jgone", "\\u{1b}[2Jgone"),
            ("a\r\nb\tc", "a\\r\\nb\\tc"),
            ("\u{0}\u{7f}\u{9b}1m", "\\u{0}\\u{7f}\\u{9b}1m"),
            ("\u{202e}drow\u{2069}", "\\u{202e}drow\\u{2069}"),
        ];
        for (text, expected) in cases {
            assert_eq!(escape(text), expected);
        }
        assert!(matches!(escape("plain"), Cow::Borrowed(_)));
        assert_eq!(escape_lines("a\nb\r"), "a\nb\\r");
    }
}
