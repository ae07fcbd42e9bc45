//! One article laid out to be compared with many: where each of its terms and of its sketch's entries stands, told at once.
//! Going through two sorted lists side by side guesses wrong at every second step, which is most of what a comparison costs.

use super::{overlap::Overlap, profile::Profile, rewrite::Shared};

/// An article that is compared with others.
pub(super) struct Probe {
    terms: Places,
    sketch: Places,
    quoted: Bits,
}

impl Probe {
    pub fn new(profile: &Profile) -> Self {
        Self {
            terms: Places::of(profile.terms().numbers()),
            sketch: Places::of(profile.sketch()),
            quoted: Bits::of(profile.quoted()),
        }
    }

    /// The terms and quotations that the article, which is `a`, shares with another.
    pub fn shared(&self, a: &Profile, b: &Profile) -> Shared {
        let (here, there) = (a.terms(), b.terms());
        let both = there.numbers().iter().enumerate().filter_map(|(place, number)| {
            let place_here = self.terms.find(here.numbers(), *number)?;
            Some((here.get(place_here)?, there.get(place)?))
        });
        let is_quoted = |run: &&u32| self.quoted.has(**run) && a.quoted().binary_search(run).is_ok();
        Shared::over(a, b, both, b.quoted().iter().filter(is_quoted).count())
    }

    /// The wording that it shares with another.
    pub fn overlap(&self, a: &Profile, b: &Profile) -> Overlap {
        let is_shared = |entry: &&u32| self.sketch.find(a.sketch(), **entry).is_some();
        Overlap::sharing(b.sketch().iter().filter(is_shared).count(), a, b)
    }
}

/// Where each of some sorted hashes stands among them.
struct Places {
    may_be_there: Bits,
    /// How many hashes have lower upper bits than these.
    before: [u16; 1 << UPPER_BITS],
}

/// As many ranges of hashes as an article has terms have about one of them each.
const UPPER_BITS: u32 = 8;

impl Places {
    fn of(hashes: &[u32]) -> Self {
        let mut before = [0; 1 << UPPER_BITS];
        for hash in hashes {
            if let Some(count) = before.get_mut(upper(*hash)) {
                *count += 1;
            }
        }
        let mut all = 0;
        for count in &mut before {
            all += std::mem::replace(count, all);
        }
        Self { may_be_there: Bits::of(hashes), before }
    }

    /// The place of a hash among those that this was made of.
    fn find(&self, hashes: &[u32], hash: u32) -> Option<usize> {
        if !self.may_be_there.has(hash) {
            return None;
        }
        let first = usize::from(*self.before.get(upper(hash))?);
        let among = hashes.get(first..)?.iter().take_while(|other| **other <= hash);
        among.zip(first..).find_map(|(other, place)| (*other == hash).then_some(place))
    }
}

fn upper(hash: u32) -> usize {
    (hash >> (u32::BITS - UPPER_BITS)) as usize
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
