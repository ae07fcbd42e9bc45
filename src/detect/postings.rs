//! Postings: for each term, sketch entry or other key the live articles that have it. Called by every matcher.
//!
//! What leaves a window is nearly always the oldest. Its postings then stay where they are, in front of their lists, until
//! somebody looks: to go and take out a hundred postings, each in memory that nobody has touched for a week, would cost
//! more than all else that is done for an article.

use super::{
    blocks::{Blocks, List},
    bulk::{by_key, sorted},
    table::Table,
};
use crate::model::ArticleNo;
use std::{collections::VecDeque, hint::black_box, slice};

/// What the table says of a key is 0 where no article has it, the place of a list, or with this bit a posting itself.
const IS_POSTING: u32 = 1 << POSTING_BITS;
const POSTING_BITS: u32 = u32::BITS - 1;

/// A full list of which one posting in so many is dead makes room of them, and needs no more.
const DEAD_ONE_IN: usize = 4;

/// Lists by key, each in order of article. A posting is 31 bits: the running number of an article among those that were
/// taken in here, as far as that tells those apart which are there, and below it a value of `VALUE_BITS`. Of each article
/// something more is kept once, a `T`.
#[derive(Default)]
pub(super) struct Postings<T, const VALUE_BITS: u32> {
    /// Most keys are those of one article. Its posting stands in the table itself, which whoever looks up the key has at hand.
    lists: Table<u32>,
    longer: Blocks,
    /// The articles in order, from the first that is still here; nothing is kept of those that are not.
    articles: VecDeque<(ArticleNo, Option<T>)>,
    /// The running number of the first.
    first: u32,
    /// How many places were given up at the front since the last sweep.
    left: usize,
}

/// How many postings from where the last look ended are looked at before the whole list is: in lists that are used few
/// have died since.
const NEAR: usize = 16;

/// The postings of the articles with one key, in order.
pub(super) enum Found<'p> {
    One(u32),
    Several(&'p [u32]),
}

impl Found<'_> {
    pub fn postings(&self) -> &[u32] {
        match self {
            Self::One(only) => slice::from_ref(only),
            Self::Several(list) => list,
        }
    }
}

impl<T, const VALUE_BITS: u32> Postings<T, VALUE_BITS> {
    const NUMBERS: u32 = 1 << (POSTING_BITS - VALUE_BITS);
    /// Half of the numbers are those of articles that are here, the others of those that are not any more.
    const ARTICLES_MAX: usize = Self::NUMBERS as usize / 2;

    /// What it is to have taken in articles one after the other, in a fraction of the time. Numbers must rise.
    pub fn holding<A: Copy, K: Iterator<Item = (u32, u8)>>(
        articles: &[A],
        kept: impl Fn(A) -> (ArticleNo, T),
        keys: impl Fn(A) -> K,
    ) -> Self {
        let newest = articles.len().saturating_sub(Self::ARTICLES_MAX);
        let articles = articles.get(newest..).unwrap_or_default();
        let postings = || {
            (0..).zip(articles).flat_map(|(here, article)| {
                keys(*article).map(move |(key, value)| (key, Self::posting(here, value)))
            })
        };
        let sorted = sorted(articles.len(), postings);
        let (mut lists, mut longer) = (Table::anew(by_key(&sorted).count()), Blocks::default());
        let mut list = Vec::new();
        for (key, postings) in by_key(&sorted) {
            list.clear();
            list.extend(postings);
            *lists.entry(key) = match &*list {
                [only] => IS_POSTING | *only,
                several => longer.add(several).0,
            };
        }
        let kept = |article: &A| {
            let (no, kept) = kept(*article);
            (no, Some(kept))
        };
        Self { lists, longer, articles: articles.iter().map(kept).collect(), first: 0, left: 0 }
    }

    /// Takes in an article with its keys and their values. Numbers must rise. Where there is no room for one more, the
    /// oldest leaves: with 8 bits of value that is after 4,194,304 that came since it.
    pub fn insert(&mut self, no: ArticleNo, kept: T, keys: impl Iterator<Item = (u32, u8)>) {
        if self.articles.len() >= Self::ARTICLES_MAX {
            self.leave(0);
        }
        let here = self.first.wrapping_add(u32::try_from(self.articles.len()).unwrap_or(u32::MAX));
        self.articles.push_back((no, Some(kept)));
        for (key, value) in keys {
            self.append(key, Self::posting(here, value));
        }
    }

