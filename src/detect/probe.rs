//! One article laid out to be compared with many: its terms and its sketch in tables that answer at once. Going
//! through two sorted lists side by side guesses wrong at every second step, which is most of what a comparison costs.

use super::{
    overlap::Overlap,
    profile::{Profile, Term},
    rewrite::Shared,
    table::Table,
};

/// An article that is compared with others.
pub(super) struct Probe {
    /// The place of each among the terms, from 1 on.
    terms: Table<u16>,
    sketch: Table<bool>,
}

impl Probe {
    pub fn new(profile: &Profile) -> Self {
        let mut probe = Self { terms: room(profile.terms.len()), sketch: room(profile.sketch.len()) };
        for (term, place) in profile.terms.iter().zip(1..) {
            *probe.terms.entry(term.number) = place;
        }
        for entry in &profile.sketch {
            *probe.sketch.entry(*entry) = true;
        }
        probe
    }

    /// What the article, which is `a`, has in common with another.
    pub fn compare(&self, a: &Profile, b: &Profile) -> (Shared, Overlap) {
        let shared = b.sketch.iter().filter(|entry| self.sketch.get(**entry)).count();
        (Shared::over(a, b, self.both(a, b)), Overlap::sharing(shared, a, b))
    }

    fn both<'p>(&self, a: &'p Profile, b: &'p Profile) -> impl Iterator<Item = (&'p Term, &'p Term)> {
        b.terms.iter().filter_map(|there| {
            let place = usize::from(self.terms.get(there.number)).checked_sub(1)?;
            Some((a.terms.get(place)?, there))
        })
    }
}

/// A table that is a quarter full at most, so that nearly every look-up ends where it begins.
fn room<V: Copy + Default + PartialEq>(numbers: usize) -> Table<V> {
    Table::with_room(numbers * 2)
}
