//! Postings: for each term or sketch entry the live articles that have it. Called by `rewrite` and `overlap`.
//!
//! What leaves a window is nearly always the oldest. Its postings then stay where they are, in front of their lists, until
//! somebody looks: to go and take out a hundred postings, each in memory that nobody has touched for a week, would cost
//! more than all else that is done for an article.

use crate::model::{ArticleNo, TermMap};
use std::{
    collections::{VecDeque, hash_map::Entry},
    slice,
};

/// An article that has a key, and what is kept of it there.
pub(super) type Posting<T> = (ArticleNo, T);

/// Lists by key, each in order of article.
#[derive(Default)]
pub(super) struct Postings<T> {
    lists: TermMap<List<T>>,
    /// The lists of several, and the places among them that are free.
    longer: Vec<VecDeque<Posting<T>>>,
    free: Vec<u32>,
    /// Whether the articles from number `first` on are live; that one is.
    live: VecDeque<bool>,
    first: ArticleNo,
    /// How many articles have left their postings to be found by chance.
    left: usize,
}

/// Most keys are those of one article. Its posting stands in the map itself, which whoever looks up the key has at hand.
enum List<T> {
    One(Posting<T>),
    /// The place among the longer ones.
    Several(u32),
}

impl<T: Copy> Postings<T> {
    /// Takes in an article with its keys. Numbers must rise.
    pub fn insert(&mut self, no: ArticleNo, keys: impl Iterator<Item = (u32, T)>) {
        if self.live.is_empty() {
            self.first = no;
        }
        self.live.resize((no.0 - self.first.0) as usize, false);
        self.live.push_back(true);
        for (key, value) in keys {
            self.append(key, (no, value));
        }
    }

    fn append(&mut self, key: u32, new: Posting<T>) {
        let list = match self.lists.entry(key) {
            Entry::Vacant(vacant) => {
                vacant.insert(List::One(new));
                return;
            }
            Entry::Occupied(occupied) => occupied.into_mut(),
        };
        match list {
            List::One(only) if only.0 < self.first => *only = new,
            List::One(only) => {
                let both = VecDeque::from([*only, new]);
                *list = List::Several(place(&mut self.longer, &mut self.free, both));
            }
            List::Several(at) => {
                let Some(list) = self.longer.get_mut(*at as usize) else { return };
                drop_dead(list, self.first);
                list.push_back(new);
            }
        }
    }

    /// Lets go of an article.
    pub fn remove(&mut self, no: ArticleNo, keys: impl Iterator<Item = u32>) {
        let Some(is_live) = self.live.get_mut(no.0.wrapping_sub(self.first.0) as usize) else { return };
        *is_live = false;
        if no == self.first {
            while self.live.pop_front_if(|is_live| !*is_live).is_some() {
                self.first.0 += 1;
            }
            self.left += 1;
            self.sweep();
        } else {
            keys.for_each(|key| self.take_out(key, no));
        }
    }

    /// The live articles with this key, the older and the newer.
    pub fn of(&mut self, key: u32) -> (&[Posting<T>], &[Posting<T>]) {
        match self.lists.get(&key) {
            Some(List::One(only)) if only.0 >= self.first => (slice::from_ref(only), &[]),
            Some(List::Several(at)) => match self.longer.get_mut(*at as usize) {
                Some(list) => {
                    drop_dead(list, self.first);
                    list.as_slices()
                }
                None => (&[], &[]),
            },
            _ => (&[], &[]),
        }
    }

    /// Looks at both ends of each of these lists, and counts what is there. None waits for another, so that memory is
    /// waited for once and not at every list.
    pub fn touch(&self, keys: impl Iterator<Item = u32>) -> usize {
        let ends = |list: &List<T>| match list {
            List::One(_) => 1,
            List::Several(at) => self.longer.get(*at as usize).map_or(0, |list| {
                usize::from(list.front().is_some_and(|(no, _)| *no >= self.first))
                    + usize::from(list.back().is_some_and(|(no, _)| *no >= self.first))
            }),
        };
        keys.filter_map(|key| self.lists.get(&key)).map(ends).sum()
    }

    fn take_out(&mut self, key: u32, no: ArticleNo) {
        let Entry::Occupied(entry) = self.lists.entry(key) else { return };
        match entry.get() {
            List::One(only) => {
                if only.0 == no {
                    entry.remove();
                }
            }
            List::Several(at) => {
                let list = self.longer.get_mut(*at as usize);
                if let Some(list) = list
                    && let Ok(at) = list.binary_search_by_key(&no, |(no, _)| *no)
                {
                    list.remove(at);
                }
            }
        }
    }

    /// Once as many have left as are there, drops the lists that nobody will look at again, and brings those of which one
    /// is left back into the map.
    fn sweep(&mut self) {
        if self.left <= self.live.len() {
            return;
        }
        self.left = 0;
        let Self { lists, longer, free, first, .. } = self;
        lists.retain(|_, list| {
            let List::Several(at) = *list else {
                return matches!(list, List::One(only) if only.0 >= *first);
            };
            let Some(several) = longer.get_mut(at as usize) else { return false };
            drop_dead(several, *first);
            if several.len() > 1 {
                return true;
            }
            free.push(at);
            let only = std::mem::take(several).pop_front();
            only.map(|only| *list = List::One(only)).is_some()
        });
    }
}

/// Keeps a list of several, and returns its place.
fn place<T>(longer: &mut Vec<VecDeque<T>>, free: &mut Vec<u32>, list: VecDeque<T>) -> u32 {
    if let Some(at) = free.pop()
        && let Some(place) = longer.get_mut(at as usize)
    {
        *place = list;
        return at;
    }
    longer.push(list);
    u32::try_from(longer.len() - 1).unwrap_or(u32::MAX)
}

fn drop_dead<T>(list: &mut VecDeque<Posting<T>>, first: ArticleNo) {
    while list.pop_front_if(|(no, _)| *no < first).is_some() {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_lists_hold_what_is_live_whatever_left_first(
            articles in prop::collection::vec(prop::collection::btree_set(0_u32..6, 0..4), 1..40),
            leaving in prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 0..60),
        ) {
            let mut postings = Postings::default();
            let mut live: Vec<(ArticleNo, Vec<u32>)> = Vec::new();
            let mut leaving = leaving.into_iter();
            for (no, keys) in (0..).map(ArticleNo).zip(articles) {
                postings.insert(no, keys.iter().map(|key| (*key, ())));
                live.push((no, keys.into_iter().collect()));
                for (which, is_oldest) in leaving.by_ref().take(2) {
                    if live.len() < 2 { continue }
                    let (no, keys) = live.remove(if is_oldest { 0 } else { which.index(live.len()) });
                    postings.remove(no, keys.into_iter());
                }
                for key in 0..6 {
                    let (older, newer) = postings.of(key);
                    let found = older.iter().chain(newer).map(|(no, ())| *no).collect::<Vec<_>>();
                    let brute = live.iter().filter(|(_, keys)| keys.contains(&key)).map(|(no, _)| *no).collect::<Vec<_>>();
                    prop_assert_eq!(found, brute);
                }
            }
        }
    }
}
