//! How well two groupings of the same articles agree: over pairs, over articles (B-cubed), and against chance (ARI).
//!
//! Knows labels as numbers only. Called by `figures`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a grouping is worth beside the true one. All are shares between 0 and 1 but ARI, which may fall below 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Of the pairs that were joined, the share that belong together; 1 where none was.
    pub pair_precision: f64,
    /// Of the pairs that belong together, the share that were joined; 1 where none do.
    pub pair_recall: f64,
    /// The mean over articles of the share of its record that belongs to its cluster (Bagga and Baldwin 1998).
    pub b3_precision: f64,
    /// The mean over articles of the share of its cluster that is in its record.
    pub b3_recall: f64,
    /// The harmonic mean of the two.
    pub b3_f1: f64,
    /// The adjusted Rand index (Hubert and Arabie 1985): 1 for the true grouping, 0 for what chance would give.
    pub ari: f64,
}

impl Agreement {
    /// Of a grouping with the true one: for each article its true cluster and its group.
    pub fn of(articles: &[(usize, usize)]) -> Self {
        let (mut cells, mut clusters, mut groups) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        for (cluster, group) in articles {
            *cells.entry((*cluster, *group)).or_insert(0_u64) += 1;
            *clusters.entry(*cluster).or_insert(0_u64) += 1;
            *groups.entry(*group).or_insert(0_u64) += 1;
        }
        let pairs_in = |counts: &mut dyn Iterator<Item = u64>| counts.map(pairs).sum::<u64>();
        let both = pairs_in(&mut cells.values().copied());
        let true_pairs = pairs_in(&mut clusters.values().copied());
        let joined = pairs_in(&mut groups.values().copied());
        let of_article = |sizes: &BTreeMap<usize, u64>, of: fn((usize, usize)) -> usize| {
            let sum: f64 = cells
                .iter()
                .map(|(cell, n)| real(n * n) / real(sizes.get(&of(*cell)).copied().unwrap_or(1)))
                .sum();
            if articles.is_empty() { 1. } else { sum / real(articles.len() as u64) }
        };
        let b3_precision = of_article(&groups, |(_, group)| group);
        let b3_recall = of_article(&clusters, |(cluster, _)| cluster);
        Self {
            pair_precision: share(both, joined),
            pair_recall: share(both, true_pairs),
            b3_precision,
            b3_recall,
            b3_f1: 2. * b3_precision * b3_recall / (b3_precision + b3_recall),
            ari: adjusted_rand(both, true_pairs, joined, pairs(articles.len() as u64)),
        }
    }
}

fn adjusted_rand(both: u64, one: u64, other: u64, all: u64) -> f64 {
    let expected = real(one) * real(other) / real(all.max(1));
    let most = f64::midpoint(real(one), real(other));
    if (most - expected).abs() < f64::EPSILON { 1. } else { (real(both) - expected) / (most - expected) }
}

/// A part of a whole; all of it where there is no whole, as nothing is then wrong or missing.
pub(super) fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 1. } else { real(part) / real(whole) }
}

fn pairs(n: u64) -> u64 {
    n * n.saturating_sub(1) / 2
}

#[expect(clippy::cast_precision_loss, reason = "pairs of a million articles are below 2^52")]
fn real(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-9
    }

    #[test]
    fn the_true_grouping_under_other_names_is_perfect() {
        let same = Agreement::of(&[(1, 7), (1, 7), (2, 9), (3, 4)]);
        assert!([same.pair_precision, same.pair_recall, same.b3_f1, same.ari].iter().all(|x| near(*x, 1.)));
    }

    /// Worked by hand: clusters {a b c} {d e}, groups {a b} {c d e}. Pairs joined 1 + 3, of which 1 + 1 are right, of
    /// 3 + 1 that belong together; 10 in all.
    #[test]
    fn a_worked_example() {
        let found = Agreement::of(&[(0, 0), (0, 0), (0, 1), (1, 1), (1, 1)]);
        assert!(near(found.pair_precision, 2. / 4.));
        assert!(near(found.pair_recall, 2. / 4.));
        assert!(near(found.b3_precision, (1. + 1. + 1. / 3. + 2. / 3. + 2. / 3.) / 5.));
        assert!(near(found.b3_recall, (2. / 3. + 2. / 3. + 1. / 3. + 1. + 1.) / 5.));
        assert!(near(found.ari, (2. - 1.6) / (4. - 1.6)));
    }

    #[test]
    fn all_apart_is_precise_and_worth_nothing() {
        let apart = Agreement::of(&[(0, 0), (0, 1), (1, 2)]);
        assert!(near(apart.pair_precision, 1.) && near(apart.pair_recall, 0.) && near(apart.ari, 0.));
    }
}
