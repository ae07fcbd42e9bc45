//! One article laid out to be compared with many: its terms and its sketch in tables that answer at once. Going
//! through two sorted lists side by side guesses wrong at every second step, which is most of what a comparison costs.

use super::{overlap::Overlap, profile::Profile, rewrite::Shared, table::Table};

/// An article that is compared with others.
pub(super) struct Probe {
    may_be_term: Bits,
    /// The place of each among the terms, from 1 on.
    terms: Table<u16>,
    may_be_in_sketch: Bits,
    sketch: Table<bool>,
    may_be_quoted: Bits,
}

impl Probe {
    pub fn new(profile: &Profile) -> Self {
        let (numbers, sketch) = (profile.terms().numbers(), profile.sketch());
        let mut probe = Self {
            may_be_term: Bits::of(numbers),
            terms: Table::with_room(numbers.len()),
            may_be_in_sketch: Bits::of(sketch),
            sketch: Table::with_room(sketch.len()),
            may_be_quoted: Bits::of(profile.quoted()),
        };
        for (number, place) in numbers.iter().zip(1..) {
            *probe.terms.entry(*number) = place;
        }
        for entry in sketch {
            *probe.sketch.entry(*entry) = true;
        }
        probe
    }

    /// The terms and quotations that the article, which is `a`, shares with another.
    pub fn shared(&self, a: &Profile, b: &Profile) -> Shared {
        let (here, there) = (a.terms(), b.terms());
        let numbers = there.numbers().iter().enumerate();
        let may_be_shared = numbers.filter(|(_, number)| self.may_be_term.has(**number));
        let both = may_be_shared.filter_map(|(place, number)| {
            let place_here = usize::from(self.terms.get(*number)).checked_sub(1)?;
            Some((here.get(place_here)?, there.get(place)?))
        });
        let is_quoted = |run: &&u32| self.may_be_quoted.has(**run) && a.quoted().binary_search(run).is_ok();
        Shared::over(a, b, both, b.quoted().iter().filter(is_quoted).count())
    }

    /// The wording that it shares with another.
    pub fn overlap(&self, a: &Profile, b: &Profile) -> Overlap {
        let is_shared = |entry: &&u32| self.may_be_in_sketch.has(**entry) && self.sketch.get(**entry);
        Overlap::sharing(b.sketch().iter().filter(is_shared).count(), a, b)
    }
}

/// Of every number one bit says whether it may be among some: most of what is asked for is not, and is known not to be from
/// a kilobyte.
struct Bits([u64; 128]);

impl Bits {
    fn of(numbers: &[u32]) -> Self {
        let mut bits = Self([0; 128]);
        for number in numbers {
            let (word, bit) = place(*number);
            if let Some(word) = bits.0.get_mut(word) {
                *word |= bit;
            }
        }
        bits
    }

    fn has(&self, number: u32) -> bool {
        let (word, bit) = place(number);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }
}

/// A word and a bit in it, by a number's lower bits.
fn place(number: u32) -> (usize, u64) {
    ((number >> 6) as usize & 127, 1 << (number & 63))
}
