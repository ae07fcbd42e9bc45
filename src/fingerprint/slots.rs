//! Where figures stand in a text, and which: what tells a form that is filled in anew from a story that is told
//! again. A figure stands in as many frames as there are runs of three words around it, so that one changed word
//! beside it does not hide it.

use super::{
    SHINGLE_WORDS,
    shingles::mix,
    words::{Word, Words},
};
use crate::model::{Slot, low_half};

/// What stands in a frame for the figure whose slot it is, and for any other figure.
const OPEN: u64 = 0x2342_2342_2342_2342;
const MASK: u64 = 0x4223_4223_4223_4223;
/// Words of digits side by side are one figure ("1,200", "6-3/16", "2026-03-14 12:30:00"), up to so many: the cells
/// of a table are not all one. With three, the stamps of two copies of one page counted for as many figures.
const FIGURE_WORDS_MAX: usize = 8;
/// A large text of nothing but figures is cut to this many slots, those with the smallest frames, so that a
/// fingerprint stays small and two such texts keep the same ones; 192 hold over 60 figures whole.
const SLOTS_MAX: usize = 192;

/// One word, or one figure of a few words of digits.
struct Token<'w>(&'w [Word]);

impl Token<'_> {
    fn is_figure(&self) -> bool {
        self.0.first().is_some_and(|word| word.is_figure)
    }

    /// Made where it is asked for: most words stand beside no figure.
    fn hash(&self) -> u64 {
        mix(self.0.iter().map(|word| word.hash))
    }
}

/// The slots of a text, sorted and without repeats.
pub(super) fn of(words: &Words) -> Vec<Slot> {
    let tokens = tokens(words);
    let mut slots = Vec::new();
    let size = SHINGLE_WORDS.min(tokens.len());
    for (place, token) in tokens.iter().enumerate().filter(|(_, token)| token.is_figure()) {
        for start in place.saturating_sub(size - 1)..=place.min(tokens.len() - size) {
            let run = tokens.iter().enumerate().skip(start).take(size);
            let frame = mix(run.map(|(at, t)| match t.is_figure() {
                true if at == place => OPEN,
                true => MASK,
                false => t.hash(),
            }));
            slots.push(Slot { frame: low_half(frame), filling: low_half(token.hash()) });
        }
    }
    kept(slots, SLOTS_MAX)
}

/// Sorted, without repeats, and no more than so many, those with the smallest frames.
pub(super) fn kept(mut slots: Vec<Slot>, most: usize) -> Vec<Slot> {
    slots.sort_unstable();
    slots.dedup();
    slots.truncate(most);
    slots
}

fn tokens(words: &Words) -> Vec<Token<'_>> {
    let mut tokens = Vec::with_capacity(words.len());
    for run in words.all().chunk_by(|one, next| one.is_figure && next.is_figure) {
        tokens.extend(run.chunks(FIGURE_WORDS_MAX).map(Token));
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Normalized;
    use std::collections::BTreeSet;

    fn slots(text: &str) -> Vec<Slot> {
        of(&Words::of(&Normalized { text: text.to_owned(), title_bytes: 0 }))
    }

    fn frames(slots: &[Slot]) -> BTreeSet<u32> {
        slots.iter().map(|s| s.frame).collect()
    }

    #[test]
    fn another_figure_stands_in_the_same_frames() {
        let one = slots("stocks of wheat fell 1,450 points in early trade");
        let two = slots("stocks of wheat fell 88 points in early trade");
        assert_eq!(one.len(), 3);
        assert_eq!(frames(&one), frames(&two));
        assert!(one.iter().all(|slot| !two.contains(slot)));
    }

    #[test]
    fn each_figure_of_a_frame_has_its_own_slot() {
        let one = slots("12 of 40");
        assert_eq!((one.len(), frames(&one).len()), (2, 2));
    }

    #[test]
    fn a_table_is_many_figures_and_bounded() {
        assert_eq!(slots("1 2 3 4 5 6 7 8 9 and").len(), 2);
        let table = (0..900).map(|n| format!("row{n} {n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(slots(&table).len(), SLOTS_MAX);
    }
}
