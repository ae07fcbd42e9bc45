//! The third matcher: shared wording, by the sketches of the shingles. Shared entries estimate containment in
//! either direction, so a story that was cut, padded or wrapped is found, and is known for what it is.

use super::{postings::Postings, profile::Profile, tally::Tally};
use crate::model::{ArticleNo, Score};
use std::cmp::Reverse;

/// Of the articles with one sketch entry, this many are looked at, the newest. Entries that occur in many
/// records (sign-offs, templates) find few and cost little.
const POSTINGS_MAX: usize = 24;
/// An article is a candidate when it shares so many entries, and this share of the smaller of both sketches:
/// somewhat less than joins, since of an entry that many articles have not all are looked at.
const SHARED_MIN: u32 = 2;
const CONTAINED_MIN: f64 = 0.2;
/// This many candidates at most, those that share most.
const CANDIDATES_MAX: usize = 16;

/// What the overlap must reach to join: containment with a number of shared entries. Short texts have few
/// entries and must share nearly all.
const JOINS: [(f64, usize); 2] = [(0.35, 4), (0.8, 2)];

/// Finds live articles by the entries of their sketches.
#[derive(Default)]
pub(super) struct SketchIndex {
    /// With the length of each article's sketch.
    postings: Postings<u16, 0>,
}

impl SketchIndex {
    /// Of articles in order.
    pub fn holding(articles: &[&Profile]) -> Self {
        let kept = |article: &Profile| (article.no, length(article.sketch()));
        Self { postings: Postings::holding(articles, kept, |article| keys(article.sketch())) }
    }

    pub fn insert(&mut self, sketch: &[u32], no: ArticleNo) {
        self.postings.insert(no, length(sketch), keys(sketch));
    }

    pub fn remove(&mut self, sketch: &[u32], no: ArticleNo) {
        self.postings.remove(no, || sketch.iter().copied());
    }

    /// The articles that share most of a sketch, those that share more first, then the older.
    pub fn candidates(&self, sketch: &[u32], tally: &mut Tally) -> Vec<ArticleNo> {
        tally.cover(self.postings.places());
        for newest in self.postings.newest(sketch.iter().copied(), POSTINGS_MAX) {
            tally.add(newest.postings().iter().map(|posting| (self.postings.place(*posting), 1)));
        }
        let mut counted: Vec<(Reverse<u32>, ArticleNo)> = Vec::new();
        for (shared, place) in tally.take().filter(|(shared, _)| *shared >= SHARED_MIN) {
            let Some((no, entries)) = self.postings.article(place) else { continue };
            let smaller = usize::from(*entries).min(sketch.len());
            if Score::ratio(shared as usize, smaller).share() >= CONTAINED_MIN {
                counted.push((Reverse(shared), no));
            }
        }
        counted.sort_unstable();
        counted.into_iter().take(CANDIDATES_MAX).map(|(_, no)| no).collect()
    }
}

fn keys(sketch: &[u32]) -> impl Iterator<Item = (u32, u8)> {
    sketch.iter().map(|entry| (*entry, 0))
}

fn length(sketch: &[u32]) -> u16 {
    u16::try_from(sketch.len()).unwrap_or(u16::MAX)
}

/// How two sketches overlap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Overlap {
    /// Entries that both hold.
    pub shared: usize,
    /// The share of the first's entries that the second holds.
    pub contained: f64,
    /// The share of the second's entries that the first holds.
    pub contains: f64,
}

impl Overlap {
    pub fn of(a: &Profile, b: &Profile) -> Self {
        Self::sharing(common(a.sketch(), b.sketch()).count(), a, b)
    }

    /// The overlap of two that are known to share so many entries.
    pub fn sharing(shared: usize, a: &Profile, b: &Profile) -> Self {
        let share = |whole: usize| Score::ratio(shared, whole).share();
        Self { shared, contained: share(a.sketch().len()), contains: share(b.sketch().len()) }
    }

    /// The containment of the smaller in the larger.
    pub fn containment(&self) -> f64 {
        self.contained.max(self.contains)
    }

    /// Whether it is enough to join.
    pub fn joins(&self) -> bool {
        JOINS.iter().any(|(least, shared)| self.containment() >= *least && self.shared >= *shared)
    }
}

/// What two sorted lists have in common.
pub(super) fn common<'l>(a: &'l [u32], b: &'l [u32]) -> impl Iterator<Item = u32> + 'l {
    let mut others = b.iter().peekable();
    a.iter().copied().filter(move |x| {
        while others.next_if(|y| **y < *x).is_some() {}
        others.next_if(|y| **y == *x).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sorted_lists_have_in_common() {
        assert_eq!(common(&[1, 3, 5, 9], &[2, 3, 4, 9, 11]).collect::<Vec<_>>(), [3, 9]);
        assert_eq!(common(&[], &[1]).count(), 0);
    }

    #[test]
    fn those_that_share_most_come_first_and_one_shared_entry_is_none() {
        let (mut index, mut tally) = (SketchIndex::default(), Tally::default());
        index.insert(&[1, 2, 3], ArticleNo(0));
        index.insert(&[1, 2, 3, 4], ArticleNo(1));
        index.insert(&[4], ArticleNo(2));
        assert_eq!(index.candidates(&[1, 2, 3, 4], &mut tally), [ArticleNo(1), ArticleNo(0)]);
        index.remove(&[1, 2, 3, 4], ArticleNo(1));
        assert_eq!(index.candidates(&[1, 2, 3, 4], &mut tally), [ArticleNo(0)]);
    }
}
