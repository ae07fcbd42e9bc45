//! What a newcomer changes in the records that are there: two may turn out to be one, and a member may fit the
//! newcomer's record clearly better than its own. Both change what was published, so both are events, both can
//! be switched off, and neither touches a founder's record id or what a person has pinned.

use super::decide::{Asked, Round, with_small};
use crate::model::{ArticleId, ArticleNo, Event, MergeEvent, MoveEvent, Relation, Score};

/// Two records of few members must agree more to merge: so much, divided by the pairs across.
pub(super) const MERGE_SMALL: f64 = 0.09;
/// A member moves when it fits at least so well where it goes, and so much better than where it is.
const MOVE_MIN: f64 = 0.63;
const MOVE_GAIN: f64 = 0.05;
/// This many of the nearest articles may move.
const MOVES_MAX: usize = 16;
/// A newcomer may merge this many records in a row.
const MERGES_MAX: usize = 3;

impl Round<'_> {
    /// Merges and moves what the newcomer shows to belong together. Returns what was done, in order.
    pub(super) fn rearrange(&mut self, near: &[ArticleNo]) -> Vec<Event> {
        let mut changes = self.merges(near);
        let moves = self.moves(near.get(..near.len().min(MOVES_MAX)).unwrap_or_default());
        if !moves.is_empty() {
            changes.extend(moves);
            changes.extend(self.merges(near));
        }
        changes
    }

    fn merges(&mut self, near: &[ArticleNo]) -> Vec<Event> {
        let mut merged = Vec::new();
        while self.detector.settings.merging && merged.len() < MERGES_MAX {
            let Some(own) = self.detector.records.founder_of(self.no) else { break };
            let mut best: Option<(Score, ArticleNo)> = None;
            for other in self.founders(near).into_iter().filter(|founder| *founder != own) {
                if self.detector.records.holds_a_pin(own.max(other)) {
                    continue;
                }
                let fit = self.across(own, other);
                if fit >= self.merge_threshold(own, other) && best.is_none_or(|(highest, _)| fit > highest) {
                    best = Some((fit, other));
                }
            }
            let event = best.and_then(|(score, other)| self.merge(own.min(other), own.max(other), score));
            let Some(event) = event else { break };
            merged.push(event);
        }
        merged
    }

    /// Makes one record of two; the older id survives.
    fn merge(&mut self, into: ArticleNo, from: ArticleNo, score: Score) -> Option<Event> {
        let (kept, gone) = (self.detector.records.get(into)?, self.detector.records.get(from)?);
        let (kept_id, gone_id) = (kept.id, gone.id);
        let members = kept.members.to_vec();
        // Where the founder itself has left the windows, the oldest of its members stands for it.
        let founder = gone.members.first().copied()?;
        let (nearest, matched, relation) = self.best_match(founder, &members)?;
        let asked = self.merge_asked(into, from, score);
        let evidence = self.evidence(founder, nearest, asked).map(Box::new);
        self.detector.records.merge(into, from, kept_id);
        Some(Event::Merge(MergeEvent { into: kept_id, from: gone_id, relation, matched, score, evidence }))
    }

    fn merge_threshold(&self, one: ArticleNo, other: ArticleNo) -> Score {
        let size = |founder| self.detector.records.get(founder).map_or(1, |r| r.members.len());
        with_small(self.detector.settings.merge, MERGE_SMALL, size(one) * size(other))
    }

    /// What decides on a merge with this mean.
    pub(super) fn merge_asked(&self, one: ArticleNo, other: ArticleNo, mean: Score) -> Asked {
        let pairs = self.merge_panel(one).len() * self.merge_panel(other).len();
        Asked { pairs, mean, threshold: self.merge_threshold(one, other) }
    }

    fn merge_panel(&self, founder: ArticleNo) -> Vec<ArticleNo> {
        self.detector.records.get(founder).map(super::records::Record::merge_panel).unwrap_or_default()
    }

    /// The mean probability across two records.
    pub(super) fn across(&mut self, one: ArticleNo, other: ArticleNo) -> Score {
        let (a, b) = (self.merge_panel(one), self.merge_panel(other));
        let pairs: Vec<_> = a.iter().flat_map(|i| b.iter().map(|j| (*i, *j))).collect();
        self.mean(pairs)
    }

    /// Moves members of other records that fit the newcomer's clearly better; never a founder, nor what is pinned.
    fn moves(&mut self, near: &[ArticleNo]) -> Vec<Event> {
        let mut moved = Vec::new();
        if !self.detector.settings.moving {
            return moved;
        }
        let Some(to) = self.detector.records.founder_of(self.no) else { return moved };
        for no in near {
            let Some(from) = self.detector.records.founder_of(*no).filter(|f| *f != to) else { continue };
            if self.detector.records.stays(*no) {
                continue;
            }
            let (there, here) = (self.fit(*no, to), self.fit(*no, from));
            let asked = MOVE_MIN.max(here.share() + MOVE_GAIN);
            if there.share() >= asked {
                let threshold = Score::from_share(asked);
                let pairs = self.asked_by(to).0.len();
                moved.extend(self.move_member(*no, (from, to), Asked { pairs, mean: there, threshold }));
            }
        }
        moved
    }

    fn move_member(
        &mut self,
        no: ArticleNo,
        (from, to): (ArticleNo, ArticleNo),
        asked: Asked,
    ) -> Option<Event> {
        let (old, new) = (self.detector.records.get(from)?.id, self.detector.records.get(to)?);
        let (new_id, members) = (new.id, new.members.to_vec());
        let (nearest, matched, relation) = self.best_match(no, &members)?;
        let evidence = self.evidence(no, nearest, asked).map(Box::new);
        let id = self.detector.index.get(no)?.id;
        self.detector.records.remove(no);
        self.detector.records.add(no, to, new_id);
        let score = asked.mean;
        Some(Event::Move(MoveEvent { id, from: old, to: new_id, relation, matched, score, evidence }))
    }

    /// The mean probability of an article with the panel of a record, itself left out.
    fn fit(&mut self, no: ArticleNo, founder: ArticleNo) -> Score {
        let panel = self.detector.records.get(founder).map(super::records::Record::panel).unwrap_or_default();
        self.mean(panel.into_iter().filter(|member| *member != no).map(|member| (no, member)))
    }

    /// The member that an article is likest to, and how it stands to it.
    fn best_match(
        &mut self,
        no: ArticleNo,
        members: &[ArticleNo],
    ) -> Option<(ArticleNo, ArticleId, Relation)> {
        let mut best: Option<(Score, ArticleNo, Relation)> = None;
        for member in members {
            let Some(pair) = self.pair(no, *member) else { continue };
            if best.is_none_or(|(highest, ..)| pair.probability > highest) {
                // A pair's relation is that of the later to the earlier, and here either may be the later.
                let relation = if no < *member { pair.relation.turned() } else { pair.relation };
                best = Some((pair.probability, *member, relation));
            }
        }
        let (_, member, relation) = best?;
        Some((member, self.detector.index.get(member)?.id, relation))
    }
}
