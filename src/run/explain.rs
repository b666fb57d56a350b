//! `imimport explain`: the table of codes, in words.

use crate::error_code::{self, Code, Explanation, Lang};
use crate::report::{padded, paragraph};
use std::fmt::Write;

/// What one code means and what to do, or a line for each code that is known; broken at `columns` on a terminal.
pub(super) fn explain(
    code: Option<&str>,
    lang: Lang,
    columns: Option<usize>,
) -> Result<String, error_code::UnknownCode> {
    let mut text = String::new();
    let mut put = |line: String, indent: usize| {
        let line = columns.map_or_else(|| line.clone(), |columns| paragraph(&line, columns, indent));
        let _infallible = writeln!(text, "{line}");
    };
    let Some(code) = code else {
        let all: Vec<_> = error_code::all().map(|code| error_code::explain(code, lang)).collect();
        for Explanation { code, class, meaning, .. } in &all {
            put(format!("{} {class}: {meaning}", padded(&code.to_string(), 14)), 15);
        }
        return Ok(text);
    };
    let code: Code = code.parse()?;
    let Explanation { known, class, meaning, reaction, advice, .. } = error_code::explain(code, lang);
    let labels = match lang {
        Lang::En => ["meaning", "class", "imimport", "you"],
        Lang::Zh => ["含义", "类别", "程序", "建议"],
    };
    let note = match (known, lang) {
        (true, _) => "",
        (false, Lang::En) => " (not in the service's table; judged by its range)",
        (false, Lang::Zh) => "（不在错误码表中，按号段判断）",
    };
    put(format!("{code}{note}"), 2);
    for (label, words) in labels.into_iter().zip([meaning, class, reaction, advice]) {
        put(format!("  {} {words}", padded(&format!("{label}:"), 9)), 12);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_code_is_explained_in_both_languages_and_an_unknown_one_says_so() {
        let plain = |code, lang| explain(Some(code), lang, None);
        assert!(plain("70402", Lang::En).unwrap().starts_with("70402\n  meaning:  "));
        assert!(plain("70402", Lang::Zh).unwrap().contains("含义"));
        assert!(plain("60999", Lang::En).unwrap().contains("not in the service's table"));
        assert!(plain("http_502", Lang::En).is_ok());
        assert!(plain("often", Lang::En).is_err());
    }

    #[test]
    fn without_a_code_every_code_has_a_line() {
        let text = explain(None, Lang::En, None).unwrap();
        assert_eq!(text.lines().count(), error_code::all().count());
    }

    #[test]
    fn on_a_terminal_long_texts_are_broken_and_stay_under_their_beginning() {
        assert_eq!(
            explain(Some("70001"), Lang::En, Some(60)).unwrap(),
            "70001\n\
             \x20 meaning:  the UserSig has expired\n\
             \x20 class:    expired\n\
             \x20 imimport: makes a new UserSig from the SecretKey; stops if\n\
             \x20           it has none\n\
             \x20 you:      give the SecretKey, from which signatures are\n\
             \x20           renewed: --secret-key-file; and check this\n\
             \x20           machine's clock\n"
        );
        let columns: usize = 40;
        for line in explain(None, Lang::Zh, Some(columns)).unwrap().lines() {
            let wide = line.chars().filter(|c| *c > '\u{2e80}').count();
            assert!(line.chars().count() + wide <= columns, "{line}");
        }
    }
}
