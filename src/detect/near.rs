//! The second matcher: `SimHash` within a Hamming distance of 3, by an index that is exact.
//!
//! Two values of 64 bits that differ in at most three agree in at least one of their four blocks of 16 (Manku,
//! Jain and Das Sarma, 2007), so four probes find every one. Wider radii need hundreds of probes; distances up
//! to 11 are evidence on what the other matchers find.

use super::postings::Postings;
use crate::model::ArticleNo;

/// The radius of the index, in bits.
pub(super) const RADIUS: u32 = 3;
const BLOCKS: u32 = 4;
const BLOCK_BITS: u32 = 16;

/// Finds live articles by their `SimHash`, whose bytes need no room beside them to be kept in order.
#[derive(Default)]
pub(super) struct HammingIndex(Postings<[u8; 8], 0>);

impl HammingIndex {
    /// Of articles in order.
    pub fn holding(articles: &[(u64, ArticleNo)]) -> Self {
        let keys = |(simhash, _)| keys(simhash).map(|key| (key, 0));
        Self(Postings::holding(articles, |(simhash, no)| (no, simhash.to_le_bytes()), keys))
    }

    /// Takes in an article. Numbers must rise.
    pub fn insert(&mut self, simhash: u64, no: ArticleNo) {
        self.0.insert(no, simhash.to_le_bytes(), keys(simhash).map(|key| (key, 0)));
    }

    pub fn remove(&mut self, simhash: u64, no: ArticleNo) {
        self.0.remove(no, || keys(simhash));
    }

    /// All within the radius, each once.
    pub fn within_radius(&self, simhash: u64) -> Vec<ArticleNo> {
        let mut found = Vec::new();
        for live in self.0.of(keys(simhash)) {
            let articles =
                live.postings().iter().filter_map(|posting| self.0.article(self.0.place(*posting)));
            let near = articles.filter(|(_, other)| {
                simhash::hamming_distance(simhash, u64::from_le_bytes(**other)) <= RADIUS
            });
            found.extend(near.map(|(no, _)| no));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Each block with its place.
#[expect(clippy::cast_possible_truncation, reason = "a block is the low 16 bits after the shift")]
fn keys(simhash: u64) -> impl Iterator<Item = u32> + Clone {
    (0..BLOCKS).map(move |block| block << BLOCK_BITS | u32::from((simhash >> (block * BLOCK_BITS)) as u16))
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
