//! A set of row numbers, one bit a row.

/// Row numbers from 0, at one bit each up to the highest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSet {
    words: Vec<u64>,
    len: u64,
}

impl RowSet {
    /// A set with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts `row` in; true if it was not there before.
    pub fn insert(&mut self, row: u32) -> bool {
        let (word, bit) = split(row);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += u64::from(new);
        new
    }

    /// Takes `row` out; true if it was there.
    pub fn remove(&mut self, row: u32) -> bool {
        let (word, bit) = split(row);
        let there = self.contains(row);
        if there {
            self.words[word] &= !bit;
            self.len -= 1;
        }
        there
    }

    /// Whether `row` is in.
    pub fn contains(&self, row: u32) -> bool {
        let (word, bit) = split(row);
        self.words.get(word).is_some_and(|w| w & bit != 0)
    }

    /// How many rows are in.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether none is in.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The rows in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().zip(0u32..).flat_map(|(&word, index)| {
            std::iter::successors(Some(word), |w| Some(w & w.wrapping_sub(1)))
                .take_while(|&w| w != 0)
                .map(move |w| index * 64 + w.trailing_zeros())
        })
    }
}

impl FromIterator<u32> for RowSet {
    fn from_iter<I: IntoIterator<Item = u32>>(rows: I) -> Self {
        let mut set = Self::new();
        for row in rows {
            set.insert(row);
        }
        set
    }
}

fn split(row: u32) -> (usize, u64) {
    ((row / 64) as usize, 1 << (row % 64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_row_set_behaves_as_a_set(steps in prop::collection::vec((any::<bool>(), 0u32..300), 0..200)) {
            let (mut ours, mut theirs) = (RowSet::new(), BTreeSet::new());
            for (put, row) in steps {
                if put {
                    prop_assert_eq!(ours.insert(row), theirs.insert(row));
                } else {
                    prop_assert_eq!(ours.remove(row), theirs.remove(&row));
                }
                prop_assert_eq!(ours.contains(row), theirs.contains(&row));
                prop_assert_eq!(ours.len(), theirs.len() as u64);
            }
            prop_assert_eq!(ours.iter().collect::<Vec<_>>(), theirs.into_iter().collect::<Vec<_>>());
        }
    }
}
