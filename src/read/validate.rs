//! The rules that a row must meet before it is sent.

use super::columns::Field;
use super::row::{Fields, quoted};
use crate::account::{PROFILE_BYTES, USER_ID_BYTES};

/// Beginnings of UserIDs that the service keeps for itself.
const RESERVED: [&str; 4] = ["@RBT#", "@TLS#", "@TIM#", "@TGS#"];

/// A row that may be sent. What is not given is empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Checked<'a> {
    pub(super) user_id: &'a str,
    pub(super) nick: &'a str,
    pub(super) face_url: &'a str,
    /// The UserID has only characters that every part of the service takes.
    pub(super) is_plain: bool,
}

/// A row that may not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused<'a> {
    pub(super) reason: String,
    /// If that at least is valid.
    pub(super) user_id: Option<&'a str>,
}

/// Judges a row; with `trim` as it is without the whitespace around its fields.
pub(super) fn check<'a>(fields: &'a Fields<'_>, trim: bool) -> Result<Checked<'a>, Refused<'a>> {
    let [id, nick, face_url] =
        [&fields.user_id, &fields.nick, &fields.face_url].map(|text| if trim { text.trim() } else { text });
    let is_plain = is_plain(id);
    user_id(id, is_plain).map_err(|reason| Refused { reason, user_id: None })?;
    profile(Field::Nick, nick)
        .and_then(|()| profile(Field::FaceUrl, face_url))
        .map_err(|reason| Refused { reason, user_id: Some(id) })?;
    Ok(Checked { user_id: id, nick, face_url, is_plain })
}

/// Why this may not be a UserID.
fn user_id(id: &str, is_plain: bool) -> Result<(), String> {
    if id.is_empty() {
        return Err("UserID is missing or empty".to_owned());
    }
    if id.len() > USER_ID_BYTES {
        return Err(format!("UserID is {} bytes, {USER_ID_BYTES} are allowed", id.len()));
    }
    if is_plain {
        return Ok(());
    }
    if id.trim() != id {
        return Err("UserID has whitespace around it: --trim removes it".to_owned());
    }
    if id.chars().any(char::is_control) {
        return Err(format!("UserID {} has a control character", quoted(id)));
    }
    if let Some(reserved) = RESERVED.iter().find(|reserved| id.starts_with(**reserved)) {
        return Err(format!("UserID begins with {reserved}, which the service keeps for itself"));
    }
    if is_shortened_number(id) {
        return Err(format!(
            "UserID {id} is a number that a spreadsheet shortened: export the column as text"
        ));
    }
    Ok(())
}

/// Why this may not be a Nick or a FaceUrl.
fn profile(field: Field, text: &str) -> Result<(), String> {
    if text.len() > PROFILE_BYTES {
        return Err(format!("{} is {} bytes, {PROFILE_BYTES} are allowed", field.name(), text.len()));
    }
    Ok(())
}

/// Letters, digits, `_` and `-`, by their bytes.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let mut byte: u8 = 0;
    while byte < 128 {
        plain[byte as usize] = byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        byte += 1;
    }
    plain
};

fn is_plain(id: &str) -> bool {
    // Every row passes here: looking at all bytes costs less than a decision at each.
    id.bytes().fold(true, |plain, byte| plain & PLAIN[usize::from(byte)])
}

