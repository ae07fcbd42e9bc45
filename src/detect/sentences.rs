//! How alike the first sentences of two articles are to a sentence encoder.

use super::profile::Profile;
use crate::model::{Direction, Encoded};

/// For each sentence of one the likest of the other, averaged over both ways: 1 for the same sentences, some .2 for two
/// stories that have nothing in common. Nothing where one has no directions, or those of another model. The products
/// are of integers, so it is the same on every machine.
pub(super) fn likeness(a: &Profile, b: &Profile) -> Option<f64> {
    let both = a.encoded.as_ref().zip(b.encoded.as_ref());
    both.filter(|(x, y)| x.model == y.model).and_then(|(x, y)| of(x, y))
}

fn of(a: &Encoded, b: &Encoded) -> Option<f64> {
    let (lengths_a, lengths_b) = (lengths(a), lengths(b));
    let mut of_b = vec![0_f64; lengths_b.len()];
    let mut sum_a = 0.;
    for (x, length_x) in a.sentences.iter().zip(&lengths_a) {
        let mut of_x = 0_f64;
        for ((y, length_y), best_y) in b.sentences.iter().zip(&lengths_b).zip(&mut of_b) {
            let cosine = f64::from(x.product(y)) / (length_x * length_y);
            of_x = of_x.max(cosine);
            *best_y = best_y.max(cosine);
        }
        sum_a += of_x;
    }
    let (count_a, count_b) = (count(a)?, count(b)?);
    Some(f64::midpoint(sum_a / count_a, of_b.iter().sum::<f64>() / count_b))
}

fn lengths(encoded: &Encoded) -> Vec<f64> {
    encoded.sentences.iter().map(|x: &Direction| libm::sqrt(f64::from(x.product(x)))).collect()
}

/// How many sentences there are, unless there are none.
fn count(encoded: &Encoded) -> Option<f64> {
    u32::try_from(encoded.sentences.len()).ok().filter(|count| *count > 0).map(f64::from)
}
