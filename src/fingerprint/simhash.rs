//! The 64-bit `SimHash` (Charikar, 2002) of a text: for each bit, what most of its features' hashes say.
//!
//! The value is the simhash crate's, by the same hash of the same features, and is held against it in a test. That crate
//! adds up 64 numbers for every feature; here the 64 counts lie across a few words, a binary place of all of them in each.

use siphasher::sip::SipHasher;
use std::hash::{Hash, Hasher};

/// The value of some features.
pub(super) fn simhash<'f>(features: impl Iterator<Item = &'f str>) -> u64 {
    let mut counts = BitCounts::default();
    for feature in features {
        let mut hasher = SipHasher::new();
        feature.hash(&mut hasher);
        counts.add(hasher.finish());
    }
    counts.majority()
}

/// How many values had each bit.
#[derive(Default)]
struct BitCounts {
    /// The lowest place of each count, then the next.
    places: [u64; u32::BITS as usize],
    values: u32,
}

impl BitCounts {
    fn add(&mut self, value: u64) {
        self.values += 1;
        let mut carry = value;
        for place in &mut self.places {
            (*place, carry) = (*place ^ carry, *place & carry);
            if carry == 0 {
                break;
            }
        }
    }

    /// The bits that more than half of the values had.
    fn majority(&self) -> u64 {
        let count =
            |bit: u32| self.places.iter().rev().fold(0_u64, |count, place| count << 1 | (place >> bit & 1));
        let is_set = |bit: &u32| 2 * count(*bit) > u64::from(self.values);
        (0..u64::BITS).filter(is_set).fold(0, |bits, bit| bits | 1 << bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_crates_value(features in prop::collection::vec("[a-zé ]{0,12}", 0..200)) {
            let features = || features.iter().map(String::as_str);
            prop_assert_eq!(simhash(features()), ::simhash::simhash_stream(features()));
        }
    }
}
