//! An input with rows of every kind, and what must become of each.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Nick and FaceUrl.
pub(crate) type Values = (Option<String>, Option<String>);

/// UserIDs that begin so are listed in `FailAccounts` each time.
pub(crate) const LISTED: &str = "listed_";
/// A request that holds a UserID that begins so is refused whole.
pub(crate) const POISON: &str = "poison_";

/// A CSV file, and what a run makes of it.
#[derive(Clone, Default)]
pub(crate) struct Input {
    pub(crate) csv: String,
    pub(crate) rows: u64,
    pub(crate) invalid: u64,
    pub(crate) duplicates: u64,
    pub(crate) conflicts: u64,
    /// The rows that are sent, by UserID.
    pub(crate) sent: BTreeMap<String, Values>,
    /// The UserID of every row that may be sent, by row number.
    pub(crate) ids: BTreeMap<u32, String>,
}

impl Input {
    /// Valid rows, all different.
    pub(crate) fn plain(rows: u32) -> Self {
        let mut input = Self::empty();
        (0..rows).for_each(|i| input.add_valid("user_", i));
        input
    }

    /// Valid rows, and after them one that the service refuses.
    pub(crate) fn poisoned_at_its_end(rows: u32) -> Self {
        let mut input = Self::plain(rows);
        input.add_valid(POISON, rows);
        input
    }

    /// Among valid rows there are invalid ones, duplicates, and accounts that the service refuses.
    pub(crate) fn mixed(rows: u32) -> Self {
        let mut input = Self::empty();
        for i in 0..rows {
            match i {
                _ if i % 37 == 13 => input.add_invalid(i),
                _ if i % 31 == 30 => input.add_again(i),
                _ if i % 211 == 42 => input.add_valid(LISTED, i),
                _ if i % 401 == 77 => input.add_valid(POISON, i),
                _ => input.add_valid("user_", i),
            }
        }
        input
    }

    fn empty() -> Self {
        Self { csv: "UserID,Nick,FaceUrl\n".into(), ..Self::default() }
    }

    fn add_valid(&mut self, kind: &str, i: u32) {
        let nick = match i % 5 {
            0 => None,
            1 => Some(format!("张三 {i}")),
            2 => Some(format!("two\nlines, \"{i}\"")),
            _ => Some(format!("Nick {i}")),
        };
        let face = (!i.is_multiple_of(3)).then(|| format!("https://example.com/{i}.png"));
        self.add(&format!("{kind}{i:05}"), (nick, face));
    }

    /// A row whose UserID an earlier row had; every other time with other values.
    fn add_again(&mut self, i: u32) {
        let earlier = format!("user_{:05}", i - 9);
        let Some((nick, face)) = self.sent.get(&earlier).cloned() else { return self.add_valid("user_", i) };
        self.duplicates += 1;
        let nick = if i.is_multiple_of(2) {
            nick
        } else {
            self.conflicts += 1;
            Some(format!("Later {i}"))
        };
        self.add(&earlier, (nick, face));
    }

    fn add(&mut self, id: &str, values: Values) {
        let quoted = |value: &Option<String>| {
            let value = value.as_deref().unwrap_or_default();
            format!("\"{}\"", value.replace('"', "\"\""))
        };
        writeln!(self.csv, "{id},{},{}", quoted(&values.0), quoted(&values.1)).unwrap();
        self.ids.insert(u32::try_from(self.rows).unwrap(), id.to_owned());
        self.sent.insert(id.to_owned(), values);
        self.rows += 1;
    }

    fn add_invalid(&mut self, i: u32) {
        match i % 4 {
            0 => writeln!(self.csv, ",Nobody {i},"),
            1 => writeln!(self.csv, "far_too_long_for_any_user_id_{i:05},,"),
            2 => writeln!(self.csv, "@TLS#{i},,"),
            _ => writeln!(self.csv, "user_{i:05},one column too many,,{i}"),
        }
        .unwrap();
        self.rows += 1;
        self.invalid += 1;
    }

    /// How many accounts the service refuses.
    pub(crate) fn refused(&self) -> u64 {
        self.sent.keys().filter(|id| is_refused(id)).count() as u64
    }

    /// What the service holds at the end.
    pub(crate) fn accepted(&self) -> impl Iterator<Item = (&String, &Values)> {
        self.sent.iter().filter(|(id, _)| !is_refused(id))
    }
}

/// Whether the service refuses this account.
pub(crate) fn is_refused(id: &str) -> bool {
    id.starts_with(LISTED) || id.starts_with(POISON)
}
