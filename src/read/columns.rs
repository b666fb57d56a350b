//! Which column or key is which field.

use super::row::quoted;
use std::str::FromStr;

/// The columns of the report that this program writes, in its order.
pub(super) const REPORT: [&str; 9] =
    ["UserID", "Nick", "FaceUrl", "Outcome", "ErrorCode", "ErrorInfo", "Attempts", "Line", "Raw"];
/// The most columns that a message lists.
const LISTED_MOST: usize = 20;

/// A field of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The only one that every row must have.
    UserId,
    /// The name that others see.
    Nick,
    /// The address of the picture.
    FaceUrl,
}

/// The name is no field's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown field: use UserID, Nick or FaceUrl")]
pub struct UnknownField;

impl Field {
    pub(super) const ALL: [Field; 3] = [Field::UserId, Field::Nick, Field::FaceUrl];

    /// The service's word for it.
    pub fn name(self) -> &'static str {
        self.spellings()[0]
    }

    fn spellings(self) -> &'static [&'static str] {
        match self {
            Field::UserId => &["UserID", "identifier", "account"],
            Field::Nick => &["Nick", "nickname"],
            Field::FaceUrl => &["FaceUrl", "avatar", "avatar_url"],
        }
    }
}

impl FromStr for Field {
    type Err = UnknownField;

    fn from_str(name: &str) -> Result<Self, UnknownField> {
        Field::ALL.into_iter().find(|field| same(field.name(), name)).ok_or(UnknownField)
    }
}

/// Whether two names are one, regardless of case, `_`, `-` and spaces.
pub(super) fn same(one: &str, other: &str) -> bool {
    if one.is_ascii() && other.is_ascii() {
        bare_ascii(one).eq(bare_ascii(other))
    } else {
        bare(one).eq(bare(other))
    }
}

/// A name's letters, without the byte order mark too that stands before it where files were joined.
fn bare(name: &str) -> impl Iterator<Item = char> {
    let told = |c: &char| !matches!(c, '_' | '-' | '\u{FEFF}') && !c.is_whitespace();
    name.chars().filter(told).flat_map(char::to_lowercase)
}

/// The same of a name in ASCII, faster: every row is compared with the header.
fn bare_ascii(name: &str) -> impl Iterator<Item = u8> {
    let told = |byte: &u8| !matches!(byte, b'_' | b'-' | b'\t'..=b'\r' | b' ');
    name.bytes().filter(told).map(|byte| byte.to_ascii_lowercase())
}

/// How columns and keys are matched with fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Names {
    map: Vec<(Field, String)>,
}

impl Names {
    /// A field in `map` has no other spelling than those it has there.
    pub(super) fn new(map: &[(Field, String)]) -> Self {
        Self { map: map.to_vec() }
    }

    /// Whether the column or key `name` is `field`.
    pub(super) fn means(&self, name: &str, field: Field) -> bool {
        if self.mapped(field).next().is_some() {
            self.mapped(field).any(|mapped| same(mapped, name))
        } else {
            field.spellings().iter().any(|spelling| same(spelling, name))
        }
    }

    fn mapped(&self, field: Field) -> impl Iterator<Item = &str> {
        self.map.iter().filter(move |(of, _)| *of == field).map(|(_, name)| name.as_str())
    }
}

/// Where the fields stand in each record of a CSV input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// In the order of [`Field::ALL`], from 0.
    pub(super) at: [Option<usize>; 3],
    /// How many columns each record has.
    pub(super) count: usize,
}

impl Columns {
    /// By the names in the header.
    pub(super) fn by_header(header: &[String], names: &Names) -> Result<Self, String> {
        let mut at = [None; 3];
        for (field, at) in Field::ALL.into_iter().zip(&mut at) {
            let mut found = (0..header.len()).filter(|&column| names.means(&header[column], field));
            *at = found.next();
            if let (Some(one), Some(other)) = (*at, found.next()) {
                return Err(format!(
                    "the columns {} and {} both mean {name}: choose one with --map {name}=COLUMN among {}",
                    quoted(&header[one]),
                    quoted(&header[other]),
                    listed(header),
                    name = field.name(),
                ));
            }
            let wanted = names.mapped(field).next();
            if at.is_none() && (field == Field::UserId || wanted.is_some()) {
                return Err(format!(
                    "no column is {}: name one with --map {}=COLUMN among {}{}",
                    wanted.map_or_else(|| "UserID".to_owned(), quoted),
                    field.name(),
                    listed(header),
                    if wanted.is_none() { ", or give --no-header if that is a row already" } else { "" },
                ));
            }
        }
        Ok(Self { at, count: header.len() })
    }

