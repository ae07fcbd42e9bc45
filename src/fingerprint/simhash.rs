//! The 64-bit `SimHash` (Charikar, 2002) of a text: for each bit, what most of its features' hashes say.
//!
//! The value is the simhash crate's, by the same hash of the same features, and is held against it in a test. That crate
//! adds up 64 numbers for every feature; here the 64 counts lie across a few words, a binary place of all of them in each.

/// The value of some features.
pub(super) fn simhash<'f>(features: impl Iterator<Item = &'f str>) -> u64 {
    let mut counts = BitCounts::default();
    for feature in features {
        counts.add(siphash(feature.as_bytes()));
    }
    counts.majority()
}

/// SipHash-2-4 (Aumasson and Bernstein, 2012) with a key of zeros, of a text as Rust's `Hash` gives it to a hasher: its bytes
/// and one of 255. All of it is at hand, so that nothing need be kept between one piece and the next.
fn siphash(bytes: &[u8]) -> u64 {
    let mut state: [u64; 4] =
        [0x736f_6d65_7073_6575, 0x646f_7261_6e64_6f6d, 0x6c79_6765_6e65_7261, 0x7465_6462_7974_6573];
    let (blocks, rest) = bytes.as_chunks();
    for block in blocks {
        compress(&mut state, u64::from_le_bytes(*block));
    }
    let rest_bits = 8 * rest.len();
    let rest = match bytes.last_chunk() {
        // The last eight bytes, without those that were in the block before.
        Some(last) => u64::from_le_bytes(*last) >> 1 >> (63 - rest_bits),
        None => rest.iter().rev().fold(0, |rest, byte| rest << 8 | u64::from(*byte)),
    };
    let (mut last, length) = (rest | 0xff << rest_bits, (bytes.len() as u64 + 1) << 56);
    if rest_bits == 56 {
        compress(&mut state, last);
        last = 0;
    }
    compress(&mut state, last | length);
    state[2] ^= 0xff;
    (0..4).for_each(|_| round(&mut state));
    state.into_iter().fold(0, |hash, word| hash ^ word)
}

fn compress(state: &mut [u64; 4], block: u64) {
    state[3] ^= block;
    round(state);
    round(state);
    state[0] ^= block;
}

fn round([a, b, c, d]: &mut [u64; 4]) {
    *a = a.wrapping_add(*b);
    *c = c.wrapping_add(*d);
    *b = b.rotate_left(13) ^ *a;
    *d = d.rotate_left(16) ^ *c;
    *a = a.rotate_left(32).wrapping_add(*d);
    *c = c.wrapping_add(*b);
    *d = d.rotate_left(21) ^ *a;
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}

/// How many values had each bit.
#[derive(Default)]
struct BitCounts {
    /// The lowest place of each count, then the next.
    places: [Place; u32::BITS as usize],
    values: u32,
}

/// One binary place of all counts, and what is still to be added to it: of two such words at once comes one to carry, so that
/// half as many get to each next place.
#[derive(Clone, Copy, Default)]
struct Place {
    sum: u64,
    waiting: Option<u64>,
}

impl BitCounts {
    fn add(&mut self, value: u64) {
        self.values += 1;
        let mut carry = value;
        for place in &mut self.places {
            match place.waiting.take() {
                None => {
                    place.waiting = Some(carry);
                    return;
                }
                Some(other) => carry = place.add(other, carry),
            }
        }
    }

    /// The bits that more than half of the values had: those whose count, read from the highest place down, is the first to
    /// have a one where half of the values has a zero.
    fn majority(&mut self) -> u64 {
        let mut carry = 0;
        for place in &mut self.places {
            let waiting = place.waiting.take().unwrap_or(0);
            carry = place.add(waiting, carry);
        }
        let (mut above, mut equal) = (0, u64::MAX);
        for (at, place) in self.places.iter().enumerate().rev() {
            let of_half = if ((self.values / 2) >> at) & 1 == 1 { u64::MAX } else { 0 };
            above |= equal & place.sum & !of_half;
            equal &= !(place.sum ^ of_half);
        }
        above
    }
}

impl Place {
    /// Adds two words, and returns what is to be carried.
    fn add(&mut self, one: u64, other: u64) -> u64 {
        let half = self.sum ^ one;
        let carry = self.sum & one | half & other;
        self.sum = half ^ other;
        carry
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_crates_value(features in prop::collection::vec("[a-zé ]{0,20}", 0..200)) {
            let features = || features.iter().map(String::as_str);
            prop_assert_eq!(simhash(features()), ::simhash::simhash_stream(features()));
        }
    }
}