    fn posting(here: u32, value: u8) -> u32 {
        (here % Self::NUMBERS) << VALUE_BITS | u32::from(value)
    }

    fn append(&mut self, key: u32, new: u32) {
        let Self { lists, longer, first, .. } = self;
        let entry = lists.entry(key);
        *entry = match Entry::of(*entry) {
            Entry::One(only) if !Self::is_dead(only, *first) => longer.add(&[only, new]).0,
            Entry::None | Entry::One(_) => IS_POSTING | new,
            Entry::Several(list) => {
                let list = Self::tidied(longer, list, *first);
                longer.push(list, new).0
            }
        };
    }

    /// A list that is to have one posting more. Now and then it is looked at how many of the others are dead: that waits for its
    /// front, which nothing else looks at where the newest are wanted.
    fn tidied(longer: &mut Blocks, list: List, first: u32) -> List {
        let (length, is_full) = (longer.get(list).len(), longer.room(list) == 0);
        if !is_full && !length.is_multiple_of(NEAR) {
            return list;
        }
        let dead = Self::dead(longer, list, first);
        longer.skip(list, dead);
        if is_full && dead > length / DEAD_ONE_IN {
            return longer.retain(list, |posting| !Self::is_dead(posting, first));
        }
        list
    }

    /// Lets go of an article. Its keys are asked for only where it is not the oldest.
    pub fn remove<K: Iterator<Item = u32>>(&mut self, no: ArticleNo, keys: impl FnOnce() -> K) {
        let Ok(place) = self.articles.binary_search_by_key(&no, |(no, _)| *no) else { return };
        if place > 0 {
            let here = self.first.wrapping_add(u32::try_from(place).unwrap_or(u32::MAX));
            keys().for_each(|key| self.take_out(key, here));
        }
        self.leave(place);
    }

    fn leave(&mut self, place: usize) {
        if let Some((_, kept)) = self.articles.get_mut(place) {
            *kept = None;
        }
        let gone = self.articles.iter().take_while(|(_, kept)| kept.is_none()).count();
        // Numbers go round: what is dead must be swept before the first is more than half of them ahead of it.
        if self.left + gone > Self::ARTICLES_MAX {
            self.sweep();
        }
        self.articles.drain(..gone);
        self.first = self.first.wrapping_add(u32::try_from(gone).unwrap_or(u32::MAX));
        self.left += gone;
        if self.left > self.articles.len().min(Self::ARTICLES_MAX / 2) {
            self.sweep();
        }
    }

