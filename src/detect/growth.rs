//! The alarm on a record that grows suspiciously fast: a form or a sign-off that slipped through joins everything.
//! It changes no decision; `pipeline` tells of it.

use super::{Detector, decide::Round, records::Record};
use crate::model::{ArticleNo, RecordId, Time};
use std::collections::BTreeMap;

/// A record that has grown suspiciously fast. It is told once each time the record doubles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Growth {
    /// The record.
    pub record: RecordId,
    /// Its articles in the windows.
    pub articles: usize,
    /// Those of them with a time within a day of the newcomer's: more than half.
    pub within_a_day: usize,
}

impl Detector {
    /// The records in the windows that have the alarming number of articles, most of them within a day of the newest: those
    /// that were told of, as far as can be told of what is there.
    pub fn alarming(&self) -> Vec<RecordId> {
        let alarming = self.settings.alarm_articles as usize;
        let many = self.records.all().filter(|record| alarming > 0 && record.members.len() >= alarming);
        let is_growth = |record: &&Record| {
            let newest = record.members.last().and_then(|no| self.index.get(*no));
            newest.is_some_and(|newest| self.within_a_day(record, newest.time) * 2 > record.members.len())
        };
        many.filter(is_growth).map(|record| record.id).collect()
    }

    fn within_a_day(&self, record: &Record, of: Time) -> usize {
        let is_of_it = |no: &&ArticleNo| self.index.get(**no).is_some_and(|p| p.time.days_apart(of) <= 1.);
        record.members.iter().filter(is_of_it).count()
    }
}

impl Round<'_> {
    /// The records near the newcomer, by founder, with the number of their articles.
    pub(super) fn sizes(&self, near: &[ArticleNo]) -> BTreeMap<ArticleNo, usize> {
        let size = |founder| (founder, self.detector.records.size(founder));
        self.founders(near).into_iter().map(size).collect()
    }

    /// Whether the newcomer's record has come to the alarming number of articles, or a doubling of it, and most of
    /// them are of one day. `before` has the sizes of the records near it before it came.
    pub(super) fn growth(&self, before: &BTreeMap<ArticleNo, usize>) -> Option<Growth> {
        let alarming = self.detector.settings.alarm_articles as usize;
        let steps = |articles: usize| (articles / alarming.max(1)).checked_ilog2().map_or(0, |n| n + 1);
        let founder = self.detector.records.founder_of(self.no)?;
        let record = self.detector.records.get(founder)?;
        let articles = record.members.len();
        let grown_from = before.get(&founder).copied().unwrap_or(articles - 1);
        if alarming == 0 || steps(articles) <= steps(grown_from) {
            return None;
        }
        let within_a_day = self.detector.within_a_day(record, self.detector.index.get(self.no)?.time);
        (within_a_day * 2 > articles).then_some(Growth { record: record.id, articles, within_a_day })
    }
}
