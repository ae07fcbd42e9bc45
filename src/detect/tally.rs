//! What speaks for each live article, summed up over lists of postings. Called by `rewrite` and `overlap`.

use super::postings::Posting;
use crate::model::ArticleNo;

/// Sums by article, all 0 between two calls.
#[derive(Default)]
pub(super) struct Tally {
    /// By number, less `first`.
    of: Vec<u32>,
    first: u32,
    /// The first posting of each article whose sum is not 0, `count` of them, and room for more.
    met: Vec<Posting<u16>>,
    count: usize,
}

impl Tally {
    /// Says which numbers may be live: those from `first` on, `span` of them.
    pub fn cover(&mut self, first: ArticleNo, span: usize) {
        self.first = first.0;
        self.of.resize(span, 0);
    }

    /// Adds what each posting is worth, which is more than 0.
    pub fn add(&mut self, postings: &[Posting<u16>], worth: impl Fn(u16) -> u32) {
        let Self { of, first, met, count } = self;
        let room = *count + postings.len() + 1;
        if met.len() < room {
            met.resize(room, Posting::default());
        }
        for posting in postings {
            let Some(sum) = of.get_mut(posting.0.0.wrapping_sub(*first) as usize) else { continue };
            // Written in any case and counted when it was new: a branch here would be guessed wrong half of the time.
            if let Some(next) = met.get_mut(*count) {
                *next = *posting;
            }
            *count += usize::from(*sum == 0);
            *sum = sum.wrapping_add(worth(posting.1));
        }
    }

    /// The sums that are not 0, with a posting of each article. They are cleared as they are taken.
    pub fn take(&mut self) -> impl Iterator<Item = (u32, Posting<u16>)> {
        let Self { of, first, met, count } = self;
        let met = met.iter().take(std::mem::take(count));
        met.filter_map(|posting| {
            let sum = of.get_mut(posting.0.0.wrapping_sub(*first) as usize)?;
            Some((std::mem::take(sum), *posting))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_taken_once_and_then_gone() {
        let no = ArticleNo;
        let mut tally = Tally::default();
        tally.cover(no(10), 5);
        tally.add(&[(no(10), 2), (no(12), 3)], u32::from);
        tally.add(&[(no(12), 4), (no(9), 1), (no(15), 1)], u32::from);
        let taken: Vec<_> = tally.take().collect();
        assert_eq!(taken, [(2, (no(10), 2)), (7, (no(12), 3))], "what is not live counts nothing");
        assert_eq!(tally.take().count(), 0);
    }
}
