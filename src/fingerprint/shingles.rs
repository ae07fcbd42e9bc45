//! Shingles of three words: the sketch, and those that hold a figure, raw and masked.
//!
//! The sketch is a `FracMinHash` (Irber and others, 2022, as in sourmash): the shingle hashes below a fixed
//! fraction of the hash space. Shared entries estimate containment in either direction.

use super::{SHINGLE_WORDS, words::Words};
use crate::model::{SKETCH_ONE_IN, low_half};
use xxhash_rust::xxh3::xxh3_64;

/// What stands for any figure in a masked shingle.
const MASK: u64 = 0x2342_2342_2342_2342;

/// A large text of nothing but figures (a table of prices) is cut to this many figured shingles, the
/// smallest hashes of each kind, so that a fingerprint stays small; 192 hold over 60 figures whole.
const FIGURED_MAX: usize = 192;

/// How many words of one quotation make a run that two reports hardly share by chance.
const QUOTED_WORDS: usize = 4;
/// A text of long quotations is cut to this many runs, the smallest hashes, so that two texts are cut alike. Half of
/// the reports on politics among the labelled ones have more, one in ten of the others.
const QUOTED_MAX: usize = 128;

/// The shingles of one text. All lists are sorted and without repeats.
pub(super) struct Shingles {
    /// How many different shingles the text has.
    pub distinct: u32,
    pub sketch: Vec<u32>,
    pub figured: Vec<u32>,
    pub masked: Vec<u32>,
    pub quoted: Vec<u32>,
}

impl Shingles {
    pub fn of(words: &Words) -> Self {
        let hashes: Vec<(u64, bool)> =
            words.iter().map(|(word, letters)| (xxh3_64(letters.as_bytes()), word.is_figure)).collect();
        let (mut all, mut figured, mut masked) = (Vec::with_capacity(hashes.len()), Vec::new(), Vec::new());
        for run in hashes.windows(SHINGLE_WORDS.min(hashes.len()).max(1)) {
            let hash = mix(run.iter().map(|(h, _)| *h));
            all.push(hash);
            if run.iter().any(|(_, is_figure)| *is_figure) {
                figured.push(low_half(hash));
                masked
                    .push(low_half(mix(run.iter().map(|(h, is_figure)| if *is_figure { MASK } else { *h }))));
            }
        }
        all.sort_unstable();
        all.dedup();
        let below = u64::MAX / u64::from(SKETCH_ONE_IN);
        let sketch = all.iter().take_while(|h| **h < below).map(|h| low_half(*h)).collect();
        Self {
            distinct: u32::try_from(all.len()).unwrap_or(u32::MAX),
            sketch: sorted(sketch, usize::MAX),
            figured: sorted(figured, FIGURED_MAX),
            masked: sorted(masked, FIGURED_MAX),
            quoted: sorted(quoted(words), QUOTED_MAX),
        }
    }
}

/// The runs of words that stand within one quotation.
fn quoted(words: &Words) -> Vec<u32> {
    let hashes: Vec<(u64, u32)> = words
        .iter()
        .filter(|(word, _)| word.quotation > 0)
        .map(|(word, letters)| (xxh3_64(letters.as_bytes()), word.quotation))
        .collect();
    let within_one = |run: &&[(u64, u32)]| run.first().map(|(_, q)| q) == run.last().map(|(_, q)| q);
    let runs = hashes.windows(QUOTED_WORDS).filter(within_one);
    runs.map(|run| low_half(mix(run.iter().map(|(hash, _)| *hash)))).collect()
}

/// One hash of some word hashes in their order: a multiply-xorshift chain with the constants of splitmix64
/// (Steele, Lea and Flood, 2014), cheaper than hashing the words' letters again for every shingle.
fn mix(words: impl Iterator<Item = u64>) -> u64 {
    words.fold(0, |hash: u64, word| {
        let mut x = (hash.rotate_left(23) ^ word).wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    })
}

fn sorted(mut hashes: Vec<u32>, most: usize) -> Vec<u32> {
    hashes.sort_unstable();
    hashes.dedup();
    hashes.truncate(most);
    hashes
}
