//! Template siblings: two texts from one form whose figures or names differ are two stories, though nine words in ten
//! are the same. What tells them from one story told again is what stands where both have a figure, or a name.
//!
//! An update of one story changes the figure that it is about, wherever that stands, and leaves the date, the
//! ages, the distances. A form that is filled in anew changes nearly all.

use super::{
    overlap::Overlap,
    profile::{Profile, Slots},
    terms::Term,
};
use crate::model::{ComparedNames, Form};
use std::cmp::Reverse;

/// With fewer figures than this nothing is said of form.
const FIGURES_MIN: u32 = 3;
/// Two texts are of one form when they share wording enough to join, or this share of the frames of the one that
/// has fewer: 387 of 391 pairs of newswire forms share .56 and more; of 5,568 pairs of independently told
/// events with changed figures, none that shares less wording has .6. Unlike sketches, frames are not sampled.
const FRAMES_MIN: f64 = 0.6;
/// A text is thick with changes when they stand in one frame for so many of its shingles. Then more figures must
/// have changed than stayed; else so many, and so many times as many as stayed. It holds for 388 of 391 pairs of
/// newswire forms, for none of 308 re-sends and of 5,718 pairs of independently told events, and for none of 1,200
/// generated long texts in which one to three of many figures were updated.
const THICK_ONE_IN: u32 = 20;
const CHANGED_MIN: u32 = 3;
const CHANGED_FOLD: u32 = 2;

/// A form whose slots are names has so many other names in it, more than stayed, in most of its frames. An edited copy
/// changes words here and there, so a name that recurs stays somewhere; an update keeps nearly all names. It holds for
/// none of 10,283 copies, edited in 29 ways, of 308 re-sends and of 350 pairs of web articles that share wording.
const NAMES_CHANGED_MIN: u32 = 3;
/// They stand in at least so many frames: one name of three words that was mended is one change.
const NAME_FRAMES_CHANGED_MIN: u32 = 2;
/// So many names of each kind are kept, the rarest: no more than a person reads.
const NAMES_KEPT_MAX: usize = 12;

/// What two articles have in the same frames, and whether that makes them siblings of one template.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Frames {
    pub figures: Form,
    pub names: Form,
    pub by_figures: bool,
    /// Only by names, not by figures too.
    pub by_names: bool,
}

impl Frames {
    pub fn of(a: &Profile, b: &Profile, overlap: &Overlap) -> Self {
        let (figures, names) =
            (compare(a.slots(), b.slots()).form, compare(a.name_slots(), b.name_slots()).form);
        let by_figures = are_filled_with_other_figures(a, b, &figures, overlap);
        let shares_frames = share(&names, a.name_slots(), b.name_slots()) >= FRAMES_MIN;
        let has_other_names = names.changed >= NAMES_CHANGED_MIN.max(names.stayed + 1);
        let in_most_frames = names.frames_changed >= NAME_FRAMES_CHANGED_MIN.max(names.frames / 2 + 1);
        let by_names = !by_figures && shares_frames && has_other_names && in_most_frames;
        Self { figures, names, by_figures, by_names }
    }

    pub fn are_siblings(&self) -> bool {
        self.by_figures || self.by_names
    }
}

fn are_filled_with_other_figures(a: &Profile, b: &Profile, form: &Form, overlap: &Overlap) -> bool {
    let is_one_form = overlap.joins() || share(form, a.slots(), b.slots()) >= FRAMES_MIN;
    let has_figures = a.totals.figures.min(b.totals.figures) >= FIGURES_MIN;
    let is_filled_anew = if form.frames_changed * THICK_ONE_IN >= a.shingles.min(b.shingles) {
        form.changed > form.stayed
    } else {
        form.changed >= CHANGED_MIN.max(form.stayed * CHANGED_FOLD)
    };
    is_one_form && has_figures && is_filled_anew
}

/// The share of the frames of the one that has fewer which the other has too.
fn share(form: &Form, a: Slots<'_>, b: Slots<'_>) -> f64 {
    f64::from(form.frames) / real(a.by_frame().count().min(b.by_frame().count()).max(1))
}

/// What two articles have in the same frames: what stands in one frame of both, and what changed. Each once, sorted.
#[derive(Default)]
struct Fillings {
    form: Form,
    stayed: Vec<u32>,
    gone: Vec<u32>,
    come: Vec<u32>,
}

