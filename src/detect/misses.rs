//! Near misses: the records that a newcomer came close to, kept so that a person who misses a join sees why it was
//! none. They decide nothing.

use super::{
    Settings,
    compare::{Weighed, mean_of},
    decide::{Asked, Round},
};
use crate::model::{ArticleNo, NearMiss, Score, Step};
use std::cmp::Reverse;

/// A mean is near its threshold from this share of it on.
const NEAR_SHARE: f64 = 0.8;
/// So many are kept of one article, the best: a report of a daily form has one for each of its siblings.
const MISSES_MAX: usize = 4;

/// What the likeliest pair of a near miss has at least.
pub(super) fn least(settings: &Settings) -> f64 {
    NEAR_SHARE * settings.join
}

impl Round<'_> {
    /// The records that the newcomer nearly joined, beside the one that it did join. Before it is in any.
    pub(super) fn join_misses(&mut self, candidates: &[ArticleNo], joined: ArticleNo) -> Vec<NearMiss> {
        let least = least(&self.detector.settings);
        // A mean is no higher than the likeliest of its pairs.
        let mut near = candidates.to_vec();
        near.retain(|no| self.pair(self.no, *no).is_some_and(|pair| pair.unbarred.share() >= least));
        let mut found: Vec<(Reverse<Score>, ArticleNo, NearMiss)> = Vec::new();
        for founder in self.founders(&near).into_iter().filter(|founder| *founder != joined) {
            let (panel, threshold) = self.asked_by(founder);
            let Some(weighed) = self.weigh_unbarred(&panel) else { continue };
            // Siblings are no near miss of their own: they are one where nothing but the bar stood between.
            let least = if weighed.barred { 1. } else { NEAR_SHARE } * threshold.share();
            if weighed.mean.share() >= least {
                let asked = Asked { pairs: panel.len(), mean: weighed.mean, threshold };
                let miss = self.miss(Step::Join, founder, weighed.decisive.1, asked);
                found.extend(miss.map(|miss| (Reverse(weighed.mean), founder, miss)));
            }
        }
        found.sort_unstable_by_key(|(mean, founder, _)| (*mean, *founder));
        found.into_iter().take(MISSES_MAX).map(|(.., miss)| miss).collect()
    }

    /// Adds the records that the newcomer's own nearly merged with. A record of the newcomer alone was weighed for
    /// the join already.
    pub(super) fn add_merge_misses(&mut self, near: &[ArticleNo], misses: &mut Vec<NearMiss>) {
        let Some(own) = self.detector.records.founder_of(self.no) else { return };
        let is_alone = self.detector.records.get(own).is_none_or(|record| record.members.len() < 2);
        if is_alone || !self.detector.settings.merging {
            return;
        }
        for other in self.founders(near).into_iter().filter(|founder| *founder != own) {
            let is_known = |id| misses.iter().any(|miss| miss.record == id);
            if misses.len() >= MISSES_MAX || self.detector.records.get(other).is_none_or(|r| is_known(r.id)) {
                continue;
            }
            let mean = self.across(own, other);
            let asked = self.merge_asked(own, other, mean);
            let nearest = near.iter().find(|no| self.detector.records.founder_of(**no) == Some(other));
            if mean.share() >= NEAR_SHARE * asked.threshold.share()
                && let Some(nearest) = nearest
            {
                misses.extend(self.miss(Step::Merge, other, *nearest, asked));
            }
        }
    }

    /// The newcomer against some articles, with no pair barred.
    fn weigh_unbarred(&mut self, panel: &[ArticleNo]) -> Option<Weighed> {
        let no = self.no;
        let mut pairs = Vec::with_capacity(panel.len());
        for member in panel {
            pairs.extend(self.pair(no, *member).map(|pair| (no, *member, pair.unbarred, pair.siblings)));
        }
        mean_of(&pairs)
    }

    fn miss(&mut self, step: Step, founder: ArticleNo, matched: ArticleNo, asked: Asked) -> Option<NearMiss> {
        let relation = self.pair(self.no, matched)?.relation;
        let evidence = self.evidence(self.no, matched, asked)?;
        let (record, matched) =
            (self.detector.records.get(founder)?.id, self.detector.index.get(matched)?.id);
        Some(NearMiss { record, step, matched, relation, evidence })
    }
}
