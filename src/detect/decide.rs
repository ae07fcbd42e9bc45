//! The decision: which record an article founds or joins, and to which it is related.
//!
//! An article joins the record with the highest mean probability over a panel of its members, when that passes
//! the threshold. A probability saturates, so one huge match cannot carry a weak mean, and a join is never
//! handed along a chain. One barred member vetoes a record.

use super::{
    Detector, Newcomer, Twin, growth::Growth, index::Candidate, misses, named::named, pair::Pair,
    probe::Probe, profile::Kept,
};
use crate::model::{
    ArticleId, ArticleNo, Event, Evidence, Link, RecordId, Relation, Score, SpreadHasher, Verdict,
};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// A pair is worth weighing the record for from this probability on.
const NEAR: f64 = 0.5;
/// A record of few members asks for more: so much, divided by their number.
pub(super) const JOIN_SMALL: f64 = 0.12;
/// An article links its record to this many others at most, the best.
const LINKS_MAX: usize = 16;
/// `SimHash` neighbours looked at, the newest.
const NEAR_CANDIDATES_MAX: usize = 32;

/// What was decided on an article.
#[derive(Debug)]
pub struct Decision {
    /// Where it belongs, and why.
    pub verdict: Verdict,
    /// The founder of its record.
    pub founder: ArticleNo,
    /// The merges and moves that it caused, in order.
    pub changes: Vec<Event>,
    /// Set where its record has grown suspiciously fast.
    pub growth: Option<Growth>,
    /// What must be kept of it to compare it after a restart.
    pub profile: Kept,
    /// The articles that have left every window with it.
    pub evicted: Vec<ArticleNo>,
}

/// What decided on a pair, beside the pair itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// How many pairs were asked.
    pub pairs: usize,
    /// Their mean probability.
    pub mean: Score,
    /// What it had to reach.
    pub threshold: Score,
}

/// Decides on an article and takes it in.
pub(super) fn decide(detector: &mut Detector, newcomer: &Newcomer<'_>, twin: Option<Twin>) -> Decision {
    let kept = detector.index.frequencies.weigh(newcomer);
    let profile = &kept.profile;
    let found = detector.index.candidates(profile, NEAR_CANDIDATES_MAX);
    let live_twin = detector.index.with_text(newcomer.text_digest);
    detector.index.insert(Arc::clone(profile));
    let (no, id) = (newcomer.no, newcomer.id);
    let mut round = Round { detector, no, id, probe: Probe::new(profile), pairs: HashMap::default() };
    let candidates = round.likely(&found);
    let near = round.near(&candidates);
    let sizes = round.sizes(&near);
    let (founder, mut verdict) = match round.revision(twin).or_else(|| round.twin(live_twin, twin)) {
        Some(same) => same,
        None => round.join(&near, &candidates),
    };
    round.detector.records.add(newcomer.no, founder, verdict.record);
    round.detector.chain(newcomer.no, verdict.relation, verdict.matched);
    verdict.related = round.related(&candidates, founder);
    let changes = round.rearrange(&near);
    round.add_merge_misses(&near, &mut verdict.near_misses);
    let growth = round.growth(&sizes);
    let evicted = detector.evict();
    Decision { verdict, founder, changes, growth, profile: kept, evicted }
}

/// One article that has come, and the pairs measured on its account.
pub(super) struct Round<'d> {
    pub detector: &'d mut Detector,
    pub no: ArticleNo,
    id: ArticleId,
    probe: Probe,
    pairs: HashMap<(ArticleNo, ArticleNo), Pair, SpreadHasher>,
}

