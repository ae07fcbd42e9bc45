//! The one source of chance: a splitmix64 generator (Steele, Lea and Flood, 2014). The same seed gives the same
//! numbers on any machine and in any version, so that a benchmark measures the same texts for ever.

/// A seeded generator.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// One that gives the numbers of this seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator of its own for a part of the work, so that a part may draw more or less without moving the rest.
    #[must_use]
    pub fn branch(&mut self) -> Self {
        Self(self.next())
    }

    /// A number below `bound`, or 0 where that is 0.
    #[expect(clippy::cast_possible_truncation, reason = "the product's upper half is below the bound")]
    pub fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: usize, most: usize) -> usize {
        least + self.below(most.saturating_sub(least) + 1)
    }

    /// Whether an event of so many percent happens.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list; the empty text of an empty one.
    pub fn pick<'l, S: AsRef<str>>(&mut self, list: &'l [S]) -> &'l str {
        let at = self.below(list.len());
        list.get(at).map(AsRef::as_ref).unwrap_or_default()
    }

    /// Puts a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            list.swap(last, self.below(last + 1));
        }
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_seed_are_pinned() {
        let mut rng = Rng::new(7);
        let drawn: Vec<usize> = (0..6).map(|_| rng.below(1000)).collect();
        assert_eq!(drawn, [389, 16, 900, 582, 452, 249]);
        assert_eq!((rng.below(0), rng.pick::<&str>(&[])), (0, ""));
    }
}