    /// The live articles with each of these keys.
    pub fn of(&self, keys: impl Iterator<Item = u32> + Clone) -> Vec<Found<'_>> {
        self.look_up(keys, |list| self.longer.get(list).get(self.longer.skipped(list)..))
    }

    /// The newest live articles with each of these keys, so many at most.
    pub fn newest(&self, keys: impl Iterator<Item = u32> + Clone, most: usize) -> Vec<Found<'_>> {
        self.look_up(keys, |list| {
            let postings = self.longer.get(list);
            postings.get(postings.len().saturating_sub(most)..)
        })
    }

    /// Of lists, those parts that are wanted are looked at, so far as they are of live articles.
    fn look_up<'p>(
        &'p self,
        keys: impl Iterator<Item = u32> + Clone,
        wanted: impl Fn(List) -> Option<&'p [u32]>,
    ) -> Vec<Found<'p>> {
        let entries = self.lists.all(keys);
        // A longer list lies in a second place, and what is wanted of it in a third. All are asked for before any is read.
        self.longer.touch(entries.iter().filter_map(|entry| match Entry::of(*entry) {
            Entry::Several(list) => Some(list),
            Entry::None | Entry::One(_) => None,
        }));
        let mut found: Vec<Found<'p>> = entries
            .into_iter()
            .map(|entry| match Entry::of(entry) {
                Entry::One(only) if !Self::is_dead(only, self.first) => Found::One(only),
                Entry::None | Entry::One(_) => Found::Several(&[]),
                Entry::Several(list) => Found::Several(wanted(list).unwrap_or_default()),
            })
            .collect();
        black_box(
            found.iter().filter_map(|found| found.postings().first()).fold(0, |sum, first| sum ^ first),
        );
        for found in &mut found {
            if let Found::Several(postings) = found {
                *postings = postings.get(Self::dead_of(postings, self.first)..).unwrap_or_default();
            }
        }
        found
    }

    /// How many places there are for articles.
    pub fn places(&self) -> usize {
        self.articles.len()
    }

    /// The place of a live posting's article, below [`Self::places`].
    pub fn place(&self, posting: u32) -> usize {
        Self::place_from(self.first, posting) as usize
    }

    /// The article in a place, and what is kept of it.
    pub fn article(&self, place: usize) -> Option<(ArticleNo, &T)> {
        let (no, kept) = self.articles.get(place)?;
        Some((*no, kept.as_ref()?))
    }

    /// How many of a list's postings, all of them in front of the others, are dead.
    fn dead(longer: &Blocks, list: List, first: u32) -> usize {
        let skipped = longer.skipped(list);
        skipped + Self::dead_of(longer.get(list).get(skipped..).unwrap_or_default(), first)
    }

    /// The same of so many postings in order, of which seldom more than a few are dead.
    fn dead_of(postings: &[u32], first: u32) -> usize {
        let is_dead = |posting: &u32| Self::is_dead(*posting, first);
        let ends_near = |near: &&[u32]| near.last().is_some_and(|last| !is_dead(last));
        postings.get(..NEAR).filter(ends_near).unwrap_or(postings).partition_point(is_dead)
    }

    /// Numbers go round: those of articles that have left are far ahead.
    fn place_from(first: u32, posting: u32) -> u32 {
        (posting >> VALUE_BITS).wrapping_sub(first) % Self::NUMBERS
    }

    fn is_dead(posting: u32, first: u32) -> bool {
        Self::place_from(first, posting) >= Self::NUMBERS / 2
    }

    fn take_out(&mut self, key: u32, here: u32) {
        let Self { lists, longer, .. } = self;
        let is_here = |posting: u32| Self::place_from(here, posting) == 0;
        let entry = lists.entry(key);
        match Entry::of(*entry) {
            Entry::One(only) if is_here(only) => *entry = 0,
            Entry::Several(list) => *entry = longer.retain(list, |posting| !is_here(posting)).0,
            Entry::None | Entry::One(_) => {}
        }
    }

    /// Once as many have left as are there, drops the postings that nobody will look at again, and brings those which are
    /// alone back into the table.
    fn sweep(&mut self) {
        self.left = 0;
        let Self { lists, longer, first, .. } = self;
        lists.change(|entry| match Entry::of(*entry) {
            Entry::One(only) if Self::is_dead(only, *first) => *entry = 0,
            Entry::Several(list) => {
                let list = longer.retain(list, |posting| !Self::is_dead(posting, *first));
                *entry = match longer.get(list) {
                    [] => 0,
                    [only] => IS_POSTING | *only,
                    _ => list.0,
                };
                if *entry != list.0 {
                    longer.free(list);
                }
            }
            Entry::None | Entry::One(_) => {}
        });
    }
}

/// What the table says of a key.
#[derive(Clone, Copy)]
enum Entry {
    None,
    One(u32),
    Several(List),
}

