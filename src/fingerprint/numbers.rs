//! A running number for each different hash, so that what is known of a word lies at its place in a list, and is not looked
//! up in one map after the other. Called by `words` and `shingles`.

use crate::model::low_half;

/// Numbers hashes in the order in which each comes first.
pub(super) struct Numbers {
    /// Open addressing: a hash and one more than its number, at or after its home. Half of them are free at least, so that
    /// one is near.
    slots: Vec<(u64, u32)>,
    given: u32,
}

impl Numbers {
    /// For no more than so many different hashes.
    pub fn with_room(hashes: usize) -> Self {
        Self { slots: vec![(0, 0); (2 * hashes).next_power_of_two()], given: 0 }
    }

    /// The number of a hash.
    pub fn of(&mut self, hash: u64) -> u32 {
        let last = self.slots.len() - 1;
        let mut at = low_half(hash) as usize & last;
        loop {
            #[expect(clippy::indexing_slicing, reason = "a place within the last is one of the list")]
            let slot = &mut self.slots[at & last];
            if slot.1 == 0 {
                self.given += 1;
                *slot = (hash, self.given);
            }
            if slot.0 == hash {
                return slot.1 - 1;
            }
            at += 1;
        }
    }

    /// How many were given.
    pub fn given(&self) -> u32 {
        self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_have_one_number_and_others_another() {
        let mut numbers = Numbers::with_room(5);
        // Zero is a hash as any other, and two of these have one home.
        let hashes = [0, 1 << 40, 7, 0, 1 << 40, u64::MAX, 0, 7];
        assert_eq!(hashes.map(|hash| numbers.of(hash)), [0, 1, 2, 0, 1, 3, 0, 2]);
        assert_eq!(numbers.given(), 4);
        assert_eq!(Numbers::with_room(0).given(), 0);
    }
}
