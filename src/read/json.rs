//! One JSON value to a row.

use super::columns::{Field, Names, REPORT, listed};
use super::row::{Fields, quoted};
use serde::de::{Deserialize, Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::fmt;

/// Different keys that are remembered; rows seldom have more.
const KNOWN_MOST: usize = 64;

/// The fields that keys are, remembered, for most rows have the same keys.
#[derive(Clone)]
pub(super) struct Keys {
    names: Names,
    known: Vec<(Box<str>, Option<Field>)>,
}

impl Keys {
    pub(super) fn new(names: Names) -> Self {
        Self { names, known: Vec::new() }
    }

    fn field(&mut self, key: &str) -> Option<Field> {
        if let Some((_, field)) = self.known.iter().find(|(known, _)| **known == *key) {
            return *field;
        }
        let field = Field::ALL.into_iter().find(|field| self.names.means(key, *field));
        if self.known.len() < KNOWN_MOST {
            self.known.push((key.into(), field));
        }
        field
    }
}

/// The row that a JSON object is, or why it is none.
pub(super) fn object<'a>(json: &'a str, keys: &mut Keys) -> Result<Fields<'a>, String> {
    if !json.trim_ascii_start().starts_with('{') {
        return Err("not a JSON object: a row looks like {\"UserID\": \"…\", \"Nick\": \"…\"}".to_owned());
    }
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let row = deserializer.deserialize_map(Object { keys }).map_err(|error| reason(&error))?;
    deserializer.end().map_err(|error| reason(&error))?;
    let [user_id, nick, face_url] = row;
    Ok(Fields { user_id, nick, face_url })
}

/// The row that a UserID on its own is, as the old form of a request body has it.
pub(super) fn user_id(json: &str) -> Result<Fields<'_>, String> {
    let value = serde_json::from_str(json).map_err(|error| reason(&error))?;
    let user_id = value_of(Field::UserId, value)?;
    Ok(Fields { user_id, nick: Cow::Borrowed(""), face_url: Cow::Borrowed("") })
}

/// Whether a line is one of a report that this program wrote.
pub(super) fn is_report_line(line: &[u8]) -> bool {
    struct Keys;
    impl<'de> Visitor<'de> for Keys {
        type Value = Vec<Text<'de>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut keys = Vec::new();
            while let Some((key, IgnoredAny)) = map.next_entry()? {
                keys.push(key);
            }
            Ok(keys)
        }
    }
    if !line.starts_with(b"{") {
        return false;
    }
    let keys = serde_json::Deserializer::from_slice(line).deserialize_map(Keys).unwrap_or_default();
    let has = |name: &str| keys.iter().any(|key| key.0 == name);
    keys.iter().all(|key| REPORT.contains(&&*key.0)) && ["Outcome", "Attempts", "Line"].into_iter().all(has)
}

/// A string, borrowed where it has no escapes.
struct Text<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Either)
    }
}

struct Object<'k> {
    keys: &'k mut Keys,
}

impl<'de> Visitor<'de> for Object<'_> {
    /// In the order of [`Field::ALL`]; what is not given is empty.
    type Value = [Cow<'de, str>; 3];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found: [Option<(Cow<'de, str>, Cow<'de, str>)>; 3] = [None, None, None];
        let mut keys = Vec::new();
        while let Some(Text(key)) = map.next_key()? {
            if let Some(field) = self.keys.field(&key) {
                let found = &mut found[field as usize];
                let value = value_of(field, map.next_value::<&'de RawValue>()?).map_err(A::Error::custom)?;
                if let Some((earlier, _)) =
                    found.replace((key.clone(), value)).filter(|(earlier, _)| *earlier != key)
                {
                    return Err(A::Error::custom(format!(
                        "the keys {} and {} both mean {}: keep one",
                        quoted(&earlier),
                        quoted(&key),
                        field.name(),
                    )));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            keys.push(key);
        }
        keys.sort_unstable();
        if let Some((key, _)) = keys.iter().zip(keys.iter().skip(1)).find(|(one, next)| one == next) {
            return Err(A::Error::custom(format!("the key {} is repeated: keep one", quoted(key))));
        }
        if found[Field::UserId as usize].is_none() && !keys.is_empty() {
            return Err(A::Error::custom(format!(
                "no key is UserID: name one with --map UserID=KEY among {}",
                listed(&keys)
            )));
        }
        Ok(found.map(|found| found.map_or(Cow::Borrowed(""), |(_, value)| value)))
    }
}

/// A string's text, a UserID's digits, nothing for `null`, or why it is none of these.
fn value_of(field: Field, value: &RawValue) -> Result<Cow<'_, str>, String> {
    let json = value.get();
    let name = field.name();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<Text<'_>>(json)
            .map(|text| text.0)
            .map_err(|error| format!("{name} is no valid string: {}", reason(&error))),
        Some(b'n') => Ok(Cow::Borrowed("")),
        Some(b'-' | b'0'..=b'9') if field == Field::UserId => {
            if json.bytes().all(|byte| matches!(byte, b'-' | b'0'..=b'9')) {
                Ok(Cow::Borrowed(json))
            } else {
                Err(format!(
                    "UserID is the number {}: write it as a string or as a whole number",
                    quoted(json)
                ))
            }
        }
        Some(first) => {
            let kind = match first {
                b'{' => "an object",
                b'[' => "an array",
                b't' | b'f' => "a boolean",
                _ => "a number",
            };
            Err(format!("{name} is {kind}: write it as a string"))
        }
        None => Err(format!("{name} has no value")),
    }
}