    /// By their order, or by the numbers from 1 that the map gives; a field whose place another took is not given.
    pub(super) fn by_number(count: usize, names: &Names) -> Result<Self, String> {
        let mut at = [None; 3];
        for (field, at) in Field::ALL.into_iter().zip(&mut at) {
            let Some(number) = names.mapped(field).next() else { continue };
            let column = number.trim().parse().ok().filter(|column| (1..=count).contains(column));
            *at = Some(column.map(|column: usize| column - 1).ok_or_else(|| {
                format!(
                    "without a header, --map {}={} must give a column's number from 1 to {count}",
                    field.name(),
                    quoted(number),
                )
            })?);
        }
        for usual in 0..at.len().min(count) {
            if at[usual].is_none() && !at.contains(&Some(usual)) {
                at[usual] = Some(usual);
            }
        }
        if at[0].is_none() {
            return Err("no column is left for UserID: name it with --map UserID=NUMBER".to_owned());
        }
        Ok(Self { at, count })
    }
}

/// Names of columns or keys, as many as a message has room for.
pub(super) fn listed(names: &[impl AsRef<str>]) -> String {
    let mut list: Vec<String> = names.iter().take(LISTED_MOST).map(|name| quoted(name.as_ref())).collect();
    if names.len() > LISTED_MOST {
        list.push("…".to_owned());
    }
    list.join(", ")
}

/// The delimiter that makes a UserID column recognisable in the header's line; a comma where none does.
pub(super) fn sniff_delimiter(line: &str, names: &Names) -> u8 {
    let recognised = |delimiter: u8| {
        line.split(char::from(delimiter)).any(|name| names.means(name.trim_matches('"'), Field::UserId))
    };
    b",;|\t".iter().copied().find(|&delimiter| recognised(delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn by_header(header: &str, map: &[(Field, &str)]) -> Result<[Option<usize>; 3], String> {
        let header: Vec<String> = header.split(',').map(str::to_owned).collect();
        Columns::by_header(&header, &names(map)).map(|columns| columns.at)
    }

    fn names(map: &[(Field, &str)]) -> Names {
        Names::new(&map.iter().map(|&(field, name)| (field, name.to_owned())).collect::<Vec<_>>())
    }

    #[test]
    fn a_column_matches_regardless_of_case_underscores_hyphens_and_spaces() {
        for header in ["face-url,user id,NICK", "Avatar,Account,nick_name", "AVATAR_URL,Identifier,Nick Name"]
        {
            assert_eq!(by_header(header, &[]), Ok([Some(1), Some(2), Some(0)]), "{header}");
        }
        assert_eq!(by_header("\u{feff}UserID,x", &[]), Ok([Some(0), None, None]));
    }

    #[test]
    fn a_field_in_the_map_has_no_other_spelling() {
        assert_eq!(
            by_header("UserID,学号", &[(Field::UserId, "学号")]),
            Ok([Some(1), None, None]),
            "the column UserID is an extra one then"
        );
        let error = by_header("UserID,Nick", &[(Field::Nick, "name")]).unwrap_err();
        assert_eq!(
            error,
            "no column is \"name\": name one with --map Nick=COLUMN among \"UserID\", \"Nick\""
        );
    }

    #[test]
    fn two_columns_for_one_field_or_none_for_user_id_name_the_columns_found_and_map() {
        let error = by_header("UserID,Nick,account", &[]).unwrap_err();
        assert_eq!(
            error,
            "the columns \"UserID\" and \"account\" both mean UserID: \
             choose one with --map UserID=COLUMN among \"UserID\", \"Nick\", \"account\""
        );
        let error = by_header("a\0b,nick", &[]).unwrap_err();
        assert_eq!(
            error,
            "no column is UserID: name one with --map UserID=COLUMN among \"a\\x00b\", \"nick\", \
             or give --no-header if that is a row already"
        );
    }

    #[test]
    fn without_a_header_columns_go_by_their_order_or_by_number() {
        let by_number = |count, map: &[_]| Columns::by_number(count, &names(map)).map(|columns| columns.at);
        assert_eq!(by_number(1, &[]), Ok([Some(0), None, None]));
        assert_eq!(by_number(4, &[]), Ok([Some(0), Some(1), Some(2)]));
        assert_eq!(by_number(4, &[(Field::UserId, "2")]), Ok([Some(1), None, Some(2)]));
        assert_eq!(
            by_number(3, &[(Field::UserId, "2"), (Field::Nick, "1")]),
            Ok([Some(1), Some(0), Some(2)])
        );
        for number in ["0", "5", "id", ""] {
            assert!(by_number(4, &[(Field::UserId, number)]).unwrap_err().contains("from 1 to 4"));
        }
        assert!(by_number(1, &[(Field::Nick, "1")]).is_err());
    }

    #[test]
    fn the_delimiter_is_the_one_that_shows_a_user_id_column() {
        let sniff = |line| char::from(sniff_delimiter(line, &names(&[])));
        assert_eq!(sniff("UserID,Nick;x"), ',');
        assert_eq!(sniff("Nick;\"user_id\""), ';');
        assert_eq!(sniff("nick|account"), '|');
        assert_eq!(sniff("nick\tidentifier"), '\t');
        assert_eq!(sniff("a;b;c"), ',');
    }
}
