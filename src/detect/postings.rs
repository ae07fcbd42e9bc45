//! Postings: for each term or sketch entry the live articles that have it. Called by `rewrite` and `overlap`.
//!
//! What leaves a window is nearly always the oldest. Its postings then stay where they are, in front of their lists, until
//! somebody looks: to go and take out a hundred postings, each in memory that nobody has touched for a week, would cost
//! more than all else that is done for an article.

use crate::model::{ArticleNo, TermMap};
use std::collections::VecDeque;

/// Lists by key, each in order of article.
#[derive(Default)]
pub(super) struct Postings<T> {
    lists: TermMap<VecDeque<(ArticleNo, T)>>,
    /// Whether the articles from number `first` on are live; that one is.
    live: VecDeque<bool>,
    first: ArticleNo,
    /// How many articles have left their postings to be found by chance.
    left: usize,
}

impl<T> Postings<T> {
    /// Takes in an article with its keys. Numbers must rise.
    pub fn insert(&mut self, no: ArticleNo, keys: impl Iterator<Item = (u32, T)>) {
        if self.live.is_empty() {
            self.first = no;
        }
        self.live.resize((no.0 - self.first.0) as usize, false);
        self.live.push_back(true);
        for (key, value) in keys {
            let list = self.lists.entry(key).or_default();
            drop_dead(list, self.first);
            list.push_back((no, value));
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

    /// The live articles with this key.
    pub fn of(&mut self, key: u32) -> Option<&VecDeque<(ArticleNo, T)>> {
        let list = self.lists.get_mut(&key)?;
        drop_dead(list, self.first);
        Some(list)
    }

    /// Looks at the head of each of these lists, and counts the lists and what they hold at both ends. None waits
    /// for another, so that memory is waited for once and not at every list.
    pub fn touch(&self, keys: impl Iterator<Item = u32>) -> usize {
        let ends = |list: &VecDeque<(ArticleNo, T)>| {
            usize::from(list.front().is_some())
                + usize::from(list.back().is_some_and(|(no, _)| *no >= self.first))
        };
        keys.filter_map(|key| self.lists.get(&key)).map(ends).sum()
    }

    fn take_out(&mut self, key: u32, no: ArticleNo) {
        let Some(list) = self.lists.get_mut(&key) else { return };
        if let Ok(at) = list.binary_search_by_key(&no, |(no, _)| *no) {
            list.remove(at);
        }
        if list.is_empty() {
            self.lists.remove(&key);
        }
    }

    /// Once as many have left as are there, drops the lists that nobody will look at again.
    fn sweep(&mut self) {
        if self.left > self.live.len() {
            self.lists.retain(|_, list| list.back().is_some_and(|(no, _)| *no >= self.first));
            self.left = 0;
        }
    }
}

fn drop_dead<T>(list: &mut VecDeque<(ArticleNo, T)>, first: ArticleNo) {
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
                    let found = postings.of(key).into_iter().flatten().map(|(no, ())| *no).collect::<Vec<_>>();
                    let brute = live.iter().filter(|(_, keys)| keys.contains(&key)).map(|(no, _)| *no).collect::<Vec<_>>();
                    prop_assert_eq!(found, brute);
                }
            }
        }
    }
}
