//! The second matcher: `SimHash` within a Hamming distance of 3, by an index that is exact.
//!
//! Two values of 64 bits that differ in at most three agree in at least one of their four blocks of 16 (Manku,
//! Jain and Das Sarma, 2007), so four probes find every one. Wider radii need hundreds of probes; distances up
//! to 11 are evidence on what the other matchers find.
//!
//! Those that agree in a block grow with the window: 400 with a million articles, each in memory of its own. So
//! half of a value stands beside each in its list, and nearly all that are far are told apart there.

use super::{
    blocks::{Blocks, List},
    bulk::{by_key, sorted},
};
use crate::model::{ArticleNo, low_half};
use std::cmp::Reverse;

/// The radius of the index, in bits.
pub(super) const RADIUS: u32 = 3;
const BLOCKS: u32 = 4;
const BLOCK_BITS: u32 = 16;
/// A key is the number of a block, from 1, and what it holds.
const KEYS: usize = ((BLOCKS + 1) as usize) << BLOCK_BITS;

/// A full list makes room of those that have left, where it is one of so many, before it takes more.
const LEFT_ONE_IN: usize = 4;

/// Finds articles by their `SimHash`.
pub(super) struct HammingIndex {
    /// By key a list of two numbers an article: its own, and the two blocks that follow. What has left stays until the list
    /// is full.
    lists: Vec<List>,
    blocks: Blocks,
}

impl Default for HammingIndex {
    fn default() -> Self {
        Self { lists: vec![List::NOWHERE; KEYS], blocks: Blocks::default() }
    }
}

impl HammingIndex {
    /// Of articles in order.
    pub fn holding(articles: &[(u64, ArticleNo)]) -> Self {
        let mut index = Self::default();
        let places =
            || (0..).zip(articles).flat_map(|(at, (simhash, _))| keys(*simhash).map(move |key| (key, at)));
        let mut list = Vec::new();
        for (key, places) in by_key(&sorted(articles.len(), places)) {
            list.clear();
            let articles = places.filter_map(|at| articles.get(at as usize));
            list.extend(articles.flat_map(|(simhash, no)| [no.0, beside(*simhash, key)]));
            if let Some(place) = index.lists.get_mut(key as usize) {
                *place = index.blocks.add(&list);
            }
        }
        index
    }

    /// Takes in an article; of those that are there, all before the `oldest` have left. Numbers must rise.
    pub fn insert(&mut self, simhash: u64, no: ArticleNo, oldest: ArticleNo) {
        let Self { lists, blocks } = self;
        for key in keys(simhash) {
            let Some(list) = lists.get_mut(key as usize) else { continue };
            *list = Self::tidied(blocks, *list, oldest);
            for number in [no.0, beside(simhash, key)] {
                *list =
                    if *list == List::NOWHERE { blocks.add(&[number]) } else { blocks.push(*list, number) };
            }
        }
    }

    /// A list that is to have one article more.
    fn tidied(blocks: &mut Blocks, list: List, oldest: ArticleNo) -> List {
        let articles = blocks.get(list).as_chunks().0;
        let left = articles.partition_point(|[no, _]| *no < oldest.0);
        if blocks.room(list) >= 2 || left <= articles.len() / LEFT_ONE_IN {
            return list;
        }
        let live: Vec<u32> = articles.iter().skip(left).flatten().copied().collect();
        blocks.free(list);
        blocks.add(&live)
    }

    /// All within the radius, the newest first, each once. Of those that have left there may be some.
    pub fn within_radius(
        &self,
        simhash: u64,
        value: impl Fn(ArticleNo) -> Option<u64>,
    ) -> impl Iterator<Item = ArticleNo> {
        let lists = keys(simhash).filter_map(|key| Some((key, *self.lists.get(key as usize)?)));
        self.blocks.touch(lists.clone().map(|(_, list)| list));
        let mut near: Vec<u32> = Vec::new();
        for (key, list) in lists {
            let list = self.blocks.get(list);
            let beside = beside(simhash, key);
            let is_near = |[_, other]: &&[u32; 2]| (beside ^ other).count_ones() <= RADIUS;
            near.extend(list.as_chunks().0.iter().filter(is_near).map(|[no, _]| no));
        }
        near.sort_unstable_by_key(|no| Reverse(*no));
        near.dedup();
        let is_near = move |other| simhash::hamming_distance(simhash, other) <= RADIUS;
        near.into_iter().map(ArticleNo).filter(move |no| value(*no).is_some_and(is_near))
    }
}

/// Each block with its number.
fn keys(simhash: u64) -> impl Iterator<Item = u32> + Clone {
    (1..=BLOCKS).map(move |block| (block << BLOCK_BITS) + low_half(from(simhash, block)) % (1 << BLOCK_BITS))
}

/// What stands in the two blocks behind the one of a key.
fn beside(simhash: u64, key: u32) -> u32 {
    low_half(from(simhash, key >> BLOCK_BITS) >> BLOCK_BITS)
}

/// A value from one of its blocks on.
fn from(simhash: u64, block: u32) -> u64 {
    simhash.rotate_right(block * BLOCK_BITS)
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
        /// Also where they come one by one, the oldest leave as they come, and one has left before these.
        #[test]
        fn the_index_is_equal_to_brute_force(
            values in values(), query in any::<prop::sample::Index>(), gone in any::<prop::sample::Index>(),
            window in 1_u32..40,
        ) {
            let all: Vec<(u64, ArticleNo)> = values.iter().copied().zip((0..).map(ArticleNo)).collect();
            let (query, gone) = (*query.get(&values), gone.get(&all).1);
            let oldest = |newest: ArticleNo| ArticleNo(newest.0.saturating_sub(window));
            let mut one_by_one = HammingIndex::default();
            for (value, no) in &all {
                one_by_one.insert(*value, *no, oldest(*no));
            }
            let oldest = all.last().map_or(ArticleNo(0), |(_, newest)| oldest(*newest));
            let is_live = |no: ArticleNo| no >= oldest && no != gone;
            let near = |value: u64| (value ^ query).count_ones() <= RADIUS;
            let live = all.iter().rev().filter(|(value, no)| is_live(*no) && near(*value));
            let brute: Vec<ArticleNo> = live.map(|(_, no)| *no).collect();
            let value = |no: ArticleNo| is_live(no).then(|| values[no.0 as usize]);
            for index in [one_by_one, HammingIndex::holding(&all)] {
                let found: Vec<ArticleNo> = index.within_radius(query, value).collect();
                prop_assert_eq!(&found, &brute);
            }
        }
    }

    #[test]
    fn what_has_left_makes_room() {
        let mut index = HammingIndex::default();
        for no in 0..10_000 {
            index.insert(7, ArticleNo(no), ArticleNo(no / 10 * 10));
        }
        let lists = index.lists.iter().filter(|list| **list != List::NOWHERE);
        let lengths: Vec<usize> = lists.map(|list| index.blocks.get(*list).len()).collect();
        assert_eq!(lengths.len(), 4);
        assert!(lengths.iter().all(|length| *length <= 2 * 16), "{lengths:?}");
    }
}