/// What is wrong, without the place that the JSON library adds: its lines are not the input's.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let what = text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what);
    if error.is_data() {
        what.to_owned()
    } else {
        format!("not valid JSON at its character {}: {what}", error.column())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<[String; 3], String> {
        let fields = object(json, &mut Keys::new(Names::default()))?;
        Ok([fields.user_id, fields.nick, fields.face_url].map(Cow::into_owned))
    }

    fn row(user_id: &str, nick: &str, face_url: &str) -> [String; 3] {
        [user_id, nick, face_url].map(str::to_owned)
    }

    #[test]
    fn keys_match_as_columns_do_and_others_are_ignored() {
        assert_eq!(
            read(r#"{"user_id":"a","Nick-Name":"张三","x":{"UserID":"b"},"avatar":"u"}"#),
            Ok(row("a", "张三", "u"))
        );
        assert_eq!(read(r#"{"UserID":"\u5f20\n","Nick":null,"FaceUrl":""}"#), Ok(row("张\n", "", "")));
        assert_eq!(read("{}"), Ok(row("", "", "")));
        assert_eq!(
            read(r#"{"uid":"a","name":"b"}"#),
            Err(r#"no key is UserID: name one with --map UserID=KEY among "name", "uid""#.to_owned())
        );
    }

    #[test]
    fn a_whole_number_is_taken_digit_for_digit() {
        let long = "12345678901234567890123456789012";
        assert_eq!(read(&format!(r#"{{"UserID":{long}}}"#)), Ok(row(long, "", "")));
        for number in ["1.0", "1e3", "123456789012345678901E2", "0.5"] {
            assert!(read(&format!(r#"{{"UserID":{number}}}"#)).unwrap_err().contains(number));
        }
    }

    #[test]
    fn a_field_of_the_wrong_type_says_which_and_what_it_is() {
        assert_eq!(read(r#"{"UserID":true}"#), Err("UserID is a boolean: write it as a string".to_owned()));
        assert_eq!(
            read(r#"{"UserID":"a","Nick":1}"#),
            Err("Nick is a number: write it as a string".to_owned())
        );
        assert_eq!(read(r#"{"UserID":["a"]}"#), Err("UserID is an array: write it as a string".to_owned()));
        assert_eq!(
            read(r#"{"UserID":"a","FaceUrl":{}}"#),
            Err("FaceUrl is an object: write it as a string".to_owned())
        );
    }

    #[test]
    fn a_key_that_is_repeated_or_two_keys_for_one_field_are_refused() {
        assert_eq!(
            read(r#"{"UserID":"a","UserID":"a"}"#),
            Err(r#"the key "UserID" is repeated: keep one"#.to_owned())
        );
        assert_eq!(
            read(r#"{"UserID":"a","x":1,"x":2}"#),
            Err(r#"the key "x" is repeated: keep one"#.to_owned())
        );
        assert_eq!(
            read(r#"{"UserID":"a","userid":"b"}"#),
            Err(r#"the keys "UserID" and "userid" both mean UserID: keep one"#.to_owned())
        );
    }

    #[test]
    fn what_does_not_parse_says_where() {
        assert_eq!(
            read(r#"{"UserID":"a" "Nick":"b"}"#),
            Err("not valid JSON at its character 15: expected `,` or `}`".to_owned())
        );
        assert!(read(r#"{"UserID":"a"} x"#).unwrap_err().contains("trailing characters"));
        assert!(read(r#"{"UserID":"\ud800"}"#).unwrap_err().starts_with("UserID is no valid string"));
        for json in ["[]", "\"a\"", "1", "null", "x"] {
            assert!(read(json).unwrap_err().starts_with("not a JSON object"), "{json}");
        }
    }

    #[test]
    fn a_line_of_our_report_is_recognised_by_its_keys() {
        assert!(is_report_line(
            br#"{"UserID":"a","Outcome":"failed","Attempts":1,"Line":"f.csv:3","Raw":null}"#
        ));
        for other in [
            r#"{"UserID":"a","Nick":"b"}"#,
            r#"{"UserID":"a","Outcome":1,"Attempts":1,"Line":2,"x":1}"#,
            "{",
            "",
        ] {
            assert!(!is_report_line(other.as_bytes()), "{other}");
        }
    }
}