/// What stands in the frames that two sorted lists of slots share. A frame of common words may hold several
/// figures; those that only one article has in it changed only where the other has some of its own there.
fn compare(a: Slots<'_>, b: Slots<'_>) -> Fillings {
    let Fillings { mut form, mut stayed, mut gone, mut come } = Fillings::default();
    for (here, there) in shared_frames(a, b) {
        form.frames += 1;
        let stays = |filling: &u32| there.contain(*filling);
        let stood = |filling: &u32| here.contain(*filling);
        let both = here.filled().filter(stays).count();
        if both < here.len().min(there.len()) {
            form.frames_changed += 1;
            gone.extend(here.filled().filter(|filling| !stays(filling)));
            come.extend(there.filled().filter(|filling| !stood(filling)));
        }
        stayed.extend(here.filled().filter(stays));
    }
    for fillings in [&mut stayed, &mut gone, &mut come] {
        fillings.sort_unstable();
        fillings.dedup();
    }
    for fillings in [&mut gone, &mut come] {
        fillings.retain(|filling| stayed.binary_search(filling).is_err());
    }
    let count = |fillings: usize| u32::try_from(fillings).unwrap_or(u32::MAX);
    form.changed = count(gone.len().min(come.len()));
    form.stayed = count(stayed.len());
    Fillings { form, stayed, gone, come }
}

/// The words of names that stand in the same frames of two articles, and those that changed there, rarest first.
pub(super) fn compared_names(a: &Profile, b: &Profile) -> ComparedNames {
    let Fillings { stayed, gone, come, .. } = compare(a.name_slots(), b.name_slots());
    let rarest = |profile: &Profile, mut names: Vec<u32>| {
        let idf = |name: u32| {
            let terms = profile.terms();
            let at = terms.numbers().binary_search(&name).ok();
            at.and_then(|at| terms.get(at)).map_or(0, Term::idf)
        };
        names.sort_by_key(|name| Reverse(idf(*name)));
        names.truncate(NAMES_KEPT_MAX);
        names
    };
    ComparedNames { stayed: rarest(a, stayed), only_here: rarest(a, gone), only_there: rarest(b, come) }
}

/// What stands in each frame that both lists have.
fn shared_frames<'s>(a: Slots<'s>, b: Slots<'s>) -> impl Iterator<Item = (Slots<'s>, Slots<'s>)> {
    let mut others = b.by_frame().peekable();
    a.by_frame().filter_map(move |(frame, here)| {
        while others.next_if(|(other, _)| *other < frame).is_some() {}
        others.next_if(|(other, _)| *other == frame).map(|(_, there)| (here, there))
    })
}

#[expect(clippy::cast_precision_loss, reason = "there are at most a few hundred frames")]
fn real(frames: usize) -> f64 {
    frames as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{detect::profile::add_slots, model::Slot};

    fn counts(a: &[(u32, u32)], b: &[(u32, u32)]) -> (u32, u32, u32, u32) {
        let kept = [a, b].map(|pairs| {
            let slot = |(frame, filling): &(u32, u32)| Slot { frame: frame << 8, filling: *filling };
            let mut numbers = Vec::new();
            let [places, _] = add_slots(&mut numbers, &pairs.iter().map(slot).collect::<Vec<_>>());
            (numbers, places as usize)
        });
        let [a, b] = kept.each_ref().map(|(numbers, places)| {
            let (places, fillings) = numbers.split_at(*places);
            Slots { places, fillings }
        });
        let Form { frames, frames_changed, changed, stayed } = compare(a, b).form;
        (frames, frames_changed, changed, stayed)
    }

    #[test]
    fn a_figure_counts_once_wherever_it_stands() {
        assert_eq!(counts(&[(1, 7), (2, 7), (3, 9)], &[(1, 8), (2, 8), (3, 9), (4, 5)]), (3, 2, 1, 1));
    }

    #[test]
    fn a_figure_that_stayed_somewhere_did_not_change() {
        assert_eq!(counts(&[(1, 7), (2, 7)], &[(1, 8), (2, 7)]), (2, 1, 0, 1));
    }

    #[test]
    fn a_frame_of_common_words_holds_several() {
        assert_eq!(counts(&[(1, 3), (1, 7), (1, 9)], &[(1, 3), (1, 8)]), (1, 1, 1, 1));
        assert_eq!(counts(&[(1, 3)], &[(1, 3), (1, 8)]), (1, 0, 0, 1), "new text is no change");
        assert_eq!(counts(&[], &[(1, 8)]), (0, 0, 0, 0));
    }
}
