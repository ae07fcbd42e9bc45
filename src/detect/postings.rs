//! Postings: for each term or sketch entry the live articles that have it. Called by `rewrite` and `overlap`.
//!
//! What leaves a window is nearly always the oldest. Its postings then stay where they are, in front of their lists, until
//! somebody looks: to go and take out a hundred postings, each in memory that nobody has touched for a week, would cost
//! more than all else that is done for an article.

use super::table::Table;
use crate::model::ArticleNo;
use std::{collections::VecDeque, hint::black_box, slice};

/// An article that has a key, and what is kept of it there.
pub(super) type Posting<T> = (ArticleNo, T);

/// Lists by key, each in order of article.
pub(super) struct Postings<T> {
    lists: Table<List<T>>,
    /// The lists of several, and the places among them that are free.
    longer: Vec<VecDeque<Posting<T>>>,
    free: Vec<u32>,
    /// Whether the articles from number `first` on are live; that one is.
    live: VecDeque<bool>,
    first: ArticleNo,
    /// How many articles have left since the last sweep.
    left: usize,
}

/// Most keys are those of one article. Its posting stands in the table itself, which whoever looks up the key has at hand.
#[derive(Clone, Copy, Default, PartialEq)]
enum List<T> {
    #[default]
    Empty,
    One(Posting<T>),
    /// The place among the longer ones.
    Several(u32),
}

/// The live articles with one key, in order.
pub(super) enum Live<'p, T> {
    One(Posting<T>),
    /// The older and the newer.
    Several(&'p [Posting<T>], &'p [Posting<T>]),
}

impl<T> Live<'_, T> {
    pub fn len(&self) -> usize {
        let (older, newer) = self.slices();
        older.len() + newer.len()
    }

    pub fn slices(&self) -> (&[Posting<T>], &[Posting<T>]) {
        match self {
            Self::One(only) => (slice::from_ref(only), &[]),
            Self::Several(older, newer) => (older, newer),
        }
    }
}

impl<T: Copy + PartialEq> Default for Postings<T> {
    fn default() -> Self {
        Self {
            lists: Table::default(),
            longer: Vec::new(),
            free: Vec::new(),
            live: VecDeque::new(),
            first: ArticleNo::default(),
            left: 0,
        }
    }
}

impl<T: Copy + PartialEq> Postings<T> {
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
        let Self { lists, longer, free, first, .. } = self;
        let list = lists.entry(key);
        match list {
            List::One(only) if only.0 >= *first => {
                *list = List::Several(place(longer, free, VecDeque::from([*only, new])));
            }
            List::Several(at) => {
                let Some(list) = longer.get_mut(*at as usize) else { return };
                drop_dead(list, *first);
                list.push_back(new);
            }
            List::Empty | List::One(_) => *list = List::One(new),
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
        } else {
            keys.for_each(|key| self.take_out(key, no));
        }
        self.left += 1;
        self.sweep();
    }

    /// The live articles with each of these keys.
    pub fn of(&self, keys: impl Iterator<Item = u32> + Clone) -> Vec<Live<'_, T>> {
        let lists = self.lists.all(keys);
        // What a longer list has at hand lies in a second place, and its postings in a third. All of one are asked for
        // before any of the next.
        let longer = |list: &List<T>| match list {
            List::Several(at) => self.longer.get(*at as usize),
            List::Empty | List::One(_) => None,
        };
        black_box(lists.iter().filter_map(longer).map(VecDeque::len).sum::<usize>());
        let ends = |list: &VecDeque<Posting<T>>| list.front().map(|p| p.0).max(list.back().map(|p| p.0));
        black_box(lists.iter().filter_map(longer).map(ends).max());
        lists.iter().map(|list| self.live(list, longer(list))).collect()
    }

    fn live<'p>(&self, list: &List<T>, longer: Option<&'p VecDeque<Posting<T>>>) -> Live<'p, T> {
        match (list, longer) {
            (List::One(only), _) if only.0 >= self.first => Live::One(*only),
            (_, Some(several)) => {
                let (older, newer) = several.as_slices();
                Live::Several(self.without_dead(older), self.without_dead(newer))
            }
            _ => Live::Several(&[], &[]),
        }
    }

    fn without_dead<'p>(&self, mut postings: &'p [Posting<T>]) -> &'p [Posting<T>] {
        while let [dead, rest @ ..] = postings
            && dead.0 < self.first
        {
            postings = rest;
        }
        postings
    }

    fn take_out(&mut self, key: u32, no: ArticleNo) {
        let list = self.lists.entry(key);
        match list {
            List::One(only) if only.0 == no => *list = List::Empty,
            List::Several(at) => {
                if let Some(list) = self.longer.get_mut(*at as usize)
                    && let Ok(at) = list.binary_search_by_key(&no, |(no, _)| *no)
                {
                    list.remove(at);
                }
            }
            List::Empty | List::One(_) => {}
        }
    }

    /// Once as many have left as are there, drops the lists that nobody will look at again, and brings those of which one
    /// is left back into the table.
    fn sweep(&mut self) {
        if self.left <= self.live.len() {
            return;
        }
        self.left = 0;
        let Self { lists, longer, free, first, .. } = self;
        lists.change(|list| match list {
            List::One(only) if only.0 < *first => *list = List::Empty,
            List::Several(at) => {
                let Some(several) = longer.get_mut(*at as usize) else { return };
                drop_dead(several, *first);
                if several.len() <= 1 {
                    free.push(*at);
                    *list = std::mem::take(several).pop_front().map_or(List::Empty, List::One);
                }
            }
            List::Empty | List::One(_) => {}
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
            articles in prop::collection::vec(prop::collection::btree_set(1_u32..7, 0..4), 1..40),
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
                for (key, live_with) in (1..7).zip(postings.of(1..7)) {
                    let (older, newer) = live_with.slices();
                    let found = older.iter().chain(newer).map(|(no, ())| *no).collect::<Vec<_>>();
                    let brute = live.iter().filter(|(_, keys)| keys.contains(&key)).map(|(no, _)| *no).collect::<Vec<_>>();
                    prop_assert_eq!(found, brute);
                }
            }
        }
    }
}
