//! The worst mistakes of a run: what was joined and does not belong together, and what was missed, each explained.

use super::{
    EvalError, LabelledSet,
    trial::{Grouping, Placed, Trial},
};
use crate::{
    model::Score,
    query::{ExplainAnswer, Library, QueryError},
};
use serde::{Deserialize, Serialize};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

/// Two articles that should not be where they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mistake {
    /// What is wrong.
    pub kind: MistakeKind,
    /// The ids of both within the set, the earlier first.
    pub articles: (String, String),
    /// The probability that they tell one story, but for any bar.
    pub probability: Score,
    /// Why they are where they are.
    pub explanation: ExplainAnswer,
}

/// What is wrong with two articles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MistakeKind {
    /// They are in one record and do not belong together.
    FalseJoin,
    /// They belong together and are in two records.
    Miss,
}

/// Mistakes of one cause: two clusters in one record, or one cluster in two records. The likeliest pair stands for it.
type Cause = (MistakeKind, [usize; 4]);
/// The places of two articles in the set, the lower first.
type Places = (usize, usize);

/// The likeliest of each cause, and of these at most so many of each kind: what wirefold was surest of and wrong, and
/// what it came closest to and missed.
pub(super) fn worst(
    trial: &Trial,
    set: &LabelledSet,
    grouping: &Grouping,
    most: usize,
) -> Result<Vec<Mistake>, EvalError> {
    let causes = causes(set, grouping);
    trial.ask(|library| {
        let mut ranked = Vec::new();
        for ((kind, _), pairs) in &causes {
            ranked.extend(likeliest(library, grouping, pairs)?.map(|(p, pair)| (*kind, Reverse(p), pair)));
        }
        ranked.sort_unstable();
        let mut mistakes = Vec::new();
        for kind in [MistakeKind::FalseJoin, MistakeKind::Miss] {
            for (_, Reverse(probability), pair) in ranked.iter().filter(|(k, ..)| *k == kind).take(most) {
                mistakes.extend(explained(library, set, grouping, (kind, *probability, *pair))?);
            }
        }
        Ok(mistakes)
    })
}

/// All mistaken pairs by their cause.
fn causes(set: &LabelledSet, grouping: &Grouping) -> BTreeMap<Cause, BTreeSet<Places>> {
    let mut causes: BTreeMap<Cause, BTreeSet<Places>> = BTreeMap::new();
    let mut add = |(a, b): Places, clusters: [usize; 2], is_same: bool| {
        let (Some(x), Some(y)) = (placed(grouping, a), placed(grouping, b)) else { return };
        let kind = match (x.record == y.record, is_same) {
            (true, false) => MistakeKind::FalseJoin,
            (false, true) => MistakeKind::Miss,
            _ => return,
        };
        let [low, high] = [x.record.min(y.record), x.record.max(y.record)];
        let [one, other] = [clusters[0].min(clusters[1]), clusters[0].max(clusters[1])];
        causes.entry((kind, [low, high, one, other])).or_default().insert((a.min(b), a.max(b)));
    };
    for (a, one) in set.articles.iter().enumerate() {
        for (b, other) in set.articles.iter().enumerate().skip(a + 1) {
            if let (Some(x), Some(y)) = (one.cluster, other.cluster) {
                add((a, b), [x, y], x == y);
            }
        }
    }
    for pair in &set.pairs {
        add(pair.places, [0, 0], pair.same);
    }
    causes
}

fn placed(grouping: &Grouping, place: usize) -> Option<&Placed> {
    grouping.get(place)?.as_ref()
}

fn likeliest(
    library: &Library<'_>,
    grouping: &Grouping,
    pairs: &BTreeSet<Places>,
) -> Result<Option<(Score, Places)>, QueryError> {
    let mut best: Option<(Score, Places)> = None;
    for (a, b) in pairs {
        let (Some(x), Some(y)) = (placed(grouping, *a), placed(grouping, *b)) else { continue };
        let probability = library.probability(x.id, y.id)?;
        if best.is_none_or(|(highest, _)| probability > highest) {
            best = Some((probability, (*a, *b)));
        }
    }
    Ok(best)
}

fn explained(
    library: &Library<'_>,
    set: &LabelledSet,
    grouping: &Grouping,
    (kind, probability, (a, b)): (MistakeKind, Score, Places),
) -> Result<Option<Mistake>, QueryError> {
    let (Some(x), Some(y)) = (placed(grouping, a), placed(grouping, b)) else { return Ok(None) };
    let explanation = library.explain(&y.id.to_string(), Some(&x.id.to_string()))?;
    let id = |place: usize| set.articles.get(place).map(|article| article.id.clone()).unwrap_or_default();
    Ok(Some(Mistake { kind, articles: (id(a), id(b)), probability, explanation }))
}
