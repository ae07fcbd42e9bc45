//! Which live article is in which record, and what of that a person has pinned.

use crate::model::{ArticleNo, RecordId, SpreadHasher};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    ops::Deref,
    slice,
};

/// An article is weighed against this many members of a record at most, picked evenly from the oldest to the
/// newest: were most of them the newest, a story that drifts slowly would carry its record along without end. Two
/// records are weighed with half as many of each.
pub(super) const PANEL: usize = 24;
pub(super) const MERGE_PANEL: usize = 12;

/// One record, as far as it is in the windows.
#[derive(Debug)]
pub(super) struct Record {
    pub id: RecordId,
    /// Its live members.
    pub members: Members,
}

/// Articles in order, of which there is mostly one: it lies here, and not in memory of its own.
#[derive(Debug)]
pub(super) enum Members {
    One(ArticleNo),
    Several(Vec<ArticleNo>),
}

impl Deref for Members {
    type Target = [ArticleNo];

    fn deref(&self) -> &[ArticleNo] {
        match self {
            Self::One(only) => slice::from_ref(only),
            Self::Several(all) => all,
        }
    }
}

impl Members {
    fn insert(&mut self, no: ArticleNo) {
        let Err(place) = self.binary_search(&no) else { return };
        match self {
            Self::One(only) => {
                let mut both = vec![*only];
                both.insert(place, no);
                *self = Self::Several(both);
            }
            Self::Several(all) => all.insert(place, no),
        }
    }

    /// Those that are left without one.
    fn remove(&mut self, no: ArticleNo) -> usize {
        match self {
            Self::One(only) if *only != no => 1,
            Self::One(_) => 0,
            Self::Several(all) => {
                all.retain(|member| *member != no);
                all.len()
            }
        }
    }
}

impl Record {
    /// The members that a newcomer is weighed against.
    pub fn panel(&self) -> Vec<ArticleNo> {
        panel(&self.members, PANEL)
    }

    /// The members that another record is weighed against.
    pub fn merge_panel(&self) -> Vec<ArticleNo> {
        panel(&self.members, MERGE_PANEL)
    }
}

/// At most `size` of some members, picked evenly.
pub(super) fn panel(members: &[ArticleNo], size: usize) -> Vec<ArticleNo> {
    // Of n members those at the places 0, n/size, 2n/size, ... are picked: the founder is always one of them.
    let is_picked = |place: &usize| place * size % members.len() < size;
    let all = members.iter().copied().enumerate();
    all.filter(|(place, _)| members.len() <= size || is_picked(place)).map(|(_, no)| no).collect()
}

/// All records with a live member, by founder.
#[derive(Default)]
pub(super) struct Records {
    by_founder: HashMap<ArticleNo, Record, SpreadHasher>,
    /// Of the live articles that did not found theirs.
    founder_of: HashMap<ArticleNo, ArticleNo, SpreadHasher>,
    /// The pinned articles, live or not, with the founders of their records, which are theirs for good.
    pinned: BTreeMap<ArticleNo, ArticleNo>,
    /// Live versions of one story, which are together by their wire id and not by their texts.
    chained: BTreeSet<ArticleNo>,
}

impl Records {
    pub fn get(&self, founder: ArticleNo) -> Option<&Record> {
        self.by_founder.get(&founder)
    }

    /// All of them, in no order.
    pub fn all(&self) -> impl Iterator<Item = &Record> {
        self.by_founder.values()
    }

    /// The founder of the record that a live article is in.
    pub fn founder_of(&self, no: ArticleNo) -> Option<ArticleNo> {
        let is_founder = || self.get(no).is_some_and(|record| record.members.binary_search(&no).is_ok());
        self.founder_of.get(&no).copied().or_else(|| is_founder().then_some(no))
    }

    /// How many live members a record has.
    pub fn size(&self, founder: ArticleNo) -> usize {
        self.get(founder).map_or(0, |record| record.members.len())
    }

    /// Keeps an article in the record of this founder, until it is let go.
    pub fn pin(&mut self, no: ArticleNo, founder: ArticleNo) {
        self.pinned.insert(no, founder);
    }

    pub fn unpin(&mut self, no: ArticleNo) {
        self.pinned.remove(&no);
    }

    /// Keeps a live article with the other versions of its story.
    pub fn chain(&mut self, no: ArticleNo) {
        if self.founder_of(no).is_some() {
            self.chained.insert(no);
        }
    }

    /// Whether an article must stay in its record: it founded it, a person pinned it, or it is one of several versions.
    pub fn stays(&self, no: ArticleNo) -> bool {
        self.founder_of(no) == Some(no) || self.pinned.contains_key(&no) || self.chained.contains(&no)
    }

    /// Whether a record holds a pinned article, and so must go into no other.
    pub fn holds_a_pin(&self, founder: ArticleNo) -> bool {
        self.pinned.values().any(|of| *of == founder)
    }

    /// Puts an article into a record, which it may found.
    pub fn add(&mut self, no: ArticleNo, founder: ArticleNo, id: RecordId) {
        let new = || Record { id, members: Members::One(no) };
        self.by_founder.entry(founder).or_insert_with(new).members.insert(no);
        if no != founder {
            self.founder_of.insert(no, founder);
        }
    }

    /// Lets go of an article that has left every window, or is to go elsewhere.
    pub fn remove(&mut self, no: ArticleNo) {
        let Some(founder) = self.founder_of(no) else { return };
        self.founder_of.remove(&no);
        self.chained.remove(&no);
        if self.by_founder.get_mut(&founder).is_some_and(|record| record.members.remove(no) == 0) {
            self.by_founder.remove(&founder);
        }
    }

    /// Makes the members of `from` members of `into`, which keeps its id.
    pub fn merge(&mut self, into: ArticleNo, from: ArticleNo, id: RecordId) {
        let Some(gone) = self.by_founder.remove(&from) else { return };
        for no in gone.members.iter() {
            self.add(*no, into, id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panel_is_picked_evenly() {
        let members: Vec<ArticleNo> = (0..10).map(ArticleNo).collect();
        let of = |size| panel(&members, size).into_iter().map(|no| no.0).collect::<Vec<_>>();
        assert_eq!(of(12), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(of(6), [0, 2, 4, 5, 7, 9]);
        assert_eq!(of(3), [0, 4, 7]);
    }
}
