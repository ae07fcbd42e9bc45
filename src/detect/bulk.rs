//! Many postings sorted by key, as a start needs them. Called by `postings`.
//!
//! Taken in one by one, each posting waits for the place of its key in memory. Sorted by that place they are written from
//! end to end. They are parted first and each part is sorted by itself, near the core, so no posting goes far more than once.

use super::table::{named, part};

/// So many articles give a part its postings: some fifty each, which take 100 kB.
const ARTICLES_A_PART: usize = 256;

/// Postings with their keys in the upper half, those of each key side by side and in order, and keys nearly in the order of
/// their places in a table. They are gone through twice.
pub(super) fn sorted<P: Iterator<Item = (u32, u32)>>(articles: usize, postings: impl Fn() -> P) -> Vec<u64> {
    let parts = articles / ARTICLES_A_PART + 1;
    let mut ends = vec![0; parts];
    for (key, _) in postings() {
        if let Some(length) = ends.get_mut(part(key, parts)) {
            *length += 1;
        }
    }
    // From the length of each part to where it begins, and as it is filled to where it ends.
    let mut all = 0;
    for end in &mut ends {
        all += std::mem::replace(end, all);
    }
    let mut sorted = vec![0; all];
    for (key, posting) in postings() {
        if let Some(end) = ends.get_mut(part(key, parts))
            && let Some(place) = sorted.get_mut(*end)
        {
            *place = u64::from(named(key)) << u32::BITS | u64::from(posting);
            *end += 1;
        }
    }
    let mut begin = 0;
    for end in ends {
        if let Some(part) = sorted.get_mut(begin..end) {
            part.sort_unstable();
        }
        begin = end;
    }
    sorted
}

/// Each key with its postings.
#[expect(clippy::cast_possible_truncation, reason = "the halves are what was put together")]
pub(super) fn by_key(sorted: &[u64]) -> impl Iterator<Item = (u32, impl Iterator<Item = u32>)> {
    sorted.chunk_by(|x, y| x >> u32::BITS == y >> u32::BITS).map(|of_key| {
        let key = of_key.first().map_or(0, |first| (first >> u32::BITS) as u32);
        (key, of_key.iter().map(|posting| *posting as u32))
    })
}