impl Entry {
    fn of(entry: u32) -> Self {
        match entry {
            0 => Self::None,
            one if one & IS_POSTING != 0 => Self::One(one & !IS_POSTING),
            several => Self::Several(List(several)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// One key in each article, one in every second, one in every seventh, each with a value.
    fn keys_of(no: u32) -> impl Iterator<Item = (u32, u8)> {
        [(1, 1), (2, 2), (3, 7)]
            .into_iter()
            .filter(move |(_, every)| no.is_multiple_of(*every))
            .map(|(key, _)| (key, 5))
    }

    proptest! {
        /// Also where there are more than there is room for, and after some have left and others have come.
        #[test]
        fn articles_taken_in_at_once_are_found_as_if_they_came_one_by_one(
            articles in prop::collection::vec(prop::collection::btree_map(1_u32..12, 0_u8..32, 0..9), 1..80),
            at_first in any::<prop::sample::Index>(),
            later in prop::collection::vec(any::<prop::sample::Index>(), 0..60),
        ) {
            let all: Vec<_> = (0..).step_by(3).map(ArticleNo).zip(&articles).collect();
            let keys = |(_, keys): (ArticleNo, &BTreeMap<u32, u8>)| keys.clone().into_iter();
            let (before, mut behind) = all.split_at(at_first.index(all.len() + 1));
            let mut one_by_one = Postings::<u32, 25>::default();
            for article in before {
                one_by_one.insert(article.0, article.0.0, keys(*article));
            }
            let mut at_once = Postings::<u32, 25>::holding(before, |(no, _)| (no, no.0), keys);
            let answers = |postings: &Postings<u32, 25>| -> Vec<Vec<_>> {
                let article = |posting: &u32| (posting % (1 << 25), *postings.article(postings.place(*posting)).unwrap().1);
                let found = postings.of(1..12).into_iter().chain(postings.newest(1..12, 3));
                found.map(|found| found.postings().iter().map(article).collect()).collect()
            };
            prop_assert_eq!(answers(&at_once), answers(&one_by_one));
            for who in later {
                let coming = behind.split_off_first();
                for postings in [&mut one_by_one, &mut at_once] {
                    if let Some(coming) = coming {
                        postings.insert(coming.0, coming.0.0, keys(*coming));
                    }
                    let gone = *who.get(&all);
                    postings.remove(gone.0, || keys(gone).map(|(key, _)| key));
                }
                prop_assert_eq!(answers(&at_once), answers(&one_by_one));
            }
        }

        /// Lists of hundreds, of which many die at once, or one in the middle.
        #[test]
        fn long_lists_know_what_is_dead(
            turns in prop::collection::vec((1_usize..60, 0_usize..90, any::<prop::sample::Index>()), 1..40),
        ) {
            let mut postings = Postings::<(), 22>::default();
            let (mut live, mut no) = (Vec::new(), 0);
            for (coming, going, middle) in turns {
                for _ in 0..coming {
                    postings.insert(ArticleNo(no), (), keys_of(no));
                    live.push(no);
                    no += 1;
                }
                let keys = |no| keys_of(no).map(|(key, _)| key);
                // A place in the middle is one too, whether or not somebody is in it.
                live.retain(|older| no - older <= u32::try_from(Postings::<(), 22>::ARTICLES_MAX).unwrap());
                let middle = live.remove(middle.index(live.len()));
                postings.remove(ArticleNo(middle), || keys(middle));
                for gone in live.drain(..going.min(live.len())) {
                    postings.remove(ArticleNo(gone), || keys(gone));
                }
                let numbers = |found: &Found<'_>| {
                    let article = |posting: &u32| postings.article(postings.place(*posting)).unwrap().0.0;
                    found.postings().iter().map(article).collect::<Vec<_>>()
                };
                let (all, newest) = (postings.of(1..4), postings.newest(1..4, 24));
                for ((every, all), newest) in [1, 2, 7].into_iter().zip(&all).zip(&newest) {
                    let brute: Vec<u32> = live.iter().copied().filter(|no: &u32| no.is_multiple_of(every)).collect();
                    prop_assert_eq!(numbers(all), &brute[..]);
                    prop_assert_eq!(numbers(newest), &brute[brute.len().saturating_sub(24)..]);
                }
            }
        }

        /// With numbers of four bits, so that they go round, and no more than eight articles, of which then the oldest leaves.
        #[test]
        fn the_lists_hold_what_is_live_whatever_left_first(
            articles in prop::collection::vec(prop::collection::btree_set(1_u32..7, 0..4), 1..90),
            leaving in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..120),
        ) {
            let mut postings = Postings::<u32, 27>::default();
            let mut live: Vec<(ArticleNo, Vec<u32>)> = Vec::new();
            let mut leaving = leaving.into_iter();
            for (no, keys) in (0..).step_by(3).map(ArticleNo).zip(articles) {
                let before = postings.places();
                postings.insert(no, no.0, keys.iter().map(|key| (*key, u8::try_from(*key).unwrap())));
                if before == Postings::<u32, 27>::ARTICLES_MAX {
                    live.remove(0);
                }
                live.push((no, keys.into_iter().collect()));
                for (which, is_oldest) in leaving.by_ref().take(2) {
                    if live.len() < 2 { continue }
                    let (no, keys) = live.remove(if is_oldest { 0 } else { which.index(live.len()) });
                    postings.remove(no, || keys.into_iter());
                }
                for (key, live_with) in (1..7).zip(postings.of(1..7)) {
                    let found = live_with.postings().iter().map(|posting| {
                        prop_assert_eq!(posting % (1 << 27), key);
                        let (no, kept) = postings.article(postings.place(*posting)).unwrap();
                        prop_assert_eq!(no.0, *kept);
                        Ok(no)
                    });
                    let brute = live.iter().filter(|(_, keys)| keys.contains(&key)).map(|(no, _)| *no).collect::<Vec<_>>();
                    prop_assert_eq!(found.collect::<Result<Vec<_>, TestCaseError>>()?, brute);
                }
            }
        }
    }
}
