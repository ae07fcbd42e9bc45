//! One article laid out to be compared with many: its terms and its sketch in tables that answer at once. Going
//! through two sorted lists side by side guesses wrong at every second step, which is most of what a comparison costs.

use super::{
    overlap::Overlap,
    profile::{Profile, Term},
    rewrite::Shared,
};

/// Nothing is here.
const EMPTY: u16 = u16::MAX;

/// An article that is compared with others.
pub(super) struct Probe {
    terms: Table,
    sketch: Table,
}

impl Probe {
    pub fn new(profile: &Profile) -> Self {
        let terms = profile.terms.iter().map(|term| term.number).zip(0..);
        let sketch = profile.sketch.iter().map(|entry| (*entry, 0));
        Self { terms: Table::of(terms, profile.terms.len()), sketch: Table::of(sketch, profile.sketch.len()) }
    }

    /// What the article, which is `a`, has in common with another.
    pub fn compare(&self, a: &Profile, b: &Profile) -> (Shared, Overlap) {
        let shared = b.sketch.iter().filter(|entry| self.sketch.find(**entry).is_some()).count();
        (Shared::over(a, b, self.both(a, b)), Overlap::sharing(shared, a, b))
    }

    fn both<'p>(&self, a: &'p Profile, b: &'p Profile) -> impl Iterator<Item = (&'p Term, &'p Term)> {
        b.terms.iter().filter_map(|there| {
            let here = self.terms.find(there.number)?;
            Some((a.terms.get(usize::from(here))?, there))
        })
    }
}

/// A table of numbers that are hashes, each with a place: open addressing, a quarter full at most.
struct Table {
    slots: Vec<(u32, u16)>,
    mask: u32,
}

impl Table {
    fn of(entries: impl Iterator<Item = (u32, u16)>, most: usize) -> Self {
        let size = (most.max(1) * 4).next_power_of_two();
        let mut table =
            Self { slots: vec![(0, EMPTY); size], mask: u32::try_from(size - 1).unwrap_or(u32::MAX) };
        for (number, place) in entries {
            let mut at = number & table.mask;
            while let Some(slot) = table.slots.get_mut(at as usize) {
                if slot.1 == EMPTY {
                    *slot = (number, place);
                    break;
                }
                at = (at + 1) & table.mask;
            }
        }
        table
    }

    fn find(&self, number: u32) -> Option<u16> {
        let mut at = number & self.mask;
        loop {
            match self.slots.get(at as usize)? {
                (_, EMPTY) => return None,
                (found, place) if *found == number => return Some(*place),
                _ => at = (at + 1) & self.mask,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_finds_what_is_in_it_and_nothing_else() {
        let numbers: Vec<u32> = (0..200).map(|n| n * 64).collect();
        let places: Vec<u16> = (0..200).collect();
        let table = Table::of(numbers.iter().copied().zip(places.iter().copied()), numbers.len());
        assert!(numbers.iter().zip(&places).all(|(number, place)| table.find(*number) == Some(*place)));
        assert_eq!((table.find(1), table.find(64 * 200)), (None, None));
        assert_eq!(Table::of([].into_iter(), 0).find(0), None);
    }
}
