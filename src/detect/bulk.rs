//! Many postings sorted by key, as a start needs them. Called by `postings`.
//!
//! Taken in one by one, each posting waits for the place of its key in memory. Sorted by that place they are written from
//! end to end. They are parted first and each part is sorted by itself, near the core, so no posting goes far more than once.

use super::table::{named, part};
use crate::model::low_half;

/// So many articles give a part its postings: some fifty each, which take 100 kB.
const ARTICLES_A_PART: usize = 256;
/// A part is parted once more, so that a handful is left to be sorted: a tenth of what to sort all of it would take.
const HANDFULS_A_PART: usize = 2048;

/// Postings with their keys in the upper half, those of each key side by side and in order, and keys nearly in the order of
/// their places in a table. They are gone through twice.
pub(super) fn sorted<P: Iterator<Item = (u32, u32)>>(articles: usize, postings: impl Fn() -> P) -> Vec<u64> {
    let postings =
        || postings().map(|(key, posting)| u64::from(named(key)) << u32::BITS | u64::from(posting));
    let parts = articles / ARTICLES_A_PART + 1;
    let (mut sorted, mut handfuls) = (Vec::new(), Vec::new());
    let ends = parted(postings, parts, |key| part(key, parts), &mut sorted);
    for_each_part(&mut sorted, &ends, |of_part| {
        let handful = |key| part(key, parts * HANDFULS_A_PART) % HANDFULS_A_PART;
        let ends = parted(|| of_part.iter().copied(), HANDFULS_A_PART, handful, &mut handfuls);
        for_each_part(&mut handfuls, &ends, <[u64]>::sort_unstable);
        of_part.copy_from_slice(&handfuls);
    });
    sorted
}

/// Puts postings by parts, in each in their order, and says where each part ends.
fn parted<P: Iterator<Item = u64>>(
    postings: impl Fn() -> P,
    parts: usize,
    part_of: impl Fn(u32) -> usize,
    into: &mut Vec<u64>,
) -> Vec<usize> {
    let mut ends = vec![0; parts];
    for posting in postings() {
        if let Some(length) = ends.get_mut(part_of(key_of(posting))) {
            *length += 1;
        }
    }
    // From the length of each part to where it begins, and as it is filled to where it ends.
    let mut all = 0;
    for end in &mut ends {
        all += std::mem::replace(end, all);
    }
    // Every place is written to, so that it is all the same what stands there.
    if into.len() < all {
        *into = vec![0; all];
    }
    into.truncate(all);
    for posting in postings() {
        if let Some(end) = ends.get_mut(part_of(key_of(posting)))
            && let Some(place) = into.get_mut(*end)
        {
            *place = posting;
            *end += 1;
        }
    }
    ends
}

fn for_each_part(postings: &mut [u64], ends: &[usize], mut work: impl FnMut(&mut [u64])) {
    let mut begin = 0;
    for end in ends {
        if let Some(part) = postings.get_mut(begin..*end) {
            work(part);
        }
        begin = *end;
    }
}

/// Each key with its postings.
pub(super) fn by_key(sorted: &[u64]) -> impl Iterator<Item = (u32, impl Iterator<Item = u32>)> {
    sorted.chunk_by(|x, y| key_of(*x) == key_of(*y)).map(|of_key| {
        let key = of_key.first().map_or(0, |first| key_of(*first));
        (key, of_key.iter().map(|posting| low_half(*posting)))
    })
}

fn key_of(posting: u64) -> u32 {
    low_half(posting >> u32::BITS)
}
