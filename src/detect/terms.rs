//! The terms of an article as they are compared, each in the vectors that it is part of: eight bytes a term, since most
//! of what a comparison takes is the time until memory answers.

use crate::model::TermKind;

/// What stands for 1 in the weight of a term of a unit vector, whose root is kept in a byte: so a small weight is nearly as
/// exact as a large one.
pub(super) const UNIT: f64 = ROOT_UNIT * ROOT_UNIT;
const ROOT_UNIT: f64 = 255.;
/// What stands for 1 in an inverse document frequency, which is below 8: all documents together count for a few thousand.
pub(super) const IDF_UNIT: f64 = 32.;
/// A term is rare from this inverse document frequency on: fewer than one text in 120 has it.
const RARE_IDF: u8 = 154; // 4.8 * IDF_UNIT

/// One term of an article, in each of the vectors that it is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub number: u32,
    top_root: u8,
    head_root: u8,
    idf: u8,
    marks: u8,
}

const FIGURE: u8 = 1;
const NAME: u8 = 2;
const OPENING: u8 = 4;
const FINDING: u8 = 8;

impl Term {
    /// A term with what it weighs in the unit vectors of the strongest terms and of the head.
    pub fn new(number: u32, top: f64, head: f64, idf: f64, kind: TermKind, in_opening: bool) -> Self {
        let kind = match kind {
            TermKind::Word => 0,
            TermKind::Figure => FIGURE,
            TermKind::Name => NAME,
        };
        let marks = if in_opening { kind | OPENING } else { kind };
        Self { number, top_root: root(top), head_root: root(head), idf: byte(idf * IDF_UNIT), marks }
    }

    /// All but its number, in the form in which it is kept.
    pub fn packed(self) -> u32 {
        u32::from_le_bytes([self.top_root, self.head_root, self.idf, self.marks])
    }

    fn unpacked(number: u32, packed: u32) -> Self {
        let [top_root, head_root, idf, marks] = packed.to_le_bytes();
        Self { number, top_root, head_root, idf, marks }
    }

    /// In the vector of the strongest terms; 0 where it is none of them.
    pub fn top(self) -> u16 {
        u16::from(self.top_root) * u16::from(self.top_root)
    }

    /// The root of that.
    pub fn top_root(self) -> u8 {
        self.top_root
    }

    /// In the vector of the head; 0 where it is not in it.
    pub fn head(self) -> u16 {
        u16::from(self.head_root) * u16::from(self.head_root)
    }

    /// Its inverse document frequency.
    pub fn idf(self) -> u32 {
        u32::from(self.idf)
    }

    pub fn is_top(self) -> bool {
        self.top_root > 0
    }

    pub fn is_in_head(self) -> bool {
        self.head_root > 0
    }

    pub fn is_figure(self) -> bool {
        self.marks & FIGURE != 0
    }

    pub fn is_name(self) -> bool {
        self.marks & NAME != 0
    }

    /// Whether it is one of the first words.
    pub fn is_in_opening(self) -> bool {
        self.marks & OPENING != 0
    }

    /// Whether the article is found by it.
    pub fn finds(self) -> bool {
        self.marks & FINDING != 0
    }

    pub fn mark_finding(&mut self) {
        self.marks |= FINDING;
    }

    /// Whether it is one of the strongest terms, and rare.
    pub fn is_rare(self) -> bool {
        self.is_top() && self.idf >= RARE_IDF
    }

    /// Whether it is one of the strongest terms, and a name.
    pub fn is_top_name(self) -> bool {
        self.is_top() && self.is_name()
    }
}

/// The terms of an article, sorted by number. The numbers lie by themselves: most are looked at and no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terms<'t> {
    numbers: &'t [u32],
    packed: &'t [u32],
}

impl<'t> Terms<'t> {
    /// Of numbers, and of what [`Term::packed`] says of each.
    pub fn new(numbers: &'t [u32], packed: &'t [u32]) -> Self {
        Self { numbers, packed }
    }

    pub fn numbers(self) -> &'t [u32] {
        self.numbers
    }

    pub fn get(self, place: usize) -> Option<Term> {
        Some(Term::unpacked(*self.numbers.get(place)?, *self.packed.get(place)?))
    }

    pub fn iter(self) -> impl Iterator<Item = Term> + Clone + 't {
        self.numbers.iter().zip(self.packed).map(|(number, packed)| Term::unpacked(*number, *packed))
    }
}

/// The terms that two articles have in common.
pub(super) fn both<'t>(a: Terms<'t>, b: Terms<'t>) -> impl Iterator<Item = (Term, Term)> + 't {
    let mut others = b.iter().peekable();
    a.iter().filter_map(move |x| {
        while others.next_if(|y| y.number < x.number).is_some() {}
        others.next_if(|y| y.number == x.number).map(|y| (x, y))
    })
}

/// What comes after so many of the least, where there are more.
pub(super) fn after_least(count: usize, mut all: Vec<u64>) -> Option<u64> {
    (count < all.len()).then(|| *all.select_nth_unstable(count).1)
}

/// The root of a weight, as it is kept. What weighs anything does not come to weigh nothing.
fn root(weight: f64) -> u8 {
    if weight > 0. { byte(libm::sqrt(weight) * ROOT_UNIT).max(1) } else { 0 }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range before")]
fn byte(value: f64) -> u8 {
    (value + 0.5).clamp(0., f64::from(u8::MAX)) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_eight_bytes_and_keeps_small_weights() {
        assert_eq!(size_of::<Term>(), 8);
        let term = Term::new(7, 0.04, 1e-9, 7.5, TermKind::Name, true);
        assert!((f64::from(term.top()) / UNIT - 0.04).abs() < 4e-4, "{term:?}");
        assert!(
            term.is_top_name() && term.is_rare() && term.is_in_head() && term.is_in_opening(),
            "{term:?}"
        );
        let plain = Term::new(7, 0., 0., 3., TermKind::Word, false);
        assert!(plain.top() == 0 && plain.idf() == 96, "{plain:?}");
    }
}
