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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::{Newcomer, frequencies::Frequencies, profile::Kept},
        fingerprint::fingerprint,
        model::{ArticleNo, Digest, Fingerprint, Normalized, Time},
    };
    use std::sync::Arc;

    fn kept(model: u32, vectors: &[[f32; 3]]) -> Kept {
        let text = Normalized { text: "The ferry is late.".to_owned(), title_bytes: 0 };
        let sentences = vectors.iter().filter_map(|vector| Direction::of(vector)).collect();
        let encoded = (!vectors.is_empty()).then_some(Encoded { model, sentences });
        Frequencies::default().weigh(&Newcomer {
            no: ArticleNo(1),
            id: Digest::of(b"ferry"),
            text_digest: text.digest(),
            time: Time::default(),
            published: None,
            source: None,
            fingerprint: &Fingerprint { encoded, ..fingerprint(&text) },
        })
    }

    fn profile(model: u32, vectors: &[[f32; 3]]) -> Arc<Profile> {
        kept(model, vectors).profile
    }

    #[test]
    fn the_likest_of_the_other_counts_both_ways() {
        let one = profile(7, &[[1., 0., 0.], [0., 1., 0.]]);
        let other = profile(7, &[[0., 2., 0.]]);
        assert_eq!(likeness(&one, &one), Some(1.));
        // One way .5 and 1 the other, whichever is asked first.
        assert_eq!((likeness(&one, &other), likeness(&other, &one)), (Some(0.75), Some(0.75)));
        assert_eq!(likeness(&other, &profile(7, &[[0., -1., 0.]])), Some(0.), "it is never below nothing");
    }

    #[test]
    fn where_one_was_not_encoded_or_by_another_model_there_is_no_likeness() {
        let one = profile(7, &[[1., 0., 0.]]);
        assert_eq!(likeness(&one, &profile(7, &[])), None);
        assert_eq!(likeness(&one, &profile(8, &[[1., 0., 0.]])), None);
    }

    #[test]
    fn what_was_encoded_is_kept_with_the_profile() {
        for kept in [kept(7, &[[1., 0., 0.]]), kept(7, &[])] {
            let again = Kept::from_bytes(&kept.to_bytes()).unwrap();
            assert_eq!((&again.profile, &again.others), (&kept.profile, &kept.others));
            let bytes = kept.to_bytes();
            assert!((0..bytes.len()).all(|end| Kept::from_bytes(&bytes[..end]).is_err()), "a part is none");
        }
    }
}
