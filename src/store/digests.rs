//! Where in the view a digest can be: eras, and for each of them a Bloom filter in memory over its digests.
//!
//! Digests come at random. In one table every article of a large archive would need pages of its own, to be read, and
//! written again. So the rows under digests lie in eras, of as many articles or files as have their pages at hand: what is
//! written goes to the latest one, however many there are. Nearly all that arrives is new, and the filters say so without
//! sled. They err to one side only: a digest that one of them lacks is not in that era.
//!
//! Owns nothing on the disk. The filters are filled from the keys by a thread of its own, era by era, and until that has
//! been through an era its filter lacks nothing.

use super::{StoreError, codec};
use crate::model::{Arrival, ArticleNo};
use std::{
    io,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// So many articles have their rows in one era, and so many files.
const ERA: u64 = 1 << 17;
/// Digests in an era at most: of an article its id, its text and its story, and of a file.
const DIGESTS: usize = 4 << 17;
/// The bits for each of them, where there are so many: at 700 eras one in thirty is looked for in vain, once.
const BITS: usize = 24;
/// A line of the processor's cache, which is all that is looked at; a digest has a bit in each of its words.
type Line = [u64; 8];
const LINES: usize = DIGESTS * BITS / (8 * size_of::<Line>());

/// A range of articles, or of files, whose rows under digests lie side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Era(pub u16);

impl Era {
    /// That of an article.
    pub fn of(no: ArticleNo) -> Self {
        Self::at(u64::from(no.0))
    }

    /// That of a file.
    pub fn of_file(arrival: Arrival) -> Self {
        Self::at(arrival.0)
    }

    fn at(number: u64) -> Self {
        Self(u16::try_from(number / ERA).unwrap_or(u16::MAX))
    }
}

/// The digests of a view.
pub(super) struct Digests {
    known: Arc<Known>,
    learner: Option<Learner>,
}

/// A filter for each era.
struct Known(RwLock<Vec<Filter>>);

impl Digests {
    /// Those of a view, of which nothing is known but how many eras there are.
    pub fn of(tree: &sled::Tree) -> Result<Self, StoreError> {
        let mut eras = 0;
        for letter in codec::DIGESTS {
            let last = tree.scan_prefix([letter]).keys().next_back().transpose()?;
            let last = last.and_then(|key| codec::era(&key));
            eras = eras.max(last.map_or(0, |era| usize::from(era.0) + 1));
        }
        let unknown = (0..eras).map(|_| Filter::default()).collect();
        Ok(Self { known: Arc::new(Known(RwLock::new(unknown))), learner: None })
    }

    /// The eras that can have a digest which begins with this, the latest first.
    pub fn eras_of(&self, head: u64) -> Vec<Era> {
        let filters = self.known.0.read().unwrap_or_else(PoisonError::into_inner);
        let eras = (0..=u16::MAX).map(Era).zip(filters.iter());
        let mut found: Vec<_> =
            eras.filter(|(_, filter)| filter.may_have(head)).map(|(era, _)| era).collect();
        found.reverse();
        found
    }

    /// All eras, the latest first.
    pub fn eras(&self) -> impl Iterator<Item = Era> + use<> {
        let eras = self.known.0.read().unwrap_or_else(PoisonError::into_inner).len();
        (0..u16::try_from(eras).unwrap_or(u16::MAX)).rev().map(Era)
    }

    /// Takes in a digest, which must be done before its row is written or asked for.
    pub fn add(&self, era: Era, head: u64) {
        self.known.add(era, head);
    }

    /// Takes in the digests of a view on a thread of its own. What is added meanwhile is kept.
    pub fn learn(&mut self, tree: &sled::Tree) -> io::Result<()> {
        let (tree, known, is_unwanted) =
            (tree.clone(), Arc::clone(&self.known), Arc::<AtomicBool>::default());
        let (eras, ends) = (self.eras(), Arc::clone(&is_unwanted));
        let learning = thread::Builder::new().name("digests".to_owned());
        let thread = learning.spawn(move || match known.learn(eras, &tree, &ends) {
            Ok(()) => {}
            // Whoever asks for a row that cannot be read is told; here it only is slower.
            Err(error) => tracing::warn!(error = &error as &dyn std::error::Error, "the filter of digests is not filled, so that new articles take longer: the view has keys that cannot be read"),
        })?;
        self.learner = Some(Learner { is_unwanted, thread: Some(thread) });
        Ok(())
    }
}

impl Known {
    fn add(&self, Era(era): Era, head: u64) {
        let mut filters = self.0.write().unwrap_or_else(PoisonError::into_inner);
        while filters.len() <= usize::from(era) {
            // Nothing is in an era that has just begun.
            filters.push(Filter { is_whole: true, ..Filter::default() });
        }
        if let Some(filter) = filters.get_mut(usize::from(era)) {
            filter.add(head);
        }
    }

    fn learn(
        &self,
        eras: impl Iterator<Item = Era>,
        tree: &sled::Tree,
        is_unwanted: &AtomicBool,
    ) -> Result<(), StoreError> {
        for era in eras {
            for letter in codec::DIGESTS {
                for key in tree.scan_prefix(codec::of_era(letter, era)).keys() {
                    if is_unwanted.load(Ordering::Relaxed) {
                        return Ok(());
                    }
                    if let Some(head) = codec::digest_head(&key?) {
                        self.add(era, head);
                    }
                }
            }
            let mut filters = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(filter) = filters.get_mut(usize::from(era.0)) {
                filter.is_whole = true;
            }
        }
        Ok(())
    }
}

/// The filling thread, which ends with the view: it holds sled open.
struct Learner {
    is_unwanted: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Learner {
    fn drop(&mut self) {
        self.is_unwanted.store(true, Ordering::Relaxed);
        // What it had to say it has said.
        self.thread.take().map(JoinHandle::join);
    }
}

/// The digests of an era, by their first eight bytes, which are as good as a hash.
#[derive(Default)]
struct Filter {
    /// None before the first digest.
    lines: Vec<Line>,
    /// Whether all digests of the era are in it.
    is_whole: bool,
}

impl Filter {
    fn add(&mut self, head: u64) {
        if self.lines.is_empty() {
            self.lines = vec![Line::default(); LINES];
        }
        if let Some(line) = self.lines.get_mut(place(head)) {
            line.iter_mut().zip(bits(head)).for_each(|(word, bit)| *word |= bit);
        }
    }

    fn may_have(&self, head: u64) -> bool {
        let has = |line: &Line| line.iter().zip(bits(head)).all(|(word, bit)| word & bit != 0);
        !self.is_whole || self.lines.get(place(head)).is_some_and(has)
    }
}

/// The line of a digest: its upper bits say where among all lines.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is below the number of lines")]
fn place(head: u64) -> usize {
    ((u128::from(head) * LINES as u128) >> 64) as usize
}

/// Its bits there, one in each word: six of its lower bits each.
fn bits(head: u64) -> impl Iterator<Item = u64> {
    (0..).map(move |word| 1 << (head >> (6 * word) & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Digest;

    fn digests(numbers: std::ops::Range<u32>) -> impl Iterator<Item = Digest> {
        numbers.map(|no| Digest::of(&no.to_be_bytes()))
    }

    fn tree() -> sled::Db {
        sled::Config::new().temporary(true).open().unwrap()
    }

    #[test]
    fn an_era_has_all_that_came_and_next_to_nothing_else() {
        let (many, mut filter) = (u32::try_from(DIGESTS).unwrap(), Filter::default());
        digests(0..many).for_each(|digest| filter.add(digest.head()));
        assert!(digests(0..many).all(|digest| filter.may_have(digest.head())));
        filter.is_whole = true;
        assert!(digests(0..many).all(|digest| filter.may_have(digest.head())));
        let strangers = digests(many..2 * many).filter(|digest| filter.may_have(digest.head())).count();
        assert!(strangers < DIGESTS / 5_000, "it takes {strangers} for known");
    }

    #[test]
    fn an_era_that_was_not_gone_through_can_have_anything() {
        let (tree, before, after) = (tree(), Era(1), Era(3));
        for digest in digests(0..9) {
            tree.insert(codec::id(before, digest), b"").unwrap();
        }
        let mut known = Digests::of(&tree).unwrap();
        known.add(after, digests(9..10).next().unwrap().head());
        let eras = |known: &Digests, no| known.eras_of(digests(no..no + 1).next().unwrap().head());
        assert_eq!((eras(&known, 50), eras(&known, 9)), (vec![Era(1), Era(0)], vec![after, Era(1), Era(0)]));
        known.learn(&tree).unwrap();
        let thread = known.learner.as_mut().and_then(|learner| learner.thread.take());
        thread.unwrap().join().unwrap();
        assert_eq!((eras(&known, 50), eras(&known, 9), eras(&known, 3)), (vec![], vec![after], vec![before]));
        assert_eq!(known.eras().map(|era| era.0).collect::<Vec<_>>(), [3, 2, 1, 0]);
    }
}
