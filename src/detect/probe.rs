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

/// Where each of some hashes stands among them: a hash table whose values are the hashes' places. There are so many more chains
/// than hashes that what is looked for is at once not there, or the first of its chain: nobody guesses wrong twice.
struct Places {
    /// The place of the last hash of each chain, from 1 on; 0 where there is none.
    last: Box<[u16]>,
    /// Of each hash the place of the one before it in its chain.
    before: Vec<u16>,
}

const CHAINS: usize = 1 << 12;

impl Places {
    fn of(hashes: &[u32]) -> Self {
        let (mut last, mut before) = (vec![0; CHAINS].into_boxed_slice(), Vec::with_capacity(hashes.len()));
        for (hash, place) in hashes.iter().zip(1..) {
            before.extend(last.get_mut(chain(*hash)).map(|last| std::mem::replace(last, place)));
        }
        Self { last, before }
    }

    /// The place of a hash among those that this was made of.
    fn find(&self, hashes: &[u32], hash: u32) -> Option<usize> {
        let mut next = *self.last.get(chain(hash))?;
        loop {
            let place = usize::from(next).checked_sub(1)?;
            if *hashes.get(place)? == hash {
                return Some(place);
            }
            next = *self.before.get(place)?;
        }
    }
}

/// The chain of a hash, by its lower bits.
fn chain(hash: u32) -> usize {
    hash as usize % CHAINS
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
