//! Shingles of three words, and the sketch of them.
//!
//! The sketch is a `FracMinHash` (Irber and others, 2022, as in sourmash): the shingle hashes below a fixed
//! fraction of the hash space. Shared entries estimate containment in either direction.

use super::{SHINGLE_WORDS, numbers::Numbers, words::Words};
use crate::model::{SKETCH_ONE_IN, low_half};

/// How many words of one quotation make a run that two reports hardly share by chance.
const QUOTED_WORDS: usize = 4;
/// A text of long quotations is cut to this many runs, the smallest hashes, so that two texts are cut alike. Half of
/// the reports on politics among the labelled ones have more, one in ten of the others.
const QUOTED_MAX: usize = 128;

/// The shingles of one text. Both lists are sorted and without repeats.
pub(super) struct Shingles {
    /// How many different shingles the text has.
    pub distinct: u32,
    pub sketch: Vec<u32>,
    pub quoted: Vec<u32>,
}

impl Shingles {
    pub fn of(words: &Words) -> Self {
        let hashes: Vec<u64> = words.all().iter().map(|word| word.hash).collect();
        let runs = hashes.windows(SHINGLE_WORDS.min(hashes.len()).max(1));
        let below = u64::MAX / u64::from(SKETCH_ONE_IN);
        let (mut all, mut sketch) = (Numbers::with_room(runs.len()), Vec::new());
        for shingle in runs.map(|run| mix(run.iter().copied())) {
            all.of(shingle);
            sketch.extend((shingle < below).then(|| low_half(shingle)));
        }
        Self {
            distinct: all.given(),
            sketch: sorted(sketch),
            quoted: sorted(quoted(words)).into_iter().take(QUOTED_MAX).collect(),
        }
    }
}

fn sorted(mut hashes: Vec<u32>) -> Vec<u32> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes
}

/// The runs of words that stand within one quotation.
fn quoted(words: &Words) -> Vec<u32> {
    let quotations = words.all().chunk_by(|one, next| one.quotation == next.quotation);
    let quotations = quotations.filter(|words| words.first().is_some_and(|word| word.quotation > 0));
    let runs = quotations.flat_map(|words| words.windows(QUOTED_WORDS));
    runs.map(|run| low_half(mix(run.iter().map(|word| word.hash)))).collect()
}

/// One hash of some word hashes in their order: a multiply-xorshift chain with the constants of splitmix64
/// (Steele, Lea and Flood, 2014), cheaper than hashing the words' letters again for every shingle.
pub(super) fn mix(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0, |hash: u64, word| {
        let mut x = (hash.rotate_left(23) ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    })
}
