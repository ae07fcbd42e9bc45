//! What a run of a set is worth, in figures. The shapes here are what `wirefold eval --json` writes.

use super::{
    Agreement, LabelledSet, Mistake,
    agreement::share,
    trial::{Grouping, Placed},
};
use crate::model::Relation;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The figures of one set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SetFigures {
    /// The set.
    pub set: String,
    /// How many articles it has.
    pub articles: usize,
    /// How many of them could not be read; each counts as a record of its own.
    pub unread: usize,
    /// How many articles of the background are in the store beside them.
    #[serde(default)]
    pub background: usize,
    /// What must be known besides to read the figures right, each a plain sentence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How many records they came to lie in.
    pub records: usize,
    /// How well the records agree with the clusters, over the articles that have one; nothing where none has.
    pub agreement: Option<Agreement>,
    /// Judged pairs: each file's pairs that belong together and those that do not, in all and by kind.
    pub judged: Vec<JudgedFigures>,
    /// The variants by how they stand to the article they were matched with.
    pub relations: Vec<RelationFigures>,
    /// The same articles in other orders, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shuffles: Option<ShuffleFigures>,
    /// The worst mistakes, where that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mistakes: Vec<Mistake>,
}

/// Judged pairs of one kind, and how many of them are in one record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgedFigures {
    /// The file of judgements: `pairs` or `wild`.
    pub file: String,
    /// Whether they belong together, so that joined is found; else joined is wrong.
    pub same: bool,
    /// The kind, as the file calls it, empty where it calls it nothing; nothing for all pairs of the file.
    pub kind: Option<String>,
    /// How many there are.
    pub pairs: u64,
    /// How many are in one record.
    pub joined: u64,
    /// The share of them.
    pub share: f64,
}

/// Variants of one relation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RelationFigures {
    /// How they stand to what they were matched with.
    pub relation: Relation,
    /// How many there are.
    pub variants: u64,
    /// Of how many both they and what they were matched with have a cluster.
    pub labelled: u64,
    /// Of how many of these it is the same cluster.
    pub right: u64,
}

/// Runs of the same articles in other orders.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShuffleFigures {
    /// How many runs.
    pub runs: usize,
    /// The mean adjusted Rand index with the clusters; nothing without clusters, as for the next two.
    pub ari: Option<f64>,
    /// The lowest.
    pub ari_min: Option<f64>,
    /// The mean pair precision.
    pub pair_precision: Option<f64>,
    /// The mean adjusted Rand index between the groupings of two runs, over all pairs of runs: 1 where order does not
    /// matter.
    pub ari_between: f64,
}

impl SetFigures {
    /// The figures of a set whose articles have come to lie as `grouping` says.
    pub(super) fn of(set: &LabelledSet, grouping: &Grouping) -> Self {
        let groups = groups(grouping);
        Self {
            set: set.name.clone(),
            articles: set.articles.len(),
            unread: grouping.iter().filter(|placed| placed.is_none()).count(),
            records: groups.iter().collect::<BTreeSet<_>>().len(),
            agreement: agreement(set, &groups),
            judged: judged(set, &groups),
            relations: relations(set, grouping),
            ..Self::default()
        }
    }
}

impl ShuffleFigures {
    /// The figures of several runs of one set.
    pub(super) fn of(set: &LabelledSet, groupings: &[Grouping]) -> Self {
        let groups: Vec<Vec<usize>> = groupings.iter().map(groups).collect();
        let agreements: Vec<Agreement> = groups.iter().filter_map(|g| agreement(set, g)).collect();
        let mut between = Vec::new();
        for (n, one) in groups.iter().enumerate() {
            for other in groups.iter().skip(n + 1) {
                let both: Vec<_> = one.iter().copied().zip(other.iter().copied()).collect();
                between.push(Agreement::of(&both).ari);
            }
        }
        let aris: Vec<f64> = agreements.iter().map(|a| a.ari).collect();
        Self {
            runs: groupings.len(),
            ari: mean(&aris),
            ari_min: aris.iter().copied().reduce(f64::min),
            pair_precision: mean(&agreements.iter().map(|a| a.pair_precision).collect::<Vec<_>>()),
            ari_between: mean(&between).unwrap_or(1.),
        }
    }
}

/// The group of each article; one that could not be read is a group of its own.
fn groups(grouping: &Grouping) -> Vec<usize> {
    let past = grouping.iter().flatten().map(|placed| placed.record + 1).max().unwrap_or(0);
    let group =
        |(place, placed): (usize, &Option<Placed>)| placed.as_ref().map_or(past + place, |p| p.record);
    grouping.iter().enumerate().map(group).collect()
}

fn agreement(set: &LabelledSet, groups: &[usize]) -> Option<Agreement> {
    let labelled: Vec<_> =
        set.articles.iter().zip(groups).filter_map(|(a, group)| Some((a.cluster?, *group))).collect();
    if labelled.is_empty() { None } else { Some(Agreement::of(&labelled)) }
}

fn judged(set: &LabelledSet, groups: &[usize]) -> Vec<JudgedFigures> {
    // Those that belong together first; of each, all pairs before the kinds.
    let mut counts: BTreeMap<(&str, bool, Option<&str>), (u64, u64)> = BTreeMap::new();
    for pair in &set.pairs {
        let joined = u64::from(groups.get(pair.places.0) == groups.get(pair.places.1));
        for kind in [None, Some(pair.kind.as_str())] {
            let count = counts.entry((pair.file, !pair.same, kind)).or_default();
            *count = (count.0 + 1, count.1 + joined);
        }
    }
    let figures = |((file, differ, kind), (pairs, joined)): ((&str, bool, Option<&str>), (u64, u64))| {
        let (file, kind) = (file.to_owned(), kind.map(str::to_owned));
        JudgedFigures { file, same: !differ, kind, pairs, joined, share: share(joined, pairs) }
    };
    counts.into_iter().map(figures).collect()
}

fn relations(set: &LabelledSet, grouping: &Grouping) -> Vec<RelationFigures> {
    let mut counts: BTreeMap<Relation, (u64, u64, u64)> = BTreeMap::new();
    let cluster = |place: usize| set.articles.get(place).and_then(|a| a.cluster);
    for (place, placed) in grouping.iter().enumerate() {
        let Some((relation, placed)) = placed.as_ref().and_then(|p| Some((p.relation?, p))) else { continue };
        let count = counts.entry(relation).or_default();
        count.0 += 1;
        if let (Some(own), Some(other)) = (cluster(place), placed.matched.and_then(cluster)) {
            count.1 += 1;
            count.2 += u64::from(own == other);
        }
    }
    let figures =
        |(relation, (variants, labelled, right))| RelationFigures { relation, variants, labelled, right };
    counts.into_iter().map(figures).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a handful of runs")]
fn mean(figures: &[f64]) -> Option<f64> {
    let sum: f64 = figures.iter().sum();
    if figures.is_empty() { None } else { Some(sum / figures.len() as f64) }
}