/// `1.23457E+19`, `1,5E+10`, `1E+15`, `1.0E10`: a mantissa with one to three digits before its point, and an
/// exponent; without a point and without a plus it may as well be a name.
fn is_shortened_number(id: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((mantissa, exponent)) = id.split_once(['E', 'e']) else { return false };
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = match mantissa.split_once(['.', ',']) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let unsigned = exponent.strip_prefix('+');
    digits(whole)
        && whole.len() <= 3
        && fraction.is_none_or(digits)
        && digits(unsigned.unwrap_or(exponent))
        && (fraction.is_some() || unsigned.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::borrow::Cow;

    fn user_id(id: &str) -> Result<(), String> {
        super::user_id(id, is_plain(id))
    }

    fn fields<'a>(user_id: &'a str, nick: &'a str) -> Fields<'a> {
        Fields { user_id: Cow::Borrowed(user_id), nick: Cow::Borrowed(nick), face_url: Cow::Borrowed(" u ") }
    }

    #[test]
    fn trim_takes_whitespace_from_every_field_and_only_if_it_is_asked_for() {
        assert_eq!(
            check(&fields("a\t", "\u{3000}"), true),
            Ok(Checked { user_id: "a", nick: "", face_url: "u", is_plain: true })
        );
        assert_eq!(
            check(&fields("a", " 张 "), false),
            Ok(Checked { user_id: "a", nick: " 张 ", face_url: " u ", is_plain: true })
        );
    }

    #[test]
    fn a_refused_row_keeps_its_user_id_if_that_is_valid() {
        let long = "x".repeat(501);
        assert_eq!(check(&fields("a", &long), false).unwrap_err().user_id, Some("a"));
        assert_eq!(check(&fields("", &long), false).unwrap_err().user_id, None);
    }

    #[test]
    fn a_user_id_has_one_to_32_bytes() {
        assert_eq!(user_id(""), Err("UserID is missing or empty".to_owned()));
        assert_eq!(user_id(&"a".repeat(32)), Ok(()));
        assert_eq!(user_id(&"a".repeat(33)), Err("UserID is 33 bytes, 32 are allowed".to_owned()));
        assert_eq!(user_id("一二三四五六七八九十"), Ok(()));
        assert_eq!(user_id("一二三四五六七八九十一"), Err("UserID is 33 bytes, 32 are allowed".to_owned()));
    }

    #[test]
    fn a_user_id_has_no_whitespace_around_it_unless_it_is_trimmed() {
        for id in [" a", "a ", "\ta", "a\u{3000}", "\u{a0}a"] {
            assert!(user_id(id).unwrap_err().contains("whitespace"), "{id:?}");
            assert_eq!(check(&fields(id, ""), true).unwrap().user_id, "a");
        }
        assert_eq!(user_id("a b"), Ok(()));
        assert!(check(&fields(" \u{3000} ", ""), true).unwrap_err().reason.contains("empty"));
    }

    #[test]
    fn a_user_id_has_no_control_character() {
        for id in ["a\nb", "a\0b", "a\u{7f}b", "a\u{85}b"] {
            assert!(user_id(id).unwrap_err().contains("control character"), "{id:?}");
        }
    }

    #[test]
    fn a_user_id_does_not_begin_as_the_services_own_do() {
        for id in ["@RBT#1", "@TLS#NOT_FOUND", "@TIM#x", "@TGS#x"] {
            assert!(user_id(id).unwrap_err().contains("keeps for itself"), "{id}");
        }
        assert_eq!(user_id("@tls#x"), Ok(()));
        assert_eq!(user_id("a@TLS#"), Ok(()));
    }

    #[test]
    fn a_user_id_is_no_number_that_a_spreadsheet_shortened() {
        for id in ["1.23457E+19", "1.23457e+19", "1E+15", "-1,5E+10", "1.0E10", "123.4E+6"] {
            assert!(user_id(id).unwrap_err().contains("spreadsheet"), "{id}");
        }
        for id in
            ["1E15", "12345678901234567890", "1.5", "E+5", "1.E+5", "1.5E+", "1.5E+1a", "v1.5E+1", "1.5E-3"]
        {
            assert_eq!(user_id(id), Ok(()), "{id}");
        }
    }

    #[test]
    fn nick_and_face_url_have_500_bytes_at_most() {
        assert_eq!(profile(Field::Nick, &"a".repeat(500)), Ok(()));
        assert_eq!(
            profile(Field::Nick, &"字".repeat(167)),
            Err("Nick is 501 bytes, 500 are allowed".to_owned())
        );
        assert!(profile(Field::FaceUrl, &"a".repeat(501)).unwrap_err().starts_with("FaceUrl is 501"));
    }

    #[test]
    fn plain_user_ids_are_letters_digits_underscores_and_hyphens() {
        assert!(is_plain("Az09_-"));
        for id in ["a b", "a.b", "张三", "a@b"] {
            assert!(!is_plain(id), "{id}");
        }
    }
}
