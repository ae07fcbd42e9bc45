//! What speaks for each live article, summed up over lists of postings. Called by `rewrite` and `overlap`.

/// Sums by an article's place, all 0 between two calls.
#[derive(Default)]
pub(super) struct Tally {
    of: Vec<u32>,
    /// The places whose sum is not 0, `count` of them, and room for more.
    met: Vec<u32>,
    count: usize,
}

impl Tally {
    /// Says how many places there are.
    pub fn cover(&mut self, places: usize) {
        self.of.resize(places, 0);
    }

    /// Adds to places what each is worth, which is more than 0.
    pub fn add(&mut self, worth: impl ExactSizeIterator<Item = (usize, u32)>) {
        let Self { of, met, count } = self;
        let room = *count + worth.len() + 1;
        if met.len() < room {
            met.resize(room, 0);
        }
        for (place, worth) in worth {
            let Some(sum) = of.get_mut(place) else { continue };
            // Written in any case and counted when it was new: a branch here would be guessed wrong half of the time.
            if let Some(next) = met.get_mut(*count) {
                *next = u32::try_from(place).unwrap_or(u32::MAX);
            }
            *count += usize::from(*sum == 0);
            *sum = sum.wrapping_add(worth);
        }
    }

    /// The sums that are not 0, each with its place. They are cleared as they are taken.
    pub fn take(&mut self) -> impl Iterator<Item = (u32, usize)> {
        let Self { of, met, count } = self;
        let met = met.iter().take(std::mem::take(count));
        met.filter_map(|place| {
            let place = *place as usize;
            Some((std::mem::take(of.get_mut(place)?), place))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_taken_once_and_then_gone() {
        let mut tally = Tally::default();
        tally.cover(5);
        tally.add([(0, 2), (2, 3)].into_iter());
        tally.add([(2, 4), (5, 1)].into_iter());
        let taken: Vec<_> = tally.take().collect();
        assert_eq!(taken, [(2, 0), (7, 2)], "what is not covered counts nothing");
        assert_eq!(tally.take().count(), 0);
    }
}
