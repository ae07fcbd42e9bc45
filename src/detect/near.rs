//! The second matcher: `SimHash` within a Hamming distance of 3, by an index that is exact.
//!
//! Two values of 64 bits that differ in at most three agree in at least one of their four blocks of 16 (Manku,
//! Jain and Das Sarma, 2007), so four probes find every one. Wider radii need hundreds of probes; distances up
//! to 11 are evidence on what the other matchers find.

use crate::model::{ArticleNo, SpreadHasher};
use std::collections::HashMap;

/// The radius of the index, in bits.
pub(super) const RADIUS: u32 = 3;
const BLOCKS: u32 = 4;
const BLOCK_BITS: u32 = 16;

/// Finds live articles by their `SimHash`.
#[derive(Default)]
pub(super) struct HammingIndex(HashMap<(u32, u16), Vec<(u64, ArticleNo)>, SpreadHasher>);

impl HammingIndex {
    pub fn insert(&mut self, simhash: u64, no: ArticleNo) {
        for key in keys(simhash) {
            self.0.entry(key).or_default().push((simhash, no));
        }
    }

    pub fn remove(&mut self, simhash: u64, no: ArticleNo) {
        for key in keys(simhash) {
            if let Some(bucket) = self.0.get_mut(&key) {
                bucket.retain(|(_, s)| *s != no);
                if bucket.is_empty() {
                    self.0.remove(&key);
                }
            }
        }
    }

    /// All within the radius, each once.
    pub fn within_radius(&self, simhash: u64) -> Vec<ArticleNo> {
        let mut found: Vec<ArticleNo> = keys(simhash)
            .filter_map(|key| self.0.get(&key))
            .flatten()
            .filter(|(other, _)| simhash::hamming_distance(simhash, *other) <= RADIUS)
            .map(|(_, no)| *no)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a block is the low 16 bits after the shift")]
fn keys(simhash: u64) -> impl Iterator<Item = (u32, u16)> {
    (0..BLOCKS).map(move |block| (block, (simhash >> (block * BLOCK_BITS)) as u16))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Values near to each other, as random ones never are.
    fn values() -> impl Strategy<Value = Vec<u64>> {
        let near = (any::<u64>(), prop::collection::vec(prop::collection::vec(0_u32..64, 0..7), 1..40));
        near.prop_map(|(base, flips)| {
            flips.into_iter().map(|bits| bits.into_iter().fold(base, |v, bit| v ^ (1 << bit))).collect()
        })
    }

    proptest! {
        #[test]
        fn the_index_is_equal_to_brute_force(
            values in values(), query in any::<prop::sample::Index>(), gone in any::<prop::sample::Index>(),
        ) {
            let mut index = HammingIndex::default();
            for (no, value) in (0..).zip(&values) {
                index.insert(*value, ArticleNo(no));
            }
            let gone = gone.index(values.len());
            index.remove(values[gone], ArticleNo(u32::try_from(gone).unwrap()));
            let query = values[query.index(values.len())];
            let brute: Vec<ArticleNo> = (0..)
                .zip(&values)
                .filter(|(no, v)| *no as usize != gone && (*v ^ query).count_ones() <= RADIUS)
                .map(|(no, _)| ArticleNo(no))
                .collect();
            prop_assert_eq!(index.within_radius(query), brute);
        }
    }
}
