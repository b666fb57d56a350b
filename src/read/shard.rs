//! Which of several processes a row belongs to.

use siphasher::sip::SipHasher24;

/// One of `count` parts of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0, under `count`.
    pub index: u64,
    /// At least 1.
    pub count: u64,
}

impl Shard {
    /// Whether a row belongs here; one without a valid UserID belongs to shard 0.
    pub(super) fn owns(self, user_id: Option<&str>) -> bool {
        // Fixed for ever: processes of different versions must agree on it.
        let hasher = SipHasher24::new_with_keys(0x696d_696d_706f_7274, 0x7368_6172_6420_6b65);
        user_id.map_or(0, |id| hasher.hash(id.as_bytes()) % self.count) == self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_belongs_to_one_shard_for_ever() {
        let owner = |id| (0..4).find(|&index| Shard { index, count: 4 }.owns(id)).unwrap();
        let owners: Vec<u64> = ["u1", "u2", "u3", "u4", "张三"].map(|id| owner(Some(id))).to_vec();
        assert_eq!(owners, [1, 0, 1, 0, 1]);
        assert_eq!(owner(None), 0);
        for row in 0..100 {
            let id = format!("u{row}");
            assert_eq!((0..7).filter(|&index| Shard { index, count: 7 }.owns(Some(&id))).count(), 1);
        }
    }
}
