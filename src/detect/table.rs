//! A table from hashes to small values, made for looking up many at once. Called by `postings`, `bulk` and `frequencies`.
//!
//! Where memory is slow to answer, a map costs one wait a look-up, since each must be answered before the next is
//! guessed at rightly. Here all places can be asked for first, of which none waits for another.

/// At most so many of ten slots are taken, and so many of them after it was made anew.
const TAKEN_OF_TEN_MAX: usize = 8;
const TAKEN_OF_TEN_ANEW: usize = 6;
const SIZE_MIN: usize = 16;

/// A value for every number; for those that none was given, the default one. The numbers must be hashes.
pub(super) struct Table<V> {
    /// Open addressing: a number and its value, at or after its home. Number 0 is of none.
    slots: Vec<(u32, V)>,
    /// How many slots may yet be taken. One is, even when the value of its number has become the default one again.
    left: usize,
}

impl<V: Copy + Default + PartialEq> Default for Table<V> {
    fn default() -> Self {
        Self::of_size(0)
    }
}

impl<V: Copy + Default + PartialEq> Table<V> {
    /// An empty one for so many numbers, as if it was just made anew.
    pub fn anew(numbers: usize) -> Self {
        Self::of_size(numbers * 10 / TAKEN_OF_TEN_ANEW)
    }

    fn of_size(slots: usize) -> Self {
        let size = slots.max(SIZE_MIN);
        Self { slots: vec![(0, V::default()); size], left: size * TAKEN_OF_TEN_MAX / 10 }
    }

    /// The value of a number.
    pub fn get(&self, number: u32) -> V {
        self.slots.get(self.find(number)).map(|slot| slot.1).unwrap_or_default()
    }

    /// The values of numbers.
    pub fn all(&self, numbers: impl Iterator<Item = u32> + Clone) -> Vec<V> {
        self.touch(numbers.clone());
        numbers.map(|number| self.get(number)).collect()
    }

    /// A number's value, to be changed.
    pub fn entry(&mut self, number: u32) -> &mut V {
        if self.left == 0 {
            self.rebuild();
        }
        let at = self.find(number);
        #[expect(
            clippy::indexing_slicing,
            reason = "a place found is a place in the table, which is never empty"
        )]
        let slot = &mut self.slots[at];
        self.left -= usize::from(slot.0 == 0);
        slot.0 = named(number);
        &mut slot.1
    }

    /// Changes values by their numbers; what becomes the default one is dropped.
    pub fn change(&mut self, change: impl FnMut(&mut V)) {
        self.slots.iter_mut().filter(|slot| slot.0 != 0).map(|slot| &mut slot.1).for_each(change);
        self.rebuild();
    }

    /// Asks for the places of numbers, so that they are at hand.
    pub fn touch(&self, numbers: impl Iterator<Item = u32>) {
        let at = |number| self.slots.get(self.home(number)).map_or(0, |slot| slot.0);
        std::hint::black_box(numbers.map(at).fold(0, u32::wrapping_add));
    }

    /// The slot of a number, or the free one where it would be put.
    fn find(&self, number: u32) -> usize {
        let number = named(number);
        let home = self.home(number);
        let is_meant = |slot: &(u32, V)| slot.0 == number || slot.0 == 0;
        let behind = self.slots.get(home..).and_then(|slots| slots.iter().position(is_meant));
        let found = behind.map(|steps| home + steps);
        found.or_else(|| self.slots.iter().position(is_meant)).unwrap_or(0)
    }

    /// Where a number is looked for first.
    fn home(&self, number: u32) -> usize {
        part(number, self.slots.len())
    }

    /// Takes in anew what is not the default, with room for as many more.
    fn rebuild(&mut self) {
        let is_live = |slot: &&(u32, V)| slot.0 != 0 && slot.1 != V::default();
        let mut next = Self::anew(self.slots.iter().filter(is_live).count());
        for (number, value) in self.slots.iter().filter(is_live) {
            let at = next.find(*number);
            if let Some(slot) = next.slots.get_mut(at) {
                *slot = (*number, *value);
                next.left -= 1;
            }
        }
        *self = next;
    }
}

/// In which of so many parts of a table a number is looked for: by its product's upper bits, since hashes may be chosen by
/// their lower. What is taken in part by part costs a wait for memory a part, and not one a number.
pub(super) fn part(number: u32, parts: usize) -> usize {
    let spread = u64::from(named(number).wrapping_mul(0x9E37_79B1));
    usize::try_from((spread * parts as u64) >> u32::BITS).unwrap_or(0)
}

/// As what a number is kept. That two hashes are one here is as likely as for any two.
pub(super) fn named(number: u32) -> u32 {
    number.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn a_table_holds_what_a_map_holds(changes in prop::collection::vec((1_u32..200, 0_u16..4), 0..600)) {
            let (mut table, mut map) = (Table::default(), HashMap::new());
            for (number, value) in changes {
                *table.entry(number) = value;
                map.insert(number, value);
                prop_assert_eq!(table.get(number), value);
            }
            let expected: Vec<u16> = (1..200).map(|number| map.get(&number).copied().unwrap_or(0)).collect();
            prop_assert_eq!(table.all(1..200), expected);
            table.change(|value| *value /= 2);
            let halved: Vec<u16> = (1..200).map(|number| map.get(&number).copied().unwrap_or(0) / 2).collect();
            prop_assert_eq!(table.all(1..200), halved);
        }
    }

    #[test]
    fn what_has_gone_makes_room() {
        let mut table = Table::default();
        for number in 1..100_000_u32 {
            *table.entry(number) = 1_u8;
            *table.entry(number) = 0;
        }
        assert!(table.slots.len() <= 4 * SIZE_MIN, "{}", table.slots.len());
    }
}