impl Round<'_> {
    /// What two live articles have in common; measured once.
    pub fn pair(&mut self, one: ArticleNo, other: ArticleNo) -> Option<&Pair> {
        let key = (one.max(other), one.min(other));
        let (a, b) = (self.detector.index.get(key.0)?, self.detector.index.get(key.1)?);
        let measure = || if a.no == self.no { Pair::probed(&self.probe, a, b) } else { Pair::of(a, b) };
        Some(self.pairs.entry(key).or_insert_with(measure))
    }

    /// The mean probability over pairs; 0 where one of them is of siblings of one template.
    pub fn mean(&mut self, pairs: impl IntoIterator<Item = (ArticleNo, ArticleNo)>) -> Score {
        let mut scores = Vec::new();
        for (one, other) in pairs {
            match self.pair(one, other) {
                Some(pair) if pair.siblings => return Score::ZERO,
                Some(pair) => scores.push(pair.probability),
                None => {}
            }
        }
        Score::mean(scores)
    }

    /// What was measured on two articles, by name, with the mean that decided and what it had to reach.
    pub fn evidence(&mut self, one: ArticleNo, other: ArticleNo, asked: Asked) -> Option<Evidence> {
        let pair = *self.pair(one, other)?;
        let (one, other) = (self.detector.index.get(one)?, self.detector.index.get(other)?);
        Some(named(&pair, one, other, asked))
    }

    /// The members of a record that a newcomer is weighed against, and what their mean must reach.
    pub fn asked_by(&self, founder: ArticleNo) -> (Vec<ArticleNo>, Score) {
        let record = self.detector.records.get(founder);
        let (panel, size) = record.map(|r| (r.panel(), r.members.len())).unwrap_or_default();
        (panel, with_small(self.detector.settings.join, JOIN_SMALL, size))
    }

    /// Those of the candidates found that are likely enough to be anything: near, related or a near miss.
    fn likely(&mut self, found: &[Candidate]) -> Vec<ArticleNo> {
        let settings = &self.detector.settings;
        let least = NEAR.min(settings.link).min(misses::least(settings));
        let Some(newcomer) = self.detector.index.get(self.no) else { return Vec::new() };
        let mut likely = Vec::new();
        for Candidate { no, shares_wording } in found {
            let older = self.detector.index.get(*no);
            let pair = older.and_then(|o| Pair::likely(&self.probe, newcomer, o, *shares_wording, least));
            if let Some(pair) = pair {
                self.pairs.insert((self.no, *no), pair);
                likely.push(*no);
            }
        }
        likely
    }

    /// The candidates that may well tell the same story, likeliest first, then the older.
    fn near(&mut self, candidates: &[ArticleNo]) -> Vec<ArticleNo> {
        let mut near: Vec<(Reverse<Score>, ArticleNo)> =
            candidates.iter().map(|no| (Reverse(self.probability(*no)), *no)).collect();
        near.retain(|(Reverse(p), _)| p.share() >= NEAR);
        near.sort_unstable();
        near.into_iter().map(|(_, no)| no).collect()
    }

    fn probability(&mut self, other: ArticleNo) -> Score {
        self.pair(self.no, other).map_or(Score::ZERO, |pair| pair.probability)
    }

    /// The record of an earlier version of the same story, whatever its text is.
    fn revision(&mut self, stored: Option<Twin>) -> Option<(ArticleNo, Verdict)> {
        let earlier = stored.filter(|twin| twin.relation == Relation::Revision)?;
        let records = &self.detector.records;
        let live =
            records.founder_of(earlier.no).and_then(|founder| Some((founder, records.get(founder)?.id)));
        let (founder, record) = live.unwrap_or((earlier.founder, earlier.record));
        Some((founder, self.together(record, earlier, live.map(|_| earlier.no))))
    }

    /// The record of an article with the same text, if there is one, whatever else is like it.
    fn twin(&mut self, live: Option<ArticleNo>, stored: Option<Twin>) -> Option<(ArticleNo, Verdict)> {
        let twin = match live {
            Some(no) => {
                let founder = self.detector.records.founder_of(no)?;
                let record = self.detector.records.get(founder)?.id;
                Twin {
                    relation: Relation::Identical,
                    id: self.detector.index.get(no)?.id,
                    no,
                    founder,
                    record,
                }
            }
            None => stored.filter(|twin| twin.relation == Relation::Identical)?,
        };
        Some((twin.founder, self.together(twin.record, twin, live)))
    }

    /// The verdict on an article that is where another one is, with what was measured where that is live.
    fn together(&mut self, record: RecordId, twin: Twin, live: Option<ArticleNo>) -> Verdict {
        let evidence = live.and_then(|no| {
            let pair = *self.pair(self.no, no)?;
            Some(pair.evidence(self.detector.index.get(self.no)?, self.detector.index.get(no)?))
        });
        Verdict {
            record,
            relation: Some(twin.relation),
            matched: Some(twin.id),
            score: Some(Score::ONE),
            evidence,
            related: Vec::new(),
            near_misses: Vec::new(),
        }
    }

    /// The record that the article joins, or the one that it founds.
    fn join(&mut self, near: &[ArticleNo], candidates: &[ArticleNo]) -> (ArticleNo, Verdict) {
        let mut best: Option<(ArticleNo, Asked)> = None;
        for founder in self.founders(near) {
            let (panel, threshold) = self.asked_by(founder);
            let pairs = panel.len();
            let mean = self.mean(panel.into_iter().map(|member| (self.no, member)).collect::<Vec<_>>());
            if mean >= threshold && best.is_none_or(|(_, highest)| mean > highest.mean) {
                best = Some((founder, Asked { pairs, mean, threshold }));
            }
        }
        let joined = best.and_then(|(founder, asked)| {
            let record = self.detector.records.get(founder)?.id;
            Some((founder, self.joined(near, (founder, record), asked)))
        });
        let (founder, mut verdict) = joined.unwrap_or_else(|| self.found());
        verdict.near_misses = self.join_misses(candidates, founder);
        (founder, verdict)
    }

    fn joined(
        &mut self,
        near: &[ArticleNo],
        (founder, record): (ArticleNo, RecordId),
        asked: Asked,
    ) -> Verdict {
        let nearest = near.iter().find(|no| self.detector.records.founder_of(**no) == Some(founder)).copied();
        let matched = nearest.and_then(|no| self.detector.index.get(no)).map(|p| p.id);
        Verdict {
            record,
            relation: nearest.and_then(|no| self.pair(self.no, no)).map(|pair| pair.relation),
            matched,
            score: Some(asked.mean),
            evidence: nearest.and_then(|no| self.evidence(self.no, no, asked)),
            related: Vec::new(),
            near_misses: Vec::new(),
        }
    }

    fn found(&self) -> (ArticleNo, Verdict) {
        let record = RecordId::founded_by(self.id);
        let verdict = Verdict {
            record,
            relation: None,
            matched: None,
            score: None,
            evidence: None,
            related: Vec::new(),
            near_misses: Vec::new(),
        };
        (self.no, verdict)
    }

    /// The records of the same running story, best first.
    fn related(&mut self, candidates: &[ArticleNo], own: ArticleNo) -> Vec<Link> {
        let mut best: BTreeMap<ArticleNo, Score> = BTreeMap::new();
        for no in candidates {
            let probability = self.probability(*no);
            if probability.share() < self.detector.settings.link {
                continue;
            }
            if let Some(founder) = self.detector.records.founder_of(*no).filter(|f| *f != own) {
                let score = best.entry(founder).or_default();
                *score = probability.max(*score);
            }
        }
        let mut links: Vec<(Reverse<Score>, ArticleNo)> =
            best.into_iter().map(|(founder, score)| (Reverse(score), founder)).collect();
        links.sort_unstable();
        links.truncate(LINKS_MAX);
        let id = |founder| self.detector.records.get(founder).map(|r| r.id);
        links.into_iter().filter_map(|(Reverse(score), f)| Some(Link { record: id(f)?, score })).collect()
    }

    /// The founders of the records of some articles, each once, in the articles' order.
    pub fn founders(&self, articles: &[ArticleNo]) -> Vec<ArticleNo> {
        let mut seen = BTreeSet::new();
        let founder_of = |no: &ArticleNo| self.detector.records.founder_of(*no);
        articles.iter().filter_map(founder_of).filter(|founder| seen.insert(*founder)).collect()
    }
}

/// A threshold that is higher where little supports it: `small` more for a single member, or a single pair.
#[expect(clippy::cast_precision_loss, reason = "a record has far fewer than 2^26 members")]
pub(super) fn with_small(threshold: f64, small: f64, support: usize) -> Score {
    Score::from_share(threshold + small / support.max(1) as f64)
}
